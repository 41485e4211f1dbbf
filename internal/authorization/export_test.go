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

// CommitSpoilt answers requests as one group, in their order, after spoil has had
// its way with what was gathered for each: it makes what no message from outside
// can.
func (e *Engine) CommitSpoilt(ctx context.Context, spoil func(i int, f *Facts), all ...*Request) ([]Answer, []error) {
	group := make([]*operation, len(all))
	for i, req := range all {
		facts, err := e.gather(ctx, req)
		if err != nil {
			return nil, []error{err}
		}
		spoil(i, facts)
		group[i] = newOperation(req, facts, req.Key().String(), new(Times))
	}
	codes := e.codes
	e.codes = brokenCodes{codes}
	e.commit(ctx, group)
	e.codes = codes
	answers, errs := make([]Answer, len(group)), make([]error, len(group))
	for i, op := range group {
		answers[i], errs[i] = op.answer, op.err
	}
	return answers, errs
}

// BrokenNetwork is a network whose response codes cannot be looked up in
// [Engine.CommitSpoilt]: that panics, while a request is decided.
const BrokenNetwork = "broken"

type brokenCodes struct{ ResponseCodes }

func (c brokenCodes) ResponseCode(network string, o Outcome) string {
	if network == BrokenNetwork {
		panic("no codes")
	}
	return c.ResponseCodes.ResponseCode(network, o)
}
