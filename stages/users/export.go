package users

import (
	"context"
	"io"

	"rollcall/stages/users/directory"
)

// ParseLDIF streams the entries of an LDIF export to visit, as the collector of such a file reads
// them; errors begin with the line. The demo fills its directories with it.
func ParseLDIF(ctx context.Context, r io.Reader, visit func(directory.Entry) error) error {
	return parseLDIF(ctx, r, visit)
}
