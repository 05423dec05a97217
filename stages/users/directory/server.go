package directory

import (
	"context"
	"net"
	"time"
)

// Server is a domain, or some of its controllers, and how to talk to them.
type Server struct {
	// URLs are ldaps://HOST[:PORT] or ldap://HOST[:PORT], in the order of preference.
	URLs []string
	// Domain names the controllers instead: those that DNS lists for it. Site is where to begin.
	Domain, Site string
	// Bases are the DNs below which is read; none lies under another.
	Bases       []string
	Credentials Credentials
	// StartTLS encrypts an ldap:// connection before anything else is sent.
	StartTLS bool
	// Insecure permits a clear-text bind.
	Insecure   bool
	CAFile     string // PEM; empty means the system's
	ServerName string // name in the certificate; empty means the host's
	MinTLS     uint16 // lowest version; 0 means TLS 1.2
	PageSize   uint32
	// Timeout bounds each wait for the server: the connection, the bind, the next entry.
	Timeout time.Duration
	// MaxRate bounds the entries read a second; 0 means no bound.
	MaxRate int

	// Resolver asks DNS; nil is the machine's.
	Resolver *net.Resolver
	// Gate bounds the connections to each controller, over all the servers that share it.
	Gate *Gate
	// Pause waits between two attempts; nil is a plain wait.
	Pause func(context.Context, time.Duration) error
}

// The defaults: a page as large as a domain controller sends, and a wait shorter than its own
// limit of 120 s a page.
const (
	defaultPageSize = 1000
	defaultTimeout  = 60 * time.Second
	// maxDial bounds the wait for a connection alone: a controller that is switched off must not
	// keep the others waiting.
	maxDial = 15 * time.Second
)

func (s Server) withDefaults() Server {
	if s.PageSize == 0 {
		s.PageSize = defaultPageSize
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.Resolver == nil {
		s.Resolver = net.DefaultResolver
	}
	if s.Gate == nil {
		s.Gate = NewGate(0)
	}
	if s.Pause == nil {
		s.Pause = pause
	}
	return s
}

// pageSize is the number of entries asked for at a time. Under a rate a page takes 10 s at most:
// a controller drops a connection on which nothing happens for long.
func (s Server) pageSize() uint32 {
	if s.MaxRate > 0 {
		return uint32(min(int(s.PageSize), s.MaxRate*10)) //nolint:gosec // at most PageSize
	}
	return s.PageSize
}

// Method is how the server is bound to.
func (s Server) Method() Method {
	if s.Credentials.Method == "" {
		return Simple
	}
	return s.Credentials.Method
}

// HasCredentials tells whether the server can be bound to at all.
func (s Server) HasCredentials() bool {
	return s.Credentials.Username != "" || s.Credentials.Certificate != ""
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
