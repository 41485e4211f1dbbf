package control_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A link tells what both its ends are called, so that nobody has to look up codes:
// the control, and the product, segment or card that it is for.
func TestNames_areOfBothEndsOfALink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		card := w.NewCard("100.00")
		if _, err := w.Customers.CreateSegment(t.Context(), w.Caller, customer.Segment{Code: "VIP", Name: "Very important", IsActive: true}); err != nil {
			t.Fatal(err)
		}
		v := control.NewVelocityCheck("DAY")
		v.Name, v.Period, v.Currency = "Daily limit", control.PerDay, money.MustCurrency("TRY")
		most := money.Must(100000, "TRY")
		v.Limits.Amount = &most
		ties := []control.Link{
			{Type: control.LinkGlobal, IsActive: true}, {Type: control.LinkSegment, Code: "VIP", IsActive: true},
			{Type: control.LinkCard, Code: card.Token, IsActive: true}, {Type: control.LinkProduct, Code: "P1", IsActive: true},
		}
		_, links, err := control.VelocityChecks.Create(t.Context(), w.Controls, w.Caller, v, ties)
		if err != nil {
			t.Fatal(err)
		}
		names, err := control.VelocityChecks.Names(t.Context(), w.Controls, w.Caller, links)
		if err != nil || len(names) != len(links) {
			t.Fatalf("%d names, %v", len(names), err)
		}
		product, err := w.Programs.Configuration(t.Context(), w.Caller.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"", "Very important", card.Token, product.Products["P1"].Name} {
			if names[i].Parent != "Daily limit" || names[i].Target != want {
				t.Errorf("the link to %s %s is named %+v, want %q", links[i].Type, links[i].Code, names[i], want)
			}
		}
	})
}
