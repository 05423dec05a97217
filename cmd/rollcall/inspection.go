package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall/stages/users"
	"rollcall/stages/users/directory"
)

// maxSkew is the difference of two clocks that Kerberos refuses.
const maxSkew = 5 * time.Minute

// writeInspection tells what a read of a collector found, a line a subject.
func writeInspection(w io.Writer, found users.Inspection, now time.Time) {
	line := func(subject, format string, args ...any) {
		fmt.Fprintf(w, "  %-13s %s\n", subject, fmt.Sprintf(format, args...))
	}
	if found.Reading.Pinned != (directory.Controller{}) {
		encryption := found.Domain.Encryption
		if encryption == "" {
			encryption = "NOT ENCRYPTED"
		}
		line("bind", "%s, %s", found.Method, encryption)
		line("read from", "%s", controllerLine(found.Domain, found.Skew, now))
		line("below", "%s", strings.Join(found.Bases, "; "))
		for _, f := range found.Reading.Failed {
			line("not readable", "%s", f)
		}
		for _, answer := range found.Others {
			if answer.Err == nil {
				line("also there", "%s", controllerLine(answer.Domain, nil, now))
			} else if !slices.ContainsFunc(found.Reading.Failed, func(f directory.Failure) bool { return f.Controller == answer.Controller }) {
				line("no answer", "%s", directory.Failure{Controller: answer.Controller, Err: answer.Err})
			}
		}
		limits := "not readable for this account"
		if known := pageLimits(found.Domain.Limits); known != "" {
			limits = known
		}
		line("limits", "%s", limits)
	}
	line("users", "%d%s", found.Users, exclusions(found.Excluded))
	for _, m := range found.Missing {
		remedy := "let the account that reads see it"
		if found.Method == "" {
			remedy = "export it too"
		}
		line("not readable", "%s of %d of %d accounts: %s", m.Attribute, m.Accounts, found.People, remedy)
	}
	if len(found.Unseen) > 0 {
		line("seen on none", "%s (nobody has them, or they are not readable)", strings.Join(found.Unseen, ", "))
	}
	if found.Unreadable > 0 {
		line("left out", "%d values that are wrong, the first at %s", found.Unreadable, found.FirstWrong)
	}
}

// controllerLine names a controller with what its certificate and its clock say.
func controllerLine(d directory.Domain, skew *time.Duration, now time.Time) string {
	parts := []string{d.Controller.Name()}
	switch end := d.CertificateExpires; {
	case end.IsZero(): // not encrypted, which another line tells
	case end.Sub(now) < users.CertificateWarning:
		parts = append(parts, fmt.Sprintf("its certificate EXPIRES ON %s: renew it", end.Format(time.DateOnly)))
	default:
		parts = append(parts, "certificate until "+end.Format(time.DateOnly))
	}
	if skew != nil {
		text := fmt.Sprintf("clock %+.0f s", skew.Seconds())
		if skew.Abs() > maxSkew {
			text = fmt.Sprintf("its CLOCK IS %+.0f s FROM OURS: set the wrong one", skew.Seconds())
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// pageLimits are those of the controller's limits that a read runs into.
func pageLimits(limits []string) string {
	var known []string
	for _, limit := range limits {
		if name, _, _ := strings.Cut(limit, "="); slices.Contains([]string{"MaxPageSize", "MaxQueryDuration", "MaxValRange", "MaxResultSetSize", "MaxConnIdleTime"}, name) {
			known = append(known, limit)
		}
	}
	slices.Sort(known)
	return strings.Join(known, ", ")
}

func exclusions(excluded map[string]int64) string {
	if len(excluded) == 0 {
		return ""
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(excluded)) {
		parts = append(parts, fmt.Sprintf("%s %d", reason, excluded[reason]))
	}
	return "; left out: " + strings.Join(parts, ", ")
}
