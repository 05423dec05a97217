package schemas

import (
	"embed"
	"fmt"
)

// Version is the version of the tables in the store. It rises with every change of a table that
// is kept; migrations/N.sql brings a store from version N-1 to N and loses nothing.
const Version = 2

//go:embed migrations/*.sql
var migrations embed.FS

// Migration is the SQL that brings a store of the version before to the given one. A missing file
// is a fault of the build, so it panics.
func Migration(version int64) string {
	text, err := migrations.ReadFile(fmt.Sprintf("migrations/%d.sql", version))
	if err != nil {
		panic(fmt.Sprintf("schemas: no migration to version %d: %v", version, err))
	}
	return string(text)
}
