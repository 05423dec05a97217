package contacts

import (
	"context"
	"fmt"
	"strings"

	"rollcall/pipeline"
)

// csvQuery builds the record of each row from the configured columns (RFC 4180; a header line;
// everything is text).
func (s Source) csvQuery(ctx context.Context, store *pipeline.Store) (string, error) {
	reader := "read_csv(" + literal(s.Path) + `, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', strict_mode = true, null_padding = false)`
	found, err := headers(ctx, store, reader)
	if err != nil {
		return "", err
	}
	c := s.Columns
	var missing []string
	column := func(header string) string {
		if header == "" {
			return "NULL"
		}
		if !found[header] {
			missing = append(missing, header)
		}
		return "NULLIF(trim(" + identifier(header) + "), '')"
	}
	// An id that is no whole number stays text, and is refused by validate.sql.
	number := func(expression string) string {
		return "COALESCE(to_json(TRY_CAST(" + expression + " AS BIGINT)), to_json(" + expression + "))"
	}
	list := func(headers []string) string {
		items := make([]string, len(headers))
		for i, header := range headers {
			value := column(header)
			items[i] = fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE json_object('value', %s, 'primary', %t) END", value, value, i == 0)
		}
		return "to_json([" + strings.Join(items, ", ") + "]::JSON[])"
	}
	organization := fmt.Sprintf("to_json(%d::BIGINT)", s.Organizations[0])
	if c.OrganizationID != "" {
		organization = number(column(c.OrganizationID))
	}
	record := "json_object('id', " + number(column(c.ID)) +
		", 'organization_id', " + organization +
		", 'first_name', " + column(c.FirstName) +
		", 'last_name', " + column(c.LastName) +
		", 'title', " + column(c.Title) +
		", 'contact_type', " + column(c.ContactType) +
		", 'location', " + column(c.Location) +
		", 'emails', " + list(c.Emails) +
		", 'phones', " + list(c.Phones) +
		", 'psa_id', " + column(c.PSAID) +
		", 'external_key', " + column(c.ExternalKey) +
		", 'updated_at', " + column(c.UpdatedAt) + ")"
	if len(missing) > 0 {
		return "", fmt.Errorf("has no column %q; correct contacts.csv.columns in the configuration, or the file's header", missing[0])
	}
	return "SELECT " + record + " AS record FROM " + reader, nil
}
