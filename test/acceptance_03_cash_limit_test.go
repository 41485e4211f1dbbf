package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestAcceptance_cashLimit: 5,000 lira of cash a day: 3,000 are paid out, 2,500 more
// are not; once the first is voided they are (contract/platform.md §20, scenario 3).
func TestAcceptance_cashLimit(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		hook := listen(t, bank, "velocity.threshold")
		cards := issue(t, bank, 2)
		cashLimit(t, bank, "CASH_DAY", 5000, map[string]any{"linkType": "Product", "linkCode": "CLASSIC"})
		issuingCall(t, bank, http.MethodPut, "/velocity-control/CASH_DAY", map[string]any{
			"name": "Daily cash", "limitGroup": "DAILY_CASH", "currencyCode": "TRY", "period": "Day", "maxAmount": 5000,
			"criteria": map[string]any{"transactionCodes": []string{"CashWithdrawal", "CashAdvance"}}, "alertThresholdPercent": 50,
		}, nil)
		atm := machine(t)
		link := connect(t, s, atm, 10*time.Second)
		cash := func(minor int64, want string) *sim.Request {
			t.Helper()
			r, code := withdraw(t, link, atm, cards[0], lira(minor))
			if code != want {
				t.Fatalf("%s answered %s, want %s", lira(minor), code, want)
			}
			return r
		}

		first := cash(300_000, "00")
		var alert struct {
			Code    string
			Percent int
			Used    struct{ Amount json.Number }
		}
		if err := json.Unmarshal(hook.wait(t, "velocity.threshold", cards[0].Token).Data, &alert); err != nil {
			t.Fatal(err)
		}
		if alert.Code != "CASH_DAY" || alert.Percent != 60 || alert.Used.Amount != "3000.00" {
			t.Errorf("the alert: %+v", alert)
		}
		cash(250_000, "61")
		if d := limitOf(t, bank, cards[0].Token); d.Used.Amount != "3000.00" || d.Available.Amount != "2000.00" || *d.Used.Count != 1 {
			t.Errorf("the limit: %+v", d)
		}
		wantLedger(t, bank, cards[0], "7000.00")

		void, err := atm.Acquirer.Reverse(first.Message, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := link.Ask(t.Context(), void)
		if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
			t.Fatalf("the void: %v %v", answer, err)
		}
		wantLedger(t, bank, cards[0], "10000.00")
		cash(250_000, "00")
		cash(250_000, "00") // the limit itself is within the limit
		cash(1, "61")
		if d := limitOf(t, bank, cards[0].Token); d.Used.Amount != "5000.00" || d.Available.Amount != "0.00" || *d.Used.Count != 2 {
			t.Errorf("the limit: %+v", d)
		}
		if by := usedBy(t, bank, cards[0].Token, "CASH_DAY"); !slices.Equal(by, []string{"2500.00", "2500.00"}) {
			t.Errorf("used by %v", by)
		}
		wantLedger(t, bank, cards[0], "5000.00")
		// Another card has a limit of its own, and no limit is on what is bought.
		if _, code := withdraw(t, link, atm, cards[1], lira(500_000)); code != "00" {
			t.Errorf("the other card: %s", code)
		}
		till := shop(t)
		till.Acquirer = atm.Acquirer // which numbers what it sends
		if code := pay(t, link, till, cards[0].Card, sim.Payment{Amount: lira(100_000), Entry: sim.Chip, PIN: cards[0].Card.PIN}); code != "00" {
			t.Errorf("a purchase: %s", code)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
