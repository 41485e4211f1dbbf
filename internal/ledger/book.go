package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Book is the part of the ledger that one transaction works on. It is not safe
// for concurrent use and is worth nothing once its transaction has ended.
//
// A method that returns an error has changed nothing. Methods panic when they
// are given an account or hold that was not opened: that is a fault of the
// calling code, and would be a change without a lock.
type Book struct {
	accounts map[AccountID]*Account
	holds    map[HoldID]*Hold
	entries  []Entry
	// changed and fresh say what Write has to do.
	changedAccounts map[AccountID]bool
	changedHolds    map[HoldID]bool
	freshHolds      map[HoldID]bool
	// cuts are the terms of credit accounts that ended.
	cuts []creditCut
}

// OpenBook reads accounts under row locks, in id order, and then holds. An
// identifier that does not exist is missing from the book; see Account and
// Hold. Accounts of the holds must be among accounts.
func OpenBook(ctx context.Context, tx db.Tx, accounts []AccountID, holds []HoldID) (*Book, error) {
	b := &Book{
		accounts: map[AccountID]*Account{}, holds: map[HoldID]*Hold{},
		changedAccounts: map[AccountID]bool{}, changedHolds: map[HoldID]bool{}, freshHolds: map[HoldID]bool{},
	}
	if err := b.lockAccounts(ctx, tx, accounts); err != nil {
		return nil, fmt.Errorf("lock accounts: %w", err)
	}
	if err := b.readHolds(ctx, tx, holds); err != nil {
		return nil, fmt.Errorf("read holds: %w", err)
	}
	return b, nil
}

// NewBook returns a book on accounts and holds as they are given, for what only
// might be: it locked nothing and must not be written.
func NewBook(accounts []Account, holds []Hold) *Book {
	b := &Book{
		accounts: map[AccountID]*Account{}, holds: map[HoldID]*Hold{},
		changedAccounts: map[AccountID]bool{}, changedHolds: map[HoldID]bool{}, freshHolds: map[HoldID]bool{},
	}
	for _, a := range accounts {
		b.accounts[a.ID] = &a
	}
	for _, h := range holds {
		b.holds[h.ID] = &h
	}
	return b
}

// Account returns an opened account as it stands now.
func (b *Book) Account(a AccountID) (Account, bool) {
	p, ok := b.accounts[a]
	if !ok {
		return Account{}, false
	}
	return *p, true
}

// Hold returns an opened or placed hold as it stands now.
func (b *Book) Hold(h HoldID) (Hold, bool) {
	p, ok := b.holds[h]
	if !ok {
		return Hold{}, false
	}
	return *p, true
}

// PlaceHold sets h.Authorized aside on its account, if that much is available:
// else it fails with ErrInsufficientFunds.
func (b *Book) PlaceHold(h Hold) error {
	if b.account(h.Account).gives(h).Cmp(h.Authorized) < 0 {
		return ErrInsufficientFunds
	}
	return b.ForceHold(h)
}

// ForceHold sets h.Authorized aside whatever is available: for advices, which
// report what has happened.
func (b *Book) ForceHold(h Hold) error {
	a := b.account(h.Account)
	held, err := a.Held.Add(h.Authorized)
	if err != nil {
		return fmt.Errorf("hold on %s: %w", a.ID, err)
	}
	a.Held = held
	if a.Credit == nil {
		h.Holder = ""
	}
	a.tally(h, h.Authorized.Minor(), 0)
	b.holds[h.ID] = &h
	b.freshHolds[h.ID] = true
	b.changedAccounts[a.ID] = true
	return nil
}

// IncreaseHold adds extra to an open hold, as PlaceHold does.
func (b *Book) IncreaseHold(id HoldID, extra money.Amount) error {
	if h := b.hold(id); b.account(h.Account).gives(*h).Cmp(extra) < 0 {
		return ErrInsufficientFunds
	}
	return b.ForceIncrease(id, extra)
}

// ForceIncrease adds extra to a hold whatever is available.
func (b *Book) ForceIncrease(id HoldID, extra money.Amount) error {
	h := b.hold(id)
	a := b.account(h.Account)
	held, err := a.Held.Add(extra)
	if err != nil {
		return fmt.Errorf("hold on %s: %w", a.ID, err)
	}
	a.Held, h.Authorized = held, sum(h.Authorized, extra)
	a.tally(*h, extra.Minor(), 0)
	b.mark(h)
	return nil
}

// HoldFees sets fees aside besides what the hold still sets aside, in place of
// what was set aside for them before, whatever is available. A hold that is not
// open takes none.
func (b *Book) HoldFees(id HoldID, fees money.Amount) error {
	h := b.hold(id)
	if fees.Sign() < 0 {
		panic("ledger: fees below zero cannot be held")
	}
	if fees == h.Fees || !h.IsOpen() {
		return nil
	}
	a := b.account(h.Account)
	held, err := difference(a.Held, h.Fees).Add(fees)
	if err != nil {
		return fmt.Errorf("hold fees on %s: %w", a.ID, err)
	}
	a.tally(*h, 0, fees.Minor()-h.Fees.Minor())
	a.Held, h.Fees = held, fees
	b.mark(h)
	return nil
}

// ExtendHold moves the end of a hold to a later time; an earlier one changes
// nothing.
func (b *Book) ExtendHold(id HoldID, until time.Time) {
	if h := b.hold(id); until.After(h.ExpiresAt) {
		h.ExpiresAt = until
		b.mark(h)
	}
}

// ReverseHold gives back part of what the hold has remaining; at most that.
// It returns what was given back.
func (b *Book) ReverseHold(id HoldID, part money.Amount) money.Amount {
	h := b.hold(id)
	part = least(part, h.Remaining())
	h.Reversed = sum(h.Reversed, part)
	b.lower(h, part)
	return part
}

// ReleaseHold gives back all that remains: expiry, or the rest after the last
// clearing. It returns what was given back.
func (b *Book) ReleaseHold(id HoldID) money.Amount {
	h := b.hold(id)
	rest := h.Remaining()
	h.Released = sum(h.Released, rest)
	b.lower(h, rest)
	return rest
}

// ClearHold consumes up to part of the hold: the money it set aside is about to
// be posted. It returns what was consumed.
func (b *Book) ClearHold(id HoldID, part money.Amount) money.Amount {
	h := b.hold(id)
	part = least(part, h.Remaining())
	h.Cleared = sum(h.Cleared, part)
	b.lower(h, part)
	return part
}

func (b *Book) lower(h *Hold, part money.Amount) {
	if part.IsZero() {
		return
	}
	a := b.account(h.Account)
	a.tally(*h, -part.Minor(), 0)
	if !h.IsOpen() {
		a.tally(*h, 0, -h.Fees.Minor())
		part, h.Fees = sum(part, h.Fees), money.Zero(part.Currency())
	}
	a.Held = difference(a.Held, part)
	b.mark(h)
}

func (b *Book) mark(h *Hold) {
	b.changedAccounts[h.Account] = true
	if !b.freshHolds[h.ID] {
		b.changedHolds[h.ID] = true
	}
}

// Post adds a balanced entry. It does not ask what is available: clearing and
// advices must be posted; a caller that may refuse calls MayDebit first. It panics
// when e does not balance.
//
// A posting on a credit account becomes one for each part of the debt that it
// changes, as e.Purpose says. Days of the account that have ended by e.BusinessOn are
// ended first, and the interest of terms that end among them is posted.
func (b *Book) Post(e Entry) error {
	e.check()
	if slices.ContainsFunc(e.Postings, func(p Posting) bool { return b.isCredit(p.Account.ID) }) {
		return b.postCredit(e)
	}
	return b.post(e)
}

func (b *Book) post(e Entry) error {
	moved := make(map[AccountID]money.Amount, 2)
	places := make(map[AccountID]int64, 2)
	for i := range e.Postings {
		p := &e.Postings[i]
		a, kept := b.accounts[p.Account.ID]
		if !kept {
			if p.Account.KeepsBalance || p.Account.Code == "" {
				panic("ledger: posting to an account that was not opened")
			}
			continue // a control account
		}
		before, ok := moved[a.ID]
		if !ok {
			before, places[a.ID] = a.Posted, a.PostingCount
		}
		change := p.Amount
		if p.Side != a.Kind.Normal() {
			change = change.Neg()
		}
		after, err := before.Add(change)
		if err != nil {
			return fmt.Errorf("post to %s: %w", a.ID, err)
		}
		places[a.ID]++
		moved[a.ID], p.After, p.Position = after, after, places[a.ID]
	}
	for id, after := range moved {
		b.accounts[id].Posted, b.accounts[id].PostingCount = after, places[id]
		b.changedAccounts[id] = true
	}
	b.entries = append(b.entries, e)
	return nil
}

// MayDebit reports ErrInsufficientFunds unless amount is available on the
// account.
func (b *Book) MayDebit(a AccountID, amount money.Amount) error {
	if b.account(a).Available().Cmp(amount) < 0 {
		return ErrInsufficientFunds
	}
	return nil
}

func (b *Book) account(a AccountID) *Account {
	p, ok := b.accounts[a]
	if !ok {
		panic("ledger: account " + a.String() + " was not opened")
	}
	return p
}

func (b *Book) hold(h HoldID) *Hold {
	p, ok := b.holds[h]
	if !ok {
		panic("ledger: hold " + h.String() + " was not opened")
	}
	return p
}

// Write puts everything that changed into the database, in id order. The book
// must not be used afterwards.
func (b *Book) Write(ctx context.Context, tx db.Tx) error {
	if err := b.writeControls(ctx, tx); err != nil {
		return fmt.Errorf("write control accounts: %w", err)
	}
	if err := b.writeAccounts(ctx, tx); err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	if err := b.writeHolds(ctx, tx); err != nil {
		return fmt.Errorf("write holds: %w", err)
	}
	if err := b.writeEntries(ctx, tx); err != nil {
		return fmt.Errorf("write entries: %w", err)
	}
	if err := b.writeCredit(ctx, tx); err != nil {
		return fmt.Errorf("write credit lines: %w", err)
	}
	return nil
}

func sorted[K interface {
	comparable
	Compare(K) int
}, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, K.Compare)
	return keys
}
