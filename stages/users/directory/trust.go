package directory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// tlsConfig says which certificates are trusted, and which one is shown.
func (s Server) tlsConfig(host string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.MinTLS != 0 {
		config.MinVersion = s.MinTLS
	}
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	if s.Credentials.Method == External {
		own, err := tls.LoadX509KeyPair(s.Credentials.Certificate, s.Credentials.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate and key: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
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

func explainTLS(s Server, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var remote *net.OpError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the server's certificate is not trusted (ca_file: %s): name the CA that signed it in ca_file", orNone(s.CAFile))
	case errors.As(err, &name):
		return fmt.Errorf("the server's certificate is for another name: set server_name to the name in the certificate: %w", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the server's certificate is not valid: renew it: %w", err)
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fmt.Errorf("encrypt the connection: the server does not agree: does it speak %s, and does it take the client's certificate? %w", versionName(s.MinTLS), err)
	default:
		return fmt.Errorf("encrypt the connection: %w", err)
	}
}

func versionName(version uint16) string {
	if version == 0 {
		version = tls.VersionTLS12
	}
	return tls.VersionName(version)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
