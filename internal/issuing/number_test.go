package issuing

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func TestNewCardToken_showsTheEndsAndSixLetters(t *testing.T) {
	shape := regexp.MustCompile(`^979206[a-z]{6}0017$`)
	p, err := pan.Parse("9792060000000017")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	letters := map[byte]bool{}
	for range 2000 {
		token := NewCardToken(p)
		if !shape.MatchString(token) || len(token) != 16 {
			t.Fatalf("got %q", token)
		}
		seen[token] = true
		for i := 6; i < 12; i++ {
			letters[token[i]] = true
		}
	}
	if len(seen) < 1990 || len(letters) != 26 {
		t.Errorf("got %d different tokens of 2000 and %d letters of 26", len(seen), len(letters))
	}
}

func TestNewIssuanceNo_isLuhnTerminated(t *testing.T) {
	for range 500 {
		no := newIssuanceNo()
		if len(no) != 16 || !strings.HasPrefix(no, "90") || !pan.ValidLuhn(no) {
			t.Fatalf("got %q", no)
		}
	}
}

func TestTrack2_carriesTheCardValueWhereTheHostLooksForIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`979206[0-9]{9}`).Draw(t, "number")
		p, err := pan.Parse(body + string(pan.CheckDigit(body)))
		if err != nil {
			t.Fatal(err)
		}
		cvv := secret.FromString(rapid.StringMatching(`[0-9]{3}`).Draw(t, "cvv"))
		c := Card{Expires: Expiry{2031, time.November}, ServiceCode: "201"}
		parsed, err := pan.ParseTrack2(track2(p, c, cvv))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.PAN() != p || parsed.Expiry() != "3111" || parsed.ServiceCode() != "201" {
			t.Errorf("got %v, %s, %s", parsed.PAN(), parsed.Expiry(), parsed.ServiceCode())
		}
		if got := CardValueOnTrack(parsed); !got.Equal(cvv) {
			t.Errorf("the card value is not where it is looked for")
		}
	})
}

func TestChipProfile_knowsTheDefaultAndHasEveryCVN(t *testing.T) {
	p, err := program.ChipProfile(program.DefaultChipProfile)
	if err != nil || p != hsm.CVN18 {
		t.Errorf("got %v %v, want CVN18", p, err)
	}
	if _, err := program.ChipProfile("CVN99"); err == nil {
		t.Error("got no error for an unknown profile")
	}
}

func TestExpiry(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	e := Expiry{2031, time.November}
	if e.String() != "2031-11" || e.YYMM() != "3111" || e.MMYY() != "1131" {
		t.Errorf("got %s %s %s", e, e.YYMM(), e.MMYY())
	}
	last := time.Date(2031, 11, 30, 20, 59, 59, 999_999_000, time.UTC) // 23:59:59.999999 in Istanbul
	if e.PassedAt(last, istanbul) {
		t.Error("passed at the last moment of the month")
	}
	if !e.PassedAt(last.Add(time.Microsecond), istanbul) {
		t.Error("not passed at the first moment of the next month")
	}
	if got := ExpiryAfter(clock.Date{Year: 2026, Month: 1, Day: 31}, 1); got != (Expiry{2026, time.February}) {
		t.Errorf("a month after January: got %s", got)
	}
	if got := ExpiryAfter(clock.Date{Year: 2026, Month: 11, Day: 21}, 60); got != (Expiry{2031, time.November}) {
		t.Errorf("sixty months after: got %s", got)
	}
	for _, bad := range []string{"", "2031", "2031-13", "2031-1", "31-11", "2031-11-01", "1999-12", "2100-01"} {
		if _, err := ParseExpiry(bad); err == nil {
			t.Errorf("ParseExpiry(%q): got no error", bad)
		}
	}
}
