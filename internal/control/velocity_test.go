package control

import (
	"slices"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/money"
)

func tryAmount(minor int64) *money.Amount {
	a := money.Must(minor, "TRY")
	return &a
}

// A limit that was set for a card counts only while it fits its control.
func TestLimitsFor_takesWhatFitsTheControl(t *testing.T) {
	now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
	three, five := 3, 5
	c := NewVelocityCheck("DAY")
	c.Currency, c.Limits = money.MustCurrency("TRY"), Limits{Amount: tryAmount(100), Count: &three}
	euros := money.Must(900, "EUR")
	past := now.Add(-time.Hour)
	for name, x := range map[string]struct {
		change  func(*VelocityCheck)
		o       *Override
		amount  *money.Amount
		count   *int
		applies bool
	}{
		"none":               {nil, nil, tryAmount(100), &three, false},
		"both":               {nil, &Override{Limits: Limits{tryAmount(200), &five}}, tryAmount(200), &five, true},
		"ended":              {nil, &Override{Limits: Limits{tryAmount(200), nil}, EndsAt: &past}, tryAmount(100), &three, false},
		"not allowed now":    {func(c *VelocityCheck) { c.AllowsOverride = false }, &Override{Limits: Limits{Count: &five}}, tryAmount(100), &three, false},
		"other currency now": {nil, &Override{Limits: Limits{&euros, &five}}, tryAmount(100), &five, true},
		"no such limit now":  {func(c *VelocityCheck) { c.Limits.Count = nil }, &Override{Limits: Limits{Count: &five}}, tryAmount(100), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			check := c
			if x.change != nil {
				x.change(&check)
			}
			got, applies := check.limitsFor(x.o, now)
			if *got.Amount != *x.amount || (got.Count == nil) != (x.count == nil) || got.Count != nil && *got.Count != *x.count || applies != x.applies {
				t.Errorf("got %v %v, %v", got.Amount, got.Count, applies)
			}
			if x.o != nil && x.o.Limits.Amount == &euros && check.permits(*x.o) == nil {
				t.Error("a limit in another currency can be set")
			}
		})
	}
}

// A limit group that is made again of other checks counts anew.
func TestCounter_isOfWhatIsCounted(t *testing.T) {
	c := NewVelocityCheck("A")
	c.LimitGroup, c.Period, c.Currency = "CASH", PerDay, money.MustCurrency("TRY")
	names := []string{c.counter()}
	for _, change := range []func(*VelocityCheck){
		func(c *VelocityCheck) { c.Currency = money.MustCurrency("EUR") },
		func(c *VelocityCheck) { c.Period = PerWeek },
		func(c *VelocityCheck) { c.Period, c.Span = PerSpan, Span{24, Hours} },
		func(c *VelocityCheck) { c.Period, c.Span = PerSpan, Span{25, Hours} },
		func(c *VelocityCheck) { c.Level = CountCustomer },
		func(c *VelocityCheck) { c.Generation++ },
	} {
		other := c
		change(&other)
		if slices.Contains(names, other.counter()) {
			t.Errorf("%s twice", other.counter())
		}
		names = append(names, other.counter())
	}
	same := c
	same.Code, same.Limits = "B", Limits{Amount: tryAmount(5)}
	if same.counter() != c.counter() {
		t.Error("checks of a group count apart")
	}
}

// What a limit group counted is never taken over by one that is made again under
// its name, nor what a check counted before it went into a group by what it counts
// after it has left.
func TestFitVelocity_neverCountsUnderAnOldNameAgain(t *testing.T) {
	seen := map[string]string{}
	there := map[string]VelocityCheck{}
	version := map[string]int{}
	// do defines a check, in a group or alone, and returns its counter.
	do := func(code, limitGroup string, period Period) string {
		t.Helper()
		c := NewVelocityCheck(code)
		version[code]++
		c.Version, c.LimitGroup, c.Period, c.Currency = version[code], limitGroup, period, money.MustCurrency("TRY")
		var old *VelocityCheck
		var others []VelocityCheck
		for _, o := range there {
			if o.Code == code {
				old = &o
			} else {
				others = append(others, o)
			}
		}
		c, err := fitVelocity(c, old, others)
		if err != nil {
			t.Fatal(err)
		}
		there[code] = c
		return c.counter()
	}
	anew := func(counter, what string) {
		t.Helper()
		if before, known := seen[counter]; known {
			t.Errorf("%s counts under %s, as %s", what, counter, before)
		}
		seen[counter] = what
	}
	same := func(counter, other string) {
		t.Helper()
		if counter != other {
			t.Errorf("counts under %s, want %s", counter, other)
		}
	}
	a := do("A", "CASH", PerLifetime)
	anew(a, "A, which makes the group")
	same(do("B", "CASH", PerLifetime), a)
	same(do("A", "CASH", PerLifetime), a) // with other limits
	anew(do("A", "", PerLifetime), "A alone")
	same(do("B", "CASH", PerLifetime), a) // who made it is gone
	same(do("A", "CASH", PerLifetime), a)
	delete(there, "A")
	delete(there, "B")
	anew(do("C", "CASH", PerLifetime), "a group made again by C")
	anew(do("C", "", PerLifetime), "C alone")
	anew(do("C", "CASH", PerLifetime), "a group made again by C, which made it before")
	anew(do("D", "", PerWeek), "D")
	anew(do("D", "", PerDay), "D by day")
	day := do("E", "DAILY", PerDay)
	anew(day, "E, which makes the group DAILY")
	same(do("D", "DAILY", PerDay), day)
	anew(do("D", "", PerDay), "D by day again")
}

// The audit record tells of limits that change.
func TestVelocityCheck_itsLimitsAreAudited(t *testing.T) {
	before, after := NewVelocityCheck("A"), NewVelocityCheck("A")
	before.Limits.Amount, after.Limits.Amount = tryAmount(100), tryAmount(200)
	if changes := audit.Changes(before, after); len(changes) != 1 {
		t.Errorf("got %v", changes)
	}
	if changes := audit.Changes(Override{Limits: before.Limits}, Override{Limits: after.Limits}); len(changes) != 1 {
		t.Errorf("of a card: %v", changes)
	}
}
