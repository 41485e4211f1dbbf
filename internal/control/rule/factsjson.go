package rule

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// ParseFacts reads facts from a JSON object of values by field name, as a tester
// writes them: null is missing. Only fields of the context are taken. The
// problems name the field as their path, unless it cannot be meant for one.
func ParseFacts(text string, context Context) (Facts, []Problem) {
	var f Facts
	ps := &problems{}
	r := &treeReader{tokens: json.NewDecoder(strings.NewReader(text)), problems: ps}
	r.tokens.UseNumber()
	if t, err := r.tokens.Token(); err != nil || t != json.Delim('{') {
		ps.add("", WrongKind, "kind", "object")
		return f, ps.found
	}
	c := &checker{problems: ps, context: context}
	seen := map[FieldID]bool{}
	for r.tokens.More() {
		t, err := r.tokens.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			ps.add("", Malformed)
			return f, ps.found
		}
		id, known := FieldNamed(name)
		path := name
		if !known && !isName(name) {
			path = ""
		}
		v, err := r.value(path)
		switch {
		case err != nil:
			return f, ps.found
		case !known:
			ps.add(path, UnknownField)
		case seen[id]:
			ps.add(path, RepeatedMember)
		case !id.Field().In(context):
			ps.add(path, FieldContext, "context", string(context))
		case v.kind != rawNull:
			c.fact(&f, id, v)
		}
		seen[id] = seen[id] || known
	}
	if _, err := r.tokens.Token(); err != nil {
		ps.add("", Malformed)
	} else if _, err := r.tokens.Token(); !errors.Is(err, io.EOF) {
		ps.add("", Malformed)
	}
	return f, ps.found
}

// isName reports whether a text could be meant for the name of a field, so that it
// is told which one is not: words of letters with dots between and hardly a digit,
// so that it holds nothing of a card.
func isName(text string) bool {
	digits := 0
	for i, r := range text {
		switch {
		case r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
		case i > 0 && r == '.':
		case i > 0 && r >= '0' && r <= '9':
			digits++
		default:
			return false
		}
	}
	return len(text) <= 64 && digits <= 4
}

// fact sets a field to what was read.
func (c *checker) fact(f *Facts, id FieldID, v *raw) {
	field := id.Field()
	if field.Type != StringList {
		if x, ok := c.value(field, v); ok {
			f.slots[id] = slot{text: x.text, number: x.number, known: true}
		}
		return
	}
	if v.kind != rawArray {
		c.add(v.path, WrongKind, "kind", "array")
		return
	}
	texts := Field{Name: field.Name, Type: String, MaxLength: field.MaxLength}
	if field.Name == groupField {
		texts.Name = ""
	}
	var list []string
	for _, x := range c.values(&texts, v.items...) {
		list = append(list, x.text)
	}
	slices.Sort(list)
	f.SetList(id, slices.Compact(list))
}
