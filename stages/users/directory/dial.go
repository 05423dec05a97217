package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// connection is a bound connection with a watch over it: whoever waits for the server arms it.
type connection struct {
	*ldap.Conn
	controller Controller
	raw        net.Conn
	timeout    time.Duration
	stopped    func() bool
	leave      func()
	// certificate is what the server showed, over that version of TLS; nil without encryption.
	certificate *x509.Certificate
	version     uint16
}

// connect dials, encrypts and binds. The error says what to do.
func (s Server) connect(ctx context.Context, to Controller) (_ *connection, err error) {
	password, err := s.Credentials.secret()
	if err != nil {
		return nil, err
	}
	if !to.ldaps && !s.StartTLS && !s.Insecure {
		return nil, errors.New("a bind in clear text is refused: use ldaps://, start_tls: true or, if it must be, insecure: true")
	}
	trust, err := s.tlsConfig(to.host)
	if err != nil {
		return nil, err
	}
	leave, err := s.Gate.enter(ctx, to.address())
	if err != nil {
		return nil, fmt.Errorf("wait for a connection to %s: %w", to.Name(), err)
	}
	dialer := net.Dialer{Timeout: min(s.Timeout, maxDial), Resolver: s.Resolver}
	raw, err := dialer.DialContext(ctx, "tcp", to.address())
	if err != nil {
		leave()
		return nil, unusable(explainDial(to.Name(), err))
	}
	c := &connection{controller: to, raw: raw, timeout: s.Timeout, leave: leave}
	// go-ldap sends no Abandon: closing the connection is the only way to stop waiting.
	c.stopped = context.AfterFunc(ctx, func() { raw.Close() }) //nolint:errcheck // the reader reports
	if err := c.open(ctx, s, trust, password); err != nil {
		c.close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to %s: %w", to.Name(), ctx.Err())
		}
		return nil, err
	}
	return c, nil
}

// open encrypts and binds, each within the timeout.
func (c *connection) open(ctx context.Context, s Server, trust *tls.Config, password string) error {
	encrypting := c.watch()
	err := c.encrypt(ctx, s, trust)
	encrypting.stop()
	if err != nil {
		return unusable(encrypting.explain(err))
	}
	return s.Gate.once(ctx, s.Credentials.account(password), func() error {
		binding := c.watch()
		defer binding.stop()
		err := c.bind(s, password)
		if err != nil && remedyOf(err) != nothing { // a refusal is one, however long it took
			return binding.explain(err)
		}
		return err
	})
}

// encrypt begins TLS, at once or after asking for it, and hands the connection to go-ldap.
func (c *connection) encrypt(ctx context.Context, s Server, trust *tls.Config) error {
	switch {
	case c.controller.ldaps:
	case s.StartTLS:
		if err := requestTLS(c.raw); err != nil {
			return err
		}
	default:
		c.Conn = ldap.NewConn(c.raw, false)
		c.Start()
		return nil
	}
	client := tls.Client(c.raw, trust)
	if err := client.HandshakeContext(ctx); err != nil {
		return explainTLS(s, err)
	}
	state := client.ConnectionState()
	c.certificate, c.version = state.PeerCertificates[0], state.Version
	c.Conn = ldap.NewConn(client, true)
	c.Start()
	return nil
}

// maxTLSAnswer bounds the answer to the request for encryption, in bytes.
const maxTLSAnswer = 64 << 10

// requestTLS asks the server to encrypt the connection (RFC 4511, 4.14). go-ldap can do it too,
// but then tells in words only what is wrong with a certificate.
func requestTLS(raw net.Conn) error {
	const startTLS = "1.3.6.1.4.1.1466.20037"
	operation := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	operation.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLS, ""))
	request := ber.NewSequence("")
	// The messages of the encrypted connection are numbered anew, by go-ldap.
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	request.AppendChild(operation)
	if _, err := raw.Write(request.Bytes()); err != nil {
		return fmt.Errorf("ask for encryption: %w", err)
	}
	answer, err := ber.ReadPacket(io.LimitReader(raw, maxTLSAnswer))
	if err != nil {
		return fmt.Errorf("ask for encryption: the server hung up: %w", err)
	}
	var refusal *ldap.Error
	if err := ldap.GetLDAPError(answer); errors.As(err, &refusal) {
		return fmt.Errorf("the server does not encrypt the connection (LDAP result %d): give it a certificate, or use ldaps://", refusal.ResultCode)
	}
	return nil
}

func (c *connection) close() {
	c.stopped()
	if c.Conn != nil {
		c.Close() //nolint:errcheck // everything that counts has been read
	} else {
		c.raw.Close() //nolint:errcheck // as above
	}
	c.leave()
}

// watch closes the connection when the server lets us wait for too long. It is armed only while
// we wait: a slow consumer of ours must not look like a dead server, nor lose entries.
type watch struct {
	timer   *time.Timer
	timeout time.Duration
	fired   chan struct{}
}

func (c *connection) watch() *watch {
	w := &watch{timeout: c.timeout, fired: make(chan struct{})}
	w.timer = time.AfterFunc(c.timeout, func() {
		close(w.fired)
		c.raw.Close() //nolint:errcheck // the reader reports
	})
	return w
}

func (w *watch) stop() bool { return w.timer.Stop() }

// rearm starts a new wait. It must follow a successful stop.
func (w *watch) rearm() { w.timer.Reset(w.timeout) }

// explain replaces the error of a connection that the watch closed.
func (w *watch) explain(err error) error {
	select {
	case <-w.fired:
		return broken(fmt.Errorf("the server sent nothing for %s; check the network and the server, or raise the collector's timeout", w.timeout))
	default:
		return err
	}
}

func explainDial(name string, err error) error {
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		return fmt.Errorf("%s is not found in DNS: check url and the name servers: %w", name, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s refused the connection: is the controller running, and is the port right?", name)
	default:
		return fmt.Errorf("%s cannot be reached: check network, firewall and url: %w", name, err)
	}
}
