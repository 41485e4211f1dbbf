package issuing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// EventCardRenewalSkipped tells that a card which should renew itself was not
// renewed.
const EventCardRenewalSkipped = "card.renewal-skipped" // CardRenewalSkipped

// CardRenewalSkipped is what the event of a skipped renewal adds.
type CardRenewalSkipped struct {
	Reason      string // a SkipReason, or the code of the refusal
	ExpireYear  int
	ExpireMonth int
}

// Why a card is not renewed by itself, besides the codes of refusals.
const (
	SkipBlocked  = "card_blocked"
	SkipInactive = "no_activity"
)

// The hours of a tenant's night in which cards are renewed.
const (
	nightBegins = 1
	nightEnds   = 5
)

// RenewAtNight renews the tenant's cards that are about to expire, in the
// tenant's night. It returns how many it renewed. Each card is tried once a
// night; why one is skipped is told when it is another reason than the last
// time.
func (s *Service) RenewAtNight(ctx context.Context, tenant access.Tenant) (int, error) {
	now := tenant.Now(s.Clock)
	if hour := now.In(tenant.Zone).Hour(); hour < nightBegins || hour >= nightEnds {
		return 0, nil
	}
	cfg, err := s.programs.Configuration(ctx, tenant.ID)
	if err != nil {
		return 0, err
	}
	today, lead := clock.DateOf(now, tenant.Zone), 0
	for _, p := range cfg.Products {
		lead = max(lead, p.RenewalLeadDays)
	}
	last := today.AddDays(lead)
	return s.forDue(ctx, func(tx db.Tx, after dueCard) ([]dueCard, error) {
		due, err := dueRenewals(ctx, tx, tenant.ID, Expiry{last.Year, last.Month}, today, after, jobBatch)
		if err != nil {
			return nil, fmt.Errorf("find cards to renew: %w", err)
		}
		return due, nil
	}, func(d dueCard) (bool, error) {
		did, err := s.renewDue(ctx, tenant, d, today)
		if err != nil {
			return false, fmt.Errorf("renew card %s: %w", d.ID, err)
		}
		return did, nil
	})
}

// errTried says that another node has tried the card this night.
var errTried = errors.New("tried by another node")

// renewDue renews one card, or skips it.
func (s *Service) renewDue(ctx context.Context, tenant access.Tenant, due dueCard, today clock.Date) (bool, error) {
	c := access.System(tenant)
	d := draft{renewal: Renewal{Reason: RenewForExpiry}}
	skip := ""
	err := s.DB.View(ctx, func(tx db.Tx) error {
		card, found, err := readCardByID(ctx, tx, tenant.ID, due.ID)
		if err != nil || !found {
			return fmt.Errorf("read card: %w", db.Missing(err))
		}
		cfg, err := s.programs.ConfigurationIn(ctx, tx, tenant.ID)
		if err != nil {
			return err
		}
		d.old, d.cfg = card, cfg
		product, found := cfg.Product(card.ProductCode)
		if !found || today.Before(renewalDay(card.Expires, product.RenewalLeadDays)) {
			return errTried // it is too early for this product
		}
		if skip, err = s.skips(ctx, tx, card, product, today); err != nil || skip != "" {
			return err
		}
		return s.draftSuccessor(ctx, tx, c, &d, card)
	})
	if errors.Is(err, errTried) {
		return false, nil
	}
	if err == nil && skip == "" {
		err = s.numberSuccessor(ctx, c, &d)
	}
	if refusal, ok := fault.AsRefusal(err); ok {
		skip, err = string(refusal.Code), nil
	}
	if err != nil {
		return false, err
	}
	return s.settleRenewal(ctx, c, d, skip, today)
}

// skips says why a card is not to be renewed by itself; empty when it is.
func (s *Service) skips(ctx context.Context, tx db.Tx, card Card, product program.Product, today clock.Date) (string, error) {
	if card.Status == Blocked {
		return SkipBlocked, nil
	}
	if product.AutoRenewalInactivityMonths == 0 || s.LastUse == nil {
		return "", nil
	}
	issuance, found, err := readIssuance(ctx, tx, card.Tenant, card.Issuance)
	if err != nil || !found {
		return "", fmt.Errorf("read issuance of card %s: %w", card.ID, db.Missing(err))
	}
	used, err := s.LastUse.LastUsed(ctx, tx, card.Tenant, card.Issuance)
	if err != nil {
		return "", fmt.Errorf("find last use: %w", err)
	}
	if used.Before(issuance.CreatedAt) {
		used = issuance.CreatedAt // nobody can have used it earlier
	}
	since := today.AddMonths(-product.AutoRenewalInactivityMonths)
	if clock.DateOf(used, time.UTC).Before(since) {
		return SkipInactive, nil
	}
	return "", nil
}

// settleRenewal writes a renewal of the night, or why there is none.
func (s *Service) settleRenewal(ctx context.Context, c access.Caller, d draft, skip string, today clock.Date) (bool, error) {
	card := d.old
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		var acts []audit.Act
		m := mover{s: s, tx: tx, c: c, cfg: d.cfg, later: &acts}
		issuance, err := m.lockIssuance(ctx, card.Issuance)
		if err != nil {
			return err
		}
		before, claimed, err := claimRenewal(ctx, tx, c.Tenant, card.ID, today)
		if err != nil || !claimed || issuance.AutoRenewal != program.AutoRenewalEnabled {
			return orRefuse(err, errTried)
		}
		if skip == "" {
			d := d
			if err := m.renew(ctx, &d); err != nil {
				return err
			}
			return appendAll(ctx, tx, acts)
		}
		if before == skip {
			return nil
		}
		if err := markSkipped(ctx, tx, c.Tenant, card.ID, skip); err != nil {
			return fmt.Errorf("remember skipped renewal: %w", err)
		}
		return raiseCard(ctx, tx, c, EventCardRenewalSkipped, card.ID, c.Now(s.Clock), CardRenewalSkipped{
			Reason: skip, ExpireYear: card.Expires.Year, ExpireMonth: int(card.Expires.Month),
		})
	})
	refusal, refused := fault.AsRefusal(err)
	switch {
	case errors.Is(err, errTried):
		return false, nil
	case refused && skip == "" && refusal.Code != errStale.Code:
		// What changed since the draft: it is a reason to skip as well.
		return s.settleRenewal(ctx, c, d, string(refusal.Code), today)
	}
	return err == nil && skip == "", err
}
