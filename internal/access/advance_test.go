package access

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// businessTime is what the tenant has by the database.
func businessTime(t testing.TB, s *Service, tenant TenantID) time.Time {
	t.Helper()
	at, err := s.TenantByID(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return at.Now(s.Clock)
}

func TestAdvance_goesForwardOnly(t *testing.T) {
	d := dbtest.SQLite(t)
	c := clock.NewFake(start)
	s := New(d, seal{}, c)
	tenant, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Acme", Sandbox: true})
	if err != nil {
		t.Fatal(err)
	}
	who := System(tenant)
	var asked time.Time // last
	rapid.Check(t, func(r *rapid.T) {
		before := businessTime(t, s, tenant.ID)
		c.Advance(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(r, "passes")).Truncate(time.Microsecond))
		wish := AdvanceWish{Days: rapid.IntRange(-2, 40).Draw(r, "days")}
		switch rapid.IntRange(0, 2).Draw(r, "by") {
		case 1:
			wish = AdvanceWish{On: clock.DateOf(before, tenant.Zone).AddDays(wish.Days)}
		case 2:
			wish = AdvanceWish{At: before.Add(time.Duration(wish.Days) * 7 * time.Hour)}
		}
		move, err := s.BeginAdvance(t.Context(), who, wish)
		if err != nil {
			if codeOf(err) != CodeInvalid {
				r.Fatal(err)
			}
			if now := businessTime(t, s, tenant.ID); now.Before(before) {
				r.Fatalf("refused, and went from %s to %s", before, now)
			}
			return
		}
		if !move.To.After(move.From) && !move.To.Equal(asked) {
			r.Fatalf("%+v goes from %s to %s", wish, move.From, move.To)
		}
		asked = move.To
		for range rapid.IntRange(1, 3).Draw(r, "steps") {
			to := move.From.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), max(0, int64(move.To.Sub(move.From)))).Draw(r, "step")))
			if err := s.StepAdvance(t.Context(), &move, to); err != nil {
				r.Fatal(err)
			}
			now := businessTime(t, s, tenant.ID)
			if now.Before(before) || now.Before(to.Truncate(time.Microsecond)) || now.Before(c.Now()) {
				r.Fatalf("a step to %s from %s ends at %s", to, before, now)
			}
			before = now
		}
		if err := s.EndAdvance(t.Context(), who, move); err != nil {
			r.Fatal(err)
		}
	})
}

func TestAdvance_oneAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		who := System(tenant)
		first, err := s.BeginAdvance(t.Context(), who, AdvanceWish{Days: 10})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginAdvance(t.Context(), who, AdvanceWish{Days: 1}); codeOf(err) != CodeAdvancing {
			t.Fatalf("beside another: %v", err)
		}
		c.Advance(advanceLease + time.Second) // the first one has ended without saying so
		second, err := s.BeginAdvance(t.Context(), who, AdvanceWish{Days: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.StepAdvance(t.Context(), &first, first.To); codeOf(err) != CodeAdvancing {
			t.Errorf("the first one, after its time: %v", err)
		}
		if err := s.EndAdvance(t.Context(), who, first); err != nil {
			t.Errorf("the end of the first one: %v", err)
		}
		if err := s.StepAdvance(t.Context(), &second, second.To); err != nil {
			t.Errorf("the second one: %v", err)
		}
		if got := businessTime(t, s, tenant.ID); !got.Equal(second.To) {
			t.Errorf("it is %s, want %s", got, second.To)
		}
		if err := s.EndAdvance(t.Context(), who, second); err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginAdvance(t.Context(), who, AdvanceWish{Days: 1}); err != nil {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestAdvance_notInProduction(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, _ Credentials) {
		live, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Live"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginAdvance(t.Context(), System(live), AdvanceWish{Days: 1}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v", err)
		}
		err = s.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE tenant SET ahead = 1 WHERE id = $1`, live.ID)
			return err
		})
		if err == nil {
			t.Error("a production tenant came to be ahead")
		}
	})
}

// A pass over all tenants leaves out those that are ahead; each has its own.
func TestPasses_coverEveryTenantOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		other, _, err := s.CreateTenant(t.Context(), NewTenant{Name: "Other", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		seen := func() map[TenantID]time.Time {
			t.Helper()
			passes, err := Passes(t.Context(), s.DB, c)
			if err != nil {
				t.Fatal(err)
			}
			at := map[TenantID]time.Time{}
			for _, p := range passes {
				err := s.DB.View(t.Context(), func(tx db.Tx) error {
					var w db.Where
					p.Narrow(&w, "id")
					ids, err := db.Collect(t.Context(), tx, func(row db.Scanner) (id TenantID, err error) { return id, row.Scan(&id) },
						`SELECT id FROM tenant WHERE `+w.SQL(), w.Args()...)
					for _, id := range ids {
						if _, twice := at[id]; twice {
							t.Errorf("%s is in two passes", id)
						}
						at[id] = p.Now
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			return at
		}
		if at := seen(); !at[tenant.ID].Equal(start) || !at[other.ID].Equal(start) {
			t.Errorf("nobody is ahead: %v", at)
		}
		move, err := s.BeginAdvance(t.Context(), System(tenant), AdvanceWish{Days: 3})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.StepAdvance(t.Context(), &move, move.To); err != nil {
			t.Fatal(err)
		}
		if at := seen(); !at[tenant.ID].Equal(move.To) || !at[other.ID].Equal(start) {
			t.Errorf("one is ahead: %v", at)
		}
	})
}

// A move that broke off in the last night before its day is taken up where it was:
// asked again for the same date it goes to the same moment, and once it is there
// there is nothing left to do.
func TestAdvance_goesOnWhereItBrokeOff(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		who := System(tenant)
		day := clock.DateOf(c.Now(), tenant.Zone).AddDays(10)
		first, err := s.BeginAdvance(t.Context(), who, AdvanceWish{On: day})
		if err != nil {
			t.Fatal(err)
		}
		for _, back := range []time.Duration{30 * time.Hour, time.Hour} { // in the night before, and on the day itself
			if err := s.StepAdvance(t.Context(), &first, first.To.Add(-back)); err != nil {
				t.Fatal(err)
			}
			c.Advance(advanceLease + time.Second) // and then its process ended
			again, err := s.BeginAdvance(t.Context(), who, AdvanceWish{On: day})
			if err != nil {
				t.Fatalf("%s before its end: %v", back, err)
			}
			if !again.To.Equal(first.To) {
				t.Fatalf("%s before its end: it goes to %s, not %s", back, again.To, first.To)
			}
			first = again
		}
		if err := s.StepAdvance(t.Context(), &first, first.To); err != nil {
			t.Fatal(err)
		}
		if err := s.EndAdvance(t.Context(), who, first); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
		for _, wish := range []AdvanceWish{{On: day}, {At: first.To}} { // the answer was lost
			again, err := s.BeginAdvance(t.Context(), who, wish)
			if err != nil || !again.To.Equal(first.To) {
				t.Fatalf("once it is there: to %s, %v", again.To, err)
			}
			before := businessTime(t, s, tenant.ID)
			if err := s.StepAdvance(t.Context(), &again, again.To); err != nil {
				t.Fatal(err)
			}
			if got := businessTime(t, s, tenant.ID); !got.Equal(before) {
				t.Errorf("it went from %s to %s", before, got)
			}
			if err := s.EndAdvance(t.Context(), who, again); err != nil {
				t.Fatal(err)
			}
		}
		for _, wish := range []AdvanceWish{{On: day.AddDays(-1)}, {At: first.To.Add(-time.Second)}} {
			if _, err := s.BeginAdvance(t.Context(), who, wish); codeOf(err) != CodeInvalid {
				t.Errorf("back to %+v: %v", wish, err)
			}
			c.Advance(advanceLease + time.Second)
		}
		c.Advance(24 * time.Hour)
		if _, err := s.BeginAdvance(t.Context(), who, AdvanceWish{On: day}); codeOf(err) != CodeInvalid {
			t.Errorf("when the day is over: %v", err)
		}
	})
}

// Of two who would move the time, the second is refused for as long as the first
// one works, however long a single piece of its work takes; and who has lost the
// right learns of it in the middle of its work.
func TestAdvance_isHeldWhileItWorks(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, _ Credentials) {
		who := System(tenant)
		first, err := s.BeginAdvance(t.Context(), who, AdvanceWish{Days: 10})
		if err != nil {
			t.Fatal(err)
		}
		tick := make(chan time.Time)
		beat := func() {
			tick <- time.Time{} // taken when the one before has been carried out
		}
		err = s.holdAdvance(t.Context(), &first, tick, func(ctx context.Context) error {
			for range 5 {
				c.Advance(advanceLease * 2 / 3)
				beat()
				beat()
				if _, err := s.BeginAdvance(ctx, who, AdvanceWish{Days: 1}); codeOf(err) != CodeAdvancing {
					t.Errorf("beside one that works: %v", err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.StepAdvance(t.Context(), &first, first.To); err != nil {
			t.Fatalf("after long work: %v", err)
		}
		failed := errors.New("no power")
		if err := s.holdAdvance(t.Context(), &first, tick, func(context.Context) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("work that failed: %v", err)
		}
		err = s.holdAdvance(t.Context(), &first, tick, func(ctx context.Context) error {
			c.Advance(advanceLease + time.Second)
			if _, err := s.BeginAdvance(ctx, who, AdvanceWish{Days: 1}); err != nil {
				t.Fatalf("once the right has passed: %v", err)
			}
			beat()
			<-ctx.Done()
			return ctx.Err()
		})
		if codeOf(err) != CodeAdvancing {
			t.Errorf("who has lost the right: %v", err)
		}
	})
}
