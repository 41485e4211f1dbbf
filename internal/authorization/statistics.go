package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Statistics sum up what an issuance was used for, whatever plastic. A life
// cycle counts once: with what was presented of it, else with what stands of
// its authorization. What was reversed or expired counts nothing. Amounts are
// minor units of the account's currency.
type Statistics struct {
	First, Last       time.Time    // of what was not declined; zero for nothing
	LastAmount        money.Amount // as the merchant asked for it
	LastPIN           time.Time    // when a right PIN came last
	Purchases, Cash   Usage
	Refunds           Usage
	Declines          int
	LastDeclineReason Reason
	OpenHolds         Usage
	YearSpend         int64 // purchases and cash since the beginning of the year
}

// Usage is a number of life cycles and their sum.
type Usage struct {
	Count  int
	Amount int64
}

// Statistics sums up an issuance of the caller's tenant. yearBegins is when the
// present year began for the tenant.
func (q *Queries) Statistics(ctx context.Context, c access.Caller, issuance id.ID[issuing.Issuance], yearBegins time.Time) (s Statistics, err error) {
	err = q.db.View(ctx, func(tx db.Tx) error {
		if s, err = readStatistics(ctx, tx, c.Tenant, issuance, yearBegins); err != nil {
			return err
		}
		ids, err := holdsOfIssuance(ctx, tx, c.Tenant, issuance)
		if err != nil {
			return err
		}
		holds, err := ledger.ReadHolds(ctx, tx, ids)
		for _, h := range holds {
			if h.IsOpen() {
				s.OpenHolds.Count++
				s.OpenHolds.Amount += h.Total().Minor()
			}
		}
		return err
	})
	if err != nil {
		return Statistics{}, fmt.Errorf("sum up transactions: %w", err)
	}
	return s, nil
}

var _ issuing.LastUse = (*Queries)(nil)

// LastUsed implements [issuing.LastUse].
func (q *Queries) LastUsed(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance]) (time.Time, error) {
	return lastUsed(ctx, tx, tenant, issuance)
}

// LastUses returns when something that was not declined last happened to each of
// these cards of the caller's tenant, which come with their issuances. Cards that were
// never used are missing.
func (q *Queries) LastUses(ctx context.Context, c access.Caller, cards map[id.ID[issuing.Card]]id.ID[issuing.Issuance]) (map[id.ID[issuing.Card]]time.Time, error) {
	last := make(map[id.ID[issuing.Card]]time.Time, len(cards))
	err := q.db.View(ctx, func(tx db.Tx) error {
		for card, issuance := range cards {
			at, found, err := readLastUse(ctx, tx, c.Tenant, issuance, card)
			if err != nil {
				return err
			}
			if found {
				last[card] = at
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find last uses: %w", err)
	}
	return last, nil
}
