package clearing

import (
	"context"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify checks every invariant of clearing on one state of the database. It
// reads all of it.
func (s *Service) Verify(ctx context.Context) (all []ledger.Invariant, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		if all, err = ledger.RunRules(ctx, tx, invariants); err != nil {
			return err
		}
		posted, err := verifyPosted(ctx, tx)
		if err != nil {
			return fmt.Errorf("verify postings: %w", err)
		}
		cleared, err := authorization.VerifyCleared(ctx, tx)
		all = append(append(all, posted), cleared...)
		return err
	})
	return all, err
}

// verifyBatch is how many records are compared with their postings at a time.
const verifyBatch = 1000

// verifyPosted looks for the entry and the transaction of every record. That an
// entry is there at most once, its unique key sees to.
func verifyPosted(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "every posted clearing record has its one entry and transaction"}
	after := ""
	for {
		page, err := recordsAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(page) == 0 {
			return v, err
		}
		after = page[len(page)-1].key
		keys := map[access.TenantID][]string{}
		var ids []authorization.TransactionID
		for _, k := range page {
			keys[k.tenant] = append(keys[k.tenant], entryKey(k.key))
			ids = append(ids, k.transaction)
		}
		transactions, err := authorization.ReadTransactions(ctx, tx, slices.DeleteFunc(ids, authorization.TransactionID.IsZero))
		if err != nil {
			return v, err
		}
		entries := map[string]ledger.Entry{}
		for tenant, list := range keys {
			found, err := ledger.EntriesByKeys(ctx, tx, tenant, list)
			if err != nil {
				return v, err
			}
			for key, e := range found {
				entries[key] = e
			}
		}
		for _, k := range page {
			v.Checked++
			if problem := k.compare(entries, transactions); problem != "" {
				v.Break(k.key + ": " + problem)
			}
		}
	}
}

// compare says how the entry and transaction of a record differ from what they
// should be; empty when they do not.
func (k known) compare(entries map[string]ledger.Entry, transactions map[authorization.TransactionID]*authorization.Transaction) string {
	e, found := entries[entryKey(k.key)]
	t := transactions[k.transaction]
	switch {
	case !k.posted && found:
		return "it has an entry and is said not to be posted"
	case !k.posted:
		return ""
	case !found:
		return "its entry is missing"
	case k.transaction.IsZero() && e.Transaction != "":
		return "its entry belongs to a transaction"
	case k.transaction.IsZero():
		return ""
	case t == nil:
		return "its transaction is missing"
	case e.Transaction != t.ID.String():
		return "its entry belongs to another transaction"
	case e.Moved(t.Account, sideOf(t)) != t.Billing:
		return "its entry moves something else than its transaction says"
	}
	return ""
}

// sideOf is the side of its account on which a transaction is posted.
func sideOf(t *authorization.Transaction) ledger.Side {
	if t.IsDebit {
		return ledger.Debit
	}
	return ledger.Credit
}
