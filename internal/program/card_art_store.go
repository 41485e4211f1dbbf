package program

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

const cardArtColumns = `code, name, description, perso_design_code, form_factor, front_image, back_image, text_color,
	is_active, ` + access.RecordColumns

func scanCardArt(row db.Scanner) (CardArt, error) {
	var a CardArt
	record, done := access.RecordTarget(&a.Record)
	err := row.Scan(append([]any{&a.Code, &a.Name, &a.Description, &a.PersoDesignCode, &a.FormFactor, &a.FrontImage,
		&a.BackImage, &a.TextColor, &a.IsActive}, record...)...)
	done()
	return a, err
}

func ReadCardArt(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (CardArt, bool, error) {
	if !fault.Printable(code) {
		return CardArt{}, false, nil
	}
	return db.One(ctx, tx, scanCardArt, `SELECT `+cardArtColumns+` FROM card_art
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`, tenant, code)
}

// readCardArts returns a tenant's card arts that are not deleted, by code.
func readCardArts(ctx context.Context, tx db.Tx, tenant access.TenantID, active *bool) ([]CardArt, error) {
	var w db.Where
	w.And("tenant_id = ? AND deleted_at IS NULL", tenant)
	if active != nil {
		w.And("is_active = ?", *active)
	}
	return db.Collect(ctx, tx, scanCardArt, `SELECT `+cardArtColumns+` FROM card_art WHERE `+w.SQL()+` ORDER BY code`, w.Args()...)
}

// insertCardArt reports false when the code is or was in use.
func insertCardArt(ctx context.Context, tx db.Tx, tenant access.TenantID, a CardArt) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO card_art (`+cardArtColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
		append(append([]any{a.Code, a.Name, a.Description, a.PersoDesignCode, string(a.FormFactor), a.FrontImage, a.BackImage,
			a.TextColor, a.IsActive}, access.RecordValues(a.Record)...), tenant)...))
	return n == 1, err
}

// renameCardArt writes the name of a where the stored stamp is still stamp; an
// empty stamp means any. It reports whether a row was changed.
func renameCardArt(ctx context.Context, tx db.Tx, tenant access.TenantID, a CardArt, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE card_art SET name = $3, concurrency_stamp = $4, updated_at = $5, updated_by = $6
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL AND ($7 = '' OR concurrency_stamp = $7)`,
		tenant, a.Code, a.Name, a.ConcurrencyStamp, clock.Micros(a.UpdatedAt), a.UpdatedBy, stamp))
	return n == 1, err
}

func deleteCardArt(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, r access.Record) error {
	_, err := tx.Exec(ctx, `UPDATE card_art SET deleted_at = $3, updated_at = $3, updated_by = $4, concurrency_stamp = $5
		WHERE tenant_id = $1 AND code = $2 AND deleted_at IS NULL`,
		tenant, code, clock.Micros(r.UpdatedAt), r.UpdatedBy, r.ConcurrencyStamp)
	return err
}
