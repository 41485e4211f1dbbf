package clearing

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/ledger"
)

func TestOrdered_sortsInTheOrderOfTheFile(t *testing.T) {
	in := Import{At: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	last := ""
	for _, n := range []int{0, 1, 255, 256, 16_383, 16_384, 70_000, 1 << 22, 1<<26 - 1} {
		d := ordered[ledger.Entry](in, n)
		if d.String() <= last {
			t.Errorf("%d does not come after the one before it", n)
		}
		last = d.String()
		if u := d.UUID(); u[14] != '7' || u[19] < '8' || u[19] > 'b' {
			t.Errorf("%s is no UUID of version 7", u)
		}
	}
}
