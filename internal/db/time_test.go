package db_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// A time that is none, and one that is, come back as they were written.
func TestIntoTime_readsBackWhatMicrosOrNullWrote(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, want := range []time.Time{{}, time.Date(2026, 3, 31, 9, 0, 0, 123_000, time.UTC), time.Unix(0, 0).UTC()} {
			got := time.Unix(1, 0)
			err := d.View(t.Context(), func(tx db.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT CAST($1 AS BIGINT)", db.MicrosOrNull(want)).Scan(db.IntoTime(&got))
			})
			if err != nil || !got.Equal(want) || got.IsZero() != want.IsZero() {
				t.Errorf("%s came back as %s (%v)", want, got, err)
			}
		}
	})
}

func TestInTxs_goesOnUntilNothingIsDone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		left := []int64{3, 2, 0, 9}
		total, err := d.InTxs(t.Context(), func(db.Tx) (n int64, err error) {
			n, left = left[0], left[1:]
			return n, nil
		})
		if err != nil || total != 5 || len(left) != 1 {
			t.Errorf("did %d, %v", total, err)
		}
	})
}
