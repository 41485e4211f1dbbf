package arch

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// teller is a function by its name and how many parameters it has. Names that
// begin with a small letter mean something in their own directory only.
type teller struct {
	dir, name string
	params    int
}

// phrases finds the texts that can stand in a validation error. Some functions
// are told them; what they are given is followed to the literals that it comes
// from, and a function that hands a parameter on is one that is told. What is not
// a literal is a place, {0}.
type phrases struct {
	functions map[teller][]function // of the tree
	constants map[string]ast.Expr   // by directory and name
	text      map[teller]int        // which parameter is the text
	found     map[string]string     // where each stands
	lost      []string              // what could not be followed
	seen      map[ast.Node]bool
}

// function is a declared function, a literal that has a name, or the value of a
// variable of a package.
type function struct {
	source
	name  string
	kind  *ast.FuncType
	body  ast.Node
	scope ast.Node // where its variables are: the declared function around it
	plain bool     // is no method
}

func phrasesOf(sources []source) *phrases {
	p := &phrases{
		functions: map[teller][]function{}, constants: map[string]ast.Expr{}, found: map[string]string{}, seen: map[ast.Node]bool{},
		text: map[teller]int{{name: "OnField", params: 3}: 2, {name: "Fail", params: 3}: 2, {name: "Is", params: 4}: 3},
	}
	for _, s := range sources {
		if !s.test {
			p.declare(s)
		}
	}
	for known := -1; known != len(p.text); { // until no teller is new
		known = len(p.text)
		p.lost = nil
		clear(p.seen)
		for _, list := range p.functions {
			for _, f := range list {
				p.visit(f)
			}
		}
	}
	return p
}

func (p *phrases) declare(s source) {
	add := func(f function) {
		k := p.key(s.dir, f.name, f.kind.Params.NumFields())
		p.functions[k] = append(p.functions[k], f)
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil {
				continue
			}
			add(function{source: s, name: d.Name.Name, kind: d.Type, body: d.Body, scope: d.Body, plain: d.Recv == nil})
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if name, l := literalOf(n); l != nil {
					add(function{source: s, name: name, kind: l.Type, body: l.Body, scope: d.Body, plain: true})
				}
				return true
			})
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || len(v.Values) != len(v.Names) {
					continue
				}
				for i, n := range v.Names {
					p.constants[s.dir+" "+n.Name] = v.Values[i]
					add(function{source: s, kind: &ast.FuncType{Params: &ast.FieldList{}}, body: v.Values[i], scope: v.Values[i]})
				}
			}
		}
	}
}

// literalOf is a function literal that is given to a variable.
func literalOf(n ast.Node) (string, *ast.FuncLit) {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
		return "", nil
	}
	l, _ := a.Rhs[0].(*ast.FuncLit)
	return nameOf(a.Lhs[0]), l
}

func (p *phrases) key(dir, name string, params int) teller {
	if token.IsExported(name) {
		dir = ""
	}
	return teller{dir: dir, name: name, params: params}
}

// visit looks at what a function tells.
func (p *phrases) visit(f function) {
	ast.Inspect(f.body, func(n ast.Node) bool {
		if _, l := literalOf(n); l != nil { // is a function of its own
			return false
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			if at, ok := p.text[p.key(f.dir, nameOf(n.Fun), len(n.Args))]; ok {
				p.tell(f, n.Args[at])
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Text" && fieldLiteral(f, n) {
				p.tell(f, n.Value)
			}
		}
		return true
	})
}

// fieldLiteral reports whether a member stands in a fault.Field{…}.
func fieldLiteral(f function, member ast.Node) (is bool) {
	ast.Inspect(f.body, func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok && l.Type != nil && nameOf(l.Type) == "Field" {
			is = is || l.Pos() <= member.Pos() && member.End() <= l.End()
		}
		return true
	})
	return is
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return nameOf(e.X)
	}
	return ""
}

// tell keeps the texts that an expression can be.
func (p *phrases) tell(f function, e ast.Expr) {
	if s, ok := e.(*ast.SelectorExpr); ok && (s.Sel.Name == "Text" || s.Sel.Name == "Message") {
		return // was told when it was made, or is of a library: internal/api tries those
	}
	if name, ok := e.(*ast.Ident); ok {
		if at := position(f.kind, name.Name); at >= 0 {
			p.text[p.key(f.dir, f.name, f.kind.Params.NumFields())] = at
			return
		}
		if p.seen[e] {
			return
		}
		p.seen[e] = true
		if sources := assigned(f, name.Name); len(sources) > 0 {
			for _, from := range sources {
				p.tell(f, from)
			}
			return
		}
		if from, ok := p.constants[f.dir+" "+name.Name]; ok {
			p.tell(f, from)
			return
		}
	}
	if call, ok := e.(*ast.CallExpr); ok && (ofCatalogue(call) || p.returned(f, call)) {
		return
	}
	text, constant := template(e)
	if text == "" { // nothing is wrong
		return
	}
	if !constant {
		p.lost = append(p.lost, f.at(e))
		return
	}
	for n := 0; strings.Contains(text, "{}"); n++ {
		text = strings.Replace(text, "{}", "{"+itoa(n)+"}", 1)
	}
	p.found[text] = f.at(e)
}

// position is that of a parameter, or -1.
func position(kind *ast.FuncType, name string) int {
	i := 0
	for _, field := range kind.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

// assigned are the values that a function gives to a variable.
func assigned(f function, name string) []ast.Expr {
	var all []ast.Expr
	is := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == name
	}
	ast.Inspect(f.scope, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if is(l) && len(n.Lhs) == len(n.Rhs) {
					all = append(all, n.Rhs[i])
				} else if is(l) {
					all = append(all, n.Rhs[0])
				}
			}
		case *ast.RangeStmt:
			l, ok := n.X.(*ast.CompositeLit)
			if !ok {
				return true
			}
			for _, e := range l.Elts {
				switch kv, paired := e.(*ast.KeyValueExpr); {
				case paired && is(n.Key):
					all = append(all, kv.Key)
				case paired && is(n.Value):
					all = append(all, kv.Value)
				case is(n.Value):
					all = append(all, e)
				}
			}
		}
		return true
	})
	return all
}

// ofCatalogue reports whether a text is the English of a message that the
// catalogues have in both languages: p.Text("en").
func ofCatalogue(call *ast.CallExpr) bool {
	if nameOf(call.Fun) != "Text" || len(call.Args) != 1 {
		return false
	}
	l, ok := call.Args[0].(*ast.BasicLit)
	return ok && l.Value == `"en"`
}

// returned tells what a function returns first.
func (p *phrases) returned(f function, call *ast.CallExpr) bool {
	list := slices.DeleteFunc(slices.Clone(p.functions[p.key(f.dir, nameOf(call.Fun), len(call.Args))]), func(g function) bool { return !g.plain })
	if len(list) == 0 || p.seen[call] {
		return len(list) > 0
	}
	p.seen[call] = true
	for _, g := range list {
		ast.Inspect(g.body, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
				p.tell(g, r.Results[0])
			}
			return true
		})
	}
	return true
}

var verb = regexp.MustCompile(`%[a-z]`)

// template writes an expression with {} for whatever is not constant; it is
// false when nothing is.
func template(e ast.Expr) (text string, constant bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.ParenExpr:
		return template(e.X)
	case *ast.BinaryExpr:
		left, a := template(e.X)
		right, b := template(e.Y)
		return left + right, a || b
	case *ast.CallExpr:
		if nameOf(e.Fun) == "Sprintf" {
			text, constant = template(e.Args[0])
			return verb.ReplaceAllString(text, "{}"), constant
		}
	}
	return "{}", false
}

// catalogue reads the texts that have Turkish.
func catalogue() (map[string]string, error) {
	text, err := readFile(root + "/internal/locale/phrases_tr.json")
	if err != nil {
		return nil, err
	}
	var turkish map[string]string
	return turkish, json.Unmarshal([]byte(text), &turkish)
}

// Whatever is said of a member of a request can be said in Turkish: the text
// itself is a key, and no English is left to the place of a looser one.
func untranslated(p *phrases, turkish map[string]string) []string {
	var complaints []string
	for _, at := range p.lost {
		complaints = append(complaints, at+": the text of a field error comes from where no test can follow it; write it as a literal")
	}
	for _, text := range slices.Sorted(maps.Keys(p.found)) {
		if turkish[text] == "" {
			complaints = append(complaints, p.found[text]+": "+strconv.Quote(text)+" has no Turkish in internal/locale/phrases_tr.json")
		}
	}
	return complaints
}

func TestPhrases_haveTheirTurkish(t *testing.T) {
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	turkish, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p := phrasesOf(sources)
	for _, complaint := range untranslated(p, turkish) {
		t.Error(complaint)
	}
	for _, known := range []string{
		"is required", "must be from {0} to {1}", // of Checks
		"has more than {0} elements", "must have 1 to 64 printable ASCII characters", // through a function, in a variable of a package
		"must begin with https://", "must be whsec_ and the base64 of 24 to 64 bytes", "must have 2048 to 8192 bits", "is too long",
	} {
		if p.found[known] == "" {
			t.Errorf("%q was not found", known)
		}
	}
}

func TestPhrases_withoutTurkishAreFound(t *testing.T) {
	turkish := map[string]string{"is required": "x", "must be from {0} to {1}": "x", "must be of {0}": "x"}
	prove(
		t, func(s source) []string { return untranslated(phrasesOf([]source{s}), turkish) },
		snippet{"internal/a/a.go", `func f() { bad.OnField("a", "teapot", "must be of a teapot") }`, true},
		snippet{"internal/a/a.go", `func f() { bad.OnField("a", "required", "is required") }`, false},
		snippet{"internal/a/a.go", `func f() { bad.OnField("a", "teapot", "is a teapot") }`, true},
		snippet{"internal/a/a.go", `var bad = fault.New().OnField("a", "teapot", "is a teapot")`, true},
		snippet{"internal/a/a.go", `func f(n int) { v.Fail("a", "x", fmt.Sprintf("must be from %d to %d", n, n)) }`, false},
		snippet{"internal/a/a.go", `func f(n int) { v.Is("a", n > 3, "x", "has "+strconv.Itoa(n)+" teapots") }`, true},
		snippet{"internal/a/a.go", `func tell(text string) { v.Fail("a", "x", text) }; func f() { tell("is required"); tell("is a teapot") }`, true},
		snippet{"internal/a/a.go", `func f() { tell := func(a, b string) { v.Fail(a, "x", b) }; tell("a", "is a teapot") }`, true},
		snippet{"internal/a/a.go", `func f() { for a, b := range map[string]string{"a": "is a teapot"} { v.Fail(a, "x", b) } }`, true},
		snippet{"internal/a/a.go", `func wrong(s string) string { if s == "" { return "" }; return "is a teapot" }; func f() { v.Fail("a", "x", wrong("a")) }`, true},
		snippet{"internal/a/a.go", `func f() { return fault.Field{Name: "a", Text: "is a teapot"} }`, true},
		snippet{"internal/a/a.go", `func f(err error) { v.Fail("a", "x", err.Error()) }`, true},
	)
}
