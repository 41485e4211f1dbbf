package issuing

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// kept stores a card by BIN, last digits and holder, and returns what became of
// it.
func (w *cardWorld) kept(t testing.TB, s *vault.Store, c access.Caller, card Card, bin, identity string) vault.Kept {
	t.Helper()
	k, err := s.Save(t.Context(), c, vault.NewStoredCard{
		Owner: vault.Owner{Scope: vault.Insurance, Relational: vault.Relational{"1"}}, Nickname: "card", Holder: "Ayşe Yılmaz",
		BIN: bin, LastFour: card.LastFour, Identity: secret.FromString(identity), Month: 12, Year: 2026,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A stored card is one of ours where BIN, last digits and holder say so, all of
// them, and in one tenant.
func TestCardOfHolder_isFoundByAllThree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		s := vault.NewStore(d, w.HSM, w.clock)
		s.Issued = w
		_, stranger := w.newTenant(t, "Other", true)
		w.addCustomer(t, w.caller, "2", "17654932298")
		made := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct})
		number := w.numberOf(t, made.Card)
		for _, bin := range []string{number.Prefix(6), number.Prefix(8)} {
			if k := w.kept(t, s, w.caller, made.Card, bin, "10000000146"); k.CardID != made.Card.ID.String() {
				t.Errorf("BIN %s: it is %q, want %q", bin, k.CardID, made.Card.ID)
			}
		}
		for name, k := range map[string]vault.Kept{
			"another holder": w.kept(t, s, w.caller, made.Card, number.Prefix(8), "17654932298"),
			"another BIN":    w.kept(t, s, w.caller, made.Card, "41197901", "10000000146"),
			"another tenant": w.kept(t, s, stranger, made.Card, number.Prefix(8), "10000000146"),
		} {
			if k.CardID != "" {
				t.Errorf("%s: it is %q", name, k.CardID)
			}
		}
		w.changed(t, made.Card.Token, NewStatus{Status: Cancelled, Reason: CustomerRequest})
		if k := w.kept(t, s, w.caller, made.Card, number.Prefix(8), "10000000146"); k.CardID != "" {
			t.Errorf("a card that is closed: it is %q", k.CardID)
		}
	})
}

// When a successor comes into force, what merchants keep of its predecessor
// becomes the successor and lasts as long.
func TestStoredCards_followAReissue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		s := vault.NewStore(d, w.HSM, w.clock)
		s.Issued = w
		old := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: plasticProduct, DeliveryTo: customer.HomeAddress})
		w.changed(t, old.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		w.kept(t, s, w.caller, old.Card, "979206", "10000000146")
		fresh := w.renewed(t, old.Card.Token, Renewal{Reason: RenewForExpiry}).New.Card
		list := func() vault.Kept {
			t.Helper()
			all, err := s.Cards(t.Context(), w.caller, vault.Owner{Scope: vault.Insurance, Relational: vault.Relational{"1"}})
			if err != nil || len(all) != 1 {
				t.Fatalf("%d cards, %v", len(all), err)
			}
			return all[0]
		}
		if k := list(); k.CardID != old.Card.ID.String() || k.Year != 2026 {
			t.Errorf("while the successor waits it is %q, to %d", k.CardID, k.Year)
		}
		w.changed(t, old.Card.Token, NewStatus{Status: Active, Reason: FirstActivation})
		if k := list(); k.CardID != fresh.ID.String() || k.Year != fresh.Expires.Year || k.Month != int(fresh.Expires.Month) {
			t.Errorf("it is %q, to %d-%d, want %q, to %v", k.CardID, k.Year, k.Month, fresh.ID, fresh.Expires)
		}
	})
}
