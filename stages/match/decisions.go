package match

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rollcall/pipeline"
	"rollcall/schemas"
)

// Decision is one line of decisions.jsonl (design section 7).
type Decision struct {
	ID             string    `json:"id"`
	At             time.Time `json:"at"`
	By             string    `json:"by"`
	Action         string    `json:"action"`
	OrganizationID int64     `json:"organization_id"`
	ObjectGUID     string    `json:"object_guid"`
	ContactID      *int64    `json:"contact_id,omitempty"`
	Reason         string    `json:"reason,omitempty"`
	Undoes         string    `json:"undoes,omitempty"`
}

// The actions of a decision (design section 1).
const (
	ActionMatch   = "match"
	ActionUnmatch = "unmatch"
	ActionIgnore  = "ignore"
	ActionRestore = "restore"
	ActionCreate  = "create"
	ActionUndo    = "undo"
)

// Decisions reads the decisions file and tells the run what stands for each user. No file means
// no decisions. A bad line fails the run: to skip it could undo what a person decided.
func Decisions(path string) pipeline.Stage {
	return pipeline.Stage{Name: "decisions", Run: func(ctx context.Context, r *pipeline.Run) (int64, error) {
		decisions, torn, err := DecisionsFile{path}.Read(ctx)
		if err != nil {
			return 0, err
		}
		if torn > 0 {
			r.Log.Warn().Int("bytes", torn).Msg("the last line of decisions.jsonl was torn off while it was written and is no decision")
		}
		if err := stillThere(ctx, r.Store, decisions); err != nil {
			return 0, err
		}
		return int64(len(decisions)), write(ctx, r.Store, decisions)
	}}
}

// parseDecisions reads decisions, one JSON object a line. Errors begin with the line.
func parseDecisions(r io.Reader) ([]Decision, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var decisions []Decision
	seen := map[string]bool{}
	number := 1
	for ; lines.Scan(); number++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var d Decision
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&d); err != nil {
			return nil, fmt.Errorf("line %d: %w; correct the line", number, err)
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: more follows the decision; put each on a line of its own", number)
		}
		d.ObjectGUID = strings.ToLower(d.ObjectGUID)
		if err := d.check(seen); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		seen[d.ID] = true
		decisions = append(decisions, d)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: read: %w", number, err)
	}
	return decisions, nil
}

// check refuses what cannot be meant. seen holds the ids of the lines before.
func (d Decision) check(seen map[string]bool) error {
	switch {
	case d.ID == "":
		return errors.New("id must not be empty")
	case seen[d.ID]:
		return fmt.Errorf("id %q is there twice", d.ID)
	case !slices.Contains([]string{ActionMatch, ActionUnmatch, ActionIgnore, ActionRestore, ActionCreate, ActionUndo}, d.Action):
		return fmt.Errorf("action must be match, unmatch, ignore, restore, create or undo (got %q)", d.Action)
	case d.Action == ActionUndo && !seen[d.Undoes]:
		return fmt.Errorf("undoes must name an earlier decision (got %q)", d.Undoes)
	case d.Action != ActionUndo && d.ObjectGUID == "":
		return errors.New("object_guid must not be empty")
	case d.Action != ActionUndo && d.OrganizationID <= 0:
		return fmt.Errorf("organization_id must be above 0 (got %d)", d.OrganizationID)
	case d.Action == ActionMatch && d.ContactID == nil:
		return errors.New("a match must name its contact_id")
	}
	return nil
}

// stillThere makes sure that no decision which a run has applied has vanished: the file is
// append-only, and without a line a person's link would silently end.
func stillThere(ctx context.Context, s *pipeline.Store, decisions []Decision) error {
	present := make(map[string]bool, len(decisions))
	for _, d := range decisions {
		present[d.ID] = true
	}
	var lost []string
	err := s.Query(ctx, func(scan func(...any) error) error {
		var id string
		if err := scan(&id); err != nil {
			return err
		}
		if !present[id] {
			lost = append(lost, id)
		}
		return nil
	}, "SELECT decision_id FROM decisions ORDER BY position")
	if err != nil {
		return fmt.Errorf("read the applied decisions: %w", err)
	}
	if len(lost) > 0 {
		return fmt.Errorf("decisions.jsonl lacks %d decisions that earlier runs applied, the first is %q: restore the file from a backup; to take a decision back, append an undo", len(lost), lost[0])
	}
	return nil
}

// Standing is what all decisions on a user come to.
type Standing struct {
	// ContactID is the contact the user is matched to by hand; nil if to none.
	ContactID *int64
	Ignored   bool
	// Create is the decision that asks for a new contact; empty if none does.
	Create    string
	DecidedBy string
	// Position is the line of the decision that stands, from 1.
	Position int64
}

// UserKey identifies a user (design section 1).
type UserKey struct {
	OrganizationID int64
	ObjectGUID     string
}

// Undone are the decisions that an undo has taken back; an undone undo takes nothing back.
func Undone(decisions []Decision) map[string]bool {
	undone := map[string]bool{}
	for _, d := range slices.Backward(decisions) {
		if d.Action == ActionUndo && !undone[d.ID] {
			undone[d.Undoes] = true
		}
	}
	return undone
}

// Fold takes the decisions together, in their order. An undone decision counts as never taken;
// so does an undone undo.
func Fold(decisions []Decision) (users map[UserKey]Standing, separations []Decision) {
	undone := Undone(decisions)
	users = map[UserKey]Standing{}
	for i, d := range decisions {
		if d.Action == ActionUndo || undone[d.ID] {
			continue
		}
		key := UserKey{d.OrganizationID, d.ObjectGUID}
		s := Standing{DecidedBy: d.By, Position: int64(i) + 1}
		switch d.Action {
		case ActionMatch:
			s.ContactID = d.ContactID
		case ActionUnmatch:
			if before := users[key]; d.ContactID == nil {
				d.ContactID = before.ContactID // matched and taken apart before any run saw it
			}
			separations = append(separations, d)
		case ActionIgnore:
			s.Ignored = true
		case ActionCreate:
			s.Create = d.ID
		case ActionRestore:
		}
		users[key] = s
	}
	return users, separations
}

// write moves the decisions and what they come to into DuckDB.
func write(ctx context.Context, s *pipeline.Store, decisions []Decision) error {
	all := s.Writer(schemas.Decisions)
	defer all.Release()
	for i, d := range decisions {
		if err := all.Append(ctx, d.ID, int64(i)+1, d.At, d.By, d.Action, d.OrganizationID,
			pipeline.Text(d.ObjectGUID), d.ContactID, pipeline.Text(d.Reason), pipeline.Text(d.Undoes)); err != nil {
			return err
		}
	}
	users, separations := Fold(decisions)
	decided := s.Writer(schemas.ReadDecisions)
	defer decided.Release()
	for key, u := range users {
		if err := decided.Append(ctx, key.OrganizationID, key.ObjectGUID, u.ContactID, u.Ignored, pipeline.Text(u.Create), pipeline.Text(u.DecidedBy), u.Position); err != nil {
			return err
		}
	}
	apart := s.Writer(schemas.ReadSeparations)
	defer apart.Release()
	for _, d := range separations {
		if err := apart.Append(ctx, d.ID, d.OrganizationID, d.ObjectGUID, d.ContactID); err != nil {
			return err
		}
	}
	return errors.Join(all.Flush(ctx), decided.Flush(ctx), apart.Flush(ctx))
}
