package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// verifyUsage checks what was used of limits: against itself, and against the
// transactions that used it.
func (q *Queries) verifyUsage(ctx context.Context, tx db.Tx) ([]ledger.Invariant, error) {
	all, err := control.VerifyUsage(ctx, tx, clock.RealNow(q.clock))
	if err != nil {
		return nil, err
	}
	v := ledger.Invariant{Name: "what a limit counts comes from its transaction"}
	for after := (control.UsageName{}); ; {
		rows, err := control.UsageAfter(ctx, tx, after, verifyBatch)
		if err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		if len(rows) == 0 {
			return append(all, v), nil
		}
		after = rows[len(rows)-1].UsageName
		var ids []TransactionID
		for _, r := range rows {
			if t, err := id.Parse[Transaction](r.Transaction); err == nil {
				ids = append(ids, t)
			}
		}
		transactions, err := ReadTransactions(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			v.Checked++
			t, _ := id.Parse[Transaction](r.Transaction)
			if flaw := transactions[t].usageFlaw(r); flaw != "" {
				v.Break(r.Transaction + " of " + r.Subject + ": " + flaw)
			}
		}
	}
}

// usageFlaw says why a transaction, nil for none, cannot have used what a row says;
// empty when it can.
func (t *Transaction) usageFlaw(r control.UsageRow) string {
	switch {
	case t == nil:
		return "no such transaction"
	case t.Tenant != r.Tenant:
		return "another tenant's"
	case r.Cycle != t.Root.String() && r.Cycle != t.ID.String():
		return "another life cycle's"
	case !r.At.Equal(t.CreatedAt):
		return "another moment's"
	}
	for _, l := range r.Parts {
		if flaw := t.partFlaw(l); flaw != "" {
			return l.Counter + ": " + flaw
		}
	}
	return ""
}

// partFlaw is usageFlaw of one counter. Of what a client was asked for, all that was
// asked was counted, whatever it let pass; of a decline nothing but that it was.
func (t *Transaction) partFlaw(l control.UsagePart) string {
	billing := t.Billing
	wasAsked := t.DecidedBy == ByClient || t.DecidedBy == ByStandIn
	switch {
	case l.Of == 0:
		if l.Amount != 0 {
			return "an amount of nothing"
		}
	case l.Of != billing.Minor() && !(wasAsked && l.Of > billing.Minor()):
		return "not what it was billed"
	case l.Currency == "" && l.Amount != 0:
		return "an amount without a currency"
	case l.Currency == billing.Currency().Code() && l.Amount != l.Of:
		return "not the amount that was billed"
	}
	return ""
}
