package fee

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// occasion is something about a new card that may cost one fee: it is called by
// any of its events, the most particular first.
type occasion []Event

// occasionsOf are what may cost fees when a card is made. That an express courier
// brings it costs a fee of its own.
func occasionsOf(m issuing.MadeCard) []occasion {
	var made occasion
	if m.Card.IsVirtual() && m.Card.Renewed == "" {
		made = append(made, VirtualIssuance)
	}
	switch m.Card.Renewed {
	case issuing.RenewForExpiry:
		made = append(made, RenewalOnExpiry)
	case issuing.RenewForLost:
		made = append(made, ReplacementLost)
	case issuing.RenewForStolen:
		made = append(made, ReplacementStolen)
	case issuing.RenewForFraud:
		made = append(made, ReplacementFraud)
	case issuing.RenewForDamaged:
		made = append(made, ReplacementDamaged)
	case issuing.RenewForNameChange:
		made = append(made, NameChange)
	case issuing.RenewForProductChange:
		made = append(made, ProductChange)
	case "":
		switch {
		case m.Customer == nil:
			made = append(made, NonameIssuance)
		case !m.Issuance.Parent.IsZero():
			made = append(made, AdditionalCard)
		default:
			made = append(made, FirstIssuance)
		}
	} // what the bank itself does to its cards costs their holders nothing
	all := []occasion{made}
	if m.Card.Physical != nil && m.Card.Physical.IsExpress {
		all = append(all, occasion{ExpressDelivery})
	}
	return all
}

// CardsMade orders what it costs that cards of one tenant were made, in the
// transaction that makes them, and lets their fee years be looked at. It
// implements [issuing.Fees].
func (s *Service) CardsMade(ctx context.Context, tx db.Tx, c access.Caller, made []issuing.MadeCard) error {
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return err
	}
	now := c.Now(s.Clock)
	if err := s.openYears(ctx, tx, c, made, clock.DateOf(now, cfg.Tenant.Zone)); err != nil {
		return err
	}
	k, err := s.Controls.Snapshot(ctx, c.Tenant, cfg.Version)
	if err != nil {
		return err
	}
	if IssuanceFees.In(k).IsEmpty() {
		return nil
	}
	var orders []CardFee
	for _, m := range made {
		if m.IsFeeExempt {
			continue
		}
		o, err := s.occasionOfCard(ctx, tx, k, cfg, m.IssuedCard, now)
		if err != nil {
			return err
		}
		if err := s.factsOfOrder(ctx, tx, o, m, now, cfg); err != nil {
			return err
		}
		for _, what := range occasionsOf(m) {
			f, found, err := s.order(ctx, tx, k, o, cfg, m, what)
			if err != nil {
				return err
			}
			if found {
				orders = append(orders, f)
			}
		}
	}
	if err := insertCardFees(ctx, tx, orders); err != nil {
		return fmt.Errorf("order fees: %w", err)
	}
	return nil
}

// AccountTaken lets the account that an issuance spends from now pay what its own
// still owes. It implements [issuing.Fees].
func (s *Service) AccountTaken(ctx context.Context, tx db.Tx, c access.Caller, own, taken ledger.AccountID) error {
	if err := movePending(ctx, tx, c.Tenant, own, taken); err != nil {
		return fmt.Errorf("move fees that wait: %w", err)
	}
	return nil
}

// openYears begins to look at the fee years of new issuances, and again at those
// that were closed.
func (s *Service) openYears(ctx context.Context, tx db.Tx, c access.Caller, made []issuing.MadeCard, today clock.Date) error {
	var fresh []year
	for _, m := range made {
		if m.Card.Renewed == "" {
			fresh = append(fresh, year{issuance: m.Issuance.ID, tenant: c.Tenant, check: today})
		} else if err := reopenYear(ctx, tx, c.Tenant, m.Issuance.ID, today); err != nil {
			return fmt.Errorf("begin fee years again: %w", err)
		}
	}
	if err := insertYears(ctx, tx, fresh); err != nil {
		return fmt.Errorf("begin to look at fee years: %w", err)
	}
	return nil
}

// occasionOfCard is what fees are asked about a card.
func (s *Service) occasionOfCard(ctx context.Context, tx db.Tx, k *control.Snapshot, cfg *program.Configuration, card issuing.IssuedCard, now time.Time) (*control.Occasion, error) {
	standing := issuing.Standing{
		Issuance: card.Issuance.ID, Parent: card.Issuance.Parent, Customer: card.Issuance.Customer, ProductCode: card.Product.Code, CardToken: card.Card.Token,
	}
	if card.Customer != nil {
		standing.Segment = card.Customer.Segment
	}
	o := &control.Occasion{
		Tenant: cfg.Tenant.ID, Subject: control.NewSubject(standing, cfg), Facts: &rule.Facts{}, At: now,
		Calendar: control.Calendar{Zone: cfg.Tenant.Zone, WeekStart: cfg.Attributes.WeekStart},
	}
	var err error
	if o.Links, err = s.Controls.LinksOf(db.WithTx(ctx, tx), k, cfg.Tenant.ID, o.Subject); err != nil {
		return nil, err
	}
	s.Usage.CardFacts(o.Facts, card, now, cfg.Tenant.Zone)
	return o, nil
}

func (s *Service) factsOfOrder(ctx context.Context, tx db.Tx, o *control.Occasion, m issuing.MadeCard, now time.Time, cfg *program.Configuration) error {
	o.Facts.SetText(rule.IssuanceRenewalReason, string(m.Card.Renewed))
	o.Facts.SetFlag(rule.IssuanceIsExpress, m.Card.Physical != nil && m.Card.Physical.IsExpress)
	n := 0
	if m.Card.Renewed != "" {
		var err error
		if n, err = issuing.CountRenewals(ctx, tx, m.Issuance.ID, beginOfYear(now, cfg.Tenant.Zone)); err != nil {
			return fmt.Errorf("count renewals: %w", err)
		}
	}
	o.Facts.SetInteger(rule.IssuanceYearlyRenewalCount, int64(n))
	return nil
}

// beginOfYear is when the year of a moment began in a zone.
func beginOfYear(at time.Time, zone *time.Location) time.Time {
	return clock.Date{Year: at.In(zone).Year(), Month: time.January, Day: 1}.In(zone).UTC()
}

// order finds the fee that an occasion costs, if it costs any: that with the most
// specific link among those whose rule holds for one of its events.
func (s *Service) order(ctx context.Context, tx db.Tx, k *control.Snapshot, o *control.Occasion, cfg *program.Configuration, m issuing.MadeCard, what occasion) (CardFee, bool, error) {
	for _, a := range IssuanceFees.In(k).Of(o) {
		d := a.Definition
		if d.Currency != m.Product.Currency {
			continue
		}
		for _, e := range what {
			if !d.isFor(e, m.Card.FormFactor) {
				continue
			}
			o.Facts.SetText(rule.IssuanceEvent, string(e))
			if _, selected := a.Selection.Selects(o.Facts, rule.TwoValued); selected {
				f, err := s.ordered(ctx, tx, o, cfg, m, a, e)
				return f, true, err
			}
		}
	}
	return CardFee{}, false, nil
}

// ordered is the charge of a fee for an event with a card.
func (s *Service) ordered(ctx context.Context, tx db.Tx, o *control.Occasion, cfg *program.Configuration, m issuing.MadeCard, a control.Applied[OnIssuance], e Event) (CardFee, error) {
	d := a.Definition
	day := clock.DateOf(o.At, cfg.Tenant.Zone)
	f := CardFee{
		ID: id.New[CardFee](s.Clock.Now()), Tenant: o.Tenant, Issuance: m.Issuance.ID, Card: m.Card.ID, Occasion: occasionOf(e, m.Card.ID), Part: 1,
		Event: e, Applied: applied(d.Head, a.Link, CardIssuanceFee, cardTerms(d.Currency, taxesOn(d.Taxes, cfg.Attributes, day))),
		Price: price(d.Amount, d.ChildAmount, !m.Issuance.Parent.IsZero()), ToGiveBack: money.Zero(d.Currency), GivenBack: money.Zero(d.Currency), Timing: d.Timing, Status: Chargeable,
		IsRefundable: d.RefundsCancellation && m.Card.Physical != nil, CheckAt: o.At, DueOn: day, RetryDays: issuanceRetryDays,
		CreatedAt: o.At, UpdatedAt: o.At,
	}
	if d.Timing != OnOrder {
		f.Status = Awaited
	}
	n := 0
	if d.FreePerYear > 0 {
		var err error
		if n, err = countOrders(ctx, tx, o.Tenant, f.Issuance, d.Code, beginOfYear(o.At, cfg.Tenant.Zone)); err != nil {
			return f, fmt.Errorf("count orders of fee %s: %w", d.Code, err)
		}
	}
	if f.Price.IsZero() || n < d.FreePerYear {
		f.Status, f.IsRefundable = FreeOfCharge, false
	}
	return f, nil
}

// applied is a fee for a card as it applies because of a link.
func applied(h control.Head, l *control.Link, t AmountType, terms Terms) Applied {
	return Applied{
		Code: h.Code, Name: h.Name, Version: h.Version, Group: h.Code, Link: string(l.Type) + "/" + l.Code, Type: t, Terms: terms,
		Base: BillingAmount, Timing: AtAuthorization, RefundOnReversal: true, RefundOnRefund: true,
	}
}

// CardFees returns the fees of an issuance, in the order in which they were
// ordered.
func (s *Service) CardFees(ctx context.Context, c access.Caller, issuance id.ID[issuing.Issuance]) (all []CardFee, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = cardFeesOf(ctx, tx, c.Tenant, issuance)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read fees of card: %w", err)
	}
	return all, nil
}

// NextYear returns when the next fee year of an issuance begins; the zero date
// while that is not known.
func (s *Service) NextYear(ctx context.Context, c access.Caller, issuance id.ID[issuing.Issuance]) (next clock.Date, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		y, err := readYear(ctx, tx, c.Tenant, issuance)
		next = y.next
		return err
	})
	if err != nil {
		return next, fmt.Errorf("read fee year: %w", err)
	}
	return next, nil
}
