package issuing

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NonameUnlink is a wish to take a noname card from its customer.
type NonameUnlink struct {
	CardToken   string
	Reason      string
	Description string
}

// unlinkable are the statuses from which a card can be unlinked: one that was
// blocked or lost must not come back to use this way.
var unlinkable = []CardStatus{Pending, Active, Inactive}

// UnlinkNoname takes a noname card from its customer: it waits for another one,
// without PIN, phone, usage switches and scheduled status of its own. Tries and
// counters stay, so that a limit is not won anew by it.
//
// It is refused while a transaction of the card is open, while there is money on
// its account that nobody else spends from (unless the client keeps the
// balance), while supplementary cards hang on it, and once it was renewed with
// a name. An authorization at the same moment is decided either before, and its
// hold is seen here, or after, on a card that waits.
func (s *Service) UnlinkNoname(ctx context.Context, c access.Caller, in NonameUnlink) (IssuedCard, error) {
	var v fault.Checks
	v.Text("reason", in.Reason, 1, 250)
	v.Text("description", in.Description, 0, 250)
	if err := v.Err(errInvalid); err != nil {
		return IssuedCard{}, err
	}
	var out IssuedCard
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		card, found, err := readCard(ctx, tx, c.Tenant, in.CardToken, 0)
		if err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		if !found {
			return errCardNotFound
		}
		u := unlinking{s: s, tx: tx, c: c, in: in}
		if err := u.run(ctx, card); err != nil {
			return err
		}
		out, err = s.issuedCard(ctx, tx, c, in.CardToken, 0)
		return err
	})
	return out, err
}

// unlinking is one unlink inside its transaction.
type unlinking struct {
	s  *Service
	tx db.Tx
	c  access.Caller
	in NonameUnlink
}

// run unlinks the issuance of card. Its cards are locked before anything is judged, so that no
// authorization can place a hold from here on.
func (u unlinking) run(ctx context.Context, card Card) error {
	cards, i, err := u.s.lockIssued(ctx, u.tx, u.c, card.Issuance)
	if err != nil {
		return err
	}
	n, err := u.permit(ctx, cards, i)
	if err != nil {
		return err
	}
	if err := customer.Lock(ctx, u.tx, i.Tenant, i.Customer); err != nil {
		return err
	}
	holder, err := u.s.customerOf(ctx, u.tx, u.c, i.Customer)
	if err != nil {
		return err
	}
	cfg, err := u.s.programs.ConfigurationIn(ctx, u.tx, u.c.Tenant)
	if err != nil {
		return err
	}
	product, found := cfg.Product(i.ProductCode)
	if !found {
		return fmt.Errorf("product %s of issuance %s is gone", i.ProductCode, i.ID)
	}
	before := i
	now := u.c.Now(u.s.Clock)
	if err := u.leaveAccount(ctx, cfg, product, &i, n); err != nil {
		return err
	}
	i.Customer, i.UpdatedAt = Issuance{}.Customer, now
	i.PhoneNumber, i.sealedPhone, i.PhoneChangedAt = "", nil, Issuance{}.PhoneChangedAt
	i.Policies = mergePolicies(product.Policies, nil, now)
	if err := saveHolder(ctx, u.tx, i); err != nil {
		return fmt.Errorf("save holder: %w", err)
	}
	if u.s.Limits != nil {
		if err := u.s.Limits.Unlinked(ctx, u.tx, i); err != nil {
			return err
		}
	}
	return u.tell(ctx, cards, before, i, holder)
}

// permit refuses what must stay with its customer.
func (u unlinking) permit(ctx context.Context, cards []Card, i Issuance) (NonameCard, error) {
	n, found, err := readNoname(ctx, u.tx, i.Tenant, i.ID)
	switch {
	case err != nil:
		return n, fmt.Errorf("read noname card: %w", err)
	case !found:
		return n, errCardNotNoname
	case i.Customer.IsZero():
		return n, errCardNotLinked
	case !i.Successor.IsZero(): // it is made for this customer
		return n, errRenewalInProgress.With("cardToken", u.in.CardToken)
	}
	first := cards[len(cards)-1] // as it was made, without a name
	for _, card := range cards {
		switch {
		case card.EmbossLine1 != first.EmbossLine1 || card.EmbossLine2 != first.EmbossLine2:
			return n, errCardNotNoname.With("condition", "renewed with a name")
		case card.ID == i.CurrentCard && !slices.Contains(unlinkable, card.Status),
			!card.Status.IsFinal() && !slices.Contains(unlinkable, card.Status):
			return n, errStatusNotSuitable.With("status", string(card.Status)).With("operation", "noname/unlink")
		}
	}
	children, err := countChildren(ctx, u.tx, i.Tenant, i.ID)
	if err != nil {
		return n, fmt.Errorf("count supplementary cards: %w", err)
	}
	if children > 0 {
		return n, errUnlinkChildren.With("childCount", children)
	}
	if u.s.Holds == nil {
		return n, nil // the account's holds are looked at alone
	}
	open, err := u.s.Holds.HasOpenHolds(ctx, u.tx, i.ID)
	if err != nil {
		return n, fmt.Errorf("look for open holds: %w", err)
	}
	if open {
		return n, errUnlinkTransactions
	}
	return n, nil
}

// leaveAccount puts the issuance on an account of its own. The one it spent from
// stays the customer's with all that happened on it, so that what is presented
// late is paid by who bought it. Where nobody else spends from it, nothing may be
// left on it: nobody could.
func (u unlinking) leaveAccount(ctx context.Context, cfg *program.Configuration, product program.Product, i *Issuance, n NonameCard) error {
	if i.Account != n.Account { // its own waits for it
		own, err := lockAccount(ctx, u.tx, n.Account)
		i.Account, i.AccountNo = own.ID, own.Number
		return err
	}
	shared, err := sharesAccount(ctx, u.tx, *i)
	if err != nil {
		return fmt.Errorf("look who spends from the account: %w", err)
	}
	if !shared {
		a, err := lockAccount(ctx, u.tx, i.Account)
		switch {
		case err != nil:
			return err
		case !a.Held.IsZero():
			return errUnlinkTransactions
		case !a.Posted.IsZero() && cfg.Attributes.BalanceMode != program.BalanceExternal:
			return errUnlinkBalance
		}
	}
	number, err := u.freeNumber(ctx, *i)
	if err != nil {
		return err
	}
	own, err := ledger.OpenCardAccount(ctx, u.tx, i.Tenant, number, i.ID.String(), product.Currency, clock.RealNow(u.s.Clock), u.c.Ahead)
	if err != nil {
		return fmt.Errorf("open account: %w", err)
	}
	i.Account, i.AccountNo, n.Account = own.ID, own.Number, own.ID
	if err := moveOwnAccount(ctx, u.tx, i.Tenant, n); err != nil {
		return fmt.Errorf("save account of noname card: %w", err)
	}
	return nil
}

// freeNumber names an account like the issuance, with a count when that is in
// use.
func (u unlinking) freeNumber(ctx context.Context, i Issuance) (string, error) {
	number := i.No
	for count := 2; ; count++ {
		_, taken, err := ledger.FindCardAccount(ctx, u.tx, i.Tenant, number)
		if err != nil || !taken {
			return number, err
		}
		number = i.No + "-" + strconv.Itoa(count)
	}
}

// tell makes the cards wait, raises what happened and writes it down.
func (u unlinking) tell(ctx context.Context, cards []Card, before, i Issuance, holder customer.Customer) error {
	m := mover{s: u.s, c: u.c, in: NewStatus{Status: Pending, Description: u.in.Description}}
	var current Card
	for _, card := range cards {
		if card.ID == i.CurrentCard {
			current = card
		}
		if card.Status.IsFinal() {
			continue
		}
		if err := dropPIN(ctx, u.tx, card, i.UpdatedAt); err != nil {
			return fmt.Errorf("clear PIN of card %s: %w", card.ID, err)
		}
		if card.Scheduled != "" { // it was wished for this customer
			if err := dropSchedule(ctx, u.tx, i.Tenant, card.ID); err != nil {
				return fmt.Errorf("drop schedule of card %s: %w", card.ID, err)
			}
		}
		to := m.to(NonameUnlinked)
		if _, err := moveCard(ctx, u.tx, i.Tenant, card.ID, card.Status, to); err != nil {
			return fmt.Errorf("move card %s: %w", card.ID, err)
		}
		if card.Status != Pending {
			if err := raiseStatus(ctx, u.tx, u.c, card.ID, card.Status, to); err != nil {
				return err
			}
		}
	}
	if err := raiseHolder(ctx, u.tx, u.c, EventCardUnlinked, current.ID, i.UpdatedAt, holder.No); err != nil {
		return err
	}
	a := u.s.cardAct(u.c, "Unlink", current)
	a.Description = u.in.Reason
	if u.in.Description != "" {
		a.Description += ": " + u.in.Description
	}
	a.Changes = audit.Changes(holding{CustomerNo: holder.No, AccountNo: before.AccountNo, Status: current.Status, Reason: current.Reason},
		holding{AccountNo: i.AccountNo, Status: Pending, Reason: NonameUnlinked})
	return audit.Append(ctx, u.tx, a)
}
