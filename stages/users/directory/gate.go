package directory

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Gate bounds how many connections are open to one controller at a time.
type Gate struct {
	limit int64
	mu    sync.Mutex
	doors map[string]*semaphore.Weighted
}

// NewGate makes a gate that lets limit connections a controller through; 0 means no bound.
func NewGate(limit int) *Gate {
	return &Gate{limit: int64(limit), doors: map[string]*semaphore.Weighted{}}
}

// enter waits for a place at a controller and returns how to leave it.
func (g *Gate) enter(ctx context.Context, address string) (leave func(), err error) {
	if g.limit <= 0 {
		return func() {}, nil
	}
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
