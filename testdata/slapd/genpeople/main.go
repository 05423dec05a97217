// Command genpeople writes the accounts of a large domain as LDIF for slapadd to its standard
// output, and what a reader should count to the file that -expected names:
//
//	genpeople -n 200000 -expected DIR/expected.json | slapadd -q -s -f DIR/slapd.conf
//
// The same flags give the same bytes, and an account is the same whatever -n is. What a domain
// controller computes (the computed attributes) is stored, and is right at -now.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "genpeople:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("genpeople", flag.ContinueOnError)
	n := flags.Int("n", 0, "how many accounts")
	seed := flags.Uint64("seed", 1, "another seed gives other people")
	base := flags.String("base", "DC=load,DC=example,DC=com", "where to put them")
	at := flags.String("now", "2026-01-31T12:00:00Z", "the time that all others are relative to")
	expected := flags.String("expected", "", "the file to write the counts to")
	if err := flags.Parse(args); err != nil {
		return err //nolint:wrapcheck // names the flag
	}
	now, err := time.Parse(time.RFC3339, *at)
	if err != nil {
		return fmt.Errorf("read -now: %w", err)
	}
	if *n < 1 || flags.NArg() > 0 {
		return errors.New("usage: genpeople -n N [-seed N] [-base DN] [-now TIME] [-expected FILE]")
	}

	g := &generator{base: *base, seed: *seed, now: now, pcg: new(rand.PCG)}
	g.rng = rand.New(g.pcg) //nolint:gosec // the same people every time is what is wanted
	w := bufio.NewWriterSize(stdout, 1<<20)
	g.containers()
	for i := range *n {
		g.account(i)
		if _, err := w.Write(g.out); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		g.out = g.out[:0]
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	counts, err := json.Marshal(g.counts)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	fmt.Fprintf(stderr, "genpeople: %s\n", counts)
	if *expected == "" {
		return nil
	}
	return os.WriteFile(*expected, append(counts, '\n'), 0o600) //nolint:wrapcheck // names the file
}

// counts is what a reader should find. An account is one of users, shared, system, machine and
// trust; a disabled one is a user that is disabled.
type counts struct {
	Accounts int `json:"accounts"`
	Users    int `json:"users"`
	Shared   int `json:"shared"`
	System   int `json:"system"`
	Machine  int `json:"machine"`
	Trust    int `json:"trust"`
	Disabled int `json:"disabled"`
}

type generator struct {
	base   string
	seed   uint64
	now    time.Time
	pcg    *rand.PCG
	rng    *rand.Rand
	out    []byte
	counts counts
}

// Bits of userAccountControl, values of sAMAccountType and of msExchRecipientTypeDetails.
const (
	bitDisabled     = 0x2
	bitLocked       = 0x10 // in the computed attribute
	bitNormal       = 0x200
	bitTrust        = 0x820
	bitWorkstation  = 0x1000
	bitNeverExpires = 0x10000
	bitPwdExpired   = 0x800000 // in the computed attribute

	typeUser    = 805306368
	typeMachine = 805306369
	typeTrust   = 805306370

	mailboxUser   = 1
	mailboxShared = 4

	never     = 0x7FFFFFFFFFFFFFFF
	maxPwdAge = 42 * 24 * time.Hour // as in the domain's entry that with-slapd.sh writes
)

// text is a text and its form in an address.
type text struct{ full, plain string }

var (
	firstNames = []text{ //nolint:gochecknoglobals // a table
		{"Ann", "ann"}, {"Robert", "robert"}, {"Mary", "mary"}, {"José", "jose"}, {"Patricia", "patricia"},
		{"Łukasz", "lukasz"}, {"Jennifer", "jennifer"}, {"Søren", "soren"}, {"Michael", "michael"}, {"Zoë", "zoe"},
		{"Elizabeth", "elizabeth"}, {"David", "david"}, {"Jürgen", "jurgen"}, {"Barbara", "barbara"}, {"Richard", "richard"},
		{"Susan", "susan"}, {"Thomas", "thomas"}, {"Chloé", "chloe"}, {"Daniel", "daniel"}, {"Nguyên", "nguyen"},
		{"Matthew", "matthew"}, {"Anthony", "anthony"}, {"Айгуль", "aigul"}, {"Margaret", "margaret"}, {"Steven", "steven"},
	}
	lastNames = []text{ //nolint:gochecknoglobals // a table
		{"Smith", "smith"}, {"Johnson", "johnson"}, {"Müller", "muller"}, {"Williams", "williams"}, {"O'Brien", "obrien"},
		{"García", "garcia"}, {"Brown", "brown"}, {"Miller", "miller"}, {"Davis", "davis"}, {"Nowak", "nowak"},
		{"Rodríguez", "rodriguez"}, {"van der Berg", "vanderberg"}, {"Martinez", "martinez"}, {"Sørensen", "sorensen"}, {"Wilson", "wilson"},
		{"Taylor-Jones", "taylor-jones"}, {"Thomas", "thomas"}, {"Ström", "strom"}, {"Jackson", "jackson"}, {"Thompson", "thompson"},
		{"Иванова", "ivanova"}, {"White", "white"}, {"Henderson", "henderson"}, {"Łapiński", "lapinski"}, {"Featherstone", "featherstone"},
		{"Clark", "clark"}, {"Lewis", "lewis"}, {"Robinson", "robinson"}, {"Dvořák", "dvorak"}, {"Young", "young"},
	}
	titles = []string{"Accountant", "Senior Accountant", "Account Manager", "Field Technician", "Service Desk Analyst", //nolint:gochecknoglobals // a table
		"Director of Operations", "Warehouse Clerk", "Human Resources Generalist", "Software Engineer", "Regional Sales Manager", "Nurse", "Vice President, Finance"}
	departments = []string{"Finance", "Operations", "Information Technology", "Human Resources", "Sales & Marketing", //nolint:gochecknoglobals // a table
		"Customer Service", "Legal", "Logistics", "Research and Development"}
	sites = []string{"Amsterdam", "Boston", "Chicago", "Denver", "Gdańsk", "Houston", "London", "Zürich"} //nolint:gochecknoglobals // a table
)

func (g *generator) containers() {
	g.ou("OU=People", "People")
	for _, site := range sites {
		g.ou("OU="+site+",OU=People", site)
	}
	g.ou("OU=Shared Mailboxes", "Shared Mailboxes")
	g.ou("OU=Workstations", "Workstations")
}

func (g *generator) ou(rdn, name string) {
	g.value("dn", rdn+","+g.base)
	g.out = append(g.out, "objectClass: top\nobjectClass: organizationalUnit\n"...)
	g.value("ou", name)
	g.out = append(g.out, '\n')
}

// account writes the i-th account. The first ones are of every kind, so that few are enough.
func (g *generator) account(i int) {
	g.pcg.Seed(g.seed, uint64(i)) //nolint:gosec // not negative
	g.counts.Accounts++
	switch {
	case i < 3:
		g.counts.System++
		g.system(i)
	case i%1000 == 3:
		g.counts.Trust++
		g.trust(i)
	case i%50 == 4:
		g.counts.Machine++
		g.machine(i)
	case i%100 == 5:
		g.counts.Shared++
		g.shared(i)
	default:
		g.counts.Users++
		g.user(i)
	}
	g.out = append(g.out, '\n')
}

func (g *generator) user(i int) {
	first, last := pick(g, firstNames), pick(g, lastNames)
	number := strconv.Itoa(i)
	sam := first.plain[:1] + last.plain + number
	local := first.plain + "." + last.plain + number
	city := pick(g, sites)

	control, computed := int64(bitNormal), int64(0)
	if g.percent(2) {
		control |= bitDisabled
		g.counts.Disabled++
	}
	if g.percent(5) {
		control |= bitNeverExpires
	}
	created := g.before(10 * 365)
	pwdSet := g.before(40)
	if g.percent(4) {
		pwdSet = g.before(400)
	}
	pwdSet = later(created, pwdSet)
	pwdLastSet, pwdExpires := filetime(pwdSet), filetime(pwdSet.Add(maxPwdAge))
	mustChange := g.percent(1)
	switch {
	case control&bitNeverExpires != 0:
		pwdExpires = never
	case mustChange:
		pwdLastSet, pwdExpires, computed = 0, 0, bitPwdExpired
	case pwdExpires < filetime(g.now):
		computed = bitPwdExpired
	}
	if g.rng.IntN(500) == 0 {
		computed |= bitLocked
	}
	expires := int64(never)
	switch g.rng.IntN(50) {
	case 0:
		expires = filetime(g.now.AddDate(0, 0, g.rng.IntN(400)-100))
	case 1, 2, 3, 4, 5:
		expires = 0 // never, too
	}

	g.head("CN="+first.full+" "+last.full+" "+number+",OU="+city+",OU=People", first.full+" "+last.full+" "+number, "user", sam, i)
	g.status(typeUser, control, computed, expires, pwdLastSet, pwdExpires, created)
	if g.percent(5) {
		g.integer("lastLogon", 0) // never, or at another domain controller
	} else {
		logon := later(created, g.before(120))
		g.integer("lastLogon", filetime(logon))
		g.integer("lastLogonTimestamp", filetime(later(created, logon.Add(-time.Duration(g.rng.IntN(14*24))*time.Hour))))
	}
	g.value("userPrincipalName", local+"@load.example.com")
	g.value("givenName", first.full)
	g.value("sn", last.full)
	g.value("displayName", last.full+", "+first.full)
	g.value("title", pick(g, titles))
	g.value("department", pick(g, departments))
	g.value("telephoneNumber", g.phone())
	if g.percent(60) {
		g.value("mobile", g.phone())
	}
	if g.percent(97) {
		g.mailbox(local, sam, mailboxUser)
	}
}

func (g *generator) shared(i int) {
	name := "Shared " + pick(g, departments) + " " + strconv.Itoa(i)
	sam := "shared" + strconv.Itoa(i)
	created := g.before(5 * 365)
	set := filetime(created)
	g.head("CN="+name+",OU=Shared Mailboxes", name, "user", sam, i)
	g.status(typeUser, bitNormal|bitDisabled|bitNeverExpires, 0, never, set, never, created)
	g.integer("lastLogon", 0)
	g.value("userPrincipalName", sam+"@load.example.com")
	g.value("displayName", name)
	g.mailbox(sam, "team"+strconv.Itoa(i), mailboxShared)
}

func (g *generator) machine(i int) {
	name := fmt.Sprintf("WS-%06d", i)
	created := g.before(4 * 365)
	set, logon := later(created, g.before(30)), later(created, g.before(60))
	g.head("CN="+name+",OU=Workstations", name, "computer", name+"$", i)
	g.status(typeMachine, bitWorkstation, 0, never, filetime(set), never, created)
	g.integer("lastLogon", filetime(logon))
	g.integer("lastLogonTimestamp", filetime(logon))
	g.out = append(g.out, "isCriticalSystemObject: FALSE\n"...)
}

func (g *generator) trust(i int) {
	name := "PARTNER" + strconv.Itoa(i) + "$"
	created := g.before(4 * 365)
	g.head("CN="+name+",CN=Users", name, "user", name, i)
	g.status(typeTrust, bitTrust, 0, never, filetime(later(created, g.before(30))), never, created)
	g.integer("lastLogon", 0)
	g.out = append(g.out, "isCriticalSystemObject: TRUE\n"...)
}

// system writes one of Windows' own accounts: a relative id of 500 to 502.
func (g *generator) system(i int) {
	name := [...]string{"Administrator", "Guest", "krbtgt"}[i]
	control := [...]int64{bitNormal, bitNormal | 0x20 | bitDisabled | bitNeverExpires, bitNormal | bitDisabled}[i]
	created := g.now.AddDate(-11, 0, 0)
	expires, computed := filetime(created.Add(maxPwdAge)), int64(bitPwdExpired)
	if control&bitNeverExpires != 0 {
		expires, computed = never, 0
	}
	g.head("CN="+name+",CN=Users", name, "user", name, i)
	g.status(typeUser, control, computed, never, filetime(created), expires, created)
	g.integer("lastLogon", 0)
	g.out = append(g.out, "isCriticalSystemObject: TRUE\n"...)
}

func (g *generator) head(dn, cn, class, sam string, i int) {
	g.value("dn", dn+","+g.base)
	g.out = append(g.out, "objectClass: top\nobjectClass: person\nobjectClass: organizationalPerson\nobjectClass: user\n"...)
	category := "Person"
	if class != "user" {
		g.value("objectClass", class)
		category = "Computer"
	}
	g.value("cn", cn)
	g.value("sAMAccountName", sam)
	g.value("objectCategory", "CN="+category+",CN=Schema,CN=Configuration,"+g.base)
	g.integer("instanceType", 4)

	var guid [16]byte
	binary.BigEndian.PutUint64(guid[:8], g.rng.Uint64())
	binary.BigEndian.PutUint64(guid[8:], g.rng.Uint64())
	guid[7], guid[8] = guid[7]&0x0F|0x40, guid[8]&0x3F|0x80 // version 4; Data3 is little-endian
	g.octets("objectGUID", guid[:])

	sid := [28]byte{1, 5, 7: 5} // S-1-5-21-x-y-z-RID (MS-DTYP 2.4.2.2)
	rid := 500 + i
	if i >= 3 {
		rid = 1100 + i
	}
	for part, n := range [...]uint32{21, 1004336348, 1177238915, 682003330, uint32(rid)} { //nolint:gosec // far below 2^32
		binary.LittleEndian.PutUint32(sid[8+4*part:], n)
	}
	g.octets("objectSid", sid[:])
}

func (g *generator) status(accountType, control, computed, expires, pwdLastSet, pwdExpires int64, created time.Time) {
	g.integer("sAMAccountType", accountType)
	g.integer("userAccountControl", control)
	g.integer("msDS-User-Account-Control-Computed", computed)
	g.integer("accountExpires", expires)
	g.integer("pwdLastSet", pwdLastSet)
	g.integer("msDS-UserPasswordExpiryTimeComputed", pwdExpires)
	g.out = append(g.out, "whenCreated: "...)
	g.out = created.AppendFormat(g.out, "20060102150405.0Z\n")
}

func (g *generator) mailbox(local, alias string, recipient int64) {
	g.integer("msExchRecipientTypeDetails", recipient)
	g.value("mail", local+"@load.example.com")
	g.value("proxyAddresses", "SMTP:"+local+"@load.example.com")
	g.value("proxyAddresses", "smtp:"+alias+"@load.example.com")
	g.value("proxyAddresses", "smtp:"+local+"@load.mail.onmicrosoft.com")
	if g.percent(10) {
		g.value("proxyAddresses", "X500:/o=Load/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="+alias)
	}
}

func (g *generator) phone() string {
	number := strconv.Itoa(1_000_000 + g.rng.IntN(9_000_000))
	return "+1 (" + strconv.Itoa(201+g.rng.IntN(700)) + ") " + number[:3] + "-" + number[3:]
}

// before is a time in the last so many days.
func (g *generator) before(days int) time.Time {
	return g.now.Add(-time.Duration(1+g.rng.Int64N(int64(days)*24*3600)) * time.Second)
}

func (g *generator) percent(n int) bool { return g.rng.IntN(100) < n }

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// filetime counts 100 ns since 1601.
func filetime(t time.Time) int64 { return t.Unix()*10_000_000 + 116444736000000000 }

func (g *generator) integer(name string, n int64) {
	g.out = append(append(g.out, name...), ": "...)
	g.out = append(strconv.AppendInt(g.out, n, 10), '\n')
}

// value writes a text, in base64 where LDIF asks for it.
func (g *generator) value(name, text string) {
	if slices.ContainsFunc([]byte(text), func(c byte) bool { return c >= 0x80 }) {
		g.octets(name, []byte(text))
		return
	}
	g.out = append(append(append(append(g.out, name...), ": "...), text...), '\n')
}

func (g *generator) octets(name string, value []byte) {
	g.out = append(append(g.out, name...), ":: "...)
	g.out = append(base64.StdEncoding.AppendEncode(g.out, value), '\n')
}
