package control

import (
	"slices"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// AccumulationLevel says for whom a velocity control adds up.
type AccumulationLevel string

// The levels. A card without a customer counts at the customer levels for its
// issuance; when it is linked, what it has used goes to the customer.
const (
	CountCard            AccumulationLevel = "Card" // the card number
	CountIssuance        AccumulationLevel = "Issuance"
	CountFamily          AccumulationLevel = "IssuanceFamily" // a parent and its children
	CountCustomer        AccumulationLevel = "Customer"
	CountCustomerProduct AccumulationLevel = "CustomerProduct"
)

// AccumulationLevels lists all levels, in the order of the contract.
func AccumulationLevels() []AccumulationLevel {
	return []AccumulationLevel{CountCard, CountIssuance, CountFamily, CountCustomer, CountCustomerProduct}
}

// counted names what s counts for at level l.
func (s Subject) counted(l AccumulationLevel) string {
	switch {
	case l == CountCard:
		return s.CardToken
	case l == CountFamily && !s.Parent.IsZero():
		return s.Parent.String()
	case l == CountCustomer && !s.Customer.IsZero():
		return s.Customer.String()
	case l == CountCustomerProduct && !s.Customer.IsZero():
		return s.Customer.String() + "/" + s.Product
	}
	return s.Issuance.String()
}

// RefundHandling says what a refund does to what was used.
type RefundHandling string

// The ways to handle refunds.
const (
	RefundsIgnored  RefundHandling = "Ignore"
	RefundsDecrease RefundHandling = "Decrease"
)

// RefundHandlings lists all ways, in the order of the contract.
func RefundHandlings() []RefundHandling { return []RefundHandling{RefundsIgnored, RefundsDecrease} }

// OnExceed says what happens above a limit.
type OnExceed string

// What may happen above a limit.
const (
	ExceedDeclines OnExceed = "Decline"
	ExceedAlerts   OnExceed = "AlertOnly"
)

// OnExceeds lists both.
func OnExceeds() []OnExceed { return []OnExceed{ExceedDeclines, ExceedAlerts} }

// VelocityCheck bounds how much, or how often, is spent in a period by the
// transactions that its criteria and its rule select. It holds for the cards
// that its links name.
type VelocityCheck struct {
	Head
	// LimitGroup is the family of which a card obeys only the check with the most
	// specific link. Its checks count alike and share their counters.
	LimitGroup string
	// Currency is that of the amounts; zero without one.
	Currency money.Currency
	Period   Period
	Span     Span // of PerSpan
	// Limits are what may be used in a period, MinAmount the least amount of one
	// transaction. A limit is kept by what equals it.
	Limits    Limits
	MinAmount *money.Amount

	Level            AccumulationLevel
	Criteria         Criteria
	Rule             rule.Source
	IncludeFees      bool // counts fees and taxes with the amount
	IncludeDeclined  bool // counts declines, as counts only
	Refunds          RefundHandling
	AdjustOnClearing bool

	DeclineCode    string // DE39; empty is the network's
	AlertThreshold int    // percent; 0 is none
	OnExceed       OnExceed

	// Card overrides, and what bounds them.
	AllowsOverride    bool
	OverrideMinAmount *money.Amount
	OverrideMax       Limits

	// Generation is raised when what was counted no longer fits: counting begins
	// anew. Founder is the check that began to count for a limit group; empty
	// without one.
	Generation int
	Founder    string
}

// Limits are an amount and a count; nil is without one.
type Limits struct {
	Amount *money.Amount
	Count  *int
}

// IsZero reports whether neither is limited.
func (l Limits) IsZero() bool { return l.Amount == nil && l.Count == nil }

// countMax is the highest limit of a count.
const countMax = 1_000_000_000

func (c VelocityCheck) check() error {
	var v fault.Checks
	c.Head.CheckInto(&v)
	if c.LimitGroup != "" {
		v.Code("limitGroup", c.LimitGroup)
	}
	fault.OneOf(&v, "period", c.Period, Periods())
	c.checkSpan(&v)
	c.checkLimits(&v)
	c.Criteria.CheckInto(&v, "criteria.")
	fault.OneOf(&v, "accumulationLevel", c.Level, AccumulationLevels())
	fault.OneOf(&v, "refundHandling", c.Refunds, RefundHandlings())
	fault.OneOf(&v, "actionOnExceed", c.OnExceed, OnExceeds())
	v.Is("declineReasonCode", c.DeclineCode == "" || isDeclineCode(c.DeclineCode), "not_a_decline", "must be a response code of a decline")
	v.Is("alertThresholdPercent", c.AlertThreshold >= 0 && c.AlertThreshold <= 99, "out_of_range", "must be from 1 to 99")
	v.Is("alertThresholdPercent", c.AlertThreshold == 0 || !c.Limits.IsZero(), "not_allowed", "needs a maxAmount or a maxCount: a percentage is of one of them")
	v.Is("includeDeclined", !c.IncludeDeclined || c.Limits.Count != nil, "no_count", "needs a maxCount: declines are counted, not added")
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	if c.Limits.IsZero() && c.MinAmount == nil {
		return errLimitMissing
	}
	return nil
}

func (c VelocityCheck) checkSpan(v *fault.Checks) {
	if c.Period != PerSpan {
		v.Is("windowLength", c.Span.Length == 0, "not_allowed", "is for the period Rolling")
		v.Is("windowUnit", c.Span.Unit == "", "not_allowed", "is for the period Rolling")
		return
	}
	v.Between("windowLength", c.Span.Length, 1, 366)
	fault.OneOf(v, "windowUnit", c.Span.Unit, SpanUnits())
}

func (c VelocityCheck) checkLimits(v *fault.Checks) {
	perTransaction := c.Period == PerTransaction
	v.Is("maxCount", c.Limits.Count == nil || !perTransaction, "not_allowed", "is not for the period Transaction")
	v.Is("minAmount", c.MinAmount == nil || perTransaction, "not_allowed", "is only for the period Transaction")
	amounts := []struct {
		name   string
		amount *money.Amount
	}{
		{"maxAmount", c.Limits.Amount}, {"minAmount", c.MinAmount},
		{"overrideMinAmount", c.OverrideMinAmount}, {"overrideMaxAmount", c.OverrideMax.Amount},
	}
	for _, a := range amounts {
		v.Is(a.name, a.amount == nil || a.amount.Sign() > 0, "out_of_range", "must be above zero")
		v.Is(a.name, a.amount == nil || a.amount.Currency() == c.Currency, "currency", "must be in currencyCode")
	}
	needs := slices.ContainsFunc(amounts, func(a struct {
		name   string
		amount *money.Amount
	}) bool {
		return a.amount != nil
	})
	v.Is("currencyCode", !needs || !c.Currency.IsZero(), "required", "is required with an amount")
	for name, n := range map[string]*int{"maxCount": c.Limits.Count, "overrideMaxCount": c.OverrideMax.Count} {
		v.Is(name, n == nil || *n >= 1 && *n <= countMax, "out_of_range", "must be from 1 to 1000000000")
	}
	inOrder := func(name string, low, high *money.Amount) {
		v.Is(name, low == nil || high == nil || low.Currency() != high.Currency() || low.Cmp(*high) <= 0, "out_of_order", "must not be below its minimum")
	}
	inOrder("maxAmount", c.MinAmount, c.Limits.Amount)
	inOrder("overrideMaxAmount", c.OverrideMinAmount, c.OverrideMax.Amount)
	c.checkOverrideBounds(v)
}

// checkOverrideBounds refuses bounds of what no card can ever be given.
func (c VelocityCheck) checkOverrideBounds(v *fault.Checks) {
	for _, b := range []struct {
		name, limit     string
		isGiven, isOver bool // a limit that the control has
	}{
		{"overrideMinAmount", "maxAmount", c.OverrideMinAmount != nil, c.Limits.Amount != nil},
		{"overrideMaxAmount", "maxAmount", c.OverrideMax.Amount != nil, c.Limits.Amount != nil},
		{"overrideMaxCount", "maxCount", c.OverrideMax.Count != nil, c.Limits.Count != nil},
	} {
		switch {
		case !b.isGiven:
		case !c.AllowsOverride:
			v.Fail(b.name, "not_allowed", "needs allowCardOverride")
		case b.name == "overrideMaxCount" && c.Period == PerTransaction:
			v.Fail(b.name, "not_allowed", "is not for the period Transaction")
		case !b.isOver:
			v.Fail(b.name, "not_allowed", "needs a "+b.limit+": what a card is given takes its place")
		}
	}
}

// differsFrom names a member in which two checks of a limit group differ that
// must be the same, for they share what they have counted.
func (c VelocityCheck) differsFrom(o VelocityCheck) (member string, differ bool) {
	for _, m := range []struct {
		name string
		same bool
	}{
		{"currencyCode", c.Currency == o.Currency}, {"period", c.Period == o.Period},
		{"windowLength", c.Span == o.Span}, {"accumulationLevel", c.Level == o.Level},
		{"criteria", c.Criteria.equal(o.Criteria)}, {"rule", c.Rule == o.Rule},
		{"includeFees", c.IncludeFees == o.IncludeFees}, {"includeDeclined", c.IncludeDeclined == o.IncludeDeclined},
		{"refundHandling", c.Refunds == o.Refunds}, {"adjustOnClearing", c.AdjustOnClearing == o.AdjustOnClearing},
	} {
		if !m.same {
			return m.name, true
		}
	}
	return "", false
}

// restarts reports whether counters begin anew when a check becomes o.
func (c VelocityCheck) restarts(o VelocityCheck) bool {
	return c.Currency != o.Currency || c.Period != o.Period || c.Span != o.Span || c.Level != o.Level || c.LimitGroup != o.LimitGroup
}
