package issuing

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

func clearCVV2(v string) Sensitive {
	return Sensitive{Member: "encryptedCvv2", Clear: secret.FromString(v)}
}

// wrongCVV2 is three digits other than right.
func wrongCVV2(right secret.Value) Sensitive {
	if right.Equal(secret.FromString("111")) {
		return clearCVV2("222")
	}
	return clearCVV2("111")
}

func TestVerifyCVV2_countsAndBlocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		right := w.reveal(t, card.Token).CVV2
		try := func(v Sensitive, e Expiry) (Tries, error) {
			return w.VerifyCVV2(t.Context(), w.caller, card.Token, CVV2Try{CVV2: v, Expires: e})
		}
		good := Sensitive{Member: "encryptedCvv2", Clear: right}
		steps := []struct {
			name string
			v    Sensitive
			e    Expiry
			want Tries
		}{
			{"wrong", wrongCVV2(right), card.Expires, Tries{false, 2}},
			{"right starts anew", good, card.Expires, Tries{true, 3}},
			{"wrong expiry counts", good, Expiry{card.Expires.Year + 1, card.Expires.Month}, Tries{false, 2}},
			{"not three digits", clearCVV2("12"), card.Expires, Tries{false, 1}},
			{"the try that exhausts is answered", wrongCVV2(right), card.Expires, Tries{false, 0}},
		}
		for _, s := range steps {
			got, err := try(s.v, s.e)
			if err != nil || got != s.want {
				t.Errorf("%s: got %+v, %v; want %+v", s.name, got, err, s.want)
			}
		}
		_, err := try(good, card.Expires)
		wantCode(t, err, "cvv2_blocked")
		for range 2 {
			out, err := w.ResetCVV2(t.Context(), w.caller, card.Token, 0, "")
			if _, left := out.TriesLeft(); err != nil || left != 3 {
				t.Fatalf("reset: %d tries left, %v", left, err)
			}
		}
		if got, err := try(good, card.Expires); err != nil || !got.IsValid {
			t.Errorf("after the reset: got %+v, %v", got, err)
		}
		w.forceStatus(t, card, Cancelled)
		_, err = try(good, card.Expires)
		wantCode(t, err, "card_status_not_suitable")
		_, err = w.ResetCVV2(t.Context(), w.caller, card.Token, 0, "")
		wantCode(t, err, "card_status_not_suitable")
	})
}

func TestVerifyCVV2_productMayKeepTheCount(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	p, err := w.programs.Product(t.Context(), w.caller, virtualProduct)
	if err != nil {
		t.Fatal(err)
	}
	p.CVV2ResetOnSuccess = false
	if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
		t.Fatal(err)
	}
	card := w.issue(t).Card
	right := w.reveal(t, card.Token).CVV2
	for i, c := range []struct {
		v    Sensitive
		want Tries
	}{{wrongCVV2(right), Tries{false, 2}}, {Sensitive{Clear: right}, Tries{true, 2}}, {wrongCVV2(right), Tries{false, 1}}} {
		got, err := w.VerifyCVV2(t.Context(), w.caller, card.Token, CVV2Try{CVV2: c.v, Expires: card.Expires})
		if err != nil || got != c.want {
			t.Errorf("%d: got %+v, %v; want %+v", i, got, err, c.want)
		}
	}
}

func TestVerifyCVV2_ofManyAtOnceOnlyTheLimitIsAnswered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		wrong := wrongCVV2(w.reveal(t, card.Token).CVV2)
		answered := raceTries(t, 20, "cvv2_blocked", func() (Tries, error) {
			return w.VerifyCVV2(t.Context(), w.caller, card.Token, CVV2Try{CVV2: wrong, Expires: card.Expires})
		})
		after, err := w.Card(t.Context(), w.caller, card.Token)
		if err != nil || answered != 3 || after.Card.CVV2TryCount != 3 {
			t.Errorf("got %d answers and a count of %d, want 3 of each (%v)", answered, after.Card.CVV2TryCount, err)
		}
	})
}

// raceTries makes n tries at once and returns how many were answered; all the
// others must be blocked, and the answers must count down to 0.
func raceTries(t *testing.T, n int, blocked fault.Code, try func() (Tries, error)) int {
	t.Helper()
	tries, errs := make([]Tries, n), make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { tries[i], errs[i] = try() })
	}
	wait.Wait()
	answered, left := 0, map[int]bool{}
	for i, err := range errs {
		if err != nil {
			wantCode(t, err, blocked)
			continue
		}
		if tries[i].IsValid {
			t.Error("a wrong value was found right")
		}
		answered++
		left[tries[i].Left] = true
	}
	for i := range answered {
		if !left[i] {
			t.Errorf("nobody was told that %d tries are left", i)
		}
	}
	return answered
}

func TestShowCVV2(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t).Card
	known := w.reveal(t, card.Token)
	got, err := w.ShowCVV2(t.Context(), w.caller, card.Token, CVV2Request{IncludeCardNo: true})
	if err != nil {
		t.Fatal(err)
	}
	if !got.CVV2.Clear.Equal(known.CVV2) || got.CardNo == nil || string(got.CardNo.Clear.Reveal()) != known.Number.Reveal() || got.Expires != card.Expires {
		t.Errorf("got another CVV2, number or expiry (%s)", got.Expires)
	}
	_, err = w.ShowCVV2(t.Context(), w.caller, card.Token, CVV2Request{KeyID: "key_none"})
	wantCode(t, err, "encryption_key_not_found")
	w.forceStatus(t, card, Inactive)
	_, err = w.ShowCVV2(t.Context(), w.caller, card.Token, CVV2Request{})
	wantCode(t, err, "card_status_not_suitable")
	plastic := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress}).Card
	_, err = w.ShowCVV2(t.Context(), w.caller, plastic.Token, CVV2Request{})
	wantCode(t, err, "card_status_not_suitable")
	w.forceStatus(t, card, Active)
	closed := w.caller
	closed.Sandbox = false
	_, err = w.ShowCVV2(t.Context(), closed, card.Token, CVV2Request{})
	wantCode(t, err, "clear_sensitive_data_not_allowed")
}

func TestShowCVV2_tenTimesAnHourAndEachIsOnRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card, other := w.issue(t).Card, w.issue(t).Card
		who := w.caller
		who.UserReference, who.Channel, who.CorrelationID = "agent-7", "CallCenter", "trace-1"
		show := func(token string, in CVV2Request) error {
			_, err := w.ShowCVV2(t.Context(), who, token, in)
			return err
		}
		refused := func(wait int) {
			t.Helper()
			err := show(card.Token, CVV2Request{})
			wantCode(t, err, "cvv2_view_limit_exceeded")
			if f, ok := fault.As(err); !ok || f.Kind != fault.Throttled || f.Params["retryAfterSeconds"] != wait {
				t.Errorf("got %+v, want a wait of %d seconds", f, wait)
			}
		}
		for i := range 10 {
			// What is refused was not shown.
			wantCode(t, show(card.Token, CVV2Request{KeyID: "key_none"}), "encryption_key_not_found")
			if err := show(card.Token, CVV2Request{Reason: "asked by phone", IncludeCardNo: i == 9}); err != nil {
				t.Fatalf("%d: %v", i+1, err)
			}
			w.clock.Advance(time.Minute)
		}
		refused(50 * 60)
		if err := show(other.Token, CVV2Request{}); err != nil {
			t.Errorf("another card: %v", err)
		}
		w.clock.Advance(50*time.Minute - time.Millisecond)
		refused(1)
		w.clock.Advance(time.Millisecond)
		if err := show(card.Token, CVV2Request{}); err != nil {
			t.Errorf("an hour after the first: %v", err)
		}
		refused(60)

		type view struct {
			tenant, client, user, channel, trace, reason string
			at                                           int64
			withCardNo                                   bool
		}
		var got view
		err := d.View(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT tenant_id, client_id, user_reference, channel, correlation_id, reason,
				viewed_at, with_card_no FROM card_cvv2_view WHERE card_id = $1 AND position = 10`, card.ID).
				Scan(&got.tenant, &got.client, &got.user, &got.channel, &got.trace, &got.reason, &got.at, &got.withCardNo)
		})
		want := view{
			w.tenant.ID.String(), "sc_test", "agent-7", "CallCenter", "trace-1", "asked by phone",
			clock.Micros(time.Date(2026, 11, 21, 9, 9, 0, 0, time.UTC)), true,
		}
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestShowCVV2_ofManyAtOnceTenAreAnswered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		errs := make([]error, 24)
		var wait sync.WaitGroup
		for i := range errs {
			wait.Go(func() { _, errs[i] = w.ShowCVV2(t.Context(), w.caller, card.Token, CVV2Request{}) })
		}
		wait.Wait()
		shown := 0
		for _, err := range errs {
			if err == nil {
				shown++
			} else {
				wantCode(t, err, "cvv2_view_limit_exceeded")
			}
		}
		if shown != 10 {
			t.Errorf("got %d answers, want 10", shown)
		}
	})
}

func TestPIN_setVerifyChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		_, err := w.VerifyPIN(t.Context(), w.caller, card.Token, clearPIN("7392"))
		wantCode(t, err, "pin_not_set")
		set, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("7392"), false, "")
		if err != nil || set.Card.PINStatus != PINActive || !set.Card.PINChangedAt.Equal(w.clock.Now()) {
			t.Fatalf("set: got %s changed at %s, %v", set.Card.PINStatus, set.Card.PINChangedAt, err)
		}
		for _, format := range []PINForm{ISO0Block, ISO1Block, ISO3Block, ISO4Block} {
			got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, w.pinBlockOf(t, card.Token, format, "7392"))
			if err != nil || !got.IsValid || got.Left != 3 {
				t.Errorf("%s: got %+v, %v", format, got, err)
			}
		}
		_, err = w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("7392"), false, "")
		wantCode(t, err, "weak_pin") // the same again
		_, err = w.ChangePIN(t.Context(), w.caller, card.Token, wrongPIN(), clearPIN("8274"))
		if f := wantCode(t, err, "pin_invalid"); f.Params["remainingTries"] != 2 {
			t.Errorf("got %v tries left", f.Params["remainingTries"])
		}
		if _, err = w.ChangePIN(t.Context(), w.caller, card.Token, clearPIN("7392"), clearPIN("8274")); err != nil {
			t.Fatalf("change: %v", err)
		}
		for digits, want := range map[string]Tries{"8274": {true, 3}} {
			if got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, clearPIN(digits)); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		for _, want := range []Tries{{false, 2}, {false, 1}, {false, 0}} {
			if got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, clearPIN("7392")); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		_, err = w.VerifyPIN(t.Context(), w.caller, card.Token, clearPIN("8274"))
		wantCode(t, err, "pin_blocked")
		_, err = w.ChangePIN(t.Context(), w.caller, card.Token, clearPIN("8274"), clearPIN("3917"))
		wantCode(t, err, "pin_blocked")
		after, err := w.Card(t.Context(), w.caller, card.Token)
		if err != nil || after.Card.PINStatus != PINBlocked || after.Card.Status != Active {
			t.Errorf("got PIN %s, card %s, %v", after.Card.PINStatus, after.Card.Status, err)
		}
		if _, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("3917"), false, ""); err != nil {
			t.Fatalf("set after block: %v", err)
		}
		if got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, clearPIN("3917")); err != nil || !got.IsValid {
			t.Errorf("after the block: got %+v, %v", got, err)
		}
	})
}

func TestSetPIN_mayActivate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress}).Card
		got, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("7392"), true, "Mobile")
		if err != nil || got.Card.Status != Active || got.Card.Reason != FirstActivation || got.Card.Channel != "Mobile" || got.Card.ActivatedAt.IsZero() {
			t.Errorf("got %+v, %v", got.Card.StatusChange, err)
		}
		w.forceStatus(t, card, Blocked)
		_, err = w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("8274"), true, "")
		wantCode(t, err, "card_status_not_suitable")
		pending := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress}).Card
		weak := w.caller
		weak.Permissions = access.PermissionsOf(access.IssuingPINSet)
		_, err = w.SetPIN(t.Context(), weak, pending.Token, clearPIN("7392"), true, "")
		wantCode(t, err, access.CodeForbidden)
		after, err := w.Card(t.Context(), w.caller, pending.Token)
		if err != nil || after.Card.PINStatus != PINNotSet {
			t.Errorf("a refused activation left the PIN %s (%v)", after.Card.PINStatus, err)
		}
	})
}

// Setting a PIN refuses the present one, so an attempt that is bound to fail
// for another reason must not come that far: it would tell the PIN, try by try,
// without counting.
func TestSetPIN_thatCannotActivateTellsNothingOfThePIN(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issueWith(t, NewCard{
		CustomerNo: "1", ProductCode: virtualProduct, InitialStatus: Pending, PINSource: EncryptedPIN, PIN: clearPIN("7392"),
	}).Card
	narrow := w.caller
	narrow.Permissions = access.PermissionsOf(access.IssuingPINSet)
	for _, pin := range []string{"7392", "8274"} { // the card's, and another
		_, err := w.SetPIN(t.Context(), narrow, card.Token, clearPIN(pin), true, "")
		wantCode(t, err, access.CodeForbidden)
	}
}

func TestPIN_whatIsTakenWhere(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t).Card
	if _, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("7392"), false, ""); err != nil {
		t.Fatal(err)
	}
	production := w.caller
	production.Sandbox = false
	for _, c := range []struct {
		name string
		by   access.Caller
		in   PINInput
		want fault.Code
	}{
		{"clear in production", production, clearPIN("7392"), "clear_sensitive_data_not_allowed"},
		{"ISO 1 in production", production, w.pinBlockOf(t, card.Token, ISO1Block, "7392"), "invalid_pin_block"},
		{"field in production", production, PINInput{Block: make([]byte, 40), Form: PINField, KeyID: "key_x"}, "invalid_pin_block"},
		{"short block", w.caller, PINInput{Block: make([]byte, 7), Form: ISO0Block}, "invalid_pin_block"},
		{"AES block in a TDES format", w.caller, PINInput{Block: make([]byte, 16), Form: ISO0Block}, "invalid_pin_block"},
		{"no format", w.caller, PINInput{Block: make([]byte, 8)}, "invalid_pin_block"},
		{"unknown key", w.caller, PINInput{Block: make([]byte, 8), Form: ISO0Block, KeyID: "key_x"}, "encryption_key_not_found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.VerifyPIN(t.Context(), c.by, card.Token, c.in)
			wantCode(t, err, c.want)
		})
	}
	after, err := w.Card(t.Context(), w.caller, card.Token)
	if err != nil || after.Card.PINTryCount != 0 {
		t.Errorf("what cannot be a PIN was counted %d times (%v)", after.Card.PINTryCount, err)
	}
	if got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, wrongPIN()); err != nil || got != (Tries{false, 2}) {
		t.Errorf("a block that does not open: got %+v, %v; want a wrong PIN", got, err)
	}
}

func TestPIN_underAnExchangedKey(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t).Card
	var last PINInput
	for format, algorithm := range map[PINForm]hsm.Algorithm{ISO0Block: hsm.TDES, ISO3Block: hsm.TDES, ISO4Block: hsm.AES} {
		zpk, err := w.HSM.GenerateKey(t.Context(), w.tenant.ID.String(), hsm.KeySpec{
			ID: id.New[vault.Key](w.clock.Now()).String(), Usage: hsm.UsagePIN, Algorithm: algorithm, Bits: 128, Mode: hsm.ModeBoth,
			Exportability: hsm.Exportable, Test: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		k := vault.Key{Ref: zpk, Label: "transport/PinBlock", ClientID: w.caller.Client, CreatedAt: w.clock.Now(), ExpiresAt: w.clock.Now().Add(time.Hour)}
		err = w.DB.InTx(t.Context(), func(tx db.Tx) error { return vault.SaveKey(t.Context(), tx, w.tenant.ID, k) })
		if err != nil {
			t.Fatal(err)
		}
		block, err := w.HSM.EncodePIN(t.Context(), zpk, blockFormats[format], w.numberOf(t, card), secret.FromString("7392"))
		if err != nil {
			t.Fatal(err)
		}
		in := PINInput{Block: block, Form: format, KeyID: zpk.ID}
		if card, _ := w.Card(t.Context(), w.caller, card.Token); card.Card.PINStatus == PINNotSet {
			if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, in, false, ""); err != nil {
				t.Fatalf("%s: %v", format, err)
			}
		}
		if got, err := w.VerifyPIN(t.Context(), w.caller, card.Token, in); err != nil || !got.IsValid {
			t.Errorf("%s: got %+v, %v", format, got, err)
		}
		stranger := w.caller
		stranger.Client = "sc_other"
		_, err = w.VerifyPIN(t.Context(), stranger, card.Token, in)
		wantCode(t, err, "encryption_key_not_found")
		last = in
		in.Form = ISO4Block
		if algorithm == hsm.AES {
			in.Form = ISO0Block
		}
		_, err = w.VerifyPIN(t.Context(), w.caller, card.Token, in)
		wantCode(t, err, "invalid_pin_block")
	}
	w.clock.Advance(2 * time.Hour)
	_, err := w.VerifyPIN(t.Context(), w.caller, card.Token, last)
	wantCode(t, err, "encryption_key_expired")
}

func TestVerifyPIN_ofManyAtOnceOnlyTheLimitIsAnswered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		if _, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN("7392"), false, ""); err != nil {
			t.Fatal(err)
		}
		answered := raceTries(t, 20, "pin_blocked", func() (Tries, error) {
			return w.VerifyPIN(t.Context(), w.caller, card.Token, wrongPIN())
		})
		after, err := w.Card(t.Context(), w.caller, card.Token)
		if err != nil || answered != 3 || after.Card.PINTryCount != 3 || after.Card.PINStatus != PINBlocked {
			t.Errorf("got %d answers, a count of %d, PIN %s (%v)", answered, after.Card.PINTryCount, after.Card.PINStatus, err)
		}
	})
}

func TestPINRules_forbidWhatAFinderWouldTry(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t).Card
	for name, digits := range map[string]string{
		"all equal": "4444", "rising": "2345", "falling": "6543", "three side by side": "1777",
		"end of the card number": card.LastFour, "expiry": card.Expires.MMYY(), "expiry turned": card.Expires.YYMM(),
		"birthday": "1204", "birthday turned": "0412", "birth year": "1991", "birth month": "9104", "phone": "4567",
	} {
		_, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN(digits), false, "")
		if f, ok := fault.As(err); !ok || f.Code != "weak_pin" {
			t.Errorf("%s: got %v, want weak_pin", name, err)
		}
	}
	for digits, want := range map[string]fault.Code{"123": "invalid_pin_block", "73925": "pin_length_invalid", "12x4": "invalid_pin_block"} {
		_, err := w.SetPIN(t.Context(), w.caller, card.Token, clearPIN(digits), false, "")
		wantCode(t, err, want)
	}
}

func TestCardStates_areReadAndWrittenWhole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		plastic := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress}).Card
		cards := []Card{w.issue(t).Card, plastic, w.issue(t).Card}
		rapid.Check(t, func(r *rapid.T) {
			var want map[id.ID[Card]]CardState
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				states, err := LockCardStates(t.Context(), tx, []id.ID[Card]{cards[2].ID, cards[0].ID, cards[1].ID, cards[0].ID})
				if err != nil {
					return err
				}
				if len(states) != 3 {
					r.Fatalf("got %d states", len(states))
				}
				want = map[id.ID[Card]]CardState{}
				var all []CardState
				for _, c := range cards {
					s := states[c.ID]
					s.PINStatus = rapid.SampledFrom([]PINStatus{PINNotSet, PINActive, PINBlocked}).Draw(r, "pin")
					s.PINTryCount = rapid.IntRange(0, 3).Draw(r, "tries")
					s.CVV2TryCount = rapid.IntRange(0, 3).Draw(r, "cvv2")
					s.ATC = rapid.IntRange(-1, 65535).Draw(r, "atc")
					s.ATCWindow = rapid.Uint64Range(0, 1<<63-1).Draw(r, "window")
					s.Tap = rapid.StringMatching(`[a-z0-9|]{0,40}`).Draw(r, "tap")
					s.ContactlessCount = rapid.IntRange(0, 100).Draw(r, "taps")
					s.ContactlessAmount = rapid.Int64Range(0, 1_000_000).Draw(r, "amount")
					s.ContactlessRuns = rapid.IntRange(0, 100).Draw(r, "runs")
					all, want[c.ID] = append(all, s), s
				}
				_, err = SaveCardStates(t.Context(), tx, all, clock.RealNow(w.clock))
				return err
			})
			if err != nil {
				r.Fatal(err)
			}
			err = d.InTx(t.Context(), func(tx db.Tx) error {
				got, err := LockCardStates(t.Context(), tx, []id.ID[Card]{cards[0].ID, cards[1].ID, cards[2].ID})
				for k, s := range want {
					if got[k] != s {
						r.Errorf("got %+v, want %+v", got[k], s)
					}
				}
				return err
			})
			if err != nil {
				r.Fatal(err)
			}
		})
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			states, err := LockCardStates(t.Context(), tx, []id.ID[Card]{plastic.ID})
			if err != nil {
				return err
			}
			s := states[plastic.ID]
			s.Status = Active
			_, err = SaveCardStates(t.Context(), tx, []CardState{s}, clock.RealNow(w.clock))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		details, err := w.CardDetails(t.Context(), w.caller, plastic.Token)
		if err != nil || details.Card.Status != Active || len(details.History) != 2 || details.History[0].Reason != FirstActivation {
			t.Errorf("after a first use: %s, history %+v, %v", details.Card.Status, details.History, err)
		}
	})
}

func TestCards_ofAnotherTenantAreNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		issued := w.issue(t)
		token := issued.Card.Token
		other, stranger := w.newTenant(t, "Other", true)
		w.define(t, stranger, "979207")
		for name, call := range map[string]func() error{
			"card":    func() error { _, err := w.Card(t.Context(), stranger, token); return err },
			"details": func() error { _, err := w.CardDetails(t.Context(), stranger, token); return err },
			"status": func() error {
				_, err := w.ChangeStatus(t.Context(), stranger, token, NewStatus{Status: Lost, Reason: LostReported})
				return err
			},
			"show CVV2": func() error { _, err := w.ShowCVV2(t.Context(), stranger, token, CVV2Request{}); return err },
			"verify CVV2": func() error {
				_, err := w.VerifyCVV2(t.Context(), stranger, token, CVV2Try{CVV2: clearCVV2("111")})
				return err
			},
			"reset CVV2": func() error { _, err := w.ResetCVV2(t.Context(), stranger, token, 0, ""); return err },
			"verify PIN": func() error { _, err := w.VerifyPIN(t.Context(), stranger, token, clearPIN("7392")); return err },
			"set PIN": func() error {
				_, err := w.SetPIN(t.Context(), stranger, token, clearPIN("7392"), false, "")
				return err
			},
			"change PIN": func() error {
				_, err := w.ChangePIN(t.Context(), stranger, token, clearPIN("7392"), clearPIN("8274"))
				return err
			},
			"reveal": func() error { _, err := w.RevealCard(t.Context(), stranger, token, 0); return err },
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, call(), "card_not_found") })
		}
		for _, in := range []NewCard{{ParentCardToken: token}, {ParentIssuanceNo: issued.Issuance.No}} {
			in.CustomerNo, in.ProductCode = "1", virtualProduct
			_, err := w.IssueCard(t.Context(), stranger, in)
			wantCode(t, err, "parent_card_invalid")
		}
		if _, total, _, err := w.Cards(t.Context(), stranger, CardFilter{Page: list.Page{Limit: 10}}); err != nil || total != 0 {
			t.Errorf("got %d cards in another tenant's list, %v", total, err)
		}
		if found, err := w.CardsByPAN(t.Context(), other.ID, w.numberOf(t, issued.Card)); err != nil || len(found) != 0 {
			t.Errorf("another tenant finds %d cards by number, %v", len(found), err)
		}
	})
}
