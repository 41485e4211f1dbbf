package rule

import "slices"

// Finding is something about a rule that its author will not have meant. It is
// told only when it is proven for all facts whose fields are known, except for
// the nullable ones, and whose numbers keep to the bounds of their fields.
type Finding struct {
	Code FindingCode
	Path string // of the group or leaf; empty for the whole
	// By is, of a shadowed rule, the index of the earlier one that covers it;
	// -1 when it takes several together.
	By int
	// Example are facts to which the rule, or the shadowed one, does apply;
	// fields that are not named do not matter. There is none of a rule that is
	// never or always true.
	Example []Given
}

// FindingCode says what was found; the message is "rule.finding.<code>" of the
// catalogues.
type FindingCode string

// The codes.
const (
	NeverTrue   FindingCode = "never_true"  // the conditions contradict one another
	AlwaysTrue  FindingCode = "always_true" // no facts make it false
	Unreachable FindingCode = "unreachable" // an alternative that can never apply where it stands
	Redundant   FindingCode = "redundant"   // a part without which the rule says the same
	Shadowed    FindingCode = "shadowed"    // earlier rules take all that this one is about
)

// FindingCodes lists them.
func FindingCodes() []FindingCode {
	return []FindingCode{NeverTrue, AlwaysTrue, Unreachable, Redundant, Shadowed}
}

// Key names the message in the catalogues.
func (f Finding) Key() string { return "rule.finding." + string(f.Code) }

// Given is the value of a field in an example, as JSON; null is a missing one.
type Given struct {
	Field FieldID
	Value string
}

// Ruled is a program and what a missing value counts as where it is used.
type Ruled struct {
	Program *Program
	Missing Missing
	// Also is a second program that must match too, such as criteria beside a rule;
	// nil is none. Lint looks at Program alone.
	Also *Program
}

// lintBudget bounds the work on one question, in the units of [leaf.cost]: a
// second or less. What is not decided by then is not told.
const lintBudget = 2_000_000

// Lint tells what is wrong with a rule in itself.
func (r Ruled) Lint() []Finding {
	if r.Program.root == nil {
		return nil
	}
	s := &solver{budget: lintBudget}
	f := r.formula()
	verdict, example := s.solve(f)
	if verdict == unsatisfiable {
		return []Finding{{Code: NeverTrue}}
	}
	if verdict, _ := s.solve(f.opposite()); verdict == unsatisfiable {
		return []Finding{{Code: AlwaysTrue}}
	}
	found := s.parts(f, f, map[*formula]bool{})
	for i := range found {
		found[i].Example = example
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return orderOf(r.Program, a.Path) - orderOf(r.Program, b.Path) })
	return found
}

// orderOf is where a path stands in the source.
func orderOf(p *Program, path string) int {
	i := 0
	order := -1
	var visit func(*node)
	visit = func(n *node) {
		if n.path == path && order < 0 {
			order = i
		}
		i++
		for _, c := range n.children {
			visit(c)
		}
	}
	visit(p.root)
	return order
}

// CoveredBy tells whether the rule never has anything to say because each of
// the earlier ones ends the evaluation when it applies. What is empty of itself
// is not covered: Lint tells that.
func (r Ruled) CoveredBy(earlier ...Ruled) (Finding, bool) {
	s := &solver{budget: lintBudget}
	f := r.formula()
	verdict, example := s.solve(f)
	if verdict == unsatisfiable || len(earlier) == 0 {
		return Finding{}, false
	}
	for i, e := range earlier {
		if verdict, _ := s.solve(f, e.formula().opposite()); verdict == unsatisfiable {
			return Finding{Code: Shadowed, By: i, Example: example}, true
		}
	}
	rest := []*formula{f}
	for _, e := range earlier {
		rest = append(rest, e.formula().opposite())
	}
	if verdict, _ := s.solve(rest...); verdict == unsatisfiable {
		return Finding{Code: Shadowed, By: -1, Example: example}, true
	}
	return Finding{}, false
}

// IsEmpty reports whether no facts are proven to fulfil the rule.
func (r Ruled) IsEmpty() bool {
	verdict, _ := (&solver{budget: lintBudget}).solve(r.formula())
	return verdict == unsatisfiable
}

// Example returns facts that fulfil the rule, when some are found.
func (r Ruled) Example() ([]Given, bool) {
	s := &solver{budget: lintBudget}
	verdict, example := s.solve(r.formula())
	return example, verdict == satisfiable
}

// formula is a rule with all negation worked into its atoms.
type formula struct {
	path string
	any  bool
	kids []*formula
	atom *atom // of a leaf
	// turned says that an odd number of groups around it negate it.
	turned bool
}

// atom is a leaf in one use.
type atom struct {
	step    *step
	missing Missing
	turned  bool // asks for the opposite of what the step answers
}

func (a *atom) holds(f *Facts) bool { return a.step.answer(f, a.missing) != a.turned }

// isPositive reports whether the atom asks for what its positive operator says.
func (a *atom) isPositive() bool { return a.step.negated == a.turned }

func (r Ruled) formula() *formula {
	if r.Also == nil {
		return r.formulaOf(r.Program)
	}
	return &formula{kids: []*formula{r.formulaOf(r.Program), r.formulaOf(r.Also)}}
}

func (r Ruled) formulaOf(p *Program) *formula {
	if p.root == nil {
		return &formula{}
	}
	byLeaf := map[*leaf]*step{}
	for i := range p.steps {
		byLeaf[p.steps[i].leaf] = &p.steps[i]
	}
	var build func(n *node, negated bool) *formula
	build = func(n *node, negated bool) *formula {
		f := &formula{path: n.path, turned: negated}
		if n.leaf != nil {
			f.atom = &atom{step: byLeaf[n.leaf], missing: r.Missing}
			return f
		}
		negated = negated != n.not
		f.any = n.any != negated
		for _, c := range n.children {
			f.kids = append(f.kids, build(c, negated))
		}
		return f
	}
	return build(p.root, false)
}

// opposite is true where f is false.
func (f *formula) opposite() *formula {
	o := &formula{path: f.path, any: !f.any}
	if f.atom != nil {
		o.atom = &atom{step: f.atom.step, missing: f.atom.missing, turned: !f.atom.turned}
	}
	for _, k := range f.kids {
		o.kids = append(o.kids, k.opposite())
	}
	return o
}

// parts finds the pieces of part, which is in whole, without which whole says the
// same, and adds them to gone. Each may be left out by itself and together with
// those found before: of two that make one another needless, the later is told.
func (s *solver) parts(whole, part *formula, gone map[*formula]bool) []Finding {
	var found []Finding
	for _, kid := range slices.Backward(part.kids) {
		// Without a test for null, a missing value would count as something else.
		if !kid.testsForNull() && part.left(gone) > 1 && s.same(whole, whole.without(map[*formula]bool{kid: true})) {
			gone[kid] = true
			if len(gone) == 1 || s.same(whole, whole.without(gone)) {
				found = append(found, Finding{Code: s.needless(whole, part, kid), Path: kid.path})
				continue
			}
			delete(gone, kid)
		}
		found = append(found, s.parts(whole, kid, gone)...)
	}
	return found
}

// same reports whether two formulas are proven to be true of the same facts.
func (s *solver) same(f, g *formula) bool {
	if verdict, _ := s.solve(f, g.opposite()); verdict != unsatisfiable {
		return false
	}
	verdict, _ := s.solve(g, f.opposite())
	return verdict == unsatisfiable
}

// needless says why kid, an alternative or a condition of part, can be left out.
func (s *solver) needless(whole, part, kid *formula) FindingCode {
	if !part.any || kid.turned {
		return Redundant
	}
	others := map[*formula]bool{}
	for _, k := range part.kids {
		others[k] = k != kid
	}
	if verdict, _ := s.solve(whole.without(others)); verdict == unsatisfiable {
		return Unreachable
	}
	return Redundant
}

// left counts the pieces of f that are not gone.
func (f *formula) left(gone map[*formula]bool) int {
	n := 0
	for _, k := range f.kids {
		if !gone[k] {
			n++
		}
	}
	return n
}

// without is f without some of its pieces.
func (f *formula) without(gone map[*formula]bool) *formula {
	o := *f
	o.kids = nil
	for _, k := range f.kids {
		if !gone[k] {
			o.kids = append(o.kids, k.without(gone))
		}
	}
	return &o
}

// testsForNull reports whether something in f asks for null where that changes
// what a missing value counts as.
func (f *formula) testsForNull() bool {
	if f.atom != nil {
		return f.atom.missing != TwoValued && (f.atom.step.does == IsNull || f.atom.step.does == IsEmpty)
	}
	return slices.ContainsFunc(f.kids, (*formula).testsForNull)
}
