package vault

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

const keyColumns = `id, tenant_id, label, usage, algorithm, mode, exportability, version, kcv, is_test, block,
	client_id, created_at, expires_at`

// SaveKey stores a new key of tenant.
func SaveKey(ctx context.Context, tx db.Tx, tenant access.TenantID, k Key) error {
	r := k.Ref
	var client, expires any
	if k.ClientID != "" {
		client = k.ClientID
	}
	if !k.ExpiresAt.IsZero() {
		expires = clock.Micros(k.ExpiresAt)
	}
	_, err := tx.Exec(ctx, `INSERT INTO key_block (`+keyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ID, tenant, k.Label, string(r.Usage), string(r.Algorithm), string(r.Mode), string(r.Exportability), r.Version,
		r.KCV, r.Test, r.Block, client, clock.Micros(k.CreatedAt), expires)
	return err
}

// FindKey returns the key of tenant with this id, if there is one.
func FindKey(ctx context.Context, tx db.Tx, tenant access.TenantID, keyID string) (Key, bool, error) {
	return db.One(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM key_block WHERE tenant_id = $1 AND id = $2`, tenant, keyID)
}

// KeysByLabel returns the versions of a key, newest first.
func KeysByLabel(ctx context.Context, tx db.Tx, tenant access.TenantID, label string) ([]Key, error) {
	return db.Collect(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM key_block
		WHERE tenant_id = $1 AND label = $2 ORDER BY version DESC, created_at DESC, id DESC`, tenant, label)
}

// KeysByLabelPrefix returns every key of tenant whose label begins with prefix,
// by label, newest version first: a whole key set in one statement.
func KeysByLabelPrefix(ctx context.Context, tx db.Tx, tenant access.TenantID, prefix string) ([]Key, error) {
	return db.Collect(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM key_block
		WHERE tenant_id = $1 AND substr(label, 1, length($2)) = $2
		ORDER BY label, version DESC, created_at DESC, id DESC`, tenant, prefix)
}

// KeysOfClient returns the keys shared with a client that are alive at now,
// newest first.
func KeysOfClient(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID string, now time.Time) ([]Key, error) {
	return db.Collect(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM key_block
		WHERE tenant_id = $1 AND client_id = $2 AND (expires_at IS NULL OR expires_at > $3)
		ORDER BY created_at DESC, id DESC`, tenant, clientID, clock.Micros(now))
}

// DeleteKey deletes a key that is shared with a client and reports whether
// there was one.
func DeleteKey(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, keyID string) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `DELETE FROM key_block WHERE tenant_id = $1 AND client_id = $2 AND id = $3`,
		tenant, clientID, keyID))
	return n == 1, err
}

// retireKeys lets the client's keys of this label expire at until, unless they
// do so earlier.
func retireKeys(ctx context.Context, tx db.Tx, tenant access.TenantID, clientID, label string, until time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE key_block SET expires_at = $4
		WHERE tenant_id = $1 AND client_id = $2 AND label = $3 AND expires_at > $4`,
		tenant, clientID, label, clock.Micros(until))
	return err
}

// sweepKeys deletes transport keys that expired before limit.
func sweepKeys(ctx context.Context, tx db.Tx, limit time.Time) (int64, error) {
	return db.Affected(tx.Exec(ctx, `DELETE FROM key_block WHERE client_id IS NOT NULL AND expires_at <= $1`, clock.Micros(limit)))
}

func scanKey(row db.Scanner) (Key, error) {
	var k Key
	var client *string
	var tenant access.TenantID
	var created int64
	var expires *int64
	r := &k.Ref
	err := row.Scan(&r.ID, &tenant, &k.Label, (*string)(&r.Usage), (*string)(&r.Algorithm), (*string)(&r.Mode),
		(*string)(&r.Exportability), &r.Version, &r.KCV, &r.Test, &r.Block, &client, &created, &expires)
	if err != nil {
		return Key{}, err
	}
	r.Tenant = tenant.String()
	k.CreatedAt = clock.FromMicros(created)
	if client != nil {
		k.ClientID = *client
	}
	if expires != nil {
		k.ExpiresAt = clock.FromMicros(*expires)
	}
	return k, nil
}
