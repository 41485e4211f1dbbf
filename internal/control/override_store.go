package control

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const overrideColumns = `issuance_id, check_code, max_amount, currency, max_count, starts_at, ends_at, reason, channel, created_at, created_by,
	updated_at, updated_by`

func scanOverride(row db.Scanner) (Override, error) {
	var o Override
	var minor, count, from, to *int64
	var currency string
	var created, updated int64
	err := row.Scan(&o.Issuance, &o.Check, &minor, &currency, &count, &from, &to, &o.Reason, &o.Channel, &created, &o.CreatedBy, &updated, &o.UpdatedBy)
	if err != nil {
		return Override{}, err
	}
	o.StartsAt, o.EndsAt, o.CreatedAt, o.UpdatedAt = momentOf(from), momentOf(to), clock.FromMicros(created), clock.FromMicros(updated)
	if count != nil {
		n := int(*count)
		o.Limits.Count = &n
	}
	if minor != nil {
		c, err := money.ParseCurrency(currency)
		if err != nil {
			return Override{}, err
		}
		a, err := money.New(*minor, c)
		o.Limits.Amount = &a
		return o, err
	}
	return o, nil
}

var overrideLookup = &db.Lookup{Head: `SELECT ` + overrideColumns + ` FROM velocity_override WHERE tenant_id = $1 AND issuance_id IN `}

// readOverrides returns the limits that are set for issuances, past ones too.
func readOverrides(ctx context.Context, tx db.Tx, tenant access.TenantID, issuances []id.ID[issuing.Issuance]) ([]Override, error) {
	var all []Override
	err := overrideLookup.Query(ctx, tx, []any{tenant}, id.Texts(issuances), func(s db.Scanner) error {
		o, err := scanOverride(s)
		all = append(all, o)
		return err
	})
	return all, err
}

// readOverridesAfter returns the limits that are set for cards of a tenant and are
// not over at a moment.
func readOverridesAfter(ctx context.Context, tx db.Tx, tenant access.TenantID, at time.Time) ([]Override, error) {
	return db.Collect(ctx, tx, scanOverride, `SELECT `+overrideColumns+` FROM velocity_override
		WHERE tenant_id = $1 AND (ends_at IS NULL OR ends_at > $2)`, tenant, clock.Micros(at))
}

// readOverridden returns the codes of the controls that limits of cards were ever
// set for.
func readOverridden(ctx context.Context, tx db.Tx, tenant access.TenantID) (map[string]bool, error) {
	codes, err := db.Collect(ctx, tx, scanText, `SELECT check_code FROM velocity_overridden WHERE tenant_id = $1`, tenant)
	if err != nil {
		return nil, fmt.Errorf("read what limits of cards are set for: %w", err)
	}
	all := make(map[string]bool, len(codes))
	for _, code := range codes {
		all[code] = true
	}
	return all, nil
}

// markOverridden notes that a limit of a card is set for a control.
func markOverridden(ctx context.Context, tx db.Tx, tenant access.TenantID, check string) error {
	_, err := tx.Exec(ctx, `INSERT INTO velocity_overridden (tenant_id, check_code) VALUES ($1, $2) ON CONFLICT (tenant_id, check_code) DO NOTHING`,
		tenant, check)
	return err
}

func putOverride(ctx context.Context, tx db.Tx, tenant access.TenantID, o Override) error {
	var minor, count any
	currency := ""
	if o.Limits.Amount != nil {
		minor, currency = o.Limits.Amount.Minor(), o.Limits.Amount.Currency().Code()
	}
	if o.Limits.Count != nil {
		count = *o.Limits.Count
	}
	_, err := tx.Exec(ctx, `INSERT INTO velocity_override (`+overrideColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (issuance_id, check_code) DO UPDATE SET max_amount = excluded.max_amount, currency = excluded.currency,
			max_count = excluded.max_count, starts_at = excluded.starts_at, ends_at = excluded.ends_at, reason = excluded.reason,
			channel = excluded.channel, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		o.Issuance, o.Check, minor, currency, count, microsOf(o.StartsAt), microsOf(o.EndsAt), o.Reason, o.Channel,
		clock.Micros(o.CreatedAt), o.CreatedBy, clock.Micros(o.UpdatedAt), o.UpdatedBy, tenant)
	return err
}

func deleteOverride(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], check string) error {
	_, err := tx.Exec(ctx, `DELETE FROM velocity_override WHERE tenant_id = $1 AND issuance_id = $2 AND check_code = $3`, tenant, issuance, check)
	return err
}

// Sweep deletes limits of cards whose time has passed and returns how many.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	return access.EachPass(ctx, s.DB, s.Clock, func(p access.Pass) (int, error) { return s.SweepIn(ctx, p) })
}

// SweepIn is Sweep for the tenants of a pass.
func (s *Service) SweepIn(ctx context.Context, p access.Pass) (int, error) {
	total, err := s.DB.InTxs(ctx, func(tx db.Tx) (int64, error) {
		var w db.Where
		w.And("ends_at < ?", clock.Micros(p.Now))
		p.Narrow(&w, "tenant_id")
		return db.Affected(tx.Exec(ctx, `DELETE FROM velocity_override WHERE `+w.SQL()+` AND (issuance_id, check_code) IN
			(SELECT issuance_id, check_code FROM velocity_override WHERE `+w.SQL()+` ORDER BY ends_at LIMIT 1000)`, w.Args()...))
	})
	if err != nil {
		return int(total), fmt.Errorf("delete limits of cards: %w", err)
	}
	return int(total), nil
}
