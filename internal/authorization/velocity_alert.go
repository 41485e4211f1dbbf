package authorization

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// EventVelocityThreshold tells that the use of a limit reaches the percentage at
// which that is told, once in its window, or each transaction that exceeds a limit
// which does not decline.
const EventVelocityThreshold = "velocity.threshold"

// VelocityAlert is what an event tells of a limit.
type VelocityAlert struct {
	Code       string
	Version    int
	Link       string
	IsExceeded bool // and was not declined
	// Percent is how much of the limit is used, of the amount or the count whichever
	// is more. Threshold is from where on that is told; 0 is never.
	Percent, Threshold int
	// Used has no currency, and LimitAmount is nil, where amounts are not limited;
	// LimitCount is 0 where counts are not.
	Used        money.Amount
	UsedCount   int64
	LimitAmount *money.Amount
	LimitCount  int
	WindowStart time.Time // zero for one without a beginning
}

// alert is what is to be told of the limit after it was used; nil for nothing. fees
// are what the one transaction costs besides that it may be the limit of.
func (v *VelocityFacts) alert(c *control.Counters, tenant access.TenantID, now time.Time, fees int64) *VelocityAlert {
	if v.AlertPercent == 0 && !v.AlertsOnly {
		return nil
	}
	a := &VelocityAlert{
		Code: v.Code, Version: v.Version, Link: v.Link, Threshold: v.AlertPercent,
		LimitAmount: v.MaxAmount, LimitCount: v.MaxCount, WindowStart: v.From,
	}
	used, isSpan := v.used(c, tenant), !v.From.IsZero()
	if v.Counts {
		if !isSpan && v.Start > 0 {
			a.WindowStart = clock.FromMicros(v.Start)
		}
	} else if v.Amount != nil {
		used.Amount = v.Amount.Minor() + v.feesIn(fees)
	}
	a.UsedCount = used.Count
	if v.MaxAmount != nil {
		a.Percent = percentOf(used.Amount, v.MaxAmount.Minor())
		a.Used, _ = money.New(min(used.Amount, money.MaxMinor), v.MaxAmount.Currency())
	}
	if v.MaxCount > 0 {
		a.Percent = max(a.Percent, percentOf(used.Count, int64(v.MaxCount)))
	}
	reaches := v.AlertPercent > 0 && a.Percent >= v.AlertPercent &&
		(!v.Counts || c.Alert(v.key(tenant), v.Code, isSpan, v.From, now))
	a.IsExceeded = v.AlertsOnly && v.isExceeded(used, fees)
	if !reaches && !a.IsExceeded {
		return nil
	}
	return a
}

// isExceeded reports whether what is used is not within the limits.
func (v *VelocityFacts) isExceeded(used VelocityState, fees int64) bool {
	return v.MaxAmount != nil && used.Amount > v.MaxAmount.Minor() || v.MaxCount > 0 && used.Count > int64(v.MaxCount) ||
		v.MinAmount != nil && v.Amount != nil && v.Amount.Minor()+v.feesIn(fees) < v.MinAmount.Minor()
}

// percentOf is how many hundredths of limit are used, rounded down; limit is above
// zero.
func percentOf(used, limit int64) int {
	return int(used/limit*100 + used%limit*100/limit)
}

// alert keeps what is to be told of the limits that an operation has used. A
// completion uses those that it raises: of what it was decided on, and of what its
// watchers had, where something else was counted.
func (w *work) alert(op *operation, s State, watched []VelocityState, t *Transaction) {
	interest := w.interests[t.Tenant.String()]
	if op.req.Flow.IsReversal() || !t.IsDebit || t.Status == StatusDeclined || t.Status == StatusFailed || !interest.Wants(EventVelocityThreshold) {
		return
	}
	completes := t.IsAdvice && t.ID != t.Root
	fees, _ := w.feesOf(t.Root, t.Hold)
	tell := func(v *VelocityFacts, before VelocityState) {
		if completes && !v.isRaised(w.counters, t, before, s.Original) {
			return
		}
		if a := v.alert(w.counters, t.Tenant, op.facts.Now, fees); a != nil {
			w.raise(TransactionEvent{Name: EventVelocityThreshold, Card: op.facts.name, Transaction: *t, Velocity: a})
		}
	}
	for i, v := range op.facts.Velocity {
		tell(w.asCounted(op, &v), s.Velocity[i])
	}
	for i := range watched {
		tell(&op.facts.watchers[i], watched[i])
	}
}

// asCounted is a limit of what op concludes as it is counted by now: its card may have
// found a customer while its client was asked.
func (w *work) asCounted(op *operation, v *VelocityFacts) *VelocityFacts {
	if op.conclusion == nil || !v.Counts {
		return v
	}
	c := *v
	c.Subject = w.counters.SubjectOf(v.key(op.facts.Tenant), op.facts.Transaction.String())
	return &c
}

// isRaised reports whether a completion raised what is used of the limit; of that of
// one transaction, whether it is above what it completes.
func (v *VelocityFacts) isRaised(c *control.Counters, t *Transaction, before VelocityState, o Original) bool {
	if !v.Counts {
		return t.Billing.Cmp(plus(o.Cleared, o.Remaining)) > 0
	}
	return v.used(c, t.Tenant).isAbove(before)
}

// isAbove reports whether more is used, or more often.
func (u VelocityState) isAbove(o VelocityState) bool { return u.Amount > o.Amount || u.Count > o.Count }

func (a *VelocityAlert) visit(c *codec) {
	visitText(c, "velocity.code", &a.Code)
	c.count("velocity.version", &a.Version)
	visitText(c, "velocity.link", &a.Link)
	c.bool("velocity.exceeded", &a.IsExceeded)
	c.count("velocity.percent", &a.Percent)
	c.count("velocity.threshold", &a.Threshold)
	c.amount("velocity.used", &a.Used)
	c.int("velocity.used_count", &a.UsedCount)
	c.optionalAmount("velocity.limit", &a.LimitAmount)
	c.count("velocity.limit_count", &a.LimitCount)
	c.time("velocity.window_start", &a.WindowStart)
}
