package issuing

import (
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/id"
)

// Tries of PIN and CVV2 count per card number, whichever of its plastics is
// used and through whichever door. Each plastic keeps the count, and all of them
// are written together under their locks. Where they differ, because one was
// made at the same moment, the strictest holds.

// joinTries gives all plastics of a number the same count.
func joinTries(states map[id.ID[Card]]CardState) {
	type tries struct {
		pin, cvv2 int
		plastics  int
		blocked   bool
	}
	all := map[string]tries{}
	for _, c := range states {
		t := all[c.number]
		t.pin, t.cvv2, t.blocked = max(t.pin, c.PINTryCount), max(t.cvv2, c.CVV2TryCount), t.blocked || c.PINStatus == PINBlocked
		t.plastics++
		all[c.number] = t
	}
	for k, c := range states {
		t := all[c.number]
		c.PINTryCount, c.CVV2TryCount, c.shared = t.pin, t.cvv2, t.plastics > 1
		if t.blocked && c.PINStatus != PINNotSet {
			c.PINStatus = PINBlocked
		}
		states[k] = c
	}
}

// ShareTries carries the tries of a card that was changed to all plastics of its
// number, and returns which those are, itself among them.
func ShareTries(states map[id.ID[Card]]CardState, changed id.ID[Card]) []id.ID[Card] {
	from := states[changed]
	if !from.shared {
		return []id.ID[Card]{changed}
	}
	var same []id.ID[Card]
	for _, k := range slices.SortedFunc(maps.Keys(states), id.ID[Card].Compare) {
		c := states[k]
		if c.number != from.number {
			continue
		}
		c.PINTryCount, c.CVV2TryCount = from.PINTryCount, from.CVV2TryCount
		switch {
		case c.PINStatus == PINNotSet || k == changed:
		case from.PINStatus == PINBlocked:
			c.PINStatus = PINBlocked
		case c.PINStatus == PINBlocked:
			c.PINStatus = c.openPIN()
		}
		states[k] = c
		same = append(same, k)
	}
	return same
}

// openPIN is the status of a PIN that is there and not blocked.
func (c CardState) openPIN() PINStatus {
	if c.Script != NoScript {
		return PINPendingChipUpdate
	}
	return PINActive
}
