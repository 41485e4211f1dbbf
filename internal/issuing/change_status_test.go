package issuing

import (
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func reasonFor(s CardStatus) StatusReason {
	for _, r := range StatusReasons() {
		if r.Fits(s) && r != OtherReason {
			return r
		}
	}
	return NoReason
}

func TestChangeStatus_everyPairObeysTheMatrix(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		w.forceStatus(t, card, Inactive) // so that every status has a history
		privileged := w.caller
		client := w.caller
		client.Permissions = access.PermissionsOf(access.IssuingCardStatus)
		for _, from := range CardStatuses() {
			for _, to := range CardStatuses() {
				for by, mover := range map[string]access.Caller{"client": client, "privileged": privileged} {
					w.forceStatus(t, card, from)
					_, err := w.ChangeStatus(t.Context(), mover, card.Token, NewStatus{Status: to, Reason: reasonFor(to)})
					want := fault.Code("")
					switch m := from.MoverTo(to); {
					case m == ByNobody, m == BySystem, from == Lost && to == Active && by == "privileged":
						want = "card_status_transition_not_allowed"
					case m == ByPrivileged && by == "client":
						want = access.CodeForbidden
					}
					var got fault.Code
					if f, ok := fault.As(err); ok {
						got = f.Code
					} else if err != nil {
						t.Fatalf("%s to %s by %s: %v", from, to, by, err)
					}
					if got != want {
						t.Errorf("%s to %s by %s: got %q, want %q", from, to, by, got, want)
					}
					after, err := w.Card(t.Context(), w.caller, card.Token)
					if err != nil {
						t.Fatal(err)
					}
					expected := to
					if want != "" {
						expected = from
					}
					if after.Card.Status != expected {
						t.Errorf("%s to %s by %s: left the card %s", from, to, by, after.Card.Status)
					}
				}
			}
		}
	})
}

func TestChangeStatus_writesItsHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		w.clock.Advance(time.Hour)
		c := w.caller
		c.Channel, c.UserReference = "Mobile", "ops-7"
		got, err := w.ChangeStatus(t.Context(), c, card.Token, NewStatus{Status: Inactive, Reason: CustomerRequest, Description: "on holiday"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Previous != Active || got.Current.Status != Inactive || got.Current.Channel != "Mobile" ||
			got.Current.ChangedBy != "sc_test/ops-7" || !got.Current.ChangedAt.Equal(w.clock.Now()) {
			t.Errorf("got %+v", got)
		}
		again, err := w.ChangeStatus(t.Context(), c, card.Token, NewStatus{Status: Inactive, Reason: ClientRequest})
		if err != nil || again.Current.Reason != CustomerRequest {
			t.Errorf("the same status again: got %+v, %v; want the first change", again, err)
		}
		details, err := w.CardDetails(t.Context(), w.caller, card.Token)
		if err != nil {
			t.Fatal(err)
		}
		if len(details.History) != 2 || details.History[0] != got.Current || details.History[1].Status != Active {
			t.Errorf("got history %+v", details.History)
		}
	})
}

func TestChangeStatus_refusesWhatDoesNotFit(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t).Card
	for _, c := range []struct {
		in   NewStatus
		want fault.Code
	}{
		{NewStatus{Status: Lost, Reason: StolenReported}, "card_status_reason_mismatch"},
		{NewStatus{Status: Inactive, Reason: ParentClosed}, "card_status_reason_mismatch"},
		{NewStatus{Status: Inactive, Reason: NoReason}, "card_status_reason_mismatch"},
		{NewStatus{Status: Inactive, Reason: OtherReason}, "card_status_reason_mismatch"},
		{NewStatus{Status: Lost, Reason: LostReported, IncludeChildCards: true}, access.CodeInvalid},
		{NewStatus{Status: Inactive, Reason: ClientRequest, IssueReplacement: true}, access.CodeInvalid},
		{NewStatus{Status: Lost, Reason: LostReported, IssueReplacement: true, EffectiveAt: w.clock.Now().Add(time.Hour)}, access.CodeInvalid},
		{NewStatus{Status: Lost, Reason: LostReported, EffectiveAt: w.clock.Now().Add(2 * scheduleMax)}, access.CodeInvalid},
		{NewStatus{Status: CardExpired, Reason: ExpiryReached}, "card_status_transition_not_allowed"},
		{NewStatus{Status: Pending, Reason: NonameUnlinked}, "card_status_transition_not_allowed"},
	} {
		_, err := w.ChangeStatus(t.Context(), w.caller, card.Token, c.in)
		wantCode(t, err, c.want)
	}
	_, err := w.ChangeStatus(t.Context(), w.caller, "979206aaaaaa0000", NewStatus{Status: Lost, Reason: LostReported})
	wantCode(t, err, "card_not_found")
}

func TestChangeStatus_activationHasConditions(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
	if err != nil {
		t.Fatal(err)
	}
	p.RequireDelivery = true
	if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
		t.Fatal(err)
	}
	card := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress}).Card
	activate := NewStatus{Status: Active, Reason: FirstActivation}
	_, err = w.ChangeStatus(t.Context(), w.caller, card.Token, activate)
	if f := wantCode(t, err, "activation_condition_not_met"); f.Params["condition"] != "delivery" {
		t.Errorf("got condition %v", f.Params["condition"])
	}
	virtual := w.issue(t).Card
	w.forceStatus(t, virtual, Inactive)
	w.clock.Set(time.Date(2031, 12, 1, 0, 0, 0, 0, time.UTC))
	_, err = w.ChangeStatus(t.Context(), w.caller, virtual.Token, activate)
	if f := wantCode(t, err, "activation_condition_not_met"); f.Params["condition"] != "expiry" {
		t.Errorf("got condition %v", f.Params["condition"])
	}
}

func TestChangeStatus_aFoundCardComesBackInTime(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	a := program.DefaultAttributes(w.tenant.DefaultCurrency, true)
	a.LostReactivationHours = 2
	if _, err := w.programs.CreateAttributes(t.Context(), w.caller, a); err != nil {
		t.Fatal(err)
	}
	found := NewStatus{Status: Active, Reason: CustomerRequest}
	for hours, want := range map[time.Duration]fault.Code{1: "", 3: "card_status_transition_not_allowed"} {
		card := w.issue(t).Card
		if _, err := w.ChangeStatus(t.Context(), w.caller, card.Token, NewStatus{Status: Lost, Reason: LostReported}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(hours * time.Hour)
		_, err := w.ChangeStatus(t.Context(), w.caller, card.Token, found)
		if want == "" {
			if err != nil {
				t.Errorf("after %d hours: got %v", hours, err)
			}
			continue
		}
		wantCode(t, err, want)
	}
}

func TestChangeStatus_takesSupplementaryCardsAlong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		main := w.issue(t)
		child := func() Card {
			w.clock.Advance(time.Second) // children come in the order they were made
			return w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: main.Issuance.No}).Card
		}
		a, b := child(), child()
		status := func(c Card) CardStatus {
			got, err := w.Card(t.Context(), w.caller, c.Token)
			if err != nil {
				t.Fatal(err)
			}
			return got.Card.Status
		}
		move := func(in NewStatus) StatusResult {
			t.Helper()
			got, err := w.ChangeStatus(t.Context(), w.caller, main.Card.Token, in)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		move(NewStatus{Status: Inactive, Reason: CustomerRequest})
		if status(a) != Active {
			t.Error("a child went along unasked")
		}
		w.forceStatus(t, b, Stolen)
		got := move(NewStatus{Status: Blocked, Reason: SuspectedFraud, IncludeChildCards: true})
		if len(got.Updated) != 2 || got.Updated[0].Refusal != nil || got.Updated[0].Current != Blocked ||
			got.Updated[1].Refusal == nil || got.Updated[1].Current != Stolen {
			t.Errorf("got %+v", got.Updated)
		}
		got = move(NewStatus{Status: Cancelled, Reason: CustomerRequest})
		if len(got.Updated) != 1 || status(a) != Cancelled || status(b) != Stolen {
			t.Errorf("after closing the parent: %s and %s, %+v", status(a), status(b), got.Updated)
		}
		details, err := w.CardDetails(t.Context(), w.caller, a.Token)
		if err != nil || details.Card.Reason != ParentClosed {
			t.Errorf("got reason %s, %v", details.Card.Reason, err)
		}
	})
}

func TestChangeStatus_ofManyAtOnceOneWinsEachStep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		var wait sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			in := NewStatus{Status: Lost, Reason: LostReported}
			if i%2 == 1 {
				in = NewStatus{Status: Damaged, Reason: PlasticDamaged}
			}
			wait.Go(func() { _, errs[i] = w.ChangeStatus(t.Context(), w.caller, card.Token, in) })
		}
		wait.Wait()
		details, err := w.CardDetails(t.Context(), w.caller, card.Token)
		if err != nil {
			t.Fatal(err)
		}
		if len(details.History) != 2 || details.History[0].Status != details.Card.Status {
			t.Errorf("got %d lines of history, the card is %s", len(details.History), details.Card.Status)
		}
		for i, err := range errs {
			same := (i%2 == 0) == (details.Card.Status == Lost)
			if same && err != nil {
				t.Errorf("the status the card has got: %v", err)
			}
			if !same {
				wantCode(t, err, "card_status_transition_not_allowed")
			}
		}
	})
}
