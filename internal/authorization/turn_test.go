package authorization_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// One at a time has the turn of a transaction, those of others are free; who died
// with it is waited for until it is over.
func TestTurns_oneAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		nodes := []*authorization.Turns{{DB: d, Clock: w.Clock}, {DB: d, Clock: w.Clock}}
		about := id.New[authorization.Transaction](w.Clock.Now())
		var inside atomic.Int32
		ended := make(chan error, 8)
		for i := range cap(ended) {
			go func() {
				_, end, err := nodes[i%2].Take(t.Context(), w.Caller, about)
				if err == nil {
					if inside.Add(1) != 1 {
						err = errors.New("two have the turn")
					}
					inside.Add(-1)
					end()
				}
				ended <- err
			}()
		}
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}

		if _, _, err := nodes[0].Take(t.Context(), w.Caller, about); err != nil { // and dies
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		if _, _, err := nodes[1].Take(ctx, w.Caller, about); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beside one who has it: %v", err)
		}
		_, end, err := nodes[1].Take(t.Context(), w.Caller, id.New[authorization.Transaction](w.Clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		end()
		w.Clock.Advance(61 * time.Second)
		_, end, err = nodes[1].Take(t.Context(), w.Caller, about)
		if err != nil {
			t.Fatal(err)
		}
		end()
	})
}
