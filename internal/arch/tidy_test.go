package arch

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// declaration is a name that a file introduces.
type declaration struct {
	ident *ast.Ident
	kind  string // type, func, value or field
}

// declarations returns every name the file introduces: types, functions,
// variables, constants, parameters, fields, methods of interfaces, imports.
func declarations(s source) []declaration {
	var list []declaration
	add := func(kind string, idents ...*ast.Ident) {
		for _, i := range idents {
			if i != nil && i.Name != "_" {
				list = append(list, declaration{i, kind})
			}
		}
	}
	fields := func(kind string, l *ast.FieldList) {
		if l == nil {
			return
		}
		for _, f := range l.List {
			add(kind, f.Names...)
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			add("value", n.Name)
		case *ast.TypeSpec:
			add("type", n.Name)
			fields("type", n.TypeParams)
		case *ast.FuncDecl:
			add("func", n.Name)
			fields("value", n.Recv)
		case *ast.FuncType:
			fields("value", n.Params)
			fields("value", n.Results)
		case *ast.StructType:
			fields("field", n.Fields)
		case *ast.InterfaceType:
			fields("func", n.Methods)
		case *ast.ValueSpec:
			add("value", n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, x := range n.Lhs {
					if i, ok := x.(*ast.Ident); ok {
						add("value", i)
					}
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				for _, x := range []ast.Expr{n.Key, n.Value} {
					if i, ok := x.(*ast.Ident); ok {
						add("value", i)
					}
				}
			}
		}
		return true
	})
	return list
}

// empty finds suffixes that say nothing about what a thing is.
var empty = regexp.MustCompile(`.(Manager|Helper|Util|Utils|Common|Base|Impl|Data|Info)$`)

// mandated are names that ISO 8583 and EMV give to their elements.
var mandated = []string{
	"ICCData", "PINData", "TrackData", "Track1Data", "Track2Data", "AdditionalData", "AdditionalResponseData",
	"IssuerApplicationData", "IssuerAuthenticationData", "DiscretionaryData",
}

func emptySuffixes(s source) []string {
	if s.test {
		return nil
	}
	var complaints []string
	for _, d := range declarations(s) {
		if !empty.MatchString(d.ident.Name) || slices.ContainsFunc(mandated, func(m string) bool { return strings.EqualFold(m, d.ident.Name) }) {
			continue
		}
		if within(s.name(), "api", "wire") && (d.kind == "type" || d.kind == "field") {
			continue // wire structs are named after their contract
		}
		complaints = append(complaints, s.at(d.ident)+": "+d.ident.Name+" ends in a word that says nothing")
	}
	return complaints
}

func TestNames_sayWhatThingsAre(t *testing.T) {
	each(t, emptySuffixes)
	prove(
		t, emptySuffixes,
		snippet{"internal/ledger/a.go", `type HoldManager struct{}`, true},
		snippet{"internal/ledger/a.go", `type a struct{ cardInfo int }`, true},
		snippet{"internal/ledger/a.go", `func a(cardData []byte) {}`, true},
		snippet{"internal/ledger/a.go", `func a() { x, holdUtil := 1, 2; _, _ = x, holdUtil }`, true},
		snippet{"internal/ledger/a.go", `type a interface{ LoadCardInfo() }`, true},
		snippet{"internal/ledger/a.go", `func a(data []byte, database int) { log.Info("x") }`, false},
		snippet{"internal/wire/iso8583/a.go", `type Message struct{ ICCData []byte }`, false},
		snippet{"internal/hsm/a.go", `func a(iccData []byte) {}`, false},
		snippet{"internal/api/ewallet/a.go", `type a struct { CardInfo int }`, false},
		snippet{"internal/api/ewallet/a.go", `func readCardInfo() {}`, true},
		snippet{"internal/ledger/a_test.go", `var holdData int`, false},
	)
}

// "auth" is authorization to one reader and authentication to the next.
func bareAuth(s source) []string {
	var complaints []string
	for _, d := range declarations(s) {
		if d.ident.Name == "auth" || d.ident.Name == "Auth" {
			complaints = append(complaints, s.at(d.ident)+": auth is no word here: say authorization or access")
		}
	}
	return complaints
}

func TestNames_authIsNoWord(t *testing.T) {
	each(t, bareAuth)
	prove(
		t, bareAuth,
		snippet{"internal/ledger/a.go", `func a() { auth := 1; _ = auth }`, true},
		snippet{"internal/ledger/a.go", `import auth "x"`, true},
		snippet{"internal/ledger/a.go", `type a struct{ Auth int }`, true},
		snippet{"internal/ledger/a_test.go", `func a() { for _, auth := range b { _ = auth } }`, true},
		snippet{"internal/ledger/a.go", `func authorize() { x.Auth() }`, false},
	)
}

// A parameter called tx is a database transaction.
func otherTx(s source) []string {
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok || !slices.ContainsFunc(f.Names, func(i *ast.Ident) bool { return i.Name == "tx" || i.Name == "Tx" }) {
			return true
		}
		typ := f.Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		switch typ := typ.(type) {
		case *ast.Ident:
			if strings.EqualFold(typ.Name, "tx") {
				return true
			}
		case *ast.SelectorExpr:
			if typ.Sel.Name == "Tx" {
				return true
			}
		}
		complaints = append(complaints, s.at(f)+": tx means a database transaction and nothing else")
		return true
	})
	return complaints
}

func TestNames_txIsADatabaseTransaction(t *testing.T) {
	each(t, otherTx)
	prove(
		t, otherTx,
		snippet{"internal/ledger/a.go", `func a(tx db.Tx) {}`, false},
		snippet{"internal/db/a.go", `type a struct { tx *sql.Tx }`, false},
		snippet{"internal/ledger/a.go", `func a(tx Transaction) {}`, true},
	)
}

// shapes are directory names that sort code by shape instead of subject.
var shapes = []string{
	"model", "models", "types", "service", "services", "repository", "handler", "handlers", "util", "utils",
	"helper", "helpers", "common", "base", "misc", "pkg", "shared", "lib",
}

func TestPackages_areNamedBySubjectAndDescribed(t *testing.T) {
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	described, code := map[string]int{}, map[string]bool{}
	for _, s := range sources {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		code[s.dir] = true
		if slices.Contains(shapes, path.Base(s.dir)) {
			t.Errorf("%s: %s is a shape, not a subject", s.path, path.Base(s.dir))
		}
		if s.file.Doc == nil {
			continue
		}
		described[s.dir]++
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command "
		}
		if text := s.file.Doc.Text(); !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment does not begin with %q", s.path, want)
		}
	}
	for dir := range code {
		if described[dir] != 1 {
			t.Errorf("%s: %d package comments, want one", dir, described[dir])
		}
	}
}

var (
	exclusion = regexp.MustCompile(`^//\s*(nolint|lint:(file-)?ignore)\b(.*)$`)
	todo      = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b(\(#\d+\):)?`)
)

// A lint exclusion has a sentence, and a thing to do has an issue.
func unreasoned(s source) []string {
	var complaints []string
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if m := exclusion.FindStringSubmatch(c.Text); m != nil {
				rest := strings.TrimSpace(m[3])
				if m[1] == "nolint" {
					_, rest, _ = strings.Cut(rest, "//")
				} else {
					_, rest, _ = strings.Cut(rest, " ")
				}
				if len(strings.Fields(rest)) < 2 {
					complaints = append(complaints, s.at(c)+": a lint exclusion without a reason")
				}
			}
			for _, m := range todo.FindAllStringSubmatch(c.Text, -1) {
				if m[1] != "XXX" && m[2] == "" {
					complaints = append(complaints, s.at(c)+": a "+m[1]+" without an issue: write TODO(#12):")
				}
			}
		}
	}
	return complaints
}

func TestComments_exclusionsHaveReasons(t *testing.T) {
	each(t, unreasoned)
	prove(
		t, unreasoned,
		snippet{"internal/ledger/a.go", `var a = 1 //nolint`, true},
		snippet{"internal/ledger/a.go", `var a = 1 //nolint:errcheck`, true},
		snippet{"internal/ledger/a.go", `var a = 1 //nolint:errcheck // the buffer never fails`, false},
		snippet{"internal/ledger/a.go", `var a = 1 //lint:ignore SA1019`, true},
		snippet{"internal/ledger/a.go", `var a = 1 //lint:ignore SA1019 the only legacy cipher we need`, false},
		snippet{"internal/ledger/a.go", "// TO" + "DO: later\nvar a = 1", true},
		snippet{"internal/ledger/a.go", "// TO" + "DO(#7): later\nvar a = 1", false},
	)
}

// variables returns the package-level variables of the files.
func variables(sources []source) map[string]map[string]bool {
	byDir := map[string]map[string]bool{}
	for _, s := range sources {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if byDir[s.dir] == nil {
						byDir[s.dir] = map[string]bool{}
					}
					byDir[s.dir][name.Name] = true
				}
			}
		}
	}
	return byDir
}

// written returns a check that complains about init functions and assignments
// to package-level variables of the files.
func written(sources []source) func(source) []string {
	byDir := variables(sources)
	return func(s source) []string {
		if s.test {
			return nil
		}
		unresolved := map[*ast.Ident]bool{} // names the parser did not find in this file
		for _, i := range s.file.Unresolved {
			unresolved[i] = true
		}
		var complaints []string
		target := func(x ast.Expr) {
			i := rootOf(x)
			if i == nil || !byDir[s.dir][i.Name] {
				return
			}
			here := i.Obj != nil && s.file.Scope.Lookup(i.Name) == i.Obj
			if here || unresolved[i] {
				complaints = append(complaints, s.at(x)+": writes the package-level variable "+i.Name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					complaints = append(complaints, s.at(n)+": an init function")
				}
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, x := range n.Lhs {
						target(x)
					}
				}
			case *ast.IncDecStmt:
				target(n.X)
			}
			return true
		})
		return complaints
	}
}

// rootOf returns the variable that an assignment to x changes, through
// indexes, fields and pointers.
func rootOf(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.IndexExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return nil
		}
	}
}

func TestVariables_areNotWrittenAfterStart(t *testing.T) {
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	each(t, written(sources))
	elsewhere, err := parse("internal/ledger/b.go", "package p\nvar far = map[string]int{}")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []snippet{
		{"internal/ledger/a.go", `var near = 1; func a() { near = 2 }`, true},
		{"internal/ledger/a.go", `var near = 1; func a() { near++ }`, true},
		{"internal/ledger/a.go", `func a() { far["x"] = 2 }`, true},
		{"internal/ledger/a.go", `func init() {}`, true},
		{"internal/ledger/a.go", `var near = 1; func a() { near := 2; near = 3; _ = near }`, false},
		{"internal/ledger/a.go", `func a(far []int) { far[0] = 2 }`, false},
		{"internal/issuing/a.go", `func a() { far["x"] = 2 }`, false},
		{"internal/ledger/a_test.go", `func a() { far["x"] = 2 }`, false},
	} {
		s, err := parse(x.path, "package p\n"+x.text)
		if err != nil {
			t.Fatal(err)
		}
		prove(t, written([]source{s, elsewhere}), x)
	}
}
