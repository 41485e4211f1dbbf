package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
)

var counterfactualInsert = &db.Bulk{
	Head: "INSERT INTO counterfactual (transaction_id, told) VALUES ", Columns: 2, Tail: " ON CONFLICT (transaction_id) DO NOTHING",
}

// insertCounterfactuals keeps what would have approved transactions. What is kept of
// one stays.
func insertCounterfactuals(ctx context.Context, tx db.Tx, all map[TransactionID]*Counterfactual) error {
	args := make([]any, 0, len(all)*counterfactualInsert.Columns)
	for t, found := range all {
		c := codec{}
		found.visit(&c)
		args = append(args, t, string(c.out))
	}
	return counterfactualInsert.Exec(ctx, tx, args)
}

// readCounterfactual returns what is kept; nil when nothing is.
func readCounterfactual(ctx context.Context, tx db.Tx, t TransactionID) (*Counterfactual, error) {
	text, found, err := db.One(ctx, tx, func(row db.Scanner) (text string, err error) { return text, row.Scan(&text) },
		`SELECT told FROM counterfactual WHERE transaction_id = $1`, t)
	if err != nil || !found {
		return nil, err
	}
	c, err := newReader(text)
	if err != nil {
		return nil, err
	}
	var kept Counterfactual
	kept.visit(c)
	return &kept, c.err
}
