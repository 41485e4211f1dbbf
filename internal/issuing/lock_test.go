package issuing

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Whoever waits for a card holds none that comes after it in the order of locks:
// else two who want both would wait for each other.
func TestLocks_ofCardsAreTakenInOrder(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *cardWorld) (first, later Card, act func() error){
		"a main card takes its supplementary ones along": func(t *testing.T, w *cardWorld) (Card, Card, func() error) {
			child, main := w.childOfRenewed(t)
			return child, main, func() error {
				_, err := w.ChangeStatus(t.Context(), w.caller, main.Token, NewStatus{Status: Inactive, Reason: CustomerRequest, IncludeChildCards: true})
				return err
			}
		},
		"a main card that is closed closes them": func(t *testing.T, w *cardWorld) (Card, Card, func() error) {
			child, main := w.childOfRenewed(t)
			return child, main, func() error {
				_, err := w.ChangeStatus(t.Context(), w.caller, main.Token, NewStatus{Status: Cancelled, Reason: CustomerRequest})
				return err
			}
		},
		"an activation ends the predecessor": func(t *testing.T, w *cardWorld) (Card, Card, func() error) {
			old, fresh := w.twoNumbers(t)
			return old, fresh, func() error {
				_, err := w.ChangeStatus(t.Context(), w.caller, fresh.Token, NewStatus{Status: Active, Reason: FirstActivation})
				return err
			}
		},
		"so does one by a PIN": func(t *testing.T, w *cardWorld) (Card, Card, func() error) {
			old, fresh := w.twoNumbers(t)
			return old, fresh, func() error {
				_, err := w.SetPIN(t.Context(), w.caller, fresh.Token, clearPIN("7392"), true, "")
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCardWorld(t, dbtest.Postgres(t)) // where there are row locks
			first, later, act := prepare(t, w)
			if first.ID.Compare(later.ID) >= 0 {
				t.Fatal("the cards are not in the order that was meant")
			}
			done := make(chan error, 1)
			err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
				if _, err := LockCardStates(t.Context(), tx, []id.ID[Card]{first.ID}); err != nil {
					return err
				}
				go func() { done <- act() }()
				for waiting := 0; waiting == 0; {
					err := w.DB.View(t.Context(), func(tx db.Tx) error {
						return tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
							WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
					})
					if err != nil {
						return err
					}
				}
				var free string
				return tx.QueryRow(t.Context(), `SELECT id FROM card WHERE id = $1 FOR UPDATE NOWAIT`, later.ID).Scan(&free)
			})
			if err != nil {
				t.Errorf("the later card is locked before the earlier one: %v", err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// childOfRenewed is a supplementary card, and its main card that is younger.
func (w *cardWorld) childOfRenewed(t *testing.T) (child, main Card) {
	t.Helper()
	old := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
	w.clock.Advance(time.Second) // identifiers are ordered by time
	child = w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: old.Issuance.No}).Card
	w.clock.Advance(time.Second)
	other := false
	return child, w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry, KeepNumber: &other}).New.Card
}

// twoNumbers is a card in use, and its successor with another number.
func (w *cardWorld) twoNumbers(t *testing.T) (old, fresh Card) {
	t.Helper()
	old = w.plastic(t).Card
	w.clock.Advance(time.Second)
	other := false
	return old, w.renewed(t, old.Token, Renewal{Reason: RenewForExpiry, KeepNumber: &other}).New.Card
}
