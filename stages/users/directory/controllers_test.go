package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/net/dns/dnsmessage"

	"rollcall/stages/users/fakedc"
)

// forest starts domain controllers that one CA vouches for, each with the same people, and tells
// how to read the first that can be used.
func forest(t *testing.T, options ...fakedc.Options) ([]*fakedc.Server, Server) {
	t.Helper()
	authority, err := fakedc.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	var controllers []*fakedc.Server
	s := Server{
		Bases: []string{baseDN}, CAFile: ca, PageSize: 100, Timeout: 30 * time.Second, Pause: noPause,
		Credentials: Credentials{Username: bindName, Password: secret(bindSecret)},
	}
	for _, o := range options {
		o.BindDN, o.Password, o.NamingContext, o.CA, o.TLS = bindName, bindSecret, baseDN, authority, !o.StartTLS
		if o.Entries == nil {
			o.Entries = people(300)
		}
		dc, err := fakedc.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(dc.Close)
		controllers = append(controllers, dc)
		s.URLs = append(s.URLs, dc.URL())
	}
	return controllers, s
}

// A controller that cannot be used gives way to the next before the read begins.
func TestReadFailsOver(t *testing.T) {
	t.Parallel()
	past := time.Now().AddDate(0, 0, -10)
	for name, c := range map[string]struct {
		first   fakedc.Options
		change  func(first *fakedc.Server, s *Server)
		message string
	}{
		"switched off":           {change: func(first *fakedc.Server, _ *Server) { first.Close() }, message: "refused the connection"},
		"an expired certificate": {first: fakedc.Options{NotBefore: past, NotAfter: past.AddDate(0, 0, 1)}, message: "the server's certificate is not valid: renew it"},
		"silent in TLS": {
			first: fakedc.Options{Faults: fakedc.Faults{StallTLS: true}}, change: func(_ *fakedc.Server, s *Server) { s.Timeout = time.Second },
			message: "the server sent nothing for 1s",
		},
		"silent at the bind": {
			first: fakedc.Options{Faults: fakedc.Faults{StallBind: true}}, change: func(_ *fakedc.Server, s *Server) { s.Timeout = time.Second },
			message: "the server sent nothing for 1s",
		},
		"too busy to bind":               {first: fakedc.Options{Faults: fakedc.Faults{BindCode: ldap.LDAPResultBusy}}, message: "(LDAP result 51)"},
		"still receiving its first copy": {first: fakedc.Options{Unsynchronized: true}, message: "isSynchronized is FALSE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			controllers, s := forest(t, c.first, fakedc.Options{})
			if c.change != nil {
				c.change(controllers[0], &s)
			}
			r := &roll{}
			reading, err := s.Read(context.Background(), wanted(), r)
			if err != nil || len(r.seen) != 300 {
				t.Fatalf("read %d accounts: %v", len(r.seen), err)
			}
			if reading.Pinned.address() != controllers[1].Addr() || len(reading.Failed) != 1 || reading.Failed[0].Controller.address() != controllers[0].Addr() {
				t.Errorf("the reading is %+v", reading)
			}
			wantMessage(t, reading.Failed[0].Err, c.message)
			if stats := controllers[0].Stats(); stats.Searches > 0 {
				t.Errorf("the first controller answered %d searches", stats.Searches)
			}
			if len(r.attempts) != 1 {
				t.Errorf("%d attempts", len(r.attempts))
			}
		})
	}
}

// A wrong password tried at every controller would lock the account.
func TestRefusedCredentialsAreTriedOnce(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{}, fakedc.Options{})
	s.Credentials.Password = secret("wrong horse")
	_, err := readAll(context.Background(), s, nil)
	wantMessage(t, err, "data 52e: wrong password): check credentials")
	if first, second := controllers[0].Stats(), controllers[1].Stats(); first.BindsRefused != 1 || second.Connections != 0 {
		t.Errorf("%d binds at the first, %d connections to the second", first.BindsRefused, second.Connections)
	}
}

func TestNoControllerCanBeUsed(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{}, fakedc.Options{Unsynchronized: true})
	controllers[0].Close()
	r := &roll{}
	_, err := s.Read(context.Background(), wanted(), r)
	wantMessage(t, err, "none of the 2 domain controllers can be read: 127.0.0.1:")
	wantMessage(t, err, "refused the connection: is the controller running, and is the port right?; 127.0.0.1:")
	wantMessage(t, err, "isSynchronized is FALSE")
	wantQuiet(t, err)
	if len(r.attempts) != 0 {
		t.Errorf("%d attempts", len(r.attempts))
	}
}

// Once begun, a read begins again from its first page or fails.
func TestReadBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first    fakedc.Faults
		attempts int
		pinned   int // which controller was read in the end
		before   string
	}{
		"a cookie rejected":             {fakedc.Faults{RejectCookieOnPage: 3, Times: 1}, 2, 0, "dropped the search between two pages"},
		"a cookie rejected by Windows":  {fakedc.Faults{RejectCookieOnPage: 2, RejectCookieCode: 12, Times: 1}, 2, 0, "dropped the search between two pages"},
		"a cookie rejected by OpenLDAP": {fakedc.Faults{RejectCookieOnPage: 2, RejectCookieCode: 2, Times: 1}, 2, 0, "dropped the search between two pages"},
		"a cookie rejected twice":       {fakedc.Faults{RejectCookieOnPage: 2, Times: 2}, 3, 0, "dropped the search between two pages"},
		"busy on the second page":       {fakedc.Faults{FailPage: 2, Times: 1}, 2, 0, "busy or unavailable (LDAP result 51)"},
		"busy all the time":             {fakedc.Faults{FailPage: 2}, 3, 1, "busy or unavailable (LDAP result 51)"},
		"unavailable on the first page": {fakedc.Faults{FailPage: 1, FailCode: ldap.LDAPResultUnavailable}, 2, 1, "busy or unavailable (LDAP result 52)"},
		"closed in the middle":          {fakedc.Faults{CloseAfterEntries: 150}, 2, 1, "the connection broke"},
		"closed between pages":          {fakedc.Faults{CloseOnPage: 3}, 2, 1, "the connection broke"},
		"stalled in the middle":         {fakedc.Faults{StallAfterEntries: 150}, 2, 1, "the server sent nothing for 1s"},
		"no sign of completeness":       {fakedc.Faults{NoControlOnPage: 3}, 2, 1, "without saying that it was complete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			controllers, s := forest(t, fakedc.Options{Faults: c.first}, fakedc.Options{})
			if strings.Contains(name, "stalled") {
				s.Timeout = time.Second
			}
			var mu sync.Mutex
			var pauses []time.Duration
			s.Pause = func(_ context.Context, d time.Duration) error {
				mu.Lock()
				defer mu.Unlock()
				pauses = append(pauses, d)
				return nil
			}
			r := &roll{}
			reading, err := s.Read(context.Background(), wanted(), r)
			if err != nil || len(r.seen) != 300 {
				t.Fatalf("read %d accounts: %v", len(r.seen), err)
			}
			if len(r.attempts) != c.attempts || reading.Pinned.address() != controllers[c.pinned].Addr() {
				t.Errorf("%d attempts, and %s was read", len(r.attempts), reading.Pinned.Name())
			}
			wantMessage(t, r.attempts[1].Before, c.before)
			if want := []time.Duration{2 * time.Second, 8 * time.Second}[:c.attempts-1]; !reflect.DeepEqual(pauses, want) {
				t.Errorf("paused for %v, want %v", pauses, want)
			}
		})
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{Faults: fakedc.Faults{FailPage: 2}})
	r := &roll{}
	_, err := s.Read(context.Background(), wanted(), r)
	wantMessage(t, err, "page 2: the server is busy or unavailable (LDAP result 51): try again later (begun 3 times, every time from the first page)")
	if len(r.attempts) != attempts || controllers[0].Stats().Binds != attempts {
		t.Errorf("%d attempts, %d binds", len(r.attempts), controllers[0].Stats().Binds)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.Pause = func(context.Context, time.Duration) error { cancel(); return pause(ctx, time.Hour) }
	if _, err := s.Read(ctx, wanted(), &roll{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is stopped in a pause says %v", err)
	}
}

// What is not replicated is asked of every other controller; one that is silent is told of.
func TestOthersAreAsked(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{}, fakedc.Options{Entries: people(120)}, fakedc.Options{}, fakedc.Options{Faults: fakedc.Faults{CloseAfterEntries: 50}})
	controllers[2].Close()
	reading, err := s.Read(context.Background(), wanted(), &roll{})
	if err != nil || len(reading.Others) != 3 {
		t.Fatalf("the reading is %+v: %v", reading, err)
	}
	seen := 0
	silent, err := s.ReadOthers(context.Background(), reading.Others, wanted(), func(Entry) error { seen++; return nil })
	if err != nil || len(silent) != 2 || silent[0].Controller != reading.Others[1] || silent[1].Controller != reading.Others[2] {
		t.Fatalf("silent are %+v: %v", silent, err)
	}
	if seen < 120 || seen > 170 {
		t.Errorf("%d entries came", seen)
	}
	wantMessage(t, silent[0].Err, "refused the connection")
	wantMessage(t, silent[1].Err, "the connection broke")
	full := errors.New("the disk is full")
	if _, err := s.ReadOthers(context.Background(), reading.Others, wanted(), func(Entry) error { return full }); !errors.Is(err, full) {
		t.Errorf("a visitor's error became %v", err)
	}
	answers := s.Probe(context.Background(), reading.Others)
	if answers[0].Err != nil || answers[0].Domain.CertificateExpires.IsZero() || answers[1].Err == nil || answers[2].Err != nil {
		t.Errorf("the answers are %+v", answers)
	}
}

func TestDomainIsLookedUp(t *testing.T) {
	t.Parallel()
	const all, near = "_ldap._tcp.dc._msdcs.contoso.example.", "_ldap._tcp.London._sites.dc._msdcs.contoso.example."
	records := map[string][]dnsmessage.SRVResource{
		all:  {service("dc1.contoso.example", 389, 0), service("dc2.contoso.example", 389, 10), service("DC3.contoso.example", 3890, 20)},
		near: {service("dc3.contoso.example", 3890, 0)},
	}
	for name, c := range map[string]struct {
		server Server
		zone   zone
		want   []string
		err    string
	}{
		"in the order of the records": {Server{Domain: "contoso.example"}, zone{srv: records}, []string{"dc1.contoso.example", "dc2.contoso.example", "DC3.contoso.example"}, ""},
		"the site's first":            {Server{Domain: "contoso.example", Site: "London"}, zone{srv: records}, []string{"dc3.contoso.example", "dc1.contoso.example", "dc2.contoso.example"}, ""},
		"a site without controllers":  {Server{Domain: "contoso.example", Site: "Paris"}, zone{srv: records}, []string{"dc1.contoso.example", "dc2.contoso.example", "DC3.contoso.example"}, ""},
		"StartTLS at the port told":   {Server{Domain: "contoso.example", Site: "London", StartTLS: true}, zone{srv: records}, []string{"dc3.contoso.example:3890", "dc1.contoso.example", "dc2.contoso.example"}, ""},
		"no such domain":              {Server{Domain: "fabrikam.example"}, zone{srv: records}, nil, "DNS lists no domain controller for fabrikam.example: check domain and the name servers"},
		"no name server":              {Server{Domain: "contoso.example"}, zone{broken: true}, nil, "the domain controllers of contoso.example cannot be looked up: check the name servers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.server
			s.Resolver = resolver(t, c.zone)
			controllers, err := s.withDefaults().locate(t.Context())
			if c.err != "" {
				wantMessage(t, err, c.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, controller := range controllers {
				got = append(got, controller.Name())
				if controller.ldaps == s.StartTLS {
					t.Errorf("%+v", controller)
				}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The whole way: names and ports from DNS, certificates with these names, failover.
func TestDomainIsRead(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{StartTLS: true, HostName: "dc1.contoso.example"}, fakedc.Options{StartTLS: true, HostName: "dc2.contoso.example"})
	var records []dnsmessage.SRVResource
	for i, dc := range controllers {
		_, port, err := net.SplitHostPort(dc.Addr())
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, service(fmt.Sprintf("dc%d.contoso.example", i+1), n, i))
	}
	s.URLs, s.Domain, s.StartTLS = nil, "contoso.example", true
	s.Resolver = resolver(t, zone{
		srv:     map[string][]dnsmessage.SRVResource{"_ldap._tcp.dc._msdcs.contoso.example.": records},
		address: map[string][4]byte{"dc1.contoso.example.": {127, 0, 0, 1}, "dc2.contoso.example.": {127, 0, 0, 1}},
	})
	for _, pinned := range []string{"dc1.contoso.example", "dc2.contoso.example"} {
		r := &roll{}
		reading, err := s.Read(context.Background(), wanted(), r)
		if err != nil || len(r.seen) != 300 || reading.Pinned.host != pinned {
			t.Fatalf("read %d accounts of %+v: %v", len(r.seen), reading, err)
		}
		controllers[0].Close()
	}
}

// An account that moves while several bases are read is neither missed nor delivered as two.
func TestAccountsThatMoveMeanwhile(t *testing.T) {
	t.Parallel()
	at := func(i int, ou string, usn int) fakedc.Entry {
		e := people(i + 1)[i]
		e.DN = fmt.Sprintf("CN=Private %05d,OU=%s,%s", i, ou, baseDN)
		e.Attributes["uSNChanged"] = [][]byte{[]byte(strconv.Itoa(usn))}
		return e
	}
	var before, after []fakedc.Entry
	for i := range 200 {
		ou := map[bool]string{true: "First", false: "Second"}[i < 100]
		before = append(before, at(i, ou, 1000+i))
		switch i {
		case 0: // already delivered, and to come again
			after = append(after, at(i, "Second", 2000))
		case 150: // not delivered yet, and moving to where has been looked
			after = append(after, at(i, "First", 2001))
		default:
			after = append(after, before[i])
		}
	}
	controllers, s := forest(t, fakedc.Options{Entries: before})
	s.Bases = []string{"OU=First," + baseDN, "OU=Second," + baseDN}
	r := &roll{each: func(n int) {
		if n == 100 {
			if err := controllers[0].SetEntries(after); err != nil {
				t.Error(err)
			}
		}
	}}
	if _, err := s.Read(context.Background(), wanted(), r); err != nil || len(r.seen) != 200 {
		t.Fatalf("read %d accounts: %v", len(r.seen), err)
	}
	if r.again < 1 {
		t.Error("no account came again: the test does not test")
	}
}

func TestGateBoundsConnections(t *testing.T) {
	t.Parallel()
	gate := NewGate(2)
	var leaves []func()
	for range 2 {
		leave, err := gate.enter(t.Context(), "dc1:636")
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	if leave, err := gate.enter(t.Context(), "dc2:636"); err != nil {
		t.Errorf("another controller has its own places: %v", err)
	} else {
		leave()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := gate.enter(ctx, "dc1:636"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third connection: %v", err)
	}
	leaves[0]()
	leaves[0]() // leaving twice frees one place only
	leave, err := gate.enter(t.Context(), "dc1:636")
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := gate.enter(ctx, "dc1:636"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a place was freed twice: %v", err)
	}
}

// Reads that share a gate of one wait for each other and all end; each leaves its place, whatever
// becomes of it.
func TestReadsShareAGate(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{Faults: fakedc.Faults{CloseAfterEntries: 150, Times: 2}}, fakedc.Options{})
	s.Gate = NewGate(1)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			r := &roll{}
			reading, err := s.Read(context.Background(), wanted(), r)
			if err != nil || len(r.seen) != 300 {
				t.Errorf("read %d accounts: %v", len(r.seen), err)
			}
			if _, err := s.ReadOthers(context.Background(), reading.Others, wanted(), func(Entry) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if controllers[0].Stats().Connections < 4 {
		t.Errorf("%d connections", controllers[0].Stats().Connections)
	}
}

func TestRateIsKept(t *testing.T) {
	t.Parallel()
	_, s := forest(t, fakedc.Options{})
	var rested time.Duration
	s.MaxRate = 100
	s.Pause = func(_ context.Context, d time.Duration) error { rested += d; return nil }
	if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != 300 {
		t.Fatalf("read %d accounts: %v", len(read), err)
	}
	// Two pauses between three pages of a second each, less what the pages took.
	if rested < time.Second || rested > 2*time.Second {
		t.Errorf("rested for %s", rested)
	}
}

// A read that is dropped by a controller that restarts goes on trying, although it is refused
// meanwhile; and no controller comes from nowhere.
func TestSingleControllerThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{Faults: fakedc.Faults{StallBind: true, Times: 1}})
	s.Timeout = time.Second
	reading, err := s.Read(context.Background(), wanted(), &roll{})
	if err != nil || len(reading.Others) != 0 {
		t.Errorf("the others are %+v: %v", reading.Others, err)
	}
	controllers[0].SetFaults(fakedc.Faults{StallBind: true})
	r := &roll{}
	_, err = s.Read(context.Background(), wanted(), r)
	wantMessage(t, err, "the server sent nothing for 1s; check the network and the server, or raise the collector's timeout (begun 3 times")

	controllers, s = forest(t, fakedc.Options{Faults: fakedc.Faults{CloseAfterEntries: 150}})
	options := fakedc.Options{BindDN: bindName, Password: bindSecret, NamingContext: baseDN, TLS: true, Entries: people(300), Addr: controllers[0].Addr()}
	var again *fakedc.Server
	pauses := 0
	s.Pause = func(context.Context, time.Duration) error {
		if pauses++; pauses == 1 {
			controllers[0].Close()
			return nil
		}
		var err error
		if again, err = fakedc.Start(options); err != nil { //nolint:contextcheck // the server outlives the call
			return err
		}
		t.Cleanup(again.Close)
		return os.WriteFile(s.CAFile, again.CAPEM(), 0o600)
	}
	r = &roll{}
	if _, err := s.Read(context.Background(), wanted(), r); err != nil || len(r.seen) != 300 || pauses != 2 {
		t.Errorf("read %d accounts after %d pauses: %v", len(r.seen), pauses, err)
	}
}

// Collectors that share an account try a wrong password once between them, also at other
// controllers; another password is another matter.
func TestRefusedCredentialsAreTriedOnceByAll(t *testing.T) {
	t.Parallel()
	controllers, s := forest(t, fakedc.Options{}, fakedc.Options{})
	s.Gate = NewGate(2)
	right := s.Credentials.Password
	s.Credentials.Password = secret("wrong horse")
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			own := s
			own.URLs = []string{s.URLs[i%2]}
			_, err := readAll(context.Background(), own, nil)
			if err == nil || !strings.Contains(err.Error(), "data 52e: wrong password): check credentials") {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if n := controllers[0].Stats().BindsRefused + controllers[1].Stats().BindsRefused; n != 1 {
		t.Errorf("the password was tried %d times", n)
	}
	s.Credentials.Password = right
	if read, err := readAll(context.Background(), s, nil); err != nil || len(read) != 300 {
		t.Errorf("with the right password: read %d accounts: %v", len(read), err)
	}
}

// DNS is easily forged. Where any public CA is trusted, only hosts of the domain itself are.
func TestHostsOutsideOfTheDomain(t *testing.T) {
	t.Parallel()
	s := Server{Domain: "contoso.example", Resolver: resolver(t, zone{srv: map[string][]dnsmessage.SRVResource{
		"_ldap._tcp.dc._msdcs.contoso.example.": {service("dc1.evil.example", 389, 0), service("dc1.contoso.example.evil", 389, 1)},
	}})}
	_, err := s.withDefaults().locate(t.Context())
	wantMessage(t, err, "DNS lists only controllers outside of contoso.example: name the CA that signs their certificates in ca_file")
	s.CAFile = "ca.pem"
	if controllers, err := s.withDefaults().locate(t.Context()); err != nil || len(controllers) != 2 {
		t.Errorf("with a CA of its own: %v, %v", controllers, err)
	}
}

// A rate bounds the page too, so that no connection rests for long.
func TestRateBoundsThePage(t *testing.T) {
	t.Parallel()
	for rate, want := range map[int]uint32{0: 1000, 1: 10, 50: 500, 5000: 1000} {
		if got := (Server{PageSize: 1000, MaxRate: rate}).pageSize(); got != want {
			t.Errorf("at %d a second the page has %d entries, want %d", rate, got, want)
		}
	}
}
