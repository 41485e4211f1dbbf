// Package pan holds card numbers and what is encoded beside them on the
// stripe. Nothing here prints a whole number: every way of printing masks it,
// and only Reveal gives it away.
package pan

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unique"
)

// Errors of parsing. They never quote the input.
var (
	ErrSyntax = errors.New("not a card number of 12 to 19 digits")
	ErrTrack2 = errors.New("not track 2 data")
)

// PAN is a primary account number of 12 to 19 digits (ISO/IEC 7812-1). It is
// comparable. The zero PAN is no number and prints as nothing but stars.
//
// It wraps a unique.Handle and not a string: fmt calls no methods on a PAN in
// an unexported field and would print all digits of a string; a handle prints
// as an address, and == still compares the digits.
type PAN struct{ inside unique.Handle[string] }

// Parse reads 12 to 19 ASCII digits. The check digit is not verified, since
// numbers that fail it must still be answered; see ValidLuhn.
func Parse(s string) (PAN, error) {
	if len(s) < 12 || len(s) > 19 || !allDigits(s) {
		return PAN{}, ErrSyntax
	}
	return PAN{inside: unique.Make(strings.Clone(s))}, nil
}

// Reveal returns all digits; empty for the zero PAN. Only cryptography,
// encryption for storage, and what a contract demands in clear may call it.
func (p PAN) Reveal() string {
	if p.IsZero() {
		return ""
	}
	return p.inside.Value()
}

// IsZero reports whether p is no number.
func (p PAN) IsZero() bool { return p == PAN{} }

// Len returns the number of digits.
func (p PAN) Len() int { return len(p.Reveal()) }

// ValidLuhn reports whether the last digit is right (ISO/IEC 7812-1, Annex B).
func (p PAN) ValidLuhn() bool { return ValidLuhn(p.Reveal()) }

// Prefix returns the first n digits, at most 11: as long as an issuer's range
// gets, and too short to be a number.
func (p PAN) Prefix(n int) string {
	return p.Reveal()[:max(0, min(n, 11, p.Len()))]
}

// Last4 returns the last four digits.
func (p PAN) Last4() string {
	return p.Reveal()[max(0, p.Len()-4):]
}

// Masked shows the first six and the last four digits: 979206******0017.
func (p PAN) Masked() string { return p.MaskedPrefix(6) }

// MaskedPrefix shows the first n and the last four digits. More than PCI DSS
// 3.4.1 lets most people see is never shown: 8 digits in front of a number of
// 16 or more, 6 in front of a shorter one.
func (p PAN) MaskedPrefix(n int) string {
	if p.IsZero() {
		return "****"
	}
	limit := 6
	if p.Len() >= 16 {
		limit = 8
	}
	n = max(0, min(n, limit))
	return p.Prefix(n) + strings.Repeat("*", p.Len()-n-4) + p.Last4()
}

// String returns Masked.
func (p PAN) String() string { return p.Masked() }

// GoString returns Masked.
func (p PAN) GoString() string { return p.Masked() }

// Format writes Masked for every verb and flag.
func (p PAN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.Masked()) }

// LogValue logs Masked.
func (p PAN) LogValue() slog.Value { return slog.StringValue(p.Masked()) }

// MarshalText returns Masked.
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
