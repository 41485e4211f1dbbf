package program

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// firstKeyVersion is the version of a key set's first keys. As a derivation
// key index it is what chips carry; as a PVKI its last digit counts.
const firstKeyVersion = "01"

// keySlot is one key of a set: its place, its label, and what it is made as.
type keySlot struct {
	name string
	at   func(*KeySet) *hsm.KeyRef
	spec hsm.KeySpec
}

// keySlots are the keys of a set. The zone PIN keys leave for the clients they
// are shared with; the others leave for the card bureau, by local policy.
var keySlots = []keySlot{
	{"CVK", func(k *KeySet) *hsm.KeyRef { return &k.CVK },
		hsm.KeySpec{Usage: hsm.UsageCVK, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeMAC, Exportability: hsm.Sensitive}},
	{"PVK", func(k *KeySet) *hsm.KeyRef { return &k.PVK },
		hsm.KeySpec{Usage: hsm.UsagePVKVisa, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeMAC, Exportability: hsm.Sensitive}},
	{"PVK-OFFSET", func(k *KeySet) *hsm.KeyRef { return &k.PVKOffset },
		hsm.KeySpec{Usage: hsm.UsagePVKIBM3624, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeMAC, Exportability: hsm.Sensitive}},
	{"IMK-AC", func(k *KeySet) *hsm.KeyRef { return &k.IMKAC },
		hsm.KeySpec{Usage: hsm.UsageIMKAC, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeDerive, Exportability: hsm.Sensitive}},
	{"IMK-SMI", func(k *KeySet) *hsm.KeyRef { return &k.IMKSMI },
		hsm.KeySpec{Usage: hsm.UsageIMKSMI, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeDerive, Exportability: hsm.Sensitive}},
	{"IMK-SMC", func(k *KeySet) *hsm.KeyRef { return &k.IMKSMC },
		hsm.KeySpec{Usage: hsm.UsageIMKSMC, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeDerive, Exportability: hsm.Sensitive}},
	{"ZPK", func(k *KeySet) *hsm.KeyRef { return &k.ZPK },
		hsm.KeySpec{Usage: hsm.UsagePIN, Algorithm: hsm.TDES, Bits: 128, Mode: hsm.ModeBoth, Exportability: hsm.Exportable}},
	{"ZPK-AES", func(k *KeySet) *hsm.KeyRef { return &k.ZPKAES },
		hsm.KeySpec{Usage: hsm.UsagePIN, Algorithm: hsm.AES, Bits: 128, Mode: hsm.ModeBoth, Exportability: hsm.Exportable}},
	{"PIN-STORE", func(k *KeySet) *hsm.KeyRef { return &k.PINStore },
		hsm.KeySpec{Usage: hsm.UsagePIN, Algorithm: hsm.AES, Bits: 256, Mode: hsm.ModeBoth, Exportability: hsm.NonExportable}},
}

// PINKey is the key that PINs of this length are verified with: a PVV stands for
// four digits, longer PINs have an IBM 3624 offset.
func (k KeySet) PINKey(length int) hsm.KeyRef {
	if length == 4 {
		return k.PVK
	}
	return k.PVKOffset
}

// VerifierKey is the key that a stored verifier was made with.
func (k KeySet) VerifierKey(v hsm.Verifier) hsm.KeyRef {
	if v.Method == hsm.IBM3624 {
		return k.PVKOffset
	}
	return k.PVK
}

// readKeySet returns the newest key for each place of a set; found is false
// when any is missing.
func readKeySet(ctx context.Context, tx db.Tx, tenant access.TenantID, code string) (set KeySet, found bool, err error) {
	keys, err := vault.KeysByLabelPrefix(ctx, tx, tenant, code+"/")
	if err != nil {
		return KeySet{}, false, err
	}
	found = true
	for _, slot := range keySlots {
		label := code + "/" + slot.name
		place := slot.at(&set)
		for _, k := range keys { // newest first
			if k.Label == label && place.IsZero() {
				*place = k.Ref
			}
		}
		found = found && !place.IsZero()
	}
	return set, found, nil
}

// generateKeySet makes the keys of a set. It asks the HSM and belongs before
// the transaction that saves them.
func (s *Service) generateKeySet(ctx context.Context, tenant access.TenantID, code string, test bool, now clock.Real) ([]vault.Key, error) {
	keys := make([]vault.Key, len(keySlots))
	for i, slot := range keySlots {
		spec := slot.spec
		spec.ID, spec.Version, spec.Test = id.New[vault.Key](now.Time()).String(), firstKeyVersion, test
		ref, err := s.HSM.GenerateKey(ctx, tenant.String(), spec)
		if err != nil {
			return nil, vault.HSMFault(fmt.Errorf("generate %s: %w", slot.name, err))
		}
		keys[i] = vault.Key{Ref: ref, Label: code + "/" + slot.name, CreatedAt: now.Time()}
	}
	return keys, nil
}
