package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Request says which entries are read, and which of their attributes.
type Request struct {
	Filter     string
	Attributes []string
}

// Consumer takes what a read delivers.
type Consumer interface {
	// Begin comes before the entries of each attempt; what an earlier attempt delivered does not
	// count any more.
	Begin(context.Context, Attempt) error
	// Visit takes one entry. An error ends the read.
	Visit(Entry) error
}

// Attempt is what is known when a read begins.
type Attempt struct {
	// Number counts from 1; Before is what ended the attempt before, nil for the first.
	Number int
	Before error
	Domain Domain
}

// Reading is a complete read.
type Reading struct {
	// Pinned is the controller that was read.
	Pinned Controller
	// Others are the rest, in their order.
	Others []Controller
	// Failed are those that had been tried before the pinned one, and why not.
	Failed []Failure
	// Before is what ended the attempt before this one; nil if it was the first.
	Before error
	// MovesUnseen tells that there are several base DNs and a server that does not tell its
	// changes: an account that moved between them meanwhile could be missed.
	MovesUnseen bool
}

// Failure is a controller that could not be used.
type Failure struct {
	Controller Controller
	Err        error
}

// String names the controller and the reason.
func (f Failure) String() string {
	return f.Controller.Name() + ": " + strings.TrimPrefix(f.Err.Error(), f.Controller.Name()+" ")
}

// attempts bounds how often a read begins.
const attempts = 3

// Read streams every entry below the base DNs to the consumer. It returns no error only if the
// read was provably complete.
func (s Server) Read(ctx context.Context, want Request, to Consumer) (Reading, error) {
	s = s.withDefaults()
	controllers, err := s.locate(ctx)
	if err != nil {
		return Reading{}, err
	}
	var before error
	for number := 1; ; number++ {
		reading, err := s.attempt(ctx, controllers, want, to, Attempt{Number: number, Before: before})
		reading.Before = before
		remedy := remedyOf(err)
		switch {
		case err == nil, ctx.Err() != nil, remedy == nothing, remedy == elsewhere && number == 1:
			return reading, err
		case number == attempts:
			return reading, fmt.Errorf("%w (begun %d times, every time from the first page)", err, attempts)
		case remedy == anewElsewhere, remedy == later && number > 1:
			controllers = last(controllers, reading.Pinned)
		}
		before = err
		if err := s.Pause(ctx, backoff(number)); err != nil {
			return reading, fmt.Errorf("wait for another attempt: %w", err)
		}
	}
}

// last moves a controller to the end; one that is not there, because none was pinned, changes
// nothing.
func last(controllers []Controller, pinned Controller) []Controller {
	if !slices.Contains(controllers, pinned) {
		return controllers
	}
	return append(slices.DeleteFunc(slices.Clone(controllers), pinned.is), pinned)
}

// backoff is the wait after an attempt: 2 s, then 8 s. A controller that is busy at night is so
// for seconds; one that restarts answers elsewhere.
func backoff(number int) time.Duration { return time.Second << (2*number - 1) }

func (c Controller) is(other Controller) bool { return c == other }

// attempt reads everything from one controller.
func (s Server) attempt(ctx context.Context, controllers []Controller, want Request, to Consumer, attempt Attempt) (Reading, error) {
	c, domain, failed, err := s.pin(ctx, controllers)
	if err != nil {
		return Reading{Failed: failed}, err
	}
	defer c.close()
	reading := Reading{Pinned: c.controller, Others: slices.DeleteFunc(slices.Clone(controllers), c.controller.is), Failed: failed}
	attempt.Domain = domain
	if err := to.Begin(ctx, attempt); err != nil {
		return reading, err
	}
	reading.MovesUnseen = len(s.Bases) > 1 && domain.highestUSN == 0
	return reading, c.read(ctx, s, want, domain, to.Visit)
}

// pin binds to the first controller that can be used. One that refuses the credentials ends the
// search: the others would refuse them too, and count the failure against the account.
func (s Server) pin(ctx context.Context, controllers []Controller) (*connection, Domain, []Failure, error) {
	var failed []Failure
	wait := false
	for _, controller := range controllers {
		c, domain, err := s.ready(ctx, controller)
		if err == nil {
			return c, domain, failed, nil
		}
		remedy := remedyOf(err)
		if ctx.Err() != nil || remedy == nothing || len(controllers) == 1 {
			return nil, Domain{}, failed, err
		}
		wait = wait || remedy == later
		failed = append(failed, Failure{controller, err})
	}
	var all []string
	for _, f := range failed {
		all = append(all, f.String())
	}
	err := fmt.Errorf("none of the %d domain controllers can be read: %s", len(controllers), strings.Join(all, "; "))
	if wait {
		return nil, Domain{}, failed, busy(err)
	}
	return nil, Domain{}, failed, unusable(err)
}

// ready connects and learns what comes before the accounts.
func (s Server) ready(ctx context.Context, controller Controller) (*connection, Domain, error) {
	c, err := s.connect(ctx, controller)
	if err != nil {
		return nil, Domain{}, err
	}
	domain, err := c.domain()
	if err != nil {
		c.close()
		if ctx.Err() != nil {
			err = fmt.Errorf("the read was stopped: %w", context.Cause(ctx))
		}
		return nil, Domain{}, err
	}
	return c, domain, nil
}

// read streams the entries below each base DN. Where there are several, an account may move from
// one that has not been read yet to one that has, and would be missed: what changed meanwhile is
// asked for once more.
func (c *connection) read(ctx context.Context, s Server, want Request, domain Domain, visit func(Entry) error) error {
	place, pass := Place{Unit: "entry"}, 0
	subtree := func(base string) error {
		defer func() { pass++ }()
		return c.subtree(ctx, s, base, want, func(e Entry) error {
			place.Number++
			e.Place, e.Pass = place, pass
			return visit(e)
		})
	}
	for i, base := range s.Bases {
		if err := subtree(base); err != nil {
			if len(s.Bases) > 1 {
				return fmt.Errorf("base_dn[%d], %w", i, err)
			}
			return err
		}
	}
	if len(s.Bases) == 1 || domain.highestUSN == 0 {
		return nil
	}
	want.Filter = fmt.Sprintf("(&%s(uSNChanged>=%d))", want.Filter, domain.highestUSN+1)
	for _, base := range s.Bases {
		if err := subtree(base); err != nil {
			return fmt.Errorf("accounts that moved meanwhile: %w", err)
		}
	}
	return nil
}
