package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewSlipType is a cardholder's choice of slips.
type NewSlipType struct {
	Type    program.DigitalSlipType
	Channel string // through which the cardholder chose
}

// SlipResult is what became of a [NewSlipType].
type SlipResult struct {
	CardToken     string
	Previous      program.DigitalSlipType
	Type          program.DigitalSlipType
	EffectiveFrom time.Time
}

// ChangeSlipType records which slips the holder of a card wants; it holds from
// this moment. A closed card has none to choose any more.
func (s *Service) ChangeSlipType(ctx context.Context, c access.Caller, token string, in NewSlipType) (SlipResult, error) {
	var v fault.Checks
	fault.OneOf(&v, "digitalSlipType", in.Type, []program.DigitalSlipType{program.PaperAlways, program.DigitalBelowContactlessLimit, program.DigitalAlways})
	if err := v.Err(errInvalid); err != nil {
		return SlipResult{}, err
	}
	var out SlipResult
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		k, err := s.lockedCard(ctx, tx, c, token, "digital-slip-type")
		if err != nil {
			return err
		}
		now := c.Now(s.Clock)
		out = SlipResult{CardToken: k.card.Token, Previous: k.issuance.DigitalSlipType, Type: in.Type, EffectiveFrom: now}
		if out.Previous == in.Type {
			return nil
		}
		k.issuance.DigitalSlipType, k.issuance.UpdatedAt = in.Type, now
		if err := saveIssuance(ctx, tx, k.issuance); err != nil {
			return fmt.Errorf("save slip type: %w", err)
		}
		return s.recordUpkeep(ctx, tx, c, k.card, upkeep{
			action: "DigitalSlipChange", channel: in.Channel,
			changes: changeOf("digitalSlipType", string(out.Previous), string(out.Type)),
		})
	})
	return out, err
}
