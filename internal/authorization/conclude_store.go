package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/money"
)

var (
	transactionConclude = &db.Bulk{
		Head: `WITH v (id, status, reason, response_code, authorization_code, hold_id, billing_amount, pin_result, arqc_result, cvv_result,
			cvv2_result, cvm_method, declined_by, declined_subject, declined_text, decided_by, client_reference, posted_after, available_after, updated_at, additional_amounts) AS (VALUES `,
		Columns: 21,
		Types: []string{
			"TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "TEXT", "TEXT", "TEXT",
			"TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "TEXT",
		},
		Tail: `) UPDATE card_transaction SET status = v.status, reason = v.reason, response_code = v.response_code,
			authorization_code = v.authorization_code, hold_id = v.hold_id, billing_amount = v.billing_amount, pin_result = v.pin_result,
			arqc_result = v.arqc_result, cvv_result = v.cvv_result, cvv2_result = v.cvv2_result, cvm_method = v.cvm_method,
			declined_by = v.declined_by, declined_subject = v.declined_subject, declined_text = v.declined_text, decided_by = v.decided_by, client_reference = v.client_reference,
			posted_after = v.posted_after, available_after = v.available_after, updated_at = v.updated_at,
			additional_amounts = v.additional_amounts
			FROM v WHERE card_transaction.id = v.id AND card_transaction.status = 'Pending'`,
	}
	messageConclude = &db.Bulk{
		Head: "WITH v (key, answer) AS (VALUES ", Columns: 2, Types: []string{"TEXT", "TEXT"},
		Tail: ") UPDATE message SET answer = v.answer FROM v WHERE message.key = v.key",
	}
	decisionConclude = &db.Bulk{
		Head: "WITH v (id, record, trace, micros) AS (VALUES ", Columns: 4, Types: []string{"TEXT", "BYTEA", "BYTEA", "TEXT"},
		Tail: ") UPDATE decision SET record = v.record, trace = v.trace, micros = v.micros FROM v WHERE decision.transaction_id = v.id",
	}
)

func concludeTransactions(ctx context.Context, tx db.Tx, all []concluded, at func(access.TenantID) time.Time) error {
	args := make([]any, 0, len(all)*transactionConclude.Columns)
	for _, c := range all {
		t := c.transaction
		var posted, available any
		if t.HasBalance {
			posted, available = t.PostedAfter.Minor(), t.AvailableAfter.Minor()
		}
		args = append(args, t.ID, t.Status, t.Reason, t.ResponseCode, t.AuthorizationCode, t.Hold, t.Billing.Minor(), t.PIN, t.ARQC, t.CVV,
			t.CVV2, t.CVM, t.DeclinedBy, t.DeclinedSubject, t.DeclinedText, t.DecidedBy, t.ClientReference, posted, available, clock.Micros(at(t.Tenant)),
			fee.AdditionalDocument(t.Additional))
	}
	return transactionConclude.Exec(ctx, tx, args)
}

func concludeMessages(ctx context.Context, tx db.Tx, all []concluded) error {
	args := make([]any, 0, len(all)*messageConclude.Columns)
	for _, c := range all {
		args = append(args, c.message.key, c.message.answer.String())
	}
	return messageConclude.Exec(ctx, tx, args)
}

func concludeDecisions(ctx context.Context, tx db.Tx, all []concluded) error {
	args := make([]any, 0, len(all)*decisionConclude.Columns)
	for _, c := range all {
		args = append(args, c.decision.transaction, Packed(c.decision.record), Packed(c.decision.trace.String()), c.decision.times.micros())
	}
	return decisionConclude.Exec(ctx, tx, args)
}

// sumStoodIn is what was approved in the client's place for an account on a day,
// less what was reversed.
func sumStoodIn(ctx context.Context, tx db.Tx, k accountDay, c money.Currency) (money.Amount, error) {
	var minor int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(billing_amount - reversed_amount), 0) FROM card_transaction
		WHERE account_id = $1 AND business_on = $2 AND decided_by = 'StandIn' AND status NOT IN ('Pending', 'Declined', 'Failed')`,
		k.account, k.on.String()).Scan(&minor)
	if err != nil {
		return money.Amount{}, err
	}
	return money.New(minor, c)
}

// pendingOf finds a transaction of a life cycle whose client is being asked.
func pendingOf(ctx context.Context, tx db.Tx, root TransactionID) (TransactionID, bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (d TransactionID, err error) { return d, s.Scan(&d) },
		"SELECT id FROM card_transaction WHERE root_id = $1 AND status = 'Pending' ORDER BY id LIMIT 1", root)
}

// pendingBefore lists transactions, of any tenant, whose clients were asked
// before a moment and are not concluded; in the order of their ids after one.
// When that was, the decision tells: a transaction has its tenant's time.
func pendingBefore(ctx context.Context, tx db.Tx, before clock.Real, after TransactionID, n int) ([]TransactionID, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (d TransactionID, err error) { return d, s.Scan(&d) },
		`SELECT t.id FROM card_transaction t JOIN decision d ON d.transaction_id = t.id
		WHERE t.status = 'Pending' AND d.created_at < $1 AND t.id > $2 ORDER BY t.id LIMIT $3`,
		clock.Micros(before.Time()), after.String(), n)
}

// firstPending returns the first transaction, of any tenant, that is pending.
func firstPending(ctx context.Context, tx db.Tx) (string, bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (first string, err error) { return first, s.Scan(&first) },
		"SELECT id FROM card_transaction WHERE status = 'Pending' ORDER BY id LIMIT 1")
}
