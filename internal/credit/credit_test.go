package credit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// bank is the world of authorizations with a product of credit cards.
type bank struct {
	*authorizationtest.World
	credit *credit.Service
	paid   int
}

func try(minor int64) money.Amount { return money.Must(minor, "TRY") }

func newBank(t *testing.T, d *db.DB) *bank {
	t.Helper()
	w := authorizationtest.New(t, d)
	b := &bank{World: w, credit: &credit.Service{DB: d, Clock: w.Clock, Customers: w.Customers, Programs: w.Programs, Cards: w.Issuing}}
	w.DefineCredit()
	b.must(b.credit.SetTerms(t.Context(), w.Caller, "K1", line.DefaultTerms().Text()))
	b.day(time.March, 1)
	return b
}

func (b *bank) must(err error) {
	b.T.Helper()
	if err != nil {
		b.T.Fatal(err)
	}
}

// day makes it noon of a day of 2031 in Istanbul.
func (b *bank) day(m time.Month, day int) { b.Clock.Set(time.Date(2031, m, day, 9, 0, 0, 0, time.UTC)) }

// night makes it three in the morning of a day, and does the work of the night.
func (b *bank) night(m time.Month, day int) int {
	b.T.Helper()
	b.Clock.Set(time.Date(2031, m, day, 0, 0, 0, 0, time.UTC))
	n, err := b.credit.RollDue(b.T.Context(), b.tenant())
	b.must(err)
	return n
}

func (b *bank) tenant() access.Tenant {
	b.T.Helper()
	t, err := b.Access.TenantByID(b.T.Context(), b.Caller.Tenant)
	b.must(err)
	return t
}

// open opens an account and issues a card on it.
func (b *bank) open(limit string) (string, *authorizationtest.Card) {
	b.T.Helper()
	a, err := b.credit.Open(b.T.Context(), b.Caller, credit.NewAccount{
		CustomerNo: b.Customer(), ProductCode: "K1", Limit: limit, BranchCode: "0417", BranchName: "Branch",
	})
	b.must(err)
	return a.Number, b.NewCardAs(issuing.NewCard{ProductCode: "K1", FormFactor: program.Virtual, AccountNo: a.Number}, "0.00")
}

// buy pays by card at a merchant of a country, and returns whether it was approved.
func (b *bank) buy(c *authorizationtest.Card, minor int64, country string) bool {
	b.T.Helper()
	r := b.Request(c, authorization.FinancialRequest, try(minor))
	r.AcquirerCountry, r.MerchantCountry = country, country
	b.Chip(c, r)
	b.WithPIN(c, r, c.PIN)
	answer := b.Authorize(r)
	if answer.Reason != authorization.Approved && answer.Reason != authorization.InsufficientFunds {
		b.T.Errorf("%d: %s", minor, answer.Reason)
	}
	return answer.Reason == authorization.Approved
}

// pay pays onto an account as a bank does.
func (b *bank) pay(accountNo string, minor int64) {
	b.T.Helper()
	b.paid++
	_, err := b.Ledger.Adjust(b.T.Context(), b.Caller, ledger.Adjustment{
		AccountNo: accountNo, Side: ledger.Credit, Amount: try(minor), Description: "payment", Reference: fmt.Sprint("pay", b.paid),
	})
	b.must(err)
}

func (b *bank) account(no string) credit.Account {
	b.T.Helper()
	a, err := b.credit.Account(b.T.Context(), b.Caller, no)
	b.must(err)
	return a
}

// verify checks every invariant, those of statements too.
func (b *bank) verify() {
	b.T.Helper()
	b.Verify()
	v, err := b.credit.Verify(b.T.Context())
	b.must(err)
	if v.Broken > 0 {
		b.T.Errorf("invariant broken: %s: %v", v.Name, v.Examples)
	}
}

// said are the statements of an account in words, the oldest first.
func (b *bank) said(no string) string {
	b.T.Helper()
	all, err := b.credit.Statements(b.T.Context(), b.Caller, no)
	b.must(err)
	var words []string
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		d, a := s.Regions[line.Domestic], s.Regions[line.Abroad]
		words = append(words, fmt.Sprintf("%d %s–%s due %s: S %d %d, M %d %d, outstanding %d %d, interest %d, taxes %d, paid %d, points %d",
			s.Number, s.Begins, s.On, s.Due, d.Debt, a.Debt, d.Minimum, a.Minimum, d.Outstanding, a.Outstanding, s.Interest, s.Taxes, s.Payments, s.Points))
	}
	return strings.Join(words, "\n")
}

// The worked example of the domain, from authorizations over the nightly job to the
// statements, to the cent.
func TestCredit_isTheWorkedExampleFromCardToStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		no, card := b.open("25000")
		b.day(time.March, 3)
		b.buy(card, 6_000_00, "TR")
		b.buy(card, 400_00, "DE")
		b.night(time.March, 15)
		b.day(time.March, 20)
		b.pay(no, 1_000_00)
		a := b.account(no)
		if a.Minimum(line.Domestic) != try(200_00) || a.Billed(line.Domestic) != try(5_000_00) || a.Minimum(line.Abroad) != try(80_00) {
			t.Errorf("on 20 March M is %s and %s, billed %s", a.Minimum(line.Domestic), a.Minimum(line.Abroad), a.Billed(line.Domestic))
		}
		b.night(time.March, 25)
		if a := b.account(no); a.Standing != credit.Days1To30 {
			t.Errorf("on 25 March it is %s", a.Standing)
		}
		b.day(time.April, 1)
		b.pay(no, 500_00)
		b.night(time.April, 2)
		if a := b.account(no); a.Available() != try(20_100_00) || a.Standing != credit.Current {
			t.Errorf("on 2 April %s are left, and it is %s", a.Available(), a.Standing)
		}
		b.day(time.April, 5)
		b.buy(card, 1_500_00, "TR")
		b.night(time.April, 15)
		b.day(time.April, 24)
		b.pay(no, 6_643_53)
		if a := b.account(no); !a.Posted.IsZero() || a.Minimum(line.Domestic).Sign() != 0 {
			t.Errorf("on 24 April %s are owed", a.Posted)
		}
		b.night(time.May, 15)
		want := `1 2031-03-01–2031-03-14 due 2031-03-24: S 600000 40000, M 120000 8000, outstanding 0 0, interest 0, taxes 0, paid 0, points 64
2 2031-03-15–2031-04-14 due 2031-04-24: S 630635 33718, M 126127 6744, outstanding 458000 32000, interest 18733, taxes 5620, paid 150000, points 15
3 2031-04-15–2031-05-14 due 2031-05-26: S 6251 436, M 1250 87, outstanding 0 0, interest 5145, taxes 1542, paid 664353, points 0`
		if got := b.said(no); got != want {
			t.Errorf("the statements are\n%s\nwant\n%s", got, want)
		}
		if n := b.night(time.May, 15); n != 0 {
			t.Errorf("the same night again did %d accounts", n)
		}
		b.verify()
	})
}

// What of a statement is told with it: the lines of all cards, with their points.
func TestStatement_hasTheLinesOfAllCards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		no, card := b.open("1000")
		main, err := b.Issuing.Card(t.Context(), b.Caller, card.Token)
		b.must(err)
		child := b.NewCardAs(issuing.NewCard{ProductCode: "K1", FormFactor: program.Virtual, ParentIssuanceNo: main.Issuance.No}, "0.00")
		b.must(b.credit.SetShare(t.Context(), b.Caller, child.Token, credit.Share{Limit: "100"}))
		b.buy(card, 459_00, "TR")
		if b.buy(child, 100_01, "TR") {
			t.Error("a card spent beyond its share")
		}
		b.buy(child, 100_00, "DE")
		b.pay(no, 50_00)
		if b.buy(child, 1, "TR") {
			t.Error("a payment brought a share back")
		}
		b.night(time.March, 15)
		s, err := b.credit.Statement(t.Context(), b.Caller, no, clock.Date{Year: 2031, Month: time.March, Day: 14})
		b.must(err)
		var said []string
		for _, l := range s.Lines {
			said = append(said, fmt.Sprintf("%s %s %s %q %d (%d, %d) %d", l.On, l.Kind, l.Card.LastFour, l.Description, l.Minor,
				l.In(line.Domestic), l.In(line.Abroad), l.Points))
		}
		want := fmt.Sprintf(`2031-03-01 Purchase %s "TEST MARKET" 45900 (45900, 0) 4
2031-03-01 Purchase %s "TEST MARKET" 10000 (0, 10000) 1
2031-03-01 Payment  "payment" -5000 (-5000, 0) 0`, main.Card.LastFour, child.Clear.Card.LastFour)
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("the lines are\n%s\nwant\n%s", got, want)
		}
		b.day(time.March, 16)
		if !b.buy(child, 100_00, "TR") || b.buy(child, 1, "TR") {
			t.Error("the share does not begin anew with the term")
		}
		b.verify()
	})
}

func TestOpen_refusesWhatWillNotDo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		good := credit.NewAccount{CustomerNo: b.Customer(), ProductCode: "K1", AccountNo: "KK1", Limit: "10"}
		if _, err := b.credit.Open(t.Context(), b.Caller, good); err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func(*credit.NewAccount){
			"account_no_taken":           func(*credit.NewAccount) {},
			"credit_product_wrong":       func(n *credit.NewAccount) { n.ProductCode = "P1" },
			"customer_not_found":         func(n *credit.NewAccount) { n.CustomerNo = "9999999999" },
			"credit_account_invalid":     func(n *credit.NewAccount) { n.Limit = "-1" },
			"credit_account_invalid bis": func(n *credit.NewAccount) { n.BranchCode = "12" },
		} {
			bad := good
			change(&bad)
			_, err := b.credit.Open(t.Context(), b.Caller, bad)
			if f, ok := fault.As(err); !ok || string(f.Code) != strings.TrimSuffix(what, " bis") {
				t.Errorf("%s: %v", what, err)
			}
		}
		n := 0
		b.must(d.View(t.Context(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM credit_account").Scan(&n) }))
		if n != 1 {
			t.Errorf("there are %d accounts", n)
		}
		b.verify()
	})
}

func TestSetLimit_holdsForTheNextAuthorization(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		b.Listen("credit-account.*")
		no, card := b.open("100")
		if b.buy(card, 100_01, "TR") {
			t.Error("one kuruş beyond the limit was approved")
		}
		if a, err := b.credit.SetLimit(t.Context(), b.Caller, no, "100.01"); err != nil || a.Available() != try(100_01) {
			t.Errorf("%s are available: %v", a.Available(), err)
		}
		if !b.buy(card, 100_01, "TR") {
			t.Error("the last kuruş of the limit was declined")
		}
		if _, err := b.credit.SetLimit(t.Context(), b.Caller, no, "50"); err != nil {
			t.Error(err)
		}
		b.night(time.March, 15) // all that is beyond the limit is due
		if a := b.account(no); a.Minimum(line.Domestic) != try(20_00+50_01) {
			t.Errorf("%s are due", a.Minimum(line.Domestic))
		}
		b.night(time.March, 26)
		if got, want := b.told(), "opened limit-changed limit-changed statement-ready delinquency-changed"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		b.verify()
	})
}

// told names the events about credit accounts.
func (b *bank) told() string {
	b.T.Helper()
	var names []string
	b.must(b.DB.View(b.T.Context(), func(tx db.Tx) error {
		waiting, err := outbox.WaitingEvents(b.T.Context(), tx, b.Caller.Tenant.String())
		for _, m := range waiting {
			if name, ours := strings.CutPrefix(m.Name, "credit-account."); ours {
				names = append(names, name)
			}
		}
		return err
	}))
	return strings.Join(names, " ")
}

// A night that is broken off at any point is done by the next one, and each thing
// happens once.
func TestRollDue_mayBeBrokenOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		var numbers []string
		for range 3 {
			no, card := b.open("1000")
			b.buy(card, 100_00, "TR")
			numbers = append(numbers, no)
		}
		b.Clock.Set(time.Date(2031, time.May, 20, 0, 0, 0, 0, time.UTC))
		b.pay(numbers[1], 10_00) // what ends of days and terms before the job, the job still bills
		for statements := 0; statements < 60; statements += 3 {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			b.credit.Clock = clockThat{b.Clock, func() {
				if n++; n > statements/3 {
					cancel()
				}
			}}
			if _, err := b.credit.RollDue(ctx, b.tenant()); err == nil {
				cancel()
				break
			}
			cancel()
		}
		b.credit.Clock = b.Clock
		b.night(time.May, 20)
		for _, no := range numbers {
			if got := strings.Count(b.said(no), "\n") + 1; got != 3 {
				t.Errorf("%s has %d statements, want 3", no, got)
			}
		}
		b.verify()
	})
}

// Two nodes, and a payment between them, make one statement.
func TestRollDue_onSeveralNodesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		no, card := b.open("1000")
		b.buy(card, 100_00, "TR")
		b.Clock.Set(time.Date(2031, time.April, 20, 0, 0, 0, 0, time.UTC))
		tenant := b.tenant()
		var done atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				n, err := b.credit.RollDue(t.Context(), tenant)
				if err != nil {
					t.Error(err)
				}
				done.Add(int64(n))
			})
		}
		b.pay(no, 1_00)
		all.Wait()
		if got := strings.Count(b.said(no), "\n") + 1; got != 2 || done.Load() != 1 {
			t.Errorf("there are %d statements, and %d accounts were done", got, done.Load())
		}
		b.verify()
	})
}

// However many ask for the first time at once, a card has one alias, and no two the
// same.
func TestCardsOf_giveEachCardOneAlias(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		for range 3 {
			b.open("1000")
		}
		lists := make([]string, 6)
		var all sync.WaitGroup
		for i := range lists {
			all.Go(func() {
				cards, err := b.credit.CardsOf(t.Context(), b.Caller, b.Customer())
				if err != nil {
					t.Error(err)
				}
				for _, c := range cards {
					lists[i] += fmt.Sprint(c.Alias, " ")
				}
			})
		}
		all.Wait()
		slices.Sort(lists)
		seen := strings.Fields(lists[0])
		slices.Sort(seen)
		if len(slices.Compact(slices.Clone(lists))) != 1 || !slices.Equal(seen, []string{"20090", "20091", "20092"}) {
			t.Errorf("got %q", lists)
		}
	})
}

// clockThat does something whenever it is asked.
type clockThat struct {
	clock.Clock
	do func()
}

func (c clockThat) Now() time.Time { c.do(); return c.Clock.Now() }

func TestVerify_findsAForgedStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBank(t, d)
		_, card := b.open("1000")
		b.buy(card, 100_00, "TR")
		b.night(time.March, 15)
		b.verify()
		run := func(text string, args ...any) {
			t.Helper()
			b.must(d.InTx(t.Context(), func(tx db.Tx) error {
				n, err := db.Affected(tx.Exec(t.Context(), text, args...))
				if err == nil && n == 0 {
					t.Errorf("nothing was changed by %s", text)
				}
				return err
			}))
		}
		for column, forgery := range map[string]string{
			"totals": "replace(totals, ' 10000 ', ' 10001 ')", "entry_hash": "'00'", "begins_on": "'2031-02-28'", "number": "number + 1",
		} {
			run("UPDATE credit_statement SET " + column + " = " + forgery)
			if v, err := b.credit.Verify(t.Context()); err != nil || v.Broken != 1 {
				t.Errorf("a forged %s was not found: %v", column, err)
			}
			run("DELETE FROM credit_statement")
			run("UPDATE credit_account SET checked_on = '2031-03-01'")
			b.night(time.March, 15)
			b.verify()
		}
	})
}
