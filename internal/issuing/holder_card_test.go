package issuing

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
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

// When a successor comes into force, by the API or by its first use, what
// merchants keep of its predecessor becomes the successor and lasts as long.
func TestStoredCards_followAReissue(t *testing.T) {
	ways := map[string]func(t *testing.T, w *cardWorld, fresh Card){
		"activated": func(t *testing.T, w *cardWorld, fresh Card) {
			w.changed(t, fresh.Token, NewStatus{Status: Active, Reason: FirstActivation})
		},
		"used": func(t *testing.T, w *cardWorld, fresh Card) {
			err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
				states, err := LockCardStates(t.Context(), tx, []id.ID[Card]{fresh.ID})
				if err != nil {
					return err
				}
				s := states[fresh.ID]
				s.Status = Active
				_, err = SaveCardStates(t.Context(), tx, []CardState{s}, clock.RealNow(w.clock))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	}
	for way, activate := range ways {
		t.Run(way, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) { followsReissue(t, newCardWorld(t, d), activate) })
		})
	}
}

func followsReissue(t *testing.T, w *cardWorld, activate func(*testing.T, *cardWorld, Card)) {
	s := vault.NewStore(w.DB, w.HSM, w.clock)
	s.Issued = w
	old := w.plastic(t)
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
	activate(t, w, fresh)
	if k := list(); k.CardID != fresh.ID.String() || k.Year != fresh.Expires.Year || k.Month != int(fresh.Expires.Month) {
		t.Errorf("it is %q, to %d-%d, want %q, to %v", k.CardID, k.Year, k.Month, fresh.ID, fresh.Expires)
	}
}
