package customer

import (
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// What is accepted as a phone is in its normal form and accepted again as
// itself.
func FuzzParsePhone(f *testing.F) {
	for _, seed := range []string{"+905321234567", "0532 123 45 67", "905321234567", "+4915112345678", "", "+", "tel:0532", "５３２"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, mobile bool) {
		e164, ok := ParsePhone(text, mobile)
		if !ok {
			return
		}
		if !strings.HasPrefix(e164, "+") || len(e164) > 16 || !fault.AllDigits(e164[1:]) {
			t.Fatalf("%q became %q, which is not E.164", text, e164)
		}
		if again, ok := ParsePhone(e164, mobile); !ok || again != e164 {
			t.Fatalf("%q became %q, then %q (%t)", text, e164, again, ok)
		}
	})
}

// Folding never panics, and its words are what a search may hold.
