package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// traitLookup finds transactions of a card by any of their traits; the index on
// issuance and time leads, so that only its recent ones are looked at.
var traitLookup = &db.Bulk{
	Head: "WITH v (ref, tenant_id, issuance_id, card_id, since, network_id, code, rrn, stan, minor, currency) AS (VALUES ", Columns: 11,
	Types: []string{"BIGINT", "TEXT", "TEXT", "TEXT", "BIGINT", "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "TEXT"},
	Tail: `) SELECT v.ref, t.id, t.root_id FROM v JOIN card_transaction t
			ON t.issuance_id = v.issuance_id AND t.created_at >= v.since AND t.card_id = v.card_id AND t.tenant_id = v.tenant_id
		WHERE t.flow IN ('AuthorizationRequest', 'FinancialRequest', 'AuthorizationAdvice', 'FinancialAdvice')
			AND t.status NOT IN ('Failed', 'Pending')
			AND ((v.network_id <> '' AND t.network_transaction_id = v.network_id)
				OR (v.code <> '' AND t.authorization_code = v.code)
				OR (v.rrn <> '' AND t.rrn = v.rrn)
				OR (v.stan <> '' AND t.stan = v.stan)
				OR (t.transaction_amount = v.minor AND t.transaction_currency = v.currency))
		ORDER BY t.id`,
}

// Found is a transaction that has one of the traits asked for, and the first of
// its life cycle.
type Found struct{ ID, Root TransactionID }

// FindByTraits returns, for each trait's Ref, the authorizations and financial
// messages that agree with it in at least one point. Which of them is meant is
// for the caller to judge.
func FindByTraits(ctx context.Context, tx db.Tx, traits []Trait) (map[int][]Found, error) {
	args := make([]any, 0, len(traits)*traitLookup.Columns)
	for _, t := range traits {
		args = append(args, t.Ref, t.Tenant, t.Issuance, t.Card, clock.Micros(t.Since), t.NetworkTransactionID, t.AuthorizationCode,
			t.RRN, t.STAN, t.Amount.Minor(), t.Amount.Currency().Code())
	}
	found := map[int][]Found{}
	err := traitLookup.Query(ctx, tx, args, func(s db.Scanner) error {
		var ref int
		var f Found
		if err := s.Scan(&ref, &f.ID, &f.Root); err != nil {
			return err
		}
		found[ref] = append(found[ref], f)
		return nil
	})
	return found, err
}

var chainLookup = &db.Lookup{
	Head: "SELECT " + transactionColumns + " FROM card_transaction WHERE root_id IN ",
	Tail: ` AND flow IN ('AuthorizationRequest', 'FinancialRequest', 'AuthorizationAdvice', 'FinancialAdvice')
		AND status NOT IN ('Declined', 'Failed', 'Pending') ORDER BY id`,
}

// ReadChains returns what was approved in the life cycles that begin with
// roots, in the order in which it came: authorizations, increments,
// completions, single-message items. What it returns stays true only while
// the locks of their accounts are held.
func ReadChains(ctx context.Context, tx db.Tx, roots []TransactionID) (map[TransactionID][]*Transaction, error) {
	chains := make(map[TransactionID][]*Transaction, len(roots))
	err := chainLookup.Query(ctx, tx, nil, id.Texts(roots), func(s db.Scanner) error {
		t, err := scanTransaction(s)
		if err == nil {
			chains[t.Root] = append(chains[t.Root], t)
		}
		return err
	})
	return chains, err
}

// wasPresented reports whether something of a life cycle was presented before.
func wasPresented(ctx context.Context, tx db.Tx, root TransactionID) (bool, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, "SELECT COUNT(*) FROM card_transaction WHERE root_id = $1 AND flow = 'Clearing'", root)
	return n > 0, err
}

// wasPresentedBefore reports the same as of one of its transactions.
func wasPresentedBefore(ctx context.Context, tx db.Tx, root, t TransactionID) (bool, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, "SELECT COUNT(*) FROM card_transaction WHERE root_id = $1 AND flow = 'Clearing' AND id < $2", root, t)
	return n > 0, err
}

// clearedRule says that what an authorization shows as cleared is what its
// presentments posted. Forced ones stand for themselves, and a single-message
// item is confirmed, not posted.
var clearedRule = ledger.Rule{
	Name: "an authorization's cleared amount is the sum of its presentments",
	Count: `SELECT COUNT(*) FROM card_transaction WHERE id = root_id AND is_debit
		AND flow IN ('AuthorizationRequest', 'AuthorizationAdvice', 'FinancialAdvice') AND hold_id IS NOT NULL`,
	Broken: `SELECT a.id FROM card_transaction a
		LEFT JOIN card_transaction p ON p.root_id = a.id AND p.is_debit AND NOT p.is_force_post
			AND (p.flow = 'Clearing' OR p.flow = 'FinancialAdvice' AND p.hold_id IS NULL)
		WHERE a.id = a.root_id AND a.is_debit AND a.hold_id IS NOT NULL
			AND a.flow IN ('AuthorizationRequest', 'AuthorizationAdvice', 'FinancialAdvice')
		GROUP BY a.id, a.cleared_amount
		HAVING SUM(CASE WHEN p.flow = 'FinancialAdvice' THEN 1 ELSE 0 END) = 0
			AND a.cleared_amount <> COALESCE(SUM(p.billing_amount - p.reversed_amount), 0)`,
}

// refundedRule says the same of refunds.
var refundedRule = ledger.Rule{
	Name:  "a purchase's refunded amount is the sum of its refunds",
	Count: "SELECT COUNT(*) FROM card_transaction WHERE refunded_amount <> 0",
	Broken: `SELECT a.id FROM card_transaction a
		LEFT JOIN card_transaction p ON p.original_id = a.id AND p.flow = 'Refund' AND NOT p.is_force_post
		WHERE a.refunded_amount <> 0
		GROUP BY a.id, a.refunded_amount
		HAVING a.refunded_amount <> COALESCE(SUM(p.billing_amount - p.reversed_amount), 0)`,
}

// VerifyCleared checks what clearing keeps on transactions.
func VerifyCleared(ctx context.Context, tx db.Tx) ([]ledger.Invariant, error) {
	return ledger.RunRules(ctx, tx, []ledger.Rule{clearedRule, refundedRule})
}
