package issuing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewStatus is a wish to move a card to another status.
type NewStatus struct {
	Status            CardStatus
	Reason            StatusReason
	Description       string
	EffectiveAt       time.Time // zero is now
	IncludeChildCards bool      // for Active, Inactive and Blocked only
	IssueReplacement  bool
	Channel           string

	from []CardStatus // only a card in one of these; none is any
}

// StatusResult is what became of a [NewStatus].
type StatusResult struct {
	CardToken  string
	IssuanceNo string
	Previous   CardStatus
	Current    StatusChange
	Updated    []UpdatedCard // the supplementary cards that went along, or did not
}

// UpdatedCard is a card that was to follow another one's status.
type UpdatedCard struct {
	CardToken string
	MaskedNo  string
	Previous  CardStatus
	Current   CardStatus
	Refusal   *fault.Error // nil when it followed
}

// statusAttempts bounds how often a change is tried again when somebody else
// changed the card in between.
const statusAttempts = 5

// ChangeStatus moves a card to another status, if the matrix allows it and the
// caller may; the same status again changes nothing.
//
// A status that closes the issuance closes its supplementary cards. With
// IncludeChildCards they follow as far as their own status allows. All of it
// is one transaction; of two changes at once one wins, and the other is held
// against the status it left behind.
func (s *Service) ChangeStatus(ctx context.Context, c access.Caller, token string, in NewStatus) (StatusResult, error) {
	if err := in.check(s.Clock.Now()); err != nil {
		return StatusResult{}, err
	}
	var out StatusResult
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		var acts []audit.Act
		m := mover{s: s, tx: tx, c: c, cfg: cfg, in: in, later: &acts}
		if out, err = m.move(ctx, token); err != nil {
			return err
		}
		return appendAll(ctx, tx, acts)
	})
	return out, err
}

func (in NewStatus) check(now time.Time) error {
	if reasons, known := fitting[in.Status]; known && len(reasons) > 0 && !in.Reason.Fits(in.Status) {
		return errReasonMismatch.With("status", string(in.Status)).OnField("reason", "mismatch", "does not fit the status")
	}
	if in.Reason == OtherReason && in.Description == "" {
		return errReasonMismatch.OnField("description", "required", "is needed with the reason Other")
	}
	if in.IncludeChildCards && in.Status != Active && in.Status != Inactive && in.Status != Blocked {
		return errInvalid.OnField("includeChildCards", "not_allowed", "is for Active, Inactive and Blocked only")
	}
	if in.EffectiveAt.After(now) {
		return errNotAvailable.With("feature", "effectiveDate")
	}
	if in.IssueReplacement {
		return errNotAvailable.With("feature", "issueReplacement")
	}
	return nil
}

// mover moves cards inside one transaction.
type mover struct {
	s   *Service
	tx  db.Tx
	c   access.Caller
	cfg *program.Configuration
	in  NewStatus
	// later takes the acts for the audit chain that are to be appended at the
	// end of the transaction; nil appends them at once.
	later *[]audit.Act
}

func (m mover) move(ctx context.Context, token string) (StatusResult, error) {
	card, found, err := readCard(ctx, m.tx, m.c.Tenant, token, 0)
	if err != nil {
		return StatusResult{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return StatusResult{}, errCardNotFound
	}
	issuance, found, err := readIssuance(ctx, m.tx, m.c.Tenant, card.Issuance)
	if err != nil || !found {
		return StatusResult{}, fmt.Errorf("read issuance of card %s: %w", card.ID, db.Missing(err))
	}
	out := StatusResult{CardToken: card.Token, IssuanceNo: issuance.No}
	out.Previous, out.Current, err = m.moveOne(ctx, card, issuance, m.in.Reason)
	if err != nil {
		return out, err
	}
	closes := out.Previous != out.Current.Status && out.Current.Status.IsFinal() && issuance.CurrentCard == card.ID
	if closes || m.in.IncludeChildCards {
		out.Updated, err = m.moveChildren(ctx, issuance, closes)
	}
	return out, err
}

// moveOne makes one transition for the caller.
func (m mover) moveOne(ctx context.Context, card Card, issuance Issuance, reason StatusReason) (CardStatus, StatusChange, error) {
	for range statusAttempts {
		from := card.Status
		if from == m.in.Status {
			return from, card.StatusChange, nil
		}
		if len(m.in.from) > 0 && !slices.Contains(m.in.from, from) {
			return from, StatusChange{}, errTransitionNotAllowed.With("from", string(from)).With("to", string(m.in.Status)).With("cardToken", card.Token)
		}
		if err := m.permit(card, issuance); err != nil {
			return from, StatusChange{}, err
		}
		to := m.to(reason)
		moved, err := moveCard(ctx, m.tx, m.c.Tenant, card.ID, from, to)
		if err != nil {
			return from, StatusChange{}, fmt.Errorf("move card %s: %w", card.ID, err)
		}
		if moved {
			if err := m.afterwards(ctx, card, to.Status); err != nil {
				return from, to, err
			}
			return from, to, m.tellMove(ctx, card, to)
		}
		if card, _, err = readCardByID(ctx, m.tx, m.c.Tenant, card.ID); err != nil {
			return from, StatusChange{}, fmt.Errorf("read card again: %w", err)
		}
	}
	return card.Status, StatusChange{}, errStale
}

func (m mover) to(reason StatusReason) StatusChange {
	return StatusChange{
		Status: m.in.Status, Reason: reason, Description: m.in.Description, ChangedAt: m.s.Clock.Now(),
		ChangedBy: m.c.By(), Channel: channelOf(m.c, m.in.Channel),
	}
}

// permit says no when the matrix, the caller's rights or the conditions of
// activation do.
func (m mover) permit(card Card, issuance Issuance) error {
	from, to := card.Status, m.in.Status
	switch from.MoverTo(to) {
	case ByNobody, BySystem:
		return errTransitionNotAllowed.With("from", string(from)).With("to", string(to)).With("cardToken", card.Token)
	case ByPrivileged:
		if !m.c.May(access.IssuingCardStatusPrivileged) {
			return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
		}
	case ByClient:
		if !m.c.May(access.IssuingCardStatus) {
			return errCardNotPermitted.With("permission", access.IssuingCardStatus)
		}
	}
	if to != Active {
		return nil
	}
	now := m.s.Clock.Now()
	if from == Lost {
		// A lost card that turns up again: within the tenant's hours, and only
		// while nothing has taken its place.
		hours := time.Duration(m.cfg.Attributes.LostReactivationHours) * time.Hour
		if now.Sub(card.ChangedAt) > hours || hours == 0 || issuance.CurrentCard != card.ID {
			return errTransitionNotAllowed.With("from", string(from)).With("to", string(to)).With("cardToken", card.Token)
		}
	}
	return activationConditions(m.cfg, card, issuance, now)
}

// activationConditions is A1 of the contract's matrix.
func activationConditions(cfg *program.Configuration, card Card, issuance Issuance, now time.Time) error {
	unmet := ""
	product, _ := cfg.Product(issuance.ProductCode)
	switch {
	case issuance.Customer.IsZero():
		unmet = "customer"
	case card.Expires.PassedAt(now, cfg.Tenant.Zone):
		unmet = "expiry"
	case card.Status == Pending && product.RequireDelivery && !card.IsVirtual() &&
		(card.Physical == nil || card.Physical.ShipmentStatus != ShipmentDelivered):
		unmet = "delivery"
	}
	if unmet != "" {
		return errActivationCondition.With("condition", unmet)
	}
	return nil
}

// afterwards does what follows from a move.
func (m mover) afterwards(ctx context.Context, card Card, to CardStatus) error {
	if card.Status == Pending && to == Cancelled {
		// Nobody waits for this plastic any more.
		if err := m.cancelPlastic(ctx, card.ID); err != nil {
			return fmt.Errorf("cancel plastic: %w", err)
		}
	}
	return nil
}

// moveChildren takes the supplementary cards along: to Cancelled when their
// parent is closed, whatever the caller may, else to the parent's new status as
// far as the rules let each of them.
func (m mover) moveChildren(ctx context.Context, parent Issuance, closed bool) ([]UpdatedCard, error) {
	children, err := readChildren(ctx, m.tx, m.c.Tenant, parent.ID)
	if err != nil {
		return nil, fmt.Errorf("read supplementary cards: %w", err)
	}
	var updated []UpdatedCard
	for _, child := range children {
		card, found, err := readCardByID(ctx, m.tx, m.c.Tenant, child.CurrentCard)
		if err != nil || !found {
			return nil, fmt.Errorf("read current card of issuance %s: %w", child.ID, db.Missing(err))
		}
		if closed && card.Status.IsFinal() {
			continue
		}
		u := UpdatedCard{CardToken: card.Token, MaskedNo: card.Masked(), Previous: card.Status, Current: card.Status}
		if closed {
			u.Previous, u.Current, err = m.closeChild(ctx, card)
		} else {
			var now StatusChange
			if u.Previous, now, err = m.moveOne(ctx, card, child, m.in.Reason); err == nil {
				u.Current = now.Status
			}
		}
		if refusal, ok := fault.As(err); ok {
			u.Refusal, err = refusal, nil
		}
		if err != nil {
			return nil, err
		}
		updated = append(updated, u)
	}
	return updated, nil
}

// closeChild cancels a supplementary card for the system.
func (m mover) closeChild(ctx context.Context, card Card) (from, now CardStatus, err error) {
	for range statusAttempts {
		if card.Status.IsFinal() {
			return card.Status, card.Status, nil
		}
		to := m.to(ParentClosed)
		to.Status = Cancelled
		moved, err := moveCard(ctx, m.tx, m.c.Tenant, card.ID, card.Status, to)
		if err != nil {
			return card.Status, card.Status, fmt.Errorf("close supplementary card %s: %w", card.ID, err)
		}
		if moved {
			if err := m.afterwards(ctx, card, Cancelled); err != nil {
				return card.Status, Cancelled, err
			}
			return card.Status, Cancelled, m.tellMove(ctx, card, to)
		}
		if card, _, err = readCardByID(ctx, m.tx, m.c.Tenant, card.ID); err != nil {
			return card.Status, card.Status, fmt.Errorf("read card again: %w", err)
		}
	}
	return card.Status, card.Status, errStale
}
