package control

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// VelocityChecks are the velocity controls of tenants.
var VelocityChecks = Definitions[VelocityCheck]{
	Kind: Velocity, Entity: "VelocityCheck",
	Head:     func(c *VelocityCheck) *Head { return &c.Head },
	Check:    VelocityCheck.check,
	Fit:      fitVelocity,
	Criteria: func(c VelocityCheck) Criteria { return c.Criteria },
	Rule:     func(c VelocityCheck) rule.Source { return c.Rule }, Context: rule.Velocity,
	IfBroken: func(VelocityCheck) bool { return true },
	Encode:   encodeVelocity, Decode: decodeVelocity,
	NotFound: errVelocityNotFound, Exists: errVelocityExists, InUse: errVelocityInUse,
}

// NewVelocityCheck is a velocity control with the contract's defaults.
func NewVelocityCheck(code string) VelocityCheck {
	return VelocityCheck{
		Head: Head{Code: code, IsActive: true}, Level: CountIssuance, Refunds: RefundsIgnored,
		AdjustOnClearing: true, OnExceed: ExceedDeclines, AllowsOverride: true,
	}
}

// fitVelocity lets a check join its limit group, whose checks share their
// counters, and begins counting anew when what was counted no longer fits. Neither
// versions nor codes come again, so that no counter is ever begun twice.
func fitVelocity(check VelocityCheck, old *VelocityCheck, others []VelocityCheck) (VelocityCheck, error) {
	if old != nil {
		check.Founder, check.Generation = old.Founder, old.Generation
	}
	if old == nil || old.restarts(check) {
		check.Founder, check.Generation = "", check.Version-1
		if check.LimitGroup != "" {
			check.Founder = check.Code
		}
	}
	for _, o := range others {
		if check.LimitGroup == "" || o.LimitGroup != check.LimitGroup {
			continue
		}
		if member, differ := check.differsFrom(o); differ {
			return check, errGroupDisagrees.With("limitGroup", check.LimitGroup).With("velocityCheckCode", o.Code).With("member", member)
		}
		check.Founder, check.Generation = o.Founder, o.Generation
	}
	return check, nil
}

// velocityDocument is the text of a velocity control in
// control_definition.document: the control without its head, and its amounts in
// storable form. Member names are the stored form: they are only added to.
type velocityDocument struct {
	Check                                VelocityCheck
	MaxAmount, MinAmount                 *int64 // in minor units of Check.Currency
	OverrideMinAmount, OverrideMaxAmount *int64
}

// amounts are the amounts of a control and their places in its document.
func (d *velocityDocument) amounts() []amountPlace {
	return []amountPlace{
		{&d.Check.Limits.Amount, &d.MaxAmount}, {&d.Check.MinAmount, &d.MinAmount},
		{&d.Check.OverrideMinAmount, &d.OverrideMinAmount}, {&d.Check.OverrideMax.Amount, &d.OverrideMaxAmount},
	}
}

type amountPlace struct {
	amount **money.Amount
	minor  **int64
}

func encodeVelocity(c VelocityCheck) (string, error) {
	d := velocityDocument{Check: c}
	d.Check.Head = Head{}
	for _, p := range d.amounts() {
		if a := *p.amount; a != nil {
			minor := a.Minor()
			*p.minor, *p.amount = &minor, nil // money refuses to become JSON
		}
	}
	text, err := json.Marshal(d)
	return string(text), err
}

func decodeVelocity(document string) (VelocityCheck, error) {
	var d velocityDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return VelocityCheck{}, fmt.Errorf("read velocity control: %w", err)
	}
	for _, p := range d.amounts() {
		if *p.minor == nil {
			continue
		}
		a, err := money.New(**p.minor, d.Check.Currency)
		if err != nil {
			return VelocityCheck{}, fmt.Errorf("read velocity control: %w", err)
		}
		*p.amount = &a
	}
	return d.Check, nil
}

var de39Syntax = regexp.MustCompile(`^[0-9A-Z]{2}$`)

// isDeclineCode reports whether a response code (DE39) refuses. 00 approves, 08
// with identification, 10 in part, 11 for a VIP, 16 with an update of track 3, 85
// a verification.
func isDeclineCode(code string) bool {
	switch code {
	case "00", "08", "10", "11", "16", "85":
		return false
	}
	return de39Syntax.MatchString(code)
}
