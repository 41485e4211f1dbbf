package test

import "testing"

// TestFeeDebit_asksTheOwnerOfTheBalance asks over HTTP whether a fee is debited:
// a question that is not answered in time is told to be undone when the fee is
// given up; one that is approved is charged once.
func TestFeeDebit_asksTheOwnerOfTheBalance(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		bank := openBank(t, s, flags)
		client := newBookkeeper(t)
		client.employ(bank)
		card := issue(t, bank, 1)[0]
		define(t, bank, "/api/v1/issuing/fee-management/card-annual", map[string]any{
			"code": "YEAR", "name": "Card year", "currencyCode": "TRY", "amount": 120, "chargeTiming": "OnOrder", "maxRetryDays": 1,
			"installmentCount": 2, "links": []map[string]any{{"linkType": "Global"}},
		})
		release := client.hang()
		advance(t, bank, map[string]any{"days": 1})
		asked := client.await("FeeDebit", "")
		if asked.EventType != "authorization.request" || asked.CardToken != card.Token || asked.Data.Decision != nil {
			t.Errorf("asked %+v", asked)
		}
		if got := posted(t, bank, card); got != "10000.00" {
			t.Errorf("not answered, and the account has %s", got)
		}
		advance(t, bank, map[string]any{"days": 3})
		undone := client.await("Reversal", asked.Data.TransactionID)
		if undone.Data.OriginalID != asked.Data.TransactionID || undone.Data.Decision == nil || undone.Data.Decision.Approved {
			t.Errorf("told %+v", undone)
		}
		release()
		advance(t, bank, map[string]any{"days": 31})
		if got := posted(t, bank, card); got != "9940.00" {
			t.Errorf("the second part was approved, and the account has %s", got)
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
