package authorization_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// drafted reads every draft as the same one.
type drafted struct{ *control.Draft }

func (d drafted) ParseDraft(string) (*control.Draft, error) { return d.Draft, nil }

func replayJobs(w *authorizationtest.World, draft *control.Draft) *authorization.ReplayJobs {
	return &authorization.ReplayJobs{Replays: replays(w), Clock: w.Clock, Drafts: drafted{draft}}
}

// A job finds what a replay finds, on both engines, and keeps it in its order.
func TestReplayJobs_keepWhatAReplayFinds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		c := w.NewCard("1000.00")
		begin := w.Clock.Now()
		for range 25 {
			ask(w, pay(w, c, 1000))
		}
		draft := draftOf(draftedLimit(dayLimit("DRAFT", 100_000, 5)))
		jobs := replayJobs(w, draft)
		asked, err := jobs.Ask(t.Context(), w.Caller, begin, w.Clock.Now().Add(time.Second), "a draft")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := jobs.Work(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d are run, %v", n, err)
		}
		done, err := jobs.Show(t.Context(), w.Caller, asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		totals, all := replayAll(t, w, begin, draft)
		if done.Status != authorization.ReplayCompleted || done.Totals.String() != totals.String() || done.Done != 25 || done.All != 25 {
			t.Errorf("%+v, not %+v", done, totals)
		}
		page, total, err := jobs.Differences(t.Context(), w.Caller, asked.ID, list.Page{Limit: 100})
		if err != nil || total != 20 || len(page) != len(all) {
			t.Fatalf("%d of %d differences, %v", len(page), total, err)
		}
		for i := range page {
			if page[i].String() != all[i].String() {
				t.Errorf("difference %d: %s, not %s", i, page[i].String(), all[i].String())
			}
		}
	})
}

// Of many that are asked for at once a tenant has three, also where those who ask
// are on several nodes.
func TestReplayJobs_keepTheirLimitExactly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		jobs := replayJobs(w, nil)
		for round := range 20 {
			var kept, refused atomic.Int64
			var all sync.WaitGroup
			start := make(chan struct{})
			for range 12 {
				all.Go(func() {
					<-start
					_, err := jobs.Ask(t.Context(), w.Caller, w.Clock.Now(), w.Clock.Now().Add(time.Hour), "")
					f, isRefusal := fault.AsRefusal(err)
					switch {
					case err == nil:
						kept.Add(1)
					case isRefusal && f.Code == "replay_limit_exceeded":
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if kept.Load() != 3 || refused.Load() != 9 {
				t.Fatalf("round %d: %d are kept, %d refused", round, kept.Load(), refused.Load())
			}
			for range 3 {
				if n, err := jobs.Work(t.Context()); n != 1 || err != nil {
					t.Fatalf("%d are run, %v", n, err)
				}
			}
		}
	})
}

// Old results are deleted in small steps, none of which holds locks or grows the
// journal for long; so are those of a run that broke off.
func TestReplayJobs_deleteInSmallSteps(t *testing.T) {
	dsns := map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteDSN, "postgres": dbtest.PostgresDSN}
	for engine, dsn := range dsns {
		t.Run(engine, func(t *testing.T) {
			var d *db.DB
			var left, most int64
			var watches bool
			watch := func() error {
				if !watches {
					return nil
				}
				n := differencesLeft(t, d)
				most, left = max(most, left-n), n
				return nil
			}
			d = dbtest.Open(t, dsn(t), db.Options{AfterCommit: watch})
			w := authorizationtest.New(t, d)
			jobs := replayJobs(w, nil)
			for range 3 {
				x, err := jobs.Ask(t.Context(), w.Caller, w.Clock.Now(), w.Clock.Now().Add(time.Hour), "")
				if err != nil {
					t.Fatal(err)
				}
				if err := d.InTx(t.Context(), func(tx db.Tx) error {
					_, err := tx.Exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
						INSERT INTO replay_difference (replay_id, position, content) SELECT $1, i, '' FROM n`, x.ID)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			left, watches = differencesLeft(t, d), true
			if n, err := jobs.Work(t.Context()); n != 1 || err != nil { // what was there is of a run that broke off
				t.Fatalf("%d are run, %v", n, err)
			}
			if left != 8000 || most > 1000 {
				t.Errorf("%d are left of 12000, at most %d are deleted at once", left, most)
			}
			w.Clock.Advance(8 * 24 * time.Hour)
			if n, err := jobs.Sweep(t.Context()); n == 0 || err != nil {
				t.Errorf("%d are deleted, %v", n, err)
			}
			if left != 0 || most > 1000 {
				t.Errorf("%d are left, at most %d are deleted at once", left, most)
			}
			watches = false
			if _, err := jobs.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			var jobsLeft int
			if err := d.View(t.Context(), func(tx db.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT count(*) FROM replay").Scan(&jobsLeft)
			}); err != nil || jobsLeft != 0 {
				t.Errorf("%d replays are left, %v", jobsLeft, err)
			}
		})
	}
}

func differencesLeft(t *testing.T, d *db.DB) (n int64) {
	t.Helper()
	if err := d.View(t.Context(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM replay_difference").Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// One that breaks off again and again has failed, and says so.
func TestReplayJobs_oneThatBreaksOffIsBegunAnewAndFailsInTheEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := authorizationtest.New(t, d)
		begin := w.Clock.Now()
		ask(w, pay(w, w.NewCard("100.00"), 1000))
		jobs := replayJobs(w, nil)
		x, err := jobs.Ask(t.Context(), w.Caller, begin, w.Clock.Now().Add(time.Second), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE decision SET record = $1`, authorization.Packed("version=x"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for attempt := range 3 {
			_, err := jobs.Work(t.Context())
			if err == nil || !strings.Contains(err.Error(), "not known") {
				t.Fatalf("attempt %d: %v", attempt, err)
			}
			if n, err := jobs.Work(t.Context()); n != 0 || err != nil {
				t.Errorf("attempt %d: taken again while it is leased: %d, %v", attempt, n, err)
			}
			w.Clock.Advance(2 * time.Minute)
		}
		if done, err := jobs.Show(t.Context(), w.Caller, x.ID); err != nil || done.Status != authorization.ReplayFailed || done.FinishedAt.IsZero() {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
