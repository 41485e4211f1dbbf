package locale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPhrases_haveThePlacesOfTheirKeys(t *testing.T) {
	for english, turkish := range phrases {
		known := places(english)
		for i := range known {
			if !strings.Contains(english, fmt.Sprintf("{%d}", i)) {
				t.Errorf("%s: places are not numbered from 0 on", english)
			}
		}
		for _, p := range places(turkish) { // it may leave out what a library says in English
			if !slices.Contains(known, p) {
				t.Errorf("%s: no place %s", english, p)
			}
		}
	}
}

func TestPhrases_areTidy(t *testing.T) {
	var tidy bytes.Buffer
	e := json.NewEncoder(&tidy)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(read("phrases_tr.json", phrasesJSON)); err != nil { // by key
		t.Fatal(err)
	}
	if tidy.String() != string(phrasesJSON) {
		t.Error("phrases_tr.json is not sorted by key, one line each, or has a key twice")
	}
	for english, turkish := range phrases {
		if strings.TrimSpace(turkish) != turkish || turkish == "" || strings.ContainsAny(english, "çÇğĞıİöÖşŞüÜ") {
			t.Errorf("%s: %q is empty or padded, or the key is no English", english, turkish)
		}
	}
}

// Every phrase with places is found by its own text: none stands before another
// that says more.
func TestPhrase_findsEachByItsOwnText(t *testing.T) {
	for english, turkish := range phrases {
		values := map[string]any{"0": "7", "1": "{0}"}
		got, ok := Phrase("tr", Fill(english, values))
		if want := Fill(turkish, values); !ok || got != want {
			t.Errorf("%s: got %q, want %q", english, got, want)
		}
	}
}

func TestPhrase(t *testing.T) {
	tests := []struct{ lang, english, want string }{
		{"tr", "is required", "zorunludur"},
		{"tr", "must be from 1 to 99", "1 ile 99 arasında olmalıdır"},
		{"tr", "must be from -90 to 90", "-90 ile 90 arasında olmalıdır"},
		{"tr", "expected string to match pattern ^[0-9]{4}$", "şu desene uymalıdır: ^[0-9]{4}$"},
		{"tr", "must have at most 20 entries", "en fazla 20 öğe içermelidir"},
		{"tr", "must have at most 25 characters", "en fazla 25 karakter içermelidir"},
		{"tr", "must lie from 1 to 7", "1 ile 7 arasında olmalı"},
		{"tr", "names the operator between, which this field of type text does not have", "text tipindeki bu alanda between operatörü yok"},
		{"tr", "must have at most  characters", ""},
		{"tr", "is a teapot", ""},
		{"tr", "is required now", ""},
		{"tr", "", ""},
		{"en", "is required", "is required"},
		{"de", "is required", ""},
	}
	for _, tt := range tests {
		if got, ok := Phrase(tt.lang, tt.english); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %q: got %q, %v, want %q", tt.lang, tt.english, got, ok, tt.want)
		}
	}
}
