package arch

import (
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// names is what documents may speak of: declarations by package, test
// functions, files, and the rules that verify proves.
type names struct {
	declared map[string]bool // ledger.Book, ledger.Book.Post, sim.Terminal.ID
	packages map[string]bool // ledger
	tests    map[string]bool
	rules    map[string]bool
	files    map[string]bool // ports.go, wherever it stands
}

// known collects the names of the whole tree, the test module included.
func known() (names, error) {
	n := names{declared: map[string]bool{}, packages: map[string]bool{}, tests: map[string]bool{}, rules: map[string]bool{},
		files: map[string]bool{}}
	sources, err := tree()
	if err != nil {
		return n, err
	}
	whole, err := filepath.Glob(filepath.Join(root, "test", "*_test.go"))
	if err != nil {
		return n, err
	}
	inside, err := filepath.Glob(filepath.Join(root, "test", "*", "*_test.go"))
	if err != nil {
		return n, err
	}
	sources = slices.Clone(sources)
	for _, name := range append(whole, inside...) {
		text, err := readFile(name)
		if err != nil {
			return n, err
		}
		s, err := parse(strings.TrimPrefix(filepath.ToSlash(name), root+"/"), text)
		if err != nil {
			return n, err
		}
		sources = append(sources, s)
	}
	for _, s := range sources {
		n.add(s)
	}
	return n, nil
}

func (n names) add(s source) {
	p := path.Base(s.dir)
	n.files[path.Base(s.path)] = true
	inTest := strings.HasSuffix(s.path, "_test.go")
	if !inTest {
		n.packages[p] = true
	}
	if strings.Contains(path.Base(s.path), "verify") && !inTest {
		literals(s, func(_ ast.Node, text string) { n.rules[text] = true })
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case inTest:
				n.tests[d.Name.Name] = true
			case d.Recv == nil:
				n.declared[p+"."+d.Name.Name] = true
			default:
				if t := rootOf(d.Recv.List[0].Type); t != nil {
					n.declared[p+"."+t.Name+"."+d.Name.Name] = true
				}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				n.addSpec(p, spec)
			}
		}
	}
}

func (n names) addSpec(p string, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, i := range spec.Names {
			n.declared[p+"."+i.Name] = true
		}
	case *ast.TypeSpec:
		t := p + "." + spec.Name.Name
		n.declared[t] = true
		var fields *ast.FieldList
		switch body := spec.Type.(type) {
		case *ast.StructType:
			fields = body.Fields
		case *ast.InterfaceType:
			fields = body.Methods
		default:
			return
		}
		for _, f := range fields.List {
			for _, i := range f.Names {
				n.declared[t+"."+i.Name] = true
			}
		}
	}
}

var (
	quoted    = regexp.MustCompile("`([^`\n]+)`")
	qualified = regexp.MustCompile(`^([a-z][a-z0-9]*)(\.[A-Za-z][A-Za-z0-9_]*){1,2}$`)
	testName  = regexp.MustCompile(`^(Test|Fuzz|Example)[A-Z]\w*$`)
	filePath  = regexp.MustCompile(`^(internal|cmd|test|tools|docs)(/[\w.-]+)+/?$|^[\w./-]+\.go$`)
	aRule     = regexp.MustCompile("verify: `([^`]+)`")
)

// exists reports whether a file or directory of the tree has this path, or this
// path below internal.
func exists(name string) bool {
	for _, dir := range []string{root, root + "/internal"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
			return true
		}
	}
	return false
}

// astray returns the names in a document that nothing in the tree has.
func (n names) astray(text string) []string {
	var missing []string
	for _, m := range aRule.FindAllStringSubmatch(text, -1) {
		if !n.rules[m[1]] {
			missing = append(missing, "verify: "+m[1])
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		word := strings.TrimSuffix(m[1], "()")
		found := true
		switch q := qualified.FindStringSubmatch(word); {
		case testName.MatchString(word):
			found = n.tests[word]
		case filePath.MatchString(word):
			found = exists(word) || n.files[word]
		case q != nil && n.packages[q[1]]:
			found = n.declared[word]
		}
		if !found {
			missing = append(missing, word)
		}
	}
	return missing
}

func TestDocuments_nameWhatExists(t *testing.T) {
	n, err := known()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "docs/*.md", "docs/adr/*.md", "docs/tour/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		if filepath.Base(name) == "events.md" {
			continue // generated; customer.created is an event there, not a name of a package
		}
		text, err := readFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range n.astray(text) {
			t.Errorf("%s: there is no %s", strings.TrimPrefix(filepath.ToSlash(name), root+"/"), word)
		}
	}
	for text, want := range map[string]bool{
		"`pan.Parse`":                       false,
		"`pan.PAN.Reveal()`":                false,
		"`pan.Divine`":                      true,
		"`pan.PAN.Divine`":                  true,
		"`e.g`":                             false,
		"`TestDocuments_nameWhatExists`":    false,
		"`TestDocuments_nameWhatDoesNot`":   true,
		"`internal/pan/pan.go`":             false,
		"`pan/pan.go`":                      false,
		"`internal/pan/pin.go`":             true,
		"`internal/pan/`":                   false,
		"`ports.go`":                        false,
		"`no_such.go`":                      true,
		"`go test ./...`":                   false,
		"verify: `money grows on trees`":    true,
		"`posted - held >= $1`, `a` or `b`": false,
	} {
		if got := len(n.astray(text)) > 0; got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

// Every rule that verify proves is listed.
func TestInvariants_listEveryRule(t *testing.T) {
	text, err := readFile(filepath.Join(root, "docs/invariants.md"))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if s.test || !strings.HasPrefix(path.Base(s.path), "verify") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, _ := kv.Key.(*ast.Ident)
			value, _ := kv.Value.(*ast.BasicLit)
			if key == nil || value == nil || !strings.EqualFold(key.Name, "name") {
				return true
			}
			if name, err := strconv.Unquote(value.Value); err == nil && !strings.Contains(text, "verify: `"+name+"`") {
				t.Errorf("docs/invariants.md does not list the rule %q of %s", name, s.path)
			}
			return true
		})
	}
}

// Every package has its place on the map.
func TestArchitecture_namesEveryPackage(t *testing.T) {
	text, err := readFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]bool{}
	for _, s := range sources {
		if !strings.HasSuffix(s.dir, "test") {
			dirs[s.dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		name := strings.TrimPrefix(dir, "internal/")
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not name `%s`", name)
		}
	}
}

// repository is what an import path is known by: github.com/jackc/pgx.
func repository(imported string) string {
	parts := strings.Split(imported, "/")
	n := 2
	if parts[0] == "github.com" || parts[0] == "golang.org" {
		n = 3
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// Whatever is imported from outside is explained, and nothing else is.
func TestDependencies_areExplained(t *testing.T) {
	adr, err := readFile(filepath.Join(root, "docs/adr/0011-dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z][\w.-]+\.[a-z]+/[\w./-]+)`).FindAllStringSubmatch(adr, -1) {
		explained[repository(m[1])] = true
	}
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range sources {
		for _, p := range s.imports() {
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") && !strings.HasPrefix(p, module) {
				used[repository(p)] = true
			}
		}
	}
	for _, r := range slices.Sorted(maps.Keys(used)) {
		if !explained[r] {
			t.Errorf("docs/adr/0011-dependencies.md does not say why %s is needed", r)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(explained)) {
		if !used[r] {
			t.Errorf("docs/adr/0011-dependencies.md explains %s, which nothing imports", r)
		}
	}
}
