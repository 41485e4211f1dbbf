package issuing

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// purposePAN is what card numbers are sealed and indexed for: it has keys of
// its own.
const purposePAN = "pan"

func (s *Service) sealPAN(ctx context.Context, tenant access.TenantID, card id.ID[Card], p pan.PAN) ([]byte, error) {
	sealed, err := s.HSM.Seal(ctx, tenant.String(), purposePAN, []byte(p.Reveal()), hsm.PlaceOf(tenant, "card", "pan_sealed", card.String()))
	if err != nil {
		return nil, fmt.Errorf("seal card number: %w", hsmFault(err))
	}
	return sealed, nil
}

// openPAN opens the number of a card. A sealed number that was put into another
// row is hsm.ErrIntegrity.
func (s *Service) openPAN(ctx context.Context, c Card) (pan.PAN, error) {
	digits, err := s.HSM.Open(ctx, c.Tenant.String(), purposePAN, c.sealedPAN, hsm.PlaceOf(c.Tenant, "card", "pan_sealed", c.ID.String()))
	if err != nil {
		return pan.PAN{}, fmt.Errorf("open number of card %s: %w", c.ID, hsmFault(err))
	}
	defer clear(digits)
	p, err := pan.Parse(string(digits))
	if err != nil {
		return pan.PAN{}, fmt.Errorf("open number of card %s: %w", c.ID, err)
	}
	return p, nil
}

// NewCardToken makes the outward name of a number: its first six digits, six
// random letters, its last four. The letters tell nothing of the number.
func NewCardToken(p pan.PAN) string {
	const letters = 6
	return p.Prefix(6) + randomLetters(letters) + p.Last4()
}

func randomLetters(n int) string {
	// 234 is the largest multiple of 26 in a byte: a higher one is drawn again,
	// so that all letters are equally likely.
	text := make([]byte, 0, n)
	for draw := make([]byte, 2*n); len(text) < n; {
		rand.Read(draw)
		for _, b := range draw {
			if b < 234 && len(text) < n {
				text = append(text, 'a'+b%26)
			}
		}
	}
	return string(text)
}

// newIssuanceNo makes sixteen digits that begin with 90 and end in a check
// digit. 90 is in no card scheme's range, so an issuance number is never a
// card's.
func newIssuanceNo() string {
	body := append(make([]byte, 0, 16), "90"...)
	for draw := make([]byte, 32); len(body) < 15; {
		rand.Read(draw)
		for _, b := range draw {
			if b < 250 && len(body) < 15 {
				body = append(body, '0'+b%10)
			}
		}
	}
	return string(append(body, pan.CheckDigit(string(body))))
}

// takenNumber tells which card numbers a card of the tenant has already.
func (s *Service) takenNumber(ctx context.Context, tx db.Tx, tenant access.TenantID) func(pan.PAN) (bool, error) {
	return func(p pan.PAN) (bool, error) {
		index, err := s.indexPAN(ctx, tenant, p)
		if err != nil {
			return false, err
		}
		return panTaken(ctx, tx, tenant, index)
	}
}
