package directory

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// parallelOthers bounds how many of a domain's other controllers are asked at once.
const parallelOthers = 4

// ReadOthers asks the other controllers of a domain for what is not replicated. Each is asked
// once; one that does not answer completely is told of, and what it said before still stands:
// every value is a fact by itself. visit is not called concurrently; its error ends everything.
func (s Server) ReadOthers(ctx context.Context, others []Controller, want Request, visit func(Entry) error) (silent []Failure, err error) {
	s = s.withDefaults()
	var mu sync.Mutex
	failures := make([]error, len(others))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(parallelOthers)
	for i, controller := range others {
		group.Go(func() error {
			var refusal error
			failures[i] = s.readOther(asking, controller, want, func(e Entry) error {
				mu.Lock()
				defer mu.Unlock()
				refusal = visit(e)
				return refusal
			})
			return refusal
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err //nolint:wrapcheck // the visitor's own
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the read was stopped: %w", context.Cause(ctx))
	}
	for i, err := range failures {
		if err != nil {
			silent = append(silent, Failure{others[i], err})
		}
	}
	return silent, nil
}

func (s Server) readOther(ctx context.Context, controller Controller, want Request, visit func(Entry) error) error {
	c, err := s.connect(ctx, controller)
	if err != nil {
		return err
	}
	defer c.close()
	return c.read(ctx, s, want, Domain{}, visit)
}

// Answer is how a controller answers when it is only asked about itself.
type Answer struct {
	Controller Controller
	Domain     Domain
	Err        error
}

// Probe binds to each controller and asks it about itself.
func (s Server) Probe(ctx context.Context, controllers []Controller) []Answer {
	s = s.withDefaults()
	answers := make([]Answer, len(controllers))
	for i, controller := range controllers {
		c, domain, err := s.ready(ctx, controller)
		answers[i] = Answer{controller, domain, err}
		if err == nil {
			c.close()
		}
	}
	return answers
}
