package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Few cards are used through both nodes at once, more than there is money for: what
// is posted is what was approved, to the cent; and whoever repeats a message at the
// other node, at the same moment or later, gets the first answer. The nodes need not
// have groups of one size.
func TestTwoNodes_hotCardsLoseNoUpdate(t *testing.T) {
	for n, size := range groupSizes {
		t.Run(fmt.Sprint(size, " and ", groupSizes[(n+1)%len(groupSizes)]), func(t *testing.T) {
			dir := t.TempDir()
			flags := []string{"--data", dir, "--db", dbtest.PostgresDSN(t)}
			nodes := []*server{serve(t, dir, inGroups(n, flags...)...), serve(t, dir, inGroups(n+1, flags...)...)}
			heatCards(t, nodes, flags)
			for i, node := range nodes {
				checkGroups(t, node, n+i)
			}
		})
	}
}

// heatCards pays with few cards at two nodes at once, and looks at what became of it.
func heatCards(t *testing.T, nodes []*server, flags []string) {
	t.Helper()
	const hot, links, each = 3, 4, 60
	bank := openBank(t, nodes[0], flags)
	cards := issue(t, bank, hot) // 10,000.00 each
	term := shop(t)
	type told struct{ code, approve string }
	tell := func(m *iso8583.Message) told {
		return told{m.Text(iso8583.ResponseCode), m.TrimmedText(iso8583.AuthorizationCode)}
	}
	var (
		mu       sync.Mutex
		approved [hot]int
		first    = map[*iso8583.Message]told{}
	)
	var all [2][]*sim.Link
	for n, node := range nodes {
		for range links {
			all[n] = append(all[n], connect(t, node, term, 20*time.Second))
		}
	}
	var running sync.WaitGroup
	for n := range nodes {
		for i := range links {
			running.Go(func() {
				here, there := all[n][i], all[1-n][i]
				for k := range each {
					card := (i + k) % hot
					r, err := term.Use(cards[card].Card, sim.Payment{
						MTI: iso8583.FinancialRequest, Amount: lira(10_000), Entry: sim.Chip, // 160 on each, and there is money for 100
					})
					if err != nil {
						t.Error(err)
						return
					}
					// Every third goes to both nodes at once.
					var again *iso8583.Message
					var asking sync.WaitGroup
					if k%3 == 0 {
						asking.Go(func() {
							if again, _, err = there.Ask(t.Context(), sim.Repeat(r.Message)); err != nil {
								t.Error(err)
							}
						})
					}
					answer, _, failed := here.Ask(t.Context(), r.Message)
					asking.Wait()
					if failed != nil {
						t.Error(failed)
						return
					}
					got := tell(answer)
					if again != nil && tell(again) != got {
						t.Errorf("one node told %v, the other %v", got, tell(again))
					}
					mu.Lock()
					first[r.Message] = got
					if got.code == "00" {
						approved[card]++
					} else if got.code != "51" {
						t.Errorf("got %s", got.code)
					}
					mu.Unlock()
				}
			})
		}
	}
	running.Wait()
	sum := 0
	for i, card := range cards {
		if sum += approved[i]; approved[i] != 100 {
			t.Errorf("card %d: %d were approved, and there is money for 100", i, approved[i])
		}
		var got struct{ Posted json.Number }
		issuingCall(t, bank, http.MethodGet, "/account/"+card.Account, nil, &got)
		left := money.Must(1_000_000-int64(approved[i])*10_000, "TRY")
		if fmt.Sprint(got.Posted) != left.Decimal() {
			t.Errorf("card %d: %s is posted, want %s", i, got.Posted, left.Decimal())
		}
	}
	if len(first) != 2*links*each || sum == 0 {
		t.Errorf("%d messages were answered, %d of them approved", len(first), sum)
	}
	n := 0
	for m, was := range first {
		answer, _, err := all[n%2][0].Ask(t.Context(), sim.Repeat(m))
		if err != nil || tell(answer) != was {
			t.Fatalf("the repeat was told %v, %v; the first %v", tell(answer), err, was)
		}
		n++
	}
	run(t, append([]string{"verify"}, flags...)...)
}
