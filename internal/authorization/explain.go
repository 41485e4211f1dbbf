package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Codes of the faults this package raises.
const (
	TransactionNotFound fault.Code = "transaction_not_found"
	TransactionInUse    fault.Code = "transaction_in_use"
)

// Codes lists them, for the totality tests of the families. ErrBusy never
// reaches one: it answers messages only.
var Codes = append([]fault.Code{TransactionNotFound, TransactionInUse}, fault.CodesOf(errReplayTime, errReplayNotFound, errReplaysAtOnce)...)

// Queries reads what was decided. It is safe for concurrent use.
type Queries struct {
	db              *db.DB
	counterfactuals *Counterfactuals
	clock           clock.Clock
}

// NewQueries returns the queries on an open database. Without counterfactuals
// none are told.
func NewQueries(d *db.DB, c *Counterfactuals, k clock.Clock) *Queries { return &Queries{d, c, k} }

// Explanation is a transaction with how it was decided.
type Explanation struct {
	Transaction Transaction
	Trace       Trace
	// Times is what it took until it was written; its own commit, and what came
	// after that, only the log has.
	Times Times
	// ConfigurationHash identifies the configuration the decision ran under;
	// ConfigurationVersion is its number in the tenant.
	ConfigurationHash    string
	ConfigurationVersion int64
	// Recomputed says that deciding again from what was recorded gives the
	// same decision; Difference says what differs when it does not.
	Recomputed bool
	Difference string
	// Limits are the velocity controls that counted it, by code.
	Limits []LimitUse
	// Counterfactual is what would have approved a declined request; nil when
	// nothing would, or when it cannot be told any more.
	Counterfactual *Counterfactual
}

// Refusal is the check that refused the transaction or, of one that stands for
// several controls, the part that did; nil when none did.
func (x *Explanation) Refusal() *Check {
	if c := x.Trace.decisive(x.Transaction.Reason); c != nil && x.Transaction.Reason != Approved {
		return c.Decisive()
	}
	return nil
}

// Explain returns how a transaction of the caller's tenant was decided, and
// decides it again to show that the record is whole. Presentments and other
// clearing records were not decided: their trace is empty.
func (q *Queries) Explain(ctx context.Context, c access.Caller, t TransactionID) (Explanation, error) {
	return q.explain(ctx, t, func(x *Transaction) bool { return x.Tenant == c.Tenant })
}

// ExplainAny is Explain for the operator of the platform, across tenants.
func (q *Queries) ExplainAny(ctx context.Context, t TransactionID) (Explanation, error) {
	return q.explain(ctx, t, func(*Transaction) bool { return true })
}

func (q *Queries) explain(ctx context.Context, t TransactionID, mine func(*Transaction) bool) (Explanation, error) {
	var x Explanation
	var r *record
	err := q.db.View(ctx, func(tx db.Tx) error {
		found, err := ReadTransactions(ctx, tx, []TransactionID{t})
		if err != nil {
			return err
		}
		if found[t] == nil || !mine(found[t]) {
			return fault.New(fault.NotFound, TransactionNotFound, "there is no such transaction")
		}
		held, err := ledger.ReadHolds(ctx, tx, []ledger.HoldID{found[t].Hold})
		if err != nil {
			return err
		}
		if err := tellAwaited(ctx, tx, []*Transaction{found[t]}, held); err != nil {
			return err
		}
		x.Transaction = *found[t]
		d, decided, err := findDecision(ctx, tx, t)
		if err != nil || !decided {
			return err
		}
		x.Trace, x.Times, x.ConfigurationHash = d.trace, d.times, d.configuration
		if r, err = parseRecord(d.record); err != nil {
			return err
		}
		x.ConfigurationVersion = r.Facts.ConfigurationVersion
		x.Limits = r.limitUses()
		var again Trace
		if again, x.Difference = recompute(r, d, found[t]); x.Difference == "" {
			x.Recomputed, x.Trace = true, again
		}
		return nil
	})
	if err == nil && r != nil && q.counterfactuals != nil {
		if x.Recomputed {
			x.Counterfactual, err = q.counterfactuals.ask(ctx, t, r)
		}
		if err == nil {
			err = q.tellRules(ctx, r, &x)
		}
	}
	if err != nil {
		return Explanation{}, fmt.Errorf("explain: %w", err)
	}
	return x, nil
}

// recompute decides again from the record and says how that differs from what
// was stored; empty when it does not. The trace tells of each part what it
// compared.
func recompute(r *record, d storedDecision, t *Transaction) (whole Trace, difference string) {
	again := decide(&r.Request, &r.Facts, r.State)
	return again.Trace, divergence(&again, r, d.trace.String(), d.configuration, t)
}

// divergence says how what is decided again from a record differs from what was
// stored; empty when it does not.
func divergence(again *Decision, r *record, trace, configuration string, t *Transaction) string {
	switch {
	case again.Trace.String() != trace:
		return "the checks end otherwise"
	case again.Reason != t.Reason:
		return fmt.Sprintf("reason %q instead of %q", again.Reason, t.Reason)
	case again.Reason == Approved && again.Approved != t.Billing:
		return fmt.Sprintf("approved %s instead of %s", again.Approved, t.Billing)
	case (again.Hold.Sign() > 0) != (t.Hold == r.Facts.Hold):
		return "what was held is not what was decided"
	case r.Facts.Transaction != t.ID:
		return "the record belongs to another transaction"
	case r.Facts.ConfigurationHash != configuration:
		return "the record ran under another configuration"
	}
	return ""
}
