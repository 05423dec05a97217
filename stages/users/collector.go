package users

import (
	"context"
	"errors"

	"rollcall/pipeline"
	"rollcall/stages/users/directory"
)

// Collector is one configured way to read one AD for one organization: an LDIF file or a
// server.
type Collector struct {
	Organization int64
	Name         string
	LDIF         string
	Server       directory.Server
	Rules        Rules
}

// hasCredentials tells whether the collector can read at all.
func (k Collector) hasCredentials() bool { return k.LDIF != "" || k.Server.HasCredentials() }

// read streams the collector's accounts into DuckDB. An error means that nothing of the read
// counts.
func (k Collector) read(ctx context.Context, r *pipeline.Run) (result outcome, err error) {
	in := &intake{collector: k, run: r, ctx: ctx}
	defer in.release()
	defer func() {
		if err != nil {
			err = errors.Join(err, in.discard(ctx))
		}
	}()
	if k.LDIF != "" {
		if err := in.Begin(ctx, directory.Attempt{Number: 1}); err != nil {
			return outcome{}, err
		}
		if err := k.readFile(ctx, &in.policy, in.Visit); err != nil {
			return outcome{}, err
		}
		return in.finish(ctx)
	}
	reading, err := k.Server.Read(ctx, directory.Request{Filter: accountFilter, Attributes: k.Rules.attributes()}, in)
	if err != nil {
		return outcome{}, err
	}
	if result, err = in.finish(ctx); err != nil {
		return outcome{}, err
	}
	result.pinned(reading)
	if k.Rules.ControllerLogon {
		silent, err := k.readOtherLogons(ctx, r, reading.Others)
		if err != nil {
			return outcome{}, err
		}
		result.others(reading, silent)
	}
	return result, nil
}

// readFile delivers the entries of the LDIF file; an export of a whole domain holds its policies
// too.
func (k Collector) readFile(ctx context.Context, policy *Policy, visit func(directory.Entry) error) error {
	return readLDIF(ctx, k.LDIF, func(e directory.Entry) error {
		if isPolicy := isOf(e, "domainDNS") || isOf(e, "msDS-PasswordSettings"); isPolicy && policy.learn(e) {
			return nil
		}
		return visit(e)
	})
}
