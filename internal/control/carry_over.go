package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

var _ issuing.Limits = (*Service)(nil)

// Linked implements [issuing.Limits]: what a card used of limits of customers
// before it had one counts for its customer from now on, as far as its windows
// are open.
func (s *Service) Linked(ctx context.Context, tx db.Tx, i issuing.Issuance) error {
	own, err := countersOf(ctx, tx, i.Tenant, i.ID.String())
	if err != nil {
		return fmt.Errorf("read velocity counters: %w", err)
	}
	subject := Subject{Issuance: i.ID, Parent: i.Parent, Customer: i.Customer, Product: i.ProductCode}
	var moves []counterMove
	var keys []CounterKey
	for _, k := range own {
		to := k
		to.Subject = subject.counted(k.level())
		if l := k.level(); l != CountCustomer && l != CountCustomerProduct {
			continue
		}
		moves = append(moves, counterMove{k.String(), to.String()})
		keys = append(keys, k, to)
	}
	if len(moves) == 0 {
		return nil
	}
	c := &Counters{counters: map[string]*counterRow{}}
	wanted := make(map[string]CounterKey, len(keys))
	for _, k := range keys {
		wanted[k.String()] = k
	}
	if err := c.lock(ctx, tx, wanted); err != nil {
		return fmt.Errorf("lock counters: %w", err)
	}
	for _, m := range moves {
		if err := moveUsage(ctx, tx, m, i.UpdatedAt); err != nil {
			return fmt.Errorf("carry usage over: %w", err)
		}
	}
	return nil
}

// Unlinked implements [issuing.Limits]: the limits that were set for a card go
// with its customer; what was used stays where it is, so that no limit is won anew.
func (s *Service) Unlinked(ctx context.Context, tx db.Tx, i issuing.Issuance) error {
	if err := deleteOverrides(ctx, tx, i.Tenant, i.ID); err != nil {
		return fmt.Errorf("delete limits of card: %w", err)
	}
	return nil
}

// level is for whom the counter adds up; empty where that is not part of its name.
func (k CounterKey) level() AccumulationLevel {
	if parts := strings.Split(k.Counter, "/"); len(parts) == 6 && (parts[0] == "check" || parts[0] == "group") {
		return AccumulationLevel(parts[4])
	}
	return ""
}
