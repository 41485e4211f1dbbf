package authorization

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// replayPage is how many transactions are read at a time.
const replayPage = 500

// told is a transaction as it stands now, with the decision on it; clearing
// records have none.
type told struct {
	*Transaction
	record *record
	damage error // why the record cannot be read
	// was is decided again from the record, diverges how that differs from what was
	// stored: its trace is kept then.
	was      Decision
	diverges string
	trace    Trace
}

// ruled is what was stored of the decision, in short.
func (t *told) ruled() Ruling {
	if t.diverges == "" {
		return ruling(&t.was, &t.record.Request, &t.record.Facts, t.record.State)
	}
	zero := money.Zero(t.Billing.Currency())
	r := Ruling{Approved: t.Reason == Approved && t.Status != StatusPending, Reason: t.Reason, Amount: zero, Fees: zero}
	if !r.Approved {
		r.refusedBy(t.trace)
		return r
	}
	r.Amount = t.Billing
	for i := range t.trace {
		if t.trace[i].Name == FeeCheck {
			fees, _, _ := strings.Cut(t.trace[i].Input("fees"), " ")
			if a, err := money.Parse(fees, t.Billing.Currency()); err == nil {
				r.Fees = a
			}
		}
	}
	return r
}

var toldLookup = &db.Lookup{Head: "SELECT transaction_id, configuration_hash, record, trace FROM decision WHERE transaction_id IN "}

// readTold returns up to n transactions of a tenant in the order in which they
// were made, after one and before another.
func readTold(ctx context.Context, tx db.Tx, tenant access.TenantID, after, before TransactionID, n int) ([]told, error) {
	ids, err := db.Collect(ctx, tx, func(row db.Scanner) (t TransactionID, err error) { return t, row.Scan(&t) },
		`SELECT id FROM card_transaction WHERE id > $1 AND id < $2 AND tenant_id = $3 ORDER BY id LIMIT $4`, after, before, tenant, n)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	transactions, err := ReadTransactions(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	type stored struct {
		configuration string
		record, trace []byte
	}
	decisions := make(map[TransactionID]stored, len(ids))
	err = toldLookup.Query(ctx, tx, nil, id.Texts(ids), func(row db.Scanner) error {
		var t TransactionID
		var d stored
		err := row.Scan(&t, &d.configuration, &d.record, &d.trace)
		decisions[t] = d
		return err
	})
	if err != nil {
		return nil, err
	}
	page := make([]told, 0, len(ids))
	for _, t := range ids {
		if transactions[t] == nil {
			continue
		}
		x := told{Transaction: transactions[t]}
		if d, decided := decisions[t]; decided {
			x.decideAgain(d.record, d.trace, d.configuration)
		}
		page = append(page, x)
	}
	return page, nil
}

// decideAgain makes the decision from its record and compares it with what was
// stored.
func (t *told) decideAgain(record, packedTrace []byte, configuration string) {
	text, err := unpack(record)
	trace := ""
	if err == nil {
		trace, err = unpack(packedTrace)
	}
	if err == nil {
		t.record, err = parseRecord(text)
	}
	if err != nil {
		t.damage = fmt.Errorf("decision on %s: %w", t.Transaction.ID.UUID(), err)
		return
	}
	r := t.record
	t.was = decide(&r.Request, &r.Facts, r.State)
	if t.diverges = divergence(&t.was, r, trace, configuration, t.Transaction); t.diverges != "" {
		t.trace, t.damage = ParseTrace(trace)
	}
}

// countTold counts the transactions of a tenant that lie between two.
func countTold(ctx context.Context, tx db.Tx, tenant access.TenantID, after, before TransactionID) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount,
		`SELECT count(*) FROM card_transaction WHERE id > $1 AND id < $2 AND tenant_id = $3`, after, before, tenant)
	return n, err
}

// hasOlder reports whether a tenant has transactions from before a moment.
func hasOlder(ctx context.Context, tx db.Tx, tenant access.TenantID, t time.Time) (bool, error) {
	_, found, err := db.One(ctx, tx, db.ScanCount,
		`SELECT 1 FROM card_transaction WHERE id < $1 AND tenant_id = $2 AND created_at < $3 LIMIT 1`,
		id.Floor[Transaction](t), tenant, clock.Micros(t))
	return found, err
}

// lastRecordBefore is what the last decision about a card before a presentment was
// made from.
func lastRecordBefore(ctx context.Context, tx db.Tx, t *Transaction) (*record, bool, error) {
	text, found, err := db.One(ctx, tx, func(row db.Scanner) (text Packed, err error) { return text, row.Scan(&text) },
		`SELECT d.record FROM card_transaction t JOIN decision d ON d.transaction_id = t.id
		WHERE t.tenant_id = $1 AND t.issuance_id = $2 AND t.created_at <= $3 AND t.id < $4 ORDER BY t.created_at DESC, t.id DESC LIMIT 1`,
		t.Tenant, t.Issuance, clock.Micros(t.CreatedAt), t.ID)
	if err != nil || !found {
		return nil, false, err
	}
	r, err := parseRecord(string(text))
	return r, err == nil, err
}
