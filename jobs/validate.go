package jobs

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/robfig/cron/v3"

	"rollcall/stages/contacts"
	"rollcall/stages/users"
)

// checker gathers every impossible value, so that one look mends them all.
type checker struct {
	main     document
	problems []error
	ids      map[int64]string // where each organization stands
}

func (c *checker) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return errors.Join(c.problems...)
}

// refuse notes a value that breaks a rule; one of the defaults is noted there, and once.
func (c *checker) refuse(d document, path, rule string, got any) {
	if _, below, ok := strings.Cut(path, "]"); ok && !d.has(path) && c.main.has("$.defaults"+below) {
		d, path = c.main, "$.defaults"+below
	}
	problem := fmt.Errorf("%w: %s:%d: %s: %s (got %s)", ErrConfig, d.path, d.line(path), fieldAt(path), rule, quoteValue(fmt.Sprint(got)))
	if !slices.ContainsFunc(c.problems, func(known error) bool { return known.Error() == problem.Error() }) {
		c.problems = append(c.problems, problem)
	}
}

// oneOf refuses a value that is not on the list.
func (c *checker) oneOf(d document, path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.refuse(d, path, "must be one of "+strings.Join(allowed, ", "), value)
	}
}

// whole checks what concerns the configuration as a whole.
func (c *checker) whole(d document, config *Config) {
	if config.DataDir == "" {
		c.refuse(d, "$.data_dir", "must name a folder", "")
	}
	if len(config.Organizations) == 0 {
		c.refuse(d, "$.organizations", "must hold at least one organization", "")
	}
	if config.Limits.Collectors < 1 {
		c.refuse(d, "$.limits.collectors", "must be at least 1", config.Limits.Collectors)
	}
	if config.Limits.MaxConnections < 1 {
		c.refuse(d, "$.limits.max_connections", "must be at least 1", config.Limits.MaxConnections)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Jobs)) {
		job, at := config.Jobs[name], "$.jobs."+name
		if !isFileName(name) {
			at = "$.jobs.'" + strings.ReplaceAll(name, "'", `\'`) + "'"
			c.refuse(d, at, "a job's name must be of letters, digits, - and _", name)
		}
		c.oneOf(d, at+".kind", job.Kind, "nightly")
		if job.Schedule != "" {
			if _, err := cron.ParseStandard(job.Schedule); err != nil {
				c.refuse(d, at+".schedule", `must be a cron expression of five fields, such as "0 2 * * *"`, job.Schedule)
			}
		}
		if job.Timeout < 0 {
			c.refuse(d, at+".timeout", "cannot be negative", job.Timeout)
		}
	}
}

// isFileName tells whether a name can be part of a run's folder name as it is.
func isFileName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		digit := r >= '0' && r <= '9'
		return !letter && !digit && r != '-' && r != '_'
	})
}

// organization checks one organization and completes it: sources chosen, filters compiled.
func (c *checker) organization(d document, at string, o *Organization) {
	if o.ID <= 0 {
		c.refuse(d, at+".id", "must be the documentation system's id, a whole number above 0", o.ID)
	} else if first, twice := c.ids[o.ID]; twice {
		c.refuse(d, at+".id", "is there twice, first at "+first, o.ID)
	} else {
		c.ids[o.ID] = fmt.Sprintf("%s:%d", filepath.Base(d.path), d.line(at+".id"))
	}
	if strings.TrimSpace(o.Name) == "" {
		c.refuse(d, at+".name", "must not be empty", o.Name)
	}
	seen := map[string]bool{}
	for i := range o.Collectors {
		c.collector(d, fmt.Sprintf("%s.collectors[%d]", at, i), &o.Collectors[i], seen)
	}
	c.contacts(d, at+".contacts", &o.Contacts)
	if o.PSA.Kind != "" || o.PSA.TwoWaySync {
		c.oneOf(d, at+".psa.kind", o.PSA.Kind, "connectwise", "autotask", "halopsa", "bms", "syncro")
	}
	for i, source := range o.Match.EmailFrom {
		c.oneOf(d, fmt.Sprintf("%s.match.email_from[%d]", at, i), source, "mail", "proxy_primary", "upn")
	}
	c.oneOf(d, at+".create", o.Create, "approved", "all", "never")
	for _, fill := range []struct{ field, policy string }{
		{"first_name", o.Fill.FirstName}, {"last_name", o.Fill.LastName}, {"title", o.Fill.Title}, {"email", o.Fill.Email}, {"phone", o.Fill.Phone},
	} {
		c.oneOf(d, at+".fill."+fill.field, fill.policy, "keep", "fill_blank", "overwrite")
	}
	if o.Guard.MaxCreates < 0 {
		c.refuse(d, at+".guard.max_creates", "cannot be negative", o.Guard.MaxCreates)
	}
	if o.Guard.MaxUnlinks < 0 {
		c.refuse(d, at+".guard.max_unlinks", "cannot be negative", o.Guard.MaxUnlinks)
	}
	c.exclude(d, at+".exclude", &o.Exclude)
	if len(o.LastLogon.From) == 0 {
		c.refuse(d, at+".last_logon.from", "must name at least one of replicated, all_dcs", "none")
	}
	for i, source := range o.LastLogon.From {
		c.oneOf(d, fmt.Sprintf("%s.last_logon.from[%d]", at, i), source, "replicated", "all_dcs")
	}
}

// shownAddress is what a message may show of an address: no credentials and no query.
func shownAddress(address string) string {
	if at := strings.LastIndex(address, "@"); at >= 0 {
		address = "…" + address[at:]
	}
	if end := strings.IndexAny(address, "?#"); end >= 0 {
		address = address[:end]
	}
	return address
}

func (c *checker) contacts(d document, at string, k *Contacts) {
	named := 0
	for _, set := range []bool{k.JSONL != "", k.CSV != nil, k.Parquet != "", k.ITGlue != nil} {
		if set {
			named++
		}
	}
	switch {
	case named != 1:
		c.refuse(d, at, "must have exactly one of jsonl, csv and parquet", fmt.Sprintf("%d of them", named))
	case k.ITGlue != nil:
		c.refuse(d, at+".itglue", "reading IT Glue's API is not in this version; export contacts and name the file under jsonl, csv or parquet", shownAddress(k.ITGlue.URL))
	case k.JSONL != "":
		k.source = contacts.Input{Format: contacts.JSONL, Path: k.JSONL}
	case k.Parquet != "":
		k.source = contacts.Input{Format: contacts.Parquet, Path: k.Parquet}
	default:
		if k.CSV.Path == "" {
			c.refuse(d, at+".csv.path", "must name a file", "")
		}
		if k.CSV.Columns.ID == "" {
			c.refuse(d, at+".csv.columns.id", "must name the header of the contact's id", "")
		}
		k.source = contacts.Input{Format: contacts.CSV, Path: k.CSV.Path, Columns: k.CSV.Columns}
	}
}

func (c *checker) exclude(d document, at string, e *Exclude) {
	for i, ou := range e.OU {
		if err := users.CheckDN(ou); err != nil {
			c.refuse(d, fmt.Sprintf("%s.ou[%d]", at, i), "must be a distinguished name or the beginning of one, such as OU=Service Accounts", ou)
		}
	}
	for i, text := range e.Filter {
		place := at + ".filter"
		if d.has(place + "[0]") {
			place = fmt.Sprintf("%s[%d]", place, i)
		}
		e.filter = e.filter.Or(c.filter(d, place, text))
	}
}

// filter compiles a filter of the configuration; one that is refused matches nothing.
func (c *checker) filter(d document, at, text string) users.Filter {
	compiled, err := users.CompileFilter(text)
	if err != nil {
		c.refuse(d, at, "must be an LDAP filter such as (adminDescription=svc*): "+err.Error(), text)
	}
	return compiled
}
