package control

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

// AmountThresholds lists the amounts that what holds for the subject compares
// the transaction's with: on their sides other controls and fees may be chosen.
func (k *Snapshot) AmountThresholds(o *Occasion) []rule.Threshold {
	var all []rule.Threshold
	for _, p := range k.parts {
		all = append(all, p.amountThresholds(o)...)
	}
	return all
}

// Turns lists the moments after the occasion's, up to a last one, at which
// something that may hold for the subject begins or ceases to hold or, because
// its rule asks for the time, to choose: in order, each once. Overrides are the
// subject's.
func (k *Snapshot) Turns(o *Occasion, overrides []Override, last time.Time) []time.Time {
	t := turns{after: o.At, last: last, zone: o.Calendar.Zone}
	for _, p := range k.parts {
		p.turns(o, &t)
	}
	for _, v := range overrides {
		t.period(v.StartsAt, v.EndsAt)
	}
	slices.SortFunc(t.found, time.Time.Compare)
	return slices.CompactFunc(t.found, time.Time.Equal)
}

// turns collects moments.
type turns struct {
	after, last time.Time
	zone        *time.Location
	found       []time.Time
	daily       []int // times of day that were added for each day, in seconds
}

func (t *turns) add(at time.Time) {
	if at.After(t.after) && !at.After(t.last) {
		t.found = append(t.found, at.UTC())
	}
}

func (t *turns) period(from, to *time.Time) {
	for _, at := range []*time.Time{from, to} {
		if at != nil {
			t.add(*at)
		}
	}
}

// eachDay adds a time of day on every day.
func (t *turns) eachDay(second int) {
	if slices.Contains(t.daily, second) {
		return
	}
	t.daily = append(t.daily, second)
	for day := clock.DateOf(t.after, t.zone); !day.In(t.zone).After(t.last); day = day.AddDays(1) {
		first, last := timesOf(day, TimeOfDay(second), t.zone)
		t.add(first)
		if last != first {
			t.add(last)
		}
	}
}

// rule adds the moments at which a rule may answer otherwise because time has
// passed.
func (t *turns) rule(s *Selection) {
	const hour = 60 * 60
	for _, x := range s.rule.Thresholds() {
		at := int(x.At.Coefficient)
		if x.Field == rule.TimeLocalHour || x.Field == rule.TimeLocalTime {
			t.eachDay(0) // where they begin anew
		}
		switch x.Field {
		case rule.TimeLocalHour:
			t.eachDay(at * hour % secondsPerDay)
			t.eachDay((at + 1) * hour % secondsPerDay)
		case rule.TimeLocalTime:
			t.eachDay(at % secondsPerDay)
			t.eachDay((at + 1) % secondsPerDay)
		}
	}
	if s.rule.Reads(turnsAtMidnight) {
		t.eachDay(0)
	}
}

// turnsAtMidnight reports whether the value of a field changes with the date.
func turnsAtMidnight(f rule.FieldID) bool {
	switch f {
	case rule.TimeDayOfWeek, rule.TimeDayOfMonth, rule.TimeLocalDate, rule.CardAgeInDays, rule.CardDaysToExpiry, rule.CardDaysSinceActivation,
		rule.CardDaysSinceLastPINChange, rule.CardDaysSincePhoneChange, rule.CustomerAgeOfRelationDays:
		return true
	}
	return false
}

// scheduled is a definition that holds at times of the week only.
type scheduled interface {
	turns(t *turns)
}

func (c *AuthorizationCheck) turns(t *turns) {
	for at := t.after; !c.Schedule.IsZero() && !at.After(t.last); {
		from, until := c.Schedule.around(at, t.zone)
		t.add(from)
		if t.add(until); until.IsZero() {
			return
		}
		at = until
	}
}

func (c *Compiled[D]) amountThresholds(o *Occasion) []rule.Threshold {
	var all []rule.Threshold
	for _, a := range c.Of(o) {
		all = append(all, a.Selection.amountThresholds()...)
	}
	return all
}

func (c *Compiled[D]) turns(o *Occasion, t *turns) {
	for _, l := range o.Links.ever(c.kind, o.Subject) {
		d, known := c.by[l.Parent]
		if !known {
			continue
		}
		head := c.head(&d.definition)
		t.period(l.StartsAt, l.EndsAt)
		t.period(head.StartsAt, head.EndsAt)
		t.rule(&d.selects)
		if s, ok := any(&d.definition).(scheduled); ok {
			s.turns(t)
		}
	}
}

// amountThresholds are the bounds of the criteria and what the rule compares
// amounts with.
func (s *Selection) amountThresholds() []rule.Threshold {
	var all []rule.Threshold
	for _, n := range []*rule.Number{s.low, s.high} {
		if n != nil {
			all = append(all, rule.Threshold{Field: rule.TransactionBillingAmount, At: *n})
		}
	}
	for _, t := range s.rule.Thresholds() {
		if t.Field.IsAmount() {
			all = append(all, t)
		}
	}
	return all
}

// ever returns the links of one kind to s, whenever they hold.
func (n Links) ever(kind Kind, s Subject) []Link {
	var all []Link
	for _, t := range LinkTypes() {
		if target := s.target(t); target != "" || t == LinkGlobal {
			all = append(all, n.byTarget[linkTarget{kind, t, target}]...)
		}
	}
	return all
}
