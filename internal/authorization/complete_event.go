package authorization

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// CompleteEvents returns the payloads of those events that tell of a decline, with
// what refused it and what would have approved it. It is asked when they are given
// on: whoever pays waits for none of it.
func (c *Counterfactuals) CompleteEvents(ctx context.Context, events []outbox.WaitingEvent) (map[id.ID[outbox.Event]][]byte, error) {
	declined := map[id.ID[outbox.Event]]*TransactionEvent{}
	var ids []TransactionID
	for i := range events {
		if events[i].Name != EventDeclined {
			continue
		}
		e, err := ParseTransactionEvent(events[i].Payload)
		if err != nil {
			continue // whoever encodes it says so
		}
		declined[events[i].ID] = &e
		ids = append(ids, e.Transaction.ID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var decisions map[TransactionID]storedDecision
	err := c.db.View(ctx, func(tx db.Tx) (err error) {
		decisions, err = findDecisions(ctx, tx, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	completed := make(map[id.ID[outbox.Event]][]byte, len(ids))
	told := map[TransactionID]*Counterfactual{}
	var failed error // one that cannot be told more of holds up no other
	for event, e := range declined {
		d, found := decisions[e.Transaction.ID]
		if !found {
			continue
		}
		if e.Decline, err = c.decline(ctx, d, e.Transaction.Reason); err != nil {
			failed = errors.Join(failed, fmt.Errorf("transaction %s: %w", e.Transaction.ID.UUID(), err))
		}
		if e.Decline != nil && e.Decline.Counterfactual != nil {
			told[e.Transaction.ID] = e.Decline.Counterfactual
		}
		completed[event] = e.payload()
	}
	return completed, errors.Join(failed, c.keep(ctx, told))
}

// decline is how a recorded decision came to decline for a reason; nil when it did
// not.
func (c *Counterfactuals) decline(ctx context.Context, d storedDecision, r Reason) (*Decline, error) {
	check := d.trace.decisive(r)
	if check == nil {
		return nil, nil
	}
	name := check.Name
	out := &Decline{On: *check.Decisive()}
	out.On.Name, out.On.Parts = name, nil
	record, err := parseRecord(d.record)
	if err != nil {
		return out, err
	}
	out.Counterfactual, err = c.find(ctx, record)
	return out, err
}
