package authorization

import (
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
)

// What is stored with each decision mostly repeats what is stored with every
// other: the names of members, and values that nearly all share. It is therefore
// packed against a dictionary, which leaves about a quarter (ADR 0032): one byte that
// names the dictionary, then a block of S2.
//
// A dictionary is never changed, for what was packed with it could not be read any
// more: a better one gets the next number and stands beside it.

//go:embed decision.dict
var decisionDictionary []byte

const (
	// packedBy is the number of the dictionary that is packed with.
	packedBy = 1
	// packedFirst is where in it a record begins: what is looked for first.
	packedFirst = 2364
	// unpackedMax bounds a text: what is longer is not stored, and what somebody has
	// altered takes no more memory.
	unpackedMax = 1 << 20
)

var packing = s2.MakeDictManual(decisionDictionary, packedFirst)

var (
	errPacked = errors.New("what is stored cannot be unpacked")
	errLong   = fmt.Errorf("a record or trace is longer than %d bytes", unpackedMax)
)

// Packed is a record or a trace. In the database it is bytes.
type Packed string

// Value packs the text.
func (p Packed) Value() (driver.Value, error) {
	if len(p) > unpackedMax {
		return nil, errLong
	}
	s := sparePackings.Get().(*packingSpace)
	defer sparePackings.Put(s)
	s.text = append(s.text[:0], p...)
	if n := s2.MaxEncodedLen(len(p)); n > len(s.block) {
		s.block = make([]byte, n)
	}
	block := packing.Encode(s.block, s.text)
	return append(append(make([]byte, 0, 1+len(block)), packedBy), block...), nil
}

// packingSpace is what packing takes for a moment: eight times what comes out of it.
type packingSpace struct{ text, block []byte }

var sparePackings = sync.Pool{New: func() any { return new(packingSpace) }}

// Scan unpacks what was stored.
func (p *Packed) Scan(stored any) error {
	b, ok := stored.([]byte)
	if !ok {
		return errPacked
	}
	text, err := unpack(b)
	*p = Packed(text)
	return err
}

// unpack is the text of what was stored.
func unpack(stored []byte) (string, error) {
	if len(stored) < 2 || stored[0] != packedBy {
		return "", errPacked
	}
	if n, err := s2.DecodedLen(stored[1:]); err != nil || n > unpackedMax {
		return "", errPacked
	}
	text, err := packing.Decode(nil, stored[1:])
	if err != nil {
		return "", fmt.Errorf("%w: %w", errPacked, err)
	}
	return string(text), nil
}
