package users

import (
	"context"
	"errors"
	"fmt"

	"rollcall/pipeline"
	"rollcall/schemas"
	"rollcall/stages/users/directory"
)

// intake converts the entries of one collector's read and streams them into read_users and
// read_user_aliases.
type intake struct {
	collector Collector
	run       *pipeline.Run
	ctx       context.Context //nolint:containedctx // of the read that calls back; it lives no longer

	accounts *pipeline.Writer
	aliases  *pipeline.Writer
	policy   Policy
	domain   directory.Domain
	places   places
	tally    tally
}

// tally counts what a person should know of a read.
type tally struct {
	users      int64
	unknown    int64  // users whose status attributes are not readable
	unreadable int64  // values left out
	firstWrong string // the first of these
}

// Begin makes everything ready, and forgets what an interrupted attempt brought.
func (in *intake) Begin(ctx context.Context, attempt directory.Attempt) error {
	if attempt.Number > 1 {
		in.run.Log.Warn().Int64("organization_id", in.collector.Organization).Str("collector", in.collector.Name).
			Str("reason", attempt.Before.Error()).Int("attempt", attempt.Number).Msg("read begins anew")
		if err := in.discard(ctx); err != nil {
			return err
		}
	}
	in.release()
	in.accounts = in.run.Store.Writer(schemas.ReadUsers)
	in.aliases = in.run.Store.Writer(schemas.ReadUserAliases)
	in.policy, in.domain = policyOf(attempt.Domain), attempt.Domain
	in.places, in.tally = places{}, tally{}
	return nil
}

// Visit takes one entry.
func (in *intake) Visit(e directory.Entry) error {
	k := in.collector
	u, isAccount, err := k.Rules.User(e, in.policy)
	if err != nil || !isAccount {
		return err
	}
	if isNew, err := in.places.enter(u, e); err != nil || !isNew {
		return err
	}
	in.tally.add(u)
	if in.run.Progress != nil && len(in.places)%1000 == 0 {
		in.run.Progress("users", 1000)
	}
	if err := in.accounts.Append(in.ctx, u.row(k.Organization, k.Name)...); err != nil {
		return err
	}
	for _, key := range u.AliasKeys {
		if err := in.aliases.Append(in.ctx, k.Organization, k.Name, u.GUID, key); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) add(u User) {
	if len(u.Unreadable) > 0 && t.firstWrong == "" {
		t.firstWrong = u.Unreadable[0]
	}
	t.unreadable += int64(len(u.Unreadable))
	if u.Excluded != "" {
		return
	}
	t.users++
	if u.ADStatus == "unknown" {
		t.unknown++
	}
}

// finish moves the last rows and says how the read went.
func (in *intake) finish(ctx context.Context) (outcome, error) {
	if err := errors.Join(in.accounts.Flush(ctx), in.aliases.Flush(ctx)); err != nil {
		return outcome{}, err
	}
	return outcomeOf(in.tally, in.domain, in.collector.Rules.Now), nil
}

// discard takes out what was read: nothing of it counts.
func (in *intake) discard(ctx context.Context) error {
	in.release()
	ctx = context.WithoutCancel(ctx)
	for _, table := range []schemas.Table{schemas.ReadUsers, schemas.ReadUserAliases, schemas.ReadLogons} {
		if err := in.run.Store.Exec(ctx, "DELETE FROM "+table.Next()+" WHERE organization_id = ? AND collector = ?", in.collector.Organization, in.collector.Name); err != nil {
			return fmt.Errorf("discard an interrupted read: %w", err)
		}
	}
	return nil
}

func (in *intake) release() {
	for _, w := range []*pipeline.Writer{in.accounts, in.aliases} {
		if w != nil {
			w.Release()
		}
	}
	in.accounts, in.aliases = nil, nil
}
