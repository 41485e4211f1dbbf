package authorization

import "context"

// AuthorizeTogether answers requests as one group, in their order.
func (e *Engine) AuthorizeTogether(ctx context.Context, all ...*Request) ([]Answer, error) {
	var group []*operation
	for _, req := range all {
		facts, err := e.gather(ctx, req)
		if err != nil {
			return nil, err
		}
		op := &operation{req: req, facts: facts, key: req.Key().String(), done: make(chan struct{})}
		if req.Original != nil {
			op.original = req.Original.String()
		}
		group = append(group, op)
	}
	e.commit(ctx, group)
	answers := make([]Answer, len(group))
	for i, op := range group {
		if op.stale { // as Authorize does
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
