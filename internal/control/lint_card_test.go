package control

import (
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// limitsOfCards is a bank with two cards of the product P, one of a customer of a
// segment: a day of 5,000, and one payment of 4,000.
type limitsOfCards struct {
	t         *testing.T
	day, one  VelocityCheck
	to        map[string][]Link // by control
	card      Subject
	other     Subject
	set       []Override
	now, late time.Time
}

func newLimitsOfCards(t *testing.T) *limitsOfCards {
	b := &limitsOfCards{t: t, day: limitOf("DAY", PerDay, 500_000), one: limitOf("ONE", PerTransaction, 400_000), now: time.Unix(1000, 0), late: time.Unix(5000, 0)}
	b.card = Subject{
		CardToken: "token", Issuance: id.New[issuing.Issuance](b.now), Customer: id.New[customer.Customer](b.now), Segment: "VIP", Product: "P", Group: "G",
		BINRange: "R", BIN: "41197901",
	}
	b.other = Subject{CardToken: "other", Issuance: id.New[issuing.Issuance](b.now), Product: "P", Group: "G", BINRange: "R", BIN: "41197901"}
	global := Link{Kind: Velocity, Type: LinkGlobal, IsActive: true}
	b.to = map[string][]Link{"DAY": {global}, "ONE": {global}}
	return b
}

func (b *limitsOfCards) link(code string, kind LinkType, target string) {
	b.to[code] = []Link{{Kind: Velocity, Parent: code, Type: kind, Code: target, Target: target, IsActive: true}}
}

// gives sets limits of a card: an amount in minor units, a count, or 0 for neither.
func (b *limitsOfCards) gives(s Subject, code string, minor int64, count int, until *time.Time) {
	o := Override{Issuance: s.Issuance, Check: code, EndsAt: until}
	if minor > 0 {
		a := money.Must(minor, "TRY")
		o.Limits.Amount = &a
	}
	if count > 0 {
		o.Limits.Count = &count
	}
	b.set = append(b.set, o)
}

func (b *limitsOfCards) found() []Finding {
	l := newLinter(b.now, &program.Configuration{}, nil)
	l.links[Velocity] = b.to
	for _, s := range []Subject{b.card, b.other} {
		l.cards[s.Issuance.String()] = s
	}
	c := &Compiled[VelocityCheck]{kind: Velocity, head: VelocityChecks.Head, by: map[string]*compiled[VelocityCheck]{}}
	for _, check := range []VelocityCheck{b.day, b.one} {
		s, problems := compile(check.Criteria, check.Rule, rule.Velocity, nil)
		if len(problems) > 0 {
			b.t.Fatal(problems)
		}
		c.by[check.Code] = &compiled[VelocityCheck]{check, s}
	}
	newLimits(l, c, b.set).lint()
	return l.found
}

// A limit of a single card that others are always reached before is told, and no
// other.
func TestLint_limitsOfSingleCards(t *testing.T) {
	n := func(v int) *int { return &v }
	for name, tt := range map[string]struct {
		is   func(b *limitsOfCards)
		want string // what was found of which control, of which link, which member; by which
	}{
		"none is set": {func(*limitsOfCards) {}, ""},
		"one above the day": {func(b *limitsOfCards) { b.gives(b.card, "ONE", 600_000, 0, nil) },
			"override_never_binds ONE Card/token maxAmount by DAY"},
		"one as high as the day": {func(b *limitsOfCards) { b.gives(b.card, "ONE", 500_000, 0, nil) },
			"override_never_binds ONE Card/token maxAmount by DAY"},
		"one just below the day": {func(b *limitsOfCards) { b.gives(b.card, "ONE", 499_999, 0, nil) }, ""},
		"a day below one":        {func(b *limitsOfCards) { b.gives(b.card, "DAY", 300_000, 0, nil) }, ""},
		"each of two cards": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 600_000, 0, nil)
			b.gives(b.other, "ONE", 450_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"the day was raised, too": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 600_000, 0, nil)
			b.gives(b.card, "DAY", 600_001, 0, nil)
		}, ""},
		"the day was raised for a while": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 600_000, 0, nil)
			b.gives(b.card, "DAY", 700_000, 0, &b.late)
		}, ""},
		"the day of another card was raised": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 600_000, 0, nil)
			b.gives(b.other, "DAY", 700_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"the day was lowered": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 450_000, 0, nil)
			b.gives(b.card, "DAY", 450_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"the day was lowered for as long": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 450_000, 0, &b.late)
			b.gives(b.card, "DAY", 300_000, 0, &b.late)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"the day was lowered for less long": {func(b *limitsOfCards) {
			b.gives(b.card, "ONE", 450_000, 0, nil)
			b.gives(b.card, "DAY", 300_000, 0, &b.late)
		}, ""},
		"the day ends first": {func(b *limitsOfCards) {
			b.day.EndsAt = &b.late
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"the day ends, and what was set before it": {func(b *limitsOfCards) {
			sooner := b.late.Add(-time.Second)
			b.day.EndsAt = &b.late
			b.gives(b.card, "ONE", 600_000, 0, &sooner)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"the day only alerts": {func(b *limitsOfCards) {
			b.day.OnExceed = ExceedAlerts
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"the day counts other things": {func(b *limitsOfCards) {
			b.day.Criteria.MCCs = []string{"6011"}
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"the control takes none any more": {func(b *limitsOfCards) {
			b.one.AllowsOverride = false
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"the control does not hold for the card": {func(b *limitsOfCards) {
			b.link("ONE", LinkProduct, "Q")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"the control holds for its segment": {func(b *limitsOfCards) {
			b.link("ONE", LinkSegment, "VIP")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"a day of its product": {func(b *limitsOfCards) {
			b.link("DAY", LinkProduct, "P")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"a day of its BIN": {func(b *limitsOfCards) {
			b.link("DAY", LinkBIN, "41197901")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"a day of another product": {func(b *limitsOfCards) {
			b.link("DAY", LinkProduct, "Q")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"a day of its customer": {func(b *limitsOfCards) {
			b.link("DAY", LinkCustomer, b.card.Customer.String())
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, "override_never_binds ONE Card/token maxAmount by DAY"},
		"a day of another's customer": {func(b *limitsOfCards) {
			b.link("DAY", LinkCustomer, b.card.Customer.String())
			b.gives(b.other, "ONE", 600_000, 0, nil)
		}, ""},
		"a day of the segment, which may change": {func(b *limitsOfCards) {
			b.link("DAY", LinkSegment, "VIP")
			b.gives(b.card, "ONE", 600_000, 0, nil)
		}, ""},
		"more often than in a day": {func(b *limitsOfCards) {
			b.day.Limits.Count = n(5)
			b.one = limitOf("WEEK", PerWeek, 1)
			b.one.Limits, b.to["WEEK"] = Limits{Count: n(10)}, b.to["ONE"]
			b.gives(b.card, "WEEK", 0, 35, nil)
		}, "override_never_binds WEEK Card/token maxCount by DAY"},
		"less often than in a day": {func(b *limitsOfCards) {
			b.day.Limits.Count = n(5)
			b.one = limitOf("WEEK", PerWeek, 1)
			b.one.Limits, b.to["WEEK"] = Limits{Count: n(10)}, b.to["ONE"]
			b.gives(b.card, "WEEK", 0, 34, nil)
		}, ""},
		"only the count was set": {func(b *limitsOfCards) {
			b.day.Limits.Count = n(50)
			b.one = limitOf("WEEK", PerWeek, 3_500_000)
			b.one.Limits.Count, b.to["WEEK"] = n(100), b.to["ONE"]
			b.gives(b.card, "WEEK", 0, 20, nil)
		}, "never_binds WEEK Global maxAmount by DAY"},
		"both to the same": {func(b *limitsOfCards) {
			b.one = limitOf("TWIN", PerDay, 500_000)
			b.to["TWIN"] = b.to["ONE"]
			b.gives(b.card, "DAY", 700_000, 0, nil)
			b.gives(b.card, "TWIN", 700_000, 0, nil)
		}, "override_never_binds DAY Card/token maxAmount by TWIN"},
		"a control that some cards have otherwise refuses no more than the highest": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.gives(b.card, "DAY", 700_000, 0, nil)
		}, ""},
		"a control that some cards have lower": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.gives(b.card, "DAY", 300_000, 0, nil)
		}, "never_binds ONE Global maxAmount by DAY"},
		"a control of one card": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.link("ONE", LinkCard, b.card.Issuance.String())
			b.link("DAY", LinkProductGroup, "G")
		}, "never_binds ONE Card/… maxAmount by DAY"},
		"a control of one card, whose day was raised": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.link("ONE", LinkCard, b.card.Issuance.String())
			b.gives(b.card, "DAY", 700_000, 0, nil)
		}, ""},
		"a control of one card, and a day of another group": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.link("ONE", LinkCard, b.card.Issuance.String())
			b.link("DAY", LinkProductGroup, "H")
		}, ""},
		"a control and a day of one card": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.link("ONE", LinkCard, b.card.Issuance.String())
			b.link("DAY", LinkCard, b.card.Issuance.String())
		}, "never_binds ONE Card/… maxAmount by DAY"},
		"a control of one card, and a day of the other": {func(b *limitsOfCards) {
			b.one = limitOf("ONE", PerTransaction, 600_000)
			b.link("ONE", LinkCard, b.card.Issuance.String())
			b.link("DAY", LinkCard, b.other.Issuance.String())
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLimitsOfCards(t)
			tt.is(b)
			var got []string
			for _, f := range b.found() {
				link := strings.TrimSuffix(string(f.Link.Type)+"/"+f.Link.Code, "/")
				link = strings.Replace(link, b.card.Issuance.String(), "…", 1)
				got = append(got, strings.Join([]string{string(f.What), f.Code, link, f.Path, "by", strings.Join(f.By, " ")}, " "))
				if len(f.Example) == 0 {
					t.Errorf("%s has no example", f.Code)
				}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("found %q, want %q", text, tt.want)
			}
		})
	}
}

// Of many cards with the same limit that is never reached, some are told.
func TestLint_tellsSomeOfManyCards(t *testing.T) {
	b := newLimitsOfCards(t)
	l := newLinter(b.now, &program.Configuration{}, nil)
	l.links[Velocity] = b.to
	for range 3 * limitsMax {
		s := Subject{CardToken: "t", Issuance: id.New[issuing.Issuance](b.now), Product: "P"}
		l.cards[s.Issuance.String()] = s
		b.gives(s, "ONE", 900_000, 0, nil)
	}
	c := &Compiled[VelocityCheck]{kind: Velocity, head: VelocityChecks.Head, by: map[string]*compiled[VelocityCheck]{}}
	for _, check := range []VelocityCheck{b.day, b.one} {
		s, _ := compile(check.Criteria, check.Rule, rule.Velocity, nil)
		c.by[check.Code] = &compiled[VelocityCheck]{check, s}
	}
	newLimits(l, c, b.set).lint()
	if len(l.found) != limitsMax {
		t.Errorf("told %d, want %d", len(l.found), limitsMax)
	}
}
