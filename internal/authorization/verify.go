package authorization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify checks every invariant of this package: the rules on transactions and
// holds, and that each stored decision recomputes to itself. progress, when not
// nil, is called now and then with the number of decisions done.
func (q *Queries) Verify(ctx context.Context, progress func(done int64)) ([]ledger.Invariant, error) {
	var all []ledger.Invariant
	err := q.db.View(ctx, func(tx db.Tx) error {
		for _, r := range invariants {
			v, err := r.run(ctx, tx)
			if err != nil {
				return fmt.Errorf("verify %q: %w", r.name, err)
			}
			all = append(all, v)
		}
		v, err := verifyDecisions(ctx, tx, progress)
		all = append(all, v)
		return err
	})
	return all, err
}

// verifyBatch is how many decisions are read at a time.
const verifyBatch = 500

func verifyDecisions(ctx context.Context, tx db.Tx, progress func(int64)) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "every decision recomputes to itself"}
	after := ""
	for {
		batch, err := decisionsAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(batch) == 0 {
			return v, err
		}
		ids := make([]TransactionID, len(batch))
		for i, d := range batch {
			ids[i] = d.transaction
		}
		transactions, err := ReadTransactions(ctx, tx, ids)
		if err != nil {
			return v, err
		}
		for _, d := range batch {
			v.Checked++
			difference := "the transaction is missing"
			if t := transactions[d.transaction]; t != nil {
				r, err := parseRecord(d.record)
				if difference = ""; err != nil {
					difference = "the record cannot be read"
				} else {
					difference = recompute(r, d, t)
				}
			}
			if difference != "" {
				v.Broken++
				if len(v.Examples) < 10 {
					v.Examples = append(v.Examples, d.transaction.UUID()+": "+difference)
				}
			}
		}
		after = batch[len(batch)-1].transaction.String()
		if progress != nil {
			progress(v.Checked)
		}
	}
}
