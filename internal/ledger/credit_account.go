package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CreditLine is the line of a credit account. It is one account's, under the lock
// of the account's row.
type CreditLine struct {
	*line.Line
	CashHeld int64  // what open holds for cash have remaining, in minor units
	Terms    string // the code of its terms
	OpenedOn clock.Date
	// Shares are what single holders may take of it, by holder; who has none may
	// take all.
	Shares map[string]*Share
}

// Purpose is what an entry is for, to a credit account. The zero value is a domestic
// purchase, or a payment, as the side of the account says.
type Purpose struct {
	Kind   line.Kind
	Region line.Region
	// GivesBack says that a credit takes back what was debited on Booked, instead of
	// paying.
	GivesBack bool
	Booked    clock.Date
	// Holder is whose doing it is, of those who share the line, opaque here; empty is
	// the line's own.
	Holder string
}

// text is the stored form.
func (p Purpose) text() string {
	t := line.Bucket{Region: p.Region, Kind: p.Kind}.String()
	if p.GivesBack {
		t += " " + p.Booked.String()
	}
	if p.Holder != "" {
		t += " " + holderMark + p.Holder
	}
	return t
}

// holderMark stands before the holder in the stored form of a purpose.
const holderMark = "@"

// parsePurpose reads what Purpose.text wrote.
func parsePurpose(text string) (p Purpose, err error) {
	words := strings.Split(text, " ")
	b, err := line.ParseBucket(words[0])
	if err != nil {
		return p, err
	}
	p = Purpose{Kind: b.Kind, Region: b.Region}
	for _, word := range words[1:] {
		if holder, named := strings.CutPrefix(word, holderMark); named {
			p.Holder = holder
			continue
		}
		p.GivesBack = true
		if p.Booked, err = clock.ParseDate(word); err != nil {
			return p, err
		}
	}
	return p, nil
}

// tell lets a line know of a movement on its account.
func (p Purpose) tell(l *line.Line, side Side, minor int64) []line.Part {
	switch {
	case side == Debit:
		return l.Spend(p.Region, p.Kind, minor)
	case p.GivesBack:
		return l.GiveBack(p.Region, p.Kind, minor, p.Booked)
	}
	return l.Pay(minor)
}

// AvailableCash is what a new hold for cash may take.
func (a Account) AvailableCash() money.Amount {
	if a.Credit == nil {
		return a.Available()
	}
	v, err := money.New(a.Credit.RemainingCash(a.Held.Minor(), a.Credit.CashHeld), a.Currency)
	if err != nil {
		return money.Zero(a.Currency)
	}
	return v
}

// AvailableTo is what a holder may take: of what is available, no more than is left
// of its share.
func (a Account) AvailableTo(holder string) money.Amount { return a.within(holder, a.Available()) }

// AvailableCashTo is AvailableTo of cash.
func (a Account) AvailableCashTo(holder string) money.Amount {
	return a.within(holder, a.AvailableCash())
}

// gives is what an account gives for a hold.
func (a Account) gives(h Hold) money.Amount {
	if h.IsCash {
		return a.AvailableCashTo(h.Holder)
	}
	return a.AvailableTo(h.Holder)
}

// tally adds to what is held, for cash and by holders, besides what is of fees.
func (a *Account) tally(h Hold, minor, fees int64) {
	if a.Credit == nil {
		return
	}
	if h.IsCash {
		a.Credit.CashHeld += minor
	}
	if s := a.Credit.Shares[h.Holder]; s != nil {
		s.Held += minor + fees
	}
}

func (b *Book) isCredit(a AccountID) bool {
	p, opened := b.accounts[a]
	return opened && p.Credit != nil
}

// creditCut is a term of an account that ended.
type creditCut struct {
	account  AccountID
	cut      line.Cut
	position int64  // of the account's last posting in it
	state    string // of the line after it
}

// postCredit is Post of an entry that moves credit accounts.
func (b *Book) postCredit(e Entry) error {
	e.Postings = e.merged() // the mirror of parts is divided anew
	for _, p := range e.Postings {
		if !b.isCredit(p.Account.ID) {
			continue
		}
		a := b.account(p.Account.ID)
		if _, err := a.Posted.Add(p.Amount); err != nil {
			return fmt.Errorf("post to %s: %w", a.ID, err)
		}
		if _, err := a.Posted.Sub(p.Amount); err != nil {
			return fmt.Errorf("post to %s: %w", a.ID, err)
		}
		if err := b.RollCredit(a.ID, e.BusinessOn, e.At); err != nil {
			return err
		}
	}
	lines := map[AccountID]*line.Line{}
	var postings []Posting
	for _, p := range e.Postings {
		if !b.isCredit(p.Account.ID) {
			postings = append(postings, p)
			continue
		}
		l := lines[p.Account.ID]
		if l == nil {
			l = b.account(p.Account.ID).Credit.Clone()
			lines[p.Account.ID] = l
		}
		postings = append(postings, divide(p, e.Purpose.tell(l, p.Side, p.Amount.Minor()), e.Purpose)...)
	}
	whole := e.Postings
	e.Postings = postings
	if err := b.post(e); err != nil {
		return err
	}
	for id, l := range lines {
		b.account(id).Credit.Line = l
	}
	for _, p := range whole {
		if b.isCredit(p.Account.ID) {
			b.account(p.Account.ID).Credit.Shares[e.Purpose.Holder].move(e.Purpose, p.Side, p.Amount.Minor())
		}
	}
	return nil
}

// divide makes a posting for each part of a movement.
func divide(p Posting, parts []line.Part, purpose Purpose) []Posting {
	all := make([]Posting, len(parts))
	for i, part := range parts {
		q := p
		minor := max(part.Amount, -part.Amount)
		q.Amount, q.Part = amount(minor, p.Amount.Currency()), part.Bucket.String()
		if i == 0 {
			q.purpose = purpose.text()
		}
		all[i] = q
	}
	return all
}

// RollCredit ends all days of a credit account before a day, and posts the interest
// of the terms that end among them, at a moment. Days that have ended stay so.
func (b *Book) RollCredit(id AccountID, to clock.Date, at time.Time) error {
	a := b.account(id)
	if !a.Credit.Day.Before(to) {
		return nil
	}
	l := a.Credit.Clone()
	for l.Day.Before(to) {
		stop := l.Terms.NextCut(l.Day).AddDays(1)
		if to.Before(stop) {
			stop = to
		}
		for _, cut := range l.Roll(stop) {
			if err := b.charge(a, cut, at); err != nil {
				return err
			}
			b.cuts = append(b.cuts, creditCut{id, cut, a.PostingCount, l.Text()})
			a.Credit.beginTerm()
		}
	}
	a.Credit.Line = l
	b.changedAccounts[id] = true
	return nil
}

// SetCreditLimit gives a credit account another limit from now on. What is owed or
// held beyond it stays so.
func (b *Book) SetCreditLimit(id AccountID, limit money.Amount) {
	b.account(id).Credit.Limit = limit.Minor()
	b.changedAccounts[id] = true
}

var levies = map[line.Levy]struct{ account, description string }{
	line.InterestLevy: {CreditInterest, "Interest"}, line.KKDFLevy: {KKDFTax, "KKDF"}, line.BSMVLevy: {BSMVTax, "BSMV"},
}

// charge posts what a cut charged, of which the line knows already.
func (b *Book) charge(a *Account, cut line.Cut, at time.Time) error {
	for _, c := range cut.Charges {
		what := levies[c.Levy]
		purpose := Purpose{Kind: line.Interest, Region: c.Region}
		whole := Move(*a, Control(a.Tenant, what.account, a.Currency), amount(c.Amount, a.Currency))
		key := fmt.Sprintf("cut:%s:%s:%s:%s", a.ID, cut.On, c.Region, what.account)
		e := Entry{
			ID: id.FromBytes[Entry](named(a.Tenant.String(), key)), Tenant: a.Tenant, Event: chargeEvent, Key: key,
			Description: what.description, BusinessOn: cut.On, At: at,
			Postings: append(divide(whole[0], c.Parts, purpose), whole[1]), Purpose: purpose,
		}
		if err := b.post(e); err != nil {
			return fmt.Errorf("charge %s: %w", what.description, err)
		}
	}
	return nil
}

// NewCreditAccount is a credit account that is to be opened.
type NewCreditAccount struct {
	Number   string
	Owner    string // whose it is, opaque here
	Currency money.Currency
	Limit    money.Amount
	Terms    string // the code of terms of the tenant
	From     clock.Date
}

// Cut is a term of a credit account that ended.
type Cut struct {
	line.Cut
	// First and Last are the positions of its postings in the account's statement;
	// Last is below First where there were none.
	First, Last int64
}

// regionText is the stored form of what a cut says of a region.
func regionText(r line.CutRegion) string {
	return fmt.Sprint(r.Debt, r.Minimum, r.Outstanding, r.Interest, r.KKDF, r.BSMV)
}

func parseRegion(text string) (r line.CutRegion, err error) {
	_, err = fmt.Sscan(text, &r.Debt, &r.Minimum, &r.Outstanding, &r.Interest, &r.KKDF, &r.BSMV)
	return r, err
}

// sortCuts orders what is written by account and date.
func sortCuts(all []creditCut) {
	slices.SortFunc(all, func(a, b creditCut) int {
		return cmp.Or(a.account.Compare(b.account), strings.Compare(a.cut.On.String(), b.cut.On.String()))
	})
}
