package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// PINInput is a PIN as a caller sends it. Exactly one of Block and Clear is
// set; a clear value is for sandboxes only.
type PINInput struct {
	Block  []byte        // a PIN block, or the bytes of an encrypted field
	Format hsm.PINFormat // of Block
	KeyID  string        // an exchanged key; empty is the BIN's own ZPK
	Member string        // the name of the JSON member, which an encrypted field is bound to
	Clear  secret.Value
}

// given reports whether there is a PIN at all.
func (in PINInput) given() bool { return len(in.Block) > 0 || !in.Clear.IsZero() }

// pinBlock makes of the input what the HSM can open for this card.
//
// Production takes ISO 9564 formats 0, 3 and 4 only. Format 1, which is not
// bound to a card number, single encrypted fields and clear digits are for
// sandboxes; the digits become a block before anything else sees them.
func (s *Service) pinBlock(ctx context.Context, c access.Caller, cfg *Configuration, keys KeySet, token string, p pan.PAN, in PINInput) (hsm.PINBlock, error) {
	none := hsm.PINBlock{}
	if !in.Clear.IsZero() {
		if !clearAllowed(c, cfg) {
			return none, errClearNotAllowed
		}
		block, err := s.HSM.EncodePIN(ctx, keys.ZPK, hsm.ISO0, p, in.Clear)
		if err != nil {
			return none, pinFault(err)
		}
		return hsm.PINBlock{Block: block, Format: hsm.ISO0, PAN: p, Key: keys.ZPK}, nil
	}
	b := hsm.PINBlock{Block: in.Block, Format: in.Format, PAN: p}
	var usage hsm.Usage
	var size int
	switch in.Format {
	case hsm.ISO0, hsm.ISO3:
		b.Key, usage, size = keys.ZPK, hsm.UsagePIN, 8
	case hsm.ISO1:
		b.Key, usage, size = keys.ZPK, hsm.UsagePIN, 8
		if !c.Sandbox {
			return none, errPINBlock.With("format", in.Format.String())
		}
	case hsm.ISO4:
		b.Key, usage, size = keys.ZPKAES, hsm.UsagePIN, 16
	case hsm.Field:
		if !c.Sandbox {
			return none, errPINBlock.With("format", in.Format.String())
		}
		usage = hsm.UsageField
		b.AAD = fieldPlace(c, token, in.Member)
	default:
		return none, errPINBlock
	}
	if size > 0 && len(in.Block) != size {
		return none, errPINBlock.With("format", in.Format.String())
	}
	if in.KeyID != "" || in.Format == hsm.Field {
		key, err := s.transportKey(ctx, c, in.KeyID, usage)
		if err != nil {
			return none, err
		}
		b.Key = key
	}
	// A key of the other algorithm cannot have made this block.
	if b.Format == hsm.ISO4 && b.Key.Algorithm != hsm.AES || size == 8 && b.Key.Algorithm != hsm.TDES {
		return none, errPINBlock.With("format", in.Format.String())
	}
	return b, nil
}

// transportKey finds a key that the caller has exchanged.
func (s *Service) transportKey(ctx context.Context, c access.Caller, keyID string, usage hsm.Usage) (key hsm.KeyRef, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		key, err = vault.TransportKey(ctx, tx, c, keyID, usage, s.Clock.Now())
		return err
	})
	return key, err
}

// fieldPlace is what an encrypted member of a request or an answer is bound to:
// tenant, card and name. Where there is no card yet, its token is empty.
func fieldPlace(c access.Caller, token, member string) []byte {
	return []byte(c.Tenant.UUID() + "|" + token + "|" + member)
}

func clearAllowed(c access.Caller, cfg *Configuration) bool {
	return c.Sandbox && cfg.Attributes.AllowClearSensitive
}

// Sensitive is a value that a request carries encrypted, or a sandbox's in
// clear. Exactly one of Field and Clear is set.
type Sensitive struct {
	Field  []byte
	KeyID  string
	Member string
	Clear  secret.Value
}

func (s *Service) openSensitive(ctx context.Context, c access.Caller, cfg *Configuration, token string, in Sensitive) (secret.Value, error) {
	if !in.Clear.IsZero() {
		if !clearAllowed(c, cfg) {
			return secret.Value{}, errClearNotAllowed
		}
		return secret.New(in.Clear.Reveal()), nil // ours to erase
	}
	key, err := s.transportKey(ctx, c, in.KeyID, hsm.UsageField)
	if err != nil {
		return secret.Value{}, err
	}
	v, err := s.HSM.OpenField(ctx, key, in.Field, fieldPlace(c, token, in.Member))
	if err != nil {
		return secret.Value{}, fieldFault(err)
	}
	return v, nil
}

// sealSensitive answers a value under the caller's key, or in clear where that
// is allowed and no key is named.
func (s *Service) sealSensitive(ctx context.Context, c access.Caller, cfg *Configuration, token, keyID, member string, v secret.Value) (Sensitive, error) {
	if keyID == "" {
		if !clearAllowed(c, cfg) {
			return Sensitive{}, errClearNotAllowed
		}
		return Sensitive{Member: member, Clear: secret.New(v.Reveal())}, nil
	}
	key, err := s.transportKey(ctx, c, keyID, hsm.UsageField)
	if err != nil {
		return Sensitive{}, err
	}
	field, err := s.HSM.SealField(ctx, key, v, fieldPlace(c, token, member))
	if err != nil {
		return Sensitive{}, fmt.Errorf("seal field: %w", hsmFault(err))
	}
	return Sensitive{Field: field, KeyID: keyID, Member: member}, nil
}
