package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// A first use ends the predecessor of its card, which may have another number:
// it waits for that before it holds its own card, as everybody does who wants
// both.
func TestAuthorize_aFirstUseLocksThePredecessorInOrder(t *testing.T) {
	d := dbtest.Postgres(t) // where there are row locks
	w := authorizationtest.New(t, d)
	attributes, err := w.Programs.Attributes(t.Context(), w.Caller)
	if err != nil {
		t.Fatal(err)
	}
	attributes.ActivateOnFirstPIN = true
	if _, err := w.Programs.CreateAttributes(t.Context(), w.Caller, attributes); err != nil {
		t.Fatal(err)
	}
	old := w.NewCard("1000.00")
	if _, err := w.Issuing.ChangeStatus(t.Context(), w.Caller, old.Token, issuing.NewStatus{Status: issuing.Inactive, Reason: issuing.CustomerRequest}); err != nil {
		t.Fatal(err)
	}
	was, err := w.Issuing.Card(t.Context(), w.Caller, old.Token)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second) // identifiers are ordered by time
	other := false
	done, err := w.Issuing.RenewCard(t.Context(), w.Caller, old.Token, issuing.Renewal{Reason: issuing.RenewForExpiry, KeepNumber: &other})
	if err != nil {
		t.Fatal(err)
	}
	fresh := &authorizationtest.Card{Token: done.New.Card.Token, AccountNo: old.AccountNo, Account: old.Account, PIN: old.PIN}
	if _, err := w.Issuing.SetPIN(t.Context(), w.Caller, fresh.Token, issuing.PINInput{Clear: secret.FromString(fresh.PIN)}, false, ""); err != nil {
		t.Fatal(err)
	}
	if fresh.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, fresh.Token, 0); err != nil {
		t.Fatal(err)
	}
	r := w.Request(fresh, authorization.FinancialRequest, money.Must(1_000, "TRY"))
	r.ProcessingCode, r.MCC = "010000", "6011"
	w.Chip(fresh, r)
	w.WithPIN(fresh, r, fresh.PIN)
	answered := make(chan authorization.Answer, 1)
	err = d.InTx(t.Context(), func(tx db.Tx) error {
		if _, err := issuing.LockCardStates(t.Context(), tx, []id.ID[issuing.Card]{was.Card.ID}); err != nil {
			return err
		}
		go func() { answered <- w.Authorize(r) }()
		for waiting := 0; waiting == 0; {
			err := d.View(t.Context(), func(tx db.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
			})
			if err != nil {
				return err
			}
		}
		if err := db.LimitLockWait(t.Context(), tx, 100*time.Millisecond); err != nil {
			return err
		}
		_, err := issuing.LockCardStates(t.Context(), tx, []id.ID[issuing.Card]{done.New.Card.ID})
		return err
	})
	if err != nil {
		t.Errorf("the later card is locked before the earlier one: %v", err)
	}
	if a := <-answered; a.Reason != authorization.Approved {
		t.Errorf("the first use: %s", a.Reason)
	}
	w.Verify()
}
