package personalization

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// bureau is one card bureau of one tenant.
type bureau struct {
	tenant access.TenantID
	vendor string
}

// waitingFor are plastics that one bureau makes; closed are those that nobody
// waits for.
type waitingFor struct {
	bureau
	closed bool
}

// claim takes requested plastics into batches, those of one tenant and bureau
// into one.
func (s *Service) claim(ctx context.Context, m *Summary) error {
	if s.Bureaus == nil {
		return nil
	}
	var after issuing.WaitingPlastic
	for {
		var waiting []issuing.WaitingPlastic
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			waiting, err = issuing.WaitingPlastics(ctx, tx, after, s.BatchMax)
			return err
		})
		if err != nil {
			return fmt.Errorf("read requested plastics: %w", err)
		}
		if len(waiting) == 0 {
			return nil
		}
		after = waiting[len(waiting)-1]
		var order []waitingFor // in which they came
		cards := map[waitingFor][]id.ID[issuing.Card]{}
		for _, w := range waiting {
			b := waitingFor{bureau{w.Tenant, w.Vendor}, w.Closed}
			if cards[b] == nil {
				order = append(order, b)
			}
			cards[b] = append(cards[b], w.Card)
		}
		for _, b := range order {
			if err := s.claimFor(ctx, b, cards[b], m); err != nil {
				return err
			}
		}
	}
}

// errNothing rolls back a transaction that had nothing to do after all.
var errNothing = errors.New("nothing to do")

// claimFor takes plastics of one bureau into a batch, or says why it cannot.
func (s *Service) claimFor(ctx context.Context, w waitingFor, cards []id.ID[issuing.Card], m *Summary) error {
	var queued, failed int
	b := w.bureau
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		queued, failed = 0, 0
		c, err := systemOf(ctx, tx, b.tenant)
		if err != nil {
			return err
		}
		if w.closed {
			_, err := s.Issuing.MovePlastics(ctx, tx, c, movesOf(cards, issuing.PersoRequested, issuing.PersoCancelled, ""))
			return err
		}
		_, hasKey, err := vault.BureauKey(ctx, tx, b.tenant, b.vendor)
		if err != nil {
			return fmt.Errorf("read bureau key: %w", err)
		}
		if !hasKey {
			failed, err = s.failKeyless(ctx, tx, c, b, cards)
			return err
		}
		queued, err = s.queue(ctx, tx, c, b, cards)
		return err
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("queue for bureau %s of %s: %w", b.vendor, b.tenant, err)
	}
	m.Queued += queued
	m.Failed += failed
	return nil
}

// queue makes a batch of the plastics that still are requested.
func (s *Service) queue(ctx context.Context, tx db.Tx, c access.Caller, b bureau, cards []id.ID[issuing.Card]) (int, error) {
	no, err := nextBatchNo(ctx, tx, b)
	if err != nil {
		return 0, fmt.Errorf("take the next batch number: %w", err)
	}
	now := clock.RealNow(s.Clock).Time() // a file is made when it is made, whatever its tenant calls today
	batch := Batch{
		ID: id.New[Batch](s.Clock.Now()), Tenant: b.tenant, Vendor: b.vendor, No: no, Status: BatchQueued, CreatedAt: now,
		FileName: fmt.Sprintf("%s-%s-%06d", b.vendor, now.UTC().Format("20060102"), no),
	}
	moved, err := s.Issuing.MovePlastics(ctx, tx, c, movesOf(cards, issuing.PersoRequested, issuing.PersoQueued, ""))
	if err != nil {
		return 0, err
	}
	if len(moved) == 0 {
		return 0, errNothing
	}
	if err := insertBatch(ctx, tx, batch); err != nil {
		return 0, fmt.Errorf("save batch: %w", err)
	}
	for _, card := range cards {
		if !moved[card] {
			continue
		}
		if err := insertOrder(ctx, tx, batch, Order{ID: id.New[Order](s.Clock.Now()), Card: card}); err != nil {
			return 0, fmt.Errorf("save order: %w", err)
		}
	}
	return len(moved), nil
}

// failKeyless says that plastics cannot be ordered: nothing may go to a bureau
// that shares no key.
func (s *Service) failKeyless(ctx context.Context, tx db.Tx, c access.Caller, b bureau, cards []id.ID[issuing.Card]) (int, error) {
	const text = "no transport key is shared with the bureau"
	moved, err := s.Issuing.MovePlastics(ctx, tx, c, movesOf(cards, issuing.PersoRequested, issuing.PersoFailed, text))
	if err != nil {
		return 0, err
	}
	for card := range moved {
		p, err := readProduction(ctx, tx, card)
		if err != nil {
			return 0, fmt.Errorf("read production: %w", err)
		}
		p.begin()
		p.Vendor = b.vendor
		p.fail(failedNoKey, text)
		if err := saveProduction(ctx, tx, b.tenant, card, p); err != nil {
			return 0, fmt.Errorf("save production: %w", err)
		}
	}
	return len(moved), nil
}

func movesOf(cards []id.ID[issuing.Card], from, to issuing.PersoStatus, description string) []issuing.PlasticMove {
	moves := make([]issuing.PlasticMove, len(cards))
	for i, card := range cards {
		moves[i] = issuing.PlasticMove{Card: card, FromPerso: from, ToPerso: to, Description: description}
	}
	return moves
}
