package issuing

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// acts are what the caller's tenant has on record of a stream, oldest first.
func (w *cardWorld) acts(t *testing.T, c access.Caller, stream audit.Stream) []audit.Entry {
	t.Helper()
	now := w.clock.Now()
	s := audit.New(w.DB, nil, w.clock)
	list, _, err := s.List(t.Context(), c.Tenant.String(), audit.Filter{
		Stream: stream, From: now.Add(-24 * time.Hour), To: now.Add(time.Hour), Take: 1000, OldestFirst: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Verify(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Errorf("the chain is broken: %v, %v", r.Findings, err)
	}
	return list
}

func TestActs_onACardAreOnRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t).Card
		c := w.caller
		c.UserReference, c.IP, c.CorrelationID = "ops-7", "192.0.2.1", "corr-1"
		if _, err := w.SetPIN(t.Context(), c, card.Token, clearPIN("7391"), false, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.VerifyPIN(t.Context(), c, card.Token, clearPIN("7391")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.VerifyPIN(t.Context(), c, card.Token, wrongPIN()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ChangePIN(t.Context(), c, card.Token, clearPIN("7391"), clearPIN("8264")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ShowCVV2(t.Context(), c, card.Token, CVV2Request{Reason: "the app"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ChangeStatus(t.Context(), c, card.Token, NewStatus{Status: Inactive, Reason: CustomerRequest}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range w.acts(t, c, audit.CardStream) {
			if e.EntityKey != card.Token || e.CardID != card.ID.String() || e.IssuanceID != card.Issuance.String() {
				t.Errorf("%s: is of another card: %+v", e.Action, e)
			}
			if e.Action != "Create" && (e.User != "ops-7" || e.IP != "192.0.2.1" || e.CorrelationID != "corr-1") {
				t.Errorf("%s: got %+v; want who asked", e.Action, e)
			}
			for _, text := range []string{e.Description, e.ErrorCode, e.EntityKey} {
				if strings.Contains(text, "7391") || strings.Contains(text, "8264") {
					t.Errorf("%s: a PIN is on record", e.Action)
				}
			}
			got = append(got, e.Action+" "+string(e.Result))
		}
		want := []string{
			"Create Success", "PinSet Success", "PinVerify Failure", "PinChange Success", "Cvv2View Success", "StatusChange Success",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestActs_onDefinitionsSayWhatChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		before := w.acts(t, w.caller, audit.ProductStream)
		page, _, err := w.programs.Products(t.Context(), w.caller, program.ProductFilter{Page: list.Page{Limit: 10}})
		if err != nil || len(page) == 0 {
			t.Fatal(err)
		}
		p := page[0]
		was := p.Name
		p.Name, p.PINTryLimit = "Another", p.PINTryLimit+1
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p, ConcurrencyStamp: "stale"}); err == nil {
			t.Error("a stale update was taken")
		}
		after := w.acts(t, w.caller, audit.ProductStream)
		if len(after) != len(before)+1 {
			t.Fatalf("got %d acts more, want one", len(after)-len(before))
		}
		e := after[len(after)-1]
		if e.Action != "Update" || e.EntityType != "Product" || e.ProductCode != p.Code || len(e.Changes) != 2 ||
			e.Changes[0].Property != "name" || *e.Changes[0].Old != was || *e.Changes[0].New != "Another" ||
			e.Changes[1].Property != "pinTryLimit" {
			t.Errorf("got %+v", e)
		}
	})
}

// A parent that takes its children along and the children's own changes lock in
// one order, and each leaves its act.
func TestActs_ofParallelChangesFormOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		var cards []Card
		for range 4 {
			cards = append(cards, w.issue(t).Card)
		}
		var all sync.WaitGroup
		for _, card := range cards {
			all.Go(func() {
				for _, to := range []CardStatus{Inactive, Active, Inactive} {
					if _, err := w.ChangeStatus(t.Context(), w.caller, card.Token, NewStatus{Status: to, Reason: reasonFor(to)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if got := len(w.acts(t, w.caller, audit.CardStream)); got != 16 {
			t.Errorf("got %d acts, want 16", got)
		}
	})
}
