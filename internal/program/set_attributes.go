package program

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// Attributes returns the tenant's issuing attributes: what it has set, or the
// defaults, which then have no stamp.
func (s *Service) Attributes(ctx context.Context, c access.Caller) (a Attributes, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		t, err := access.MustTenant(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		a, _, err = readAttributes(ctx, tx, t)
		return err
	})
	return a, err
}

// UniqueMobilePhone reports whether no two customers of the caller's tenant may
// have the same mobile phone.
func (s *Service) UniqueMobilePhone(ctx context.Context, c access.Caller) (bool, error) {
	a, err := s.Attributes(ctx, c)
	return a.UniqueMobilePhone, err
}

// CreateAttributes sets the tenant's issuing attributes for the first time.
// Start from [DefaultAttributes]. Amounts are in the tenant's default currency.
func (s *Service) CreateAttributes(ctx context.Context, c access.Caller, in Attributes) (Attributes, error) {
	a := in
	a.Record = access.NewRecord(c, c.Now(s.Clock))
	err := s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if err := a.check(c.Sandbox); err != nil {
			return err
		}
		t, err := a.tenantOf(ctx, tx, c)
		if err != nil {
			return err
		}
		if err := s.checkTaxes(ctx, tx, c, a, t); err != nil {
			return err
		}
		inserted, err := insertAttributes(ctx, tx, c.Tenant, a)
		if err == nil && !inserted {
			return errAttributeExists
		}
		if err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, attributeEntity, "", nil, a)
	})
	if err != nil {
		return Attributes{}, err
	}
	return a, nil
}

// UpdateAttributes replaces the tenant's issuing attributes. stamp must be the
// present one, or empty. A tenant that has set none is NotFound.
func (s *Service) UpdateAttributes(ctx context.Context, c access.Caller, in Attributes, stamp string) (a Attributes, err error) {
	now := c.Now(s.Clock)
	err = s.Change(ctx, c.Tenant, func(tx db.Tx) error {
		if err := in.check(c.Sandbox); err != nil {
			return err
		}
		t, err := in.tenantOf(ctx, tx, c)
		if err != nil {
			return err
		}
		old, found, err := readAttributes(ctx, tx, t)
		if err != nil {
			return fmt.Errorf("read issuing attributes: %w", err)
		}
		if !found {
			return errAttributeNotFound
		}
		if err := s.checkTaxes(ctx, tx, c, in, t); err != nil {
			return err
		}
		a = in
		a.Record = old.Record.Updated(c, now)
		if err := written(updateAttributes(ctx, tx, c.Tenant, a, stamp)); err != nil {
			return err
		}
		return s.recordDefinition(ctx, tx, c, attributeEntity, "", old, a)
	})
	if err != nil {
		return Attributes{}, err
	}
	return a, nil
}

// checkTaxes refuses attributes without a rate of a tax that is charged.
func (s *Service) checkTaxes(ctx context.Context, tx db.Tx, c access.Caller, a Attributes, t access.Tenant) error {
	v, _, err := readConversion(ctx, tx, c.Tenant)
	if err != nil {
		return fmt.Errorf("read currency conversion: %w", err)
	}
	day := clock.DateOf(c.Now(s.Clock), t.Zone)
	if v.checkMarkupTax(a, day) != nil {
		var checks fault.Checks
		checks.Fail("taxRates", "in_use", "must have a rate of "+MarkupTax+" on "+day.String()+": the mark-ups on conversions bear it")
		return checks.Err(errInvalid)
	}
	if s.Taxed == nil {
		return nil
	}
	return s.Taxed.CheckTaxes(ctx, tx, c, a, t.Zone, c.Now(s.Clock))
}

// tenantOf returns the caller's tenant, whose default currency is that of the
// amounts. If it no longer is, it was changed since they were read.
func (a Attributes) tenantOf(ctx context.Context, tx db.Tx, c access.Caller) (access.Tenant, error) {
	t, err := access.MustTenant(ctx, tx, c.Tenant)
	if _, found := a.foreignTo(t.DefaultCurrency); found && err == nil {
		err = errStale
	}
	return t, err
}

var (
	mccSyntax    = regexp.MustCompile(`^[0-9]{4}$`)
	mccsSyntax   = regexp.MustCompile(`^[0-9]{4}(-[0-9]{4})?$`)
	cutOffSyntax = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	de39Syntax   = regexp.MustCompile(`^[0-9A-Z]{2}$`)
)

// onePercent and percent100 are the rates of one and one hundred percent.
const (
	onePercent money.Rate = 10_000
	percent100            = 100 * onePercent
)

// check tells everything that is wrong with a. Clear card data is for sandbox
// tenants only.
func (a Attributes) check(sandbox bool) error {
	var v fault.Checks
	fault.OneOf(&v, "balanceMode", a.BalanceMode, []BalanceMode{BalanceInternal, BalanceExternal, BalanceHybrid})
	a.StandIn.check(&v)
	v.Is("clientAuthTimeoutMs", a.ClientTimeout >= 100*time.Millisecond && a.ClientTimeout <= 10*time.Second,
		"out_of_range", "must be from 100 to 10000")
	v.Between("pinSmsCoolingHours", a.PINSMSCoolingHours, 0, 8760)
	v.Between("pinSmsDailyLimit", a.PINSMSDailyLimit, 0, 100)
	v.Between("lostReactivationHours", a.LostReactivationHours, 0, 8760)
	v.Between("weekStart", int(a.WeekStart), int(time.Sunday), int(time.Saturday))
	v.Text("holidayCalendarCode", a.HolidayCalendarCode, 0, 32)
	if a.MaxContactlessLimit != nil {
		v.Is("maxContactlessLimit", a.MaxContactlessLimit.Sign() >= 0, "negative", "must not be negative")
	}
	v.Between("undeliveredCancelDays", a.UndeliveredCancelDays, 0, 3650)
	for i, r := range a.TaxRates {
		at := "taxRates[" + strconv.Itoa(i) + "]."
		fault.OneOf(&v, at+"taxType", r.TaxType, []string{"Bsmv", "Kkdf", "Kdv", "StampTax", "Other"})
		v.Is(at+"rate", r.Rate >= 0 && r.Rate <= percent100, "out_of_range", "must be from 0 to 100")
		_, err := clock.ParseDate(r.EffectiveFrom)
		v.Is(at+"effectiveFrom", err == nil, "not_a_date", "must be a date YYYY-MM-DD")
		isSame := func(o TaxRate) bool { return o.TaxType == r.TaxType && o.EffectiveFrom == r.EffectiveFrom }
		v.Is(at+"effectiveFrom", !slices.ContainsFunc(a.TaxRates[:i], isSame), "twice", "must be another day than that of a rate before it")
	}
	v.Between("holdExpiryDays.default", a.HoldExpiryDays.Default, 1, 365)
	v.Between("holdExpiryDays.preAuth", a.HoldExpiryDays.PreAuth, 1, 365)
	v.Between("holdExpiryDays.hotelCar", a.HoldExpiryDays.HotelCar, 1, 365)
	v.Between("holdExpiryDays.atm", a.HoldExpiryDays.ATM, 1, 365)
	for i, t := range a.ClearingTolerances.ByMCC {
		at := "clearingTolerances.byMcc[" + strconv.Itoa(i) + "]."
		v.Text(at+"name", t.Name, 0, 50)
		v.Is(at+"rate", t.Rate >= 0 && t.Rate <= percent100, "out_of_range", "must be from 0 to 100")
		v.Is(at+"mccs", len(t.MCCs) > 0, "required", "must name at least one")
		for j, m := range t.MCCs {
			from, to, isRange := strings.Cut(m, "-")
			v.Is(at+"mccs["+strconv.Itoa(j)+"]", mccsSyntax.MatchString(m) && (!isRange || from <= to), "not_an_mcc",
				"must be four digits, or two of those with '-' between them")
		}
	}
	v.Is("clearingTolerances.fx", a.ClearingTolerances.FX >= 0 && a.ClearingTolerances.FX <= percent100,
		"out_of_range", "must be from 0 to 100")
	v.Is("settlementCutOff", cutOffSyntax.MatchString(a.SettlementCutOff), "not_a_time", "must be HH:MM")
	v.Between("detokenizeDailyQuota", a.DetokenizeDailyQuota, 0, 1_000_000_000)
	for reason, code := range a.ResponseCodeMap {
		v.Text("responseCodeMap", reason, 1, 64)
		v.Is("responseCodeMap", de39Syntax.MatchString(code), "not_a_response_code", "must map to two digits or letters")
	}
	for event, template := range a.SMSTemplates {
		v.Text("smsTemplates", event, 1, 64)
		v.Text("smsTemplates", template, 0, 1000)
		wrong := notification.CheckTemplate(event, template)
		v.Is("smsTemplates", wrong == "", "not_a_template", wrong)
	}
	v.Between("digitalSlipRetentionMonths", a.DigitalSlipRetentionMonths, 6, 1200)
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	if a.AllowClearSensitive && !sandbox {
		return errSandboxOnly.With("member", "allowClearSensitiveData")
	}
	return nil
}

func (p StandInPolicy) check(v *fault.Checks) {
	fault.OneOf(v, "standInPolicy.action", p.Action, []StandInAction{StandInDecline, StandInApproveUpTo})
	if p.Action == StandInApproveUpTo {
		v.Is("standInPolicy.amountPerTxn", p.AmountPerTransaction != nil, "required", "is required")
		v.Is("standInPolicy.amountPerDay", p.AmountPerDay != nil, "required", "is required")
	}
	for _, limit := range []struct {
		name   string
		amount *money.Amount
	}{{"standInPolicy.amountPerTxn", p.AmountPerTransaction}, {"standInPolicy.amountPerDay", p.AmountPerDay}} {
		v.Is(limit.name, limit.amount == nil || limit.amount.Sign() >= 0, "negative", "must not be negative")
	}
	for i, m := range p.MCCExclusions {
		v.Is("standInPolicy.mccExclusions["+strconv.Itoa(i)+"]", mccSyntax.MatchString(m), "not_an_mcc", "must be four digits")
	}
}
