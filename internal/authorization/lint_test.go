package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A limit that was set for a card and is never reached is told with the card, as long
// as it is in force, and payments are refused as was told.
func TestLint_readsLimitsOfCards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		for _, limit := range []map[string]string{
			{"code": "DAY", "period": "Day", "max": "50.00", "of": "all"}, {"code": "ONE", "period": "Transaction", "max": "40.00", "of": "all"},
		} {
			if said := w.NewLimit(limit); said != "ok" {
				t.Fatal(said)
			}
		}
		c := w.NewCard("1000.00")
		until := w.Controls.Clock.Now().Add(48 * time.Hour)
		high := money.Must(60_00, "TRY")
		if _, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, control.Override{Check: "ONE", Limits: control.Limits{Amount: &high}, EndsAt: &until}); err != nil {
			t.Fatal(err)
		}
		found := func(by *control.Service) []control.Finding {
			all, err := by.Lint(t.Context(), w.Caller)
			if err != nil {
				t.Fatal(err)
			}
			return all.All
		}
		all := found(w.Controls)
		if len(all) != 1 || all[0].What != control.OverrideNeverBinds || all[0].Code != "ONE" || all[0].By[0] != "DAY" || all[0].Path != "maxAmount" ||
			all[0].Link.Type != control.LinkCard || all[0].Link.Code != c.Token || all[0].Example[0].Value != "60.01" {
			t.Errorf("found %+v", all)
		}
		if _, err := w.Controls.OverrideLimit(t.Context(), w.Caller, c.Token, control.Override{Check: "DAY", Limits: control.Limits{Amount: new(money.Must(61_00, "TRY"))}}); err != nil {
			t.Fatal(err)
		}
		if all := found(w.Controls); len(all) > 0 {
			t.Errorf("with a higher day of the card found %+v", all)
		}
		if err := w.Controls.RemoveOverride(t.Context(), w.Caller, c.Token, "DAY"); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(49 * time.Hour)
		if all := found(w.Controls); len(all) > 0 {
			t.Errorf("when it is over found %+v", all)
		}
	})
}
