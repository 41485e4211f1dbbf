package customer

import (
	"bytes"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/list"
)

func TestNotes_lieSealedAndBelongToTheirRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		u := testCustomer("Ali", "Kaya", tckn("100000001"))
		u.No = "1"
		if _, err := h.Create(ctx, c, u); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"divorced in March", "moved to Izmir"} {
			if _, err := h.AddNote(ctx, c, Note{Subject: NoteOnCustomer, Key: "1", Text: text}); err != nil {
				t.Fatal(err)
			}
			h.time.Advance(time.Second)
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
		if _, _, err := h.Notes(ctx, c, NoteOnCustomer, "1", list.Page{Limit: 10}); err == nil {
			t.Error("a text moved to another row opens")
		}
	})
}
