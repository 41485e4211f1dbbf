package authorization_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// slowly is a reader of drafts that is held up the first time.
type slowly struct {
	drafted
	meanwhile func()
}

func (s *slowly) ParseDraft(text string) (*control.Draft, error) {
	if f := s.meanwhile; f != nil {
		s.meanwhile = nil
		f()
	}
	return s.drafted.ParseDraft(text)
}

// A node that was held up longer than its lease has lost the replay to another one:
// it writes nothing into what that has found.
func TestReplayJobs_whoHasLostTheLeaseWritesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		begin := w.Clock.Now()
		c := w.NewCard("1000.00")
		for range 8 {
			ask(w, pay(w, c, 1000))
		}
		draft := draftOf(draftedLimit(dayLimit("DRAFT", 100_000, 5)))
		first, second := replayJobs(w, draft), replayJobs(w, draft)
		x, err := first.Ask(t.Context(), w.Caller, begin, w.Clock.Now().Add(time.Second), "a draft")
		if err != nil {
			t.Fatal(err)
		}
		look := func() (authorization.ReplayJob, int) {
			t.Helper()
			done, err := first.Show(t.Context(), w.Caller, x.ID)
			if err != nil {
				t.Fatal(err)
			}
			_, total, err := first.Differences(t.Context(), w.Caller, x.ID, list.Page{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			return done, total
		}
		first.Drafts = &slowly{drafted{draft}, func() {
			if n, err := second.Work(t.Context()); n != 0 || err != nil {
				t.Errorf("taken while it is leased: %d, %v", n, err)
			}
			w.Clock.Advance(2 * time.Minute)
			if n, err := second.Work(t.Context()); n != 1 || err != nil {
				t.Errorf("not taken once the lease has passed: %d, %v", n, err)
			}
			if done, total := look(); done.Status != authorization.ReplayCompleted || total != 3 {
				t.Errorf("the other one: %+v with %d differences", done, total)
			}
		}}
		if _, err := first.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done, total := look(); done.Status != authorization.ReplayCompleted || total != 3 || done.Done != 8 {
			t.Errorf("after the one that was late: %+v with %d differences", done, total)
		}
	})
}
