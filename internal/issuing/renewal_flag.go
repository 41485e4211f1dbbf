package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewAutoRenewal is a wish to have a card renewed before it expires, or not.
type NewAutoRenewal struct {
	Status      program.AutoRenewal
	Description string
}

// AutoRenewalResult is what became of a [NewAutoRenewal].
type AutoRenewalResult struct {
	CardToken  string
	IssuanceNo string
	Previous   program.AutoRenewal
	Status     program.AutoRenewal
	Next       clock.Date // the first day the card may be renewed on; zero for never
}

// ChangeAutoRenewal says whether a card that is not closed is renewed before it
// expires.
func (s *Service) ChangeAutoRenewal(ctx context.Context, c access.Caller, token string, in NewAutoRenewal) (AutoRenewalResult, error) {
	var v fault.Checks
	fault.OneOf(&v, "autoRenewalStatus", in.Status, []program.AutoRenewal{program.AutoRenewalDisabled, program.AutoRenewalEnabled})
	if err := v.Err(errInvalid); err != nil {
		return AutoRenewalResult{}, err
	}
	var out AutoRenewalResult
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		k, err := s.lockedCard(ctx, tx, c, token, "auto-renewal-status")
		if err != nil {
			return err
		}
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		product, found := cfg.Product(k.issuance.ProductCode)
		if !found {
			return fmt.Errorf("product %s of issuance %s is gone", k.issuance.ProductCode, k.issuance.ID)
		}
		now, coming := c.Now(s.Clock), k.current
		if !k.issuance.Successor.IsZero() { // it is renewed already: the next time is that card's
			if coming, found, err = readCardByID(ctx, tx, c.Tenant, k.issuance.Successor); err != nil || !found {
				return fmt.Errorf("read successor of issuance %s: %w", k.issuance.ID, db.Missing(err))
			}
			coming.Status = k.current.Status
		}
		out = AutoRenewalResult{
			CardToken: k.card.Token, IssuanceNo: k.issuance.No, Previous: k.issuance.AutoRenewal, Status: in.Status,
			Next: nextRenewal(coming, in.Status, product.RenewalLeadDays, clock.DateOf(now, cfg.Tenant.Zone)),
		}
		if out.Previous == in.Status {
			return nil
		}
		k.issuance.AutoRenewal, k.issuance.UpdatedAt = in.Status, now
		if err := saveIssuance(ctx, tx, k.issuance); err != nil {
			return fmt.Errorf("save auto renewal: %w", err)
		}
		return s.recordUpkeep(ctx, tx, c, k.card, upkeep{
			action: "AutoRenewalChange", description: in.Description,
			changes: changeOf("autoRenewalStatus", string(out.Previous), string(out.Status)),
		})
	})
	return out, err
}

// nextRenewal is the day on which a card comes within leadDays of the last day
// of its month, and today when it has already; only a card in use is renewed.
func nextRenewal(card Card, wish program.AutoRenewal, leadDays int, today clock.Date) clock.Date {
	if wish != program.AutoRenewalEnabled || card.Status != Active && card.Status != Inactive {
		return clock.Date{}
	}
	day := renewalDay(card.Expires, leadDays)
	if day.Before(today) {
		return today
	}
	return day
}

// renewalDay is the day that lies leadDays before the last one of the month.
func renewalDay(e Expiry, leadDays int) clock.Date {
	first := clock.Date{Year: e.Year, Month: e.Month + 1, Day: 1}
	if e.Month == time.December {
		first = clock.Date{Year: e.Year + 1, Month: time.January, Day: 1}
	}
	return first.AddDays(-1 - leadDays)
}
