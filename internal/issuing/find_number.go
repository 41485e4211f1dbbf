package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// numberMissesMax is how many numbers of its tenant's BINs a client may send in
// a day that no card has. Masked numbers leave a thousand to guess, or a
// hundred thousand: without a bound whoever may search reads full numbers.
const numberMissesMax = 100

var errNumberMisses = fault.New(fault.Throttled, "number_search_limit_exceeded", "the client has sent as many numbers today that are no cards as it may")

// soughtNumber is a number that the caller sent to find a card by.
type soughtNumber struct {
	index  string // its keyed hash
	counts bool   // it is of a BIN of the tenant: that no card has it tells of those that have one
	day    clock.Date
	wait   time.Duration // until the next day begins
}

// CardByNumber returns the tenant's card with a number that the caller sends
// encrypted, bound to no card token; of several plastics the newest. It opens
// no stored number: a keyed hash finds it. Who found which card, and the purpose
// that they name, are durable before the answer is given. A client that sent
// too many numbers that no card has finds none until the next day of its
// tenant's zone: number_search_limit_exceeded.
func (s *Service) CardByNumber(ctx context.Context, c access.Caller, number Sensitive, purpose string) (IssuedCard, error) {
	token, err := s.tokenByNumber(ctx, c, number)
	if err != nil {
		return IssuedCard{}, err
	}
	var out IssuedCard
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if out, err = s.issuedCard(ctx, tx, c, token, 0); err != nil {
			return err
		}
		if out.ChildCount, err = countChildren(ctx, tx, c.Tenant, out.Issuance.ID); err != nil {
			return fmt.Errorf("count supplementary cards: %w", err)
		}
		return s.recordUpkeep(ctx, tx, c, out.Card, upkeep{action: "Find", description: purpose})
	})
	return out, err
}

// tokenByNumber is the token of the card with an encrypted number. A miss is
// counted before it is told.
func (s *Service) tokenByNumber(ctx context.Context, c access.Caller, number Sensitive) (string, error) {
	sought, err := s.seek(ctx, c, number)
	if err != nil {
		return "", err
	}
	refusal := errNumberMisses.With("limit", numberMissesMax).With("retryAfterSeconds", int((sought.wait+time.Second-1)/time.Second))
	var token string
	var found bool
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		missed, err := countNumberMisses(ctx, tx, c, sought.day)
		if err != nil {
			return fmt.Errorf("count misses: %w", err)
		}
		if sought.counts && missed >= numberMissesMax {
			return refusal // also where a card would be found, or the search would go on telling
		}
		token, found, err = tokenOfNumber(ctx, tx, c.Tenant, sought.index)
		if err != nil || found || !sought.counts {
			return err
		}
		counted, err := addNumberMiss(ctx, tx, c, sought.day, numberMissesMax)
		if err == nil && !counted {
			return refusal
		}
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("find card by number: %w", err)
	case !found:
		return "", errCardNotFound
	}
	return token, nil
}

func (s *Service) seek(ctx context.Context, c access.Caller, number Sensitive) (soughtNumber, error) {
	cfg, err := s.programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return soughtNumber{}, err
	}
	p, err := s.openNumber(ctx, c, number)
	if err != nil {
		return soughtNumber{}, err
	}
	now := c.Now(s.Clock)
	out := soughtNumber{day: clock.DateOf(now, cfg.Tenant.Zone)}
	out.wait = out.day.AddDays(1).In(cfg.Tenant.Zone).Sub(now)
	for bin := range cfg.BINs {
		out.counts = out.counts || p.Prefix(len(bin)) == bin
	}
	out.index, err = s.indexPAN(ctx, c.Tenant, p)
	return out, err
}

// indexOfNumber is the keyed hash of a number that the caller sends encrypted,
// bound to no card token.
func (s *Service) indexOfNumber(ctx context.Context, c access.Caller, number Sensitive) (string, error) {
	p, err := s.openNumber(ctx, c, number)
	if err != nil {
		return "", err
	}
	return s.indexPAN(ctx, c.Tenant, p)
}

func (s *Service) openNumber(ctx context.Context, c access.Caller, number Sensitive) (pan.PAN, error) {
	cfg, err := s.programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return pan.PAN{}, err
	}
	clear, err := s.openSensitive(ctx, c, cfg, "", number)
	if err != nil {
		return pan.PAN{}, err
	}
	defer clear.Clear()
	p, err := pan.Parse(string(clear.Reveal()))
	if err != nil || !p.ValidLuhn() {
		return pan.PAN{}, errInvalid.OnField(number.Member, "not_a_card_number", "is not a card number")
	}
	return p, nil
}
