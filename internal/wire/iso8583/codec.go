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

	present, pos, problem := d.readBitmap(buf[:len(body)], 4)
	if problem != "" {
		return &FieldError{1, problem}
	}
	for w, set := range present {
		for set != 0 {
			n := w*64 + bits.LeadingZeros64(set) + 1
			set &^= bit(n)
			pos, problem = d.readField(m, n, pos, len(body))
			if problem != "" {
				return &FieldError{n, problem}
			}
		}
	}
	if pos != len(body) {
		return &FieldError{0, Trailing}
	}
	return nil
}

// readBitmap reads the primary and, when its first bit says so, the secondary
// bitmap. The first bit is not a field and comes back clear.
func (d *Dialect) readBitmap(body []byte, pos int) (present [2]uint64, next int, problem Problem) {
	for w := range present {
		size := d.bitmap.wireLen(8)
		if len(body)-pos < size {
			return present, pos, Truncated
		}
		if d.bitmap == hexBytes {
			for _, c := range body[pos : pos+size] {
				v := nibble(c)
				if v > 15 {
					return present, pos, BadContent
				}
				present[w] = present[w]<<4 | uint64(v)
			}
		} else {
			present[w] = binary.BigEndian.Uint64(body[pos:])
		}
		pos += size
		if w == 0 && present[0]&bit(1) == 0 {
			return present, pos, ""
		}
	}
	present[0] &^= bit(1)
	return present, pos, ""
}

// readField reads field n, whose bytes begin at pos and lie before end, and
// marks it present in m.
func (d *Dialect) readField(m *Message, n, pos, end int) (next int, problem Problem) {
	f := &d.fields[n]
	if f.max == 0 {
		return pos, NotDefined
	}
	store := m.buf.bytes
	buf := *store
	size := f.max
	if f.prefix > 0 {
		if end-pos < f.prefix {
			return pos, Truncated
		}
		var ok bool
		if size, ok = f.length.read(buf[pos : pos+f.prefix]); !ok {
			return pos, BadLength
		}
		if size > f.max {
			return pos, TooLong
		}
		if size < f.min {
			return pos, TooShort
		}
		pos += f.prefix
	}
	wire := f.enc.wireLen(size)
	if end-pos < wire {
		return pos, Truncated
	}
	off := pos
	if !f.enc.verbatim() {
		off = len(buf)
		decoded, ok := f.enc.decode(buf, buf[pos:pos+wire])
		*store = decoded
		if !ok {
			return pos, BadContent
		}
		buf = decoded
	}
	if !f.kind.allows(buf[off : off+size]) {
		return pos, BadContent
	}
	m.bits[(n-1)>>6] |= bit(n)
	m.span[n] = span{uint32(off), uint32(size)}
	return pos + wire, ""
}

// Append appends m to dst as it goes on the wire, without its frame, and
// returns the longer slice. Values shorter than a fixed field are filled as
// the dialect says. On a *[FieldError] dst is returned as it was.
func (d *Dialect) Append(dst []byte, m *Message) ([]byte, error) {
	start := len(dst)
	digits := m.MTI.digits()
	for _, c := range digits {
		if c > '9' {
			return dst, &FieldError{0, BadContent}
		}
	}
	out := append(dst, digits[:]...)
	present := m.bits
	words := 1
	if present[1] != 0 {
		present[0] |= bit(1)
		words = 2
	}
	for _, w := range present[:words] {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], w)
		out = d.bitmap.encode(out, b[:])
	}
	for w, set := range m.bits {
		for set != 0 {
			n := w*64 + bits.LeadingZeros64(set) + 1
			set &^= bit(n)
			var problem Problem
			s := m.span[n]
			if out, problem = d.appendField(out, n, (*m.buf.bytes)[s.off:s.off+s.len]); problem != "" {
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

// appendField appends field n with its length prefix and padding.
func (d *Dialect) appendField(out []byte, n int, value []byte) ([]byte, Problem) {
	f := &d.fields[n]
	if f.max == 0 {
		return out, NotDefined
	}
	if len(value) > f.max {
		return out, TooLong
	}
	short := f.min - len(value)
	if short > 0 && (f.prefix > 0 || f.pad == noPadding) {
		return out, TooShort
	}
	if !f.kind.allows(value) {
		return out, BadContent
	}
	if f.prefix > 0 {
		out = f.length.append(out, len(value), f.prefix)
	}
	for ; short > 0 && f.pad == zerosLeft; short-- {
		out = append(out, '0')
	}
	out = f.enc.encode(out, value)
	for ; short > 0; short-- {
		out = append(out, ' ')
	}
	return out, ""
}
