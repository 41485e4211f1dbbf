package test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TestAcceptance_clearing: what was authorized is presented exactly, lower, with a
// restaurant's tip, without a question, twice, and too late; each record gets its
// status, and the books agree (contract/platform.md §20, scenario 12).
func TestAcceptance_clearing(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--job-hold-expiry-interval", "100ms")...)
		bank := openBank(t, s, flags)
		card := issue(t, bank, 1)[0]
		balance := func(want string) {
			t.Helper()
			var got struct{ Posted, Held json.Number }
			if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &got); err != nil {
				t.Fatal(err)
			}
			if text := got.Posted.String() + " " + got.Held.String(); text != want {
				t.Errorf("posted and held %s, want %s", text, want)
			}
		}
		present := func(what string, body map[string]any, match, original string) {
			t.Helper()
			got, refused := simulate(t, bank, "clear", body)
			if refused != "" || got.Clearing == nil || got.Clearing.MatchStatus != match || got.OriginalStatus != original {
				t.Errorf("%s: %s %+v, the original is %q, want %s, %q", what, refused, got.Clearing, got.OriginalStatus, match, original)
			}
		}
		pay := func(amount float64, mcc string) string {
			t.Helper()
			got, refused := simulate(t, bank, "process", purchase(card, map[string]any{"amount": amount, "mcc": mcc}))
			if !got.IsApproved {
				t.Fatalf("a purchase: %s %+v", refused, got)
			}
			return got.TransactionID
		}
		const grocer, restaurant = "5411", "5812"

		present("as authorized", map[string]any{"transactionId": pay(100, grocer)}, "Matched", "Cleared")
		balance("9900.00 0.00")
		present("less", map[string]any{"transactionId": pay(100, grocer), "amount": 60, "currencyCode": "TRY"}, "MatchedWithDifference", "Cleared")
		balance("9840.00 0.00")
		present("with a tip", map[string]any{"transactionId": pay(100, restaurant), "amount": 115, "currencyCode": "TRY"}, "MatchedWithDifference", "Cleared")
		balance("9725.00 0.00")
		present("with more than a tip", map[string]any{"transactionId": pay(100, restaurant), "amount": 150, "currencyCode": "TRY"}, "AmountExceeded", "Cleared")
		balance("9575.00 0.00")
		present("without a question", map[string]any{"forced": true, "cardToken": card.Token, "amount": 75, "currencyCode": "TRY"}, "ForcePost", "")
		balance("9500.00 0.00")

		late := pay(40, grocer)
		letHoldEnd(t, bank, flags[3], late)
		present("too late", map[string]any{"transactionId": late}, "LatePresentment", "Cleared")
		balance("9460.00 0.00")

		presentTwice(t, s, bank, card, flags)
		balance("9450.00 0.00")
		run(t, append([]string{"verify"}, flags...)...)
	})
}

// letHoldEnd makes the hold of a transaction end now, and waits until the job has
// released it. Days pass for nobody else.
func letHoldEnd(t *testing.T, bank *sim.Bank, dsn, transaction string) {
	t.Helper()
	d, err := db.Open(t.Context(), dsn, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE hold SET expires_at = $1 WHERE is_open`, clock.Micros(clock.System{}.Now().Add(-time.Minute)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		var list struct{ Items []struct{ Status string } }
		if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing-transaction/card-transaction?TransactionId="+transaction, nil, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 1 && list.Items[0].Status == "Expired" {
			return
		}
		<-tick.C
	}
	t.Fatal("the hold does not expire")
}

// presentTwice lets the acquirer send one record in the files of two nights.
func presentTwice(t *testing.T, s *server, bank *sim.Bank, card sim.Issued, flags []string) {
	t.Helper()
	term := shop(t)
	link := connect(t, s, term, 10*time.Second)
	played, err := bank.ReadCard(t.Context(), card.Token, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := term.Use(played, sim.Payment{Amount: lira(1_000), Entry: sim.Chip})
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := link.Ask(t.Context(), r.Message)
	if err != nil || answer.Text(iso8583.ResponseCode) != "00" {
		t.Fatalf("the purchase: %v", err)
	}
	slip, err := term.Present(r, answer, lira(1_000))
	if err != nil {
		t.Fatal(err)
	}
	for night, match := range []string{"Matched", "Duplicate"} {
		now := term.Acquirer.Clock.Now().AddDate(0, 0, night)
		var file bytes.Buffer
		header := clearingfile.Header{
			Network: "generic", FileID: "NIGHT." + string(rune('1'+night)), CreatedAt: now, BusinessDate: clock.DateOf(now, time.UTC),
		}
		if err := term.Acquirer.Clear(&file, header, []clearingfile.Presentment{slip}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "clearing.jsonl")
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		var imported struct {
			Records  int
			ByStatus map[string]int
			Totals   []struct{ Debit, Credit int64 }
		}
		if err := json.Unmarshal(run(t, append([]string{"clearing", "import", path, "--json"}, flags...)...), &imported); err != nil {
			t.Fatal(err)
		}
		if imported.Records != 1 || imported.ByStatus[match] != 1 || len(imported.Totals) != 1 || imported.Totals[0].Debit != 1_000 {
			t.Errorf("night %d: %+v, want one %s", night+1, imported, match)
		}
	}
}
