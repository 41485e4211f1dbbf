package issuing

import (
	"context"
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// WorkNoname makes the cards of the orders that wait, a few in each
// transaction, until none waits or ctx ends. It returns how many it made. It
// may be called by several nodes at once, and takes up what one left that died:
// cards and progress are committed together, so none is made twice or lost.
//
// An order that cannot be carried on (no numbers left, the product closed) ends
// with the rest counted as failed and why. One that fails otherwise waits until
// its lease has passed, and holds up no other.
func (s *Service) WorkNoname(ctx context.Context) (made int, err error) {
	worker := randomLetters(16)
	for ctx.Err() == nil {
		var batch id.ID[NonameBatch]
		var found bool
		now := clock.RealNow(s.Clock).Time()
		claim := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
			batch, found, err = claimBatch(ctx, tx, worker, now, now.Add(nonameLease))
			return err
		})
		if claim != nil || !found {
			return made, errors.Join(err, claim)
		}
		n, failed := s.workBatch(ctx, batch, worker)
		made += n
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("make cards of batch %s: %w", batch, failed))
		}
	}
	return made, err
}

// workBatch makes the next cards of a batch that worker has leased.
func (s *Service) workBatch(ctx context.Context, batch id.ID[NonameBatch], worker string) (made int, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		made = 0
		b, found, err := s.holdBatch(ctx, tx, batch, worker, clock.RealNow(s.Clock).Time().Add(nonameLease))
		if err != nil || !found { // the lease ran out, and another one has it
			return err
		}
		before := b.Created
		if err := s.continueBatch(ctx, tx, &b); err != nil {
			return err
		}
		made = b.Created - before
		return s.saveProgress(ctx, tx, &b)
	})
	if err != nil {
		return 0, err
	}
	return made, nil
}

// continueBatch makes the next cards of b, or gives the rest of it up. What is
// refused before anything was written is final for the batch.
func (s *Service) continueBatch(ctx context.Context, tx db.Tx, b *NonameBatch) error {
	d, err := s.draftNoname(ctx, tx, b.by, b.wish)
	if err != nil {
		return b.giveUp(err)
	}
	numbers, n, err := s.openNumbers(ctx, tx, d, min(nonameChunk, b.left()))
	if err != nil {
		return b.giveUp(err)
	}
	before := b.Created
	if err := s.makeNoname(ctx, tx, d, numbers, b, n); err != nil {
		return err
	}
	if b.Created == before {
		return b.giveUp(program.RangeExhausted(d.product.BINRangeCode))
	}
	return nil
}

// giveUp counts what is left of b as failed for a refusal. Any other error, and
// a security module that does not answer, is returned: it may pass.
func (b *NonameBatch) giveUp(err error) error {
	refusal, ok := fault.As(err)
	if !ok || refusal.Kind == fault.Unavailable {
		return err
	}
	b.Failed, b.Failure = b.Requested-b.Created, refusal.Code
	return nil
}

// unlinkedCard is a noname issuance that nobody was found for.
type unlinkedCard struct {
	tenant   access.TenantID
	issuance id.ID[Issuance]
}

// overdueMax is how many overdue cards one look finds.
const overdueMax = 100

// CancelUnlinked cancels noname cards that were not linked by their deadline,
// and returns how many. Each is a transaction of its own.
func (s *Service) CancelUnlinked(ctx context.Context) (int, error) {
	return access.EachPass(ctx, s.DB, s.Clock, func(p access.Pass) (int, error) { return s.CancelUnlinkedIn(ctx, p) })
}

// CancelUnlinkedIn is CancelUnlinked for the tenants of a pass.
func (s *Service) CancelUnlinkedIn(ctx context.Context, p access.Pass) (cancelled int, err error) {
	for ctx.Err() == nil {
		var due []unlinkedCard
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = overdue(ctx, tx, p, overdueMax)
			return err
		})
		if err != nil {
			return cancelled, fmt.Errorf("look for overdue cards: %w", err)
		}
		for _, u := range due {
			if err := s.cancelUnlinked(ctx, u); err != nil {
				return cancelled, fmt.Errorf("cancel issuance %s: %w", u.issuance, err)
			}
			cancelled++
		}
		if len(due) < overdueMax {
			break
		}
	}
	return cancelled, nil
}

// cancelUnlinked cancels the open cards of one issuance, unless it was linked
// meanwhile.
func (s *Service) cancelUnlinked(ctx context.Context, u unlinkedCard) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		cfg, err := s.programs.ConfigurationIn(ctx, tx, u.tenant)
		if err != nil {
			return err
		}
		c := access.System(cfg.Tenant)
		cards, issuance, err := s.lockIssued(ctx, tx, c, u.issuance)
		if err != nil {
			return err
		}
		n, found, err := readNoname(ctx, tx, u.tenant, u.issuance)
		if err != nil || !found {
			return fmt.Errorf("read noname card: %w", db.Missing(err))
		}
		if n.LinkDueAt.IsZero() || c.Now(s.Clock).Before(n.LinkDueAt) {
			return nil // linked, or another node was faster
		}
		if err := dropDeadline(ctx, tx, u.tenant, u.issuance); err != nil {
			return fmt.Errorf("drop deadline: %w", err)
		}
		if !issuance.Customer.IsZero() {
			return nil
		}
		var acts []audit.Act
		m := mover{s: s, tx: tx, c: c, cfg: cfg, later: &acts, in: NewStatus{Status: Cancelled, Description: "not linked in time"}}
		for _, card := range cards {
			if card.Status.IsFinal() {
				continue
			}
			to := m.to(Inactivity)
			if _, err := moveCard(ctx, tx, u.tenant, card.ID, card.Status, to); err != nil {
				return fmt.Errorf("cancel card %s: %w", card.ID, err)
			}
			if err := m.afterwards(ctx, card, Cancelled); err != nil {
				return err
			}
			if err := m.tellMove(ctx, card, to); err != nil {
				return err
			}
		}
		return appendAll(ctx, tx, acts)
	})
}
