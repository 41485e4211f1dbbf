package control

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Criteria select transactions by lists: every list that is not empty must hold
// the transaction's value, one of its values is enough. It is what the
// transaction list filters by, and is compiled like a rule.
type Criteria struct {
	TransactionCodes, Flows, Networks, Domains []string
	EntryModes, TerminalTypes, Presences       []string
	// MCCs and ExceptMCCs hold four digits, or two times four with "-" between.
	MCCs, MCCGroups, ExceptMCCs []string
	// Merchants, terminals and acquirers may end in "*".
	MerchantIDs, TerminalIDs, AcquirerIDs []string
	Countries, ExceptCountries            []string // alpha-2
	Currencies                            []string // of the transaction
	// MinAmount and MaxAmount bound the billing amount, in whatever currency that
	// is: decimal texts, empty without a bound.
	MinAmount, MaxAmount string

	IsContactless, IsRecurring, IsTokenised, IsInstallment, Is3DSAuthenticated, IsPINVerified *bool
}

// lists are all lists by their names in the contract.
func (c Criteria) lists() []criterion {
	return []criterion{
		{"transactionCodes", c.TransactionCodes}, {"flowCodes", c.Flows}, {"networks", c.Networks}, {"domains", c.Domains},
		{"posEntryModes", c.EntryModes}, {"terminalTypes", c.TerminalTypes}, {"cardholderPresences", c.Presences},
		{"mccs", c.MCCs}, {"mccGroups", c.MCCGroups}, {"excludeMccs", c.ExceptMCCs},
		{"merchantIds", c.MerchantIDs}, {"terminalIds", c.TerminalIDs}, {"acquirerIds", c.AcquirerIDs},
		{"countries", c.Countries}, {"excludeCountries", c.ExceptCountries}, {"currencies", c.Currencies},
	}
}

type criterion struct {
	name   string
	values []string
}

func (c Criteria) flags() []*bool {
	return []*bool{c.IsContactless, c.IsRecurring, c.IsTokenised, c.IsInstallment, c.Is3DSAuthenticated, c.IsPINVerified}
}

// IsZero reports whether c selects everything.
func (c Criteria) IsZero() bool {
	return c.MinAmount == "" && c.MaxAmount == "" &&
		!slices.ContainsFunc(c.lists(), func(l criterion) bool { return len(l.values) > 0 }) &&
		!slices.ContainsFunc(c.flags(), func(f *bool) bool { return f != nil })
}

// equal reports whether both select the same, written the same.
func (c Criteria) equal(o Criteria) bool {
	return c.MinAmount == o.MinAmount && c.MaxAmount == o.MaxAmount &&
		slices.EqualFunc(c.lists(), o.lists(), func(a, b criterion) bool { return slices.Equal(a.values, b.values) }) &&
		slices.EqualFunc(c.flags(), o.flags(), func(a, b *bool) bool { return a == b || a != nil && b != nil && *a == *b })
}

// criteriaMax is how many values a list may have.
const criteriaMax = 1000

// CheckInto checks what a list by itself can tell; at is before the names.
func (c Criteria) CheckInto(v *fault.Checks, at string) {
	for _, l := range c.lists() {
		if len(l.values) > criteriaMax {
			v.Fail(at+l.name, "too_many", "must have at most "+strconv.Itoa(criteriaMax)+" values")
			continue
		}
		for i, x := range l.values {
			v.Text(at+l.name+"["+strconv.Itoa(i)+"]", x, 1, 32)
		}
	}
	for _, l := range []criterion{{"mccs", c.MCCs}, {"excludeMccs", c.ExceptMCCs}} {
		for i, x := range l.values {
			v.Is(at+l.name+"["+strconv.Itoa(i)+"]", isMCCRange(x), "not_a_mcc", "must be four digits, or two times four with '-' between, the lower first")
		}
	}
	for _, l := range []struct {
		name   string
		kind   PatternKind
		values []string
	}{{"merchantIds", MerchantPattern, c.MerchantIDs}, {"terminalIds", TerminalPattern, c.TerminalIDs}, {"acquirerIds", AcquirerPattern, c.AcquirerIDs}} {
		for i, x := range l.values {
			l.kind.CheckInto(v, at+l.name+"["+strconv.Itoa(i)+"]", x)
		}
	}
	low, high := checkBound(v, at+"minAmount", c.MinAmount), checkBound(v, at+"maxAmount", c.MaxAmount)
	v.Is(at+"maxAmount", low == nil || high == nil || low.Cmp(high) <= 0, "out_of_order", "must not be below minAmount")
}

// PatternKind is what patterns of criteria are compared with: identifiers of
// messages, all of whose beginnings a "*" at the end stands for.
type PatternKind int

// The kinds.
const (
	MerchantPattern PatternKind = iota // DE42
	TerminalPattern                    // DE41
	AcquirerPattern                    // DE32, without the zeros in front
)

// CheckInto refuses a pattern that no message can ever fit.
func (k PatternKind) CheckInto(v *fault.Checks, name, pattern string) {
	start, isOpen := strings.CutSuffix(pattern, "*")
	v.Is(name, !strings.Contains(start, "*"), "wildcard", "must have a '*' at its end only")
	longest := map[PatternKind]int{MerchantPattern: 15, TerminalPattern: 8, AcquirerPattern: 11}[k]
	v.Is(name, utf8.RuneCountInString(start) <= longest, "too_long", "must have at most "+strconv.Itoa(longest)+" characters beside a '*'")
	if k == AcquirerPattern {
		v.Is(name, isOpen && start == "" || fault.AllDigits(strings.ReplaceAll(start, "*", "0")), "not_digits", "must be digits, with or without a '*' at the end")
		v.Is(name, !strings.HasPrefix(start, "0"), "leading_zero", "must not begin with 0: institutions are compared without")
	}
}

// checkBound reads a bound of amounts; nil is none, or not one.
func checkBound(v *fault.Checks, name, text string) *big.Rat {
	if text == "" {
		return nil
	}
	if !boundSyntax.MatchString(text) {
		v.Fail(name, "not_an_amount", "must be a number that is not negative, with at most 15 digits before the point and 4 behind it")
		return nil
	}
	r, _ := new(big.Rat).SetString(text)
	return r
}

var boundSyntax = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,4})?$`)

func isMCCRange(s string) bool {
	low, high, isRange := strings.Cut(s, "-")
	isMCC := func(s string) bool { return len(s) == 4 && fault.AllDigits(s) }
	return isMCC(low) && (!isRange || isMCC(high) && low <= high)
}

// Selection is what chooses the transactions that a control or a fee is about:
// criteria and a rule, both of which must hold.
type Selection struct {
	Criteria
	low, high   *rule.Number // the bounds of the amount
	rule        *rule.Program
	readsAmount bool
	isOpen      bool // it has no criteria
	// broken says why the rule cannot be evaluated; see [Definitions.IfBroken].
	broken []rule.Problem
}

// IsBroken reports whether the rule cannot be evaluated: it compiled when it was
// saved and no longer does, as after an update that checks more.
func (s *Selection) IsBroken() bool { return len(s.broken) > 0 }

// compile makes a selection; the criteria and the rule were checked before.
func compile(c Criteria, source rule.Source, context rule.Context, lists *rule.Lists) (Selection, []rule.Problem) {
	s := Selection{Criteria: c, low: bound(c.MinAmount), high: bound(c.MaxAmount), isOpen: c.IsZero()}
	var problems []rule.Problem
	s.rule, problems = rule.Compile(source, context, lists)
	s.readsAmount = s.low != nil || s.high != nil || s.rule != nil && s.rule.Reads(rule.FieldID.IsAmount)
	return s, problems
}

// Reads reports whether the rule asks about such a field.
func (s *Selection) Reads(is func(rule.FieldID) bool) bool { return s.rule.Reads(is) }

// ReadsAmount reports whether criteria or rule ask for an amount of the
// transaction.
func (s *Selection) ReadsAmount() bool { return s.readsAmount }

func bound(text string) *rule.Number {
	n, ok := rule.ParseNumber(text)
	if !ok {
		return nil
	}
	return &n
}

// Selects reports whether a transaction is chosen; if not, why is the criterion
// that leaves it out, or "rule".
func (s *Selection) Selects(f *rule.Facts, m rule.Missing) (why string, ok bool) {
	if !s.isOpen {
		if member, ok := s.meets(f, m); !ok {
			return "criteria." + member, false
		}
	}
	if !s.rule.Match(f, m) {
		return "rule", false
	}
	return "", true
}

// meets reports whether a transaction meets the criteria; if not, member is the
// name of the first that leaves it out. A value that is missing is in no list,
// unless m says what else it counts as: then each criterion is met, or left out
// by, whatever misses what it asks for.
func (s *Selection) meets(f *rule.Facts, m rule.Missing) (member string, ok bool) {
	for _, l := range []struct {
		name   string
		values []string
		field  rule.FieldID
		match  func(pattern, value string) bool
	}{
		{"transactionCodes", s.TransactionCodes, rule.TransactionCode, isSame},
		{"flowCodes", s.Flows, rule.TransactionFlowCode, isSame},
		{"networks", s.Networks, rule.TransactionNetwork, isSame},
		{"domains", s.Domains, rule.TransactionDomain, isSame},
		{"posEntryModes", s.EntryModes, rule.TransactionPOSEntryMode, isSame},
		{"terminalTypes", s.TerminalTypes, rule.TransactionTerminalType, isSame},
		{"cardholderPresences", s.Presences, rule.TransactionCardholderPresence, isSame},
		{"mccs", s.MCCs, rule.TransactionMCC, isInRange},
		{"merchantIds", s.MerchantIDs, rule.MerchantID, isLike},
		{"terminalIds", s.TerminalIDs, rule.TerminalID, isLike},
		{"acquirerIds", s.AcquirerIDs, rule.MerchantAcquirerID, isLike},
		{"countries", s.Countries, rule.MerchantCountry, isSame},
		{"currencies", s.Currencies, rule.TransactionTransactionCurrency, isSame},
	} {
		if len(l.values) > 0 && !holds(l.values, f, l.field, l.match, m == rule.Matched) {
			return l.name, false
		}
	}
	switch {
	case len(s.MCCGroups) > 0 && !s.meetsGroups(f, m):
		return "mccGroups", false
	case len(s.ExceptMCCs) > 0 && holds(s.ExceptMCCs, f, rule.TransactionMCC, isInRange, m == rule.Unmatched):
		return "excludeMccs", false
	case len(s.ExceptCountries) > 0 && holds(s.ExceptCountries, f, rule.MerchantCountry, isSame, m == rule.Unmatched):
		return "excludeCountries", false
	}
	return s.meetsRest(f, m)
}

func (s *Selection) meetsGroups(f *rule.Facts, m rule.Missing) bool {
	if !f.Known(rule.TransactionMCCGroup) {
		return m == rule.Matched
	}
	return slices.ContainsFunc(f.List(rule.TransactionMCCGroup), func(g string) bool { return slices.Contains(s.MCCGroups, g) })
}

func (s *Selection) meetsRest(f *rule.Facts, m rule.Missing) (member string, ok bool) {
	amount, known := f.Number(rule.TransactionBillingAmount)
	switch {
	case !known && m == rule.Matched:
	case s.low != nil && (!known || amount.Compare(*s.low) < 0):
		return "minAmount", false
	case s.high != nil && (!known || amount.Compare(*s.high) > 0):
		return "maxAmount", false
	}
	for _, w := range []struct {
		name   string
		wanted *bool
		field  rule.FieldID
	}{
		{"isContactless", s.IsContactless, rule.TransactionIsContactless}, {"isRecurring", s.IsRecurring, rule.TransactionIsRecurring},
		{"isTokenised", s.IsTokenised, rule.TransactionIsTokenised}, {"isInstallment", s.IsInstallment, rule.TransactionIsInstallment},
		{"is3dsAuthenticated", s.Is3DSAuthenticated, rule.SecurityIs3DSAuthenticated},
		{"isPinVerified", s.IsPINVerified, rule.SecurityPINVerified},
	} {
		if w.wanted == nil {
			continue
		}
		is, known := f.Flag(w.field)
		if !known && m != rule.TwoValued {
			is, known = *w.wanted == (m == rule.Matched), true
		}
		if (is && known) != *w.wanted {
			return w.name, false
		}
	}
	return "", true
}

// holds reports whether the value of a field fits one of a list; missing is what
// is said of one that is not known.
func holds(list []string, f *rule.Facts, field rule.FieldID, match func(pattern, value string) bool, missing bool) bool {
	value, known := f.Text(field)
	if !known {
		return missing
	}
	return slices.ContainsFunc(list, func(pattern string) bool { return match(pattern, value) })
}

func isSame(pattern, value string) bool { return pattern == value }

// isInRange reads "5411" and "5811-5814".
func isInRange(pattern, mcc string) bool {
	low, high, isRange := strings.Cut(pattern, "-")
	if !isRange {
		return pattern == mcc
	}
	return low <= mcc && mcc <= high
}

// isLike reads a trailing "*" as any rest.
func isLike(pattern, value string) bool {
	if start, any := strings.CutSuffix(pattern, "*"); any {
		return strings.HasPrefix(value, start)
	}
	return pattern == value
}
