package authorization

import (
	"context"
	"errors"
)

// AuthorizeTogether answers requests as one group, in their order.
func (e *Engine) AuthorizeTogether(ctx context.Context, all ...*Request) ([]Answer, error) {
	var group []*operation
	for _, req := range all {
		facts, err := e.gather(ctx, req)
		if err != nil {
			return nil, err
		}
		group = append(group, newOperation(req, facts, req.Key().String()))
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
		op := newOperation(req, facts, req.Key().String())
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
