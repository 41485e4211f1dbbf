package fee

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const dueColumns = `root_id, line, tenant_id, account_id, applied, is_free, waits, moved, kept, refunded, posted, entry_count, entry_id, created_at`

var (
	dueLookup = &db.Lookup{Head: `SELECT ` + dueColumns + ` FROM fee_due WHERE root_id IN `, Tail: ` ORDER BY root_id, line`}
	dueInsert = &db.Bulk{
		Head: `INSERT INTO fee_due (` + dueColumns + `, due_total, posted_total) VALUES `, Columns: 16,
	}
	dueUpdate = &db.Bulk{
		Head:    `WITH v (root_id, line, account_id, applied, waits, moved, kept, refunded, posted, entry_count, entry_id, due_total, posted_total) AS (VALUES `,
		Columns: 13,
		Types: []string{
			"TEXT", "BIGINT", "TEXT", "TEXT", "BOOLEAN", "BIGINT", "BIGINT", "BIGINT", "TEXT", "BIGINT", "TEXT", "BIGINT", "BIGINT",
		},
		Tail: `) UPDATE fee_due SET account_id = v.account_id, applied = v.applied, waits = v.waits, moved = v.moved, kept = v.kept, refunded = v.refunded,
			posted = v.posted, entry_count = v.entry_count, entry_id = v.entry_id, due_total = v.due_total,
			posted_total = v.posted_total FROM v WHERE fee_due.root_id = v.root_id AND fee_due.line = v.line`,
		Alone: `UPDATE fee_due SET account_id = $3, applied = $4, waits = $5, moved = $6, kept = $7, refunded = $8, posted = $9, entry_count = $10,
			entry_id = $11, due_total = $12, posted_total = $13 WHERE root_id = $1 AND line = $2`,
	}
)

func scanDue(s db.Scanner) (*dueRow, error) {
	r := &dueRow{}
	var applied, posted string
	var moved, kept, refunded, created int64
	err := s.Scan(&r.root, &r.line, &r.tenant, &r.account, &applied, &r.IsFree, &r.Waits, &moved, &kept, &refunded, &posted, &r.Entries, &r.Entry, &created)
	if err != nil {
		return nil, err
	}
	r.at = clock.FromMicros(created)
	due, err := ParseDue(applied)
	if err != nil {
		return nil, err
	}
	due.IsFree, due.Waits, due.Entries, due.Entry = r.IsFree, r.Waits, r.Entries, r.Entry
	r.Due = due
	currency := r.Terms.Fixed.Currency()
	for _, p := range []struct {
		to    *money.Amount
		minor int64
	}{{&r.Moved, moved}, {&r.Kept, kept}, {&r.Refunded, refunded}} {
		if *p.to, err = money.New(p.minor, currency); err != nil {
			return nil, err
		}
	}
	r.Due.Posted, err = r.Terms.chargeOf(posted)
	return r, err
}

func readDues(ctx context.Context, tx db.Tx, roots []string) (all []*dueRow, err error) {
	err = dueLookup.Query(ctx, tx, nil, roots, func(s db.Scanner) error {
		r, err := scanDue(s)
		all = append(all, r)
		return err
	})
	return all, err
}

func writeDues(ctx context.Context, tx db.Tx, fresh, changed []*dueRow) error {
	var args []any
	for _, r := range fresh {
		due, posted := r.totals()
		args = append(args, r.root, r.line, r.tenant, r.account, r.Document(), r.IsFree, r.Waits, r.Moved.Minor(), r.Kept.Minor(), r.Refunded.Minor(),
			r.Due.Posted.text(), r.Entries, r.Entry, clock.Micros(r.at), due, posted)
	}
	if err := dueInsert.Exec(ctx, tx, args); err != nil {
		return fmt.Errorf("insert fees: %w", err)
	}
	args = nil
	for _, r := range changed {
		due, posted := r.totals()
		args = append(args, r.root, r.line, r.account, r.Document(), r.Waits, r.Moved.Minor(), r.Kept.Minor(), r.Refunded.Minor(), r.Due.Posted.text(), r.Entries, r.Entry,
			due, posted)
	}
	if err := dueUpdate.Exec(ctx, tx, args); err != nil {
		return fmt.Errorf("update fees: %w", err)
	}
	return nil
}

// totals are what is owed and what was charged, taxes included, in minor units.
func (r *dueRow) totals() (due, posted int64) {
	of := func(c Charge) int64 {
		t, err := c.Total()
		if err != nil {
			return 0 // charges are made within bounds
		}
		return t.Minor()
	}
	return of(r.Owed()), of(r.Due.Posted)
}

// text is the stored form of a charge: the fee and each tax in minor units.
func (c Charge) text() string {
	parts := []string{strconv.FormatInt(c.Fee.Minor(), 10)}
	for _, t := range c.Taxes {
		parts = append(parts, strconv.FormatInt(t.Amount.Minor(), 10))
	}
	return strings.Join(parts, " ")
}

// chargeOf reads the stored form of a charge by the terms.
func (t Terms) chargeOf(text string) (Charge, error) {
	c := t.nothing()
	parts := strings.Fields(text)
	if len(parts) != 1+len(c.Taxes) {
		return c, fmt.Errorf("a charge has %d parts, its terms %d taxes", len(parts), len(c.Taxes))
	}
	for i, part := range parts {
		minor, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return c, fmt.Errorf("read charge: %w", err)
		}
		a, err := money.New(minor, t.Fixed.Currency())
		if err != nil {
			return c, fmt.Errorf("read charge: %w", err)
		}
		if i == 0 {
			c.Fee = a
		} else {
			c.Taxes[i-1].Amount = a
		}
	}
	return c, nil
}

var pendingLookup = &db.Lookup{
	Head: `SELECT DISTINCT root_id FROM fee_due WHERE due_total > posted_total AND account_id IN `, Tail: ` ORDER BY root_id`,
}

// pendingRoots lists the life cycles that accounts still owe fees of, oldest
// first.
func pendingRoots(ctx context.Context, tx db.Tx, accounts []ledger.AccountID) (all []string, err error) {
	err = pendingLookup.Query(ctx, tx, nil, id.Texts(accounts), func(s db.Scanner) error {
		var root string
		err := s.Scan(&root)
		all = append(all, root)
		return err
	})
	return all, err
}

func pendingAccounts(ctx context.Context, tx db.Tx, tenant access.TenantID, after ledger.AccountID, n int) ([]ledger.AccountID, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (a ledger.AccountID, err error) { return a, s.Scan(&a) },
		`SELECT DISTINCT account_id FROM fee_due WHERE tenant_id = $1 AND due_total > posted_total AND waits AND account_id > $2
		ORDER BY account_id LIMIT $3`, tenant, after.String(), n)
}

// movePending makes what an account owes another one's.
func movePending(ctx context.Context, tx db.Tx, tenant access.TenantID, from, to ledger.AccountID) error {
	_, err := tx.Exec(ctx, `UPDATE fee_due SET account_id = $3, entry_id = NULL
		WHERE tenant_id = $1 AND account_id = $2 AND due_total > posted_total`, tenant, from, to)
	return err
}

// rootsAfter lists life cycles that have fees, in their order.
func rootsAfter(ctx context.Context, tx db.Tx, after string, n int) ([]string, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (root string, err error) { return root, s.Scan(&root) },
		`SELECT DISTINCT root_id FROM fee_due WHERE root_id > $1 ORDER BY root_id LIMIT $2`, after, n)
}
