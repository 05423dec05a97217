package jobs

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"rollcall/stages/match"
)

//go:embed decide_contact.sql
var decideContactSQL string

// Decider takes people's decisions: it finds whom they mean in the published file, refuses what
// cannot be meant, and appends the rest to decisions.jsonl. The next run applies them.
type Decider struct {
	Config *Config
	// Published is the analysts' file: users, contacts and links as the last run left them.
	Published *sql.DB
	Clock     func() time.Time
	// NewID makes the id of a decision.
	NewID func() (string, error)
	By    string
	// Take lets a match take a contact from a user who has it by hand.
	Take bool
	// DryRun judges everything and writes nothing.
	DryRun bool
}

// Request is one decision as a person words it.
type Request struct {
	Action string
	// User is a GUID or, with an organization, a UPN or account name; empty for an undo.
	User         string
	Organization int64 // 0 if not said
	Contact      int64
	// Undoes is the decision that an undo takes back.
	Undoes string
	Reason string
	// Place says where the request stands in a file: "line 7"; empty for one from the command line.
	Place string
}

// Decided is a decision that was taken, with what it means in words.
type Decided struct {
	match.Decision
	Words string
}

// Errors of a decision that cannot be meant, and of one that would change nothing: in a file the
// latter is passed over, for most lines of a list that was edited are as they were.
var (
	ErrRefused   = errors.New("refused")
	ErrUnchanged = fmt.Errorf("%w: changes nothing", ErrRefused)
)

// decisionsPath is the file that runs read.
func decisionsPath(config *Config) string { return filepath.Join(config.DataDir, "decisions.jsonl") }

// Decisions are all that people ever decided, in their order, and the bytes of a last line that was
// torn off while it was written.
func Decisions(ctx context.Context, config *Config) (decisions []match.Decision, torn int, err error) {
	return match.DecisionsFile{Path: decisionsPath(config)}.Read(ctx)
}

// Decide takes all requests or, if one of them is refused, none; the error names every refusal.
// passed counts the lines of a file that change nothing.
func (d Decider) Decide(ctx context.Context, requests []Request) (taken []Decided, passed int, err error) {
	judge := func(before []match.Decision) ([]match.Decision, error) {
		j, err := newJudgement(ctx, d, before)
		if err != nil {
			return nil, err
		}
		var refusals []error
		for _, r := range requests {
			decided, err := j.judge(ctx, r)
			switch {
			case errors.Is(err, ErrUnchanged) && r.Place != "":
				passed++
			case errors.Is(err, ErrRefused) && r.Place != "":
				refusals = append(refusals, fmt.Errorf("%s: %w", r.Place, err))
			case err != nil:
				refusals = append(refusals, err)
			default:
				taken = append(taken, decided)
			}
		}
		if len(refusals) > 0 {
			return nil, errors.Join(refusals...)
		}
		return j.decisions[len(before):], nil
	}
	file := match.DecisionsFile{Path: decisionsPath(d.Config)}
	if d.DryRun {
		before, _, err := file.Read(ctx)
		if err == nil {
			_, err = judge(before)
		}
		return taken, passed, err
	}
	if err := file.Append(ctx, judge); err != nil {
		return nil, passed, err
	}
	return taken, passed, nil
}

// judgement holds the decisions so far, those of this batch included, and what they come to.
type judgement struct {
	Decider
	decisions []match.Decision
	standing  map[match.UserKey]match.Standing
	applied   map[string]bool // by a run
}

func newJudgement(ctx context.Context, d Decider, before []match.Decision) (*judgement, error) {
	applied, err := readApplied(ctx, d.Published)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, decision := range before {
		there[decision.ID] = true
	}
	for id := range applied {
		if !there[id] {
			return nil, fmt.Errorf("decisions.jsonl lacks decision %s, which a run has applied: restore the file from a backup first", id)
		}
	}
	j := &judgement{Decider: d, decisions: slices.Clone(before), applied: applied}
	j.standing, _ = match.Fold(j.decisions)
	return j, nil
}

// judge turns a request into a decision, or refuses it.
func (j *judgement) judge(ctx context.Context, r Request) (Decided, error) {
	if r.Action == match.ActionUndo {
		return j.undo(r)
	}
	user, err := findUser(ctx, j.Published, r.User, r.Organization)
	if err != nil {
		return Decided{}, err
	}
	decision := match.Decision{Action: r.Action, OrganizationID: user.OrganizationID, ObjectGUID: user.ObjectGUID, Reason: r.Reason}
	standing := j.standing[user.UserKey]
	words := ""
	switch r.Action {
	case match.ActionMatch:
		decision.ContactID = &r.Contact
		words, err = j.match(ctx, user, standing, r)
	case match.ActionUnmatch:
		words, err = j.unmatch(user, standing, &decision)
	case match.ActionIgnore:
		words = "is ignored: never matched, enriched or pushed"
		if standing.Ignored {
			err = unchanged("%s is ignored already", user)
		}
	case match.ActionRestore:
		words = "is matched again like anybody else"
		if !standing.Ignored {
			err = unchanged("%s is not ignored", user)
		}
	case match.ActionCreate:
		words, err = j.create(user, standing)
	}
	if err != nil {
		return Decided{}, err
	}
	return j.take(decision, user.String()+" "+words)
}

// take enters a decision.
func (j *judgement) take(decision match.Decision, words string) (Decided, error) {
	id, err := j.NewID()
	if err != nil {
		return Decided{}, fmt.Errorf("make an id: %w", err)
	}
	decision.ID, decision.At, decision.By = id, j.Clock().UTC().Truncate(time.Microsecond), j.By
	j.decisions = append(j.decisions, decision)
	if decision.Action == match.ActionUndo {
		j.standing, _ = match.Fold(j.decisions)
	} else { // as Fold would, without going through everything for every line of a file
		key := match.UserKey{OrganizationID: decision.OrganizationID, ObjectGUID: decision.ObjectGUID}
		one, _ := match.Fold(j.decisions[len(j.decisions)-1:])
		standing := one[key]
		standing.Position = int64(len(j.decisions))
		j.standing[key] = standing
	}
	return Decided{decision, words}, nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

func unchanged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnchanged}, args...)...)
}

// match judges a match: the contact must be there, and must not be somebody else's by hand.
func (j *judgement) match(ctx context.Context, user target, standing match.Standing, r Request) (string, error) {
	contact := r.Contact
	var organization int64
	var name, holder, holderName string
	err := j.Published.QueryRowContext(ctx, decideContactSQL, contact, user.OrganizationID).Scan(&organization, &name, &holder, &holderName)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", refuse("no contact %d; `rollcall explain USER` lists the candidates", contact)
	case err != nil:
		return "", fmt.Errorf("look for the contact: %w", err)
	case organization != user.OrganizationID:
		return "", refuse("contact %d is one of organization %d, and %s of %d; matching never crosses organizations", contact, organization, user, user.OrganizationID)
	case r.Place != "" && user.contact.Valid && user.contact.Int64 == contact:
		// A line of the list that nobody edited: it shows the last run's link.
		return "", unchanged("%s was matched to contact %d when the list was made", user, contact)
	}
	key, other := j.holder(user.OrganizationID, contact)
	switch {
	case other.Position > 0 && key == user.UserKey:
		return "", unchanged("%s is matched to contact %d by hand already", user, contact)
	case other.Position > 0 && !j.Take:
		return "", refuse("contact %d %s was matched by hand to user %s, by %s; --take takes it from there", contact, name, key.ObjectGUID, other.DecidedBy)
	}
	words := fmt.Sprintf("is matched to contact %d %s", contact, name)
	if standing.Ignored {
		words = "is ignored no more and " + words
	}
	if holder != "" && holder != user.ObjectGUID {
		words += fmt.Sprintf(", which %s (%s) loses", holderName, holder)
	}
	return words, nil
}

// holder is whom a contact is matched to by hand: of several the last.
func (j *judgement) holder(organization, contact int64) (key match.UserKey, standing match.Standing) {
	for k, s := range j.standing {
		if k.OrganizationID == organization && s.ContactID != nil && *s.ContactID == contact && s.Position > standing.Position {
			key, standing = k, s
		}
	}
	return key, standing
}

// unmatch judges an unmatch: there must be a link, of the last run or of a decision since.
func (j *judgement) unmatch(user target, standing match.Standing, decision *match.Decision) (string, error) {
	switch {
	case standing.ContactID != nil:
		decision.ContactID = standing.ContactID
	case user.contact.Valid && j.linkStands(standing):
		decision.ContactID = &user.contact.Int64
	case user.key != "" || standing.Create != "":
		return "", refuse("the contact that is created for %s has not appeared: undo the decision that asked for it, or unmatch it once it is there", user)
	default:
		return "", unchanged("%s is not matched", user)
	}
	return fmt.Sprintf("is taken apart from contact %d, for good", *decision.ContactID), nil
}

// linkStands tells whether the link that the last run left is there still: a decision since then
// may have ended it.
func (j *judgement) linkStands(standing match.Standing) bool {
	if standing.Position == 0 {
		return true
	}
	last := j.decisions[standing.Position-1]
	return j.applied[last.ID] || last.Action == match.ActionCreate || last.Action == match.ActionRestore
}

// create judges a creation.
func (j *judgement) create(user target, standing match.Standing) (string, error) {
	place := slices.IndexFunc(j.Config.Organizations, func(o Organization) bool { return o.ID == user.OrganizationID })
	switch {
	case place < 0:
		return "", refuse("organization %d is not in the configuration", user.OrganizationID)
	case j.Config.Organizations[place].Create == "never":
		return "", refuse("the configuration of organization %d says create: never", user.OrganizationID)
	case standing.Ignored:
		return "", refuse("%s is ignored; restore it first", user)
	case standing.Create != "":
		return "", unchanged("a contact for %s was asked for already, by %s", user, standing.DecidedBy)
	case standing.ContactID != nil, user.status == "matched" && j.linkStands(standing):
		return "", refuse("%s has a contact; unmatch it first", user)
	case user.status == "unavailable":
		return "", refuse("%s is gone from Active Directory", user)
	}
	return "gets a contact of its own", nil
}

// undo judges an undo.
func (j *judgement) undo(r Request) (Decided, error) {
	place := slices.IndexFunc(j.decisions, func(d match.Decision) bool { return d.ID == r.Undoes })
	if place < 0 {
		return Decided{}, refuse("no decision %q; `rollcall decisions` lists them", r.Undoes)
	}
	if match.Undone(j.decisions)[r.Undoes] {
		return Decided{}, unchanged("decision %s is undone already", r.Undoes)
	}
	undone := j.decisions[place]
	return j.take(match.Decision{
		Action: match.ActionUndo, OrganizationID: undone.OrganizationID, ObjectGUID: undone.ObjectGUID, Reason: r.Reason, Undoes: r.Undoes,
	}, fmt.Sprintf("decision %s (%s, by %s) counts as never taken", undone.ID, undone.Action, undone.By))
}
