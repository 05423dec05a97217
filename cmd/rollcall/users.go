package main

import (
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed users.sql
var usersSQL string

// The order of the lists, by name of the column; ties are broken so that pages never overlap.
const usersOrder = "ORDER BY %s, l.organization_id, l.display_name, l.object_guid"

func (a *app) usersVerb() *cobra.Command {
	var status, collector, search, reason, sort string
	var organization int64
	var limit, offset int
	var descending bool
	statuses := []string{"unmatched", "matched", "ignored", "unavailable"}
	columns := []string{"organization_id", "display_name", "email", "ad_status", "status", "rule", "reason", "contact_id"}
	verb := &cobra.Command{Use: "users", Short: "List users with their status, candidates and pending decisions: the Contact Matching page"}
	format := formatFlag(verb)
	flags := verb.Flags()
	flags.StringVar(&status, "status", "", "only users of `STATUS`: "+strings.Join(statuses, ", "))
	flags.Int64Var(&organization, "org", 0, "only users of organization `N`")
	flags.StringVar(&collector, "collector", "", "only users that `COLLECTOR` sees")
	flags.StringVar(&search, "search", "", "only users with `TEXT` in name, e-mail or account")
	flags.StringVar(&reason, "reason", "", "only unmatched users with `REASON`, such as ambiguous_email")
	flags.StringVar(&sort, "sort", "organization_id", "sort by `COLUMN`: "+strings.Join(columns, ", "))
	flags.BoolVar(&descending, "desc", false, "sort downwards")
	flags.IntVar(&limit, "limit", 0, "show at most `N` users; 0 shows all")
	flags.IntVar(&offset, "offset", 0, "leave the first `N` users out")
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case status != "" && !slices.Contains(statuses, status):
			return usagef("--status must be one of %s (got %q)", strings.Join(statuses, ", "), status)
		case !slices.Contains(columns, sort):
			return usagef("--sort must be one of %s (got %q)", strings.Join(columns, ", "), sort)
		case limit < 0 || offset < 0:
			return usagef("--limit and --offset cannot be negative")
		case reason != "" && reasonInWords(reason) == "":
			return usagef("--reason is not one that a user can have (got %q); see `rollcall dictionary`", reason)
		}
		return a.onPublished(cmd.Context(), func(db *sql.DB) error {
			waiting, err := a.pending(cmd.Context(), db)
			if err != nil {
				return err
			}
			text, err := json.Marshal(waiting)
			if err != nil {
				return fmt.Errorf("encode what is pending: %w", err)
			}
			return list(cmd.Context(), a.out, db, *format, usersSQL+page("l."+sort, descending, limit, offset),
				unless(status, ""), unless(organization, 0), unless(collector, ""), unless(search, ""), unless(reason, ""), string(text))
		})
	}
	return verb
}

// page is the end of the query: the order, and which part of it.
func page(column string, descending bool, limit, offset int) string {
	if descending {
		column += " DESC"
	}
	text := fmt.Sprintf(usersOrder, column+" NULLS LAST")
	if limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", limit)
	}
	return text + fmt.Sprintf(" OFFSET %d", offset)
}

// unless is a value for SQL, NULL if it equals none.
func unless[T comparable](value, none T) any {
	if value == none {
		return nil
	}
	return value
}
