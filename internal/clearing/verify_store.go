package clearing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

var invariants = []ledger.Rule{
	{
		Name:  "a clearing file has as many records as it says",
		Count: "SELECT COUNT(*) FROM clearing_file",
		Broken: `SELECT f.id FROM clearing_file f LEFT JOIN clearing_record r ON r.file_id = f.id
			GROUP BY f.id, f.record_count HAVING f.record_count <> COUNT(r.line)`,
	},
	{
		Name:  "the totals of a clearing file are the sums of its records",
		Count: "SELECT COUNT(*) FROM clearing_total",
		Broken: `SELECT s.file_id || ' ' || s.currency FROM (
				SELECT file_id, currency, debit, credit FROM clearing_total
				UNION ALL
				SELECT file_id, currency, CASE WHEN is_debit THEN -amount ELSE 0 END, CASE WHEN is_debit THEN 0 ELSE -amount END
				FROM clearing_record
			) s GROUP BY s.file_id, s.currency HAVING SUM(s.debit) <> 0 OR SUM(s.credit) <> 0`,
	},
	{
		Name:  "what a clearing record became fits its status",
		Count: "SELECT COUNT(*) FROM clearing_record",
		Broken: `SELECT duplicate_key FROM clearing_record WHERE
			(match_status IN ('Duplicate', 'OnlineFinancial') AND (is_posted OR transaction_id IS NOT NULL))
			OR (match_status IN ('CardInvalid', 'Unbillable') AND (NOT is_posted OR transaction_id IS NOT NULL))
			OR (match_status NOT IN ('Duplicate', 'OnlineFinancial', 'CardInvalid', 'Unbillable', 'ReversalOfClearing')
				AND (NOT is_posted OR transaction_id IS NULL))`,
	},
}

// recordsAfter returns the records that are no duplicates, in the order of
// their keys.
func recordsAfter(ctx context.Context, tx db.Tx, after string, limit int) ([]known, error) {
	return db.Collect(ctx, tx, scanKnown,
		`SELECT duplicate_key, tenant_id, match_status, is_posted, transaction_id, original_id, amount, currency
		FROM clearing_record WHERE match_status <> 'Duplicate' AND duplicate_key > $1 ORDER BY duplicate_key LIMIT $2`, after, limit)
}
