package customer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// sealNote seals the text of a note for its row.
func (s *Service) sealNote(ctx context.Context, tenant access.TenantID, n Note) ([]byte, error) {
	sealed, err := s.HSM.Seal(ctx, tenant.String(), Purpose, []byte(n.Text), hsm.PlaceOf(tenant, "user_note", "note", n.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal note: %w", vault.HSMFault(err))
	}
	return sealed, nil
}

// noteRow is a note as stored: its text still sealed.
type noteRow struct {
	Note
	sealed []byte
}

func scanNote(row db.Scanner) (noteRow, error) {
	var n noteRow
	var created int64
	err := row.Scan(&n.ID, &n.Subject, &n.Key, &n.sealed, &n.Category, &n.IsPinned, &created, &n.CreatedBy, &n.Author)
	n.CreatedAt = clock.FromMicros(created)
	return n, err
}

const noteColumns = `id, entity_type, entity_key, note, category, is_pinned, created_at, created_by, author`

func insertNote(ctx context.Context, tx db.Tx, tenant access.TenantID, n Note, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO user_note (`+noteColumns+`, tenant_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		n.ID, string(n.Subject), n.Key, sealed, n.Category, n.IsPinned, clock.Micros(n.CreatedAt), n.CreatedBy, n.Author, tenant)
	return err
}

// countNotes counts notes as far as [list.TotalMax] and one more.
func countNotes(ctx context.Context, tx db.Tx, tenant access.TenantID, subject NoteSubject, key string) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM (SELECT 1 FROM user_note
		WHERE tenant_id = $1 AND entity_type = $2 AND entity_key = $3 LIMIT `+strconv.Itoa(list.TotalMax+1)+`) AS counted`,
		tenant, string(subject), key)
	if err != nil {
		return 0, fmt.Errorf("count notes: %w", err)
	}
	return n, nil
}

func (s *Service) listNotes(ctx context.Context, tx db.Tx, tenant access.TenantID, subject NoteSubject, key string, p list.Page) ([]Note, int, error) {
	total, err := countNotes(ctx, tx, tenant, subject, key)
	if err != nil {
		return nil, 0, err
	}
	rows, err := db.Collect(ctx, tx, scanNote, `SELECT `+noteColumns+` FROM user_note
		WHERE tenant_id = $1 AND entity_type = $2 AND entity_key = $3
		ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5`, tenant, string(subject), key, p.Limit, p.Skip)
	if err != nil {
		return nil, 0, fmt.Errorf("list notes: %w", err)
	}
	page := make([]Note, len(rows))
	for i, row := range rows {
		text, err := s.HSM.Open(ctx, tenant.String(), Purpose, row.sealed,
			hsm.PlaceOf(tenant, "user_note", "note", row.ID.String()))
		if err != nil {
			return nil, 0, fmt.Errorf("open note %s: %w", row.ID, vault.HSMFault(err))
		}
		page[i], page[i].Text = row.Note, string(text)
	}
	return page, total, nil
}
