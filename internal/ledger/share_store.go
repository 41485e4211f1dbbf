package ledger

import (
	"context"
	"math"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

var shareLookup = &db.Lookup{Head: `SELECT account_id, holder, credit_limit, next_limit, spent, held FROM credit_share WHERE account_id IN `}

func readShares(ctx context.Context, tx db.Tx, accounts []AccountID) (map[AccountID]map[string]*Share, error) {
	all := map[AccountID]map[string]*Share{}
	err := shareLookup.Query(ctx, tx, nil, id.Texts(accounts), func(row db.Scanner) error {
		var a AccountID
		var holder string
		var s Share
		if err := row.Scan(&a, &holder, &s.Limit, &s.Next, &s.Spent, &s.Held); err != nil {
			return err
		}
		if all[a] == nil {
			all[a] = map[string]*Share{}
		}
		all[a][holder] = &s
		return nil
	})
	return all, err
}

var shareUpsert = &db.Bulk{
	Head: "INSERT INTO credit_share (account_id, holder, credit_limit, next_limit, spent, held) VALUES ", Columns: 6,
	Tail: ` ON CONFLICT (account_id, holder) DO UPDATE SET credit_limit = excluded.credit_limit, next_limit = excluded.next_limit,
		spent = excluded.spent, held = excluded.held`,
}

func (b *Book) writeShares(ctx context.Context, tx db.Tx) error {
	var args []any
	for _, id := range sorted(b.changedAccounts) {
		c := b.accounts[id].Credit
		if c == nil {
			continue
		}
		var holders []string
		for holder := range c.Shares {
			holders = append(holders, holder)
		}
		slices.Sort(holders)
		for _, holder := range holders {
			s := c.Shares[holder]
			args = append(args, id, holder, s.Limit, s.Next, s.Spent, s.Held)
		}
	}
	return shareUpsert.Exec(ctx, tx, args)
}

// SetShare limits what a holder may take of a credit account of the book, from now
// on and, where next is given, from the next cut on otherwise. What it has spent
// since the last cut, and what it holds, is counted.
func (b *Book) SetShare(ctx context.Context, tx db.Tx, account AccountID, holder string, limit int64, next *int64) error {
	c := b.account(account).Credit
	s := c.Shares[holder]
	if s == nil {
		s = &Share{}
		var err error
		if s.Held, _, err = db.One(ctx, tx, scanInt64, `SELECT CAST(COALESCE(SUM(authorized - reversed - cleared - released + fees), 0) AS BIGINT)
			FROM hold WHERE account_id = $1 AND is_open AND holder = $2 AND holder <> ''`, account, holder); err != nil {
			return err
		}
		if s.Spent, err = spentBy(ctx, tx, account, holder); err != nil {
			return err
		}
		c.Shares[holder] = s
	}
	s.Limit, s.Next = limit, next
	b.changedAccounts[account] = true
	return nil
}

// DropShare lets a holder take all of a credit account of the book again.
func (b *Book) DropShare(ctx context.Context, tx db.Tx, account AccountID, holder string) error {
	delete(b.account(account).Credit.Shares, holder)
	_, err := tx.Exec(ctx, `DELETE FROM credit_share WHERE account_id = $1 AND holder = $2`, account, holder)
	return err
}

// spentBy is what a holder has spent of a credit account since its last cut.
func spentBy(ctx context.Context, tx db.Tx, account AccountID, holder string) (spent int64, err error) {
	after, _, err := db.One(ctx, tx, scanInt64, `SELECT COALESCE(MAX(last_position), 0) FROM credit_cut WHERE account_id = $1`, account)
	if err != nil {
		return 0, err
	}
	err = eachMovement(ctx, tx, account, after+1, math.MaxInt64, func(m Movement) error {
		if p := m.Entry.Purpose; p.Holder == holder {
			spent += p.takes(m.Side, m.Minor)
		}
		return nil
	})
	return spent, err
}
