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

// judged is what the transaction list tells of a payment.
type judged struct {
	TransactionID   string   `json:"transactionId"`
	ResponseCode    string   `json:"responseCode"`
	MatchedControls []string `json:"matchedControls"`
}

// TestServe_tellsAndCountsOnceWheneverItDies kills the real binary while controls
// alert and limits count, again and again, each time with another size of groups:
// every alert of every payment that was judged is told, under one identifier, and
// once by SMS; every counter says what the payments come to, and so do the
// transactions that it is made of.
func TestServe_tellsAndCountsOnceWheneverItDies(t *testing.T) {
	const kills, links = 9, 4
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		serving := append(slices.Clone(flags), "--webhook-allow-loopback", "true")
		s := serve(t, dir, inGroups(0, serving...)...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "authorization-control.alert", "velocity.threshold")
		everywhere := []map[string]any{{"linkType": "Global"}}
		for _, c := range []map[string]any{
			{"code": "TELL", "action": "Alert", "alertChannels": []string{"Webhook", "Sms"}, "rule": `transaction.billingAmount > decimal("0")`},
			{"code": "WATCH", "action": "Decline", "alertChannels": []string{"Webhook", "Sms"}, "evaluationMode": "Monitor", "rule": `transaction.billingAmount > decimal("0")`},
			{"code": "DEAR", "action": "Refer", "alertChannels": []string{"Webhook"}, "rule": `transaction.billingAmount >= decimal("2")`},
		} {
			c["name"], c["links"] = "Control", everywhere
			define(t, bank, "/api/v1/issuing/authorization-control", c)
		}
		limits := map[string]map[string]any{
			"LIFE":   {"period": "Lifetime", "accumulationLevel": "Customer", "currencyCode": "TRY", "maxAmount": 5000, "alertThresholdPercent": 1},
			"SPAN":   {"period": "Rolling", "windowLength": 300, "windowUnit": "Day", "currencyCode": "TRY", "maxAmount": 9000},
			"TRIES":  {"period": "Lifetime", "maxCount": 90000, "includeDeclined": true},
			"SINGLE": {"period": "Lifetime", "accumulationLevel": "Card", "maxCount": 40, "actionOnExceed": "AlertOnly"},
		}
		for code, v := range limits {
			v["code"], v["name"], v["links"] = code, "Limit", everywhere
			define(t, bank, "/api/v1/issuing/velocity-control", v)
		}
		var customer struct{ CustomerNo string }
		if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/customer", map[string]any{
			"customerType": "Individual", "name": "Ada", "surname": "Deniz", "birthDate": "1985-05-17", "nationality": "TR",
			"identifications":         []map[string]any{{"identificationType": "Tckn", "identificationNo": "10000000146"}},
			"communications":          []map[string]any{{"communicationType": "MobilePhone", "value": "+905321234567"}},
			"notificationPreferences": map[string]any{"sms": true},
		}, &customer); err != nil {
			t.Fatal(err)
		}
		cards := make([]sim.Issued, links)
		for i := range cards {
			var err error
			if cards[i], err = bank.Issue(t.Context(), customer.CustomerNo, "7392"); err != nil {
				t.Fatal(err)
			}
			if _, err := bank.Load(t.Context(), cards[i].Account, "10000.00", fmt.Sprintf("load-%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		term := shop(t)
		var (
			mu       sync.Mutex
			open     []*iso8583.Message // sent, and no answer came
			answered int
		)
		count := func() int {
			mu.Lock()
			defer mu.Unlock()
			return answered
		}
		for n := range kills {
			var running sync.WaitGroup
			for i := range links {
				link := connect(t, s, term, 10*time.Second)
				running.Go(func() {
					for k := 0; ; k++ {
						amount := int64(100)
						if k%4 == 3 {
							amount = 250 // referred
						}
						r, err := term.Use(cards[i].Card, sim.Payment{Amount: lira(amount), Entry: sim.Chip})
						if err != nil {
							t.Error(err)
							return
						}
						_, _, err = link.Ask(context.Background(), r.Message)
						mu.Lock()
						if err != nil {
							open = append(open, r.Message)
							mu.Unlock()
							return
						}
						answered++
						mu.Unlock()
					}
				})
			}
			// However slow the machine is, each life sees enough for limits and referrals.
			before := count()
			for begun := time.Now(); count() < before+4*links && time.Since(begun) < 20*time.Second; {
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond) // the moment of death is the point
			s.command.Process.Kill()
			running.Wait()
			<-s.ended
			s = serve(t, dir, inGroups(n+1, serving...)...)
			bank.Move("http://" + s.api)
			link := connect(t, s, term, 10*time.Second)
			for _, m := range open {
				if _, _, err := link.Ask(t.Context(), sim.Repeat(m)); err != nil {
					t.Fatalf("repeat of an unanswered message: %v", err)
				}
				answered++
			}
			open = nil
		}
		var all, approved int
		for _, card := range cards {
			payments := decidedOf(t, bank, card.Token)
			good := 0
			for _, p := range payments {
				if p.ResponseCode == "00" {
					good++
				}
			}
			all, approved = all+len(payments), approved+good
			checkTold(t, bank, hook, card.Token, payments)
			checkUsed(t, bank, card.Token, map[string]string{
				"SPAN": fmt.Sprintf("%d.00 %d", good, good), "TRIES": fmt.Sprintf(" %d", len(payments)), "SINGLE": fmt.Sprintf(" %d", good),
			})
		}
		if all != answered || approved == 0 || approved == all {
			t.Errorf("%d of %d were answered, %d approved", answered, all, approved)
		}
		checkUsed(t, bank, cards[0].Token, map[string]string{"LIFE": fmt.Sprintf("%d.00 %d", approved, approved)})
		told := 0
		for _, card := range cards {
			for _, data := range hook.distinct("velocity.threshold", card.Token) {
				var e struct{ Code string }
				if err := json.Unmarshal(data, &e); err != nil {
					t.Fatal(err)
				}
				if e.Code == "LIFE" {
					told++
				}
			}
		}
		if told != 1 {
			t.Errorf("of the threshold was told %d times", told)
		}
		t.Logf("%d answers, %d approved, over %d kills", answered, approved, kills)
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// decidedOf lists all payments of a card.
func decidedOf(t *testing.T, bank *sim.Bank, token string) (all []judged) {
	t.Helper()
	for {
		var page struct {
			TotalCount int
			Items      []judged
		}
		path := fmt.Sprintf("/api/v1/issuing-transaction/card-transaction?MaxResultCount=1000&SkipCount=%d&CardToken=%s", len(all), token)
		if _, err := bank.Call(t.Context(), http.MethodGet, path, nil, &page); err != nil {
			t.Fatal(err)
		}
		if all = append(all, page.Items...); len(all) >= page.TotalCount {
			return all
		}
	}
}

// eventually waits until something is so, or it takes too long.
func eventually(isSo func() bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 1200 {
		if isSo() {
			return
		}
		<-tick.C
	}
}

// checkTold wants one alert of each control of each payment, of those that tell
// webhooks, and one SMS of those that tell the cardholder.
func checkTold(t *testing.T, bank *sim.Bank, hook *receiver, token string, payments []judged) {
	t.Helper()
	want, texts := map[string]int{}, 0
	for _, p := range payments {
		for _, code := range p.MatchedControls {
			if code != "WATCH" {
				want[p.TransactionID+" "+code]++
			}
			if code == "TELL" {
				texts++
			}
		}
		if !slices.Contains(p.MatchedControls, "WATCH") && !slices.Contains(p.MatchedControls, "DEAR") {
			t.Errorf("%s matched %v", p.TransactionID, p.MatchedControls)
		}
	}
	got := map[string]int{}
	eventually(func() bool { return len(hook.distinct("authorization-control.alert", token)) >= len(want) })
	for _, data := range hook.distinct("authorization-control.alert", token) {
		var e struct {
			TransactionID string `json:"transactionId"`
			Control       struct{ Code string }
		}
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatal(err)
		}
		got[e.TransactionID+" "+e.Control.Code]++
	}
	for what, n := range want {
		if got[what] != n {
			t.Errorf("%s was told %d times, want %d", what, got[what], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("told of %d alerts, want %d", len(got), len(want))
	}
	told := 0
	eventually(func() bool {
		told = smsOf(t, bank, token)
		return told >= texts
	})
	if told != texts {
		t.Errorf("%d SMS, want %d", told, texts)
	}
}

// smsOf is how many SMS told of alerts about a card.
func smsOf(t *testing.T, bank *sim.Bank, token string) (n int) {
	t.Helper()
	for read := 0; ; {
		var page struct {
			TotalCount int
			Items      []struct{ EventType string }
		}
		path := fmt.Sprintf("/api/v1/sandbox/inbox?MaxResultCount=1000&SkipCount=%d&CardToken=%s", read, token)
		if _, err := bank.Call(t.Context(), http.MethodGet, path, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			if m.EventType == "authorization-control.alert" {
				n++
			}
		}
		if read += len(page.Items); read >= page.TotalCount {
			return n
		}
	}
}

// checkUsed wants what is used of limits of a card, "amount count", and that the
// transactions which make it up come to it.
func checkUsed(t *testing.T, bank *sim.Bank, token string, want map[string]string) {
	t.Helper()
	type amount struct {
		Amount json.Number
		Count  int
	}
	var limits []struct {
		VelocityCheckCode string
		Used              amount
	}
	path := "/api/v1/issuing/velocity-control/card/" + token + "/limits"
	if _, err := bank.Call(t.Context(), http.MethodGet, path, nil, &limits); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range limits {
		code := l.VelocityCheckCode
		if want[code] == "" {
			continue
		}
		seen++
		if used := fmt.Sprintf("%s %d", l.Used.Amount, l.Used.Count); used != want[code] {
			t.Errorf("%s says %s, want %s", code, used, want[code])
		}
		count, rows := 0, 0
		for {
			var page struct {
				TotalCount int
				Items      []struct{ CountedCount int }
			}
			if _, err := bank.Call(t.Context(), http.MethodGet, fmt.Sprintf("%s/%s/transaction?MaxResultCount=1000&SkipCount=%d", path, code, rows), nil, &page); err != nil {
				t.Fatal(err)
			}
			for _, u := range page.Items {
				count += u.CountedCount
			}
			if rows += len(page.Items); rows >= page.TotalCount {
				break
			}
		}
		if count != l.Used.Count {
			t.Errorf("the transactions of %s come to %d, it says %d", code, count, l.Used.Count)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d limits hold", seen, len(want))
	}
}
