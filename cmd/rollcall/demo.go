package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"rollcall/jobs"
)

// demoSQL holds the questions that the demo asks in the end: a heading in a comment, a query.
//
//go:embed demo.sql
var demoSQL string

// demoNights are the nights of the example at times of their own, so that every demo comes to
// the same.
//
//nolint:gochecknoglobals // a constant table
var demoNights = []struct {
	folder string
	now    time.Time
	what   string
	// down names controllers that cannot be reached that night.
	down []string
}{
	{
		folder: "night1", now: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC),
		what: `Everything is new. Users are linked with contacts by e-mail, else by name. Who has no contact gets
one in 2101 (create: all); elsewhere a person looks first.`,
	},
	{
		folder: "night2", now: time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC), down: []string{"brennan-cork"},
		what: `People have left, titles have changed, contacts created last night have appeared, Carmen has decided
on four users of 2102. The controller in Cork is down: 2103 stays as it was, the others go on.`,
	},
}

// demoUser is the one that the demo explains: it shares its e-mail with another, who got the contact.
const demoUser, demoUserOrganization = "ietxeberria", 2102

func (a *app) demoVerb() *cobra.Command {
	var dir string
	verb := &cobra.Command{
		Use:   "demo",
		Short: "Play two nights of a built-in example",
		Long: `Play two nights of a built-in example: three organizations whose directories are served over
LDAPS on this machine's loopback. Configuration, contacts and results stay in a folder to go on with.`,
	}
	verb.Flags().StringVar(&dir, "dir", "", "empty or new `FOLDER` for the example (default: a new temporary one)")
	verb.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		d, err := newDemo(dir)
		if err != nil {
			return err
		}
		defer d.close()
		fmt.Fprintf(a.out, "Two nights of three organizations. Everything is written to %s\n", d.folder)
		for i := range demoNights {
			if err := a.demoNight(cmd.Context(), d, i); err != nil {
				return fmt.Errorf("night %d: %w", i+1, err)
			}
		}
		return a.demoAnswers(cmd.Context(), d)
	}
	return verb
}

// demoNight lets a night's changes happen and runs the nightly job as the schedule would.
func (a *app) demoNight(ctx context.Context, d *demo, i int) error {
	night := demoNights[i]
	if err := d.bring(ctx, night.folder); err != nil {
		return err
	}
	for _, name := range night.down {
		d.controllers[name].Close()
	}
	config, err := jobs.LoadConfig(d.configPath())
	if err != nil {
		return fmt.Errorf("load the demo's configuration: %w", err)
	}
	// Warnings say what the summary says, and a demo is read by a person.
	log := zerolog.Nop()
	if a.logLevel != "" {
		if log, err = a.logger(); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "\n== Night %d: %s\n%s\n\n", i+1, night.now.Format("Monday 2 January 2006, 15:04 MST"), night.what)
	_, err = jobs.RunJob(ctx, config, "nightly", night.now, jobs.Outside{
		Clock:       func() time.Time { return night.now },
		Environment: d.environment, Memory: a.memory, Log: log, Out: a.out,
	})
	return err
}

// demoAnswers asks the published file what an administrator would ask in the morning.
func (a *app) demoAnswers(ctx context.Context, d *demo) (err error) {
	config, err := jobs.LoadConfig(d.configPath())
	if err != nil {
		return fmt.Errorf("load the demo's configuration: %w", err)
	}
	db, err := openPublished(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	fmt.Fprintf(a.out, "\n== The morning after. These commands work in %s\n", d.folder)
	for question := range strings.SplitSeq(demoSQL, "\n\n") {
		heading, query, _ := strings.Cut(strings.TrimSpace(question), "\n")
		query = strings.TrimSuffix(query, ";")
		fmt.Fprintf(a.out, "\n%s\n$ rollcall query \"%s\"\n\n", strings.Replace(heading, "--", "#", 1), query)
		if err := list(ctx, a.out, db, "table", query); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "\n# Why is it so with this one?\n$ rollcall explain %s --org %d\n\n", demoUser, demoUserOrganization)
	user, err := lookUp(ctx, db, demoUser, demoUserOrganization)
	if err != nil {
		return err
	}
	if err := user.explain(ctx, a.out, db); err != nil {
		return err
	}
	return a.demoFarewell(d)
}

func (a *app) demoFarewell(d *demo) error {
	next := demoNights[len(demoNights)-1].now.AddDate(0, 0, 1).Format(time.RFC3339)
	_, err := fmt.Fprintf(a.out, `
== Where to look, in %s
  rollcall.yaml, contacts/                     what the runs read, besides the directories
  data/decisions.jsonl                         what people decided
  data/runs/*-nightly/deltas/                  what changed, for the documentation system
  data/runs/*-nightly/push/autotask/2101/      what goes to the PSA, and exceptions.csv
  data/published/rollcall.duckdb               everything, for any DuckDB client

Go on with:  cd %s; rollcall users --status unmatched
query, users, explain and runs go on working. The controllers ended with the demo: another night
(rollcall run nightly --now %s) reports all three organizations as unavailable,
and changes nothing.
`, d.folder, d.folder, next)
	return err //nolint:wrapcheck // the writer's own
}
