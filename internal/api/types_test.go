package api

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

type colours struct{}

func (colours) Members() []Member { return Numbered(1, "Red", "Green") }

type line struct {
	Text   FreeText `json:"text" maxLength:"40"`
	Amount Decimal  `json:"amount" required:"true"`
}

type order struct {
	No     string            `json:"no" required:"true" minLength:"2"`
	Colour Enum[colours]     `json:"colour"`
	Lines  []line            `json:"lines"`
	Extra  map[string]line   `json:"extra"`
	Note   *FreeText         `json:"note"`
	Tags   map[string]string `json:"tags"`
	Count  int32             `json:"count"`
}

func check(t *testing.T, document string) error {
	t.Helper()
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schema := optional(registry, reflect.TypeFor[order]())
	parsed, err := Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return Check(registry, schema, parsed)
}

// optional makes the schema as a family does: members are optional and unknown
// ones are let pass.
func optional(registry huma.Registry, t reflect.Type) *huma.Schema {
	config := huma.Config{OpenAPI: &huma.OpenAPI{Components: &huma.Components{Schemas: registry}}}
	config.AllowAdditionalPropertiesByDefault = true
	config.FieldsOptionalByDefault = true
	huma.NewAPI(config, nil)
	return registry.Schema(t, true, "")
}

func TestCheck_namesEveryMemberThatIsWrong(t *testing.T) {
	for document, members := range map[string][]string{
		`{"no":"12"}`:                                       nil,
		`{"no":"12","unknown":{"No":1}}`:                    nil,
		`{"no":"12","colour":2,"note":null}`:                nil,
		`{}`:                                                {"no"},
		`{"no":null}`:                                       {"no"},
		`{"no":"1"}`:                                        {"no"},
		`{"no":12}`:                                         {"no"},
		`{"no":"12","colour":"Blue"}`:                       {"colour"},
		`{"no":"12","colour":3}`:                            {"colour"},
		`{"no":"12","colour":"red"}`:                        {"colour"},
		`{"no":"12","lines":[{"amount":1},{}]}`:             {"lines[1].amount"},
		`{"no":"12","lines":[{"amount":"1"}]}`:              {"lines[0].amount"},
		`{"no":"12","lines":{"amount":1}}`:                  {"lines"},
		`{"no":"12","count":1.5}`:                           {"count"},
		`{"no":"12","NO":"13"}`:                             {"NO"},
		`{"No":"12"}`:                                       {"No"},
		`{"no":"12","lines":[{"amount":1,"Text":""}]}`:      {"lines[0].Text"},
		`{"no":"12","extra":{"x":{"amount":1,"AMOUNT":2}}}`: {"extra.x.AMOUNT"},
		`[]`: {"body"},
		`7`:  {"body"},
	} {
		err := check(t, document)
		if members == nil {
			if err != nil {
				t.Errorf("%s: %v", document, err)
			}
			continue
		}
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", document, err)
			continue
		}
		if got := fieldsOf(t, err); !slices.Equal(got, members) {
			t.Errorf("%s: members %v, want %v", document, got, members)
		}
	}
}

func TestCheckBody_readsNumbersByTheirValue(t *testing.T) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	op := &huma.Operation{RequestBody: &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: optional(registry, reflect.TypeFor[order]())}},
	}}
	for number, want := range map[string]int32{
		"2": 2, "2.0": 2, "2e0": 2, "3e1": 30, "3E+1": 30, "300e-1": 30, "-0.0": 0, "0e40": 0, "-1.50e1": -15, "2147483647.000": 2147483647,
	} {
		body := []byte(`{"no":"2.0","count": ` + number + ` , "x":[2.0,{"count":2.0}],"lines":[{"amount":2.0}]}`)
		body, err := CheckBody(registry, op, body)
		var got order
		if err != nil || json.Unmarshal(body, &got) != nil || got.Count != want || got.No != "2.0" || got.Lines[0].Amount != "2.0" {
			t.Errorf("%s: %s, %v; want %d", number, body, err, want)
		}
		if !strings.Contains(string(body), `"x":[2.0,{"count":2.0}]`) {
			t.Errorf("%s: a member without an integer's schema was changed: %s", number, body)
		}
	}
	for number, want := range map[string]Enum[colours]{"2": "Green", "2.0": "Green", "0.1e1": "Red", "10e-1": "Red"} {
		body, err := CheckBody(registry, op, []byte(`{"no":"12","colour":`+number+`}`))
		var got order
		if err != nil || json.Unmarshal(body, &got) != nil || got.Colour != want {
			t.Errorf("%s: %s, %v; want %s", number, body, err, want)
		}
	}
	for document, member := range map[string]string{
		`"count":1.5`: "count", `"count":25e-1`: "count", `"count":2147483648`: "count", `"count":1e300`: "count", `"count":1e-300`: "count",
		`"count":2.00000000000000000001`: "count", `"count":4539578763621486`: "count", `"colour":1.5`: "colour", `"colour":3.0`: "colour",
		`"colour":1.00000000000000000001`: "colour", `"count":"2"`: "count",
	} {
		_, err := CheckBody(registry, op, []byte(`{"no":"12",`+document+`}`))
		if fault.KindOf(err) != fault.Invalid || !slices.Equal(fieldsOf(t, err), []string{member}) || strings.Contains(err.Error(), "4539") {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestPlainNumber_isExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?`).Draw(rt, "number")
		plain, ok := plainNumber(number)
		want, _ := new(big.Rat).SetString(number)
		if !ok {
			return
		}
		got, valid := new(big.Rat).SetString(plain)
		if !valid || got.Cmp(want) != 0 || strings.ContainsAny(plain, "eE") || strings.Contains(plain, ".") == want.IsInt() {
			rt.Fatalf("%s became %s", number, plain)
		}
	})
}

func TestCheck_refusesCardNumbersInText(t *testing.T) {
	err := check(t, `{"no":"12","lines":[{"amount":1,"text":"ok"},{"amount":1,"text":"is 4539-5787-6362-1486 yours?"}],
		"note":"4539578763621486","tags":{"a":"4539578763621486","4539578763621486":"b"}}`)
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.Refused || f.Code != CodeSensitiveText {
		t.Fatal(err)
	}
	if got := fieldsOf(t, err); !slices.Equal(got, []string{"lines[1].text", "note", "tags.?"}) {
		t.Errorf("members %v", got)
	}
	if strings.Contains(f.Error(), "4539") {
		t.Error("the error quotes the card number")
	}
}

func TestDecimal_isReadFromItsText(t *testing.T) {
	var v struct {
		A Decimal  `json:"a"`
		B *Decimal `json:"b"`
		C Decimal  `json:"c"`
	}
	if err := json.Unmarshal([]byte(`{"a": 90071992547409.93, "b": null}`), &v); err != nil {
		t.Fatal(err)
	}
	lira, yen := money.MustCurrency("TRY"), money.MustCurrency("JPY")
	if v.A != "90071992547409.93" || v.B != nil || v.C != "" {
		t.Errorf("read %+v", v)
	}
	if a, err := Decimal("9007199254740.93").Amount("a", lira); err != nil || a.Minor() != 900719925474093 {
		t.Errorf("%v, %v", a, err)
	}
	for text, want := range map[Decimal]fault.Kind{"1.005": fault.Refused, "1e3": fault.Invalid, "1e99": fault.Invalid, "": fault.Invalid, "99999999999999999": fault.Invalid} {
		if _, err := text.Amount("amount", lira); err == nil || fault.KindOf(err) != want || fieldsOf(t, err)[0] != "amount" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Decimal("10.5").Amount("amount", yen); fault.KindOf(err) != fault.Refused {
		t.Errorf("half a yen: %v", err)
	}
	if a, err := Decimal("0.10").Amount("amount", lira); err != nil || a.Minor() != 10 {
		t.Errorf("%v, %v", a, err)
	}
	for text, want := range map[string]int64{
		"1e1": 1000, "1.5E+1": 1500, "1250e-2": 1250, "1000e-3": 100, "-2e0": -200, "0e9": 0, "1e-2": 1, "1e13": 1000000000000000,
	} {
		var d Decimal
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if a, err := d.Amount("amount", lira); err != nil || a.Minor() != want {
			t.Errorf("%s: %v, %v; want %d", text, a, err, want)
		}
	}
	for text, want := range map[string]fault.Kind{
		"1e-3": fault.Refused, "1.005e0": fault.Refused, "1e14": fault.Invalid, "1e300": fault.Invalid, "1e-300": fault.Invalid,
	} {
		var d Decimal
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Amount("amount", lira); err == nil || fault.KindOf(err) != want || fieldsOf(t, err)[0] != "amount" {
			t.Errorf("%s: %v", text, err)
		}
	}
	out, err := json.Marshal(struct{ A, B Decimal }{DecimalOf(money.Must(12550, "TRY")), ""})
	if err != nil || string(out) != `{"A":125.50,"B":null}` {
		t.Errorf("%s, %v", out, err)
	}
	for _, bad := range []string{`"1"`, `true`, `{}`, `[1]`} {
		if err := json.Unmarshal([]byte(bad), new(Decimal)); err == nil {
			t.Errorf("%s was read as a number", bad)
		}
	}
}

func TestEnum_readsNamesAndCodes(t *testing.T) {
	for text, want := range map[string]Enum[colours]{`"Green"`: "Green", `1`: "Red", `null`: ""} {
		var e Enum[colours]
		if err := json.Unmarshal([]byte(text), &e); err != nil || e != want {
			t.Errorf("%s: %q, %v", text, e, err)
		}
	}
	for _, bad := range []string{`"green"`, `0`, `3`, `1.0`, `""`, `true`, `{}`} {
		var e Enum[colours]
		if err := json.Unmarshal([]byte(bad), &e); err == nil {
			t.Errorf("%s was read as %q", bad, e)
		}
	}
	if out, err := json.Marshal([]Enum[colours]{"Red", ""}); err != nil || string(out) != `["Red",null]` {
		t.Errorf("%s, %v", out, err)
	}
}

func TestPaging_sortsByListedFieldsOnly(t *testing.T) {
	allowed := map[string]string{"name": "name", "creationTime": "created_at"}
	got, err := Paging{Sorting: "CreationTime desc, NAME"}.Orders(allowed)
	if want := []Order{{"created_at", true}, {"name", false}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"secret", "name up", "name asc desc", "name;drop", ",", "name,,name"} {
		if _, err := (Paging{Sorting: bad}).Orders(allowed); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if got, err := (Paging{Sorting: " "}).Orders(allowed); got != nil || err != nil {
		t.Errorf("no sorting: %v, %v", got, err)
	}
	p := PageOf[int](CountMax+1, nil)
	if p.Headers()["X-Total-Count-Capped"] != "true" || p.TotalCount != CountMax || p.Items == nil {
		t.Errorf("page %+v", p)
	}
}

func TestLanguageOf_prefersTheHeavierOfTheTwo(t *testing.T) {
	for header, want := range map[string]string{
		"": "tr", "en": "en", "de": "tr", "en-GB,tr;q=0.9": "en", "tr;q=0.1, en;q=0.2": "en",
		"en;q=0": "tr", "*": "tr", "de, en;q=0.5": "en", "en;q=abc": "tr", ";;;,": "tr",
	} {
		if got := languageOf(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
