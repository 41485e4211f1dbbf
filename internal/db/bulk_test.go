package db_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// Whatever way rows go to the engine, each value comes back as it was: NULL, an empty
// text, bytes that are no text, both ends of a number.
func TestBulk_keepsEveryKindOfValue(t *testing.T) {
	insert := &db.Bulk{Head: "INSERT INTO kind (id, name, n, yes, content) VALUES ", Columns: 5}
	update := &db.Bulk{
		Head: "WITH v (id, name, n, yes, content) AS (VALUES ", Columns: 5, Types: []string{"TEXT", "TEXT", "BIGINT", "BOOLEAN", "BYTEA"},
		Tail: ") UPDATE kind SET name = v.name, n = v.n, yes = v.yes, content = v.content FROM v WHERE kind.id = v.id",
	}
	type kind string // as the domains have them
	values := func(i int) []any {
		switch i % 4 {
		case 0:
			return []any{nil, nil, nil, nil}
		case 1:
			return []any{kind(""), int64(-1 << 63), false, []byte{}}
		case 2:
			return []any{"şığ\t\\N\n\"", int64(1<<63 - 1), true, []byte{0, 0xff, '\n'}}
		}
		return []any{fmt.Sprint("row ", i), i, i%2 == 0, bytes.Repeat([]byte{byte(i)}, 5000)}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		exec(t, d, "CREATE TABLE kind (id TEXT NOT NULL PRIMARY KEY, name TEXT, n BIGINT, yes BOOLEAN, content BYTEA)")
		for _, rows := range []int{1, 2, 5, 300} {
			for shift, change := range []*db.Bulk{insert, update} {
				var args []any
				for i := range rows {
					args = append(append(args, fmt.Sprintf("%d/%d", rows, i)), values(i+shift)...)
				}
				if err := d.InTx(ctx, func(tx db.Tx) error { return change.Exec(ctx, tx, args) }); err != nil {
					t.Fatalf("%d rows: %v", rows, err)
				}
				for i := range rows {
					compareKind(ctx, t, d, fmt.Sprintf("%d/%d", rows, i), values(i+shift))
				}
			}
		}
	})
}

// compareKind lets the database compare a row with what was written.
func compareKind(ctx context.Context, t *testing.T, d *db.DB, id string, want []any) {
	t.Helper()
	err := d.View(ctx, func(tx db.Tx) error {
		for i, column := range []string{"name", "n", "yes", "content"} {
			query, args := "SELECT COUNT(*) FROM kind WHERE id = $1 AND "+column+" = $2", []any{id, want[i]}
			if want[i] == nil {
				query, args = "SELECT COUNT(*) FROM kind WHERE id = $1 AND "+column+" IS NULL", args[:1]
			}
			if n, _, err := db.One(ctx, tx, db.ScanCount, query, args...); err != nil || n != 1 {
				return fmt.Errorf("%s of %s is not %v: %w", column, id, want[i], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A row that is there already fails all, and is told as such, in whatever way rows go.
func TestBulk_tellsWhatIsThereAlready(t *testing.T) {
	insert := &db.Bulk{Head: "INSERT INTO counter (id, n) VALUES ", Columns: 2}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		for _, args := range [][]any{{"a", 1, "b", 2, "a", 3}, {"a", 1, "a", 2}} {
			err := d.InTx(t.Context(), func(tx db.Tx) error { return insert.Exec(t.Context(), tx, args) })
			if !db.IsUnique(err) {
				t.Errorf("got %v, want a unique violation", err)
			}
			if _, found := counter(t, d, "a"); found {
				t.Error("some of it was kept")
			}
		}
	})
}

// Who watches the statements is told of all rows.
func TestBulk_isTraced(t *testing.T) {
	insert := &db.Bulk{Head: "INSERT INTO counter (id, n) VALUES ", Columns: 2}
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			told := 0
			d := dbtest.Open(t, dsn(t), db.Options{Trace: func(_ string, args []any) { told += len(args) }})
			createCounter(t, d)
			err := d.InTx(t.Context(), func(tx db.Tx) error { return insert.Exec(t.Context(), tx, []any{"a", 1, "b", 2, "c", 3}) })
			if err != nil || told != 6 {
				t.Errorf("told of %d values, %v", told, err)
			}
		})
	}
}
