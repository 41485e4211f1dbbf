package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// client is the credentials of a program that calls us.
type client struct {
	ID            string
	Tenant        TenantID
	Name          string
	SecretHash    string
	Permissions   Permissions
	IsActive      bool
	IssuesRefresh bool
	CreatedAt     time.Time
}

// clientOfTenant is a client with what its tenant says about it.
type clientOfTenant struct {
	client
	Environment    Environment
	TenantIsActive bool
	Language       string
}

func insertClient(ctx context.Context, tx db.Tx, c client) error {
	_, err := tx.Exec(ctx, `INSERT INTO api_client (id, tenant_id, name, secret_hash, permissions, is_active,
		issues_refresh, failure_count, failed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8)`,
		c.ID, c.Tenant, c.Name, c.SecretHash, c.Permissions.stored(), c.IsActive, c.IssuesRefresh, clock.Micros(c.CreatedAt))
	return err
}

func readClient(ctx context.Context, tx db.Tx, clientID string) (clientOfTenant, bool, error) {
	return db.One(ctx, tx, scanClient, `SELECT c.id, c.tenant_id, c.name, c.secret_hash, c.permissions, c.is_active,
		c.issues_refresh, c.created_at, t.environment, t.is_active, t.language
		FROM api_client c JOIN tenant t ON t.id = c.tenant_id WHERE c.id = $1`, clientID)
}

func scanClient(row db.Scanner) (clientOfTenant, error) {
	var c clientOfTenant
	var permissions string
	var created int64
	err := row.Scan(&c.ID, &c.Tenant, &c.Name, &c.SecretHash, &permissions, &c.IsActive, &c.IssuesRefresh, &created,
		&c.Environment, &c.TenantIsActive, &c.Language)
	c.Permissions, c.CreatedAt = parsePermissions(permissions), clock.FromMicros(created)
	return c, err
}

// countAttempt records an attempt to show the client's secret, as if it were
// wrong, before it is compared: so parallel guesses are counted one by one. It
// returns how many there were in the window, one more than allowed when the
// client is locked, and 0 for an unknown client.
//
// While a client is locked its failed_at stands still, so that strangers cannot
// keep it locked for ever.
func countAttempt(ctx context.Context, tx db.Tx, clientID string, now time.Time) (int, error) {
	n, _, err := db.One(ctx, tx, scanInt, `UPDATE api_client SET
		failure_count = CASE WHEN failed_at <= $2 THEN 1
		                     WHEN failure_count >= $4 THEN $4 + 1
		                     ELSE failure_count + 1 END,
		failed_at     = CASE WHEN failed_at > $2 AND failure_count >= $4 THEN failed_at ELSE $3 END
		WHERE id = $1 RETURNING failure_count`,
		clientID, clock.Micros(now.Add(-lockWindow)), clock.Micros(now), int64(failuresMax))
	return n, err
}

func scanInt(row db.Scanner) (n int, err error) {
	err = row.Scan(&n)
	return n, err
}

func forgetFailures(ctx context.Context, tx db.Tx, clientID string) error {
	_, err := tx.Exec(ctx, `UPDATE api_client SET failure_count = 0, failed_at = 0 WHERE id = $1`, clientID)
	return err
}

// setClientActive enables or disables a client of tenant and reports whether
// there is one.
func setClientActive(ctx context.Context, tx db.Tx, tenant TenantID, clientID string, active bool) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE api_client SET is_active = $3 WHERE tenant_id = $1 AND id = $2`,
		tenant, clientID, active))
	return n == 1, err
}
