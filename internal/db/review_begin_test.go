package db_test

import (
	"context"
	"math/rand"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func TestReview_cancelledBeginLeavesTheWriterUsable(t *testing.T) {
	d := dbtest.SQLite(t)
	for range 20000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Intn(150))*time.Microsecond)
		_ = d.InTx(ctx, func(tx db.Tx) error { return nil })
		cancel()
		c2, cancel2 := context.WithTimeout(t.Context(), 5*time.Second)
		if err := d.InTx(c2, func(tx db.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		cancel2()
	}
}
