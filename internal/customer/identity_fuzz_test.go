package customer

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

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

// What is accepted as an e-mail address is accepted again as itself, and holds
// nothing that could be taken for the next line of a message's header.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"ada@example.com", " ada@example.com ", "ä@örnek.com.tr", `"a@b"@example.com`, "a@b", "Ada <ada@example.com>", "a@b.c\r\nBcc: x@y.z", "a@[127.0.0.1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, ok := ParseEmail(text)
		if !ok {
			return
		}
		if again, ok := ParseEmail(address); !ok || again != address {
			t.Fatalf("%q became %q, then %q (%t)", text, address, again, ok)
		}
		if !utf8.ValidString(address) || strings.ContainsFunc(address, unicode.IsSpace) || strings.ContainsFunc(address, unicode.IsControl) ||
			strings.Count(address, "@") != 1 {
			t.Errorf("%q became %q", text, address)
		}
	})
}

// Folding never panics, and its words are what a search may hold.
