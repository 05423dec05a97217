package users

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/stages/users/directory"
)

// outcome is how a complete read went.
type outcome struct {
	users int64
	// controllers are those that answered, the one that was read first; silent are those that
	// should have told their lastLogon and did not.
	controllers, silent []string
	// certificate is when the controller's expires; nil without one.
	certificate *time.Time
	// remarks are what a person should know all the same.
	remarks []string
}

// CertificateWarning is how long before its end a certificate is warned of.
const CertificateWarning = 30 * 24 * time.Hour

func outcomeOf(t tally, d directory.Domain, now time.Time) outcome {
	o := outcome{users: t.users}
	if t.unknown > 0 {
		o.remark("the status attributes of %d of %d users are not readable for this account: their AD status is unknown", t.unknown, t.users)
	}
	if t.unreadable > 0 {
		o.remark("%d values are wrong and were left out, the first at %s", t.unreadable, t.firstWrong)
	}
	if end := d.CertificateExpires; !end.IsZero() {
		o.certificate = &end
		if end.Sub(now) < CertificateWarning {
			o.remark("the certificate of %s expires on %s: renew it", d.Controller.Name(), end.Format(time.DateOnly))
		}
	}
	return o
}

// pinned tells which controller was read, and which ones could not be.
func (o *outcome) pinned(reading directory.Reading) {
	o.controllers = []string{reading.Pinned.Name()}
	if reading.Before != nil {
		o.remark("the read began anew after: %s", reading.Before)
	}
	if reading.MovesUnseen {
		o.remark("the server does not tell its changes: an account that moves from one base_dn to another while they are read could be missed")
	}
	for _, f := range reading.Failed {
		o.remark("%s was read instead of %s", reading.Pinned.Name(), f)
	}
}

// others tells which of the other controllers told their lastLogon.
func (o *outcome) others(reading directory.Reading, silent []directory.Failure) {
	of := func(list []directory.Failure, c directory.Controller) bool {
		return slices.ContainsFunc(list, func(f directory.Failure) bool { return f.Controller == c })
	}
	for _, f := range silent {
		o.silent = append(o.silent, f.Controller.Name())
		if !of(reading.Failed, f.Controller) { // of which is told already
			o.remark("no lastLogon from %s", f)
		}
	}
	for _, c := range reading.Others {
		if !of(silent, c) {
			o.controllers = append(o.controllers, c.Name())
		}
	}
}

func (o *outcome) remark(format string, args ...any) {
	o.remarks = append(o.remarks, fmt.Sprintf(format, args...))
}

func (o outcome) message() string { return strings.Join(o.remarks, "; ") }
