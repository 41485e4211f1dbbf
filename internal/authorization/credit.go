package authorization

import (
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// CreditState is what a decision needs of a credit account, as it stands under its
// lock: what may still be spent, and what of it as cash.
type CreditState struct {
	IsCredit              bool
	Remaining, Cash       money.Amount
	BlocksCash, BlocksAll bool // too many minimum payments were missed
}

// creditOf is what a holder may take of an account, if that is a credit account.
func creditOf(a ledger.Account, holder string) CreditState {
	if a.Credit == nil {
		return CreditState{}
	}
	return CreditState{
		IsCredit: true, Remaining: a.AvailableTo(holder), Cash: a.AvailableCashTo(holder),
		BlocksCash: a.Credit.BlocksCash(), BlocksAll: a.Credit.BlocksAll(),
	}
}

func (s *CreditState) visit(c *codec) {
	if c.bool("state.credit", &s.IsCredit); !s.IsCredit {
		return
	}
	c.amount("state.credit.remaining", &s.Remaining)
	c.amount("state.credit.cash", &s.Cash)
	c.bool("state.credit.blocks_cash", &s.BlocksCash)
	c.bool("state.credit.blocks_all", &s.BlocksAll)
}

// isCash says that a transaction draws money, of which a credit account gives less
// and takes more interest.
func (c Code) isCash() bool { return c == CashWithdrawal || c == CashAdvance || c == QuasiCash }

// available is what the account gives for a transaction of this kind.
func (s State) available(code Code) money.Amount {
	k := s.Credit
	switch {
	case !k.IsCredit:
		return ledger.Account{Currency: s.Posted.Currency(), Posted: s.Posted, Held: s.Held}.Available()
	case k.BlocksAll || k.BlocksCash && code.isCash():
		return money.Zero(s.Posted.Currency())
	case code.isCash():
		return k.Cash
	}
	return k.Remaining
}

// shiftBy is the state of an account on which so much more is posted in the
// cardholder's favour, and held, in minor units.
func (s State) shiftBy(posted, held int64) State {
	if !s.Credit.IsCredit {
		s.Posted, s.Held = shift(s.Posted, posted), shift(s.Held, held)
		return s
	}
	s.Posted, s.Held = shift(s.Posted, -posted), shift(s.Held, held)
	s.Credit.Remaining, s.Credit.Cash = shift(s.Credit.Remaining, posted-held), shift(s.Credit.Cash, posted-held)
	return s
}

// homeCountry is where a debt of a credit account is domestic.
const homeCountry = "TR"

// CreditPurpose is what a transaction is for, to a credit account. What gives back
// a purchase names it; nil is none.
func (t *Transaction) CreditPurpose(of *Transaction) ledger.Purpose {
	where := t.Message.AcquirerCountry
	if where == "" {
		where = t.Message.MerchantCountry
	}
	p := ledger.Purpose{Region: line.Abroad, Holder: t.holder()}
	if where == homeCountry || where == "" {
		p.Region = line.Domestic
	}
	if t.Code.isCash() {
		p.Kind = line.Cash
	}
	if of != nil {
		back := of.CreditPurpose(nil)
		p.Kind, p.Region = back.Kind, back.Region
		p.GivesBack, p.Booked = true, of.BusinessOn
	}
	return p
}

// holder is who of those who share an account did it: the issuance.
func (t *Transaction) holder() string { return t.Issuance.String() }
