package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// BodyMax is how many bytes a request body may have.
const BodyMax = 1 << 20

// Sized is a body that may have another size than BodyMax.
type Sized interface{ BodyMax() int64 }

// Long is a body whose arrays may have another number of elements than
// ElementsMax.
type Long interface{ ElementsMax() int }

// ElementsKey is where the metadata of an operation tell what its body, a Long
// one, may have.
const ElementsKey = "elementsMax"

// ReadBody reads the body of a request whole, up to most bytes, or BodyMax when
// that is zero. Bodies that are compressed or of another media type are
// refused.
func ReadBody(w http.ResponseWriter, r *http.Request, mediaType string, most int64) ([]byte, error) {
	if most == 0 {
		most = BodyMax
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, fault.New(fault.Invalid, CodeMediaType, "the body must not be compressed")
	}
	if t := r.Header.Get("Content-Type"); t != "" {
		if got, _, err := mime.ParseMediaType(t); err != nil || got != mediaType {
			return nil, fault.New(fault.Invalid, CodeMediaType, "the body must be %s", mediaType)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(fault.Invalid, CodeTooLarge, "the body has more than %d bytes", most)
	case err != nil:
		return nil, fault.New(fault.Invalid, CodeInvalid, "the body could not be read").Wrap(err)
	}
	return body, nil
}

// CheckBody parses and checks a JSON body against what op expects, and returns
// it with plain integers where op expects integers: 2.0 becomes 2. It does
// nothing for an operation without a body.
func CheckBody(registry huma.Registry, op *huma.Operation, body []byte) ([]byte, error) {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return body, nil
	}
	if len(body) == 0 {
		if op.RequestBody.Required {
			return nil, Invalid().OnField("body", "required", "is required")
		}
		return body, nil
	}
	elements := ElementsMax
	if n, long := op.Metadata[ElementsKey].(int); long {
		elements = n
	}
	document, err := parse(body, elements)
	if err != nil {
		return nil, err
	}
	schema := op.RequestBody.Content["application/json"].Schema
	if err := Check(registry, schema, document); err != nil {
		return nil, err
	}
	return plainIntegers(registry, schema, body)
}

// Storable reports whether s can be kept and compared in every database: it is
// valid UTF-8 without NUL characters. Whatever is not, is refused at the edge.
func Storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// Bearer is the token of a request that has one of that scheme; else it is empty.
func Bearer(r *http.Request) secret.Value {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	return secret.FromString(strings.TrimSpace(token))
}

// ReadForm reads the body of a request as a form that gives each parameter once.
func ReadForm(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	body, err := ReadBody(w, r, "application/x-www-form-urlencoded", 0)
	if err != nil {
		return nil, err
	}
	form, ok := ParseForm(string(body))
	if !ok {
		return nil, Invalid().OnField("body", "malformed", "is not a well-formed form")
	}
	member := map[string]string{}
	for name, values := range form {
		if len(values) > 1 {
			return nil, Invalid().OnField("body", "repeated", "gives a parameter more than once")
		}
		member[name] = values[0]
	}
	return member, nil
}

// ParseForm reads a query string or a body of its form. It is false for one
// that is malformed, or not [Storable] when decoded.
func ParseForm(text string) (url.Values, bool) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, false
	}
	for name, all := range values {
		if !Storable(name) || slices.ContainsFunc(all, func(v string) bool { return !Storable(v) }) {
			return nil, false
		}
	}
	return values, true
}

// CanonicalQuery renames the query's parameters to the names op declares, for
// they match without regard to letter case. A parameter that is given twice is
// Invalid.
func CanonicalQuery(op *huma.Operation, r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	given, ok := ParseForm(r.URL.RawQuery)
	if !ok {
		return Invalid().OnField("query", "malformed", "is not a well-formed query string")
	}
	canonical := make(url.Values, len(given))
	for name, values := range given {
		for _, p := range op.Parameters {
			if p.In == "query" && strings.EqualFold(p.Name, name) {
				name = p.Name
				break
			}
		}
		canonical[name] = append(canonical[name], values...)
	}
	bad := Invalid()
	for _, p := range op.Parameters {
		repeatable := p.Schema != nil && p.Schema.Type == huma.TypeArray
		if p.In == "query" && len(canonical[p.Name]) > 1 && !repeatable {
			bad = bad.OnField(p.Name, "repeated", "is given more than once")
		}
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	r.URL.RawQuery = canonical.Encode()
	return nil
}
