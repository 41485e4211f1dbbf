package locale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var place = regexp.MustCompile(`\{[^{}]*\}`)

func places(message string) []string {
	found := place.FindAllString(message, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCatalogues_haveTheSameKeysAndPlaces(t *testing.T) {
	tr, en := catalogues["tr"], catalogues["en"]
	keys := map[string]bool{}
	for k := range tr {
		keys[k] = true
	}
	for k := range en {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		turkish, inTurkish := tr[k]
		english, inEnglish := en[k]
		if !inTurkish || !inEnglish {
			t.Errorf("%s: Turkish %v, English %v", k, inTurkish, inEnglish)
			continue
		}
		if !slices.Equal(places(turkish), places(english)) {
			t.Errorf("%s: places differ: %v, %v", k, places(turkish), places(english))
		}
	}
}

func TestCatalogues_areTidy(t *testing.T) {
	for name, text := range map[string][]byte{"tr.json": trJSON, "en.json": enJSON} {
		// A decoder keeps the last of two equal keys, so count them as tokens.
		var keys []string
		d := json.NewDecoder(bytes.NewReader(text))
		for depth := 0; d.More() || depth == 0; depth++ {
			token, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			if depth%2 == 1 {
				keys = append(keys, token.(string))
			}
		}
		if !slices.IsSorted(keys) {
			t.Errorf("%s: keys are not sorted", name)
		}
		if len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Errorf("%s: a key stands twice", name)
		}
	}
	for lang, messages := range catalogues {
		for k, m := range messages {
			if strings.TrimSpace(m) != m || m == "" || strings.Count(m, "{") != len(place.FindAllString(m, -1)) || strings.Count(m, "{") != strings.Count(m, "}") {
				t.Errorf("%s %s: empty, padded or with a broken place", lang, k)
			}
		}
	}
}

func TestCatalogues_englishIsEnglish(t *testing.T) {
	for k, m := range catalogues["en"] {
		if strings.ContainsAny(m, "çÇğĞıİöÖşŞüÜ") {
			t.Errorf("%s has Turkish letters", k)
		}
	}
}

func TestText_unknownLanguageOrKey(t *testing.T) {
	for _, tt := range [][2]string{{"de", "internal"}, {"", "internal"}, {"tr", "no_such_key"}} {
		if got, ok := Text(tt[0], tt[1], nil); ok || got != "" {
			t.Errorf("%v: got %q", tt, got)
		}
	}
}

func TestFill(t *testing.T) {
	params := map[string]any{"from": "Active", "n": 3, "empty": "", "brace": "{n}"}
	tests := []struct{ message, want string }{
		{"plain", "plain"},
		{"{from}", "Active"},
		{"from {from} to {to}, {n} times{empty}", "from Active to {to}, 3 times"},
		{"{brace} {n}", "{n} 3"},
		{"open {from", "open {from"},
		{"{} {n}", "{} 3"},
	}
	for _, tt := range tests {
		if got := Fill(tt.message, params); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.message, got, tt.want)
		}
	}
}

func ExampleText() {
	text, ok := Text("en", "not_found", nil)
	fmt.Println(text, ok)
	// Output: No such record was found. true
}
