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
	var kept map[TransactionID]*Counterfactual
	err := c.db.View(ctx, func(tx db.Tx) (err error) {
		if decisions, err = findDecisions(ctx, tx, ids); err != nil {
			return err
		}
		kept, err = readCounterfactuals(ctx, tx, ids)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	completed := make(map[id.ID[outbox.Event]][]byte, len(ids))
	fresh := map[TransactionID]*Counterfactual{}
	var failed error // one that cannot be told more of holds up no other
	for event, e := range declined {
		t := e.Transaction.ID
		d, found := decisions[t]
		if !found || d.damage != nil {
			failed = errors.Join(failed, d.damage)
			continue
		}
		if e.Decline, err = c.decline(ctx, d, e.Transaction.Reason, kept[t]); err != nil {
			failed = errors.Join(failed, fmt.Errorf("transaction %s: %w", t.UUID(), err))
		}
		if kept[t] == nil && e.Decline != nil && e.Decline.Counterfactual != nil {
			fresh[t] = e.Decline.Counterfactual
		}
		completed[event] = e.payload()
	}
	return completed, errors.Join(failed, c.keep(ctx, fresh))
}

// decline is how a recorded decision came to decline for a reason; nil when it did
// not. kept is what was told of it before, nil when nothing was.
func (c *Counterfactuals) decline(ctx context.Context, d storedDecision, r Reason, kept *Counterfactual) (*Decline, error) {
	check := d.trace.decisive(r)
	if check == nil {
		return nil, nil
	}
	name := check.Name
	out := &Decline{On: *check.Decisive()}
	out.On.Name, out.On.Parts = name, nil
	if out.Counterfactual = kept; kept != nil {
		return out, nil
	}
	record, err := parseRecord(d.record)
	if err != nil {
		return out, err
	}
	out.Counterfactual, err = c.find(ctx, record)
	return out, err
}
