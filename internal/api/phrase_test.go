package api

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Whatever huma says of a value can be said in Turkish: its catalogue of
// messages, and what it says beside that where it validates and reads
// parameters. The source is read, so that an update brings no English in.
func TestViolations_haveTheirTurkish(t *testing.T) {
	pkg, err := build.Import("github.com/danielgtaylor/huma/v2", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := os.ReadFile("../locale/phrases_tr.json")
	if err != nil {
		t.Fatal(err)
	}
	var turkish map[string]string
	if err := json.Unmarshal(catalogue, &turkish); err != nil {
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
			text := template(told(n))
			if strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
				found++
				if turkish[text] == "" {
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

// template is a text with {0}, {1} for what is not constant.
func template(e ast.Expr) string {
	parts := strings.Split(constant(e), "\x00")
	text := parts[0]
	for i, p := range parts[1:] {
		text += "{" + strconv.Itoa(i) + "}" + p
	}
	return text
}

func constant(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return verb.ReplaceAllString(text, "\x00")
	case *ast.BinaryExpr:
		return constant(e.X) + constant(e.Y)
	}
	return "\x00"
}
