package issuing

import (
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// checks gathers everything wrong with an input, so that a caller learns it
// all at once.
type checks struct{ fields []fault.Field }

// fail records that a field is wrong. code is a stable word, text is English
// and quotes nothing.
func (v *checks) fail(name, code, text string) {
	v.fields = append(v.fields, fault.Field{Name: name, Code: code, Text: text})
}

// err returns what was found as one fault, or nil.
func (v *checks) err() error {
	if len(v.fields) == 0 {
		return nil
	}
	f := errInvalid
	for _, x := range v.fields {
		f = f.OnField(x.Name, x.Code, x.Text)
	}
	return f
}

var codeSyntax = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{0,31}$`)

func (v *checks) code(name, value string) {
	if !codeSyntax.MatchString(value) {
		v.fail(name, "not_a_code", "must be 1 to 32 of A-Z, 0-9, '_' and '-', not starting with a sign")
	}
}

// text checks the length in characters; shortest 1 makes the field required.
func (v *checks) text(name, value string, shortest, longest int) {
	n := utf8.RuneCountInString(value)
	switch {
	case n == 0 && shortest > 0:
		v.fail(name, "required", "is required")
	case n < shortest:
		v.fail(name, "too_short", "must have at least "+strconv.Itoa(shortest)+" characters")
	case n > longest:
		v.fail(name, "too_long", "must have at most "+strconv.Itoa(longest)+" characters")
	case !printable(value):
		v.fail(name, "not_printable", "must not hold control characters")
	}
}

func (v *checks) between(name string, value, least, most int) {
	if value < least || value > most {
		v.fail(name, "out_of_range", "must be from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
}

func (v *checks) is(name string, ok bool, code, text string) {
	if !ok {
		v.fail(name, code, text)
	}
}

// oneOf checks a value of a closed list; empty is missing.
func oneOf[T ~string](v *checks, name string, value T, list []T) {
	switch {
	case value == "":
		v.fail(name, "required", "is required")
	case !slices.Contains(list, value):
		v.fail(name, "not_a_value", "is not one of the known values")
	}
}

// someOf checks a list of values of a closed list, each at most once.
func someOf[T ~string](v *checks, name string, values []T, list []T) {
	for i, x := range values {
		at := name + "[" + strconv.Itoa(i) + "]"
		oneOf(v, at, x, list)
		if slices.Contains(values[:i], x) {
			v.fail(at, "repeated", "is there twice")
		}
	}
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7F || r == utf8.RuneError {
			return false
		}
	}
	return true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// moment checks a time that is kept as microseconds, where 0 means none, and
// shown with a year of four digits.
func (v *checks) moment(name string, t *time.Time) {
	v.is(name, t == nil || t.UnixMicro() > 0 && t.UTC().Year() <= 2199, "out_of_range", "must lie between 1970 and 2199")
}

// period checks when a switch begins and ends.
func (v *checks) period(at string, p Policy) {
	v.moment(at+"startDate", p.StartsAt)
	v.moment(at+"endDate", p.EndsAt)
}

// someTime is t, or nil for none.
func someTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
