package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func nested(depth int) string {
	if depth == 0 {
		return `{"field":"transaction.isContactless","operator":"equal","value":true}`
	}
	return `{"condition":"and","rules":[` + nested(depth-1) + `]}`
}

func leaves(n int, one string) string {
	return `{"condition":"or","rules":[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]}`
}

func leaf1(rest string) string { return `{"condition":"and","rules":[{` + rest + `}]}` }

const contactless = `{"field":"transaction.isContactless","operator":"equal","value":true}`

func TestBadInput_isToldWhereAndWhy(t *testing.T) {
	mcc := `"field":"transaction.mcc","operator":`
	for _, c := range []struct{ name, source, want string }{
		{"no JSON", `{`, "malformed "},
		{"a number", `5`, "wrong_kind "},
		{"an array", `[]`, "wrong_kind "},
		{"something after it", leaf1(mcc+`"equal","value":"7995"`) + `{}`, "malformed "},
		{"invalid UTF-8", "\"\xff\"", "malformed "},
		{"a leaf alone", contactless, "group_or_condition "},
		{"a leaf that is a group", leaf1(mcc + `"equal","value":"7995","rules":[]`), "group_or_condition rules[0]"},
		{"nothing", `{}`, "group_or_condition "},
		{"an empty group", `{"condition":"and","rules":[]}`, "empty_group rules"},
		{"no rules", `{"condition":"and"}`, "required rules"},
		{"no condition", `{"rules":[` + contactless + `]}`, "required condition"},
		{"another condition", `{"condition":"AND","rules":[` + contactless + `]}`, "wrong_kind condition"},
		{"not of a text", `{"condition":"and","not":"true","rules":[` + contactless + `]}`, "wrong_kind not"},
		{"rules of an object", `{"condition":"and","rules":{}}`, "wrong_kind rules"},
		{"a member twice", leaf1(mcc + `"equal","operator":"equal","value":"7995"`), "repeated_member rules[0].operator"},
		{"an unknown member twice", leaf1(mcc + `"equal","value":"7995","x":1,"x":[2]`), "repeated_member rules[0]"},
		{"a member in capitals", leaf1(mcc + `"equal","Value":"7995","value":"7995"`), "letter_case rules[0].value"},
		{"a field of a number", leaf1(`"field":5,"operator":"equal","value":"7995"`), "wrong_kind rules[0].field"},
		{"no operator", leaf1(`"field":"transaction.mcc","value":"7995"`), "required rules[0].operator"},
		{"a label of an object", leaf1(mcc + `"equal","value":"7995","label":{}`), "wrong_kind rules[0].label"},
		{"an unknown field", leaf1(`"field":"transaction.colour","operator":"equal","value":"red"`), "unknown_field rules[0].field"},
		{"a field of another context", leaf1(`"field":"issuance.isExpress","operator":"equal","value":true`), "field_context rules[0].field"},
		{"an unknown operator", leaf1(mcc + `"like","value":"7995"`), "unknown_operator rules[0].operator"},
		{"an operator of another type", leaf1(mcc + `"less","value":"7995"`), "operator_type rules[0].operator"},
		{"a test for null of what is always there", leaf1(mcc + `"is_null"`), "operator_type rules[0].operator"},
		{"no value", leaf1(mcc + `"equal"`), "required rules[0].value"},
		{"a value of null", leaf1(mcc + `"equal","value":null`), "required rules[0].value"},
		{"a value to a test for null", leaf1(`"field":"customer.no","operator":"is_null","value":"1"`), "not_expected rules[0].value"},
		{"a number for a text", leaf1(mcc + `"equal","value":7995`), "type_clash rules[0].value"},
		{"an object for a text", leaf1(mcc + `"equal","value":{"a":[1,{}]}`), "type_clash rules[0].value"},
		{"an array in an array", leaf1(mcc + `"in","value":[["7995"]]`), "type_clash rules[0].value[0]"},
		{"a text for a number", leaf1(`"field":"transaction.amount","operator":"greater","value":"5000"`), "type_clash rules[0].value"},
		{"a fraction for an integer", leaf1(`"field":"time.localHour","operator":"equal","value":1.5`), "type_clash rules[0].value"},
		{"a number too long", leaf1(`"field":"transaction.amount","operator":"greater","value":0.00000000001`), "type_clash rules[0].value"},
		{"a text for a flag", leaf1(`"field":"transaction.isMoto","operator":"equal","value":"true"`), "type_clash rules[0].value"},
		{"no day", leaf1(`"field":"time.localDate","operator":"equal","value":"2026-02-29"`), "type_clash rules[0].value"},
		{"no time", leaf1(`"field":"time.localTime","operator":"less","value":"24:00"`), "type_clash rules[0].value"},
		{"an hour there is not", leaf1(`"field":"time.localHour","operator":"less","value":25`), "out_of_range rules[0].value"},
		{"an amount below zero", leaf1(`"field":"transaction.amount","operator":"less","value":-0.01`), "out_of_range rules[0].value"},
		{"another enumeration", leaf1(`"field":"transaction.domain","operator":"equal","value":"Abroad"`), "not_a_value rules[0].value"},
		{"an institution with zeros before it", leaf1(`"field":"merchant.acquirerId","operator":"equal","value":"0001234"`), "value_format rules[0].value"},
		{"a beginning of institutions with a zero", leaf1(`"field":"merchant.acquirerId","operator":"begins_with","value":"012"`), "value_format rules[0].value"},
		{"none that begins with a zero", leaf1(`"field":"merchant.acquirerId","operator":"not_begins_with","value":"0"`), "value_format rules[0].value"},
		{"a code of no value", leaf1(`"field":"transaction.domain","operator":"in","value":[1,9]`), "not_a_value rules[0].value[1]"},
		{"no category", leaf1(mcc + `"in","value":["7995","79"]`), "value_format rules[0].value[1]"},
		{"a long text", leaf1(`"field":"terminal.id","operator":"equal","value":"123456789"`), "value_too_long rules[0].value"},
		{"a text of 300 characters", leaf1(`"field":"merchant.name","operator":"contains","value":"` + strings.Repeat("x", 300) + `"`), "value_too_long rules[0].value"},
		{"an empty text", leaf1(`"field":"terminal.id","operator":"equal","value":""`), "empty_value rules[0].value"},
		{"an empty array", leaf1(mcc + `"in","value":[]`), "empty_value rules[0].value"},
		{"a control character", leaf1(`"field":"merchant.name","operator":"equal","value":"a\u0007"`), "not_printable rules[0].value"},
		{"an unpaired surrogate", leaf1(`"field":"merchant.name","operator":"equal","value":"a\ud800"`), "not_printable rules[0].value"},
		{"no array", leaf1(mcc + `"in","value":"7995"`), "wrong_kind rules[0].value"},
		{"three bounds", leaf1(`"field":"time.localHour","operator":"between","value":[1,2,3]`), "wrong_kind rules[0].value"},
		{"bounds reversed", leaf1(`"field":"time.localHour","operator":"between","value":[2,1]`), "bounds_reversed rules[0].value"},
		{"an unknown list", leaf1(mcc + `"in_list","value":"NOWHERE"`), "unknown_list rules[0].value"},
		{"a list of numbers", leaf1(mcc + `"in_list","value":"HOURS"`), "list_type rules[0].value"},
		{"an unknown group", leaf1(`"field":"transaction.mccGroup","operator":"contains_any","value":["CASH","NOWHERE"]`), "unknown_list rules[0].value[1]"},
		{"no expression", leaf1(`"field":"merchant.name","operator":"matches","value":"("`), "invalid_pattern rules[0].value"},
		{"a lookbehind", leaf1(`"field":"merchant.name","operator":"matches","value":"(?<=a)b"`), "invalid_pattern rules[0].value"},
		{"a card number", leaf1(`"field":"merchant.name","operator":"contains","value":"4111 1111 1111 1111"`), "sensitive_text rules[0].value"},
		{"a card number in an array", leaf1(`"field":"merchant.id","operator":"in","value":["378282246310005"]`), "sensitive_text rules[0].value[0]"},
		{"a card number as a label", leaf1(mcc + `"equal","value":"7995","label":"4111111111111111"`), "sensitive_text rules[0].label"},
		{"a card number as an identifier", leaf1(mcc + `"equal","value":"7995","id":4111111111111111`), "sensitive_text rules[0].id"},
		{"a field and a value", leaf1(`"field":"transaction.amount","operator":"less","value":1,"valueField":"transaction.billingAmount"`), "not_expected rules[0].valueField"},
		{"a field for an array", leaf1(mcc + `"in","valueField":"merchant.id"`), "not_expected rules[0].valueField"},
		{"a field of another type", leaf1(mcc + `"equal","valueField":"transaction.amount"`), "type_clash rules[0].valueField"},
		{"another unknown field", leaf1(mcc + `"equal","valueField":"transaction.colour"`), "unknown_field rules[0].valueField"},
		{"seven groups", nested(7), "too_deep rules[0].rules[0].rules[0].rules[0].rules[0].rules[0]"},
		{"201 conditions", leaves(LeavesMax+1, contactless), "too_many_conditions "},
		{"1001 values", leaf1(`"field":"time.localHour","operator":"in","value":[` + strings.Repeat("1,", ValuesMax) + `1]`), "too_many_values rules[0].value"},
		{"64 KB", leaf1(mcc + `"equal","value":"7995","x":"` + strings.Repeat("x", BytesMax) + `"`), "too_large "},
		{"a dear expression", `{"condition":"and","rules":[` + contactless + `,{"field":"merchant.name","operator":"matches","value":"(a{900})(b{900})"}]}`, "too_costly rules[1]"},
		{"two things", leaf1(`"field":"transaction.colour","operator":"equal","value":1`) + "", "unknown_field rules[0].field"},

		{"CEL: nothing", `""`, "syntax @1:1"},
		{"CEL: half of it", `"transaction.mcc =="`, "syntax @1:19"},
		{"CEL: an unknown field", `"transaction.mcc == \"7995\" &&\n  transaction.colour == \"red\""`, "unknown_field @2:3"},
		{"CEL: a field of another context", `"issuance.isExpress"`, "field_context @1:1"},
		{"CEL: a type clash", `"transaction.mcc == 7995"`, "operand_types @1:17"},
		{"CEL: a float", `"transaction.amount > 5000.5"`, "operand_types @1:20"},
		{"CEL: no decimal", `"transaction.amount > decimal(\"5.000,00\")"`, "type_clash @1:29"},
		{"CEL: no time", `"time.localTime < time(\"25:00\")"`, "type_clash @1:22"},
		{"CEL: an unknown function", `"size(transaction.mcc) > 1"`, "not_supported @1:5"},
		{"CEL: a macro", `"[1, 2].exists(x, x > 1)"`, "not_supported @1:14, unknown_field @1:15, unknown_field @1:18"},
		{"CEL: a choice", `"transaction.isMoto ? true : false"`, "not_supported @1:20"},
		{"CEL: a constant", `"true"`, "not_supported @1:1"},
		{"CEL: no condition", `"transaction.mcc"`, "not_supported "},
		{"CEL: two constants", `"\"a\" == \"b\""`, "not_supported @1:1"},
		{"CEL: arithmetic", `"time.localHour + 1 > 3"`, "not_supported @1:16"},
		{"CEL: another enumeration", `"transaction.domain == \"Abroad\""`, "not_a_value @1:23"},
		{"CEL: no category", `"transaction.mcc in [\"7995\", \"79\"]"`, "value_format @1:29"},
		{"CEL: an unknown list", `"transaction.mcc.in_list(\"NOWHERE\")"`, "unknown_list @1:25"},
		{"CEL: bounds reversed", `"time.localHour.between(2, 1)"`, "bounds_reversed @1:24"},
		{"CEL: a test for null of what is always there", `"transaction.mcc.is_null()"`, "operator_type @1:24"},
		{"CEL: no expression", `"merchant.name.matches(\"(\")"`, "invalid_pattern @1:23"},
		{"CEL: a dear expression", `"merchant.name.matches(\"(a{900})(b{900})\")"`, "too_costly @1:1"},
		{"CEL: parentheses", `"` + strings.Repeat("(", 200) + `transaction.isMoto` + strings.Repeat(")", 200) + `"`, "too_deep "},
		{"CEL: seven groups", quote("transaction.isMoto && (" + strings.Repeat(`transaction.isMoto || (transaction.isMoto && (`, 3) + "transaction.isMoto" + strings.Repeat("))", 3) + ")"), "too_deep @1:20"},
		{"CEL: 201 conditions", quote(strings.Repeat("transaction.isMoto || ", LeavesMax) + "transaction.isMoto"), "too_many_conditions "},
		{"CEL: 16001 words", quote(strings.Repeat("true\n", 3) + strings.Repeat("||x", 5333) + "y"), "too_many_words @4:15998"},
		{"CEL: a control character", `"merchant.name == \"\\u0007\""`, "not_printable @1:18"},
		{"CEL: a card number", `"merchant.name == \"4111111111111111\""`, "sensitive_text "},
		{"CEL: a card number behind an escape", `"merchant.name == \"\\x34111111111111111\""`, "sensitive_text @1:18"},
		{"CEL: a card number behind an escape in a list", `"merchant.id in [\"A\", \"\\064111111111111111\"]"`, "sensitive_text @1:22"},
	} {
		p, found := Compile(Source(c.source), Authorization, generatedLists)
		var got []string
		for _, x := range found {
			got = append(got, string(x.Code)+" "+x.Path)
			for _, language := range []string{"tr", "en"} {
				if text := x.Text(language); text == "" || strings.Contains(text, "{") {
					t.Errorf("%s: %s says %q", c.name, x.Code, text)
				}
			}
		}
		if p != nil || strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestProblems_areAllTellable(t *testing.T) {
	ps := &problems{}
	for range 100 {
		ps.add("", Malformed)
	}
	if len(ps.found) != problemsMax {
		t.Errorf("%d problems are told", len(ps.found))
	}
	for path, want := range map[string]string{"": "rule", "rules[0].value": "rule.rules[0].value", "@1:24": "rule@1:24"} {
		if got := (Problem{Path: path}).At("rule"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFields_areWhole(t *testing.T) {
	names := map[string]bool{}
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Name == "" || names[f.Name] || f.Type == "" || len(f.Contexts) == 0:
			t.Errorf("field %d (%s) is not described, or twice", i, f.Name)
		case f.Type == Enum && len(f.Values) == 0 || (len(f.Values) > 0) != (f.Enumeration != ""):
			t.Errorf("%s: an enumeration has values", f.Name)
		case f.Group() == f.Name:
			t.Errorf("%s is in no group", f.Name)
		case celTypes[f.Type] == nil || len(f.Operators()) == 0 || f.Input() == "":
			t.Errorf("%s has a type that nobody knows", f.Name)
		case (f.Type == StringList) != (f.Name == groupField):
			t.Errorf("%s: Facts hold one list", f.Name)
		}
		names[f.Name] = true
		if id, found := FieldNamed(f.Name); !found || id.String() != f.Name {
			t.Errorf("%s is not found", f.Name)
		}
		byEnumeration := map[string]bool{}
		for _, v := range f.Values {
			byEnumeration[fmt.Sprint(v.Code)], byEnumeration[v.Name] = true, true
		}
		if f.Enumeration != "cavvResult" && len(byEnumeration) != 2*len(f.Values) {
			t.Errorf("%s: two values are one", f.Name)
		}
	}
	for _, o := range slices.Sorted(maps.Keys(operations)) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(operatorsOf)), func(x Type) bool { return slices.Contains(operatorsOf[x], o) }) && o != IsNull && o != IsNotNull {
			t.Errorf("%s goes with no type", o)
		}
	}
	for _, c := range Contexts() {
		if len(Fields(c)) == 0 || !c.Known() {
			t.Errorf("%s has no fields", c)
		}
	}
}

func TestLists_areSets(t *testing.T) {
	ls := NewLists([]List{
		{Code: "A", Values: []string{"7995", "merchant"}, IsActive: true}, {Code: "B", Values: []string{"7995", "7995"}, IsActive: true},
		{Code: "N", Values: []string{"7995", "x"}, IsNumeric: true, IsActive: true}, {Code: "OFF", Values: []string{"7995"}},
	})
	if got := ls.Groups("7995"); !slices.Equal(got, []string{"A", "B", "BUSINESS_SERVICES", "GAMBLING"}) {
		t.Errorf("groups: %v", got)
	}
	var none *Lists
	if got := none.Groups("7995"); !slices.Equal(got, []string{"BUSINESS_SERVICES", "GAMBLING"}) || none.find("A") != nil || none.Groups("795") != nil {
		t.Errorf("the groups of everybody: %v", got)
	}
	own := NewLists([]List{{Code: "GAMBLING", Values: []string{"5411"}, IsActive: true}, {Code: "CASH"}})
	for mcc, want := range map[string][]string{
		"7995": {"BUSINESS_SERVICES"}, "5411": {"GAMBLING", "GROCERIES", "RETAIL"}, "6011": {"OTHER_STORES"}, "4511": {"AIRLINES", "TRANSPORT"},
	} {
		if got := own.Groups(mcc); !slices.Equal(got, want) {
			t.Errorf("a tenant's own in place of the group, %s: %v", mcc, got)
		}
	}
	p, problems := Compile(`"transaction.mcc.in_list(\"OFF\")"`, Velocity, ls)
	var f Facts
	f.SetText(TransactionMCC, "7995")
	if problems != nil || p.Match(&f, TwoValued) {
		t.Errorf("a list that is not active holds something, or is none: %v", problems)
	}
}

func TestLists_renewedHaveWhatIsTheSame(t *testing.T) {
	before := NewLists([]List{
		{Code: "A", Values: []string{"7995", "x"}, IsActive: true}, {Code: "B", Values: []string{"5411"}, IsActive: true}, {Code: "C", Values: []string{"7995"}, IsActive: true},
	})
	after := before.Renewed([]List{{Code: "A", IsSame: true}, {Code: "B", Values: []string{"7995"}, IsActive: true}})
	if after.sets["A"] != before.sets["A"] || after.sets["B"] == before.sets["B"] || after.find("C") != nil {
		t.Error("the same is not the same, or what changed is")
	}
	if got := after.Groups("7995"); !slices.Equal(got, []string{"A", "B", "BUSINESS_SERVICES", "GAMBLING"}) {
		t.Errorf("groups: %v", got)
	}
	if got := before.Groups("7995"); !slices.Equal(got, []string{"A", "BUSINESS_SERVICES", "C", "GAMBLING"}) {
		t.Errorf("the lists before have changed: %v", got)
	}
	if got := after.Groups("5411"); !slices.Equal(got, []string{"GROCERIES", "RETAIL"}) {
		t.Errorf("groups: %v", got)
	}
}

func TestFacts_refuseAnotherType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an integer was set to a text")
		}
	}()
	new(Facts).SetText(TimeLocalHour, "3")
}

func FuzzCompile_tree(f *testing.F) {
	f.Add(typical)
	f.Add(nested(7))
	f.Add(leaves(3, contactless))
	f.Add(leaf1(`"field":"transaction.amount","operator":"between","value":[1e1,2.50],"id":3,"label":"x","type":"decimal"`))
	f.Add(leaf1(`"field":"merchant.country","operator":"not_equal","valueField":"customer.nationality"`))
	f.Add(leaf1(`"field":"time.localTime","operator":"between","value":["22:00","06:00:01"]`))
	f.Add(leaf1(`"field":"merchant.name","operator":"matches","value":"^\\w+"`))
	f.Fuzz(func(t *testing.T, source string) { fuzzed(t, source) })
}

func FuzzParseFacts(f *testing.F) {
	f.Add(`{"transaction.mcc":"7995","transaction.amount":1e-2,"time.localTime":"22:00","transaction.mccGroup":["B","A","A"],"customer.no":null}`)
	f.Add(`{"transaction.isMoto":true,"time.localDate":"2026-02-29","x":{"y":[1]}}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		facts, problems := ParseFacts(text, Authorization)
		if len(problems) > 0 {
			return
		}
		var again strings.Builder
		for _, id := range Fields(Authorization) {
			again.WriteString("," + quote(id.String()) + ":" + facts.JSON(id))
		}
		same, problems := ParseFacts("{"+strings.TrimPrefix(again.String(), ",")+"}", Authorization)
		if len(problems) > 0 {
			t.Fatalf("%s becomes %s: %v", text, again.String(), problems)
		}
		for _, id := range Fields(Authorization) {
			if same.JSON(id) != facts.JSON(id) {
				t.Errorf("%s is %s and then %s", id, facts.JSON(id), same.JSON(id))
			}
		}
	})
}

func FuzzCompile_cel(f *testing.F) {
	for _, c := range []string{
		"transaction.mcc in [\"7995\"] && !(transaction.amount >= decimal(\"5.50\")) || counter.card.count.`1h` > -3",
		`!transaction.isMoto && time.localTime.between(time("22:00"), time("06:00")) && "CASH" in transaction.mccGroup`,
		`merchant.country != customer.nationality || merchant.name.matches(r"^\w+") || customer.no.is_null()`,
		`time.localDate < date("2026-03-31") && 3 <= time.localHour`,
		`((((`, `'''`, `b"\xff"`, `transaction["mcc"] == "x"`, `{}.x`, `1u`, `transaction.mcc.in_list('CASH')`,
	} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, text string) { fuzzed(t, quote(text)) })
}

// fuzzed compiles a source. What compiles means the same in all its forms, and
// what does not says why.
func fuzzed(t *testing.T, source string) {
	p, found := Compile(Source(source), Authorization, generatedLists)
	for _, x := range found {
		if x.Text("en") == "" {
			t.Errorf("%s has no message", x.Code)
		}
	}
	if (p == nil) == (len(found) == 0) {
		t.Fatalf("%v and %v", p, found)
	}
	if p == nil || p.root == nil {
		return
	}
	f := typicalFacts()
	tree, cel := compiled(t, string(p.Normalized())), compiled(t, quote(p.Text()))
	for _, m := range allMissing {
		want, _ := p.Explain(f, m)
		if tree.Match(f, m) != want || cel.Match(f, m) != want {
			t.Errorf("%s: %v as it is, %v as a tree, %v in CEL", m, want, tree.Match(f, m), cel.Match(f, m))
		}
	}
	Ruled{Program: p, Missing: Matched}.Lint()
}
