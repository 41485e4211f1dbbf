package pan_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

func TestParseTrack2_readsItsParts(t *testing.T) {
	tests := []struct{ track, number, expiry, service, discretionary string }{
		{number + "=29122011234567890123", number, "2912", "201", "1234567890123"},
		{number + "=2912201", number, "2912", "201", ""},
		{number + "D29122010123456789F", number, "2912", "201", "0123456789"},
		{number + "D291222100", number, "2912", "221", "00"},
		{"6304123456789012345=3001101", "6304123456789012345", "3001", "101", ""},
		{"502012345678=300110199", "502012345678", "3001", "101", "99"},
	}
	for i, tt := range tests {
		track, err := pan.ParseTrack2(tt.track)
		if err != nil {
			t.Errorf("case %d: %v", i, err)
			continue
		}
		if got := track.PAN().Reveal(); got != tt.number {
			t.Errorf("case %d: wrong number", i)
		}
		if got := track.Expiry(); got != tt.expiry {
			t.Errorf("case %d: expiry: got %q, want %q", i, got, tt.expiry)
		}
		if got := track.ServiceCode(); got != tt.service {
			t.Errorf("case %d: service code: got %q, want %q", i, got, tt.service)
		}
		if got := string(track.Discretionary().Reveal()); got != tt.discretionary {
			t.Errorf("case %d: discretionary: got %q, want %q", i, got, tt.discretionary)
		}
		if track.IsZero() {
			t.Errorf("case %d: a parsed track is zero", i)
		}
	}
}

func TestParseTrack2_refusesWhatIsNoTrack(t *testing.T) {
	for _, s := range []string{
		"", "=", "D", number, number + "=", number + "=2912", number + "=29122", number + "==201123", number + "=2912=123",
		number + "=2913201", number + "=2900201", number + "=291220112345678901234", // 38 long
		number + "d2912201", number + "=2912201F", number + "D2912201FF", number + "=2912201 ",
		";" + number + "=2912201?", "49291234567=2912201", "492912345678901012345=2912201", number + "D2912=01",
	} {
		track, err := pan.ParseTrack2(s)
		if !errors.Is(err, pan.ErrTrack2) || !track.IsZero() {
			t.Errorf("%d characters: got %v", len(s), err)
		}
	}
}

func TestTrack2_zeroIsEmpty(t *testing.T) {
	var track pan.Track2
	if !track.IsZero() || !track.PAN().IsZero() || track.Expiry() != "" || track.ServiceCode() != "" || !track.Discretionary().IsZero() {
		t.Error("the zero track has parts")
	}
	if got, want := fmt.Sprint(track), "****=***"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParseTrack2(f *testing.F) {
	for _, s := range []string{number + "=29122011234567890123", number + "D29122010123456789F", "", "=", "D"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		track, err := pan.ParseTrack2(s)
		if err != nil {
			return
		}
		rest := track.PAN().Reveal() + s[track.PAN().Len():track.PAN().Len()+1] + track.Expiry() + track.ServiceCode() + string(track.Discretionary().Reveal())
		if rest != s && rest+"F" != s {
			t.Error("the parts do not make up the track")
		}
	})
}

func FuzzContainsPAN(f *testing.F) {
	for _, s := range []string{"4111 1111 1111 1111", "TR33 0006 1005 1978 6457 8413 26", "1-2-3", "-", " 4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if pan.ContainsPAN(s) && !pan.ContainsPAN("x "+s+" x") {
			t.Error("words around it hide a number")
		}
	})
}
