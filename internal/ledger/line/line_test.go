package line

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

func day(month time.Month, d int) clock.Date { return clock.Date{Year: 2031, Month: month, Day: d} }

// story is a line to which something happens.
type story struct {
	t    *testing.T
	line *Line
	cuts []Cut
}

// on rolls to a day, so that what follows happens then.
func (s *story) on(d clock.Date) *story {
	s.cuts = append(s.cuts, s.line.Roll(d)...)
	return s
}

// has checks what is owed but for interest and fees, D and A, and what is left of
// the minimum.
func (s *story) has(domestic, abroad, minimumD, minimumA int64) {
	s.t.Helper()
	l := s.line
	got := [4]int64{l.Owed(Domestic, Retail) + l.Owed(Domestic, Interest), l.Owed(Abroad, Retail) + l.Owed(Abroad, Interest), l.Minimum(Domestic), l.Minimum(Abroad)}
	if want := [4]int64{domestic, abroad, minimumD, minimumA}; got != want {
		s.t.Errorf("before %s: D, A, minimum D, A are %v, want %v", l.Day, got, want)
	}
}

func (s *story) lastCut() Cut {
	s.t.Helper()
	if len(s.cuts) == 0 {
		s.t.Fatal("no term has ended")
	}
	return s.cuts[len(s.cuts)-1]
}

// The worked example of the domain, to the cent.
func TestLine_isTheWorkedExample(t *testing.T) {
	s := &story{t: t, line: New(DefaultTerms(), 25_000_00, day(time.March, 1))}
	s.line.Spend(Domestic, Retail, 6_000_00)
	s.line.Spend(Abroad, Retail, 400_00)

	s.on(day(time.March, 15)).has(6_000_00, 400_00, 1_200_00, 80_00)
	if c := s.lastCut(); c.On != day(time.March, 14) || c.Due != day(time.March, 24) || c.Debt() != 6_400_00 {
		t.Errorf("the first term ended with %+v", c)
	}
	s.on(day(time.March, 20))
	s.line.Pay(1_000_00)
	s.has(5_000_00, 400_00, 200_00, 80_00)

	s.on(day(time.April, 1))
	if d, a := s.line.PastDue(Domestic), s.line.PastDue(Abroad); d != 200_00 || a != 80_00 {
		t.Errorf("past due %d and %d", d, a)
	}
	s.line.Pay(500_00)
	s.has(4_580_00, 320_00, 0, 0)
	if d, a := s.line.PastDue(Domestic), s.line.PastDue(Abroad); d != 0 || a != 0 {
		t.Errorf("still past due %d and %d", d, a)
	}
	s.on(day(time.April, 2))
	if got := s.line.Remaining(0); got != 20_100_00 {
		t.Errorf("on 2 April %d remain, want 20,100.00", got)
	}
	s.on(day(time.April, 5))
	s.line.Spend(Domestic, Retail, 1_500_00)

	s.on(day(time.April, 15)).has(6_306_35, 337_18, 1_261_27, 67_44)
	d, a := s.lastCut().Regions[Domestic], s.lastCut().Regions[Abroad]
	if d.Interest != 174_11 || d.KKDF != 26_12 || d.BSMV != 26_12 || a.Interest != 13_22 || a.KKDF != 1_98 || a.BSMV != 1_98 {
		t.Errorf("interest and taxes are %+v and %+v", d, a)
	}
	s.on(day(time.April, 24))
	s.line.Pay(6_643_53)
	s.has(0, 0, 0, 0)

	s.on(day(time.May, 15)).has(62_51, 4_36, 12_50, 87)
	d, a = s.lastCut().Regions[Domestic], s.lastCut().Regions[Abroad]
	if d.Interest != 48_09 || d.KKDF != 7_21 || d.BSMV != 7_21 || a.Interest != 3_36 || a.KKDF != 50 || a.BSMV != 50 {
		t.Errorf("interest and taxes are %+v and %+v", d, a)
	}
}

func TestLine_dueDateIsABusinessDay(t *testing.T) {
	terms := DefaultTerms()
	terms.Holidays = []clock.Date{day(time.May, 26)}
	if due := terms.Due(day(time.May, 14)); due != day(time.May, 27) { // the 24th is a Saturday, the 26th a holiday
		t.Errorf("due on %s", due)
	}
	terms.Holidays = nil
	for d := range 40 {
		terms.Holidays = append(terms.Holidays, day(time.May, 14).AddDays(d))
	}
	if due := terms.Due(day(time.May, 14)); due.DaysSince(day(time.May, 14)) != dueMax {
		t.Errorf("due on %s, after the next cut", due)
	}
}

func TestLine_cashBearsInterestFromTheNextDay(t *testing.T) {
	s := &story{t: t, line: New(DefaultTerms(), 25_000_00, day(time.March, 1))}
	s.on(day(time.March, 4))
	s.line.Spend(Domestic, Cash, 3_000_00)
	s.on(day(time.March, 15)) // ten days
	if got := s.lastCut().Regions[Domestic].Interest; got != 35_00 {
		t.Errorf("interest %d, want 35.00", got)
	}
}

func TestLine_creditPaysForWhatComes(t *testing.T) {
	l := New(DefaultTerms(), 1_000_00, day(time.March, 1))
	l.Pay(300_00)
	if l.Credit() != 300_00 || l.Remaining(0) != 1_300_00 {
		t.Errorf("credit %d, remaining %d", l.Credit(), l.Remaining(0))
	}
	parts := l.Spend(Abroad, Retail, 500_00)
	want := []Part{{credit, -300_00}, {Bucket{Region: Abroad, Kind: Retail}, 200_00}}
	if len(parts) != 2 || parts[0] != want[0] || parts[1] != want[1] {
		t.Errorf("parts %v, want %v", parts, want)
	}
}

func TestLine_refundTakesItsOwnTermFirst(t *testing.T) {
	s := &story{t: t, line: New(DefaultTerms(), 25_000_00, day(time.March, 1))}
	s.line.Spend(Domestic, Retail, 100_00)
	s.on(day(time.March, 20))
	s.line.Spend(Domestic, Retail, 50_00)
	s.line.GiveBack(Domestic, Retail, 50_00, day(time.March, 20))
	if got := s.line.Billed(Domestic); got != 100_00 {
		t.Errorf("a refund of this term lowered what is billed to %d", got)
	}
	s.line.GiveBack(Domestic, Retail, 30_00, day(time.March, 2))
	if got := s.line.Billed(Domestic); got != 70_00 {
		t.Errorf("billed %d, want 70.00", got)
	}
}

func TestLine_missedMinimumsBlock(t *testing.T) {
	s := &story{t: t, line: New(DefaultTerms(), 25_000_00, day(time.January, 1))}
	s.line.Spend(Domestic, Retail, 1_000_00)
	s.on(day(time.March, 20))
	if s.line.BlocksCash() || s.line.BlocksAll() {
		t.Error("two missed minimums block")
	}
	if got := s.line.OverdueSince(); got != day(time.January, 24) {
		t.Errorf("overdue since %s", got)
	}
	s.on(day(time.March, 26))
	if !s.line.BlocksCash() || !s.line.BlocksAll() {
		t.Error("three missed minimums block nothing")
	}
	s.line.Pay(2_000_00)
	if !s.line.BlocksCash() || s.line.BlocksAll() || !s.line.OverdueSince().IsZero() {
		t.Error("what was paid late still blocks purchases, or no longer blocks cash")
	}
	s.on(clock.Date{Year: 2032, Month: time.January, Day: 1})
	if s.line.BlocksCash() {
		t.Error("a new year still blocks cash")
	}
}

func TestTerms_tiersAndDates(t *testing.T) {
	terms := DefaultTerms()
	terms.Rates = []Rates{
		{UpTo: 100, Contractual: 1}, {Contractual: 3}, {UpTo: 50, Contractual: 2, From: day(time.May, 1)}, {UpTo: 80, Contractual: 4, From: day(time.May, 1)},
	}
	for _, c := range []struct {
		on   clock.Date
		debt int64
		want Millionths
	}{
		{day(time.April, 30), 100, 1}, {day(time.April, 30), 101, 3}, {day(time.May, 1), 50, 2}, {day(time.May, 1), 80, 4}, {day(time.June, 1), 81, 4},
	} {
		if got := terms.ratesOn(c.on, c.debt).Contractual; got != c.want {
			t.Errorf("on %s for %d: %d, want %d", c.on, c.debt, got, c.want)
		}
	}
}

// Whatever happens, the parts that were told add up to the buckets, the invariants
// of the package hold, and a line that was stored and read goes on alike.
func TestLine_anyStory(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := New(DefaultTerms(), 5_000_00, day(time.January, 1))
		told := map[Bucket]int64{}
		tell := func(parts []Part) {
			for _, p := range parts {
				told[p.Bucket] += p.Amount
			}
		}
		debits, credits := int64(0), int64(0)
		for step := range 120 {
			amount := 1 + r.Int64N(2_000_00)
			region := Region(r.IntN(int(regions)))
			switch r.IntN(6) {
			case 0, 1:
				tell(l.Spend(region, Retail, amount))
				debits += amount
			case 2:
				tell(l.Spend(region, []Kind{Fee, Cash}[r.IntN(2)], amount))
				debits += amount
			case 3:
				tell(l.Pay(amount))
				credits += amount
			case 4:
				tell(l.GiveBack(region, []Kind{Fee, Cash, Retail}[r.IntN(3)], amount, l.Day.AddDays(-r.IntN(40))))
				credits += amount
			case 5:
				for _, c := range l.Roll(l.Day.AddDays(r.IntN(25))) {
					for _, ch := range c.Charges {
						tell(ch.Parts)
						debits += ch.Amount
					}
					for reg, out := range c.Regions {
						if out.Minimum > out.Debt || out.Minimum < 0 || out.Debt != l.Billed(Region(reg)) && l.Day == c.On.AddDays(1) {
							t.Fatalf("seed %d: cut %+v", seed, c)
						}
					}
				}
			}
			again, err := Parse(l.Text(), l.Terms, l.Limit)
			if err != nil || again.Text() != l.Text() {
				t.Fatalf("seed %d step %d: %q, %v", seed, step, l.Text(), err)
			}
			l = again
			if l.Debt()-l.Credit() != debits-credits {
				t.Fatalf("seed %d step %d: owed %d less %d in credit, want %d", seed, step, l.Debt(), l.Credit(), debits-credits)
			}
			if l.Credit() > 0 && l.Debt() > 0 {
				t.Fatalf("seed %d step %d: %d owed and %d in credit", seed, step, l.Debt(), l.Credit())
			}
			for _, b := range Buckets() {
				have := l.credit
				if !b.IsCredit {
					have = l.Owed(b.Region, b.Kind)
				}
				if have != told[b] || have < 0 {
					t.Fatalf("seed %d step %d: %s is %d, told were %d", seed, step, b, have, told[b])
				}
			}
			for reg := range regions {
				if l.PastDue(reg) > l.Minimum(reg) || l.Minimum(reg) > l.Billed(reg) {
					t.Fatalf("seed %d step %d: %s past due %d, minimum %d, billed %d", seed, step, reg, l.PastDue(reg), l.Minimum(reg), l.Billed(reg))
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	l := New(DefaultTerms(), 100, day(time.January, 1))
	l.Spend(Domestic, Retail, 50)
	l.Roll(day(time.June, 1))
	f.Add(l.Text())
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text, DefaultTerms(), 100)
		if err != nil {
			return
		}
		again, err := Parse(l.Text(), DefaultTerms(), 100)
		if err != nil || again.Text() != l.Text() {
			t.Errorf("%q became %q, %v", text, l.Text(), err)
		}
	})
}

func TestTerms_readBackWhatTheyWrote(t *testing.T) {
	terms := DefaultTerms()
	terms.Rates = append(terms.Rates, Rates{From: day(time.May, 1), UpTo: 5, Contractual: 1, Late: 2, Cash: 3})
	terms.Holidays = []clock.Date{day(time.May, 19)}
	got, err := ParseTerms(terms.Text())
	if err != nil || got.Text() != terms.Text() {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "cut 40 10\n", terms.Text() + "what 1\n", terms.Text() + "holiday 2031-02-30\n", terms.Text() + "cash 1 2\n"} {
		if _, err := ParseTerms(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseTerms(f *testing.F) {
	f.Add(DefaultTerms().Text())
	f.Fuzz(func(t *testing.T, text string) {
		terms, err := ParseTerms(text)
		if err != nil {
			return
		}
		if again, err := ParseTerms(terms.Text()); err != nil || again.Text() != terms.Text() {
			t.Errorf("%q became %q, %v", text, terms.Text(), err)
		}
	})
}
