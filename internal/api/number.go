package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/fault"
)

// exponentMax is beyond every amount and integer that has a meaning here; it
// bounds what a short text can grow to.
const exponentMax = 40

// plainNumber writes a JSON number without exponent and without zeros at the
// end of its fraction: "1.50e1" is "15". It is exact. It is false for an
// exponent beyond ±40.
func plainNumber(number string) (string, bool) {
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		var err error
		mantissa = number[:i]
		if exponent, err = strconv.Atoi(number[i+1:]); err != nil || exponent < -exponentMax || exponent > exponentMax {
			return "", false
		}
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits, point := whole+fraction, len(whole)+exponent
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	digits += strings.Repeat("0", max(0, point-len(digits)))
	whole, fraction = strings.TrimLeft(digits[:point], "0"), strings.TrimRight(digits[point:], "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && whole != "0" {
		whole = "-" + whole
	}
	return whole, true
}

// plainIntegers returns document, which was parsed and checked, with plain
// integers where schema wants integers: 2.0 and 3e1 are integers to JSON Schema
// and none to encoding/json. A number that is no integer, or does not fit in its
// format, is Invalid.
func plainIntegers(registry huma.Registry, schema *huma.Schema, document []byte) ([]byte, error) {
	w := &integerWalk{registry: registry, tokens: json.NewDecoder(bytes.NewReader(document)), from: document, bad: Invalid()}
	w.tokens.UseNumber()
	if err := w.value(schema, ""); err != nil {
		return nil, malformed("", "is not well-formed JSON")
	}
	if len(w.bad.Fields) > 0 {
		return nil, w.bad
	}
	return append(w.to, document[w.done:]...), nil
}

type integerWalk struct {
	registry huma.Registry
	tokens   *json.Decoder
	from, to []byte
	done     int // how much of from is in to
	bad      *fault.Error
}

func (w *integerWalk) value(s *huma.Schema, path string) error {
	for s != nil && s.Ref != "" {
		s = w.registry.SchemaFromRef(s.Ref)
	}
	if s == nil {
		s = &huma.Schema{}
	}
	token, err := w.tokens.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Number:
		if format, ok := integerFormat(s); ok {
			w.integer(string(token), format, path)
		}
	case json.Delim:
		for i := 0; w.tokens.More(); i++ {
			member, at := s.Items, Index(path, i)
			if token == '{' {
				name, err := w.tokens.Token()
				if err != nil {
					return err
				}
				member, at = memberOf(s, name.(string)), Join(path, name.(string))
			}
			if err := w.value(member, at); err != nil {
				return err
			}
		}
		_, err = w.tokens.Token() // the closing one
	}
	return err
}

// integer replaces the number that was read last.
func (w *integerWalk) integer(number, format, path string) {
	bits := 64
	if format == "int32" {
		bits = 32
	}
	plain, ok := plainNumber(number)
	if !ok || strings.Contains(plain, ".") {
		w.bad = w.bad.OnField(path, "invalid", "must be an integer")
		return
	}
	if _, err := strconv.ParseInt(plain, 10, bits); err != nil {
		w.bad = w.bad.OnField(path, "range", "is out of range")
		return
	}
	end := int(w.tokens.InputOffset())
	w.to = append(append(w.to, w.from[w.done:end-len(number)]...), plain...)
	w.done = end
}

// integerFormat finds out whether s takes integers, and of which format.
func integerFormat(s *huma.Schema) (string, bool) {
	if s.Type == huma.TypeInteger {
		return s.Format, true
	}
	for _, choice := range slices.Concat(s.OneOf, s.AnyOf) { // the codes of an enumeration, or a text in their place
		if choice.Type == huma.TypeInteger {
			return choice.Format, true
		}
	}
	return "", false
}

// memberOf is the schema of an object's member; nil when it has none.
func memberOf(s *huma.Schema, name string) *huma.Schema {
	if member, ok := s.Properties[name]; ok {
		return member
	}
	values, _ := s.AdditionalProperties.(*huma.Schema)
	return values
}
