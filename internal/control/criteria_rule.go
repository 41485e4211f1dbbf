package control

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

// program is the criteria as a rule, so that they can be compared with others;
// false when they are too long for one. It answers as [Selection] does.
func (c Criteria) program(context rule.Context, lists *rule.Lists) (*rule.Program, bool) {
	leaves := c.leaves()
	if leaves == nil {
		return nil, false
	}
	source := ""
	if len(leaves) > 0 {
		text, err := json.Marshal(map[string]any{"condition": "and", "rules": leaves})
		if err != nil {
			return nil, false
		}
		source = string(text)
	}
	p, problems := rule.Compile(rule.Source(source), context, lists)
	return p, len(problems) == 0
}

// leaf is a condition of a rule.
type leaf map[string]any

func leafOf(field rule.FieldID, operator string, value any) leaf {
	return leaf{"field": field.String(), "operator": operator, "value": value}
}

// leaves are the conditions, one for each criterion; nil when one is too long.
func (c Criteria) leaves() []leaf {
	all := []leaf{}
	for _, l := range []struct {
		values   []string
		field    rule.FieldID
		operator string
	}{
		{c.TransactionCodes, rule.TransactionCode, "in"}, {c.Flows, rule.TransactionFlowCode, "in"},
		{c.Networks, rule.TransactionNetwork, "in"}, {c.Domains, rule.TransactionDomain, "in"},
		{c.EntryModes, rule.TransactionPOSEntryMode, "in"}, {c.TerminalTypes, rule.TransactionTerminalType, "in"},
		{c.Presences, rule.TransactionCardholderPresence, "in"}, {c.MCCGroups, rule.TransactionMCCGroup, "contains_any"},
		{c.Countries, rule.MerchantCountry, "in"}, {c.ExceptCountries, rule.MerchantCountry, "not_in"},
		{c.Currencies, rule.TransactionTransactionCurrency, "in"},
	} {
		if len(l.values) > 0 {
			all = append(all, leafOf(l.field, l.operator, l.values))
		}
	}
	for _, l := range []struct {
		operator string
		ranges   []string
	}{{"in", c.MCCs}, {"not_in", c.ExceptMCCs}} {
		codes, ok := expand(l.ranges)
		if !ok {
			return nil
		}
		if len(codes) > 0 {
			all = append(all, leafOf(rule.TransactionMCC, l.operator, codes))
		}
	}
	for _, l := range []struct {
		field    rule.FieldID
		patterns []string
	}{{rule.MerchantID, c.MerchantIDs}, {rule.TerminalID, c.TerminalIDs}, {rule.MerchantAcquirerID, c.AcquirerIDs}} {
		if len(l.patterns) > 0 {
			all = append(all, likeAny(l.field, l.patterns))
		}
	}
	if c.MinAmount != "" {
		all = append(all, leafOf(rule.TransactionBillingAmount, "greater_or_equal", json.Number(c.MinAmount)))
	}
	if c.MaxAmount != "" {
		all = append(all, leafOf(rule.TransactionBillingAmount, "less_or_equal", json.Number(c.MaxAmount)))
	}
	return append(all, c.flagLeaves()...)
}

func (c Criteria) flagLeaves() (all []leaf) {
	for _, f := range []struct {
		wanted *bool
		field  rule.FieldID
	}{
		{c.IsContactless, rule.TransactionIsContactless}, {c.IsRecurring, rule.TransactionIsRecurring},
		{c.IsTokenised, rule.TransactionIsTokenised}, {c.IsInstallment, rule.TransactionIsInstallment},
		{c.Is3DSAuthenticated, rule.SecurityIs3DSAuthenticated}, {c.IsPINVerified, rule.SecurityPINVerified},
	} {
		switch {
		case f.wanted == nil:
		case *f.wanted:
			all = append(all, leafOf(f.field, "equal", true))
		default:
			all = append(all, leafOf(f.field, "not_equal", true)) // also of what is not known
		}
	}
	return all
}

// likeAny is one of several patterns that may end in "*".
func likeAny(field rule.FieldID, patterns []string) leaf {
	var any []leaf
	var plain []string
	for _, p := range patterns {
		if start, isOpen := strings.CutSuffix(p, "*"); isOpen {
			any = append(any, leafOf(field, "matches", "^"+regexp.QuoteMeta(start)))
		} else {
			plain = append(plain, p)
		}
	}
	if len(plain) > 0 {
		any = append(any, leafOf(field, "in", plain))
	}
	return leaf{"condition": "or", "rules": any}
}

// expand lists the categories of ranges; false for more than a rule may name.
func expand(ranges []string) (codes []string, ok bool) {
	for _, r := range ranges {
		low, high, isRange := strings.Cut(r, "-")
		if !isRange {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil, false
		}
		to, err := strconv.Atoi(high)
		if err != nil || len(codes)+to-from >= criteriaMax {
			return nil, false
		}
		for n := from; n <= to; n++ {
			codes = append(codes, fmt.Sprintf("%04d", n))
		}
	}
	return codes, true
}
