package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// What a JSON document may hold at most.
const (
	DepthMax    = 32
	ElementsMax = 1000 // of one array, unless its operation says otherwise
)

// Object is a JSON object as Parse reads it.
type Object = map[string]any

// Parse reads one JSON document into Object, []any, string, float64, bool and
// nil, and refuses what encoding/json lets pass: duplicate members, anything
// after the document, invalid UTF-8 (also as unpaired surrogate escapes), NUL
// characters, more than 32 levels, more than 1000 elements in one array, and numbers beyond
// float64.
//
// A float64 is good enough to check a number's type and range; who needs its
// exact value takes it from the text (see [Decimal] and [CheckBody]). The error is a fault of
// kind Invalid that names the member by its dotted path and never quotes the
// document.
func Parse(document []byte) (any, error) { return parse(document, ElementsMax) }

// parse is Parse for arrays of up to elements.
func parse(document []byte, elements int) (any, error) {
	if !utf8.Valid(document) {
		return nil, malformed("", "is not valid UTF-8")
	}
	if path, bad := unpairedSurrogate(document); bad {
		return nil, malformed(path, "holds an unpaired surrogate")
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	v, err := parseValue(d, "", 0, elements)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("", "has something after the JSON document")
	}
	return v, nil
}

func malformed(path, why string) *fault.Error {
	if path == "" {
		path = "body"
	}
	return fault.New(fault.Invalid, CodeInvalid, "the request is not valid").OnField(path, "malformed", why)
}

func parseValue(d *json.Decoder, path string, depth, elements int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, malformed(path, "is not well-formed JSON")
	}
	switch t := t.(type) {
	case json.Delim:
		if depth++; depth > DepthMax {
			return nil, malformed(path, fmt.Sprintf("is nested deeper than %d levels", DepthMax))
		}
		if t == '{' {
			return parseObject(d, path, depth, elements)
		}
		return parseArray(d, path, depth, elements)
	case json.Number:
		f, err := strconv.ParseFloat(string(t), 64)
		if err != nil {
			return nil, malformed(path, "is a number out of range")
		}
		return f, nil
	case string:
		if !Storable(t) {
			return nil, malformed(path, "holds a NUL character")
		}
		return t, nil
	default:
		return t, nil
	}
}

func parseObject(d *json.Decoder, path string, depth, elements int) (any, error) {
	o := Object{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, malformed(path, "is not well-formed JSON")
		}
		member := Join(path, name)
		if !Storable(name) {
			return nil, malformed(member, "holds a NUL character")
		}
		if _, twice := o[name]; twice {
			return nil, malformed(member, "is given more than once")
		}
		if o[name], err = parseValue(d, member, depth, elements); err != nil {
			return nil, err
		}
	}
	return o, closing(d, path)
}

func parseArray(d *json.Decoder, path string, depth, elements int) (any, error) {
	a := []any{}
	for d.More() {
		if len(a) == elements {
			return nil, malformed(path, fmt.Sprintf("has more than %d elements", elements))
		}
		v, err := parseValue(d, Index(path, len(a)), depth, elements)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	return a, closing(d, path)
}

func closing(d *json.Decoder, path string) error {
	if _, err := d.Token(); err != nil {
		return malformed(path, "is not well-formed JSON")
	}
	return nil
}

// Join appends a member to a dotted path. A name that is neither a plain word nor
// several with dots between, as fields of rules have, is shown as "?", since it is
// the caller's text.
func Join(path, name string) string {
	for part := range strings.SplitSeq(name, ".") {
		if !isWord(part) {
			name = "?"
			break
		}
	}
	if len(name) > 64 || pan.ContainsPAN(name) {
		name = "?"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func isWord(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '$') {
			return false
		}
	}
	return s != "" && !digitsOnly(s)
}

// digitsOnly keeps a card number that was put where a name belongs out of the
// answer.
func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Index appends an array index to a dotted path.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// unpairedSurrogate finds \ud800–\udfff escapes that form no pair;
// encoding/json would silently read them as U+FFFD.
func unpairedSurrogate(document []byte) (path string, bad bool) {
	for i := 0; i < len(document); i++ {
		if document[i] != '\\' {
			continue
		}
		unit, ok := escapeAt(document, i)
		switch {
		case !ok:
			i++ // some other escape
		case unit >= 0xD800 && unit < 0xDC00:
			low, ok := escapeAt(document, i+6)
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return "", true
			}
			i += 11
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return "", true
		default:
			i += 5
		}
	}
	return "", false
}

// escapeAt reads \uXXXX at position i.
func escapeAt(b []byte, i int) (uint64, bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
	return unit, err == nil
}
