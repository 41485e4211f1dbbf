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
	ends := q.stretches()
	for i := len(ends) - 1; i >= 0; i-- {
		low := q.leastAmount()
		if i > 0 {
			low = ends[i-1] + 1
		}
		found, err := q.highest(ctx, low, ends[i])
		if err != nil {
			return nil, err
		}
		if found > 0 {
			return q.amount(found)
		}
	}
	for _, minor := range q.minimums() {
		if ok, err := q.approvesAmount(ctx, minor); ok || err != nil {
			if err != nil {
				return nil, err
			}
			return q.amount(minor)
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

// stretchesMax bounds how many amounts are looked at; a tenant may have thousands
// of thresholds. The highest are the nearest.
const stretchesMax = 64

// stretches are the amounts below what was asked for, in minor units of the
// transaction's currency, at which a stretch between two thresholds ends: in
// order. None is below the cash in a purchase, which stays.
func (q *inquiry) stretches() []int64 {
	asked := q.record.Request.Amount.Minor()
	ends := []int64{asked - 1}
	for _, minor := range q.thresholds() {
		ends = append(ends, minor-1, minor)
	}
	slices.Sort(ends)
	least := q.leastAmount()
	ends = slices.DeleteFunc(slices.Compact(ends), func(minor int64) bool { return minor < least || minor >= asked })
	return ends[max(0, len(ends)-stretchesMax):]
}

// leastAmount is the lowest amount that is looked at.
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
		if v := &f.Velocity[i]; v.MaxAmount != nil && v.Amount != nil {
			all = append(all, share(v.MaxAmount.Minor()-s.Velocity[i].Amount, r.Request.Amount, *v.Amount))
		}
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
	for _, v := range q.record.Facts.Velocity {
		if v.MinAmount != nil && v.Amount != nil && v.Amount.Cmp(*v.MinAmount) < 0 {
			minor := share(v.MinAmount.Minor(), q.record.Request.Amount, *v.Amount)
			all = append(all, minor, minor+1) // what is converted may come out one less
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
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
