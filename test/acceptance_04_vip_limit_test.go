package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/sim"
)

// TestAcceptance_vipLimit: a segment raises a limit of its group to 20,000 for who is
// in it and nobody else, and who leaves it is at 5,000 again at once
// (contract/platform.md §20, scenario 4).
func TestAcceptance_vipLimit(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		bank := openBank(t, s, flags)
		var customers []string
		var cards []sim.Issued
		for i, tckn := range []string{"10000000146", "19191919190"} {
			var customer struct{ CustomerNo string }
			issuingCall(t, bank, http.MethodPost, "/customer", map[string]any{
				"customerType": "Individual", "name": "Ada", "surname": "Deniz", "birthDate": "1985-05-17", "nationality": "TR",
				"identifications": []map[string]any{{"identificationType": "Tckn", "identificationNo": tckn}},
				"communications":  []map[string]any{{"communicationType": "MobilePhone", "value": "+90532123456" + string(rune('1'+i))}},
			}, &customer)
			card, err := bank.Issue(t.Context(), customer.CustomerNo, "7392")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bank.Load(t.Context(), card.Account, "50000.00", "load-"+customer.CustomerNo); err != nil {
				t.Fatal(err)
			}
			customers, cards = append(customers, customer.CustomerNo), append(cards, card)
		}
		cashLimit(t, bank, "CASH_DAY_STD", 5000, map[string]any{"linkType": "Product", "linkCode": "CLASSIC"})
		issuingCall(t, bank, http.MethodPost, "/customer-segment", map[string]any{"code": "VIP", "name": "VIP"}, nil)
		cashLimit(t, bank, "CASH_DAY_VIP", 20000, map[string]any{"linkType": "Segment", "linkCode": "VIP"})
		atm := machine(t)
		link := connect(t, s, atm, 10*time.Second)
		cash := func(i int, minor int64, want, why string) {
			t.Helper()
			if _, code := withdraw(t, link, atm, cards[i], lira(minor)); code != want {
				t.Fatalf("%s: %s answered %s, want %s", why, lira(minor), code, want)
			}
		}
		holds := func(i int, code, used, available string) {
			t.Helper()
			d := limitOf(t, bank, cards[i].Token)
			if d.VelocityCheckCode != code || d.Used.Amount.String() != used || d.Available.Amount.String() != available {
				t.Errorf("card %d: %+v, want %s with %s used and %s left", i, d, code, used, available)
			}
		}
		segment := func(code any) {
			t.Helper()
			issuingCall(t, bank, http.MethodPut, "/customer/"+customers[0]+"/segment", map[string]any{"segmentCode": code}, nil)
		}

		cash(0, 400_000, "00", "within the standard")
		cash(0, 200_000, "61", "above the standard")
		segment("VIP")
		holds(0, "CASH_DAY_VIP", "4000.00", "16000.00") // what was used counts
		holds(1, "CASH_DAY_STD", "0.00", "5000.00")
		cash(0, 1_600_000, "00", "within the segment's")
		cash(0, 1, "61", "above the segment's")
		cash(1, 500_100, "61", "another customer above the standard")
		cash(1, 500_000, "00", "another customer within it")
		segment(nil)
		holds(0, "CASH_DAY_STD", "20000.00", "0.00")
		cash(0, 1, "61", "out of the segment, at once")
		wantLedger(t, bank, cards[0], "30000.00")
		wantLedger(t, bank, cards[1], "45000.00")
		run(t, append([]string{"verify"}, flags...)...)
	})
}
