package jobs

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"rollcall/stages/match"
)

//go:embed find_user.sql
var findUserSQL string

// target is a user as the last run left it.
type target struct {
	match.UserKey
	name, status, key string
	contact           sql.NullInt64
}

func (t target) String() string {
	if t.name == "" {
		return "user " + t.ObjectGUID
	}
	return t.name + " (" + t.ObjectGUID + ")"
}

// FindUser finds whom a person means by a GUID or, with an organization, by a UPN or account name;
// 0 says no organization. ErrRefused means nobody, or several.
func FindUser(ctx context.Context, published *sql.DB, user string, organization int64) (match.UserKey, error) {
	found, err := findUser(ctx, published, user, organization)
	return found.UserKey, err
}

func findUser(ctx context.Context, published *sql.DB, user string, organization int64) (found target, err error) {
	rows, err := published.QueryContext(ctx, findUserSQL, user, sql.NullInt64{Int64: organization, Valid: organization != 0})
	if err != nil {
		return found, fmt.Errorf("look for the user: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&found.OrganizationID, &found.ObjectGUID, &found.name, &found.status, &found.contact, &found.key); err != nil {
			return found, fmt.Errorf("look for the user: %w", err)
		}
	}
	switch {
	case rows.Err() != nil:
		return found, fmt.Errorf("look for the user: %w", rows.Err())
	case n == 0:
		return found, refuse("no user %q; give a GUID, or a UPN or account name with --org; `rollcall users --search` finds it", user)
	case n > 1:
		return found, refuse("%q is more than one user; give the GUID, with --org if several organizations have it", user)
	}
	return found, nil
}
