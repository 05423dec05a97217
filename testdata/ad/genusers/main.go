// Command genusers writes the directory that the Active Directory test reads:
// LDIF for ldbadd and ldbmodify, the lists of accounts that provision.sh logs
// on and locks out, and the contacts that go with them.
//
// The same flags and the same environment give the same bytes. Times are
// relative to -now, because a domain controller judges lockouts and password
// ages by its own clock.
//
//	genusers -out DIR -base DC=corp,DC=example,DC=com -now 2026-01-31T12:00:00Z
//
// Written to DIR:
//
//	10-containers.ldif   ldbadd
//	20-users-NN.ldif     ldbadd with bypass, at most 2,000 users a file
//	30-passwords.ldif    ldbadd
//	40-others.ldif       ldbadd: groups, policies, computers, contacts
//	50-changes.ldif      ldbmodify with bypass
//	60-dc2.ldif          ldbmodify with bypass, on a second controller
//	logon.txt            principals to log on, one a line
//	lockout.txt          principals to lock out, one a line
//	logon2.txt           sAMAccountNames last logged on at the second controller
//	contacts.jsonl       documented contacts of organization 1001 (and a few of 2002)
//
// Hashing a password costs a domain controller some 20 ms, ten times the rest
// of an account, so only accounts that bind get one; they are in
// 30-passwords.ldif. The others are added with "bypass", Samba's control
// 1.3.6.1.4.1.7165.4.3.20, under which pwdLastSet is an attribute like any
// other: the only way to a password of last year.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

const (
	usersPerFile = 2000 // a larger ldbadd transaction gets slow out of all proportion
	never        = "9223372036854775807"
	orgID        = 1001
	otherOrgID   = 2002

	uacNormal    = 0x200
	uacDisabled  = 0x2
	uacTrust     = 0x820
	uacNeverExp  = 0x10000
	uacSmartcard = 0x40000
)

func main() {
	g := &gen{}
	var now string
	flag.StringVar(&g.out, "out", "", "directory to write to")
	flag.StringVar(&g.base, "base", "DC=corp,DC=example,DC=com", "the domain's base DN")
	flag.IntVar(&g.n, "users", 3200, "number of accounts without a password; some 150 with one are added")
	flag.StringVar(&now, "now", "2026-01-31T12:00:00Z", "the time that the generated times are relative to")
	flag.Parse()
	if err := g.run(now); err != nil {
		fmt.Fprintln(os.Stderr, "genusers:", err)
		os.Exit(1)
	}
}

type gen struct {
	out, base, domain string
	n                 int
	now               time.Time
	rng               *rand.Rand
	password, service string // of the users that bind, and of svc-rollcall

	people            []person
	weekly, ageless   []string // DNs in the groups of the fine-grained policies
	direct            []string // DNs that the ageless policy names itself
	logon, lockout    []string
	logon2            []string
	changes           []change // what accounts can only become
	changes2          []change // on the second controller
	plain, withSecret []entry
}

// An attr is one line of LDIF.
type attr struct{ name, value string }

// A change replaces an attribute.
type change struct{ dn, name, value string }

type entry struct {
	dn    string
	attrs []attr
}

func (e *entry) add(name, value string) {
	if value != "" {
		e.attrs = append(e.attrs, attr{name, value})
	}
}

// A person is what the contacts are made from.
type person struct {
	first, last, email, title string
}

func (g *gen) run(now string) (err error) {
	if g.out == "" {
		return errors.New("-out is needed")
	}
	if g.now, err = time.Parse(time.RFC3339, now); err != nil {
		return err
	}
	var labels []string
	for rdn := range strings.SplitSeq(g.base, ",") {
		_, label, _ := strings.Cut(rdn, "=")
		labels = append(labels, label)
	}
	g.domain = strings.ToLower(strings.Join(labels, "."))
	g.password = os.Getenv("ROLLCALL_AD_USER_PASSWORD")
	g.service = os.Getenv("ROLLCALL_AD_PASSWORD")
	if g.password == "" || g.service == "" {
		return errors.New("ROLLCALL_AD_USER_PASSWORD and ROLLCALL_AD_PASSWORD must be set: passwords are made anew for every domain")
	}
	g.rng = rand.New(rand.NewPCG(1001, 2002))

	for i := range g.n {
		g.bulk(i)
	}
	g.binding()
	g.special()

	if err := os.MkdirAll(g.out, 0o700); err != nil {
		return err
	}
	files := map[string]func(io.Writer) error{
		"10-containers.ldif": g.containers,
		"30-passwords.ldif":  func(w io.Writer) error { return writeEntries(w, g.withSecret) },
		"40-others.ldif":     g.others,
		"50-changes.ldif":    modifications(g.changes),
		"60-dc2.ldif":        modifications(g.changes2),
		"logon.txt":          lines(g.logon),
		"lockout.txt":        lines(g.lockout),
		"logon2.txt":         lines(g.logon2),
		"contacts.jsonl":     g.contacts,
	}
	part := 0
	for chunk := range slices.Chunk(g.plain, usersPerFile) {
		part++
		files[fmt.Sprintf("20-users-%02d.ldif", part)] = func(w io.Writer) error { return writeEntries(w, chunk) }
	}
	// In order of name: the contacts draw from the random numbers too.
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := writeFile(filepath.Join(g.out, name), files[name]); err != nil {
			return err
		}
	}
	fmt.Printf("%d users (%d with a password), %d to log on, %d to lock out\n",
		len(g.plain)+len(g.withSecret), len(g.withSecret), len(g.logon), len(g.lockout))
	return nil
}

// ---- names ----

// Latin names come with the spelling they have in an address.
var firstNames = [][2]string{
	{"Ann", "ann"}, {"Zoë", "zoe"}, {"José", "jose"}, {"Jürgen", "juergen"}, {"Łukasz", "lukasz"},
	{"İbrahim", "ibrahim"}, {"Søren", "soren"}, {"Æsa", "aesa"}, {"Þóra", "thora"}, {"Đorđe", "dorde"},
	{"François", "francois"}, {"Anne-Marie", "anne-marie"}, {"Jean\u2011Luc", "jean-luc"}, {"Renée", "renee"},
	{"Rene\u0301", "rene"}, {"Ángel", "angel"}, {"Ýmir", "ymir"}, {"Ştefan", "stefan"}, {"Žofie", "zofie"},
	{"Mary Jane", "mary.jane"}, {"J.P.", "jp"}, {"Siobhán", "siobhan"}, {"Núria", "nuria"}, {"Björk", "bjork"},
	{"Ola", "ola"}, {"Peter", "peter"}, {"Sarah", "sarah"}, {"Tom", "tom"}, {"Priya", "priya"}, {"Kenji", "kenji"},
	{"Chloé", "chloe"}, {"Gül", "gul"}, {"Ingrid", "ingrid"}, {"Oscar", "oscar"}, {"Vytautė", "vytaute"},
	{"Jo", "jo"}, {"Marķis", "markis"}, {"Dmitrijs", "dmitrijs"}, {"Éowyn", "eowyn"}, {"Uwe", "uwe"},
}

var lastNames = [][2]string{
	{"Lee", "lee"}, {"O'Brien", "obrien"}, {"O\u2019Brien", "obrien"}, {"Smith-Jones", "smith-jones"},
	{"Smith\u2013Jones", "smith-jones"}, {"Großmann", "grossmann"}, {"Müller", "mueller"}, {"Núñez", "nunez"},
	{"Østergård", "ostergard"}, {"Ćirić", "ciric"}, {"Nguyễn", "nguyen"}, {"D'Angelo", "dangelo"},
	{"van der Berg", "vanderberg"}, {"McDonald", "mcdonald"}, {"de la Cruz", "delacruz"}, {"St. John", "stjohn"},
	{"Wałęsa", "walesa"}, {"Işık", "isik"}, {"Ærø", "aero"}, {"Þorsteinsson", "thorsteinsson"}, {"Guðmundsson", "gudmundsson"},
	{"Đukić", "dukic"}, {"Dvořák", "dvorak"}, {"Škoda", "skoda"}, {"Bérénger", "berenger"}, {"Lefèvre", "lefevre"},
	{"Cœur", "coeur"}, {"Kovács", "kovacs"}, {"Őry", "ory"}, {"Țepeș", "tepes"}, {"Ħaż-Żebbuġ", "haz-zebbug"},
	{"Smith", "smith"}, {"Jones", "jones"}, {"Patel", "patel"}, {"Tanaka", "tanaka"}, {"Johansson", "johansson"},
	{"Nowak", "nowak"}, {"Rossi", "rossi"}, {"García", "garcia"}, {"Silva", "silva"}, {"Kim", "kim"},
	{"Hansen", "hansen"}, {"Dubois", "dubois"}, {"Novák", "novak"}, {"Popescu", "popescu"}, {"Yılmaz", "yilmaz"},
	{"Fernández", "fernandez"}, {"Weiß", "weiss"}, {"Ó Súilleabháin", "osuilleabhain"}, {"Papp", "papp"},
	{"Brown", "brown"}, {"Taylor", "taylor"}, {"Wright", "wright"}, {"Khan", "khan"}, {"Berzins", "berzins"},
	{"Kallas", "kallas"}, {"Virtanen", "virtanen"}, {"Lindström", "lindstrom"}, {"Ionescu", "ionescu"}, {"Horvat", "horvat"},
}

// Names that no address is spelled from.
var otherNames = [][2]string{
	{"Γιώργος", "Παπαδόπουλος"}, {"Ελένη", "Οικονόμου"}, {"Νίκος", "Ζήσης"}, {"Σοφία", "Αθανασίου"},
	{"Сергей", "Ёлкин"}, {"Наталья", "Щербакова"}, {"Олексій", "Їжакевич"}, {"Борис", "Йовчев"},
	{"小明", "王"}, {"さくら", "田中"}, {"محمد", "العلي"}, {"דוד", "כהן"}, {"Արամ", "Պետրոսյան"}, {"ნინო", "ბერიძე"},
}

var (
	titles = []string{"CFO", "Engineer", "Sales & Marketing", "Directeur général", "Geschäftsführer", "Бухгалтер",
		"Support <2nd line>", "Réceptionniste", "VP, Operations", "\"Fixer\"", "Head of 🚀", "Λογιστής", "Technician; field"}
	departments = []string{"Finance", "Engineering", "Sales", "Forschung & Entwicklung", "Støtte", "Λογιστήριο", "HR/People"}

	ous = []string{
		"OU=Staff", "OU=Sales,OU=Staff", "OU=Engineering,OU=Staff", "OU=Støtte,OU=Staff",
		"OU=Οικονομικά,OU=Staff", "OU=Бухгалтерия,OU=Staff", "OU=R\\26D \\, Labs,OU=Engineering,OU=Staff",
		"OU=Service Accounts", "OU=Leavers", "OU=Groups", "OU=Machines",
	}
	staffOUs = []string{ous[0], ous[1], ous[2], ous[3], ous[4], ous[5], ous[6], ous[8]}
)

// ---- accounts ----

// bulk makes one account without a password. What kind it is depends on i, so
// that every kind is there in a known number.
func (g *gen) bulk(i int) {
	r := g.rng
	var first, last, local string
	if i%25 == 24 {
		p := otherNames[r.IntN(len(otherNames))]
		first, last, local = p[0], p[1], fmt.Sprintf("user%04d", i)
	} else {
		f, l := firstNames[r.IntN(len(firstNames))], lastNames[r.IntN(len(lastNames))]
		first, last = f[0], l[0]
		local = fmt.Sprintf("%s.%s.%d", f[1], l[1], i)
	}
	sam := fmt.Sprintf("u%04d", i)
	switch {
	case i%10 < 3:
		sam = fmt.Sprintf("%.13s.%d", strings.ReplaceAll(local, ".", ""), i)
	case i%100 == 37:
		sam = fmt.Sprintf("ü%04d-é", i)
	}
	cn := fmt.Sprintf("%s %s (%d)", first, last, i)
	if i%6 == 5 {
		cn = fmt.Sprintf("%s, %s (%d)", last, first, i)
	}
	dn := "CN=" + escapeDN(cn) + "," + staffOUs[r.IntN(len(staffOUs))] + "," + g.base
	e := entry{dn: dn}
	e.add("objectClass", "user")
	if i%250 == 100 {
		e.add("objectClass", "inetOrgPerson") // a person's account too, though of another class
	}
	e.add("sAMAccountName", sam)
	switch {
	case i%33 == 32: // no principal name
	case i%7 == 6:
		e.add("userPrincipalName", fmt.Sprintf("%s@contoso.example", local))
	default:
		e.add("userPrincipalName", fmt.Sprintf("%s@%s", sam, g.domain))
	}
	p := person{first: first, last: last}
	switch i % 41 {
	case 38:
		p.first = ""
	case 39:
		p.last = ""
	case 40:
		p.first, p.last = "", ""
	}
	e.add("givenName", p.first)
	e.add("sn", p.last)
	if i%19 != 18 {
		e.add("displayName", strings.TrimSpace(p.first+" "+p.last))
	}
	if r.IntN(5) > 0 {
		p.title = titles[r.IntN(len(titles))]
		e.add("title", p.title)
	}
	if r.IntN(5) > 0 {
		e.add("department", departments[r.IntN(len(departments))])
	}
	if r.IntN(10) < 6 {
		e.add("telephoneNumber", fmt.Sprintf("+44 20 7946 %04d", i))
	}
	if r.IntN(2) == 0 {
		e.add("mobile", fmt.Sprintf("07700 90%04d", i))
	}
	p.email = g.mail(&e, r.IntN(20), local, i)
	g.status(&e, i)
	g.logons(&e, i)
	g.elsewhere(dn, sam, i)
	g.plain = append(g.plain, e)
	g.people = append(g.people, p)
}

// mail adds the addresses and returns the one that counts.
func (g *gen) mail(e *entry, kind int, local string, i int) string {
	const dom = "contoso.example"
	addr := local + "@" + dom
	proxies := func(values ...string) {
		// The primary address is told by its prefix, never by its place.
		g.rng.Shuffle(len(values), func(a, b int) { values[a], values[b] = values[b], values[a] })
		for _, v := range values {
			e.add("proxyAddresses", v)
		}
	}
	switch {
	case kind < 6: // mail only
		e.add("mail", addr)
	case kind < 12: // both, and aliases
		e.add("mail", addr)
		proxies("SMTP:"+addr, fmt.Sprintf("smtp:alias%d@%s", i, dom), "SIP:"+addr,
			fmt.Sprintf("X500:/o=Contoso/ou=Exchange/cn=Recipients/cn=%d", i))
	case kind < 14: // they differ: mail wins
		e.add("mail", addr)
		proxies(fmt.Sprintf("SMTP:primary%d@%s", i, dom), "smtp:"+addr)
	case kind < 16: // the primary proxy address only
		proxies("smtp:old."+addr, "SMTP:"+addr, "SIP:sip."+addr)
	case kind == 16: // aliases only: no e-mail
		proxies("smtp:"+addr, "SIP:"+addr, fmt.Sprintf("X500:/o=Contoso/cn=%d", i))
		return ""
	case kind == 17: // none at all
		return ""
	case kind == 18:
		addr = strings.ToUpper(local) + "@Contoso.EXAMPLE"
		e.add("mail", addr)
	default:
		addr = fmt.Sprintf("jörg%d@münchen.example", i)
		e.add("mail", addr)
	}
	return addr
}

func (g *gen) status(e *entry, i int) {
	var (
		uac     = uacNormal
		set     = g.ago(time.Duration(g.rng.Int64N(int64(40 * 24 * time.Hour)))) // within the domain's 42 days
		expires = ""
		lockout = ""
		long    = func() string { // ago, beyond any maximum age
			return g.ago(43*24*time.Hour + time.Duration(g.rng.Int64N(int64(900*24*time.Hour))))
		}
		soon = time.Duration(20+g.rng.IntN(30)) * time.Minute
	)
	switch i % 100 {
	case 60, 61, 62, 63:
		uac |= uacDisabled
	case 64: // disabled, and everything else as well
		uac |= uacDisabled | uacNeverExp
		expires, lockout = g.ago(240*time.Hour), g.ago(time.Minute)
	case 65, 66, 67:
		expires = g.ago(time.Duration(1+g.rng.IntN(2000)) * time.Hour)
	case 68:
		expires = "1" // 1601, and not one of the values that mean never
	case 69, 70:
		expires = "0"
	case 71:
		expires = never
	case 72, 73:
		uac |= uacNeverExp
	case 74:
		uac |= uacNeverExp
		set = long()
	case 75, 76:
		uac |= uacSmartcard
	case 77:
		uac |= uacSmartcard
		set = "0"
	case 78, 79, 80, 81:
		set = "0"
	case 82, 83, 84, 85, 86, 87:
		set = long()
	case 88, 89: // some of these have expired, under a policy of 7 days
		g.weekly = append(g.weekly, e.dn)
		set = g.ago(time.Duration(g.rng.Int64N(int64(20 * 24 * time.Hour))))
	case 90:
		g.ageless = append(g.ageless, e.dn)
		set = long()
	case 91: // in the group of one policy and named by the other, which wins
		g.weekly = append(g.weekly, e.dn)
		g.direct = append(g.direct, e.dn)
		set = long()
	case 92:
		uac |= uacDisabled
		expires = g.ago(48 * time.Hour)
	case 93:
		expires = g.ago(-time.Duration(1+g.rng.IntN(2000)) * time.Hour)
	case 94:
		expires = "2650467743990000000" // the year 9999
	case 95:
		uac |= uacNeverExp
		set = "0"
	case 96: // a lockout that is over leaves lockoutTime behind
		lockout = g.ago(72 * time.Hour)
	case 97: // between a run now and one an hour later
		expires = g.ago(-soon)
	case 98:
		lockout = g.ago(5 * time.Minute)
		if i%200 < 100 {
			uac |= uacDisabled
		}
	case 99:
		expires = g.ago(24 * time.Hour)
		lockout = g.ago(5 * time.Minute)
	case 1: // the password expires within the hour
		set = g.ago(42*24*time.Hour - soon)
	case 2:
		g.weekly = append(g.weekly, e.dn)
		set = g.ago(7*24*time.Hour - soon)
	}
	e.add("userAccountControl", fmt.Sprint(uac))
	e.add("pwdLastSet", set)
	e.add("accountExpires", expires)
	e.add("lockoutTime", lockout)
}

// logons: lastLogon is this domain controller's, lastLogonTimestamp may have
// come from another one, so either can be the later.
func (g *gen) logons(e *entry, i int) {
	days := func(n int) time.Duration {
		return time.Duration(n)*24*time.Hour + time.Duration(g.rng.Int64N(int64(24*time.Hour)))
	}
	switch i * 7 % 11 {
	case 0, 1: // never
	case 2:
		e.add("lastLogon", "0")
	case 3:
		e.add("lastLogon", "0")
		e.add("lastLogonTimestamp", g.ago(days(30)))
	case 4:
		e.add("lastLogonTimestamp", g.ago(days(i%700)))
	case 5:
		e.add("lastLogon", g.ago(days(i%400)))
	case 6:
		t := g.ago(days(i % 90))
		e.add("lastLogon", t)
		e.add("lastLogonTimestamp", t)
	case 7, 8:
		e.add("lastLogon", g.ago(days(1)))
		e.add("lastLogonTimestamp", g.ago(days(12)))
	default:
		e.add("lastLogon", g.ago(days(100)))
		e.add("lastLogonTimestamp", g.ago(days(12)))
	}
}

// elsewhere: what the second controller knows of logons that the first does
// not. Most of its lastLogon are newer than the first one's, of whatever kind
// that is; a few are older.
func (g *gen) elsewhere(dn, sam string, i int) {
	switch i % 160 {
	case 3:
		g.logon2 = append(g.logon2, sam)
		g.changes2 = append(g.changes2, change{dn, "lastLogon", g.ago(time.Duration(i) * 10 * time.Second)})
	case 83:
		g.changes2 = append(g.changes2, change{dn, "lastLogon", g.ago(time.Duration(1000+i) * 24 * time.Hour)})
	}
}

// binding makes the accounts with a password: the service account, those that
// are logged on and those that are locked out.
func (g *gen) binding() {
	svc := entry{dn: "CN=svc-rollcall,OU=Service Accounts," + g.base}
	svc.add("objectClass", "user")
	svc.add("sAMAccountName", "svc-rollcall")
	svc.add("userPrincipalName", "svc-rollcall@"+g.domain)
	svc.add("description", "reads the directory; an ordinary account with no rights of its own")
	svc.add("userAccountControl", fmt.Sprint(uacNormal|uacNeverExp))
	svc.add("clearTextPassword", utf16le(g.service))
	g.withSecret = append(g.withSecret, svc)
	g.people = append(g.people, person{})

	for i := range 140 {
		kind := "logon"
		if i >= 80 {
			kind = "lockout"
		}
		sam := fmt.Sprintf("%s%03d", kind, i)
		upn := sam + "@" + g.domain
		f, l := firstNames[i%len(firstNames)], lastNames[(i*7)%len(lastNames)]
		dn := fmt.Sprintf("CN=%s %s %s,OU=Sales,OU=Staff,%s", escapeDN(f[0]), escapeDN(l[0]), sam, g.base)
		p := person{first: f[0], last: l[0], email: sam + "@contoso.example", title: titles[i%len(titles)]}
		e := entry{dn: dn}
		e.add("objectClass", "user")
		e.add("sAMAccountName", sam)
		e.add("userPrincipalName", upn)
		e.add("givenName", p.first)
		e.add("sn", p.last)
		e.add("displayName", p.first+" "+p.last)
		e.add("mail", p.email)
		e.add("title", p.title)
		uac := uacNormal
		switch {
		case kind == "logon" && i%10 == 0: // must change at a later logon: a password, but no age
			e.add("pwdLastSet", "0")
		case kind == "logon":
			g.logon = append(g.logon, upn)
			if i%10 == 5 { // the logon is newer than what another controller knows
				e.add("lastLogonTimestamp", g.ago(200*24*time.Hour))
			}
			if i%10 == 7 {
				g.weekly = append(g.weekly, dn)
			}
		case i%10 == 1:
			uac |= uacNeverExp
		case i%10 == 2:
			g.weekly = append(g.weekly, dn)
		case i%10 == 3: // locked, and expired: expired is what shows
			e.add("accountExpires", g.ago(-25*time.Minute))
		case i%10 == 4:
			g.changes = append(g.changes, change{dn, "pwdLastSet", g.ago(20 * 24 * time.Hour)})
		}
		if kind == "lockout" {
			g.lockout = append(g.lockout, upn)
		}
		e.add("userAccountControl", fmt.Sprint(uac))
		e.add("clearTextPassword", utf16le(g.password))
		g.withSecret = append(g.withSecret, e)
		g.people = append(g.people, p)
	}
}

// special makes the accounts that have to be there exactly so.
func (g *gen) special() {
	for i, s := range []struct {
		cn    string
		p     person
		attrs []attr
	}{
		{cn: "Smith+Wesson", p: person{first: "A+B", last: "C+D", email: "a+b@contoso.example"}},
		{cn: `Quote "Q" <x>`, p: person{first: `Quo"te`, last: `<b>&amp;`, email: "quote@contoso.example"}},
		{cn: "#hash; semi\\back=eq", p: person{first: "#", last: `back\slash`, email: "hash@contoso.example"}},
		{cn: "Twin One", p: person{first: "Twin", last: "Same", email: "twin@contoso.example"}},
		{cn: "Twin Two", p: person{first: "Twin", last: "Same", email: "twin@contoso.example"}},
		{cn: "Formula", p: person{first: "=1+1", last: "@SUM(A1)", email: "formula@contoso.example"}},
		{cn: "Quote' SQL", p: person{first: "Robert'); DROP TABLE users;--", last: "Tables", email: "bobby@contoso.example"}},
		{cn: "Multi line", p: person{first: "Multi", last: "Line", email: "multi@contoso.example"}, attrs: []attr{
			{"department", "two\nlines"}, {"description", "first line\nsecond line"}}},
		{cn: "Malformed mail", p: person{first: "Mal", last: "Formed", email: "n/a"}},
		{cn: "Group mail", p: person{first: "Same", last: "Address", email: "info@contoso.example"}},
		{cn: "Group mail too", p: person{first: "Shared", last: "Address", email: "INFO@contoso.example"}},
	} {
		e := entry{dn: "CN=" + escapeDN(s.cn) + ",OU=Staff," + g.base}
		e.add("objectClass", "user")
		e.add("sAMAccountName", fmt.Sprintf("special%02d", i))
		e.add("userPrincipalName", fmt.Sprintf("special%02d@%s", i, g.domain))
		e.add("givenName", s.p.first)
		e.add("sn", s.p.last)
		e.add("displayName", s.cn)
		e.add("mail", s.p.email)
		e.add("userAccountControl", fmt.Sprint(uacNormal))
		e.add("pwdLastSet", g.ago(time.Duration(i)*time.Hour))
		e.attrs = append(e.attrs, s.attrs...)
		g.plain = append(g.plain, e)
		g.people = append(g.people, s.p)
	}
	// A trust with another domain makes an account whose type is not a person's;
	// Samba lets one become that, not be added as that.
	trust := entry{dn: "CN=PARTNER$,CN=Users," + g.base}
	trust.add("objectClass", "user")
	trust.add("sAMAccountName", "PARTNER$")
	trust.add("userAccountControl", fmt.Sprint(uacNormal))
	g.changes = append(g.changes, change{trust.dn, "userAccountControl", fmt.Sprint(uacTrust)})
	g.plain = append(g.plain, trust)
	g.people = append(g.people, person{})
}

// ---- the rest of the directory ----

func (g *gen) containers(w io.Writer) error {
	var all []entry
	for _, ou := range ous {
		e := entry{dn: ou + "," + g.base}
		e.add("objectClass", "organizationalUnit")
		all = append(all, e)
	}
	return writeEntries(w, all)
}

func (g *gen) others(w io.Writer) error {
	var all []entry
	group := func(name string, members []string) string {
		e := entry{dn: "CN=" + name + ",OU=Groups," + g.base}
		e.add("objectClass", "group")
		e.add("sAMAccountName", name)
		e.add("groupType", "-2147483646")
		e.add("mail", strings.ToLower(strings.ReplaceAll(name, " ", "."))+"@contoso.example")
		for _, m := range members {
			e.add("member", m)
		}
		all = append(all, e)
		return e.dn
	}
	weekly := group("Weekly Passwords", g.weekly)
	ageless := group("Ageless Passwords", g.ageless)
	group("Everyone Else", nil)

	policy := func(name, precedence, maxAge string, applies ...string) {
		e := entry{dn: "CN=" + name + ",CN=Password Settings Container,CN=System," + g.base}
		e.add("objectClass", "msDS-PasswordSettings")
		e.add("msDS-PasswordSettingsPrecedence", precedence)
		e.add("msDS-PasswordReversibleEncryptionEnabled", "FALSE")
		e.add("msDS-PasswordHistoryLength", "0")
		e.add("msDS-PasswordComplexityEnabled", "FALSE")
		e.add("msDS-MinimumPasswordLength", "7")
		e.add("msDS-MinimumPasswordAge", "0")
		e.add("msDS-MaximumPasswordAge", maxAge)
		e.add("msDS-LockoutThreshold", "3")
		e.add("msDS-LockoutObservationWindow", "-864000000000")
		e.add("msDS-LockoutDuration", "-864000000000")
		for _, dn := range applies {
			e.add("msDS-PSOAppliesTo", dn)
		}
		all = append(all, e)
	}
	policy("Weekly", "10", "-6048000000000", weekly)
	policy("Ageless", "20", "-9223372036854775808", append([]string{ageless}, g.direct...)...)

	for i := range 40 {
		e := entry{dn: fmt.Sprintf("CN=PC%03d,OU=Machines,%s", i, g.base)}
		e.add("objectClass", "computer")
		e.add("sAMAccountName", fmt.Sprintf("PC%03d$", i))
		e.add("userAccountControl", "4096")
		all = append(all, e)
	}
	msa := entry{dn: "CN=msa-backup,CN=Managed Service Accounts," + g.base}
	msa.add("objectClass", "msDS-ManagedServiceAccount")
	msa.add("sAMAccountName", "msa-backup$")
	msa.add("userAccountControl", "4096")
	all = append(all, msa)

	for i := range 20 { // mail contacts: persons, but no accounts
		e := entry{dn: fmt.Sprintf("CN=External %d,OU=Staff,%s", i, g.base)}
		e.add("objectClass", "contact")
		e.add("givenName", "External")
		e.add("sn", fmt.Sprint(i))
		e.add("mail", fmt.Sprintf("external%d@elsewhere.example", i))
		all = append(all, e)
	}
	return writeEntries(w, all)
}

func modifications(changes []change) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, c := range changes {
			writeAttr(w, attr{"dn", c.dn})
			fmt.Fprintf(w, "changetype: modify\nreplace: %s\n%s: %s\n\n", c.name, c.name, c.value)
		}
		return nil
	}
}

// ---- contacts ----

type contact struct {
	ID          int64   `json:"id"`
	Org         int64   `json:"organization_id"`
	FirstName   string  `json:"first_name"`
	LastName    string  `json:"last_name"`
	Title       string  `json:"title,omitempty"`
	ContactType string  `json:"contact_type,omitempty"`
	Location    string  `json:"location,omitempty"`
	Emails      []email `json:"emails,omitempty"`
	Phones      []phone `json:"phones,omitempty"`
	PSAID       string  `json:"psa_id,omitempty"`
	UpdatedAt   string  `json:"updated_at"`
}

type email struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
	Label   string `json:"label"`
}

type phone struct {
	Value     string `json:"value"`
	Extension string `json:"extension,omitempty"`
	Primary   bool   `json:"primary"`
	Label     string `json:"label"`
	Kind      string `json:"kind"`
}

func (g *gen) contacts(w io.Writer) error {
	r := g.rng
	var all []contact
	add := func(org int64, first, last, title string, emails ...string) {
		c := contact{ID: int64(len(all) + 1), Org: org, FirstName: first, LastName: last, Title: title,
			Location: "HQ", UpdatedAt: g.now.Add(-time.Duration(len(all)) * time.Minute).UTC().Format(time.RFC3339)}
		for i, e := range emails {
			c.Emails = append(c.Emails, email{Value: e, Primary: i == 0, Label: "Work"})
		}
		if r.IntN(2) == 0 {
			c.Phones = []phone{{Value: fmt.Sprintf("+1 555 %04d", len(all)), Extension: fmt.Sprint(r.IntN(99)), Primary: true, Label: "Direct", Kind: "phone"}}
		}
		if r.IntN(3) > 0 {
			c.PSAID = fmt.Sprint(90000 + len(all))
		}
		all = append(all, c)
	}
	for i, p := range g.people {
		named := p.first != "" && p.last != ""
		switch k := r.IntN(100); {
		case p.email == "" && named && k < 50:
			add(orgID, plainName(p.first), strings.ToUpper(p.last), p.title)
		case p.email == "":
		case k < 50:
			add(orgID, p.first, p.last, p.title, p.email)
		case k < 55:
			add(orgID, "", "", "", strings.ToUpper(p.email))
		case k < 60:
			add(orgID, p.first, p.last, p.title, fmt.Sprintf("new%d@elsewhere.example", i), p.email)
		case k < 70 && named:
			add(orgID, plainName(p.first), plainName(p.last), "", fmt.Sprintf("private%d@elsewhere.example", i))
		case k < 73: // two with the address, one of them with the name too
			add(orgID, p.first, p.last, "", p.email)
			add(orgID, "Reception", fmt.Sprint(i), "", p.email)
		case k < 76: // two with the address, told apart by nothing
			add(orgID, "Front", "Desk", "", p.email)
			add(orgID, "Back", "Office", "", p.email)
		case k < 80 && named: // two of one name
			add(orgID, p.first, p.last, "Elder")
			add(orgID, p.first, p.last, "Younger")
		case k < 82: // another customer's contact is no candidate
			add(otherOrgID, p.first, p.last, p.title, p.email)
		}
	}
	for i := range 200 {
		add(orgID, "Nobody", fmt.Sprintf("Known %d", i), "", fmt.Sprintf("nobody%d@elsewhere.example", i))
	}
	r.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, c := range all {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// plainName spells a name as people without the right keyboard do.
func plainName(s string) string {
	for _, names := range [][][2]string{firstNames, lastNames} {
		for _, n := range names {
			if n[0] == s {
				return strings.NewReplacer("é", "e", "ü", "u", "ö", "o", "Ł", "L", "ł", "l", "ø", "o", "Ø", "O", "å", "a",
					"ç", "c", "ñ", "n", "í", "i", "á", "a", "\u2011", "-", "\u2013", " ", "\u2019", "'").Replace(s)
			}
		}
	}
	return s
}

// ---- writing ----

// ago is a FILETIME: 100 ns since 1601. Its last digit is never 0, so that
// what is kept in microseconds is not so by luck.
func (g *gen) ago(d time.Duration) string {
	t := g.now.Add(-d)
	ticks := (t.Unix()+11644473600)*10_000_000 + int64(t.Nanosecond())/100
	return fmt.Sprint(ticks/10*10 + 7)
}

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func escapeDN(s string) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune(`,+"\<>;=`, r) || i == 0 && r == '#' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func writeEntries(w io.Writer, all []entry) error {
	for _, e := range all {
		writeAttr(w, attr{"dn", e.dn})
		for _, a := range e.attrs {
			writeAttr(w, a)
		}
		io.WriteString(w, "\n")
	}
	return nil
}

func writeAttr(w io.Writer, a attr) {
	if safe(a.value) && a.name != "clearTextPassword" {
		fmt.Fprintf(w, "%s: %s\n", a.name, a.value)
		return
	}
	fmt.Fprintf(w, "%s:: %s\n", a.name, base64.StdEncoding.EncodeToString([]byte(a.value)))
}

// safe: a SAFE-STRING of RFC 2849.
func safe(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c < ' ' || i == 0 && (c == ' ' || c == ':' || c == '<') {
			return false
		}
	}
	return !strings.HasSuffix(s, " ")
}

func lines(all []string) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, s := range all {
			fmt.Fprintln(w, s)
		}
		return nil
	}
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
