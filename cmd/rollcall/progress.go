package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows on a terminal that a long run is alive: one line, at most five times a second.
// Elsewhere the logs do.
type progress struct {
	mu      sync.Mutex
	w       io.Writer // nil when there is no terminal
	clock   func() time.Time
	started time.Time
	shown   time.Time
	rows    int64
	dirty   bool
}

func (a *app) startProgress() *progress {
	p := &progress{clock: a.clock, started: a.clock()}
	if a.onTerminal() {
		p.w = a.err
	}
	return p
}

// add counts rows that were read.
func (p *progress) add(stage string, rows int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows += rows
	now := p.clock()
	if p.w == nil || now.Sub(p.shown) < 200*time.Millisecond {
		return
	}
	p.shown, p.dirty = now, true
	fmt.Fprintf(p.w, "\r\x1b[K%s: %d read, %s", stage, p.rows, now.Sub(p.started).Round(time.Second))
}

// stop takes the line away.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dirty {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.dirty = false
	}
}

// clearing takes the line away before anything else is written.
func (p *progress) clearing(w io.Writer) io.Writer { return clearingWriter{p, w} }

type clearingWriter struct {
	p *progress
	w io.Writer
}

// Write writes after the line is gone.
func (c clearingWriter) Write(text []byte) (int, error) {
	c.p.stop()
	return c.w.Write(text) //nolint:wrapcheck // a writer's own error
}
