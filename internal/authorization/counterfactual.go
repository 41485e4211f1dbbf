package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Change is what of a declined request another one would have had otherwise.
type Change string

// The changes, in the order in which they are tried.
const (
	AnotherAmount Change = "Amount"
	AnotherTime   Change = "Time"
	WithPIN       Change = "Pin"
	With3DSecure  Change = "ThreeDSecure"
)

// Counterfactual is the nearest change that would have approved a declined
// request, everything else as it was (ADR 0023).
type Counterfactual struct {
	Change Change
	// Amount is that of AnotherAmount, as the terminal would have asked for it: the
	// highest below the one that was declined or, where that was too low, the lowest
	// above it. Billing is what it comes to in the account's currency.
	Amount, Billing money.Amount
	// At is that of AnotherTime: the first moment after the request's.
	At time.Time
}

// String is a sentence for people.
func (c Counterfactual) String() string {
	switch c.Change {
	case AnotherAmount:
		if c.Billing.Currency() != c.Amount.Currency() {
			return fmt.Sprintf("%s (%s) would have been approved", c.Amount, c.Billing)
		}
		return c.Amount.String() + " would have been approved"
	case AnotherTime:
		return "it would be approved from " + c.At.UTC().Format(time.RFC3339) + " on"
	case WithPIN:
		return "with the PIN it would have been approved"
	}
	return "authenticated by 3-D Secure it would have been approved"
}

func (c *Counterfactual) visit(d *codec) {
	visitText(d, "counterfactual.change", &c.Change)
	d.amount("counterfactual.amount", &c.Amount)
	d.amount("counterfactual.billing", &c.Billing)
	d.time("counterfactual.at", &c.At)
}

// Counterfactuals finds what would have approved declined requests, by deciding
// again on what was recorded with one thing changed. It is safe for concurrent
// use.
type Counterfactuals struct {
	binder
	db *db.DB
}

// NewCounterfactuals returns them on an open database. Without controls none
// holds.
func NewCounterfactuals(d *db.DB, programs Programs, controls Controls) *Counterfactuals {
	return &Counterfactuals{binder{programs: programs, controls: controls}, d}
}

// mayHelp are the reasons that another amount or time, a PIN or 3-D Secure may
// take away. A status, a wrong secret and what never was a payment are not among
// them.
var mayHelp = map[Reason]bool{
	PINRequired: true, ThreeDSRequired: true, ControlDeclined: true, Referred: true, VelocityAmount: true, VelocityCount: true,
	InsufficientFunds: true,
}

// ask returns the counterfactual of a transaction: what was found when it was first
// asked for, or what is found now, which is kept; nil when there is none, or when it
// cannot be told any more.
func (c *Counterfactuals) ask(ctx context.Context, t TransactionID, r *record) (*Counterfactual, error) {
	var kept map[TransactionID]*Counterfactual
	err := c.db.View(ctx, func(tx db.Tx) (err error) {
		kept, err = readCounterfactuals(ctx, tx, []TransactionID{t})
		return err
	})
	if kept[t] != nil || err != nil {
		return kept[t], err
	}
	found, err := c.find(ctx, r)
	if found == nil || err != nil {
		return nil, err
	}
	return found, c.keep(ctx, map[TransactionID]*Counterfactual{t: found})
}

// keep keeps what was found, for whoever asks when the configuration has changed.
func (c *Counterfactuals) keep(ctx context.Context, all map[TransactionID]*Counterfactual) error {
	if len(all) == 0 {
		return nil
	}
	err := c.db.InTx(ctx, func(tx db.Tx) error { return insertCounterfactuals(ctx, tx, all) })
	if err != nil {
		return fmt.Errorf("keep what would have been approved: %w", err)
	}
	return nil
}

// find returns the counterfactual of a recorded decision; nil when there is none,
// or when it cannot be told: the configuration has changed since.
func (c *Counterfactuals) find(ctx context.Context, r *record) (*Counterfactual, error) {
	if r.Request.Flow.IsAdvice() || r.Request.Flow.IsReversal() {
		return nil, nil
	}
	if d := decide(&r.Request, &r.Facts, r.State); d.Status != StatusDeclined || !mayHelp[d.Reason] {
		return nil, nil
	}
	q, found, err := c.inquire(ctx, r)
	if !found || err != nil {
		return nil, err
	}
	for _, try := range []func(context.Context) (*Counterfactual, error){q.byAmount, q.byTime, q.byPIN, q.by3DSecure} {
		if found, err := try(ctx); found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}
