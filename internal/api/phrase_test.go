package api

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/locale"
)

// Whatever huma says of a value can be said in Turkish: its catalogue of
// messages, and what it says beside that where it validates and reads
// parameters. The source is read, so that an update brings no English in.
func TestViolations_haveTheirTurkish(t *testing.T) {
	pkg, err := build.Import("github.com/danielgtaylor/huma/v2", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, told := range map[string]func(ast.Node) ast.Expr{
		"validation/messages.go": message, "validate.go": added, "huma.go": added,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(pkg.Dir, filepath.FromSlash(name)), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			text := constant(told(n))
			if strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
				found++
				if _, ok := locale.Phrase("tr", text); !ok {
					t.Errorf("%s: %q has no Turkish", name, text)
				}
			}
			return true
		})
	}
	if found < 50 {
		t.Errorf("found only %d messages of huma", found)
	}
}

// message is the text of a message of the catalogue.
func message(n ast.Node) ast.Expr {
	if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
		return v.Values[0]
	}
	return nil
}

// added is the text of what is added to a result, or of an error that may be.
func added(n ast.Node) ast.Expr {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	switch {
	case !ok:
		return nil
	case f.Sel.Name == "Add" && len(call.Args) == 3:
		return call.Args[2]
	case fmt.Sprint(f.X) == "errors" && f.Sel.Name == "New":
		return call.Args[0]
	}
	return nil
}

var verb = regexp.MustCompile(`%[a-z]`)

// constant is a text with x for what is not constant.
func constant(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return verb.ReplaceAllString(text, "X")
	case *ast.BinaryExpr:
		return constant(e.X) + constant(e.Y)
	}
	return "X"
}
