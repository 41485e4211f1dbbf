package ledger

import "github.com/sarraf-platform/sarraf/internal/ledger/line"

// chargeEvent is the event of what a cut charges.
const chargeEvent = "C1"

// Movement is what one entry did to a credit account.
type Movement struct {
	Entry Entry // without postings
	Side  Side
	Minor int64 // of the account's currency, above zero
	// Parts says what it changed, in minor units. What is in credit grows with a
	// payment, all else shrinks.
	Parts map[line.Bucket]int64
	// First and Last are the positions of its postings in the account's statement.
	First, Last int64
}

// IsCharge reports whether a cut charged it: interest, or a tax on that.
func (m Movement) IsCharge() bool { return m.Entry.Event == chargeEvent }

// Levy is what a cut charged with it.
func (m Movement) Levy() line.Levy {
	for levy, what := range levies {
		if m.IsCharge() && what.description == m.Entry.Description {
			return levy
		}
	}
	return line.InterestLevy
}
