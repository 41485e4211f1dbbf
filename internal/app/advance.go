package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/clock"
)

// calendar moves the business time of sandboxes: night by night, and with the
// work of each night, as if the days had passed.
type calendar struct{ *Core }

// advanceBudget is how long one request works at most. What is not done by then
// is done by the next one.
const advanceBudget = 20 * time.Second

// nightHour is when, by the clocks on the wall, the work of a night is done:
// after everything that happens at midnight, and while cards are renewed.
const nightHour = 3

// dailyJob is work that a day brings to a tenant. It may be done several times a
// day and broken off at any time: each of its steps happens once.
type dailyJob struct {
	name platform.DailyJob
	run  func(ctx context.Context, t access.Tenant) (int, error)
}

// dailyJobs are all of them, in the order of the night.
func (k calendar) dailyJobs() []dailyJob {
	in := func(run func(context.Context, access.Pass) (int, error)) func(context.Context, access.Tenant) (int, error) {
		return func(ctx context.Context, t access.Tenant) (int, error) { return run(ctx, access.PassOf(t, k.Clock)) }
	}
	return []dailyJob{
		{platform.JobHoldExpiry, in(k.Engine.ExpireIn)},
		{platform.JobScheduledStatus, in(k.Issuing.CarryOutDueIn)},
		{platform.JobUnlinkedCards, in(k.Issuing.CancelUnlinkedIn)},
		{platform.JobCardExpiry, k.Issuing.Expire},
		{platform.JobPINTryReset, k.Issuing.ResetTriesOf},
		{platform.JobAutoRenewal, k.Issuing.RenewAtNight},
		{platform.JobExpiryNotice, k.Issuing.TellExpiring},
		{platform.JobUndeliveredCards, k.Personalization.CancelUndelivered},
		{platform.JobDigitalSlips, in(k.Engine.SweepSlipsIn)},
		{platform.JobCardLimits, in(k.Controls.SweepIn)},
		{platform.JobAnnualFees, k.Fees.BeginYears},
		{platform.JobCardFees, k.Fees.ChargeDue},
		{platform.JobPendingFees, k.Dues.CollectDue},
		{platform.JobCreditAccounts, k.Credits.RollDue},
	}
}

// Advance implements [platform.Calendar]. What the tenant has on the day where
// it stands is finished first, so that a request that was broken off is taken
// up where it was.
func (k calendar) Advance(ctx context.Context, c access.Caller, to access.AdvanceWish) (_ platform.Advanced, err error) {
	move, err := k.Access.BeginAdvance(ctx, c, to)
	if err != nil {
		return platform.Advanced{}, err
	}
	defer func() { // also when the caller has gone, or the platform stops
		err = errors.Join(err, k.Access.EndAdvance(context.WithoutCancel(ctx), c, move))
	}()
	out := platform.Advanced{From: move.From, Target: move.To, Zone: move.Tenant.Zone}
	watch, jobs := clock.StartStopwatch(), k.dailyJobs()
	out.Jobs = make([]platform.DailyWork, len(jobs))
	for i, j := range jobs {
		out.Jobs[i].Job = j.name
	}
	work := func() error {
		return k.Access.HoldAdvance(ctx, &move, func(ctx context.Context) error { return k.work(ctx, move.Tenant, jobs, out.Jobs) })
	}
	if err := work(); err != nil {
		return out, err
	}
	budget := min(advanceBudget, k.Config.HTTP.RequestTimeout*2/3)
	for stop := range stops(move.From, move.To, move.Tenant.Zone) {
		if watch.Elapsed() >= budget {
			break
		}
		if err := k.Access.StepAdvance(ctx, &move, stop); err != nil {
			return out, err
		}
		if err := work(); err != nil {
			return out, err
		}
		out.IsComplete = stop.Equal(move.To)
	}
	out.To = move.Tenant.Now(k.Clock)
	k.Log.InfoContext(ctx, "business time moved", "tenant", move.Tenant.Code, "from", out.From, "to", out.To, "complete", out.IsComplete)
	return out, nil
}

// work does the jobs of a tenant at its time and counts what they did. One that
// fails is said to have failed, and holds up no other.
func (k calendar) work(ctx context.Context, t access.Tenant, jobs []dailyJob, done []platform.DailyWork) error {
	for i, j := range jobs {
		n, err := j.run(ctx, t)
		done[i].Count += n
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", j.name, ctx.Err())
		}
		if err != nil {
			done[i].HasFailed = true
			k.Log.ErrorContext(ctx, "job failed", "job", string(j.name), "tenant", t.Code, "error", err)
		}
	}
	return nil
}

// stops are the moments at which a move stops on its way: in every night
// between, and where it ends.
func stops(from, to time.Time, zone *time.Location) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for day := clock.DateOf(from, zone); ; day = day.AddDays(1) {
			night := time.Date(day.Year, day.Month, day.Day, nightHour, 0, 0, 0, zone).UTC()
			if !night.Before(to) {
				break
			}
			if night.After(from) && !yield(night) {
				return
			}
		}
		yield(to)
	}
}
