package issuing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardAct begins the audit record of an act on a card.
func (s *Service) cardAct(c access.Caller, action string, card Card) audit.Act {
	return actOn(card, c, action, clock.RealNow(s.Clock))
}

func actOn(card Card, c access.Caller, action string, now clock.Real) audit.Act {
	a := c.Act(now, audit.CardStream, action)
	a.EntityType, a.EntityKey = "Card", card.Token
	a.CardID, a.IssuanceID = card.ID.String(), card.Issuance.String()
	return a
}

// recordCard writes an act on a card into the audit chain: after everything
// else of its transaction, since the chain is held from here on.
func (s *Service) recordCard(ctx context.Context, tx db.Tx, c access.Caller, action string, card Card) error {
	return audit.Append(ctx, tx, s.cardAct(c, action, card))
}

// recordFailure writes down a PIN or CVV2 that was wrong.
func (s *Service) recordFailure(ctx context.Context, tx db.Tx, c access.Caller, action string, card Card, code string) error {
	a := s.cardAct(c, action, card)
	a.Result, a.ErrorCode = audit.Failure, code
	return audit.Append(ctx, tx, a)
}

// recordIssue writes down a new card.
func (s *Service) recordIssue(ctx context.Context, tx db.Tx, c access.Caller, d draft) error {
	a := s.cardAct(c, "Create", d.card)
	a.Channel, a.ProductCode, a.Description = d.card.Channel, d.issuance.ProductCode, d.in.Description
	a.Changes = audit.Changes(nil, struct {
		ProductCode string
		FormFactor  program.FormFactor
		Status      CardStatus
	}{d.issuance.ProductCode, d.card.FormFactor, d.card.Status})
	return audit.Append(ctx, tx, a)
}

// tellMove raises the event that a card went to another status, and writes it
// down.
func (m mover) tellMove(ctx context.Context, card Card, to StatusChange) error {
	if err := raiseStatus(ctx, m.tx, m.c, card.ID, card.Status, to); err != nil {
		return err
	}
	return m.recordMove(ctx, card, to)
}

// tellRenewal raises the events of a card that takes another one's place, and
// writes the renewal down.
func (m mover) tellRenewal(ctx context.Context, d *draft) error {
	if err := raiseIssue(ctx, m.tx, m.c, *d); err != nil {
		return err
	}
	name, action := EventCardRenewed, "Renew"
	if d.renewal.replaces {
		name, action = EventCardReplaced, "Replace"
	}
	about := CardRenewalTold{
		Status: d.card.Status, FormFactor: d.card.FormFactor, PersoStatus: PersoNotRequired, ExpireYear: d.card.Expires.Year,
		ExpireMonth: int(d.card.Expires.Month), PreviousCardToken: d.old.Token, Reason: d.renewal.Reason,
	}
	if d.card.Physical != nil {
		about.PersoStatus = d.card.Physical.PersoStatus
	}
	if err := raiseCard(ctx, m.tx, m.c, name, d.card.ID, d.card.CreatedAt, about); err != nil {
		return err
	}
	a := m.s.cardAct(m.c, action, d.card)
	a.Channel, a.ProductCode, a.Description = d.card.Channel, d.card.ProductCode, d.in.Description
	a.Changes = audit.Changes(nil, struct {
		Reason            RenewalReason
		PreviousCardToken string
		Sequence          int
		Expires           string
		ProductCode       string
		Status            CardStatus
		IsNumberKept      bool
		IsPINKept         bool
		IsFeeExempt       bool
	}{
		d.renewal.Reason, d.old.Token, d.card.Sequence, d.card.Expires.String(), d.card.ProductCode, d.card.Status, d.keeps,
		d.carriesPIN && !d.card.PIN.IsZero(), d.renewal.FeeExemption,
	})
	return m.note(ctx, a)
}

// recordMove writes down that a card went to another status, at the end of the
// transaction where the mover has one in view.
func (m mover) recordMove(ctx context.Context, card Card, to StatusChange) error {
	return m.note(ctx, moveAct(card, m.c, to, clock.RealNow(m.s.Clock)))
}

// moveAct is the record that a card, which is as it was before, went to another
// status.
func moveAct(card Card, c access.Caller, to StatusChange, now clock.Real) audit.Act {
	a := actOn(card, c, "StatusChange", now)
	a.Channel, a.Description = to.Channel, to.Description
	type standing struct {
		Status CardStatus
		Reason StatusReason
	}
	a.Changes = audit.Changes(standing{card.Status, card.Reason}, standing{to.Status, to.Reason})
	return a
}

// RecordFirstUses writes the acts that [SaveCardStates] returned. It comes last
// in their transaction: from here on the chains are held, and no row must be
// waited for behind them. Several tenants' are taken in the order of the
// tenants, so that of two groups one waits for the other.
//
// A payment takes no chain. A first use happens once in the life of a plastic,
// so that a group may wait for one then; and the act is there when its payment
// is, which one that goes through the outbox would not be.
func RecordFirstUses(ctx context.Context, tx db.Tx, acts []audit.Act) error {
	sorted := slices.SortedStableFunc(slices.Values(acts), func(a, b audit.Act) int { return cmp.Compare(a.Tenant, b.Tenant) })
	if err := appendAll(ctx, tx, sorted); err != nil {
		return fmt.Errorf("record first uses: %w", err)
	}
	return nil
}

// appendAll writes acts that were put off: the chain is held from here on, and
// no other row must be waited for behind it.
func appendAll(ctx context.Context, tx db.Tx, acts []audit.Act) error {
	for _, a := range acts {
		if err := audit.Append(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// channelOf is the channel a body names, else the one of the request.
func channelOf(c access.Caller, named string) string {
	if named != "" {
		return named
	}
	if c.Channel != "" {
		return c.Channel
	}
	return access.ChannelAPI
}
