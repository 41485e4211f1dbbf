package authorization_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Whatever messages come, in whatever order and however often: a decline moves
// nothing, a repeat moves nothing and is told the same, and when all are
// reversed and expired nothing is held. At the end every invariant of ledger
// and decisions holds, and every decision recomputes to itself.
func TestAuthorize_anySequenceKeepsTheInvariants(t *testing.T) {
	anySequence(t, authorizationtest.New(t, dbtest.SQLite(t)))
}

// The same with fees on everything: with a minimum, at once and at clearing, in
// tiers, some of them free. What they cost is given back with what they are on.
func TestAuthorize_anySequenceKeepsTheInvariantsWithFees(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	w.SetTax(fee.BSMV, "15")
	w.SetTax(fee.KDV, "20")
	for _, args := range []map[string]string{
		{"code": "POS", "rate": "1.5", "min": "0.50", "max": "0.80", "taxes": "Bsmv", "of": "Purchase", "free": "1"},
		{"code": "CASH", "rate": "3", "fixed": "0.33", "taxes": "Bsmv,Kdv:included", "of": "CashWithdrawal"},
		{"code": "LATE", "fixed": "0.07", "timing": "Clearing"},
		{"code": "STEP", "tiers": "0:20.00:1:0;20.00::0:0.10", "taxes": "Kdv"},
	} {
		if err := w.Fee(args); err != nil {
			t.Fatal(err)
		}
	}
	anySequence(t, w)
}

func anySequence(t *testing.T, w *authorizationtest.World) {
	rapid.Check(t, func(t *rapid.T) {
		c := w.NewCard("100.00")
		var sent []*authorization.Request
		var answers []authorization.Answer
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			w.Clock.Advance(time.Second)
			before := w.Balance(c)
			amount := money.Must(rapid.Int64Range(0, 6000).Draw(t, "amount"), "TRY")
			op := rapid.SampledFrom([]string{"authorize", "withdraw", "refund", "advise", "complete", "increment", "reverse", "repeat", "expire", "early"}).Draw(t, "op")
			var r *authorization.Request
			var prior *authorization.Request
			if len(sent) > 0 {
				prior = sent[rapid.IntRange(0, len(sent)-1).Draw(t, "prior")]
			}
			switch op {
			case "authorize":
				r = w.Request(c, authorization.AuthorizationRequest, amount)
				r.MayApprovePartially = rapid.Bool().Draw(t, "partial")
			case "withdraw":
				r = w.Request(c, authorization.FinancialRequest, amount)
			case "refund":
				r = w.Request(c, authorization.FinancialRequest, amount)
				r.ProcessingCode = "200000"
			case "advise":
				r = w.Request(c, authorization.AuthorizationAdvice, amount)
			case "complete", "increment":
				if prior == nil {
					continue
				}
				flow := authorization.FinancialAdvice
				if op == "increment" {
					flow = authorization.AuthorizationRequest
				}
				r = w.Request(c, flow, amount)
				r.RRN, r.IsIncrement = prior.RRN, op == "increment"
			case "reverse":
				if prior == nil || prior.Flow.IsReversal() {
					continue
				}
				var remains *money.Amount
				if rapid.Bool().Draw(t, "partial reversal") {
					remains = &amount
				}
				r = w.Reversal(c, prior, authorization.ReversalRequest, remains)
				r.Details.ResponseCode = rapid.SampledFrom([]string{"", "17"}).Draw(t, "why")
			case "early": // the reversal of a message that was never sent
				r = w.Reversal(c, w.Request(c, authorization.AuthorizationRequest, amount), authorization.ReversalAdvice, nil)
			case "repeat":
				if prior == nil {
					continue
				}
				a, err := w.Engine.Authorize(w.T.Context(), authorizationtest.Repeat(prior))
				if err != nil {
					t.Fatal(err)
				}
				for i := range sent {
					if sent[i] == prior && (a.Transaction != answers[i].Transaction || a.ResponseCode != answers[i].ResponseCode || !a.IsRepeat) {
						t.Fatalf("a repeat was told %s, the first %s", a.ResponseCode, answers[i].ResponseCode)
					}
				}
				if after := w.Balance(c); after != before {
					t.Fatalf("a repeat moved %v to %v", before, after)
				}
				continue
			case "expire":
				w.Clock.Advance(8 * 24 * time.Hour)
				if _, err := w.Engine.Expire(w.T.Context()); err != nil {
					t.Fatal(err)
				}
				if after := w.Balance(c); !after.Held.IsZero() || after.Posted != before.Posted {
					t.Fatalf("after expiry %s is held, %s posted (before %s)", after.Held, after.Posted, before.Posted)
				}
				continue
			}
			a, err := w.Engine.Authorize(w.T.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			sent, answers = append(sent, r), append(answers, a)
			after := w.Balance(c)
			if a.Reason != authorization.Approved && after != before {
				t.Fatalf("a decline (%s) moved %v to %v", a.Reason, before, after)
			}
			if a.HasBalance && (a.Posted != after.Posted || a.Available != after.Available()) {
				t.Fatalf("the answer tells %s and %s, the account has %s and %s", a.Posted, a.Available, after.Posted, after.Available())
			}
			if after.Held.Sign() < 0 {
				t.Fatalf("%s is held", after.Held)
			}
		}
	})
	w.Verify()
}
