package persofile

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/wire/jsonline"
)

// Authenticator computes HMAC-SHA-256 of a file's digest under the file's MAC
// key.
type Authenticator func(digest [32]byte) (mac []byte, err error)

// printer writes a file of either form.
type printer[T any] struct {
	form  form[T]
	dst   io.Writer
	line  int
	sum   hash.Hash
	tally tally
}

func newPrinter[T any](dst io.Writer, h Header, f form[T]) (*printer[T], error) {
	w := &printer[T]{form: f, dst: dst, sum: sha256.New()}
	line, err := jsonline.Encode(h.text(f.format))
	if err != nil {
		return nil, err
	}
	if _, fault := readHeader(line, f.format); fault != nil {
		return nil, w.at(fault)
	}
	return w, w.print(line)
}

func (w *printer[T]) write(record *T) error {
	line, err := jsonline.Encode(w.form.text(record))
	if err != nil {
		return err
	}
	if len(line) > jsonline.LineMax {
		return w.at(&jsonline.Fault{Problem: TooLong})
	}
	// What was made is read before it is written: there is one set of rules.
	back, fault := w.form.read(line)
	if fault == nil {
		fault = w.tally.add(w.form.hash(&back))
	}
	if fault != nil {
		return w.at(fault)
	}
	return w.print(line)
}

func (w *printer[T]) close(authenticate Authenticator) (Trailer, error) {
	t := Trailer{Count: w.tally.count, HashTotal: w.tally.total, Digest: [32]byte(w.sum.Sum(nil))}
	var err error
	if t.MAC, err = authenticate(t.Digest); err != nil {
		return Trailer{}, fmt.Errorf("authenticate personalization file: %w", err)
	}
	text := trailerText{Type: trailerType, Count: t.Count, SHA256: upperHex(t.Digest[:]), MAC: upperHex(t.MAC)}
	if w.form.format == orderFormat {
		text.HashTotal = &t.HashTotal
	}
	line, err := jsonline.Encode(text)
	if err != nil {
		return Trailer{}, err
	}
	if _, fault := text.trailer(w.form.format); fault != nil {
		return Trailer{}, w.at(fault)
	}
	return t, w.print(line)
}

// print writes a line and its end.
func (w *printer[T]) print(line []byte) error {
	line = append(line, '\n')
	if _, err := w.dst.Write(line); err != nil {
		return fmt.Errorf("write personalization file: %w", err)
	}
	w.sum.Write(line)
	w.line++
	return nil
}

// at puts the line to be written into a fault.
func (w *printer[T]) at(fault *jsonline.Fault) error {
	return &FormatError{Line: w.line + 1, Member: fault.Member, Problem: fault.Problem}
}

// OrderWriter writes one personalisation order. It is not safe for concurrent
// use.
type OrderWriter struct{ printer *printer[Card] }

// NewOrderWriter writes the header to dst and returns a writer of the cards.
// It refuses a header that no reader would take.
func NewOrderWriter(dst io.Writer, h Header) (*OrderWriter, error) {
	w, err := newPrinter(dst, h, orderForm)
	if err != nil {
		return nil, err
	}
	return &OrderWriter{w}, nil
}

// Write writes one card. One that a reader would not take is refused with a
// *[FormatError], nothing is written, and the writer can go on.
func (w *OrderWriter) Write(o *Card) error { return w.printer.write(o) }

// Close writes the trailer and returns it. It does not close what is written
// to, which is for the caller to make durable.
func (w *OrderWriter) Close(a Authenticator) (Trailer, error) { return w.printer.close(a) }

// StatusWriter writes one status report. It is not safe for concurrent use.
type StatusWriter struct{ printer *printer[Event] }

// NewStatusWriter writes the header to dst and returns a writer of the events.
func NewStatusWriter(dst io.Writer, h Header) (*StatusWriter, error) {
	w, err := newPrinter(dst, h, statusForm)
	if err != nil {
		return nil, err
	}
	return &StatusWriter{w}, nil
}

// Write writes one event, as [OrderWriter.Write] does cards.
func (w *StatusWriter) Write(e *Event) error { return w.printer.write(e) }

// Close writes the trailer and returns it.
func (w *StatusWriter) Close(a Authenticator) (Trailer, error) { return w.printer.close(a) }

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// text is h as it is written.
func (h *Header) text(format string) headerText {
	return headerText{
		Type: headerType, Format: format, Version: version, FileID: h.FileID, Vendor: h.Vendor, Issuer: h.Issuer,
		CreatedAt:    h.CreatedAt.UTC().Format(time.RFC3339Nano),
		TransportKey: &keyText{h.TransportKeyID, h.TransportKeyKCV},
		DataKey:      h.DataKey, PINKey: h.PINKey, MACKey: h.MACKey,
	}
}

// text is o as it is written.
func (o *Card) text() cardText {
	t := cardText{
		Type: cardType, OrderID: o.OrderID, CardToken: o.CardToken, Sequence: o.Sequence, MaskedPAN: o.MaskedPAN,
		Expires: o.Expires, ServiceCode: o.ServiceCode,
		Number: encode(o.Number), Track1: encode(o.Track1), Track2: encode(o.Track2), CVV2: encode(o.CVV2),
		Embossing: &embossingText{o.Embossing.Type, o.Embossing.Line1, o.Embossing.Line2},
		Plastic:   &plasticText{o.Plastic.Variant, o.Plastic.Plastic, o.Plastic.Design, o.Plastic.Carrier, o.Plastic.Language},
		Chip: &chipText{
			Profile: o.Chip.Profile, PSN: o.Chip.PSN, KeyVersion: o.Chip.KeyVersion, Tags: []tagText{}, Secret: encode(o.Chip.Secret),
			Keys: &chipKeysText{o.Chip.KeyAC, o.Chip.KeySMI, o.Chip.KeySMC}, PINBlock: upperHex(o.Chip.PINBlock),
		},
		Delivery: &deliveryText{o.Delivery.Method, o.Delivery.Courier, o.Delivery.Branch, o.Delivery.Express, encode(o.Delivery.Recipient)},
	}
	for _, tag := range o.Chip.Tags {
		t.Chip.Tags = append(t.Chip.Tags, tagText{tag.Name, tag.Value})
	}
	if l := o.Chip.Limits; l != (Limits{}) {
		t.Chip.Limits = &limitsText{l.Currency, l.ContactlessAmount, l.ContactlessCumulative, l.ContactlessCount, l.OfflineCount}
	}
	return t
}

// text is e as it is written.
func (e *Event) text() eventText {
	return eventText{
		Type: eventType, EventID: e.EventID, About: string(e.About), OrderID: e.OrderID, StatusCode: e.StatusCode,
		Status: e.Status, At: e.At.UTC().Format(time.RFC3339Nano), Description: e.Description, Location: e.Location,
		CourierCode: e.CourierCode, CourierName: e.CourierName, TrackingNo: e.TrackingNo, TrackingURL: e.TrackingURL,
		EstimatedDelivery: e.EstimatedDelivery, Recipient: encode(e.Recipient), RecipientRelation: e.RecipientRelation,
		ReturnReason: e.ReturnReason,
	}
}

// encode is an encrypted member as it is written; none is empty.
func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
