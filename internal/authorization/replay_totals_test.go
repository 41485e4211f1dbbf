package authorization_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// ask sends a request a second later and returns it with its answer.
func ask(w *authorizationtest.World, r *authorization.Request) (*authorization.Request, authorization.Answer) {
	w.T.Helper()
	w.Clock.Advance(time.Second)
	answer, err := w.Engine.Authorize(w.T.Context(), r)
	if err != nil {
		w.T.Fatal(err)
	}
	return r, answer
}

func pay(w *authorizationtest.World, c *authorizationtest.Card, minor int64) *authorization.Request {
	return w.Request(c, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
}

func draftOf(objects ...control.Drafted) *control.Draft { return &control.Draft{Objects: objects} }

func draftedLimit(c control.VelocityCheck) control.Drafted {
	return control.VelocityChecks.Drafted("velocityControls[0]", c, []control.Link{everywhere()})
}

// A program that decides otherwise on a record than it once did is found out,
// whether it approves what was declined or only says something else of it.
func TestReplay_tellsWhatDivergesFromWhatWasDecided(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("100.00")
		begin := w.Clock.Now()
		_, answer := ask(w, pay(w, c, 1000))
		ask(w, pay(w, c, 2000))
		if err := d.InTx(t.Context(), func(tx db.Tx) error {
			record := authorization.Packed("")
			if err := tx.QueryRow(t.Context(), `SELECT record FROM decision WHERE transaction_id = $1`, answer.Transaction).Scan(&record); err != nil {
				return err
			}
			altered := strings.Replace(string(record), "state.posted=10000 TRY", "state.posted=500 TRY", 1)
			if altered == string(record) {
				t.Error("the record has no such line")
			}
			_, err := tx.Exec(t.Context(), `UPDATE decision SET record = $2 WHERE transaction_id = $1`, answer.Transaction, authorization.Packed(altered))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		totals, all := replayAll(t, w, begin, nil)
		if len(all) != 1 || totals.Same != 1 || totals.Effects[authorization.Diverged] != 1 {
			t.Fatalf("%+v, %+v", totals, all)
		}
		got := all[0]
		if got.Transaction != answer.Transaction || !got.Was.Approved || got.Was.Amount != money.Must(1000, "TRY") ||
			got.Is.Approved || got.Is.Reason != authorization.InsufficientFunds || got.Detail == "" {
			t.Errorf("%+v", got)
		}
		if s := totals.Sums[0]; s.Approved != money.Must(3000, "TRY") || s.ApprovedAgain != money.Must(2000, "TRY") {
			t.Errorf("%+v", s)
		}
		if len(totals.Partial) != 1 {
			t.Errorf("partial: %q", totals.Partial)
		}
	})
}

// The sums are about what is paid with cards: what is taken back, credited or
// completed is no further payment, and what falls out of the replay with the
// payment that it was about was approved all the same.
func TestReplay_sumsUpPaymentsAlike(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	begin := w.Clock.Now()
	small, _ := ask(w, pay(w, c, 1000))
	big, _ := ask(w, pay(w, c, 2000))
	increment := pay(w, c, 300)
	increment.RRN, increment.IsIncrement = big.RRN, true
	ask(w, increment)
	completion := w.Request(c, authorization.FinancialAdvice, money.Must(2300, "TRY"))
	completion.RRN = big.RRN
	ask(w, completion)
	ask(w, w.Reversal(c, small, authorization.ReversalRequest, nil))
	refund := w.Request(c, authorization.FinancialRequest, money.Must(700, "TRY"))
	refund.ProcessingCode = "200000"
	ask(w, refund)

	totals, _ := replayAll(t, w, begin, nil)
	want := authorization.Sums{
		Currency: money.MustCurrency("TRY"), Approved: money.Must(3300, "TRY"), ApprovedAgain: money.Must(3300, "TRY"),
		Fees: money.Must(0, "TRY"), FeesAgain: money.Must(0, "TRY"), ApprovedCount: 3, ApprovedCountAgain: 3,
	}
	if len(totals.Sums) != 1 || totals.Sums[0] != want || totals.Decided != 6 {
		t.Errorf("as recorded: %+v", totals)
	}
	limit := dayLimit("DRAFT", 1500, 9)
	limit.Period, limit.Limits.Count = control.PerTransaction, nil
	totals, _ = replayAll(t, w, begin, draftOf(draftedLimit(limit)))
	want.ApprovedAgain, want.ApprovedCountAgain = money.Must(1000, "TRY"), 1
	if len(totals.Sums) != 1 || totals.Sums[0] != want || totals.Skipped != 2 {
		t.Errorf("under a draft that declines the second: %+v", totals)
	}
}
