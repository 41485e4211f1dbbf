package control

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const linkColumns = `id, kind, parent_code, link_type, link_code, target, priority, starts_at, ends_at, is_active, description, ` +
	access.RecordColumns

func scanLink(row db.Scanner) (Link, error) {
	var l Link
	var from, to *int64
	record, done := access.RecordTarget(&l.Record)
	err := row.Scan(append([]any{&l.ID, &l.Kind, &l.Parent, &l.Type, &l.Code, &l.Target, &l.Priority, &from, &to, &l.IsActive,
		&l.Description}, record...)...)
	if err != nil {
		return Link{}, err
	}
	done()
	l.StartsAt, l.EndsAt = momentOf(from), momentOf(to)
	return l, nil
}

// LinkFilter selects links; empty members select all.
type LinkFilter struct {
	Kind   Kind
	Parent string
	Type   LinkType
	Code   string
	// targets are what Code is a name of, of the kinds that have several names: their
	// links are found by it whatever name they were made with.
	targets map[LinkType]string
}

// readLinks returns links by what they link, the most specific first.
func readLinks(ctx context.Context, tx db.Tx, tenant access.TenantID, f LinkFilter) ([]Link, error) {
	var w db.Where
	w.And("tenant_id = ?", tenant)
	db.Equal(&w, "kind", f.Kind)
	db.Equal(&w, "parent_code", f.Parent)
	db.Equal(&w, "link_type", f.Type)
	if len(f.targets) == 0 {
		db.Equal(&w, "link_code", f.Code)
	} else {
		w.And("(link_code = ? OR link_type = 'Card' AND target = ? OR link_type = 'Customer' AND target = ?)",
			f.Code, f.targets[LinkCard], f.targets[LinkCustomer])
	}
	return db.Collect(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM control_link WHERE `+w.SQL()+
		` ORDER BY kind, parent_code, created_at, id`, w.Args()...)
}

func readLink(ctx context.Context, tx db.Tx, tenant access.TenantID, kind Kind, link id.ID[Link]) (Link, bool, error) {
	return db.One(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM control_link WHERE tenant_id = $1 AND kind = $2 AND id = $3`,
		tenant, string(kind), link)
}

// putLink keeps a link. Where the tie exists already, it becomes l in everything
// but its identifier and its author.
func putLink(ctx context.Context, tx db.Tx, tenant access.TenantID, l Link) (Link, error) {
	kept, _, err := db.One(ctx, tx, scanLink, `INSERT INTO control_link (`+linkColumns+`, tenant_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (tenant_id, kind, parent_code, link_type, target) DO UPDATE SET priority = excluded.priority,
			link_code = excluded.link_code, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
			is_active = excluded.is_active, description = excluded.description,
			concurrency_stamp = excluded.concurrency_stamp, updated_at = excluded.updated_at, updated_by = excluded.updated_by
		RETURNING `+linkColumns,
		append(append([]any{l.ID, string(l.Kind), l.Parent, string(l.Type), l.Code, l.Target, l.Priority, microsOf(l.StartsAt),
			microsOf(l.EndsAt), l.IsActive, l.Description}, access.RecordValues(l.Record)...), tenant)...)
	return kept, err
}

func deleteLink(ctx context.Context, tx db.Tx, tenant access.TenantID, link id.ID[Link]) error {
	_, err := tx.Exec(ctx, `DELETE FROM control_link WHERE tenant_id = $1 AND id = $2`, tenant, link)
	return err
}

// readGeneralLinks returns the links to all but customers and cards, and whether
// there are links to those.
func readGeneralLinks(ctx context.Context, tx db.Tx, tenant access.TenantID) (general []Link, personal bool, err error) {
	general, err = db.Collect(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM control_link
		WHERE tenant_id = $1 AND link_type NOT IN ('Customer', 'Card')`, tenant)
	if err != nil {
		return nil, false, err
	}
	_, personal, err = db.One(ctx, tx, db.ScanCount, `SELECT 1 FROM control_link
		WHERE tenant_id = $1 AND link_type IN ('Customer', 'Card') LIMIT 1`, tenant)
	return general, personal, err
}

// readPersonalLinks returns the links to a customer and to its card.
func readPersonalLinks(ctx context.Context, tx db.Tx, tenant access.TenantID, s Subject) ([]Link, error) {
	return db.Collect(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM control_link
		WHERE tenant_id = $1 AND (link_type = 'Card' AND target = $2 OR link_type = 'Customer' AND target = $3)`,
		tenant, s.target(LinkCard), s.target(LinkCustomer))
}
