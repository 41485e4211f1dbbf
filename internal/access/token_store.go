package access

import (
	"context"
	"database/sql"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

func insertRefreshToken(ctx context.Context, tx db.Tx, hash string, g grantOfRefresh, clientID string, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO refresh_token (token_hash, family_id, client_id, user_id, scope, issued_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hash, g.Family, clientID, sql.NullString{String: g.User, Valid: g.User != ""}, g.Scope, clock.Micros(now), clock.Micros(now.Add(RefreshLife)))
	return err
}

// useRefreshToken marks a live token of this client as used; found is false
// when it is not live, or not there.
func useRefreshToken(ctx context.Context, tx db.Tx, hash, clientID string, now time.Time) (grantOfRefresh, bool, error) {
	return db.One(ctx, tx, func(row db.Scanner) (g grantOfRefresh, err error) {
		err = row.Scan(&g.Family, &g.Scope, &g.User)
		return g, err
	}, `UPDATE refresh_token SET used_at = $3
		WHERE token_hash = $1 AND client_id = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3
		RETURNING family_id, scope, COALESCE(user_id, '')`, hash, clientID, clock.Micros(now))
}

// revokeFamilyOf revokes the family of a token that was already used. For any
// other token it does nothing.
func revokeFamilyOf(ctx context.Context, tx db.Tx, hash, clientID string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE refresh_token SET revoked_at = $3 WHERE revoked_at IS NULL AND family_id IN
		(SELECT family_id FROM refresh_token WHERE token_hash = $1 AND client_id = $2 AND used_at IS NOT NULL)`,
		hash, clientID, clock.Micros(now))
	return err
}

// isFamilyRevoked reports whether a token of the family was revoked, which all of
// them are together.
func isFamilyRevoked(ctx context.Context, tx db.Tx, family string) (bool, error) {
	_, found, err := db.One(ctx, tx, db.ScanCount,
		`SELECT 1 FROM refresh_token WHERE family_id = $1 AND revoked_at IS NOT NULL LIMIT 1`, family)
	return found, err
}

// revokeTokensOf revokes every refresh token of a client.
func revokeTokensOf(ctx context.Context, tx db.Tx, clientID string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE refresh_token SET revoked_at = $2 WHERE client_id = $1 AND revoked_at IS NULL`,
		clientID, clock.Micros(now))
	return err
}

// revokeTokensOfUser revokes every refresh token of a user.
func revokeTokensOfUser(ctx context.Context, tx db.Tx, user string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE refresh_token SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL`,
		user, clock.Micros(now))
	return err
}

// sweepRefreshTokens deletes what expired before now.
func sweepRefreshTokens(ctx context.Context, tx db.Tx, now time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM refresh_token WHERE expires_at <= $1`, clock.Micros(now)))
}
