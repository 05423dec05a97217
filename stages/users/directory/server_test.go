package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/stages/users/fakedc"
)

const (
	bindName   = "svc-rollcall@contoso.example"
	bindSecret = "correct horse"
	baseDN     = "DC=contoso,DC=example"
)

// people are n accounts of a directory; their names and addresses must never be in a message.
func people(n int) []fakedc.Entry {
	list := make([]fakedc.Entry, n)
	for i := range list {
		text := func(format string) [][]byte { return [][]byte{fmt.Appendf(nil, format, i)} }
		list[i] = fakedc.Entry{
			DN: fmt.Sprintf("CN=Private %05d,OU=Staff,%s", i, baseDN),
			Attributes: map[string][][]byte{
				"objectClass":        {[]byte("top"), []byte("person"), []byte("organizationalPerson"), []byte("user")},
				"objectGUID":         text("\xff\xfe\x00\x01%012d"),
				"sAMAccountType":     {[]byte("805306368")},
				"sAMAccountName":     text("private%05d"),
				"givenName":          text("Private%05d"),
				"mail":               text("private%05d@contoso.example"),
				"proxyAddresses":     {fmt.Appendf(nil, "SMTP:private%05d@contoso.example", i), fmt.Appendf(nil, "smtp:p%05d@contoso.example", i)},
				"userAccountControl": {[]byte("512")},
				"pwdLastSet":         {[]byte("134327232000000000")},
			},
		}
	}
	return list
}

// serve starts a directory server and tells how to read it.
func serve(t *testing.T, options fakedc.Options) (*fakedc.Server, Server) {
	t.Helper()
	options.BindDN, options.Password, options.NamingContext = bindName, bindSecret, baseDN
	directory, err := fakedc.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(directory.Close)
	s := Server{
		URLs: []string{directory.URL()}, Bases: []string{baseDN},
		Credentials: Credentials{Username: bindName, Password: secret(bindSecret)},
		StartTLS:    options.StartTLS, PageSize: 100, Timeout: 30 * time.Second, Pause: noPause,
	}
	if options.TLS || options.StartTLS {
		s.CAFile = caFile(t, directory)
	}
	return directory, s
}

func caFile(t *testing.T, directory *fakedc.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, directory.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func secret(text string) func() (string, error) {
	return func() (string, error) { return text, nil }
}

// noPause waits for nothing.
func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// wanted is a request such as the collectors'.
func wanted() Request {
	return Request{Filter: accounts, Attributes: []string{"objectGUID", "mail", "proxyAddresses"}}
}

const accounts = "(|(sAMAccountType=805306368)(sAMAccountType=805306369))"

// roll is a consumer that remembers who was there in the attempt that counts.
type roll struct {
	seen     map[string]int // the pass that delivered each
	again    int            // delivered in two passes
	attempts []Attempt
	each     func(n int)
	visit    func(Entry)
	refuse   error
}

func (r *roll) Begin(_ context.Context, attempt Attempt) error {
	r.seen, r.attempts = map[string]int{}, append(r.attempts, attempt)
	return nil
}

func (r *roll) Visit(e Entry) error {
	guid := e.Text("objectguid")
	if pass, twice := r.seen[guid]; twice && pass != e.Pass {
		r.again++
	} else if twice {
		return errors.New("twice")
	}
	r.seen[guid] = e.Pass
	if r.visit != nil {
		r.visit(e)
	}
	if r.each != nil {
		r.each(len(r.seen))
	}
	return r.refuse
}

// readAll reads a server as a collector does.
func readAll(ctx context.Context, s Server, each func(n int)) (guids map[string]int, err error) {
	r := &roll{each: each}
	_, err = s.Read(ctx, wanted(), r)
	return r.seen, err
}

// wantMessage asserts that an error holds a text.
func wantMessage(t *testing.T, err error, substring string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", substring)
	}
	if !strings.Contains(err.Error(), substring) {
		t.Errorf("the error is %q, want one with %q", err, substring)
	}
}

// wantQuiet asserts that a message holds neither the password nor anybody's data, and nothing
// that a terminal or a log would stumble over.
func wantQuiet(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, private := range []string{bindSecret, "wrong horse", "rivate", "@", "OU=", "CN=", "DSID", "\x00", "\n"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("the message %q tells %q", err, private)
		}
	}
}

// The three ways to a server.
func transports() map[string]fakedc.Options {
	return map[string]fakedc.Options{"LDAPS": {TLS: true}, "StartTLS": {StartTLS: true}, "clear text": {}}
}

func TestServerIsReadCompletely(t *testing.T) {
	t.Parallel()
	for name, options := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			number, pages := 300, 3
			if options.TLS {
				number, pages = 2500, 25
			}
			options.Entries = people(number)
			directory, s := serve(t, options)
			plain := !options.TLS && !options.StartTLS
			s.Insecure = plain
			read, err := readAll(context.Background(), s, nil)
			if err != nil {
				t.Fatal(err)
			}
			stats := directory.Stats()
			if len(read) != number || stats.Entries != number || stats.Pages != pages {
				t.Errorf("read %d accounts of %d sent on %d pages, want %d on %d", len(read), stats.Entries, stats.Pages, number, pages)
			}
			if stats.Connections != 1 || stats.Binds != 1 || (stats.PlaintextBinds > 0) != plain {
				t.Errorf("%d connections, %d binds, %d in clear text", stats.Connections, stats.Binds, stats.PlaintextBinds)
			}
			if stats.LastFilter != accounts {
				t.Errorf("the filter was %s", stats.LastFilter)
			}
		})
	}
}

// The number of entries is below, at and above what fills a page.
func TestServerPagesOfEverySize(t *testing.T) {
	t.Parallel()
	directory, s := serve(t, fakedc.Options{MaxPageSize: 10})
	s.Insecure = true
	for _, n := range []int{0, 1, 9, 10, 11, 20, 21} {
		if err := directory.SetEntries(people(n)); err != nil {
			t.Fatal(err)
		}
		for _, size := range []uint32{0, 1, 7, 10, 1000} {
			s.PageSize = size
			if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != n {
				t.Errorf("page size %d: read %d of %d accounts: %v", size, len(read), n, err)
			}
		}
	}
}

// What goes wrong before the first entry.
func TestServerConnectionFailures(t *testing.T) {
	t.Parallel()
	past := time.Now().AddDate(0, 0, -10)
	for name, c := range map[string]struct {
		options fakedc.Options
		change  func(t *testing.T, s *Server)
		message string
	}{
		"a wrong password": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Credentials.Password = secret("wrong horse") },
			"the server refused user name or password (LDAP result 49, data 52e: wrong password): check credentials",
		},
		"a wrong name": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Credentials.Username = "private@contoso.example" },
			"check credentials",
		},
		"an empty password": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Credentials.Password = secret("") },
			"the password is empty: check credentials",
		},
		"a password that cannot be fetched": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) {
				s.Credentials.Password = func() (string, error) { return "", errors.New("the variable CONTOSO_AD_PASSWORD is not set") }
			},
			"read the password: the variable CONTOSO_AD_PASSWORD is not set",
		},
		"an expired password": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindData: "532"}}, nil,
			"data 532: password expired): check credentials",
		},
		"a password to be changed": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindData: "773"}}, nil,
			"data 773: password must be changed): check credentials",
		},
		"a locked account": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindData: "775"}}, nil,
			"data 775: account locked): check credentials",
		},
		"a disabled account": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindData: "533"}}, nil,
			"data 533: account disabled): check credentials",
		},
		"an encrypted connection is demanded": {
			fakedc.Options{Faults: fakedc.Faults{BindCode: ldap.LDAPResultStrongAuthRequired}}, func(_ *testing.T, s *Server) { s.Insecure = true },
			"use ldaps:// or start_tls: true",
		},
		"too busy to bind": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindCode: ldap.LDAPResultBusy}}, nil,
			"the server is busy or unavailable (LDAP result 51): try again later",
		},
		"another refusal to bind": {
			fakedc.Options{TLS: true, Faults: fakedc.Faults{BindCode: ldap.LDAPResultUnwillingToPerform}}, nil,
			"the server refused the bind: check credentials: LDAP result 53",
		},
		"no CA": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.CAFile = "" },
			"the server's certificate is not trusted (ca_file: none): name the CA that signed it in ca_file",
		},
		"no CA, StartTLS": {
			fakedc.Options{StartTLS: true}, func(_ *testing.T, s *Server) { s.CAFile = "" },
			"the server's certificate is not trusted (ca_file: none): name the CA that signed it in ca_file",
		},
		"another CA": {
			fakedc.Options{TLS: true}, anotherCA,
			"name the CA that signed it in ca_file",
		},
		"another CA, StartTLS": {
			fakedc.Options{StartTLS: true}, anotherCA,
			"name the CA that signed it in ca_file",
		},
		"a missing CA file": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.CAFile = "missing.pem" },
			"read ca_file: open missing.pem",
		},
		"a CA file without a certificate": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.CAFile = "doc.go" },
			"ca_file doc.go holds no PEM certificate",
		},
		"another name in the certificate": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.ServerName = "dc1.contoso.example" },
			"set server_name to the name in the certificate",
		},
		"another name, StartTLS": {
			fakedc.Options{StartTLS: true}, func(_ *testing.T, s *Server) { s.ServerName = "dc1.contoso.example" },
			"set server_name to the name in the certificate",
		},
		"an expired certificate": {
			fakedc.Options{TLS: true, NotBefore: past, NotAfter: past.AddDate(0, 0, 1)}, nil,
			"the server's certificate is not valid: renew it",
		},
		"an expired certificate, StartTLS": {
			fakedc.Options{StartTLS: true, NotBefore: past, NotAfter: past.AddDate(0, 0, 1)}, nil,
			"the server's certificate is not valid: renew it",
		},
		"StartTLS where there is none": {
			fakedc.Options{}, func(_ *testing.T, s *Server) { s.StartTLS = true },
			"the server does not encrypt the connection (LDAP result 52): give it a certificate, or use ldaps://",
		},
		"an old version of TLS": {
			fakedc.Options{TLS: true, MaxTLS: tls.VersionTLS12}, func(_ *testing.T, s *Server) { s.MinTLS = tls.VersionTLS13 },
			"does it speak TLS 1.3",
		},
		"LDAPS on a plain port": {
			fakedc.Options{}, func(_ *testing.T, s *Server) { s.URLs[0] = strings.Replace(s.URLs[0], "ldap:", "ldaps:", 1) },
			"encrypt the connection: ",
		},
		"plain LDAP on a TLS port": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) {
				s.URLs[0], s.StartTLS = strings.Replace(s.URLs[0], "ldaps:", "ldap:", 1), true
			},
			"ask for encryption: ",
		},
		"clear text that nobody permitted": {
			fakedc.Options{}, nil,
			"a bind in clear text is refused: use ldaps://, start_tls: true or, if it must be, insecure: true",
		},
		"a base that does not exist": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Bases[0] = "OU=Private,DC=contoso,DC=example" },
			"base_dn does not exist on this server (LDAP result 32): check it",
		},
		"a base in another domain": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Bases[0] = "DC=private,DC=example" },
			"base_dn lies in another domain (LDAP result 10)",
		},
		"a base that is no DN": {
			fakedc.Options{TLS: true}, func(_ *testing.T, s *Server) { s.Bases[0] = "private" },
			"base_dn is no distinguished name to this server (LDAP result 34): check it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Entries = people(3)
			directory, s := serve(t, c.options)
			if c.change != nil {
				c.change(t, &s)
			}
			read, err := readAll(context.Background(), s, nil)
			wantMessage(t, err, c.message)
			wantQuiet(t, err)
			if len(read) > 0 {
				t.Errorf("%d accounts were read", len(read))
			}
			if stats := directory.Stats(); stats.PlaintextBinds > 0 && !s.Insecure {
				t.Errorf("the server saw %d binds in clear text", stats.PlaintextBinds)
			}
		})
	}
}

func anotherCA(t *testing.T, s *Server) {
	t.Helper()
	other, _ := serve(t, fakedc.Options{TLS: true})
	s.CAFile = caFile(t, other)
}

func TestServerNameOfTheCertificateMayBeGiven(t *testing.T) {
	t.Parallel()
	_, s := serve(t, fakedc.Options{TLS: true, Entries: people(1)})
	s.ServerName = "localhost"
	if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != 1 {
		t.Errorf("read %d accounts: %v", len(read), err)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	directory, s := serve(t, fakedc.Options{TLS: true})
	directory.Close()
	_, err := readAll(context.Background(), s, nil)
	wantMessage(t, err, "refused the connection: is the controller running, and is the port right?")
	wantQuiet(t, err)
	err = explainDial("dc1.contoso.example", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "dc1.contoso.example", IsNotFound: true}})
	wantMessage(t, err, "dc1.contoso.example is not found in DNS: check url and the name servers")
	err = explainDial("dc1.contoso.example", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})
	wantMessage(t, err, "dc1.contoso.example cannot be reached: check network, firewall and url")
}

// A server that accepts connections and says nothing at all.
func TestServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *Server){
		"LDAPS":      func(*Server) {},
		"StartTLS":   func(s *Server) { s.URLs[0], s.StartTLS = strings.Replace(s.URLs[0], "ldaps:", "ldap:", 1), true },
		"clear text": func(s *Server) { s.URLs[0], s.Insecure = strings.Replace(s.URLs[0], "ldaps:", "ldap:", 1), true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var config net.ListenConfig
			listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			s := Server{
				URLs: []string{"ldaps://" + listener.Addr().String()}, Bases: []string{baseDN}, Pause: noPause,
				Credentials: Credentials{Username: bindName, Password: secret(bindSecret)}, Timeout: 200 * time.Millisecond,
			}
			change(&s)
			_, err = readAll(context.Background(), s, nil)
			wantMessage(t, err, "the server sent nothing for 200ms; check the network and the server, or raise the collector's timeout")
			wantQuiet(t, err)
			s.Timeout = time.Minute
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			if _, err := readAll(ctx, s, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a run that is stopped says %v", err)
			}
		})
	}
}

// What goes wrong while a directory is read: a part of it is never taken for the whole.
func TestServerReadFailures(t *testing.T) {
	t.Parallel()
	const short = 2 * time.Second
	for name, c := range map[string]struct {
		faults  fakedc.Faults
		timeout time.Duration
		read    int // accounts delivered before; -1 if that is a matter of chance
		message string
	}{
		"closed in the middle of a page": {fakedc.Faults{CloseAfterEntries: 150}, 0, -1, "page 2: the connection broke while the server was answering; nothing of this read counts, run again"},
		"closed at the end of a page":    {fakedc.Faults{CloseAfterEntries: 100}, 0, -1, "page 1: the connection broke"},
		"closed after the last entry":    {fakedc.Faults{CloseAfterEntries: 300}, 0, -1, "page 3: the connection broke"},
		"closed after the first entry":   {fakedc.Faults{CloseAfterEntries: 1}, 0, -1, "page 1: the connection broke"},
		"stalled in the middle of a page": {
			fakedc.Faults{StallAfterEntries: 150}, short, 150,
			"page 2: the server sent nothing for 2s; check the network and the server, or raise the collector's timeout",
		},
		"stalled after the last entry":   {fakedc.Faults{StallAfterEntries: 300}, short, 300, "page 3: the server sent nothing for 2s"},
		"stalled between pages":          {fakedc.Faults{StallOnPage: 2}, short, 100, "page 2: the server sent nothing for 2s"},
		"stalled before the first page":  {fakedc.Faults{StallOnPage: 1}, short, 0, "page 1: the server sent nothing for 2s"},
		"a page without paging control":  {fakedc.Faults{NoControlOnPage: 2}, 0, 200, "page 2: the server ended the page without saying that it was complete; nothing of this read counts"},
		"the only sign of more is lost":  {fakedc.Faults{NoControlOnPage: 1}, 0, 100, "page 1: the server ended the page without saying that it was complete"},
		"the last page is not confirmed": {fakedc.Faults{NoControlOnPage: 3}, 0, 300, "page 3: the server ended the page without saying that it was complete"},
		"busy on the first page":         {fakedc.Faults{FailPage: 1}, 0, 0, "page 1: the server is busy or unavailable (LDAP result 51): try again later"},
		"busy on the second page":        {fakedc.Faults{FailPage: 2}, 0, 100, "page 2: the server is busy or unavailable (LDAP result 51): try again later"},
		"unavailable on the second page": {fakedc.Faults{FailPage: 2, FailCode: ldap.LDAPResultUnavailable}, 0, 100, "page 2: the server is busy or unavailable (LDAP result 52)"},
		"no right to read":               {fakedc.Faults{FailPage: 2, FailCode: ldap.LDAPResultInsufficientAccessRights}, 0, 100, "(LDAP result 50): give it read access"},
		"the server's size limit":        {fakedc.Faults{FailPage: 2, FailCode: ldap.LDAPResultSizeLimitExceeded}, 0, 100, "(LDAP result 4): lower page_size"},
		"the server's time limit":        {fakedc.Faults{FailPage: 2, FailCode: ldap.LDAPResultTimeLimitExceeded}, 0, 100, "(LDAP result 3): lower page_size"},
		"another refusal":                {fakedc.Faults{FailPage: 2, FailCode: ldap.LDAPResultOther}, 0, 100, "page 2: the server refused the search: LDAP result 80"},
		"a cookie rejected":              {fakedc.Faults{RejectCookieOnPage: 2}, 0, 100, "page 2: the server dropped the search between two pages"},
		"a cookie rejected on page 3":    {fakedc.Faults{RejectCookieOnPage: 3, RejectCookieCode: ldap.LDAPResultOperationsError}, 0, 200, "page 3: the server dropped the search between two pages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := serve(t, fakedc.Options{TLS: true, Entries: people(300), Faults: c.faults})
			if c.timeout > 0 {
				s.Timeout = c.timeout
			}
			read, err := readAll(context.Background(), s, nil)
			wantMessage(t, err, c.message)
			wantQuiet(t, err)
			if c.read >= 0 && len(read) != c.read {
				t.Errorf("%d accounts were delivered, want %d", len(read), c.read)
			}
		})
	}
}

func TestServerFaultsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults fakedc.Faults
		change func(s *Server)
	}{
		"references to other domains are ignored": {faults: fakedc.Faults{References: []string{"ldap://forest.contoso.example/DC=forest,DC=contoso,DC=example"}}},
		"a part of an attribute nobody asked for": {faults: fakedc.Faults{RangedAttribute: "memberOf"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := serve(t, fakedc.Options{TLS: true, Entries: people(300), Faults: c.faults})
			if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != 300 {
				t.Errorf("read %d accounts: %v", len(read), err)
			}
		})
	}
}

func TestServerReadStopsWhenTheRunStops(t *testing.T) {
	t.Parallel()
	for name, options := range transports() {
		moments := []int{150}
		if options.TLS {
			moments = []int{1, 50, 100, 150, 300}
		}
		for _, at := range moments {
			t.Run(fmt.Sprintf("%s, at %d", name, at), func(t *testing.T) {
				t.Parallel()
				options := options // each has its own
				options.Entries = people(300)
				_, s := serve(t, options)
				s.Insecure = true
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				_, err := readAll(ctx, s, func(n int) {
					if n == at {
						cancel()
					}
				})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				wantMessage(t, err, "the read was stopped")
				wantQuiet(t, err)
			})
		}
	}
}

func TestServerDeadlineOfTheRun(t *testing.T) {
	t.Parallel()
	_, s := serve(t, fakedc.Options{TLS: true, Entries: people(300), Faults: fakedc.Faults{StallOnPage: 2}})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := readAll(ctx, s, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// The timeout is for the server: whoever takes long over an entry loses nothing, although the
// server has long sent the others.
func TestServerWaitsForASlowConsumer(t *testing.T) {
	t.Parallel()
	_, s := serve(t, fakedc.Options{TLS: true, Entries: people(300)})
	s.Timeout = time.Second
	read, err := readAll(context.Background(), s, func(n int) {
		if n == 1 || n == 150 || n == 300 {
			time.Sleep(s.Timeout * 3 / 2)
		}
	})
	if err != nil || len(read) != 300 {
		t.Errorf("read %d accounts: %v", len(read), err)
	}
}

// A visitor that refuses an entry ends the read at once, however much the server has sent.
func TestServerReadEndsWithTheVisitor(t *testing.T) {
	t.Parallel()
	_, s := serve(t, fakedc.Options{TLS: true, Entries: people(1000)})
	s.PageSize = 1000
	r := &roll{refuse: errors.New("the disk is full")}
	if _, err := s.Read(context.Background(), wanted(), r); !errors.Is(err, r.refuse) || len(r.seen) != 1 || len(r.attempts) != 1 {
		t.Errorf("got %v after %d entries and %d attempts", err, len(r.seen), len(r.attempts))
	}
}
