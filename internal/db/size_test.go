package db_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func TestSize_growsWithRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before, err := d.Size(t.Context())
		if err != nil || before <= 0 {
			t.Fatalf("got %d, %v", before, err)
		}
		err = d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `CREATE TABLE large (content TEXT NOT NULL)`)
			for i := 0; err == nil && i < 200; i++ {
				_, err = tx.Exec(t.Context(), `INSERT INTO large VALUES ($1)`, strings.Repeat("row ", 256))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if after, err := d.Size(t.Context()); err != nil || after < before+200*1024 {
			t.Errorf("%d before and %d after 200 kB, %v", before, after, err)
		}
	})
}

// Two schemas of one database know nothing of each other.
func TestMakeSchema_isADatabaseOfItsOwn(t *testing.T) {
	dsn := dbtest.PostgresDSN(t)
	isMigrated := func(inside string) (is bool) {
		t.Helper()
		err := dbtest.Open(t, inside, db.Options{}).View(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT to_regclass('card') IS NOT NULL`).Scan(&is)
		})
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	one, err := db.MakeSchema(t.Context(), dsn, "sarraf_one")
	if err != nil {
		t.Fatal(err)
	}
	two, err := db.MakeSchema(t.Context(), dsn, "sarraf_two")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dbtest.Open(t, one, db.Options{}).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isMigrated(one) || isMigrated(two) {
		t.Errorf("migrated: %v and %v", isMigrated(one), isMigrated(two))
	}
	if again, err := db.MakeSchema(t.Context(), dsn, "sarraf_one"); err != nil || again != one {
		t.Errorf("made again: %q, %v", again, err)
	}
	if err := db.DropSchema(t.Context(), dsn, "sarraf_one"); err != nil {
		t.Fatal(err)
	}
	if isMigrated(one) {
		t.Error("it was not dropped")
	}
	for _, bad := range []string{"sqlite:" + t.TempDir() + "/x.db", "postgres://user:secret@[", ""} {
		if _, err := db.MakeSchema(t.Context(), bad, "any"); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What was filled in haste is all there when it was closed, and the next who opens it
// waits for the disk again.
func TestOpen_inHasteKeepsWhatIsClosed(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			address := dsn(t)
			usual := settings(t, dbtest.Open(t, address, db.Options{}))
			hasty, err := db.Open(t.Context(), address, db.Options{Hasty: true})
			if err != nil {
				t.Fatal(err)
			}
			if s := settings(t, hasty); s["synchronous"] != "0" && s["synchronous_commit"] != "off" {
				t.Errorf("it waits for the disk: %v", s)
			}
			ctx := context.Background()
			err = hasty.InTx(ctx, func(tx db.Tx) error {
				_, err := tx.Exec(ctx, `CREATE TABLE kept (n BIGINT NOT NULL)`)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := hasty.Close(); err != nil {
				t.Fatal(err)
			}
			d := dbtest.Open(t, address, db.Options{})
			if s := settings(t, d); !maps.Equal(s, usual) || s["synchronous"] == "0" {
				t.Errorf("it is not as before: %v, %v", s, usual)
			}
			var n int
			err = d.View(ctx, func(tx db.Tx) error { return tx.QueryRow(ctx, `SELECT COUNT(*) FROM kept`).Scan(&n) })
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func settings(t *testing.T, d *db.DB) map[string]string {
	t.Helper()
	all, err := d.Durability(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{}
	for _, s := range all {
		of[s.Name] = s.Value
	}
	return of
}
