package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const tenantColumns = `id, code, name, institution_type, tax_number, address, contact, time_zone, language,
	environment, default_currency, is_active, client_refresh,
	rate_per_second, rate_burst, ahead, concurrency_stamp, created_at, updated_at`

// ReadTenant returns the tenant with this id, if there is one.
func ReadTenant(ctx context.Context, tx db.Tx, tenant TenantID) (Tenant, bool, error) {
	return db.One(ctx, tx, scanTenant, `SELECT `+tenantColumns+` FROM tenant WHERE id = $1`, tenant)
}

var lockTenant = &db.Lookup{Head: "SELECT id FROM tenant WHERE id IN ", Lock: true}

// LockTenant holds the row of a tenant until tx ends, for what is decided on all
// rows of one kind that a tenant has. Take it before any other lock.
func LockTenant(ctx context.Context, tx db.Tx, tenant TenantID) error {
	return lockTenant.Query(ctx, tx, nil, []string{tenant.String()}, func(s db.Scanner) error {
		var locked string
		return s.Scan(&locked)
	})
}

// FindTenantByCode returns the tenant with this code, if there is one.
func FindTenantByCode(ctx context.Context, tx db.Tx, code string) (Tenant, bool, error) {
	return db.One(ctx, tx, scanTenant, `SELECT `+tenantColumns+` FROM tenant WHERE code = $1`, code)
}

// Tenants returns every tenant in the order of creation.
func Tenants(ctx context.Context, tx db.Tx) ([]Tenant, error) {
	return db.Collect(ctx, tx, scanTenant, `SELECT `+tenantColumns+` FROM tenant ORDER BY created_at, id`)
}

func scanTenant(row db.Scanner) (Tenant, error) {
	var t Tenant
	var zone, currency string
	var created, updated, ahead int64
	err := row.Scan(&t.ID, &t.Code, &t.Name, &t.InstitutionType, &t.TaxNumber, &t.Address, &t.Contact, &zone, &t.Language,
		&t.Environment, &currency, &t.IsActive, &t.ClientRefresh, &t.Rate.PerSecond, &t.Rate.Burst, &ahead, &t.ConcurrencyStamp, &created, &updated)
	if err != nil {
		return Tenant{}, err
	}
	if t.Zone, err = time.LoadLocation(zone); err != nil {
		return Tenant{}, fmt.Errorf("tenant %s: %w", t.ID, err)
	}
	if t.DefaultCurrency, err = money.ParseCurrency(currency); err != nil {
		return Tenant{}, fmt.Errorf("tenant %s: %w", t.ID, err)
	}
	t.Ahead = AheadFromMicros(ahead)
	t.CreatedAt, t.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	return t, nil
}

// claimAdvance takes the right to move the time of a tenant, unless somebody has
// it now.
func claimAdvance(ctx context.Context, tx db.Tx, tenant TenantID, now, until clock.Real) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE tenant SET advancing_until = $3 WHERE id = $1 AND advancing_until <= $2`,
		tenant, clock.Micros(now.Time()), clock.Micros(until.Time())))
	return n == 1, err
}

// moveAhead writes how far t is ahead, and renews the right to move it; false
// when it was lost.
func moveAhead(ctx context.Context, tx db.Tx, t Tenant, held, until clock.Real) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE tenant SET ahead = $2, advancing_until = $4 WHERE id = $1 AND advancing_until = $3`,
		t.ID, time.Duration(t.Ahead).Microseconds(), clock.Micros(held.Time()), clock.Micros(until.Time())))
	return n == 1, err
}

// renewAdvance renews the right to move the time of a tenant; false when it was
// lost.
func renewAdvance(ctx context.Context, tx db.Tx, tenant TenantID, held, until clock.Real) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE tenant SET advancing_until = $3 WHERE id = $1 AND advancing_until = $2`,
		tenant, clock.Micros(held.Time()), clock.Micros(until.Time())))
	return n == 1, err
}

// advanceAsked is where the time of a tenant was to go when it was moved last.
func advanceAsked(ctx context.Context, tx db.Tx, tenant TenantID) (at time.Time, err error) {
	at, _, err = db.One(ctx, tx, func(row db.Scanner) (time.Time, error) {
		var us int64
		err := row.Scan(&us)
		return clock.FromMicros(us), err
	}, `SELECT advancing_to FROM tenant WHERE id = $1`, tenant)
	return at, err
}

// askAdvance writes where the time of a tenant is to go.
func askAdvance(ctx context.Context, tx db.Tx, tenant TenantID, to time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE tenant SET advancing_to = $2 WHERE id = $1`, tenant, clock.Micros(to))
	return err
}

// releaseAdvance gives the right to move the time of a tenant back; false when
// it was lost.
func releaseAdvance(ctx context.Context, tx db.Tx, tenant TenantID, held clock.Real) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE tenant SET advancing_until = 0 WHERE id = $1 AND advancing_until = $2`,
		tenant, clock.Micros(held.Time())))
	return n == 1, err
}

// tenantsAhead returns those whose business time is ahead of the clock.
func tenantsAhead(ctx context.Context, tx db.Tx) ([]Tenant, error) {
	return db.Collect(ctx, tx, scanTenant, `SELECT `+tenantColumns+` FROM tenant WHERE ahead > 0 ORDER BY id`)
}

// Narrow adds to a query that it is about the tenants of the pass only; column
// holds their ids.
func (p Pass) Narrow(w *db.Where, column string) {
	if p.Tenant.IsZero() {
		w.And(column + " NOT IN (SELECT id FROM tenant WHERE ahead > 0)")
		return
	}
	w.And(column+" = ?", p.Tenant.String())
}

// AheadOf is SQL for how far the tenant in a column is ahead, as [AheadFromMicros]
// reads it.
func AheadOf(column string) string {
	return "(SELECT ahead FROM tenant WHERE tenant.id = " + column + ")"
}

// AheadFromMicros reads what [AheadOf] selects.
func AheadFromMicros(us int64) clock.Ahead { return clock.Ahead(us * int64(time.Microsecond)) }

func insertTenant(ctx context.Context, tx db.Tx, t Tenant) error {
	_, err := tx.Exec(ctx, `INSERT INTO tenant (`+tenantColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16, $17, $18)`,
		t.ID, t.Code, t.Name, t.InstitutionType, t.TaxNumber, t.Address, t.Contact, t.Zone.String(), t.Language,
		string(t.Environment), t.DefaultCurrency.Code(), t.IsActive, t.ClientRefresh, t.Rate.PerSecond, t.Rate.Burst, t.ConcurrencyStamp,
		clock.Micros(t.CreatedAt), clock.Micros(t.UpdatedAt))
	return err
}

// updateTenant writes the mutable columns of t where the stored stamp is still
// stamp; an empty stamp means any. It reports whether a row was changed.
func updateTenant(ctx context.Context, tx db.Tx, t Tenant, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE tenant SET name = $2, institution_type = $3, tax_number = $4, address = $5,
		contact = $6, time_zone = $7, language = $8, default_currency = $9, concurrency_stamp = $10, updated_at = $11,
		client_refresh = $13, rate_per_second = $14, rate_burst = $15
		WHERE id = $1 AND ($12 = '' OR concurrency_stamp = $12)`,
		t.ID, t.Name, t.InstitutionType, t.TaxNumber, t.Address, t.Contact, t.Zone.String(), t.Language,
		t.DefaultCurrency.Code(), t.ConcurrencyStamp, clock.Micros(t.UpdatedAt), stamp, t.ClientRefresh, t.Rate.PerSecond, t.Rate.Burst))
	return n == 1, err
}

// MustTenant returns a tenant that exists: one that does not is our mistake.
func MustTenant(ctx context.Context, tx db.Tx, tenant TenantID) (Tenant, error) {
	t, found, err := ReadTenant(ctx, tx, tenant)
	if err != nil {
		return Tenant{}, fmt.Errorf("read tenant: %w", err)
	}
	if !found {
		return Tenant{}, fmt.Errorf("tenant %s does not exist", tenant)
	}
	return t, nil
}
