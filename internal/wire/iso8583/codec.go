package iso8583

import (
	"encoding/binary"
	"math/bits"
)

// Parse reads one message, without its frame, into m and replaces what m
// held. body is copied; m does not keep it.
//
// Parse checks what the dialect's field table says – lengths, characters, no
// byte left over – and nothing about which fields belong into the message:
// that is [Dialect.Missing]. On a *[FieldError] m holds the fields before the
// broken one, so that a format error can still be answered. It never panics,
// and allocates nothing when m has held a message of this size before.
func (d *Dialect) Parse(m *Message, body []byte) error {
	m.Reset()
	if len(body) > d.bodyMax {
		return &FieldError{0, TooLong}
	}
	store := m.store()
	buf := append(*store, body...)
	// The wire bytes are kept as they are and most values are views of them;
	// decoded values go behind.
	*store = buf

	if len(body) < 4 {
		return &FieldError{0, Truncated}
	}
	mti, ok := mtiOf(buf[:4])
	if !ok {
		return &FieldError{0, BadContent}
	}
	m.MTI = mti

	wire := buf[:len(body)]
	pos, problem := d.readBitmap(m, wire, 4)
	if problem != "" {
		return &FieldError{1, problem}
	}
	n, pos, problem := d.readFields(m, wire, pos)
	if problem != "" {
		m.cut(n)
		return &FieldError{n, problem}
	}
	if pos != len(wire) {
		return &FieldError{0, Trailing}
	}
	return nil
}

// readBitmap reads the primary and, when its first bit says so, the secondary
// bitmap. The first bit is not a field and comes back clear.
func (d *Dialect) readBitmap(m *Message, wire []byte, pos int) (next int, problem Problem) {
	first, pos, problem := d.readBits(wire, pos)
	if problem == "" && first&bit(1) != 0 {
		m.bits[1], pos, problem = d.readBits(wire, pos)
	}
	if problem == "" {
		m.bits[0] = first &^ bit(1)
	}
	return pos, problem
}

// readBits reads one word of the bitmap.
func (d *Dialect) readBits(wire []byte, pos int) (word uint64, next int, problem Problem) {
	next = pos + d.bitmap.wireLen(8)
	if next > len(wire) {
		return 0, pos, Truncated
	}
	if d.bitmap != hexBytes {
		return bits.Reverse64(binary.BigEndian.Uint64(wire[pos:])), next, ""
	}
	for _, c := range wire[pos:next] {
		v := nibble(c)
		if v > 15 {
			return 0, pos, BadContent
		}
		word = word<<4 | uint64(v)
	}
	return bits.Reverse64(word), next, ""
}

// readFields reads the fields that the bitmap of m announces. It stops at the
// first that is broken.
func (d *Dialect) readFields(m *Message, wire []byte, pos int) (n, next int, problem Problem) {
	for w := range m.bits {
		for set := m.bits[w]; set != 0; set &= set - 1 {
			n = w*64 + bits.TrailingZeros64(set) + 1
			f := &d.fields[n]
			end := pos + int(f.fixed)
			if f.fixed == 0 {
				if pos, end, problem = f.measure(wire, pos); problem != "" {
					return n, pos, problem
				}
			}
			if end > len(wire) {
				return n, pos, Truncated
			}
			if !f.kind.class.allows(wire, pos, end) {
				return n, pos, BadContent
			}
			if f.enc.verbatim() {
				m.span[n] = span{uint32(pos), uint32(end - pos)}
			} else if !m.decode(n, f.enc, wire[pos:end]) {
				return n, pos, BadContent
			}
			pos = end
		}
	}
	return 0, pos, ""
}

// measure finds the value of a field whose length is not fixed, by its prefix at
// wire[pos], and tells where on the wire it begins and ends. Whether it is there is
// not checked.
func (f *field) measure(wire []byte, pos int) (start, end int, problem Problem) {
	if f.max == 0 {
		return pos, pos, NotDefined
	}
	start = pos + int(f.prefix)
	if start > len(wire) {
		return pos, pos, Truncated
	}
	size, ok := f.length.read(wire[pos:start])
	if !ok {
		return pos, pos, BadLength
	}
	if size > int(f.max) {
		return pos, pos, TooLong
	}
	if size < int(f.min) {
		return pos, pos, TooShort
	}
	return start, start + f.enc.wireLen(size), ""
}

// Append appends m to dst as it goes on the wire, without its frame, and
// returns the longer slice. Values shorter than a fixed field are filled as
// the dialect says. On a *[FieldError] dst is returned as it was.
func (d *Dialect) Append(dst []byte, m *Message) ([]byte, error) {
	start := len(dst)
	if !m.MTI.isDecimal() {
		return dst, &FieldError{0, BadContent}
	}
	out := m.MTI.append(dst)
	present := m.bits
	words := 1
	if present[1] != 0 {
		present[0] |= bit(1)
		words = 2
	}
	for _, w := range present[:words] {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], bits.Reverse64(w))
		out = d.bitmap.encode(out, b[:])
	}
	for w, set := range m.bits {
		for ; set != 0; set &= set - 1 {
			n := w*64 + bits.TrailingZeros64(set) + 1
			var problem Problem
			if out, problem = d.fields[n].append(out, *m.buf.bytes, m.span[n]); problem != "" {
				clear(out[start:])
				return dst, &FieldError{n, problem}
			}
		}
	}
	if len(out)-start > d.bodyMax {
		clear(out[start:])
		return dst, &FieldError{0, TooLong}
	}
	return out, nil
}

// append appends the value at s of text with its length prefix and padding.
func (f *field) append(out, text []byte, s span) ([]byte, Problem) {
	if f.max == 0 {
		return out, NotDefined
	}
	size := int(s.len)
	if size > int(f.max) {
		return out, TooLong
	}
	short := int(f.min) - size
	if short > 0 && (f.prefix > 0 || f.pad == noPadding) {
		return out, TooShort
	}
	from, to := int(s.off), int(s.off+s.len)
	if !f.kind.class.allows(text, from, to) {
		return out, BadContent
	}
	if f.prefix > 0 {
		out = f.length.append(out, size, int(f.prefix))
	}
	for ; short > 0 && f.pad == zerosLeft; short-- {
		out = append(out, '0')
	}
	out = f.enc.encode(out, text[from:to])
	for ; short > 0; short-- {
		out = append(out, ' ')
	}
	return out, ""
}
