package issuing

import (
	"context"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// keptPIN is what is stored of a PIN: its verifier, and the PIN itself under the
// storage key where somebody needs it later.
type keptPIN struct {
	verifier hsm.Verifier
	block    []byte
}

// writePIN gives a plastic another PIN, with no wrong try against it. Its row is
// locked.
func writePIN(ctx context.Context, tx db.Tx, card id.ID[Card], p keptPIN, s PINStatus, script ChipScript, now time.Time) error {
	method, value, pvki := verifierRow(p.verifier)
	_, err := tx.Exec(ctx, `UPDATE card SET pin_status = $2, pin_try_count = 0, pin_method = $3, pin_value = $4, pvki = $5,
			pin_changed_at = $6, updated_at = $6, pin_block = $7, chip_script = $8, chip_script_atc = -1
		WHERE id = $1`, card, string(s), method, value, pvki, clock.Micros(now), p.block, string(script))
	return err
}

// ForgetPINs erases the kept PINs of cards whose chips have learned them.
func ForgetPINs(ctx context.Context, tx db.Tx, cards []id.ID[Card]) error {
	for _, card := range cards {
		if _, err := tx.Exec(ctx, `UPDATE card SET pin_block = NULL WHERE id = $1 AND chip_script = ''`, card); err != nil {
			return err
		}
	}
	return nil
}

// madeOf returns of cards what their chips and products are.
func madeOf(ctx context.Context, tx db.Tx, cards []id.ID[Card]) (map[id.ID[Card]]Card, error) {
	made := map[id.ID[Card]]Card{}
	lookup := db.Lookup{Head: `SELECT id, product_code, chip_profile, form_factor FROM card WHERE id IN `}
	err := lookup.Query(ctx, tx, nil, id.Texts(cards), func(row db.Scanner) error {
		var c Card
		err := row.Scan(&c.ID, &c.ProductCode, &c.ChipProfile, &c.FormFactor)
		made[c.ID] = c
		return err
	})
	return made, err
}

// savePIN keeps another PIN for all plastics of a card's number, when the card
// is in one of the statuses and has the PIN that was read. It returns the status
// the card's PIN is in then; kept is false, and nothing has changed, otherwise.
// So it is when a plastic has come meanwhile that needs the PIN itself, and p
// does not have it.
func savePIN(ctx context.Context, tx db.Tx, u cardInUse, p keptPIN, now time.Time, in []CardStatus) (s PINStatus, kept bool, err error) {
	states, err := LockCardStates(ctx, tx, []id.ID[Card]{u.ID})
	if err != nil {
		return "", false, err
	}
	if at := states[u.ID]; !slices.Contains(in, at.Status) || !at.PINChangedAt.Equal(u.PINChangedAt) {
		return "", false, nil
	}
	plastics := ShareTries(states, u.ID)
	made, err := madeOf(ctx, tx, plastics)
	if err != nil {
		return "", false, err
	}
	needs := func(k id.ID[Card]) bool {
		return !states[k].Status.IsFinal() && keepsPIN(u.cfg.Products[made[k].ProductCode], made[k])
	}
	if len(p.block) == 0 && slices.ContainsFunc(plastics, needs) {
		return "", false, nil
	}
	for _, k := range plastics {
		script, status, mine := NoScript, PINActive, p
		if !needs(k) {
			mine.block = nil
		} else if bringsPIN(made[k]) {
			script, status = ScriptPINChange, PINPendingChipUpdate
		}
		if k == u.ID {
			s = status
		}
		if err := writePIN(ctx, tx, k, mine, status, script, now); err != nil {
			return "", false, err
		}
	}
	return s, true, nil
}

// claimReset notes that the tries of a tenant's PINs are being reset on a day,
// and reports whether they are still to be. The first day that is ever noted
// needs none.
func claimReset(ctx context.Context, tx db.Tx, tenant access.TenantID, day string) (due bool, err error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO pin_reset (tenant_id, done_on) VALUES ($1, $2) ON CONFLICT (tenant_id) DO NOTHING`,
		tenant, day))
	if err != nil || n == 1 {
		return false, err
	}
	return doneBefore(ctx, tx, tenant, day)
}

func doneBefore(ctx context.Context, tx db.Tx, tenant access.TenantID, day string) (due bool, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) > 0 FROM pin_reset WHERE tenant_id = $1 AND done_on < $2`, tenant, day).Scan(&due)
	return due, err
}

func finishReset(ctx context.Context, tx db.Tx, tenant access.TenantID, day string) error {
	_, err := tx.Exec(ctx, `UPDATE pin_reset SET done_on = $2 WHERE tenant_id = $1 AND done_on < $2`, tenant, day)
	return err
}

// tried returns cards of a tenant against whose PIN there are wrong tries.
func tried(ctx context.Context, tx db.Tx, tenant access.TenantID, limit int) ([]id.ID[Card], error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (card id.ID[Card], err error) {
		err = row.Scan(&card)
		return card, err
	}, `SELECT id FROM card WHERE tenant_id = $1 AND pin_try_count > 0 ORDER BY id LIMIT $2`, tenant, int64(limit))
}
