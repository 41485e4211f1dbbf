package clearing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// MatchStatus says how a record fits what was authorized (contract §18.3).
type MatchStatus string

// The statuses that a record can get. AuthOpen and AuthExpired of the contract
// are about authorizations without a record.
const (
	Matched               MatchStatus = "Matched"
	MatchedWithDifference MatchStatus = "MatchedWithDifference"
	PartiallyCleared      MatchStatus = "PartiallyCleared"
	AmountExceeded        MatchStatus = "AmountExceeded"
	LatePresentment       MatchStatus = "LatePresentment"
	ForcePost             MatchStatus = "ForcePost"
	Duplicate             MatchStatus = "Duplicate"
	RefundMatched         MatchStatus = "RefundMatched"
	RefundUnmatched       MatchStatus = "RefundUnmatched"
	ReversalOfClearing    MatchStatus = "ReversalOfClearing"
	CardInvalid           MatchStatus = "CardInvalid"
	OnlineFinancial       MatchStatus = "OnlineFinancial"
	// Unbillable is ours: no amount of the record is in the account's
	// currency, and none is guessed.
	Unbillable MatchStatus = "Unbillable"
)

// day is 24 hours: windows are counted from the moment of authorization.
const day = 24 * time.Hour

// rule is one way to find the authorization of a record. The rules run in their
// order and the first that finds one wins (contract acquiring-clearing §5.1).
type rule struct {
	name   string
	window time.Duration
	// weak rules look only at what still waits for its presentment, and more
	// than one life cycle found is as good as none.
	weak bool
	// fits compares a record with one message of a life cycle; within says that
	// the amount is within tolerance of what is left of it.
	fits func(p *Presentment, t *authorization.Transaction, within bool) bool
}

var rules = []rule{
	{name: "LifeCycle", window: 45 * day, fits: func(p *Presentment, t *authorization.Transaction, _ bool) bool {
		return p.NetworkTransactionID != "" && p.NetworkTransactionID == t.NetworkTransactionID
	}},
	{name: "CodeAndMerchant", window: 35 * day, fits: func(p *Presentment, t *authorization.Transaction, within bool) bool {
		return within && sameCode(p, t) && same(p.CardAcceptorID, t.Message.CardAcceptorID) &&
			(p.TerminalID == "" || t.Message.TerminalID == "" || same(p.TerminalID, t.Message.TerminalID))
	}},
	{name: "CodeAndCategory", window: 35 * day, fits: func(p *Presentment, t *authorization.Transaction, within bool) bool {
		return within && sameCode(p, t) && same(p.MCC, t.Message.MCC)
	}},
	{name: "ReferenceAndTerminal", window: 10 * day, fits: func(p *Presentment, t *authorization.Transaction, _ bool) bool {
		return same(p.TerminalID, t.Message.TerminalID) &&
			(same(p.RRN, t.Message.RRN) || p.RRN == "" && same(p.STAN, t.Message.STAN))
	}},
	{name: "MerchantAndAmount", window: 10 * day, weak: true, fits: func(p *Presentment, t *authorization.Transaction, _ bool) bool {
		return p.Transaction == t.Amount && sameMerchant(p.MerchantName, t.Message.MerchantName) &&
			apart(p.LocalTime, t.CreatedAt) <= 3*day
	}},
}

// refundWindow is how far back the purchase of a refund is looked for.
const refundWindow = 120 * day

// windowMax is the longest window of the rules.
func windowMax() time.Duration {
	return slices.MaxFunc(rules, func(a, b rule) int { return cmp.Compare(a.window, b.window) }).window
}

// same compares fields that networks pad with spaces; two empty ones are not
// the same.
func same(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a != "" && a == b
}

func sameCode(p *Presentment, t *authorization.Transaction) bool {
	return same(p.AuthorizationCode, t.AuthorizationCode)
}

// merchantPrefix is how much of a merchant's name must agree: terminals and
// clearing cut it at different places.
const merchantPrefix = 12

func sameMerchant(a, b string) bool {
	cut := func(s string) string {
		r := []rune(strings.ToUpper(strings.Join(strings.Fields(s), " ")))
		return string(r[:min(len(r), merchantPrefix)])
	}
	return same(cut(a), cut(b))
}

func apart(a, b time.Time) time.Duration { return a.Sub(b).Abs() }

// chain is a life cycle: what was approved or posted under one first message.
type chain struct {
	head *authorization.Transaction
	// posted is the member whose own message moved the money, if any.
	posted  *authorization.Transaction
	members []*authorization.Transaction // head included
	hold    ledger.HoldID
}

func newChain(head *authorization.Transaction, members []*authorization.Transaction) *chain {
	c := &chain{head: head, members: members, hold: head.Hold}
	for _, m := range members {
		if m.IsPosted() {
			c.posted = m
		}
	}
	return c
}

// left is what may still be presented for the life cycle: nothing of it was
// presented or taken back yet. For what was declined or reversed it is what
// was asked for, so that its late presentment is recognised.
func (c *chain) left(book *ledger.Book) money.Amount {
	zero := money.Zero(c.head.Billing.Currency())
	switch {
	case c.posted != nil && c.posted.Status != authorization.StatusReversed:
		return atLeast(zero, c.posted.Outstanding(), c.posted.Cleared)
	case c.head.Status.IsUndone() || c.head.Status == authorization.StatusDeclined:
		return c.head.Billing
	}
	h, held := book.Hold(c.hold)
	switch {
	case !held:
		return atLeast(zero, c.head.Outstanding(), c.head.Cleared)
	case h.IsOpen():
		return h.Remaining()
	}
	authorized, err := h.Authorized.Sub(h.Reversed)
	if err != nil {
		return zero
	}
	return atLeast(zero, authorized, c.head.Cleared)
}

// atLeast is a − b, but never below zero.
func atLeast(zero, a, b money.Amount) money.Amount {
	d, err := a.Sub(b)
	if err != nil || d.Sign() < 0 {
		return zero
	}
	return d
}

// The ranks of life cycles: the more alive, the better.
const (
	alive = iota
	expired
	cleared
	reversed
	declined
)

// rank orders what a rule finds.
func (c *chain) rank() int {
	switch {
	case c.posted != nil && c.posted.Status != authorization.StatusReversed && c.posted.Cleared.IsZero(), c.head.Status.HoldsMoney():
		return alive
	case c.head.Status == authorization.StatusExpired:
		return expired
	case c.head.Status.IsUndone():
		return reversed
	case c.head.Status == authorization.StatusDeclined:
		return declined
	}
	return cleared
}

// candidate is a message that shares a trait with a record, and its life cycle.
type candidate struct {
	message *authorization.Transaction
	chain   *chain
}

// find runs the rules over the candidates. within tells whether the record's
// amount is within tolerance of a life cycle.
func find(p *Presentment, all []candidate, now time.Time, stretch time.Duration, within func(*chain) bool) (*chain, string) {
	for _, r := range rules {
		var best *chain
		several := false
		for _, c := range all {
			if now.Sub(c.message.CreatedAt) > max(r.window, stretch) || !r.fits(p, c.message, within(c.chain)) ||
				r.weak && c.chain.rank() > expired {
				continue
			}
			several = several || best != nil && best.head.ID != c.chain.head.ID
			// Candidates come oldest first, so that of equals the newest stays.
			if best == nil || c.chain.rank() <= best.rank() {
				best = c.chain
			}
		}
		if best != nil && !(r.weak && several) {
			return best, r.name
		}
	}
	return nil, ""
}

// fuelMCC is automated fuel dispensing: authorized for one unit or an estimate,
// cleared for what was tanked. fuelCaps, in minor units, are the default caps
// for that (schemes set theirs per country); in other currencies the ordinary
// tolerance holds.
const fuelMCC = "5542"

var fuelCaps = map[string]int64{"TRY": 750_000, "EUR": 15_000, "USD": 17_500, "GBP": 12_000}

// limit is the most that may be presented where left is authorized: left and
// the tolerance for the merchant's category, or for the drift of rates.
func limit(p *Presentment, left money.Amount, foreign bool, t program.ClearingTolerances) money.Amount {
	rate := money.Rate(0)
	for _, row := range t.ByMCC {
		if inCategories(row.MCCs, p.MCC) {
			rate = row.Rate
			break
		}
	}
	if foreign {
		rate = max(rate, t.FX)
	}
	extra, err := rate.Apply(left, money.Down)
	if err != nil {
		return left
	}
	most, err := left.Add(extra)
	if err != nil {
		return left
	}
	if minor, capped := fuelCaps[left.Currency().Code()]; capped && p.MCC == fuelMCC {
		if fuel, err := money.New(minor, left.Currency()); err == nil && fuel.Cmp(most) > 0 {
			return fuel
		}
	}
	return most
}

// inCategories reports whether an MCC is in a list of codes and ranges.
func inCategories(list []string, mcc string) bool {
	for _, m := range list {
		from, to, isRange := strings.Cut(m, "-")
		if m == mcc || isRange && from <= mcc && mcc <= to {
			return true
		}
	}
	return false
}
