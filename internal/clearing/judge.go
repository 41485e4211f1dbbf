package clearing

import (
	"slices"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// judge decides what becomes of a record and moves the money in the book.
func (b *batch) judge(r *record) error {
	if _, seen := b.known[r.key]; seen {
		r.status, r.causes = Duplicate, []Cause{DuplicateRecord}
		return nil
	}
	if r.Reversal {
		return b.takeBack(r)
	}
	if len(r.place.cards) == 0 {
		return b.suspend(r, CardInvalid, UnknownCard)
	}
	account, ok := b.book.Account(r.place.account)
	if !ok {
		return errNoAccount
	}
	billing, ok := r.billing(account.Currency)
	if !ok {
		return b.suspend(r, Unbillable, NotBillable)
	}
	b.noteCardStatus(r)
	switch {
	case r.Kind == Refund:
		return b.refund(r, account, billing)
	case r.Function != FirstPresentment:
		r.causes = append(r.causes, Represented)
		first := b.transactions[b.known[r.refersTo(b.in.Network)].transaction]
		return b.force(r, b.payer(r, first, account), billing, first, "")
	}
	c, rule := find(r.Presentment, b.candidates(r, true), b.at(r), 0, func(c *chain) bool {
		return billing.Cmp(b.limit(r, c)) <= 0
	})
	r.rule = rule
	if c != nil {
		account = b.payer(r, c.spent(), account)
	}
	return b.present(r, account, billing, c)
}

// payer is the account of whoever had the card when t was made; account is the
// card's present one. A noname card that changed hands since then spends from
// another account, and its new holder has nothing to do with the purchases of
// the former one. What nobody owned yet goes over to the holder.
func (b *batch) payer(r *record, t *authorization.Transaction, account ledger.Account) ledger.Account {
	if t == nil || t.Issuance != r.place.issuance {
		return account
	}
	was, known := b.book.Account(t.Account)
	if !known || was.Currency != account.Currency || was.Owner == t.Issuance.String() {
		return account
	}
	return was
}

// noteCardStatus raises an exception for a card that its holder no longer has.
// The record is posted all the same.
func (b *batch) noteCardStatus(r *record) {
	switch r.place.cards[0].status {
	case issuing.Lost:
		r.causes = append(r.causes, CardLost)
	case issuing.Stolen:
		r.causes = append(r.causes, CardStolen)
	case issuing.Fraud:
		r.causes = append(r.causes, CardFraud)
	}
}

// candidates are the messages found for r that move money the same way, oldest
// first, with their life cycles.
func (b *batch) candidates(r *record, debit bool) []candidate {
	var all []candidate
	for _, f := range b.found[r.ref] {
		t, c := b.transactions[f.ID], b.chains[f.Root]
		if t == nil || c == nil || t.IsDebit != debit || t.Issuance != r.place.issuance {
			continue
		}
		all = append(all, candidate{t, c})
	}
	return all
}

// limit is the most that r may present for c.
func (b *batch) limit(r *record, c *chain) money.Amount {
	head := c.head
	foreign := head.Amount.Currency() != head.Billing.Currency() && head.Amount == r.Transaction
	return limit(r.Presentment, c.left(b.book), foreign, r.place.tolerances)
}

// present posts a first presentment of a purchase or cash, against the life
// cycle it belongs to, or against none.
func (b *batch) present(r *record, account ledger.Account, billing money.Amount, c *chain) error {
	switch {
	case c == nil:
		r.causes = append(r.causes, Forced)
		return b.force(r, account, billing, nil, r.rule)
	case c.posted != nil && c.posted.Status != authorization.StatusReversed:
		return b.confirm(r, account, billing, c)
	case c.head.Status.IsUndone():
		r.causes = append(r.causes, ReversedAndCleared)
		return b.force(r, account, billing, c.head, r.rule)
	case c.head.Status == authorization.StatusDeclined:
		r.causes = append(r.causes, DeclinedAndCleared)
		return b.force(r, account, billing, c.head, r.rule)
	case c.head.Status.HoldsMoney():
		return b.clear(r, account, billing, c)
	}
	return b.clearLate(r, account, billing, c)
}

// mayMove reports whether change leaves an account with a balance that an amount
// can be. It is asked before anything is changed: a record that no balance can
// take waits in suspense, and holds up no other.
func mayMove(account ledger.Account, change money.Amount) bool {
	_, err := account.Posted.Add(change)
	return err == nil
}

// mayAdd reports whether change leaves a sum that an amount can be. Like mayMove
// it is asked before anything is changed.
func mayAdd(sum, change money.Amount) bool {
	_, err := sum.Add(change)
	return err == nil
}

// clear consumes the hold of a life cycle and posts, in one: all of it, the
// part that was presented, or more than there was.
func (b *batch) clear(r *record, account ledger.Account, billing money.Amount, c *chain) error {
	if !mayMove(account, billing.Neg()) || !mayAdd(c.head.Cleared, billing) {
		return b.suspend(r, Unbillable, BalanceTooLarge)
	}
	before := b.standing(c.head)
	left, most := c.left(b.book), b.limit(r, c)
	final := r.Final || billing.Cmp(left) >= 0
	event := "A5"
	switch order := billing.Cmp(left); {
	case order == 0:
		r.status = Matched
	case order < 0 && !final:
		r.status = PartiallyCleared
	case order < 0:
		r.status = MatchedWithDifference
	default:
		event, r.status = "A10", MatchedWithDifference
		if billing.Cmp(most) > 0 {
			r.status, r.causes = AmountExceeded, append(r.causes, OverCleared)
		}
	}
	if _, held := b.book.Hold(c.hold); held {
		b.book.ClearHold(c.hold, billing)
		if final {
			b.book.ReleaseHold(c.hold)
		}
	}
	if err := b.addCleared(c.head, billing); err != nil {
		return err
	}
	to := authorization.StatusPartiallyCleared
	if final {
		to = authorization.StatusCleared
	}
	for _, m := range c.members {
		if m != c.head && final && m.Hold == c.hold && m.Status.HoldsMoney() {
			m.Status = to
			b.changed[m.ID] = m
		}
	}
	c.head.Status = to
	b.presented.Clear(c.head.ID, before, b.standing(c.head))
	return b.debit(r, account, billing, c.head, event, false)
}

// clearLate posts against a life cycle whose hold is gone: it expired, or
// everything that was expected had been presented.
func (b *batch) clearLate(r *record, account ledger.Account, billing money.Amount, c *chain) error {
	if !mayMove(account, billing.Neg()) || !mayAdd(c.head.Cleared, billing) {
		return b.suspend(r, Unbillable, BalanceTooLarge)
	}
	left, most := c.left(b.book), b.limit(r, c)
	r.status = MatchedWithDifference
	if billing.Cmp(left) == 0 {
		r.status = Matched
	}
	h, held := b.book.Hold(c.hold)
	if c.head.Status == authorization.StatusExpired || held && h.Released.Sign() > 0 && !h.ExpiresAt.After(b.at(r)) {
		r.status, r.causes = LatePresentment, append(r.causes, Late)
	}
	if billing.Cmp(most) > 0 {
		r.causes = append(r.causes, OverCleared)
		if r.status != LatePresentment {
			r.status = AmountExceeded
		}
	}
	before := b.standing(c.head)
	if err := b.addCleared(c.head, billing); err != nil {
		return err
	}
	if c.head.Status == authorization.StatusExpired {
		c.head.Status = authorization.StatusCleared
	}
	if r.status == LatePresentment {
		authorized := c.head.Outstanding()
		if held {
			authorized = atLeast(money.Zero(account.Currency), h.Authorized, h.Reversed)
		}
		b.presented.Late(c.head.ID, before, b.standing(c.head), authorized.Minor())
	} else {
		b.presented.Clear(c.head.ID, before, b.standing(c.head))
	}
	return b.debit(r, account, billing, c.head, "A11", false)
}

// confirm notes that an item whose message moved the money was presented. The
// message is the truth: another amount posts nothing and is an exception. A
// further record beyond what was moved was not asked for online and is posted.
func (b *batch) confirm(r *record, account ledger.Account, billing money.Amount, c *chain) error {
	t := c.posted
	left := c.left(b.book)
	if !t.Cleared.IsZero() && billing.Cmp(left) > 0 {
		r.causes = append(r.causes, OverCleared)
		return b.force(r, account, billing, t, r.rule)
	}
	if !mayAdd(t.Cleared, billing) {
		return b.suspend(r, Unbillable, BalanceTooLarge)
	}
	if billing != left && (r.Count == 1 || billing.Cmp(left) > 0) {
		r.causes = append(r.causes, ConfirmedOtherwise)
	}
	r.status, r.original = OnlineFinancial, t
	return b.addCleared(t, billing)
}

// force posts what no open authorization stands behind.
func (b *batch) force(r *record, account ledger.Account, billing money.Amount, original *authorization.Transaction, rule string) error {
	if !mayMove(account, billing.Neg()) {
		return b.suspend(r, Unbillable, BalanceTooLarge)
	}
	r.status, r.rule = ForcePost, rule
	if err := b.debit(r, account, billing, original, "A11", true); err != nil {
		return err
	}
	if r.transaction.Flow == authorization.Clearing { // a representment was counted when it came first
		b.presented.Force(r.transaction, control.Standing{}.WithFees(b.feesOf(r.transaction)))
	}
	return nil
}

// refund credits the cardholder and links the credit to its purchase, when that
// can be found.
func (b *batch) refund(r *record, account ledger.Account, billing money.Amount) error {
	credit, rule := find(r.Presentment, b.candidates(r, false), b.at(r), refundWindow, func(c *chain) bool {
		return billing == c.left(b.book)
	})
	if credit != nil && credit.posted != nil && credit.posted.Status != authorization.StatusReversed && credit.posted.Cleared.IsZero() {
		r.rule = rule
		return b.confirm(r, account, billing, credit)
	}
	purchase := b.purchaseOf(r)
	if purchase == nil {
		var c *chain
		paid := slices.DeleteFunc(b.candidates(r, true), func(c candidate) bool { return taken(c.chain.spent()).IsZero() })
		c, r.rule = find(r.Presentment, paid, b.at(r), refundWindow, func(c *chain) bool {
			return billing.Cmp(refundable(c.spent())) <= 0
		})
		if c != nil {
			purchase = c.spent()
		}
	} else {
		r.rule = "OriginalReference"
	}
	switch {
	case purchase != nil:
		account = b.payer(r, purchase, account)
	case credit != nil:
		account = b.payer(r, credit.head, account)
	}
	announced := credit != nil && credit.posted == nil && credit.head.Status == authorization.StatusApproved
	if !mayMove(account, billing) || announced && !mayAdd(credit.head.Cleared, billing) || purchase != nil && !mayAdd(purchase.Refunded, billing) {
		r.rule = ""
		return b.suspend(r, Unbillable, BalanceTooLarge)
	}
	if announced {
		// A refund that was only recorded when it was announced (0100).
		if err := b.addCleared(credit.head, billing); err != nil {
			return err
		}
		credit.head.Status = authorization.StatusCleared
	}
	if purchase == nil {
		r.status = RefundUnmatched
		if alert := r.place.tolerances.RefundAlert; alert == nil || alert.Currency() != billing.Currency() || billing.Cmp(*alert) > 0 {
			r.causes = append(r.causes, RefundAlone)
		}
		return b.credit(r, account, billing, nil)
	}
	r.status = RefundMatched
	if billing.Cmp(refundable(purchase)) > 0 {
		r.causes = append(r.causes, RefundTooHigh)
	}
	if err := b.addRefunded(purchase, billing); err != nil {
		return err
	}
	return b.credit(r, account, billing, purchase)
}

// purchaseOf finds what a refund names by the reference of its presentment.
func (b *batch) purchaseOf(r *record) *authorization.Transaction {
	if r.OriginalARN == "" {
		return nil
	}
	k, ok := b.known[r.refersTo(b.in.Network)]
	if !ok || k.tenant != r.place.tenant {
		return nil
	}
	t := b.transactions[k.transaction]
	if k.status == OnlineFinancial {
		t = b.transactions[k.original]
	}
	if t == nil || t.Issuance != r.place.issuance {
		return nil
	}
	if c := b.chains[t.Root]; c != nil && !t.IsForcePost {
		t = c.spent()
	}
	if !t.IsDebit || taken(t).IsZero() {
		return nil
	}
	return t
}

// spent is the transaction of a life cycle that stands for the money it took.
func (c *chain) spent() *authorization.Transaction {
	if c.posted != nil {
		return c.posted
	}
	return c.head
}

// taken is what a transaction took from the account and has not given back by
// reversal.
func taken(t *authorization.Transaction) money.Amount {
	if t.IsPosted() || t.Flow == authorization.Clearing || t.Flow == authorization.Representment {
		return t.Outstanding()
	}
	return t.Cleared
}

// refundable is what of a purchase was not refunded yet.
func refundable(t *authorization.Transaction) money.Amount {
	return atLeast(money.Zero(t.Billing.Currency()), taken(t), t.Refunded)
}

func (b *batch) addCleared(t *authorization.Transaction, amount money.Amount) (err error) {
	t.Cleared, err = t.Cleared.Add(amount)
	b.changed[t.ID] = t
	return err
}

// addRefunded books a refund, or with a negative amount takes one back, on its
// purchase. A purchase that still waits for the rest of its presentments keeps
// its status, as one does whose message was partly reversed.
func (b *batch) addRefunded(t *authorization.Transaction, amount money.Amount) (err error) {
	defer b.follow(t)()
	t.Refunded, err = t.Refunded.Add(amount)
	b.changed[t.ID] = t
	switch t.Status {
	case authorization.StatusCleared, authorization.StatusPartiallyRefunded, authorization.StatusRefunded:
	default:
		return err
	}
	switch {
	case t.Refunded.Sign() <= 0:
		t.Status = authorization.StatusCleared
	case t.Refunded.Cmp(taken(t)) >= 0:
		t.Status = authorization.StatusRefunded
	default:
		t.Status = authorization.StatusPartiallyRefunded
	}
	return err
}
