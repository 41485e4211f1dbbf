package persofile

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// The members of each type of line.
var (
	headerMembers  = jsonline.MembersOf(reflect.TypeFor[headerText]())
	cardMembers    = jsonline.MembersOf(reflect.TypeFor[cardText]())
	eventMembers   = jsonline.MembersOf(reflect.TypeFor[eventText]())
	trailerMembers = jsonline.MembersOf(reflect.TypeFor[trailerText]())
)

// lines reads a file of either form.
type lines[T any] struct {
	form    form[T]
	src     *jsonline.Reader
	header  Header
	trailer Trailer
	tally   tally
	done    error // what next says from now on
}

// form is what a format's records look like.
type form[T any] struct {
	format, record string
	read           func(line []byte) (T, *jsonline.Fault)
	text           func(record *T) any
	hash           func(record *T) int64
	place          func(record *T, line int)
}

var orderForm = form[Card]{
	format: orderFormat, record: cardType, read: readCard,
	text:  func(o *Card) any { return o.text() },
	hash:  func(o *Card) int64 { n, _ := lastFour(o.MaskedPAN); return n },
	place: func(o *Card, line int) { o.Line = line },
}

var statusForm = form[Event]{
	format: statusFormat, record: eventType, read: readEvent,
	text:  func(e *Event) any { return e.text() },
	hash:  func(*Event) int64 { return 0 },
	place: func(e *Event, line int) { e.Line = line },
}

func readCard(line []byte) (Card, *jsonline.Fault) {
	var w cardText
	if fault := jsonline.Decode(line, cardMembers, &w); fault != nil {
		return Card{}, fault
	}
	return w.card()
}

func readEvent(line []byte) (Event, *jsonline.Fault) {
	var w eventText
	if fault := jsonline.Decode(line, eventMembers, &w); fault != nil {
		return Event{}, fault
	}
	return w.event()
}

// readHeader reads the first line.
func readHeader(line []byte, format string) (Header, *jsonline.Fault) {
	t, fault := jsonline.TypeOf(line)
	if fault != nil {
		return Header{}, fault
	}
	if t != headerType {
		return Header{}, &jsonline.Fault{Member: "type", Problem: UnknownType}
	}
	var w headerText
	if fault := jsonline.Decode(line, headerMembers, &w); fault != nil {
		return Header{}, fault
	}
	return w.header(format)
}

// tally counts records and adds up their hash total.
type tally struct {
	count int
	total int64
}

func (t *tally) add(hash int64) *jsonline.Fault {
	if t.count >= RecordsMax {
		return &jsonline.Fault{Problem: TooMany}
	}
	t.count++
	t.total += hash
	return nil
}

func newLines[T any](src io.Reader, f form[T]) (*lines[T], error) {
	r := &lines[T]{form: f, src: jsonline.NewReader(src)}
	line, err := r.line()
	if err == io.EOF {
		return nil, &FormatError{Line: 1, Problem: NotJSON}
	}
	if err != nil {
		return nil, err
	}
	h, fault := readHeader(line, f.format)
	if fault != nil {
		return nil, r.at(fault)
	}
	r.header = h
	return r, nil
}

func (r *lines[T]) next() (T, error) {
	var none T
	if r.done != nil {
		return none, r.done
	}
	record, err := r.read()
	if err != nil {
		r.done = err
		return none, err
	}
	return record, nil
}

// read reads a record or the end of the file.
func (r *lines[T]) read() (record T, err error) {
	digest := r.src.ContentHash()
	line, err := r.line()
	if err == io.EOF {
		return record, r.at(&jsonline.Fault{Problem: NoTrailer})
	}
	if err != nil {
		return record, err
	}
	t, fault := jsonline.TypeOf(line)
	if fault != nil {
		return record, r.at(fault)
	}
	switch t {
	case r.form.record:
		if record, fault = r.form.read(line); fault == nil {
			fault = r.tally.add(r.form.hash(&record))
		}
		if fault != nil {
			return record, r.at(fault)
		}
		r.form.place(&record, r.src.Line())
		return record, nil
	case trailerType:
		return record, r.end(line, digest)
	}
	return record, r.at(&jsonline.Fault{Member: "type", Problem: UnknownType})
}

// end reads the trailer and checks it; io.EOF says that all is well.
func (r *lines[T]) end(line []byte, digest [32]byte) error {
	var w trailerText
	fault := jsonline.Decode(line, trailerMembers, &w)
	if fault == nil {
		r.trailer, fault = w.trailer(r.form.format)
	}
	if fault == nil {
		switch {
		case r.trailer.Count != r.tally.count:
			fault = &jsonline.Fault{Member: "count", Problem: WrongCount}
		case r.trailer.HashTotal != r.tally.total:
			fault = &jsonline.Fault{Member: "hashTotal", Problem: WrongTotal}
		case r.trailer.Digest != digest:
			fault = &jsonline.Fault{Member: "sha256", Problem: WrongDigest}
		}
	}
	if fault != nil {
		return r.at(fault)
	}
	if _, err := r.line(); err == nil {
		return r.at(&jsonline.Fault{Problem: AfterTrailer})
	} else if err != io.EOF {
		return err
	}
	return io.EOF
}

// verified is the trailer once the file has been read to its end.
func (r *lines[T]) verified() Trailer {
	if r.done != io.EOF {
		return Trailer{}
	}
	return r.trailer
}

// line returns the next line without its end, good until the next call.
func (r *lines[T]) line() ([]byte, error) {
	line, err := r.src.Next()
	var fault *jsonline.Fault
	switch {
	case err == nil, err == io.EOF:
		return line, err
	case errors.As(err, &fault):
		return nil, r.at(fault)
	}
	return nil, fmt.Errorf("read personalization file after line %d: %w", r.src.Line(), err)
}

// at puts the current line into a fault.
func (r *lines[T]) at(fault *jsonline.Fault) error {
	return &FormatError{Line: r.src.Line(), Member: fault.Member, Problem: fault.Problem}
}

// OrderReader reads one personalisation order. It is not safe for concurrent
// use.
type OrderReader struct{ lines *lines[Card] }

// NewOrderReader reads the header from src and returns a reader of the cards.
func NewOrderReader(src io.Reader) (*OrderReader, error) {
	r, err := newLines(src, orderForm)
	if err != nil {
		return nil, err
	}
	return &OrderReader{r}, nil
}

// Header is what the file says of itself.
func (r *OrderReader) Header() Header { return r.lines.header }

// Next returns the next card. After the last it checks the trailer and that
// nothing follows, and returns io.EOF only when all of it agrees: count, hash
// total and digest. A *[FormatError] tells the line and member at fault; any
// other error is the stream's. After an error Next returns it again.
func (r *OrderReader) Next() (Card, error) { return r.lines.next() }

// Trailer is the trailer, zero before Next has returned io.EOF. Its MAC is for
// the caller to verify.
func (r *OrderReader) Trailer() Trailer { return r.lines.verified() }

// StatusReader reads one status report. It is not safe for concurrent use.
type StatusReader struct{ lines *lines[Event] }

// NewStatusReader reads the header from src and returns a reader of the events.
func NewStatusReader(src io.Reader) (*StatusReader, error) {
	r, err := newLines(src, statusForm)
	if err != nil {
		return nil, err
	}
	return &StatusReader{r}, nil
}

// Header is what the file says of itself.
func (r *StatusReader) Header() Header { return r.lines.header }

// Next returns the next event, as [OrderReader.Next] does cards.
func (r *StatusReader) Next() (Event, error) { return r.lines.next() }

// Trailer is the trailer, zero before Next has returned io.EOF. Its MAC is for
// the caller to verify.
func (r *StatusReader) Trailer() Trailer { return r.lines.verified() }
