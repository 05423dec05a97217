package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"rollcall/jobs"
	"rollcall/stages/match"
)

// decideVerbs are the verbs by which a person decides on users: each takes one user, or a file of
// many, and shows first what the file would do.
func (a *app) decideVerbs() []*cobra.Command {
	return []*cobra.Command{
		a.decideVerb(match.ActionMatch, "match USER CONTACT", "Match a user to a contact by hand", 2),
		a.decideVerb(match.ActionUnmatch, "unmatch USER", "Take a user and its contact apart, for good", 1),
		a.decideVerb(match.ActionIgnore, "ignore USER", "Ignore a user: never matched, enriched or pushed", 1),
		a.decideVerb(match.ActionRestore, "restore USER", "Ignore a user no more", 1),
		a.decideVerb(match.ActionCreate, "create USER", "Ask for a contact for a user who has none", 1),
		a.decideVerb(match.ActionUndo, "undo DECISION", "Take a decision back, as if it had never been taken", 1),
	}
}

func (a *app) decideVerb(action, use, short string, arguments int) *cobra.Command {
	var by, reason, from string
	var organization int64
	var take, yes, dryRun bool
	verb := &cobra.Command{Use: use, Short: short, Args: cobra.MaximumNArgs(arguments)}
	flags := verb.Flags()
	flags.StringVar(&by, "by", "", "who decides (default: who is logged in)")
	flags.StringVar(&reason, "reason", "", "why, in your words")
	flags.BoolVar(&dryRun, "dry-run", false, "only show what would be decided")
	if action != match.ActionUndo {
		flags.Int64Var(&organization, "org", 0, "organization `N` of the user")
		flags.StringVar(&from, "from", "", "CSV `FILE` of many users, such as `rollcall users --format csv` writes; only shown without --yes")
		flags.BoolVar(&yes, "yes", false, "decide what --from shows")
	}
	if action == match.ActionMatch {
		flags.BoolVar(&take, "take", false, "take the contact from a user who was matched to it by hand")
	}
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		requests, err := a.requests(action, args, arguments, from, organization, reason)
		if err != nil {
			return err
		}
		if by == "" {
			if by, err = loggedIn(); err != nil {
				return err
			}
		}
		config, err := a.config()
		if err != nil {
			return err
		}
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			d := jobs.Decider{
				Config: config, Published: db, Clock: a.clock, NewID: newDecisionID, By: by, Take: take,
				DryRun: dryRun || from != "" && !yes,
			}
			return a.decide(cmd.Context(), d, requests)
		})
	}
	return verb
}

// requests are what the command line, or the file that it names, asks for.
func (a *app) requests(action string, args []string, arguments int, from string, organization int64, reason string) ([]jobs.Request, error) {
	if from != "" {
		if len(args) > 0 {
			return nil, usagef("a user and --from are two ways to say whom; use one")
		}
		return readRequests(from, action, organization, reason)
	}
	if len(args) != arguments {
		return nil, usagef("%s takes %d arguments (got %d); see rollcall %s --help", action, arguments, len(args), action)
	}
	r := jobs.Request{Action: action, User: args[0], Organization: organization, Reason: reason}
	if action == match.ActionUndo {
		r.User, r.Undoes = "", args[0]
	}
	if action == match.ActionMatch {
		contact, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return nil, usagef("CONTACT must be the contact's id, a whole number (got %q)", args[1])
		}
		r.Contact = contact
	}
	return []jobs.Request{r}, nil
}

// decide takes the decisions and tells them.
func (a *app) decide(ctx context.Context, d jobs.Decider, requests []jobs.Request) error {
	taken, passed, err := d.Decide(ctx, requests)
	if errors.Is(err, jobs.ErrRefused) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	for _, decided := range taken {
		if d.DryRun {
			fmt.Fprintf(a.out, "%s: %s\n", decided.Action, decided.Words)
		} else {
			fmt.Fprintf(a.out, "%s %s: %s\n", decided.ID, decided.Action, decided.Words)
		}
	}
	if passed > 0 {
		fmt.Fprintf(a.out, "%d lines change nothing.\n", passed)
	}
	switch {
	case d.DryRun:
		fmt.Fprintf(a.out, "Nothing was decided: this is what would be. With --from, --yes decides it.\n")
	case len(taken) > 0:
		fmt.Fprintf(a.out, "%d decided by %s. The next run applies it; `rollcall undo ID` takes it back.\n", len(taken), d.By)
	}
	return nil
}

// newDecisionID sorts by time and is never given twice.
func newDecisionID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make a random id: %w", err)
	}
	return id.String(), nil
}

// loggedIn is who runs the program, and behind sudo who called that.
func loggedIn() (string, error) {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name, nil
	}
	me, err := user.Current()
	if err != nil {
		return "", usagef("who decides is not known: say it with --by")
	}
	return me.Username, nil
}
