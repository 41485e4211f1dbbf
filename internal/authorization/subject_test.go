package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// What rules may ask about card, product and customer stands in the record, also
// where no rule asks for it: as it was then, whatever became of it.
func TestRecord_holdsWhatRulesAskOfTheCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("100.00")
		if _, err := w.Customers.CreateSegment(t.Context(), w.Caller, customer.Segment{Code: "VIP", Name: "VIP", IsActive: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Customers.SetSegment(t.Context(), w.Caller, w.Customer(), "VIP"); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(50 * time.Hour)
		zone, err := time.LoadLocation("Europe/Istanbul")
		if err != nil {
			t.Fatal(err)
		}
		a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
		var want rule.Facts
		x, err := w.Queries.Transaction(t.Context(), w.Caller, a.Transaction)
		if err != nil {
			t.Fatal(err)
		}
		x.RuleFacts(&want, zone)
		k := cardOf(t, w, x.Card)
		authorization.CardRuleFacts(&want, k, x.CreatedAt, zone)
		want.SetFlag(rule.TransactionIsPartialApprovalSupported, false) // of the message; a transaction does not keep it
		if _, err := w.Customers.SetSegment(t.Context(), w.Caller, w.Customer(), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, c.Token, issuing.NewStatus{Status: issuing.Blocked, Reason: issuing.ClientRequest}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(400 * 24 * time.Hour)
		var got rule.Facts
		if _, err := w.Queries.RecordedRuleFacts(t.Context(), a.Transaction, &got); err != nil {
			t.Fatal(err)
		}
		for _, id := range rule.Fields(rule.Authorization) {
			if got.JSON(id) != want.JSON(id) {
				t.Errorf("%s is recorded as %s, it was %s", id, got.JSON(id), want.JSON(id))
			}
		}
		for id, value := range map[rule.FieldID]string{
			rule.CardStatus: `"Active"`, rule.CustomerSegmentCode: `"VIP"`, rule.CustomerAge: "35", rule.CustomerNationality: `"TR"`,
			rule.CardAgeInDays: "2", rule.CustomerAgeOfRelationDays: "2", rule.ProductCode: `"P1"`, rule.CustomerKYCLevel: `"Verified"`,
			rule.CardDaysSinceLastPINChange: "2", rule.ProductBrand: `"Troy"`, rule.CardBIN: `"979206"`,
		} {
			if got.JSON(id) != value {
				t.Errorf("%s is %s, want %s", id, got.JSON(id), value)
			}
		}
	})
}

func cardOf(t *testing.T, w *authorizationtest.World, card id.ID[issuing.Card]) issuing.IssuedCard {
	t.Helper()
	k, err := w.Issuing.CardOf(t.Context(), w.Caller, card)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Whatever changes a control changes the hash under which the next decision is
// recorded; a change back brings the former one again.
func TestRecord_hashCoversControls(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	hash := func() string {
		t.Helper()
		var f rule.Facts
		a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
		h, err := w.Queries.RecordedRuleFacts(t.Context(), a.Transaction, &f)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	before := hash()
	if before == "" || hash() != before {
		t.Fatalf("nothing changed and the hash is %q", hash())
	}
	check := control.NewVelocityCheck("DAY")
	ten := 10
	check.Name, check.Period, check.Limits.Count = "DAY", control.PerDay, &ten
	if _, _, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, check, nil); err != nil {
		t.Fatal(err)
	}
	limited := hash()
	if limited == before {
		t.Error("a limit changes nothing")
	}
	eleven := 11
	check.Limits.Count = &eleven
	if _, _, err := control.VelocityChecks.Update(t.Context(), w.Controls, w.Caller, check, ""); err != nil {
		t.Fatal(err)
	}
	if h := hash(); h == limited || h == before {
		t.Error("another limit changes nothing")
	}
	check.Limits.Count = &ten
	if _, _, err := control.VelocityChecks.Update(t.Context(), w.Controls, w.Caller, check, ""); err != nil {
		t.Fatal(err)
	}
	if hash() != limited {
		t.Error("the same limit has another hash than before")
	}
	link, err := control.VelocityChecks.Link(t.Context(), w.Controls, w.Caller,
		control.Link{Parent: "DAY", Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true})
	if err != nil {
		t.Fatal(err)
	}
	if hash() == limited {
		t.Error("a link changes nothing")
	}
	if err := control.VelocityChecks.Unlink(t.Context(), w.Controls, w.Caller, link.ID); err != nil {
		t.Fatal(err)
	}
	if err := control.VelocityChecks.Delete(t.Context(), w.Controls, w.Caller, "DAY"); err != nil {
		t.Fatal(err)
	}
	if hash() != before {
		t.Error("without the limit the hash is not what it was")
	}
	l := control.NamedList{Code: "SHOPS", Name: "Shops", Type: control.StringValues, Values: []string{"A"}, IsActive: true}
	l, err = w.Controls.CreateList(t.Context(), w.Caller, l)
	if err != nil {
		t.Fatal(err)
	}
	one := hash()
	l.Values = []string{"A", "B"}
	if _, err := w.Controls.UpdateList(t.Context(), w.Caller, l, ""); err != nil {
		t.Fatal(err)
	}
	if one == before || hash() == one {
		t.Error("a list, or its values, change nothing")
	}
}

// A customer's birth date is read anew once the customer has changed.
func TestPerson_isReadAnewWhenTheCustomerChanges(t *testing.T) {
	w := authorizationtest.New(t, dbtest.SQLite(t))
	c := w.NewCard("100.00")
	age := func() string {
		t.Helper()
		var f rule.Facts
		a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY")))
		if _, err := w.Queries.RecordedRuleFacts(t.Context(), a.Transaction, &f); err != nil {
			t.Fatal(err)
		}
		return f.JSON(rule.CustomerAge)
	}
	if got := age(); got != "35" {
		t.Fatalf("the age is %s", got)
	}
	u, err := w.Customers.Customer(t.Context(), w.Caller, w.Customer())
	if err != nil {
		t.Fatal(err)
	}
	u.BirthDate = clock.Date{Year: 2001, Month: 11, Day: 22} // tomorrow, twenty-five years ago
	change := customer.Change{No: u.No, Profile: u.Profile}
	if _, err := w.Customers.Update(t.Context(), w.Caller, change); err != nil {
		t.Fatal(err)
	}
	if got := age(); got != "24" {
		t.Errorf("the age is %s", got)
	}
}
