package users

import (
	"context"
	"io"
)

// ParseLDIF streams the entries of an LDIF export to visit, as the collector of such a file reads
// them; errors begin with the line. The demo fills its directories with it.
func ParseLDIF(ctx context.Context, r io.Reader, visit func(Entry) error) error {
	return parseLDIF(ctx, r, visit)
}
