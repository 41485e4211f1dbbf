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
	data        []byte
	tag         Tag
	start, next int // where the value of the current object begins, and where it ends
	err         *TagError
}

// Read starts at the first object of data, which must not change while the
// reader is in use.
func Read(data []byte) Reader { return Reader{data: data} }

// Next goes to the next object. It returns false at the end and at the first
// fault, which Err then tells.
func (r *Reader) Next() bool {
	data, i := r.data, r.next
	for i < len(data) && (data[i] == 0x00 || data[i] == 0xFF) {
		i++
	}
	if r.err != nil || i >= len(data) {
		return false
	}
	tag, at := Tag(data[i]), i+1
	if tag&0x1F == 0x1F {
		var problem Problem
		if tag, at, problem = readLongTag(data, i); problem != "" {
			return r.fail(0, problem)
		}
	}
	var size int
	if at < len(data) && data[at] < 0x80 {
		size, at = int(data[at]), at+1
	} else {
		var problem Problem
		if size, at, problem = readLongLength(data, at); problem != "" {
			return r.fail(tag, problem)
		}
	}
	if size > len(data)-at {
		return r.fail(tag, Truncated)
	}
	r.tag, r.start, r.next = tag, at, at+size
	return true
}

func (r *Reader) fail(t Tag, p Problem) bool {
	r.err = &TagError{t, p}
	return false
}

// Tag is the tag of the current object.
func (r *Reader) Tag() Tag { return r.tag }

// Value is the value of the current object, a view of the data.
func (r *Reader) Value() []byte { return r.data[r.start:r.next:r.next] }

// Err is the fault that ended the walk, nil at the end of the data.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// readLongTag reads a tag at b[i] of which the low five bits of the first byte are
// all ones: bytes follow as long as their highest bit is set, two at most.
func readLongTag(b []byte, i int) (t Tag, next int, p Problem) {
	b = b[i:]
	switch {
	case len(b) < 2:
		return 0, i, Truncated
	case b[1] < 0x80:
		return Tag(b[0])<<8 | Tag(b[1]), i + 2, ""
	case b[1] == 0x80:
		return 0, i, BadTag // a leading zero in the tag number
	case len(b) < 3:
		return 0, i, Truncated
	case b[2] < 0x80:
		return Tag(b[0])<<16 | Tag(b[1])<<8 | Tag(b[2]), i + 3, ""
	}
	return 0, i, BadTag
}

// readLongLength reads a length at b[i] that is not one byte below 128, which is
// how most are: 81 and one byte, or 82 and two. A long form where a shorter would
// do is accepted: cards send it.
func readLongLength(b []byte, i int) (size, next int, p Problem) {
	b = b[i:]
	switch {
	case len(b) == 0:
		return 0, i, Truncated
	case b[0] == 0x81 && len(b) >= 2:
		return int(b[1]), i + 2, ""
	case b[0] == 0x82 && len(b) >= 3:
		return int(b[1])<<8 | int(b[2]), i + 3, ""
	case b[0] == 0x81 || b[0] == 0x82:
		return 0, i, Truncated
	}
	return 0, i, NoLengthForm
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
