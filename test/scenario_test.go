package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// family is a door to the platform as the scenarios go through it. A family that
// cannot express a step takes the platform's; each has at least one of its own.
type family interface {
	// issue gives Ada something to pay with.
	issue()
	// load gives her an amount to pay from, in minor units as all.
	load(minor int64)
	// pay pays a merchant, and tells whether that was allowed.
	pay(minor int64) bool
	// reverse takes the last payment back, all of it, and may be refused.
	reverse() bool
	// refund gives a part of the last payment back.
	refund(minor int64) bool
	// statement is what Ada is told, the oldest first: below zero what she paid.
	statement() []int64
}

// scenarios are what a customer's money goes through, whatever door it is told at.
// ledger is what they must end in: who gave to whom.
var scenarios = []struct {
	name   string
	play   func(t *testing.T, f family)
	ledger []string
	told   []int64
}{
	{
		name: "a payment that is refunded in part",
		play: func(t *testing.T, f family) {
			f.issue()
			f.load(1_000_00)
			wants(t, f.pay(250_50), true)
			wants(t, f.refund(50_25), true)
		},
		ledger: []string{"source to customer 1000.00", "customer to merchant 250.50", "merchant to customer 50.25"},
		told:   []int64{1_000_00, -250_50, 50_25},
	},
	{
		name: "a payment that is taken back, and paid again",
		play: func(t *testing.T, f family) {
			f.issue()
			f.load(1_000_00)
			wants(t, f.pay(1_000_01), false)
			wants(t, f.pay(1_000_00), true)
			wants(t, f.pay(1), false)
			wants(t, f.reverse(), true)
			f.reverse() // said again, it moves nothing
			wants(t, f.pay(1_000_00), true)
		},
		ledger: []string{"source to customer 1000.00", "customer to merchant 1000.00", "merchant to customer 1000.00", "customer to merchant 1000.00"},
		told:   []int64{1_000_00, -1_000_00, 1_000_00, -1_000_00},
	},
	{
		name: "loaded twice, paid from both",
		play: func(t *testing.T, f family) {
			f.issue()
			f.load(10_00)
			f.load(15_00)
			wants(t, f.pay(24_99), true)
			wants(t, f.refund(24_99), true)
			wants(t, f.pay(25_01), false)
		},
		ledger: []string{"source to customer 10.00", "source to customer 15.00", "customer to merchant 24.99", "merchant to customer 24.99"},
		told:   []int64{10_00, 15_00, -24_99, 24_99},
	},
}

// TestScenarios_endInTheSameLedger plays each scenario through every family that
// can express a step of it, on the running program.
func TestScenarios_endInTheSameLedger(t *testing.T) {
	doors := []struct {
		name string
		open func(w *doorway) family
	}{
		{"platform", func(w *doorway) family { return w.cards() }},
		{"openbanking", func(w *doorway) family { return &creditCards{cards: w.cards()} }},
		{"ewallet from a bank", func(w *doorway) family { return w.wallet("TopupCash") }},
		{"ewallet from a card", func(w *doorway) family { return w.wallet("TopupCreditCard") }},
		{"ewallet from both", func(w *doorway) family { return w.wallet("TopupCash", "TopupCreditCard") }},
		{"cardstore", func(w *doorway) family { return &keptCards{cards: w.cards()} }},
		{"payers", func(w *doorway) family { return &payingCustomers{cards: w.cards()} }},
	}
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		for _, scene := range scenarios {
			for _, door := range doors {
				t.Run(scene.name+", "+door.name, func(t *testing.T) {
					w := newDoorway(t, s, flags)
					f := door.open(w)
					scene.play(t, f)
					if got := w.ledger(); !slices.Equal(got, scene.ledger) {
						t.Errorf("the ledger says %q, want %q", got, scene.ledger)
					}
					if got := f.statement(); !slices.Equal(got, scene.told) {
						t.Errorf("Ada is told %d, want %d", got, scene.told)
					}
				})
			}
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

func wants(t *testing.T, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("allowed: %v, want %v", got, want)
	}
}

// doorway is a tenant of its own with the credentials of all its clients.
type doorway struct {
	t     *testing.T
	s     *server
	flags []string
	made  struct {
		tenant
		OpenBanking struct{ ClientID, ClientSecret string }
	}
	families families
}

func newDoorway(t *testing.T, s *server, flags []string) *doorway {
	t.Helper()
	w := &doorway{t: t, s: s, flags: flags}
	output := run(t, append([]string{"tenant", "create", "--name", "Test Bank", "--sandbox", "--json"}, flags...)...)
	for _, into := range []any{&w.made.tenant, &w.made, &w.families} {
		w.must(json.Unmarshal(output, into))
	}
	return w
}

func (w *doorway) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// do sends a request that must be answered with 200, and reads the answer.
func (w *doorway) do(method, path string, header map[string]string, body string, out any) {
	w.t.Helper()
	answer := over(w.t, w.s)(method, path, header, body)
	if err := json.Unmarshal(answer.Body.Bytes(), out); err != nil || answer.Code != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

// roleOf is who an account of the ledger stands for.
func roleOf(code string, isCustomers bool) string {
	switch name := strings.TrimRight(strings.TrimRight(code, "0123456789"), "."); {
	case isCustomers, name == "L.WALLET.PAYMENT", name == "L.WALLET.CASH":
		return "customer"
	case name == "L.WALLET.CASH_HELD", strings.HasPrefix(code, "L.NET.ISS."):
		return "merchant"
	case code == "A.BANK.SAFEGUARD", code == "A.BANK.COLLECT", code == "A.ACQ.RECEIVABLE":
		return "source"
	}
	return code
}

// ledger is what the entries of the tenant moved, each as from whom to whom, in
// their order. What an entry moves between accounts of one role is nothing.
func (w *doorway) ledger() (all []string) {
	w.t.Helper()
	d, err := db.Open(w.t.Context(), w.flags[3], db.Options{MustExist: true})
	w.must(err)
	defer d.Close()
	type posting struct {
		entry, role string
		minor       int64 // above zero where the role gets it
	}
	var postings []posting
	w.must(d.View(w.t.Context(), func(tx db.Tx) error {
		postings, err = db.Collect(w.t.Context(), tx, func(row db.Scanner) (p posting, err error) {
			var code, side string
			var isCustomers bool
			err = row.Scan(&p.entry, &code, &isCustomers, &side, &p.minor)
			p.role = roleOf(code, isCustomers)
			if side == "D" {
				p.minor = -p.minor
			}
			return p, err
		}, `SELECT e.id, a.code, a.account_no IS NOT NULL, p.side, p.amount FROM entry e JOIN posting p ON p.entry_id = e.id
			JOIN account a ON a.id = p.account_id WHERE e.tenant_id = (SELECT tenant_id FROM api_client WHERE id = $1) ORDER BY e.created_at, e.id, p.line`, w.made.ClientID)
		return err
	}))
	for i := 0; i < len(postings); {
		sums, entry := map[string]int64{}, postings[i].entry
		for ; i < len(postings) && postings[i].entry == entry; i++ {
			sums[postings[i].role] += postings[i].minor
		}
		var from, to string
		for role, sum := range sums {
			switch {
			case sum < 0:
				from += role
			case sum > 0:
				to += role
			}
		}
		if from+to != "" {
			all = append(all, fmt.Sprintf("%s to %s %s", from, to, lira(sums[to]).Decimal()))
		}
	}
	return all
}

// cards is the platform's own family: a prepaid card and a shop's terminal.
type cards struct {
	*doorway
	bank     *sim.Bank
	customer string
	card     sim.Issued
	terminal *sim.Terminal
	link     *sim.Link
	paid     *sim.Request
	loads    int
}

func (w *doorway) cards() *cards {
	c := &cards{doorway: w, bank: w.made.openBank(w.t, w.s), terminal: shop(w.t)}
	c.link = connect(w.t, w.s, c.terminal, 10*time.Second)
	var err error
	c.customer, err = c.bank.OpenCustomer(w.t.Context(), "Ada", "Deniz", "+905321234567")
	w.must(err)
	return c
}

func (c *cards) issue() {
	var err error
	c.card, err = c.bank.Issue(c.t.Context(), c.customer, "7392")
	c.must(err)
}

func (c *cards) load(minor int64) {
	c.loads++
	_, err := c.bank.Load(c.t.Context(), c.card.Account, lira(minor).Decimal(), fmt.Sprintf("load-%d", c.loads))
	c.must(err)
}

// use uses the card in a message that is posted at once.
func (c *cards) use(kind sim.Kind, minor int64) (*sim.Request, bool) {
	c.t.Helper()
	r, err := c.terminal.Use(c.card.Card, sim.Payment{MTI: iso8583.FinancialRequest, Kind: kind, Amount: lira(minor), Entry: sim.Chip, PIN: c.card.Card.PIN})
	c.must(err)
	return r, c.ask(r.Message)
}

func (c *cards) ask(m *iso8583.Message) bool {
	c.t.Helper()
	answer, _, err := c.link.Ask(c.t.Context(), m)
	c.must(err)
	return answer.Text(iso8583.ResponseCode) == "00"
}

func (c *cards) pay(minor int64) bool {
	r, ok := c.use(sim.Purchase, minor)
	if ok {
		c.paid = r
	}
	return ok
}

func (c *cards) reverse() bool {
	m, err := c.terminal.Acquirer.Reverse(c.paid.Message, nil)
	c.must(err)
	return c.ask(m)
}

func (c *cards) refund(minor int64) bool {
	_, ok := c.use(sim.Refund, minor)
	return ok
}

func (c *cards) statement() (all []int64) {
	var page struct {
		Items []struct {
			Direction string
			Amount    json.Number
		}
	}
	_, err := c.bank.Call(c.t.Context(), http.MethodGet, "/api/v1/issuing/account/"+c.card.Account+"/entry?Sorting=creationTime", nil, &page)
	c.must(err)
	for _, x := range page.Items {
		minor := c.minor(x.Amount)
		if x.Direction == "Debit" {
			minor = -minor
		}
		all = append(all, minor)
	}
	return all
}

// minor reads an amount of lira.
func (w *doorway) minor(n json.Number) int64 {
	w.t.Helper()
	a, err := money.Parse(strings.TrimSuffix(n.String(), ".0"), lira(0).Currency())
	w.must(err)
	return a.Minor()
}
