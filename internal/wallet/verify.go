package wallet

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

// Verify checks the invariants of wallets on one state of the database.
func (s *Service) Verify(ctx context.Context) (all []ledger.Invariant, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		if all, err = ledger.RunRules(ctx, tx, rules); err != nil {
			return err
		}
		balances, err := verifyBalances(ctx, tx)
		if err != nil {
			return err
		}
		unmatched, err := verifyUnmatched(ctx, tx)
		all = append(all, balances, unmatched)
		return err
	})
	return all, err
}

// verifyBalances compares what is in the four balances of a wallet, as the ledger
// says, with what its transactions make of each. A balance below zero is broken,
// whatever made it.
func verifyBalances(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "the balances of a wallet are what its transactions make of them"}
	made, err := readFolds(ctx, tx)
	if err != nil {
		return v, err
	}
	for after := ID(0); ; {
		some, err := walletsAfter(ctx, tx, after, verifyBatch)
		if err != nil || len(some) == 0 {
			return v, err
		}
		var accounts []ledger.AccountID
		for _, w := range some {
			accounts = append(accounts, w.buckets()...)
		}
		stored, err := ledger.ReadAccounts(ctx, tx, accounts)
		if err != nil {
			return v, err
		}
		for _, w := range some {
			v.Checked++
			b, err := w.balancesIn(func(a ledger.AccountID) (ledger.Account, bool) { x, ok := stored[a]; return x, ok })
			if err != nil || !made[w.ID].is(b) {
				v.Break(w.ID.String())
			}
		}
		after = some[len(some)-1].ID
	}
}

// verifyUnmatched compares what waits for an owner with what the ledger says came for
// nobody.
func verifyUnmatched(ctx context.Context, tx db.Tx) (ledger.Invariant, error) {
	v := ledger.Invariant{Name: "what top-ups wait for an owner is what the ledger has for nobody"}
	waiting, err := unmatchedSums(ctx, tx)
	if err != nil {
		return v, err
	}
	booked, err := ledger.ControlBalances(ctx, tx, ledger.UnmatchedTopups)
	if err != nil {
		return v, err
	}
	for account, sum := range booked {
		v.Checked++
		if waiting[account] != sum {
			v.Break(account.String())
		}
	}
	for account, sum := range waiting {
		if _, ok := booked[account]; !ok && sum != 0 {
			v.Checked++
			v.Break(account.String())
		}
	}
	return v, nil
}

// verifyBatch is how many wallets are looked at in one read.
const verifyBatch = 200

// fold is what the transactions of a wallet make of it, in minor units. held is
// part of cash.
type fold struct{ payment, cash, held int64 }

func (f fold) is(b Balances) bool {
	return b.Payment.Minor() == f.payment && b.Payment.Sign() >= 0 && b.PaymentHeld.IsZero() &&
		b.Cash.Minor() == f.cash-f.held && b.Cash.Sign() >= 0 && b.CashHeld.Minor() == f.held && b.CashHeld.Sign() >= 0
}
