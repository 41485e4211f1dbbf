package clearing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// raise tells of what the records did to cards, and of those that a person must
// look at.
func (b *batch) raise(ctx context.Context, tx db.Tx) error {
	var events []authorization.TransactionEvent
	for _, r := range b.records {
		if len(r.place.cards) == 0 {
			continue // nobody's card
		}
		if name := r.event(); name != "" {
			events = append(events, b.event(r, name))
		}
		if len(r.causes) > 0 {
			events = append(events, b.event(r, authorization.EventClearingException))
		}
	}
	if err := authorization.Raise(ctx, tx, events, b.in.At); err != nil {
		return fmt.Errorf("raise events: %w", err)
	}
	return authorization.RaiseFees(ctx, tx, b.feesTold, b.in.At)
}

// event names what a record did; empty when it did nothing to an account.
func (r *record) event() string {
	switch t := r.transaction; {
	case t == nil && r.status == OnlineFinancial, t != nil && t.Flow == authorization.Clearing:
		return authorization.EventCleared
	case t == nil:
		return ""
	case t.Flow == authorization.Refund:
		return authorization.EventRefunded
	case t.Flow == authorization.Representment:
		return authorization.EventRepresented
	case t.Flow == authorization.ClearingReversal:
		return authorization.EventReversed
	}
	return ""
}

// event is an event about what a record became: the transaction it made, or
// the one that it confirms. A record that became none shows what was presented.
func (b *batch) event(r *record, name string) authorization.TransactionEvent {
	e := authorization.TransactionEvent{
		Name: name, Original: r.original,
		Record: &authorization.ClearedRecord{
			MatchStatus: string(r.status), Rule: r.rule, ARN: r.ARN, Amount: r.Transaction, BusinessOn: b.in.BusinessOn.String(),
		},
	}
	for _, c := range r.causes {
		e.Record.Causes = append(e.Record.Causes, string(c))
	}
	switch {
	case r.transaction != nil:
		e.Transaction = *r.transaction
	case r.original != nil:
		e.Transaction, e.Original = *r.original, nil
	default:
		e.Transaction = authorization.Transaction{Tenant: r.place.tenant, Card: r.place.cards[0].id, Amount: r.Transaction, CreatedAt: b.at(r)}
	}
	return e
}
