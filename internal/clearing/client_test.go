package clearing_test

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// A client that owns its balances is told what is posted, once for each record
// that became a transaction; others are told nothing.
func TestImport_tellsAClientWhatIsPosted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := newWorldWith(t, d, authorization.Config{Client: client})
		c := w.NewCard("0.00")
		own := w.NewCard("100.00")
		r := w.Request(own, authorization.AuthorizationRequest, money.Must(1000, "TRY"))
		w.mustImport(w.deliver(w.present(payment{r, w.Authorize(r)}, money.Must(1000, "TRY"))))
		if heard := w.Heard(); len(heard) != 0 {
			t.Errorf("a tenant whose balance is ours was told %v", heard)
		}
		w.OwnBalances(program.BalanceExternal, program.StandInPolicy{Action: program.StandInDecline})
		buy := func(minor int64) payment {
			r := w.Request(c, authorization.AuthorizationRequest, money.Must(minor, "TRY"))
			return payment{r, w.Authorize(r)}
		}
		p := buy(5000)
		record := w.present(p, money.Must(4500, "TRY"))
		back := w.present(p, money.Must(500, "TRY"))
		back.Kind = clearing.Refund
		twice := record
		w.mustImport(w.deliver(record, back, twice))
		heard := w.Heard()
		if len(heard) != 2 {
			t.Fatalf("the client was told %d times", len(heard))
		}
		posted, refund := heard[0], heard[1]
		if posted.Type != authorization.ClearingMessage || posted.Transaction.Original != p.answer.Transaction ||
			posted.Transaction.Billing != money.Must(4500, "TRY") || !posted.Transaction.IsDebit || posted.Names.Token != c.Token ||
			posted.Transaction.DecidedBy != authorization.ByNetwork {
			t.Errorf("got %+v", posted)
		}
		if refund.Type != authorization.RefundMessage || refund.Transaction.Billing != money.Must(500, "TRY") || refund.Transaction.IsDebit {
			t.Errorf("got %+v", refund)
		}
		if len(client.Asked()) != 1 {
			t.Errorf("the client was asked %d times", len(client.Asked()))
		}
		w.verify()
	})
}
