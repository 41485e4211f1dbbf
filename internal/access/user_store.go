package access

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// userRow is a user with what it proves itself by.
type userRow struct {
	User
	PasswordHash string
	Generation   int64 // of tokens
}

const userColumns = `id, tenant_id, name, roles, is_active, created_at, updated_at, password_hash, generation`

func insertUser(ctx context.Context, tx db.Tx, u User, passwordHash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO api_user (id, tenant_id, name, password_hash, roles, is_active, generation,
		failure_count, failed_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 1, 0, 0, $7, $8)`,
		u.ID, u.Tenant, u.Name, passwordHash, strings.Join(u.Roles, " "), u.IsActive, clock.Micros(u.CreatedAt), clock.Micros(u.UpdatedAt))
	return err
}

// findUser returns the user of a tenant with this folded name, if there is one.
func findUser(ctx context.Context, tx db.Tx, tenant TenantID, name string) (userRow, bool, error) {
	return db.One(ctx, tx, scanUser, `SELECT `+userColumns+` FROM api_user WHERE tenant_id = $1 AND name = $2`, tenant, name)
}

func readUser(ctx context.Context, tx db.Tx, tenant TenantID, user string) (userRow, bool, error) {
	return db.One(ctx, tx, scanUser, `SELECT `+userColumns+` FROM api_user WHERE tenant_id = $1 AND id = $2`, tenant, user)
}

func usersOf(ctx context.Context, tx db.Tx, tenant TenantID) ([]userRow, error) {
	return db.Collect(ctx, tx, scanUser, `SELECT `+userColumns+` FROM api_user WHERE tenant_id = $1 ORDER BY name`, tenant)
}

func scanUser(row db.Scanner) (u userRow, err error) {
	var roles string
	var created, updated int64
	err = row.Scan(&u.ID, &u.Tenant, &u.Name, &roles, &u.IsActive, &created, &updated, &u.PasswordHash, &u.Generation)
	u.Roles, u.CreatedAt, u.UpdatedAt = strings.Fields(roles), clock.FromMicros(created), clock.FromMicros(updated)
	return u, err
}

// lockUser holds a user's row until the end of the transaction. A client's row
// is held before it, where both are.
func lockUser(ctx context.Context, tx db.Tx, tenant TenantID, user string) error {
	_, err := tx.Exec(ctx, `UPDATE api_user SET id = id WHERE tenant_id = $1 AND id = $2`, tenant, user)
	return err
}

// updateUser writes roles and state, and ends the user's tokens.
func updateUser(ctx context.Context, tx db.Tx, u User) error {
	_, err := tx.Exec(ctx, `UPDATE api_user SET roles = $3, is_active = $4, generation = generation + 1, updated_at = $5
		WHERE tenant_id = $1 AND id = $2`, u.Tenant, u.ID, strings.Join(u.Roles, " "), u.IsActive, clock.Micros(u.UpdatedAt))
	return err
}

// setPassword replaces a password, forgets failures and ends the user's tokens.
func setPassword(ctx context.Context, tx db.Tx, u User, hash string) error {
	_, err := tx.Exec(ctx, `UPDATE api_user SET password_hash = $3, failure_count = 0, failed_at = 0,
		generation = generation + 1, updated_at = $4 WHERE tenant_id = $1 AND id = $2`, u.Tenant, u.ID, hash, clock.Micros(u.UpdatedAt))
	return err
}

// countSignIn is for a user what [countAttempt] is for a client.
func countSignIn(ctx context.Context, tx db.Tx, user string, now time.Time) (int, error) {
	n, _, err := db.One(ctx, tx, scanInt, `UPDATE api_user SET
		failure_count = CASE WHEN failed_at <= $2 THEN 1
		                     WHEN failure_count >= $4 THEN $4 + 1
		                     ELSE failure_count + 1 END,
		failed_at     = CASE WHEN failed_at > $2 AND failure_count >= $4 THEN failed_at ELSE $3 END
		WHERE id = $1 RETURNING failure_count`,
		user, clock.Micros(now.Add(-lockWindow)), clock.Micros(now), int64(failuresMax))
	return n, err
}

func forgetSignIns(ctx context.Context, tx db.Tx, user string) error {
	_, err := tx.Exec(ctx, `UPDATE api_user SET failure_count = 0, failed_at = 0 WHERE id = $1`, user)
	return err
}

// putRole creates or replaces a role.
func putRole(ctx context.Context, tx db.Tx, tenant TenantID, r Role) error {
	_, err := tx.Exec(ctx, `INSERT INTO access_role (tenant_id, code, permissions, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, code) DO UPDATE SET permissions = $3, updated_at = $4`,
		tenant, r.Code, r.Permissions.stored(), clock.Micros(r.UpdatedAt))
	return err
}

func rolesOf(ctx context.Context, tx db.Tx, tenant TenantID) ([]Role, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (r Role, err error) {
		var permissions string
		var updated int64
		err = row.Scan(&r.Code, &permissions, &updated)
		r.Permissions, r.UpdatedAt = parsePermissions(permissions), clock.FromMicros(updated)
		return r, err
	}, `SELECT code, permissions, updated_at FROM access_role WHERE tenant_id = $1 ORDER BY code`, tenant)
}
