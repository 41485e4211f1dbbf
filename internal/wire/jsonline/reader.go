package jsonline

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// LineMax is the longest line, in bytes.
const LineMax = 16 << 10

// Reader hands out the lines of a stream. It is not safe for concurrent use.
type Reader struct {
	src  *bufio.Reader
	line int
	sum  hash.Hash
}

// NewReader returns a reader of the lines of src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: bufio.NewReaderSize(src, LineMax+2), sum: sha256.New()}
}

// Line is the number of the line read last, from 1.
func (r *Reader) Line() int { return max(r.line, 1) }

// ContentHash is the SHA-256 of the lines read so far, each followed by one
// line feed, whatever ended it in the stream.
func (r *Reader) ContentHash() [sha256.Size]byte { return [sha256.Size]byte(r.sum.Sum(nil)) }

// Next returns the next line without its end, good until the next call. After
// the last it is io.EOF; a line too long is a *[Fault], anything else the
// stream's error.
func (r *Reader) Next() ([]byte, error) {
	line, err := r.src.ReadSlice('\n')
	if len(line) > 0 {
		r.line++
	}
	if err == io.EOF && len(line) > 0 {
		err = nil // the last line need not end
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &Fault{Problem: TooLong}
	}
	if err != nil {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > LineMax {
		return nil, &Fault{Problem: TooLong}
	}
	r.sum.Write(line)
	r.sum.Write([]byte("\n"))
	return line, nil
}
