// Package id holds typed, time-ordered identifiers.
//
// An ID is 16 bytes in the layout of a version 7 UUID (RFC 9562, 5.7). Its
// text is the entity's prefix and 26 characters of Crockford base32 in lower
// case, for example card_01kxb5yq0ee8ws9n3vt0c1c2dr. Order of text, of bytes
// and of creation time agree, so ids cluster in an index and page by creation.
package id

import (
	"bytes"
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Entity is what an ID identifies. IDPrefix is called on the zero value of the
// entity's type and returns the constant prefix of its ids: lower case letters
// and digits, at most 16.
type Entity interface{ IDPrefix() string }

// Errors of parsing. They never quote the input.
var (
	ErrPrefix = errors.New("identifier of another kind")
	ErrSyntax = errors.New("malformed identifier")
)

// ID identifies one E. It is comparable. The zero ID identifies nothing: its
// text is empty, and in the database it is NULL.
type ID[E Entity] struct{ b [16]byte }

const (
	alphabet   = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford: no i, l, o, u
	textDigits = 26                                 // 130 bits, of which the first two are zero
)

// New returns a fresh identifier created at now.
//
// The first 48 bits are Unix milliseconds, the 12 bits after the version are
// the fraction of that millisecond (RFC 9562, 6.2, method 3), so ids made a
// microsecond apart sort in their order; the other 62 bits are random.
func New[E Entity](now time.Time) ID[E] {
	var d ID[E]
	rand.Read(d.b[8:]) // never fails: it crashes the program instead
	ms := uint64(now.UnixMilli())
	fraction := uint64(now.Nanosecond()%1_000_000) * 4096 / 1_000_000
	for i := range 6 {
		d.b[i] = byte(ms >> (40 - 8*i))
	}
	d.b[6] = 0x70 | byte(fraction>>8)
	d.b[7] = byte(fraction)
	d.b[8] = d.b[8]&0x3F | 0x80
	return d
}

// Floor returns an identifier that sorts before all that are made at or after t,
// and after all that were made in an earlier millisecond.
func Floor[E Entity](t time.Time) ID[E] {
	var d ID[E]
	ms := uint64(max(0, t.UnixMilli()))
	for i := range 6 {
		d.b[i] = byte(ms >> (40 - 8*i))
	}
	d.b[6] = 0x70
	return d
}

// Parse reads the text form, and only the form String writes: it refuses
// another entity's prefix (ErrPrefix), upper case, wrong length, and the text
// of zero (ErrSyntax).
func Parse[E Entity](s string) (ID[E], error) {
	prefix := prefixOf[E]()
	if len(s) <= len(prefix) || s[:len(prefix)] != prefix || s[len(prefix)] != '_' {
		return ID[E]{}, fmt.Errorf("%w: want prefix %q", ErrPrefix, prefix)
	}
	s = s[len(prefix)+1:]
	if len(s) != textDigits || s[0] > '7' {
		return ID[E]{}, ErrSyntax
	}
	var d ID[E]
	// 128 bits as 26 digits of 5 bits, most significant first; two spare bits
	// on top, which s[0] <= '7' keeps zero.
	var acc uint32
	bits := -2
	n := 0
	for i := range textDigits {
		v := digitOf(s[i])
		if v < 0 {
			return ID[E]{}, ErrSyntax
		}
		acc = acc<<5 | uint32(v)
		if bits += 5; bits >= 8 {
			bits -= 8
			d.b[n] = byte(acc >> bits)
			n++
		}
	}
	if d.IsZero() {
		return ID[E]{}, ErrSyntax
	}
	return d, nil
}

// ParseUUID reads the form 8-4-4-4-12 in hexadecimal digits of either case.
// A UUID of any version is accepted, since a caller's well-formed key that we
// never gave out should be looked for and not found; the nil UUID is not.
func ParseUUID[E Entity](s string) (ID[E], error) {
	var d ID[E]
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID[E]{}, ErrSyntax
	}
	plain := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(d.b[:], []byte(plain)); err != nil || d.IsZero() {
		return ID[E]{}, ErrSyntax
	}
	return d, nil
}

// FromBytes returns the identifier of these 16 bytes, unchecked.
func FromBytes[E Entity](b [16]byte) ID[E] { return ID[E]{b: b} }

// Bytes returns the 16 bytes, big endian.
func (d ID[E]) Bytes() [16]byte { return d.b }

// IsZero reports whether d identifies nothing.
func (d ID[E]) IsZero() bool { return d == ID[E]{} }

// String returns the text form; empty for the zero ID.
func (d ID[E]) String() string {
	if d.IsZero() {
		return ""
	}
	var digits [textDigits]byte // of five bits each; the first has two to spare
	high, low := binary.BigEndian.Uint64(d.b[:8]), binary.BigEndian.Uint64(d.b[8:])
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = alphabet[low&31]
		low = low>>5 | high<<(64-5)
		high >>= 5
	}
	return prefixOf[E]() + "_" + string(digits[:])
}

// Compare orders identifiers as their text forms are ordered, which is by time.
func (d ID[E]) Compare(other ID[E]) int { return bytes.Compare(d.b[:], other.b[:]) }

// UUID returns the form 8-4-4-4-12 in lower case, the outward form of the
// families whose contract speaks of UUIDs.
func (d ID[E]) UUID() string {
	var out [36]byte
	hex.Encode(out[0:8], d.b[0:4])
	hex.Encode(out[9:13], d.b[4:6])
	hex.Encode(out[14:18], d.b[6:8])
	hex.Encode(out[19:23], d.b[8:10])
	hex.Encode(out[24:36], d.b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// Scan reads a TEXT column in the form of Value; NULL becomes the zero ID.
func (d *ID[E]) Scan(src any) error {
	var text string
	switch v := src.(type) {
	case nil:
		*d = ID[E]{}
		return nil
	case string:
		text = v
	case []byte:
		text = string(v)
	default:
		return fmt.Errorf("scan identifier: column holds %T", src)
	}
	parsed, err := Parse[E](text)
	if err != nil {
		return fmt.Errorf("scan identifier: %w", err)
	}
	*d = parsed
	return nil
}

// Value is the text form, and NULL for the zero ID.
func (d ID[E]) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// MarshalText is String, so that logs and JSON show the text form.
func (d ID[E]) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is Parse; empty text becomes the zero ID.
func (d *ID[E]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = ID[E]{}
		return nil
	}
	parsed, err := Parse[E](string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func prefixOf[E Entity]() string {
	var e E
	return e.IDPrefix()
}

// digitOf returns the value of a base32 digit, or -1.
func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'h':
		return int(c-'a') + 10
	case c == 'j' || c == 'k':
		return int(c-'j') + 18
	case c == 'm' || c == 'n':
		return int(c-'m') + 20
	case c >= 'p' && c <= 't':
		return int(c-'p') + 22
	case c >= 'v' && c <= 'z':
		return int(c-'v') + 27
	}
	return -1
}

// Texts returns the distinct text forms of ids in ascending order, zero ids left
// out: the order in which rows are locked.
func Texts[E Entity](ids []ID[E]) []string {
	texts := make([]string, 0, len(ids))
	for _, d := range ids {
		if !d.IsZero() {
			texts = append(texts, d.String())
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}
