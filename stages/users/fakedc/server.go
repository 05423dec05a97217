package fakedc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

const (
	defaultNamingContext = "DC=example,DC=com"
	defaultMaxPageSize   = 1000
	defaultAddr          = "127.0.0.1:0"
)

// Options says what a Server serves.
type Options struct {
	// Entries are the objects of the directory; see SetEntries. May be nil.
	Entries []Entry
	// BindDN is the name that may bind, in whatever form the client uses: a DN, a
	// user principal name or DOMAIN\name. Compared without regard to case.
	// Required.
	BindDN string
	// Password goes with BindDN. Required, because a bind without a password is
	// an anonymous one.
	Password string
	// TLS makes the listener speak LDAPS. It excludes StartTLS.
	TLS bool
	// StartTLS makes the listener plain LDAP that can be upgraded. The server
	// still lets clients bind without upgrading; Stats.PlaintextBinds tells.
	StartTLS bool
	// CA signs the server's certificate. Nil means an authority of the server's
	// own. It plays no part without TLS and StartTLS.
	CA *Authority
	// ClientCert makes the server ask for a client certificate during the TLS
	// handshake, which it verifies if one is given, and lets those who gave one
	// bind by SASL EXTERNAL. It needs TLS or StartTLS.
	ClientCert bool
	// CertBinds does with a client certificate given over LDAPS what MS-ADTS
	// 5.1.1.2 says: it binds the connection at once, and EXTERNAL is refused there.
	// Over StartTLS nothing changes. It needs ClientCert.
	CertBinds bool
	// NTLM lets BindDN bind by NTLM too, with what is its account name, as
	// user@domain or DOMAIN\name. That of a DN is the value of its first part.
	NTLM bool
	// Addr is the address to listen on. Empty means a free port of 127.0.0.1. The
	// Addr of a server that was closed lets another take its place.
	Addr string
	// HostName is the DNS name of the server, in its rootDSE and its certificate.
	// Empty means dc01 in the domain of the naming context.
	HostName string
	// NamingContext is the DN at the top of the directory. Empty means
	// "DC=example,DC=com".
	NamingContext string
	// MaxPageSize is the largest number of entries in one answer. Zero means
	// 1,000, the default of Active Directory.
	MaxPageSize int
	// MaxTLS is the highest version of TLS that the server speaks. Zero means the latest.
	MaxTLS uint16
	// Unsynchronized is what a new domain controller is that has not received all of the
	// directory yet, and says in its rootDSE.
	Unsynchronized bool
	// MaxValRange is the largest number of values of one attribute in one answer,
	// 1,500 in an Active Directory that nobody has tuned. Clients get the others by
	// range retrieval. Zero means that all values are sent and that requests for a
	// range are not understood.
	MaxValRange int
	// Now is the clock for the certificate's validity and the rootDSE's
	// currentTime. Nil means time.Now.
	Now func() time.Time
	// NotBefore is when the server's certificate becomes valid. Zero means an
	// hour before Now.
	NotBefore time.Time
	// NotAfter is when the server's certificate expires. Zero means 30 days after
	// Now.
	NotAfter time.Time
	// Faults to start with; the zero value is none.
	Faults Faults
}

// Server is a running directory server. Its methods are safe for concurrent use.
type Server struct {
	options  Options
	context  *ldap.DN
	listener net.Listener
	// tls and authority are nil without TLS and StartTLS.
	tls       *tls.Config
	authority *Authority

	closing chan struct{}
	running sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	open      map[net.Conn]bool
	directory *directory
	faults    Faults
	struck    [faultKinds]int
	stats     Stats
}

// Start checks the options and begins to serve. The caller must Close the server.
// It fails if the options contradict themselves, if an entry is unusable (see
// SetEntries), if no certificate could be made or if the port could not be
// opened.
func Start(opts Options) (*Server, error) {
	if opts.BindDN == "" || opts.Password == "" {
		return nil, errors.New("check options: BindDN and Password are required")
	}
	if opts.TLS && opts.StartTLS {
		return nil, errors.New("check options: TLS and StartTLS exclude each other")
	}
	if opts.ClientCert && !opts.TLS && !opts.StartTLS {
		return nil, errors.New("check options: ClientCert needs TLS or StartTLS")
	}
	if opts.CertBinds && !opts.ClientCert {
		return nil, errors.New("check options: CertBinds needs ClientCert")
	}
	if opts.MaxPageSize < 0 {
		return nil, fmt.Errorf("check options: MaxPageSize is %d", opts.MaxPageSize)
	}
	if opts.MaxValRange < 0 {
		return nil, fmt.Errorf("check options: MaxValRange is %d", opts.MaxValRange)
	}
	if opts.MaxPageSize == 0 {
		opts.MaxPageSize = defaultMaxPageSize
	}
	if opts.Addr == "" {
		opts.Addr = defaultAddr
	}
	if opts.NamingContext == "" {
		opts.NamingContext = defaultNamingContext
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}

	naming, err := ldap.ParseDN(opts.NamingContext)
	if err != nil {
		return nil, fmt.Errorf("parse the naming context %q: %w", opts.NamingContext, err)
	}
	if len(naming.RDNs) == 0 {
		return nil, fmt.Errorf("check options: naming context %q is empty", opts.NamingContext)
	}
	if opts.HostName == "" {
		opts.HostName = "dc01"
		if domain := domainOf(naming); domain != "" {
			opts.HostName += "." + domain
		}
	}
	s := &Server{
		options: opts,
		context: naming,
		closing: make(chan struct{}),
		open:    make(map[net.Conn]bool),
		faults:  opts.Faults,
	}
	if err := s.SetEntries(opts.Entries); err != nil {
		return nil, err
	}
	if opts.TLS || opts.StartTLS {
		leaf, authority, err := newCertificate(opts)
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		s.tls, s.authority = newTLS(opts, leaf, authority), authority
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", opts.Addr); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", opts.Addr, err)
	}
	s.running.Go(s.accept)
	return s, nil
}

// Addr returns the host and port that the server listens on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL returns the server's address as an ldaps:// URL with Options.TLS and an
// ldap:// URL otherwise.
func (s *Server) URL() string {
	if s.options.TLS {
		return "ldaps://" + s.Addr()
	}
	return "ldap://" + s.Addr()
}

// CAPEM returns the certificate of the authority that clients must trust, in PEM
// form. It is nil without Options.TLS and Options.StartTLS.
func (s *Server) CAPEM() []byte {
	if s.authority == nil {
		return nil
	}
	return s.authority.PEM()
}

// SetEntries replaces the directory for searches that begin from now on; paged
// searches in progress carry on with the entries they began with. The values are
// not copied and must not be changed afterwards. It fails, and leaves the
// directory as it was, if a DN does not parse or lies outside the naming context
// or if two attributes of an entry differ by case alone.
func (s *Server) SetEntries(entries []Entry) error {
	d, err := newDirectory(treeKey(s.context), entries)
	if err != nil {
		return fmt.Errorf("set entries: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.directory = d
	return nil
}

func (s *Server) currentDirectory() *directory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.directory
}

// Close stops listening, drops all connections and returns once every goroutine
// of the server has ended. Further calls do nothing.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
		s.listener.Close() //nolint:errcheck // nothing is lost with it
		for conn := range s.open {
			conn.Close() //nolint:errcheck // nothing is lost with it
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}

// accept takes connections until the server is closed.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err == nil {
			s.admit(conn)
			continue
		}
		// Anything but a closed listener passes, such as having run out of file
		// descriptors; the pause keeps that from spinning.
		select {
		case <-s.closing:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// admit serves a connection in a goroutine of its own, unless Close came first.
func (s *Server) admit(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close() //nolint:errcheck // nothing is lost with it
		return
	}
	s.open[conn] = true
	s.stats.Connections++
	s.running.Go(func() {
		defer s.release(conn)
		newSession(s, conn).serve()
	})
}

// release closes the connection beneath any TLS. A TLS farewell could block on a
// client that has stopped reading, and a dropped connection has none anyway.
func (s *Server) release(conn net.Conn) {
	conn.Close() //nolint:errcheck // nothing is lost with it
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}
