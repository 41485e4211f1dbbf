package fee

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Dues are the fees of some life cycles whose accounts are locked until a
// transaction ends. A life cycle is named by the identifier of its first
// transaction. Each change is seen by what is asked after it; Write keeps all.
//
// It is used by one goroutine.
type Dues struct {
	of map[string][]*dueRow // by life cycle, in their order
}

type dueRow struct {
	Due
	root    string
	line    int
	tenant  access.TenantID
	account ledger.AccountID
	stood   Charge // what it came to before the present act
	isNew   bool
	dirty   bool
	at      time.Time // when it began
	// To a credit account: where what it is on was paid, and when it was charged last.
	region line.Region
	booked clock.Date
}

// NewDues returns the fees of no life cycle, for what only might be: they must not
// be written.
func NewDues() *Dues { return &Dues{of: map[string][]*dueRow{}} }

// OpenDues reads the fees of life cycles. The accounts of these are locked by the
// caller.
func OpenDues(ctx context.Context, tx db.Tx, roots []string) (*Dues, error) {
	d := &Dues{of: map[string][]*dueRow{}}
	roots = slices.Clone(roots)
	slices.Sort(roots)
	rows, err := readDues(ctx, tx, slices.Compact(roots))
	if err != nil {
		return nil, fmt.Errorf("read fees: %w", err)
	}
	for _, r := range rows {
		r.stood = r.Owed()
		d.of[r.root] = append(d.of[r.root], r)
	}
	return d, nil
}

// Begin takes the fees of a life cycle in that begins now.
func (d *Dues) Begin(tenant access.TenantID, account ledger.AccountID, root string, all []Due, at time.Time) {
	for _, due := range all {
		d.of[root] = append(d.of[root], &dueRow{
			Due: due, root: root, line: len(d.of[root]) + 1, tenant: tenant, account: account, stood: due.Terms.nothing(),
			isNew: true, dirty: true, at: at,
		})
	}
}

// Of returns copies of the fees of a life cycle, in their order.
func (d *Dues) Of(root string) []Due {
	var all []Due
	for _, r := range d.of[root] {
		all = append(all, r.Due)
	}
	return all
}

// Stand notes what the fees come to before an act changes what they are on; held
// is what is held at that time.
func (d *Dues) Stand(root string, held money.Amount) {
	for _, r := range d.of[root] {
		r.stood = r.Due.Of(held)
	}
}

// Each changes what the fees of a life cycle are on.
func (d *Dues) Each(root string, change func(*Due)) {
	for _, r := range d.of[root] {
		change(&r.Due)
		r.dirty = true
	}
}

// Act is what charges fees or gives them back: a transaction, the account that it
// moves money of, and when it was.
type Act struct {
	Transaction string
	Account     ledger.AccountID
	Description string
	Region      line.Region // where what it is on was paid
	BusinessOn  clock.Date
	At          time.Time  // of the tenant's business
	Real        clock.Real // when that is
}

// Change is what an act did to a fee.
type Change struct {
	row *dueRow
	// Stands is by how much it comes to more than before, Posted how much more was
	// charged; less is below zero. IsPending says that it waits for a balance which
	// covers it, or will once what is held is presented.
	Stands, Posted Charge
	IsPending      bool
}

// Standing are the lines of what the fees come to more, or less, than before.
func Standing(all []Change) []Additional {
	var lines []Additional
	for _, c := range all {
		if !c.Stands.isZero() {
			lines = append(lines, c.row.additional(c.Stands, c.IsPending))
		}
	}
	return lines
}

// Whole are the lines of what the fees come to now.
func Whole(all []Change) []Additional {
	var lines []Additional
	for _, c := range all {
		if !c.row.stood.isZero() {
			lines = append(lines, c.row.additional(c.row.stood, c.IsPending))
		}
	}
	return lines
}

// Charged are the lines of what was charged, or given back.
func Charged(all []Change) []Additional {
	var lines []Additional
	for _, c := range all {
		if !c.Posted.isZero() {
			lines = append(lines, c.row.additional(c.Posted, false))
		}
	}
	return lines
}

// Settle brings what is charged and held for the fees of a life cycle to what
// they come to now. It posts an entry for each fee that is to be charged or
// given back, and holds on hold what the rest of it will cost. A fee that waits
// for its balance is charged once that covers it; all others whatever it is. The
// fees follow the money: a card may have found another account since they began.
func (d *Dues) Settle(b *ledger.Book, root string, hold ledger.HoldID, act Act) ([]Change, error) {
	rows := d.of[root]
	if len(rows) == 0 {
		return nil, nil
	}
	held := money.Zero(rows[0].Moved.Currency())
	h, holds := b.Hold(hold)
	if holds {
		held = h.Remaining()
	}
	var all []Change
	toHold := money.Zero(held.Currency())
	for _, r := range rows {
		r.moveTo(act.Account)
		if r.Entries == 0 {
			r.region = act.Region
		}
		c, err := r.settle(b, held, act)
		if err != nil {
			return nil, fmt.Errorf("charge fee %s: %w", r.Code, err)
		}
		all = append(all, c)
		toHold = add(toHold, r.ToHold(held))
	}
	if holds {
		if err := b.HoldFees(hold, toHold); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Collected is a fee that waited and was charged now.
type Collected struct {
	Root, Code string // the life cycle it is on, by its first transaction
	Additional Additional
}

// Collect charges the fees of an account that waited for a balance which covers
// them, the oldest first, as far as it does. The entries belong to what the fees
// are on.
func (d *Dues) Collect(b *ledger.Book, account ledger.AccountID, act Act) ([]Collected, error) {
	var all []Collected
	for _, root := range slices.Sorted(maps.Keys(d.of)) {
		for _, r := range d.of[root] {
			if r.account != account || !r.Waits || !r.IsPending() {
				continue
			}
			act.Transaction, act.Description = root, r.Name
			more, err := r.Owed().Less(r.Due.Posted)
			if err != nil {
				return nil, err
			}
			c, err := r.charge(b, Change{row: r, Posted: r.Terms.nothing()}, r.Owed(), more, act)
			if err != nil {
				return nil, fmt.Errorf("collect fee %s: %w", r.Code, err)
			}
			if !c.IsPending {
				all = append(all, Collected{root, r.Code, r.additional(c.Posted, false)})
			}
		}
	}
	return all, nil
}

// OpenPending reads the fees that accounts still owe, with the others of their
// life cycles. The accounts are locked by the caller.
func OpenPending(ctx context.Context, tx db.Tx, accounts []ledger.AccountID) (*Dues, error) {
	roots, err := pendingRoots(ctx, tx, accounts)
	if err != nil {
		return nil, fmt.Errorf("find pending fees: %w", err)
	}
	return OpenDues(ctx, tx, roots)
}

// PendingRoots lists the life cycles that accounts still owe fees of.
func PendingRoots(ctx context.Context, tx db.Tx, accounts []ledger.AccountID) ([]string, error) {
	return pendingRoots(ctx, tx, accounts)
}

// PendingAccounts returns up to n accounts of a tenant that owe fees, in their
// order after one.
func PendingAccounts(ctx context.Context, tx db.Tx, tenant access.TenantID, after ledger.AccountID, n int) ([]ledger.AccountID, error) {
	return pendingAccounts(ctx, tx, tenant, after, n)
}

// moveTo makes the fee one of another account. What was charged on the one before
// has no mirror on this one.
func (r *dueRow) moveTo(account ledger.AccountID) {
	if r.account != account {
		r.account, r.Entry, r.dirty = account, ledger.EntryID{}, true
	}
}

func (r *dueRow) settle(b *ledger.Book, held money.Amount, act Act) (Change, error) {
	stands := r.Due.Of(held)
	c := Change{row: r, Posted: r.Terms.nothing()}
	var err error
	if c.Stands, err = stands.Less(r.stood); err != nil {
		return c, err
	}
	r.stood = stands
	owed := r.Owed()
	more, err := owed.Less(r.Due.Posted)
	if err != nil {
		return c, err
	}
	if !more.isZero() {
		c, err = r.charge(b, c, owed, more, act)
	}
	c.IsPending = r.Awaits(held)
	return c, err
}

// charge posts more of the fee, so that all that is owed was charged; unless it
// waits, and the balance does not cover it.
func (r *dueRow) charge(b *ledger.Book, c Change, owed, more Charge, act Act) (Change, error) {
	r.dirty = true
	total, err := more.Total()
	if err != nil {
		return c, err
	}
	if a, _ := b.Account(r.account); r.Waits && total.Sign() > 0 && a.Available().Cmp(total) < 0 || !fits(a, total) {
		c.IsPending = true
		return c, nil
	}
	if err := r.post(b, more, total, act); err != nil {
		return c, err
	}
	r.Due.Posted, c.Posted = owed, more
	return c, nil
}

// fits reports whether an account can have the balance that a debit leaves.
func fits(a ledger.Account, debit money.Amount) bool {
	_, err := a.Posted.Sub(debit)
	return err == nil
}

// post makes the entry that charges more of the fee, or gives back: the exact
// mirror of the one that charged it, where there was only one and all of it is.
func (r *dueRow) post(b *ledger.Book, more Charge, total money.Amount, act Act) error {
	e := ledger.Entry{
		ID: id.New[ledger.Entry](act.Real.Time()), Tenant: r.tenant, Event: "A14", Key: r.entryKey(r.Entries + 1), Transaction: act.Transaction,
		Description: act.Description, BusinessOn: act.BusinessOn, At: act.At,
		Purpose: ledger.Purpose{Kind: line.Fee, Region: r.region},
	}
	if total.Sign() < 0 {
		e.Purpose.GivesBack, e.Purpose.Booked = true, r.booked
	}
	account, ok := b.Account(r.account)
	if !ok {
		return fmt.Errorf("account %s is not open", r.account)
	}
	control := func(code string) ledger.Account { return ledger.Control(r.tenant, code, account.Currency) }
	leg := func(a ledger.Account, toCredit money.Amount) {
		switch toCredit.Sign() {
		case 1:
			e.Postings = append(e.Postings, ledger.Posting{Account: a, Side: ledger.Credit, Amount: toCredit})
		case -1:
			e.Postings = append(e.Postings, ledger.Posting{Account: a, Side: ledger.Debit, Amount: toCredit.Neg()})
		}
	}
	leg(account, total.Neg())
	income := more.Fee
	for _, t := range more.Taxes {
		if t.IsIncluded {
			income = add(income, t.Amount.Neg())
		}
	}
	leg(control(incomeOf(r.Type)), income)
	for _, t := range more.Taxes {
		leg(control(taxOf(t.Type)), t.Amount)
	}
	if owed := r.Owed(); r.Entries == 1 && !r.Entry.IsZero() && owed.isZero() {
		e.Event, e.Reverses = "REV", r.Entry
	}
	if err := b.Post(e); err != nil {
		return err
	}
	if r.Entries++; total.Sign() > 0 {
		r.booked = act.BusinessOn
	}
	r.Entry = e.ID
	if r.Entries > 1 {
		r.Entry = ledger.EntryID{}
	}
	return nil
}

// entryKey is the idempotency key of the n-th entry of the fee.
func (r *dueRow) entryKey(n int) string {
	return strings.Join([]string{"fee", r.root, strconv.Itoa(r.line), strconv.Itoa(n)}, ":")
}

// incomeOf is the account that a fee is earned on.
func incomeOf(t AmountType) string {
	switch t {
	case CashAdvanceFee:
		return ledger.CashFees
	case CurrencyConversionFee:
		return ledger.Markups
	case CardIssuanceFee:
		return ledger.IssuanceFees
	case CardAnnualFee:
		return ledger.AnnualFees
	}
	return ledger.TransactionFees
}

// taxOf is the account that a tax is owed on.
func taxOf(t TaxType) string {
	switch t {
	case BSMV:
		return ledger.BSMVTax
	case KKDF:
		return ledger.KKDFTax
	case KDV:
		return ledger.VAT
	case Stamp:
		return ledger.StampTax
	}
	return ledger.OtherTax
}

// Write keeps what was changed.
func (d *Dues) Write(ctx context.Context, tx db.Tx) error {
	var fresh, changed [][]*dueRow
	for _, root := range slices.Sorted(maps.Keys(d.of)) {
		rows := d.of[root]
		switch {
		case !slices.ContainsFunc(rows, func(r *dueRow) bool { return r.dirty }):
		case rows[0].isNew:
			fresh = append(fresh, rows)
		default:
			changed = append(changed, rows)
		}
	}
	return writeDues(ctx, tx, fresh, changed)
}
