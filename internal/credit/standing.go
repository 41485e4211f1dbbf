package credit

import "github.com/sarraf-platform/sarraf/internal/clock"

// Standing says for how long the oldest minimum payment that is not made has been
// due.
type Standing string

// The standings.
const (
	Current       Standing = "Current" // nothing is past due
	Days1To30     Standing = "Days1To30"
	Days31To60    Standing = "Days31To60"
	Days61To90    Standing = "Days61To90"
	NonPerforming Standing = "NonPerforming"
)

// standingOf is the standing on a day, of what is overdue since another; zero is
// nothing.
func standingOf(since, day clock.Date) Standing {
	days := 0
	if !since.IsZero() {
		days = day.DaysSince(since)
	}
	switch {
	case days <= 0:
		return Current
	case days <= 30:
		return Days1To30
	case days <= 60:
		return Days31To60
	case days <= 90:
		return Days61To90
	}
	return NonPerforming
}
