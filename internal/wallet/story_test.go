package wallet_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// story is wallets to which things happen, beside what they must be then.
type story struct {
	*world
	random  *rand.Rand
	wallets []wallet.Standing
	models  []model
	paid    []payment
	gone    []withdrawal
	month   int
}

type payment struct {
	id                        wallet.ID
	from, to, month           int
	amount, ofPayment         int64
	refunded, refundedPayment int64
	settled                   bool
}

type withdrawal struct {
	id          wallet.ID
	from, month int
	amount      int64
	status      wallet.Status
}

func newStory(t *testing.T, w *world, random *rand.Rand) *story {
	t.Helper()
	s := &story{world: w, random: random}
	for i, no := range []string{"A", "B", "C", "D"} {
		kind, level := wallet.Personal, wallet.Contracted
		if i >= 2 {
			kind = wallet.Business
		}
		if i == 1 {
			level = wallet.Unknown
		}
		s.wallets = append(s.wallets, w.open(no, kind, level))
	}
	s.models = make([]model, len(s.wallets))
	s.newMonth()
	return s
}

const noLimit = -1

// limit is what a level lets move; a personal account that is not known has no
// limit of transfers and withdrawals.
func (s *story) limit(i int, k wallet.LimitKind) int64 {
	if i != 1 {
		return 20_000_000
	}
	if k == wallet.OnTransfer || k == wallet.OnWithdrawal {
		return noLimit
	}
	return 125_000
}

func (m model) total() int64 { return m.payment + m.cash + m.held }

func (s *story) takes(i int, amount int64) bool {
	m := s.models[i]
	return m.incoming+amount <= s.limit(i, wallet.OnTopup) && m.total()+amount <= s.limit(i, wallet.OnBalance)
}

// tell lets n things happen.
func (s *story) tell(n int) {
	steps := []func(){s.topUpByCard, s.topUpByBank, s.transfer, s.pay, s.pay, s.refund, s.refund, s.takeOut, s.bankAnswers, s.settleAll, s.sleep}
	for range n {
		steps[s.random.IntN(len(steps))]()
		if s.t.Failed() {
			return
		}
		s.compare()
	}
	s.holds()
}

func (s *story) some() int     { return s.random.IntN(len(s.wallets)) }
func (s *story) amount() int64 { return 1 + s.random.Int64N(90_000) }
func (s *story) expect(what string, err error, want bool) bool {
	s.t.Helper()
	if (err == nil) != want {
		s.t.Errorf("%s: got %v, want success %v", what, err, want)
	}
	return err == nil
}

func (s *story) topUpByCard() {
	i, a := s.some(), s.amount()
	if s.expect("card", s.card(s.wallets[i], a), s.takes(i, a)) {
		s.models[i].payment += a
		s.models[i].incoming += a
	}
}

func (s *story) topUpByBank() {
	i, a := s.some(), s.amount()
	if s.expect("bank", s.bank(s.wallets[i], a), s.takes(i, a)) {
		s.models[i].cash += a
		s.models[i].incoming += a
	}
}

func (s *story) transfer() {
	i, j, a := s.some(), s.some(), s.amount()
	kinds := wallet.Parties{From: s.wallets[i].Account.Kind, To: s.wallets[j].Account.Kind}
	_, err := s.TransferCash(s.t.Context(), s.caller, kinds, between(s.key(), s.wallets[i], s.wallets[j], a))
	may := i != j && s.models[i].transfers+a <= s.limit(i, wallet.OnTransfer) && s.takes(j, a) && s.models[i].cash >= a
	if s.expect("transfer", err, may) {
		s.models[i].cash -= a
		s.models[i].transfers += a
		s.models[j].cash += a
		s.models[j].incoming += a
	}
}

func (s *story) pay() {
	i, j, a := s.some(), 2+s.random.IntN(2), s.amount()
	m := s.models[i]
	moved, err := s.Pay(s.t.Context(), s.caller, between(s.key(), s.wallets[i], s.wallets[j], a))
	if !s.expect("payment", err, i != j && m.payments+a <= s.limit(i, wallet.OnPayment) && m.payment+m.cash >= a) {
		return
	}
	card := min(m.payment, a)
	s.models[i].payment -= card
	s.models[i].cash -= a - card
	s.models[i].payments += a
	s.models[j].held += a
	s.paid = append(s.paid, payment{id: moved.Transaction.ID, from: i, to: j, month: s.month, amount: a, ofPayment: card})
}

func (s *story) refund() {
	if len(s.paid) == 0 {
		return
	}
	p := &s.paid[s.random.IntN(len(s.paid))]
	a := 1 + s.random.Int64N(p.amount)
	_, err := s.GiveBack(s.t.Context(), s.caller, wallet.NewRefund{ExternalID: s.key(), Original: p.id, Amount: lira(a)})
	if !s.expect("refund", err, a <= p.amount-p.refunded && (!p.settled || s.models[p.to].cash >= a)) {
		return
	}
	card := min(a, p.ofPayment-p.refundedPayment)
	p.refunded += a
	p.refundedPayment += card
	s.models[p.from].payment += card
	s.models[p.from].cash += a - card
	if p.month == s.month {
		s.models[p.from].payments -= a
	}
	if p.settled {
		s.models[p.to].cash -= a
	} else {
		s.models[p.to].held -= a
	}
}

func (s *story) takeOut() {
	i, a := s.some(), s.amount()
	id, err := s.withdraw(s.wallets[i], a)
	if s.expect("withdrawal", err, s.models[i].withdrawal+a <= s.limit(i, wallet.OnWithdrawal) && s.models[i].cash >= a) {
		s.models[i].cash -= a
		s.models[i].held += a
		s.models[i].withdrawal += a
		s.gone = append(s.gone, withdrawal{id, i, s.month, a, wallet.Requested})
	}
}

func (s *story) bankAnswers() {
	if len(s.gone) == 0 {
		return
	}
	g := &s.gone[s.random.IntN(len(s.gone))]
	to := []wallet.Status{wallet.Sent, wallet.Completed, wallet.Failed}[s.random.IntN(3)]
	_, err := s.AdvanceWithdrawal(s.t.Context(), s.caller, g.id, to)
	may := g.status == wallet.Requested && to != wallet.Completed || g.status == wallet.Sent && to != wallet.Sent
	if !s.expect("answer", err, may) {
		return
	}
	m := &s.models[g.from]
	if g.status == wallet.Requested {
		m.held -= g.amount
	}
	if g.status = to; to == wallet.Failed {
		m.cash += g.amount
		if g.month == s.month {
			m.withdrawal -= g.amount
		}
	}
}

// settleAll is the night after every payment so far: the clock moves a day.
func (s *story) settleAll() {
	s.clock.Advance(24 * time.Hour)
	s.newMonth()
	_, err := s.Settle(s.t.Context(), s.tenant)
	s.must(err)
	for i := range s.paid {
		if p := &s.paid[i]; !p.settled {
			p.settled = true
			s.models[p.to].held -= p.amount - p.refunded
			s.models[p.to].cash += p.amount - p.refunded
		}
	}
}

func (s *story) sleep() {
	s.clock.Advance(time.Duration(s.random.IntN(12)) * time.Hour)
	s.newMonth()
}

// newMonth begins the totals anew where the month has ended in Istanbul, three
// hours ahead.
func (s *story) newMonth() {
	at := s.clock.Now().Add(3 * time.Hour)
	if month := at.Year()*12 + int(at.Month()); month != s.month {
		s.month = month
		for i := range s.models {
			m := &s.models[i]
			m.incoming, m.payments, m.transfers, m.withdrawal = 0, 0, 0, 0
		}
	}
}

// compare compares every wallet with what it must be.
func (s *story) compare() {
	s.t.Helper()
	for i, x := range s.wallets {
		got, want := s.show(x), s.models[i]
		b, m := got.Balances, got.Month
		is := model{b.Payment.Minor(), b.Cash.Minor(), b.CashHeld.Minor(), m.Incoming, m.Payments, m.Transfers, m.Withdrawals}
		if is != want || b.PaymentHeld.Minor() != 0 || m.Outgoing() != want.payments+want.transfers+want.withdrawal {
			s.t.Fatalf("wallet %d is %+v, and should be %+v", i, is, want)
		}
		for k, used := range map[wallet.LimitKind]int64{
			wallet.OnTopup: want.incoming, wallet.OnPayment: want.payments, wallet.OnTransfer: want.transfers, wallet.OnWithdrawal: want.withdrawal,
		} {
			if left := max(0, s.limit(i, k)-used); got.Left(k).Minor() != left {
				s.t.Fatalf("wallet %d has %v left of %s, and should have %d", i, got.Left(k), k, left)
			}
		}
	}
}
