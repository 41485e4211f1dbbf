package iso8583

import (
	"errors"
	"fmt"
	"io"
)

// Framing is how messages follow one another on a stream: a length before
// each, which counts the message and not itself. A length of zero is a
// keep-alive and carries no message.
type Framing uint8

// The framings this package knows. The zero value is none.
const (
	Len2BE    Framing = iota + 1 // two bytes, big endian
	Len4ASCII                    // four decimal digits
)

// Errors of framing. After either the stream has no known message boundary
// and the link must be closed.
var (
	ErrFrameLength = errors.New("iso8583 frame: its length is not a number")
	ErrFrameSize   = errors.New("iso8583 frame: it is longer than allowed")
)

// ParseFraming reads the name of a framing, "len2be" or "len4ascii".
func ParseFraming(name string) (Framing, error) {
	switch name {
	case "len2be":
		return Len2BE, nil
	case "len4ascii":
		return Len4ASCII, nil
	}
	return 0, fmt.Errorf("framing %q is neither len2be nor len4ascii", name)
}

// String is the name of the framing.
func (f Framing) String() string {
	switch f {
	case Len2BE:
		return "len2be"
	case Len4ASCII:
		return "len4ascii"
	}
	return "none"
}

// headerLen is the size of the length, in bytes.
func (f Framing) headerLen() int {
	if f == Len4ASCII {
		return 4
	}
	return 2
}

// bodyMax is the longest message the length can count.
func (f Framing) bodyMax() int {
	if f == Len4ASCII {
		return 9_999
	}
	return 65_535
}

// coding is how the length is written.
func (f Framing) coding() lengthCoding {
	if f == Len4ASCII {
		return asciiLength
	}
	return binaryLength
}

// Append appends body in its frame. An empty body is a keep-alive. It returns
// dst as it was and [ErrFrameSize] when the length cannot count so much.
func (f Framing) Append(dst, body []byte) ([]byte, error) {
	if len(body) > f.bodyMax() {
		return dst, ErrFrameSize
	}
	dst = f.coding().append(dst, len(body), f.headerLen())
	return append(dst, body...), nil
}

// Reader takes frames off a stream, however the stream cuts them. It is not
// safe for concurrent use.
type Reader struct {
	src     io.Reader
	framing Framing
	max     int
	buf     []byte
	begin   int // where what was read and not handed out begins
	end     int // and ends
}

// NewReader returns a reader of frames whose bodies have at most max bytes;
// a smaller bound of the framing itself holds too. It reads ahead of the
// frame it returns.
func NewReader(src io.Reader, f Framing, max int) *Reader {
	max = min(max, f.bodyMax())
	return &Reader{src: src, framing: f, max: max, buf: make([]byte, max+f.headerLen())}
}

// Next returns the body of the next frame, empty for a keep-alive. The slice
// is good until Next is called again.
//
// It returns [ErrFrameSize] or [ErrFrameLength] as soon as a length shows
// that, without waiting for a body; io.EOF when the stream ends between
// frames, and io.ErrUnexpectedEOF inside one. Any other error is the
// stream's; what was read so far is kept, so that after an error that passes,
// such as a deadline, Next goes on where it was.
func (r *Reader) Next() ([]byte, error) {
	header := r.framing.headerLen()
	if err := r.fill(header); err != nil {
		return nil, err
	}
	size, ok := r.framing.coding().read(r.buf[r.begin : r.begin+header])
	if !ok {
		return nil, ErrFrameLength
	}
	if size > r.max {
		return nil, ErrFrameSize
	}
	if err := r.fill(header + size); err != nil {
		return nil, err
	}
	body := r.buf[r.begin+header : r.begin+header+size : r.begin+header+size]
	r.begin += header + size
	return body, nil
}

// Await returns as soon as part of a frame has been read. Its errors are those
// of Next between frames.
func (r *Reader) Await() error { return r.fill(1) }

// Pending reports whether part of a frame has been read: a peer that is idle
// between frames leaves nothing pending, a peer that stopped inside one does.
func (r *Reader) Pending() bool { return r.end > r.begin }

// readsEmptyMax is how many reads in a row may return nothing.
const readsEmptyMax = 100

// fill reads until n bytes are there. The buffer holds the longest frame.
func (r *Reader) fill(n int) error {
	if r.begin > 0 && (r.begin == r.end || len(r.buf)-r.begin < n) {
		r.end = copy(r.buf, r.buf[r.begin:r.end])
		r.begin = 0
	}
	for empty := 0; r.end-r.begin < n; {
		read, err := r.src.Read(r.buf[r.end:])
		r.end += read
		if r.end-r.begin >= n {
			return nil // an error that came with the last bytes comes again
		}
		if err == io.EOF && r.Pending() {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if read > 0 {
			empty = 0
		} else if empty++; empty == readsEmptyMax {
			return io.ErrNoProgress
		}
	}
	return nil
}
