package authorization

import (
	"context"
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

var counterfactualInsert = &db.Bulk{
	Head: "INSERT INTO counterfactual (transaction_id, told) VALUES ", Columns: 2, Tail: " ON CONFLICT (transaction_id) DO NOTHING",
}

var counterfactualLookup = &db.Lookup{Head: "SELECT transaction_id, told FROM counterfactual WHERE transaction_id IN "}

// insertCounterfactuals keeps what would have approved transactions. What is kept of
// one stays. They are in one order, or two nodes that keep the same could wait for
// each other.
func insertCounterfactuals(ctx context.Context, tx db.Tx, all map[TransactionID]*Counterfactual) error {
	args := make([]any, 0, len(all)*counterfactualInsert.Columns)
	for _, t := range slices.SortedFunc(maps.Keys(all), TransactionID.Compare) {
		c := codec{}
		all[t].visit(&c)
		args = append(args, t, string(c.out))
	}
	return counterfactualInsert.Exec(ctx, tx, args)
}

// readCounterfactuals returns what is kept of transactions.
func readCounterfactuals(ctx context.Context, tx db.Tx, of []TransactionID) (map[TransactionID]*Counterfactual, error) {
	kept := map[TransactionID]*Counterfactual{}
	err := counterfactualLookup.Query(ctx, tx, nil, id.Texts(of), func(row db.Scanner) error {
		var t TransactionID
		var text string
		if err := row.Scan(&t, &text); err != nil {
			return err
		}
		c, err := newReader(text)
		if err != nil {
			return err
		}
		kept[t] = &Counterfactual{}
		kept[t].visit(c)
		return c.err
	})
	return kept, err
}
