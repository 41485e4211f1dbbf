package personalization

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// The database commits that the cards of a file are sent, and its answer is lost:
// the file must be there when the batch is delivered.
func TestRun_keepsAFileWhoseCommitMayHaveHappened(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN} {
		t.Run(name, func(t *testing.T) {
			var lose atomic.Bool
			w := newWorld(t, dbtest.Open(t, dsn(t), db.Options{AfterCommit: func() error {
				if lose.Swap(false) {
					return errors.New("connection reset")
				}
				return nil
			}}))
			w.share()
			token := w.order().Token
			w.shelf.after = func() { lose.Store(true) }
			if _, err := w.Run(t.Context()); !errors.Is(err, db.ErrOutcomeUnknown) {
				t.Fatalf("got %v, want an unknown outcome", err)
			}
			w.shelf.after = nil
			w.run()
			if n := w.shelf.cardsIn()[token]; n != 1 {
				t.Errorf("the card is in %d delivered files", n)
			}
		})
	}
}
