package money_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/money"
)

var roundings = []money.Rounding{money.HalfUp, money.HalfEven, money.Up, money.Down}

// minors favours the ends of the range, zero and small numbers.
func minors() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64Range(-money.MaxMinor, money.MaxMinor),
		rapid.Int64Range(-100, 100),
		rapid.Int64Range(money.MaxMinor-3, money.MaxMinor),
		rapid.Int64Range(-money.MaxMinor, -money.MaxMinor+3),
	)
}

func factors() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64(),
		rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1_000_000, 1}),
	)
}

func currencies() *rapid.Generator[money.Currency] {
	return rapid.Map(rapid.SampledFrom([]string{"TRY", "JPY", "KWD", "CLF"}), money.MustCurrency)
}

func amounts() *rapid.Generator[money.Amount] {
	return rapid.Custom(func(t *rapid.T) money.Amount {
		a, err := money.New(minors().Draw(t, "minor"), currencies().Draw(t, "currency"))
		if err != nil {
			t.Fatal(err)
		}
		return a
	})
}

// exact checks got against the true value, which may be out of range.
func exact(t *rapid.T, want *big.Int, c money.Currency, got money.Amount, err error) {
	t.Helper()
	if want.CmpAbs(big.NewInt(money.MaxMinor)) > 0 {
		if !errors.Is(err, money.ErrRange) {
			t.Fatalf("got %v, %v; want %v", got, err, money.ErrRange)
		}
		return
	}
	if err != nil || got.Minor() != want.Int64() || got.Currency() != c {
		t.Fatalf("got %v, %v; want %v", got, err, want)
	}
}

// rounded returns num ÷ den in whole units, by the definition of each rounding.
func rounded(num, den *big.Int, r money.Rounding) *big.Int {
	sign := big.NewInt(int64(num.Sign() * den.Sign()))
	n, d := new(big.Int).Abs(num), new(big.Int).Abs(den)
	quotient, remainder := new(big.Int).QuoRem(n, d, new(big.Int))
	half := new(big.Int).Lsh(remainder, 1).Cmp(d)
	away := false
	switch r {
	case money.HalfUp:
		away = half >= 0
	case money.HalfEven:
		away = half > 0 || half == 0 && quotient.Bit(0) == 1
	case money.Up:
		away = remainder.Sign() > 0
	case money.Down:
	}
	if away {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient.Mul(quotient, sign)
}

func TestNew_boundsEveryAmount(t *testing.T) {
	c := money.MustCurrency("TRY")
	for _, minor := range []int64{money.MaxMinor, -money.MaxMinor, 0} {
		if a, err := money.New(minor, c); err != nil || a.Minor() != minor {
			t.Errorf("%d: got %v, %v", minor, a, err)
		}
	}
	for _, minor := range []int64{money.MaxMinor + 1, -money.MaxMinor - 1, math.MaxInt64, math.MinInt64} {
		if a, err := money.New(minor, c); !errors.Is(err, money.ErrRange) {
			t.Errorf("%d: got %v, %v", minor, a, err)
		}
	}
	if _, err := money.New(1, money.Currency{}); !errors.Is(err, money.ErrCurrencyUnknown) {
		t.Errorf("no currency: got %v", err)
	}
}

func TestAmount_addAndSubAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		b, err := money.New(minors().Draw(t, "b"), a.Currency())
		if err != nil {
			t.Fatal(err)
		}
		x, y := big.NewInt(a.Minor()), big.NewInt(b.Minor())
		got, err := a.Add(b)
		exact(t, new(big.Int).Add(x, y), a.Currency(), got, err)
		got, err = a.Sub(b)
		exact(t, new(big.Int).Sub(x, y), a.Currency(), got, err)
		if got, want := a.Cmp(b), x.Cmp(y); got != want {
			t.Fatalf("Cmp: got %d, want %d", got, want)
		}
		if a.Neg().Neg() != a || a.Neg().Sign() != -a.Sign() {
			t.Fatal("Neg is not its own inverse")
		}
	})
}

func TestAmount_mulDivIsExactAndRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		num, den := factors().Draw(t, "num"), factors().Draw(t, "den")
		r := rapid.SampledFrom(roundings).Draw(t, "rounding")
		got, err := a.MulDiv(num, den, r)
		if den == 0 {
			if !errors.Is(err, money.ErrZeroDivisor) {
				t.Fatalf("got %v, %v", got, err)
			}
			return
		}
		product := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(num))
		exact(t, rounded(product, big.NewInt(den), r), a.Currency(), got, err)
	})
}

func TestRate_applyIsExactAndRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		rate := money.Rate(rapid.OneOf(rapid.Int64Range(-2_000_000, 2_000_000), factors()).Draw(t, "rate"))
		r := rapid.SampledFrom(roundings).Draw(t, "rounding")
		got, err := rate.Apply(a, r)
		product := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(int64(rate)))
		exact(t, rounded(product, big.NewInt(1_000_000), r), a.Currency(), got, err)
	})
}

func TestRate_halvesGoWhereTheRoundingSays(t *testing.T) {
	tests := []struct {
		minor                      int64
		halfUp, halfEven, up, down int64
	}{
		{1, 1, 0, 1, 0}, {3, 2, 2, 2, 1}, {5, 3, 2, 3, 2}, {-1, -1, 0, -1, 0}, {-5, -3, -2, -3, -2}, {4, 2, 2, 2, 2}, {0, 0, 0, 0, 0},
	}
	for _, tt := range tests {
		for r, want := range map[money.Rounding]int64{money.HalfUp: tt.halfUp, money.HalfEven: tt.halfEven, money.Up: tt.up, money.Down: tt.down} {
			got, err := money.Rate(500_000).Apply(money.Must(tt.minor, "TRY"), r)
			if err != nil || got.Minor() != want {
				t.Errorf("half of %d %v: got %v, %v; want %d", tt.minor, r, got, err, want)
			}
		}
	}
}

func TestAmount_splitPartsSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		weights := rapid.SliceOfN(rapid.OneOf(
			rapid.Int64Range(0, 10),
			rapid.Int64Range(0, math.MaxInt64/20),
		), 1, 20).Draw(t, "weights")
		sum := new(big.Int)
		for _, w := range weights {
			sum.Add(sum, big.NewInt(w))
		}
		parts, err := a.Split(weights...)
		if sum.Sign() == 0 {
			if !errors.Is(err, money.ErrWeights) {
				t.Fatalf("got %v, %v", parts, err)
			}
			return
		}
		if err != nil || len(parts) != len(weights) {
			t.Fatalf("got %v, %v", parts, err)
		}
		total := money.Zero(a.Currency())
		for i, p := range parts {
			if total, err = total.Add(p); err != nil {
				t.Fatal(err)
			}
			// Each part is its exact share, rounded down or up to a unit.
			product := new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(weights[i]))
			low, high := rounded(product, sum, money.Down), rounded(product, sum, money.Up)
			if got := big.NewInt(p.Minor()); got.Cmp(low) != 0 && got.Cmp(high) != 0 {
				t.Fatalf("part %d: got %v, want %v or %v", i, got, low, high)
			}
		}
		if total != a {
			t.Fatalf("sum: got %v, want %v", total, a)
		}
	})
}

func TestAmount_splitGivesTheRestToTheLargestRemainders(t *testing.T) {
	tests := []struct {
		minor   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{100, []int64{1, 2}, []int64{33, 67}},
		{5, []int64{0, 1, 1}, []int64{0, 3, 2}},
		{1, []int64{10, 45, 45}, []int64{0, 1, 0}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{7, []int64{3}, []int64{7}},
		{money.MaxMinor, []int64{math.MaxInt64 - 1, 1}, []int64{money.MaxMinor, 0}},
	}
	for _, tt := range tests {
		parts, err := money.Must(tt.minor, "TRY").Split(tt.weights...)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range parts {
			if p.Minor() != tt.want[i] {
				t.Errorf("%d by %v: got %v, want %v", tt.minor, tt.weights, parts, tt.want)
				break
			}
		}
	}
	for _, weights := range [][]int64{nil, {0}, {0, 0}, {1, -1}, {2, -1}, {math.MaxInt64, 1}, {math.MinInt64}} {
		if parts, err := money.Must(1, "TRY").Split(weights...); !errors.Is(err, money.ErrWeights) {
			t.Errorf("%v: got %v, %v", weights, parts, err)
		}
	}
}

func TestAmount_mixedCurrenciesNeverMeet(t *testing.T) {
	lira, yen := money.Must(1, "TRY"), money.Must(1, "JPY")
	if _, err := lira.Add(yen); !errors.Is(err, money.ErrMixedCurrency) {
		t.Errorf("Add: got %v", err)
	}
	if _, err := lira.Sub(yen); !errors.Is(err, money.ErrMixedCurrency) {
		t.Errorf("Sub: got %v", err)
	}
	if _, err := lira.Add(money.Amount{}); !errors.Is(err, money.ErrMixedCurrency) {
		t.Errorf("Add of the zero Amount: got %v", err)
	}
	if _, err := (money.Amount{}).Add(money.Amount{}); !errors.Is(err, money.ErrCurrencyUnknown) {
		t.Errorf("sum of zero Amounts: got %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("Cmp of two currencies did not panic")
		}
	}()
	lira.Cmp(yen)
}

func TestParse_readsBackEveryDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts().Draw(t, "a")
		got, err := money.Parse(a.Decimal(), a.Currency())
		if err != nil || got != a {
			t.Fatalf("%s: got %v, %v; want %v", a.Decimal(), got, err, a)
		}
		value, ok := new(big.Rat).SetString(a.Decimal())
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Currency().Exponent())), nil)
		if !ok || value.Cmp(new(big.Rat).SetFrac(big.NewInt(a.Minor()), scale)) != 0 {
			t.Fatalf("%s is not %d minor units", a.Decimal(), a.Minor())
		}
	})
}

func TestParse(t *testing.T) {
	tests := []struct {
		text, currency string
		minor          int64
		err            error
	}{
		{"125.50", "TRY", 12550, nil},
		{"125.5", "TRY", 12550, nil},
		{"125", "TRY", 12500, nil},
		{"-0.01", "TRY", -1, nil},
		{"-0", "TRY", 0, nil},
		{"007", "TRY", 700, nil},
		{"0.001", "KWD", 1, nil},
		{"0.0001", "CLF", 1, nil},
		{"125", "JPY", 125, nil},
		{"10000000000000.00", "TRY", money.MaxMinor, nil},
		{"-10000000000000", "TRY", -money.MaxMinor, nil},
		{"000000000000000000000000000000000001", "TRY", 100, nil},
		{"10000000000000.01", "TRY", 0, money.ErrRange},
		{"10000000000001", "TRY", 0, money.ErrRange},
		{"99999999999999999999999999999999999999", "JPY", 0, money.ErrRange},
		{"1.234", "TRY", 0, money.ErrPrecision},
		{"1.500", "TRY", 0, money.ErrPrecision},
		{"1.0", "JPY", 0, money.ErrPrecision},
		{"1.0000", "KWD", 0, money.ErrPrecision},
		{"", "TRY", 0, money.ErrSyntax},
		{"-", "TRY", 0, money.ErrSyntax},
		{".", "TRY", 0, money.ErrSyntax},
		{".5", "TRY", 0, money.ErrSyntax},
		{"5.", "TRY", 0, money.ErrSyntax},
		{"5.", "JPY", 0, money.ErrSyntax},
		{"+5", "TRY", 0, money.ErrSyntax},
		{"--5", "TRY", 0, money.ErrSyntax},
		{"5-", "TRY", 0, money.ErrSyntax},
		{"1e2", "TRY", 0, money.ErrSyntax},
		{"1,5", "TRY", 0, money.ErrSyntax},
		{"1.2.3", "TRY", 0, money.ErrSyntax},
		{"1 000", "TRY", 0, money.ErrSyntax},
		{" 1", "TRY", 0, money.ErrSyntax},
		{"0x10", "TRY", 0, money.ErrSyntax},
		{"NaN", "TRY", 0, money.ErrSyntax},
		{"٣", "TRY", 0, money.ErrSyntax},
	}
	for _, tt := range tests {
		got, err := money.Parse(tt.text, money.MustCurrency(tt.currency))
		if !errors.Is(err, tt.err) || got.Minor() != tt.minor {
			t.Errorf("%q %s: got %v, %v; want %d, %v", tt.text, tt.currency, got, err, tt.minor, tt.err)
		}
	}
	if _, err := money.Parse("1", money.Currency{}); !errors.Is(err, money.ErrCurrencyUnknown) {
		t.Errorf("no currency: got %v", err)
	}
}

func TestAmount_text(t *testing.T) {
	tests := []struct {
		a    money.Amount
		want string
	}{
		{money.Must(12550, "TRY"), "125.50 TRY"},
		{money.Must(-5, "TRY"), "-0.05 TRY"},
		{money.Must(0, "TRY"), "0.00 TRY"},
		{money.Must(125, "JPY"), "125 JPY"},
		{money.Must(-1, "KWD"), "-0.001 KWD"},
		{money.Must(1, "CLF"), "0.0001 CLF"},
		{money.Amount{}, "0 of no currency"},
	}
	for _, tt := range tests {
		if got := tt.a.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAmount_logsAsText(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("event", "amount", money.Must(12550, "TRY"))
	if !strings.Contains(out.String(), `"amount":"125.50 TRY"`) {
		t.Errorf("got %s", out.String())
	}
}

func TestAmount_refusesJSON(t *testing.T) {
	a := money.Must(1, "TRY")
	for _, v := range []any{a, &a, struct{ Amount money.Amount }{a}, []money.Amount{a}, map[string]money.Amount{"a": a}} {
		if got, err := json.Marshal(v); err == nil {
			t.Errorf("%T became %s", v, got)
		}
	}
	if err := json.Unmarshal([]byte(`{"minor":1}`), &a); err == nil {
		t.Error("JSON became an amount")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"125.50", "-0.01", "10000000000000.00", "1e2", "", ".", "00.00"} {
		f.Add(s, "TRY")
	}
	f.Add("1.234", "KWD")
	f.Fuzz(func(t *testing.T, text, code string) {
		c, err := money.ParseCurrency(code)
		if err != nil {
			return
		}
		a, err := money.Parse(text, c)
		if err != nil {
			return
		}
		value, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number to math/big", text)
		}
		want, _ := new(big.Rat).SetString(a.Decimal())
		if value.Cmp(want) != 0 {
			t.Fatalf("%q became %s", text, a.Decimal())
		}
	})
}

func ExampleRate_Apply() {
	price := money.Must(9999, "TRY")
	fee, err := money.Rate(17_500).Apply(price, money.Up) // 1.75 %, against the payer
	fmt.Println(fee, err)
	// Output: 1.75 TRY <nil>
}

func ExampleAmount_Split() {
	parts, err := money.Must(10000, "TRY").Split(1, 1, 1)
	fmt.Println(parts, err)
	// Output: [33.34 TRY 33.33 TRY 33.33 TRY] <nil>
}

func ExampleParse() {
	yen := money.MustCurrency("JPY")
	_, err := money.Parse("12.5", yen)
	fmt.Println(err)
	// Output: more fraction digits than the currency has
}
