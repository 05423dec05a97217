package pipeline

import (
	"context"
	"errors"
	"fmt"

	"rollcall/schemas"
)

// commit moves the next_ tables of the organizations that nothing speaks against into the
// state, in one transaction together with the ledger and the outbox.
func (e *Engine) commit(ctx context.Context, r *Run, status Status) error {
	started := e.Clock()
	if err := r.Store.assertKeys(ctx); err != nil {
		return err
	}
	e.checkpoint("before commit")
	if err := r.Store.Exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return fmt.Errorf("commit: begin: %w", err)
	}
	rows, err := e.move(ctx, r)
	if err == nil {
		r.record("commit", rows, e.Clock().Sub(started))
		err = r.Store.recordCommit(ctx, r, status)
	}
	if err == nil {
		e.checkpoint("inside commit")
		err = r.Store.Exec(ctx, "COMMIT")
	}
	if err != nil {
		rollback := r.Store.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(fmt.Errorf("commit: %w", err), rollback)
	}
	e.checkpoint("after commit")
	return nil
}

// move is the tables' part of the commit. It returns the rows now standing for the run.
func (e *Engine) move(ctx context.Context, r *Run) (int64, error) {
	const committed = " WHERE organization_id IN (SELECT organization_id FROM active_organizations)"
	var total int64
	for _, t := range schemas.Tables() {
		where := ""
		switch t.Life {
		case schemas.Read, schemas.Engine:
			continue
		case schemas.Replaced:
			where = committed
			if err := r.Store.Exec(ctx, "DELETE FROM "+t.Name+where); err != nil {
				return 0, fmt.Errorf("replace %s: %w", t.Name, err)
			}
		case schemas.Observed:
			if err := r.Store.Exec(ctx, "DELETE FROM "+t.Name); err != nil {
				return 0, fmt.Errorf("replace %s: %w", t.Name, err)
			}
		case schemas.Appended:
			where = committed
		case schemas.Recorded:
		}
		columns := t.ColumnList()
		if err := r.Store.Exec(ctx, "INSERT INTO "+t.Name+" ("+columns+") SELECT "+columns+" FROM "+t.Next()+where); err != nil {
			return 0, fmt.Errorf("move %s: %w", t.Next(), err)
		}
		n, err := r.Store.Count(ctx, "SELECT count(*) FROM "+t.Next()+where)
		if err != nil {
			return 0, err
		}
		total += n
		e.checkpoint("inside commit, " + t.Name)
	}
	return total, nil
}

// assertKeys makes sure that no key occurs twice in what is about to be committed: a duplicate
// is a fault in a stage and must never reach the state.
func (s *Store) assertKeys(ctx context.Context) error {
	for _, t := range schemas.Tables() {
		if t.Life == schemas.Read || t.Life == schemas.Engine || len(t.Key) == 0 {
			continue
		}
		n, err := s.Count(ctx, t.DuplicateKeys())
		if err != nil {
			return fmt.Errorf("check the keys of %s: %w", t.Next(), err)
		}
		if n > 0 {
			return fmt.Errorf("check the keys of %s: %d occur more than once; nothing was committed, please report this", t.Next(), n)
		}
	}
	return nil
}
