package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// NamedCard names a test card by one of its token and its number in clear.
type NamedCard struct {
	Token  string
	Number Sensitive
}

// MadePINBlock is a PIN block that was made for a tester.
type MadePINBlock struct {
	Block []byte
	Form  PINForm
	KCV   string // of the key that it is encrypted under
}

// MakePINBlock encrypts a tester's PIN as the PIN pad of a terminal would: under
// the ZPK of the card's BIN, or the exchanged key that is named. The PIN need not
// be the card's. For a production tenant every card is not found, and the HSM
// would refuse besides.
func (s *Service) MakePINBlock(ctx context.Context, c access.Caller, card NamedCard, form PINForm, keyID string, pin secret.Value) (MadePINBlock, error) {
	u, number, err := s.openNamed(ctx, c, card)
	if err != nil {
		return MadePINBlock{}, err
	}
	// The key and the format are chosen as for a block that comes in.
	size := 8
	if form == ISO4Block {
		size = 16
	}
	b, err := s.pinBlock(ctx, c, u.cfg, u.keys, u.Token, number, PINInput{Block: make([]byte, size), Form: form, KeyID: keyID})
	if err != nil {
		return MadePINBlock{}, err
	}
	block, err := s.HSM.EncodePIN(ctx, b.Key, b.Format, number, pin)
	if err != nil {
		return MadePINBlock{}, pinFault(err)
	}
	return MadePINBlock{Block: block, Form: form, KCV: b.Key.KCV}, nil
}

// ReadPINBlock returns the PIN inside a tester's block. What it says of
// production tenants, [Service.MakePINBlock] says.
func (s *Service) ReadPINBlock(ctx context.Context, c access.Caller, card NamedCard, in PINInput) (secret.Value, error) {
	u, number, err := s.openNamed(ctx, c, card)
	if err != nil {
		return secret.Value{}, err
	}
	b, err := s.pinBlock(ctx, c, u.cfg, u.keys, u.Token, number, in)
	if err != nil {
		return secret.Value{}, err
	}
	pin, err := s.HSM.DecodePIN(ctx, b)
	if err != nil {
		return secret.Value{}, pinFault(err)
	}
	return pin, nil
}

// PINTest is what became of a PIN that was tried.
type PINTest struct {
	IsValid  bool
	TryCount int // wrong PINs since the last right one
	Status   PINStatus
}

// TestPIN is [Service.VerifyPIN] for testers: it counts as that does, and tells
// where the card's PIN then stands.
func (s *Service) TestPIN(ctx context.Context, c access.Caller, token string, pin PINInput) (PINTest, error) {
	if !c.Sandbox {
		return PINTest{}, errCardNotFound
	}
	tries, err := s.VerifyPIN(ctx, c, token, pin)
	if err != nil {
		return PINTest{}, err
	}
	now, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return PINTest{}, err
	}
	return PINTest{IsValid: tries.IsValid, TryCount: now.PINTryCount, Status: now.PINStatus}, nil
}

// EncryptNumber puts a card number under a key that the caller exchanged, bound
// as a request without a card token carries it. The number need not be of a card
// that exists.
func (s *Service) EncryptNumber(ctx context.Context, c access.Caller, keyID string, number Sensitive) (Sensitive, error) {
	if !c.Sandbox {
		return Sensitive{}, errCardNotFound
	}
	if p, err := pan.Parse(string(number.Clear.Reveal())); err != nil || !p.ValidLuhn() {
		return Sensitive{}, errInvalid.OnField(number.Member, "not_a_card_number", "is not a card number")
	}
	cfg, err := s.programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return Sensitive{}, err
	}
	return s.sealSensitive(ctx, c, cfg, "", keyID, "encryptedCardNo", number.Clear)
}

// RevealNamed is [Service.RevealCard] of the plastic in force of a card that may
// be named by its number.
func (s *Service) RevealNamed(ctx context.Context, c access.Caller, card NamedCard) (ClearCard, error) {
	if !c.Sandbox {
		return ClearCard{}, errCardNotFound
	}
	token := card.Token
	if token == "" {
		var err error
		if token, err = s.tokenNamed(ctx, c, card.Number); err != nil {
			return ClearCard{}, err
		}
	}
	return s.RevealCard(ctx, c, token, 0)
}

// openNamed opens a test card and its number.
func (s *Service) openNamed(ctx context.Context, c access.Caller, card NamedCard) (u cardInUse, number pan.PAN, err error) {
	if !c.Sandbox {
		return u, number, errCardNotFound
	}
	token := card.Token
	if token == "" {
		if token, err = s.tokenNamed(ctx, c, card.Number); err != nil {
			return u, number, err
		}
	}
	if u, err = s.openForUse(ctx, c, token, 0); err != nil {
		return u, number, err
	}
	number, err = s.openPAN(ctx, u.Card)
	return u, number, err
}

// tokenNamed is the token of the card with a number.
func (s *Service) tokenNamed(ctx context.Context, c access.Caller, number Sensitive) (token string, err error) {
	index, err := s.indexOfNumber(ctx, c, number)
	if err != nil {
		return "", err
	}
	var found bool
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		token, found, err = tokenOfNumber(ctx, tx, c.Tenant, index)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find card by number: %w", err)
	}
	if !found {
		return "", errCardNotFound
	}
	return token, nil
}
