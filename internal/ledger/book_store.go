package ledger

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
)

const accountColumns = `id, tenant_id, code, kind, currency, keeps_balance, account_no, owner_key, posted, held, posting_count, created_at`

func scanAccount(s db.Scanner) (Account, error) {
	var a Account
	var currency string
	var number, owner *string
	var posted, held, created int64
	err := s.Scan(&a.ID, &a.Tenant, &a.Code, &a.Kind, &currency, &a.KeepsBalance, &number, &owner, &posted, &held,
		&a.PostingCount, &created)
	if err != nil {
		return Account{}, err
	}
	if a.Currency, err = money.ParseCurrency(currency); err != nil {
		return Account{}, err
	}
	if number != nil {
		a.Number, a.Owner = *number, *owner
	}
	a.Posted, a.Held = amount(posted, a.Currency), amount(held, a.Currency)
	a.CreatedAt = clock.FromMicros(created)
	return a, nil
}

var accountLocks = &db.Lookup{
	Head: "SELECT " + accountColumns + " FROM account WHERE keeps_balance AND id IN ",
	Tail: " ORDER BY id", Lock: true, Together: true,
}

func (b *Book) lockAccounts(ctx context.Context, tx db.Tx, ids []AccountID) error {
	var credit []AccountID
	err := accountLocks.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		a, err := scanAccount(s)
		if err == nil {
			b.accounts[a.ID] = &a
			if a.Kind == Asset {
				credit = append(credit, a.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return readCredit(ctx, tx, credit, func(id AccountID, c *CreditLine) { b.accounts[id].Credit = c })
}

const holdColumns = `id, tenant_id, account_id, currency, authorized, reversed, cleared, released, fees, expires_at, is_cash, holder`

func scanHold(s db.Scanner) (Hold, error) {
	var h Hold
	var currency string
	var authorized, reversed, cleared, released, fees, expires int64
	err := s.Scan(&h.ID, &h.Tenant, &h.Account, &currency, &authorized, &reversed, &cleared, &released, &fees, &expires, &h.IsCash, &h.Holder)
	if err != nil {
		return Hold{}, err
	}
	c, err := money.ParseCurrency(currency)
	if err != nil {
		return Hold{}, err
	}
	h.Authorized, h.Reversed = amount(authorized, c), amount(reversed, c)
	h.Cleared, h.Released, h.Fees = amount(cleared, c), amount(released, c), amount(fees, c)
	h.ExpiresAt = clock.FromMicros(expires)
	return h, nil
}

var holdLookup = &db.Lookup{Head: "SELECT " + holdColumns + " FROM hold WHERE id IN "}

func (b *Book) readHolds(ctx context.Context, tx db.Tx, ids []HoldID) error {
	return holdLookup.Query(ctx, tx, nil, id.Texts(ids), func(s db.Scanner) error {
		h, err := scanHold(s)
		if err == nil {
			b.holds[h.ID] = &h
		}
		return err
	})
}

var controlInsert = &db.Bulk{
	Head:    "INSERT INTO account (id, tenant_id, code, kind, currency, keeps_balance, posted, held, posting_count, created_at) VALUES ",
	Columns: 10, Tail: " ON CONFLICT (id) DO NOTHING",
}

// writeControls makes the control accounts that the entries touch.
func (b *Book) writeControls(ctx context.Context, tx db.Tx) error {
	touched := map[AccountID]Account{}
	for _, e := range b.entries {
		for _, p := range e.Postings {
			if _, kept := b.accounts[p.Account.ID]; !kept {
				p.Account.Tenant, p.Account.CreatedAt = e.Tenant, e.At
				touched[p.Account.ID] = p.Account
			}
		}
	}
	return insertControls(ctx, tx, touched)
}

// insertControls makes control accounts that are not there, in id order: two
// transactions that make the same ones wait for each other, once.
func insertControls(ctx context.Context, tx db.Tx, all map[AccountID]Account) error {
	var args []any
	for _, id := range sorted(all) {
		a := all[id]
		args = append(args, a.ID, a.Tenant, a.Code, a.Kind, a.Currency.Code(), false, 0, 0, 0, clock.Micros(a.CreatedAt))
	}
	return controlInsert.Exec(ctx, tx, args)
}

// OpenControls makes control accounts that are not there. A transaction that is
// long calls it in a short one before, with what it may post to: until the one
// that makes an account has ended, nobody else can post to it.
func OpenControls(ctx context.Context, tx db.Tx, all []Account, now time.Time) error {
	fresh := make(map[AccountID]Account, len(all))
	for _, a := range all {
		a.CreatedAt = now
		fresh[a.ID] = a
	}
	return insertControls(ctx, tx, fresh)
}

var accountUpdate = &db.Bulk{
	Head: "WITH v (id, posted, held, posting_count) AS (VALUES ", Columns: 4, Types: []string{"TEXT", "BIGINT", "BIGINT", "BIGINT"},
	Tail: `) UPDATE account SET posted = v.posted, held = v.held, posting_count = v.posting_count
		FROM v WHERE account.id = v.id`,
	Alone: `UPDATE account SET posted = $2, held = $3, posting_count = $4 WHERE id = $1`,
}

func (b *Book) writeAccounts(ctx context.Context, tx db.Tx) error {
	var args []any
	for _, id := range sorted(b.changedAccounts) {
		a := b.accounts[id]
		args = append(args, a.ID, a.Posted.Minor(), a.Held.Minor(), a.PostingCount)
	}
	return accountUpdate.Exec(ctx, tx, args)
}

var (
	holdInsert = &db.Bulk{
		Head:    "INSERT INTO hold (" + holdColumns + ", is_open) VALUES ",
		Columns: 13,
	}
	holdUpdate = &db.Bulk{
		Head:    "WITH v (id, authorized, reversed, cleared, released, fees, expires_at, is_open) AS (VALUES ",
		Columns: 8, Types: []string{"TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BOOLEAN"},
		Tail: `) UPDATE hold SET authorized = v.authorized, reversed = v.reversed, cleared = v.cleared,
			released = v.released, fees = v.fees, expires_at = v.expires_at, is_open = v.is_open FROM v WHERE hold.id = v.id`,
		Alone: `UPDATE hold SET authorized = $2, reversed = $3, cleared = $4, released = $5, fees = $6, expires_at = $7, is_open = $8 WHERE id = $1`,
	}
)

func (b *Book) writeHolds(ctx context.Context, tx db.Tx) error {
	var args []any
	for _, id := range sorted(b.freshHolds) {
		h := b.holds[id]
		args = append(args, h.ID, h.Tenant, h.Account, h.Authorized.Currency().Code(), h.Authorized.Minor(),
			h.Reversed.Minor(), h.Cleared.Minor(), h.Released.Minor(), h.Fees.Minor(), clock.Micros(h.ExpiresAt), h.IsCash, h.Holder, h.IsOpen())
	}
	if err := holdInsert.Exec(ctx, tx, args); err != nil {
		return err
	}
	args = args[:0]
	for _, id := range sorted(b.changedHolds) {
		h := b.holds[id]
		args = append(args, h.ID, h.Authorized.Minor(), h.Reversed.Minor(), h.Cleared.Minor(), h.Released.Minor(),
			h.Fees.Minor(), clock.Micros(h.ExpiresAt), h.IsOpen())
	}
	return holdUpdate.Exec(ctx, tx, args)
}

var (
	entryInsert = &db.Bulk{
		Head: `INSERT INTO entry (id, tenant_id, event, idempotency_key, transaction_id, reverses_id, description,
			business_on, created_at) VALUES `,
		Columns: 9,
	}
	postingInsert = &db.Bulk{
		Head:    "INSERT INTO posting (entry_id, line, tenant_id, account_id, side, amount, currency, position, posted_after, part, purpose) VALUES ",
		Columns: 11,
	}
)

func (b *Book) writeEntries(ctx context.Context, tx db.Tx) error {
	var heads, legs []any
	for _, e := range b.entries {
		var transaction any
		if e.Transaction != "" {
			transaction = e.Transaction
		}
		heads = append(heads, e.ID, e.Tenant, e.Event, e.Key, transaction, e.Reverses, e.Description,
			e.BusinessOn.String(), clock.Micros(e.At))
		for i, p := range e.Postings {
			var position, after, part, purpose any
			if p.Part != "" {
				part = p.Part
			}
			if p.purpose != "" {
				purpose = p.purpose
			}
			if _, kept := b.accounts[p.Account.ID]; kept {
				position, after = p.Position, p.After.Minor()
			}
			legs = append(legs, e.ID, i+1, e.Tenant, p.Account.ID, p.Side, p.Amount.Minor(), p.Amount.Currency().Code(),
				position, after, part, purpose)
		}
	}
	if err := entryInsert.Exec(ctx, tx, heads); err != nil {
		return err
	}
	return postingInsert.Exec(ctx, tx, legs)
}
