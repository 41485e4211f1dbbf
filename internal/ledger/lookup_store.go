package ledger

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

var keyedPostings = &db.Lookup{
	Head: `SELECT ` + entryColumns + `, p.side, p.amount, p.currency, a.id, a.code, a.kind, a.keeps_balance
		FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
		WHERE e.tenant_id = $1 AND e.idempotency_key IN `,
	Tail: " ORDER BY e.idempotency_key, p.line",
}

// EntriesByKeys returns the tenant's entries with these idempotency keys, by
// key, with their postings. A key that was never used is missing.
func EntriesByKeys(ctx context.Context, tx db.Tx, tenant access.TenantID, keys []string) (map[string]Entry, error) {
	found := make(map[string]Entry, len(keys))
	err := keyedPostings.Query(ctx, tx, []any{tenant}, keys, func(s db.Scanner) error {
		var p Posting
		var minor int64
		var currency string
		e, err := scanEntry(withMore{s, []any{&p.Side, &minor, &currency, &p.Account.ID, &p.Account.Code, &p.Account.Kind,
			&p.Account.KeepsBalance}})
		if err != nil {
			return err
		}
		c, err := money.ParseCurrency(currency)
		if err != nil {
			return err
		}
		p.Account.Tenant, p.Account.Currency, p.Amount = tenant, c, amount(minor, c)
		if known, ok := found[e.Key]; ok {
			e = known
		}
		e.Postings = append(e.Postings, p)
		found[e.Key] = e
		return nil
	})
	return found, err
}

// withMore scans further columns after those that a scan function knows.
type withMore struct {
	row  db.Scanner
	more []any
}

// Scan implements db.Scanner.
func (w withMore) Scan(dest ...any) error { return w.row.Scan(append(dest, w.more...)...) }

// ReadHolds returns the holds with these identifiers, unlocked, for showing.
func ReadHolds(ctx context.Context, tx db.Tx, ids []HoldID) (map[HoldID]Hold, error) {
	found := make(map[HoldID]Hold, len(ids))
	err := holdLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		h, err := scanHold(s)
		found[h.ID] = h
		return err
	})
	return found, err
}
