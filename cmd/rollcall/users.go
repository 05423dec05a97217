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

func (a *app) usersVerb() *cobra.Command {
	var status, collector, search string
	var organization int64
	statuses := []string{"unmatched", "matched", "ignored", "unavailable"}
	verb := &cobra.Command{Use: "users", Short: "List users with their status: the Contact Matching page"}
	format := formatFlag(verb)
	verb.Flags().StringVar(&status, "status", "", "only users of `STATUS`: "+strings.Join(statuses, ", "))
	verb.Flags().Int64Var(&organization, "org", 0, "only users of organization `N`")
	verb.Flags().StringVar(&collector, "collector", "", "only users that `COLLECTOR` sees")
	verb.Flags().StringVar(&search, "search", "", "only users with `TEXT` in name, e-mail or account")
	verb.RunE = func(cmd *cobra.Command, _ []string) error {
		if status != "" && !slices.Contains(statuses, status) {
			return usagef("--status must be one of %s (got %q)", strings.Join(statuses, ", "), status)
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
			return list(cmd.Context(), a.out, db, *format, usersSQL,
				unless(status, ""), unless(organization, 0), unless(collector, ""), unless(search, ""), string(text))
		})
	}
	return verb
}

// unless is a value for SQL, NULL if it equals none.
func unless[T comparable](value, none T) any {
	if value == none {
		return nil
	}
	return value
}
