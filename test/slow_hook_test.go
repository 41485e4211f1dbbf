package test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// The system of one tenant takes a second for each answer, and far more of its
// messages wait for it than the platform works on at once. Those of another tenant,
// on the same connection, find room all the same.
func TestSlowHook_holdsUpNobodyElse(t *testing.T) {
	const bound, senders, others = 24, 72, 60
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		var asking, most atomic.Int64
		hook := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			n := asking.Add(1)
			defer asking.Add(-1)
			for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			}
			io.Copy(io.Discard, in.Body)
			time.Sleep(800*time.Millisecond + rand.N(400*time.Millisecond))
			fmt.Fprint(out, `{"approved": true}`)
		}))
		t.Cleanup(hook.Close)
		s := serve(t, dir, append([]string{
			"--webhook-allow-loopback", "true", "--network-working-max", strconv.Itoa(bound), "--network-waiting-max", strconv.Itoa(bound),
			"--network-in-flight-max", strconv.Itoa(bound), "--network-in-flight-total", strconv.Itoa(bound),
		}, flags...)...)
		slow := openBank(t, s, flags)
		for path, body := range map[string]map[string]any{
			"issuing/webhook":                 {"webHookType": "Authorization", "name": "Slow", "url": hook.URL, "timeoutMs": 5000},
			"system/tenant/issuing-attribute": {"balanceMode": "External"},
		} {
			if _, err := slow.Call(t.Context(), http.MethodPost, "/api/v1/"+path, body, nil); err != nil {
				t.Fatal(err)
			}
		}
		waiting := issue(t, slow, 8)
		card := issue(t, openBank(t, s, flags), 1)[0]
		term := shop(t)
		link := connect(t, s, term, 15*time.Second)
		ask := func(card sim.Issued) string {
			r, err := term.Use(card.Card, sim.Payment{Amount: lira(100), Entry: sim.Chip})
			if err != nil {
				t.Error(err)
				return ""
			}
			answer, _, err := link.Ask(context.Background(), r.Message)
			if err != nil {
				t.Error(err)
				return ""
			}
			return answer.Text(iso8583.ResponseCode)
		}
		flood, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		var running sync.WaitGroup
		for i := range senders {
			running.Go(func() {
				for flood.Err() == nil {
					if ask(waiting[i%len(waiting)]) != "00" {
						time.Sleep(20 * time.Millisecond)
					}
				}
			})
		}
		for asking.Load() <= bound && flood.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		codes := map[string]int{}
		for range others {
			codes[ask(card)]++
			time.Sleep(20 * time.Millisecond)
		}
		stop()
		running.Wait()
		t.Logf("the other tenant got %v while up to %d messages waited for the hook", codes, most.Load())
		if most.Load() <= bound {
			t.Errorf("%d messages waited for the hook at once, want more than %d", most.Load(), bound)
		}
		// A burst of questions may fill the places for a moment before it waits.
		if codes["00"] < others*8/10 || codes["00"]+codes["91"] != others {
			t.Errorf("the other tenant got %v", codes)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
