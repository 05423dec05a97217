package fakedc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// certificateDays is how long the certificates of servers and clients are good
// for unless the options say otherwise.
const certificateDays = 30

// newCertificate issues a certificate for 127.0.0.1, localhost and the server's
// own name. Without an authority it makes one, which outlives the certificate on
// both ends, so that an expired server certificate is the only thing wrong with
// the chain.
func newCertificate(opts Options) (leaf tls.Certificate, authority *Authority, err error) {
	now, notBefore, notAfter := opts.Now(), opts.NotBefore, opts.NotAfter
	if notBefore.IsZero() {
		notBefore = now.Add(-time.Hour)
	}
	if notAfter.IsZero() {
		notAfter = now.AddDate(0, 0, certificateDays)
	}
	if authority = opts.CA; authority == nil {
		authority, err = newAuthority(earlier(now, notBefore).Add(-time.Hour), later(now, notAfter).AddDate(0, 0, 1))
		if err != nil {
			return leaf, nil, err
		}
	}
	der, key, err := authority.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		NotBefore:   notBefore,
		NotAfter:    notAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", opts.HostName},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
	if err != nil {
		return leaf, nil, fmt.Errorf("certify the server: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, authority, nil
}

// newTLS makes the configuration for LDAPS and StartTLS.
func newTLS(opts Options, leaf tls.Certificate, authority *Authority) *tls.Config {
	config := &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12, MaxVersion: opts.MaxTLS, Time: opts.Now}
	if opts.ClientCert {
		config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
		config.ClientCAs.AddCert(authority.certificate)
	}
	return config
}

// ClientCertificate issues a certificate with which a client can bind by SASL
// EXTERNAL, and its key, both in PEM form. Every call issues another. Without
// Options.TLS and Options.StartTLS there is nobody to issue it, which is an
// error.
func (s *Server) ClientCertificate() (certPEM, keyPEM []byte, err error) {
	if s.authority == nil {
		return nil, nil, errors.New("certify a client: the server has no certificate authority")
	}
	now := s.options.Now()
	der, key, err := s.authority.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: s.options.BindDN},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.AddDate(0, 0, certificateDays),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("certify a client: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a client's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// newKey makes a key, of a kind that every client of the last decade knows.
func newKey() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	return key, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
