package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rollcall/stages/users"
	"rollcall/stages/users/directory"
	"rollcall/stages/users/fakedc"
	example "rollcall/testdata/demo"
)

// demo is the example while it is played: a folder that stays, and domain controllers that do not.
type demo struct {
	folder      string
	controllers map[string]*fakedc.Server // by the name of their LDIF
	password    string
}

// newDemo makes the folder. One with something in it is refused: the example would mix with it.
func newDemo(folder string) (*demo, error) {
	var err error
	if folder == "" {
		folder, err = os.MkdirTemp("", "rollcall-demo-")
	} else if folder, err = filepath.Abs(folder); err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("look into the demo's folder: %w", err)
	}
	if len(entries) > 0 {
		return nil, usagef("--dir must be empty or new, %s is not", folder)
	}
	return &demo{folder: folder, controllers: map[string]*fakedc.Server{}, password: rand.Text()}, nil
}

func (d *demo) close() {
	for _, controller := range d.controllers {
		controller.Close()
	}
}

func (d *demo) configPath() string { return filepath.Join(d.folder, "rollcall.yaml") }

// environment is all that the runs see of one.
func (d *demo) environment(name string) (string, bool) {
	return d.password, name == "DEMO_AD_PASSWORD"
}

// bring lets a night's directories, contacts and decisions take the place of those before.
func (d *demo) bring(ctx context.Context, night string) error {
	err := fs.WalkDir(example.Files, night, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := example.Files.ReadFile(name)
		if err != nil {
			return err //nolint:wrapcheck // it names the file
		}
		switch relative := strings.TrimPrefix(name, night+"/"); {
		case path.Dir(relative) == "ad":
			return d.serve(ctx, strings.TrimSuffix(path.Base(name), ".ldif"), text)
		case relative == "decisions.jsonl":
			return d.write("data/"+relative, text)
		default:
			return d.write(relative, text)
		}
	})
	if err != nil {
		return fmt.Errorf("bring the example's files: %w", err)
	}
	return d.configure()
}

// serve gives a controller its entries and starts it if it is not up yet. What it serves first
// is the domain's own entry.
func (d *demo) serve(ctx context.Context, name string, ldif []byte) error {
	var entries []fakedc.Entry
	err := users.ParseLDIF(ctx, bytes.NewReader(ldif), func(e directory.Entry) error {
		entries = append(entries, fakedc.Entry{DN: e.DN, Attributes: e.Attributes})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(entries) == 0 {
		return fmt.Errorf("%s: %w", name, errors.New("the directory is empty"))
	}
	if controller, up := d.controllers[name]; up {
		return controller.SetEntries(entries)
	}
	domain := entries[0].DN
	controller, err := fakedc.Start(fakedc.Options{ //nolint:contextcheck // it takes none: it serves until it is closed
		Entries: entries, NamingContext: domain, TLS: true, Password: d.password,
		BindDN: "svc-rollcall@" + strings.NewReplacer("DC=", "", ",", ".").Replace(domain),
	})
	if err != nil {
		return fmt.Errorf("start the controller %s: %w", name, err)
	}
	d.controllers[name] = controller
	return d.write("ca/"+name+".pem", controller.CAPEM())
}

// configure writes rollcall.yaml with the controllers' URLs, whose ports are known only now.
func (d *demo) configure() error {
	text, err := example.Files.ReadFile("rollcall.yaml")
	if err != nil {
		return fmt.Errorf("read the example's configuration: %w", err)
	}
	return d.write("rollcall.yaml", []byte(os.Expand(string(text), func(name string) string {
		if controller, up := d.controllers[name]; up {
			return controller.URL()
		}
		return "" // the configuration's check refuses it
	})))
}

func (d *demo) write(name string, text []byte) error {
	target := filepath.Join(d.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("write the example: %w", err)
	}
	if err := os.WriteFile(target, text, 0o600); err != nil {
		return fmt.Errorf("write the example: %w", err)
	}
	return nil
}
