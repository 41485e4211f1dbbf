package test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// acknowledged is a message that was answered, and how.
type acknowledged struct {
	message *iso8583.Message
	code    string // DE39
	approve string // DE38
}

// TestServe_losesNothingItAnswered kills the real binary in the middle of
// traffic, again and again, each time with another size of groups. After each
// restart the same message must get the same answer, and in the end the books must
// be right to the cent.
func TestServe_losesNothingItAnswered(t *testing.T) {
	const kills, links = 21, 8
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		s := serve(t, dir, inGroups(0, flags...)...)
		bank := openBank(t, s, flags)
		cards := issue(t, bank, links)
		term := shop(t)
		var (
			mu       sync.Mutex
			answered []acknowledged
			approved = make([]int64, links) // per card
			open     []*iso8583.Message     // sent, and no answer came
			several  bool                   // in one commit
		)
		for n := range kills {
			var running sync.WaitGroup
			for i := range links {
				link := connect(t, s, term, 10*time.Second)
				running.Go(func() {
					for {
						r, err := term.Use(cards[i].Card, sim.Payment{Amount: lira(100), Entry: sim.Chip})
						if err != nil {
							t.Error(err)
							return
						}
						answer, _, err := link.Ask(context.Background(), r.Message)
						mu.Lock()
						if err != nil {
							open = append(open, r.Message)
							mu.Unlock()
							return
						}
						a := acknowledged{r.Message, answer.Text(iso8583.ResponseCode), answer.TrimmedText(iso8583.AuthorizationCode)}
						answered = append(answered, a)
						if a.code == "00" {
							approved[i]++
						}
						mu.Unlock()
					}
				})
			}
			time.Sleep(time.Duration(20+random.IntN(150)) * time.Millisecond) // the moment of death is the point
			several = checkGroups(t, s, n) || several
			s.command.Process.Kill()
			running.Wait()
			<-s.ended
			s = serve(t, dir, inGroups(n+1, flags...)...)

			// Whoever got no answer repeats; what comes is as good as a first answer.
			link := connect(t, s, term, 10*time.Second)
			for _, m := range open {
				answer, _, err := link.Ask(t.Context(), sim.Repeat(m))
				if err != nil {
					t.Fatalf("repeat of an unanswered message: %v", err)
				}
				a := acknowledged{m, answer.Text(iso8583.ResponseCode), answer.TrimmedText(iso8583.AuthorizationCode)}
				answered = append(answered, a)
				if a.code == "00" {
					for i := range cards {
						if cards[i].Card.PAN.Reveal() == m.Text(iso8583.PAN) {
							approved[i]++
						}
					}
				}
			}
			open = nil
			checkSame(t, link, answered[max(0, len(answered)-40):])
		}
		checkSame(t, connect(t, s, term, 10*time.Second), answered)
		t.Logf("%d answers over %d kills", len(answered), kills)
		if len(answered) == 0 || !several {
			t.Errorf("%d answers, several in one commit: %v", len(answered), several)
		}
		for i := range cards {
			var account struct {
				Held json.Number `json:"held"`
			}
			bank.Move("http://" + s.api)
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+cards[i].Account, nil, &account); err != nil {
				t.Fatal(err)
			}
			held, err := money.Parse(account.Held.String(), lira(0).Currency())
			if err != nil {
				t.Fatal(err)
			}
			if want := lira(approved[i] * 100); held != want {
				t.Errorf("card %d: %v is held, and %v was approved", i, held, want)
			}
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// checkSame repeats messages and wants the answers they got before.
func checkSame(t *testing.T, link *sim.Link, answered []acknowledged) {
	t.Helper()
	for _, a := range answered {
		answer, _, err := link.Ask(t.Context(), sim.Repeat(a.message))
		if errors.Is(err, sim.ErrNoAnswer) {
			t.Fatalf("a repeat got no answer: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if code, approve := answer.Text(iso8583.ResponseCode), answer.TrimmedText(iso8583.AuthorizationCode); code != a.code || approve != a.approve {
			t.Fatalf("the first answer was %s %s, the repeat's is %s %s", a.code, a.approve, code, approve)
		}
	}
}
