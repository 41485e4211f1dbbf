package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// verdict is what a search for facts ended with.
type verdict uint8

const (
	undecided verdict = iota
	satisfiable
	unsatisfiable
)

// solver looks for facts that fulfil formulas, alternative by alternative. It
// says unsatisfiable only where no facts can: for each field, the values that
// the comparisons tell apart are all tried.
type solver struct{ budget int }

// solve looks for facts that fulfil all the formulas, and returns them.
func (s *solver) solve(all ...*formula) (verdict, []Given) {
	var f Facts
	v, taken := s.search(all, nil, &f)
	if v != satisfiable {
		return v, nil
	}
	var ids []FieldID
	for _, a := range taken {
		ids = append(ids, a.step.field)
		if a.step.isOther {
			ids = append(ids, a.step.other)
		}
	}
	slices.Sort(ids)
	var example []Given
	for _, id := range slices.Compact(ids) {
		example = append(example, Given{id, f.JSON(id)})
	}
	return satisfiable, example
}

// search takes the atoms that must hold, and tries the alternatives of the first
// choice that is left.
func (s *solver) search(todo []*formula, taken []*atom, f *Facts) (verdict, []*atom) {
	var choices []*formula
	taken = slices.Clip(taken)
	known := len(taken)
	for len(todo) > 0 {
		x := todo[0]
		todo = todo[1:]
		switch {
		case x.atom != nil:
			taken = append(taken, x.atom)
		case x.any:
			choices = append(choices, x)
		default:
			todo = slices.Concat(x.kids, todo)
		}
	}
	for _, a := range taken[known:] {
		if v, _ := s.valueFor(a.step.field, taken); v == unsatisfiable {
			return unsatisfiable, nil
		}
	}
	if s.budget < 0 {
		return undecided, nil
	}
	if len(choices) == 0 {
		return s.settle(taken, f), taken
	}
	least := slices.MinFunc(choices, func(a, b *formula) int { return len(a.kids) - len(b.kids) })
	rest := slices.DeleteFunc(slices.Clone(choices), func(x *formula) bool { return x == least })
	result := unsatisfiable
	for _, k := range least.kids {
		v, all := s.search(append([]*formula{k}, rest...), taken, f)
		if v == satisfiable {
			return v, all
		}
		if v == undecided {
			result = undecided
		}
	}
	return result, nil
}

// settle gives every field of the atoms a value, and tries whether all of them
// hold: those that compare two fields were left out before.
func (s *solver) settle(taken []*atom, f *Facts) verdict {
	*f = Facts{}
	for _, a := range taken {
		ids := []FieldID{a.step.field}
		if a.step.isOther {
			ids = append(ids, a.step.other)
		}
		for _, id := range ids {
			v, c := s.valueFor(id, taken)
			if v != satisfiable {
				return v
			}
			c.put(f, id)
		}
	}
	for _, a := range taken {
		if !a.holds(f) {
			return undecided
		}
	}
	return satisfiable
}

// candidate is a value of a field that is tried.
type candidate struct {
	slot slot
	list []string
}

func (c *candidate) put(f *Facts, id FieldID) {
	f.slots[id] = c.slot
	if fields[id].Type == StringList {
		f.list = c.list
	}
}

// valueFor looks for a value of a field that fulfils what the atoms ask of it
// alone.
func (s *solver) valueFor(id FieldID, taken []*atom) (verdict, candidate) {
	var about []*atom
	for _, a := range taken {
		if a.step.field == id && !a.step.isOther {
			about = append(about, a)
		}
	}
	candidates, complete := candidatesFor(id, about)
	for _, a := range about {
		s.budget -= a.step.leaf.weight * len(candidates)
	}
	if s.budget--; s.budget < 0 {
		return undecided, candidate{}
	}
	var f Facts
	for i := range candidates {
		candidates[i].put(&f, id)
		if !slices.ContainsFunc(about, func(a *atom) bool { return !a.holds(&f) }) {
			return satisfiable, candidates[i]
		}
	}
	if complete {
		return unsatisfiable, candidate{}
	}
	return undecided, candidate{}
}

// setMax is how many elements of a set are tried one by one.
const setMax = 2000

// candidatesFor lists values of a field such that any other value is answered
// by the atoms as one of them; complete is false when that cannot be said.
func candidatesFor(id FieldID, about []*atom) (all []candidate, complete bool) {
	switch f := &fields[id]; f.Type {
	case Boolean:
		all, complete = numbers(Number{}, Number{Coefficient: 1}), true
	case Enum:
		for _, v := range f.Values {
			all = append(all, candidate{slot: slot{text: v.Name, known: true}})
		}
		complete = true
	case Integer, Date, Time:
		all, complete = wholeNumbers(f, about)
	case Decimal:
		all, complete = decimals(f, about)
	case String:
		all, complete = texts(f, about)
	case StringList:
		all, complete = textLists(about)
	}
	if fields[id].IsNullable {
		all = append(all, candidate{})
	}
	return all, complete
}

func numbers(all ...Number) []candidate {
	candidates := make([]candidate, len(all))
	for i, n := range all {
		candidates[i].slot = slot{number: n, known: true}
	}
	return candidates
}

// constants are the numbers that the atoms compare with, in order, each once.
func constants(about []*atom) (all []Number, complete bool) {
	complete = true
	for _, a := range about {
		switch a.step.does {
		case In, InList:
			complete = complete && a.step.in.size() <= setMax
			for n := range a.step.in.numbers {
				if len(all) > setMax {
					break
				}
				all = append(all, Number{Coefficient: n})
			}
			all = append(all, a.step.in.decimals...)
		case Between:
			all = append(all, a.step.a.number, a.step.b.number)
		case IsNull:
		default:
			all = append(all, a.step.a.number)
		}
	}
	slices.SortFunc(all, Number.Compare)
	return slices.CompactFunc(all, func(a, b Number) bool { return a.Compare(b) == 0 }), complete
}

// wholeNumbers are each constant and its neighbours: between two constants every
// number is answered like the one after the first.
func wholeNumbers(f *Field, about []*atom) ([]candidate, bool) {
	fixed, complete := constants(about)
	low, high := int64(-1<<62), int64(1<<62)
	if f.Min != nil {
		low = *f.Min
	}
	if f.Max != nil {
		high = *f.Max
	}
	if f.Type == Time {
		low, high = 0, 24*3600-1
	}
	var all []Number
	for _, c := range fixed {
		for _, n := range []int64{c.Coefficient, c.Coefficient + 1, c.Coefficient - 1} {
			if n >= low && n <= high {
				all = append(all, Number{Coefficient: n})
			}
		}
	}
	all = append(all, Number{Coefficient: max(low, 0)})
	return numbers(all...), complete
}

// decimals are each constant, a number between each two, and one on each side of
// all.
func decimals(f *Field, about []*atom) ([]candidate, bool) {
	fixed, complete := constants(about)
	all := slices.Clone(fixed)
	for i := range fixed {
		if i+1 < len(fixed) {
			middle, ok := between(fixed[i], fixed[i+1])
			all, complete = append(all, middle), complete && ok
		}
	}
	if len(fixed) == 0 {
		all = append(all, Number{})
	} else {
		first, last := fixed[0], fixed[len(fixed)-1]
		below := Number{first.Coefficient - int64(power(first.Exponent)), first.Exponent}
		if f.Min != nil && below.Compare(Number{Coefficient: *f.Min}) < 0 {
			below = Number{Coefficient: *f.Min}
		}
		all = append(all, below, Number{last.Coefficient + int64(power(last.Exponent)), last.Exponent})
	}
	if f.Min != nil {
		all = slices.DeleteFunc(all, func(n Number) bool { return n.Compare(Number{Coefficient: *f.Min}) < 0 })
	}
	return numbers(all...), complete
}

// between is a number between two others, when there is one that fits.
func between(a, b Number) (Number, bool) {
	e := max(a.Exponent, b.Exponent)
	low, high := a.Coefficient, b.Coefficient
	for range e - a.Exponent {
		low *= 10
	}
	for range e - b.Exponent {
		high *= 10
	}
	n := Number{low + (high-low)/2, e}
	if high-low < 2 && e < fractionMax {
		n = Number{low*10 + 5, e + 1}
	}
	return n, n.Compare(a) > 0 && n.Compare(b) < 0
}

// texts are those that the atoms name, and one that none names. Where parts of
// texts are asked for, the list is complete only if an atom names all that may
// be.
func texts(f *Field, about []*atom) ([]candidate, bool) {
	named := map[string]bool{}
	var parts []*atom
	complete, isClosed := true, false
	for _, a := range about {
		switch a.step.does {
		case Equal:
			named[a.step.a.text] = true
			isClosed = isClosed || a.isPositive()
		case In, InList:
			if a.step.in.size() > setMax {
				complete = false
				continue
			}
			for text := range a.step.in.texts {
				named[text] = true
			}
			isClosed = isClosed || a.isPositive()
		case IsNull, IsEmpty:
		default:
			parts = append(parts, a)
		}
	}
	all := slices.Sorted(func(yield func(string) bool) {
		for text := range named {
			if !yield(text) {
				return
			}
		}
	})
	all = append(all, composed(parts)...)
	all = append(all, fresh(f, named))
	candidates := make([]candidate, 0, len(all))
	for _, text := range all {
		if text != "" {
			candidates = append(candidates, candidate{slot: slot{text: text, known: true}})
		}
	}
	return candidates, complete && (len(parts) == 0 || isClosed || contradict(parts))
}

// composed are texts that may have all the wanted parts.
func composed(parts []*atom) []string {
	var begin, middle, end string
	all := []string{}
	for _, a := range parts {
		if !a.isPositive() {
			continue
		}
		text := a.step.a.text
		switch a.step.does {
		case BeginsWith:
			begin = longer(begin, text)
		case EndsWith:
			end = longer(end, text)
		case Contains:
			middle += text
		}
		all = append(all, text)
	}
	return append(all, begin+middle+end, begin+end)
}

func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// contradict reports whether what is asked of parts excludes one another: the
// same is wanted and not wanted, or two beginnings or two ends that differ.
func contradict(parts []*atom) bool {
	for i, a := range parts {
		for _, b := range parts[:i] {
			x, y := a.step, b.step
			switch {
			case x.does != y.does:
			case a.isPositive() != b.isPositive():
				if x.a.text == y.a.text {
					return true
				}
			case !a.isPositive():
			case x.does == BeginsWith && !strings.HasPrefix(x.a.text, y.a.text) && !strings.HasPrefix(y.a.text, x.a.text):
				return true
			case x.does == EndsWith && !strings.HasSuffix(x.a.text, y.a.text) && !strings.HasSuffix(y.a.text, x.a.text):
				return true
			}
		}
	}
	return false
}

// fresh is a text of the field's form that is not among those named.
func fresh(f *Field, named map[string]bool) string {
	width := 4
	if f.MaxLength > 0 {
		width = min(f.MaxLength, 6)
	}
	for i := range len(named) + 1 {
		digits := fmt.Sprintf("%0*d", width, i)
		letters := []byte{}
		for n := i; len(letters) < min(width, 3); n /= 26 {
			letters = append([]byte{byte('A' + n%26)}, letters...)
		}
		for _, text := range []string{string(letters), digits} {
			if !named[text] && (f.Pattern == nil || f.Pattern.MatchString(text)) {
				return text
			}
		}
	}
	for i := 0; ; i++ {
		if text := "?" + strconv.Itoa(i); !named[text] {
			return text
		}
	}
}

// textLists tries all that is wanted, and each element of it alone.
func textLists(about []*atom) ([]candidate, bool) {
	var must, may []string
	forbidden := map[string]bool{}
	for _, a := range about {
		if a.step.does == IsEmpty {
			continue
		}
		elements := slices.Collect(func(yield func(string) bool) {
			for text := range a.step.in.texts {
				if !yield(text) {
					return
				}
			}
		})
		slices.Sort(elements)
		switch {
		case !a.isPositive() && (a.step.does == ContainsAny || len(elements) == 1):
			for _, e := range elements {
				forbidden[e] = true
			}
		case a.isPositive() && (a.step.does == ContainsAll || len(elements) == 1):
			must = append(must, elements...)
		default:
			may = append(may, elements...)
		}
	}
	may = slices.DeleteFunc(may, func(e string) bool { return forbidden[e] })
	lists := [][]string{nil, must, slices.Concat(must, may), {"?"}}
	for _, e := range may {
		lists = append(lists, append(slices.Clone(must), e))
	}
	all := make([]candidate, len(lists))
	for i, l := range lists {
		all[i] = candidate{slot: slot{known: true}, list: l}
	}
	return all, slices.ContainsFunc(must, func(e string) bool { return forbidden[e] })
}
