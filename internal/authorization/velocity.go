package authorization

import (
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// VelocityFacts are a velocity control that counts the request: its limits, the
// counter they are compared with, and what the request adds to it.
type VelocityFacts struct {
	Code    string
	Version int
	Link    string // its type and code, "Product/CLASSIC"

	// Counts says that something is added up, under the counter, for the subject,
	// in the window from Start. From is when a rolling window begins, zero for all
	// others.
	Counts           bool
	Counter, Subject string
	Start            int64
	From             time.Time

	// Amount is the request's in the currency of the limits; nil where there is no
	// rate to have it in that.
	Amount               *money.Amount
	MinAmount, MaxAmount *money.Amount // nil is no limit
	MaxCount             int           // 0 is no limit
	ResponseCode         string        // DE39 of a decline; empty is the network's
	AlertsOnly           bool
	CountsDeclines       bool

	// Ends is when the window ends for what the request adds; zero is never. Adjusts
	// says that presentments of another amount change that, Lowers that refunds do.
	Ends            time.Time
	Adjusts, Lowers bool
	// AlertPercent is how much of a limit is used when that is told; 0 is never.
	AlertPercent int
	// CountsFees says that what the request costs besides counts with it. FeePar is
	// the worth of [control.FeePar] minor units of the account in another currency.
	CountsFees bool
	FeePar     *money.Amount
	IsBroken   bool // it counts because its rule cannot be evaluated
}

// VelocityState is what was used under the counter of a [VelocityFacts], amounts
// in minor units.
type VelocityState struct{ Amount, Count int64 }

// velocityFacts is b as it bounds a request of an amount.
func velocityFacts(b *control.Bound, amount *money.Amount) VelocityFacts {
	v := VelocityFacts{
		Code: b.Check.Code, Version: b.Check.Version, Link: string(b.Link.Type) + "/" + b.Link.Code, Counts: b.Counts(),
		Amount: amount, MinAmount: b.Check.MinAmount, MaxAmount: b.Limits.Amount, ResponseCode: b.Check.DeclineCode,
		AlertsOnly: b.Check.OnExceed == control.ExceedAlerts, CountsDeclines: b.Check.IncludeDeclined,
		Adjusts: b.Check.AdjustOnClearing, Lowers: b.Check.Refunds == control.RefundsDecrease, AlertPercent: b.Check.AlertThreshold,
		CountsFees: b.Check.IncludeFees && amount != nil, IsBroken: b.IsBroken,
	}
	if b.Limits.Count != nil {
		v.MaxCount = *b.Limits.Count
	}
	if b.Counts() {
		v.Counter, v.Subject, v.Start, v.Ends = b.Key.Counter, b.Key.Subject, b.Key.Start, b.Ends()
		if b.IsSpan() {
			v.From = b.Window.Start
		}
	}
	return v
}

// key is the counter's.
func (v *VelocityFacts) key(tenant access.TenantID) control.CounterKey {
	return control.CounterKey{Tenant: tenant, Counter: v.Counter, Subject: v.Subject, Start: v.Start}
}

// par is how much FeePar is; 0 where the limit has the account's currency.
func (v *VelocityFacts) par() int64 {
	if v.FeePar == nil {
		return 0
	}
	return v.FeePar.Minor()
}

// feesIn is what of fees counts, in minor units of the limit's currency.
func (v *VelocityFacts) feesIn(fees int64) int64 {
	if !v.CountsFees {
		return 0
	}
	return control.FeesIn(fees, v.par())
}

// judge compares the limits with what would be used. An increment is no further
// use, only a higher one. What it costs besides is in minor units of the account.
func (v *VelocityFacts) judge(used VelocityState, fees int64, isIncrement bool) Check {
	fees = v.feesIn(fees)
	c := v.compare(used, fees, isIncrement).of(v.Code).with(v.inputs(used, fees, isIncrement)...)
	if c.Outcome == Fail && v.AlertsOnly {
		c.Outcome, c.Reason, c.Detail = Pass, "", c.Detail+", only alerted"
	}
	return c
}

// holds reports whether the limits hold with what would be used.
func (v *VelocityFacts) holds(used VelocityState, fees int64, isIncrement bool) bool {
	return v.holdsAmount(used, fees) && v.holdsCount(used, isIncrement)
}

func (v *VelocityFacts) holdsAmount(used VelocityState, fees int64) bool {
	switch {
	case v.MinAmount == nil && v.MaxAmount == nil:
		return true
	case v.Amount == nil:
		return false
	}
	return !v.isAbove(used, fees) && !v.isBelow(fees)
}

func (v *VelocityFacts) isAbove(used VelocityState, fees int64) bool {
	return v.MaxAmount != nil && used.Amount+v.Amount.Minor()+fees > v.MaxAmount.Minor()
}

func (v *VelocityFacts) isBelow(fees int64) bool {
	return v.MinAmount != nil && v.Amount.Minor()+fees < v.MinAmount.Minor()
}

func (v *VelocityFacts) holdsCount(used VelocityState, isIncrement bool) bool {
	return v.MaxCount == 0 || isIncrement || used.Count+1 <= int64(v.MaxCount)
}

func (v *VelocityFacts) compare(used VelocityState, fees int64, isIncrement bool) Check {
	var told []string
	if v.MinAmount != nil || v.MaxAmount != nil {
		if v.Amount == nil {
			return failed(VelocityAmount, "%s: no rate to compare the amount by", v.Code)
		}
		text := v.Amount.Decimal()
		if fees != 0 {
			text += " + " + decimal(fees, *v.Amount)
		}
		if v.Counts {
			text = decimal(used.Amount, *v.Amount) + " + " + text
		}
		switch {
		case v.isAbove(used, fees):
			return failed(VelocityAmount, "%s: %s > %s", v.Code, text, v.MaxAmount.Decimal())
		case v.isBelow(fees):
			return failed(VelocityAmount, "%s: %s < %s", v.Code, text, v.MinAmount.Decimal())
		case v.MaxAmount != nil:
			told = append(told, text+" <= "+v.MaxAmount.Decimal())
		}
	}
	if v.MaxCount > 0 && !isIncrement {
		if !v.holdsCount(used, isIncrement) {
			return failed(VelocityCount, "%s: %d + 1 > %d", v.Code, used.Count, v.MaxCount)
		}
		told = append(told, strconv.FormatInt(used.Count, 10)+" + 1 <= "+strconv.Itoa(v.MaxCount))
	}
	return Check{Outcome: Pass, Detail: strings.Join(told, ", ")}
}

// IsTooLow reports whether a limit refused because the amount, with what it costs
// besides where that counts, was below its minimum.
func (c *Check) IsTooLow() bool {
	at := func(name string) (money.Amount, bool) {
		decimal, code, _ := strings.Cut(c.Input(name), " ")
		currency, err := money.ParseCurrency(code)
		if err != nil {
			return money.Amount{}, false
		}
		a, err := money.Parse(decimal, currency)
		return a, err == nil
	}
	minimum, some := at("minimum")
	asked, known := at("requested")
	if c.Outcome != Fail || !some || !known {
		return false
	}
	if fees, counted := at("fees"); counted {
		asked = plus(asked, fees)
	}
	return asked.Cmp(minimum) < 0
}

// inputs are what the limits were compared with, and which version and link of
// the control set them.
func (v *VelocityFacts) inputs(used VelocityState, fees int64, isIncrement bool) []Input {
	in := make([]Input, 0, 11)
	in = append(in, countInput("version", v.Version), textInput("link", v.Link))
	if v.IsBroken {
		in = append(in, brokenInput)
	}
	if v.Amount != nil && (v.MinAmount != nil || v.MaxAmount != nil) {
		if in = append(in, amountInput("requested", *v.Amount)); v.Counts {
			in = append(in, minorInput("used", used.Amount, v.Amount.Currency()))
		}
		if v.CountsFees {
			in = append(in, minorInput("fees", fees, v.Amount.Currency()))
		}
	}
	if v.MinAmount != nil {
		in = append(in, amountInput("minimum", *v.MinAmount))
	}
	if v.MaxAmount != nil {
		in = append(in, amountInput("limit", *v.MaxAmount))
	}
	if v.MaxCount > 0 && !isIncrement {
		in = append(in, countInput("usedCount", used.Count), countInput("limitCount", v.MaxCount))
	}
	switch {
	case !v.From.IsZero():
		in = append(in, momentInput("windowStart", v.From))
	case v.Counts && v.Start > 0: // a lifetime has no beginning
		in = append(in, momentInput("windowStart", clock.FromMicros(v.Start)))
	}
	return in
}

// decimal shows minor units of the currency of an amount. A counter may hold more
// than an amount can: it is shown as it is counted.
func decimal(minor int64, like money.Amount) string {
	a, err := money.New(minor, like.Currency())
	if err != nil {
		return strconv.FormatInt(minor, 10) + " minor units"
	}
	return a.Decimal()
}

// checkVelocity refuses what is more, or more often, than the card's limits
// (contract §3.4, step 10, and §11.6). All limits hold together; the first that
// is exceeded, by code, decides.
func checkVelocity(d *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	if len(f.Velocity) == 0 || row.dir != debit {
		return skipped()
	}
	parts := make([]Check, 0, len(f.Velocity))
	fees := d.feesToCount(f.Billing, req, f, s, row)
	for i := range f.Velocity {
		v := &f.Velocity[i]
		if d.isBrief && v.holds(s.Velocity[i], v.feesIn(fees), req.IsIncrement) {
			parts = append(parts, Check{Outcome: Pass, Subject: v.Code})
			continue
		}
		c := v.judge(s.Velocity[i], fees, req.IsIncrement)
		parts = append(parts, c)
		if c.Outcome == Fail && !req.Flow.IsAdvice() {
			d.ResponseCode = v.ResponseCode
			break
		}
	}
	return inParts(parts)
}

// visitVelocity writes or reads the velocity controls of a decision with what
// was used of them. own is the issuance of the card.
func visitVelocity(c *codec, own string, f *[]VelocityFacts, s *[]VelocityState) {
	n := len(*f)
	c.count("velocity", &n)
	if c.reading {
		*f, *s = make([]VelocityFacts, n), make([]VelocityState, n)
	}
	for i := range n {
		c.visitRow("velocity."+strconv.Itoa(i), func() { (*f)[i].visit(c, own, &(*s)[i]) })
	}
}

func (v *VelocityFacts) visit(c *codec, own string, u *VelocityState) {
	visitText(c, "code", &v.Code)
	c.count("version", &v.Version)
	visitText(c, "link", &v.Link)
	c.bool("counts", &v.Counts)
	visitText(c, "counter", &v.Counter)
	visitSubject(c, "subject", own, &v.Subject)
	c.int("start", &v.Start)
	c.time("from", &v.From)
	c.optionalAmount("amount", &v.Amount)
	c.optionalAmount("min_amount", &v.MinAmount)
	c.optionalAmount("max_amount", &v.MaxAmount)
	c.count("max_count", &v.MaxCount)
	visitText(c, "response_code", &v.ResponseCode)
	c.bool("alerts_only", &v.AlertsOnly)
	c.bool("counts_declines", &v.CountsDeclines)
	c.time("ends", &v.Ends)
	c.bool("adjusts", &v.Adjusts)
	c.bool("lowers", &v.Lowers)
	c.count("alert_percent", &v.AlertPercent)
	c.int("used_amount", &u.Amount)
	c.int("used_count", &u.Count)
	c.bool("counts_fees", &v.CountsFees)
	c.optionalAmount("fee_par", &v.FeePar)
	c.bool("broken", &v.IsBroken)
}

// LimitUse is a velocity control that counted a request, with what was used of it
// before and right after.
type LimitUse struct {
	VelocityFacts
	Before, After VelocityState
}

// limitUses are the limits of the request, as it was decided.
func (r *record) limitUses() []LimitUse {
	f := &r.Facts
	d := decide(&r.Request, f, r.State)
	row := classify(r.Request.ProcessingCode, r.Request.MCC, r.Request.Amount)
	completes := d.Approved.Sign() > 0 && r.Request.Flow.IsAdvice() && d.Hold.IsZero()
	var all []LimitUse
	for i, v := range f.Velocity {
		u := LimitUse{v, r.State.Velocity[i], r.State.Velocity[i]}
		switch declined := d.Status == StatusDeclined || d.Status == StatusFailed; {
		case !v.Counts:
		case declined && v.CountsDeclines:
			u.After.Count++
		case declined:
		default:
			added := d.Approved
			if completes { // it brings what was used to its own amount
				added = minus(plus(d.IncreaseBy, d.Post), plus(d.ReverseBy, d.ConsumeBy))
			} else if !r.Request.IsIncrement {
				u.After.Count++
			}
			if v.Amount != nil {
				fees := v.feesIn(d.feesToCount(added, &r.Request, f, r.State, row))
				u.After.Amount = max(0, u.After.Amount+share(v.Amount.Minor(), added, f.Billing)+fees)
			}
		}
		all = append(all, u)
	}
	return all
}
