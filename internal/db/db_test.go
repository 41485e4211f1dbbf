package db_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func scanInt(s db.Scanner) (n int, err error) { return n, s.Scan(&n) }

func createCounter(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE counter (id TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n BETWEEN 0 AND 1000000))")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func counter(t *testing.T, d *db.DB, id string) (n int, found bool) {
	t.Helper()
	err := d.View(t.Context(), func(tx db.Tx) (err error) {
		n, found, err = db.One(t.Context(), tx, scanInt, "SELECT n FROM counter WHERE id = $1", id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, found
}

func TestInTx_keepsNothingOfAFailedClosure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		boom := errors.New("boom")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO counter VALUES ($1, $2)", "a", 1); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("got %v, want the closure's error", err)
		}
		if _, found := counter(t, d, "a"); found {
			t.Error("the row of a failed transaction is there")
		}
	})
}

func TestInTx_keepsNothingAfterAPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		func() {
			defer func() { recover() }()
			d.InTx(t.Context(), func(tx db.Tx) error {
				tx.Exec(t.Context(), "INSERT INTO counter VALUES ($1, $2)", "a", 1)
				panic("broken invariant")
			})
		}()
		if _, found := counter(t, d, "a"); found {
			t.Error("the row of a panicked transaction is there")
		}
		// and the engine is usable: the connection was given back
		if err := d.InTx(t.Context(), func(db.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestInTx_concurrentConditionalUpdatesNeverPassTheLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		exec(t, d, "INSERT INTO counter VALUES ($1, $2)", "a", 33)
		var taken sync.Map
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				err := d.InTx(t.Context(), func(tx db.Tx) error {
					n, err := db.Affected(tx.Exec(t.Context(), "UPDATE counter SET n = n - 1 WHERE id = $1 AND n >= 1", "a"))
					if err == nil && n == 1 {
						taken.Store(i, true)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got := 0
		taken.Range(func(any, any) bool { got++; return true })
		if got != 33 {
			t.Errorf("got %d taken, want exactly 33", got)
		}
	})
}

func exec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestView_refusesToWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		err := d.View(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO counter VALUES ('a', 1)")
			return err
		})
		if err == nil {
			t.Error("a view wrote")
		}
	})
}

func TestInTx_joinsTheTransactionOfItsContext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		boom := errors.New("boom")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			ctx := db.WithTx(t.Context(), tx)
			err := d.InTx(ctx, func(tx db.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO counter VALUES ('a', 1)")
				return err
			})
			if err != nil {
				return err
			}
			err = d.View(ctx, func(tx db.Tx) error {
				_, found, err := db.One(ctx, tx, scanInt, "SELECT n FROM counter WHERE id = 'a'")
				if !found {
					t.Error("a joined view does not see the transaction's row")
				}
				return err
			})
			if err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if _, found := counter(t, d, "a"); found {
			t.Error("the inner transaction was committed")
		}
	})
}

func TestAfterCommit_runsOnceWhenTheOutermostTransactionIsCommitted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		var called []string
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			db.AfterCommit(tx, func() {
				if _, found := counter(t, d, "a"); !found {
					t.Error("called before the commit")
				}
				called = append(called, "outer")
			})
			err := d.InTx(db.WithTx(t.Context(), tx), func(tx db.Tx) error {
				db.AfterCommit(tx, func() { called = append(called, "inner") })
				_, err := tx.Exec(t.Context(), "INSERT INTO counter VALUES ('a', 1)")
				return err
			})
			if len(called) > 0 {
				t.Error("called when the inner transaction ended")
			}
			return err
		})
		if err != nil || !slices.Equal(called, []string{"outer", "inner"}) {
			t.Errorf("called %v, %v", called, err)
		}
		called = nil
		err = d.View(t.Context(), func(tx db.Tx) error {
			db.AfterCommit(tx, func() { called = append(called, "view") })
			return nil
		})
		if err != nil || !slices.Equal(called, []string{"view"}) {
			t.Errorf("called %v, %v", called, err)
		}
	})
}

func TestAfterCommit_isSilentWithoutACommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		boom, called := errors.New("boom"), 0
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			db.AfterCommit(tx, func() { called++ })
			return boom
		})
		if !errors.Is(err, boom) || called != 0 {
			t.Errorf("called %d times, %v", called, err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.InTx(t.Context(), func(tx db.Tx) error {
				db.AfterCommit(tx, func() { called++ })
				panic(boom)
			})
		}()
		if called != 0 {
			t.Errorf("called %d times after a panic", called)
		}
	})
}

func TestIsUnique_knowsPrimaryKeyAndIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		exec(t, d, "INSERT INTO counter VALUES ('a', 1)")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO counter VALUES ('a', 2)")
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("got %v, want a unique violation", err)
		}
	})
}

// Rows are locked in the order of Go, also where the database sorts texts as
// people do: two who lock some of them would wait for each other else.
func TestLookup_locksInTheOrderOfBytes(t *testing.T) {
	look := &db.Lookup{Head: "SELECT id FROM named WHERE id IN ", Tail: " ORDER BY id", Lock: true}
	want := []string{"cus_1/A-B", "cus_1/A1", "cus_1/B", "cus_1/_", "cus_1/a"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var got []string
		err := d.InTx(ctx, func(tx db.Tx) error {
			create := `CREATE TABLE named (id TEXT PRIMARY KEY)`
			if d.Engine() == db.Postgres {
				create = `CREATE TABLE named (id TEXT COLLATE "en-x-icu" PRIMARY KEY)`
			}
			for _, statement := range []string{create, `INSERT INTO named (id) VALUES ('cus_1/a'), ('cus_1/A1'), ('cus_1/B'), ('cus_1/_'), ('cus_1/A-B')`} {
				if _, err := tx.Exec(ctx, statement); err != nil {
					return err
				}
			}
			got = nil
			return look.Query(ctx, tx, nil, want, func(row db.Scanner) error {
				var id string
				err := row.Scan(&id)
				got = append(got, id)
				return err
			})
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("locked in the order %q (%v), want %q", got, err, want)
		}
	})
}

func TestBulk_writesAnyNumberOfRows(t *testing.T) {
	insert := &db.Bulk{Head: "INSERT INTO counter (id, n) VALUES ", Columns: 2}
	update := &db.Bulk{Head: "WITH v (id, n) AS (VALUES ", Columns: 2, Types: []string{"TEXT", "BIGINT"},
		Tail: ") UPDATE counter SET n = v.n FROM v WHERE counter.id = v.id"}
	claim := &db.Bulk{Head: "INSERT INTO counter (id, n) VALUES ", Columns: 2,
		Tail: " ON CONFLICT (id) DO NOTHING RETURNING id"}
	look := &db.Lookup{Head: "SELECT n FROM counter WHERE id IN ", Tail: " ORDER BY id", Lock: true}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		createCounter(t, d)
		for _, rows := range []int{0, 1, 2, 3, 255, 256, 257, 600} {
			var args []any
			var keys []string
			for i := range rows {
				k := fmt.Sprintf("k%04d", i)
				keys = append(keys, k)
				args = append(args, k, i)
			}
			ctx := t.Context()
			err := d.InTx(ctx, func(tx db.Tx) error {
				if _, err := tx.Exec(ctx, "DELETE FROM counter"); err != nil {
					return err
				}
				if err := insert.Exec(ctx, tx, args); err != nil {
					return err
				}
				for i := range rows {
					args[2*i+1] = i + 1000
				}
				if err := update.Exec(ctx, tx, args); err != nil {
					return err
				}
				claimed := 0
				more := append(args[:len(args):len(args)], "fresh", 7)
				if err := claim.Query(ctx, tx, more, func(db.Scanner) error { claimed++; return nil }); err != nil {
					return err
				}
				if claimed != 1 {
					t.Errorf("%d rows: got %d claimed, want only the fresh one", rows, claimed)
				}
				sum, want := 0, 0
				err := look.Query(ctx, tx, nil, keys, func(s db.Scanner) error {
					n, err := scanInt(s)
					sum += n
					return err
				})
				for i := range rows {
					want += i + 1000
				}
				if sum != want {
					t.Errorf("%d rows: got sum %d, want %d", rows, sum, want)
				}
				return err
			})
			if err != nil {
				t.Fatalf("%d rows: %v", rows, err)
			}
		}
	})
}

func TestWhere_numbersItsPlaceholders(t *testing.T) {
	var w db.Where
	if got := w.SQL(); got != "1 = 1" {
		t.Errorf("got %q for no condition", got)
	}
	w.And("a = ?", 1)
	w.And("(b < ? OR c > ?)", 2, 3)
	limit := w.Bind(10)
	if got, want := w.SQL()+" LIMIT "+limit, "a = $1 AND (b < $2 OR c > $3) LIMIT $4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOpen_neverQuotesAPasswordInAnError(t *testing.T) {
	_, err := db.Open(t.Context(), "postgres://u:topsecret@127.0.0.1:1/none?connect_timeout=1&sslmode=bogus", db.Options{})
	if err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v", err)
	}
}

// The schema of both engines must be the same tables with the same columns.
func TestMigrate_givesBothEnginesTheSameTables(t *testing.T) {
	columns := func(d *db.DB, query string) []string {
		var all []string
		err := d.View(t.Context(), func(tx db.Tx) (err error) {
			all, err = db.Collect(t.Context(), tx, func(s db.Scanner) (string, error) {
				var table, column, kind string
				var notNull bool
				err := s.Scan(&table, &column, &kind, &notNull)
				kind = strings.ToUpper(kind)
				return fmt.Sprintf("%s.%s %s notnull=%v", table, column, kind, notNull), err
			}, query)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		sort.Strings(all)
		return all
	}
	// A column of SQLite that numbers its rows is called INTEGER, and has 64 bits.
	lite := columns(dbtest.SQLite(t), `SELECT m.name, c.name, CASE WHEN c.type = 'INTEGER' AND c.pk = 1 THEN 'BIGINT' ELSE c.type END, c."notnull" = 1 FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`)
	post := columns(dbtest.Postgres(t), `SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`)
	if diff := cmp.Diff(lite, post); diff != "" {
		t.Errorf("sqlite and postgres differ (-sqlite +postgres):\n%s", diff)
	}
}

// db/schema.sql is the result of applying all migrations, so that the schema
// can be read in one place. Rewrite it with SARRAF_GOLDEN=update.
func TestMigrate_resultIsSchemaSQL(t *testing.T) {
	d := dbtest.SQLite(t)
	var parts []string
	err := d.View(t.Context(), func(tx db.Tx) (err error) {
		parts, err = db.Collect(t.Context(), tx, func(s db.Scanner) (string, error) {
			var text string
			return text, s.Scan(&text)
		}, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY rowid`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := "-- Generated from migrations/ by TestMigrate_resultIsSchemaSQL. Do not edit.\n\n" + strings.Join(parts, ";\n\n") + ";\n"
	if os.Getenv("SARRAF_GOLDEN") == "update" {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql is out of date (run with SARRAF_GOLDEN=update):\n%s", diff)
	}
}

func TestMigrate_again_doesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		applied, err := d.Migrate(t.Context())
		if err != nil || len(applied) != 0 {
			t.Errorf("got %v, %v; want nothing applied", applied, err)
		}
		at, newest, err := d.SchemaVersion(t.Context())
		if err != nil || at != newest || newest == 0 {
			t.Errorf("got version %d of %d, %v", at, newest, err)
		}
	})
}
