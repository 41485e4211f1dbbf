package clearing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A limit that is only drafted does not know what was presented without an
// authorization: a replay that tries it says that it is not the whole truth. With
// what was recorded it is.
func TestReplay_saysThatForcedPresentmentsAreNotCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		begin := w.Clock.Now()
		forced, other := w.NewCard("1000.00"), w.NewCard("1000.00")
		unknown := w.present(w.pay(forced, money.Must(100, "TRY")), money.Must(9000, "TRY"))
		unknown.RRN, unknown.AuthorizationCode, unknown.TerminalID = "", "", "ELSEWHER"
		unknown.CardAcceptorID, unknown.MerchantName, unknown.MCC = "ANOTHERSHOP0001", "ANOTHER SHOP", "5732"
		if sum := w.mustImport(w.deliver(unknown)); string(w.fates(sum.ID)[0].status) != "ForcePost" {
			t.Fatalf("it became %v", w.fates(sum.ID)[0].status)
		}
		w.Clock.Advance(time.Minute)
		partial := func(draft *control.Draft) string {
			t.Helper()
			totals, err := authorization.NewReplays(w.DB, w.Programs, w.Controls).Replay(t.Context(), w.Caller,
				authorization.ReplayOrder{From: begin, To: w.Clock.Now().Add(time.Second), Draft: draft}, authorization.ReplayListener{})
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(totals.Partial, "; ")
		}
		limitOf := func(card string) *control.Draft {
			v := control.NewVelocityCheck("DAY")
			most := money.Must(10000, "TRY")
			v.Name, v.Period, v.Currency, v.Limits.Amount = "Day", control.PerDay, most.Currency(), &most
			return &control.Draft{Objects: []control.Drafted{control.VelocityChecks.Drafted("velocityControls[0]", v,
				[]control.Link{{Type: control.LinkCard, Code: card, Priority: control.LinkPriority, IsActive: true}})}}
		}
		w.pay(other, money.Must(2000, "TRY"))
		if got := partial(nil); got != "" {
			t.Errorf("without a draft: %q", got)
		}
		if got := partial(limitOf(other.Token)); got != "" {
			t.Errorf("of another card: %q", got)
		}
		if got := partial(limitOf(forced.Token)); !strings.Contains(got, "presented without an authorization") {
			t.Errorf("of the card: %q", got)
		}
	})
}
