package authorization_test

import (
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// BenchmarkCompleteEvents finds what would have approved a decline of a card with
// ten limits and a fee, as it is done before its event is given on.
func BenchmarkCompleteEvents(b *testing.B) {
	w := authorizationtest.New(b, dbtest.SQLite(b))
	w.Listen("transaction.declined")
	for i := range 10 {
		c := control.NewVelocityCheck(fmt.Sprintf("V%d", i))
		c.Name, c.Currency, c.Period = c.Code, money.MustCurrency("TRY"), control.PerDay
		limit := money.Must(int64(i+1)*10000, "TRY")
		c.Limits.Amount = &limit
		link := control.Link{Type: control.LinkGlobal, Priority: control.LinkPriority, IsActive: true}
		if _, _, err := control.VelocityChecks.Create(b.Context(), w.Controls, w.Caller, c, []control.Link{link}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Fee(map[string]string{"code": "POS", "rate": "1"}); err != nil {
		b.Fatal(err)
	}
	c := w.NewCard("10000.00")
	w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(8000, "TRY")))
	for range 100 {
		w.Authorize(w.Request(c, authorization.AuthorizationRequest, money.Must(5000, "TRY")))
	}
	var waiting []outbox.WaitingEvent
	if err := w.DB.View(b.Context(), func(tx db.Tx) (err error) {
		waiting, err = outbox.WaitingEvents(b.Context(), tx, w.Caller.Tenant.String())
		return err
	}); err != nil || len(waiting) < 100 {
		b.Fatalf("%d events, %v", len(waiting), err)
	}
	counterfactuals := authorization.NewCounterfactuals(w.DB, w.Programs, w.Controls)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.DB.InTx(b.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(b.Context(), "DELETE FROM counterfactual") // or it would be told again, not found
			return err
		}); err != nil {
			b.Fatal(err)
		}
		if _, err := counterfactuals.CompleteEvents(b.Context(), waiting); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/decline")
}
