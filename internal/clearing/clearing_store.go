package clearing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

var totalInsert = &db.Bulk{Head: "INSERT INTO clearing_total (file_id, currency, debit, credit) VALUES ", Columns: 4}

// insertFile claims the content of a file; fresh is false when it was imported
// before. Another import of the same content waits here for this one.
func insertFile(ctx context.Context, tx db.Tx, in Import) (fresh bool, err error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO clearing_file (id, content_hash, network, file_id, business_on, record_count, imported_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (content_hash) DO NOTHING`,
		in.ID, in.hashText(), in.Network, in.Name, in.BusinessOn.String(), in.Count, clock.Micros(in.At.Time())))
	if err != nil || n == 0 {
		return false, err
	}
	var args []any
	for _, t := range in.Totals {
		args = append(args, in.ID, t.Currency.Code(), t.Debit, t.Credit)
	}
	return true, totalInsert.Exec(ctx, tx, args)
}

var knownLookup = &db.Lookup{
	Head: `SELECT duplicate_key, tenant_id, match_status, is_posted, transaction_id, original_id, amount, currency
		FROM clearing_record WHERE match_status <> 'Duplicate' AND duplicate_key IN `,
}

func scanKnown(s db.Scanner) (k known, err error) {
	return k, s.Scan(&k.key, &k.tenant, &k.status, &k.posted, &k.transaction, &k.original, &k.minor, &k.currency)
}

// readKnown finds records by their keys. A key belongs to one tenant, since its
// card does.
func readKnown(ctx context.Context, tx db.Tx, keys []string) ([]known, error) {
	var all []known
	err := knownLookup.Query(ctx, tx, nil, keys, func(s db.Scanner) error {
		k, err := scanKnown(s)
		all = append(all, k)
		return err
	})
	return all, err
}

var recordInsert = &db.Bulk{
	Head: `INSERT INTO clearing_record (file_id, line, tenant_id, duplicate_key, match_status, matched_rule, is_posted,
		transaction_id, original_id, amount, currency, is_debit) VALUES `,
	Columns: 12,
}

func insertRecords(ctx context.Context, tx db.Tx, file FileID, all []*record) error {
	args := make([]any, 0, len(all)*recordInsert.Columns)
	for _, r := range all {
		var transaction, original authorization.TransactionID
		if r.transaction != nil {
			transaction = r.transaction.ID
		}
		if r.original != nil {
			original = r.original.ID
		}
		args = append(args, file, r.Line, r.place.tenant, r.key, r.status, r.rule, r.posted,
			transaction, original, r.Transaction.Minor(), r.Transaction.Currency().Code(), r.isDebit())
	}
	return recordInsert.Exec(ctx, tx, args)
}

var exceptionInsert = &db.Bulk{
	Head:    "INSERT INTO clearing_exception (id, tenant_id, file_id, line, kind, transaction_id, account_id, status, created_at) VALUES ",
	Columns: 9,
}

func insertExceptions(ctx context.Context, tx db.Tx, in Import, all []*record) error {
	var args []any
	for _, r := range all {
		for _, cause := range r.causes {
			var transaction authorization.TransactionID
			if r.transaction != nil {
				transaction = r.transaction.ID
			}
			args = append(args, id.New[Exception](in.At.Time()), r.place.tenant, in.ID, r.Line, cause, transaction, r.place.account, Open, clock.Micros(r.place.at(in.At)))
		}
	}
	return exceptionInsert.Exec(ctx, tx, args)
}

func openExceptions(ctx context.Context, tx db.Tx, tenant access.TenantID, skip, take int) ([]Exception, int, error) {
	page, err := db.Collect(ctx, tx, func(s db.Scanner) (Exception, error) {
		x := Exception{Tenant: tenant}
		var created int64
		err := s.Scan(&x.ID, &x.File, &x.FileName, &x.Line, &x.Cause, &x.Transaction, &x.Account, &x.Status, &created)
		x.CreatedAt = clock.FromMicros(created)
		return x, err
	}, `SELECT x.id, x.file_id, f.file_id, x.line, x.kind, x.transaction_id, x.account_id, x.status, x.created_at
		FROM clearing_exception x JOIN clearing_file f ON f.id = x.file_id
		WHERE x.tenant_id = $1 AND x.status <> 'Closed' ORDER BY x.created_at, x.id LIMIT $2 OFFSET $3`, tenant, take, skip)
	if err != nil {
		return nil, 0, err
	}
	total, _, err := db.One(ctx, tx, func(s db.Scanner) (n int, err error) { return n, s.Scan(&n) },
		`SELECT COUNT(*) FROM (SELECT 1 FROM clearing_exception WHERE tenant_id = $1 AND status <> 'Closed' LIMIT 10001) t`, tenant)
	return page, total, err
}
