package rule

import (
	"slices"
	"strings"
)

// Step is what one leaf said of the facts.
type Step struct {
	Path     string // of the leaf in the source
	Field    FieldID
	Operator Operator
	Expected string // what the field is compared with, as JSON
	Actual   string // the field's value, as JSON
	// Result is what the leaf counts as; where a value is missing that may be
	// what [Missing] says.
	Result    bool
	IsMissing bool
}

// shownMax is how many values of an array a step shows.
const shownMax = 20

// Explain is [Program.Match] with what each leaf said, in the order of the
// source. All of them are asked, also those that could not change the result
// any more. The groups of the rule over these results give the result.
func (p *Program) Explain(f *Facts, m Missing) (bool, []Step) {
	said := make([]Step, len(p.leaves))
	for i := range p.steps {
		s := &p.steps[i]
		l := s.leaf
		said[l.index] = Step{
			Path: l.path, Field: l.field, Operator: Operator(l.operator), Expected: l.shown(f), Actual: f.JSON(l.field),
			// The groups around it are no part of what it says.
			Result:    s.answer(f, m) != (s.negated != l.does.negated),
			IsMissing: !f.Known(l.field) || l.hasOther && !f.Known(l.other),
		}
	}
	return p.Match(f, m), said
}

// shown is what the leaf compares with these facts, as JSON.
func (l *leaf) shown(f *Facts) string {
	if l.hasOther {
		return f.JSON(l.other)
	}
	if len(l.operands) <= shownMax {
		return l.expected()
	}
	some := *l
	some.operands = l.operands[:shownMax]
	return strings.TrimSuffix(some.expected(), "]") + `,"…"]`
}

// Context is where the program may be used.
func (p *Program) Context() Context { return p.context }

// Cost is what a run costs at most, in units of about a tenth of a microsecond.
func (p *Program) Cost() int {
	cost := 0
	for _, l := range p.leaves {
		cost += l.weight
	}
	return cost
}

// Fields lists the fields that the program reads, each once, in their order.
func (p *Program) Fields() []FieldID {
	var ids []FieldID
	for _, l := range p.leaves {
		ids = append(ids, l.field)
		if l.hasOther {
			ids = append(ids, l.other)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Reads reports whether one of the fields that the program reads is such, as in
// p.Reads(FieldID.IsAmount).
func (p *Program) Reads(is func(FieldID) bool) bool { return slices.ContainsFunc(p.Fields(), is) }

// Lists returns the codes of the named lists that the program looks into, each
// once, in order.
func (p *Program) Lists() []string {
	var codes []string
	for _, l := range p.leaves {
		switch {
		case l.does.operand == listCode:
			codes = append(codes, l.operands[0].text)
		case l.field == TransactionMCCGroup:
			for _, v := range l.operands {
				codes = append(codes, v.text)
			}
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// Threshold is a number that a program compares a field with: on its sides the
// rule may answer differently. Of a date it counts days since 1970, of a time
// of day seconds.
type Threshold struct {
	Field FieldID
	At    Number
}

// Thresholds lists the numbers that the program compares fields with, by field
// and number, each once.
func (p *Program) Thresholds() []Threshold {
	var all []Threshold
	for _, l := range p.leaves {
		switch fields[l.field].Type {
		case Integer, Decimal, Date, Time:
		default:
			continue
		}
		if l.does.operand == listCode {
			continue
		}
		for _, v := range l.operands {
			all = append(all, Threshold{l.field, v.number})
		}
	}
	slices.SortFunc(all, func(a, b Threshold) int {
		if a.Field != b.Field {
			return int(a.Field) - int(b.Field)
		}
		return a.At.Compare(b.At)
	})
	return slices.CompactFunc(all, func(a, b Threshold) bool { return a.Field == b.Field && a.At.Compare(b.At) == 0 })
}

// Normalized is the rule as a tree, whatever its source is written in: with the
// names of enumeration values that were given by code, and with what user
// interfaces want kept. It is empty for a rule that is always true.
func (p *Program) Normalized() Source {
	if p.root == nil {
		return ""
	}
	return Source(writeTree(p.root))
}
