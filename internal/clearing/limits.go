package clearing

import (
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// cycleOf names what is counted of limits together with t: its life cycle, or t
// alone when it was posted without an authorization. The chain is nil for one
// that is not of a life cycle that was authorized.
func (b *batch) cycleOf(t *authorization.Transaction) (authorization.TransactionID, *chain) {
	if t.IsForcePost || t.Flow == authorization.Representment {
		return t.ID, nil
	}
	return t.Root, b.chains[t.Root]
}

// standing is what the life cycle of t stands for now.
func (b *batch) standing(t *authorization.Transaction) control.Standing {
	_, c := b.cycleOf(t)
	fees := func(s control.Standing) control.Standing { return s.WithFees(b.feesOf(t)) }
	switch {
	case c == nil:
		return fees(control.StandingOf(t.Outstanding(), t.Refunded))
	case c.posted != nil:
		return fees(control.StandingOf(c.posted.Outstanding(), c.posted.Refunded))
	}
	spent := c.head.Cleared
	if h, held := b.book.Hold(c.hold); held {
		if rest, err := spent.Add(h.Remaining()); err == nil {
			spent = rest
		}
	}
	return fees(control.StandingOf(spent, c.head.Refunded))
}

// feesOf is what the life cycle that t is of costs besides, as it stands. What a
// decline costs is no use of a limit.
func (b *batch) feesOf(t *authorization.Transaction) (spent, kept int64) {
	root, held := t.Root.String(), money.Zero(t.Billing.Currency())
	if c := b.chains[t.Root]; c != nil {
		if c.head.Status == authorization.StatusDeclined && !b.dues.HasMoved(root) {
			return 0, 0
		}
		if h, found := b.book.Hold(c.hold); found {
			held = h.Remaining()
		}
	}
	return b.dues.Stands(root, held)
}

// follow lets what is used of limits follow what is done with the life cycle of t:
// it is called before, and what it returns after.
func (b *batch) follow(t *authorization.Transaction) (done func()) {
	cycle, _ := b.cycleOf(t)
	before := b.standing(t)
	return func() { b.presented.Follow(cycle, before, b.standing(t)) }
}
