package rule

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The small world in which rules are tried on everything there is: each field
// with values enough to tell apart what generated rules compare with.
var smallWorld = []struct {
	field  FieldID
	values []string // of facts; null for missing
	leaves []string // operator and value
}{
	{TransactionMCC, []string{`"5411"`, `"7995"`, `"7801"`, `"7800"`}, []string{
		`equal","value":"7995"`, `not_equal","value":"7995"`, `in","value":["7995","7801"]`, `in_list","value":"GAMBLING"`,
		`not_in","value":["5411"]`, `begins_with","value":"79"`, `begins_with","value":"78"`, `not_begins_with","value":"78"`,
		`ends_with","value":"1"`, `contains","value":"80"`, `not_contains","value":"9"`, `matches","value":"^7"`,
	}},
	{TimeLocalHour, []string{"0", "1", "2", "3", "22", "23"}, []string{
		`less","value":1`, `less_or_equal","value":1`, `greater","value":22`, `greater_or_equal","value":2`, `between","value":[1,2]`,
		`not_between","value":[1,23]`, `equal","value":2`, `not_equal","value":0`, `in","value":[1,22]`, `in_list","value":"HOURS"`,
	}},
	{CustomerAge, []string{"null", "0", "17", "18", "19", "150"}, []string{
		`less","value":18`, `greater_or_equal","value":18`, `is_null"`, `is_not_null"`, `equal","value":17`, `not_equal","value":17`,
		`between","value":[0,150]`,
	}},
	{TransactionCashbackAmount, []string{"null", "0", "0.005", "0.01", "9.99", "10", "10.01", "10.5", "20"}, []string{
		`greater","value":10`, `less","value":10.01`, `greater","value":0`, `less","value":0.01`, `equal","value":10`, `is_null"`,
		`not_equal","value":10`, `between","value":[10,10.5]`, `in","value":[10,20]`,
	}},
	{TransactionIsContactless, []string{"true", "false"}, []string{`equal","value":true`, `not_equal","value":true`, `equal","value":false`}},
	{CustomerSegmentCode, []string{"null", `"VIP"`, `"STAFF"`, `"MASS"`}, []string{
		`equal","value":"VIP"`, `in","value":["VIP","STAFF"]`, `not_in","value":["VIP","STAFF"]`, `is_empty"`, `is_not_empty"`,
		`begins_with","value":"v"`, `not_equal","value":"STAFF"`,
	}},
	{TransactionMCCGroup, []string{"[]", `["GAMBLING"]`, `["CASH"]`, `["CASH","GAMBLING"]`}, []string{
		`contains_any","value":["GAMBLING"]`, `contains_any","value":["GAMBLING","CASH"]`, `contains_all","value":["GAMBLING","CASH"]`,
		`is_empty"`, `is_not_empty"`, `contains_all","value":["CASH"]`,
	}},
}

// drawSmall writes a rule about at most three fields of the small world.
func drawSmall(t *rapid.T, about []int, depth int) string {
	var rules []string
	for range rapid.IntRange(1, 4).Draw(t, "members") {
		if depth < 3 && rapid.IntRange(0, 2).Draw(t, "nested") == 0 {
			rules = append(rules, drawSmall(t, about, depth+1))
			continue
		}
		w := smallWorld[rapid.SampledFrom(about).Draw(t, "field")]
		rules = append(rules, fmt.Sprintf(`{"field":%q,"operator":"%s}`, w.field, rapid.SampledFrom(w.leaves).Draw(t, "leaf")))
	}
	not := ""
	if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
		not = `"not":true,`
	}
	return fmt.Sprintf(`{"condition":%q,%s"rules":[%s]}`, rapid.SampledFrom([]string{"and", "or"}).Draw(t, "condition"), not, strings.Join(rules, ","))
}

// everything calls visit with all facts of the fields that about names, until
// it returns false.
func everything(about []int, visit func(*Facts) bool) bool {
	var f Facts
	var walk func(int) bool
	walk = func(i int) bool {
		if i == len(about) {
			return visit(&f)
		}
		w := smallWorld[about[i]]
		for _, v := range w.values {
			f.Forget(w.field)
			switch {
			case v == "null":
			case v[0] == '[':
				var list []string
				if v != "[]" {
					list = strings.Split(strings.Trim(strings.ReplaceAll(v, `"`, ""), "[]"), ",")
				}
				f.SetList(w.field, list)
			case w.field == TransactionCashbackAmount:
				n, _ := ParseNumber(v)
				f.SetDecimal(w.field, n)
			default:
				setJSON(&f, w.field, v)
			}
			if !walk(i + 1) {
				return false
			}
		}
		return true
	}
	return walk(0)
}

func drawAbout(t *rapid.T) []int {
	about := rapid.SliceOfNDistinct(rapid.IntRange(0, len(smallWorld)-1), 1, 3, rapid.ID[int]).Draw(t, "about")
	return about
}

// given sets facts to an example.
func given(t rapid.TB, example []Given) *Facts {
	f := &Facts{}
	for _, g := range example {
		switch {
		case g.Value == "null":
		case g.Field.Field().Type == StringList:
			var list []string
			for _, v := range decoded(g.Value).([]any) {
				list = append(list, v.(string))
			}
			f.SetList(g.Field, list)
		case g.Field.Field().Type == Decimal:
			n, ok := ParseNumber(g.Value)
			if !ok {
				t.Fatalf("%s is no number", g.Value)
			}
			f.SetDecimal(g.Field, n)
		case g.Value[0] == '"' && g.Field.Field().Type == String:
			f.SetText(g.Field, unquote(g.Value)) // need not look like a code
		default:
			setJSON(f, g.Field, g.Value)
		}
	}
	return f
}

// dropped is the rule without the group or leaf at a path, and whether anything
// is left of its group.
func dropped(p *Program, path string) (*Program, bool) {
	left := true
	var copied func(n *node) *node
	copied = func(n *node) *node {
		c := *n
		c.children = nil
		for _, k := range n.children {
			if k.path != path {
				c.children = append(c.children, copied(k))
			} else if len(n.children) == 1 {
				left = false
			}
		}
		return &c
	}
	return link(copied(p.root), p.context), left
}

func TestLint_saysOnlyWhatIsSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		about := drawAbout(t)
		p := compiled(t, drawSmall(t, about, 1))
		m := rapid.SampledFrom(allMissing).Draw(t, "missing")
		for _, x := range (Ruled{Program: p, Missing: m}).Lint() {
			after, left := dropped(p, x.Path)
			if (x.Code == Unreachable || x.Code == Redundant) && !left {
				t.Fatalf("%s at %s leaves an empty group: %s", x.Code, x.Path, p.Text())
			}
			everything(about, func(f *Facts) bool {
				got := p.Match(f, m)
				switch {
				case x.Code == NeverTrue && got, x.Code == AlwaysTrue && !got:
					t.Fatalf("%s is not %s", p.Text(), x.Code)
				case (x.Code == Redundant || x.Code == Unreachable) && after.Match(f, m) != got:
					t.Fatalf("%s: %s is not %s", p.Text(), x.Path, x.Code)
				}
				return true
			})
			if len(x.Example) > 0 && !p.Match(given(t, x.Example), m) {
				t.Fatalf("%v is no example of %s", x.Example, p.Text())
			}
		}
		if example, found := (Ruled{Program: p, Missing: m}).Example(); found && !p.Match(given(t, example), m) {
			t.Fatalf("%v is no example of %s", example, p.Text())
		}
	})
}

// What it does not tell is worth knowing too: in the small world it misses
// little, and that is about parts of texts.
func TestLint_findsContradictions(t *testing.T) {
	type drawn struct {
		about []int
		rule  string
	}
	rules := rapid.Custom(func(t *rapid.T) drawn {
		about := drawAbout(t)
		return drawn{about, drawSmall(t, about, 1)}
	})
	never, missed := 0, 0
	for seed := range 2000 {
		x := rules.Example(seed)
		p := compiled(t, x.rule)
		if possible := !everything(x.about, func(f *Facts) bool { return !p.Match(f, TwoValued) }); possible {
			continue
		}
		never++
		if found := (Ruled{Program: p, Missing: TwoValued}).Lint(); len(found) != 1 || found[0].Code != NeverTrue {
			missed++
		}
	}
	if never < 100 || missed*4 > never {
		t.Errorf("missed %d of %d contradictions", missed, never)
	}
}

func TestCoveredBy_saysOnlyWhatIsSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		about := drawAbout(t)
		draw := func() Ruled {
			return Ruled{Program: compiled(t, drawSmall(t, about, 2)), Missing: rapid.SampledFrom(allMissing).Draw(t, "missing")}
		}
		r, earlier := draw(), []Ruled{draw(), draw()}
		x, covered := r.CoveredBy(earlier...)
		if !covered {
			return
		}
		by := earlier
		if x.By >= 0 {
			by = earlier[x.By : x.By+1]
		}
		everything(about, func(f *Facts) bool {
			if r.Program.Match(f, r.Missing) && !slices.ContainsFunc(by, func(e Ruled) bool { return e.Program.Match(f, e.Missing) }) {
				t.Fatalf("%s is not covered", r.Program.Text())
			}
			return true
		})
		if len(x.Example) > 0 && !r.Program.Match(given(t, x.Example), r.Missing) {
			t.Fatalf("%v is no example of %s", x.Example, r.Program.Text())
		}
	})
}

func TestLint_byExample(t *testing.T) {
	for _, c := range []struct {
		rule string
		want string
	}{
		{`transaction.mcc == "7995" && transaction.mcc == "5411"`, "never_true "},
		{`transaction.amount > decimal("100") && transaction.amount < decimal("50")`, "never_true "},
		{`time.localHour > 3 && time.localHour < 4`, "never_true "},
		{`transaction.mcc in ["7995", "5411"] && transaction.mcc.begins_with("6")`, "never_true "},
		{`merchant.name.begins_with("A") && merchant.name.begins_with("B")`, "never_true "},
		{`customer.age.is_null() && customer.age > 18`, "never_true "},
		{`"GAMBLING" in transaction.mccGroup && !("GAMBLING" in transaction.mccGroup)`, "never_true "},
		{`transaction.isContactless || !transaction.isContactless`, "always_true "},
		{`transaction.amount >= decimal("0")`, "always_true "},
		{`time.dayOfWeek in [1,2,3,4,5,6,7]`, "always_true "},
		{`transaction.mcc == "7995" && (merchant.id == "1" || transaction.mcc == "5411")`, "unreachable @1:53"},
		{`transaction.mcc == "7995" || transaction.mcc.in_list("GAMBLING")`, "redundant @1:1"},
		{`transaction.amount > decimal("100") && transaction.amount > decimal("50")`, "redundant @1:40"},
		{`transaction.mcc == "7995" && merchant.country == customer.nationality`, ""},
		{`merchant.name.matches("^A") && merchant.name.contains("casino")`, ""},
		{`time.localTime.between(time("22:00"), time("06:00"))`, ""},
	} {
		var got []string
		for _, f := range (Ruled{Program: compiled(t, quote(c.rule)), Missing: TwoValued}).Lint() {
			got = append(got, string(f.Code)+" "+f.Path)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
}

// Where the rule refuses, a missing age counts as matched, so this contradiction
// has a fulfilment.
func TestLint_knowsWhatMissingCountsAs(t *testing.T) {
	p := compiled(t, `"customer.age > 20 && customer.age < 18"`)
	if found := (Ruled{Program: p, Missing: Unmatched}).Lint(); len(found) != 1 || found[0].Code != NeverTrue {
		t.Errorf("approval: %v", found)
	}
	if found := (Ruled{Program: p, Missing: Matched}).Lint(); len(found) != 0 {
		t.Errorf("refusal: %v", found)
	}
	example, found := (Ruled{Program: p, Missing: Matched}).Example()
	if want := []Given{{CustomerAge, "null"}}; !found || !slices.Equal(example, want) {
		t.Errorf("example: %v", example)
	}
}

func TestCoveredBy_byExample(t *testing.T) {
	rule := func(text string) Ruled { return Ruled{Program: compiled(t, quote(text)), Missing: Matched} }
	gambling, small, large := rule(`transaction.mcc.in_list("GAMBLING")`), rule(`transaction.amount < decimal("100")`), rule(`transaction.amount >= decimal("100")`)
	x, covered := rule(`transaction.mcc == "7995" && transaction.amount > decimal("50")`).CoveredBy(small, gambling)
	want := []Given{{TransactionAmount, "51"}, {TransactionMCC, `"7995"`}}
	if !covered || x.By != 1 || !slices.Equal(x.Example, want) {
		t.Errorf("got %v %+v", covered, x)
	}
	if x, covered := gambling.CoveredBy(small, large); !covered || x.By != -1 {
		t.Errorf("together: got %v %+v", covered, x)
	}
	if _, covered := gambling.CoveredBy(small); covered {
		t.Error("a rule about categories is covered by one about amounts")
	}
	// An approval that a missing amount keeps from applying covers less.
	if _, covered := rule(`transaction.cashbackAmount > decimal("5")`).CoveredBy(Ruled{Program: compiled(t, quote(`transaction.cashbackAmount > decimal("1")`)), Missing: Unmatched}); covered {
		t.Error("an approval covers what it does not match when the amount is missing")
	}
}

func BenchmarkLint_large(b *testing.B) {
	var rules []string
	for i := range LeavesMax / 2 {
		rules = append(rules, fmt.Sprintf(`{"condition":"and","rules":[{"field":"transaction.mcc","operator":"equal","value":"%04d"},
			{"field":"transaction.amount","operator":"greater","value":%d}]}`, i, i))
	}
	p := compiled(b, `{"condition":"or","rules":[`+strings.Join(rules, ",")+`]}`)
	for b.Loop() {
		Ruled{Program: p, Missing: Matched}.Lint()
	}
}
