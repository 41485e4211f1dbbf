package credit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
)

// Statement is what a term of a credit account ended with. It is made once and never
// changed.
type Statement struct {
	AccountNo string // as the account is called now
	Number    int    // from 1, without gaps
	Begins    clock.Date
	ledger.Cut
	Totals
	// Hash is that of the entries of the term; see hashOf.
	Hash string
}

// Totals are the figures of a statement, in minor units. Opening and Closing are
// what is owed less what is in credit:
//
//	Closing = Opening + Purchases + Cash + Fees + Interest + Taxes − Refunds − Payments
type Totals struct {
	Opening, Closing               int64
	Purchases, Cash, Refunds       int64
	Fees                           int64 // with their taxes, less those given back
	Interest, Taxes                int64
	Payments                       int64
	Points, PointsSoFar            int64 // of the term, and of all terms; in tenths
	MovementCount                  int64
	closingDomestic, closingAbroad int64
}

// text is the stored form.
func (t Totals) text() string { return strings.Trim(fmt.Sprint(t.figures()), "[]") }

func (t Totals) figures() []int64 {
	return []int64{t.Opening, t.Closing, t.Purchases, t.Cash, t.Refunds, t.Fees, t.Interest, t.Taxes, t.Payments, t.Points, t.PointsSoFar, t.MovementCount,
		t.closingDomestic, t.closingAbroad}
}

func parseTotals(text string) (t Totals, err error) {
	_, err = fmt.Sscan(text, &t.Opening, &t.Closing, &t.Purchases, &t.Cash, &t.Refunds, &t.Fees, &t.Interest, &t.Taxes, &t.Payments,
		&t.Points, &t.PointsSoFar, &t.MovementCount, &t.closingDomestic, &t.closingAbroad)
	return t, err
}

// totalsOf is what the movements of a term make of what the one before ended with.
func totalsOf(terms line.Terms, before Totals, movements []ledger.Movement) Totals {
	t := Totals{Opening: before.Closing, Closing: before.Closing, PointsSoFar: before.PointsSoFar,
		closingDomestic: before.closingDomestic, closingAbroad: before.closingAbroad, MovementCount: int64(len(movements))}
	for _, m := range movements {
		minor := m.Minor
		if m.Side == ledger.Credit {
			minor = -minor
		}
		t.Closing += minor
		switch kindOf(m) {
		case LineInterest:
			t.Interest += minor
		case LineKKDF, LineBSMV:
			t.Taxes += minor
		case LineFee:
			t.Fees += minor
		case LineRefund:
			t.Refunds -= minor
		case LinePayment:
			t.Payments -= minor
		case LineCash:
			t.Cash += minor
		case LinePurchase:
			t.Purchases += minor
		}
		t.Points += pointsOf(terms, m)
		for b, change := range m.Parts {
			switch {
			case b.IsCredit:
			case b.Region == line.Domestic:
				t.closingDomestic += change
			default:
				t.closingAbroad += change
			}
		}
	}
	t.PointsSoFar += t.Points
	return t
}

// pointsOf is what points a movement brings, in tenths: a purchase by card some, what
// comes back of it takes as many.
func pointsOf(terms line.Terms, m ledger.Movement) int64 {
	p := m.Entry.Purpose
	switch {
	case m.Entry.Transaction == "" || p.Kind != line.Retail || m.IsCharge():
		return 0
	case m.Side == ledger.Debit:
		return terms.PointsOf(m.Minor)
	case p.GivesBack:
		return -terms.PointsOf(m.Minor)
	}
	return 0
}

// hashOf is the SHA-256 of the movements of a term in their order: of each, the
// identifier of the entry, its side and what it is for, as uint32 length and bytes,
// then its amount, its positions and, in the order of [line.Buckets], what it changes
// of each part, as int64; all big-endian.
func hashOf(movements []ledger.Movement) string {
	h := sha256.New()
	for _, m := range movements {
		p := m.Entry.Purpose
		for _, text := range []string{m.Entry.ID.String(), string(m.Side), fmt.Sprint(p.Region, p.Kind, p.GivesBack, p.Booked, p.Holder)} {
			number(h, uint32(len(text)))
			h.Write([]byte(text))
		}
		number(h, m.Minor)
		number(h, m.First)
		number(h, m.Last)
		for _, b := range line.Buckets() {
			number(h, m.Parts[b])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func number(h hash.Hash, v any) {
	if err := binary.Write(h, binary.BigEndian, v); err != nil {
		panic("credit: a hash refused a number") // it never does
	}
}

// next is the statement of a cut that follows the statement before; the zero
// Statement is none.
func (s Statement) next(opened clock.Date, terms line.Terms, cut ledger.Cut, movements []ledger.Movement) Statement {
	n := Statement{Number: s.Number + 1, Begins: opened, Cut: cut, Totals: totalsOf(terms, s.Totals, movements), Hash: hashOf(movements)}
	if s.Number > 0 {
		n.Begins = s.On.AddDays(1)
	}
	return n
}

// wrong says in what a statement differs from what the entries make; empty is in
// nothing.
func (s Statement) wrong(made Statement) string {
	switch {
	case s.Number != made.Number || s.Begins != made.Begins:
		return "its period"
	case s.Hash != made.Hash:
		return "its entries"
	case s.Totals != made.Totals:
		return "its totals"
	case s.closingDomestic != s.Regions[line.Domestic].Debt || s.closingAbroad != s.Regions[line.Abroad].Debt:
		return "its debt"
	case s.Opening+s.Purchases+s.Cash+s.Fees+s.Interest+s.Taxes-s.Refunds-s.Payments != s.Closing:
		return "its sum"
	}
	return ""
}

// Name is what a statement of an account is called.
func (s Statement) Name(accountNo string) string {
	return fmt.Sprintf("%s-%04d%02d%02d", accountNo, s.On.Year, s.On.Month, s.On.Day)
}
