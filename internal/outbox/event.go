package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Event is a fact that others may want to know.
type Event struct {
	Tenant        string // the text of its id
	Name          string // in the past tense, by who owns the fact: customer.created
	Key           string // events of one key are told in their order: the issuance number, else the customer number
	Payload       []byte // what the domain tells of it, in a form its encoder knows; no card numbers, no secrets
	CorrelationID string
	At            clock.Real
}

// IDPrefix is the prefix of event identifiers.
func (Event) IDPrefix() string { return "evt" }

// Add writes events in tx, whether or not anybody wants to hear of them. Those
// of one key are told in the order in which they were written, where the
// transactions that wrote them waited for one another.
func Add(ctx context.Context, tx db.Tx, events ...Event) error {
	if err := insertEvents(ctx, tx, events); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// Interest is which events of a tenant somebody wants to hear of: names,
// "card.*" or "*".
type Interest []string

// Wants reports whether somebody wants to hear of an event of this name.
func (i Interest) Wants(name string) bool {
	return slices.ContainsFunc(i, func(pattern string) bool { return Matches(pattern, name) })
}

// Matches reports whether a name of an event is what a pattern means: itself,
// "card.*" or "*".
func Matches(pattern, name string) bool {
	prefix, all := strings.CutSuffix(pattern, "*")
	return pattern == name || all && strings.HasPrefix(name, prefix)
}

// Interests returns what of the tenants somebody wants to hear of, as it is for
// tx. Who makes events by the thousand asks first, and leaves out what nobody
// wants. A tenant of whom nobody wants anything is missing.
func Interests(ctx context.Context, tx db.Tx, tenants []string) (map[string]Interest, error) {
	all, err := readInterests(ctx, tx, tenants)
	if err != nil {
		return nil, fmt.Errorf("read who wants events: %w", err)
	}
	return all, nil
}

// ChangeInterest lets f say what of a tenant is wanted from tx on. Of two
// changes at once one waits for the other.
func ChangeInterest(ctx context.Context, tx db.Tx, tenant string, f func() (Interest, error)) error {
	if err := takeTurn(ctx, tx, tenant); err != nil {
		return fmt.Errorf("take the turn: %w", err)
	}
	wanted, err := f()
	if err != nil {
		return err
	}
	slices.Sort(wanted)
	if err := saveInterest(ctx, tx, tenant, slices.Compact(wanted)); err != nil {
		return fmt.Errorf("write who wants events: %w", err)
	}
	return nil
}

// WaitingEvent is an event that was not given on yet.
type WaitingEvent struct {
	Event
	ID       id.ID[Event]
	Attempts int // to give it on that failed

	position int64
}

// WaitingEvents returns the events of a tenant that were not given on yet,
// oldest first.
func WaitingEvents(ctx context.Context, tx db.Tx, tenant string) ([]WaitingEvent, error) {
	return readEvents(ctx, tx, tenant)
}
