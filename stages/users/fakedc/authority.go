package fakedc

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"
)

// authorityYears is how far a shared authority reaches to both sides of the time
// it was made at.
const authorityYears = 1

// Authority is a certificate authority. Several servers that share one look to a
// client like the domain controllers of one domain, which it trusts alike. Its
// methods are safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	issued      atomic.Int64 // the last serial number
}

// NewAuthority makes an authority that is valid from a year before now to a year
// after, which leaves room for servers whose own certificates are expired or not
// yet valid.
func NewAuthority(now time.Time) (*Authority, error) {
	return newAuthority(now.AddDate(-authorityYears, 0, 0), now.AddDate(authorityYears, 0, 0))
}

func newAuthority(notBefore, notAfter time.Time) (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	a := &Authority{key: key}
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(a.issued.Add(1)),
		Subject:               pkix.Name{CommonName: "rollcall fakedc authority"},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	// Read back, because signing needs the key identifier that was filled in.
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("parse the authority's certificate: %w", err)
	}
	return a, nil
}

// PEM returns the authority's certificate, which clients must trust, in PEM form.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// issue signs a certificate for a new key, and fills in what all have in common.
func (a *Authority) issue(c *x509.Certificate) (der []byte, key crypto.Signer, err error) {
	if key, err = newKey(); err != nil {
		return nil, nil, err
	}
	c.SerialNumber = big.NewInt(a.issued.Add(1))
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.BasicConstraintsValid = true
	if der, err = x509.CreateCertificate(rand.Reader, c, a.certificate, key.Public(), a.key); err != nil {
		return nil, nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return der, key, nil
}
