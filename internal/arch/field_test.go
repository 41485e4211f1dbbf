package arch

import (
	"go/ast"
	"testing"
)

// A field that rules may ask about is told by something: else a control that
// declines would refuse everything, and one that approves nothing.
func TestRuleFields_areTold(t *testing.T) {
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	told := map[string]bool{}
	for _, s := range sources {
		switch {
		case s.path == "internal/control/rule/fields.go":
			fields = constantsOf(s.file, "FieldID")
		case !s.test && (s.name() == "authorization" || s.name() == "fee"):
			ast.Inspect(s.file, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "rule" {
						told[sel.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	if len(fields) < 90 {
		t.Fatalf("%d fields are found", len(fields))
	}
	for _, f := range fields {
		if !told[f] && f != "fieldCount" {
			t.Errorf("rules may ask about %s, and nothing tells it", f)
		}
	}
}

// constantsOf are the names of the enumeration that begins with this type.
func constantsOf(f *ast.File, kind string) (names []string) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || len(g.Specs) == 0 {
			continue
		}
		first, ok := g.Specs[0].(*ast.ValueSpec)
		if !ok {
			continue
		}
		if x, ok := first.Type.(*ast.Ident); !ok || x.Name != kind {
			continue
		}
		for _, spec := range g.Specs {
			for _, n := range spec.(*ast.ValueSpec).Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}
