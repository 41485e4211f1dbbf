package iso8583

import "encoding/binary"

// The four properties below are independent of one another: how a value
// stands on the wire, how its length does, how short values are filled, and
// which characters it may hold. A dialect names one of each for every field.

// encoding is how the value of a field stands on the wire.
type encoding uint8

const (
	asciiText encoding = iota + 1 // one byte a character
	rawBytes                      // as it is
	hexBytes                      // two hexadecimal digits a byte
)

// encodings by their names in dialect files.
var encodings = map[string]encoding{"ascii": asciiText, "raw": rawBytes, "hex": hexBytes}

// carriesText reports whether e is an encoding of characters, which a binary
// field cannot have.
func (e encoding) carriesText() bool { return e == asciiText }

// wireLen is how many bytes a value of n bytes takes.
func (e encoding) wireLen(n int) int {
	if e == hexBytes {
		return 2 * n
	}
	return n
}

// verbatim reports whether a value stands on the wire as it is in a message.
func (e encoding) verbatim() bool { return e != hexBytes }

// decode appends the value that wire holds. It is called for encodings that
// are not verbatim.
func (e encoding) decode(dst, wire []byte) ([]byte, bool) {
	for i := 0; i+1 < len(wire); i += 2 {
		hi, lo := nibble(wire[i]), nibble(wire[i+1])
		if hi > 15 || lo > 15 {
			return dst, false
		}
		dst = append(dst, hi<<4|lo)
	}
	return dst, true
}

// encode appends value as it stands on the wire.
func (e encoding) encode(dst, value []byte) []byte {
	if e.verbatim() {
		return append(dst, value...)
	}
	const digits = "0123456789ABCDEF"
	for _, c := range value {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// nibble is the value of a hexadecimal digit, 255 for any other character.
func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// lengthCoding is how the length prefix of a variable field is written.
type lengthCoding uint8

const (
	asciiLength  lengthCoding = iota + 1 // LL or LLL decimal digits
	binaryLength                         // a big-endian number of 1 byte (LL) or 2 bytes (LLL)
)

// lengthCodings by their names in dialect files.
var lengthCodings = map[string]lengthCoding{"ascii": asciiLength, "binary": binaryLength}

// width is how many bytes the prefix takes that holds digits decimal digits.
func (l lengthCoding) width(digits int) int {
	if l == binaryLength {
		return digits - 1
	}
	return digits
}

// read reads a whole prefix.
func (l lengthCoding) read(b []byte) (n int, ok bool) {
	for _, c := range b {
		if l == binaryLength {
			n = n<<8 | int(c)
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// append appends n, width bytes wide. That of a field is nearly always two or three
// digits.
func (l lengthCoding) append(dst []byte, n, width int) []byte {
	switch u := uint(n); {
	case l == asciiLength && width == 2:
		return append(dst, '0'+byte(u/10%10), '0'+byte(u%10))
	case l == asciiLength && width == 3:
		return append(dst, '0'+byte(u/100%10), '0'+byte(u/10%10), '0'+byte(u%10))
	}
	base, zero := 10, byte('0')
	if l == binaryLength {
		base, zero = 256, 0
	}
	for range width {
		dst = append(dst, 0)
	}
	for i := len(dst) - 1; i >= len(dst)-width; i-- {
		dst[i] = zero + byte(n%base)
		n /= base
	}
	return dst
}

// padding is how a value shorter than its fixed field is filled when written.
// Nothing is ever taken off when reading.
type padding uint8

const (
	noPadding   padding = iota + 1 // a short value is refused
	zerosLeft                      // numbers
	spacesRight                    // text
)

// paddings by their names in dialect files.
var paddings = map[string]padding{"none": noPadding, "zeros": zerosLeft, "spaces": spacesRight}

// class is the set of characters a field type allows.
type class uint8

const (
	digits class = 1 << iota
	letters
	space
	special
	track
	octet // any byte
)

// kind is a field type of the standard: its characters, whether a sign stands
// first, and how short values are filled unless the dialect says otherwise.
type kind struct {
	class  class
	signed bool
	binary bool
	pad    padding
}

// kinds by their names in dialect files.
var kinds = map[string]kind{
	"n":   {class: digits, pad: zerosLeft},
	"a":   {class: letters | space, pad: spacesRight},
	"an":  {class: digits | letters | space, pad: spacesRight},
	"ans": {class: digits | letters | space | special, pad: spacesRight},
	"ns":  {class: digits | space | special, pad: spacesRight},
	"z":   {class: track, pad: noPadding},
	"x+n": {class: digits, signed: true, pad: noPadding},
	"b":   {class: octet, binary: true, pad: noPadding},
}

// classes gives the classes each byte belongs to.
var classes = func() (t [256]class) {
	for c := range t {
		t[c] = octet
		switch {
		case c >= '0' && c <= '9':
			t[c] |= digits
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			t[c] |= letters
		case c == ' ':
			t[c] |= space
		case c > ' ' && c <= '~':
			t[c] |= special
		}
		// The track code set is columns 3 of ASCII; D is how packed
		// tracks write the separator.
		if c >= 0x30 && c <= 0x3F || c == 'D' {
			t[c] |= track
		}
	}
	return t
}()

// allows reports whether every byte of value is of the field's type.
func (k kind) allows(value []byte) bool {
	if k.class == octet {
		return true
	}
	if k.signed {
		if len(value) == 0 || value[0] != 'C' && value[0] != 'D' {
			return false
		}
		value = value[1:]
	}
	switch {
	case len(value) < 8:
	case k.class == digits:
		return areDigits(value)
	case k.class == digits|letters|space|special:
		return arePrintable(value)
	}
	for _, c := range value {
		if classes[c]&k.class == 0 {
			return false
		}
	}
	return true
}

const eachByte = 0x0101010101010101

// areDigits reports whether all bytes are 0x30 to 0x39. It looks at eight at a time,
// of which there must be as many; the last may overlap those before.
func areDigits(value []byte) bool {
	for i := 0; i < len(value)-8; i += 8 {
		if !eightDigits(binary.LittleEndian.Uint64(value[i:])) {
			return false
		}
	}
	return eightDigits(binary.LittleEndian.Uint64(value[len(value)-8:]))
}

// eightDigits: the high half of each byte is 3, and still is after six more.
func eightDigits(w uint64) bool {
	return w&(w+6*eachByte)&(0xF0*eachByte) == 0x30*eachByte
}

// arePrintable is areDigits for 0x20 to 0x7E.
func arePrintable(value []byte) bool {
	for i := 0; i < len(value)-8; i += 8 {
		if !eightPrintable(binary.LittleEndian.Uint64(value[i:])) {
			return false
		}
	}
	return eightPrintable(binary.LittleEndian.Uint64(value[len(value)-8:]))
}

// eightPrintable: no byte has the high bit, all have it after 0x60 more, none after
// one more.
func eightPrintable(w uint64) bool {
	const high = 0x80 * eachByte
	return (w|(w+eachByte))&high == 0 && (w+0x60*eachByte)&high == high
}
