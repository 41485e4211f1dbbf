package access

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// clientOfTenant is a client with its secrets and what its tenant says about it.
type clientOfTenant struct {
	Client
	SecretHash     string
	OldSecretHash  string // good until OldSecretUntil
	OldSecretUntil time.Time
	Generation     int64 // of tokens
	Unrecorded     int   // failures that were only counted
	Environment    Environment
	TenantIsActive bool
	Language       string
	Ahead          clock.Ahead
	TenantRate     Rate
	ClientRefresh  bool // clients of the tenant get refresh tokens with their own credentials
}

func insertClient(ctx context.Context, tx db.Tx, c Client, secretHash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO api_client (id, tenant_id, family, name, secret_hash, old_secret_hash, old_secret_until,
		permissions, allowed_addresses, rate_per_second, rate_burst, is_active, generation, failure_count, failed_at,
		unrecorded_count, concurrency_stamp, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, '', 0, $6, $7, $8, $9, $10, 1, 0, 0, 0, $11, $12, $13)`,
		c.ID, c.Tenant, string(c.Family), c.Name, secretHash, c.Permissions.stored(), strings.Join(c.AllowedTexts(), " "),
		c.Rate.PerSecond, c.Rate.Burst, c.IsActive, c.ConcurrencyStamp, clock.Micros(c.CreatedAt), clock.Micros(c.UpdatedAt))
	return err
}

const clientColumns = `c.id, c.tenant_id, c.family, c.name, c.permissions, c.allowed_addresses, c.rate_per_second, c.rate_burst,
	c.is_active, c.concurrency_stamp, c.created_at, c.updated_at, c.secret_hash, c.old_secret_hash, c.old_secret_until,
	c.generation, c.unrecorded_count, t.environment, t.is_active, t.language, t.rate_per_second, t.rate_burst, t.client_refresh, t.ahead`

const clientTables = ` FROM api_client c JOIN tenant t ON t.id = c.tenant_id `

func readClient(ctx context.Context, tx db.Tx, clientID string) (clientOfTenant, bool, error) {
	return db.One(ctx, tx, scanClient, `SELECT `+clientColumns+clientTables+`WHERE c.id = $1`, clientID)
}

// clientsOf returns the clients of a tenant in the order of creation, of all
// families.
func clientsOf(ctx context.Context, tx db.Tx, tenant TenantID) ([]clientOfTenant, error) {
	return db.Collect(ctx, tx, scanClient, `SELECT `+clientColumns+clientTables+`WHERE c.tenant_id = $1 ORDER BY c.created_at, c.family DESC, c.permissions, c.id`, tenant)
}

func scanClient(row db.Scanner) (clientOfTenant, error) {
	var c clientOfTenant
	var permissions, allowed string
	var created, updated, old, ahead int64
	err := row.Scan(&c.ID, &c.Tenant, &c.Family, &c.Name, &permissions, &allowed, &c.Rate.PerSecond, &c.Rate.Burst, &c.IsActive,
		&c.ConcurrencyStamp, &created, &updated, &c.SecretHash, &c.OldSecretHash, &old, &c.Generation, &c.Unrecorded,
		&c.Environment, &c.TenantIsActive, &c.Language, &c.TenantRate.PerSecond, &c.TenantRate.Burst, &c.ClientRefresh, &ahead)
	if err != nil {
		return c, err
	}
	var ok bool
	if c.Allowed, ok = parseNetworks(strings.Fields(allowed)); !ok { // must not open the door to all
		return c, fmt.Errorf("client %s: its address list cannot be read", c.ID)
	}
	c.Permissions, c.OldSecretUntil = parsePermissions(permissions), clock.FromMicros(old)
	c.Ahead = AheadFromMicros(ahead)
	c.CreatedAt, c.UpdatedAt = clock.FromMicros(created), clock.FromMicros(updated)
	return c, nil
}

// updateClient writes the mutable columns of c where the stored stamp is still
// stamp; an empty stamp means any. It reports whether a row was changed.
func updateClient(ctx context.Context, tx db.Tx, c Client, stamp string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE api_client SET name = $3, permissions = $4, allowed_addresses = $5,
		rate_per_second = $6, rate_burst = $7, concurrency_stamp = $8, updated_at = $9
		WHERE tenant_id = $1 AND id = $2 AND ($10 = '' OR concurrency_stamp = $10)`,
		c.Tenant, c.ID, c.Name, c.Permissions.stored(), strings.Join(c.AllowedTexts(), " "), c.Rate.PerSecond, c.Rate.Burst,
		c.ConcurrencyStamp, clock.Micros(c.UpdatedAt), stamp))
	return n == 1, err
}

// lockClient holds a client's row until the end of the transaction, so that
// what is read and decided of it from here on stays true.
func lockClient(ctx context.Context, tx db.Tx, tenant TenantID, clientID string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `UPDATE api_client SET id = id WHERE tenant_id = $1 AND id = $2`, tenant, clientID))
	return n == 1, err
}

// setClientActive enables or disables a client. Either way tokens of before are
// worth nothing.
func setClientActive(ctx context.Context, tx db.Tx, c Client) error {
	_, err := tx.Exec(ctx, `UPDATE api_client SET is_active = $3, generation = generation + 1, concurrency_stamp = $4, updated_at = $5
		WHERE tenant_id = $1 AND id = $2`, c.Tenant, c.ID, c.IsActive, c.ConcurrencyStamp, clock.Micros(c.UpdatedAt))
	return err
}

// rotateSecret replaces a client's secret and forgets its failures. The one
// before, old, is good until until; generations are added to those of its tokens.
func rotateSecret(ctx context.Context, tx db.Tx, c Client, hash, old string, until time.Time, generations int) error {
	_, err := tx.Exec(ctx, `UPDATE api_client SET old_secret_hash = $3, old_secret_until = $4, secret_hash = $5,
		generation = generation + $6, failure_count = 0, failed_at = 0, concurrency_stamp = $7, updated_at = $8
		WHERE tenant_id = $1 AND id = $2`,
		c.Tenant, c.ID, old, clock.Micros(until), hash, generations, c.ConcurrencyStamp, clock.Micros(c.UpdatedAt))
	return err
}

// countAttempt records an attempt to show the client's secret, as if it were
// wrong, before it is compared: so parallel guesses are counted one by one. It
// returns how many there were in the window, one more than allowed when the
// client is locked, and 0 for an unknown client. It holds the client's row.
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

// countUnrecorded adds a failure to those that the audit record has as a number
// only.
func countUnrecorded(ctx context.Context, tx db.Tx, clientID string) error {
	_, err := tx.Exec(ctx, `UPDATE api_client SET unrecorded_count = unrecorded_count + 1 WHERE id = $1`, clientID)
	return err
}

func forgetUnrecorded(ctx context.Context, tx db.Tx, clientID string) error {
	_, err := tx.Exec(ctx, `UPDATE api_client SET unrecorded_count = 0 WHERE id = $1`, clientID)
	return err
}

// failuresOf returns how many wrong secrets of a client are remembered.
func failuresOf(ctx context.Context, tx db.Tx, clientID string) (int, error) {
	n, _, err := db.One(ctx, tx, scanInt, `SELECT failure_count FROM api_client WHERE id = $1`, clientID)
	return n, err
}
