package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// The kinds of opaque tokens.
const (
	opaqueAccess  = "access"
	opaqueRefresh = "refresh"
)

func insertOpaque(ctx context.Context, tx db.Tx, token secret.Value, kind string, g opaqueGrant, c clientOfTenant, now time.Time, life time.Duration) error {
	_, err := tx.Exec(ctx, `INSERT INTO opaque_token (token_hash, chain_id, kind, family, client_id, generation, scope,
			customer_id, consent_id, issued_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		hashOf(token.Reveal()), g.Chain, kind, string(c.Family), c.ID, c.Generation, g.Scope,
		db.OrNull(g.Customer), db.OrNull(g.Consent), clock.Micros(now), clock.Micros(now.Add(life)))
	return err
}

// useOpaque marks a live refresh token of this client as used; found is false
// when it is not live, or not there.
func useOpaque(ctx context.Context, tx db.Tx, token secret.Value, c clientOfTenant, now time.Time) (opaqueGrant, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (g opaqueGrant, err error) {
		err = row.Scan(&g.Chain, &g.Scope, &g.Customer, &g.Consent)
		return g, err
	}, `UPDATE opaque_token SET used_at = $4
		WHERE token_hash = $1 AND kind = 'refresh' AND client_id = $2 AND generation = $3
			AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $4
		RETURNING chain_id, scope, COALESCE(customer_id, ''), COALESCE(consent_id, '')`,
		hashOf(token.Reveal()), c.ID, c.Generation, clock.Micros(now))
}

// revokeChainOf revokes the chain of a refresh token that was already used. For
// any other token it does nothing.
func revokeChainOf(ctx context.Context, tx db.Tx, token secret.Value, clientID string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE opaque_token SET revoked_at = $3 WHERE revoked_at IS NULL AND chain_id IN
		(SELECT chain_id FROM opaque_token WHERE token_hash = $1 AND client_id = $2 AND kind = 'refresh' AND used_at IS NOT NULL)`,
		hashOf(token.Reveal()), clientID, clock.Micros(now))
	return err
}

// opaqueToken is an access token as it is stored.
type opaqueToken struct {
	family     Family
	client     string
	generation int64
	customer   string
	live       bool // neither over nor revoked
}

// readOpaque returns an access token.
func readOpaque(ctx context.Context, tx db.Tx, token secret.Value, now time.Time) (opaqueToken, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (t opaqueToken, err error) {
		err = row.Scan(&t.family, &t.client, &t.generation, &t.customer, &t.live)
		return t, err
	}, `SELECT family, client_id, generation, COALESCE(customer_id, ''), revoked_at IS NULL AND expires_at > $2 FROM opaque_token
		WHERE token_hash = $1 AND kind = 'access'`,
		hashOf(token.Reveal()), clock.Micros(now))
}

// opaqueKept is for how long a token is known that is over.
const opaqueKept = 24 * time.Hour

// sweepOpaque deletes what expired long before now.
func sweepOpaque(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM opaque_token WHERE expires_at <= $1`, clock.Micros(now.Add(-opaqueKept))))
}
