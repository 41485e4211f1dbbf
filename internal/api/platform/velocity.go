package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

type (
	velocityPeriods    struct{}
	spanUnits          struct{}
	accumulationLevels struct{}
	refundHandlings    struct{}
	exceedActions      struct{}
)

// Members of the enumerations of velocity controls (contract §4.4).
func (velocityPeriods) Members() []api.Member {
	return append(api.Numbered(0, namesOf(control.Periods()[:8])...), api.Member{Code: 9, Name: string(control.PerSpan)})
}
func (spanUnits) Members() []api.Member          { return numbered(1, control.SpanUnits()) }
func (accumulationLevels) Members() []api.Member { return numbered(1, control.AccumulationLevels()) }
func (refundHandlings) Members() []api.Member    { return numbered(0, control.RefundHandlings()) }
func (exceedActions) Members() []api.Member      { return numbered(1, control.OnExceeds()) }

// VelocityCheckRequest is CreateVelocityCheckDto and UpdateVelocityCheckDto
// (§11.2). A member that is absent from an update has its default again.
type VelocityCheckRequest struct {
	Code              string                       `json:"code,omitempty" maxLength:"32" doc:"Of a new control; it never changes."`
	Name              api.FreeText                 `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description       api.FreeText                 `json:"description,omitempty" maxLength:"250"`
	LimitGroup        string                       `json:"limitGroup,omitempty" maxLength:"32" doc:"Of the controls of a group only the one with the most specific link holds for a card. They count alike and share what was used."`
	CurrencyCode      string                       `json:"currencyCode,omitempty" maxLength:"3" doc:"Of the amounts; required with one."`
	Period            api.Enum[velocityPeriods]    `json:"period" required:"true"`
	WindowLength      *int                         `json:"windowLength,omitempty" minimum:"1" maximum:"366" doc:"Of the period Rolling."`
	WindowUnit        api.Enum[spanUnits]          `json:"windowUnit,omitempty"`
	MaxAmount         api.Decimal                  `json:"maxAmount,omitempty" doc:"In the period; of one transaction for Transaction."`
	MaxCount          *int                         `json:"maxCount,omitempty" minimum:"1" maximum:"1000000000"`
	MinAmount         api.Decimal                  `json:"minAmount,omitempty" doc:"Only of the period Transaction."`
	AccumulationLevel api.Enum[accumulationLevels] `json:"accumulationLevel,omitempty" doc:"Absent: Issuance."`
	Criteria          *transactionCriteria         `json:"criteria,omitempty" doc:"Which transactions count."`
	Rule              ruleSource                   `json:"rule,omitempty" doc:"In addition to the criteria."`
	IncludeFees       bool                         `json:"includeFees,omitempty"`
	IncludeDeclined   bool                         `json:"includeDeclined,omitempty" doc:"Declines count too, not their amounts."`
	RefundHandling    api.Enum[refundHandlings]    `json:"refundHandling,omitempty" doc:"Absent: Ignore."`
	AdjustOnClearing  *bool                        `json:"adjustOnClearing,omitempty" doc:"Absent: true."`
	DeclineReasonCode string                       `json:"declineReasonCode,omitempty" maxLength:"2" doc:"DE39; absent: 61 for an amount, 65 for a count."`
	AlertThreshold    *int                         `json:"alertThresholdPercent,omitempty" minimum:"1" maximum:"99" doc:"Absent: nobody is told before the limit."`
	ActionOnExceed    api.Enum[exceedActions]      `json:"actionOnExceed,omitempty" doc:"Absent: Decline."`
	AllowOverride     *bool                        `json:"allowCardOverride,omitempty" doc:"Absent: true."`
	OverrideMinAmount api.Decimal                  `json:"overrideMinAmount,omitempty" doc:"Bounds what a card may be given in place of maxAmount."`
	OverrideMaxAmount api.Decimal                  `json:"overrideMaxAmount,omitempty"`
	OverrideMaxCount  *int                         `json:"overrideMaxCount,omitempty" minimum:"1" maximum:"1000000000" doc:"Bounds what a card may be given in place of maxCount."`
	StartDate         *time.Time                   `json:"startDate,omitempty"`
	EndDate           *time.Time                   `json:"endDate,omitempty"`
	IsActive          *bool                        `json:"isActive,omitempty" doc:"Absent: true."`
	Stamp             string                       `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// velocityCheckCreation is a new control with the links it begins with.
type velocityCheckCreation struct {
	VelocityCheckRequest
	Links []ControlLinkRequest `json:"links,omitzero" maxItems:"100"`
}

// velocityCheck is VelocityCheckDto.
type velocityCheck struct {
	Code              string               `json:"code"`
	Name              string               `json:"name"`
	Description       *string              `json:"description"`
	LimitGroup        *string              `json:"limitGroup"`
	CurrencyCode      *string              `json:"currencyCode"`
	Period            string               `json:"period"`
	WindowLength      *int                 `json:"windowLength"`
	WindowUnit        *string              `json:"windowUnit"`
	MaxAmount         api.Decimal          `json:"maxAmount" nullable:"true"`
	MaxCount          *int                 `json:"maxCount"`
	MinAmount         api.Decimal          `json:"minAmount" nullable:"true"`
	AccumulationLevel string               `json:"accumulationLevel"`
	Criteria          *transactionCriteria `json:"criteria"`
	Rule              ruleSource           `json:"rule"`
	IncludeFees       bool                 `json:"includeFees"`
	IncludeDeclined   bool                 `json:"includeDeclined"`
	RefundHandling    string               `json:"refundHandling"`
	AdjustOnClearing  bool                 `json:"adjustOnClearing"`
	DeclineReasonCode *string              `json:"declineReasonCode"`
	AlertThreshold    *int                 `json:"alertThresholdPercent"`
	ActionOnExceed    string               `json:"actionOnExceed"`
	AllowOverride     bool                 `json:"allowCardOverride"`
	OverrideMinAmount api.Decimal          `json:"overrideMinAmount" nullable:"true"`
	OverrideMaxAmount api.Decimal          `json:"overrideMaxAmount" nullable:"true"`
	OverrideMaxCount  *int                 `json:"overrideMaxCount"`
	StartDate         *time.Time           `json:"startDate"`
	EndDate           *time.Time           `json:"endDate"`
	IsActive          bool                 `json:"isActive"`
	Version           int                  `json:"version"`
	CountersReset     bool                 `json:"countersReset" doc:"Of an update: what was used counts no longer."`
	Links             []velocityLink       `json:"links,omitempty" doc:"Of a creation."`
	Audited
}

type velocityLinkRequest struct {
	VelocityCheckCode string `json:"velocityCheckCode" required:"true" maxLength:"32"`
	ControlLinkRequest
}

type velocityLink struct {
	VelocityCheckCode string `json:"velocityCheckCode"`
	VelocityCheckName string `json:"velocityCheckName"`
	ControlLink
}

func (a *API) velocityChecks() linked[control.VelocityCheck, velocityLink] {
	return linked[control.VelocityCheck, velocityLink]{
		a: a, kept: &control.VelocityChecks, encodeLink: func(l control.Link, n control.LinkName) velocityLink {
			return velocityLink{l.Parent, n.Parent, encodeControlLink(l, n)}
		},
	}
}

func (a *API) createVelocityCheck(ctx context.Context, c access.Caller, in *struct{ Body velocityCheckCreation }) (velocityCheck, error) {
	check, err := decodeVelocityCheck(in.Body.VelocityCheckRequest)
	if err != nil {
		return velocityCheck{}, err
	}
	check, links, err := a.velocityChecks().begin(ctx, c, check, in.Body.Links)
	if err != nil {
		return velocityCheck{}, err
	}
	out := encodeVelocityCheck(check)
	out.Links = links
	return out, nil
}

// DefinitionPath names a control or fee.
type DefinitionPath struct {
	Code string `path:"code" maxLength:"64"`
}

func (a *API) updateVelocityCheck(ctx context.Context, c access.Caller, in *struct {
	DefinitionPath
	Body VelocityCheckRequest
}) (velocityCheck, error) {
	in.Body.Code = in.Code
	check, err := decodeVelocityCheck(in.Body)
	if err != nil {
		return velocityCheck{}, err
	}
	check, before, err := control.VelocityChecks.Update(ctx, a.Controls, c, check, in.Body.Stamp)
	out := encodeVelocityCheck(check)
	out.CountersReset = !check.CountsWith(before)
	return out, err
}

func (a *API) showVelocityCheck(ctx context.Context, c access.Caller, in *DefinitionPath) (velocityCheck, error) {
	check, err := control.VelocityChecks.Named(ctx, a.Controls, c, in.Code)
	return encodeVelocityCheck(check), err
}

func (a *API) listVelocityChecks(ctx context.Context, c access.Caller, in *struct {
	Filter   string `query:"Filter" maxLength:"100" doc:"Word prefixes of code and name."`
	Period   string `query:"Period"`
	IsActive string `query:"IsActive" enum:"true,false"`
}) ([]velocityCheck, error) {
	var d decoding
	period := enumOf[velocityPeriods](&d, "Period", in.Period)
	if err := d.err(); err != nil {
		return nil, err
	}
	all, err := control.VelocityChecks.All(ctx, a.Controls, c, in.Filter)
	out := []velocityCheck{}
	for _, check := range all {
		if (period == "" || string(check.Period) == period) && isSaid(in.IsActive, check.IsActive) {
			out = append(out, encodeVelocityCheck(check))
		}
	}
	return out, err
}

// isSaid reports whether a filter of true and false lets v through.
func isSaid(filter string, v bool) bool { return filter == "" || (filter == "true") == v }

func (a *API) deleteVelocityCheck(ctx context.Context, c access.Caller, in *DefinitionPath) (nothing, error) {
	return nothing{}, control.VelocityChecks.Delete(ctx, a.Controls, c, in.Code)
}

func (a *API) linkVelocityCheck(ctx context.Context, c access.Caller, in *struct{ Body velocityLinkRequest }) (velocityLink, error) {
	return a.velocityChecks().tie(ctx, c, in.Body.VelocityCheckCode, in.Body.ControlLinkRequest)
}

func (a *API) listVelocityLinks(ctx context.Context, c access.Caller, in *struct {
	VelocityCheckCode string `query:"VelocityCheckCode" maxLength:"32"`
	LinkQuery
}) ([]velocityLink, error) {
	return a.velocityChecks().ties(ctx, c, in.VelocityCheckCode, in.LinkQuery)
}

func decodeVelocityCheck(in VelocityCheckRequest) (control.VelocityCheck, error) {
	var d decoding
	currency := d.currency("currencyCode", in.CurrencyCode)
	for name, amount := range map[string]api.Decimal{
		"maxAmount": in.MaxAmount, "minAmount": in.MinAmount, "overrideMinAmount": in.OverrideMinAmount, "overrideMaxAmount": in.OverrideMaxAmount,
	} {
		if amount != "" && in.CurrencyCode == "" {
			d.fail("currencyCode", "required", "is required with "+name)
		}
	}
	check := control.NewVelocityCheck(in.Code)
	check.Name, check.Description = string(in.Name), string(in.Description)
	check.StartsAt, check.EndsAt, check.IsActive = utc(in.StartDate), utc(in.EndDate), or(in.IsActive, true)
	check.LimitGroup, check.Currency, check.Period = in.LimitGroup, currency, control.Period(in.Period)
	check.Span = control.Span{Length: value(in.WindowLength), Unit: control.SpanUnit(in.WindowUnit)}
	check.Limits = control.Limits{Amount: d.amount("maxAmount", in.MaxAmount, currency), Count: in.MaxCount}
	check.MinAmount = d.amount("minAmount", in.MinAmount, currency)
	check.Level = given(in.AccumulationLevel, check.Level)
	check.Criteria = d.criteria("criteria.", in.Criteria)
	check.Rule = rule.Source(in.Rule)
	check.IncludeFees, check.IncludeDeclined = in.IncludeFees, in.IncludeDeclined
	check.Refunds = given(in.RefundHandling, check.Refunds)
	check.AdjustOnClearing = or(in.AdjustOnClearing, check.AdjustOnClearing)
	check.DeclineCode, check.AlertThreshold = in.DeclineReasonCode, value(in.AlertThreshold)
	check.OnExceed = given(in.ActionOnExceed, check.OnExceed)
	check.AllowsOverride = or(in.AllowOverride, check.AllowsOverride)
	check.OverrideMinAmount = d.amount("overrideMinAmount", in.OverrideMinAmount, currency)
	check.OverrideMax = control.Limits{Amount: d.amount("overrideMaxAmount", in.OverrideMaxAmount, currency), Count: in.OverrideMaxCount}
	return check, d.err()
}

// positiveOrNil shows zero, which is none, as null.
func positiveOrNil(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func encodeVelocityCheck(c control.VelocityCheck) velocityCheck {
	return velocityCheck{
		Code: c.Code, Name: c.Name, Description: orNil(c.Description), LimitGroup: orNil(c.LimitGroup), CurrencyCode: orNil(c.Currency.Code()),
		Period: string(c.Period), WindowLength: positiveOrNil(c.Span.Length), WindowUnit: orNil(c.Span.Unit),
		MaxAmount: decimalOrNil(c.Limits.Amount), MaxCount: c.Limits.Count, MinAmount: decimalOrNil(c.MinAmount),
		AccumulationLevel: string(c.Level), Criteria: encodeCriteria(c.Criteria), Rule: ruleSource(c.Rule), IncludeFees: c.IncludeFees,
		IncludeDeclined: c.IncludeDeclined, RefundHandling: string(c.Refunds), AdjustOnClearing: c.AdjustOnClearing,
		DeclineReasonCode: orNil(c.DeclineCode), AlertThreshold: positiveOrNil(c.AlertThreshold), ActionOnExceed: string(c.OnExceed),
		AllowOverride: c.AllowsOverride, OverrideMinAmount: decimalOrNil(c.OverrideMinAmount),
		OverrideMaxAmount: decimalOrNil(c.OverrideMax.Amount), OverrideMaxCount: c.OverrideMax.Count,
		StartDate: c.StartsAt, EndDate: c.EndsAt, IsActive: c.IsActive, Version: c.Version, Audited: encodeRecord(c.Record),
	}
}
