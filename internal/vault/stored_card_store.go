package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const storedColumns = `id, tenant_id, pool, scope, relational_1, relational_2, relational_3, nickname, holder_sealed, bin, last_four,
	expire_month, expire_year, pan_sealed, identity_sealed, identity_index, card_id, created_at, updated_at`

func insertStoredCard(ctx context.Context, tx db.Tx, s StoredCard) error {
	var index, card any
	if s.Scope == Insurance {
		index = s.identityIndex
	}
	if s.CardID != "" {
		card = s.CardID
	}
	_, err := tx.Exec(ctx, `INSERT INTO stored_card (`+storedColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		s.ID, s.Tenant, s.Pool, int(s.Scope), s.Relational[0], s.Relational[1], s.Relational[2], s.Nickname, s.sealed.holder,
		s.BIN, s.LastFour, s.Month, s.Year, s.sealed.number, s.sealed.identity, index, card,
		clock.Micros(s.CreatedAt), clock.Micros(s.UpdatedAt))
	return err
}

func scanStoredCard(row db.Scanner) (s StoredCard, err error) {
	var index, card *string
	var created, updated int64
	err = row.Scan(&s.ID, &s.Tenant, &s.Pool, (*int)(&s.Scope), &s.Relational[0], &s.Relational[1], &s.Relational[2], &s.Nickname,
		&s.sealed.holder, &s.BIN, &s.LastFour, &s.Month, &s.Year, &s.sealed.number, &s.sealed.identity, &index, &card, &created, &updated)
	if index != nil {
		s.identityIndex = *index
	}
	if card != nil {
		s.CardID = *card
	}
	s.CreatedAt, s.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	return s, err
}

func storedCardsOf(ctx context.Context, tx db.Tx, tenant access.TenantID, pool string, scope Scope, r Relational) ([]StoredCard, error) {
	return db.Collect(ctx, tx, scanStoredCard, `SELECT `+storedColumns+` FROM stored_card
		WHERE tenant_id = $1 AND pool = $2 AND scope = $3 AND relational_1 = $4 AND relational_2 = $5 AND relational_3 = $6
		ORDER BY created_at DESC, id DESC`, tenant, pool, int(scope), r[0], r[1], r[2])
}

// lockStoredCard reads a card and holds its row.
func lockStoredCard(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[StoredCard]) (StoredCard, bool, error) {
	return db.One(ctx, tx, scanStoredCard, `UPDATE stored_card SET id = id WHERE tenant_id = $1 AND id = $2
		RETURNING `+storedColumns, tenant, card)
}

func updateStoredCard(ctx context.Context, tx db.Tx, s StoredCard) error {
	_, err := tx.Exec(ctx, `UPDATE stored_card SET nickname = $3, expire_month = $4, expire_year = $5, updated_at = $6
		WHERE tenant_id = $1 AND id = $2`, s.Tenant, s.ID, s.Nickname, s.Month, s.Year, clock.Micros(s.UpdatedAt))
	return err
}

func deleteStoredCard(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[StoredCard]) error {
	_, err := tx.Exec(ctx, `DELETE FROM stored_card WHERE tenant_id = $1 AND id = $2`, tenant, card)
	return err
}

// Reissue is that a card of ours took the place of another.
type Reissue struct {
	Tenant      access.TenantID
	From, To    string // ids of the cards
	Year, Month int    // to which the new one lasts
	At          time.Time
}

// Reissued lets the stored cards that are a card of ours become the one that took
// its place, and last as long. The caller's transaction is that of the reissue.
func Reissued(ctx context.Context, tx db.Tx, r Reissue) error {
	_, err := tx.Exec(ctx, `UPDATE stored_card SET card_id = $3, expire_year = $4, expire_month = $5, updated_at = $6
		WHERE tenant_id = $1 AND card_id = $2`, r.Tenant, r.From, r.To, r.Year, r.Month, clock.Micros(r.At))
	if err != nil {
		return fmt.Errorf("follow reissued card: %w", err)
	}
	return nil
}

func scanText(row db.Scanner) (s string, err error) { return s, row.Scan(&s) }

// merchantOf returns the merchant of a client that is not of the tenant's own.
func merchantOf(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID string) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT merchant_id FROM store_merchant_client WHERE tenant_id = $1 AND client_id = $2`, tenant, clientID)
}

// partnerOf returns the partner of this identity that lists a merchant.
func partnerOf(ctx context.Context, tx db.Tx, tenant access.TenantID, identity, merchant string) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT p.id FROM store_partner p JOIN store_partner_merchant m ON m.partner_id = p.id
		WHERE p.tenant_id = $1 AND p.identity = $2 AND m.merchant_id = $3`, tenant, identity, merchant)
}

func saveMerchantClient(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, merchant string) error {
	_, err := tx.Exec(ctx, `INSERT INTO store_merchant_client (client_id, tenant_id, merchant_id) VALUES ($1, $2, $3)`, clientID, tenant, merchant)
	return err
}

// savePartner makes a partner, or finds the one of this identity, and returns
// its id.
func savePartner(ctx context.Context, tx db.Tx, tenant access.TenantID, fresh, identity string, now time.Time) (string, error) {
	found, _, err := db.One(ctx, tx, scanText, `INSERT INTO store_partner (id, tenant_id, identity, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, identity) DO UPDATE SET identity = store_partner.identity RETURNING id`,
		fresh, tenant, identity, clock.Micros(now))
	return found, err
}

func savePartnerMerchant(ctx context.Context, tx db.Tx, partner, merchant string) error {
	_, err := tx.Exec(ctx, `INSERT INTO store_partner_merchant (partner_id, merchant_id) VALUES ($1, $2)
		ON CONFLICT (partner_id, merchant_id) DO NOTHING`, partner, merchant)
	return err
}

func scanBIN(row db.Scanner) (b BINEntry, err error) {
	return b, row.Scan(&b.BIN, &b.BankID, &b.Bank, &b.BrandID, &b.FamilyID, &b.KindID, &b.TypeID)
}

// newestBINTable returns the version of the table that holds; 0: none was loaded.
func newestBINTable(ctx context.Context, tx db.Tx) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT COALESCE(MAX(version), 0) FROM bin_table`)
	return n, err
}

func loadedBIN(ctx context.Context, tx db.Tx, version int, bin string) (BINEntry, bool, error) {
	return db.One(ctx, tx, scanBIN, `SELECT bin, bank_id, bank, brand_id, family_id, kind_id, type_id FROM bin_table_entry
		WHERE version = $1 AND bin = $2`, version, bin)
}

func insertBINTable(ctx context.Context, tx db.Tx, version int, now time.Time, all []BINEntry) error {
	if _, err := tx.Exec(ctx, `INSERT INTO bin_table (version, loaded_at) VALUES ($1, $2)`, version, clock.Micros(now)); err != nil {
		return err
	}
	args := make([]any, 0, binEntries.Columns*len(all))
	for _, b := range all {
		args = append(args, version, b.BIN, b.BankID, b.Bank, b.BrandID, b.FamilyID, b.KindID, b.TypeID)
	}
	return binEntries.Exec(ctx, tx, args)
}

var binEntries = db.Bulk{
	Head: `INSERT INTO bin_table_entry (version, bin, bank_id, bank, brand_id, family_id, kind_id, type_id) VALUES `, Columns: 8,
}

func scanBlacklisted(row db.Scanner) (b Blacklisted, err error) {
	var created int64
	err = row.Scan(&b.ID, &created)
	b.CreatedAt = clock.FromMicros(created)
	return b, err
}

// insertBlacklisted reports false when the card is there already.
func insertBlacklisted(ctx context.Context, tx db.Tx, tenant access.TenantID, pool, subject string, b Blacklisted) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO stored_card_blacklist (id, tenant_id, pool, subject, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, pool, subject) DO NOTHING`, b.ID, tenant, pool, subject, clock.Micros(b.CreatedAt)))
	return n == 1, err
}

func readBlacklisted(ctx context.Context, tx db.Tx, tenant access.TenantID, pool, subject string) (Blacklisted, bool, error) {
	return db.One(ctx, tx, scanBlacklisted, `SELECT id, created_at FROM stored_card_blacklist
		WHERE tenant_id = $1 AND pool = $2 AND subject = $3`, tenant, pool, subject)
}

func deleteBlacklisted(ctx context.Context, tx db.Tx, tenant access.TenantID, pool, subject string) (Blacklisted, bool, error) {
	return db.One(ctx, tx, scanBlacklisted, `DELETE FROM stored_card_blacklist
		WHERE tenant_id = $1 AND pool = $2 AND subject = $3 RETURNING id, created_at`, tenant, pool, subject)
}

func insertTemporaryToken(ctx context.Context, tx db.Tx, hash string, t temporaryToken) error {
	_, err := tx.Exec(ctx, `INSERT INTO temporary_token (token_hash, tenant_id, pool, client_id, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		hash, t.tenant, t.pool, t.client, clock.Micros(t.expires))
	return err
}

func readTemporaryToken(ctx context.Context, tx db.Tx, hash string, now time.Time) (temporaryToken, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (t temporaryToken, err error) {
		var expires int64
		err = row.Scan(&t.tenant, &t.pool, &t.client, &expires)
		t.expires = clock.FromMicros(expires)
		return t, err
	}, `SELECT tenant_id, pool, client_id, expires_at FROM temporary_token WHERE token_hash = $1 AND expires_at > $2`, hash, clock.Micros(now))
}

func insertTemporaryCard(ctx context.Context, tx db.Tx, hash string, t temporaryToken, scope Scope, sealed []byte, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO temporary_card (token_hash, tenant_id, pool, scope, sealed, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		hash, t.tenant, t.pool, int(scope), sealed, clock.Micros(expires))
	return err
}

// takeTemporaryCard deletes a card that is alive and returns what it was.
func takeTemporaryCard(ctx context.Context, tx db.Tx, tenant access.TenantID, pool, hash string, scope Scope, now time.Time) ([]byte, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (b []byte, err error) { return b, row.Scan(&b) },
		`DELETE FROM temporary_card WHERE tenant_id = $1 AND pool = $2 AND token_hash = $3 AND scope = $4 AND expires_at > $5 RETURNING sealed`,
		tenant, pool, hash, int(scope), clock.Micros(now))
}

func sweepTemporary(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	cards, err := db.Affected(tx.Exec(ctx, `DELETE FROM temporary_card WHERE expires_at <= $1`, clock.Micros(now)))
	if err != nil {
		return 0, err
	}
	tokens, err := db.Affected(tx.Exec(ctx, `DELETE FROM temporary_token WHERE expires_at <= $1`, clock.Micros(now)))
	return cards + tokens, err
}

func readStoredCard(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[StoredCard]) (StoredCard, bool, error) {
	return db.One(ctx, tx, scanStoredCard, `SELECT `+storedColumns+` FROM stored_card WHERE tenant_id = $1 AND id = $2`, tenant, card)
}
