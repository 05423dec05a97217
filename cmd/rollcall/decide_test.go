package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// decided makes a night and hands its folder to a person who decides.
func decided(t *testing.T) invocation {
	t.Helper()
	i := newInvocation(t, "two-users-one-email")
	i.must("run", "nightly", "--now", "2026-11-01T02:00:00Z")
	return i
}

// refused asserts that a call is refused with a message and decides nothing.
func (i invocation) refused(want string, args ...string) {
	i.t.Helper()
	before := i.decisions()
	if code, _, errors := i.call(args...); code != exitUsage || !strings.Contains(errors, want) {
		i.t.Errorf("rollcall %s: exit %d, want %d with %q:\n%s", strings.Join(args, " "), code, exitUsage, want, errors)
	}
	if i.decisions() != before {
		i.t.Errorf("rollcall %s: something was decided", strings.Join(args, " "))
	}
}

func (i invocation) decisions() string {
	text, err := os.ReadFile(filepath.Join(i.folder, "data", "decisions.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		i.t.Fatal(err)
	}
	return string(text)
}

// idOf is the id that a verb printed.
func idOf(text string) string {
	id, _, _ := strings.Cut(text, " ")
	return id
}

// A person decides, sees it at once as pending, and in the next run as done; undo takes it back.
func TestDecisionsTakeEffect(t *testing.T) {
	t.Parallel()
	i := decided(t)
	text := i.must("match", "user1", "11", "--org", "1001", "--by", "kim", "--reason", "front desk")
	contains(t, text, "match: ", "is matched to contact 11 Front Desk", "1 decided by kim. The next run applies it")
	id := idOf(text)
	contains(t, i.must("users", "--search", "user1"), "match contact 11, by kim")
	contains(t, i.must("explain", "user1", "--org", "1001"), "pending, for the next run: match contact 11, by kim")
	contains(t, i.must("decisions"), id, "pending", "front desk", "(1 rows)")
	i.must("run", "nightly", "--now", "2026-11-02T02:00:00Z")
	contains(t, i.must("explain", "user1", "--org", "1001"), "matched with contact 11 by hand, by kim")
	contains(t, i.must("decisions"), "applied")
	if strings.Contains(i.must("users"), "match contact") {
		t.Error("an applied decision is shown as pending")
	}
	contains(t, i.must("undo", id, "--by", "lee"), "counts as never taken")
	contains(t, i.must("decisions"), "undone", "pending")
	i.must("run", "nightly", "--now", "2026-11-03T02:00:00Z")
	if strings.Contains(i.must("explain", "user1", "--org", "1001"), "by hand") {
		t.Error("the undone match stands")
	}
	i.must("ignore", "user2", "--org", "1001", "--by", "kim")
	i.must("run", "nightly", "--now", "2026-11-04T02:00:00Z")
	contains(t, i.must("users", "--status", "ignored"), "Bob Ray")
	contains(t, i.must("restore", "user2", "--org", "1001", "--by", "kim"), "is matched again like anybody else")
	contains(t, i.must("unmatch", "user4", "--org", "1001", "--by", "kim"), "is taken apart from contact 12, for good")
	i.must("run", "nightly", "--now", "2026-11-05T02:00:00Z")
	contains(t, i.must("users", "--status", "unmatched"), "Di Poe", "unmatched_by_hand")
	contains(t, i.must("create", "user4", "--org", "1001", "--by", "kim"), "gets a contact of its own")
	i.must("run", "nightly", "--now", "2026-11-06T02:00:00Z")
	contains(t, i.must("explain", "user4", "--org", "1001"), "which was created for the user")
}

func TestDecisionsAreRefused(t *testing.T) {
	t.Parallel()
	i := decided(t)
	i.refused(`no user "nobody"`, "ignore", "nobody", "--org", "1001")
	i.refused(`no user "user1"`, "ignore", "user1") // an account name needs its organization
	i.refused("no contact 99", "match", "user1", "99", "--org", "1001")
	i.refused("CONTACT must be the contact's id", "match", "user1", "ann", "--org", "1001")
	i.refused("match takes 2 arguments (got 1)", "match", "user1")
	i.refused("is not ignored", "restore", "user1", "--org", "1001")
	i.refused("is not matched", "unmatch", "user1", "--org", "1001")
	i.refused("has a contact; unmatch it first", "create", "user4", "--org", "1001")
	i.refused(`no decision "x"`, "undo", "x")
	i.must("match", "user1", "11", "--org", "1001", "--by", "kim")
	i.refused("changes nothing: ", "match", "user1", "11", "--org", "1001")
	i.refused("was matched by hand to user 00000000-0000-4000-8000-000000000001, by kim; --take takes it from there", "match", "user2", "11", "--org", "1001")
	contains(t, i.must("match", "user2", "11", "--org", "1001", "--by", "kim", "--take", "--dry-run"), "Nothing was decided")
	id := idOf(i.must("match", "user2", "11", "--org", "1001", "--by", "kim", "--take"))
	i.must("undo", id, "--by", "kim")
	i.refused("is undone already", "undo", id)
	i.must("match", "user2", "11", "--org", "1001", "--by", "kim", "--take")
	contains(t, i.must("match", "user1", "11", "--org", "1001", "--by", "kim", "--take"), "is matched to contact 11") // and back
	i.must("ignore", "user3", "--org", "1001", "--by", "kim")
	i.refused("is ignored; restore it first", "create", "user3", "--org", "1001")
	i.must("unmatch", "user4", "--org", "1001", "--by", "kim")
	i.refused("is not matched", "unmatch", "user4", "--org", "1001")
}

// The list that users prints is edited and fed back: shown first, decided with --yes, all or
// nothing.
func TestDecisionsFromAList(t *testing.T) {
	t.Parallel()
	i := decided(t)
	path := filepath.Join(i.folder, "list.csv")
	save := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := i.must("users", "--format", "csv")
	save(list)
	contains(t, i.must("match", "--from", path, "--by", "kim"), "1 lines change nothing.", "Nothing was decided")
	edited := strings.Replace(list, "ambiguous_email,,", "ambiguous_email,11,", 1)
	if edited == list {
		t.Fatalf("the list has no place for a contact:\n%s", list)
	}
	save("\ufeff" + edited)
	contains(t, i.must("match", "--from", path, "--by", "kim"), "is matched to contact 11", "Nothing was decided")
	if i.decisions() != "" {
		t.Error("a dry run decided")
	}
	save(edited + "1001,00000000-0000-4000-8000-00000000dead,,,,,,,99,,,\r\n")
	i.refused("list.csv:6: refused: no user", "match", "--from", path, "--yes")
	save(edited)
	contains(t, i.must("match", "--from", path, "--by", "kim", "--yes"), "1 decided by kim")
	contains(t, i.must("match", "--from", path, "--by", "kim", "--yes"), "2 lines change nothing.")
	save("user;organization_id;reason\nuser2;1001;left\nuser3;1001;\n")
	contains(t, i.must("ignore", "--from", path, "--by", "kim", "--yes"), "2 decided by kim")
	contains(t, i.must("decisions"), "left", "(3 rows)")
	save("name\nuser2\n")
	i.refused("list.csv:1: no column object_guid, nor user", "ignore", "--from", path)
	save("object_guid\nx,y\n")
	i.refused("list.csv:2: cannot be read as CSV", "ignore", "--from", path)
	save("object_guid\nfoo\"bar\n")
	i.refused("list.csv:2: cannot be read as CSV", "ignore", "--from", path)

	// The list shows the last run's links: fed back unedited it reverts nothing that waits.
	i.must("unmatch", "user4", "--org", "1001", "--by", "kim")
	before := i.decisions()
	save(i.must("users", "--format", "csv", "--search", "poe"))
	contains(t, i.must("match", "--from", path, "--by", "kim", "--yes"), "1 lines change nothing.")
	if i.decisions() != before {
		t.Error("a list that nobody edited decided something")
	}
}

// A decision on an organization that the last run left alone is still pending.
func TestDecisionsOfAnOrganizationLeftAlone(t *testing.T) {
	t.Parallel()
	i := decided(t)
	i.must("match", "user1", "11", "--org", "1001", "--by", "kim")
	source := filepath.Join(i.folder, "contacts.jsonl")
	if err := os.Rename(source, source+".hidden"); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := i.call("run", "nightly", "--now", "2026-11-02T02:00:00Z"); code != exitPartial {
		t.Fatalf("exit %d\n%s", code, out)
	}
	contains(t, i.must("decisions"), "pending")
	contains(t, i.must("users", "--search", "user1"), "match contact 11, by kim")
	if err := os.Rename(source+".hidden", source); err != nil {
		t.Fatal(err)
	}
	i.must("run", "nightly", "--now", "2026-11-03T02:00:00Z")
	contains(t, i.must("decisions"), "applied")
}

// A writer that was killed leaves a part of a line: the run says so and goes on, without it and
// with all others.
func TestTornDecisionIsReported(t *testing.T) {
	t.Parallel()
	i := decided(t)
	i.must("ignore", "user1", "--org", "1001", "--by", "kim")
	path := filepath.Join(i.folder, "data", "decisions.jsonl")
	if err := os.WriteFile(path, []byte(i.decisions()+`{"id":"x","at`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errors := i.call("run", "nightly", "--now", "2026-11-02T02:00:00Z")
	if code != exitDone || !strings.Contains(errors, "was torn off while it was written") {
		t.Errorf("exit %d\n%s", code, errors)
	}
	contains(t, i.must("users", "--status", "ignored"), "(1 rows)")
	code, _, errors = i.call("decisions")
	if code != exitDone || !strings.Contains(errors, "13 bytes") {
		t.Errorf("exit %d\n%s", code, errors)
	}
	i.must("ignore", "user2", "--org", "1001", "--by", "kim")
	contains(t, i.must("decisions"), "(2 rows)")
}
