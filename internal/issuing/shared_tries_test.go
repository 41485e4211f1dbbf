package issuing

import (
	"context"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// twoPlastics is a card with a PIN that was renewed under its number.
func (w *cardWorld) twoPlastics(t *testing.T, pin string) (old, fresh Card) {
	t.Helper()
	card := w.plastic(t)
	if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, clearPIN(pin), true, ""); err != nil {
		t.Fatal(err)
	}
	out := w.renewed(t, card.Card.Token, Renewal{Reason: RenewForExpiry})
	if out.New.Card.Token != card.Card.Token || out.New.Card.ID == card.Card.ID {
		t.Fatal("the renewal gave another number")
	}
	return card.Card, out.New.Card
}

// states are those of a number's plastics, as an authorization locks them.
func (w *cardWorld) states(t *testing.T, cards ...Card) map[id.ID[Card]]CardState {
	t.Helper()
	var all map[id.ID[Card]]CardState
	err := w.DB.InTx(t.Context(), func(tx db.Tx) (err error) {
		all, err = LockCardStates(t.Context(), tx, []id.ID[Card]{cards[0].ID})
		return err
	})
	if err != nil || len(all) != len(cards) {
		t.Fatalf("%d plastics are locked, want %d: %v", len(all), len(cards), err)
	}
	return all
}

// authorize changes the state of one plastic as an authorization does.
func (w *cardWorld) authorize(t *testing.T, card Card, f func(*CardState)) {
	t.Helper()
	err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
		states, err := LockCardStates(t.Context(), tx, []id.ID[Card]{card.ID})
		if err != nil {
			return err
		}
		c := states[card.ID]
		f(&c)
		states[card.ID] = c
		var changed []CardState
		for _, k := range ShareTries(states, card.ID) {
			changed = append(changed, states[k])
		}
		_, err = SaveCardStates(t.Context(), tx, changed, clock.RealNow(w.clock))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCountPIN_countsForAllPlasticsOfANumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		const pin = "7392"
		old, fresh := w.twoPlastics(t, pin)
		try := func(digits string, want Tries) {
			t.Helper()
			got, err := w.VerifyPIN(t.Context(), w.caller, old.Token, clearPIN(digits))
			if err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		w.authorize(t, old, func(c *CardState) { c.PINTryCount++; c.CVV2TryCount++ }) // at a terminal, the old plastic
		try("1357", Tries{false, 1})                                                  // through the API
		for k, c := range w.states(t, old, fresh) {
			if c.PINTryCount != 2 || c.CVV2TryCount != 1 {
				t.Errorf("%s counts %d and %d tries, want 2 and 1", k, c.PINTryCount, c.CVV2TryCount)
			}
		}
		try("1357", Tries{false, 0})
		for k, c := range w.states(t, old, fresh) {
			if c.PINStatus != PINBlocked {
				t.Errorf("the PIN of %s is %s", k, c.PINStatus)
			}
		}
		// The newest waits for its first use; the one in force is meant.
		if _, err := w.UnblockPIN(t.Context(), w.caller, old.Token, PINRequest{}); err != nil {
			t.Fatal(err)
		}
		for k, c := range w.states(t, old, fresh) {
			if c.PINStatus != PINActive || c.PINTryCount != 0 || c.CVV2TryCount != 1 {
				t.Errorf("after the unblocking %s is %s with %d and %d tries", k, c.PINStatus, c.PINTryCount, c.CVV2TryCount)
			}
		}
		if _, err := w.ResetCVV2(t.Context(), w.caller, old.Token, 0, ""); err != nil {
			t.Fatal(err)
		}
		try(pin, Tries{true, 3})
	})
}

// Unblocking gives no PIN to a plastic that has none.
func TestUnblockPIN_leavesAPlasticWithoutPINWithout(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.plastic(t)
		if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, clearPIN("7392"), true, ""); err != nil {
			t.Fatal(err)
		}
		no := false
		out := w.renewed(t, card.Card.Token, Renewal{Reason: RenewForDamaged, Replacement: Replacement{TransferPIN: &no}})
		if out.New.Card.Token != card.Card.Token || out.New.Card.PINStatus != PINNotSet {
			t.Fatalf("the new plastic: its PIN is %s", out.New.Card.PINStatus)
		}
		w.authorize(t, card.Card, func(c *CardState) { c.PINTryCount, c.PINStatus = 3, PINBlocked })
		if _, err := w.UnblockPIN(t.Context(), w.caller, card.Card.Token, PINRequest{}); err != nil {
			t.Fatal(err)
		}
		states := w.states(t, card.Card, out.New.Card)
		if s := states[card.Card.ID]; s.PINStatus != PINActive || s.PINTryCount != 0 {
			t.Errorf("the PIN is %s after %d tries", s.PINStatus, s.PINTryCount)
		}
		if s := states[out.New.Card.ID]; s.PINStatus != PINNotSet || s.Script != NoScript || s.PINTryCount != 0 {
			t.Errorf("the PIN that is not there is %s, with script %q, after %d tries", s.PINStatus, s.Script, s.PINTryCount)
		}
	})
}

// The PIN is the number's: what is asked of it while a renewal waits is judged
// by the plastic in force, and what comes of it is true of both.
func TestChangePIN_whileARenewalWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old, fresh := w.twoPlastics(t, "7392")
		got, err := w.ChangePIN(t.Context(), w.caller, old.Token, clearPIN("7392"), clearPIN("8274"))
		if err != nil || got.Card.ID != old.ID {
			t.Fatalf("changed the PIN of %s: %v", got.Card.ID, err)
		}
		if tries, err := w.VerifyPIN(t.Context(), w.caller, old.Token, clearPIN("8274")); err != nil || !tries.IsValid {
			t.Errorf("the new PIN: %+v, %v", tries, err)
		}
		w.changed(t, old.Token, NewStatus{Status: Inactive, Reason: CustomerRequest})
		if _, err := w.ChangePIN(t.Context(), w.caller, old.Token, clearPIN("8274"), clearPIN("3917")); err != nil {
			t.Errorf("change the PIN of a card that is frozen: %v", err)
		}
		w.changed(t, old.Token, NewStatus{Status: Blocked, Reason: UnderReview})
		_, err = w.VerifyPIN(t.Context(), w.caller, old.Token, clearPIN("3917"))
		wantCode(t, err, "card_status_not_suitable") // whatever the one that waits is
		w.changed(t, old.Token, NewStatus{Status: Active, Reason: ReviewCleared})
		w.changed(t, old.Token, NewStatus{Status: Active, Reason: FirstActivation})
		if tries, err := w.VerifyPIN(t.Context(), w.caller, fresh.Token, clearPIN("3917")); err != nil || !tries.IsValid {
			t.Errorf("the PIN after the activation: %+v, %v", tries, err)
		}
	})
}

// A plastic that is made while there are wrong tries begins with them.
func TestInsertCard_takesTheTriesOfItsNumberOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.plastic(t)
		if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, clearPIN("7392"), true, ""); err != nil {
			t.Fatal(err)
		}
		w.authorize(t, card.Card, func(c *CardState) { c.PINTryCount, c.CVV2TryCount = 2, 1 })
		out := w.renewed(t, card.Card.Token, Renewal{Reason: RenewForExpiry})
		var fresh Card
		err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
			fresh, _, err = readCardByID(t.Context(), tx, w.caller.Tenant, out.New.Card.ID)
			return err
		})
		if err != nil || fresh.PINTryCount != 2 || fresh.CVV2TryCount != 1 {
			t.Errorf("the new plastic counts %d and %d tries, want 2 and 1 (%v)", fresh.PINTryCount, fresh.CVV2TryCount, err)
		}
	})
}

// Another PIN is the PIN of every plastic of the number; chips that verify PINs
// themselves have to be told, each by itself.
func TestSetPIN_isForAllPlasticsOfANumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.ChipProfile = "CVN18-PIN"
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		old, fresh := w.twoPlastics(t, "7392")
		if _, err := w.SetRandomPIN(t.Context(), w.caller, old.Token, PINRequest{}); err != nil {
			t.Fatal(err)
		}
		for k, c := range w.states(t, old, fresh) {
			if c.PINStatus != PINPendingChipUpdate || c.Script != ScriptPINChange {
				t.Errorf("%s is %s with script %q", k, c.PINStatus, c.Script)
			}
		}
		w.authorize(t, old, func(c *CardState) { c.Script, c.ScriptATC, c.PINStatus = NoScript, -1, PINActive })
		states := w.states(t, old, fresh)
		if states[fresh.ID].PINStatus != PINPendingChipUpdate {
			t.Error("one chip has learned the PIN, and the other counts as if it had")
		}
		if err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
			return ForgetPINs(t.Context(), tx, []id.ID[Card]{old.ID, fresh.ID})
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			card Card
			kept bool
		}{{old, false}, {fresh, true}} {
			var at Card
			err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
				at, _, err = readCardByID(t.Context(), tx, w.caller.Tenant, c.card.ID)
				return err
			})
			if err != nil || len(at.PINBlock) > 0 != c.kept {
				t.Errorf("%s: a PIN of %d bytes is kept (%v)", c.card.ID, len(at.PINBlock), err)
			}
		}
	})
}

// Of two plastics under one token, a PIN alone means the one in force, and a PIN
// that activates the one that waits; whichever is meant, both have the PIN.
func TestSetPIN_whileASuccessorWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old, fresh := w.twoPlastics(t, "7392")
		set := func(digits string, sequence int, activate bool, answered Card) {
			t.Helper()
			in := clearPIN(digits)
			in.Sequence = sequence
			got, err := w.SetPIN(t.Context(), w.caller, old.Token, in, activate, "")
			if err != nil || got.Card.ID != answered.ID {
				t.Fatalf("the PIN of sequence %d was set, want %d: %v", got.Card.Sequence, answered.Sequence, err)
			}
			if tries, err := w.VerifyPIN(t.Context(), w.caller, old.Token, clearPIN(digits)); err != nil || !tries.IsValid {
				t.Errorf("the card in force: %+v, %v", tries, err)
			}
		}
		set("8274", 0, false, old)
		set("3917", fresh.Sequence, false, fresh)
		if w.statusOf(t, old.Token, old.Sequence) != Active || w.statusOf(t, old.Token, fresh.Sequence) != Pending {
			t.Error("a PIN alone changed a status")
		}
		set("6052", 0, true, fresh)
		if w.statusOf(t, old.Token, old.Sequence) != CardRenewed || w.statusOf(t, old.Token, fresh.Sequence) != Active {
			t.Error("the successor is not in force")
		}
		in := clearPIN("9164")
		in.Sequence = old.Sequence
		_, err := w.SetPIN(t.Context(), w.caller, old.Token, in, false, "")
		wantCode(t, err, "card_status_not_suitable")
	})
}

// The chips of a number's plastics may differ: a PIN that is set on the one
// whose chip verifies none is still brought to the other, and kept for it alone.
func TestSetPIN_bringsThePINToAChipOfAnotherKind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.plastic(t)
		if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, clearPIN("7392"), true, ""); err != nil {
			t.Fatal(err)
		}
		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.ChipProfile, p.PINDeliveries = "CVN18-PIN", nil
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		old, fresh := card.Card, w.renewed(t, card.Card.Token, Renewal{Reason: RenewForExpiry}).New.Card
		kept := func(card Card, script ChipScript, status PINStatus, block bool) {
			t.Helper()
			var at Card
			err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
				at, _, err = readCardByID(t.Context(), tx, w.caller.Tenant, card.ID)
				return err
			})
			if err != nil || at.Script != script || at.PINStatus != status || len(at.PINBlock) > 0 != block {
				t.Errorf("sequence %d is %s with script %q and a PIN of %d bytes (%v)", card.Sequence, at.PINStatus, at.Script, len(at.PINBlock), err)
			}
		}
		for _, give := range []func() error{
			func() error {
				_, err := w.SetRandomPIN(t.Context(), w.caller, old.Token, PINRequest{})
				return err
			},
			func() error {
				_, err := w.SetPIN(t.Context(), w.caller, old.Token, clearPIN("8274"), false, "")
				return err
			},
			func() error {
				_, err := w.ChangePIN(t.Context(), w.caller, old.Token, clearPIN("8274"), clearPIN("3917"))
				return err
			},
		} {
			if err := give(); err != nil {
				t.Fatal(err)
			}
			kept(old, NoScript, PINActive, false)
			kept(fresh, ScriptPINChange, PINPendingChipUpdate, true)
		}
	})
}

// A plastic that comes while another PIN is being made must not be left waiting
// for a PIN that nobody has.
func TestSetPIN_isStaleWhenAChipCameMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.plastic(t)
		in, err := w.openForUse(t.Context(), w.caller, card.Card.Token, 0)
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.ChipProfile = "CVN18-PIN"
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		w.changed(t, card.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		w.renewed(t, card.Card.Token, Renewal{Reason: RenewForExpiry})
		_, err = w.keepPIN(t.Context(), w.caller, in, keptPIN{}, pinAct{action: "PinSet", in: pinSettable}, func(db.Tx) error { return nil })
		wantCode(t, err, errStale.Code)
	})
}

func TestResetTries_forgetsThemAfterMidnight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old, fresh := w.twoPlastics(t, "7392")
		w.authorize(t, old, func(c *CardState) { c.PINTryCount, c.PINStatus = 3, PINBlocked })
		reset := func() int {
			t.Helper()
			n, err := w.ResetTries(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := reset(); n != 0 {
			t.Fatalf("%d cards were reset, and nobody wants it", n)
		}
		a, err := w.programs.Attributes(t.Context(), w.caller)
		if err != nil {
			t.Fatal(err)
		}
		a.PINCounterDailyReset = true
		if _, err := w.programs.CreateAttributes(t.Context(), w.caller, a); err != nil {
			t.Fatal(err)
		}
		if n := reset(); n != 0 {
			t.Fatalf("%d cards were reset in the middle of the day", n)
		}
		w.clock.Advance(24 * time.Hour)
		if n := reset(); n != 2 {
			t.Errorf("%d plastics were reset after midnight, want 2", n)
		}
		for k, c := range w.states(t, old, fresh) {
			if c.PINStatus != PINActive || c.PINTryCount != 0 {
				t.Errorf("%s is %s with %d tries", k, c.PINStatus, c.PINTryCount)
			}
		}
		w.authorize(t, old, func(c *CardState) { c.PINTryCount = 1 })
		if n := reset(); n != 0 {
			t.Errorf("%d were reset twice a day", n)
		}
		unblocked := 0
		for _, e := range w.told(t, w.shown(t, old.Token).Issuance.No) {
			if e.Name == EventPINUnblocked {
				unblocked++
			}
		}
		if unblocked != 1 {
			t.Errorf("card.pin-unblocked was told %d times, want 1", unblocked)
		}
	})
}
