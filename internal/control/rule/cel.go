package rule

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// The types that CEL itself does not have. Each is written by a function of its
// name: decimal("5000.50"), date("2026-03-31"), time("22:00").
var (
	celDecimal = cel.OpaqueType("decimal")
	celDate    = cel.OpaqueType("date")
	celTime    = cel.OpaqueType("time")
)

var celTypes = map[Type]*cel.Type{
	String: cel.StringType, Enum: cel.StringType, Integer: cel.IntType, Boolean: cel.BoolType, Decimal: celDecimal,
	Date: celDate, Time: celTime, StringList: cel.ListType(cel.StringType),
}

// celNesting bounds how deep an expression may be nested, parentheses included.
const celNesting = 40

// celWordsMax bounds how many words and signs an expression has: CEL checks the
// types of all of them before it is known what they say, in a time that they, and
// not the bytes, decide.
const celWordsMax = 16_000

// celEnvironment is CEL with our fields and operators, and nothing else of its
// library: no macro, no loop, no conversion. It takes long to make and is
// never changed.
var celEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ClearMacros(), cel.EnableIdentifierEscapeSyntax(),
		cel.ParserRecursionLimit(celNesting), cel.ParserExpressionSizeLimit(BytesMax),
	}
	for i := range fields {
		options = append(options, cel.Variable(fields[i].Name, celTypes[fields[i].Type]))
	}
	boolean := []*cel.Type{cel.BoolType}
	function := func(name string, member bool, signatures ...[]*cel.Type) {
		var overloads []cel.FunctionOpt
		for i, arguments := range signatures {
			id := "rule_" + name + "_" + strconv.Itoa(i)
			if member {
				overloads = append(overloads, cel.MemberOverload(id, arguments, cel.BoolType))
			} else {
				overloads = append(overloads, cel.Overload(id, arguments, cel.BoolType))
			}
		}
		options = append(options, cel.Function(name, overloads...))
	}
	repeated := func(n int, all ...*cel.Type) (signatures [][]*cel.Type) {
		for _, t := range all {
			var s []*cel.Type
			for range n {
				s = append(s, t)
			}
			signatures = append(signatures, s)
		}
		return signatures
	}
	text, number, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	ordered := []*cel.Type{number, celDecimal, celDate, celTime}
	scalars := append([]*cel.Type{text, cel.BoolType}, ordered...)
	function(operators.LogicalAnd, false, repeated(2, boolean...)...)
	function(operators.LogicalOr, false, repeated(2, boolean...)...)
	function(operators.LogicalNot, false, boolean)
	function(operators.Equals, false, repeated(2, scalars...)...)
	function(operators.NotEquals, false, repeated(2, scalars...)...)
	for _, name := range []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals} {
		function(name, false, repeated(2, ordered...)...)
	}
	var within [][]*cel.Type
	for _, t := range append([]*cel.Type{text}, ordered...) {
		within = append(within, []*cel.Type{t, cel.ListType(t)})
	}
	function(operators.In, false, within...)
	function(string(Between), true, repeated(3, ordered...)...)
	function(string(InList), true, []*cel.Type{text, text}, []*cel.Type{number, text})
	for _, o := range []Operator{BeginsWith, EndsWith, Contains, Matches} {
		function(string(o), true, []*cel.Type{text, text})
	}
	function(string(IsNull), true, repeated(1, append(scalars, list)...)...)
	function(string(IsEmpty), true, repeated(1, text, list)...)
	function(string(ContainsAny), true, []*cel.Type{list, list})
	function(string(ContainsAll), true, []*cel.Type{list, list})
	for _, t := range []*cel.Type{celDecimal, celDate, celTime} {
		options = append(options, cel.Function(t.TypeName(), cel.Overload("rule_"+t.TypeName(), []*cel.Type{text}, t)))
	}
	return cel.NewCustomEnv(options...)
})

// parseCEL reads a JSON string that holds an expression of CEL. Its types are
// checked by CEL; what it says becomes nodes as a tree has them.
func parseCEL(source string, ps *problems) *node {
	var text string
	if json.Unmarshal([]byte(source), &text) != nil {
		ps.add("", Malformed)
		return nil
	}
	if pan.ContainsPAN(text) { // in a comment, too
		ps.add("", SensitiveText)
		return nil
	}
	environment, err := celEnvironment()
	if err != nil {
		panic("rule: the environment of CEL: " + err.Error())
	}
	r := &celReader{problems: ps}
	for line := range strings.SplitSeq(text, "\n") {
		r.lines = append(r.lines, []rune(line))
	}
	if at := r.wordsEnd(); at != "" {
		ps.add(at, TooManyWords, "max", celWordsMax)
		return nil
	}
	checked, issues := environment.Compile(text)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			r.refuse(e.Location.Line(), e.Location.Column(), e.Message)
		}
		return nil
	}
	r.ast = checked.NativeRep()
	if checked.OutputType() != cel.BoolType {
		ps.add("", NotSupported)
		return nil
	}
	n := r.node(r.ast.Expr())
	if n == nil {
		return nil
	}
	if n.leaf != nil {
		n = &node{children: []*node{n}}
	}
	if depthOf(n) > DepthMax {
		ps.add(n.path, TooDeep, "max", DepthMax)
	}
	if r.count > LeavesMax {
		ps.add("", TooManyLeaves, "max", LeavesMax)
	}
	if len(ps.found) > 0 {
		return nil
	}
	return n
}

// depthOf counts the groups in one another.
func depthOf(n *node) int {
	deepest := 0
	for _, c := range n.children {
		if c.leaf == nil {
			deepest = max(deepest, depthOf(c))
		}
	}
	return deepest + 1
}

type celReader struct {
	*problems
	ast   *ast.AST
	lines [][]rune
	count int // of leaves
}

// wordsEnd is the place of the first word or sign that is too many; empty for none.
// What stands in quotes counts as if it did not: nothing that CEL may read otherwise
// is passed over.
func (r *celReader) wordsEnd() string {
	count := 0
	for i, line := range r.lines {
		inWord := false
		for k, c := range line {
			isWord := c == '_' || c > unicode.MaxASCII || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
			if c != ' ' && c != '\t' && c != '\r' && !(isWord && inWord) {
				if count++; count > celWordsMax {
					return r.place(i+1, k)
				}
			}
			inWord = isWord
		}
	}
	return ""
}

// refuse tells what CEL has against the expression, in our words: its own quote
// the text.
func (r *celReader) refuse(line, column int, message string) {
	path := r.place(line, column)
	switch {
	case strings.Contains(message, "!error!"): // follows from another one
	case strings.HasPrefix(message, "Syntax error"):
		r.add(path, Syntax)
	case strings.Contains(message, "recursion limit"):
		r.add("", TooDeep, "max", celNesting)
	case strings.Contains(message, "no matching overload"):
		r.add(path, OperandTypes)
	case strings.HasPrefix(message, "undeclared reference"):
		_, name, _ := strings.Cut(message, "'")
		name, _, _ = strings.Cut(name, "'")
		if strings.ContainsAny(name, "_@?[{") || r.isCall(line, column) {
			r.add(path, NotSupported)
		} else {
			r.add(path, UnknownField)
		}
	case strings.Contains(message, "field selection"), strings.Contains(message, "undefined field"):
		r.add(path, UnknownField)
	default:
		r.add(path, NotSupported)
	}
}

// place is where something stands. CEL points at the last dot of a name; a
// reader looks for its beginning.
func (r *celReader) place(line, column int) string {
	if line < 1 || line > len(r.lines) {
		return ""
	}
	text := r.lines[line-1]
	column = max(0, min(column, len(text)))
	if column < len(text) && text[column] == '.' {
		for column > 0 && isNameRune(text[column-1]) {
			column--
		}
	}
	return "@" + strconv.Itoa(line) + ":" + strconv.Itoa(column+1)
}

// isCall reports whether the name at a place is that of a function.
func (r *celReader) isCall(line, column int) bool {
	if line < 1 || line > len(r.lines) {
		return false
	}
	for _, c := range r.lines[line-1][max(0, min(column, len(r.lines[line-1]))):] {
		if !isNameRune(c) {
			return c == '('
		}
	}
	return false
}

func isNameRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '`'
}

// path is where CEL points at an expression: its operator.
func (r *celReader) path(e ast.Expr) string {
	at := r.ast.SourceInfo().GetStartLocation(e.ID())
	return r.place(at.Line(), at.Column())
}

// beginning is where a comparison begins.
func (r *celReader) beginning(e ast.Expr) string {
	if e.Kind() == ast.CallKind {
		if call := e.AsCall(); call.IsMemberFunction() {
			return r.beginning(call.Target())
		} else if len(call.Args()) == 2 {
			return r.beginning(call.Args()[0])
		}
	}
	return r.path(e)
}

// comparisons are the operators of CEL, and what they are with their sides
// exchanged.
var comparisons = map[string]struct{ straight, turned Operator }{
	operators.Equals:        {Equal, Equal},
	operators.NotEquals:     {NotEqual, NotEqual},
	operators.Less:          {Less, Greater},
	operators.LessEquals:    {LessOrEqual, GreaterOrEqual},
	operators.Greater:       {Greater, Less},
	operators.GreaterEquals: {GreaterOrEqual, LessOrEqual},
}

// node translates an expression that is true or false; nil when it cannot.
func (r *celReader) node(e ast.Expr) *node {
	path := r.path(e)
	switch e.Kind() {
	case ast.IdentKind:
		return r.leaf(e, &leaf{operator: string(Equal), raw: &raw{path: path, kind: rawFlag, text: "true"}}, e)
	case ast.CallKind:
	default:
		r.add(path, NotSupported)
		return nil
	}
	call := e.AsCall()
	name, arguments := call.FunctionName(), call.Args()
	switch name {
	case operators.LogicalAnd, operators.LogicalOr:
		n := &node{path: path, any: name == operators.LogicalOr}
		for _, a := range arguments {
			c := r.node(a)
			switch {
			case c == nil:
				return nil
			case c.leaf == nil && c.any == n.any && !c.not: // a && b && c is one group
				n.children = append(n.children, c.children...)
			default:
				n.children = append(n.children, c)
			}
		}
		return n
	case operators.LogicalNot:
		return negate(r.node(arguments[0]), path)
	case operators.In:
		if arguments[1].Kind() == ast.ListKind {
			return r.leaf(e, &leaf{operator: string(In), raw: r.constant(arguments[1])}, arguments[0])
		}
		item := r.constant(arguments[0])
		if item == nil {
			return nil
		}
		return r.leaf(e, &leaf{operator: string(ContainsAny), raw: &raw{path: item.path, kind: rawArray, items: []raw{*item}}}, arguments[1])
	}
	if c, found := comparisons[name]; found {
		return r.comparison(e, c.straight, c.turned, arguments[0], arguments[1])
	}
	if !call.IsMemberFunction() {
		r.add(path, NotSupported)
		return nil
	}
	l := &leaf{operator: name}
	switch len(arguments) {
	case 1:
		l.raw = r.constant(arguments[0])
	case 2:
		low, high := r.constant(arguments[0]), r.constant(arguments[1])
		if low == nil || high == nil {
			return nil
		}
		l.raw = &raw{path: low.path, kind: rawArray, items: []raw{*low, *high}}
	}
	if len(arguments) > 0 && l.raw == nil {
		return nil
	}
	return r.leaf(e, l, call.Target())
}

// negate turns the answer of a node round: by the negative twin of a leaf's
// operator, which says the same, or a group at path.
func negate(n *node, path string) *node {
	if n == nil {
		return nil
	}
	if n.leaf == nil {
		n.not = !n.not
		return n
	}
	if twin, found := twins[Operator(n.leaf.operator)]; found {
		n.leaf.operator = string(twin)
		return n
	}
	return &node{path: path, not: true, children: []*node{n}}
}

// twins are the operators that say the opposite of one another of any value,
// known or not.
var twins = func() map[Operator]Operator {
	m := map[Operator]Operator{}
	for o, does := range operations {
		if does.negated {
			m[o], m[does.does] = does.does, o
		}
	}
	return m
}()

func (r *celReader) comparison(e ast.Expr, straight, turned Operator, left, right ast.Expr) *node {
	if left.Kind() != ast.IdentKind {
		left, right, straight = right, left, turned
	}
	l := &leaf{operator: string(straight)}
	if right.Kind() == ast.IdentKind {
		l.otherName, l.hasOther, l.otherPath = right.AsIdent(), true, r.path(right)
	} else if l.raw = r.constant(right); l.raw == nil {
		return nil
	}
	return r.leaf(e, l, left)
}

// leaf completes a leaf that e says about a field.
func (r *celReader) leaf(e ast.Expr, l *leaf, about ast.Expr) *node {
	path := r.beginning(e)
	if about.Kind() != ast.IdentKind {
		r.add(path, NotSupported)
		return nil
	}
	if l.raw == nil && !l.hasOther && operations[Operator(l.operator)].operand != noOperand {
		return nil // told by constant
	}
	r.count++
	l.path, l.operatorPath, l.fieldPath, l.fieldName = path, r.path(e), r.path(about), about.AsIdent()
	l.valuePath = path
	if l.raw != nil {
		l.valuePath = l.raw.path
	}
	return &node{path: path, leaf: l}
}

// constant reads a literal, decimal("…") and the like, or a list of them; nil
// when e is something else.
func (r *celReader) constant(e ast.Expr) *raw {
	v := &raw{path: r.path(e)}
	switch e.Kind() {
	case ast.LiteralKind:
		switch x := e.AsLiteral().(type) {
		case types.String:
			v.kind, v.text = rawString, string(x)
			if utf8.RuneCountInString(v.text) > textMax {
				r.add(v.path, ValueTooLong, "max", textMax)
				return nil
			}
			if !fault.Printable(v.text) {
				r.add(v.path, NotPrintable)
				return nil
			}
			if pan.ContainsPAN(v.text) { // which the text of the rule may hide behind escapes
				r.add(v.path, SensitiveText)
				return nil
			}
			return v
		case types.Int:
			v.kind, v.text = rawNumber, strconv.FormatInt(int64(x), 10)
			return v
		case types.Bool:
			v.kind, v.text = rawFlag, strconv.FormatBool(bool(x))
			return v
		}
	case ast.CallKind:
		call := e.AsCall()
		switch name := call.FunctionName(); name {
		case celDecimal.TypeName(), celDate.TypeName(), celTime.TypeName():
			text := r.constant(call.Args()[0])
			if text == nil {
				return nil
			}
			v.kind, v.text = rawString, text.text
			if name == celDecimal.TypeName() {
				v.kind = rawNumber
			}
			return v
		}
	case ast.ListKind:
		items := e.AsList().Elements()
		if len(items) > ValuesMax {
			r.add(v.path, TooManyValues, "max", ValuesMax)
			return nil
		}
		v.kind = rawArray
		for _, item := range items {
			x := r.constant(item)
			if x == nil {
				return nil
			}
			v.items = append(v.items, *x)
		}
		return v
	}
	r.add(v.path, NotSupported)
	return nil
}
