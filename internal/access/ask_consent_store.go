package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func insertConsentRequest(ctx context.Context, tx db.Tx, k consentRequest, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO consent_request (id, session_id, client_id, redirect_uri, scope, state, challenge, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		k.ID, k.Session, k.Client, k.RedirectURI, k.Scope, k.State, k.Challenge, clock.Micros(expires))
	return err
}

const consentRequestColumns = `id, session_id, client_id, redirect_uri, scope, state, challenge`

func scanConsentRequest(row db.Scanner) (k consentRequest, err error) {
	err = row.Scan(&k.ID, &k.Session, &k.Client, &k.RedirectURI, &k.Scope, &k.State, &k.Challenge)
	return k, err
}

// readConsentRequest returns a request of a session that may still be answered.
func readConsentRequest(ctx context.Context, tx db.Tx, session, request string, now time.Time) (consentRequest, bool, error) {
	return db.One(ctx, tx, scanConsentRequest, `SELECT `+consentRequestColumns+` FROM consent_request
		WHERE id = $1 AND session_id = $2 AND expires_at > $3`, request, session, clock.Micros(now))
}

// takeConsentRequest takes such a request away, so that it is answered once.
func takeConsentRequest(ctx context.Context, tx db.Tx, session, request string, now time.Time) (consentRequest, bool, error) {
	return db.One(ctx, tx, scanConsentRequest, `DELETE FROM consent_request
		WHERE id = $1 AND session_id = $2 AND expires_at > $3 RETURNING `+consentRequestColumns, request, session, clock.Micros(now))
}

func insertConsentCode(ctx context.Context, tx db.Tx, code secret.Value, k consentCode, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO consent_code (code_hash, chain_id, client_id, redirect_uri, challenge, consent_id, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hashOf(code.Reveal()), k.Chain, k.Client, k.RedirectURI, k.Challenge, k.Consent, clock.Micros(expires))
	return err
}

// useConsentCode marks a live code of this client as used.
func useConsentCode(ctx context.Context, tx db.Tx, code secret.Value, client string, now time.Time) (consentCode, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (k consentCode, err error) {
		err = row.Scan(&k.Chain, &k.Client, &k.RedirectURI, &k.Challenge, &k.Consent)
		return k, err
	}, `UPDATE consent_code SET used_at = $3 WHERE code_hash = $1 AND client_id = $2 AND used_at IS NULL AND expires_at > $3
		RETURNING chain_id, client_id, redirect_uri, challenge, consent_id`,
		hashOf(code.Reveal()), client, clock.Micros(now))
}

// revokeChainOfCode ends the tokens that a used code of this client gave.
func revokeChainOfCode(ctx context.Context, tx db.Tx, code secret.Value, client string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE opaque_token SET revoked_at = $3 WHERE revoked_at IS NULL AND chain_id IN
		(SELECT chain_id FROM consent_code WHERE code_hash = $1 AND client_id = $2 AND used_at IS NOT NULL)`,
		hashOf(code.Reveal()), client, clock.Micros(now))
	return err
}
