package personalization

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// retry begins productions anew that failed here and may succeed by now: those
// without a key when there is one, the others after a while. What failed at the
// bureau waits for somebody to say so.
func (s *Service) retry(ctx context.Context, m *Summary) error {
	if s.Bureaus == nil {
		return nil
	}
	var failed []failedAt
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		failed, err = readFailedBureaus(ctx, tx, clock.RealNow(s.Clock).Time())
		return err
	})
	if err != nil {
		return fmt.Errorf("read failed productions: %w", err)
	}
	for _, f := range failed {
		var cards []id.ID[issuing.Card]
		err := s.DB.View(ctx, func(tx db.Tx) error {
			_, hasKey, err := vault.BureauKey(ctx, tx, f.tenant, f.vendor)
			if err == nil && hasKey {
				cards, err = readFailedCards(ctx, tx, f, clock.RealNow(s.Clock).Time(), s.BatchMax)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read failed productions of bureau %s: %w", f.vendor, err)
		}
		for _, card := range cards {
			began, err := s.beginAnew(ctx, f, card)
			if err != nil {
				return fmt.Errorf("begin production of card %s anew: %w", card, err)
			}
			if began {
				m.Requeued++
			}
		}
	}
	return nil
}

// failedAt are the productions that failed for one reason at one bureau.
type failedAt struct {
	bureau
	why failure
}

// beginAnew requests a plastic again, unless its card was closed meanwhile.
func (s *Service) beginAnew(ctx context.Context, f failedAt, card id.ID[issuing.Card]) (bool, error) {
	began := false
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		began = false
		c, err := systemOf(ctx, tx, f.tenant)
		if err != nil {
			return err
		}
		plastic, err := issuing.LockPlasticOf(ctx, tx, f.tenant, card)
		if err != nil {
			return err
		}
		p, err := readProduction(ctx, tx, card)
		if err != nil {
			return fmt.Errorf("read production: %w", err)
		}
		if p.failure != f.why {
			return errNothing
		}
		began = plastic.Physical.PersoStatus == issuing.PersoFailed && !plastic.Status.IsFinal()
		if p.failure = notFailed; began {
			p.begin()
		}
		if err := saveProduction(ctx, tx, f.tenant, card, p); err != nil {
			return fmt.Errorf("save production: %w", err)
		}
		if !began {
			return nil
		}
		_, err = s.Issuing.MovePlastics(ctx, tx, c, movesOf([]id.ID[issuing.Card]{card}, issuing.PersoFailed, issuing.PersoRequested, ""))
		return err
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	return began, err
}
