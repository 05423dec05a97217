package match

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Two users; every decision below is about one of them, of organization 1001 unless it says so.
const (
	ann = "00000000-0000-4000-8000-000000000001"
	bob = "00000000-0000-4000-8000-000000000002"
)

// say is a decision by its own id, short enough to read a history at a glance.
func say(id, action, user string, contact ...int64) Decision {
	d := Decision{ID: id, Action: action, By: "by-" + id, OrganizationID: 1001, ObjectGUID: user}
	if len(contact) > 0 {
		d.ContactID = &contact[0]
	}
	return d
}

func undo(id, undoes string) Decision {
	return Decision{ID: id, Action: ActionUndo, By: "by-" + id, Undoes: undoes}
}

// stands is what a standing says, in words.
func stands(s Standing) string {
	text := fmt.Sprintf("%s at %d", s.DecidedBy, s.Position)
	if s.ContactID != nil {
		text += fmt.Sprintf(", contact %d", *s.ContactID)
	}
	if s.Ignored {
		text += ", ignored"
	}
	if s.Create != "" {
		text += ", create " + s.Create
	}
	return text
}

func separation(d Decision) string {
	contact := "current contact"
	if d.ContactID != nil {
		contact = fmt.Sprintf("contact %d", *d.ContactID)
	}
	return d.ID + ": " + contact
}

func TestFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule      string
		decisions []Decision
		// want is the standing of Ann, empty if nothing stands for her.
		want string
		// apart are the separations.
		apart []string
	}{
		{rule: "no decision"},
		{
			rule:      "match names the contact",
			decisions: []Decision{say("a", ActionMatch, ann, 7)},
			want:      "by-a at 1, contact 7",
		},
		{
			rule:      "unmatch takes the named pair apart",
			decisions: []Decision{say("a", ActionUnmatch, ann, 7)},
			want:      "by-a at 1",
			apart:     []string{"a: contact 7"},
		},
		{
			rule:      "unmatch without a contact is about whichever is linked",
			decisions: []Decision{say("a", ActionUnmatch, ann)},
			want:      "by-a at 1",
			apart:     []string{"a: current contact"},
		},
		{
			rule:      "ignore",
			decisions: []Decision{say("a", ActionIgnore, ann)},
			want:      "by-a at 1, ignored",
		},
		{
			rule:      "create names its decision, so that it counts once",
			decisions: []Decision{say("a", ActionCreate, ann)},
			want:      "by-a at 1, create a",
		},
		{
			rule:      "restore ends ignoring",
			decisions: []Decision{say("a", ActionIgnore, ann), say("b", ActionRestore, ann)},
			want:      "by-b at 2",
		},
		{
			rule:      "match, ignore, restore: ignoring dropped the link for good",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionIgnore, ann), say("c", ActionRestore, ann)},
			want:      "by-c at 3",
		},
		{
			rule:      "match then unmatch without a contact, before any run",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionUnmatch, ann)},
			want:      "by-b at 2",
			apart:     []string{"b: contact 7"},
		},
		{
			rule:      "the contact of an unmatch is its own, not the last match's",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionUnmatch, ann, 8)},
			want:      "by-b at 2",
			apart:     []string{"b: contact 8"},
		},
		{
			rule:      "the latest match wins",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionMatch, ann, 8)},
			want:      "by-b at 2, contact 8",
		},
		{
			rule:      "a match after an unmatch stands; the separation is remembered",
			decisions: []Decision{say("a", ActionUnmatch, ann, 7), say("b", ActionMatch, ann, 7)},
			want:      "by-b at 2, contact 7",
			apart:     []string{"a: contact 7"},
		},
		{
			rule:      "the latest of different actions wins",
			decisions: []Decision{say("a", ActionCreate, ann), say("b", ActionMatch, ann, 7), say("c", ActionIgnore, ann)},
			want:      "by-c at 3, ignored",
		},
		{
			rule:      "the latest is by place in the file, not by its time",
			decisions: []Decision{at(say("a", ActionMatch, ann, 7), 2030), at(say("b", ActionMatch, ann, 8), 2020)},
			want:      "by-b at 2, contact 8",
		},
		{
			rule:      "another user's decisions are another's",
			decisions: []Decision{say("a", ActionIgnore, bob), say("b", ActionMatch, ann, 7), say("c", ActionUnmatch, bob)},
			want:      "by-b at 2, contact 7",
			apart:     []string{"c: current contact"},
		},
		{
			rule:      "the same user in another organization is another user",
			decisions: []Decision{say("a", ActionMatch, ann, 7), of(1002, say("b", ActionIgnore, ann))},
			want:      "by-a at 1, contact 7",
		},
		{
			rule:      "undo of a match: as if never taken",
			decisions: []Decision{say("a", ActionMatch, ann, 7), undo("b", "a")},
		},
		{
			rule:      "undo of an unmatch forgets the separation and the match before stands",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionUnmatch, ann), undo("c", "b")},
			want:      "by-a at 1, contact 7",
		},
		{
			rule:      "undo of an ignore brings the match before back",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionIgnore, ann), undo("c", "b")},
			want:      "by-a at 1, contact 7",
		},
		{
			rule:      "undo of a restore: ignored as before",
			decisions: []Decision{say("a", ActionIgnore, ann), say("b", ActionRestore, ann), undo("c", "b")},
			want:      "by-a at 1, ignored",
		},
		{
			rule:      "undo of a create",
			decisions: []Decision{say("a", ActionCreate, ann), undo("b", "a")},
		},
		{
			rule:      "undo of a match leaves an unmatch without a contact to the current link",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionUnmatch, ann), undo("c", "a")},
			want:      "by-b at 2",
			apart:     []string{"b: current contact"},
		},
		{
			rule:      "an older decision that is undone changes nothing of the latest",
			decisions: []Decision{say("a", ActionMatch, ann, 7), say("b", ActionMatch, ann, 8), undo("c", "a")},
			want:      "by-b at 2, contact 8",
		},
		{
			rule:      "undo of an undo: the decision stands again, at its own place",
			decisions: []Decision{say("a", ActionMatch, ann, 7), undo("b", "a"), undo("c", "b")},
			want:      "by-a at 1, contact 7",
		},
		{
			rule:      "undo of an undo of an undo",
			decisions: []Decision{say("a", ActionMatch, ann, 7), undo("b", "a"), undo("c", "b"), undo("d", "c")},
		},
		{
			rule:      "undone twice, one undo taken back: still undone",
			decisions: []Decision{say("a", ActionMatch, ann, 7), undo("b", "a"), undo("c", "a"), undo("d", "c")},
		},
		{
			rule:      "an undone decision can be taken anew",
			decisions: []Decision{say("a", ActionMatch, ann, 7), undo("b", "a"), say("c", ActionMatch, ann, 7)},
			want:      "by-c at 3, contact 7",
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			users, separations := Fold(c.decisions)
			got := ""
			if s, ok := users[UserKey{1001, ann}]; ok {
				got = stands(s)
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			var apart []string
			for _, d := range separations {
				apart = append(apart, separation(d))
			}
			if !reflect.DeepEqual(apart, c.apart) {
				t.Errorf("taken apart: got %q, want %q", apart, c.apart)
			}
		})
	}
}

func at(d Decision, year int) Decision {
	d.At = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	return d
}

func of(organization int64, d Decision) Decision {
	d.OrganizationID = organization
	return d
}

// line is a good line of the file, with further fields.
func line(id, action, more string) string {
	return fmt.Sprintf(`{"id":%q,"at":"2026-11-01T10:00:00Z","by":"kim","action":%q,"organization_id":1001,"object_guid":%q%s}`+"\n", id, action, ann, more)
}

func TestParseDecisionsTakesEveryAction(t *testing.T) {
	t.Parallel()
	text := "\n" + line("1", "match", `,"contact_id":7,"reason":"same person"`) +
		line("2", "unmatch", "") + line("3", "ignore", "") + " \t \n" + line("4", "restore", "") + line("5", "create", "") +
		strings.TrimSuffix(line("6", "undo", `,"undoes":"5"`), "\n")
	for name, text := range map[string]string{"as it stands": text, "with Windows' line ends": strings.ReplaceAll(text, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseDecisions(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			contact := int64(7)
			want := []Decision{
				{ID: "1", Action: "match", ContactID: &contact, Reason: "same person"},
				{ID: "2", Action: "unmatch"},
				{ID: "3", Action: "ignore"},
				{ID: "4", Action: "restore"},
				{ID: "5", Action: "create"},
				{ID: "6", Action: "undo", Undoes: "5"},
			}
			for i := range want {
				want[i].At, want[i].By, want[i].OrganizationID, want[i].ObjectGUID = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC), "kim", 1001, ann
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestParseDecisionsTakesAGUIDInAnyCase(t *testing.T) {
	t.Parallel()
	const guid = "ABCDEF00-0000-4000-8000-00000000000A"
	got, err := parseDecisions(strings.NewReader(strings.ReplaceAll(line("1", "ignore", ""), ann, guid)))
	if err != nil || len(got) != 1 || got[0].ObjectGUID != strings.ToLower(guid) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseDecisionsRefuses(t *testing.T) {
	t.Parallel()
	good := line("1", "ignore", "")
	for _, c := range []struct{ rule, text, want string }{
		{"an unknown action", good + line("2", "forget", ""), `line 2: action must be match, unmatch, ignore, restore, create or undo (got "forget")`},
		{"a missing action", good + line("2", "", ""), `line 2: action must be match, unmatch, ignore, restore, create or undo (got "")`},
		{"an unknown field", good + "\n" + line("2", "ignore", `,"organisation":1`), `line 3: json: unknown field "organisation"; correct the line`},
		{"a field of the wrong type", good + line("2", "match", `,"contact_id":"7"`), `line 2: json: cannot unmarshal string into Go struct field Decision.contact_id`},
		{"an id that is there twice", good + line("2", "ignore", "") + line("1", "restore", ""), `line 3: id "1" is there twice`},
		{"an empty id", line("", "ignore", ""), "line 1: id must not be empty"},
		{"an undo of an unknown decision", good + line("2", "undo", `,"undoes":"9"`), `line 2: undoes must name an earlier decision (got "9")`},
		{"an undo of a later decision", line("1", "undo", `,"undoes":"2"`) + line("2", "ignore", ""), `line 1: undoes must name an earlier decision (got "2")`},
		{"an undo of itself", line("1", "undo", `,"undoes":"1"`), `line 1: undoes must name an earlier decision (got "1")`},
		{"an undo of nothing", good + line("2", "undo", ""), `line 2: undoes must name an earlier decision (got "")`},
		{"a match without its contact", good + line("2", "match", ""), "line 2: a match must name its contact_id"},
		{"a user without objectGUID", strings.ReplaceAll(good, ann, ""), "line 1: object_guid must not be empty"},
		{"an organization of 0", strings.ReplaceAll(good, "1001", "0"), "line 1: organization_id must be above 0 (got 0)"},
		{"a time that is none", strings.ReplaceAll(good, "2026-11-01T10:00:00Z", "yesterday"), "line 1: parsing time"},
		{"a last line that was cut off", good + strings.TrimSuffix(line("2", "ignore", ""), "\"}\n"), "line 2: unexpected EOF; correct the line"},
		{"a cut-off line in the middle", good + `{"id":"2","at` + "\n" + line("3", "ignore", ""), "line 2: unexpected EOF; correct the line"},
		{"a decision that was written on a cut-off line", good + `{"id":"2","at` + line("3", "ignore", ""), "line 2: invalid character"},
		{"two decisions on one line", good + strings.TrimSuffix(line("2", "ignore", ""), "\n") + line("3", "ignore", ""), "line 2: more follows the decision; put each on a line of its own"},
		{"text after a decision", strings.TrimSuffix(good, "\n") + " # why\n", "line 1: more follows the decision"},
		{"what is no object", good + "[]\n", "line 2: json: cannot unmarshal array"},
		{"what is no JSON", good + "ignore ann\n", "line 2: invalid character"},
		{"a line without end", good + strings.Repeat(" ", 2<<20), "line 2: read: "},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			got, err := parseDecisions(strings.NewReader(c.text))
			if err == nil {
				t.Fatalf("accepted as %+v", got)
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %q\nwant %q", err, c.want)
			}
		})
	}
}
