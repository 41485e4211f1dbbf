package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
)

// Calendar moves the business time of sandboxes, and has done meanwhile what the
// days bring.
type Calendar interface {
	// Advance moves the time of the caller's tenant. It may end before it got
	// there: asked again for the same moment it goes on.
	Advance(ctx context.Context, c access.Caller, to access.AdvanceWish) (Advanced, error)
}

// Advanced is what became of a move.
type Advanced struct {
	From, To   time.Time
	Target     time.Time // To, where it is complete
	Zone       *time.Location
	IsComplete bool // false: there is more to do than one request may take
	Jobs       []DailyWork
}

// DailyJob is work that a day brings.
type DailyJob string

// The jobs.
const (
	JobHoldExpiry       DailyJob = "HoldExpiry"
	JobScheduledStatus  DailyJob = "ScheduledStatus" // and the ends of overlaps
	JobUnlinkedCards    DailyJob = "UnlinkedCards"
	JobCardExpiry       DailyJob = "CardExpiry"
	JobPINTryReset      DailyJob = "PinTryReset"
	JobAutoRenewal      DailyJob = "AutoRenewal"
	JobExpiryNotice     DailyJob = "ExpiryNotice"
	JobUndeliveredCards DailyJob = "UndeliveredCards"
	JobDigitalSlips     DailyJob = "DigitalSlips"
	JobCardLimits       DailyJob = "CardLimits"
	JobAnnualFees       DailyJob = "AnnualFees"     // years that begin
	JobCardFees         DailyJob = "CardFees"       // charged, or given back
	JobPendingFees      DailyJob = "PendingFees"    // on transactions
	JobCreditAccounts   DailyJob = "CreditAccounts" // days and terms that end
)

// DailyWork is how often a job did something, and whether it failed on a day.
type DailyWork struct {
	Job       DailyJob
	Count     int
	HasFailed bool
}

// advanceRequest says where to: by one of the two.
type advanceRequest struct {
	To   string `json:"to,omitempty" maxLength:"40" doc:"A date: the same time of day on it, in the tenant's zone; or a date-time with its offset. Asked again it goes on to the same moment; there, it has nothing left to do."`
	Days *int   `json:"days,omitempty" minimum:"1" maximum:"3660" doc:"Or how many days on."`
}

// advanceResponse is where the time stands, and what was done on the way.
type advanceResponse struct {
	TimeBefore time.Time     `json:"businessTimeBefore"`
	Time       time.Time     `json:"businessTime"`
	DateBefore string        `json:"businessDateBefore" doc:"In the tenant's zone."`
	Date       string        `json:"businessDate"`
	Target     time.Time     `json:"businessTimeTarget" doc:"Where the time is to go. What is not complete goes on there when it is asked for as to."`
	IsComplete bool          `json:"isComplete" doc:"False: there was more to do than one request may take. Ask again with the same to, or with businessTimeTarget for it; days would be counted anew."`
	Jobs       []advancedJob `json:"jobs" doc:"What was done, in the order of the night."`
}

type advancedJob struct {
	Job       string `json:"job" enum:"HoldExpiry,ScheduledStatus,UnlinkedCards,CardExpiry,PinTryReset,AutoRenewal,ExpiryNotice,UndeliveredCards,DigitalSlips,CardLimits,AnnualFees,CardFees,PendingFees,CreditAccounts"`
	Count     int    `json:"count"`
	HasFailed bool   `json:"hasFailed" doc:"On a day at least; it is tried again in the background."`
}

func (a *API) advanceTime(ctx context.Context, c access.Caller, in *struct{ Body advanceRequest }) (advanceResponse, error) {
	var d decoding
	wish := d.advanceWish(in.Body)
	if err := d.err(); err != nil {
		return advanceResponse{}, err
	}
	done, err := a.Calendar.Advance(ctx, c, wish)
	if err != nil {
		return advanceResponse{}, err
	}
	out := advanceResponse{
		TimeBefore: done.From, Time: done.To, Target: done.Target, IsComplete: done.IsComplete,
		DateBefore: clock.DateOf(done.From, done.Zone).String(), Date: clock.DateOf(done.To, done.Zone).String(),
	}
	for _, j := range done.Jobs {
		out.Jobs = append(out.Jobs, advancedJob{string(j.Job), j.Count, j.HasFailed})
	}
	return out, nil
}

func (d *decoding) advanceWish(in advanceRequest) (wish access.AdvanceWish) {
	switch {
	case in.To != "" && in.Days != nil:
		d.fail("days", "both", "must not stand with to")
	case in.Days != nil:
		wish.Days = *in.Days
	case in.To == "":
		d.fail("to", "required", "is required, or days in its place")
	default:
		var err error
		if wish.On, err = clock.ParseDate(in.To); err == nil {
			return wish
		}
		if wish.At, err = time.Parse(time.RFC3339, in.To); err != nil {
			d.fail("to", "malformed", "must be a date YYYY-MM-DD or a date-time of RFC 3339")
		}
	}
	return wish
}
