package issuing

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// told is an event about a card as it waits in the outbox.
type told struct {
	CardEvent
	Name          string
	CorrelationID string
	Text          string
}

// about reads what the kind of event adds.
func about[A any](t *testing.T, e told) A {
	t.Helper()
	var a A
	if err := json.Unmarshal(e.About, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// told are the events of an issuance, oldest first.
func (w *cardWorld) told(t *testing.T, issuanceNo string) []told {
	t.Helper()
	var all []outbox.WaitingEvent
	err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
		all, err = outbox.WaitingEvents(t.Context(), tx, w.tenant.ID.String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []told
	for _, m := range all {
		if m.Key != issuanceNo {
			continue
		}
		e := told{Name: m.Name, CorrelationID: m.CorrelationID, Text: string(m.Payload)}
		if err := json.Unmarshal(m.Payload, &e.CardEvent); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func names(all []told) (names []string) {
	for _, e := range all {
		names = append(names, e.Name)
	}
	return names
}

func TestCardEvents_tellOfANewCardAndItsStatuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		main := w.issue(t)
		child := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: main.Issuance.No})
		c := w.caller
		c.Channel, c.UserReference, c.CorrelationID = "Mobile", "ops-7", "trace-1"
		change := NewStatus{Status: Cancelled, Reason: CustomerRequest, Description: "moved away"}
		for range 2 { // the second changes nothing and tells nothing
			if _, err := w.ChangeStatus(t.Context(), c, main.Card.Token, change); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.ChangeStatus(t.Context(), c, main.Card.Token, NewStatus{Status: Active, Reason: CustomerRequest}); err == nil {
			t.Fatal("a closed card became active")
		}
		got := w.told(t, main.Issuance.No)
		if want := []string{EventCardCreated, EventCardStatusChanged}; !slices.Equal(names(got), want) {
			t.Fatalf("got %v, want %v", names(got), want)
		}
		if a := about[CardCreated](t, got[0]); a.Ownership != MainCard || a.FormFactor != program.Virtual || a.AccountNo != main.Issuance.AccountNo {
			t.Errorf("created: %+v", a)
		}
		e := got[1]
		if e.CardToken != main.Card.Token || e.MaskedNo != main.Card.Masked() || e.CustomerNo != "1" || e.Status != Cancelled ||
			e.ProductCode != virtualProduct || e.CorrelationID != "trace-1" {
			t.Errorf("status changed: %+v", e)
		}
		want := CardStatusChanged{Active, Cancelled, CustomerRequest, "moved away", "Mobile", "sc_test/ops-7"}
		if a := about[CardStatusChanged](t, e); a != want {
			t.Errorf("got %+v, want %+v", a, want)
		}
		got = w.told(t, child.Issuance.No)
		if len(got) != 2 || about[CardCreated](t, got[0]).ParentIssuanceNo != main.Issuance.No {
			t.Fatalf("supplementary card: %+v", got)
		}
		if a := about[CardStatusChanged](t, got[1]); a.Current != Cancelled || a.Reason != ParentClosed {
			t.Errorf("supplementary card: %+v", a)
		}
		for _, e := range got {
			if strings.Contains(e.Text, "YILMAZ") || strings.Contains(e.Text, "+9053") {
				t.Errorf("%s names a person: %s", e.Name, e.Text)
			}
		}
	})
}

func TestCardEvents_tellOfAFirstUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t)
		w.forceStatus(t, card.Card, Pending)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			states, err := LockCardStates(t.Context(), tx, []id.ID[Card]{card.Card.ID})
			if err != nil {
				return err
			}
			s := states[card.Card.ID]
			s.Status = Active
			_, err = SaveCardStates(t.Context(), tx, []CardState{s}, clock.RealNow(w.clock))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got := w.told(t, card.Issuance.No)
		if len(got) != 2 {
			t.Fatalf("got %v", names(got))
		}
		want := CardStatusChanged{Pending, Active, FirstActivation, "", "System", "system"}
		if a := about[CardStatusChanged](t, got[1]); a != want || got[1].Status != Active {
			t.Errorf("got %+v, want %+v", a, want)
		}
	})
}

func TestCardEvents_areUndoneWithTheirTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			to := StatusChange{Status: Inactive, ChangedAt: w.clock.Now()}
			if err := raiseStatus(t.Context(), tx, w.caller, card.Card.ID, Active, to); err != nil {
				return err
			}
			return db.ErrGone
		})
		if err == nil || len(w.told(t, card.Issuance.No)) != 1 {
			t.Errorf("got %v and %v", err, names(w.told(t, card.Issuance.No)))
		}
	})
}

func TestCardEvents_tellOfPoliciesAndPhones(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t)
		wish := PolicyWish{Policies: []program.Policy{{Type: program.PolicyDomesticCash, IsAllowed: false}}, Description: "no cash", Channel: "Mobile"}
		if _, err := w.ChangePolicies(t.Context(), w.caller, card.Card.Token, wish); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the number it has already changes nothing
			if _, err := w.ChangePhone(t.Context(), w.caller, card.Card.Token, NewPhone{Number: "+905339876543"}); err != nil {
				t.Fatal(err)
			}
		}
		got := w.told(t, card.Issuance.No)
		if want := []string{EventCardCreated, EventPolicyChanged, EventPhoneChanged}; !slices.Equal(names(got), want) {
			t.Fatalf("got %v, want %v", names(got), want)
		}
		p := about[PolicyChanged](t, got[1])
		if want := []PolicyChange{{program.PolicyDomesticCash, true, false}}; !slices.Equal(p.Changed, want) || p.Description != "no cash" || p.Channel != "Mobile" {
			t.Errorf("got %+v", p)
		}
		n := about[PhoneChanged](t, got[2])
		if n.Current == "" || n.Previous == "" || strings.Contains(got[2].Text, "9876543") || strings.Contains(got[2].Text, "1234567") {
			t.Errorf("got %+v", n)
		}
	})
}
