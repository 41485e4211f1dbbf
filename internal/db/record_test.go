package db_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// What is recorded are the statements of what was committed, in their order, with
// copies of their arguments; and run again, they do the same.
func TestRecord_keepsWhatWasCommitted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, "CREATE TABLE kept (name TEXT, content BYTEA, n BIGINT)")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var all [][]db.Statement
		stop := d.Record(func(s []db.Statement) { all = append(all, s) })
		type named string
		content := []byte("first")
		runs := 0
		work := func(tx db.Tx) error {
			if runs++; runs == 1 {
				if _, err := tx.Exec(ctx, "INSERT INTO kept (name, n) VALUES ($1, $2)", "of a run that was in vain", 0); err != nil {
					return err
				}
				return db.Again(tx)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO kept (name, content, n) VALUES ($1, $2, $3)", named("a"), content, 7); err != nil {
				return err
			}
			copy(content, "other") // it is the caller's again
			var n int64
			if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM kept").Scan(&n); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "UPDATE kept SET n = n + 1 WHERE name = $1 RETURNING n", "a").Scan(&n)
		}
		if err := d.InTx(ctx, work); err != nil {
			t.Fatal(err)
		}
		undone := errors.New("undone")
		if err := d.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM kept")
			return errors.Join(err, undone)
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		if err := d.View(ctx, func(tx db.Tx) error {
			return tx.QueryRow(ctx, "SELECT COUNT(*) FROM kept").Scan(&runs)
		}); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := d.InTx(ctx, func(db.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || len(all[0]) != 3 {
			t.Fatalf("got %+v", all)
		}
		insert, count, update := all[0][0], all[0][1], all[0][2]
		if insert.Rows != 1 || !reflect.DeepEqual(insert.Args, []any{"a", []byte("first"), int64(7)}) {
			t.Errorf("got %+v", insert)
		}
		if !insert.Writes() || count.Writes() || !update.Writes() {
			t.Error("what writes is not told from what reads")
		}
		// Again, with another name.
		if err := d.InTx(ctx, func(tx db.Tx) error {
			if rows, err := insert.Run(ctx, tx, []any{"b", insert.Args[1], insert.Args[2]}); rows != 1 || err != nil {
				t.Errorf("inserted %d rows, %v", rows, err)
			}
			rows, err := update.Run(ctx, tx, []any{"b"})
			if rows != 1 {
				t.Errorf("returned %d rows", rows)
			}
			if err != nil {
				return err
			}
			var n int64
			var held []byte
			err = tx.QueryRow(ctx, "SELECT n, content FROM kept WHERE name = 'b'").Scan(&n, &held)
			if n != 8 || !bytes.Equal(held, []byte("first")) {
				t.Errorf("got %d and %q", n, held)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStatement_writes(t *testing.T) {
	for text, want := range map[string]bool{
		"INSERT INTO a VALUES ($1)": true,
		"\n\tUPDATE a SET b = $1":   true,
		"DELETE FROM a":             true,
		"WITH v (id) AS (VALUES ($1)) UPDATE a SET b = 1 FROM v":                    true,
		"WITH v (id) AS (VALUES ($1)) SELECT b FROM a JOIN v ON true":               false,
		"WITH v AS (SELECT 1) SELECT b FROM a ORDER BY b FOR UPDATE":                false,
		"SELECT b FROM a FOR UPDATE":                                                false,
		"SET LOCAL lock_timeout = 250":                                              false,
		"WITH v AS (SELECT 1) INSERT INTO a SELECT * FROM v ON CONFLICT DO NOTHING": true,
	} {
		if got := (db.Statement{Text: text}).Writes(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
