package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// TestAuthorize_honoursWhatIsDueBeforeTheJobs: no job runs here.
func TestAuthorize_honoursWhatIsDueBeforeTheJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		card := w.NewCard("100.00")
		lira := money.Must(100, "TRY")
		want := func(what string, c *authorizationtest.Card, flow authorization.Flow, code string, reason authorization.Reason) {
			t.Helper()
			r := w.Request(c, flow, lira)
			if code != "" {
				r.ProcessingCode = code
			}
			if a := w.Authorize(r); a.Reason != reason {
				t.Errorf("%s: got %q, want %q", what, a.Reason, reason)
			}
		}
		ask := authorization.AuthorizationRequest
		_, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, card.Token, issuing.NewStatus{
			Status: issuing.Lost, Reason: issuing.LostReported, EffectiveAt: w.Clock.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		want("before its time", card, ask, "", authorization.Approved)
		w.Clock.Advance(time.Hour)
		want("from its time on", card, ask, "", authorization.CardLost)
		want("a refund all the same", card, authorization.FinancialRequest, "200000", authorization.Approved)

		// The overlap of two numbers ends by itself, too. The old card is shut, so
		// the new one waits.
		old := w.NewCard("100.00")
		no := false
		change := func(s issuing.CardStatus) {
			t.Helper()
			_, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, old.Token, issuing.NewStatus{Status: s, Reason: issuing.CustomerRequest})
			if err != nil {
				t.Fatal(err)
			}
		}
		change(issuing.Inactive)
		if _, err := w.Issuing.RenewCard(t.Context(), w.Caller, old.Token, issuing.Renewal{Reason: issuing.RenewForDamaged, KeepNumber: &no}); err != nil {
			t.Fatal(err)
		}
		change(issuing.Active)
		want("within the overlap", old, ask, "", authorization.Approved)
		w.Clock.Advance(30 * 24 * time.Hour)
		want("after it", old, ask, "", authorization.CardRenewed)
		w.Verify()
	})
}

// TestAuthorize_scheduledSuccessorEndsItsPredecessor: from the time of the
// activation on, whether the job has run or not, and not without its conditions.
func TestAuthorize_scheduledSuccessorEndsItsPredecessor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, keep := range []bool{true, false} {
			old := w.NewCard("100.00")
			change := func(token string, in issuing.NewStatus) {
				t.Helper()
				if _, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, token, in); err != nil {
					t.Fatal(err)
				}
			}
			want := func(what string, reason authorization.Reason) {
				t.Helper()
				if a := w.Authorize(w.Request(old, authorization.AuthorizationRequest, money.Must(100, "TRY"))); a.Reason != reason {
					t.Errorf("%s, kept number %v: got %q, want %q", what, keep, a.Reason, reason)
				}
			}
			change(old.Token, issuing.NewStatus{Status: issuing.Inactive, Reason: issuing.CustomerRequest})
			done, err := w.Issuing.RenewCard(t.Context(), w.Caller, old.Token, issuing.Renewal{Reason: issuing.RenewForExpiry, KeepNumber: &keep})
			if err != nil {
				t.Fatal(err)
			}
			change(old.Token, issuing.NewStatus{Status: issuing.Active, Reason: issuing.CustomerRequest, Sequence: 1})
			change(done.New.Card.Token, issuing.NewStatus{
				Status: issuing.Active, Reason: issuing.FirstActivation, Sequence: done.New.Card.Sequence, EffectiveAt: w.Clock.Now().Add(time.Hour),
			})
			want("before its time", authorization.Approved)
			w.Clock.Advance(time.Hour)
			want("from its time on", authorization.CardRenewed)
			if _, err := w.Issuing.CarryOutDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			want("when it is written down", authorization.CardRenewed)
		}
		w.Verify()
	})
}

// TestAuthorize_firstUseBringsASuccessorIntoForce: cash with chip and the right
// PIN activates, where the tenant has it so, and ends the card before.
func TestAuthorize_firstUseBringsASuccessorIntoForce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		old := w.NewCard("1000.00")
		if _, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, old.Token, issuing.NewStatus{Status: issuing.Inactive, Reason: issuing.CustomerRequest}); err != nil {
			t.Fatal(err)
		}
		done, err := w.Issuing.RenewCard(t.Context(), w.Caller, old.Token, issuing.Renewal{Reason: issuing.RenewForExpiry})
		if err != nil {
			t.Fatal(err)
		}
		if s := done.New.Card; s.Status != issuing.Pending || s.Sequence != 2 {
			t.Fatalf("the successor: %+v", s)
		}
		fresh := &authorizationtest.Card{Token: old.Token, AccountNo: old.AccountNo, Account: old.Account, PIN: old.PIN}
		if fresh.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, old.Token, 2); err != nil {
			t.Fatal(err)
		}
		cash := func(c *authorizationtest.Card, pin string) authorization.Answer {
			r := w.Request(c, authorization.FinancialRequest, money.Must(1_000, "TRY"))
			r.ProcessingCode, r.MCC = "010000", "6011"
			w.Chip(c, r)
			w.WithPIN(c, r, pin)
			return w.Authorize(r)
		}
		if a := cash(fresh, fresh.PIN); a.Reason != authorization.CardNotActivated {
			t.Errorf("where a first use activates nothing: got %q", a.Reason)
		}
		attributes, err := w.Programs.Attributes(t.Context(), w.Caller)
		if err != nil {
			t.Fatal(err)
		}
		attributes.ActivateOnFirstPIN = true
		if _, err := w.Programs.CreateAttributes(t.Context(), w.Caller, attributes); err != nil {
			if _, err = w.Programs.UpdateAttributes(t.Context(), w.Caller, attributes, ""); err != nil {
				t.Fatal(err)
			}
		}
		if a := cash(fresh, "9035"); a.Reason != authorization.PINInvalid {
			t.Errorf("a wrong PIN: got %q", a.Reason)
		}
		if a := cash(fresh, fresh.PIN); a.Reason != authorization.Approved {
			t.Errorf("the first use: got %q", a.Reason)
		}
		if a := cash(old, old.PIN); a.Reason != authorization.CardRenewed {
			t.Errorf("the old plastic after that: got %q", a.Reason)
		}
		now, err := w.Issuing.CardDetails(t.Context(), w.Caller, old.Token)
		if err != nil || now.Card.Sequence != 2 || now.Card.Status != issuing.Active || now.Cards[1].Status != issuing.CardRenewed {
			t.Errorf("in force is %d, %s, after %+v, %v", now.Card.Sequence, now.Card.Status, now.Cards[1].StatusChange, err)
		}
		// Both moves are acts of the system; payments besides leave none.
		chain := audit.New(d, w.HSM, w.Clock)
		acts, total, err := chain.List(t.Context(), w.Caller.Tenant.String(), audit.Filter{
			Stream: audit.CardStream, From: w.Clock.Now().Add(-time.Hour), To: w.Clock.Now(), EntityKey: old.Token, Actions: []string{"StatusChange"}, Take: 9,
		})
		if err != nil || total != 3 {
			t.Fatalf("%d changes of status are recorded, want 3: %v", total, err)
		}
		for i, want := range []struct {
			card     issuing.Card
			from, to issuing.CardStatus
		}{{now.Cards[1], issuing.Inactive, issuing.CardRenewed}, {now.Card, issuing.Pending, issuing.Active}} {
			a := acts[i]
			if a.CardID != want.card.ID.String() || a.Client != "system" || a.Channel != "System" || len(a.Changes) != 2 ||
				*a.Changes[0].Old != string(want.from) || *a.Changes[0].New != string(want.to) {
				t.Errorf("recorded is %+v, want %s to %s of %s", a.Act, want.from, want.to, want.card.ID)
			}
		}
		if r, err := chain.Verify(t.Context()); err != nil || len(r.Findings) > 0 {
			t.Errorf("the chain: %v, %v", r.Findings, err)
		}
		w.Verify()
	})
}
