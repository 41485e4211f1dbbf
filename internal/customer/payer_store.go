package customer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// payerRow is a payer as it is stored.
type payerRow struct {
	Payer
	sealed []byte
	terms  []payerTerm // when it is written
}

type payerTerm struct {
	field PayerField
	term  []byte
}

// writable makes of a payer what is stored.
func (s *Service) writable(ctx context.Context, p Payer) (w payerRow, err error) {
	w.Payer = p
	if w.sealed, err = s.sealContact(ctx, p.Tenant, p.Contact, "payer", p.ID.String()); err != nil {
		return w, err
	}
	for _, f := range ContactFields() {
		if p.Contact[f] == "" {
			continue
		}
		term, err := s.payerTerm(ctx, p.Tenant, f, p.Contact[f])
		if err != nil {
			return w, err
		}
		w.terms = append(w.terms, payerTerm{f, term})
	}
	return w, nil
}

// payerTerm is by what a value of a field is found.
func (s *Service) payerTerm(ctx context.Context, tenant access.TenantID, f PayerField, value string) ([]byte, error) {
	folded := foldCase(value)
	if isNameField(f) {
		return []byte(folded), nil
	}
	index, err := s.index(ctx, tenant, "payer", string(f), folded)
	return []byte(index), err
}

func (s *Service) sealContact(ctx context.Context, tenant access.TenantID, c Contact, table, row string) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode contact: %w", err)
	}
	defer clear(plain)
	sealed, err := s.HSM.Seal(ctx, tenant.String(), Purpose, plain, hsm.PlaceOf(tenant, table, "document", row))
	if err != nil {
		return nil, fmt.Errorf("seal contact: %w", vault.HSMFault(err))
	}
	return sealed, nil
}

func (s *Service) openContact(ctx context.Context, tenant access.TenantID, sealed []byte, table, row string) (c Contact, err error) {
	plain, err := s.HSM.Open(ctx, tenant.String(), Purpose, sealed, hsm.PlaceOf(tenant, table, "document", row))
	if err != nil {
		return nil, fmt.Errorf("open contact: %w", vault.HSMFault(err))
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &c); err != nil {
		return nil, fmt.Errorf("decode contact of %s %s: it is malformed", table, row)
	}
	return c, nil
}

const payerColumns = `p.id, p.tenant_id, p.client_id, p.reference, p.document, p.created_at, p.updated_at`

func scanPayer(row db.Scanner) (w payerRow, err error) {
	var created int64
	var updated *int64
	err = row.Scan(&w.ID, &w.Tenant, &w.Client, &w.Reference, &w.sealed, &created, &updated)
	w.CreatedAt = clock.FromMicros(created)
	if updated != nil {
		w.UpdatedAt = clock.FromMicros(*updated)
	}
	return w, err
}

func (s *Service) openedPayer(ctx context.Context, w payerRow) (p Payer, err error) {
	p = w.Payer
	p.Contact, err = s.openContact(ctx, p.Tenant, w.sealed, "payer", p.ID.String())
	return p, err
}

func (s *Service) readPayer(ctx context.Context, tx db.Tx, c access.Caller, reference string) (Payer, bool, error) {
	if !fault.Printable(reference) {
		return Payer{}, false, nil
	}
	w, found, err := db.One(ctx, tx, scanPayer, `SELECT `+payerColumns+` FROM payer p
		WHERE p.tenant_id = $1 AND p.client_id = $2 AND p.reference = $3 AND p.deleted_at IS NULL`, c.Tenant, c.Client, reference)
	if err != nil || !found {
		return Payer{}, false, err
	}
	p, err := s.openedPayer(ctx, w)
	return p, err == nil, err
}

var payerLock = db.Lookup{Head: `SELECT id FROM payer WHERE tenant_id = $1 AND reference IN `, Lock: true}

// lockPayer locks the row of a payer, if there is one, until the transaction ends.
func lockPayer(ctx context.Context, tx db.Tx, tenant access.TenantID, reference string) error {
	if !fault.Printable(reference) {
		return errPayerNotFound
	}
	if err := db.LockRow(ctx, tx, &payerLock, tenant, reference); err != nil {
		return fmt.Errorf("lock payer: %w", err)
	}
	return nil
}

func insertPayer(ctx context.Context, tx db.Tx, w payerRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO payer (id, tenant_id, client_id, reference, document, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		w.ID, w.Tenant, w.Client, w.Reference, w.sealed, clock.Micros(w.CreatedAt))
	if err != nil {
		return err
	}
	return insertPayerTerms(ctx, tx, w)
}

func updatePayer(ctx context.Context, tx db.Tx, w payerRow) error {
	_, err := tx.Exec(ctx, `UPDATE payer SET document = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2`,
		w.Tenant, w.ID, w.sealed, clock.Micros(w.UpdatedAt))
	if err != nil {
		return err
	}
	if err := deletePayerTerms(ctx, tx, w.Payer); err != nil {
		return err
	}
	return insertPayerTerms(ctx, tx, w)
}

// deletePayer leaves the row, since copies refer to it, and nothing to find it by.
func deletePayer(ctx context.Context, tx db.Tx, p Payer, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE payer SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2`, p.Tenant, p.ID, clock.Micros(now))
	if err != nil {
		return err
	}
	return deletePayerTerms(ctx, tx, p)
}

var payerTerms = db.Bulk{Head: `INSERT INTO payer_term (tenant_id, client_id, field, term, payer_id) VALUES `, Columns: 5}

func insertPayerTerms(ctx context.Context, tx db.Tx, w payerRow) error {
	args := make([]any, 0, 5*len(w.terms))
	for _, t := range w.terms {
		args = append(args, w.Tenant, w.Client, string(t.field), t.term, w.ID)
	}
	return payerTerms.Exec(ctx, tx, args)
}

func deletePayerTerms(ctx context.Context, tx db.Tx, p Payer) error {
	_, err := tx.Exec(ctx, `DELETE FROM payer_term WHERE tenant_id = $1 AND payer_id = $2`, p.Tenant, p.ID)
	return err
}

func insertPayerCopy(ctx context.Context, tx db.Tx, tenant access.TenantID, k PayerCopy, sealed []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO payer_copy (tenant_id, payment, payer_id, document, copied_at, keep_until)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		tenant, k.Payment, k.Payer, sealed, clock.Micros(k.CopiedAt), clock.Micros(k.KeepUntil))
	return err
}

func (s *Service) readPayerCopy(ctx context.Context, tx db.Tx, c access.Caller, payment string) (PayerCopy, bool, error) {
	var sealed []byte
	k, found, err := db.One(ctx, tx, func(row db.Scanner) (k PayerCopy, err error) {
		var copied, keep int64
		err = row.Scan(&k.Payer, &k.Payment, &sealed, &copied, &keep)
		k.CopiedAt, k.KeepUntil = clock.FromMicros(copied), clock.FromMicros(keep)
		return k, err
	}, `SELECT k.payer_id, k.payment, k.document, k.copied_at, k.keep_until FROM payer_copy k JOIN payer p ON p.id = k.payer_id
		WHERE k.tenant_id = $1 AND k.payment = $2 AND p.client_id = $3`, c.Tenant, payment, c.Client)
	if err != nil || !found {
		return PayerCopy{}, false, err
	}
	k.Contact, err = s.openContact(ctx, c.Tenant, sealed, "payer_copy", payment)
	return k, err == nil, err
}
