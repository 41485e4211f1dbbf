package authorizationtest

import (
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Listen makes somebody want to hear of these events of the world's tenant from
// now on, and of no others.
func (w *World) Listen(patterns ...string) {
	w.T.Helper()
	must(w.T, w.DB.InTx(w.T.Context(), func(tx db.Tx) error {
		return outbox.ChangeInterest(w.T.Context(), tx, w.Caller.Tenant.String(), func() (outbox.Interest, error) { return patterns, nil })
	}))
}

// Told are the events about transactions that were raised since the last call,
// oldest first.
func (w *World) Told() []authorization.TransactionEvent {
	w.T.Helper()
	var all []authorization.TransactionEvent
	must(w.T, w.DB.View(w.T.Context(), func(tx db.Tx) error {
		waiting, err := outbox.WaitingEvents(w.T.Context(), tx, w.Caller.Tenant.String())
		if err != nil {
			return err
		}
		for _, m := range waiting {
			if !strings.HasPrefix(m.Name, "transaction.") && m.Name != authorization.EventControlAlert && m.Name != authorization.EventVelocityThreshold {
				continue
			}
			e, err := authorization.ParseTransactionEvent(m.Payload)
			if err != nil {
				return err
			}
			e.Name = m.Name
			if m.Key != e.Card.IssuanceNo || m.Key == "" {
				return fmt.Errorf("%s has the key %q", m.Name, m.Key)
			}
			all = append(all, e)
		}
		return nil
	}))
	fresh := all[w.told:]
	w.told = len(all)
	return fresh
}

// TellEvents puts events into words.
func TellEvents(all []authorization.TransactionEvent) string {
	var lines []string
	for _, e := range all {
		t := e.Transaction
		line := fmt.Sprintf("%s: %s %s %s", e.Name, t.Flow, t.Billing, t.Status)
		if t.Reason != "" {
			line += " " + string(t.Reason)
		}
		if !e.Held.Currency().IsZero() {
			line += fmt.Sprintf(", held %s", e.Held)
		}
		if o := e.Original; o != nil {
			line += fmt.Sprintf("; the original is %s, reversed %s, cleared %s, refunded %s", o.Status, o.Reversed, o.Cleared, o.Refunded)
		}
		if c := e.Alert; c != nil {
			kind, _, _ := strings.Cut(c.Link, "/")
			line += fmt.Sprintf("; %s: %s for the %s", c.Code, c.Action, kind)
		}
		if r := e.Record; r != nil {
			line += fmt.Sprintf("; presented %s: %s", r.Amount, r.MatchStatus)
			if len(r.Causes) > 0 {
				line += " " + strings.Join(r.Causes, ", ")
			}
		}
		if a := e.Velocity; a != nil {
			line += fmt.Sprintf("; %s at %d%%, from %d%%, in %d of %d", a.Code, a.Percent, a.Threshold, a.UsedCount, a.LimitCount)
			if a.LimitAmount != nil {
				line += fmt.Sprintf(", %s of %s", a.Used, a.LimitAmount)
			}
			if a.IsExceeded {
				line += ", exceeded"
			}
		}
		lines = append(lines, line)
	}
	if lines == nil {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}
