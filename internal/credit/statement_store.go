package credit

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// statementRow is what is stored of a statement besides its cut, which the ledger
// keeps.
type statementRow struct {
	cutOn  clock.Date
	number int
	begins clock.Date
	totals Totals
	hash   string
}

func scanStatement(row db.Scanner) (r statementRow, err error) {
	var totals string
	if err := row.Scan(&r.cutOn, &r.number, &r.begins, &totals, &r.hash); err != nil {
		return r, err
	}
	if r.totals, err = parseTotals(totals); err != nil {
		return r, fmt.Errorf("totals of the statement of %s: %w", r.cutOn, err)
	}
	return r, nil
}

const statementColumns = `cut_on, number, begins_on, totals, entry_hash`

func insertStatement(ctx context.Context, tx db.Tx, account ledger.AccountID, s Statement, now clock.Real) error {
	_, err := tx.Exec(ctx, `INSERT INTO credit_statement (account_id, `+statementColumns+`, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		account, s.On.String(), s.Number, s.Begins.String(), s.Totals.text(), s.Hash, clock.Micros(now.Time()))
	return err
}

// readStatements returns the statements of an account, the newest first.
func readStatements(ctx context.Context, tx db.Tx, account ledger.AccountID) ([]Statement, error) {
	rows, err := db.Collect(ctx, tx, scanStatement,
		`SELECT `+statementColumns+` FROM credit_statement WHERE account_id = $1 ORDER BY cut_on DESC`, account)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	cuts, err := ledger.Cuts(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	byDay := make(map[clock.Date]ledger.Cut, len(cuts))
	for _, cut := range cuts {
		byDay[cut.On] = cut
	}
	all := make([]Statement, len(rows))
	for i, r := range rows {
		cut, found := byDay[r.cutOn]
		if !found {
			return nil, fmt.Errorf("the statement of %s has no cut", r.cutOn)
		}
		all[i] = Statement{Number: r.number, Begins: r.begins, Cut: cut, Totals: r.totals, Hash: r.hash}
	}
	return all, nil
}

// lastStatement returns the newest statement of an account.
func lastStatement(ctx context.Context, tx db.Tx, account ledger.AccountID) (Statement, bool, error) {
	all, err := readStatements(ctx, tx, account)
	if err != nil || len(all) == 0 {
		return Statement{}, false, err
	}
	return all[0], true, nil
}
