package match_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// bfRow is a small world of organization 1 (unless Org says otherwise) and
// what bruteForce must make of it: "org/guid" → "rule contact" or
// "reason [candidates]".
type bfRow struct {
	name     string
	users    []bfUser
	contacts []bfContact
	apart    []bfPair
	aliases  bool // on for organization 1
	want     map[string]string
}

func bfCheckRows(t *testing.T, rows []bfRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, order := range []string{"as written", "reversed"} { // independent of input order
				if order == "reversed" {
					slices.Reverse(row.users)
					slices.Reverse(row.contacts)
				}
				got := map[string]string{}
				for key, r := range bruteForce(row.users, row.contacts, row.apart, map[int64]bool{1: row.aliases}) {
					text := fmt.Sprintf("%s %v", r.Reason, r.Candidates)
					if r.Rule != "" {
						text = fmt.Sprintf("%s %d", r.Rule, r.Contact)
						if r.Reason != "" || r.Candidates != nil {
							t.Errorf("%s: linked user %v has reason %q, candidates %v", order, key, r.Reason, r.Candidates)
						}
					} else if r.Contact != 0 {
						t.Errorf("%s: unmatched user %v has contact %d", order, key, r.Contact)
					}
					got[fmt.Sprintf("%d/%s", key.Org, key.GUID)] = text
				}
				if !maps.Equal(got, row.want) {
					t.Errorf("%s:\n got %v\nwant %v", order, got, row.want)
				}
			}
		})
	}
}

func bfU(guid, email, first, last string, aliases ...string) bfUser {
	return bfUser{Org: 1, GUID: guid, EmailKey: email, FirstKey: first, LastKey: last, AliasKeys: aliases}
}

func bfC(id int64, first, last string, emails ...string) bfContact {
	return bfContact{Org: 1, ID: id, FirstKey: first, LastKey: last, EmailKeys: emails}
}

func TestBruteForceLinks(t *testing.T) {
	bfCheckRows(t, []bfRow{
		{
			name:     "email: one free candidate, names do not matter",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "bob", "cole", "z@x", "a@x", "a@x"), bfC(2, "ann", "ash")},
			want:     map[string]string{"1/u": "email 1"},
		},
		{
			name:     "email: of two candidates one is linked beforehand",
			users:    []bfUser{bfU("u", "a@x", "", ""), {Org: 1, GUID: "v", Linked: 1}},
			contacts: []bfContact{bfC(1, "", "", "a@x"), bfC(2, "", "", "a@x")},
			want:     map[string]string{"1/u": "email 2"},
		},
		{
			name:     "email: a user that is out is no rival, a linked one neither",
			users:    []bfUser{bfU("u", "a@x", "", ""), {Org: 1, GUID: "v", EmailKey: "a@x", Out: true}, {Org: 1, GUID: "w", EmailKey: "a@x", Linked: 2}},
			contacts: []bfContact{bfC(1, "", "", "a@x"), bfC(2, "", "")},
			want:     map[string]string{"1/u": "email 1"},
		},
		{
			name:     "email: organizations are apart",
			users:    []bfUser{bfU("u", "a@x", "", ""), {Org: 2, GUID: "u", EmailKey: "a@x"}, {Org: 3, GUID: "u", EmailKey: "a@x"}},
			contacts: []bfContact{bfC(1, "", "", "a@x"), {Org: 2, ID: 1, EmailKeys: []string{"a@x"}}},
			want:     map[string]string{"1/u": "email 1", "2/u": "email 1", "3/u": "no_candidate []"},
		},
		{
			name:     "email: a pair taken apart is no rival either",
			users:    []bfUser{bfU("u", "a@x", "", ""), bfU("v", "a@x", "", "")},
			contacts: []bfContact{bfC(1, "", "", "a@x")},
			apart:    []bfPair{{1, "v", 1}},
			want:     map[string]string{"1/u": "email 1", "1/v": "no_candidate []"},
		},
		{
			name:     "email_name: one shared mailbox, two people",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash"), bfU("v", "a@x", "bob", "ash")},
			contacts: []bfContact{bfC(1, "bob", "ash", "a@x"), bfC(2, "ann", "ash", "a@x"), bfC(3, "ann", "", "a@x")},
			want:     map[string]string{"1/u": "email_name 2", "1/v": "email_name 1"},
		},
		{
			name:     "email_name: a linked candidate of the same name is no pair",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash"), {Org: 1, GUID: "v", Linked: 1}},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x"), bfC(2, "ann", "ash", "a@x"), bfC(3, "bob", "ash", "a@x")},
			want:     map[string]string{"1/u": "email_name 2"},
		},
		{
			name:     "alias: no contact has the email",
			users:    []bfUser{bfU("u", "a@x", "bob", "cole", "a@x", "b@x"), bfU("v", "", "", "", "c@x")},
			contacts: []bfContact{bfC(1, "ann", "ash", "b@x"), bfC(2, "bob", "cole"), bfC(3, "", "", "c@x")},
			aliases:  true,
			want:     map[string]string{"1/u": "alias 1", "1/v": "alias 3"},
		},
		{
			name:     "alias: a user with an email candidate is no rival",
			users:    []bfUser{bfU("u", "a@x", "", "", "b@x"), bfU("v", "c@x", "", "", "b@x")},
			contacts: []bfContact{bfC(1, "", "", "a@x"), bfC(2, "", "", "b@x")},
			aliases:  true,
			want:     map[string]string{"1/u": "email 1", "1/v": "alias 2"},
		},
		{
			name:     "name: no email, aliases off",
			users:    []bfUser{bfU("u", "", "ann", "ash", "b@x")},
			contacts: []bfContact{bfC(1, "ann", "ash"), bfC(2, "bob", "ash", "b@x"), bfC(3, "ann", "")},
			want:     map[string]string{"1/u": "name 1"},
		},
		{
			name:     "name: the namesake was linked by email",
			users:    []bfUser{bfU("u", "z@x", "ann", "ash"), bfU("v", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x"), bfC(2, "ann", "ash")},
			want:     map[string]string{"1/u": "name 2", "1/v": "email 1"},
		},
		{
			name:     "name: the only email candidate was taken apart",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x"), bfC(2, "ann", "ash")},
			apart:    []bfPair{{1, "u", 1}},
			want:     map[string]string{"1/u": "name 2"},
		},
	})
}

func TestBruteForceReasons(t *testing.T) {
	bfCheckRows(t, []bfRow{
		{
			name:     "no_key: neither email nor both names, aliases do not count",
			users:    []bfUser{bfU("u", "", "ann", ""), bfU("v", "", "", "ash", "b@x"), bfU("w", "", "", "")},
			contacts: []bfContact{bfC(1, "ann", "", ""), bfC(2, "", "ash"), bfC(3, "", "")},
			aliases:  true,
			want:     map[string]string{"1/u": "no_key []", "1/v": "no_key []", "1/w": "no_key []"},
		},
		{
			name:     "no_candidate: a key, but no such contact",
			users:    []bfUser{bfU("u", "a@x", "", ""), bfU("v", "", "ann", "ash"), bfU("w", "b@x", "bob", "ash", "c@x")},
			contacts: []bfContact{bfC(1, "ann", "cole", "c@x")},
			want:     map[string]string{"1/u": "no_candidate []", "1/v": "no_candidate []", "1/w": "no_candidate []"},
		},
		{
			name:     "ambiguous_email: two contacts, and the name tier is not tried",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(2, "", "", "a@x"), bfC(1, "", "", "a@x"), bfC(3, "ann", "ash")},
			want:     map[string]string{"1/u": "ambiguous_email [1 2]"},
		},
		{
			name:     "ambiguous_email: two users of one name at one contact",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash"), bfU("v", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x")},
			want:     map[string]string{"1/u": "ambiguous_email [1]", "1/v": "ambiguous_email [1]"},
		},
		{
			name:     "ambiguous_email: two pairs of one user",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x"), bfC(2, "ann", "ash", "a@x")},
			want:     map[string]string{"1/u": "ambiguous_email [1 2]"},
		},
		{
			name:     "ambiguous_email: alias shared by two users",
			users:    []bfUser{bfU("u", "", "ann", "ash", "b@x"), bfU("v", "c@x", "", "", "b@x")},
			contacts: []bfContact{bfC(1, "", "", "b@x"), bfC(2, "ann", "ash")},
			aliases:  true,
			want:     map[string]string{"1/u": "ambiguous_email [1]", "1/v": "ambiguous_email [1]"},
		},
		{
			name:     "ambiguous_email: the alias leads to a candidate of an ambiguous_email user",
			users:    []bfUser{bfU("u", "a@x", "", ""), bfU("v", "", "", "", "b@x")},
			contacts: []bfContact{bfC(1, "", "", "a@x"), bfC(2, "", "", "a@x", "b@x")},
			aliases:  true,
			want:     map[string]string{"1/u": "ambiguous_email [1 2]", "1/v": "ambiguous_email [2]"},
		},
		{
			name:     "contact_taken: email candidate linked beforehand, to one who is unavailable",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash"), {Org: 1, GUID: "v", Linked: 1, Out: true}},
			contacts: []bfContact{bfC(1, "", "", "a@x"), bfC(2, "ann", "ash")},
			want:     map[string]string{"1/u": "contact_taken [1]"},
		},
		{
			name:     "contact_taken: the other user of the mailbox has the name",
			users:    []bfUser{bfU("u", "a@x", "ann", "ash"), bfU("v", "a@x", "bob", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x")},
			want:     map[string]string{"1/u": "email_name 1", "1/v": "contact_taken [1]"},
		},
		{
			name:     "contact_taken: by alias, its contact was linked by email",
			users:    []bfUser{bfU("u", "a@x", "", ""), bfU("v", "", "ann", "ash", "b@x")},
			contacts: []bfContact{bfC(1, "", "", "a@x", "b@x"), bfC(2, "ann", "ash")},
			aliases:  true,
			want:     map[string]string{"1/u": "email 1", "1/v": "contact_taken [1]"},
		},
		{
			name:     "contact_taken: by name, its contact was linked by alias",
			users:    []bfUser{bfU("u", "", "", "", "b@x"), bfU("v", "c@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "b@x")},
			aliases:  true,
			want:     map[string]string{"1/u": "alias 1", "1/v": "contact_taken [1]"},
		},
		{
			name:     "ambiguous_name: two contacts of one name",
			users:    []bfUser{bfU("u", "z@x", "ann", "ash")},
			contacts: []bfContact{bfC(2, "ann", "ash", "b@x"), bfC(1, "ann", "ash")},
			want:     map[string]string{"1/u": "ambiguous_name [1 2]"},
		},
		{
			name:     "ambiguous_name: two users of one name",
			users:    []bfUser{bfU("u", "", "ann", "ash"), bfU("v", "z@x", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash")},
			want:     map[string]string{"1/u": "ambiguous_name [1]", "1/v": "ambiguous_name [1]"},
		},
		{
			name:     "ambiguous_name: the namesake is a candidate of an ambiguous_email user",
			users:    []bfUser{bfU("u", "a@x", "", ""), bfU("v", "", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "a@x"), bfC(2, "", "", "a@x")},
			want:     map[string]string{"1/u": "ambiguous_email [1 2]", "1/v": "ambiguous_name [1]"},
		},
		{
			name:     "ambiguous_name: the namesake is an alias candidate of an ambiguous_email user",
			users:    []bfUser{bfU("u", "", "", "", "b@x", "c@x"), bfU("v", "", "ann", "ash")},
			contacts: []bfContact{bfC(1, "ann", "ash", "b@x"), bfC(2, "", "", "c@x")},
			aliases:  true,
			want:     map[string]string{"1/u": "ambiguous_email [1 2]", "1/v": "ambiguous_name [1]"},
		},
	})
}
