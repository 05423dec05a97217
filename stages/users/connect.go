package users

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Server is a domain controller and how to talk to it.
type Server struct {
	// URL is ldaps://HOST[:PORT] or ldap://HOST[:PORT].
	URL    string
	BaseDN string
	// Username and Password bind; Password fetches the secret when it is needed.
	Username string
	Password func() (string, error)
	// StartTLS encrypts an ldap:// connection before anything else is sent.
	StartTLS bool
	// Insecure permits a clear-text bind.
	Insecure   bool
	CAFile     string // PEM; empty means the system's
	ServerName string // name in the certificate; empty means the host's
	PageSize   uint32
	// Timeout bounds each wait for the server: the connection, the bind, the next entry.
	Timeout time.Duration
}

// The defaults of a collector: a page as large as a domain controller sends, and a wait shorter
// than its own limit of 120 s a page.
const (
	defaultPageSize = 1000
	defaultTimeout  = 60 * time.Second
	// maxTLSAnswer bounds the answer to the request for encryption, in bytes.
	maxTLSAnswer = 64 << 10
)

var errNoCredentials = errors.New("no Active Directory users were found as AD credentials were not specified")

// connection is a bound connection with a watch over it: whoever waits for the server arms it.
type connection struct {
	*ldap.Conn
	raw     net.Conn
	timeout time.Duration
	stopped func() bool
}

// connect dials, encrypts and binds. The error says what to do.
func (s Server) connect(ctx context.Context) (*connection, error) {
	password, err := s.Password()
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	address, err := url.Parse(s.URL)
	if err != nil {
		return nil, fmt.Errorf("parse the url: %w", err)
	}
	encrypted := address.Scheme == "ldaps" || s.StartTLS
	if !encrypted && !s.Insecure {
		return nil, errors.New("a bind in clear text is refused: use ldaps://, start_tls: true or, if it must be, insecure: true")
	}
	trust, err := s.tlsConfig(address.Hostname())
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: s.Timeout}
	raw, err := dialer.DialContext(ctx, "tcp", hostPort(address))
	if err != nil {
		return nil, explainDial(address.Host, err)
	}
	c := &connection{raw: raw, timeout: s.Timeout}
	// go-ldap sends no Abandon: closing the connection is the only way to stop waiting.
	c.stopped = context.AfterFunc(ctx, func() { raw.Close() }) //nolint:errcheck // the reader reports
	if err := c.open(ctx, s, address.Scheme == "ldaps", trust, password); err != nil {
		c.close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to %s: %w", address.Host, ctx.Err())
		}
		return nil, err
	}
	return c, nil
}

// open encrypts and binds within the timeout.
func (c *connection) open(ctx context.Context, s Server, ldaps bool, trust *tls.Config, password string) error {
	watch := c.watch()
	defer watch.stop()
	if s.StartTLS && !ldaps {
		if err := requestTLS(c.raw); err != nil {
			return watch.explain(err)
		}
	}
	if ldaps || s.StartTLS {
		client := tls.Client(c.raw, trust)
		if err := client.HandshakeContext(ctx); err != nil {
			return watch.explain(explainTLS(s, err))
		}
		c.Conn = ldap.NewConn(client, true)
	} else {
		c.Conn = ldap.NewConn(c.raw, false)
	}
	c.Start()
	if err := c.Bind(s.Username, password); err != nil {
		return watch.explain(explainBind(err))
	}
	return nil
}

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
	if c.stopped != nil {
		c.stopped()
	}
	if c.Conn != nil {
		c.Close() //nolint:errcheck // everything that counts has been read
		return
	}
	c.raw.Close() //nolint:errcheck // as above
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
		return fmt.Errorf("the server sent nothing for %s; check the network and the server, or raise the collector's timeout", w.timeout)
	default:
		return err
	}
}

func (s Server) tlsConfig(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no PEM certificate", s.CAFile)
	}
	return config, nil
}

func hostPort(address *url.URL) string {
	port := address.Port()
	if port == "" {
		port = map[string]string{"ldaps": "636", "ldap": "389"}[address.Scheme]
	}
	return net.JoinHostPort(address.Hostname(), port)
}

func explainDial(host string, err error) error {
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		return fmt.Errorf("%s is not found in DNS: check url and the name servers: %w", host, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s refused the connection: is the controller running, and is the port right?", host)
	default:
		return fmt.Errorf("%s cannot be reached: check network, firewall and url: %w", host, err)
	}
}

func explainTLS(s Server, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the server's certificate is not trusted (ca_file: %s): name the CA that signed it in ca_file", orNone(s.CAFile))
	case errors.As(err, &name):
		return fmt.Errorf("the server's certificate is for another name: set server_name to the name in the certificate: %w", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the server's certificate is not valid: renew it: %w", err)
	default:
		return fmt.Errorf("encrypt the connection: %w", err)
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// explainBind keeps the server's result code; its text may hold names and is left out.
func explainBind(err error) error {
	var result *ldap.Error
	if !errors.As(err, &result) {
		result = &ldap.Error{ResultCode: ldap.ErrorNetwork, Err: err} // go-ldap hands on what the connection said
	}
	switch result.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		return errors.New("the server refused user name or password (LDAP result 49" + subcode(result) + "): check credentials")
	case ldap.ErrorEmptyPassword:
		return errors.New("the password is empty: check credentials")
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return fmt.Errorf("the server is busy or unavailable (LDAP result %d): try again later", result.ResultCode)
	case ldap.LDAPResultStrongAuthRequired:
		return errors.New("the server demands an encrypted connection (LDAP result 8): use ldaps:// or start_tls: true")
	case ldap.ErrorNetwork:
		return fmt.Errorf("the connection broke while binding: check the server, then run again: %w", result.Err)
	default:
		return fmt.Errorf("the server refused the bind: check credentials: LDAP result %d (%s)", result.ResultCode, ldap.LDAPResultCodeMap[result.ResultCode])
	}
}

// subcode is what Active Directory adds to result 49: 52e a wrong password, 532 an expired one,
// 533 a disabled account, 775 a locked one.
func subcode(result *ldap.Error) string {
	meanings := []struct{ code, meaning string }{
		{"data 525", "no such account"}, {"data 52e", "wrong password"}, {"data 530", "not at this hour"},
		{"data 532", "password expired"}, {"data 533", "account disabled"}, {"data 701", "account expired"},
		{"data 773", "password must be changed"}, {"data 775", "account locked"},
	}
	if result.Err != nil {
		for _, m := range meanings {
			if strings.Contains(result.Err.Error(), m.code) {
				return ", " + m.code + ": " + m.meaning
			}
		}
	}
	return ""
}
