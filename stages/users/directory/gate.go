package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Gate stands before the controllers, over all the collectors that share it: it bounds how many
// connections are open to one of them at a time, and lets a refused account try only once.
type Gate struct {
	limit    int64
	mu       sync.Mutex
	doors    map[string]*semaphore.Weighted
	accounts map[string]*account
}

// account is one that binds, one at a time until it is known to be good.
type account struct {
	turn     *semaphore.Weighted
	accepted atomic.Bool
	refusal  *credentialsError
}

// NewGate makes a gate that lets limit connections a controller through; 0 means no bound.
func NewGate(limit int) *Gate {
	return &Gate{limit: int64(limit), doors: map[string]*semaphore.Weighted{}, accounts: map[string]*account{}}
}

// Limit is the number of connections to one controller; 0 means no bound.
func (g *Gate) Limit() int { return int(g.limit) }

// enter waits for a place at a controller and returns how to leave it.
func (g *Gate) enter(ctx context.Context, address string) (leave func(), err error) {
	if g.limit <= 0 {
		return func() {}, nil
	}
	address = strings.ToLower(address)
	g.mu.Lock()
	door, known := g.doors[address]
	if !known {
		door = semaphore.NewWeighted(g.limit)
		g.doors[address] = door
	}
	g.mu.Unlock()
	if err := door.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { door.Release(1) }), nil
}

// once binds, unless the account has been refused before. Collectors that share an account would
// otherwise each try a wrong password, and lock it.
func (g *Gate) once(ctx context.Context, key string, bind func() error) error {
	g.mu.Lock()
	a, known := g.accounts[key]
	if !known {
		a = &account{turn: semaphore.NewWeighted(1)}
		g.accounts[key] = a
	}
	g.mu.Unlock()
	if a.accepted.Load() {
		return bind()
	}
	if err := a.turn.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("wait for another bind of the account: %w", context.Cause(ctx))
	}
	defer a.turn.Release(1)
	if a.refusal != nil {
		return a.refusal
	}
	err := bind()
	errors.As(err, &a.refusal)
	a.accepted.Store(err == nil)
	return err
}
