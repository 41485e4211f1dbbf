package authorization

import (
	"context"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// RecordedRuleFacts are what rules may ask about a request, from its record alone.
func (q *Queries) RecordedRuleFacts(ctx context.Context, t TransactionID, f *rule.Facts) (hash string, err error) {
	return hash, q.db.View(ctx, func(tx db.Tx) error {
		d, _, err := findDecision(ctx, tx, t)
		if err != nil {
			return err
		}
		r, err := parseRecord(d.record)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(r.Facts.Subject.Zone)
		r.Facts.ruleFacts(f, &r.Request, zone)
		hash = r.Facts.ConfigurationHash
		return err
	})
}

// AuthorizeTogether answers requests as one group, in their order.
func (e *Engine) AuthorizeTogether(ctx context.Context, all ...*Request) ([]Answer, error) {
	var group []*operation
	for _, req := range all {
		facts, err := e.gather(ctx, req)
		if err != nil {
			return nil, err
		}
		group = append(group, newOperation(req, facts, req.Key().String(), new(Times)))
	}
	e.commit(ctx, group)
	answers := make([]Answer, len(group))
	for i, op := range group {
		if op.asks {
			end, err := e.consult(ctx, op)
			if err != nil {
				return nil, err
			}
			answers[i] = end.answer
			continue
		}
		if op.stale || !op.awaits.IsZero() { // as Authorize does
			var err error
			if answers[i], err = e.Authorize(ctx, op.req); err != nil {
				return nil, err
			}
			continue
		}
		if op.err != nil {
			return nil, op.err
		}
		answers[i] = op.answer
	}
	return answers, nil
}

// Reserve sets req aside as pending and asks nobody: what a process leaves that
// dies while it waits for a client.
func (e *Engine) Reserve(ctx context.Context, req *Request) error {
	for {
		facts, err := e.gather(ctx, req)
		if err != nil {
			return err
		}
		op := newOperation(req, facts, req.Key().String(), new(Times))
		e.run(op)
		switch {
		case op.stale:
			e.programs.Forget(facts.Tenant)
		case op.err != nil:
			return op.err
		case !op.asks:
			return errors.New("nobody would be asked")
		default:
			return nil
		}
	}
}
