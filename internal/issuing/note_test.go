package issuing

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func TestNotes_areAddedAndReadNewestFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx, c := t.Context(), w.caller
		card := w.issue(t)
		_, other := w.newTenant(t, "Other", true)
		for subject, key := range map[NoteSubject]string{NoteOnCustomer: "1", NoteOnCard: card.Card.Token} {
			var want []Note
			for _, text := range []string{"first line\nsecond", "second", "third"} {
				by := c
				by.UserReference = "ayse"
				n, err := w.AddNote(ctx, by, Note{Subject: subject, Key: key, Text: text, Category: "Call", IsPinned: text == "second"})
				if err != nil || n.Author != "ayse" {
					t.Fatalf("add: %v (author %q)", err, n.Author)
				}
				want = append([]Note{n}, want...)
				w.clock.Advance(time.Second)
			}
			got, total, err := w.Notes(ctx, c, subject, key, Page{Limit: 10})
			if err != nil || total != 3 {
				t.Fatalf("got %d notes (%v)", total, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, _, err := w.Notes(ctx, c, subject, key, Page{Skip: 2, Limit: 2}); err != nil || len(got) != 1 || got[0].ID != want[2].ID {
				t.Errorf("last page: %v (%v)", got, err)
			}
			missing := map[NoteSubject]fault.Code{NoteOnCustomer: "customer_not_found", NoteOnCard: "card_not_found"}[subject]
			_, err = w.AddNote(ctx, other, Note{Subject: subject, Key: key, Text: "mine"})
			wantFault(t, err, missing)
			_, _, err = w.Notes(ctx, other, subject, key, Page{Limit: 10})
			wantFault(t, err, missing)
			_, err = w.AddNote(ctx, c, Note{Subject: subject, Key: "nobody\x00", Text: "x"})
			wantFault(t, err, missing)
			_, err = w.AddNote(ctx, c, Note{Subject: subject, Key: key, Text: " \n "})
			wantFault(t, err, "validation_error")
		}
		if u, err := w.Customer(ctx, c, "1"); err != nil || u.NoteCount != 3 {
			t.Errorf("the customer has %d notes (%v), want 3", u.NoteCount, err)
		}
	})
}

func TestNotes_lieSealedAndBelongToTheirRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		ctx, c := t.Context(), w.caller
		for _, text := range []string{"divorced in March", "moved to Izmir"} {
			if _, err := w.AddNote(ctx, c, Note{Subject: NoteOnCustomer, Key: "1", Text: text}); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Second)
		}
		var rows []noteRow
		err := d.InTx(ctx, func(tx db.Tx) (err error) {
			if rows, err = db.Collect(ctx, tx, scanNote, `SELECT `+noteColumns+` FROM user_note ORDER BY created_at`); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE user_note SET note = $1 WHERE id = $2`, rows[0].sealed, rows[1].ID)
			return err
		})
		if err != nil || len(rows) != 2 || bytes.Contains(rows[0].sealed, []byte("divorced")) {
			t.Fatalf("%d rows, or one in clear (%v)", len(rows), err)
		}
		if _, _, err := w.Notes(ctx, c, NoteOnCustomer, "1", Page{Limit: 10}); err == nil {
			t.Error("a text moved to another row opens")
		}
	})
}
