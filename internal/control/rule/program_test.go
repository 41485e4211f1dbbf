package rule

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/locale"
)

func unquote(text string) string {
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic(err)
	}
	return s
}

// compiled compiles a source that must be a rule.
func compiled(t rapid.TB, source string) *Program {
	t.Helper()
	p, problems := Compile(Source(source), Authorization, generatedLists)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", source, problems)
	}
	return p
}

// evaluate is contract/platform.md §10.3 read literally, in another way than
// the program does it: from the normalized tree, by the facts as JSON.
func evaluate(t rapid.TB, tree map[string]any, f *Facts) bool {
	if rules, isGroup := tree["rules"].([]any); isGroup {
		result := tree["condition"] == "and"
		for _, r := range rules {
			if v := evaluate(t, r.(map[string]any), f); tree["condition"] == "and" {
				result = result && v
			} else {
				result = result || v
			}
		}
		return result != (tree["not"] == true)
	}
	return evaluateLeaf(t, tree, f)
}

func decoded(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// order compares two values of JSON.
func order(a, b any) int {
	if x, ok := a.(json.Number); ok {
		r, _ := new(big.Rat).SetString(string(x))
		s, _ := new(big.Rat).SetString(string(b.(json.Number)))
		return r.Cmp(s)
	}
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	if len(x) == 5 && len(y) == 8 { // times of day
		x += ":00"
	} else if len(x) == 8 && len(y) == 5 {
		y += ":00"
	}
	return strings.Compare(x, y)
}

func evaluateLeaf(t rapid.TB, leaf map[string]any, f *Facts) bool {
	id, _ := FieldNamed(leaf["field"].(string))
	actual, operator := decoded(f.JSON(id)), Operator(leaf["operator"].(string))
	expected := leaf["value"]
	if other, ok := leaf["valueField"].(string); ok {
		otherID, _ := FieldNamed(other)
		expected = decoded(f.JSON(otherID))
		if expected == nil {
			actual = nil
		}
	}
	name, negative := strings.CutPrefix(string(operator), "not_")
	if name == "is_not_empty" || name == "is_not_null" {
		name, negative = strings.Replace(name, "not_", "", 1), true
	}
	return evaluatePositive(t, Operator(name), id, actual, expected) != negative
}

func evaluatePositive(t rapid.TB, operator Operator, id FieldID, actual, expected any) bool {
	list, _ := actual.([]any)
	switch operator {
	case IsNull:
		return actual == nil
	case IsEmpty:
		return actual == nil || id.Field().Type == StringList && len(list) == 0
	}
	if actual == nil {
		return false
	}
	isIn := func(v any, all []any) bool {
		return slices.ContainsFunc(all, func(x any) bool { return order(v, x) == 0 })
	}
	text, _ := actual.(string)
	part, _ := expected.(string)
	many, _ := expected.([]any)
	switch operator {
	case Equal:
		return order(actual, expected) == 0
	case Less:
		return order(actual, expected) < 0
	case LessOrEqual:
		return order(actual, expected) <= 0
	case Greater:
		return order(actual, expected) > 0
	case GreaterOrEqual:
		return order(actual, expected) >= 0
	case Between:
		if order(many[0], many[1]) > 0 {
			return order(actual, many[0]) >= 0 || order(actual, many[1]) <= 0
		}
		return order(actual, many[0]) >= 0 && order(actual, many[1]) <= 0
	case In:
		return isIn(actual, many)
	case InList:
		values := map[string][]any{"GAMBLING": {"7995", "7801"}, "CASH": {"6010", "6011"}, "HOURS": {json.Number("1"), json.Number("2"), json.Number("23")}}
		return isIn(actual, values[part])
	case BeginsWith:
		return strings.HasPrefix(strings.ToUpper(text), strings.ToUpper(part))
	case EndsWith:
		return strings.HasSuffix(strings.ToUpper(text), strings.ToUpper(part))
	case Contains:
		return strings.Contains(strings.ToUpper(text), strings.ToUpper(part))
	case Matches:
		return regexp.MustCompile(part).MatchString(text)
	case ContainsAny:
		return slices.ContainsFunc(many, func(v any) bool { return isIn(v, list) })
	case ContainsAll:
		return !slices.ContainsFunc(many, func(v any) bool { return !isIn(v, list) })
	}
	t.Fatalf("no such operator: %s", operator)
	return false
}

func TestMatch_isTheContractReadLiterally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := drawGroup(t, 1)
		p, f := compiled(t, source), drawFacts(t)
		want := evaluate(t, decoded(string(p.Normalized())).(map[string]any), f)
		if got := p.Match(f, TwoValued); got != want {
			t.Fatalf("got %v, want %v: %s", got, want, source)
		}
	})
}

func TestTwoNotations_meanTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := compiled(t, drawGroup(t, 1))
		cel := compiled(t, quote(tree.Text()))
		if cel.Text() != compiled(t, string(cel.Normalized())).Text() {
			t.Fatalf("%s becomes %s", cel.Text(), cel.Normalized())
		}
		f := drawFacts(t)
		for _, m := range allMissing {
			if got, want := cel.Match(f, m), tree.Match(f, m); got != want {
				t.Fatalf("%s: CEL says %v, the tree %v: %s", m, got, want, tree.Text())
			}
		}
	})
}

func TestNormalized_isTheSameRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := compiled(t, drawGroup(t, 1))
		again := compiled(t, string(p.Normalized()))
		if again.Normalized() != p.Normalized() || again.Text() != p.Text() || again.Cost() != p.Cost() {
			t.Fatalf("%s becomes %s", p.Normalized(), again.Normalized())
		}
	})
}

// A rule that refuses must not let through what it cannot see, and one that
// lets through must not do so for that reason, however deep its negations.
func TestMissing_neverFailsOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := compiled(t, drawGroup(t, 1))
		if rapid.Bool().Draw(t, "as CEL") {
			p = compiled(t, quote(p.Text()))
		}
		f := drawFacts(t)
		tested := map[FieldID]bool{}
		for _, l := range p.leaves {
			if l.does.does == IsNull || l.does.does == IsEmpty {
				tested[l.field] = true
			}
		}
		less := *f
		for _, id := range p.Fields() {
			if !tested[id] && rapid.Bool().Draw(t, "forget "+id.String()) {
				less.Forget(id)
			}
		}
		if p.Match(f, Matched) && !p.Match(&less, Matched) {
			t.Fatalf("a refusal fails open: %s", p.Text())
		}
		if !p.Match(f, Unmatched) && p.Match(&less, Unmatched) {
			t.Fatalf("an approval fails open: %s", p.Text())
		}
	})
}

func TestMissing_negatedGroups(t *testing.T) {
	for _, c := range []struct {
		rule                          string
		twoValued, matched, unmatched bool
	}{
		// Nothing is known.
		{`merchant.country == "TR"`, false, true, false},
		{`merchant.country != "TR"`, true, true, false},
		{`!(merchant.country == "TR")`, true, true, false},
		{`!(!(merchant.country == "TR"))`, false, true, false},
		{`!(merchant.country.begins_with("T") || transaction.amount > decimal("5"))`, true, true, false},
		{`!(transaction.amount > decimal("5"))`, true, true, false},
		{`transaction.amount > transaction.billingAmount`, false, true, false},
		// The field is tested for null, so the author has thought of it.
		{`merchant.country.is_null()`, true, true, true},
		{`!merchant.country.is_null()`, false, false, false},
		{`!merchant.country.is_null() && merchant.country != "TR"`, false, false, false},
		{`merchant.country.is_empty() || merchant.country == "TR"`, true, true, true},
		{`merchant.country.is_null() && merchant.city == "X"`, false, true, false},
	} {
		p := compiled(t, quote(c.rule))
		var f Facts
		got := []bool{p.Match(&f, TwoValued), p.Match(&f, Matched), p.Match(&f, Unmatched)}
		if want := []bool{c.twoValued, c.matched, c.unmatched}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.rule, got, want)
		}
	}
}

func TestExplain_givesTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := compiled(t, drawGroup(t, 1)), drawFacts(t)
		for _, m := range allMissing {
			result, steps := p.Explain(f, m)
			next := 0
			var group func(n *node) bool
			group = func(n *node) bool {
				if n.leaf != nil {
					next++
					return steps[next-1].Result
				}
				all := !n.any
				for _, c := range n.children {
					if v := group(c); n.any {
						all = all || v
					} else {
						all = all && v
					}
				}
				return all != n.not
			}
			if got := group(p.root); got != result || result != p.Match(f, m) {
				t.Fatalf("%s: steps give %v, the result is %v: %s", m, got, result, p.Text())
			}
		}
	})
}

func TestExplain_tellsWhatWasCompared(t *testing.T) {
	p := compiled(t, `{"condition":"and","rules":[{"field":"transaction.amount","operator":"greater","value":5e3},
		{"condition":"or","not":true,"rules":[{"field":"transaction.mcc","operator":"in_list","value":"GAMBLING"},
		{"field":"merchant.country","operator":"equal","valueField":"customer.nationality"}]}]}`)
	var f Facts
	f.SetDecimal(TransactionAmount, Number{550000, 2})
	f.SetText(TransactionMCC, "5411")
	f.SetText(CustomerNationality, "TR")
	result, steps := p.Explain(&f, Matched)
	want := []Step{
		{Path: "rules[0]", Field: TransactionAmount, Operator: Greater, Expected: "5000", Actual: "5500.00", Result: true},
		{Path: "rules[1].rules[0]", Field: TransactionMCC, Operator: InList, Expected: `"GAMBLING"`, Actual: `"5411"`},
		{Path: "rules[1].rules[1]", Field: MerchantCountry, Operator: Equal, Expected: `"TR"`, Actual: "null", IsMissing: true},
	}
	if !result || !slices.Equal(steps, want) {
		t.Errorf("got %v %+v", result, steps)
	}
}

func TestProgram_tellsWhatItReads(t *testing.T) {
	p := compiled(t, quote("(transaction.amount > decimal(\"5000.50\") || decimal(\"10\") >= transaction.amount) && counter.card.count.`1h` > 3 &&"+
		` time.localTime.between(time("22:00"), time("06:00")) && merchant.country == customer.nationality && transaction.mcc.in_list("CASH") && "GAMBLING" in transaction.mccGroup`))
	if got := p.Fields(); !slices.Equal(got, []FieldID{
		TransactionAmount, TransactionMCC, TransactionMCCGroup, MerchantCountry, TimeLocalTime, CustomerNationality, CounterCardCount1h,
	}) {
		t.Errorf("fields: %v", got)
	}
	if got := p.Lists(); !slices.Equal(got, []string{"CASH", "GAMBLING"}) {
		t.Errorf("lists: %v", got)
	}
	want := []Threshold{
		{TransactionAmount, Number{10, 0}}, {TransactionAmount, Number{50005, 1}}, {TimeLocalTime, Number{6 * 3600, 0}},
		{TimeLocalTime, Number{22 * 3600, 0}}, {CounterCardCount1h, Number{3, 0}},
	}
	if got := p.Thresholds(); !slices.Equal(got, want) {
		t.Errorf("thresholds: %v", got)
	}
	if !p.Reads(FieldID.IsAmount) || !p.Reads(FieldID.IsStatistic) || compiled(t, `"transaction.isRecurring"`).Reads(FieldID.IsAmount) {
		t.Error("what kind of fields a program reads is not told")
	}
	if !TransactionAmount.IsAmount() || TransactionMCC.IsAmount() || !CounterCardCount1h.IsStatistic() || !LastAmount.IsStatistic() ||
		CustomerAgeOfRelationDays.IsStatistic() || IssuanceEvent.IsStatistic() {
		t.Error("amounts or statistics are not told from the rest")
	}
}

func TestNone_isAlwaysTrue(t *testing.T) {
	for _, source := range []Source{"", "null", " null\n"} {
		p, problems := Compile(source, AnnualFee, nil)
		if problems != nil || !p.Match(&Facts{}, Unmatched) || !p.Match(&Facts{}, Matched) || p.Text() != "true" || p.Normalized() != "" {
			t.Errorf("%q: %v %v", source, p, problems)
		}
	}
}

func TestNumbers_areExact(t *testing.T) {
	draw := func(t *rapid.T) (Number, *big.Rat) {
		n := Number{rapid.Int64Range(-999999999999999999, 999999999999999999).Draw(t, "coefficient"), uint8(rapid.IntRange(0, fractionMax).Draw(t, "exponent"))}
		r, _ := new(big.Rat).SetString(n.String())
		return n, r
	}
	rapid.Check(t, func(t *rapid.T) {
		a, x := draw(t)
		b, y := draw(t)
		if rapid.Bool().Draw(t, "equal") {
			b, y = Number{a.Coefficient, a.Exponent}, x
		}
		if got, want := a.Compare(b), x.Cmp(y); got != want {
			t.Fatalf("%s to %s: got %d, want %d", a, b, got, want)
		}
		again, ok := ParseNumber(a.String())
		if !ok || again.Compare(a) != 0 {
			t.Fatalf("%s is read as %s, %v", a, again, ok)
		}
	})
	for text, want := range map[string]string{"5e3": "5000", "-0.10": "-0.1", "1.50E+2": "150", "0": "0", "12e-2": "0.12", "0.000": "0", "1e17": "100000000000000000"} {
		if n, ok := ParseNumber(text); !ok || n.String() != want {
			t.Errorf("%s: got %s, %v", text, n, ok)
		}
	}
	for _, text := range []string{"", "-", "1.", ".5", "1e", "1e19", "1e999999999999", "0.0000000001", "1234567890123456789", "+1", "0x1", "NaN", "1_0", "١"} {
		if n, ok := ParseNumber(text); ok {
			t.Errorf("%q is read as %s", text, n)
		}
	}
}

// typical is what a bank writes.
const typical = `{"condition":"and","rules":[
	{"field":"transaction.domain","operator":"equal","value":"International"},
	{"condition":"or","rules":[
		{"field":"transaction.mcc","operator":"in_list","value":"GAMBLING"},
		{"field":"transaction.billingAmount","operator":"greater","value":5000}]},
	{"field":"merchant.name","operator":"contains","value":"casino"},
	{"field":"merchant.name","operator":"matches","value":"^[A-Z]+ "},
	{"field":"transaction.mccGroup","operator":"contains_any","value":["CASH","GAMBLING"]},
	{"field":"customer.segmentCode","operator":"not_in","value":["VIP","STAFF"]}]}`

func typicalFacts() *Facts {
	f := &Facts{}
	f.SetText(TransactionDomain, "International")
	f.SetText(TransactionMCC, "7995")
	f.SetDecimal(TransactionBillingAmount, Number{550000, 2})
	f.SetText(MerchantName, "GRAND Casino Batumi")
	f.SetList(TransactionMCCGroup, generatedLists.Groups("7995"))
	f.SetText(CustomerSegmentCode, "MASS")
	return f
}

func TestMatch_allocatesNothing(t *testing.T) {
	source := typical
	if isRace {
		source = strings.Replace(source, `"matches","value":"^[A-Z]+ "`, `"begins_with","value":"grand"`, 1)
	}
	p, f := compiled(t, source), typicalFacts()
	if !p.Match(f, Matched) {
		t.Fatal("the typical rule does not match its facts")
	}
	if n := testing.AllocsPerRun(100, func() { p.Match(f, Matched) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		f.SetText(TransactionMCC, "7995")
		f.SetFlag(TransactionIsContactless, true)
		f.SetInteger(TimeLocalHour, 3)
		f.SetList(TransactionMCCGroup, generatedLists.Groups("7995"))
	}); n != 0 {
		t.Errorf("%v allocations to set facts", n)
	}
}

func BenchmarkMatch_typical(b *testing.B) {
	p, f := compiled(b, typical), typicalFacts()
	b.ReportAllocs()
	for b.Loop() {
		p.Match(f, Matched)
	}
}

// The dearest rule that may be saved stays within its time.
func BenchmarkMatch_dearest(b *testing.B) {
	var rules []string
	for range 40 {
		rules = append(rules, `{"field":"merchant.name","operator":"matches","value":"(a|b|ab|ba|[ab]b)*c"}`)
	}
	p, problems := Compile(Source(`{"condition":"or","rules":[`+strings.Join(rules, ",")+`]}`), Authorization, nil)
	if problems != nil {
		b.Fatal(problems)
	}
	b.Log("cost", p.Cost())
	f := &Facts{}
	f.SetText(MerchantName, strings.Repeat("ab", 20))
	b.ReportAllocs()
	for b.Loop() {
		p.Match(f, Matched)
	}
}

func BenchmarkCompile_typical(b *testing.B) {
	for b.Loop() {
		compiled(b, typical)
	}
}

func BenchmarkCompile_typicalCEL(b *testing.B) {
	source := quote(compiled(b, typical).Text())
	for b.Loop() {
		compiled(b, source)
	}
}

func TestMessages_standInBothLanguages(t *testing.T) {
	var keys []string
	for _, c := range ProblemCodes() {
		keys = append(keys, Problem{Code: c}.Key())
	}
	for _, c := range FindingCodes() {
		keys = append(keys, Finding{Code: c}.Key())
	}
	for i := range fields {
		f := &fields[i]
		keys = append(keys, "rule.field."+f.Name, "rule.group."+f.Group())
		for _, v := range f.Values {
			keys = append(keys, "rule.value."+f.Enumeration+"."+v.Name)
		}
	}
	for _, key := range keys {
		for _, language := range []string{"tr", "en"} {
			if _, found := locale.Text(language, key, nil); !found {
				t.Errorf("%s has no %s", language, key)
			}
		}
	}
}
