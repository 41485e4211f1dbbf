package issuing

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func TestUpcoming_statusFollowsTheMatrixAndTheTime(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		up    Upcoming
		from  CardStatus
		after time.Duration
		may   bool
		want  CardStatus
	}{
		"not yet":                     {Upcoming{Scheduled: Inactive, ScheduledAt: at, ScheduledRight: ByClient}, Active, -1, false, Active},
		"at its time":                 {Upcoming{Scheduled: Inactive, ScheduledAt: at, ScheduledRight: ByClient}, Active, 0, false, Inactive},
		"not with these rights":       {Upcoming{Scheduled: Blocked, ScheduledAt: at, ScheduledRight: ByClient}, Active, 1, false, Active},
		"with more rights":            {Upcoming{Scheduled: Blocked, ScheduledAt: at, ScheduledRight: ByPrivileged}, Active, 1, false, Blocked},
		"closed meanwhile":            {Upcoming{Scheduled: Inactive, ScheduledAt: at, ScheduledRight: ByClient}, Cancelled, 1, false, Cancelled},
		"activation without its ends": {Upcoming{Scheduled: Active, ScheduledAt: at, ScheduledRight: ByClient}, Pending, 1, false, Pending},
		"activation":                  {Upcoming{Scheduled: Active, ScheduledAt: at, ScheduledRight: ByClient}, Pending, 1, true, Active},
		"a lost card is not found":    {Upcoming{Scheduled: Active, ScheduledAt: at, ScheduledRight: ByPrivileged}, Lost, 1, true, Lost},
		"overlap is over":             {Upcoming{RetiresAt: at}, Active, 0, false, CardRenewed},
		"overlap of a lost card":      {Upcoming{RetiresAt: at}, Lost, 1, false, Lost},
		"overlap before the schedule": {Upcoming{RetiresAt: at.Add(-1), Scheduled: Lost, ScheduledAt: at, ScheduledRight: ByClient}, Active, 1, false, CardRenewed},
		"schedule before the overlap": {Upcoming{RetiresAt: at.Add(1), Scheduled: Lost, ScheduledAt: at, ScheduledRight: ByClient}, Active, 1, false, Lost},
	} {
		if got := c.up.StatusAt(c.from, at.Add(c.after), c.may); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestChangeStatus_inTheFutureIsOneScheduleACard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issue(t)
		token, due := card.Card.Token, w.clock.Now().Add(time.Hour)
		w.changed(t, token, NewStatus{Status: Cancelled, Reason: CustomerRequest, EffectiveAt: due.Add(time.Hour)})
		out := w.changed(t, token, NewStatus{Status: Inactive, Reason: CustomerRequest, EffectiveAt: due})
		if out.Scheduled == nil || out.Scheduled.Status != Inactive || out.Current.Status != Active {
			t.Fatalf("got %+v", out)
		}
		details, err := w.CardDetails(t.Context(), w.caller, token)
		if err != nil || details.Schedule == nil || !details.Schedule.EffectiveAt.Equal(due) || details.Schedule.RequestedBy != w.caller.By() {
			t.Errorf("shown is %+v, %v", details.Schedule, err)
		}
		if n, err := w.CarryOutDue(t.Context()); n != 0 || err != nil {
			t.Errorf("before its time: %d, %v", n, err)
		}
		w.clock.Advance(time.Hour)
		var running sync.WaitGroup
		total, mu := 0, sync.Mutex{}
		for range 4 {
			running.Go(func() {
				n, err := w.CarryOutDue(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if total += n; err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		details, err = w.CardDetails(t.Context(), w.caller, token)
		if err != nil || total != 1 || details.Card.Status != Inactive || details.Schedule != nil || len(details.History) != 2 {
			t.Errorf("%d done, then %s, %+v, %d lines, %v", total, details.Card.Status, details.Schedule, len(details.History), err)
		}
		// What is due holds for whoever acts before the job.
		w.changed(t, token, NewStatus{Status: Active, Reason: CustomerRequest, EffectiveAt: w.clock.Now().Add(time.Minute)})
		w.clock.Advance(time.Minute)
		if got := w.changed(t, token, NewStatus{Status: Inactive, Reason: CustomerRequest}); got.Previous != Active {
			t.Errorf("before the job it was %s", got.Previous)
		}
		// The present status means that nothing is scheduled.
		w.changed(t, token, NewStatus{Status: Active, Reason: CustomerRequest, EffectiveAt: w.clock.Now().Add(time.Minute)})
		w.changed(t, token, NewStatus{Status: Inactive, Reason: CustomerRequest, EffectiveAt: w.clock.Now().Add(time.Minute)})
		w.clock.Advance(time.Minute)
		if n, err := w.CarryOutDue(t.Context()); n != 0 || err != nil {
			t.Errorf("after it was taken back: %d, %v", n, err)
		}
	})
}

func TestChangeStatus_dropsAScheduleThatIsNotAllowedAnyMore(t *testing.T) {
	w := newCardWorld(t, dbtest.SQLite(t))
	card := w.issue(t)
	client := w.caller
	client.Permissions = access.PermissionsOf(access.IssuingCardStatus)
	_, err := w.ChangeStatus(t.Context(), client, card.Card.Token, NewStatus{Status: Inactive, Reason: CustomerRequest, EffectiveAt: w.clock.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w.changed(t, card.Card.Token, NewStatus{Status: Blocked, Reason: LegalOrder})
	w.clock.Advance(time.Hour)
	if _, err := w.CarryOutDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := w.statusOf(t, card.Card.Token, 0); s != Blocked {
		t.Errorf("the card is %s", s)
	}
	all := w.told(t, card.Issuance.No)
	last := all[len(all)-1]
	if a := about[CardScheduleDropped](t, last); last.Name != EventCardScheduleDropped || a.Status != Inactive || a.Code != access.CodeForbidden {
		t.Errorf("told %s, %+v", last.Name, a)
	}
}

func TestExpire_closesWhatIsOverFiveMinutesLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		soon := Expiry{2026, 12}
		card := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, Expires: soon})
		child := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentIssuanceNo: card.Issuance.No})
		other := w.plastic(t)
		run := func(at time.Time, want int) {
			t.Helper()
			w.clock.Set(at)
			if n, err := w.Expire(t.Context(), w.tenant); n != want || err != nil {
				t.Errorf("at %s: %d cards, %v, want %d", at, n, err, want)
			}
		}
		midnight := time.Date(2027, 1, 1, 0, 0, 0, 0, w.tenant.Zone)
		run(midnight.Add(expiryDelay-time.Second), 0)
		run(midnight.Add(expiryDelay), 1)
		run(midnight.Add(expiryDelay), 0)
		if a, b, c := w.statusOf(t, card.Card.Token, 0), w.statusOf(t, child.Card.Token, 0), w.statusOf(t, other.Card.Token, 0); a != CardExpired || b != Cancelled || c != Active {
			t.Errorf("got %s, its supplementary card %s, another %s", a, b, c)
		}
		if h := w.shown(t, card.Card.Token).Card; h.Reason != ExpiryReached || h.ChangedBy == "" {
			t.Errorf("got %+v", h.StatusChange)
		}
	})
}

func TestTellExpiring_once(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		card := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, Expires: Expiry{2026, 12}})
		for _, c := range []struct {
			day  int
			want int
		}{{30, 0}, {31, 1}, {32, 0}} { // of November: the 31st is December 1
			w.clock.Set(time.Date(2026, 11, c.day, 12, 0, 0, 0, w.tenant.Zone))
			if n, err := w.TellExpiring(t.Context(), w.tenant); n != c.want || err != nil {
				t.Errorf("November %d: %d told, %v", c.day, n, err)
			}
		}
		if got := names(w.told(t, card.Issuance.No)); !slices.Equal(got, []string{EventCardCreated, EventCardExpiring}) {
			t.Errorf("told %v", got)
		}
	})
}

// used is when every issuance was last used.
type used time.Time

func (u used) LastUsed(context.Context, db.Tx, access.TenantID, id.ID[Issuance]) (time.Time, error) {
	return time.Time(u), nil
}

func TestRenewAtNight_renewsWhatIsInUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newCardWorld(t, d)
		soon := Expiry{2027, 1}
		made := func(no string) IssuedCard {
			return w.issueWith(t, NewCard{CustomerNo: no, ProductCode: virtualProduct, Expires: soon})
		}
		w.addCustomer(t, w.caller, "2", "19191919190")
		good, blocked, gone, off := made("1"), made("1"), made("2"), made("1")
		w.changed(t, blocked.Card.Token, NewStatus{Status: Blocked, Reason: LegalOrder})
		if _, err := w.ChangeAutoRenewal(t.Context(), w.caller, off.Card.Token, NewAutoRenewal{Status: program.AutoRenewalDisabled}); err != nil {
			t.Fatal(err)
		}
		u, err := w.customers.Customer(t.Context(), w.caller, "2")
		if err != nil {
			t.Fatal(err)
		}
		u.Profile.StatusReason = "moved"
		if _, err := w.customers.Update(t.Context(), w.caller, customer.Change{No: "2", Profile: u.Profile, Status: customer.Passive}); err != nil {
			t.Fatal(err)
		}
		night := func(day, hour, want int) {
			t.Helper()
			w.clock.Set(time.Date(2026, 12, day, hour, 0, 0, 0, w.tenant.Zone))
			var running sync.WaitGroup
			total, mu := 0, sync.Mutex{}
			for range 3 {
				running.Go(func() {
					n, err := w.RenewAtNight(t.Context(), w.tenant)
					mu.Lock()
					defer mu.Unlock()
					if total += n; err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			if total != want {
				t.Errorf("December %d, %d h: %d renewed, want %d", day, hour, total, want)
			}
		}
		night(16, 2, 0) // 45 days before January 31 is December 17
		night(17, 12, 0)
		night(17, 2, 1)
		night(18, 2, 0)
		if now := w.shown(t, good.Card.Token); now.Card.Sequence != 2 || now.Card.Status != Active || now.Card.Renewed != RenewForExpiry {
			t.Errorf("renewed to %+v", now.Card)
		}
		for _, c := range []struct {
			card   IssuedCard
			reason string
		}{{blocked, SkipBlocked}, {gone, string(errCustomerInactive.Code)}} {
			var skips []string
			for _, e := range w.told(t, c.card.Issuance.No) {
				if e.Name == EventCardRenewalSkipped {
					skips = append(skips, about[CardRenewalSkipped](t, e).Reason)
				}
			}
			if !slices.Equal(skips, []string{c.reason}) {
				t.Errorf("told %v, want %s once", skips, c.reason)
			}
		}
		if got := names(w.told(t, off.Issuance.No)); len(got) != 1 {
			t.Errorf("of a card that is not to be renewed, told %v", got)
		}
		// Nobody used it for more than a year.
		w.LastUse = used{}
		idle := w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, Expires: Expiry{2028, 2}})
		w.clock.Set(time.Date(2028, 2, 1, 2, 0, 0, 0, w.tenant.Zone))
		if _, err := w.RenewAtNight(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		all := w.told(t, idle.Issuance.No)
		if e := all[len(all)-1]; e.Name != EventCardRenewalSkipped || about[CardRenewalSkipped](t, e).Reason != SkipInactive {
			t.Errorf("of an idle card, told %v", names(all))
		}
	})
}
