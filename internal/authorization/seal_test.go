package authorization_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Several nodes seal at once: each decision is sealed once, and not before it is
// old enough that none with a smaller identifier can still come.
func TestSeal_sealsEachDecisionOnceWhenItIsOld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		seals := &authorization.Seals{DB: d, Clock: w.Clock}
		card := w.NewCard("1000.00")
		pay := func(n int) {
			for range n {
				w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY")))
			}
		}
		pay(5)
		if n, err := seals.Seal(t.Context()); n != 0 || err != nil {
			t.Errorf("young: sealed %d, %v", n, err)
		}
		w.Clock.Advance(9 * time.Minute)
		pay(3)
		w.Clock.Advance(2 * time.Minute)
		var group sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 4 {
			group.Go(func() {
				n, err := seals.Seal(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if total += n; err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if total != 5 {
			t.Errorf("sealed %d of the 5 that are old", total)
		}
		w.Clock.Advance(time.Hour)
		if n, err := seals.Seal(t.Context()); n != 3 || err != nil {
			t.Errorf("sealed %d, %v", n, err)
		}
		v, err := seals.Verify(t.Context())
		if err != nil || v.Checked != 8 || v.Broken != 0 {
			t.Errorf("verified %+v, %v", v, err)
		}
	})
}

func TestSeal_findsWhatWasDoneToDecisionsAfterwards(t *testing.T) {
	for name, change := range map[string]string{
		"altered":  `UPDATE decision SET trace = record WHERE transaction_id = (SELECT MAX(transaction_id) FROM decision)`,
		"removed":  `DELETE FROM decision WHERE transaction_id = (SELECT MIN(transaction_id) FROM decision)`,
		"backdate": `UPDATE decision SET created_at = created_at - 1 WHERE transaction_id = (SELECT MIN(transaction_id) FROM decision)`,
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := authorizationtest.New(t, d)
				seals := &authorization.Seals{DB: d, Clock: w.Clock}
				card := w.NewCard("1000.00")
				for range 4 {
					w.Authorize(w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY")))
				}
				w.Clock.Advance(time.Hour)
				if n, err := seals.Seal(t.Context()); n != 4 || err != nil {
					t.Fatalf("sealed %d, %v", n, err)
				}
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					_, err := tx.Exec(t.Context(), change)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				v, err := seals.Verify(t.Context())
				if err != nil || v.Broken != 1 || !strings.Contains(strings.Join(v.Examples, ""), "are not those that were sealed") {
					t.Errorf("verified %+v, %v", v, err)
				}
			})
		})
	}
}

// What is pending is not sealed, nor what came after it: its decision is written
// again when it is concluded.
func TestSeal_waitsForWhatIsPending(t *testing.T) {
	external(t, func(t *testing.T, w *authorizationtest.World, _ *authorizationtest.Client) {
		seals := &authorization.Seals{DB: w.DB, Clock: w.Clock}
		card := w.NewCard("0.00")
		pay := func() *authorization.Request {
			w.Clock.Advance(time.Second)
			return w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
		}
		w.Authorize(pay())
		reserve(t, w, pay())
		w.Authorize(pay())
		w.Clock.Advance(time.Hour)
		if n, err := seals.Seal(t.Context()); n != 1 || err != nil {
			t.Errorf("sealed %d, %v", n, err)
		}
		if n, err := w.Engine.FinishPending(t.Context()); n != 1 || err != nil {
			t.Errorf("finished %d, %v", n, err)
		}
		if n, err := seals.Seal(t.Context()); n != 2 || err != nil {
			t.Errorf("sealed %d, %v", n, err)
		}
		if v, err := seals.Verify(t.Context()); err != nil || v.Checked != 3 || v.Broken != 0 {
			t.Errorf("verified %+v, %v", v, err)
		}
	})
}
