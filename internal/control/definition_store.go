package control

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

const definitionColumns = `code, name, description, starts_at, ends_at, is_active, version, document, ` + access.RecordColumns

func (k *Definitions[D]) scan(row db.Scanner) (D, error) {
	var h Head
	var document string
	var from, to *int64
	record, done := access.RecordTarget(&h.Record)
	err := row.Scan(append([]any{&h.Code, &h.Name, &h.Description, &from, &to, &h.IsActive, &h.Version, &document}, record...)...)
	if err != nil {
		var none D
		return none, err
	}
	done()
	h.StartsAt, h.EndsAt = momentOf(from), momentOf(to)
	d, err := k.Decode(document)
	*k.Head(&d) = h
	return d, err
}

// read returns the tenant's definitions that are not deleted, by code.
func (k *Definitions[D]) read(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]D, error) {
	return db.Collect(ctx, tx, k.scan, `SELECT `+definitionColumns+` FROM control_definition
		WHERE tenant_id = $1 AND kind = $2 AND deleted_at IS NULL ORDER BY code`, tenant, string(k.Kind))
}

func (k *Definitions[D]) readOne(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (D, bool, error) {
	if !fault.Printable(code) {
		var none D
		return none, false, nil
	}
	return db.One(ctx, tx, k.scan, `SELECT `+definitionColumns+` FROM control_definition
		WHERE tenant_id = $1 AND kind = $2 AND code = $3 AND deleted_at IS NULL`, tenant, string(k.Kind), code)
}

// storedDefinition is what decides of a definition of any kind.
type storedDefinition struct {
	kind             Kind
	code             string
	startsAt, endsAt *time.Time
	isActive         bool
	document         string
}

// readStoredDefinitions returns the tenant's definitions of all kinds.
func readStoredDefinitions(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]storedDefinition, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (storedDefinition, error) {
		var d storedDefinition
		var from, to *int64
		err := row.Scan(&d.kind, &d.code, &from, &to, &d.isActive, &d.document)
		d.startsAt, d.endsAt = momentOf(from), momentOf(to)
		return d, err
	}, `SELECT kind, code, starts_at, ends_at, is_active, document FROM control_definition
		WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY kind, code`, tenant)
}

// insert reports false when the code is or was in use.
func (k *Definitions[D]) insert(ctx context.Context, tx db.Tx, tenant access.TenantID, d D) (bool, error) {
	document, err := k.Encode(d)
	if err != nil {
		return false, err
	}
	h := *k.Head(&d)
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO control_definition (`+definitionColumns+`, tenant_id, kind)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (tenant_id, kind, code) DO NOTHING`,
		append(append([]any{h.Code, h.Name, h.Description, microsOf(h.StartsAt), microsOf(h.EndsAt), h.IsActive, h.Version, document},
			access.RecordValues(h.Record)...), tenant, string(k.Kind))...))
	if err != nil || n == 0 {
		return false, err
	}
	return true, k.keepVersion(ctx, tx, tenant, h, document)
}

func (k *Definitions[D]) update(ctx context.Context, tx db.Tx, tenant access.TenantID, d D) error {
	document, err := k.Encode(d)
	if err != nil {
		return err
	}
	h := *k.Head(&d)
	_, err = tx.Exec(ctx, `UPDATE control_definition SET name = $4, description = $5, starts_at = $6, ends_at = $7, is_active = $8,
		version = $9, document = $10, concurrency_stamp = $11, updated_at = $12, updated_by = $13
		WHERE tenant_id = $1 AND kind = $2 AND code = $3`,
		tenant, string(k.Kind), h.Code, h.Name, h.Description, microsOf(h.StartsAt), microsOf(h.EndsAt), h.IsActive,
		h.Version, document, h.ConcurrencyStamp, clock.Micros(h.UpdatedAt), h.UpdatedBy)
	if err != nil {
		return err
	}
	return k.keepVersion(ctx, tx, tenant, h, document)
}

// keepVersion keeps what a definition is from now on, for ever.
func (k *Definitions[D]) keepVersion(ctx context.Context, tx db.Tx, tenant access.TenantID, h Head, document string) error {
	_, err := tx.Exec(ctx, `INSERT INTO control_version (tenant_id, kind, code, version, name, document, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, tenant, string(k.Kind), h.Code, h.Version, h.Name, document, clock.Micros(h.UpdatedAt))
	return err
}

func deleteDefinition(ctx context.Context, tx db.Tx, tenant access.TenantID, kind Kind, code string, r access.Record) error {
	_, err := tx.Exec(ctx, `UPDATE control_definition SET deleted_at = $4, concurrency_stamp = $5, updated_at = $4, updated_by = $6
		WHERE tenant_id = $1 AND kind = $2 AND code = $3`,
		tenant, string(kind), code, clock.Micros(r.UpdatedAt), r.ConcurrencyStamp, r.UpdatedBy)
	return err
}

// microsOf and momentOf are a moment in a column that may be NULL.
func microsOf(t *time.Time) any {
	if t == nil {
		return nil
	}
	return clock.Micros(*t)
}

func momentOf(us *int64) *time.Time {
	if us == nil {
		return nil
	}
	t := clock.FromMicros(*us)
	return &t
}

// versions returns what the definition of a code was, by version.
func (k *Definitions[D]) versions(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (map[int]D, error) {
	all := map[int]D{}
	_, err := db.Collect(ctx, tx, func(row db.Scanner) (struct{}, error) {
		var version int
		var document string
		var at time.Time
		if err := row.Scan(&version, &document, db.IntoTime(&at)); err != nil {
			return struct{}{}, err
		}
		d, err := k.Decode(document)
		k.Head(&d).Version, k.Head(&d).UpdatedAt = version, at
		all[version] = d
		return struct{}{}, err
	}, `SELECT version, document, at FROM control_version WHERE tenant_id = $1 AND kind = $2 AND code = $3`, tenant, string(k.Kind), code)
	return all, err
}

// version returns what the definition of a code was at one version.
func (k *Definitions[D]) version(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, version int) (D, bool, error) {
	document, found, err := db.One(ctx, tx, func(row db.Scanner) (text string, err error) { return text, row.Scan(&text) },
		`SELECT document FROM control_version WHERE tenant_id = $1 AND kind = $2 AND code = $3 AND version = $4`,
		tenant, string(k.Kind), code, version)
	if err != nil || !found {
		var none D
		return none, false, err
	}
	d, err := k.Decode(document)
	return d, err == nil, err
}
