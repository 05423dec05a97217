package users

import (
	"fmt"

	"github.com/google/uuid"

	"rollcall/stages/users/directory"
)

// places tell where each account of a read was, so that none counts twice.
type places map[uuid.UUID]spot

// spot is the number of an account's entry, and the search that delivered it.
type spot struct{ number, pass int }

// enter notes an account. It returns false for one that has moved and is there already; the same
// account twice in one search is an error.
func (p places) enter(u User, e directory.Entry) (bool, error) {
	guid, err := uuid.Parse(u.GUID)
	if err != nil {
		return false, fmt.Errorf("%s: parse the objectGUID: %w", e.Place, err)
	}
	first, twice := p[guid]
	switch {
	case !twice:
		p[guid] = spot{e.Place.Number, e.Pass}
		return true, nil
	case first.pass != e.Pass:
		return false, nil
	default:
		remedy := "run again"
		if e.Place.Unit == "line" {
			remedy = "export it anew"
		}
		return false, fmt.Errorf("objectGUID %s is at %s and again at %s; a directory never has it twice: %s",
			u.GUID, directory.Place{Unit: e.Place.Unit, Number: first.number}, e.Place, remedy)
	}
}
