package issuing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Where a PIN may be tried, set and changed.
var (
	pinVerifiable = []CardStatus{Active, Pending, Inactive}
	pinSettable   = []CardStatus{Active, Pending}
	pinChangeable = []CardStatus{Active, Inactive}
)

// VerifyPIN compares a PIN with the card's. A wrong one counts, a right one
// starts the count anew; either is durable before the answer is given. The try
// that uses up the product's limit is still answered, the next one is
// pin_blocked. A block that does not open counts like a wrong PIN.
func (s *Service) VerifyPIN(ctx context.Context, c access.Caller, token string, in PINInput) (Tries, error) {
	card, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return Tries{}, err
	}
	if !slices.Contains(pinVerifiable, card.Status) {
		return Tries{}, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "pin/verify")
	}
	c.Channel = channelOf(c, in.Channel)
	t, _, err := s.tryPIN(ctx, c, card, in)
	return t, err
}

// tryPIN compares and counts. It also returns the opened card number.
func (s *Service) tryPIN(ctx context.Context, c access.Caller, card cardInUse, in PINInput) (Tries, pan.PAN, error) {
	limit := card.product.PINTryLimit
	if card.PINStatus == PINNotSet || card.PIN.IsZero() {
		return Tries{}, pan.PAN{}, errPINNotSet
	}
	if card.PINStatus == PINBlocked || card.PINTryCount >= limit {
		return Tries{}, pan.PAN{}, errPINBlocked
	}
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return Tries{}, p, err
	}
	block, err := s.pinBlock(ctx, c, card.cfg, card.keys, card.Token, p, in)
	if err != nil {
		return Tries{}, p, err
	}
	right, err := s.HSM.VerifyPIN(ctx, card.keys.VerifierKey(card.PIN), block, card.PIN)
	if err != nil && !errors.Is(err, hsm.ErrFormat) {
		return Tries{}, p, fmt.Errorf("verify PIN: %w", hsmFault(err))
	}
	right = right && err == nil
	var count int
	var counted bool
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		count, counted, err = countPIN(ctx, tx, c, card.Card, right, limit, c.Now(s.Clock))
		if err != nil || right || !counted {
			return err
		}
		return s.recordFailure(ctx, tx, c, "PinVerify", card.Card, string(errPINInvalid.Code))
	})
	switch {
	case err != nil:
		return Tries{}, p, fmt.Errorf("count PIN try: %w", err)
	case !counted:
		return Tries{}, p, s.whyNotCounted(ctx, c, card)
	}
	return Tries{IsValid: right, Left: triesLeft(limit, count)}, p, nil
}

// whyNotCounted tells a blocked PIN from one that was changed while the old one
// was being tried.
func (s *Service) whyNotCounted(ctx context.Context, c access.Caller, tried cardInUse) error {
	now, err := s.openForUse(ctx, c, tried.Token, tried.Sequence)
	if err != nil {
		return err
	}
	if now.PINStatus == PINBlocked || now.PINTryCount >= now.product.PINTryLimit {
		return errPINBlocked
	}
	return errStale
}

// SetPIN gives a card a PIN without knowing the old one: the caller has made
// sure of the cardholder. It unblocks the PIN, and with activate moves the card
// to Active in the same transaction.
func (s *Service) SetPIN(ctx context.Context, c access.Caller, token string, in PINInput, activate bool, channel string) (IssuedCard, error) {
	card, err := s.openForUse(ctx, c, token, in.Sequence)
	if err == nil && activate && in.Sequence == 0 {
		card, err = s.openToActivate(ctx, c, card)
	}
	if err != nil {
		return IssuedCard{}, err
	}
	if !slices.Contains(pinSettable, card.Status) {
		return IssuedCard{}, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "pin/set")
	}
	m := mover{s: s, c: c, cfg: card.cfg, in: NewStatus{Status: Active, Reason: FirstActivation, Channel: channel}}
	activate = activate && card.Status != Active
	if activate {
		// Before the PIN is looked at: whether it is the present one must not
		// be told to who cannot replace it.
		if err := m.permit(card.Card, card.issuance); err != nil {
			return IssuedCard{}, err
		}
	}
	p, err := s.openPAN(ctx, card.Card)
	if err != nil {
		return IssuedCard{}, err
	}
	fresh, err := s.newPIN(ctx, c, card, p, in)
	if err != nil {
		return IssuedCard{}, err
	}
	return s.keepPIN(ctx, c, card, fresh, pinAct{action: "PinSet", channel: channel, in: pinSettable}, func(tx db.Tx) error {
		if !activate {
			return nil
		}
		// The predecessor may have another number, and its row is waited for: the
		// chain must not be held before.
		var acts []audit.Act
		m.tx, m.later = tx, &acts
		issuance, err := lockedIssuance(ctx, tx, c.Tenant, card.Issuance)
		if err == nil {
			_, _, err = m.moveOne(ctx, card.Card, &issuance, FirstActivation)
		}
		if err != nil {
			return err
		}
		return appendAll(ctx, tx, acts)
	})
}

// openToActivate is the card that an activation without a sequence means: the
// one that waits to take the place of card, if there is one.
func (s *Service) openToActivate(ctx context.Context, c access.Caller, card cardInUse) (cardInUse, error) {
	var successor Card
	var waits bool
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		successor, waits, err = pendingSuccessor(ctx, tx, card.Card, card.issuance)
		return err
	})
	if err != nil || !waits {
		return card, err
	}
	return s.openForUse(ctx, c, successor.Token, successor.Sequence)
}

// ChangePIN gives a card another PIN for its old one. A wrong old one counts
// and is pin_invalid with the tries that are left.
func (s *Service) ChangePIN(ctx context.Context, c access.Caller, token string, old, fresh PINInput) (IssuedCard, error) {
	card, err := s.openForUse(ctx, c, token, 0)
	if err != nil {
		return IssuedCard{}, err
	}
	if !slices.Contains(pinChangeable, card.Status) {
		return IssuedCard{}, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "pin/change")
	}
	tries, p, err := s.tryPIN(ctx, c, card, old)
	if err != nil {
		return IssuedCard{}, err
	}
	if !tries.IsValid {
		return IssuedCard{}, errPINInvalid.With("remainingTries", tries.Left)
	}
	v, err := s.newPIN(ctx, c, card, p, fresh)
	if err != nil {
		return IssuedCard{}, err
	}
	return s.keepPIN(ctx, c, card, v, pinAct{action: "PinChange", in: pinChangeable}, func(db.Tx) error { return nil })
}

// newPIN makes what is stored of a chosen PIN, if it obeys the rules.
func (s *Service) newPIN(ctx context.Context, c access.Caller, card cardInUse, p pan.PAN, in PINInput) (keptPIN, error) {
	block, err := s.pinBlock(ctx, c, card.cfg, card.keys, card.Token, p, in)
	if err != nil {
		return keptPIN{}, err
	}
	rules, err := s.rulesOf(ctx, c, card)
	if err != nil {
		return keptPIN{}, err
	}
	place, err := s.placeOfPIN(ctx, c, card)
	if err != nil {
		return keptPIN{}, err
	}
	return s.choosePIN(ctx, place, block, rules)
}

// choosePIN makes what is stored of a PIN that somebody chose.
func (s *Service) choosePIN(ctx context.Context, place pinPlace, block hsm.PINBlock, rules hsm.PINRules) (keptPIN, error) {
	v, err := s.HSM.NewVerifier(ctx, place.keys.PINKey(place.length), block, rules)
	if err != nil {
		return keptPIN{}, pinFault(err)
	}
	out := keptPIN{verifier: v}
	if place.keeps {
		stored, err := s.HSM.StorePIN(ctx, place.keys.PINStore, block)
		if err != nil {
			return keptPIN{}, pinFault(err)
		}
		out.block = stored.Block
	}
	return out, nil
}

// pinPlace is what a PIN is made for.
type pinPlace struct {
	keys   program.KeySet
	length int
	keeps  bool // a plastic needs the PIN itself again
}

// placeOf is the place of the PIN of a card that is the only plastic of its
// number.
func placeOf(keys program.KeySet, product program.Product, card Card) pinPlace {
	return pinPlace{keys: keys, length: product.PINLength, keeps: keepsPIN(product, card)}
}

// placeOfPIN is the place of another PIN of a card. It is the PIN of all
// plastics of the number, and their chips and products may differ.
func (s *Service) placeOfPIN(ctx context.Context, c access.Caller, card cardInUse) (pinPlace, error) {
	place := placeOf(card.keys, card.product, card.Card)
	err := s.DB.View(ctx, func(tx db.Tx) error {
		plastics, err := readPlastics(ctx, tx, c.Tenant, card.Token)
		for _, k := range plastics {
			place.keeps = place.keeps || !k.Status.IsFinal() && keepsPIN(card.cfg.Products[k.ProductCode], k)
		}
		return err
	})
	if err != nil {
		return place, fmt.Errorf("read plastics of card %s: %w", card.ID, err)
	}
	return place, nil
}

// keepsPIN reports whether the PIN of a card is needed again: to be told, or to
// be brought to the chip.
func keepsPIN(product program.Product, card Card) bool {
	return slices.Contains(product.PINDeliveries, program.PINBySMS) || bringsPIN(card)
}

// bringsPIN reports whether the chip of a card has to be told of another PIN.
func bringsPIN(card Card) bool {
	return card.FormFactor != program.Virtual && program.HasOfflinePIN(card.ChipProfile)
}

// rulesOf are the rules for another PIN of a card.
func (s *Service) rulesOf(ctx context.Context, c access.Caller, card cardInUse) (hsm.PINRules, error) {
	var holder customer.Customer
	err := s.DB.View(ctx, func(tx db.Tx) error {
		if err := s.openPhone(ctx, &card.issuance); err != nil {
			return err
		}
		if card.issuance.Customer.IsZero() {
			return nil
		}
		var found bool
		var err error
		holder, found, err = s.customers.Read(ctx, tx, c.Tenant, card.issuance.Customer)
		if err == nil && !found {
			err = db.ErrGone
		}
		return err
	})
	if err != nil {
		return hsm.PINRules{}, fmt.Errorf("read cardholder: %w", err)
	}
	return pinRules(card.product, card.Card, holder, card.issuance.PhoneNumber), nil
}

// pinAct is an act by which a card gets another PIN.
type pinAct struct {
	action  string // what the audit record calls it
	channel string // as the request names it
	in      []CardStatus
	said    string // why, in the caller's words
}

// keepPIN stores a PIN unless the card has left the statuses or got another PIN
// since it was read.
func (s *Service) keepPIN(ctx context.Context, c access.Caller, card cardInUse, p keptPIN, act pinAct, also func(db.Tx) error) (IssuedCard, error) {
	var out IssuedCard
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := lockWithCards(ctx, tx, c.Tenant, card.Issuance); err != nil {
			return err
		}
		now := c.Now(s.Clock)
		status, kept, err := savePIN(ctx, tx, card, p, now, act.in)
		if err != nil {
			return fmt.Errorf("save PIN: %w", err)
		}
		if !kept {
			return errStale
		}
		if err := also(tx); err != nil {
			return err
		}
		if err := raisePIN(ctx, tx, c, EventPINChanged, card.ID, now, status, act.channel); err != nil {
			return err
		}
		record := s.cardAct(c, act.action, card.Card)
		record.Channel, record.Description = channelOf(c, act.channel), act.said
		if err := audit.Append(ctx, tx, record); err != nil {
			return err
		}
		out, err = s.issuedCard(ctx, tx, c, card.Token, card.Sequence)
		return err
	})
	return out, err
}

// pinRules are the rules of the contract, §8.7: what somebody who found the
// wallet would try first is forbidden.
func pinRules(product program.Product, card Card, holder customer.Customer, phone string) hsm.PINRules {
	r := hsm.PINRules{Length: product.PINLength, Forbidden: []string{card.LastFour, card.Expires.MMYY(), card.Expires.YYMM()}}
	if b := holder.BirthDate; !b.IsZero() {
		r.Forbidden = append(r.Forbidden, birthDigits(b)...)
	}
	if len(phone) >= 4 {
		r.Forbidden = append(r.Forbidden, phone[len(phone)-4:])
	}
	// A verifier of another kind is from before the product's PIN length changed.
	if !card.PIN.IsZero() && (card.PIN.Method == hsm.PVV) == (product.PINLength == 4) {
		current := card.PIN
		r.Current = &current
	}
	return r
}

func birthDigits(b clock.Date) []string {
	return []string{
		fmt.Sprintf("%02d%02d", b.Day, int(b.Month)), fmt.Sprintf("%02d%02d", int(b.Month), b.Day),
		fmt.Sprintf("%04d", b.Year), fmt.Sprintf("%02d%02d", b.Year%100, int(b.Month)),
	}
}
