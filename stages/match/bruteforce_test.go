package match_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// This file is a reference implementation of the contract's section 3
// (automatic matching), in plain loops, written from the text and not from the
// SQL. It works on keys: normalisation is not its subject. It knows nothing of
// a user's history either, so the reasons `contact_deleted` and
// `unmatched_by_hand`, which replace the reason found here, never appear.

// bfUser is a user as matching sees it.
type bfUser struct {
	Org                         int64
	GUID                        string
	EmailKey, FirstKey, LastKey string   // "" means no key; no key matches nothing
	AliasKeys                   []string // may hold EmailKey by accident: that one is not an alias
	Linked                      int64    // contact id the user is linked to when matching starts, 0 = none
	Out                         bool     // ignored or unavailable: takes no part
}

// bfContact is a contact as matching sees it; EmailKeys is a set.
type bfContact struct {
	Org               int64
	ID                int64
	EmailKeys         []string
	FirstKey, LastKey string
}

// bfPair is a pair that a person took apart (unmatch).
type bfPair struct {
	Org     int64
	GUID    string
	Contact int64
}

// bfKey identifies a user.
type bfKey struct {
	Org  int64
	GUID string
}

// bfResult says what became of a user. Rule is "" if it is unmatched; then
// Candidates holds the sorted ids of the contacts that were candidates in the
// tier that decided. It is nil when linked and when there were none.
type bfResult struct {
	Rule       string
	Contact    int64
	Reason     string
	Candidates []int64
}

// bruteForce has one entry for every user that takes part: neither linked
// when matching starts nor out. Matching never crosses organizations, so each
// is worked on alone.
func bruteForce(users []bfUser, contacts []bfContact, apart []bfPair, aliases map[int64]bool) map[bfKey]bfResult {
	results := map[bfKey]bfResult{}
	done := map[int64]bool{}
	for _, u := range users {
		if done[u.Org] {
			continue
		}
		done[u.Org] = true
		bfOrganization(u.Org, users, contacts, apart, aliases[u.Org], results)
	}
	return results
}

func bfOrganization(org int64, allUsers []bfUser, allContacts []bfContact, apart []bfPair, aliasesOn bool, results map[bfKey]bfResult) {
	// Who takes part, and which contacts are linked when matching starts. A
	// user that is out may still hold a link (unavailable: "the link is kept"),
	// so its contact is linked all the same.
	var users []bfUser
	linked := map[int64]bool{}
	for _, u := range allUsers {
		if u.Org != org {
			continue
		}
		if u.Linked != 0 {
			linked[u.Linked] = true
		} else if !u.Out {
			users = append(users, u)
		}
	}
	var contacts []bfContact
	for _, c := range allContacts {
		if c.Org == org {
			contacts = append(contacts, c)
		}
	}

	// Candidates of every user (by its index in users) in every tier. A pair
	// taken apart is not a candidate in any tier: neither for the user nor when
	// counting "other users that have the contact as a candidate".
	emailCands := make([][]int64, len(users))
	aliasCands := make([][]int64, len(users))
	nameCands := make([][]int64, len(users))
	for i, u := range users {
		for _, c := range contacts {
			if slices.Contains(apart, bfPair{org, u.GUID, c.ID}) {
				continue
			}
			// All contacts with the key are candidates, linked or not.
			if bfHasEmail(c, u.EmailKey) {
				emailCands[i] = append(emailCands[i], c.ID)
			}
			for _, a := range u.AliasKeys {
				// An alias equal to the user's own email key is not an alias.
				if a != u.EmailKey && bfHasEmail(c, a) {
					aliasCands[i] = append(aliasCands[i], c.ID)
					break
				}
			}
			if bfSameNames(u, c) {
				nameCands[i] = append(nameCands[i], c.ID)
			}
		}
		// The alias tier is for users without an email candidate (those without
		// an email key included), in organizations with aliases on.
		if len(emailCands[i]) > 0 || !aliasesOn {
			aliasCands[i] = nil
		}
		// The name tier is for users with neither an email nor an alias
		// candidate.
		if len(emailCands[i]) > 0 || len(aliasCands[i]) > 0 {
			nameCands[i] = nil
		}
		slices.Sort(emailCands[i])
		slices.Sort(aliasCands[i])
		slices.Sort(nameCands[i])
	}

	rule := make([]string, len(users)) // "" while not linked
	link := make([]int64, len(users))
	reason := make([]string, len(users))
	why := make([][]int64, len(users)) // the candidates of the reason's tier

	// Links of one step are found first and made afterwards, all at once.
	type found struct {
		user    int
		contact int64
	}
	makeLinks := func(name string, links []found) {
		for _, l := range links {
			if rule[l.user] != "" || linked[l.contact] {
				panic(fmt.Sprintf("bruteForce: %s links user %s or contact %d of organization %d twice", name, users[l.user].GUID, l.contact, org))
			}
			rule[l.user], link[l.user] = name, l.contact
			linked[l.contact] = true
		}
	}
	// uniqueLinks: users with exactly one free candidate that no other user of
	// the tier has as a candidate (free to that other user or not, and whatever
	// else it has).
	uniqueLinks := func(cands [][]int64, barred map[int64]bool) []found {
		var links []found
		for i := range users {
			var free []int64
			for _, id := range cands[i] {
				if !linked[id] && !barred[id] {
					free = append(free, id)
				}
			}
			if len(free) != 1 {
				continue
			}
			others := 0
			for j := range users {
				if j != i && slices.Contains(cands[j], free[0]) {
					others++
				}
			}
			if others == 0 {
				links = append(links, found{i, free[0]})
			}
		}
		return links
	}
	// giveReasons is for those of a tier that have candidates and no link: every
	// candidate linked by now (after the tier's links) is `contact_taken`.
	giveReasons := func(cands [][]int64, ambiguous string) {
		for i := range users {
			if len(cands[i]) == 0 || rule[i] != "" {
				continue
			}
			reason[i], why[i] = "contact_taken", cands[i]
			for _, id := range cands[i] {
				if !linked[id] {
					reason[i] = ambiguous
				}
			}
		}
	}
	// ambiguousEmail: the contacts that are candidates of a user that has ended
	// `ambiguous_email` so far, in the email tier or in the alias tier.
	ambiguousEmail := func() map[int64]bool {
		barred := map[int64]bool{}
		for i := range users {
			if reason[i] == "ambiguous_email" {
				for _, id := range why[i] {
					barred[id] = true
				}
			}
		}
		return barred
	}

	// Email tier (a). Free means not linked when matching starts: nothing has
	// been linked since.
	makeLinks("email", uniqueLinks(emailCands, nil))

	// Email tier (b). Pairs of a user that (a) did not link and a candidate that
	// was free and that (a) did not link, first and last names both there and
	// both equal. Such a pair that is the only one of its user and the only one
	// of its contact is linked.
	var pairs []found
	for i, u := range users {
		if rule[i] != "" {
			continue
		}
		for _, c := range contacts {
			if slices.Contains(emailCands[i], c.ID) && !linked[c.ID] && bfSameNames(u, c) {
				pairs = append(pairs, found{i, c.ID})
			}
		}
	}
	var only []found
	for _, p := range pairs {
		ofUser, ofContact := 0, 0
		for _, q := range pairs {
			if q.user == p.user {
				ofUser++
			}
			if q.contact == p.contact {
				ofContact++
			}
		}
		if ofUser == 1 && ofContact == 1 {
			only = append(only, p)
		}
	}
	makeLinks("email_name", only)

	// Email tier (c).
	giveReasons(emailCands, "ambiguous_email")

	// Alias tier. Free means not linked by now and not an email candidate of a
	// user that ended `ambiguous_email`.
	makeLinks("alias", uniqueLinks(aliasCands, ambiguousEmail()))
	giveReasons(aliasCands, "ambiguous_email")

	// Name tier. Free means not linked by now and not among the candidates of an
	// `ambiguous_email` user of the email tier or of the alias tier.
	makeLinks("name", uniqueLinks(nameCands, ambiguousEmail()))
	giveReasons(nameCands, "ambiguous_name")

	for i, u := range users {
		if rule[i] == "" && reason[i] == "" {
			// No candidate in any tier. An alias is no key of its own here.
			if u.EmailKey == "" && (u.FirstKey == "" || u.LastKey == "") {
				reason[i] = "no_key"
			} else {
				reason[i] = "no_candidate"
			}
		}
		key := bfKey{org, u.GUID}
		if _, twice := results[key]; twice {
			panic(fmt.Sprintf("bruteForce: user %s of organization %d is there twice", u.GUID, org))
		}
		results[key] = bfResult{Rule: rule[i], Contact: link[i], Reason: reason[i], Candidates: why[i]}
	}
}

func bfHasEmail(c bfContact, key string) bool {
	return key != "" && slices.Contains(c.EmailKeys, key)
}

// bfSameNames: both names are needed on both sides.
func bfSameNames(u bfUser, c bfContact) bool {
	return u.FirstKey != "" && u.LastKey != "" && u.FirstKey == c.FirstKey && u.LastKey == c.LastKey
}

// bfRandom makes 1–4 organizations of 0–8 users and 0–8 contacts. Its keys come
// from tiny alphabets, the same in every organization, so that collisions of
// every kind are common; they are what normalisation would leave as they are.
// Object GUIDs (in UUID form) and contact ids are unique in an organization
// only. A user that is out and linked stands for an unavailable one: an ignored
// one has no link. A linked pair is never a pair taken apart.
func bfRandom(r *rand.Rand) (users []bfUser, contacts []bfContact, apart []bfPair, aliases map[int64]bool) {
	aliases = map[int64]bool{}
	chance := func(percent int) bool { return r.IntN(100) < percent }
	firsts := []string{"ann", "bob", "cy"}
	lasts := []string{"ash", "van berg", "cole"}

	for org := range int64(1 + r.IntN(4)) {
		org++
		if chance(60) {
			aliases[org] = true
		} else if chance(50) {
			aliases[org] = false // or not there at all, which means the same
		}

		// How crowded the organization is: the fewer keys, the more collisions.
		nEmails, nFirsts, nLasts := 2+r.IntN(9), 1+r.IntN(3), 1+r.IntN(3)
		noEmail, noName := 5+r.IntN(40), r.IntN(20)
		email := func() string { return fmt.Sprintf("%c@x.example", 'a'+r.IntN(nEmails)) }
		name := func(from []string, n int) string {
			if chance(noName) {
				return ""
			}
			return from[r.IntN(n)]
		}

		var orgUsers []bfUser
		for _, n := range r.Perm(12)[:r.IntN(9)] {
			u := bfUser{
				Org:      org,
				GUID:     fmt.Sprintf("00000000-0000-4000-8000-%012x", n+1),
				FirstKey: name(firsts, nFirsts),
				LastKey:  name(lasts, nLasts),
				Out:      chance(8),
			}
			if !chance(noEmail) {
				u.EmailKey = email()
			}
			for range max(0, r.IntN(5)-1) { // duplicates and the user's own email happen
				u.AliasKeys = append(u.AliasKeys, email())
			}
			if u.EmailKey != "" && chance(10) {
				u.AliasKeys = append(u.AliasKeys, u.EmailKey)
			}
			if chance(3) {
				u.AliasKeys = append(u.AliasKeys, "")
			}
			orgUsers = append(orgUsers, u)
		}

		var orgContacts []bfContact
		for _, n := range r.Perm(12)[:r.IntN(9)] {
			c := bfContact{
				Org:      org,
				ID:       int64(n + 1),
				FirstKey: name(firsts, nFirsts),
				LastKey:  name(lasts, nLasts),
			}
			if !chance(noEmail) {
				for range 1 + r.IntN(6)/3 + r.IntN(6)/5 { // 1–3, duplicates happen
					if key := email(); !slices.Contains(c.EmailKeys, key) || chance(20) {
						c.EmailKeys = append(c.EmailKeys, key)
					}
				}
			}
			orgContacts = append(orgContacts, c)
		}

		// Both are in random order already: link one to one from the front.
		linkPercent := r.IntN(40)
		for i := range min(len(orgUsers), len(orgContacts)) {
			if chance(linkPercent) {
				orgUsers[i].Linked = orgContacts[i].ID
			}
		}

		if chance(50) {
			apartPercent := 3 + r.IntN(25)
			for _, u := range orgUsers {
				for _, c := range orgContacts {
					if u.Linked != c.ID && chance(apartPercent) {
						apart = append(apart, bfPair{org, u.GUID, c.ID})
					}
				}
			}
		}
		users = append(users, orgUsers...)
		contacts = append(contacts, orgContacts...)
	}

	r.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	r.Shuffle(len(contacts), func(i, j int) { contacts[i], contacts[j] = contacts[j], contacts[i] })
	r.Shuffle(len(apart), func(i, j int) { apart[i], apart[j] = apart[j], apart[i] })
	return users, contacts, apart, aliases
}
