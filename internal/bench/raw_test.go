package bench

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// content is how many rows each table holds, and of how many bytes.
func content(t *testing.T, dsn string) map[string][2]int64 {
	t.Helper()
	driver, tables := "pgx", `SELECT table_name, string_agg('COALESCE(LENGTH(CAST(' || column_name || ' AS TEXT)), 0)', '+')
		FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY table_name`
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, dsn = "sqlite", path
		tables = `SELECT m.name, group_concat('COALESCE(LENGTH(CAST(' || c.name || ' AS TEXT)), 0)', '+')
			FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' GROUP BY m.name`
	}
	handle, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	width := map[string]string{}
	rows, err := handle.Query(tables)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, bytes string
		if err := rows.Scan(&table, &bytes); err != nil {
			t.Fatal(err)
		}
		width[table] = bytes
	}
	all := map[string][2]int64{}
	for table, bytes := range width {
		var held [2]int64
		if err := handle.QueryRow(fmt.Sprintf("SELECT COUNT(*), COALESCE(SUM(%s), 0) FROM %s", bytes, table)).Scan(&held[0], &held[1]); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		all[table] = held
	}
	return all
}

// What the raw program writes is what the platform writes: a recorded group adds as
// many rows of as many bytes to the same tables, when the platform commits it and when
// it is written again, and again.
func TestRaw_writesWhatThePlatformWrites(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			c := configFor(t, dsn(t)).Config
			p, stop, err := startAs(t.Context(), c, slog.New(slog.DiscardHandler), func() error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			const cards = 12
			w, err := newWorld(t.Context(), p, AuthorizeOptions{Connections: 4, Cards: cards, Controls: true})
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			if err := w.useEach(t.Context()); err != nil {
				t.Fatal(err)
			}
			r, k, err := startRecording(t.Context(), p, w)
			if err != nil {
				t.Fatal(err)
			}
			before := content(t, c.DB)
			finish := p.DB.Record(k.keep)
			if err := w.useEach(t.Context()); err != nil {
				t.Fatal(err)
			}
			finish()
			recorded := content(t, c.DB)
			r.groups, r.requests = k.groups()
			if r.requests != cards || len(r.groups) == 0 {
				t.Fatalf("%d requests in %d groups were recorded, and %d cards were used", r.requests, len(r.groups), cards)
			}
			r.db = p.DB
			for pass := range 3 {
				time.Sleep(2 * time.Millisecond) // another time
				for range r.groups {
					if _, err := r.write(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				again := content(t, c.DB)
				for table, held := range recorded {
					if strings.HasPrefix(table, "outbox") || table == "notification" {
						continue // what the background works on meanwhile
					}
					rows, width := held[0]-before[table][0], held[1]-before[table][1]
					gotRows, gotWidth := again[table][0]-held[0], again[table][1]-held[1]
					if gotRows != rows {
						t.Errorf("pass %d: %d rows came into %s, and %d under the platform", pass, gotRows, table, rows)
					}
					// Numbers of rows that are there may need another digit.
					if few := int64(cards * 8); gotWidth != width && (rows > 0 || gotWidth > few || width > few) {
						t.Errorf("pass %d: %d bytes came into %s, and %d under the platform", pass, gotWidth, table, width)
					}
				}
				before, recorded = recorded, again
			}
			if recorded["card_transaction"][0] != 5*cards || r.pass != 3 {
				t.Errorf("%d transactions after %d passes", recorded["card_transaction"][0], r.pass)
			}
		})
	}
}
