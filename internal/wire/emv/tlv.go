package emv

import "fmt"

// Problem says what is wrong with chip data, in words that hold nothing of
// its content. The words are stable.
type Problem string

// The problems that reading chip data can meet.
const (
	Truncated    Problem = "the data end inside it"
	BadTag       Problem = "a tag is longer than three bytes or not minimal"
	BadLength    Problem = "its length is not one it can have"
	BadDigits    Problem = "it is numeric and holds something else"
	Repeated     Problem = "it occurs twice"
	TooLong      Problem = "there is more than fits"
	NoLengthForm Problem = "its length is in a form that is not allowed"
)

// A TagError tells which object of chip data could not be read, and why. Tag
// is zero when it could not be read itself.
type TagError struct {
	Tag     Tag
	Problem Problem
}

// Error names the tag and the problem.
func (e *TagError) Error() string {
	if e.Tag == 0 {
		return "chip data: " + string(e.Problem)
	}
	return fmt.Sprintf("chip data, tag %s: %s", e.Tag, e.Problem)
}

// Reader walks over the objects of BER-TLV data without copying and without
// allocating. Bytes 00 and FF between objects are skipped. Constructed
// objects are not entered: read their value with a reader of its own. The
// zero value walks over nothing.
type Reader struct {
	rest  []byte
	tag   Tag
	value []byte
	err   *TagError
}

// Read starts at the first object of data, which must not change while the
// reader is in use.
func Read(data []byte) Reader { return Reader{rest: data} }

// Next goes to the next object. It returns false at the end and at the first
// fault, which Err then tells.
func (r *Reader) Next() bool {
	for len(r.rest) > 0 && (r.rest[0] == 0x00 || r.rest[0] == 0xFF) {
		r.rest = r.rest[1:]
	}
	if r.err != nil || len(r.rest) == 0 {
		return false
	}
	tag, n, problem := readTag(r.rest)
	if problem != "" {
		return r.fail(0, problem)
	}
	size, m, problem := readLength(r.rest[n:])
	if problem != "" {
		return r.fail(tag, problem)
	}
	n += m
	if size > len(r.rest)-n {
		return r.fail(tag, Truncated)
	}
	r.tag = tag
	r.value = r.rest[n : n+size : n+size]
	r.rest = r.rest[n+size:]
	return true
}

func (r *Reader) fail(t Tag, p Problem) bool {
	r.err = &TagError{t, p}
	return false
}

// Tag is the tag of the current object.
func (r *Reader) Tag() Tag { return r.tag }

// Value is the value of the current object, a view of the data.
func (r *Reader) Value() []byte { return r.value }

// Err is the fault that ended the walk, nil at the end of the data.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// readTag reads a tag of one to three bytes: when the low five bits of the
// first are all ones, bytes follow as long as their highest bit is set.
func readTag(b []byte) (t Tag, n int, p Problem) {
	t = Tag(b[0])
	if b[0]&0x1F != 0x1F {
		return t, 1, ""
	}
	for n = 1; n < 3; n++ {
		if n == len(b) {
			return 0, n, Truncated
		}
		if n == 1 && b[1] == 0x80 {
			return 0, n, BadTag // a leading zero in the tag number
		}
		t = t<<8 | Tag(b[n])
		if b[n]&0x80 == 0 {
			return t, n + 1, ""
		}
	}
	return 0, n, BadTag
}

// readLength reads the definite form: one byte below 128, or 81 and one byte,
// or 82 and two. A long form where a shorter would do is accepted: cards send
// it.
func readLength(b []byte) (size, n int, p Problem) {
	if len(b) == 0 {
		return 0, 0, Truncated
	}
	switch b[0] {
	case 0x81:
		if len(b) < 2 {
			return 0, 0, Truncated
		}
		return int(b[1]), 2, ""
	case 0x82:
		if len(b) < 3 {
			return 0, 0, Truncated
		}
		return int(b[1])<<8 | int(b[2]), 3, ""
	}
	if b[0] >= 0x80 {
		return 0, 0, NoLengthForm
	}
	return int(b[0]), 1, ""
}

// Append appends one object to dst. It panics when the value is longer than
// 65,535 bytes or the tag is zero: both come from our own code.
func Append(dst []byte, t Tag, value []byte) []byte {
	if t == 0 || len(value) > 0xFFFF {
		panic("emv: an object without a tag or too long to count")
	}
	if t > 0xFFFF {
		dst = append(dst, byte(t>>16))
	}
	if t > 0xFF {
		dst = append(dst, byte(t>>8))
	}
	dst = append(dst, byte(t))
	switch n := len(value); {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	default:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, value...)
}
