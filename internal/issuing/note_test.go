package issuing

import (
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

func TestNotes_areAddedAndReadNewestFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx, c := t.Context(), w.caller
		card := w.issue(t)
		_, other := w.newTenant(t, "Other", true)
		for subject, key := range map[customer.NoteSubject]string{customer.NoteOnCustomer: "1", customer.NoteOnCard: card.Card.Token} {
			var want []customer.Note
			for _, text := range []string{"first line\nsecond", "second", "third"} {
				by := c
				by.UserReference = "ayse"
				n, err := w.customers.AddNote(ctx, by, customer.Note{Subject: subject, Key: key, Text: text, Category: "Call", IsPinned: text == "second"})
				if err != nil || n.Author != "ayse" {
					t.Fatalf("add: %v (author %q)", err, n.Author)
				}
				want = append([]customer.Note{n}, want...)
				w.clock.Advance(time.Second)
			}
			got, total, err := w.customers.Notes(ctx, c, subject, key, list.Page{Limit: 10})
			if err != nil || total != 3 {
				t.Fatalf("got %d notes (%v)", total, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, _, err := w.customers.Notes(ctx, c, subject, key, list.Page{Skip: 2, Limit: 2}); err != nil || len(got) != 1 || got[0].ID != want[2].ID {
				t.Errorf("last page: %v (%v)", got, err)
			}
			missing := map[customer.NoteSubject]fault.Code{customer.NoteOnCustomer: "customer_not_found", customer.NoteOnCard: "card_not_found"}[subject]
			_, err = w.customers.AddNote(ctx, other, customer.Note{Subject: subject, Key: key, Text: "mine"})
			wantCode(t, err, missing)
			_, _, err = w.customers.Notes(ctx, other, subject, key, list.Page{Limit: 10})
			wantCode(t, err, missing)
			_, err = w.customers.AddNote(ctx, c, customer.Note{Subject: subject, Key: "nobody\x00", Text: "x"})
			wantCode(t, err, missing)
			_, err = w.customers.AddNote(ctx, c, customer.Note{Subject: subject, Key: key, Text: " \n "})
			wantCode(t, err, "validation_error")
		}
		if u, err := w.customers.Customer(ctx, c, "1"); err != nil || u.NoteCount != 3 {
			t.Errorf("the customer has %d notes (%v), want 3", u.NoteCount, err)
		}
	})
}
