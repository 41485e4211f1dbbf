package authorization

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify checks every invariant of this package: the rules on transactions and
// holds, and that each stored decision recomputes to itself. progress, when not
// nil, is called now and then with the number of decisions done.
func (q *Queries) Verify(ctx context.Context, progress func(done int64)) (all []ledger.Invariant, err error) {
	err = q.db.View(ctx, func(tx db.Tx) error {
		if all, err = ledger.RunRules(ctx, tx, slices.Concat(rules, fee.Rules)); err != nil {
			return err
		}
		for _, run := range []func() (ledger.Invariant, error){
			func() (ledger.Invariant, error) { return verifyOpenHolds(ctx, tx) },
			func() (ledger.Invariant, error) { return verifyHeld(ctx, tx) },
			func() (ledger.Invariant, error) { return verifyDecisions(ctx, tx, progress) },
		} {
			v, err := run()
			if err != nil {
				return fmt.Errorf("verify %q: %w", v.Name, err)
			}
			all = append(all, v)
		}
		for _, run := range []func(context.Context, db.Tx) ([]ledger.Invariant, error){verifyFees, q.verifyUsage} {
			some, err := run(ctx, tx)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	return all, err
}

// verifyBatch is how many rows are compared at a time.
const verifyBatch = 500

func verifyOpenHolds(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "an open hold belongs to a transaction that holds money"}
	after := ""
	for {
		holds, err := ledger.OpenHolds(ctx, tx, after, verifyBatch)
		if err != nil || len(holds) == 0 {
			return v, err
		}
		ids := make([]ledger.HoldID, len(holds))
		for i, h := range holds {
			ids[i] = h.ID
		}
		standing, err := holdsOfStanding(ctx, tx, ids)
		if err != nil {
			return v, err
		}
		for _, h := range ids {
			if v.Checked++; !standing[h] {
				v.Break(h.String())
			}
		}
		after = ids[len(ids)-1].String()
	}
}

func verifyHeld(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "a transaction that holds money has an open hold"}
	after := ""
	for {
		page, err := standingAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(page) == 0 {
			return v, err
		}
		ids := make([]ledger.HoldID, len(page))
		for i, t := range page {
			ids[i] = t.hold
		}
		holds, err := ledger.ReadHolds(ctx, tx, ids)
		if err != nil {
			return v, err
		}
		for _, t := range page {
			if h, found := holds[t.hold]; !found || !h.IsOpen() {
				v.Break(t.id.UUID())
			}
			v.Checked++
		}
		after = page[len(page)-1].id.String()
	}
}

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
		entries, err := entriesOf(ctx, tx, batch)
		if err != nil {
			return v, err
		}
		for _, d := range batch {
			v.Checked++
			if difference := d.differs(transactions[d.transaction], entries); difference != "" {
				v.Break(d.transaction.UUID() + ": " + difference)
			}
		}
		after = batch[len(batch)-1].transaction.String()
		if progress != nil {
			progress(v.Checked)
		}
	}
}

// entriesOf reads the ledger entries that the messages of a batch posted.
func entriesOf(ctx context.Context, tx db.Tx, batch []storedDecision) (map[string]ledger.Entry, error) {
	keys := map[access.TenantID][]string{}
	for _, d := range batch {
		keys[d.tenant] = append(keys[d.tenant], EntryKey(d.transaction))
	}
	all := map[string]ledger.Entry{}
	for tenant, list := range keys {
		found, err := ledger.EntriesByKeys(ctx, tx, tenant, list)
		if err != nil {
			return nil, err
		}
		for key, e := range found {
			all[key] = e
		}
	}
	return all, nil
}

// differs decides again from what was recorded and says how that differs from
// what was stored and posted; empty when it does not.
func (d storedDecision) differs(t *Transaction, entries map[string]ledger.Entry) string {
	r, err := parseRecord(d.record)
	switch {
	case d.damage != nil:
		return "it cannot be read"
	case err != nil:
		return "the record cannot be read"
	case t == nil:
		return "the transaction is missing"
	}
	if _, difference := recompute(r, d, t); difference != "" {
		return difference
	}
	again := decide(&r.Request, &r.Facts, r.State)
	e, posted := entries[EntryKey(t.ID)]
	switch {
	case posted != (again.Post.Sign() > 0):
		return "what was posted is not what was decided"
	case posted && again.Post != e.Moved(e.Postings[0].Account.ID, e.Postings[0].Side):
		return "another amount was posted"
	}
	return ""
}
