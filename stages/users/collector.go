package users

import (
	"context"
	"errors"
	"fmt"

	"rollcall/pipeline"
	"rollcall/schemas"
)

// Collector is one configured way to read one AD for one organization: an LDIF file or a
// server. A server without a user name has no credentials.
type Collector struct {
	Organization int64
	Name         string
	LDIF         string
	Server       Server
	Rules        Rules
}

// status of a collector's read.
const (
	complete      = "complete"
	failed        = "failed"
	noCredentials = "no_credentials"
)

// read streams the collector's accounts into DuckDB. It returns the number of users and a
// message for a person; an error means that nothing of the read counts.
func (k Collector) read(ctx context.Context, r *pipeline.Run) (seen int64, message string, err error) {
	accounts := r.Store.Writer(schemas.ReadUsers)
	defer accounts.Release()
	aliases := r.Store.Writer(schemas.ReadUserAliases)
	defer aliases.Release()
	places := map[string]string{}
	unknown := 0
	visit := func(e Entry, policy Policy) error {
		u, isAccount, err := k.Rules.User(e, policy)
		if err != nil || !isAccount {
			return err
		}
		if first, twice := places[u.GUID]; twice {
			return fmt.Errorf("objectGUID %s is at %s and again at %s; a directory never has it twice: export it anew", u.GUID, first, e.Place)
		}
		places[u.GUID] = e.Place
		if u.Excluded == "" {
			seen++
			if u.ADStatus == "unknown" {
				unknown++
			}
		}
		if r.Progress != nil && len(places)%1000 == 0 {
			r.Progress("users", 1000)
		}
		if err := accounts.Append(ctx, u.row(k.Organization, k.Name)...); err != nil {
			return err
		}
		for _, key := range u.AliasKeys {
			if err := aliases.Append(ctx, k.Organization, k.Name, u.GUID, key); err != nil {
				return err
			}
		}
		return nil
	}
	if err := k.stream(ctx, visit); err != nil {
		return 0, "", err
	}
	if err := errors.Join(accounts.Flush(ctx), aliases.Flush(ctx)); err != nil {
		return 0, "", err
	}
	if unknown > 0 {
		message = fmt.Sprintf("the status attributes of %d of %d users are not readable for this account: their AD status is unknown", unknown, seen)
	}
	return seen, message, nil
}

// stream delivers the source's entries one by one.
func (k Collector) stream(ctx context.Context, visit func(Entry, Policy) error) error {
	if k.LDIF == "" {
		return readServer(ctx, k.Server.withDefaults(), k.Rules.ExcludeFilter.Attributes(), visit)
	}
	var policy Policy
	return readLDIF(ctx, k.LDIF, func(e Entry) error {
		// An export of a whole domain begins with the domain's own entry and its policy.
		if _, ok := e.first(attrMaxPwdAge); ok && e.isOf("domainDNS") {
			a := attributeReader{entry: e}
			policy.MaxPasswordAge = a.integer(attrMaxPwdAge)
			return a.err
		}
		return visit(e, policy)
	})
}

func (s Server) withDefaults() Server {
	if s.PageSize == 0 {
		s.PageSize = defaultPageSize
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	return s
}

// hasCredentials tells whether the collector can read at all.
func (k Collector) hasCredentials() bool { return k.LDIF != "" || k.Server.Username != "" }

// Check dials, binds and reads one entry: what `rollcall check --connect` shows.
func (k Collector) Check(ctx context.Context) error {
	if !k.hasCredentials() {
		return errNoCredentials
	}
	done := errors.New("one entry is enough")
	err := k.stream(ctx, func(e Entry, p Policy) error {
		if _, isAccount, err := k.Rules.User(e, p); err != nil || !isAccount {
			return err
		}
		return done
	})
	switch {
	case errors.Is(err, done):
		return nil
	case err == nil:
		return errors.New("no account is visible: check base_dn and what the account may read")
	default:
		return err
	}
}
