package authorization

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/sarraf-platform/sarraf/internal/db"
)

// lane commits operations in groups. A group is whatever arrived while the one
// before it was committing, so that a lone request waits for nobody and there
// is no timer.
type lane struct {
	in    chan *operation
	ended chan struct{}
}

func newLane(max int, commit func([]*operation)) *lane {
	l := &lane{in: make(chan *operation, 4*max), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		group := make([]*operation, 0, max)
		for op := range l.in {
			group = append(group[:0], op)
			for full := false; !full && len(group) < max; {
				select {
				case more, open := <-l.in:
					if !open {
						full = true
						break
					}
					group = append(group, more)
				default:
					full = true
				}
			}
			commit(group)
		}
	}()
	return l
}

func (l *lane) submit(op *operation) { l.in <- op }

func (l *lane) close() {
	close(l.in)
	<-l.ended
}

// commit decides and writes a group in one transaction, and then answers all of
// it. If the transaction fails, its operations run one by one, so that one
// that cannot be written harms only itself.
func (e *Engine) commit(ctx context.Context, group []*operation) {
	e.observe.Group(len(group))
	err := e.commitTogether(ctx, group)
	if err != nil && len(group) > 1 {
		for _, op := range group {
			op.err = e.commitTogether(ctx, []*operation{op})
		}
	} else if err != nil {
		group[0].err = err
	}
	for _, op := range group {
		close(op.done)
	}
}

// claimMax bounds how often a group runs again because another node claimed
// one of its message keys at the same moment.
const claimMax = 3

func (e *Engine) commitTogether(ctx context.Context, group []*operation) error {
	for attempt := 1; ; attempt++ {
		err := e.db.InTx(ctx, func(tx db.Tx) error { return e.decideAll(ctx, tx, group) })
		if !db.IsUnique(err) && !errors.Is(err, errClaimed) || attempt == claimMax {
			return err
		}
	}
}

// decideAll is the body of the transaction. It may run several times: all it
// leaves outside tx are the operations' outcomes, set anew by each run.
func (e *Engine) decideAll(ctx context.Context, tx db.Tx, group []*operation) (err error) {
	defer func() {
		// A broken invariant must cost one group, not the process.
		if p := recover(); p != nil {
			e.log.Error("decision panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("decide: broken invariant: %v", p)
		}
	}()
	for _, op := range group {
		op.stale, op.err, op.answer, op.trace = false, nil, Answer{}, nil
	}
	w, err := open(ctx, tx, group, e.clock.Now(), e.codes)
	if err != nil {
		return err
	}
	for _, op := range group {
		if op.stale {
			continue
		}
		if err := w.step(op); err != nil {
			return err
		}
	}
	return w.write(ctx, tx)
}
