package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func insertConsent(ctx context.Context, tx db.Tx, c Consent) error {
	_, err := tx.Exec(ctx, `INSERT INTO consent (id, tenant_id, client_id, customer_no, scope, by_customer, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.ID, c.Tenant, c.Client, c.CustomerNo, c.Scope, c.ByCustomer, clock.Micros(c.CreatedAt))
	return err
}

const consentColumns = `id, tenant_id, client_id, customer_no, scope, by_customer, created_at`

func scanConsent(row db.Scanner) (c Consent, err error) {
	var created int64
	err = row.Scan(&c.ID, &c.Tenant, &c.Client, &c.CustomerNo, &c.Scope, &c.ByCustomer, &created)
	c.CreatedAt = clock.FromMicros(created)
	return c, err
}

// holdConsent returns a consent of a client that was not revoked, and holds its row
// until the end of the transaction: no token is issued beside its revocation.
func holdConsent(ctx context.Context, tx db.Tx, client, consent string) (Consent, bool, error) {
	return db.One(ctx, tx, scanConsent, `UPDATE consent SET id = id WHERE id = $1 AND client_id = $2 AND revoked_at IS NULL RETURNING `+consentColumns,
		consent, client)
}

// holdGivenConsent is the same for the one that a customer gave a client at our page.
func holdGivenConsent(ctx context.Context, tx db.Tx, c Consent) (Consent, bool, error) {
	return db.One(ctx, tx, scanConsent, `UPDATE consent SET id = id WHERE id =
			(SELECT MIN(id) FROM consent WHERE tenant_id = $1 AND customer_no = $2 AND client_id = $3 AND scope = $4 AND by_customer AND revoked_at IS NULL)
			AND revoked_at IS NULL RETURNING `+consentColumns,
		c.Tenant, c.CustomerNo, c.Client, c.Scope)
}

// consentsOf returns the consents of a customer that were not revoked.
func consentsOf(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string) ([]Consent, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (c Consent, err error) {
		var created int64
		err = row.Scan(&c.ID, &c.Tenant, &c.Client, &c.CustomerNo, &c.Scope, &c.ByCustomer, &created, &c.ClientName)
		c.CreatedAt = clock.FromMicros(created)
		return c, err
	}, `SELECT k.id, k.tenant_id, k.client_id, k.customer_no, k.scope, k.by_customer, k.created_at, c.name
		FROM consent k JOIN api_client c ON c.id = k.client_id
		WHERE k.tenant_id = $1 AND k.customer_no = $2 AND k.revoked_at IS NULL ORDER BY k.created_at DESC, k.id`, tenant, customerNo)
}

// revokeConsent returns false when there was none of the tenant, or of this customer
// where one is named, to revoke. Tokens that were issued under it end with it.
func revokeConsent(ctx context.Context, tx db.Tx, tenant TenantID, customerNo, consent string, now time.Time) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE consent SET revoked_at = $4
		WHERE tenant_id = $1 AND ($2 = '' OR customer_no = $2) AND id = $3 AND revoked_at IS NULL`,
		tenant, customerNo, consent, clock.Micros(now)))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE opaque_token SET revoked_at = $2 WHERE consent_id = $1 AND revoked_at IS NULL`, consent, clock.Micros(now))
	return true, err
}

// consentOfRefresh returns the consent under which a refresh token of a client was
// issued; none for any other token.
func consentOfRefresh(ctx context.Context, tx db.Tx, token secret.Value, client string) (consent string, err error) {
	consent, _, err = db.One(ctx, tx, func(row db.Scanner) (c string, err error) { return c, row.Scan(&c) },
		`SELECT COALESCE(consent_id, '') FROM opaque_token WHERE token_hash = $1 AND client_id = $2 AND kind = 'refresh'`,
		hashOf(token.Reveal()), client)
	return consent, err
}

// revokeOpaque ends a live token of a client: a refresh token with its chain.
func revokeOpaque(ctx context.Context, tx db.Tx, token secret.Value, client string, now time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `UPDATE opaque_token SET revoked_at = $3 WHERE client_id = $2 AND revoked_at IS NULL
		AND (token_hash = $1 OR chain_id IN (SELECT chain_id FROM opaque_token WHERE token_hash = $1 AND client_id = $2 AND kind = 'refresh'))`,
		hashOf(token.Reveal()), client, clock.Micros(now)))
}
