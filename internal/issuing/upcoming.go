package issuing

import "time"

// Upcoming is what will become of a card's status by itself. Whoever must know
// the status of a card at a moment asks [Upcoming.StatusAt]: a job writes the
// change down, but it holds from its own time on.
type Upcoming struct {
	Scheduled      CardStatus // the status it is to come into at ScheduledAt; empty for none
	ScheduledAt    time.Time
	ScheduledRight Mover     // what whoever asked for it may do
	RetiresAt      time.Time // a newer card has taken its place from then on; zero for never
}

// StatusAt is the status that a card in status has at now. A scheduled change
// that the matrix does not allow by then is dropped; mayActivate says whether
// the conditions of a first activation are met.
func (u Upcoming) StatusAt(status CardStatus, now time.Time, mayActivate bool) CardStatus {
	scheduled := u.Scheduled != "" && !u.ScheduledAt.After(now)
	retires := !u.RetiresAt.IsZero() && !u.RetiresAt.After(now)
	if retires && (!scheduled || u.RetiresAt.Before(u.ScheduledAt)) {
		status = retired(status)
	}
	if scheduled && u.mayMove(status, mayActivate) {
		status = u.Scheduled
	}
	if retires {
		status = retired(status)
	}
	return status
}

// mayMove reports whether the scheduled change is legal from status. A lost
// card is not found by a schedule.
func (u Upcoming) mayMove(status CardStatus, mayActivate bool) bool {
	switch mover := status.MoverTo(u.Scheduled); {
	case status == u.Scheduled, mover == ByNobody, mover == BySystem, mover > u.ScheduledRight:
		return false
	}
	return u.Scheduled != Active || status != Lost && (status != Pending || mayActivate)
}

// retired is what a card becomes when a newer one has taken its place. A closed
// or lost one stays what it is, and a blocked one is not told apart from others
// that are blocked.
func retired(status CardStatus) CardStatus {
	if status.MoverTo(CardRenewed) == BySystem {
		return CardRenewed
	}
	return status
}
