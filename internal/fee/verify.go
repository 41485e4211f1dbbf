package fee

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// DuesAfter returns the fees of up to n life cycles, in the order of these after
// one, unlocked: for checking them.
func DuesAfter(ctx context.Context, tx db.Tx, after string, n int) (*Dues, []string, error) {
	roots, err := rootsAfter(ctx, tx, after, n)
	if err != nil {
		return nil, nil, fmt.Errorf("list fees: %w", err)
	}
	d, err := OpenDues(ctx, tx, roots)
	return d, roots, err
}

// Entries reads the entries that charged fees and gave them back, by key.
func (d *Dues) Entries(ctx context.Context, tx db.Tx) (map[string]ledger.Entry, error) {
	keys := map[access.TenantID][]string{}
	for _, rows := range d.of {
		for _, r := range rows {
			for n := range r.Entries {
				keys[r.tenant] = append(keys[r.tenant], r.entryKey(n+1))
			}
		}
	}
	all := map[string]ledger.Entry{}
	for tenant, list := range keys {
		found, err := ledger.EntriesByKeys(ctx, tx, tenant, list)
		if err != nil {
			return nil, err
		}
		for key, e := range found {
			all[key] = e
		}
	}
	return all, nil
}

// Flaw says how what was charged of a life cycle's fees differs from what their
// terms give on what moved, and from what the ledger has of it; empty when it
// does not.
func (d *Dues) Flaw(root string, entries map[string]ledger.Entry) string {
	for _, r := range d.of[root] {
		if more, err := r.Owed().Less(r.Due.Posted); (err != nil || !more.isZero()) && !(r.Waits && r.IsPending()) {
			return r.Code + ": charged is not what its terms give"
		}
		var booked int64
		for n := range r.Entries {
			e, found := entries[r.entryKey(n+1)]
			if !found {
				return r.Code + ": an entry is missing"
			}
			for _, p := range e.Postings {
				switch {
				case !p.Account.KeepsBalance: // income, or a tax
				case p.Side == ledger.Debit:
					booked += p.Amount.Minor()
				default:
					booked -= p.Amount.Minor()
				}
			}
		}
		if total, err := r.Due.Posted.Total(); err != nil || total.Minor() != booked {
			return r.Code + ": the ledger has charged something else"
		}
	}
	return ""
}

// ToHold is what is to be set aside for the fees of a life cycle while so much of
// it is held.
func (d *Dues) ToHold(root string, held money.Amount) money.Amount {
	sum := money.Zero(held.Currency())
	for _, r := range d.of[root] {
		sum = add(sum, r.Due.ToHold(held))
	}
	return sum
}
