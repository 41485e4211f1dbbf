package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Check holds a parsed document against its schema. It returns all field errors
// at once: kind Invalid for wrong types, missing members, values outside
// their bounds, and members that differ from a known one by letter case only;
// otherwise kind Refused when free text holds a card number. Members the
// schema does not know are passed over, except in what is [Whole].
func Check(registry huma.Registry, schema *huma.Schema, document any) error {
	w := &walk{registry: registry}
	w.visit(schema, document, "")
	bad := Invalid()
	for _, f := range w.strangers {
		bad = bad.OnField(f.Name, f.Code, f.Text)
	}
	if len(bad.Fields) > 0 { // validation would take a variant for the member
		return bad
	}
	res := &huma.ValidateResult{}
	path := huma.NewPathBuffer(make([]byte, 0, 128), 0)
	huma.Validate(registry, schema, path, huma.ModeWriteToServer, document, res)
	for _, err := range res.Errors {
		bad = addViolation(bad, err)
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	refused := fault.New(fault.Refused, CodeSensitiveText, "a text must not hold a card number")
	for _, path := range w.sensitive {
		refused = refused.OnField(path, "card_number", "must not hold a card number")
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return nil
}

// Violations turns the errors of huma's own checks of parameters into a fault.
func Violations(errs []*huma.ErrorDetail) *fault.Error {
	bad := Invalid()
	for _, e := range errs {
		if e != nil {
			bad = addViolation(bad, e)
		}
	}
	return bad
}

// addViolation turns one error of huma into a field error. Its value, which is
// the caller's, is left out.
func addViolation(bad *fault.Error, err error) *fault.Error {
	detail, ok := err.(*huma.ErrorDetail)
	if !ok {
		return bad.OnField("body", "malformed", "is not valid")
	}
	path := detail.Location
	for _, place := range []string{"body.", "query.", "path.", "header.", "body"} {
		if rest, found := strings.CutPrefix(path, place); found {
			path = rest
			break
		}
	}
	var missing string
	if n, _ := fmt.Sscanf(detail.Message, validation.MsgExpectedRequiredProperty, &missing); n == 1 {
		return bad.OnField(Join(path, missing), "required", "is required")
	}
	if path == "" {
		path = "body"
	}
	switch detail.Message {
	case validation.MsgExpectedMatchExactlyOneSchema:
		return bad.OnField(path, "unknown", "must be one of the listed values")
	case validation.MsgExpectedMatchAtLeastOneSchema:
		return bad.OnField(path, "kind", "is of none of the kinds that it may be")
	}
	return bad.OnField(path, "invalid", detail.Message)
}

// wholeMark marks the schema of what is read whole.
const wholeMark = "x-whole"

// Whole marks the schema of something in which every member is known: one that
// nobody would read is refused by [Check] there, however deep it stands.
func Whole(s *huma.Schema) *huma.Schema {
	if s.Extensions == nil {
		s.Extensions = map[string]any{}
	}
	s.Extensions[wholeMark] = true
	return s
}

// walk visits a document beside its schema.
type walk struct {
	registry  huma.Registry
	isWhole   bool          // where it is now
	strangers []fault.Field // members that are none
	sensitive []string
}

func (w *walk) visit(s *huma.Schema, v any, path string) {
	for s != nil && s.Ref != "" {
		s = w.registry.SchemaFromRef(s.Ref)
	}
	if s == nil {
		return
	}
	switch v := v.(type) {
	case Object:
		w.object(s, v, path)
	case []any:
		for i, e := range v {
			w.visit(s.Items, e, Index(path, i))
		}
	case string:
		if s.Extensions[freeTextMark] == true && pan.ContainsPAN(v) {
			w.sensitive = append(w.sensitive, path)
		}
	}
}

func (w *walk) object(s *huma.Schema, o Object, path string) {
	around := w.isWhole
	defer func() { w.isWhole = around }()
	w.isWhole = around || s.Extensions[wholeMark] == true
	for _, name := range slices.Sorted(maps.Keys(o)) {
		member, known := s.Properties[name]
		if known {
			w.visit(member, o[name], Join(path, name))
			continue
		}
		isVariant := false
		for property := range s.Properties {
			if strings.EqualFold(property, name) {
				isVariant = true
				w.strangers = append(w.strangers, fault.Field{
					Name: Join(path, name), Code: "letter_case",
					Text: "differs from '" + property + "' only by letter case",
				})
			}
		}
		if w.isWhole && !isVariant && len(s.Properties) > 0 { // else it is of any form
			w.strangers = append(w.strangers, fault.Field{Name: Join(path, name), Code: "unknown", Text: "is not a member that is read here"})
		}
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			if pan.ContainsPAN(name) {
				w.sensitive = append(w.sensitive, Join(path, name))
			}
			w.visit(values, o[name], Join(path, name))
		}
	}
}
