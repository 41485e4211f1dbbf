package access

import (
	"context"
	"crypto/x509"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

func insertSigningKey(ctx context.Context, tx db.Tx, k SigningKey) error {
	public, err := x509.MarshalPKIXPublicKey(k.Public)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO signing_key (id, private_key, public_key, created_at) VALUES ($1, $2, $3, $4)`,
		k.ID, k.Private, public, clock.Micros(k.Created))
	return err
}

// readSigningKeys returns the keys, oldest first.
func readSigningKeys(ctx context.Context, tx db.Tx) ([]SigningKey, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (SigningKey, error) {
		var k SigningKey
		var public []byte
		var created int64
		if err := row.Scan(&k.ID, &k.Private, &public, &created); err != nil {
			return SigningKey{}, err
		}
		err := readableKey(public, created, &k)
		return k, err
	}, `SELECT id, private_key, public_key, created_at FROM signing_key ORDER BY created_at, id`)
}
