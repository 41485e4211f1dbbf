package fault

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Checks gathers everything wrong with an input, so that a caller learns it
// all at once.
type Checks struct{ Fields []Field }

// Fail records that a field is wrong. code is a stable word, text is English
// and quotes nothing.
func (v *Checks) Fail(name, code, text string) {
	v.Fields = append(v.Fields, Field{Name: name, Code: code, Text: text})
}

// Err returns what was found as the fault f on those fields, or nil when
// nothing is wrong.
func (v *Checks) Err(f *Error) error {
	if len(v.Fields) == 0 {
		return nil
	}
	for _, x := range v.Fields {
		f = f.OnField(x.Name, x.Code, x.Text)
	}
	return f
}

var codeSyntax = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{0,31}$`)

// Code checks the code of a definition.
func (v *Checks) Code(name, value string) {
	switch {
	case value == "":
		v.Fail(name, "required", "is required")
	case !codeSyntax.MatchString(value):
		v.Fail(name, "not_a_code", "must be 1 to 32 of A-Z, 0-9, '_' and '-', not starting with a sign")
	}
}

// Text checks the length in characters; shortest 1 makes the field required,
// and blanks alone are nothing.
func (v *Checks) Text(name, value string, shortest, longest int) {
	n := utf8.RuneCountInString(value)
	switch {
	case shortest > 0 && strings.TrimSpace(value) == "":
		v.Fail(name, "required", "is required")
	case n < shortest:
		v.Fail(name, "too_short", "must have at least "+strconv.Itoa(shortest)+" characters")
	case n > longest:
		v.Fail(name, "too_long", "must have at most "+strconv.Itoa(longest)+" characters")
	case !Printable(value):
		v.Fail(name, "not_printable", "must not hold control characters")
	}
}

// Between checks a whole number.
func (v *Checks) Between(name string, value, least, most int) {
	if value < least || value > most {
		v.Fail(name, "out_of_range", "must be from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
}

// Is records that a field is wrong unless ok.
func (v *Checks) Is(name string, ok bool, code, text string) {
	if !ok {
		v.Fail(name, code, text)
	}
}

// OneOf checks a value of a closed list; empty is missing.
func OneOf[T ~string](v *Checks, name string, value T, list []T) {
	switch {
	case value == "":
		v.Fail(name, "required", "is required")
	case !slices.Contains(list, value):
		v.Fail(name, "not_a_value", "is not one of the known values")
	}
}

// SomeOf checks a list of values of a closed list, each at most once.
func SomeOf[T ~string](v *Checks, name string, values []T, list []T) {
	for i, x := range values {
		at := name + "[" + strconv.Itoa(i) + "]"
		OneOf(v, at, x, list)
		if slices.Contains(values[:i], x) {
			v.Fail(at, "repeated", "is there twice")
		}
	}
}

// Printable reports whether a text holds no control characters.
func Printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7F || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// AllDigits reports whether a text is one or more digits.
func AllDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Moment checks a time that is kept as microseconds, where 0 means none, and
// shown with a year of four digits.
func (v *Checks) Moment(name string, t *time.Time) {
	v.Is(name, t == nil || t.UnixMicro() > 0 && t.UTC().Year() <= 2199, "out_of_range", "must lie between 1970 and 2199")
}
