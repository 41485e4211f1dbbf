package authorization_test

import (
	"context"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// A client that declines after the window has ended, in which its request was
// counted, declines: the attempt stays counted where it was.
func TestAuthorize_theClientDeclinesInTheNextWindow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := authorizationtest.NewWith(t, d, authorization.Config{Client: client})
		w.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		if said := w.NewLimit(map[string]string{"code": "DAY", "period": "Day", "count": "5", "of": "all", "declines": "count"}); said != "ok" {
			t.Fatal(said)
		}
		c := w.NewCard("0.00")
		client.Answer(func(context.Context, *authorization.ClientMessage) authorization.Verdict {
			w.Clock.Advance(24 * time.Hour)
			return authorizationtest.No("05")
		})
		a := w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(500, "TRY")))
		if a.ResponseCode != "05" {
			t.Errorf("answered %+v", a)
		}
		w.Verify()
	})
}
