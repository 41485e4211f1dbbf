package issuing

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// changeState locks a card with all plastics of its number, lets f change its state,
// and writes all of them when f says so.
func changeState(ctx context.Context, tx db.Tx, card id.ID[Card], now clock.Real, f func(*CardState) bool) (bool, error) {
	states, err := LockCardStates(ctx, tx, []id.ID[Card]{card})
	if err != nil {
		return false, err
	}
	c, found := states[card]
	if !found {
		return false, db.ErrGone
	}
	if !f(&c) {
		return false, nil
	}
	states[card] = c
	var changed []CardState
	for _, k := range ShareTries(states, card) {
		changed = append(changed, states[k])
	}
	_, err = saveStates(ctx, tx, changed, now)
	return err == nil, err
}

// countPIN writes the result of one PIN try against the verifier that was read:
// a right one starts the count anew, a wrong one raises it and blocks the PIN
// at limit, which is told. found is false, and nothing has changed, when the PIN
// is blocked already or another one by now.
func countPIN(ctx context.Context, tx db.Tx, c access.Caller, card Card, right bool, limit int, now time.Time) (count int, found bool, err error) {
	blocked := false
	found, err = changeState(ctx, tx, card.ID, c.Real(now), func(s *CardState) bool {
		if !s.PINChangedAt.Equal(card.PINChangedAt) || s.PINStatus == PINBlocked || s.PINTryCount >= limit {
			return false
		}
		if s.PINTryCount++; right {
			s.PINTryCount = 0
		} else if blocked = s.PINTryCount >= limit; blocked {
			s.PINStatus = PINBlocked
		}
		count = s.PINTryCount
		return true
	})
	if err != nil || !found || !blocked {
		return count, found, err
	}
	return count, found, raisePIN(ctx, tx, c, EventPINBlocked, card.ID, now, PINBlocked, "")
}

// countCVV2 writes the result of one CVV2 try. found is false, and nothing has
// changed, when the tries were used up already. A right value starts the count
// anew only where the product says so.
func countCVV2(ctx context.Context, tx db.Tx, c access.Caller, card Card, right, resets bool, limit int, now time.Time) (count int, found bool, err error) {
	found, err = changeState(ctx, tx, card.ID, c.Real(now), func(s *CardState) bool {
		if s.CVV2TryCount >= limit {
			return false
		}
		switch {
		case !right:
			s.CVV2TryCount++
		case resets:
			s.CVV2TryCount = 0
		}
		count = s.CVV2TryCount
		return true
	})
	if err != nil || !found || count < limit {
		return count, found, err
	}
	return count, found, raiseCard(ctx, tx, c, EventCVV2Blocked, card.ID, now, nil)
}

// resetCVV2 forgets the wrong tries of a card that is not closed.
func resetCVV2(ctx context.Context, tx db.Tx, card Card, now clock.Real) (bool, error) {
	return changeState(ctx, tx, card.ID, now, func(s *CardState) bool {
		s.CVV2TryCount = 0
		return !s.Status.IsFinal()
	})
}
