package iso8583

// Tags of the private data element (48) in the generic dialect. A tag is two
// digits, its length two digits, then its value. docs/dialect-generic.md
// gives the values.
const (
	TagCVV2             = 92
	TagCAVV             = 93
	TagECI              = 94
	TagRecurring        = 95
	TagWallet           = 96
	TagInstalments      = 97
	TagPreAuthorization = 98
	TagDigitalSlip      = 99
)

// tagMax is the highest tag of two digits.
const tagMax = 99

// TagReader walks over the tags of a data element without copying. The zero
// value walks over none.
type TagReader struct {
	rest  []byte
	tag   int
	value []byte
	seen  [2]uint64
	err   error
}

// ReadTags starts at the first tag of value, which the reader does not change
// and which must not change while it walks.
func ReadTags(value []byte) TagReader { return TagReader{rest: value} }

// Next goes to the next tag. It returns false at the end and at the first
// fault, which Err then tells.
func (r *TagReader) Next() bool {
	if r.err != nil || len(r.rest) == 0 {
		return false
	}
	if len(r.rest) < 4 {
		return r.fail(BadStructure)
	}
	tag, ok := number(r.rest[:2])
	size, okSize := number(r.rest[2:4])
	if !ok || !okSize || int(size) > len(r.rest)-4 {
		return r.fail(BadStructure)
	}
	word, mask := tag/64, uint64(1)<<(tag%64)
	if r.seen[word]&mask != 0 {
		return r.fail(Repeated)
	}
	r.seen[word] |= mask
	r.tag = int(tag)
	r.value = r.rest[4 : 4+size : 4+size]
	r.rest = r.rest[4+size:]
	return true
}

func (r *TagReader) fail(p Problem) bool {
	r.err = &FieldError{PrivateElements, p}
	return false
}

// Tag is the number of the current tag.
func (r *TagReader) Tag() int { return r.tag }

// Value is the value of the current tag, a view of what is read.
func (r *TagReader) Value() []byte { return r.value }

// Err is the fault that ended the walk: a *[FieldError], nil at the end.
func (r *TagReader) Err() error { return r.err }

// AppendTag appends a tag to dst. The tag is 0 to 99, the value at most 99
// bytes; anything else is an error and leaves dst as it was.
func AppendTag(dst []byte, tag int, value []byte) ([]byte, error) {
	if tag < 0 || tag > tagMax {
		return dst, &FieldError{PrivateElements, BadStructure}
	}
	if len(value) > 99 {
		return dst, &FieldError{PrivateElements, TooLong}
	}
	dst = asciiLength.append(dst, tag, 2)
	dst = asciiLength.append(dst, len(value), 2)
	return append(dst, value...), nil
}
