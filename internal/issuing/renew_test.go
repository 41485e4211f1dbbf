package issuing

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// plastic issues a physical card of customer 1 and activates it.
func (w *cardWorld) plastic(t testing.TB) IssuedCard {
	t.Helper()
	made := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress})
	w.changed(t, made.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
	return w.shown(t, made.Card.Token)
}

func (w *cardWorld) changed(t testing.TB, token string, in NewStatus) StatusResult {
	t.Helper()
	out, err := w.ChangeStatus(t.Context(), w.caller, token, in)
	if err != nil {
		t.Fatalf("%s to %s: %v", token, in.Status, err)
	}
	return out
}

func (w *cardWorld) renewed(t testing.TB, token string, in Renewal) RenewedCard {
	t.Helper()
	out, err := w.RenewCard(t.Context(), w.caller, token, in)
	if err != nil {
		t.Fatalf("renew for %s: %v", in.Reason, err)
	}
	return out
}

func (w *cardWorld) shown(t testing.TB, token string) IssuedCard {
	t.Helper()
	out, err := w.Card(t.Context(), w.caller, token)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// statusOf is the status of one plastic.
func (w *cardWorld) statusOf(t testing.TB, token string, sequence int) CardStatus {
	t.Helper()
	var status CardStatus
	err := w.DB.View(t.Context(), func(tx db.Tx) error {
		card, found, err := readCard(t.Context(), tx, w.tenant.ID, token, sequence)
		if err != nil || !found {
			return db.Missing(err)
		}
		status = card.Status
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestRenewCard_withTheSameNumberWaitsForItsActivation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old := w.plastic(t)
		got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry})
		fresh := got.New.Card
		if fresh.Token != old.Card.Token || fresh.Sequence != 2 || fresh.PSN != "02" || fresh.Status != Pending || fresh.PreviousToken != old.Card.Token ||
			!old.Card.Expires.Before(fresh.Expires) || fresh.LastFour != old.Card.LastFour || fresh.Physical == nil {
			t.Errorf("the new card: %+v", fresh)
		}
		if w.numberOf(t, fresh) != w.numberOf(t, old.Card) {
			t.Error("the number is another one")
		}
		if got.Card.Status != Active || w.shown(t, old.Card.Token).Card.Sequence != 1 {
			t.Error("the old plastic is not in force any more")
		}
		_, err := w.RenewCard(t.Context(), w.caller, old.Card.Token, Renewal{Reason: RenewForDamaged})
		wantCode(t, err, "renewal_in_progress")

		// A freeze is about the plastic in force, an activation about the new one.
		w.changed(t, old.Card.Token, NewStatus{Status: Inactive, Reason: CustomerRequest})
		w.changed(t, old.Card.Token, NewStatus{Status: Active, Reason: CustomerRequest})
		if a, b := w.statusOf(t, old.Card.Token, 1), w.statusOf(t, old.Card.Token, 2); a != Active || b != Pending {
			t.Fatalf("after a freeze: %s and %s", a, b)
		}
		w.changed(t, old.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		if a, b := w.statusOf(t, old.Card.Token, 1), w.statusOf(t, old.Card.Token, 2); a != CardRenewed || b != Active {
			t.Errorf("after the activation: %s and %s", a, b)
		}
		now := w.shown(t, old.Card.Token)
		if now.Card.Sequence != 2 || now.IssuanceStatus != IssuanceActive || !now.Issuance.Successor.IsZero() {
			t.Errorf("in force is %+v", now.Card)
		}
		want := []string{
			EventCardCreated, EventCardStatusChanged, EventCardCreated, EventCardRenewed, EventCardStatusChanged, EventCardStatusChanged,
			EventCardStatusChanged, EventCardStatusChanged,
		}
		if got := names(w.told(t, old.Issuance.No)); !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		if e := w.told(t, old.Issuance.No)[7]; about[CardStatusChanged](t, e).Reason != Superseded || e.Sequence != 1 {
			t.Errorf("the last event is %+v", e)
		}
	})
}

func TestRenewCard_onceOfTwoAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		for _, keep := range []bool{true, false} {
			old := w.plastic(t)
			var running sync.WaitGroup
			failures := make([]error, 4)
			for i := range failures {
				running.Go(func() {
					_, failures[i] = w.RenewCard(t.Context(), w.caller, old.Card.Token, Renewal{Reason: RenewForDamaged, KeepNumber: &keep})
				})
			}
			running.Wait()
			done := 0
			for _, err := range failures {
				if err == nil {
					done++
				} else if f, ok := fault.As(err); !ok || f.Code != "renewal_in_progress" {
					t.Errorf("got %v", err)
				}
			}
			details, err := w.CardDetails(t.Context(), w.caller, old.Card.Token)
			if err != nil || done != 1 || len(details.Cards) != 2 {
				t.Errorf("%d renewals, %d cards, %v", done, len(details.Cards), err)
			}
		}
	})
}

func TestRenewCard_withAnotherNumberOverlaps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old := w.plastic(t)
		no := false
		got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForDamaged, KeepNumber: &no})
		if got.New.Card.Token == old.Card.Token || got.New.Card.Sequence != 1 || got.New.Card.PINStatus != PINNotSet {
			t.Errorf("the new card: %+v", got.New.Card)
		}
		w.clock.Advance(30*24*time.Hour - time.Minute)
		if n, err := w.CarryOutDue(t.Context()); n != 0 || err != nil {
			t.Errorf("before the overlap ends: %d, %v", n, err)
		}
		w.clock.Advance(time.Minute)
		for range 2 {
			if _, err := w.CarryOutDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := w.statusOf(t, old.Card.Token, 0), w.statusOf(t, got.New.Card.Token, 0); a != CardRenewed || b != Pending {
			t.Errorf("after the overlap: %s and %s", a, b)
		}
		if now := w.shown(t, old.Card.Token); now.Current.Token != got.New.Card.Token || now.IssuanceStatus != IssuancePending {
			t.Errorf("in force is %s", now.Current.Token)
		}
	})
}

func TestRenewCard_refusesWhatIsNotToBe(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	yes := true
	narrow := w.caller
	narrow.Permissions = access.PermissionsOf(access.IssuingCardRenew)
	in := func(s CardStatus) string {
		card := w.plastic(t)
		if s != Active {
			w.forceStatus(t, card.Card, s)
		}
		return card.Card.Token
	}
	for name, c := range map[string]struct {
		by     access.Caller
		status CardStatus
		in     Renewal
		want   fault.Code
	}{
		"a lost number again":           {w.caller, Lost, Renewal{Reason: RenewForLost, KeepNumber: &yes}, "keep_card_number_not_allowed"},
		"a stolen number by the way":    {w.caller, Stolen, Renewal{Reason: RenewForExpiry, KeepNumber: &yes}, "keep_card_number_not_allowed"},
		"no new name":                   {w.caller, Active, Renewal{Reason: RenewForNameChange}, access.CodeInvalid},
		"no new product":                {w.caller, Active, Renewal{Reason: RenewForProductChange}, access.CodeInvalid},
		"a product by the way":          {w.caller, Active, Renewal{Reason: RenewForExpiry, ProductCode: virtualProduct}, access.CodeInvalid},
		"the same product":              {w.caller, Active, Renewal{Reason: RenewForProductChange, ProductCode: plasticProduct}, "renewal_not_allowed"},
		"an unknown reason":             {w.caller, Active, Renewal{Reason: "Whim"}, access.CodeInvalid},
		"cancelled":                     {w.caller, Cancelled, Renewal{Reason: RenewForExpiry}, "card_status_not_suitable"},
		"renewed":                       {w.caller, CardRenewed, Renewal{Reason: RenewForExpiry}, "card_status_not_suitable"},
		"pending, but not undelivered":  {w.caller, Pending, Renewal{Reason: RenewForDamaged}, "card_status_not_suitable"},
		"blocked, by nobody privileged": {narrow, Blocked, Renewal{Reason: RenewForDamaged}, access.CodeForbidden},
		"exempt, by nobody privileged":  {narrow, Active, Renewal{Reason: RenewForDamaged, Replacement: Replacement{FeeExemption: true}}, access.CodeForbidden},
		"expiry, by nobody privileged":  {narrow, Active, Renewal{Reason: RenewForDamaged, Expires: Expiry{2027, 1}}, access.CodeForbidden},
		"lost, by who may not say so":   {narrow, Active, Renewal{Reason: RenewForLost}, access.CodeForbidden},
		"the expiry of the old one":     {w.caller, Active, Renewal{Reason: RenewForDamaged, Expires: Expiry{2031, 11}}, "expiry_not_allowed"},
		"a plastic at once":             {w.caller, Active, Renewal{Reason: RenewForDamaged, Activate: true}, access.CodeInvalid},
		"the PIN of a stolen card":      {w.caller, Stolen, Renewal{Reason: RenewForStolen, Replacement: Replacement{TransferPIN: &yes}}, "renewal_not_allowed"},
		"a PIN that gives nothing back": {w.caller, Lost, Renewal{Reason: RenewForLost, Replacement: Replacement{TransferPIN: &yes}}, "renewal_not_allowed"},
		"a form that is not sold":       {w.caller, Active, Renewal{Reason: RenewForDamaged, Replacement: Replacement{FormFactor: program.Virtual}}, "form_factor_not_allowed"},
		"a plastic that is not there":   {w.caller, Active, Renewal{Reason: RenewForDamaged, Sequence: 7}, "card_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			token := in(c.status)
			before := w.statusOf(t, token, 0)
			_, err := w.RenewCard(t.Context(), c.by, token, c.in)
			wantCode(t, err, c.want)
			details, err := w.CardDetails(t.Context(), w.caller, token)
			if err != nil || len(details.Cards) != 1 || details.Card.Status != before {
				t.Errorf("a refused renewal left %d cards, %s, %v", len(details.Cards), details.Card.Status, err)
			}
		})
	}
	late := in(Lost)
	w.clock.Advance(renewableFor + time.Minute)
	_, err := w.RenewCard(t.Context(), w.caller, late, Renewal{Reason: RenewForLost})
	wantCode(t, err, "renewal_not_allowed")
}

func TestRenewCard_forLossSaysSo(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	old := w.plastic(t)
	got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForStolen})
	if got.Card.Status != Stolen || got.New.Card.Token == old.Card.Token || got.New.IssuanceStatus != IssuancePending {
		t.Errorf("got %s, then %+v", got.Card.Status, got.New.Card)
	}
	_, err := w.RenewCard(t.Context(), w.caller, old.Card.Token, Renewal{Reason: RenewForStolen})
	wantCode(t, err, "renewal_in_progress")
}

func TestRenewCard_withoutPlasticIsInForceAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old := w.issue(t)
		got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry})
		if got.Card.Status != CardRenewed || got.New.Card.Status != Active || got.New.Current.ID != got.New.Card.ID {
			t.Errorf("got %s and %s", got.Card.Status, got.New.Card.Status)
		}
		// What somebody has shut is not opened by the way.
		frozen := w.issue(t)
		w.changed(t, frozen.Card.Token, NewStatus{Status: Blocked, Reason: LegalOrder})
		got = w.renewed(t, frozen.Card.Token, Renewal{Reason: RenewForExpiry})
		if got.Card.Status != Blocked || got.New.Card.Status != Pending {
			t.Errorf("of a blocked card: %s and %s", got.Card.Status, got.New.Card.Status)
		}
		client := w.caller
		client.Permissions = access.PermissionsOf(access.IssuingCardStatus)
		open := NewStatus{Status: Active, Reason: FirstActivation}
		_, err := w.ChangeStatus(t.Context(), client, frozen.Card.Token, open)
		wantCode(t, err, access.CodeForbidden)
		w.changed(t, frozen.Card.Token, open)
		if a := w.statusOf(t, frozen.Card.Token, 1); a != Cancelled {
			t.Errorf("the blocked card is %s", a)
		}
	})
}

func TestRenewCard_ofAPlasticThatNeverArrived(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	made := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress})
	got := w.renewed(t, made.Card.Token, Renewal{Reason: RenewForUndelivered})
	if got.Card.Status != CardRenewed || got.Card.Physical.PersoStatus != PersoCancelled || got.New.Card.Status != Pending {
		t.Errorf("got %s, %s and %s", got.Card.Status, got.Card.Physical.PersoStatus, got.New.Card.Status)
	}
	w.changed(t, made.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
	if s := w.statusOf(t, made.Card.Token, 2); s != Active {
		t.Errorf("the new plastic is %s", s)
	}
}

func TestRenewCard_toAnotherProduct(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old := w.issue(t)
		got := w.renewed(t, old.Card.Token, Renewal{
			Reason: RenewForProductChange, ProductCode: plasticProduct, Replacement: Replacement{FormFactor: program.PhysicalCard},
		})
		if got.Product.Code != virtualProduct || got.New.Product.Code != plasticProduct || got.New.Card.Token == old.Card.Token {
			t.Errorf("got %s, then %s", got.Product.Code, got.New.Product.Code)
		}
		if now := w.shown(t, old.Card.Token); now.Issuance.ProductCode != virtualProduct {
			t.Errorf("before the activation the issuance is of %s", now.Issuance.ProductCode)
		}
		w.changed(t, got.New.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		if now := w.shown(t, got.New.Card.Token); now.Issuance.ProductCode != plasticProduct {
			t.Errorf("after it, of %s", now.Issuance.ProductCode)
		}
	})
}

// A product is in use by the card that waits to take another one's place, and by
// the one whose place was taken.
func TestDeleteProduct_countsSuccessorsAndPredecessors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.Code, p.Name = "GOLD", "Product GOLD"
		if _, err := w.programs.CreateProduct(t.Context(), w.caller, p); err != nil {
			t.Fatal(err)
		}
		old := w.plastic(t)
		got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForProductChange, ProductCode: "GOLD"})
		wantCode(t, w.programs.DeleteProduct(t.Context(), w.caller, "GOLD"), "product_in_use")
		w.changed(t, got.New.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		wantCode(t, w.programs.DeleteProduct(t.Context(), w.caller, plasticProduct), "product_in_use")
	})
}

func TestRenewCard_takesThePINOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.PINLength = 6
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		old := w.plastic(t)
		const pin = "258037"
		if _, err := w.SetPIN(t.Context(), w.caller, old.Card.Token, clearPIN(pin), false, ""); err != nil {
			t.Fatal(err)
		}
		yes := true
		got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForLost, Replacement: Replacement{TransferPIN: &yes}})
		if got.New.Card.PINStatus != PINActive {
			t.Fatalf("the PIN is %s", got.New.Card.PINStatus)
		}
		for digits, want := range map[string]bool{"258038": false, pin: true} {
			tries, err := w.VerifyPIN(t.Context(), w.caller, got.New.Card.Token, clearPIN(digits))
			if err != nil || tries.IsValid != want {
				t.Errorf("%s: got %v, %v", digits, tries.IsValid, err)
			}
		}
	})
}

// A PIN of four digits is stored as a value that gives no PIN back; where the
// PIN itself is kept it goes over all the same, and is kept for the new number.
func TestRenewCard_takesAKeptPINOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		yes := true
		transfer := Renewal{Reason: RenewForLost, Replacement: Replacement{TransferPIN: &yes}}
		forgotten := w.plastic(t)
		const pin = "7392"
		if _, err := w.SetPIN(t.Context(), w.caller, forgotten.Card.Token, clearPIN(pin), false, ""); err != nil {
			t.Fatal(err)
		}
		_, err := w.RenewCard(t.Context(), w.caller, forgotten.Card.Token, transfer)
		wantCode(t, err, "renewal_not_allowed")

		p, err := w.programs.Product(t.Context(), w.caller, plasticProduct)
		if err != nil {
			t.Fatal(err)
		}
		p.PINDeliveries = append(p.PINDeliveries, program.PINBySMS)
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		old := w.plastic(t)
		if _, err := w.SetPIN(t.Context(), w.caller, old.Card.Token, clearPIN(pin), false, ""); err != nil {
			t.Fatal(err)
		}
		// Twice: what was kept for the second number goes over to a third.
		for range 2 {
			got := w.renewed(t, old.Card.Token, transfer)
			if old = got.New; old.Card.PINStatus != PINActive || old.Card.LastFour == got.Card.LastFour && old.Card.Token == got.Card.Token {
				t.Fatalf("the PIN is %s", old.Card.PINStatus)
			}
			for digits, want := range map[string]bool{"1357": false, pin: true} {
				tries, err := w.VerifyPIN(t.Context(), w.caller, old.Card.Token, clearPIN(digits))
				if err != nil || tries.IsValid != want {
					t.Errorf("%s: got %v, %v", digits, tries.IsValid, err)
				}
			}
		}
	})
}

func TestChangeStatus_replacesInOneTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		old := w.plastic(t)
		child := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: old.Issuance.No})
		out := w.changed(t, old.Card.Token, NewStatus{Status: Stolen, Reason: StolenReported, IssueReplacement: true})
		if out.NewCard == nil || out.NewCard.Card.Token == old.Card.Token || out.NewCard.Card.Status != Pending || out.Current.Status != Stolen {
			t.Fatalf("got %+v", out)
		}
		if s := w.shown(t, child.Card.Token).Card.Status; s != Active {
			t.Errorf("the supplementary card of a replaced card is %s", s)
		}
		if got := names(w.told(t, old.Issuance.No)); !slices.Equal(got[2:], []string{EventCardStatusChanged, EventCardCreated, EventCardReplaced}) {
			t.Errorf("told %v", got)
		}
		// A replacement that cannot be made leaves the card as it was.
		other := w.plastic(t)
		_, err := w.ChangeStatus(t.Context(), w.caller, other.Card.Token, NewStatus{
			Status: Lost, Reason: LostReported, IssueReplacement: true, Replacement: Replacement{PhysicalCode: "NONE"},
		})
		wantCode(t, err, "physical_not_allowed")
		if s := w.statusOf(t, other.Card.Token, 0); s != Active {
			t.Errorf("the card is %s", s)
		}
	})
}

func TestChangeStatus_endsTheRenewalOfANumberThatIsGone(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	for _, c := range []struct {
		status CardStatus
		want   CardStatus // of the plastic that waited
	}{{Lost, Cancelled}, {Fraud, Cancelled}, {Cancelled, Cancelled}, {Damaged, Pending}} {
		old := w.plastic(t)
		w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry})
		w.changed(t, old.Card.Token, NewStatus{Status: c.status, Reason: reasonFor(c.status)})
		if a, b := w.statusOf(t, old.Card.Token, 1), w.statusOf(t, old.Card.Token, 2); a != c.status || b != c.want {
			t.Errorf("%s: got %s and %s", c.status, a, b)
		}
	}
	// A new plastic that is lost on its way ends the renewal, not the card.
	old := w.plastic(t)
	w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry})
	w.changed(t, old.Card.Token, NewStatus{Sequence: 2, Status: Cancelled, Reason: ClientRequest})
	if got := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry}); got.Card.Status != Active || got.New.Card.Sequence != 3 {
		t.Errorf("got %s and %d", got.Card.Status, got.New.Card.Sequence)
	}
}
