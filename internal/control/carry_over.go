package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

var _ issuing.Limits = (*Service)(nil)

// Linked implements [issuing.Limits]: what a card used of limits of customers
// before it had one counts for its customer from now on, as far as its windows
// are open.
func (s *Service) Linked(ctx context.Context, tx db.Tx, i issuing.Issuance) error {
	from := subjectKey{i.Tenant, i.ID.String()}
	cycles, err := cyclesToCarry(ctx, tx, from, i.UpdatedAt)
	if err != nil {
		return fmt.Errorf("read life cycles that used limits: %w", err)
	}
	if len(cycles) == 0 {
		return nil
	}
	subject := Subject{Issuance: i.ID, Parent: i.Parent, Customer: i.Customer, Product: i.ProductCode}
	to := map[AccumulationLevel]string{}
	wanted := map[subjectKey]bool{from: true}
	for _, l := range []AccumulationLevel{CountCustomer, CountCustomerProduct} {
		to[l] = subject.counted(l)
		wanted[subjectKey{i.Tenant, to[l]}] = true
	}
	now := func(access.TenantID) time.Time { return i.UpdatedAt }
	c := NewCounters()
	if err := c.lock(ctx, tx, wanted, now); err != nil {
		return fmt.Errorf("lock counters: %w", err)
	}
	// What was used until the lock counts too.
	if cycles, err = cyclesToCarry(ctx, tx, from, i.UpdatedAt); err != nil {
		return fmt.Errorf("read life cycles that used limits: %w", err)
	}
	if err := c.readUsage(ctx, tx, cycles, now); err != nil {
		return fmt.Errorf("read usage: %w", err)
	}
	c.carryOver(from, to, i.UpdatedAt)
	if err := c.Write(ctx, tx); err != nil {
		return fmt.Errorf("carry usage over: %w", err)
	}
	return nil
}

// carryOver lets what a subject has in windows that have not ended count for
// others from now on, by the level of its counters, and what was told of it.
func (c *Counters) carryOver(from subjectKey, to map[AccumulationLevel]string, now time.Time) {
	for _, row := range slices.Collect(maps.Values(c.rows)) {
		if row.subject != from {
			continue
		}
		row.all = slices.DeleteFunc(row.all, func(r *counted) bool {
			subject, goes := to[r.Key.level()]
			if at := (usageKey{row.transaction, r.Key}); !goes || subject == from.subject || c.usage[at] == nil {
				return false
			}
			c.move(r, subject)
			return true
		})
	}
	for _, r := range slices.Collect(maps.Values(c.counters)) {
		if subject, goes := to[r.key.level()]; r.key.of() == from && goes && subject != from.subject && (r.ends == 0 || r.ends > clock.Micros(now)) {
			c.moveAlerts(r, subject)
		}
	}
}

// moveAlerts lets what was told of a counter be told of that for another subject,
// too, if anything went there.
func (c *Counters) moveAlerts(r *counterRow, subject string) {
	k := r.key
	k.Subject = subject
	there := c.counters[k]
	if len(r.alerts) == 0 || there == nil {
		return
	}
	if there.alerts == nil {
		there.alerts = map[string]int64{}
	}
	for control, at := range r.alerts {
		there.alerts[control] = max(there.alerts[control], at)
	}
	r.alerts = nil
	c.touch(there)
	c.touch(r)
}

// move lets what a transaction has of a counter count for another subject, in
// addition to what it has there. Its own row still has it.
func (c *Counters) move(r *counted, subject string) {
	u := r.Use
	u.Key.Subject, u.At = subject, r.row.at
	at := usageKey{u.Transaction, u.Key}
	there := c.usage[at]
	if there == nil {
		there = c.begin(u)
	}
	if r.IsSpan {
		c.gone = append(c.gone, spanRow{r.row.subject.String(), r.Key.Counter, clock.Micros(r.row.at), u.Transaction})
	}
	there.Of += r.Of
	there.standing += r.standing
	there.Fees += r.Fees
	there.whole.amount += r.whole.amount
	there.whole.count += r.whole.count
	c.set(there, used{there.used.amount + r.used.amount, there.used.count + r.used.count})
	c.set(r, used{})
	delete(c.usage, usageKey{u.Transaction, r.Key})
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
