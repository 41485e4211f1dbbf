package issuing

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// UnblockPIN forgets the wrong tries of a card's PIN, which stays what it is. A
// chip that counts tries itself is told with its next answer; until it has
// confirmed that, the PIN's status is PendingChipUpdate. Of a card that has
// nothing to forget it changes nothing.
//
// A blocked card needs the permission for privileged changes of status.
func (s *Service) UnblockPIN(ctx context.Context, c access.Caller, token string, in PINRequest) (IssuedCard, error) {
	var out IssuedCard
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		var err error
		if out, err = s.issuedCard(ctx, tx, c, token, 0); err != nil {
			return err
		}
		now := c.Now(s.Clock)
		status, done, err := unblock(ctx, tx, c, out.Card.ID, now)
		if err != nil || !done {
			return err
		}
		if err := raisePIN(ctx, tx, c, EventPINUnblocked, out.Card.ID, now, status, ""); err != nil {
			return err
		}
		a := s.cardAct(c, "PinUnblock", out.Card)
		a.Description = in.describe()
		if err := audit.Append(ctx, tx, a); err != nil {
			return err
		}
		out, err = s.issuedCard(ctx, tx, c, token, 0)
		return err
	})
	return out, err
}

// describe is what the record says of why.
func (in PINRequest) describe() string {
	if in.Reason == "" || in.Description == "" {
		return in.Reason + in.Description
	}
	return in.Reason + ": " + in.Description
}

// unblock resets the tries of a card's number under its lock.
func unblock(ctx context.Context, tx db.Tx, c access.Caller, card id.ID[Card], now time.Time) (s PINStatus, done bool, err error) {
	states, err := LockCardStates(ctx, tx, []id.ID[Card]{card})
	if err != nil {
		return "", false, err
	}
	at := states[card]
	switch {
	case at.Status == Blocked && !c.May(access.IssuingCardStatusPrivileged):
		return "", false, errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
	case !slices.Contains([]CardStatus{Active, Inactive, Blocked}, at.Status):
		return "", false, errStatusNotSuitable.With("status", string(at.Status)).With("operation", "pin/unblock")
	case at.PINStatus == PINNotSet:
		return "", false, errPINNotSet
	}
	plastics := ShareTries(states, card)
	made, err := madeOf(ctx, tx, plastics)
	if err != nil {
		return "", false, err
	}
	var changed []CardState
	for _, k := range plastics {
		p := states[k]
		if p.PINStatus == PINNotSet { // only the tries of the number are forgotten
			p.PINTryCount = 0
			changed = append(changed, p)
			continue
		}
		done = done || p.PINTryCount > 0 || p.PINStatus == PINBlocked
		p.PINTryCount = 0
		// The host does not know how many tries the chip has counted.
		if bringsPIN(made[k]) && !p.Status.IsFinal() && p.Script == NoScript {
			p.Script, p.ScriptATC, done = ScriptUnblock, -1, true
		}
		p.PINStatus = p.openPIN()
		if k == card {
			s = p.PINStatus
		}
		changed = append(changed, p)
	}
	if !done {
		return s, false, nil
	}
	_, err = saveStates(ctx, tx, changed, c.Real(now))
	return s, err == nil, err
}

// resetBatch is how many cards are reset in one transaction.
const resetBatch = 200

// ResetTries forgets, once a day after midnight in the zone of each tenant that
// wants it, the wrong tries of its PINs, and unblocks those that are blocked.
func (s *Service) ResetTries(ctx context.Context) (total int, err error) {
	var tenants []access.Tenant
	err = s.DB.View(ctx, func(tx db.Tx) (err error) {
		tenants, err = access.Tenants(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list tenants: %w", err)
	}
	for _, t := range tenants {
		n, err := s.ResetTriesOf(ctx, t)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// ResetTriesOf is ResetTries for one tenant.
func (s *Service) ResetTriesOf(ctx context.Context, t access.Tenant) (int, error) {
	n, err := s.resetTenant(ctx, access.System(t))
	if err != nil {
		return n, fmt.Errorf("reset PIN tries of %s: %w", t.ID, err)
	}
	return n, nil
}

func (s *Service) resetTenant(ctx context.Context, c access.Caller) (total int, err error) {
	due, day := false, ""
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil || !cfg.Attributes.PINCounterDailyReset {
			due = false
			return err
		}
		day = clock.DateOf(c.Now(s.Clock), cfg.Tenant.Zone).String()
		due, err = claimReset(ctx, tx, c.Tenant, day)
		return err
	})
	for due && err == nil {
		var n int
		err = s.DB.InTx(ctx, func(tx db.Tx) error {
			cards, err := tried(ctx, tx, c.Tenant, resetBatch)
			if n = len(cards); err != nil || n == 0 {
				return err
			}
			return s.forgetTries(ctx, tx, c, cards)
		})
		if total += n; n == 0 {
			break
		}
	}
	if !due || err != nil {
		return total, err
	}
	return total, s.DB.InTx(ctx, func(tx db.Tx) error { return finishReset(ctx, tx, c.Tenant, day) })
}

// forgetTries resets the tries of cards. What was blocked is told and recorded
// as unblocked.
func (s *Service) forgetTries(ctx context.Context, tx db.Tx, c access.Caller, cards []id.ID[Card]) error {
	now := c.Now(s.Clock)
	states, err := LockCardStates(ctx, tx, cards)
	if err != nil {
		return err
	}
	var changed, unblocked []CardState
	for _, k := range slices.SortedFunc(maps.Keys(states), id.ID[Card].Compare) {
		p := states[k]
		if p.PINTryCount == 0 {
			continue
		}
		wasBlocked := p.PINStatus == PINBlocked
		if p.PINTryCount = 0; wasBlocked {
			p.PINStatus = p.openPIN()
			if !slices.ContainsFunc(unblocked, func(o CardState) bool { return o.number == p.number }) {
				unblocked = append(unblocked, p) // told once for a number
			}
		}
		changed = append(changed, p)
	}
	if _, err := saveStates(ctx, tx, changed, c.Real(now)); err != nil {
		return err
	}
	var acts []audit.Act
	for _, p := range unblocked {
		card, found, err := readCardByID(ctx, tx, c.Tenant, p.ID)
		if err != nil || !found {
			return fmt.Errorf("read card %s: %w", p.ID, db.Missing(err))
		}
		if err := raisePIN(ctx, tx, c, EventPINUnblocked, p.ID, now, p.PINStatus, ""); err != nil {
			return err
		}
		acts = append(acts, s.cardAct(c, "PinUnblock", card))
	}
	return appendAll(ctx, tx, acts)
}
