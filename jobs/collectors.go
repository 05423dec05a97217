package jobs

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"rollcall/stages/users"
	"rollcall/stages/users/directory"
)

// collectors are all of the configuration's, ready to read. They share one gate: a controller
// that several of them name is not overrun.
func collectors(config *Config, outside Outside, now time.Time) []users.Collector {
	var all []users.Collector
	gate := directory.NewGate(config.Limits.MaxConnections)
	for _, o := range config.Organizations {
		for _, k := range o.Collectors {
			server := k.server(outside)
			server.Gate = gate
			all = append(all, users.Collector{Organization: o.ID, Name: k.Name, LDIF: k.LDIF, Rules: o.rules(k, now), Server: server})
		}
	}
	return all
}

// rules are the organization's and, on top, the collector's own.
func (o Organization) rules(k Collector, now time.Time) users.Rules {
	return users.Rules{
		Now:             now,
		EmailFrom:       o.Match.EmailFrom,
		ExcludeDisabled: o.Exclude.Disabled || k.Exclude.Disabled,
		ExcludeOU:       slices.Concat(o.Exclude.OU, k.Exclude.OU),
		ExcludeFilter:   o.Exclude.filter.Or(k.Exclude.filter),
		Only:            k.only,
		ReplicatedLogon: slices.Contains(o.LastLogon.From, "replicated"),
		ControllerLogon: slices.Contains(o.LastLogon.From, "all_dcs"),
	}
}

// server is how the collector's controllers are reached.
func (k Collector) server(outside Outside) directory.Server {
	credentials := directory.Credentials{
		Method: directory.Method(k.Credentials.Bind), Username: k.Credentials.Username,
		Keytab: k.Credentials.Keytab, Realm: strings.ToUpper(k.Credentials.Realm), Krb5Conf: k.Credentials.Krb5Conf,
		Certificate: k.Credentials.Certificate, Key: k.Credentials.Key,
	}
	if k.Credentials.Password.IsSet() {
		credentials.Password = func() (string, error) { return k.Credentials.Password.Read(outside.Environment) }
	}
	return directory.Server{
		URLs: k.URL, Domain: k.Domain, Site: k.Site, Bases: k.BaseDN, Credentials: credentials,
		StartTLS: k.StartTLS, Insecure: k.Insecure, CAFile: k.CAFile, ServerName: k.ServerName,
		MinTLS:   map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[k.MinTLS],
		PageSize: uint32(k.PageSize), //nolint:gosec // checked to be 0 to 1000
		Timeout:  k.Timeout, MaxRate: k.MaxRate,
		Resolver: outside.Resolver, Pause: outside.Pause,
	}
}
