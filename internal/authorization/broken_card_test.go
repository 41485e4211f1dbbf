package authorization_test

import (
	"sync"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Cards are read together for all requests that arrive together. One that cannot be
// read fails its own request and no other.
func TestAuthorize_aCardThatCannotBeReadHarmsOnlyItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		broken, well := w.NewCard("100.00"), w.NewCard("1000.00")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE issuance SET policies = '!' WHERE id = (SELECT issuance_id FROM card WHERE card_token = $1)", broken.Token)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 64 {
			c := well
			if i%8 == 0 {
				c = broken
			}
			req := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			all.Go(func() {
				answer, err := w.Engine.Authorize(t.Context(), req)
				switch {
				case c == broken && err == nil:
					t.Errorf("a card that cannot be read was answered %s", answer.Reason)
				case c == well && (err != nil || answer.Reason != authorization.Approved):
					t.Errorf("got %s, %v", answer.Reason, err)
				}
			})
		}
		all.Wait()
		if got, want := w.Balance(well).Held, money.Must(56*100, "TRY"); got != want {
			t.Errorf("%s is held, want %s", got, want)
		}
	})
}
