package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Controller is one domain controller of a server.
type Controller struct {
	host string
	port string
	// ldaps tells whether the connection is encrypted from its first byte.
	ldaps bool
}

// Name is the controller's host, with the port where it is not LDAP's own.
func (c Controller) Name() string {
	if c.port == "636" && c.ldaps || c.port == "389" && !c.ldaps {
		return c.host
	}
	return c.address()
}

func (c Controller) address() string { return net.JoinHostPort(c.host, c.port) }

// locate lists the controllers in the order in which they are tried.
func (s Server) locate(ctx context.Context) ([]Controller, error) {
	if s.Domain != "" {
		return s.discover(ctx)
	}
	controllers := make([]Controller, len(s.URLs))
	for i, text := range s.URLs {
		var err error
		if controllers[i], err = ParseURL(text); err != nil {
			return nil, err
		}
	}
	return controllers, nil
}

// ParseURL reads ldaps://HOST[:PORT] or ldap://HOST[:PORT].
func ParseURL(text string) (Controller, error) {
	address, err := url.Parse(text)
	if err != nil {
		return Controller{}, fmt.Errorf("parse the url: %w", err)
	}
	c := Controller{host: address.Hostname(), port: address.Port(), ldaps: address.Scheme == "ldaps"}
	if c.port == "" {
		c.port = map[string]string{"ldaps": "636", "ldap": "389"}[address.Scheme]
	}
	return c, nil
}

// discover asks DNS for the domain's controllers, those of the site first (MS-ADTS 6.3.2.3). The
// records name the port of plain LDAP; LDAPS has its own, which no record tells.
func (s Server) discover(ctx context.Context) ([]Controller, error) {
	var records []*net.SRV
	if s.Site != "" {
		near, err := s.lookup(ctx, s.Site+"._sites.dc._msdcs."+s.Domain)
		if err != nil {
			return nil, err
		}
		records = near // none is possible: a site without a controller of its own
	}
	all, err := s.lookup(ctx, "dc._msdcs."+s.Domain)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, unusable(fmt.Errorf("DNS lists no domain controller for %s: check domain and the name servers, or name the controllers in url", s.Domain))
	}
	var controllers []Controller
	known := map[string]bool{}
	for _, record := range append(records, all...) {
		host := strings.TrimSuffix(record.Target, ".")
		if known[strings.ToLower(host)] || !s.mayBe(host) {
			continue
		}
		known[strings.ToLower(host)] = true
		c := Controller{host: host, port: "636", ldaps: true}
		if s.StartTLS {
			c = Controller{host: host, port: strconv.Itoa(int(record.Port))}
		}
		controllers = append(controllers, c)
	}
	if len(controllers) == 0 {
		return nil, unusable(fmt.Errorf("DNS lists only controllers outside of %s: name the CA that signs their certificates in ca_file, or the controllers in url", s.Domain))
	}
	return controllers, nil
}

// mayBe tells whether a host that DNS names may be a controller. DNS is easily forged: where any
// public CA is trusted, a certificate for the host proves nothing, unless the host is the domain's.
func (s Server) mayBe(host string) bool {
	return host != "" && (s.CAFile != "" || strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(s.Domain)))
}

// lookup asks for _ldap._tcp.NAME; a name that does not exist has no records.
func (s Server) lookup(ctx context.Context, name string) ([]*net.SRV, error) {
	// The dot at the end keeps the machine's search list out of it.
	_, records, err := s.Resolver.LookupSRV(ctx, "ldap", "tcp", name+".")
	var failure *net.DNSError
	switch {
	case err == nil:
		return records, nil
	case errors.As(err, &failure) && failure.IsNotFound:
		return nil, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		return nil, unusable(fmt.Errorf("the domain controllers of %s cannot be looked up: check the name servers: %w", s.Domain, err))
	}
}
