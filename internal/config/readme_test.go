package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// README.md lists every setting with the default it has, and no other.
func TestSettings_areInTheREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(SARRAF_[A-Z0-9_]+)` \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = strings.Trim(m[2], " `")
	}
	for _, s := range Settings() {
		got, ok := listed[s.Variable()]
		if !ok {
			t.Errorf("README.md does not list %s", s.Variable())
		} else if s.Default != "" && got != s.Default {
			t.Errorf("README.md says that the default of %s is %q, want %q", s.Variable(), got, s.Default)
		}
		delete(listed, s.Variable())
	}
	for name := range listed {
		t.Errorf("README.md lists %s, which is no setting", name)
	}
}
