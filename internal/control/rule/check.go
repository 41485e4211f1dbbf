package rule

import (
	"math/bits"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/clock"
)

// checker makes what a source says into what it means.
type checker struct {
	*problems
	context Context
	lists   *Lists
}

// check resolves every leaf of n and weighs them.
func (c *checker) check(n *node) {
	count, cost := 0, 0
	var heaviest *leaf
	n.leaves(func(l *leaf) {
		l.index = count
		count++
		c.leaf(l)
		cost += l.weight
		if heaviest == nil || l.weight > heaviest.weight {
			heaviest = l
		}
	})
	if cost > CostMax {
		c.add(heaviest.path, TooCostly, "cost", cost, "max", CostMax)
	}
}

func (c *checker) leaf(l *leaf) {
	if l.fieldName == "" || l.operator == "" {
		return // told when it was read
	}
	id, known := FieldNamed(l.fieldName)
	if !known {
		c.add(l.fieldPath, UnknownField)
		return
	}
	l.field = id
	f := id.Field()
	if !f.In(c.context) {
		c.add(l.fieldPath, FieldContext, "context", string(c.context))
		return
	}
	if l.does, known = operations[Operator(l.operator)]; !known {
		c.add(l.operatorPath, UnknownOperator)
		return
	}
	if !slices.Contains(f.Operators(), Operator(l.operator)) {
		c.add(l.operatorPath, OperatorType, "operator", l.operator, "type", string(f.Type))
		return
	}
	switch {
	case l.hasOther:
		c.other(l, f)
	case l.does.operand == noOperand:
		if l.raw != nil {
			c.add(l.valuePath, NotExpected)
		}
	case l.raw == nil:
		c.add(l.valuePath, Required)
	default:
		c.operand(l, f)
	}
	l.weight = l.cost()
}

// other resolves the field that stands where a value could.
func (c *checker) other(l *leaf, f *Field) {
	if l.raw != nil || l.does.operand != oneValue {
		c.add(l.otherPath, NotExpected)
		return
	}
	id, known := FieldNamed(l.otherName)
	if !known {
		c.add(l.otherPath, UnknownField)
		return
	}
	l.other = id
	other := id.Field()
	switch {
	case !other.In(c.context):
		c.add(l.otherPath, FieldContext, "context", string(c.context))
	case other.Type != f.Type || other.Enumeration != f.Enumeration:
		c.add(l.otherPath, TypeClash, "type", string(f.Type))
	}
}

func (c *checker) operand(l *leaf, f *Field) {
	switch l.does.operand {
	case oneValue:
		l.operands = c.values(f, *l.raw)
	case oneText:
		c.pattern(l)
	case manyValue:
		if c.isArray(l.raw) {
			l.operands = c.values(f, l.raw.items...)
			l.in = newSet(f.Type, l.operands)
		}
	case twoValues:
		c.bounds(l, f)
	case listCode:
		c.list(l, f)
	}
}

func (c *checker) isArray(v *raw) bool {
	switch {
	case v.kind != rawArray:
		c.add(v.path, WrongKind, "kind", "array")
	case len(v.items) == 0:
		c.add(v.path, EmptyValue)
	default:
		return true
	}
	return false
}

func (c *checker) bounds(l *leaf, f *Field) {
	if l.raw.kind != rawArray || len(l.raw.items) != 2 {
		c.add(l.valuePath, WrongKind, "kind", "[low, high]")
		return
	}
	l.operands = c.values(f, l.raw.items...)
	// A time of day may go over midnight.
	if len(l.operands) == 2 && f.Type != Time && l.operands[0].number.Compare(l.operands[1].number) > 0 {
		c.add(l.valuePath, BoundsReversed)
	}
}

func (c *checker) list(l *leaf, f *Field) {
	if l.raw.kind != rawString {
		c.add(l.valuePath, WrongKind, "kind", "string")
		return
	}
	l.operands = []value{{text: l.raw.text}}
	s := c.lists.find(l.raw.text)
	switch {
	case s == nil:
		c.add(l.valuePath, UnknownList)
	case s.isNumeric != (f.Type == Integer):
		c.add(l.valuePath, ListType, "type", string(f.Type))
	case l.field == MerchantAcquirerID:
		l.in = s.institutions()
	default:
		l.in = s
	}
}

// pattern reads what is looked for in a text.
func (c *checker) pattern(l *leaf) {
	if l.raw.kind != rawString {
		c.add(l.valuePath, TypeClash, "type", string(String))
		return
	}
	text := l.raw.text
	l.operands = []value{{text: text}}
	switch {
	case text == "":
		c.add(l.valuePath, EmptyValue)
	case l.does.does == BeginsWith && l.field == MerchantAcquirerID && text[0] == '0':
		c.add(l.valuePath, ValueFormat) // institutions are compared without leading zeros
	case l.does.does != Matches:
	case utf8.RuneCountInString(text) > patternMax:
		c.add(l.valuePath, ValueTooLong, "max", patternMax)
	default:
		var err error
		if l.pattern, err = regexp.Compile(text); err != nil {
			c.add(l.valuePath, InvalidPattern)
		}
	}
}

// values reads constants of a field. What is wrong is left out.
func (c *checker) values(f *Field, items ...raw) []value {
	var all []value
	for i := range items {
		if v, ok := c.value(f, &items[i]); ok {
			all = append(all, v)
		}
	}
	return all
}

func (c *checker) value(f *Field, item *raw) (value, bool) {
	switch f.Type {
	case String, StringList:
		return c.textValue(f, item)
	case Enum:
		return c.enumValue(f, item)
	case Boolean:
		if item.kind != rawFlag {
			break
		}
		v := value{}
		if item.text == "true" {
			v.number.Coefficient = 1
		}
		return v, true
	case Integer, Decimal:
		if item.kind != rawNumber {
			break
		}
		n, ok := ParseNumber(item.text)
		if !ok || f.Type == Integer && n.Exponent > 0 {
			break
		}
		return value{number: n}, c.isInRange(f, item.path, n)
	case Date:
		if d, err := clock.ParseDate(item.text); item.kind == rawString && err == nil {
			return value{number: numberOfDate(d)}, true
		}
	case Time:
		if n, ok := parseTime(item.text); item.kind == rawString && ok {
			return value{number: n}, true
		}
	}
	c.add(item.path, TypeClash, "type", string(f.Type))
	return value{}, false
}

func (c *checker) textValue(f *Field, item *raw) (value, bool) {
	switch {
	case item.kind != rawString:
		c.add(item.path, TypeClash, "type", string(String))
	case item.text == "":
		c.add(item.path, EmptyValue)
	case f.MaxLength > 0 && utf8.RuneCountInString(item.text) > f.MaxLength:
		c.add(item.path, ValueTooLong, "max", f.MaxLength)
	case f.Pattern != nil && !f.Pattern.MatchString(item.text):
		c.add(item.path, ValueFormat)
	case f.Name == groupField && !c.isGroup(item.text):
		c.add(item.path, UnknownList)
	default:
		return value{text: item.text}, true
	}
	return value{}, false
}

// groupField holds the codes of named lists.
const groupField = "transaction.mccGroup"

// isGroup reports whether a code is that of a list of texts, as merchant
// categories are.
func (c *checker) isGroup(code string) bool {
	s := c.lists.find(code)
	return s != nil && !s.isNumeric
}

// enumValue takes the name or the integer code of a value.
func (c *checker) enumValue(f *Field, item *raw) (value, bool) {
	if item.kind != rawString && item.kind != rawNumber {
		c.add(item.path, TypeClash, "type", string(Enum))
		return value{}, false
	}
	for _, v := range f.Values {
		if item.kind == rawString && v.Name == item.text || item.kind == rawNumber && strconv.Itoa(v.Code) == item.text {
			return value{text: v.Name}, true
		}
	}
	c.add(item.path, NotAValue)
	return value{}, false
}

func (c *checker) isInRange(f *Field, path string, n Number) bool {
	low, high := "-", "-"
	outside := false
	if f.Min != nil {
		low, outside = strconv.FormatInt(*f.Min, 10), n.Compare(Number{Coefficient: *f.Min}) < 0
	}
	if f.Max != nil {
		high, outside = strconv.FormatInt(*f.Max, 10), outside || n.Compare(Number{Coefficient: *f.Max}) > 0
	}
	if outside {
		c.add(path, OutOfRange, "min", low, "max", high)
	}
	return !outside
}

// parseTime reads HH:MM or HH:MM:SS as seconds of the day.
func parseTime(text string) (Number, bool) {
	layout := time.TimeOnly
	if len(text) == len("15:04") {
		layout = "15:04"
	}
	t, err := time.Parse(layout, text)
	if err != nil || len(text) != len(layout) {
		return Number{}, false
	}
	return Number{Coefficient: int64(t.Hour()*3600 + t.Minute()*60 + t.Second())}, true
}

// cost is what evaluating the leaf costs at most, in units of about a tenth of
// a microsecond. A rule has no loops, so the sum over its leaves bounds it.
func (l *leaf) cost() int {
	switch l.does.does {
	case In, InList:
		if l.in != nil {
			return 1 + bits.Len(uint(l.in.size()))/4
		}
	case ContainsAny, ContainsAll:
		return 1 + len(l.operands)/4
	case BeginsWith, EndsWith:
		return 1 + len(l.operands)
	case Contains:
		if len(l.operands) > 0 {
			return 2 + len(l.operands[0].text)
		}
	case Matches:
		if l.pattern != nil {
			return 10 + 2*instructions(l.pattern)
		}
	}
	return 1
}

// instructions counts those of a compiled expression. Each character of a text
// costs at most so many steps.
func instructions(x *regexp.Regexp) int {
	parsed, err := syntax.Parse(x.String(), syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}

// expected is what the leaf compares with, as JSON.
func (l *leaf) expected() string {
	t := fields[l.field].Type
	switch {
	case l.hasOther:
		return quote(l.otherName)
	case l.does.operand == noOperand || len(l.operands) == 0:
		return "null"
	case l.does.operand == listCode || l.does.operand == oneText:
		return quote(l.operands[0].text)
	case l.does.operand == oneValue:
		return l.operands[0].json(t)
	}
	items := make([]string, len(l.operands))
	for i := range l.operands {
		items[i] = l.operands[i].json(t)
	}
	return "[" + strings.Join(items, ",") + "]"
}
