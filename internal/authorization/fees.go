package authorization

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// FeeFacts are a fee that applies to the request: on the life cycle that it
// begins, if it begins one.
type FeeFacts struct {
	Due fee.Due
	// Counter, Subject, Start and Ends are what adds up those that cost nothing in
	// a period; empty where none are free.
	Counter, Subject string
	Start, Ends      int64
}

// FeeState is what cost nothing in the present period under the counter of a
// [FeeFacts], the amount in minor units.
type FeeState struct{ Amount, Count int64 }

// feeFacts are those of a fee that applies at a moment, on a request of these
// facts. ok is false when it does not name the inquiry that the request is.
func feeFacts(a fee.Applied, req *Request, f *Facts, row codeRow, calendar control.Calendar) (v FeeFacts, ok bool) {
	if v.Due = fee.NewDue(a); a.Base == fee.CashbackAmount {
		v.Due.Most = req.Cashback
	}
	if row.dir == neither {
		if row.code != BalanceInquiry || !a.OnInquiries {
			return v, false
		}
		v.Due.StandsAlone = true
	}
	if a.Free != nil {
		w := calendar.WindowAt(a.Free.Period, f.Now)
		v.Counter = strings.Join([]string{"fee", a.Code, string(a.Free.Period), f.Billing.Currency().Code()}, "/")
		v.Subject, v.Start, v.Ends = f.Card.Issuance.String(), w.Start.UnixMicro(), w.End.UnixMicro()
	}
	return v, true
}

// isAbout says whether a request has what a fee is on: it was converted, cash was
// handed out.
func (f *Facts) isAbout(b fee.Base, req *Request) bool {
	switch b {
	case fee.ConvertedDifference:
		return req.Amount.Currency() != f.Billing.Currency()
	case fee.CashbackAmount:
		return req.Cashback != nil && req.Cashback.Currency() == f.Billing.Currency() && req.Cashback.Sign() > 0
	}
	return true
}

// key is the counter's.
func (v *FeeFacts) key(tenant access.TenantID) control.CounterKey {
	return control.CounterKey{Tenant: tenant, Counter: v.Counter, Subject: v.Subject, Start: v.Start}
}

// isFree says whether an amount is one of those that cost nothing.
func (v *FeeFacts) isFree(amount money.Amount, used FeeState) bool {
	free := v.Due.Free
	switch {
	case free == nil || v.Counter == "":
		return false
	case free.Count > 0 && used.Count+1 > int64(free.Count):
		return false
	case free.Amount != nil && used.Amount+amount.Minor() > free.Amount.Minor():
		return false
	}
	return free.Count > 0 || free.Amount != nil
}

// beginsLifeCycle says whether a request that is approved is the first of a life
// cycle, and not a part of the one it refers to.
func beginsLifeCycle(req *Request, s State, row codeRow) bool {
	o := s.Original
	return !(o.Found && o.SameCard && o.Status.HoldsMoney() && row.dir != credit && req.Flow != FinancialRequest)
}

// postsAtOnce says whether the request moves its money itself.
func postsAtOnce(req *Request, f *Facts) bool {
	return req.Flow == FinancialRequest || req.Flow == FinancialAdvice && f.ClearingModel == Single
}

// checkFee computes what the request costs besides its price (contract §3.4, step
// 9). It refuses nothing: that the account covers it is for the balance to say.
func checkFee(d *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	if row.dir == credit || !f.Convertible {
		return skipped()
	}
	d.feesComputed = true
	if !beginsLifeCycle(req, s, row) {
		if len(s.Dues) == 0 {
			return skipped()
		}
		more := d.feesOn(f.Billing, req, f, s, row)
		return passed("%s more, on the terms of the first", more.Decimal()).with(amountInput("fees", more))
	}
	if len(f.Fees) == 0 {
		return skipped()
	}
	c := Check{Outcome: Pass}
	for i := range f.Fees {
		v := &f.Fees[i]
		due := v.Due
		due.IsFree = v.isFree(f.Billing, s.Fees[i])
		d.Fees = append(d.Fees, due)
		if d.isBrief {
			c.Parts = append(c.Parts, Check{Outcome: Pass, Subject: due.Code})
			continue
		}
		c.Parts = append(c.Parts, v.tell(due, f.Billing, s.Fees[i], req, f))
	}
	total := d.feesOn(f.Billing, req, f, s, row)
	c.Detail = total.Decimal()
	return c.with(amountInput("fees", total))
}

// tell is the part of the check that is about one fee.
func (v *FeeFacts) tell(due fee.Due, amount money.Amount, used FeeState, req *Request, f *Facts) Check {
	charge := expected(due, amount, postsAtOnce(req, f))
	c := passed("%s: %s", due.Code, charge.Fee.Decimal())
	for _, t := range charge.Taxes {
		c.Detail += fmt.Sprintf(" + %s %s", t.Amount.Decimal(), t.Type)
	}
	in := []Input{countInput("version", due.Version), textInput("link", due.Link), textInput("timing", due.Timing), amountInput("fee", charge.Fee)}
	for _, t := range charge.Taxes {
		in = append(in, amountInput("tax."+string(t.Type), t.Amount))
	}
	if due.Free != nil {
		in = append(in, countInput("freeUsedCount", used.Count), minorInput("freeUsed", used.Amount, f.Billing.Currency()))
		if due.IsFree {
			c.Detail = due.Code + ": free"
		}
	}
	return c.of(due.Code).with(in...)
}

// expected is what a fee comes to on an amount that is held, or posted at once.
func expected(due fee.Due, amount money.Amount, posts bool) fee.Charge {
	if posts {
		due.Move(amount)
		return due.Owed()
	}
	return due.Of(amount)
}

// feesOn is what an amount costs besides when it is approved: the fees of the
// life cycle that it begins, or what those of the one that it adds to become
// more. Those that wait are not in it.
func (d *Decision) feesOn(amount money.Amount, req *Request, f *Facts, s State, row codeRow) money.Amount {
	return d.feesOf(amount, req, f, s, row, func(due *fee.Due) bool { return !due.Waits })
}

// feesToCount is feesOn with what waits, in minor units.
func (d *Decision) feesToCount(amount money.Amount, req *Request, f *Facts, s State, row codeRow) int64 {
	return d.feesOf(amount, req, f, s, row, func(*fee.Due) bool { return true }).Minor()
}

func (d *Decision) feesOf(amount money.Amount, req *Request, f *Facts, s State, row codeRow, is func(*fee.Due) bool) money.Amount {
	total := money.Zero(f.Billing.Currency())
	add := func(c fee.Charge, sign int) {
		if t, err := c.Total(); err == nil {
			if sign < 0 {
				t = t.Neg()
			}
			if sum, err := total.Add(t); err == nil {
				total = sum
			}
		}
	}
	if beginsLifeCycle(req, s, row) {
		for i := range d.Fees {
			if is(&d.Fees[i]) {
				add(expected(d.Fees[i], amount, postsAtOnce(req, f)), 1)
			}
		}
		return total
	}
	held := s.Original.Remaining
	for i := range s.Dues {
		if due := &s.Dues[i]; is(due) {
			add(due.Of(plus(held, amount)), 1)
			add(due.Of(held), -1)
		}
	}
	return total
}

// deferFees lets the fees wait: none of them is held, and each is charged once
// the balance covers it.
func (d *Decision) deferFees() {
	d.defersFees = true
	for i := range d.Fees {
		d.Fees[i].Waits = true
	}
}

// mostWithFees is the highest amount, at most what was asked for, that is covered
// together with what it costs besides; zero when there is none. Both parts of the
// sum grow with the amount, except where a tier begins: the stretches between
// those are looked at from the highest down.
func (d *Decision) mostWithFees(available money.Amount, req *Request, f *Facts, s State, row codeRow) money.Amount {
	zero := money.Zero(f.Billing.Currency())
	covered := func(minor int64) bool {
		a, err := money.New(minor, f.Billing.Currency())
		if err != nil {
			return false
		}
		sum, err := withFees(a, d.feesOn(a, req, f, s, row))
		return err == nil && sum.Cmp(available) <= 0
	}
	bounds := tierBounds(d.Fees, s.Dues, s.Original.Remaining, f.Billing)
	for i := len(bounds) - 1; i > 0; i-- {
		low, high := bounds[i-1], bounds[i]-1
		if !covered(low) {
			continue
		}
		for low < high { // low is covered; what is above high is not asked for
			if middle := low + (high-low+1)/2; covered(middle) {
				low = middle
			} else {
				high = middle - 1
			}
		}
		a, err := money.New(low, f.Billing.Currency())
		if err != nil {
			return zero
		}
		return a
	}
	return zero
}

// withFees is what must be covered of an amount that costs so much more. What it
// costs less, as an increment may that comes to a lower tier, is set free after it.
func withFees(a, fees money.Amount) (money.Amount, error) {
	if fees.Sign() < 0 {
		return a, nil
	}
	return a.Add(fees)
}

// tierBounds are where a price changes by a step, from one minor unit to one
// above what was asked for. held is what is held of the life cycle with standing
// fees.
func tierBounds(fresh, standing []fee.Due, held, asked money.Amount) []int64 {
	bounds := []int64{1, asked.Minor() + 1}
	for k, list := range [][]fee.Due{fresh, standing} {
		for i := range list {
			on := list[i].Moved.Minor() + list[i].Kept.Minor() - list[i].Refunded.Minor()
			if k == 1 {
				on += held.Minor()
			}
			for _, t := range list[i].Terms.Tiers {
				from := t.From.Minor() - on
				if from > 1 && from <= asked.Minor() {
					bounds = append(bounds, from)
				}
			}
		}
	}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

// refuseFees leaves of the fees those that are due for a decline, too. A decline
// before they were computed costs nothing.
func (d *Decision) refuseFees(f *Facts) {
	var due []fee.Due
	for _, v := range d.Fees {
		if d.feesComputed && v.OnDeclined && !v.IsFree && f.Billing.Sign() > 0 {
			v.Refuse(f.Billing)
			v.Waits = !f.Client.Owns()
			due = append(due, v)
		}
	}
	d.Fees = due
}

// visitFees writes or reads the fees of a decision with what was free of them,
// and those of the life cycle that it is about. own is the issuance of the card.
func visitFees(c *codec, own string, f *[]FeeFacts, s *[]FeeState, dues *[]fee.Due) {
	n, m := len(*f), len(*dues)
	c.count("fees", &n)
	c.count("dues", &m)
	if c.reading {
		*f, *s, *dues = make([]FeeFacts, n), make([]FeeState, n), make([]fee.Due, m)
	}
	for i := range n {
		v, u := &(*f)[i], &(*s)[i]
		c.visitRow("fee."+strconv.Itoa(i), func() { v.visit(c, own, u) })
	}
	for i := range m {
		v := &(*dues)[i]
		c.visitRow("due."+strconv.Itoa(i), func() {
			visitDue(c, v)
			c.bool("free", &v.IsFree)
			c.bool("waits", &v.Waits)
			c.amount("moved", &v.Moved)
			c.amount("kept", &v.Kept)
			c.amount("refunded", &v.Refunded)
		})
	}
}

func (v *FeeFacts) visit(c *codec, own string, u *FeeState) {
	visitDue(c, &v.Due)
	visitText(c, "counter", &v.Counter)
	visitSubject(c, "subject", own, &v.Subject)
	c.int("start", &v.Start)
	c.int("ends", &v.Ends)
	c.int("used_amount", &u.Amount)
	c.int("used_count", &u.Count)
}

func visitDue(c *codec, d *fee.Due) {
	var document string
	if !c.reading {
		document = d.Document()
	}
	visitText(c, "applied", &document)
	if c.reading {
		due, err := fee.ParseDue(document)
		c.fail("applied", err)
		*d = due
	}
}

// openDues reads the fees of the life cycles that the operations refer to, under
// the locks of their accounts.
func (w *work) openDues(ctx context.Context, tx db.Tx, ops []*operation) error {
	var roots []string
	for _, t := range w.transactions {
		roots = append(roots, t.Root.String())
	}
	pending, err := fee.PendingRoots(ctx, tx, w.creditedBy(ops))
	if err != nil {
		return fmt.Errorf("find pending fees: %w", err)
	}
	w.dues, err = fee.OpenDues(ctx, tx, append(roots, pending...))
	return err
}

// creditedBy are the accounts that operations may bring money to.
func (w *work) creditedBy(ops []*operation) []ledger.AccountID {
	var accounts []ledger.AccountID
	for _, op := range ops {
		req := op.req
		switch {
		case req.Flow.IsReversal():
			if t := w.transactions[w.refersTo(op)]; t != nil && t.IsPosted() {
				accounts = append(accounts, t.Account, op.facts.Card.Account)
			}
		case postsAtOnce(req, op.facts) && classify(req.ProcessingCode, req.MCC, req.Amount).dir == credit && op.facts.Card.Found:
			accounts = append(accounts, op.facts.Card.Account)
		}
	}
	return accounts
}

// collectFees charges fees that waited for money which t has brought.
func (w *work) collectFees(op *operation, d Decision, t *Transaction) error {
	if d.Post.Sign() <= 0 || d.PostSide != ledger.Credit {
		return nil
	}
	collected, err := w.dues.Collect(w.book, t.Account, fee.Act{BusinessOn: op.facts.BusinessOn, At: op.facts.Now, Real: w.now})
	w.collected = append(w.collected, collected...)
	return err
}

// freeUsed is what cost nothing so far of the fees of op.
func (w *work) freeUsed(op *operation) []FeeState {
	var all []FeeState
	for i := range op.facts.Fees {
		v := &op.facts.Fees[i]
		var u FeeState
		if v.Counter != "" {
			u.Amount, u.Count = w.counters.Used(v.key(op.facts.Tenant), false, op.facts.Now)
		}
		all = append(all, u)
	}
	return all
}

// standFees notes what the fees of the life cycle that an operation refers to
// come to before it.
func (w *work) standFees(o Original) {
	if o.Found && o.SameCard {
		w.dues.Stand(o.Root.String(), o.Remaining)
	}
}

// chargeFees begins the fees of a life cycle that t begins, follows those of one
// that it changed, and books what becomes of them. reserved is the hold that t
// lived on when it came here.
func (w *work) chargeFees(op *operation, d Decision, o Original, t *Transaction, reserved ledger.HoldID) error {
	root, f := t.Root.String(), op.facts
	waits := d.Status == StatusPending && !t.IsDebit // nothing is set aside for an answer that is still to come
	switch {
	case len(d.Fees) > 0 && t.ID == t.Root && !waits:
		w.dues.Begin(t.Tenant, t.Account, root, d.Fees, f.Now)
		w.countFree(f, t, d, o)
	case d.defersFees:
		w.dues.Each(root, func(due *fee.Due) { due.Waits = true })
	}
	switch {
	case op.req.Flow.IsReversal():
		if orig := w.transactions[o.ID]; orig == nil || !o.SameCard || !o.IsDebit {
			return nil
		}
		w.takeBackFees(d, o)
	case d.Post.Sign() > 0 && t.IsDebit:
		w.dues.Each(root, func(due *fee.Due) { due.Move(d.Post) })
	}
	hold := reserved
	if hold.IsZero() && o.SameCard {
		hold = o.Hold
	}
	return w.settleFees(op, t, hold)
}

// concludeFees is chargeFees for a request whose client was asked. before is what
// was held of its life cycle without it, reserved the hold it lived on.
func (w *work) concludeFees(op *operation, d Decision, t *Transaction, before money.Amount, reserved ledger.HoldID) error {
	root, f := t.Root.String(), op.facts
	w.dues.Stand(root, before)
	refused := d.Status == StatusDeclined
	switch {
	case t.ID != t.Root:
	case len(w.dues.Of(root)) == 0:
		return w.chargeFees(op, d, Original{}, t, reserved)
	case refused:
		w.dues.Each(root, func(due *fee.Due) {
			if due.OnDeclined && !due.IsFree {
				due.Refuse(f.Billing)
			}
		})
	}
	if d.Post.Sign() > 0 && t.IsDebit {
		w.dues.Each(root, func(due *fee.Due) { due.Move(d.Post) })
	}
	return w.settleFees(op, t, reserved)
}

// settleFees charges and holds what the fees of t's life cycle come to now.
func (w *work) settleFees(op *operation, t *Transaction, hold ledger.HoldID) error {
	changes, err := w.dues.Settle(w.book, t.Root.String(), hold, fee.Act{
		Transaction: t.ID.String(), Account: t.Account, Description: t.Message.MerchantName,
		Region: t.CreditPurpose(nil).Region, BusinessOn: op.facts.BusinessOn, At: op.facts.Now, Real: w.now,
	})
	if err != nil {
		return err
	}
	if lines := fee.Charged(changes); len(lines) > 0 && len(w.interests) > 0 && !t.Card.IsZero() {
		w.feesTold = append(w.feesTold, FeesTold{t.Tenant, t.Card, t.ID, lines})
	}
	if t.Additional = fee.Standing(changes); t.completes() {
		t.Additional = fee.Whole(changes) // its amount is that of the whole, too
	}
	return nil
}

// takeBackFees tells the fees of a life cycle what a reversal took back of it.
func (w *work) takeBackFees(d Decision, o Original) {
	part := d.Post
	if d.ReverseBy.Sign() > 0 {
		part = d.ReverseBy
		if h, ok := w.book.Hold(o.Hold); ok {
			part = minus(o.Remaining, h.Remaining())
		}
	}
	if part.Sign() <= 0 {
		return
	}
	w.dues.Each(o.Root.String(), func(due *fee.Due) {
		due.TakeBack(part)
		if d.Post.Sign() > 0 {
			due.Move(part.Neg())
		}
	})
}

// countFree counts a life cycle that costs nothing against what is free.
func (w *work) countFree(f *Facts, t *Transaction, d Decision, o Original) {
	for i := range f.Fees {
		v := &f.Fees[i]
		if v.Counter == "" || i >= len(d.Fees) || !d.Fees[i].IsFree || d.Fees[i].Code != v.Due.Code {
			continue
		}
		w.counters.Add(v.use(f, t.ID, t.Root, d.Approved, countOf(d, o)))
	}
}

// use is what a transaction that costs nothing has of what is free.
func (v *FeeFacts) use(f *Facts, t, cycle TransactionID, amount money.Amount, count int64) control.Use {
	return control.Use{
		Key: v.key(f.Tenant), Transaction: t.String(), Cycle: cycle.String(), Amount: amount.Minor(), Count: count,
		Of: amount.Minor(), At: f.Now, Ends: clock.FromMicros(v.Ends),
	}
}
