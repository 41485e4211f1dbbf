package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/sarraf-platform/sarraf/"
)

// source is one parsed Go file.
type source struct {
	path string // from the root of the tree: internal/money/rate.go
	dir  string // internal/money
	test bool   // a _test.go file, or in a package whose name ends in test
	text string
	file *ast.File
	fset *token.FileSet
}

// name is the package's path as the layer table writes it: money, hsm/soft,
// cmd/sarraf.
func (s source) name() string { return strings.TrimPrefix(s.dir, "internal/") }

// at says where a node is.
func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return s.path + ":" + itoa(p.Line)
}

// imports returns the paths the file imports.
func (s source) imports() []string {
	paths := make([]string, len(s.file.Imports))
	for i, spec := range s.file.Imports {
		paths[i] = strings.Trim(spec.Path.Value, `"`)
	}
	return paths
}

// parse reads one file of Go; name is its path from the root of the tree.
func parse(name, text string) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	dir := path.Dir(name)
	test := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(dir, "test")
	return source{path: name, dir: dir, test: test, text: text, file: file, fset: fset}, nil
}

// tree reads every Go file under internal and cmd once for all tests.
var tree = sync.OnceValues(func() ([]source, error) {
	var sources []source
	err := walk(func(name, text string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := parse(name, text)
		sources = append(sources, s)
		return err
	})
	return sources, err
})

// walk calls visit for every text file under internal and cmd, testdata and
// built assets left out.
func walk(visit func(name, text string) error) error {
	for _, top := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				switch d.Name() {
				case "testdata", "zz", "dist", "node_modules":
					return fs.SkipDir
				}
				return nil
			}
			switch filepath.Ext(name) {
			case ".go", ".sql", ".yaml", ".yml", ".json", ".csv", ".txt", ".html", ".css", ".js":
			default:
				return nil
			}
			text, err := readFile(name)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			return visit(filepath.ToSlash(rel), text)
		})
		if err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// each runs check over every file and reports what it complains about.
func each(t *testing.T, check func(source) []string) {
	t.Helper()
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		for _, complaint := range check(s) {
			t.Error(complaint)
		}
	}
}

// snippet is a file that a check is tried on: its path, its text below the
// package clause, and whether the check must complain.
type snippet struct {
	path, text string
	complains  bool
}

// prove tries check on snippets.
func prove(t *testing.T, check func(source) []string, snippets ...snippet) {
	t.Helper()
	for _, x := range snippets {
		s, err := parse(x.path, "package p\n"+x.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := check(s); (len(got) > 0) != x.complains {
			t.Errorf("%s with %q: got %q, want a complaint: %v", x.path, x.text, got, x.complains)
		}
	}
}
