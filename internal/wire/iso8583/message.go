package iso8583

import (
	"fmt"
	"iter"
	"log/slog"
	"math/bits"
	"strings"
)

// Message is one ISO 8583 message: its type and a set of data elements.
//
// The zero value is an empty message. A message is meant to be used again:
// [Dialect.Parse] and [Message.Reset] keep its buffer. It is not safe for
// concurrent use, and must not be copied once it holds fields.
//
// Values are held as the standard writes them: digits and characters as
// ASCII, binary elements as raw bytes, fixed-length text with its padding.
type Message struct {
	MTI MTI

	bits [2]uint64 // the fields present, the lowest bit for the first: the bitmap reversed
	span [highest + 1]span
	buf  *buffer
}

// buffer holds the bytes of a message behind two pointers: when a struct that
// holds a message in an unexported field is printed, no method of ours is
// asked, and package fmt follows one pointer for a verb that does not fit.
type buffer struct{ bytes *[]byte }

// span is where the value of a field lies in the buffer.
type span struct{ off, len uint32 }

// store returns the buffer of m, made on first use.
func (m *Message) store() *[]byte {
	if m.buf == nil {
		b := make([]byte, 0, 512)
		m.buf = &buffer{&b}
	}
	return m.buf.bytes
}

// Reset empties m, erases what it held, and keeps its buffer.
func (m *Message) Reset() {
	m.MTI = 0
	m.bits = [2]uint64{}
	if m.buf != nil {
		b := m.buf.bytes
		clear(*b)
		*b = (*b)[:0]
	}
}

// Has reports whether field n is present. A number outside 2 to 128 is never.
func (m *Message) Has(n int) bool {
	return n >= 2 && n <= highest && m.bits[(n-1)>>6]&bit(n) != 0
}

// bit is the mask of field n in its word of Message.bits.
func bit(n int) uint64 { return 1 << ((n - 1) & 63) }

// Bytes is the value of field n, nil when it is absent. It is a view into the
// message: the caller must not change it, nor use it after the next Set, Unset,
// Reset or Parse.
func (m *Message) Bytes(n int) []byte {
	if !m.Has(n) {
		return nil
	}
	s := m.span[n]
	return (*m.buf.bytes)[s.off : s.off+s.len : s.off+s.len]
}

// Text is a copy of the value of field n, empty when it is absent.
func (m *Message) Text(n int) string { return string(m.Bytes(n)) }

// TrimmedText is Text without the spaces that pad fixed-length text.
func (m *Message) TrimmedText(n int) string { return strings.Trim(m.Text(n), " ") }

// Number is the value of field n as a number. It reports false when the field
// is absent, empty, longer than 18 characters or holds anything but digits.
func (m *Message) Number(n int) (int64, bool) { return number(m.Bytes(n)) }

// number reads 1 to 18 ASCII digits.
func number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	return v, true
}

// Set gives field n the value v, which is copied. Set panics when n is outside
// 2 to 128: numbers come from our own code. Whether v fits the field is
// checked by [Dialect.Append].
func (m *Message) Set(n int, v []byte) {
	s := m.place(n, len(v))
	copy(s, v)
}

// SetText is [Message.Set] for text.
func (m *Message) SetText(n int, v string) {
	s := m.place(n, len(v))
	copy(s, v)
}

// SetNumber gives field n the decimal digits of v, without leading zeros:
// [Dialect.Append] fills numeric fields of fixed length from the left. It
// panics when v is negative, which no field can hold.
func (m *Message) SetNumber(n int, v int64) {
	if v < 0 {
		panic("iso8583: a field cannot hold a negative number")
	}
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = '0' + byte(v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	m.Set(n, b[i:])
}

// place makes room for size bytes of field n and marks it present. A field
// that keeps its length keeps its place, so that setting the same field again
// and again does not grow the buffer.
func (m *Message) place(n, size int) []byte {
	if n < 2 || n > highest {
		panic("iso8583: no data element has this number")
	}
	buf := m.store()
	if m.Has(n) && int(m.span[n].len) == size {
		s := m.span[n]
		return (*buf)[s.off : s.off+s.len]
	}
	off := len(*buf)
	*buf = append(*buf, make([]byte, size)...)
	m.bits[(n-1)>>6] |= bit(n)
	m.span[n] = span{uint32(off), uint32(size)}
	return (*buf)[off:]
}

// Unset removes field n and erases its value.
func (m *Message) Unset(n int) {
	clear(m.Bytes(n))
	if m.Has(n) {
		m.bits[(n-1)>>6] &^= bit(n)
	}
}

// decode makes what wire holds the value of field n, behind what the buffer holds.
func (m *Message) decode(n int, e encoding, wire []byte) (ok bool) {
	store := m.store()
	off := len(*store)
	*store, ok = e.decode(*store, wire)
	m.span[n] = span{uint32(off), uint32(len(*store) - off)}
	return ok
}

// cut removes field n and all behind it.
func (m *Message) cut(n int) {
	for ; n <= highest; n++ {
		m.bits[(n-1)>>6] &^= bit(n)
	}
}

// Fields ranges over the fields present, in rising order of their numbers.
// The values are views, as in [Message.Bytes].
func (m *Message) Fields() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for w, set := range m.bits {
			for ; set != 0; set &= set - 1 {
				n := w*64 + bits.TrailingZeros64(set) + 1
				if !yield(n, m.Bytes(n)) {
					return
				}
			}
		}
	}
}

// CopyTo makes to an independent copy of m, which replaces what to held.
func (m *Message) CopyTo(to *Message) {
	to.Reset()
	to.MTI = m.MTI
	for n, v := range m.Fields() {
		to.Set(n, v)
	}
}

// String tells the message type and which fields are present, never a value.
func (m Message) String() string {
	var b strings.Builder
	b.WriteString(m.MTI.String())
	for n := range m.Fields() {
		fmt.Fprintf(&b, " %d", n)
	}
	return b.String()
}

// Format prints what [Message.String] tells, for every verb.
func (m Message) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.String()) }

// LogValue logs what [Message.String] tells.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }
