package directory

import "errors"

// remedy says what can be done about an error.
type remedy int

const (
	// nothing: neither another controller nor another attempt would help. A refused password
	// above all: trying it elsewhere would lock the account.
	nothing remedy = iota
	// elsewhere: this controller cannot be used, another may.
	elsewhere
	// later: the controller is too busy now.
	later
	// anew: the read was dropped, and can begin again from its first page.
	anew
	// anewElsewhere: the connection broke or went silent; begin again, with another controller
	// if there is one.
	anewElsewhere
)

// fault is an error with its remedy.
type fault struct {
	remedy remedy
	err    error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// remedyOf is the remedy of an error; one that says nothing has none.
func remedyOf(err error) remedy {
	var f *fault
	if errors.As(err, &f) {
		return f.remedy
	}
	return nothing
}

func unusable(err error) error { return &fault{elsewhere, err} }
func busy(err error) error     { return &fault{later, err} }
func dropped(err error) error  { return &fault{anew, err} }
func broken(err error) error   { return &fault{anewElsewhere, err} }
