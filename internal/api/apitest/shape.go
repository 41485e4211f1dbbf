package apitest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// Shape tells which members a JSON document has and of which kind each of them
// is, a line each: what two answers have in common that differ in their values.
// Elements of a list are one.
func Shape(t *testing.T, document string) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	seen := map[string]bool{}
	shape("", v, seen)
	lines := make([]string, 0, len(seen))
	for line := range seen {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func shape(path string, v any, seen map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		seen[path+" object"] = true
		for name, x := range v {
			shape(path+"."+name, x, seen)
		}
	case []any:
		seen[path+" list"] = true
		for _, x := range v {
			shape(path+"[]", x, seen)
		}
	case nil:
		seen[path+" null"] = true
	case float64:
		seen[path+" number"] = true
	default:
		seen[fmt.Sprintf("%s %T", path, v)] = true
	}
}

// SameShape fails the test where two documents differ in [Shape].
func SameShape(t *testing.T, got, want string) {
	t.Helper()
	has, wants := Shape(t, got), Shape(t, want)
	for _, line := range has {
		if !slices.Contains(wants, line) {
			t.Errorf("has %s, and should not", line)
		}
	}
	for _, line := range wants {
		if !slices.Contains(has, line) {
			t.Errorf("lacks %s", line)
		}
	}
}
