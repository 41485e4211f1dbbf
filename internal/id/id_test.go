package id_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/id"
)

type card struct{}

func (card) IDPrefix() string { return "card" }

type account struct{}

func (account) IDPrefix() string { return "acct" }

type cardID = id.ID[card]

var (
	first = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	now   = time.Date(2026, 11, 21, 9, 30, 0, 123_456_000, time.UTC)
)

func TestNew_textOrderIsTimeOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Any microsecond of two centuries.
		a := rapid.Int64Range(0, 200*365*86400*1_000_000).Draw(t, "a")
		b := rapid.OneOf(
			rapid.Int64Range(0, 200*365*86400*1_000_000),
			rapid.Map(rapid.Int64Range(-3, 3), func(d int64) int64 { return max(0, a+d) }),
		).Draw(t, "b")
		if a == b {
			return
		}
		x := id.New[card](first.Add(time.Duration(a) * time.Microsecond))
		y := id.New[card](first.Add(time.Duration(b) * time.Microsecond))
		want := cmp.Compare(a, b)
		if got := strings.Compare(x.String(), y.String()); got != want {
			t.Fatalf("text: got %d, want %d", got, want)
		}
		if got := strings.Compare(x.UUID(), y.UUID()); got != want {
			t.Fatalf("UUID: got %d, want %d", got, want)
		}
		if got := x.Compare(y); got != want {
			t.Fatalf("compared: got %d, want %d", got, want)
		}
	})
}

// Whoever locks rows in the order of Go and in that of the engine must have one order.
func TestID_comparesAsItsTextDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) cardID {
			var b [16]byte
			copy(b[:], rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 8, 0x7f, 0x80, 0xff}), 16, 16).Draw(t, name))
			return id.FromBytes[card](b)
		}
		x, y := draw("x"), draw("y")
		if rapid.Bool().Draw(t, "zero") {
			y = cardID{}
		}
		if got, want := x.Compare(y), strings.Compare(x.String(), y.String()); got != want {
			t.Fatalf("%s and %s: got %d, want %d", x, y, got, want)
		}
	})
}

func TestNew_isVersion7(t *testing.T) {
	for range 1000 {
		b := id.New[card](now).Bytes()
		if b[6]>>4 != 7 || b[8]>>6 != 2 {
			t.Fatalf("version or variant wrong: %x", b)
		}
		var ms int64
		for _, c := range b[:6] {
			ms = ms<<8 | int64(c)
		}
		if ms != now.UnixMilli() {
			t.Fatalf("time: got %d, want %d", ms, now.UnixMilli())
		}
	}
}

func TestNew_neverRepeats(t *testing.T) {
	seen := map[cardID]bool{}
	for range 10_000 {
		d := id.New[card](now)
		if seen[d] {
			t.Fatal("the same identifier twice")
		}
		seen[d] = true
	}
}

func TestID_everyFormReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b [16]byte
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		d := id.FromBytes[card](b)
		if d.IsZero() {
			return
		}
		if len(d.String()) != len("card_")+26 {
			t.Fatalf("text has %d characters", len(d.String()))
		}
		if got, err := id.Parse[card](d.String()); err != nil || got != d {
			t.Fatalf("text: got %v, %v", got, err)
		}
		if got, err := id.ParseUUID[card](d.UUID()); err != nil || got != d {
			t.Fatalf("UUID: got %v, %v", got, err)
		}
		if got, err := id.ParseUUID[card](strings.ToUpper(d.UUID())); err != nil || got != d {
			t.Fatalf("upper UUID: got %v, %v", got, err)
		}
		v, err := d.Value()
		if err != nil {
			t.Fatal(err)
		}
		var scanned cardID
		if err := scanned.Scan(v); err != nil || scanned != d {
			t.Fatalf("scan of text: got %v, %v", scanned, err)
		}
		if err := scanned.Scan([]byte(v.(string))); err != nil || scanned != d {
			t.Fatalf("scan of bytes: got %v, %v", scanned, err)
		}
		if d.Bytes() != b {
			t.Fatal("the bytes changed")
		}
		encoded, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var decoded cardID
		if err := json.Unmarshal(encoded, &decoded); err != nil || decoded != d {
			t.Fatalf("JSON: got %v, %v", decoded, err)
		}
	})
}

func TestParse_refusesAnythingButItsOwnText(t *testing.T) {
	good := id.New[card](now).String()
	digits := strings.TrimPrefix(good, "card_")
	tests := []struct {
		name, text string
		want       error
	}{
		{"another entity", id.New[account](now).String(), id.ErrPrefix},
		{"a longer prefix", "xcard_" + digits, id.ErrPrefix},
		{"no prefix", digits, id.ErrPrefix},
		{"empty", "", id.ErrPrefix},
		{"prefix alone", "card_", id.ErrSyntax},
		{"prefix without separator", "card", id.ErrPrefix},
		{"another separator", "card-" + digits, id.ErrPrefix},
		{"short", good[:len(good)-1], id.ErrSyntax},
		{"long", good + "0", id.ErrSyntax},
		{"upper case", "card_" + strings.ToUpper(digits), id.ErrSyntax},
		{"upper case prefix", "CARD_" + digits, id.ErrPrefix},
		{"the letter i", "card_" + digits[:25] + "i", id.ErrSyntax},
		{"the letter l", "card_" + digits[:25] + "l", id.ErrSyntax},
		{"the letter o", "card_" + digits[:25] + "o", id.ErrSyntax},
		{"the letter u", "card_" + digits[:25] + "u", id.ErrSyntax},
		{"a space", "card_" + digits[:25] + " ", id.ErrSyntax},
		{"more than 128 bits", "card_8" + digits[1:], id.ErrSyntax},
		{"zero", "card_" + strings.Repeat("0", 26), id.ErrSyntax},
	}
	for _, tt := range tests {
		if got, err := id.Parse[card](tt.text); !errors.Is(err, tt.want) || !got.IsZero() {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestParseUUID_refusesOtherForms(t *testing.T) {
	good := id.New[card](now).UUID()
	for _, s := range []string{
		"", "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), good[:35], good + "0", good[:35] + "g",
		"00000000-0000-0000-0000-000000000000", strings.Replace(good, "-", "0", 1),
	} {
		if _, err := id.ParseUUID[card](s); !errors.Is(err, id.ErrSyntax) {
			t.Errorf("%q: got %v, want %v", s, err, id.ErrSyntax)
		}
	}
}

func TestID_zeroIsNull(t *testing.T) {
	var d cardID
	if v, err := d.Value(); v != nil || err != nil {
		t.Errorf("got %v, %v; want NULL", v, err)
	}
	d = id.New[card](now)
	if err := d.Scan(nil); err != nil || !d.IsZero() || d.String() != "" {
		t.Errorf("got %v, %v; want the zero ID", d, err)
	}
	if err := d.Scan(int64(7)); err == nil {
		t.Error("a number was scanned as an identifier")
	}
	if err := d.Scan("acct_01"); err == nil {
		t.Error("another entity was scanned")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(id.New[card](now).String())
	f.Add("card_")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := id.Parse[card](s); err == nil && d.String() != s {
			t.Errorf("%q reads back as %q", s, d)
		}
		if d, err := id.ParseUUID[card](s); err == nil && d.UUID() != strings.ToLower(s) {
			t.Errorf("%q reads back as %q", s, d.UUID())
		}
	})
}

func ExampleParse() {
	// The pair of the TypeID specification's example.
	d, err := id.ParseUUID[card]("0188bac7-4afa-78aa-bc3b-bd1eef28d881")
	fmt.Println(d, err)
	_, err = id.Parse[account](d.String())
	fmt.Println(err)
	// Output:
	// card_01h2xcejqtf2nbrexx3vqjhp41 <nil>
	// identifier of another kind: want prefix "acct"
}
