package issuing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// detokenizeMax is how many tokens one request may name.
const detokenizeMax = 100

// Detokenization asks for the card numbers behind tokens.
type Detokenization struct {
	Tokens  []string
	KeyID   string // the transport key that the numbers are answered under
	Purpose string // for the record; never card data
}

// OpenedToken is the answer for one token, in the order of the request.
// IsFound is false for a token that is no card of the tenant.
type OpenedToken struct {
	CardToken string
	IsFound   bool
	CardNo    Sensitive
	Sequence  int
	Expires   Expiry
}

// Detokenize returns card numbers under a key the caller exchanged, never in
// clear. Who was given which and what for is durable before the answer is
// given. A client is given as many a day, in the tenant's zone, as the tenant's
// attribute says: a request beyond that is detokenize_quota_exceeded as a
// whole, however many arrive at once. Unknown tokens count nothing.
func (s *Service) Detokenize(ctx context.Context, c access.Caller, in Detokenization) ([]OpenedToken, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	key, err := s.transportKey(ctx, c, in.KeyID, hsm.UsageField)
	if err != nil {
		return nil, err
	}
	cfg, err := s.programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	var cards map[string]Card
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		cards, err = readCardsByToken(ctx, tx, c.Tenant, in.Tokens)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read cards: %w", err)
	}
	out := make([]OpenedToken, len(in.Tokens))
	var shown []Card
	for i, token := range in.Tokens {
		out[i].CardToken = token
		card, found := cards[token]
		if !found {
			continue
		}
		field, err := s.sealNumber(ctx, c, key, card)
		if err != nil {
			return nil, err
		}
		out[i] = OpenedToken{
			CardToken: token, IsFound: true, Sequence: card.Sequence, Expires: card.Expires,
			CardNo: Sensitive{Field: field, KeyID: in.KeyID, Member: "encryptedCardNo"},
		}
		shown = append(shown, card)
	}
	return out, s.recordDetokenization(ctx, c, cfg, shown, in.Purpose)
}

func (in Detokenization) check() error {
	var v fault.Checks
	v.Between("cardTokens", len(in.Tokens), 1, detokenizeMax)
	for i, token := range in.Tokens {
		at := "cardTokens[" + strconv.Itoa(i) + "]"
		v.Is(at, len(token) <= 32 && !pan.ContainsPAN(token), "not_a_token", "is not a card token") // a number would be echoed
		v.Is(at, !slices.Contains(in.Tokens[:i], token), "repeated", "is there twice")
	}
	v.Text("purpose", in.Purpose, 3, 250)
	return v.Err(errInvalid)
}

func (s *Service) sealNumber(ctx context.Context, c access.Caller, key hsm.KeyRef, card Card) ([]byte, error) {
	p, err := s.openPAN(ctx, card)
	if err != nil {
		return nil, err
	}
	number := secret.FromString(p.Reveal())
	defer number.Clear()
	field, err := s.HSM.SealField(ctx, key, number, fieldPlace(c, card.Token, "encryptedCardNo"))
	if err != nil {
		return nil, fmt.Errorf("seal field: %w", hsmFault(err))
	}
	return field, nil
}

// recordDetokenization writes down which numbers are about to be shown, or
// refuses when that would be too many for the day.
func (s *Service) recordDetokenization(ctx context.Context, c access.Caller, cfg *program.Configuration, cards []Card, purpose string) error {
	if len(cards) == 0 {
		return nil
	}
	now, quota := c.Now(s.Clock), cfg.Attributes.DetokenizeDailyQuota
	today := clock.DateOf(now, cfg.Tenant.Zone)
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		used, taken, err := takeDetokenizations(ctx, tx, c, today, len(cards), quota)
		if err != nil {
			return err
		}
		if !taken {
			wait := today.AddDays(1).In(cfg.Tenant.Zone).Sub(now)
			return errDetokenizeQuota.With("quota", quota).With("retryAfterSeconds", int((wait+time.Second-1)/time.Second))
		}
		for i, card := range cards {
			if err := insertDetokenization(ctx, tx, c, today, used-len(cards)+i+1, card, now, purpose); err != nil {
				return err
			}
		}
		for _, card := range cards {
			if err := s.recordUpkeep(ctx, tx, c, card, upkeep{action: "Detokenize", description: purpose}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record detokenization: %w", err)
	}
	return nil
}
