package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type (
	balanceModes   struct{}
	standInActions struct{}
	weekdays       struct{}
	taxTypes       struct{}
)

// Members of the enumerations of this resource.
func (balanceModes) Members() []api.Member   { return api.Numbered(1, "External", "Internal", "Hybrid") }
func (standInActions) Members() []api.Member { return api.Numbered(1, "Decline", "ApproveUpTo") }
func (weekdays) Members() []api.Member {
	return api.Numbered(0, "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
}
func (taxTypes) Members() []api.Member {
	return append(api.Numbered(1, "Bsmv", "Kkdf", "Kdv", "StampTax"), api.Member{Code: 9, Name: "Other"})
}

// tenantIssuingAttribute is the one document of issuing switches; request and
// answer have the same members. Amounts are in the tenant's default currency,
// rates in percent. What a request leaves out has its default.
type tenantIssuingAttribute struct {
	BalanceMode                api.Enum[balanceModes]  `json:"balanceMode"`
	StandInPolicy              *standInPolicy          `json:"standInPolicy"`
	ClientTimeoutMS            *int                    `json:"clientAuthTimeoutMs" minimum:"100" maximum:"10000"`
	PINCounterDailyReset       *bool                   `json:"pinCounterDailyReset"`
	PINSMSCoolingHours         *int                    `json:"pinSmsCoolingHours" minimum:"0" maximum:"8760" doc:"Absent: 24."`
	PINSMSDailyLimit           *int                    `json:"pinSmsDailyLimit" minimum:"0" maximum:"100" doc:"Absent: 3."`
	LostReactivationHours      *int                    `json:"lostReactivationHours" minimum:"0" maximum:"8760" doc:"0, or absent: a lost card never comes back."`
	ActivateOnFirstPIN         *bool                   `json:"activateOnFirstPin"`
	AllowRecurringWhenInactive *bool                   `json:"allowRecurringWhenInactive"`
	ChildPolicyCapped          *bool                   `json:"childPolicyCapped"`
	UniqueMobilePhone          *bool                   `json:"uniqueMobilePhone"`
	WeekStart                  api.Enum[weekdays]      `json:"weekStart"`
	HolidayCalendarCode        *api.FreeText           `json:"holidayCalendarCode" maxLength:"32"`
	MaxContactlessLimit        api.Decimal             `json:"maxContactlessLimit"`
	UndeliveredCancelDays      *int                    `json:"undeliveredCancelDays" minimum:"0" maximum:"3650" doc:"0 is never; absent: 60."`
	AllowFeeShortfall          *bool                   `json:"allowFeeShortfall"`
	TaxRates                   []taxRate               `json:"taxRates"`
	HoldExpiryDays             *holdExpiryDays         `json:"holdExpiryDays"`
	ClearingTolerances         *clearingTolerances     `json:"clearingTolerances"`
	SettlementCutOff           *string                 `json:"settlementCutOff" doc:"HH:MM in the tenant's time zone."`
	DetokenizeDailyQuota       *int                    `json:"detokenizeDailyQuota" minimum:"0" maximum:"1000000000" doc:"Absent: 1000."`
	ResponseCodeMap            map[string]string       `json:"responseCodeMap" doc:"Decline reason to response code."`
	SMSTemplates               map[string]api.FreeText `json:"smsTemplates"`
	AllowClearSensitive        *bool                   `json:"allowClearSensitiveData" doc:"Sandbox tenants only."`
	SlipRetentionMonths        *int                    `json:"digitalSlipRetentionMonths" minimum:"6" maximum:"1200" doc:"Absent: 6."`
	Stamp                      *string                 `json:"concurrencyStamp" maxLength:"64"`
	CreationTime               *time.Time              `json:"creationTime"`
	LastModificationTime       *time.Time              `json:"lastModificationTime"`
}

type standInPolicy struct {
	Action        api.Enum[standInActions] `json:"action" required:"true"`
	AmountPerTxn  api.Decimal              `json:"amountPerTxn"`
	AmountPerDay  api.Decimal              `json:"amountPerDay"`
	MCCExclusions []string                 `json:"mccExclusions"`
}

type taxRate struct {
	TaxType       api.Enum[taxTypes] `json:"taxType" required:"true"`
	Rate          api.Decimal        `json:"rate" required:"true"`
	EffectiveFrom string             `json:"effectiveFrom" required:"true"`
}

type holdExpiryDays struct {
	Default  *int `json:"default" minimum:"1" maximum:"365" doc:"Absent: 7."`
	PreAuth  *int `json:"preAuth" minimum:"1" maximum:"365" doc:"Absent: 30."`
	HotelCar *int `json:"hotelCar" minimum:"1" maximum:"365" doc:"Absent: 30."`
	ATM      *int `json:"atm" minimum:"1" maximum:"365" doc:"Absent: 1."`
}

type clearingTolerances struct {
	ByMCC       []clearingTolerance `json:"byMcc"`
	FX          api.Decimal         `json:"fx"`
	RefundAlert api.Decimal         `json:"refundAlertAmount"`
}

type clearingTolerance struct {
	Name api.FreeText `json:"name" maxLength:"50"`
	MCCs []string     `json:"mccs"`
	Rate api.Decimal  `json:"rate"`
}

func (a *API) showAttributes(ctx context.Context, c access.Caller, _ *struct{}) (tenantIssuingAttribute, error) {
	v, err := a.Programs.Attributes(ctx, c)
	return encodeAttributes(v), err
}

func (a *API) createAttributes(ctx context.Context, c access.Caller, in *struct{ Body tenantIssuingAttribute }) (tenantIssuingAttribute, error) {
	v, err := a.decodeAttributes(ctx, c, in.Body)
	if err != nil {
		return tenantIssuingAttribute{}, err
	}
	v, err = a.Programs.CreateAttributes(ctx, c, v)
	return encodeAttributes(v), err
}

func (a *API) updateAttributes(ctx context.Context, c access.Caller, in *struct{ Body tenantIssuingAttribute }) (tenantIssuingAttribute, error) {
	v, err := a.decodeAttributes(ctx, c, in.Body)
	if err != nil {
		return tenantIssuingAttribute{}, err
	}
	v, err = a.Programs.UpdateAttributes(ctx, c, v, value(in.Body.Stamp))
	return encodeAttributes(v), err
}

func (a *API) decodeAttributes(ctx context.Context, c access.Caller, in tenantIssuingAttribute) (program.Attributes, error) {
	t, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return program.Attributes{}, err
	}
	v := program.DefaultAttributes(t.DefaultCurrency, c.Sandbox)
	var d decoding
	v.BalanceMode = given(in.BalanceMode, v.BalanceMode)
	if p := in.StandInPolicy; p != nil {
		v.StandIn = program.StandInPolicy{
			Action:               program.StandInAction(p.Action),
			AmountPerTransaction: d.amount("standInPolicy.amountPerTxn", p.AmountPerTxn, t.DefaultCurrency),
			AmountPerDay:         d.amount("standInPolicy.amountPerDay", p.AmountPerDay, t.DefaultCurrency),
			MCCExclusions:        p.MCCExclusions,
		}
	}
	if in.ClientTimeoutMS != nil {
		v.ClientTimeout = time.Duration(*in.ClientTimeoutMS) * time.Millisecond
	}
	v.PINCounterDailyReset = or(in.PINCounterDailyReset, v.PINCounterDailyReset)
	v.PINSMSCoolingHours = or(in.PINSMSCoolingHours, v.PINSMSCoolingHours)
	v.PINSMSDailyLimit = or(in.PINSMSDailyLimit, v.PINSMSDailyLimit)
	v.LostReactivationHours = or(in.LostReactivationHours, v.LostReactivationHours)
	v.ActivateOnFirstPIN = or(in.ActivateOnFirstPIN, v.ActivateOnFirstPIN)
	v.AllowRecurringWhenInactive = or(in.AllowRecurringWhenInactive, v.AllowRecurringWhenInactive)
	v.ChildPolicyCapped = or(in.ChildPolicyCapped, v.ChildPolicyCapped)
	v.UniqueMobilePhone = or(in.UniqueMobilePhone, v.UniqueMobilePhone)
	for _, m := range (weekdays{}).Members() {
		if m.Name == string(in.WeekStart) {
			v.WeekStart = time.Weekday(m.Code)
		}
	}
	v.HolidayCalendarCode = string(or(in.HolidayCalendarCode, api.FreeText(v.HolidayCalendarCode)))
	if in.MaxContactlessLimit != "" {
		v.MaxContactlessLimit = d.amount("maxContactlessLimit", in.MaxContactlessLimit, t.DefaultCurrency)
	}
	v.UndeliveredCancelDays = or(in.UndeliveredCancelDays, v.UndeliveredCancelDays)
	v.AllowFeeShortfall = or(in.AllowFeeShortfall, v.AllowFeeShortfall)
	for i, r := range in.TaxRates {
		v.TaxRates = append(v.TaxRates, program.TaxRate{
			TaxType: string(r.TaxType), Rate: d.percent(api.Index("taxRates", i)+".rate", r.Rate), EffectiveFrom: r.EffectiveFrom,
		})
	}
	if e := in.HoldExpiryDays; e != nil {
		days := &v.HoldExpiryDays
		days.Default, days.PreAuth = or(e.Default, days.Default), or(e.PreAuth, days.PreAuth)
		days.HotelCar, days.ATM = or(e.HotelCar, days.HotelCar), or(e.ATM, days.ATM)
	}
	if in.ClearingTolerances != nil {
		v.ClearingTolerances = decodeTolerances(&d, *in.ClearingTolerances, v.ClearingTolerances, t.DefaultCurrency)
	}
	v.SettlementCutOff = or(in.SettlementCutOff, v.SettlementCutOff)
	v.DetokenizeDailyQuota = or(in.DetokenizeDailyQuota, v.DetokenizeDailyQuota)
	v.ResponseCodeMap = in.ResponseCodeMap
	for event, text := range in.SMSTemplates {
		if v.SMSTemplates == nil {
			v.SMSTemplates = map[string]string{}
		}
		v.SMSTemplates[event] = string(text)
	}
	v.AllowClearSensitive = or(in.AllowClearSensitive, v.AllowClearSensitive)
	v.DigitalSlipRetentionMonths = or(in.SlipRetentionMonths, v.DigitalSlipRetentionMonths)
	return v, d.err()
}

func decodeTolerances(d *decoding, in clearingTolerances, standard program.ClearingTolerances, c money.Currency) program.ClearingTolerances {
	const at = "clearingTolerances."
	v := standard
	if in.FX != "" {
		v.FX = d.percent(at+"fx", in.FX)
	}
	v.RefundAlert = d.amount(at+"refundAlertAmount", in.RefundAlert, c)
	if in.ByMCC != nil {
		v.ByMCC = nil
	}
	for i, t := range in.ByMCC {
		v.ByMCC = append(v.ByMCC, program.ClearingTolerance{
			Name: string(t.Name), MCCs: t.MCCs, Rate: d.percent(api.Index(at+"byMcc", i)+".rate", t.Rate),
		})
	}
	return v
}

func encodeAttributes(v program.Attributes) tenantIssuingAttribute {
	out := tenantIssuingAttribute{
		BalanceMode: api.Enum[balanceModes](v.BalanceMode),
		StandInPolicy: &standInPolicy{
			Action: api.Enum[standInActions](v.StandIn.Action), AmountPerTxn: decimalOrNil(v.StandIn.AmountPerTransaction),
			AmountPerDay: decimalOrNil(v.StandIn.AmountPerDay), MCCExclusions: notNil(v.StandIn.MCCExclusions),
		},
		PINCounterDailyReset: &v.PINCounterDailyReset, PINSMSCoolingHours: &v.PINSMSCoolingHours,
		PINSMSDailyLimit: &v.PINSMSDailyLimit, LostReactivationHours: &v.LostReactivationHours,
		ActivateOnFirstPIN: &v.ActivateOnFirstPIN, AllowRecurringWhenInactive: &v.AllowRecurringWhenInactive,
		ChildPolicyCapped: &v.ChildPolicyCapped, UniqueMobilePhone: &v.UniqueMobilePhone,
		WeekStart: api.Enum[weekdays](v.WeekStart.String()), HolidayCalendarCode: textOrNil(v.HolidayCalendarCode),
		MaxContactlessLimit: decimalOrNil(v.MaxContactlessLimit), UndeliveredCancelDays: &v.UndeliveredCancelDays,
		AllowFeeShortfall: &v.AllowFeeShortfall, TaxRates: []taxRate{},
		HoldExpiryDays: &holdExpiryDays{
			&v.HoldExpiryDays.Default, &v.HoldExpiryDays.PreAuth, &v.HoldExpiryDays.HotelCar, &v.HoldExpiryDays.ATM,
		},
		ClearingTolerances: &clearingTolerances{
			ByMCC: []clearingTolerance{}, FX: percentOf(v.ClearingTolerances.FX),
			RefundAlert: decimalOrNil(v.ClearingTolerances.RefundAlert),
		},
		SettlementCutOff: &v.SettlementCutOff, DetokenizeDailyQuota: &v.DetokenizeDailyQuota,
		ResponseCodeMap: v.ResponseCodeMap, SMSTemplates: map[string]api.FreeText{},
		AllowClearSensitive: &v.AllowClearSensitive, SlipRetentionMonths: &v.DigitalSlipRetentionMonths,
		Stamp: orNil(v.ConcurrencyStamp), CreationTime: timeOrNil(v.CreatedAt), LastModificationTime: timeOrNil(v.UpdatedAt),
	}
	timeout := int(v.ClientTimeout.Milliseconds())
	out.ClientTimeoutMS = &timeout
	if out.ResponseCodeMap == nil {
		out.ResponseCodeMap = map[string]string{}
	}
	for event, text := range v.SMSTemplates {
		out.SMSTemplates[event] = api.FreeText(text)
	}
	for _, r := range v.TaxRates {
		out.TaxRates = append(out.TaxRates, taxRate{api.Enum[taxTypes](r.TaxType), percentOf(r.Rate), r.EffectiveFrom})
	}
	for _, t := range v.ClearingTolerances.ByMCC {
		out.ClearingTolerances.ByMCC = append(out.ClearingTolerances.ByMCC, clearingTolerance{api.FreeText(t.Name), t.MCCs, percentOf(t.Rate)})
	}
	return out
}

// decimalOrNil shows an absent amount as null.
func decimalOrNil(a *money.Amount) api.Decimal {
	if a == nil {
		return ""
	}
	return api.DecimalOf(*a)
}

// notNil shows an absent list as an empty one.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
