package fee

import (
	"context"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

var (
	dueLookup = &db.Lookup{Head: `SELECT root_id, tenant_id, account_id, lines, created_at FROM fee_due WHERE root_id IN `, Tail: ` ORDER BY root_id`}
	dueInsert = &db.Bulk{
		Head: `INSERT INTO fee_due (root_id, tenant_id, account_id, lines, pending_total, waits, created_at) VALUES `, Columns: 7,
	}
	dueUpdate = &db.Bulk{
		Head:    `WITH v (root_id, account_id, lines, pending_total, waits) AS (VALUES `,
		Columns: 5, Types: []string{"TEXT", "TEXT", "TEXT", "BIGINT", "BOOLEAN"},
		Tail: `) UPDATE fee_due SET account_id = v.account_id, lines = v.lines, pending_total = v.pending_total, waits = v.waits
			FROM v WHERE fee_due.root_id = v.root_id`,
		Alone: `UPDATE fee_due SET account_id = $2, lines = $3, pending_total = $4, waits = $5 WHERE root_id = $1`,
	}
)

// readDues reads the fees of life cycles, those of each in their order.
func readDues(ctx context.Context, tx db.Tx, roots []string) (all []*dueRow, err error) {
	err = dueLookup.Query(ctx, tx, nil, roots, func(s db.Scanner) error {
		var of dueRow
		var lines string
		var created int64
		if err := s.Scan(&of.root, &of.tenant, &of.account, &lines, &created); err != nil {
			return err
		}
		of.at = clock.FromMicros(created)
		for text := range strings.Lines(lines) {
			r := of
			r.line++
			if err := r.parse(strings.TrimSuffix(text, "\n")); err != nil {
				return fmt.Errorf("fee %d of %s: %w", r.line, r.root, err)
			}
			of.line = r.line
			all = append(all, &r)
		}
		return nil
	})
	return all, err
}

// writeDues writes the fees of life cycles, those of each together: all that began
// now, and all of which something changed.
func writeDues(ctx context.Context, tx db.Tx, fresh, changed [][]*dueRow) error {
	var args []any
	for _, rows := range fresh {
		lines, pending, waits := dueLines(rows)
		args = append(args, rows[0].root, rows[0].tenant, rows[0].account, lines, pending, waits, clock.Micros(rows[0].at))
	}
	if err := dueInsert.Exec(ctx, tx, args); err != nil {
		return fmt.Errorf("insert fees: %w", err)
	}
	args = nil
	for _, rows := range changed {
		lines, pending, waits := dueLines(rows)
		args = append(args, rows[0].root, rows[0].account, lines, pending, waits)
	}
	if err := dueUpdate.Exec(ctx, tx, args); err != nil {
		return fmt.Errorf("update fees: %w", err)
	}
	return nil
}

var pendingLookup = &db.Lookup{
	Head: `SELECT root_id FROM fee_due WHERE pending_total > 0 AND account_id IN `, Tail: ` ORDER BY root_id`,
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
		`SELECT DISTINCT account_id FROM fee_due WHERE tenant_id = $1 AND pending_total > 0 AND waits AND account_id > $2
		ORDER BY account_id LIMIT $3`, tenant, after.String(), n)
}

// movePending makes the life cycles of which an account owes fees another one's.
func movePending(ctx context.Context, tx db.Tx, tenant access.TenantID, from, to ledger.AccountID) error {
	_, err := tx.Exec(ctx, `UPDATE fee_due SET account_id = $3
		WHERE tenant_id = $1 AND account_id = $2 AND pending_total > 0`, tenant, from, to)
	return err
}

// rootsAfter lists life cycles that have fees, in their order.
func rootsAfter(ctx context.Context, tx db.Tx, after string, n int) ([]string, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (root string, err error) { return root, s.Scan(&root) },
		`SELECT root_id FROM fee_due WHERE root_id > $1 ORDER BY root_id LIMIT $2`, after, n)
}
