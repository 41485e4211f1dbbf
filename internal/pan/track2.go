package pan

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Track2 is what track 2 of a stripe holds, or its equivalent in a chip (ISO/IEC
// 7813; EMV tag 57). It may be used to decide and must not be stored. The zero
// Track2 is empty.
type Track2 struct{ inside *track2 }

type track2 struct {
	pan           PAN
	expiry        string
	serviceCode   string
	discretionary secret.Value
}

const track2Max = 37 // ISO/IEC 7813: 40 with the sentinels and the LRC

// ParseTrack2 reads a card number, a separator ('=' or 'D'), the expiry as
// YYMM, a service code of three digits, and any further digits. Sentinels are
// not part of it. With the separator 'D', as in a chip, one 'F' of padding may
// stand at the end. It returns ErrTrack2 for anything else, a separator in
// place of expiry or service code and a month outside 01 to 12 included.
func ParseTrack2(s string) (Track2, error) {
	at := strings.IndexAny(s, "=D")
	if at < 0 {
		return Track2{}, ErrTrack2
	}
	rest := s[at+1:]
	if s[at] == 'D' {
		rest = strings.TrimSuffix(rest, "F")
	}
	if at+1+len(rest) > track2Max || len(rest) < 7 || !allDigits(rest) {
		return Track2{}, ErrTrack2
	}
	number, err := Parse(s[:at])
	if err != nil {
		return Track2{}, ErrTrack2
	}
	if month := rest[2:4]; month < "01" || month > "12" {
		return Track2{}, ErrTrack2
	}
	return Track2{inside: &track2{
		pan:           number,
		expiry:        strings.Clone(rest[:4]),
		serviceCode:   strings.Clone(rest[4:7]),
		discretionary: secret.FromString(rest[7:]),
	}}, nil
}

// IsZero reports whether t is empty.
func (t Track2) IsZero() bool { return t.inside == nil }

// PAN returns the card number.
func (t Track2) PAN() PAN { return t.fields().pan }

// Expiry returns the last month of validity as YYMM.
func (t Track2) Expiry() string { return t.fields().expiry }

// ServiceCode returns the three digits that say where and how the card works.
func (t Track2) ServiceCode() string { return t.fields().serviceCode }

// Discretionary returns the issuer's own digits: among them PVV and CVV.
func (t Track2) Discretionary() secret.Value { return t.fields().discretionary }

func (t Track2) fields() track2 {
	if t.inside == nil {
		return track2{}
	}
	return *t.inside
}

// String returns the masked card number and nothing else of the track.
func (t Track2) String() string { return t.PAN().Masked() + "=***" }

// GoString returns String.
func (t Track2) GoString() string { return t.String() }

// Format writes String for every verb and flag.
func (t Track2) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue logs String.
func (t Track2) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns String.
func (t Track2) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
