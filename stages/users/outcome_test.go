package users

import (
	"testing"
	"time"

	"rollcall/stages/users/directory"
)

func TestCertificatesAreWarnedOf(t *testing.T) {
	t.Parallel()
	for end, want := range map[time.Time]string{
		{}:                              "",
		now.AddDate(0, 0, 31):           "",
		now.Add(CertificateWarning):     "",
		now.Add(CertificateWarning - 1): "the certificate of : expires on 2026-12-01: renew it",
		now.AddDate(0, 0, 2):            "the certificate of : expires on 2026-11-03: renew it",
	} {
		o := outcomeOf(tally{}, directory.Domain{CertificateExpires: end}, now)
		if got := o.message(); got != want {
			t.Errorf("%s: got %q, want %q", end, got, want)
		}
		if (o.certificate == nil) != end.IsZero() {
			t.Errorf("%s: the column is %v", end, o.certificate)
		}
	}
}
