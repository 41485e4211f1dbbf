package iso8583

import (
	"bytes"
	"time"
)

// Original is field 90: which message a reversal undoes.
type Original struct {
	MTI                    MTI
	STAN                   string // six digits
	TransmissionDateTime   string // MMDDhhmmss of the original
	AcquiringInstitutionID string // without leading zeros, empty when not given
	ForwardingInstitution  string // likewise
}

// originalLen is the length of field 90: 4 + 6 + 10 + 11 + 11 digits.
const originalLen = 42

// ParseOriginal reads field 90. Institution identifiers are filled with zeros
// to eleven digits there; the zeros are taken off, so that they compare equal
// with fields 32 and 33 through [InstitutionID].
func ParseOriginal(v []byte) (Original, error) {
	if len(v) != originalLen {
		return Original{}, &FieldError{OriginalDataElements, BadStructure}
	}
	if !kinds["n"].allows(v) {
		return Original{}, &FieldError{OriginalDataElements, BadContent}
	}
	mti, _ := mtiOf(v[:4]) // four digits, checked above
	return Original{
		MTI:                    mti,
		STAN:                   string(v[4:10]),
		TransmissionDateTime:   string(v[10:20]),
		AcquiringInstitutionID: InstitutionID(v[20:31]),
		ForwardingInstitution:  InstitutionID(v[31:42]),
	}, nil
}

// OriginalOf is the field 90 that names m.
func OriginalOf(m *Message) Original {
	return Original{
		MTI:                    m.MTI,
		STAN:                   m.Text(STAN),
		TransmissionDateTime:   m.Text(TransmissionDateTime),
		AcquiringInstitutionID: InstitutionID(m.Bytes(AcquiringInstitutionID)),
		ForwardingInstitution:  InstitutionID(m.Bytes(ForwardingInstitutionID)),
	}
}

// Append appends the value of a field 90. Parts that are no digits or too
// long leave dst as it was.
func (o Original) Append(dst []byte) ([]byte, error) {
	out := dst
	for _, part := range []struct {
		value string
		width int
	}{
		{o.MTI.String(), 4}, {o.STAN, 6}, {o.TransmissionDateTime, 10},
		{o.AcquiringInstitutionID, 11}, {o.ForwardingInstitution, 11},
	} {
		if len(part.value) > part.width {
			return dst, &FieldError{OriginalDataElements, TooLong}
		}
		if !kinds["n"].allows([]byte(part.value)) {
			return dst, &FieldError{OriginalDataElements, BadContent}
		}
		for i := len(part.value); i < part.width; i++ {
			out = append(out, '0')
		}
		out = append(out, part.value...)
	}
	return out, nil
}

// InstitutionID is an institution identifier (fields 32, 33 and the parts of
// 90) in the one form in which two can be compared: without leading zeros.
func InstitutionID(v []byte) string { return string(bytes.TrimLeft(v, "0")) }

// Acceptor is a card acceptor's name and location, field 43: name 25, city
// 13, country 2.
type Acceptor struct {
	Name    string
	City    string
	Country string // ISO 3166 alpha-2
}

// ParseAcceptor splits field 43 and takes the padding off.
func ParseAcceptor(v []byte) (Acceptor, error) {
	if len(v) != 40 {
		return Acceptor{}, &FieldError{CardAcceptorNameLocation, BadStructure}
	}
	part := func(from, to int) string { return string(bytes.TrimSpace(v[from:to])) }
	return Acceptor{Name: part(0, 25), City: part(25, 38), Country: part(38, 40)}, nil
}

// Append appends the value of a field 43. Parts that are too long are cut,
// as terminals do; characters outside ASCII are refused by [Dialect.Append].
func (a Acceptor) Append(dst []byte) []byte {
	for _, part := range []struct {
		value string
		width int
	}{{a.Name, 25}, {a.City, 13}, {a.Country, 2}} {
		value := part.value[:min(len(part.value), part.width)]
		dst = append(dst, value...)
		for i := len(value); i < part.width; i++ {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// AppendTransmissionDateTime appends the value of a field 7: MMDDhhmmss, UTC.
func AppendTransmissionDateTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "0102150405")
}

// TransmissionTime is the moment of a field 7 (MMDDhhmmss, UTC). The field
// has no year: it is the one that brings the moment closest to near, so that
// a message of December 31 read on January 1 is a minute old, not a year
// early.
func TransmissionTime(v []byte, near time.Time) (time.Time, error) {
	return dateTime(TransmissionDateTime, v, near.UTC())
}

// LocalDateTime is the wall clock of the card acceptor from fields 13 (MMDD)
// and 12 (hhmmss), as if it were UTC: nothing in the message tells the zone.
// The year is found as in [TransmissionTime].
func LocalDateTime(date, clock []byte, near time.Time) (time.Time, error) {
	var v [10]byte
	if len(date) != 4 || len(clock) != 6 {
		return time.Time{}, &FieldError{LocalTime, BadStructure}
	}
	copy(v[:], date)
	copy(v[4:], clock)
	return dateTime(LocalTime, v[:], near.UTC())
}

// dateTime reads MMDDhhmmss in the year that lies closest to near.
func dateTime(field int, v []byte, near time.Time) (time.Time, error) {
	if len(v) != 10 || !kinds["n"].allows(v) {
		return time.Time{}, &FieldError{field, BadContent}
	}
	two := func(i int) int { return int(v[i]-'0')*10 + int(v[i+1]-'0') }
	var best time.Time
	for year := near.Year() - 1; year <= near.Year()+1; year++ {
		t := time.Date(year, time.Month(two(0)), two(2), two(4), two(6), two(8), 0, time.UTC)
		// Date normalizes what does not exist, such as February 30.
		if int(t.Month()) != two(0) || t.Day() != two(2) || t.Hour() != two(4) || t.Minute() != two(6) || t.Second() != two(8) {
			continue
		}
		if best.IsZero() || t.Sub(near).Abs() < best.Sub(near).Abs() {
			best = t
		}
	}
	if best.IsZero() {
		return time.Time{}, &FieldError{field, BadContent}
	}
	return best, nil
}
