package issuing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewStatus is a wish to move a card to another status.
type NewStatus struct {
	Sequence          int // of the plastic; 0 is the one in force, or for Active the one that waits to be
	Status            CardStatus
	Reason            StatusReason
	Description       string
	EffectiveAt       time.Time // in the future it is scheduled; zero is now
	IncludeChildCards bool      // for Active, Inactive and Blocked only
	IssueReplacement  bool      // for Lost, Stolen, Fraud and Damaged
	Replacement       Replacement
	Channel           string

	from   []CardStatus             // only a card in one of these; none is any
	holder id.ID[customer.Customer] // only a card of this customer; zero is any
}

// StatusResult is what became of a [NewStatus].
type StatusResult struct {
	CardToken  string
	IssuanceNo string
	Previous   CardStatus
	Current    StatusChange
	Scheduled  *Schedule     // what was scheduled in place of a change
	Updated    []UpdatedCard // the supplementary cards that went along, or did not
	NewCard    *IssuedCard   // the replacement, if one was asked for
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
// caller may; the same status again changes nothing. A change in the future is
// scheduled: it is judged now, and again when it is due.
//
// With IssueReplacement a new card takes the place of the one that is gone.
// A status that closes the issuance closes its supplementary cards. With
// IncludeChildCards they follow as far as their own status allows. All of it
// is one transaction; of two changes at once one wins, and the other is held
// against the status it left behind.
func (s *Service) ChangeStatus(ctx context.Context, c access.Caller, token string, in NewStatus) (StatusResult, error) {
	if err := in.check(c.Now(s.Clock)); err != nil {
		return StatusResult{}, err
	}
	var replacement *draft
	if in.IssueReplacement {
		d, err := s.draftReplacement(ctx, c, token, in)
		if err != nil {
			return StatusResult{}, err
		}
		replacement = &d
	}
	var out StatusResult
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		var acts []audit.Act
		m := mover{s: s, tx: tx, c: c, cfg: cfg, in: in, replacement: replacement, later: &acts}
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
	if in.IssueReplacement {
		switch {
		case in.Status != Damaged && !isCompromised(in.Status):
			return errInvalid.OnField("issueReplacement", "not_allowed", "is for Lost, Stolen, Fraud and Damaged only")
		case in.EffectiveAt.After(now):
			return errInvalid.OnField("issueReplacement", "not_allowed", "is for a change at once only")
		}
	}
	if !in.EffectiveAt.IsZero() && in.EffectiveAt.Sub(now) > scheduleMax {
		return errInvalid.OnField("effectiveDate", "too_far", "must lie within the next ten years")
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
	// by is who asked for what is done now for the system; empty is the caller.
	by string
	// replacement is the card that takes the place of the moved one.
	replacement *draft
	// later takes the acts for the audit chain that are to be appended at the
	// end of the transaction; nil appends them at once.
	later *[]audit.Act
}

func (m mover) move(ctx context.Context, token string) (StatusResult, error) {
	card, issuance, err := m.target(ctx, token)
	if err != nil {
		return StatusResult{}, err
	}
	out := StatusResult{CardToken: card.Token, IssuanceNo: issuance.No}
	if m.in.EffectiveAt.After(m.c.Now(m.s.Clock)) {
		out.Previous, out.Current = card.Status, card.StatusChange
		out.Scheduled, err = m.schedule(ctx, card, issuance)
		return out, err
	}
	return m.moveTarget(ctx, card, issuance, out)
}

// moveTarget moves a card at once, and takes along what hangs on it.
func (m mover) moveTarget(ctx context.Context, card Card, issuance Issuance, out StatusResult) (_ StatusResult, err error) {
	out.Previous, out.Current, err = m.moveOne(ctx, card, &issuance, m.in.Reason)
	if err != nil {
		return out, err
	}
	if m.replacement != nil {
		if out.NewCard, err = m.replace(ctx); err != nil {
			return out, err
		}
	}
	closes := out.Previous != out.Current.Status && out.Current.Status.IsFinal() && issuance.CurrentCard == card.ID &&
		m.replacement == nil
	if closes || m.in.IncludeChildCards {
		out.Updated, err = m.moveChildren(ctx, issuance, closes)
	}
	return out, err
}

// target finds the plastic that is to be moved and locks its issuance.
func (m mover) target(ctx context.Context, token string) (Card, Issuance, error) {
	card, found, err := readCard(ctx, m.tx, m.c.Tenant, token, m.in.Sequence)
	if err != nil {
		return Card{}, Issuance{}, fmt.Errorf("read card: %w", err)
	}
	if !found {
		return Card{}, Issuance{}, errCardNotFound
	}
	issuance, err := m.lockIssuance(ctx, card.Issuance)
	if err != nil {
		return Card{}, Issuance{}, err
	}
	if !m.in.holder.IsZero() && issuance.Customer != m.in.holder {
		return Card{}, Issuance{}, errAnothersCard
	}
	// Which plastic is in force may have changed until the lock was ours.
	if card, found, err = readCard(ctx, m.tx, m.c.Tenant, token, m.in.Sequence); err != nil || !found {
		return Card{}, Issuance{}, fmt.Errorf("read card again: %w", db.Missing(err))
	}
	if card, issuance, err = m.settleDue(ctx, card, issuance); err != nil {
		return Card{}, Issuance{}, err
	}
	if m.in.Sequence == 0 && m.in.Status == Active && (card.Status == Active || m.in.Reason == FirstActivation) {
		successor, waits, err := pendingSuccessor(ctx, m.tx, card, issuance)
		if err != nil {
			return Card{}, Issuance{}, err
		}
		if waits {
			card = successor
		}
	}
	return card, issuance, nil
}

// lockIssuance keeps others from changing the issuance and all that a move of
// one of its cards may take along, until the transaction ends.
func (m mover) lockIssuance(ctx context.Context, issuance id.ID[Issuance]) (Issuance, error) {
	return lockFamily(ctx, m.tx, m.c.Tenant, issuance)
}

// moveOne makes one transition for the caller, who has locked the issuance.
func (m mover) moveOne(ctx context.Context, card Card, issuance *Issuance, reason StatusReason) (CardStatus, StatusChange, error) {
	for range statusAttempts {
		from := card.Status
		if from == m.in.Status {
			return from, card.StatusChange, nil
		}
		if len(m.in.from) > 0 && !slices.Contains(m.in.from, from) {
			return from, StatusChange{}, errTransitionNotAllowed.With("from", string(from)).With("to", string(m.in.Status)).With("cardToken", card.Token)
		}
		if err := m.permit(card, *issuance); err != nil {
			return from, StatusChange{}, err
		}
		if err := m.permitSuccessor(ctx, card, *issuance); err != nil {
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
			if err := m.tellMove(ctx, card, to); err != nil {
				return from, to, err
			}
			return from, to, m.succeed(ctx, card, issuance, to)
		}
		if card, _, err = readCardByID(ctx, m.tx, m.c.Tenant, card.ID); err != nil {
			return from, StatusChange{}, fmt.Errorf("read card again: %w", err)
		}
	}
	return card.Status, StatusChange{}, errStale
}

func (m mover) to(reason StatusReason) StatusChange {
	by := m.by
	if by == "" {
		by = m.c.By()
	}
	return StatusChange{
		Status: m.in.Status, Reason: reason, Description: m.in.Description, ChangedAt: m.c.Now(m.s.Clock),
		ChangedBy: by, Channel: channelOf(m.c, m.in.Channel),
	}
}

// permit says no when the matrix, the caller's rights or the conditions of
// activation do.
func (m mover) permit(card Card, issuance Issuance) error {
	if err := m.permitMove(card); err != nil {
		return err
	}
	return m.permitActivation(card, issuance)
}

// permitMove says no when the matrix or the caller's rights do.
func (m mover) permitMove(card Card) error {
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
	return nil
}

// permitActivation says no when the conditions of activation do.
func (m mover) permitActivation(card Card, issuance Issuance) error {
	from, to := card.Status, m.in.Status
	if to != Active {
		return nil
	}
	now := m.c.Now(m.s.Clock)
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
	product, _ := cfg.Product(card.ProductCode)
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
	if card.Status == Pending && (to == Cancelled || to == CardRenewed) {
		// Nobody waits for this plastic any more.
		if err := m.cancelPlastic(ctx, card.ID); err != nil {
			return fmt.Errorf("cancel plastic: %w", err)
		}
	}
	if to.IsFinal() && (card.Scheduled != "" || !card.RetiresAt.IsZero()) {
		if err := clearUpcoming(ctx, m.tx, m.c.Tenant, card.ID); err != nil {
			return fmt.Errorf("forget what was scheduled: %w", err)
		}
	}
	return nil
}

// moveChildren takes the supplementary cards, which are locked, along: to Cancelled when their
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
			u.Previous, u.Current, err = m.closeChild(ctx, card, &child)
		} else {
			var now StatusChange
			if u.Previous, now, err = m.moveOne(ctx, card, &child, m.in.Reason); err == nil {
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

// closeChild cancels a supplementary card, and the one that waits to take its
// place.
func (m mover) closeChild(ctx context.Context, card Card, child *Issuance) (from, now CardStatus, err error) {
	if from, now, err = m.cancel(ctx, card, ParentClosed); err != nil || child.Successor.IsZero() {
		return from, now, err
	}
	successor, found, err := readCardByID(ctx, m.tx, m.c.Tenant, child.Successor)
	if err != nil || !found {
		return from, now, fmt.Errorf("read successor of issuance %s: %w", child.ID, db.Missing(err))
	}
	child.Successor = cardID{}
	if err := saveSuccession(ctx, m.tx, *child, m.c.Now(m.s.Clock)); err != nil {
		return from, now, fmt.Errorf("drop renewal: %w", err)
	}
	_, _, err = m.cancel(ctx, successor, ParentClosed)
	return from, now, err
}

// cancel closes a card for the system, whatever its status.
func (m mover) cancel(ctx context.Context, card Card, reason StatusReason) (from, now CardStatus, err error) {
	for range statusAttempts {
		if card.Status.IsFinal() {
			return card.Status, card.Status, nil
		}
		to := m.to(reason)
		to.Status = Cancelled
		moved, err := moveCard(ctx, m.tx, m.c.Tenant, card.ID, card.Status, to)
		if err != nil {
			return card.Status, card.Status, fmt.Errorf("cancel card %s: %w", card.ID, err)
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
