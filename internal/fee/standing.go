package fee

import "github.com/sarraf-platform/sarraf/internal/money"

// Stands returns what is charged and set aside for the fees of a life cycle with
// their taxes, in minor units, when so much is held of it: of all that moved, and
// without what refunds gave back. What waits for its balance is in it.
func (d *Dues) Stands(root string, held money.Amount) (spent, kept int64) {
	for _, r := range d.of[root] {
		due := r.Due
		kept += due.stands(held)
		due.Refunded = money.Zero(held.Currency())
		spent += due.stands(held)
	}
	return spent, kept
}

// stands is what is charged by now or, with what will be, more.
func (d *Due) stands(held money.Amount) int64 { return max(d.Owed().minor(), d.Of(held).minor()) }

// Awaited lists the codes of the fees of a life cycle that wait for a balance which
// covers them, now or once the so much that is held of it is presented.
func (d *Dues) Awaited(root string, held money.Amount) (codes []string) {
	for _, r := range d.of[root] {
		if r.Awaits(held) {
			codes = append(codes, r.Code)
		}
	}
	return codes
}

// HasMoved reports whether something of what the fees of a life cycle are on moved.
func (d *Dues) HasMoved(root string) bool {
	for _, r := range d.of[root] {
		if r.Moved.Sign() > 0 {
			return true
		}
	}
	return false
}

// minor is a charge with its taxes in minor units.
func (c Charge) minor() int64 {
	t, err := c.Total()
	if err != nil {
		return 0 // charges are made within bounds
	}
	return t.Minor()
}
