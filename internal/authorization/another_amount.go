package authorization

import (
	"context"
	"math/big"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// byAmount looks for the nearest amount that is approved: the highest one below
// what was asked for or, where a minimum refused it, that minimum.
//
// Between two thresholds nothing changes by a step: the same controls and fees
// are chosen, and what is refused stays refused as the amount grows. So each such
// stretch has a highest amount that is approved, if its lowest is, and they are
// looked through from the highest.
func (q *inquiry) byAmount(ctx context.Context) (*Counterfactual, error) {
	if classify(q.record.Request.ProcessingCode, q.record.Request.MCC, q.record.Request.Amount).dir != debit {
		return nil, nil
	}
	stretches := q.stretches(q.leastAmount(), q.record.Request.Amount.Minor()-1)
	for _, s := range slices.Backward(stretches[max(0, len(stretches)-stretchesMax):]) {
		found, err := q.highest(ctx, s.low, s.high)
		if err != nil {
			return nil, err
		}
		if found > 0 {
			return q.amount(found)
		}
	}
	return q.byMinimum(ctx)
}

// byMinimum looks for the lowest amount above what was asked for that is approved,
// where that was too low. What it costs besides counts for some minimums, so that
// one may be reached before.
func (q *inquiry) byMinimum(ctx context.Context) (*Counterfactual, error) {
	minimums := q.minimums()
	if len(minimums) == 0 {
		return nil, nil
	}
	stretches := q.stretches(q.record.Request.Amount.Minor()+1, slices.Max(minimums))
	for _, s := range stretches[:min(len(stretches), stretchesMax)] {
		found, err := q.lowest(ctx, s.low, s.high)
		if err != nil {
			return nil, err
		}
		if found > 0 {
			return q.amount(found)
		}
	}
	return nil, nil
}

// highest returns the highest amount of a stretch that is approved; 0 when none
// is.
func (q *inquiry) highest(ctx context.Context, low, high int64) (int64, error) {
	if ok, err := q.approvesAmount(ctx, high); ok || err != nil {
		return high, err
	}
	if low == high {
		return 0, nil
	}
	if ok, err := q.approvesAmount(ctx, low); !ok || err != nil {
		return 0, err
	}
	for low+1 < high { // low is approved, high is not
		middle := low + (high-low)/2
		ok, err := q.approvesAmount(ctx, middle)
		if err != nil {
			return 0, err
		}
		if ok {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}

// lowest returns the lowest amount of a stretch that is approved; 0 when none is.
func (q *inquiry) lowest(ctx context.Context, low, high int64) (int64, error) {
	if ok, err := q.approvesAmount(ctx, low); ok || err != nil {
		return low, err
	}
	if low == high {
		return 0, nil
	}
	if ok, err := q.approvesAmount(ctx, high); !ok || err != nil {
		return 0, err
	}
	for low+1 < high { // low is not approved, high is
		middle := low + (high-low)/2
		ok, err := q.approvesAmount(ctx, middle)
		if err != nil {
			return 0, err
		}
		if ok {
			high = middle
		} else {
			low = middle
		}
	}
	return high, nil
}

// stretchesMax bounds how many stretches are looked through; a tenant may have
// thousands of thresholds. The nearest are; of the others nothing is told.
const stretchesMax = 256

// stretch is a range of amounts, in minor units of the transaction's currency, with
// no threshold between its ends.
type stretch struct{ low, high int64 }

// stretches divides the amounts from low to high, in order.
func (q *inquiry) stretches(low, high int64) []stretch {
	if low > high {
		return nil
	}
	ends := []int64{high}
	for _, minor := range q.thresholds() {
		ends = append(ends, minor-1, minor)
	}
	slices.Sort(ends)
	var all []stretch
	for _, end := range slices.Compact(ends) {
		if end >= low && end <= high {
			all = append(all, stretch{low, end})
			low = end + 1
		}
	}
	return all
}

// leastAmount is the lowest amount that is looked at: the cash in a purchase stays.
func (q *inquiry) leastAmount() int64 {
	if cash := q.record.Request.Cashback; cash != nil {
		return max(1, cash.Minor())
	}
	return 1
}

// thresholds are the amounts that checks, controls and fees compare the
// transaction's with.
func (q *inquiry) thresholds() []int64 {
	r := q.record
	f, s, p := &r.Facts, &r.State, &r.Facts.Product
	var all []int64
	billed := func(minor int64) { all = append(all, share(minor, r.Request.Amount, f.Billing)) }
	billed(s.available(classify(r.Request.ProcessingCode, r.Request.MCC, r.Request.Amount).code).Minor())
	if r.Request.IsContactless() && f.Billing.Currency().Code() == p.Currency && p.ContactlessLimit >= 0 {
		billed(p.ContactlessLimit)
		billed(p.ContactlessCumulative - s.Card.ContactlessAmount)
	}
	for i := range f.Velocity {
		v := &f.Velocity[i]
		if v.MaxAmount != nil && v.Amount != nil {
			all = append(all, share(v.MaxAmount.Minor()-s.Velocity[i].Amount, r.Request.Amount, *v.Amount))
		}
		all = append(all, v.leastOf(r.Request.Amount)...)
	}
	for i := range f.Fees {
		due := &f.Fees[i].Due
		for _, t := range due.Terms.Tiers {
			billed(t.From.Minor())
		}
		if due.Free != nil && due.Free.Amount != nil {
			billed(due.Free.Amount.Minor() - s.Fees[i].Amount)
		}
	}
	if q.snapshot == nil || q.snapshot.IsEmpty() {
		return all
	}
	for _, t := range q.snapshot.AmountThresholds(q.occasion()) {
		switch t.Field {
		case rule.TransactionAmount:
			all = append(all, minorOf(t.At, r.Request.Amount.Currency()))
		case rule.TransactionBillingAmount:
			billed(minorOf(t.At, f.Billing.Currency()))
		}
	}
	return all
}

// minimums are what the limits that found the amount too low ask for at least.
func (q *inquiry) minimums() []int64 {
	var all []int64
	for i := range q.record.Facts.Velocity {
		if v := &q.record.Facts.Velocity[i]; v.MinAmount != nil && v.Amount != nil && v.Amount.Cmp(*v.MinAmount) < 0 {
			all = append(all, v.leastOf(q.record.Request.Amount)...)
		}
	}
	return all
}

// leastOf is what a limit asks for at least, in minor units of the currency of the
// transaction over an amount; none where it does not.
func (v *VelocityFacts) leastOf(asked money.Amount) []int64 {
	if v.MinAmount == nil || v.Amount == nil {
		return nil
	}
	minor := share(v.MinAmount.Minor(), asked, *v.Amount)
	return []int64{minor, minor + 1} // what is converted may come out one less
}

// minorOf is a number of a rule in minor units of a currency, rounded down.
func minorOf(n rule.Number, c money.Currency) int64 {
	x := new(big.Int).Mul(big.NewInt(n.Coefficient), pow10(c.Exponent()))
	x.Div(x, pow10(int(n.Exponent)))
	if !x.IsInt64() {
		return 0
	}
	return x.Int64()
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// amount is the counterfactual of an amount of the transaction.
func (q *inquiry) amount(minor int64) (*Counterfactual, error) {
	req, f, err := q.withAmount(minor)
	if err != nil {
		return nil, err
	}
	return &Counterfactual{Change: AnotherAmount, Amount: req.Amount, Billing: f.Billing}, nil
}

func (q *inquiry) approvesAmount(ctx context.Context, minor int64) (bool, error) {
	req, f, err := q.withAmount(minor)
	if err != nil {
		return false, err
	}
	return q.approves(ctx, &req, f)
}

// withAmount is the request over another amount. What a network has converted it
// would have converted at the same rate.
func (q *inquiry) withAmount(minor int64) (Request, Facts, error) {
	req, f := q.record.Request, q.record.Facts
	asked := req.Amount
	var err error
	if req.Amount, err = money.New(minor, asked.Currency()); err != nil {
		return req, f, err
	}
	if req.Billing != nil {
		billing, err := req.Billing.MulDiv(minor, asked.Minor(), money.HalfUp)
		if err != nil {
			return req, f, err
		}
		req.Billing = &billing
	}
	f.bill(&req, f.Billing.Currency())
	return req, f, nil
}
