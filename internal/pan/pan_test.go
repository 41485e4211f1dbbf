package pan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret/secrettest"
)

const number = "4929123456789010"

func mustParse(t testing.TB, s string) pan.PAN {
	t.Helper()
	p, err := pan.Parse(s)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return p
}

func TestPAN_isNeverPrinted(t *testing.T) {
	// The six middle digits with a neighbour on each side: what masking hides.
	secrettest.Hidden(t, mustParse(t, number), number, number[5:13])
}

func TestTrack2_isNeverPrinted(t *testing.T) {
	track, err := pan.ParseTrack2(number + "=29122011234567890123")
	if err != nil {
		t.Fatal(err)
	}
	secrettest.Hidden(t, track, number, number[5:13], "29122011", "1234567890123", "2011234567")
	secrettest.Hidden(t, track.Discretionary(), "1234567890123")
}

func TestPAN_printsMasked(t *testing.T) {
	p := mustParse(t, number)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got, want := fmt.Sprintf(verb, p), "492912******9010"; got != want {
			t.Errorf("%s: got %q, want %q", verb, got, want)
		}
	}
	if got, want := fmt.Sprint(pan.PAN{}), "****"; got != want {
		t.Errorf("zero PAN: got %q, want %q", got, want)
	}
}

func TestPAN_maskedPrefixShowsNoMoreThanAllowed(t *testing.T) {
	tests := []struct {
		number string
		n      int
		want   string
	}{
		{number, 6, "492912******9010"},
		{number, 8, "49291234****9010"},
		{number, 11, "49291234****9010"},
		{number, 0, "************9010"},
		{number, -1, "************9010"},
		{"374245455400126", 8, "374245*****0126"},
		{"502012345678", 6, "502012**5678"},
		{"6304123456789012345", 8, "63041234*******2345"},
	}
	for _, tt := range tests {
		if got := mustParse(t, tt.number).MaskedPrefix(tt.n); got != tt.want {
			t.Errorf("MaskedPrefix(%d): got %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestPAN_parts(t *testing.T) {
	p := mustParse(t, number)
	if got, want := p.Prefix(8), "49291234"; got != want {
		t.Errorf("Prefix(8): got %q, want %q", got, want)
	}
	if got, want := p.Prefix(99), "49291234567"; got != want {
		t.Errorf("Prefix(99): got %q, want %q", got, want)
	}
	if got, want := p.Last4(), "9010"; got != want {
		t.Errorf("Last4: got %q, want %q", got, want)
	}
	if p.Len() != 16 || p.Reveal() != number || p.IsZero() {
		t.Error("a parsed number lost its digits")
	}
	if z := (pan.PAN{}); z.Reveal() != "" || z.Last4() != "" || z.Prefix(6) != "" || z.Len() != 0 || !z.IsZero() || z.ValidLuhn() {
		t.Error("the zero PAN has digits")
	}
}

func TestPAN_equalNumbersAreEqual(t *testing.T) {
	a, b, c := mustParse(t, number), mustParse(t, strings.Clone(number)), mustParse(t, "4929123456789011")
	if a != b {
		t.Error("two of the same number differ")
	}
	if a == c {
		t.Error("two different numbers are equal")
	}
}

func TestParse_refusesWhatIsNoNumber(t *testing.T) {
	for _, s := range []string{"", "49291234567", "49291234567890101234", "4929 1234 5678 9010", "492912345678901a", "-929123456789010", "٤٩٢٩١٢٣٤٥٦٧٨٩٠١٠"} {
		p, err := pan.Parse(s)
		if !errors.Is(err, pan.ErrSyntax) || !p.IsZero() {
			t.Errorf("%d characters: got %v", len(s), err)
		}
		if err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Error("the error quotes its input")
		}
	}
}

// The values of vectors/luhn.json.
func TestLuhn_publishedValues(t *testing.T) {
	for _, tt := range []struct {
		number string
		want   bool
	}{
		{"4024140000000131", true},
		{"6011000991543426", true},
		{"79927398710", false},
		{"79927398713", true},
		{"0", false},
		{"", false},
		{"4024 1400", false},
	} {
		if got := pan.ValidLuhn(tt.number); got != tt.want {
			t.Errorf("ValidLuhn(%s): got %v, want %v", tt.number, got, tt.want)
		}
	}
	for _, tt := range []struct {
		body string
		want byte
	}{
		{"411111111111111", '1'},
		{"6265591361715213", '9'},
		{"024995566976", '0'},
	} {
		if got := pan.CheckDigit(tt.body); got != tt.want {
			t.Errorf("CheckDigit(%s): got %c, want %c", tt.body, got, tt.want)
		}
	}
}

func TestLuhn_findsEverySingleWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{11,18}`).Draw(t, "body")
		whole := []byte(body + string(pan.CheckDigit(body)))
		if !pan.ValidLuhn(string(whole)) {
			t.Fatal("the check digit does not check")
		}
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "at")
		by := rapid.IntRange(1, 9).Draw(t, "by")
		whole[at] = '0' + (whole[at]-'0'+byte(by))%10
		if pan.ValidLuhn(string(whole)) {
			t.Fatal("a wrong digit was not found")
		}
	})
}

func TestContainsPAN(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"", false},
		{"lunch for two", false},
		{"4111111111111111", true},
		{"card 4111111111111111.", true},
		{"card no:4111-1111-1111-1111", true},
		{"4111 1111 1111 1111", true},
		{"4111 1111 1111 1111 12/27 123", true},
		{"order 5 4111111111111111 9", true},
		{"ref 77 4111-1111-1111-1111", true},
		{"3782 822463 10005", true},
		{"4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", true},
		{"4111  1111  1111  1111", true},
		{"4111.1111.1111.1111", true},
		{"4111_1111_1111_1111", true},
		{"4111/1111/1111/1111", true},
		{"4111%201111%201111%201111", true},
		{"100%4111111111111111", true},
		{"%34%31%31%31111111111111", true},
		{"4111\u200b1111\u200b1111\u200b1111", true},
		{"4\u20e31\ufe0f11\u00ad111111111111", true},
		{"４１１１　１１１１　１１１１　１１１１", true},
		{"٤١١١ ١١١١ ١١١١ ١١١١", true},
		{"۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", true},
		{"⁴¹¹¹₁₁₁₁①①①①𝟏𝟏𝟏𝟏", true},
		{"4111 – 1111 – 1111 – 1111", true},
		{"4111·1111·1111·1111", true},
		{"3782\n822463\n10005", true},
		{"paid on 21.11.2026 4111/1111/1111/1111", true},
		{"4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", true},
		{"41111.11111.111111", true},
		{"5411, 5812, 5999, 4121", false},
		{"1.000.000.000.000,00", false},
		{"0090 532 123 45 61", false},
		{"NO93 8601 1117 947", false},
		{"NO9386011117947", false},
		{"4111111111111112", false},
		{"411111111111", false},
		{"41111111111111110000000000000000", false},
		{"TR33 0006 1005 1978 6457 8413 26", false},
		{"TR330006100519786457841326", false},
		{"2026-11-21 14:30:00", false},
		{"tel 0212 555 12 34", false},
	}
	for _, tt := range tests {
		if got := pan.ContainsPAN(tt.text); got != tt.want {
			t.Errorf("ContainsPAN(%q): got %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestContainsPAN_findsAnyValidNumberInText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{12,18}`).Draw(t, "body")
		whole := body + string(pan.CheckDigit(body))
		before := rapid.StringMatching(`[a-z :]{0,12}`).Draw(t, "before")
		after := rapid.StringMatching(`[a-z :.]{0,12}`).Draw(t, "after")
		if !pan.ContainsPAN(before + whole + after) {
			t.Fatal("the number was not found")
		}
	})
}

// Nothing that people do to the look of a number hides it.
func TestContainsPAN_findsNumbersThatAreDressedUp(t *testing.T) {
	digits := []string{"0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿"}
	separators := []string{" ", "-", ".", "_", "/", "|", ":", "\u00a0", "\u2009", "–", "．", "·", "\t", "%20", "%2D", " / ", " - ", "  "}
	unseen := []string{"", "", "", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u0301", "\ufe0f"}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[1-9][0-9]{14}`).Draw(t, "body")
		whole := body + string(pan.CheckDigit(body))
		size := rapid.SampledFrom([]int{1, 4, 16}).Draw(t, "size")
		separator := rapid.SampledFrom(separators).Draw(t, "separator")
		if size == 1 && len(strings.ReplaceAll(separator, "%20", " ")) > 3 || size == 1 && strings.HasPrefix(separator, " ") && separator != " " {
			separator = "."
		}
		var text strings.Builder
		text.WriteString(rapid.StringMatching(`[a-z ]{0,8} `).Draw(t, "before"))
		for i, c := range whole {
			if i > 0 && i%size == 0 {
				text.WriteString(separator)
			}
			script := []rune(rapid.SampledFrom(digits).Draw(t, "script"))
			text.WriteString(string(script[c-'0']) + rapid.SampledFrom(unseen).Draw(t, "unseen"))
		}
		text.WriteString(rapid.StringMatching(` [a-z ]{0,8}`).Draw(t, "after"))
		if !pan.ContainsPAN(text.String()) {
			t.Fatalf("not found in %q", text.String())
		}
		if masked := pan.Mask(text.String()); pan.ContainsPAN(masked) || !strings.Contains(masked, whole[:6]+"******"+whole[12:]) {
			t.Fatalf("masked to %q", masked)
		}
	})
}

// What is written of money, days, phones and accounts is no card number, though
// one in ten of such numbers passes the Luhn check.
func TestContainsPAN_leavesOtherNumbersAlone(t *testing.T) {
	n := func(t *rapid.T, low, high int) int { return rapid.IntRange(low, high).Draw(t, "n") }
	for name, write := range map[string]func(t *rapid.T) string{
		"amount": func(t *rapid.T) string {
			mark := rapid.SampledFrom([]string{".", "'", "_"}).Draw(t, "mark")
			text := fmt.Sprint(n(t, 1, 999))
			for range n(t, 1, 5) {
				text += mark + fmt.Sprintf("%03d", n(t, 0, 999))
			}
			return text + fmt.Sprintf(",%02d TRY", n(t, 0, 99))
		},
		"time": func(t *rapid.T) string {
			at := time.Unix(int64(n(t, 0, 4_000_000_000)), 0).UTC()
			return at.Format(rapid.SampledFrom([]string{
				"2006-01-02 15:04:05", "2006-01-02 15.04.05", "02.01.2006 15.04.05", "02/01/2006 15:04", "2006_01_02_15_04_05",
				"20060102_150405", "2006-01-02 15-04-05.000000", "2006.01.02.15.04.05", "02.01.2006-03.01.2006",
			}).Draw(t, "layout"))
		},
		"phone": func(t *rapid.T) string {
			layout := rapid.SampledFrom([]string{"+90 (%03d) %03d %02d %02d", "+90 %03d %03d %02d %02d", "0090 %03d %03d %02d %02d", "+90.%03d.%03d.%02d.%02d", "0%03d/%03d/%02d/%02d"}).Draw(t, "layout")
			one := func() string { return fmt.Sprintf(layout, n(t, 200, 599), n(t, 100, 999), n(t, 0, 99), n(t, 0, 99)) }
			return one() + ", " + one()
		},
		"IBAN": func(t *rapid.T) string {
			land := rapid.SampledFrom([]string{"TR", "NO", "BE", "DK", "DE"}).Draw(t, "land")
			account := fmt.Sprintf("%0*d", map[string]int{"TR": 22, "NO": 11, "BE": 12, "DK": 14, "DE": 18}[land], n(t, 0, 1<<31))
			rest := 0
			for _, c := range account + fmt.Sprint(land[0]-'A'+10) + fmt.Sprint(land[1]-'A'+10) + "00" {
				rest = (rest*10 + int(c-'0')) % 97
			}
			whole, grouped := fmt.Sprintf("%s%02d%s", land, 98-rest, account), ""
			for i := 0; i < len(whole); i += 4 {
				grouped += whole[i:min(i+4, len(whole))] + " "
			}
			return rapid.SampledFrom([]string{whole, grouped}).Draw(t, "form")
		},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				if text := write(t); pan.ContainsPAN(text) {
					t.Fatalf("%q is taken for a card number", text)
				}
			})
		})
	}
}

func ExamplePAN() {
	p, err := pan.Parse("9792060000000017")
	if err != nil {
		panic(err)
	}
	fmt.Println(p, p.MaskedPrefix(8), p.Last4())
	// Output: 979206******0017 97920600****0017 0017
}
