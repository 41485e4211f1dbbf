// Package secret holds bytes that must never be printed: a PIN block, a CVV2,
// a key, discretionary track data. A [Value] shows as *** wherever it goes,
// and its bytes come out only through Reveal.
package secret

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const mask = "***"

// Value is a secret. Copies of a Value share the same bytes, so that Clear
// wipes all of them. The zero Value is empty.
//
// It is not comparable; use Equal, which takes constant time.
type Value struct {
	_ [0]func() // forbids ==, which would compare addresses

	// fmt calls no methods on unexported fields of the caller's struct; it
	// walks into them. A pointer below the top is printed as an address and not
	// followed, and the second pointer keeps that so even for a reflect.Value
	// of the first.
	box *box
}

type box struct{ bytes *[]byte }

// New returns a secret of a copy of b. Clearing b is left to the caller.
func New(b []byte) Value {
	c := bytes.Clone(b)
	return Value{box: &box{bytes: &c}}
}

// FromString returns a secret of the bytes of s.
func FromString(s string) Value {
	c := []byte(s)
	return Value{box: &box{bytes: &c}}
}

// Reveal returns the bytes themselves, not a copy: the caller must not modify
// or keep them. It returns nil for the zero Value and after Clear.
func (v Value) Reveal() []byte {
	if v.box == nil {
		return nil
	}
	return *v.box.bytes
}

// IsZero reports whether there are no bytes.
func (v Value) IsZero() bool { return v.Len() == 0 }

// Len returns how many bytes there are.
func (v Value) Len() int { return len(v.Reveal()) }

// Equal reports whether both hold the same bytes, in time that depends on
// their lengths only.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare(v.Reveal(), w.Reveal()) == 1
}

// Clear overwrites the bytes with zeros and forgets them, for every copy of v.
// It must not run beside other uses of v.
func (v Value) Clear() {
	if v.box == nil {
		return
	}
	clear(*v.box.bytes)
	*v.box.bytes = nil
}

// String returns ***.
func (v Value) String() string { return mask }

// GoString returns ***.
func (v Value) GoString() string { return mask }

// Format writes *** for every verb and flag.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue logs ***.
func (v Value) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns ***.
func (v Value) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON returns "***".
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }
