package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// errStop ends the reading of a source with what was found so far.
var errStop = errors.New("stop")

// parseTree reads a rule in JSON (contract/platform.md §10.3) strictly: each
// member once and in its own letter case, nothing after it, every limit
// watched while reading. It returns nil when the source has no sensible shape.
func parseTree(source string, ps *problems) *node {
	r := &treeReader{tokens: json.NewDecoder(strings.NewReader(source)), problems: ps}
	r.tokens.UseNumber()
	n, err := r.node("", 1)
	if err == nil {
		_, err = r.tokens.Token()
		if errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = r.malformed("")
		}
	}
	if err != nil {
		return nil
	}
	return n
}

type treeReader struct {
	*problems
	tokens *json.Decoder
	count  int // of leaves
}

func (r *treeReader) malformed(path string) error {
	r.add(path, Malformed)
	return errStop
}

func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// members of groups and leaves. Others are passed over.
var memberNames = []string{"condition", "not", "rules", "field", "operator", "value", "valueField", "id", "label", "type"}

// node reads a group or a leaf; depth counts the groups around it and itself.
func (r *treeReader) node(path string, depth int) (*node, error) {
	t, err := r.tokens.Token()
	if err != nil {
		return nil, r.malformed(path)
	}
	if t != json.Delim('{') {
		r.add(path, WrongKind, "kind", "object")
		return nil, errStop
	}
	n := &node{path: path}
	given := map[string]*raw{}
	seen := map[string]bool{}
	for r.tokens.More() {
		name, err := r.name(path, seen)
		switch {
		case err != nil:
			return nil, err
		case name == "rules":
			err = r.children(n, depth)
		case name == "":
			err = r.skip(path)
		default:
			given[name], err = r.value(member(path, name))
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := r.tokens.Token(); err != nil {
		return nil, r.malformed(path)
	}
	isGroup := seen["rules"] || seen["condition"] || seen["not"]
	if isGroup == (seen["field"] || seen["operator"]) || depth == 1 && !isGroup {
		r.add(path, GroupOrLeaf)
		return n, nil
	}
	if isGroup {
		r.group(n, given, seen["rules"])
		return n, nil
	}
	if r.count++; r.count > LeavesMax {
		r.add("", TooManyLeaves, "max", LeavesMax)
		return nil, errStop
	}
	n.leaf = r.leaf(path, given)
	return n, nil
}

// name reads the name of the next member; it is empty for one that is not
// known.
func (r *treeReader) name(path string, seen map[string]bool) (string, error) {
	t, err := r.tokens.Token()
	name, ok := t.(string)
	if err != nil || !ok {
		return "", r.malformed(path)
	}
	for _, known := range memberNames {
		if name == known {
			if seen[name] {
				r.add(member(path, name), RepeatedMember)
			}
			seen[name] = true
			return name, nil
		}
		if strings.EqualFold(name, known) {
			r.add(member(path, known), LetterCase)
		}
	}
	if seen[name] {
		r.add(path, RepeatedMember)
	}
	seen[name] = true
	return "", nil
}

func (r *treeReader) children(n *node, depth int) error {
	at := member(n.path, "rules")
	t, err := r.tokens.Token()
	if err != nil {
		return r.malformed(at)
	}
	if t != json.Delim('[') {
		r.add(at, WrongKind, "kind", "array")
		return errStop
	}
	if depth > DepthMax {
		r.add(n.path, TooDeep, "max", DepthMax)
		return errStop
	}
	for r.tokens.More() {
		c, err := r.node(element(at, len(n.children)), depth+1)
		if err != nil {
			return err
		}
		n.children = append(n.children, c)
	}
	if _, err := r.tokens.Token(); err != nil {
		return r.malformed(at)
	}
	return nil
}

func (r *treeReader) group(n *node, given map[string]*raw, hasRules bool) {
	switch c := given["condition"]; {
	case c == nil:
		r.add(member(n.path, "condition"), Required)
	case c.kind != rawString || c.text != "and" && c.text != "or":
		r.add(c.path, WrongKind, "kind", "and | or")
	default:
		n.any = c.text == "or"
	}
	if not := given["not"]; not != nil && not.kind != rawNull {
		if not.kind != rawFlag {
			r.add(not.path, WrongKind, "kind", "boolean")
		}
		n.not = not.text == "true"
	}
	if !hasRules {
		r.add(member(n.path, "rules"), Required)
	} else if len(n.children) == 0 {
		r.add(member(n.path, "rules"), EmptyGroup)
	}
	n.id = r.kept(given["id"])
}

func (r *treeReader) leaf(path string, given map[string]*raw) *leaf {
	l := &leaf{
		path: path, fieldPath: member(path, "field"), operatorPath: member(path, "operator"), valuePath: member(path, "value"),
		otherPath: member(path, "valueField"), raw: given["value"],
	}
	l.fieldName = r.word(given["field"], l.fieldPath)
	l.operator = r.word(given["operator"], l.operatorPath)
	if other := given["valueField"]; other != nil && other.kind != rawNull {
		l.otherName, l.hasOther = r.word(other, l.otherPath), true
	}
	if l.raw != nil && l.raw.kind == rawNull {
		l.raw = nil
	}
	l.id, l.label, l.kind = r.kept(given["id"]), r.kept(given["label"]), r.kept(given["type"])
	return l
}

// word reads a required text.
func (r *treeReader) word(v *raw, path string) string {
	switch {
	case v == nil || v.kind == rawNull:
		r.add(path, Required)
	case v.kind != rawString:
		r.add(path, WrongKind, "kind", "string")
	default:
		return v.text
	}
	return ""
}

// kept is what user interfaces want back: a text or a number.
func (r *treeReader) kept(v *raw) string {
	switch {
	case v == nil || v.kind == rawNull:
	case v.kind == rawString:
		return quote(v.text)
	case v.kind == rawNumber:
		return v.text
	default:
		r.add(v.path, WrongKind, "kind", "string")
	}
	return ""
}

// value reads a scalar or an array of scalars.
func (r *treeReader) value(path string) (*raw, error) {
	t, err := r.tokens.Token()
	if err != nil {
		return nil, r.malformed(path)
	}
	v := &raw{path: path}
	switch t := t.(type) {
	case nil:
	case string:
		v.kind, v.text = rawString, t
		r.text(path, t)
	case json.Number:
		v.kind, v.text = rawNumber, string(t)
		r.text(path, v.text)
	case bool:
		v.kind, v.text = rawFlag, strconv.FormatBool(t)
	case json.Delim:
		if t != '[' || strings.HasSuffix(path, "]") {
			v.kind = rawOther
			return v, r.rest(path, 1)
		}
		v.kind = rawArray
		for r.tokens.More() {
			if len(v.items) == ValuesMax {
				r.add(path, TooManyValues, "max", ValuesMax)
				return nil, errStop
			}
			item, err := r.value(element(path, len(v.items)))
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, *item)
		}
		if _, err := r.tokens.Token(); err != nil {
			return nil, r.malformed(path)
		}
	}
	return v, nil
}

// text checks a text that is kept.
func (r *treeReader) text(path, text string) {
	if utf8.RuneCountInString(text) > textMax {
		r.add(path, ValueTooLong, "max", textMax)
	} else if !fault.Printable(text) {
		r.add(path, NotPrintable)
	} else if pan.ContainsPAN(text) {
		r.add(path, SensitiveText)
	}
}

// skip reads a value that nobody asks for.
func (r *treeReader) skip(path string) error {
	t, err := r.tokens.Token()
	if err != nil {
		return r.malformed(path)
	}
	if _, opens := t.(json.Delim); opens {
		return r.rest(path, 1)
	}
	return nil
}

// rest reads on until open delimiters are closed.
func (r *treeReader) rest(path string, open int) error {
	for open > 0 {
		t, err := r.tokens.Token()
		if err != nil {
			return r.malformed(path)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

// writeTree is n as the JSON of a tree, with what user interfaces want kept.
func writeTree(n *node) string {
	var b bytes.Buffer
	n.write(&b)
	return b.String()
}

func (n *node) write(b *bytes.Buffer) {
	b.WriteByte('{')
	if n.leaf != nil {
		n.leaf.write(b)
		b.WriteByte('}')
		return
	}
	if n.id != "" {
		b.WriteString(`"id":` + n.id + `,`)
	}
	b.WriteString(`"condition":"and"`)
	if n.any {
		b.Truncate(b.Len() - len(`"and"`))
		b.WriteString(`"or"`)
	}
	if n.not {
		b.WriteString(`,"not":true`)
	}
	b.WriteString(`,"rules":[`)
	for i, c := range n.children {
		if i > 0 {
			b.WriteByte(',')
		}
		c.write(b)
	}
	b.WriteString(`]}`)
}

func (l *leaf) write(b *bytes.Buffer) {
	for _, kept := range []struct{ name, text string }{{"id", l.id}, {"label", l.label}, {"type", l.kind}} {
		if kept.text != "" {
			b.WriteString(quote(kept.name) + ":" + kept.text + ",")
		}
	}
	b.WriteString(`"field":` + quote(l.fieldName) + `,"operator":` + quote(l.operator))
	switch {
	case l.hasOther:
		b.WriteString(`,"valueField":` + quote(l.otherName))
	case l.does.operand != noOperand:
		b.WriteString(`,"value":` + l.expected())
	}
}
