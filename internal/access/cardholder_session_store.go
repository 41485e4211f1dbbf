package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// insertSession adds a session of nobody.
func insertSession(ctx context.Context, tx db.Tx, k session, key secret.Value, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO cardholder_session (id, secret_hash, tenant_id, customer_no, generation, code, code_until,
			code_tries, is_signed_in, seen_at, expires_at) VALUES ($1, $2, $3, '', 0, NULL, 0, 0, FALSE, $4, $5)`,
		k.ID, hashOf(key.Reveal()), k.Tenant, clock.Micros(now), clock.Micros(k.ExpiresAt))
	return err
}

// readSession returns a session that is alive: it is not too old, was seen a moment
// ago, and the password of its cardholder is still the one it began with.
func readSession(ctx context.Context, tx db.Tx, key secret.Value, now time.Time) (session, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (k session, err error) {
		var until, expires int64
		err = row.Scan(&k.ID, &k.Tenant, &k.CustomerNo, &k.Generation, &k.Code, &until, &k.CodeTries, &k.IsSignedIn, &expires)
		k.CodeUntil, k.ExpiresAt = clock.FromMicros(until), clock.FromMicros(expires)
		return k, err
	}, `SELECT s.id, s.tenant_id, s.customer_no, s.generation, s.code, s.code_until, s.code_tries, s.is_signed_in, s.expires_at
		FROM cardholder_session s
		LEFT JOIN cardholder_credential k ON k.tenant_id = s.tenant_id AND k.customer_no = s.customer_no
		WHERE s.secret_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND (s.customer_no = '' OR k.generation = s.generation)`,
		hashOf(key.Reveal()), clock.Micros(now), clock.Micros(now.Add(-sessionIdle)))
}

// advanceSession writes what a session has become, under another secret.
func advanceSession(ctx context.Context, tx db.Tx, k session, fresh secret.Value, now time.Time) error {
	var until int64
	if len(k.Code) > 0 {
		until = clock.Micros(k.CodeUntil)
	}
	_, err := tx.Exec(ctx, `UPDATE cardholder_session SET secret_hash = $2, customer_no = $3, generation = $4, code = $5, code_until = $6,
			code_tries = $7, is_signed_in = $8, seen_at = $9, expires_at = $10 WHERE id = $1`,
		k.ID, hashOf(fresh.Reveal()), k.CustomerNo, k.Generation, k.Code, until, int64(k.CodeTries), k.IsSignedIn,
		clock.Micros(now), clock.Micros(k.ExpiresAt))
	return err
}

// failCode counts a wrong one-time password; the last one makes the session nobody's.
func failCode(ctx context.Context, tx db.Tx, k session, last bool) error {
	if last {
		_, err := tx.Exec(ctx, `UPDATE cardholder_session SET customer_no = '', generation = 0, code = NULL WHERE id = $1`, k.ID)
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE cardholder_session SET code_tries = code_tries + 1 WHERE id = $1`, k.ID)
	return err
}

func touchSession(ctx context.Context, tx db.Tx, k session, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE cardholder_session SET seen_at = $2 WHERE id = $1`, k.ID, clock.Micros(now))
	return err
}

func endSession(ctx context.Context, tx db.Tx, key secret.Value) error {
	_, err := tx.Exec(ctx, `DELETE FROM cardholder_session WHERE secret_hash = $1`, hashOf(key.Reveal()))
	return err
}

// sweepSessions deletes sessions that have ended, requests and codes that nobody
// answered or exchanged, and used codes whose tokens are gone.
func sweepSessions(ctx context.Context, tx db.Tx, now time.Time) (rows int64, err error) {
	at := clock.Micros(now)
	ended, err := db.Affected(tx.Exec(ctx, `DELETE FROM cardholder_session WHERE expires_at <= $1 OR seen_at <= $2`, at, clock.Micros(now.Add(-sessionIdle))))
	if err != nil {
		return 0, err
	}
	asked, err := db.Affected(tx.Exec(ctx, `DELETE FROM consent_request WHERE expires_at <= $1`, at))
	if err != nil {
		return 0, err
	}
	codes, err := db.Affected(tx.Exec(ctx, `DELETE FROM consent_code WHERE expires_at <= $1
		AND NOT EXISTS (SELECT 1 FROM opaque_token t WHERE t.chain_id = consent_code.chain_id)`, at))
	return ended + asked + codes, err
}
