package iso8583

// Four properties of a field are independent of one another: how its value
// stands on the wire, how its length does, how short values are filled, and
// which characters it may hold ([kind]). A dialect names one of each for every
// field.

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
	if l == binaryLength {
		for _, c := range b {
			n = n<<8 | int(c)
		}
		return n, true
	}
	for _, c := range b {
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
