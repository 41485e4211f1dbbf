package vault

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
)

const bureauPrefix = "bureau/"

// SharedKey is a transport key as a card bureau receives it.
type SharedKey struct {
	Key         Key
	Wrapped     []byte // the AES-256 key under the bureau's RSA key (OAEP, SHA-256)
	Fingerprint string // of the bureau's public key: SHA-256 of the SPKI in DER
}

// ShareBureauKey makes the key-block protection key (usage K1) that a tenant
// shares with a card bureau, and wraps it for the bureau's RSA public key (as in
// [ForeignKey]). It is an act of the administrator, who has compared the
// fingerprint with the bureau's. A newer key takes the place of the older ones,
// which remain for what was made under them. An unknown tenant is NotFound.
func (s *Service) ShareBureauKey(ctx context.Context, tenant access.TenantID, bureau, publicKey string) (SharedKey, error) {
	public, fingerprint, err := parsePublicKey(publicKey)
	if err != nil {
		return SharedKey{}, err
	}
	var owner access.Tenant
	err = s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		if owner, found, err = access.ReadTenant(ctx, tx, tenant); err == nil && !found {
			err = fault.New(fault.NotFound, access.CodeTenantNotFound, "there is no such tenant")
		}
		return err
	})
	if err != nil {
		return SharedKey{}, err
	}
	now, c := s.Clock.Now(), access.System(owner)
	made, err := s.HSM.GenerateTransportKey(ctx, tenant.String(), id.New[Key](now).String(), public, hsm.KeyBlocks, c.Sandbox)
	if err != nil {
		return SharedKey{}, fmt.Errorf("make bureau key: %w", HSMFault(err))
	}
	out := SharedKey{Wrapped: made.Wrapped, Fingerprint: fingerprint, Key: Key{
		Ref: made.Ref, Label: bureauPrefix + bureau, CreatedAt: now,
	}}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := SaveKey(ctx, tx, tenant, out.Key); err != nil {
			return err
		}
		a := c.Act(clock.RealAt(now), audit.AccessStream, "BureauKeyShare")
		a.EntityType, a.EntityKey = "Bureau", bureau
		kcv, key := made.KCV, out.Key.Ref.ID
		a.Changes = []audit.Change{{Property: "KeyID", New: &key}, {Property: "KCV", New: &kcv}, {Property: "Fingerprint", New: &fingerprint}}
		return audit.Append(ctx, tx, a)
	})
	if err != nil {
		return SharedKey{}, fmt.Errorf("save bureau key: %w", err)
	}
	return out, nil
}

// BureauKey returns the newest key that a tenant shares with a card bureau.
func BureauKey(ctx context.Context, tx db.Tx, tenant access.TenantID, bureau string) (Key, bool, error) {
	keys, err := KeysByLabel(ctx, tx, tenant, bureauPrefix+bureau)
	if err != nil || len(keys) == 0 {
		return Key{}, false, err
	}
	return keys[0], true, nil
}

// BureauKeyByID returns the key of this id, if the tenant shares it with this
// bureau.
func BureauKeyByID(ctx context.Context, tx db.Tx, tenant access.TenantID, bureau, keyID string) (Key, bool, error) {
	k, found, err := FindKey(ctx, tx, tenant, keyID)
	return k, found && k.Label == bureauPrefix+bureau, err
}
