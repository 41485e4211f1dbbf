package clearing

import (
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

var errNoAccount = errors.New("the account of the card does not exist")

// network is the account payable to the file's network on its day.
func (b *batch) network(r *record, c money.Currency) ledger.Account {
	return ledger.Control(r.place.tenant, ledger.SettlementCode(b.in.Network, b.in.BusinessOn), c)
}

// entry is the entry of a record, without its postings.
func (b *batch) entry(r *record, event string) ledger.Entry {
	e := ledger.Entry{
		ID: id.New[ledger.Entry](b.in.At.Time()), Tenant: r.place.tenant, Event: event, Key: entryKey(r.key),
		Description: r.MerchantName, BusinessOn: b.in.BusinessOn, At: b.at(r),
	}
	if r.transaction != nil {
		e.Transaction = r.transaction.ID.String()
	}
	return e
}

// post adds the entry of a record to the book.
func (b *batch) post(r *record, e ledger.Entry) error {
	if err := b.book.Post(e); err != nil {
		return err
	}
	r.posted = true
	b.entries[e.Key] = e
	if t := r.transaction; t != nil {
		if a, ok := b.book.Account(t.Account); ok {
			t.HasBalance, t.PostedAfter, t.AvailableAfter = true, a.Posted, a.AvailableTo(t.Issuance.String())
		}
	}
	return nil
}

func (b *batch) debit(r *record, account ledger.Account, amount money.Amount, original *authorization.Transaction, event string, forced bool) error {
	b.begin(r, account, amount, original)
	r.transaction.IsForcePost = forced
	e := b.entry(r, event)
	e.Purpose, e.Postings = r.transaction.CreditPurpose(nil), ledger.Move(account, b.network(r, amount.Currency()), amount)
	return b.post(r, e)
}

func (b *batch) credit(r *record, account ledger.Account, amount money.Amount, original *authorization.Transaction) error {
	b.begin(r, account, amount, original)
	e := b.entry(r, "A12")
	e.Purpose, e.Postings = r.transaction.CreditPurpose(original), ledger.Move(b.network(r, amount.Currency()), account, amount)
	return b.post(r, e)
}

// suspend posts a record that no account can take to the suspense account of
// its tenant, so that the network's account still ties with the file.
func (b *batch) suspend(r *record, status MatchStatus, cause Cause) error {
	r.status, r.causes = status, append(r.causes, cause)
	amount := r.owed()
	suspense := ledger.Control(r.place.tenant, ledger.UnmatchedClearing, amount.Currency())
	e := b.entry(r, "F1")
	if r.isDebit() {
		e.Postings = ledger.Move(suspense, b.network(r, amount.Currency()), amount)
	} else {
		e.Postings = ledger.Move(b.network(r, amount.Currency()), suspense, amount)
	}
	return b.post(r, e)
}

// takeBack posts the exact mirror of an earlier record, whatever became of
// that, on the account that bears it now. What it names must be there, untouched since, with the same amount:
// else nothing is guessed and the record waits in suspense.
func (b *batch) takeBack(r *record) error {
	k, ok := b.known[r.refersTo(b.in.Network)]
	if !ok || k.tenant != r.place.tenant || k.minor != r.Transaction.Minor() || k.currency != r.Transaction.Currency().Code() {
		return b.suspend(r, ReversalOfClearing, ReversalAlone)
	}
	r.status = ReversalOfClearing
	earlier := b.transactions[k.transaction]
	if k.status == OnlineFinancial {
		earlier = b.transactions[k.original]
		if earlier == nil {
			return fmt.Errorf("what the earlier record confirmed is missing")
		}
		if earlier.Status == authorization.StatusReversed {
			r.original = earlier // taken back online already: this confirms it
			return nil
		}
		if earlier.Status != authorization.StatusCleared || r.isPartOf(earlier) {
			return b.suspend(r, ReversalOfClearing, ReversalAlone)
		}
	}
	if earlier != nil && earlier.Issuance != r.place.issuance {
		return b.suspend(r, ReversalOfClearing, ReversalAlone)
	}
	mirrored, ok := b.entries[entryOf(k)]
	if !ok {
		return fmt.Errorf("the entry of the earlier record is missing")
	}
	if earlier != nil {
		account, ok := b.book.Account(r.place.account)
		if !ok {
			return errNoAccount
		}
		account = b.payer(r, earlier, account)
		back := earlier.Billing
		if !earlier.IsDebit {
			back = back.Neg()
		}
		if !mayMove(account, back) {
			return b.suspend(r, ReversalOfClearing, BalanceTooLarge)
		}
		b.begin(r, account, earlier.Billing, earlier)
		r.transaction.Flow, r.transaction.Code = authorization.ClearingReversal, earlier.Code
		r.transaction.IsDebit = !earlier.IsDebit
		if err := b.undo(earlier); err != nil {
			return err
		}
	}
	e := b.entry(r, "REV")
	e.Reverses, e.Postings = mirrored.ID, mirrored.Mirror()
	if r.transaction != nil {
		e.Purpose = r.transaction.CreditPurpose(earlier)
		if r.transaction.Account != earlier.Account {
			e = b.moved(r, e, earlier.Account)
		}
	}
	return b.post(r, e)
}

// moved is the mirror of an entry on the account that bears it now, which is not
// the one it was on: no reversal of that, then.
func (b *batch) moved(r *record, e ledger.Entry, from ledger.AccountID) ledger.Entry {
	now, _ := b.book.Account(r.transaction.Account)
	e.Reverses, e.Event = ledger.EntryID{}, "A12"
	if r.transaction.IsDebit {
		e.Event = "A11"
	}
	for i := range e.Postings {
		if e.Postings[i].Account.ID == from {
			e.Postings[i].Account = now
		}
	}
	return e
}

// isPartOf says that r speaks of one of several records that confirmed t: a part
// has no entry of its own that could be mirrored.
func (r *record) isPartOf(t *authorization.Transaction) bool {
	account := t.Billing.Currency()
	billing, ok := r.billing(account)
	return r.Count > 1 || ok && r.Transaction.Currency() == account && billing != t.Cleared
}

// undo takes what a transaction did to its life cycle back. The hold stays
// closed: it was consumed, and only ever grows.
func (b *batch) undo(t *authorization.Transaction) error {
	if t.Flow != authorization.Refund { // a refund's purchase follows by itself
		defer b.follow(t)()
	}
	t.Status, t.Reversed = authorization.StatusReversed, t.Billing
	b.changed[t.ID] = t
	if t.Flow == authorization.Refund {
		if purchase := b.transactions[t.Original]; purchase != nil {
			return b.addRefunded(purchase, t.Billing.Neg())
		}
		return nil
	}
	if t.Flow != authorization.Clearing || t.IsForcePost {
		return nil
	}
	c := b.chains[t.Root]
	if c == nil {
		return nil
	}
	if err := b.addCleared(c.head, t.Billing.Neg()); err != nil {
		return err
	}
	if c.head.Cleared.IsZero() && c.head.Status == authorization.StatusCleared {
		c.head.Status = authorization.StatusReversed
	}
	return nil
}

// begin makes the transaction of a record that is posted to an account.
func (b *batch) begin(r *record, account ledger.Account, billing money.Amount, original *authorization.Transaction) {
	zero := money.Zero(billing.Currency())
	t := &authorization.Transaction{
		ID: id.New[authorization.Transaction](b.in.At.Time()), Tenant: r.place.tenant, Flow: authorization.Clearing,
		Code: codeOf(r.Presentment), Status: authorization.StatusCleared, AuthorizationCode: r.AuthorizationCode,
		Card: r.card(original), Issuance: r.place.issuance, Account: account.ID,
		Amount: r.Transaction, Billing: billing, Reversed: zero, Cleared: zero, Refunded: zero, IsDebit: r.isDebit(),
		Message: authorization.Details{
			Network: b.in.Network, STAN: r.STAN, RRN: r.RRN, TransmittedAt: r.LocalTime, LocalTime: r.LocalTime.Format("0102150405"),
			AcquirerID: r.AcquirerID, TerminalID: r.TerminalID, CardAcceptorID: r.CardAcceptorID,
			MerchantName: r.MerchantName, MerchantCity: r.MerchantCity, MerchantCountry: r.MerchantCountry.Alpha2(),
			MCC: r.MCC, EntryMode: r.EntryMode,
		},
		NetworkTransactionID: r.NetworkTransactionID, ARN: r.ARN,
		BusinessOn: b.in.BusinessOn, CreatedAt: b.at(r), UpdatedAt: b.at(r),
	}
	t.Root = t.ID
	t.CardNetwork, t.DecidedBy = r.place.network, authorization.ByNetwork
	t.Classify(r.place.country)
	switch {
	case r.Kind == Refund:
		t.Flow = authorization.Refund
	case r.Function != FirstPresentment:
		t.Flow = authorization.Representment
	}
	if original != nil {
		t.Original, t.Root = original.ID, original.Root
		r.original = original
		t.Message.Manner = original.Message.Manner // a record has no place for it
		if t.IsDebit {
			t.Code = original.Code
		}
	}
	r.transaction = t
	b.fresh = append(b.fresh, t)
}

// card is the plastic of a record: its original's, else the newest.
func (r *record) card(original *authorization.Transaction) id.ID[issuing.Card] {
	if original != nil {
		return original.Card
	}
	return r.place.cards[0].id
}

// mccManualCash is the merchant category of cash handed out at a counter.
const mccManualCash = "6010"

func codeOf(p *Presentment) authorization.Code {
	switch {
	case p.Kind == Refund:
		return authorization.RefundCode
	case p.Kind == Cash && p.MCC == mccManualCash:
		return authorization.CashAdvance
	case p.Kind == Cash:
		return authorization.CashWithdrawal
	}
	return authorization.Purchase
}
