package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

var slipInsert = &db.Bulk{Head: `INSERT INTO digital_slip (transaction_id, tenant_id, content, expires_at) VALUES `, Columns: 4}

func insertSlips(ctx context.Context, tx db.Tx, slips []*Slip) error {
	args := make([]any, 0, len(slips)*slipInsert.Columns)
	for _, s := range slips {
		c := codec{}
		s.visit(&c)
		args = append(args, s.Transaction, s.Tenant, string(c.out), clock.Micros(s.ExpiresAt))
	}
	return slipInsert.Exec(ctx, tx, args)
}

var slipLookup = &db.Lookup{Head: `SELECT content FROM digital_slip WHERE transaction_id IN `}

// readSlips returns the slips that are kept of these transactions.
func readSlips(ctx context.Context, tx db.Tx, ids []TransactionID) (map[TransactionID]*Slip, error) {
	slips := map[TransactionID]*Slip{}
	err := slipLookup.Query(ctx, tx, nil, id.Texts(ids), func(row db.Scanner) error {
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		c, err := newReader(text)
		if err != nil {
			return err
		}
		s := &Slip{}
		s.visit(c)
		slips[s.Transaction] = s
		return c.err
	})
	return slips, err
}

// SweepSlips deletes slips past their date and returns how many.
func (e *Engine) SweepSlips(ctx context.Context) (int, error) {
	return access.EachPass(ctx, e.db, e.clock, func(p access.Pass) (int, error) { return e.SweepSlipsIn(ctx, p) })
}

// SweepSlipsIn is SweepSlips for the tenants of a pass.
func (e *Engine) SweepSlipsIn(ctx context.Context, p access.Pass) (int, error) {
	total, err := e.db.InTxs(ctx, func(tx db.Tx) (int64, error) {
		var w db.Where
		w.And("expires_at < ?", clock.Micros(p.Now))
		p.Narrow(&w, "tenant_id")
		return db.Affected(tx.Exec(ctx, `DELETE FROM digital_slip WHERE transaction_id IN (
			SELECT transaction_id FROM digital_slip WHERE `+w.SQL()+` ORDER BY expires_at LIMIT 1000)`, w.Args()...))
	})
	if err != nil {
		return int(total), fmt.Errorf("delete slips: %w", err)
	}
	return int(total), nil
}
