package clearingfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// Reader reads one file. It is not safe for concurrent use.
type Reader struct {
	lines   *jsonline.Reader
	header  Header
	trailer Trailer
	tally   tally
	done    error // what Next says from now on
}

// NewReader reads the header from src and returns a reader of what follows.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{lines: jsonline.NewReader(src)}
	line, err := r.next()
	if err == io.EOF {
		return nil, &FormatError{Line: 1, Problem: NotJSON}
	}
	if err != nil {
		return nil, err
	}
	h, fault := readHeader(line)
	if fault != nil {
		return nil, r.at(fault)
	}
	r.header = h
	return r, nil
}

// readHeader reads the first line.
func readHeader(line []byte) (Header, *FormatError) {
	t, fault := typeOf(line)
	if fault != nil {
		return Header{}, fault
	}
	if t != headerType {
		return Header{}, &FormatError{Member: "type", Problem: UnknownType}
	}
	var w headerText
	if fault := decode(line, headerMembers, &w); fault != nil {
		return Header{}, fault
	}
	return w.header()
}

// Header is what the file says of itself.
func (r *Reader) Header() Header { return r.header }

// Next returns the next presentment. After the last it checks the trailer and
// that nothing follows, and returns io.EOF only when all of it agrees: count,
// sums, currencies. A *[FormatError] tells the line and member at fault; any
// other error is the stream's. After an error Next returns it again.
func (r *Reader) Next() (Presentment, error) {
	if r.done != nil {
		return Presentment{}, r.done
	}
	p, err := r.read()
	if err != nil {
		r.done = err
	}
	return p, err
}

// read reads a presentment or the end of the file.
func (r *Reader) read() (Presentment, error) {
	line, err := r.next()
	if err == io.EOF {
		return Presentment{}, r.at(&FormatError{Problem: NoTrailer})
	}
	if err != nil {
		return Presentment{}, err
	}
	t, fault := typeOf(line)
	if fault != nil {
		return Presentment{}, r.at(fault)
	}
	switch t {
	case presentmentType:
		p, fault := readPresentment(line)
		if fault == nil {
			fault = r.tally.add(&p)
		}
		if fault != nil {
			return Presentment{}, r.at(fault)
		}
		p.Line = r.lines.Line()
		return p, nil
	case trailerType:
		return Presentment{}, r.end(line)
	}
	return Presentment{}, r.at(&FormatError{Member: "type", Problem: UnknownType})
}

// readPresentment reads a line between the first and the last.
func readPresentment(line []byte) (Presentment, *FormatError) {
	var w presentmentText
	if fault := decode(line, presentmentMembers, &w); fault != nil {
		return Presentment{}, fault
	}
	return w.presentment()
}

// end reads the trailer and checks it; io.EOF says that all is well.
func (r *Reader) end(line []byte) error {
	var w trailerText
	fault := decode(line, trailerMembers, &w)
	if fault != nil {
		return r.at(fault)
	}
	if r.trailer, fault = w.trailer(); fault == nil {
		fault = r.tally.verify(r.trailer)
	}
	if fault != nil {
		return r.at(fault)
	}
	if _, err := r.next(); err == nil {
		return r.at(&FormatError{Problem: AfterTrailer})
	} else if err != io.EOF {
		return err
	}
	return io.EOF
}

// Trailer is the verified trailer, zero before Next has returned io.EOF.
func (r *Reader) Trailer() Trailer {
	if r.done != io.EOF {
		return Trailer{}
	}
	return r.trailer
}

// ContentHash is the SHA-256 of the lines of the file, each followed by one
// line feed, whatever ended it in the file. It is complete once Next has
// returned io.EOF, and is how a file is known to have been seen before.
func (r *Reader) ContentHash() [sha256.Size]byte { return r.lines.ContentHash() }

// next returns the next line without its end, good until the next call.
func (r *Reader) next() ([]byte, error) {
	line, err := r.lines.Next()
	var fault *jsonline.Fault
	switch {
	case err == nil, err == io.EOF:
		return line, err
	case errors.As(err, &fault):
		return nil, r.at(formatError(fault))
	}
	return nil, fmt.Errorf("read clearing file after line %d: %w", r.lines.Line(), err)
}

// at puts the current line into a fault.
func (r *Reader) at(fault *FormatError) error {
	fault.Line = r.lines.Line()
	return fault
}
