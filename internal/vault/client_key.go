package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// ClientKey is a public key with which an API client may exchange transport
// keys in production.
type ClientKey struct {
	Tenant       access.TenantID
	ClientID     string
	Fingerprint  string // SHA-256 of the SPKI in DER, in hexadecimal digits
	RegisteredAt time.Time
}

// RegisterClientKey lets a client exchange transport keys with this RSA public
// key (as in [ForeignKey]) in production. It is an act of the administrator,
// who has compared the fingerprint with the client's. Doing so again changes
// nothing; an unknown client is NotFound.
func (s *Service) RegisterClientKey(ctx context.Context, clientID, publicKey string) (k ClientKey, err error) {
	_, fingerprint, err := parsePublicKey(publicKey)
	if err != nil {
		return ClientKey{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		tenant, err := access.TenantOfClient(ctx, tx, clientID)
		if err != nil {
			return err
		}
		k, err = saveClientKey(ctx, tx, ClientKey{tenant, clientID, fingerprint, s.Clock.Now()})
		return err
	})
	if err != nil {
		return ClientKey{}, fmt.Errorf("register key: %w", err)
	}
	return k, nil
}

// ClientKeys returns the registered keys of a client, oldest first. An unknown
// client is NotFound.
func (s *Service) ClientKeys(ctx context.Context, clientID string) (keys []ClientKey, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		tenant, err := access.TenantOfClient(ctx, tx, clientID)
		if err != nil {
			return err
		}
		keys, err = readClientKeys(ctx, tx, tenant, clientID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list registered keys: %w", err)
	}
	return keys, nil
}
