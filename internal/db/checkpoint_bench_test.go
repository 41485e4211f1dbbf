package db

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What commits take while the log comes into the file: by the writer itself, at a
// quarter of the length and at the same, and beside it. Each changes eight rows of
// 4 kB of the many that there are. A thousand commits or more tell something:
//
//	go test -run xxx -bench Commit -benchtime 20000x ./internal/db
func BenchmarkCommit_whileTheLogComesIntoTheFile(b *testing.B) {
	const rows, changed = 40_000, 8
	for _, by := range []struct {
		name  string
		pages int // at which the writer does it; 0 leaves it to the checkpointer
	}{{"writer at 16 MB", 4000}, {"writer at 64 MB", checkpointPages}, {"beside", 0}} {
		b.Run(by.name, func(b *testing.B) {
			d := openTest(b)
			p := d.pools.(*sqlitePools)
			exec := func(tx Tx, query string, args ...any) {
				if _, err := tx.Exec(b.Context(), query, args...); err != nil {
					b.Fatal(err)
				}
			}
			commit := func(f func(tx Tx)) {
				b.Helper()
				err := d.InTx(b.Context(), func(tx Tx) error {
					f(tx)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			commit(func(tx Tx) {
				exec(tx, "CREATE TABLE n (id INTEGER PRIMARY KEY, v BLOB)")
				for i := range rows {
					exec(tx, "INSERT INTO n (id, v) VALUES ($1, zeroblob(4000))", i)
				}
			})
			if by.pages > 0 {
				restart(b, d, math.MaxInt, slog.New(slog.DiscardHandler))
				w, err := p.write.take(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				_, err = w.conn.ExecContext(b.Context(), fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", by.pages))
				p.write.free <- w
				if err != nil {
					b.Fatal(err)
				}
			}
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				commit(func(tx Tx) {
					for range changed {
						exec(tx, "UPDATE n SET v = randomblob(4000) WHERE id = $1", rand.IntN(rows))
					}
				})
				took = append(took, time.Since(begun))
				time.Sleep(time.Millisecond)
			}
			slices.Sort(took)
			for _, q := range []struct {
				unit string
				at   float64
			}{{"p50-ms", 0.5}, {"p99-ms", 0.99}, {"p999-ms", 0.999}, {"max-ms", 1}} {
				b.ReportMetric(took[int(q.at*float64(len(took)-1))].Seconds()*1000, q.unit)
			}
		})
	}
}
