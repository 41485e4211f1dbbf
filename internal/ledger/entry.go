package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Side is the side of an account on which an amount stands.
type Side string

// The two sides.
const (
	Debit  Side = "D"
	Credit Side = "C"
)

// Opposite returns the other side.
func (s Side) Opposite() Side {
	if s == Debit {
		return Credit
	}
	return Debit
}

// EntryID identifies an entry.
type EntryID = id.ID[Entry]

// Entry is one balanced movement. It is immutable once written.
type Entry struct {
	ID     EntryID
	Tenant access.TenantID
	// Event is the posting rule, A5, A11, F3 … of contract §8.4, and REV for
	// a mirror.
	Event string
	// Key makes the movement happen once: a second entry of the tenant with the
	// same key fails as a unique violation.
	Key string
	// Transaction is the card transaction this belongs to, if any.
	Transaction string
	// Reverses is the entry this one mirrors, if any.
	Reverses    EntryID
	Description string
	BusinessOn  clock.Date
	At          time.Time
	Postings    []Posting
	// Purpose says what it is for, to a credit account among those it moves. Other
	// accounts do not ask.
	Purpose Purpose
}

// IDPrefix implements id.Entity.
func (Entry) IDPrefix() string { return "entry" }

// Posting is one leg of an entry. Amount is above zero.
type Posting struct {
	Account Account // only ID, Kind, Code, Currency and KeepsBalance matter
	Side    Side
	Amount  money.Amount
	// After is the account's posted balance after this leg, Position its place in
	// the account's statement, for accounts that keep a balance. Set by
	// Book.Post.
	After    money.Amount
	Position int64
	// Part is the part of the debt that it changes, on a credit account. Set by
	// Book.Post, which divides a posting there into its parts.
	Part string
	// purpose is kept with the first of the parts.
	purpose string
}

// Move is the common two-legged entry: amount from the debited to the credited
// account.
func Move(debit, credit Account, amount money.Amount) []Posting {
	return []Posting{{Account: debit, Side: Debit, Amount: amount}, {Account: credit, Side: Credit, Amount: amount}}
}

// Moved is what e posts on a side of an account: of a credit account, which has a
// posting for each part, all of them.
func (e Entry) Moved(account AccountID, side Side) money.Amount {
	var moved money.Amount
	for _, p := range e.Postings {
		switch {
		case p.Account.ID != account || p.Side != side:
		case moved.Currency() == (money.Currency{}):
			moved = p.Amount
		default:
			moved = sum(moved, p.Amount)
		}
	}
	return moved
}

// merged is e with one posting for each side of an account, in the order of their
// first.
func (e Entry) merged() []Posting {
	var all []Posting
	for _, p := range e.Postings {
		at := slices.IndexFunc(all, func(q Posting) bool { return q.Account.ID == p.Account.ID && q.Side == p.Side })
		if at < 0 {
			all = append(all, Posting{Account: p.Account, Side: p.Side, Amount: p.Amount})
		} else {
			all[at].Amount = sum(all[at].Amount, p.Amount)
		}
	}
	return all
}

// Mirror returns the postings of e with their sides exchanged.
func (e Entry) Mirror() []Posting {
	m := make([]Posting, len(e.Postings))
	for i, p := range e.Postings {
		m[i] = Posting{Account: p.Account, Side: p.Side.Opposite(), Amount: p.Amount}
	}
	return m
}

// check panics unless e balances in each currency: an unbalanced entry is a
// fault of ours, never of the caller's data.
func (e Entry) check() {
	if len(e.Postings) < 2 {
		panic("ledger: entry " + e.Event + " has fewer than two postings")
	}
	sums := map[money.Currency]int64{}
	for _, p := range e.Postings {
		if p.Amount.Sign() <= 0 || p.Amount.Currency() != p.Account.Currency {
			panic("ledger: entry " + e.Event + " has a posting that is not above zero in its account's currency")
		}
		if p.Side == Debit {
			sums[p.Amount.Currency()] += p.Amount.Minor()
		} else {
			sums[p.Amount.Currency()] -= p.Amount.Minor()
		}
	}
	for c, sum := range sums {
		if sum != 0 {
			panic(fmt.Sprintf("ledger: entry %s does not balance in %s", e.Event, c))
		}
	}
}
