package iso8583

import "encoding/binary"

// class is the set of characters a field type allows.
type class uint8

const (
	digits class = 1 << iota
	letters
	space
	special
	track
	octet  // any byte
	signed // after a first character that is C or D
)

// kind is a field type of the standard: its characters, and how short values
// are filled unless the dialect says otherwise.
type kind struct {
	class  class
	binary bool
	pad    padding
}

// kinds by their names in dialect files.
var kinds = map[string]kind{
	"n":   {class: digits, pad: zerosLeft},
	"a":   {class: letters | space, pad: spacesRight},
	"an":  {class: digits | letters | space, pad: spacesRight},
	"ans": {class: printable, pad: spacesRight},
	"ns":  {class: digits | space | special, pad: spacesRight},
	"z":   {class: track, pad: noPadding},
	"x+n": {class: signed | digits, pad: noPadding},
	"b":   {class: octet, binary: true, pad: noPadding},
}

const printable = digits | letters | space | special

// allows reports whether every byte of value is of the field's type.
func (k kind) allows(value []byte) bool { return k.class.allows(value, 0, len(value)) }

// allows reports whether text[from:to] is of class c. It looks at eight bytes at a
// time; what stands behind the value may be looked at and does not matter.
func (c class) allows(text []byte, from, to int) bool {
	if c == digits { // as most fields: nothing of what follows but the loop
		for ; to-from > 8; from += 8 {
			if notDigits(eightBytes(text, from)) != 0 {
				return false
			}
		}
		return notDigits(eightBytes(text, from))<<(64-8*uint(to-from)) == 0
	}
	if c == octet {
		return true
	}
	if c&signed != 0 {
		return from < to && (text[from] == 'C' || text[from] == 'D') && (c&^signed).allows(text, from+1, to)
	}
	for ; to-from > 8; from += 8 {
		if c.outside(eightBytes(text, from)) != 0 {
			return false
		}
	}
	return c.outside(eightBytes(text, from))<<(64-8*uint(to-from)) == 0
}

// eightBytes are the bytes of b from i on, the first the lowest, and zeros behind
// the end of b.
func eightBytes(b []byte, i int) uint64 {
	b = b[i:]
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return lastBytes(b)
}

// lastBytes is eightBytes for fewer than eight.
func lastBytes(b []byte) (w uint64) {
	for i, c := range b {
		w |= uint64(c) << (8 * i)
	}
	return w
}

// In a word of eight bytes: each byte times one number, and the highest bit of each.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// outside is zero when all bytes of w are of class c. If not, the lowest byte of it
// that is not zero belongs to the first byte outside; those above say nothing, because
// sums carry. That is as good: bytes behind a value are above it.
func (c class) outside(w uint64) uint64 {
	if c == printable {
		return (w | ^between(w, ' ', '~')) & highBits
	}
	var in uint64
	if c&digits != 0 {
		in |= between(w, '0', '9')
	}
	if c&letters != 0 {
		in |= between(w|0x20*eachByte, 'a', 'z')
	}
	if c&space != 0 {
		in |= between(w, ' ', ' ')
	}
	if c&special != 0 {
		in |= between(w, '!', '/') | between(w, ':', '@') | between(w, '[', '`') | between(w, '{', '~')
	}
	if c&track != 0 {
		// Column 3 of ASCII; D is how packed tracks write the separator.
		in |= between(w, 0x30, 0x3F) | between(w, 'D', 'D')
	}
	return (w | ^in) & highBits
}

// notDigits is digits.outside: the high half of a digit is 3, and still is after
// six more.
func notDigits(w uint64) uint64 {
	return w&(w+6*eachByte)&(0xF0*eachByte) ^ 0x30*eachByte
}

// between sets the highest bit of each byte of w that lies between low and high. It
// is right up to the first byte that is not ASCII.
func between(w uint64, low, high byte) uint64 {
	return (w + uint64(0x80-low)*eachByte) &^ (w + uint64(0x7F-high)*eachByte) & highBits
}
