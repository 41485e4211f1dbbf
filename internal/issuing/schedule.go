package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// scheduleMax is how far ahead a change of status can be scheduled.
const scheduleMax = 10 * 366 * 24 * time.Hour

// Schedule is the change of status that a card waits for. A card has at most
// one; a newer one takes the place of an older one.
type Schedule struct {
	Status            CardStatus
	Reason            StatusReason
	Description       string
	EffectiveAt       time.Time
	IncludeChildCards bool
	RequestedAt       time.Time
	RequestedBy       string
	Channel           string

	right Mover // of who asked for it
}

// EventCardScheduleDropped tells that a scheduled change of status was no
// longer allowed when it was due.
const EventCardScheduleDropped = "card.schedule-dropped" // CardScheduleDropped

// CardScheduleDropped is what the event of a dropped change adds.
type CardScheduleDropped struct {
	Status      CardStatus // that the card did not come into
	Reason      StatusReason
	EffectiveAt time.Time
	RequestedBy string
	Code        fault.Code // why not
}

// schedule puts a change off. The status the card has already means that it
// waits for nothing any more.
func (m mover) schedule(ctx context.Context, card Card, issuance Issuance) (*Schedule, error) {
	if card.Status == m.in.Status {
		if card.Scheduled == "" {
			return nil, nil
		}
		if err := dropSchedule(ctx, m.tx, m.c.Tenant, card.ID); err != nil {
			return nil, fmt.Errorf("drop schedule: %w", err)
		}
		return nil, m.recordSchedule(ctx, card, nil)
	}
	if err := m.permitMove(card); err != nil {
		return nil, err
	}
	if err := m.permitSuccessor(ctx, card, issuance); err != nil {
		return nil, err
	}
	if card.Status == Lost && m.in.Status == Active {
		return nil, errTransitionNotAllowed.With("from", string(card.Status)).With("to", string(m.in.Status)).With("cardToken", card.Token)
	}
	to := m.to(m.in.Reason)
	s := Schedule{
		Status: to.Status, Reason: to.Reason, Description: to.Description, EffectiveAt: m.in.EffectiveAt,
		IncludeChildCards: m.in.IncludeChildCards, RequestedAt: to.ChangedAt, RequestedBy: to.ChangedBy, Channel: to.Channel,
		right: ByClient,
	}
	if m.c.May(access.IssuingCardStatusPrivileged) {
		s.right = ByPrivileged
	}
	if err := saveSchedule(ctx, m.tx, m.c.Tenant, card.ID, s); err != nil {
		return nil, fmt.Errorf("save schedule: %w", err)
	}
	return &s, m.recordSchedule(ctx, card, &s)
}

// recordSchedule writes down what a card waits for now; nil for nothing.
func (m mover) recordSchedule(ctx context.Context, card Card, s *Schedule) error {
	a := m.s.cardAct(m.c, "StatusSchedule", card)
	a.Channel, a.Description = channelOf(m.c, m.in.Channel), m.in.Description
	type wish struct {
		Status      CardStatus
		Reason      StatusReason
		EffectiveAt string
	}
	before := wish{Status: card.Scheduled}
	if !card.ScheduledAt.IsZero() {
		before.EffectiveAt = card.ScheduledAt.UTC().Format(time.RFC3339)
	}
	after := wish{}
	if s != nil {
		after = wish{s.Status, s.Reason, s.EffectiveAt.UTC().Format(time.RFC3339)}
	}
	a.Changes = audit.Changes(before, after)
	return m.note(ctx, a)
}

// note writes an act into the audit chain, at the end of the transaction where
// the mover has one in view.
func (m mover) note(ctx context.Context, a audit.Act) error {
	if m.later != nil {
		*m.later = append(*m.later, a)
		return nil
	}
	return audit.Append(ctx, m.tx, a)
}

// settleDue makes of a card what it should be already: whoever acts on a card
// before the job has run finds it as authorizations do. The issuance is locked.
func (m mover) settleDue(ctx context.Context, card Card, issuance Issuance) (Card, Issuance, error) {
	now := m.c.Now(m.s.Clock)
	scheduled := card.Scheduled != "" && !card.ScheduledAt.After(now)
	retires := !card.RetiresAt.IsZero() && !card.RetiresAt.After(now) && retired(card.Status) != card.Status
	if !scheduled && !retires {
		return card, issuance, nil
	}
	if scheduled && (!retires || !card.RetiresAt.Before(card.ScheduledAt)) {
		if err := m.runSchedule(ctx, card, &issuance); err != nil {
			return card, issuance, err
		}
	} else if err := m.retire(ctx, card, &issuance); err != nil {
		return card, issuance, err
	}
	again, found, err := readCardByID(ctx, m.tx, m.c.Tenant, card.ID)
	if err != nil || !found {
		return card, issuance, fmt.Errorf("read card again: %w", db.Missing(err))
	}
	return m.settleDue(ctx, again, issuance)
}

// runSchedule carries out a scheduled change that is due, or drops it.
func (m mover) runSchedule(ctx context.Context, card Card, issuance *Issuance) error {
	s, found, err := takeSchedule(ctx, m.tx, m.c.Tenant, card)
	if err != nil {
		return fmt.Errorf("take schedule: %w", err)
	}
	if !found {
		return dropSchedule(ctx, m.tx, m.c.Tenant, card.ID)
	}
	card.Scheduled, card.ScheduledAt, card.ScheduledRight = "", time.Time{}, ByNobody
	system := access.System(m.cfg.Tenant)
	system.CorrelationID = m.c.CorrelationID
	rights := []string{access.IssuingCardStatus}
	if s.right == ByPrivileged {
		rights = append(rights, access.IssuingCardStatusPrivileged)
	}
	system.Permissions = access.PermissionsOf(rights...)
	m.c, m.by, m.replacement = system, s.RequestedBy, nil
	m.in = NewStatus{
		Status: s.Status, Reason: s.Reason, Description: s.Description, IncludeChildCards: s.IncludeChildCards, Channel: s.Channel,
	}
	if card.Status == Lost && s.Status == Active {
		return m.dropDue(ctx, card, s, errTransitionNotAllowed)
	}
	out, err := m.moveTarget(ctx, card, *issuance, StatusResult{})
	if refusal, ok := fault.As(err); ok && out.Current.Status == "" && refusal.Code != errStale.Code {
		return m.dropDue(ctx, card, s, refusal)
	}
	if err != nil {
		return err
	}
	again, found, err := readIssuance(ctx, m.tx, m.c.Tenant, issuance.ID)
	if err != nil || !found {
		return fmt.Errorf("read issuance again: %w", db.Missing(err))
	}
	*issuance = again
	return nil
}

// dropDue tells that a scheduled change was not allowed any more.
func (m mover) dropDue(ctx context.Context, card Card, s Schedule, refusal *fault.Error) error {
	err := raiseCard(ctx, m.tx, m.c, EventCardScheduleDropped, card.ID, m.c.Now(m.s.Clock), CardScheduleDropped{
		Status: s.Status, Reason: s.Reason, EffectiveAt: s.EffectiveAt, RequestedBy: s.RequestedBy, Code: refusal.Code,
	})
	if err != nil {
		return err
	}
	a := m.s.cardAct(m.c, "StatusChange", card)
	a.Channel, a.Description, a.Result, a.ErrorCode = s.Channel, s.Description, audit.Failure, string(refusal.Code)
	return m.note(ctx, a)
}

// retire ends a card whose overlap with its successor is over.
func (m mover) retire(ctx context.Context, card Card, issuance *Issuance) error {
	return m.moveBySystem(ctx, card, issuance, CardRenewed, Superseded)
}

// moveBySystem makes a transition that only the system makes. A card that is in
// another status by now is left alone.
func (m mover) moveBySystem(ctx context.Context, card Card, issuance *Issuance, to CardStatus, reason StatusReason) error {
	if card.Status.MoverTo(to) != BySystem {
		return nil
	}
	m.c, m.by, m.replacement = access.System(m.cfg.Tenant), "", nil
	m.in = NewStatus{Status: to, Reason: reason}
	change := m.to(reason)
	moved, err := moveCard(ctx, m.tx, m.c.Tenant, card.ID, card.Status, change)
	if err != nil {
		return fmt.Errorf("move card %s: %w", card.ID, err)
	}
	if !moved {
		return errStale
	}
	if err := m.afterwards(ctx, card, to); err != nil {
		return err
	}
	if err := m.tellMove(ctx, card, change); err != nil {
		return err
	}
	if err := m.succeed(ctx, card, issuance, change); err != nil {
		return err
	}
	if to.IsFinal() && issuance.CurrentCard == card.ID {
		_, err = m.moveChildren(ctx, *issuance, true)
	}
	return err
}

// readScheduleOf returns what a card waits for, nil for nothing.
func readScheduleOf(ctx context.Context, tx db.Tx, card Card) (*Schedule, error) {
	if card.Scheduled == "" {
		return nil, nil
	}
	s, found, err := readSchedule(ctx, tx, card)
	if err != nil || !found {
		return nil, err
	}
	return &s, nil
}
