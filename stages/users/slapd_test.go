//go:build slapd

// Tests against slapd, which is large, quick and strict about its limits where Samba is not:
//
//	testdata/slapd/with-slapd.sh /tmp/load 200000 go test -tags 'duckdb_arrow slapd' -run TestSlapd ./stages/users

package users_test

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/stages/users"
	"rollcall/stages/users/directory"
)

// maxHeap is what a read may take at most, however large the directory is, in bytes.
const maxHeap = 150 << 20

func slapd(t *testing.T) users.Collector {
	t.Helper()
	need := func(name string) string {
		value := os.Getenv("ROLLCALL_SLAPD_" + name)
		if value == "" {
			t.Fatalf("ROLLCALL_SLAPD_%s is not set: run this inside testdata/slapd/with-slapd.sh", name)
		}
		return value
	}
	password := need("PASSWORD")
	return users.Collector{Organization: 1001, Name: "load", Rules: rules(), Server: directory.Server{
		URLs: []string{need("URL")}, Bases: []string{need("BASE")}, CAFile: need("CA"),
		Credentials: directory.Credentials{Username: need("BIND"), Password: func() (string, error) { return password, nil }},
	}}
}

// expected counts the accounts of each kind that the directory was filled with.
func expected(t *testing.T) map[string]int64 {
	t.Helper()
	text, err := os.ReadFile(os.Getenv("ROLLCALL_SLAPD_EXPECTED"))
	if err != nil {
		t.Fatal(err)
	}
	var counts map[string]int64
	if err := json.Unmarshal(text, &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// wantAll asserts that a read brought every account, each as what it is.
func wantAll(t *testing.T, x extraction) {
	t.Helper()
	want := expected(t)
	if x.users != want["users"] || x.rows["load"] != want["accounts"] {
		t.Errorf("%d users of %d accounts, want %d of %d: %v", x.users, x.rows["load"], want["users"], want["accounts"], x.collectors)
	}
	for _, kind := range []string{"shared", "system", "machine", "trust"} {
		if x.excluded[kind] != want[kind] {
			t.Errorf("%d accounts are %s, want %d", x.excluded[kind], kind, want[kind])
		}
	}
}

func TestSlapdIsReadInFlatMemory(t *testing.T) {
	collector := slapd(t)
	var peak atomic.Uint64
	done := make(chan struct{})
	go func() {
		var m runtime.MemStats
		for ticker := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-done:
				ticker.Stop()
				return
			case <-ticker.C:
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			}
		}
	}()
	began := time.Now()
	x, err := extract(t, t.Context(), collector)
	close(done)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, x)
	t.Logf("%d accounts in %.1f s, %d MB of heap in use at most", x.rows["load"], time.Since(began).Seconds(), peak.Load()>>20)
	if peak.Load() > maxHeap {
		t.Errorf("%d MB of heap were in use, more than %d", peak.Load()>>20, maxHeap>>20)
	}
}

// A page larger than the server permits is an error, never a part of the directory.
func TestSlapdPageLimit(t *testing.T) {
	collector := slapd(t)
	collector.Server.PageSize = 5000
	x, err := extract(t, t.Context(), collector)
	if err != nil {
		t.Fatal(err)
	}
	if got := x.collectors["load"]; x.rows["load"] != 0 || !strings.HasPrefix(got, "failed 0 page 1: the server stopped at one of its limits (LDAP result 11): lower page_size") {
		t.Errorf("%d rows, and the collector says %q", x.rows["load"], got)
	}
}

// SASL EXTERNAL: a client certificate instead of a password, over both kinds of encryption. It
// reads the workstations alone: what counts here is who may read.
func TestSlapdExternal(t *testing.T) {
	for name, plain := range map[string]bool{"LDAPS": false, "StartTLS": true} {
		t.Run(name, func(t *testing.T) {
			collector := slapd(t)
			collector.Server.Bases[0] = "OU=Workstations," + collector.Server.Bases[0]
			collector.Server.Credentials = directory.Credentials{
				Method: directory.External, Certificate: os.Getenv("ROLLCALL_SLAPD_CLIENT_CERT"), Key: os.Getenv("ROLLCALL_SLAPD_CLIENT_KEY"),
			}
			if plain {
				collector.Server.URLs, collector.Server.StartTLS = []string{os.Getenv("ROLLCALL_SLAPD_PLAIN_URL")}, true
			}
			x, err := extract(t, t.Context(), collector)
			if err != nil {
				t.Fatal(err)
			}
			if want := expected(t)["machine"]; x.excluded["machine"] != want || x.rows["load"] != want {
				t.Errorf("%d accounts, want %d: %v", x.rows["load"], want, x.collectors)
			}
		})
	}
}
