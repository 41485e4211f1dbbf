package rule

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source is a rule as it is stored: JSON text that is an object (a tree) or a
// string (CEL). Empty and "null" are no rule, which is always true.
type Source string

// IsNone reports whether there is no rule.
func (s Source) IsNone() bool {
	text := strings.TrimSpace(string(s))
	return text == "" || text == "null"
}

// Missing says what a comparison with a missing value counts as.
type Missing uint8

// The ways.
const (
	// TwoValued is contract/platform.md §10.3: false for a positive operator,
	// true for a negative one. It is for what only counts or costs: velocity,
	// fees, alerts.
	TwoValued Missing = iota
	// Matched is for what refuses: Decline, RequirePin, Require3ds, Refer.
	Matched
	// Unmatched is for what lets pass: Approve.
	Unmatched
)

// String names it.
func (m Missing) String() string { return [...]string{"TwoValued", "Matched", "Unmatched"}[m] }

// Program is a rule ready to run. It is immutable and safe for concurrent use.
type Program struct {
	context Context
	source  Source
	root    *node // nil: always true
	leaves  []*leaf
	steps   []step
	start   int
}

// Where a program ends.
const (
	endTrue  = -1
	endFalse = -2
)

// step is a leaf as it is run: what comes after it depends on its answer.
type step struct {
	does    Operator
	negated bool // answers the opposite: of the operator and of all groups around it
	field   FieldID
	other   FieldID
	isOther bool // compares with other instead of a
	isTime  bool
	// isTested and otherIsTested say that the rule asks whether the field is
	// missing, and so has thought of it.
	isTested, otherIsTested bool
	a, b                    value
	in                      *set
	leaf                    *leaf
	onTrue, onFalse         int
}

// Compile makes a program of a source for a context. What in_list names is
// looked up in lists, and stays what it was. It returns no program when there
// are problems.
func Compile(source Source, context Context, lists *Lists) (*Program, []Problem) {
	if source.IsNone() {
		return &Program{context: context, start: endTrue}, nil
	}
	ps := &problems{}
	root := parse(string(source), ps)
	if root != nil {
		c := &checker{problems: ps, context: context, lists: lists}
		c.check(root)
	}
	if len(ps.found) > 0 {
		return nil, ps.found
	}
	p := link(root, context)
	if p.source = p.Normalized(); isCEL(string(source)) {
		p.source = source
	}
	return p, nil
}

// Constant is a program that always answers the same. It has no source.
func Constant(context Context, answer bool) *Program {
	p := &Program{context: context, start: endFalse}
	if answer {
		p.start = endTrue
	}
	return p
}

// Source is the rule to be stored: a tree normalized, CEL as it was written;
// empty for a rule that is always true.
func (p *Program) Source() Source { return p.source }

func isCEL(source string) bool { return strings.HasPrefix(strings.TrimLeft(source, " \t\r\n"), `"`) }

func parse(source string, ps *problems) *node {
	if len(source) > BytesMax {
		ps.add("", TooLarge, "max", BytesMax)
		return nil
	}
	if !utf8.ValidString(source) {
		ps.add("", Malformed)
		return nil
	}
	if isCEL(source) {
		return parseCEL(source, ps)
	}
	return parseTree(source, ps)
}

// link lays out the steps of a checked rule.
func link(root *node, context Context) *Program {
	p := &Program{context: context, root: root}
	tested := map[FieldID]bool{}
	root.leaves(func(l *leaf) {
		p.leaves = append(p.leaves, l)
		if l.does.does == IsNull || l.does.does == IsEmpty {
			tested[l.field] = true
		}
	})
	p.start = p.lay(root, false, endTrue, endFalse)
	for i := range p.steps {
		s := &p.steps[i]
		s.isTested, s.otherIsTested = tested[s.field], s.isOther && tested[s.other]
	}
	// They were laid from the last to the first.
	slices.Reverse(p.steps)
	turn := func(to int) int {
		if to < 0 {
			return to
		}
		return len(p.steps) - 1 - to
	}
	p.start = turn(p.start)
	for i := range p.steps {
		s := &p.steps[i]
		s.onTrue, s.onFalse = turn(s.onTrue), turn(s.onFalse)
	}
	return p
}

// lay appends the steps of n, the last first, and returns where they begin.
// negated says that an odd number of groups around n turn its answer round:
// that is worked into the leaves, so that a missing value counts for the whole
// rule what it counts for the leaf.
func (p *Program) lay(n *node, negated bool, onTrue, onFalse int) int {
	if n.leaf != nil {
		p.steps = append(p.steps, newStep(n.leaf, negated, onTrue, onFalse))
		return len(p.steps) - 1
	}
	negated = negated != n.not
	start := onTrue
	isAny := n.any != negated
	if isAny {
		start = onFalse
	}
	for _, c := range slices.Backward(n.children) {
		if isAny {
			start = p.lay(c, negated, onTrue, start)
		} else {
			start = p.lay(c, negated, start, onFalse)
		}
	}
	return start
}

func newStep(l *leaf, negated bool, onTrue, onFalse int) step {
	s := step{
		does: l.does.does, negated: l.does.negated != negated, field: l.field, other: l.other, isOther: l.hasOther,
		isTime: fields[l.field].Type == Time, in: l.in, leaf: l, onTrue: onTrue, onFalse: onFalse,
	}
	if len(l.operands) > 0 {
		s.a = l.operands[0]
	}
	if len(l.operands) > 1 {
		s.b = l.operands[1]
	}
	switch s.does {
	case BeginsWith, EndsWith, Contains:
		s.a.text = upper(s.a.text)
	}
	return s
}

// upper turns each letter into its upper case by itself, whatever the language.
func upper(s string) string { return strings.Map(unicode.ToUpper, s) }

// Match reports whether the facts fulfil the rule. It allocates nothing and
// never fails: a value that should be there and is not counts as missing.
func (p *Program) Match(f *Facts, m Missing) bool {
	at := p.start
	for at >= 0 {
		s := &p.steps[at]
		if s.answer(f, m) {
			at = s.onTrue
		} else {
			at = s.onFalse
		}
	}
	return at == endTrue
}

// answer is what the step says of the facts, negation included.
func (s *step) answer(f *Facts, m Missing) bool {
	v := &f.slots[s.field]
	switch s.does {
	case IsNull:
		return !v.known != s.negated
	case IsEmpty:
		return (!v.known || fields[s.field].Type == StringList && len(f.list) == 0) != s.negated
	}
	untested := !v.known && !s.isTested || s.isOther && !f.slots[s.other].known && !s.otherIsTested
	if untested && m != TwoValued {
		return m == Matched
	}
	if !v.known || s.isOther && !f.slots[s.other].known {
		return s.negated
	}
	return s.compare(v, f) != s.negated
}

// compare carries out the positive operator on a known value.
func (s *step) compare(v *slot, f *Facts) bool {
	with := &s.a
	var borrowed value
	if s.isOther {
		o := &f.slots[s.other]
		borrowed = value{text: o.text, number: o.number}
		with = &borrowed
	}
	switch s.does {
	case Equal:
		return v.text == with.text && v.number.Compare(with.number) == 0
	case Less:
		return v.number.Compare(with.number) < 0
	case LessOrEqual:
		return v.number.Compare(with.number) <= 0
	case Greater:
		return v.number.Compare(with.number) > 0
	case GreaterOrEqual:
		return v.number.Compare(with.number) >= 0
	case Between:
		low, high := v.number.Compare(s.a.number) >= 0, v.number.Compare(s.b.number) <= 0
		if s.isTime && s.a.number.Compare(s.b.number) > 0 { // over midnight
			return low || high
		}
		return low && high
	case In, InList:
		return s.in.holds(v)
	case BeginsWith:
		_, ok := cutFolded(v.text, s.a.text)
		return ok
	case EndsWith:
		return endsFolded(v.text, s.a.text)
	case Contains:
		return containsFolded(v.text, s.a.text)
	case Matches:
		return s.leaf.pattern.MatchString(v.text)
	case ContainsAny:
		return s.in.holdsAny(f.list)
	case ContainsAll:
		return s.in.isWithin(f.list)
	}
	panic("rule: no such operation")
}

// cutFolded returns what follows prefix, which is in upper case, in text.
func cutFolded(text, prefix string) (rest string, ok bool) {
	for _, want := range prefix {
		got, n := utf8.DecodeRuneInString(text)
		if n == 0 || unicode.ToUpper(got) != want {
			return "", false
		}
		text = text[n:]
	}
	return text, true
}

func containsFolded(text, part string) bool {
	for i := range text {
		if _, ok := cutFolded(text[i:], part); ok {
			return true
		}
	}
	return false
}

func endsFolded(text, suffix string) bool {
	for suffix != "" {
		want, n := utf8.DecodeLastRuneInString(suffix)
		got, m := utf8.DecodeLastRuneInString(text)
		if m == 0 || unicode.ToUpper(got) != want {
			return false
		}
		text, suffix = text[:len(text)-m], suffix[:len(suffix)-n]
	}
	return true
}
