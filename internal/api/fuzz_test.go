package api

import (
	"encoding/json"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A JSON number goes through Decimal without a change of its value, and becomes either an exact
// amount or a refusal.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0", "125.50", "1e2", "1.5e-1", "0.001", "null", `"1"`, "99999999999999999999"} {
		f.Add(seed)
	}
	lira := money.MustCurrency("TRY")
	f.Fuzz(func(t *testing.T, text string) {
		var d Decimal
		if err := json.Unmarshal([]byte(text), &d); err != nil || d == "" {
			return
		}
		out, err := json.Marshal(d)
		if err != nil || string(out) != string(d) {
			t.Fatalf("%q came back as %s, %v", d, out, err)
		}
		a, err := d.Amount("amount", lira)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Refused {
				t.Fatalf("%q: %v", d, err)
			}
			return
		}
		again, err := DecimalOf(a).Amount("amount", lira)
		if err != nil || again != a {
			t.Fatalf("%q: %v became %v, %v", d, a, again, err)
		}
	})
}

// Whatever is said about languages, one of the two is chosen.
func FuzzLanguageOf(f *testing.F) {
	f.Add("en-GB;q=0.9, tr;q=0.5")
	f.Add(";;,,q=")
	f.Fuzz(func(t *testing.T, header string) {
		if got := languageOf(header); got != "tr" && got != "en" {
			t.Fatalf("%q: %q", header, got)
		}
	})
}
