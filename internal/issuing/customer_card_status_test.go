package issuing

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// interrupting is a clock beside which something happens the second time that it
// is looked at.
type interrupting struct {
	clock.Clock
	looks int
	do    func()
}

// Now implements clock.Clock.
func (c *interrupting) Now() time.Time {
	if c.looks++; c.looks == 2 {
		c.do()
	}
	return c.Clock.Now()
}

// A noname card can go to another customer while the cards of its former one are
// moved, after they were looked up.
func TestChangeCustomerCards_leavesAloneWhatWentToAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN)
		card := w.makeNonames(t, 1).Cards[0]
		w.addHolder(t, "200")
		w.link(t, card, "1")
		w.Clock = &interrupting{Clock: w.clock, do: func() {
			if err := w.unlink(t, card); err != nil {
				t.Fatal(err)
			}
			w.link(t, card, "200")
		}}
		done, err := w.ChangeCustomerCards(t.Context(), w.caller, CustomerCardsStatus{CustomerNo: "1", Status: Cancelled, Reason: CustomerRequest})
		if err != nil {
			t.Fatal(err)
		}
		now, _, err := w.cardOf(t, card)
		if err != nil || now.Status != Active || len(done) != 0 {
			t.Errorf("the other customer's card is %s, and %d are told (%v)", now.Status, len(done), err)
		}
	})
}
