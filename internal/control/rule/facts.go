package rule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Facts are the values of fields about one transaction or event. The zero Facts
// knows none: what was not set is missing. It is filled by the setters of the
// field's type – another one is a mistake of the program and panics – and then
// only read, by any number of goroutines.
//
// Facts holds its values in place, so that filling and matching allocate
// nothing. It is large: pass a pointer.
type Facts struct {
	slots [fieldCount]slot
	list  []string // of the one field that holds a list
}

// slot is the value of one field.
type slot struct {
	text   string
	number Number // a boolean is 0 or 1, a date counts days, a time seconds
	known  bool
}

func (f *Facts) set(id FieldID, s slot, types ...Type) {
	for _, t := range types {
		if fields[id].Type == t {
			f.slots[id] = s
			return
		}
	}
	panic("rule: " + fields[id].Name + " is of type " + string(fields[id].Type))
}

// SetText sets a string or an enumeration. An empty text is missing.
func (f *Facts) SetText(id FieldID, text string) {
	f.set(id, slot{text: text, known: text != ""}, String, Enum)
}

// SetInteger sets an integer, which lies within the bounds of its field.
func (f *Facts) SetInteger(id FieldID, n int64) {
	f.set(id, slot{number: Number{Coefficient: n}, known: true}, Integer)
}

// SetFlag sets a boolean.
func (f *Facts) SetFlag(id FieldID, flag bool) {
	s := slot{known: true}
	if flag {
		s.number.Coefficient = 1
	}
	f.set(id, s, Boolean)
}

// SetDecimal sets a decimal.
func (f *Facts) SetDecimal(id FieldID, n Number) {
	f.set(id, slot{number: n, known: true}, Decimal)
}

// SetAmount sets a decimal to an amount in major units.
func (f *Facts) SetAmount(id FieldID, a money.Amount) {
	f.SetDecimal(id, Number{Coefficient: a.Minor(), Exponent: uint8(a.Currency().Exponent())})
}

// SetDate sets a date. The zero Date is missing.
func (f *Facts) SetDate(id FieldID, d clock.Date) {
	f.set(id, slot{number: numberOfDate(d), known: !d.IsZero()}, Date)
}

// SetTime sets a time of day.
func (f *Facts) SetTime(id FieldID, hour, minute, second int) {
	f.set(id, slot{number: Number{Coefficient: int64(hour)*3600 + int64(minute)*60 + int64(second)}, known: true}, Time)
}

// SetList sets a list of texts, which stays the caller's to leave unchanged.
func (f *Facts) SetList(id FieldID, list []string) {
	f.set(id, slot{known: true}, StringList)
	f.list = list
}

// Forget makes a field missing.
func (f *Facts) Forget(id FieldID) { f.slots[id] = slot{} }

// Known reports whether the field is not missing.
func (f *Facts) Known(id FieldID) bool { return f.slots[id].known }

// JSON is the value of a field as JSON writes it; null for a missing one.
func (f *Facts) JSON(id FieldID) string {
	s := &f.slots[id]
	switch {
	case !s.known:
		return "null"
	case fields[id].Type == StringList:
		return quoteAll(f.list)
	}
	return (&value{text: s.text, number: s.number}).json(fields[id].Type)
}

// value is a constant that a rule compares with, or a fact.
type value struct {
	text   string
	number Number
}

// plain is the value as people write it, without quotes.
func (v *value) plain(t Type) string {
	switch t {
	case String, Enum, StringList:
		return v.text
	case Boolean:
		return strconv.FormatBool(v.number.Coefficient != 0)
	case Date:
		return dateOfNumber(v.number).String()
	case Time:
		s := v.number.Coefficient
		if s%60 == 0 {
			return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
		}
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return v.number.String()
}

func (v *value) json(t Type) string {
	switch t {
	case Integer, Decimal, Boolean:
		return v.plain(t)
	}
	return quote(v.plain(t))
}

// quote writes a text as JSON, and CEL, write a string.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has an encoding
	return strings.TrimSuffix(b.String(), "\n")
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// numberOfDate counts the days since 1 January 1970.
func numberOfDate(d clock.Date) Number {
	if d.IsZero() {
		return Number{}
	}
	return Number{Coefficient: int64(d.DaysSince(epoch))}
}

func dateOfNumber(n Number) clock.Date {
	return epoch.AddDays(int(n.Coefficient))
}

// epoch is the day that dates are counted from.
var epoch = clock.Date{Year: 1970, Month: 1, Day: 1}

// Text returns the value of a string or an enumeration, and whether it is known.
func (f *Facts) Text(id FieldID) (string, bool) {
	s := &f.slots[id]
	return s.text, s.known
}

// Flag returns the value of a boolean, and whether it is known.
func (f *Facts) Flag(id FieldID) (flag, known bool) {
	s := &f.slots[id]
	return s.number.Coefficient == 1, s.known
}

// Number returns the value of a number, and whether it is known.
func (f *Facts) Number(id FieldID) (Number, bool) {
	s := &f.slots[id]
	return s.number, s.known
}

// List returns the value of the one field that holds a list.
func (f *Facts) List(id FieldID) []string {
	if !f.slots[id].known {
		return nil
	}
	return f.list
}
