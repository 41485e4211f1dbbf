package personalization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// destroyedPage is how many destroyed plastics are looked at together.
const destroyedPage = 500

// CancelUndelivered does for one tenant what [Service.Run] does for all: it
// cancels cards whose plastic was destroyed as many days ago as the tenant gives
// the customer to ask for another one.
func (s *Service) CancelUndelivered(ctx context.Context, t access.Tenant) (int, error) {
	var m Summary
	err := s.cancelUndelivered(ctx, t.ID, &m)
	return m.Cancelled, err
}

// cancelUndelivered cancels those of a tenant; of every one where it is zero.
func (s *Service) cancelUndelivered(ctx context.Context, only access.TenantID, m *Summary) error {
	after, afterCard := clock.FromMicros(0), ""
	for {
		var page []destroyedPlastic
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			page, err = readDestroyed(ctx, tx, after, afterCard, destroyedPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("read destroyed plastics: %w", err)
		}
		for _, d := range page {
			after, afterCard = d.at, d.card.String()
			if !only.IsZero() && d.tenant != only {
				continue
			}
			cfg, err := s.Programs.Configuration(ctx, d.tenant)
			if err != nil {
				return err
			}
			days := cfg.Attributes.UndeliveredCancelDays
			if days == 0 || cfg.Tenant.Now(s.Clock).Before(d.at.Add(time.Duration(days)*24*time.Hour)) {
				continue
			}
			cancelled, err := s.follow(ctx, d)
			if err != nil {
				return fmt.Errorf("cancel card %s: %w", d.card, err)
			}
			if cancelled {
				m.Cancelled++
			}
		}
		if len(page) < destroyedPage {
			return nil
		}
	}
}

// follow cancels the card of a destroyed plastic. A card that was closed or
// replaced meanwhile is left alone, and so is one that lives on a screen, too.
func (s *Service) follow(ctx context.Context, d destroyedPlastic) (bool, error) {
	var c access.Caller
	var card issuing.Card
	newest := false
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		if c, err = systemOf(ctx, tx, d.tenant); err != nil {
			return err
		}
		if card, err = issuing.PlasticOf(ctx, tx, d.tenant, d.card); err != nil {
			return err
		}
		current, err := issuing.NewestOf(ctx, tx, d.tenant, card.Token)
		newest = current == card.ID
		return err
	})
	if err != nil {
		return false, err
	}
	cancel := newest && !card.Status.IsFinal() && !card.IsVirtual()
	if cancel {
		_, err := s.Issuing.ChangeStatus(ctx, c, card.Token, issuing.NewStatus{
			Status: issuing.Cancelled, Reason: issuing.CourierReturn, Description: "the plastic was returned and destroyed",
		})
		if refusal, ok := fault.As(err); ok && (refusal.Kind == fault.Conflict || refusal.Kind == fault.Refused) {
			cancel = false // it went elsewhere at the same moment
		} else if err != nil {
			return false, err
		}
	}
	return cancel, s.DB.InTx(ctx, func(tx db.Tx) error { return settleShipment(ctx, tx, d.card) })
}
