package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rollcall/jobs"
)

//go:embed explain.sql
var explainSQL string

//go:embed explain_candidates.sql
var explainCandidatesSQL string

func (a *app) explainVerb() *cobra.Command {
	var organization int64
	verb := &cobra.Command{
		Use:   "explain USER",
		Short: "Tell why a user is linked or not, in words",
		Long:  "Tell why a user is linked or not. USER is a GUID or, with --org, a UPN or account name.",
		Args:  cobra.ExactArgs(1),
	}
	verb.Flags().Int64Var(&organization, "org", 0, "organization `N` of the user")
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			user, err := lookUp(cmd.Context(), db, args[0], organization)
			if err != nil {
				return err
			}
			if err := user.explain(cmd.Context(), a.out, db); err != nil {
				return err
			}
			waiting, err := a.pending(cmd.Context(), db)
			for _, w := range waiting {
				if w.OrganizationID == user.organization && w.ObjectGUID == user.guid {
					fmt.Fprintf(a.out, "  pending, for the next run: %s\n", w.Words)
				}
			}
			return err
		})
	}
	return verb
}

// explained is a user with everything that matching knew.
type explained struct {
	organization                                    int64
	guid, name, email, emailSource                  string
	emailKey, firstKey, lastKey                     string
	adStatus, status, rule, reason, key, since, who string
	contact                                         sql.NullInt64
	collectors                                      sql.NullString
}

// lookUp reads what explain tells of a user.
func lookUp(ctx context.Context, db *sql.DB, user string, organization int64) (found explained, err error) {
	key, err := jobs.FindUser(ctx, db, user, organization)
	if errors.Is(err, jobs.ErrRefused) {
		return found, &usageError{err}
	}
	if err != nil {
		return found, err
	}
	err = db.QueryRowContext(ctx, explainSQL, key.OrganizationID, key.ObjectGUID).Scan(&found.organization, &found.guid, &found.name, &found.email, &found.emailSource,
		&found.emailKey, &found.firstKey, &found.lastKey, &found.adStatus, &found.status, &found.rule, &found.reason,
		&found.contact, &found.key, &found.since, &found.who, &found.collectors)
	if err != nil {
		return found, fmt.Errorf("look the user up: %w", err)
	}
	return found, nil
}

func (u explained) explain(ctx context.Context, w io.Writer, db *sql.DB) (err error) {
	fmt.Fprintf(w, "%s (%s), organization %d, seen by %s, AD status %s\n", u.name, u.guid, u.organization, orNone(u.collectors.String), u.adStatus)
	fmt.Fprintf(w, "  keys: e-mail %s (from %s), first name %s, last name %s\n",
		orNone(u.emailKey), orNone(u.emailSource), orNone(u.firstKey), orNone(u.lastKey))
	fmt.Fprintf(w, "  %s\n", u.verdict())
	rows, err := db.QueryContext(ctx, explainCandidatesSQL, u.organization, u.guid)
	if err != nil {
		return fmt.Errorf("look for candidates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := 0
	for ; rows.Next(); n++ {
		var how, name, holder, holderName string
		var contact int64
		var apart bool
		if err := rows.Scan(&how, &contact, &name, &holder, &holderName, &apart); err != nil {
			return fmt.Errorf("look for candidates: %w", err)
		}
		state := "free"
		switch {
		case holder == u.guid:
			state = "linked to this user"
		case holder != "":
			state = fmt.Sprintf("linked to %s (%s)", holderName, holder)
		}
		if apart {
			state += ", taken apart from this user by hand"
		}
		fmt.Fprintf(w, "  contact %d %s shares %s: %s\n", contact, name, how, state)
	}
	if n == 0 {
		fmt.Fprintln(w, "  no contact of the organization shares a key with this user now")
	}
	return rows.Err()
}

// verdict puts status, rule and reason in a sentence.
func (u explained) verdict() string {
	contact := fmt.Sprintf("contact %d", u.contact.Int64)
	if !u.contact.Valid {
		contact = "a contact that was created for it (" + u.key + ") and has not appeared yet"
	}
	since := "; so since run " + u.since
	switch u.status {
	case "ignored":
		return "ignored by " + orNone(u.who) + since
	case "unavailable":
		if u.rule == "" {
			return "unavailable: every collector that saw it has since read its AD completely without it; it had no link" + since
		}
		return "unavailable: every collector that saw it has since read its AD completely without it; its link to " + contact + " is kept" + since
	case "matched":
		return "matched with " + contact + " " + ruleInWords(u.rule, u.who) + since
	default:
		return "unmatched (" + u.reason + "): " + reasonInWords(u.reason) + since
	}
}

func ruleInWords(rule, who string) string {
	words := map[string]string{
		"email":      "by e-mail: it was the only free contact with it, and no other user had it",
		"email_name": "by e-mail and name: several shared the e-mail, this was the only pair with equal names",
		"alias":      "by another address of the user, which nobody else had",
		"name":       "by first and last name: no contact had the e-mail, and nobody else had the names",
		"manual":     "by hand, by " + orNone(who),
		"created":    "which was created for the user",
	}
	return words[rule]
}

func reasonInWords(reason string) string {
	words := map[string]string{
		"no_candidate":      "no contact has its e-mail or its names",
		"no_key":            "it has neither an e-mail nor both names",
		"ambiguous_email":   "several users or contacts share the e-mail, and names do not tell them apart; a person must decide",
		"ambiguous_name":    "several users or contacts share the names; a person must decide",
		"contact_taken":     "every contact that it could be linked to is linked to someone else",
		"contact_deleted":   "the contact that it was linked to is gone from the documentation, and no other fits",
		"unmatched_by_hand": "a person took it apart from its contact, and no other fits",
	}
	return words[reason]
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
