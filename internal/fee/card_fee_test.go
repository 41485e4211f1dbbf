package fee_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// bank is a world whose cards cost something.
type bank struct {
	*authorizationtest.World
	tenant access.Tenant
}

func newBank(t *testing.T, d *db.DB) *bank { return newBankWith(t, d, authorization.Config{}) }

func newBankWith(t *testing.T, d *db.DB, cfg authorization.Config) *bank {
	w := authorizationtest.NewWith(t, d, cfg)
	tenant, err := w.Access.Tenant(t.Context(), w.Caller)
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{w, tenant}
	b.SetTax(fee.BSMV, "15")
	b.Listen("fee.*", authorization.EventClientMessage)
	return b
}

var everything = []control.Link{{Type: control.LinkGlobal, IsActive: true, Priority: control.LinkPriority}}

func to(t control.LinkType, code string) []control.Link {
	return []control.Link{{Type: t, Code: code, IsActive: true, Priority: control.LinkPriority}}
}

// onIssuance defines a fee for making cards, with BSMV on top.
func (b *bank) onIssuance(code string, minor int64, links []control.Link, events ...fee.Event) {
	b.T.Helper()
	f := fee.NewOnIssuance(code)
	f.Name, f.Currency, f.Amount, f.Events, f.Taxes = code, money.MustCurrency("TRY"), try(minor), events, []fee.TaxUse{{Type: fee.BSMV}}
	b.define(f, links)
}

func (b *bank) define(f fee.OnIssuance, links []control.Link) {
	b.T.Helper()
	if _, _, err := fee.IssuanceFees.Create(b.T.Context(), b.Controls, b.Caller, f, links); err != nil {
		b.T.Fatal(err)
	}
}

// yearly defines an annual fee of 480.00, changed as the test wants.
func (b *bank) yearly(code string, links []control.Link, change func(*fee.Yearly)) {
	b.T.Helper()
	f := fee.NewYearly(code)
	f.Name, f.Currency, f.Amount, f.Taxes = code, money.MustCurrency("TRY"), try(48000), []fee.TaxUse{{Type: fee.BSMV}}
	if change != nil {
		change(&f)
	}
	if _, _, err := fee.AnnualFees.Create(b.T.Context(), b.Controls, b.Caller, f, links); err != nil {
		b.T.Fatal(err)
	}
}

// work does what the jobs do.
func (b *bank) work() {
	b.T.Helper()
	for _, job := range []func() (int, error){
		func() (int, error) { return b.Fees.BeginYears(b.T.Context(), b.tenant) },
		func() (int, error) { return b.Fees.ChargeDue(b.T.Context(), b.tenant) },
	} {
		if _, err := job(); err != nil {
			b.T.Fatal(err)
		}
	}
}

// days lets days pass, with the jobs of each.
func (b *bank) days(n int) {
	b.T.Helper()
	for range n {
		b.Clock.Advance(24 * time.Hour)
		b.work()
	}
}

func (b *bank) load(c *authorizationtest.Card, minor int64) {
	b.T.Helper()
	_, err := b.Ledger.Adjust(b.T.Context(), b.Caller, ledger.Adjustment{
		AccountNo: c.AccountNo, Side: ledger.Credit, Amount: try(minor), Description: "load", Reference: b.Clock.Now().String() + c.Token,
	})
	if err != nil {
		b.T.Fatal(err)
	}
}

// pay posts a purchase at once.
func (b *bank) pay(c *authorizationtest.Card, minor int64) {
	b.T.Helper()
	if a := b.Authorize(b.Request(c, authorization.FinancialRequest, try(minor))); a.ResponseCode != "00" {
		b.T.Fatalf("declined: %+v", a)
	}
}

// posted fails unless the account of a card has so much, with all books in order.
func (b *bank) posted(c *authorizationtest.Card, minor int64) {
	b.T.Helper()
	if got := b.Balance(c).Posted; got != try(minor) {
		b.T.Fatalf("%s: the account has %s, want %s", b.Clock.Now().Format("2006-01-02"), got, try(minor))
	}
	b.Verify()
}

// fees are the fees of a card: code, status and what remains of each.
func (b *bank) fees(c *authorizationtest.Card) []string {
	b.T.Helper()
	card, err := b.Issuing.Card(b.T.Context(), b.Caller, c.Token)
	if err != nil {
		b.T.Fatal(err)
	}
	all, err := b.Fees.CardFees(b.T.Context(), b.Caller, card.Issuance.ID)
	if err != nil {
		b.T.Fatal(err)
	}
	var out []string
	for _, f := range all {
		out = append(out, strings.Join([]string{f.Applied.Code, string(f.Event), string(f.Status), f.Remaining().Decimal()}, " "))
	}
	return out
}

func (b *bank) wantFees(c *authorizationtest.Card, want ...string) {
	b.T.Helper()
	if got := b.fees(c); strings.Join(got, "; ") != strings.Join(want, "; ") {
		b.T.Errorf("got %q, want %q", got, want)
	}
}

// told counts the events of a name, which somebody wants to hear.
func (b *bank) told(name string) (n int) {
	b.T.Helper()
	err := b.DB.View(b.T.Context(), func(tx db.Tx) error {
		waiting, err := outbox.WaitingEvents(b.T.Context(), tx, b.Caller.Tenant.String())
		for _, m := range waiting {
			if m.Name == name {
				n++
			}
		}
		return err
	})
	if err != nil {
		b.T.Fatal(err)
	}
	return n
}

// Of the fees that a new card may cost it is the most specific, with the tax of
// the day; a fee of nothing is an exemption.
func TestCardsMade_costOneFee(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.onIssuance("FIRST", 5000, everything, fee.FirstIssuance)
		b.onIssuance("VIRTUAL", 2000, to(control.LinkProduct, "P1"), fee.VirtualIssuance, fee.AdditionalCard)
		b.onIssuance("NONE", 0, to(control.LinkProduct, "P6"), fee.FirstIssuance)
		paid, exempt := b.NewCard("100.00"), b.NewCardOf("P6", "471247", "100.00")
		b.work()
		b.work()
		b.posted(paid, 7700) // 20.00 and 3.00 of BSMV
		b.posted(exempt, 10000)
		b.wantFees(paid, "VIRTUAL VirtualIssuance Charged 20.00")
		b.wantFees(exempt, "NONE FirstIssuance Free 0.00")
	})
}

// So many replacements in a year cost nothing, and what is due is tried again
// until the account bears it.
func TestCardsMade_replacementsAfterThoseThatAreFree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		f := fee.NewOnIssuance("LOST")
		f.Name, f.Currency, f.Amount, f.Events, f.FreePerYear = "Lost", money.MustCurrency("TRY"), try(5000), []fee.Event{fee.ReplacementLost}, 2
		f.Rule = `"issuance.yearlyRenewalCount < 5 && issuance.renewalReason == 'Lost' && product.code == 'P1'"`
		b.define(f, everything)
		card := b.NewCard("10.00")
		replace := func() {
			t.Helper()
			keep := false
			out, err := b.Issuing.RenewCard(t.Context(), b.Caller, card.Token, issuing.Renewal{Reason: issuing.RenewForLost, KeepNumber: &keep})
			if err != nil {
				t.Fatal(err)
			}
			card.Token = out.New.Card.Token
		}
		for range 3 {
			b.Clock.Advance(time.Hour)
			replace()
		}
		b.work()
		b.posted(card, 1000)
		b.wantFees(card, "LOST ReplacementLost Free 50.00", "LOST ReplacementLost Free 50.00", "LOST ReplacementLost Pending 50.00")
		b.load(card, 5000)
		b.work()
		b.posted(card, 6000) // it is tried once a day
		b.days(1)
		b.posted(card, 1000)

		// Nobody can pay the next one, and it is given up.
		replace()
		b.days(32)
		b.posted(card, 1000)
		if got := b.fees(card); !strings.HasSuffix(got[3], "Failed 50.00") || b.told(fee.EventFailed) != 1 {
			t.Errorf("got %q, told %d times", got, b.told(fee.EventFailed))
		}
		b.load(card, 100000)
		b.days(3)
		b.posted(card, 101000)

		// The next year begins anew.
		b.Clock.Set(time.Date(b.Clock.Now().Year()+1, 1, 2, 9, 0, 0, 0, time.UTC))
		replace()
		b.work()
		b.posted(card, 101000)
	})
}

// Two years of a card: the first is charged when it first pays, the second is
// waived for what it has spent, the third is charged again. Each is told thirty
// days before.
func TestBeginYears_waivesForSpending(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.WaiverSpend, f.FreeFirst = ptr(try(100000)), false })
		card := b.NewCard("5000.00")
		b.days(3)
		b.wantFees(card) // it has not paid yet
		b.pay(card, 10000)
		b.days(1)
		b.posted(card, 500000-10000-55200)
		for range 4 { // on four days, so that each is a year ago on another
			b.days(60)
			b.pay(card, 25000)
		}
		b.days(123)
		b.wantFees(card, "CLASSIC  Charged 480.00")
		if n := b.told(fee.EventUpcoming); n != 1 {
			t.Errorf("told %d times of the second year", n)
		}
		b.days(3)
		b.wantFees(card, "CLASSIC  Charged 480.00", "CLASSIC  Free 480.00")
		b.posted(card, 500000-10000-55200-100000)
		b.days(367)
		b.wantFees(card, "CLASSIC  Charged 480.00", "CLASSIC  Free 480.00", "CLASSIC  Charged 480.00")
		b.posted(card, 500000-10000-55200-100000-55200)
		if n := b.told(fee.EventUpcoming); n != 2 {
			t.Errorf("told %d times of the third year", n)
		}
	})
}

// A year is charged in equal parts; a card that is closed gets back what is left
// of it, to the day.
func TestBeginYears_givesBackWhatIsLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.Instalments, f.Amount = fee.OnOrder, 3, try(36500) })
		card := b.NewCard("1000.00")
		b.work()
		b.posted(card, 100000-12167-1825) // 121.67, the part that takes the rest, and 18.25 of BSMV
		b.days(62)
		b.posted(card, 100000-36500-1825-1825-1825)
		b.cancel(card)
		b.Clock.Advance(9 * 24 * time.Hour) // the job was late
		b.days(1)                           // 63 days are used, the last one too
		used := int64(6300)
		tax := (used*15 + 50) / 100
		got := 100000 - b.Balance(card).Posted.Minor()
		if got < used+tax-1 || got > used+tax+1 { // each part has its tax rounded
			t.Errorf("paid %d of which %d were used, with %d of tax: %q", got, used, tax, b.fees(card))
		}
		b.Verify()
		b.days(400)
		if again := 100000 - b.Balance(card).Posted.Minor(); again != got {
			t.Errorf("a closed card pays: %d, then %d", got, again)
		}
	})
}

// A supplementary card has its own price, a card that is blocked pays when it is
// in use again, and nobody pays for the years it was not.
func TestBeginYears_ofCardsThatMayPay(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.Taxes = fee.OnAnniversary, nil })
	b.yearly("FREE", to(control.LinkProduct, "P6"), func(f *fee.Yearly) { f.Timing, f.Amount = fee.OnOrder, try(0) })
	card, exempt := b.NewCard("1000.00"), b.NewCardOf("P6", "471247", "1000.00")
	status := func(s issuing.CardStatus, r issuing.StatusReason) {
		t.Helper()
		if _, err := b.Issuing.ChangeStatus(t.Context(), b.Caller, card.Token, issuing.NewStatus{Status: s, Reason: r}); err != nil {
			t.Fatal(err)
		}
	}
	b.days(300)
	b.posted(card, 100000)
	status(issuing.Blocked, issuing.ClientRequest)
	b.days(500)
	b.posted(card, 100000)
	status(issuing.Active, issuing.ClientRequest)
	b.days(2)
	b.posted(card, 52000)
	b.wantFees(card, "CLASSIC  Charged 480.00")
	b.wantFees(exempt, "FREE  Free 0.00", "FREE  Free 0.00", "FREE  Free 0.00")
	b.days(290) // two years and 362 days
	b.posted(card, 52000)
	b.days(4)
	b.posted(card, 4000)
}

// Nodes that do the jobs at once charge once.
func TestBeginYears_onceOnManyNodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.onIssuance("FIRST", 1000, everything, fee.FirstIssuance)
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.Instalments = fee.OnOrder, 12 })
		cards := []*authorizationtest.Card{b.NewCard("1000.00"), b.NewCard("1000.00"), b.NewCard("1000.00")}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, err := b.Fees.BeginYears(t.Context(), b.tenant); err != nil {
					t.Error(err)
				}
				if _, err := b.Fees.ChargeDue(t.Context(), b.tenant); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		b.work()
		for _, c := range cards {
			b.posted(c, 100000-1150-4600)
		}
	})
}

// plastics defines a product PL of plastics with loaded accounts, which it returns
// the orders of.
func (b *bank) plastics() func() *authorizationtest.Card {
	b.T.Helper()
	p := program.NewProduct("PL")
	p.Name, p.BINRangeCode, p.CardType, p.Currency = "Plastic", "R1", program.Prepaid, money.MustCurrency("TRY")
	p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer = []program.FormFactor{program.PhysicalCard}, 60, "201", 0
	p.MinKYCLevel = 0
	p.Plastics = []program.Plastic{{
		Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU", EmbossType: program.FlatPrinted,
		Line1MaxLength: 24, Line2MaxLength: 24, ExpressAvailable: true, IsDefault: true, IsActive: true,
	}}
	if _, err := b.Programs.CreateProduct(b.T.Context(), b.Caller, p); err != nil {
		b.T.Fatal(err)
	}
	return func() *authorizationtest.Card {
		b.T.Helper()
		made, err := b.Issuing.IssueCard(b.T.Context(), b.Caller, issuing.NewCard{
			CustomerNo: b.Customer(), ProductCode: "PL", DeliveryMethod: program.ByBranch, BranchCode: "0001", IsExpress: true,
		})
		if err != nil {
			b.T.Fatal(err)
		}
		c := &authorizationtest.Card{Token: made.Card.Token, AccountNo: made.Issuance.AccountNo, Account: made.Issuance.Account}
		b.load(c, 100000)
		return c
	}
}

// A plastic that is cancelled before it is produced costs nothing; a fee may wait
// until it is used.
func TestChargeDue_waitsForTheCard(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	plastic := b.plastics()
	b.onIssuance("FIRST", 1000, to(control.LinkProduct, "PL"), fee.FirstIssuance)
	b.onIssuance("EXPRESS", 500, to(control.LinkProduct, "PL"), fee.ExpressDelivery)
	cancelled, kept := plastic(), plastic()
	b.work()
	b.posted(kept, 100000-1150-575)
	b.cancel(cancelled)
	b.days(1)
	b.posted(cancelled, 100000)
	b.wantFees(cancelled, "EXPRESS ExpressDelivery Refunded 0.00", "FIRST FirstIssuance Refunded 0.00")

	f := fee.NewOnIssuance("USE")
	f.Name, f.Currency, f.Amount, f.Events, f.Timing = "Use", money.MustCurrency("TRY"), try(2000), []fee.Event{fee.FirstIssuance}, fee.OnFirstUse
	b.define(f, to(control.LinkProduct, "P1"))
	used, unused := b.NewCard("100.00"), b.NewCard("100.00")
	b.days(1)
	b.posted(used, 10000)
	b.pay(used, 1000)
	b.days(1)
	b.posted(used, 7000)
	b.posted(unused, 10000)
}

// Who owns the balance decides whether a fee is debited: it is asked each day
// until it says yes, once for each charge, and told of what is given back.
func TestChargeDue_asksWhoOwnsTheBalance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		b := newBankWith(t, d, authorization.Config{Client: client})
		b.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing = fee.OnOrder })
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.No("51")
		})
		card := b.NewCard("0.00")
		b.work()
		b.wantFees(card, "CLASSIC  Pending 480.00")
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.Silence()
		})
		b.days(1)
		b.wantFees(card, "CLASSIC  Pending 480.00")
		client.Answer(nil)
		b.days(3)
		b.wantFees(card, "CLASSIC  Charged 480.00")
		asked := client.Asked()
		if len(asked) != 3 {
			t.Fatalf("asked %d times", len(asked))
		}
		for _, m := range asked {
			x := m.Transaction
			if m.Type != authorization.FeeDebitMessage || x.ID != asked[0].Transaction.ID || !x.IsDebit || len(x.Additional) != 1 ||
				x.Additional[0].Charge.Fee != try(48000) || x.Status != authorization.StatusPending || m.Names.Token != card.Token {
				t.Errorf("asked %+v", m)
			}
		}
		b.cancel(card)
		b.days(2)
		heard := b.Heard()
		if len(heard) != 1 || heard[0].Type != authorization.RefundMessage || heard[0].Transaction.IsDebit ||
			heard[0].Transaction.Original != asked[0].Transaction.ID {
			t.Errorf("told %+v", heard)
		}
		b.Verify()
	})
}

// undone fails unless the client was told since the last time to undo a question,
// and nothing else; of nil, unless it was told nothing.
func (b *bank) undone(question *authorization.ClientMessage) {
	b.T.Helper()
	heard := b.Heard()
	switch {
	case question == nil && len(heard) > 0, question != nil && len(heard) != 1:
		b.T.Errorf("told %+v", heard)
	case question != nil:
		m, x := heard[0], heard[0].Transaction
		if m.Type != authorization.ReversalMessage || x.ID != question.Transaction.ID || x.Original != x.ID || x.IsDebit || x.Reason != authorization.ClientTimeout ||
			len(x.Additional) != 1 || x.Additional[0].Charge.Fee != question.Transaction.Additional[0].Charge.Fee || m.Names != question.Names {
			b.T.Errorf("told %+v", m)
		}
	}
}

// Who owns the balance may have debited a fee although it gave no answer in time:
// when the fee is given up, it is told to undo that, once. An answer, or a
// question that did not go out, leaves nothing to undo.
func TestChargeDue_undoesWhatWasNotAnswered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		answer := func(v authorization.Verdict) {
			client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict { return v })
		}
		unasked := authorization.Verdict{Hearing: authorization.Unasked}
		b := newBankWith(t, d, authorization.Config{Client: client})
		b.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.MaxRetryDays = fee.OnOrder, 2 })
		for name, last := range map[string]authorization.Verdict{
			"silence": authorizationtest.Silence(), "no": authorizationtest.No("51"), "not asked": unasked,
		} {
			card := b.NewCard("0.00")
			first := len(client.Asked())
			if answer(authorizationtest.Silence()); name == "not asked" {
				answer(unasked)
			}
			b.work()
			answer(last)
			b.days(2)
			b.undone(nil)
			b.days(3)
			if b.wantFees(card, "CLASSIC  Failed 480.00"); name == "silence" {
				b.undone(client.Asked()[first])
			} else {
				b.undone(nil)
			}
		}
		b.Verify()
	})
}

// A card that is closed after a question for its year was not answered pays for the
// days it had in a charge of its own: the open one is undone whole.
func TestChargeDue_undoesWhatWasNotAnsweredOfAClosedCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		b := newBankWith(t, d, authorization.Config{Client: client})
		b.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.Amount, f.Taxes = fee.OnOrder, try(36500), nil })
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			return authorizationtest.Silence()
		})
		card := b.NewCard("0.00")
		b.work()
		client.Answer(nil)
		b.cancel(card)
		b.work()
		b.undone(nil) // a day has to begin
		b.days(1)
		b.wantFees(card, "CLASSIC  Cancelled 365.00", "CLASSIC  Charged 1.00")
		b.undone(client.Asked()[0])
		b.posted(card, -100)
	})
}

// cancel closes a card for its holder.
func (b *bank) cancel(c *authorizationtest.Card) {
	b.T.Helper()
	if _, err := b.Issuing.ChangeStatus(b.T.Context(), b.Caller, c.Token, issuing.NewStatus{
		Status: issuing.Cancelled, Reason: issuing.CustomerRequest,
	}); err != nil {
		b.T.Fatal(err)
	}
}

// A card may be closed while the owner of its balance is asked for a fee: the
// question is undone, and the days until then are asked for anew.
func TestChargeDue_aCardIsClosedMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		b := newBankWith(t, d, authorization.Config{Client: client})
		b.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		b.yearly("CLASSIC", everything, func(f *fee.Yearly) { f.Timing, f.Amount, f.Taxes = fee.OnOrder, try(36500), nil })
		card := b.NewCard("0.00")
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			client.Answer(nil)
			if _, err := b.Issuing.ChangeStatus(t.Context(), b.Caller, card.Token, issuing.NewStatus{
				Status: issuing.Cancelled, Reason: issuing.CustomerRequest,
			}); err != nil {
				t.Error(err)
			}
			b.Clock.Advance(24 * time.Hour)
			if _, err := b.Fees.BeginYears(t.Context(), b.tenant); err != nil {
				t.Error(err)
			}
			return authorization.Verdict{Hearing: authorization.Answered, Approved: true}
		})
		b.work()
		b.work()
		b.wantFees(card, "CLASSIC  Cancelled 365.00", "CLASSIC  Charged 1.00")
		b.posted(card, -100)
		asked := client.Asked()
		if len(asked) != 2 || asked[0].Transaction.ID == asked[1].Transaction.ID {
			t.Fatalf("asked %+v", asked)
		}
		b.undone(asked[0])
	})
}

// Cards that were there before their fee pay for a year from then on, or from the
// next anniversary of their order: not for the rest of one, and again.
func TestBeginYears_ofCardsOlderThanTheFee(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	paid, old := b.NewCard("2000.00"), b.NewCardOf("P6", "471247", "2000.00")
	b.pay(paid, 1000)
	b.Clock.Advance(2*365*24*time.Hour - 72*time.Hour)
	b.yearly("USE", to(control.LinkProduct, "P1"), func(f *fee.Yearly) { f.Taxes = nil })
	b.yearly("AGE", to(control.LinkProduct, "P6"), func(f *fee.Yearly) { f.Timing, f.Taxes = fee.OnAnniversary, nil })
	b.work()
	b.wantFees(paid, "USE  Charged 480.00")
	b.wantFees(old)
	b.days(5)
	b.wantFees(paid, "USE  Charged 480.00")
	b.wantFees(old, "AGE  Charged 480.00")
	b.days(359)
	b.posted(paid, 200000-1000-48000)
	b.days(2)
	b.posted(paid, 200000-1000-96000)
}

// What a fee waits for may come late: it is tried as often as one that was due at
// once.
func TestChargeDue_isTriedFromWhenItIsDue(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	f := fee.NewOnIssuance("USE")
	f.Name, f.Currency, f.Amount, f.Events, f.Timing = "Use", money.MustCurrency("TRY"), try(2000), []fee.Event{fee.FirstIssuance}, fee.OnFirstUse
	b.define(f, everything)
	card := b.NewCard("10.00")
	b.days(60)
	b.pay(card, 1000)
	b.days(20)
	b.wantFees(card, "USE FirstIssuance Pending 20.00")
	b.load(card, 5000)
	b.days(1)
	b.wantFees(card, "USE FirstIssuance Charged 20.00")
}

// Fees that cannot be charged hold up none that come after them, however many.
func TestChargeDue_goesOnAfterWhatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.onIssuance("CARD", 2000, everything, fee.FirstIssuance)
		card := b.NewCard("100.00")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			const columns = `tenant_id, issuance_id, card_id, part, fee_code, event, fee_year, price, to_give_back, given_back, timing, status,
				is_refundable, is_pro_rata, is_asked, due_on, retry_days, created_at, updated_at`
			for i := range 120 {
				_, err := tx.Exec(t.Context(), `INSERT INTO card_fee (id, occasion, applied, check_at, `+columns+`)
					SELECT $1, $1, 'broken', check_at - 1, `+columns+` FROM card_fee WHERE fee_code = 'CARD' AND applied <> 'broken'`,
					id.New[fee.CardFee](b.Clock.Now()).String())
				if err != nil {
					return fmt.Errorf("row %d: %w", i, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if done, err := b.Fees.ChargeDue(t.Context(), b.tenant); done != 1 || err == nil {
			t.Errorf("charged %d, %v", done, err)
		}
		if got := b.Balance(card).Posted; got != try(10000-2300) {
			t.Errorf("the account has %s", got)
		}
	})
}

// A plastic that nobody produces is looked at less and less often, and no more once
// its card has come to its end.
func TestChargeDue_looksLessOften(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	plastic := b.plastics()
	b.onIssuance("FIRST", 1000, to(control.LinkProduct, "PL"), fee.FirstIssuance)
	f := fee.NewOnIssuance("MADE")
	f.Name, f.Currency, f.Amount, f.Events, f.Timing = "Made", money.MustCurrency("TRY"), try(2000), []fee.Event{fee.ExpressDelivery}, fee.OnProduction
	b.define(f, to(control.LinkProduct, "PL"))
	card := plastic()
	looks := func(hours int) (n int) {
		t.Helper()
		for range hours {
			b.Clock.Advance(time.Hour)
			done, err := b.Fees.ChargeDue(t.Context(), b.tenant)
			if err != nil {
				t.Fatal(err)
			}
			n += done
		}
		return n
	}
	if n := looks(24); n < 2*20 {
		t.Errorf("looked %d times in the first day", n)
	}
	b.wantFees(card, "MADE ExpressDelivery Waiting 20.00", "FIRST FirstIssuance Charged 10.00")
	looks(29 * 24)
	if n := looks(10 * 24); n < 2*9 || n > 2*11 {
		t.Errorf("looked %d times in ten days after a month", n)
	}
	if _, err := b.Issuing.ChangeStatus(t.Context(), b.Caller, card.Token, issuing.NewStatus{Status: issuing.Stolen, Reason: issuing.StolenReported}); err != nil {
		t.Fatal(err)
	}
	looks(26)
	b.wantFees(card, "MADE ExpressDelivery Cancelled 20.00", "FIRST FirstIssuance Charged 10.00")
	if n := looks(10 * 24); n > 0 {
		t.Errorf("looked %d times at a stolen card", n)
	}
}

// summing counts how often a card's payments are summed up.
type summing struct {
	fee.Usage
	times int
}

func (s *summing) Spent(ctx context.Context, tx db.Tx, tenant access.TenantID, i id.ID[issuing.Issuance], from time.Time) (int64, int, error) {
	s.times++
	return s.Usage.Spent(ctx, tx, tenant, i, from)
}

// What a card has paid in a year is summed up when a year begins that may be waived
// for it, or a rule asks for it: not on each day on which the card is looked at.
func TestBeginYears_sumsUpWhenAskedFor(t *testing.T) {
	b := newBank(t, dbtest.SQLite(t))
	usage := &summing{Usage: b.Fees.Usage}
	b.Fees.Usage = usage
	b.yearly("PLAIN", everything, func(f *fee.Yearly) { f.Timing = fee.OnOrder })
	b.yearly("WAIVED", to(control.LinkProduct, "P6"), func(f *fee.Yearly) { f.Timing, f.WaiverCount = fee.OnOrder, 5 })
	b.NewCard("1000.00")
	b.days(5)
	if usage.times != 0 {
		t.Errorf("summed up %d times for a fee that asks for nothing", usage.times)
	}
	b.NewCardOf("P6", "471247", "1000.00")
	b.days(370)
	if usage.times != 2 {
		t.Errorf("summed up %d times for two years", usage.times)
	}
}

// A supplementary card has a price of its own, for being made and for its years,
// where the fee names one.
func TestCardsMade_childAmount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		f := fee.NewOnIssuance("MADE")
		f.Name, f.Currency, f.Amount, f.ChildAmount = "Made", money.MustCurrency("TRY"), try(5000), ptr(try(1000))
		f.Events = []fee.Event{fee.FirstIssuance, fee.AdditionalCard}
		b.define(f, everything)
		b.yearly("YEAR", everything, func(f *fee.Yearly) { f.Timing, f.ChildAmount, f.Instalments = fee.OnOrder, ptr(try(10001)), 2 })
		p, err := b.Programs.Product(t.Context(), b.Caller, "P1")
		if err != nil {
			t.Fatal(err)
		}
		p.Code, p.Name, p.MaxChildCards = "FAMILY", "Family", 1
		if _, err := b.Programs.CreateProduct(t.Context(), b.Caller, p); err != nil {
			t.Fatal(err)
		}
		parent := b.NewCardOf("FAMILY", "4712", "2000.00")
		made, err := b.Issuing.IssueCard(t.Context(), b.Caller, issuing.NewCard{
			CustomerNo: b.Customer(), ProductCode: "FAMILY", FormFactor: program.Virtual, ParentCardToken: parent.Token,
		})
		if err != nil {
			t.Fatal(err)
		}
		child := &authorizationtest.Card{Token: made.Card.Token, AccountNo: made.Issuance.AccountNo, Account: made.Issuance.Account}
		b.days(40)
		b.wantFees(parent, "MADE FirstIssuance Charged 50.00", "YEAR  Charged 240.00", "YEAR  Charged 240.00")
		b.wantFees(child, "MADE AdditionalCard Charged 10.00", "YEAR  Charged 50.01", "YEAR  Charged 50.00")
		net := int64(5000 + 48000 + 1000 + 10001)
		b.posted(parent, 200000-net-7200-750-750) // on the account of the parent, the years with 15% on each part
	})
}
