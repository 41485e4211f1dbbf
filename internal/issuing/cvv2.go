package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Tries is the answer to a PIN or CVV2 that was tried.
type Tries struct {
	IsValid bool
	Left    int
}

// ShownCVV2 is a CVV2 as its cardholder's app may show it. It is made anew each
// time and kept nowhere.
type ShownCVV2 struct {
	CardToken string
	Expires   Expiry
	CVV2      Sensitive
	CardNo    *Sensitive
}

// CVV2Request asks for a CVV2. KeyID names the transport key the answer is
// encrypted under; a sandbox may leave it out and gets clear values.
type CVV2Request struct {
	Sequence      int // of the plastic; 0 is the newest
	KeyID         string
	IncludeCardNo bool
	Reason        string // for the record; never card data
}

// How often the CVV2 of one card is shown: no more than cvv2ViewsMax times in
// any cvv2ViewWindow (contract/platform.md §8.6).
const (
	cvv2ViewsMax   = 10
	cvv2ViewWindow = time.Hour
)

// ShowCVV2 computes the CVV2 of an active card, or of one that waits for its
// first use and needs no plastic. Who was shown it and why is durable before
// the answer is given; the eleventh time within an hour is Throttled.
func (s *Service) ShowCVV2(ctx context.Context, c access.Caller, token string, in CVV2Request) (ShownCVV2, error) {
	card, err := s.openForUse(ctx, c, token, in.Sequence)
	if err != nil {
		return ShownCVV2{}, err
	}
	if err := showable(card.Card, card.Status); err != nil {
		return ShownCVV2{}, err
	}
	if in.KeyID == "" && !clearAllowed(c, card.cfg) {
		return ShownCVV2{}, errClearNotAllowed
	}
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return ShownCVV2{}, err
	}
	value, err := s.HSM.CardValue(ctx, card.keys.CVK, hsm.CVV2, cardValueInput(card.Card, p))
	if err != nil {
		return ShownCVV2{}, fmt.Errorf("compute CVV2: %w", hsmFault(err))
	}
	defer value.Clear()
	out := ShownCVV2{CardToken: card.Token, Expires: card.Expires}
	if out.CVV2, err = s.sealSensitive(ctx, c, card.cfg, card.Token, in.KeyID, "encryptedCvv2", value); err != nil {
		return ShownCVV2{}, err
	}
	if in.IncludeCardNo {
		number, err := s.sealSensitive(ctx, c, card.cfg, card.Token, in.KeyID, "encryptedCardNo", secret.FromString(p.Reveal()))
		if err != nil {
			return ShownCVV2{}, err
		}
		out.CardNo = &number
	}
	if err := s.recordCVV2View(ctx, c, card.Card, in); err != nil {
		return ShownCVV2{}, err
	}
	return out, nil
}

// showable refuses a card whose CVV2 nobody needs yet or any more.
func showable(c Card, status CardStatus) error {
	if status == Active || status == Pending && c.IsVirtual() {
		return nil
	}
	return errStatusNotSuitable.With("status", string(status)).With("operation", "cvv2/get-with-expire-date")
}

// recordCVV2View writes down that a CVV2 is about to be shown, or refuses when
// that happened too often. It holds the card's lock, so parallel calls count
// one another.
func (s *Service) recordCVV2View(ctx context.Context, c access.Caller, card Card, in CVV2Request) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		states, err := LockCardStates(ctx, tx, []id.ID[Card]{card.ID})
		if err != nil {
			return err
		}
		if err := showable(card, states[card.ID].Status); err != nil {
			return err
		}
		now := c.Now(s.Clock)
		view := cvv2View{card: card.ID, tenant: c.Tenant, at: now, by: c, reason: in.Reason, withCardNo: in.IncludeCardNo}
		written, first, err := insertCVV2View(ctx, tx, view, now.Add(-cvv2ViewWindow), cvv2ViewsMax)
		if err == nil && !written {
			wait := first.Add(cvv2ViewWindow).Sub(now)
			err = errCVV2Views.With("limit", cvv2ViewsMax).With("retryAfterSeconds", int((wait+time.Second-1)/time.Second))
		}
		if err != nil {
			return err
		}
		a := s.cardAct(c, "Cvv2View", card)
		a.Description = in.Reason
		return audit.Append(ctx, tx, a)
	})
	if err != nil {
		return fmt.Errorf("record CVV2 view: %w", err)
	}
	return nil
}

// CVV2Try is a CVV2 with the expiry it was read beside.
type CVV2Try struct {
	Sequence int
	CVV2     Sensitive
	Expires  Expiry
}

// VerifyCVV2 compares a CVV2 and its expiry. A wrong one of either counts; the
// count is durable before the answer is given, and once it has reached the
// product's limit every answer is cvv2_blocked.
func (s *Service) VerifyCVV2(ctx context.Context, c access.Caller, token string, in CVV2Try) (Tries, error) {
	card, err := s.openForUse(ctx, c, token, in.Sequence)
	if err != nil {
		return Tries{}, err
	}
	if card.Status.IsFinal() {
		return Tries{}, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "cvv2/verify")
	}
	if card.CVV2TryCount >= card.product.CVV2TryLimit {
		return Tries{}, errCVV2Blocked
	}
	got, err := s.openSensitive(ctx, c, card.cfg, card.Token, in.CVV2)
	if err != nil {
		return Tries{}, err
	}
	defer got.Clear()
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return Tries{}, err
	}
	right, err := s.HSM.VerifyCardValue(ctx, card.keys.CVK, hsm.CVV2, cardValueInput(card.Card, p), got)
	if err != nil {
		return Tries{}, fmt.Errorf("verify CVV2: %w", hsmFault(err))
	}
	right = right && in.Expires == card.Expires
	return s.countCVV2Try(ctx, c, card, right, card.product.CVV2ResetOnSuccess, "Cvv2Verify", "cvv2_invalid")
}

// countCVV2Try writes down what became of a try that counts as one of the CVV2.
// A wrong one is recorded as a failed action with this code.
func (s *Service) countCVV2Try(ctx context.Context, c access.Caller, card cardInUse, right, resets bool, action, code string) (Tries, error) {
	limit := card.product.CVV2TryLimit
	var count int
	var counted bool
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		count, counted, err = countCVV2(ctx, tx, c, card.Card, right, resets, limit, c.Now(s.Clock))
		if err != nil || right || !counted {
			return err
		}
		return s.recordFailure(ctx, tx, c, action, card.Card, code)
	})
	switch {
	case err != nil:
		return Tries{}, fmt.Errorf("count CVV2 try: %w", err)
	case !counted: // others used up the tries meanwhile
		return Tries{}, errCVV2Blocked
	}
	return Tries{IsValid: right, Left: triesLeft(limit, count)}, nil
}

// ResetCVV2 forgets the wrong CVV2s of a card that is not closed. Doing so
// again changes nothing. The reason is for the record; never card data.
func (s *Service) ResetCVV2(ctx context.Context, c access.Caller, token string, sequence int, reason string) (IssuedCard, error) {
	var out IssuedCard
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if out, err = s.issuedCard(ctx, tx, c, token, sequence); err != nil {
			return err
		}
		if out.Card.CVV2TryCount == 0 && !out.Card.Status.IsFinal() {
			return nil
		}
		now := c.Now(s.Clock)
		done, err := resetCVV2(ctx, tx, out.Card, c.Real(now))
		if err != nil {
			return fmt.Errorf("reset CVV2 tries: %w", err)
		}
		if !done {
			return errStatusNotSuitable.With("status", string(out.Card.Status)).With("operation", "cvv2/reset-counters")
		}
		if err := raiseCard(ctx, tx, c, EventCVV2Reset, out.Card.ID, now, nil); err != nil {
			return err
		}
		if err := s.recordUpkeep(ctx, tx, c, out.Card, upkeep{action: "Cvv2Reset", description: reason}); err != nil {
			return err
		}
		out, err = s.issuedCard(ctx, tx, c, token, sequence)
		return err
	})
	return out, err
}

// openStatuses are the statuses that are not final.
func openStatuses() []CardStatus {
	var open []CardStatus
	for _, s := range CardStatuses() {
		if !s.IsFinal() {
			open = append(open, s)
		}
	}
	return open
}

// cardInUse is a card with what its checks need.
type cardInUse struct {
	Card
	issuance Issuance
	product  program.Product
	keys     program.KeySet
	cfg      *program.Configuration
}

// openForUse reads a card for one of its checks. It touches no personal value.
func (s *Service) openForUse(ctx context.Context, c access.Caller, token string, sequence int) (cardInUse, error) {
	var u cardInUse
	err := s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		var err error
		if u.Card, found, err = readCard(ctx, tx, c.Tenant, token, sequence); err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		if !found {
			return errCardNotFound
		}
		if u.issuance, found, err = readIssuance(ctx, tx, c.Tenant, u.Issuance); err != nil || !found {
			return fmt.Errorf("read issuance of card %s: %w", u.ID, db.Missing(err))
		}
		if u.cfg, err = s.programs.ConfigurationIn(ctx, tx, c.Tenant); err != nil {
			return err
		}
		if u.product, found = u.cfg.Product(u.ProductCode); !found {
			return fmt.Errorf("product %s of card %s is gone", u.ProductCode, u.ID)
		}
		if u.keys, found = u.cfg.KeysOf(u.cfg.BINs[u.BIN]); !found {
			return fmt.Errorf("BIN %s has no key set", u.BIN)
		}
		return nil
	})
	return u, err
}

func cardValueInput(c Card, p pan.PAN) hsm.CardValueInput {
	return hsm.CardValueInput{PAN: p, Expiry: c.Expires.YYMM(), ServiceCode: c.ServiceCode}
}
