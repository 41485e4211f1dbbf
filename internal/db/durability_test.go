package db_test

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func TestDurability_saysThatCommitsSurvive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		all, err := d.Durability(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, s := range all {
			got[s.Name] = s.Value
		}
		if d.Engine() == db.SQLite && (got["journal_mode"] != "wal" || got["synchronous"] == "0" || got["synchronous"] == "") {
			t.Errorf("got %v", got)
		}
		if d.Engine() == db.Postgres && (got["fsync"] == "" || got["synchronous_commit"] == "") {
			t.Errorf("got %v", got)
		}
	})
}

func TestVersion_namesTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		want := map[db.Engine]string{db.SQLite: "SQLite 3.", db.Postgres: "PostgreSQL "}[d.Engine()]
		if got, err := d.Version(t.Context()); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("got %q %v", got, err)
		}
	})
}
