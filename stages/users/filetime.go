package users

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Active Directory counts time in ticks of 100 ns since 1601-01-01 UTC (FILETIME, MS-DTYP
// 2.3.3). Two values are no times at all.
const (
	ticksNone  = 0
	ticksNever = 0x7FFFFFFFFFFFFFFF
	// unixEpochMicros are the microseconds from 1601 to 1970.
	unixEpochMicros = 11644473600 * 1000000
	ticksPerMicro   = 10
	// lastMicros is the last microsecond of year 9999, the last that RFC 3339 can write.
	lastMicros = 253402300800*1000000 - 1
	// firstYear is where FILETIME begins; a directory holds no earlier time.
	firstYear = 1601
)

// fromTicks converts a FILETIME that is a time. It computes in microseconds: nanoseconds
// overflow after 2262, so that 0x7FFF… would become 2185.
func fromTicks(ticks int64) (time.Time, error) {
	micros := ticks/ticksPerMicro - unixEpochMicros
	if ticks < 0 || micros > lastMicros {
		return time.Time{}, fmt.Errorf("%d is not a time between 1601 and 9999", ticks)
	}
	return time.UnixMicro(micros).UTC(), nil
}

// parseInteger reads an attribute of LDAP's Integer or LargeInteger syntax.
func parseInteger(value []byte) (int64, error) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a whole number of 64 bits", value)
	}
	return n, nil
}

// parseGeneralizedTime reads YYYYMMDDHHMMSS[.f]Z (RFC 4517, 3.3.13), as Active Directory writes it.
func parseGeneralizedTime(value []byte) (time.Time, error) {
	layout := "20060102150405Z"
	if bytes.ContainsAny(value, ".,") {
		layout = "20060102150405.999999999Z"
	}
	t, err := time.Parse(layout, string(value))
	if err != nil || t.Year() < firstYear {
		return time.Time{}, fmt.Errorf("%.40q is not a time such as 20260101000000.0Z", value)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}
