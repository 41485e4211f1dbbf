package issuing

import (
	"context"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// upkeep is an act on what is kept of a card, for the audit record.
type upkeep struct {
	stream               audit.Stream // empty: that of cards
	action               string
	channel, description string
	changes              []audit.Change
}

// recordUpkeep writes an act into the audit chain, at the end of its
// transaction.
func (s *Service) recordUpkeep(ctx context.Context, tx db.Tx, c access.Caller, card Card, u upkeep) error {
	a := s.cardAct(c, u.action, card)
	if u.stream != "" {
		a.Stream = u.stream
	}
	a.Channel, a.Description, a.Changes = channelOf(c, u.channel), u.description, u.changes
	return audit.Append(ctx, tx, a)
}

// changeOf is one property before and after.
func changeOf(property, before, after string) []audit.Change {
	return []audit.Change{{Property: property, Old: &before, New: &after}}
}

// policyChanges is what differs between two lists of stored switches, of those
// that were set for the card; a timed one has its times beside its position.
func policyChanges(before, after []CardPolicy) []audit.Change {
	var names []string
	for _, t := range program.PolicyTypes() {
		names = append(names, string(t), string(t)+timed)
	}
	return audit.Differences(names, ownPolicies(before), ownPolicies(after))
}

// timed ends the name under which a switch with a period is told.
const timed = ".timed"

func ownPolicies(all []CardPolicy) map[string]string {
	texts := map[string]string{}
	for _, p := range all {
		if !p.FromCard {
			continue
		}
		name, text := string(p.Type), strconv.FormatBool(p.IsAllowed)
		if p.IsTimed() {
			name += timed
		}
		if p.StartsAt != nil {
			text += " from " + p.StartsAt.UTC().Format(time.RFC3339)
		}
		if p.EndsAt != nil {
			text += " until " + p.EndsAt.UTC().Format(time.RFC3339)
		}
		texts[name] = text
	}
	return texts
}
