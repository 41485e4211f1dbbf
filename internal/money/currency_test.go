package money_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/money"
)

func TestParseCurrency_everyCodeOfTheTable(t *testing.T) {
	table, err := os.ReadFile("iso4217.csv")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		col := strings.Split(strings.TrimSpace(line), ",")
		if len(col) != 3 || len(col[0]) != 3 || len(col[1]) != 3 || seen[col[0]] || seen[col[1]] {
			t.Errorf("%q: malformed or twice", line)
			continue
		}
		seen[col[0]], seen[col[1]] = true, true
		byCode, err := money.ParseCurrency(col[0])
		if err != nil {
			t.Error(err)
		}
		byNumber, err := money.ParseCurrency(col[1])
		if err != nil {
			t.Error(err)
		}
		if byCode != byNumber || byCode.Code() != col[0] || byCode.Numeric() != col[1] || byCode.IsZero() {
			t.Errorf("%q: got %v and %v", line, byCode, byNumber)
		}
	}
}

func TestParseCurrency_exponents(t *testing.T) {
	tests := []struct {
		code, numeric string
		exponent      int
	}{
		{"TRY", "949", 2}, {"USD", "840", 2}, {"EUR", "978", 2}, {"IDR", "360", 2}, {"JPY", "392", 0}, {"KRW", "410", 0},
		{"CLP", "152", 0}, {"UGX", "800", 0}, {"XPF", "953", 0}, {"KWD", "414", 3}, {"TND", "788", 3}, {"CLF", "990", 4},
		{"UYW", "927", 4}, {"ZWG", "924", 2}, {"VED", "926", 2}, {"VES", "928", 2}, {"XCG", "532", 2}, {"SLE", "925", 2},
		{"MRU", "929", 2}, {"STN", "930", 2}, {"BYN", "933", 2}, {"AZN", "944", 2}, {"HUF", "348", 2}, {"ISK", "352", 0},
	}
	for _, tt := range tests {
		c, err := money.ParseCurrency(tt.code)
		if err != nil || c.Exponent() != tt.exponent || c.Numeric() != tt.numeric {
			t.Errorf("%s: got %s, %d, %v; want %s, %d", tt.code, c.Numeric(), c.Exponent(), err, tt.numeric, tt.exponent)
		}
	}
}

func TestParseCurrency_refusesTheRetiredAndTheUnknown(t *testing.T) {
	for _, s := range []string{
		"BGN", "975", "HRK", "191", "ANG", "ZWL", "932", "SLL", "694", "CUC", "931", "TRL", "792", "VEF", "XXX", "999", "XAU", "XTS",
		"", "try", "TR", "TRYY", "0949", "49",
	} {
		if c, err := money.ParseCurrency(s); !errors.Is(err, money.ErrCurrencyUnknown) || !c.IsZero() {
			t.Errorf("%q: got %v, %v", s, c, err)
		}
	}
}

func TestCurrency_text(t *testing.T) {
	var c money.Currency
	if err := c.UnmarshalText([]byte("949")); err != nil || c != money.MustCurrency("TRY") || c.String() != "TRY" {
		t.Errorf("got %v, %v", c, err)
	}
	if err := c.UnmarshalText([]byte("lira")); !errors.Is(err, money.ErrCurrencyUnknown) {
		t.Errorf("got %v", err)
	}
	if err := c.UnmarshalText(nil); err != nil || !c.IsZero() {
		t.Errorf("got %v, %v", c, err)
	}
}
