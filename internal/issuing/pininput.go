package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// PINForm is the form in which a PIN arrives.
type PINForm string

// The forms, with the contract's names of the PIN block formats of ISO 9564-1.
const (
	ISO0Block PINForm = "Iso0"
	ISO1Block PINForm = "Iso1" // not bound to a card number: sandboxes only
	ISO3Block PINForm = "Iso3"
	ISO4Block PINForm = "Iso4"
	PINField  PINForm = "Field" // a single encrypted JSON field: sandboxes only
)

// PINInput is a PIN as a caller sends it. Exactly one of Block and Clear is
// set; a clear value is for sandboxes only.
type PINInput struct {
	Sequence int     // of the plastic; 0 is the one in force, or the one that waits where the PIN activates
	Block    []byte  // a PIN block, or the bytes of an encrypted field
	Form     PINForm // of Block
	KeyID    string  // an exchanged key; empty is the BIN's own ZPK
	Member   string  // the name of the JSON member, which an encrypted field is bound to
	Clear    secret.Value
	Channel  string // over which it was tried; empty is the caller's
}

// given reports whether there is a PIN at all.
func (in PINInput) given() bool { return len(in.Block) > 0 || !in.Clear.IsZero() }

// pinBlock makes of the input what the HSM can open for this card.
//
// Production takes ISO 9564 formats 0, 3 and 4 only. Format 1, which is not
// bound to a card number, single encrypted fields and clear digits are for
// sandboxes; the digits become a block before anything else sees them.
func (s *Service) pinBlock(ctx context.Context, c access.Caller, cfg *program.Configuration, keys program.KeySet, token string, p pan.PAN, in PINInput) (hsm.PINBlock, error) {
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
	b := hsm.PINBlock{Block: in.Block, PAN: p, Key: keys.ZPK}
	usage, size, algorithm := hsm.UsagePIN, 8, hsm.TDES
	switch in.Form {
	case ISO0Block:
		b.Format = hsm.ISO0
	case ISO1Block:
		b.Format = hsm.ISO1
	case ISO3Block:
		b.Format = hsm.ISO3
	case ISO4Block:
		b.Format, b.Key, size, algorithm = hsm.ISO4, keys.ZPKAES, 16, hsm.AES
	case PINField:
		b.Format, b.AAD = hsm.Field, fieldPlace(c, token, in.Member)
		usage, size, algorithm = hsm.UsageField, len(in.Block), hsm.AES
	default:
		return none, errPINBlock
	}
	if !c.Sandbox && (in.Form == ISO1Block || in.Form == PINField) || len(in.Block) != size {
		return none, errPINBlock.With("format", string(in.Form))
	}
	if in.KeyID != "" || in.Form == PINField {
		key, err := s.transportKey(ctx, c, in.KeyID, usage)
		if err != nil {
			return none, err
		}
		b.Key = key
	}
	if b.Key.Algorithm != algorithm { // it cannot have made this block
		return none, errPINBlock.With("format", string(in.Form))
	}
	return b, nil
}

// transportKey finds a key that the caller has exchanged.
func (s *Service) transportKey(ctx context.Context, c access.Caller, keyID string, usage hsm.Usage) (key hsm.KeyRef, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		key, err = vault.TransportKey(ctx, tx, c, keyID, usage, clock.RealNow(s.Clock).Time())
		return err
	})
	return key, err
}

// fieldPlace is what an encrypted member of a request or an answer is bound to:
// tenant, card and name. Where there is no card yet, its token is empty.
func fieldPlace(c access.Caller, token, member string) []byte {
	return []byte(c.Tenant.UUID() + "|" + token + "|" + member)
}

func clearAllowed(c access.Caller, cfg *program.Configuration) bool {
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

func (s *Service) openSensitive(ctx context.Context, c access.Caller, cfg *program.Configuration, token string, in Sensitive) (secret.Value, error) {
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
func (s *Service) sealSensitive(ctx context.Context, c access.Caller, cfg *program.Configuration, token, keyID, member string, v secret.Value) (Sensitive, error) {
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
