package clearing

import (
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
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
	switch {
	case c == nil:
		return control.StandingOf(t.Outstanding(), t.Refunded)
	case c.posted != nil:
		return control.StandingOf(c.posted.Outstanding(), c.posted.Refunded)
	}
	spent := c.head.Cleared
	if h, held := b.book.Hold(c.hold); held {
		if rest, err := spent.Add(h.Remaining()); err == nil {
			spent = rest
		}
	}
	return control.StandingOf(spent, c.head.Refunded)
}

// follow lets what is used of limits follow what is done with the life cycle of t:
// it is called before, and what it returns after.
func (b *batch) follow(t *authorization.Transaction) (done func()) {
	cycle, _ := b.cycleOf(t)
	before := b.standing(t)
	return func() { b.presented.Follow(cycle, before, b.standing(t)) }
}
