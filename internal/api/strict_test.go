package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("%v is no fault", err)
	}
	var names []string
	for _, v := range f.Fields {
		names = append(names, v.Name)
	}
	return names
}

func TestParse_refusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	for document, member := range map[string]string{
		``:                            "body",
		`{`:                           "body",
		`{"a":}`:                      "a",
		`{"a":1,}`:                    "body",
		`[1,]`:                        "[1]",
		`{"a":1}}`:                    "body",
		`{"a":1} {"a":2}`:             "body",
		`{"a":1}x`:                    "body",
		`{"a":1,"a":2}`:               "a",
		`{"a":1,"\u0061":2}`:          "a",
		`{"a":{"b":[{"c":1,"c":1}]}}`: "a.b[0].c",
		"{\"a\":\"\xff\"}":            "body",
		`{"a":"\ud800"}`:              "body",
		`{"a":"\udc00"}`:              "body",
		`{"a":"\ud800\u0041"}`:        "body",
		`{"a":"x\u0000"}`:             "a",
		`{"a":{"\u0000":1}}`:          "a.?",
		`{"a":1e999}`:                 "a",
		`{"a":01}`:                    "body",
		`{"a":NaN}`:                   "a",
		`{"a":'x'}`:                   "a",
		`nul`:                         "body",
		`{"4539578763621486":1,"4539578763621486":1}`:     "?",
		`{"4539-5787-6362-1486":1e999}`:                   "?",
		`{"a4539.5787.6362.1486":{"4539.5787":1e999}}`:    "?.?",
		`{"a":{"b.c":1,"b.c":2}}`:                         "a.b.c",
		`{"a..b":1e999}`:                                  "?",
		strings.Repeat("[", 33) + strings.Repeat("]", 33): strings.Repeat("[0]", 32),
		"[" + strings.Repeat("1,", ElementsMax) + "1]":    "body",
	} {
		_, err := Parse([]byte(document))
		if err == nil {
			t.Errorf("%.40q was read", document)
			continue
		}
		if got := fieldsOf(t, err); len(got) != 1 || strings.TrimPrefix(got[0], ".") != member {
			t.Errorf("%.40q: member %v, want %s", document, got, member)
		}
	}
}

func TestParse_readsTheRest(t *testing.T) {
	for _, document := range []string{
		`null`, `true`, `"a"`, `-1.5e3`, `[]`, `{}`, ` {"a" : [1, 2.50, "\ud83d\ude00\\ud800", null, {"b": false}]} `,
		strings.Repeat("[", 32) + strings.Repeat("]", 32),
	} {
		got, err := Parse([]byte(document))
		if err != nil {
			t.Errorf("%.40q: %v", document, err)
			continue
		}
		var want any
		if err := json.Unmarshal([]byte(document), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.40q: got %v, want %v, %v", document, got, want, err)
		}
	}
}

// Whatever Parse accepts, encoding/json reads as the same value; errors are
// faults that quote nothing; nothing panics.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\ud83d\ude00"}]}`, `{"a":1,"a":2}`, `[1]x`, `"\ud800"`, `1e400`, "{\"\xff\":1}", `[[[[]]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		got, err := Parse(document)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is no fault of the caller", err)
			}
			return
		}
		var want any
		if err := json.Unmarshal(document, &want); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
