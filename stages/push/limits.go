package push

// limit is what a PSA accepts in a mapped field: the longest value in characters (0 if not
// documented) and whether a new contact must have it.
type limit struct {
	psa, field string
	maxLength  int64
	required   bool
}

// limits are those documented by the vendors' APIs. A field that is not listed is not limited.
//
//nolint:gochecknoglobals // a constant table
var limits = []limit{
	{"connectwise", "first_name", 30, true},
	{"connectwise", "last_name", 30, false},
	{"connectwise", "title", 100, false},
	{"connectwise", "email", 250, false},
	{"connectwise", "phone", 250, false},
	{"autotask", "first_name", 50, true},
	{"autotask", "last_name", 50, true},
	{"autotask", "title", 50, false},
	{"autotask", "email", 254, false},
	{"autotask", "phone", 25, false},
	{"bms", "first_name", 0, true},
	{"bms", "email", 0, true},
	{"bms", "phone", 0, true},
}
