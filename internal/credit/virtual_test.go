package credit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// inHand makes a card usable at the world's terminals.
func (b *bank) inHand(made credit.VirtualCard) *authorizationtest.Card {
	b.T.Helper()
	c := &authorizationtest.Card{Token: made.Card.Token, AccountNo: made.Issuance.AccountNo, Account: made.Issuance.Account, PIN: "4712"}
	_, err := b.Issuing.SetPIN(b.T.Context(), b.Caller, c.Token, issuing.PINInput{Clear: secret.FromString(c.PIN)}, false, "Api")
	b.must(err)
	c.Clear, err = b.Issuing.RevealCard(b.T.Context(), b.Caller, c.Token, 0)
	b.must(err)
	return c
}

// A virtual card spends its own limit of the line, and after the next cut another.
func TestCreateVirtualCard_hasALimitOfItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		_, card := b.open("1000")
		made, err := b.credit.CreateVirtualCard(t.Context(), b.Caller, card.Token, credit.Share{Limit: "750", Next: "20"})
		b.must(err)
		if made.Left != 4 || made.Issuance.Parent.IsZero() {
			t.Errorf("%d are left, it is %s", made.Left, made.Issuance.Ownership())
		}
		virtual := b.inHand(made)
		if b.buy(virtual, 750_01, "TR") || !b.buy(virtual, 750_00, "TR") || b.buy(virtual, 1, "TR") {
			t.Error("it does not spend its limit")
		}
		if !b.buy(card, 250_00, "TR") {
			t.Error("the main card cannot spend the rest of the line")
		}
		b.pay(card.AccountNo, 1_000_00)
		b.night(time.March, 15)
		b.day(time.March, 16)
		if b.buy(virtual, 20_01, "TR") || !b.buy(virtual, 20_00, "TR") {
			t.Error("its limit after the cut is another")
		}
		none, err := b.credit.CreateVirtualCard(t.Context(), b.Caller, card.Token, credit.Share{})
		b.must(err)
		if b.buy(b.inHand(none), 1, "TR") {
			t.Error("a card without a limit spent")
		}
		b.verify()
	})
}

// However many ask at once, a main card has no more than five.
func TestCreateVirtualCard_isNotMadeTooOften(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		_, card := b.open("1000")
		var made, refused atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, err := b.credit.CreateVirtualCard(t.Context(), b.Caller, card.Token, credit.Share{Limit: "1"})
				switch f, ok := fault.As(err); {
				case err == nil:
					made.Add(1)
				case ok && f.Code == "max_virtual_card_count_exceeded":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if made.Load() != 5 || refused.Load() != 3 {
			t.Errorf("%d were made and %d refused", made.Load(), refused.Load())
		}
		prepaid := b.NewCardAs(issuing.NewCard{ProductCode: "P1", FormFactor: program.Virtual}, "0.00")
		_, err := b.credit.CreateVirtualCard(t.Context(), b.Caller, prepaid.Token, credit.Share{})
		if f, ok := fault.As(err); !ok || f.Code != "credit_card_elsewhere" {
			t.Errorf("of a prepaid card: %v", err)
		}
		b.verify()
	})
}
