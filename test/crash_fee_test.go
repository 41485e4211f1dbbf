package test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestServe_chargesFeesOnceWheneverItDies kills the real binary while payments and
// jobs charge fees, again and again, each time with another size of groups: each
// payment that was answered has paid, or holds, its fee and tax once, each card has
// paid for being made and for its year.
func TestServe_chargesFeesOnceWheneverItDies(t *testing.T) {
	const kills, links = 6, 3
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		serving := append(slices.Clone(flags), "--job-card-interval", "100ms")
		s := serve(t, dir, inGroups(0, serving...)...)
		bank := openBank(t, s, flags)
		define(t, bank, "/api/v1/system/tenant/issuing-attribute", map[string]any{
			"balanceMode": "Internal", "taxRates": []map[string]any{{"taxType": "Bsmv", "rate": 15, "effectiveFrom": "2020-01-01"}},
		})
		const fees = "/api/v1/issuing/fee-management"
		for path, fee := range map[string]map[string]any{
			"/transaction":   {"code": "USE", "calculationType": "Fixed", "fixedAmount": 0.20},
			"/card-issuance": {"code": "FIRST", "events": []string{"FirstIssuance"}, "amount": 50},
			"/card-annual":   {"code": "YEAR", "amount": 480, "chargeTiming": "OnOrder"},
		} {
			fee["name"], fee["currencyCode"] = "Fee", "TRY"
			fee["taxes"], fee["links"] = []map[string]any{{"taxType": "Bsmv"}}, []map[string]any{{"linkType": "Global"}}
			define(t, bank, fees+path, fee)
		}
		customer, err := bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		order := func() sim.Issued {
			t.Helper()
			made, err := bank.Issue(t.Context(), customer, "7392")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bank.Load(t.Context(), made.Account, "10000.00", "load-"+made.Token); err != nil {
				t.Fatal(err)
			}
			return made
		}
		cards := make([]sim.Issued, links)
		for i := range cards {
			cards[i] = order()
		}
		term := shop(t)
		var (
			mu     sync.Mutex
			held   = make([]int64, links) // payments that were approved, by card
			paid   = make([]int64, links)
			open   = map[int]*iso8583.Message{} // sent, and no answer came
			unused []sim.Issued
		)
		note := func(i int, asked, answer *iso8583.Message) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case answer.Text(iso8583.ResponseCode) != "00":
				t.Errorf("card %d: %s was answered %s", i, asked.MTI, answer.Text(iso8583.ResponseCode))
			case asked.MTI == iso8583.FinancialRequest:
				paid[i]++
			default:
				held[i]++
			}
		}
		for n := range kills {
			var running sync.WaitGroup
			for i := range links {
				link := connect(t, s, term, 10*time.Second)
				running.Go(func() {
					for k := 0; ; k++ {
						pay := sim.Payment{Amount: lira(100), Entry: sim.Chip}
						if k%2 == 1 {
							pay.MTI, pay.PIN = iso8583.FinancialRequest, cards[i].Card.PIN
						}
						r, err := term.Use(cards[i].Card, pay)
						if err != nil {
							t.Error(err)
							return
						}
						answer, _, err := link.Ask(context.Background(), r.Message)
						if err != nil {
							mu.Lock()
							open[i] = r.Message
							mu.Unlock()
							return
						}
						note(i, r.Message, answer)
					}
				})
			}
			unused = append(unused, order())                               // jobs charge what it costs, while they are killed
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond) // the moment of death is the point
			s.command.Process.Kill()
			running.Wait()
			<-s.ended
			s = serve(t, dir, inGroups(n+1, serving...)...)
			bank.Move("http://" + s.api)
			link := connect(t, s, term, 10*time.Second)
			for i, m := range open {
				answer, _, err := link.Ask(t.Context(), sim.Repeat(m))
				if err != nil {
					t.Fatalf("repeat of an unanswered message: %v", err)
				}
				note(i, m, answer)
				delete(open, i)
			}
		}
		// What an account did not bear before it was loaded is tried again each day.
		define(t, bank, "/api/v1/sandbox/transaction/advance-time", map[string]any{"days": 2})
		const price, costs, ofCard = 100, 20 + 3, 50_00 + 7_50 + 480_00 + 72_00
		has := func(what string, card sim.Issued, posted, held int64) {
			t.Helper()
			var account struct{ Posted, Held json.Number }
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &account); err != nil {
				t.Fatal(err)
			}
			if account.Posted.String() != lira(posted).Decimal() || account.Held.String() != lira(held).Decimal() {
				t.Errorf("%s has %s and %s held, want %s and %s", what, account.Posted, account.Held, lira(posted).Decimal(), lira(held).Decimal())
			}
		}
		for i, card := range cards {
			has(fmt.Sprintf("card %d", i), card, 10_000_00-ofCard-paid[i]*(price+costs), held[i]*(price+costs))
		}
		for _, card := range unused {
			has("a card that was not used", card, 10_000_00-ofCard, 0)
		}
		t.Logf("%d held and %d posted over %d kills", held, paid, kills)
		run(t, append([]string{"verify"}, flags...)...)
	})
}
