// Package arch holds no code, only tests of the code's shape: which package
// may import which, and habits that a compiler does not know. Each test names
// the rule it guards; every check is itself tried on snippets that break it.
package arch

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func readFile(name string) (string, error) {
	b, err := os.ReadFile(name)
	return string(b), err
}

// The vocabulary and the domains, each in an order in which a package may
// import those to its left.
var (
	vocabulary = []string{"secret", "fault", "country", "locale", "clock", "money", "id", "pan", "fold", "list"}
	domains    = []string{
		"audit", "access", "notification", "ledger", "vault", "customer", "program", "issuing", "personalization", "control", "fee", "authorization",
		"clearing", "credit", "settlement", "acquiring", "wallet", "webhook",
	}
	// calculi are parts of a domain that know none, so that those who fill what
	// they work on may import them.
	calculi  = []string{"control/rule", "ledger/line", "credit/paper"}
	wires    = []string{"wire/iso8583", "wire/emv", "wire/clearingfile", "wire/persofile", "wire/qr"}
	families = []string{"api/platform", "api/openbanking", "api/payers", "api/ewallet", "api/cardstore"}
	edges    = append([]string{"api", "network", "sim", "console"}, families...)
)

// layers says what each package may import of this module. A package that is
// not in it has no place, and the test fails.
var layers = func() map[string][]string {
	t := map[string][]string{"arch": nil}
	for i, p := range vocabulary {
		t[p] = vocabulary[:i]
	}
	t["wire/jsonline"] = vocabulary
	for _, p := range wires {
		t[p] = join(vocabulary, []string{"wire/jsonline"})
	}
	t["hsm"] = vocabulary
	t["hsm/algo"] = join(vocabulary, []string{"hsm"})
	for _, p := range []string{"hsm/soft", "hsm/payshield", "hsm/vector", "hsm/hsmtest"} {
		t[p] = join(vocabulary, []string{"hsm", "hsm/algo"})
	}
	t["db"] = vocabulary
	t["outbox"] = join(vocabulary, []string{"db"})
	t["outbound"] = vocabulary
	for i, p := range domains {
		t[p] = join(vocabulary, []string{"hsm", "db", "outbox", "outbound"}, domains[:i])
		for _, c := range calculi {
			if parent, _, _ := strings.Cut(c, "/"); slices.Contains(domains[:i], parent) {
				t[p] = append(t[p], c)
			}
		}
	}
	for _, p := range calculi {
		t[p] = vocabulary
	}
	below := join(vocabulary, domains, calculi)
	t["api"] = below
	for _, p := range families {
		t[p] = join(below, []string{"api"})
	}
	t["console"] = below
	t["network"] = join(below, []string{"wire/iso8583", "wire/emv"})
	// sim talks to us from outside, so it knows formats and cryptography and
	// no domain.
	t["sim"] = join(vocabulary, wires, []string{"hsm/algo"})
	engine := []string{"hsm", "hsm/soft", "hsm/payshield", "hsm/vector", "db", "outbox", "outbound"}
	t["config"] = join(vocabulary, wires, engine, domains, calculi, edges)
	t["app"] = join(t["config"], []string{"config"})
	// Measuring looks at what app builds, and at what it is made of.
	t["bench"] = join(t["app"], []string{"app", "hsm/algo"})
	// The world of tests composes every layer, as app does.
	t["authorization/authorizationtest"] = join(t["app"], []string{"hsm/algo"})
	t["cmd/sarraf"] = []string{"app", "bench", "config"}
	return t
}()

// libraries says which modules a layer may import from outside. Packages not
// named here may import any.
var libraries = func() map[string][]string {
	t := map[string][]string{}
	for _, p := range vocabulary {
		t[p] = nil
	}
	for _, p := range wires {
		t[p] = []string{"go.yaml.in/yaml/v3"}
	}
	t["control/rule"] = []string{
		"cel.dev/cel-go/cel", "cel.dev/cel-go/common/ast", "cel.dev/cel-go/common/operators", "cel.dev/cel-go/common/types",
	}
	return t
}()

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// layerOf returns the row of the table for a package. A domain may have
// sub-packages one level deep, which stand where their domain stands; a
// package for tests (ledger/ledgertest) stands above the one it is for.
func layerOf(p string) (allowed []string, ok bool) {
	if allowed, ok = layers[p]; ok {
		return allowed, true
	}
	parent, name := path.Split(p)
	parent = strings.TrimSuffix(parent, "/")
	if allowed, ok = layers[parent]; !ok {
		return nil, false
	}
	switch {
	case strings.HasSuffix(name, "test"):
		return append(slices.Clone(allowed), parent), true
	case slices.Contains(domains, parent):
		return allowed, true
	}
	return nil, false
}

func directions(s source) []string {
	if strings.HasSuffix(s.path, "_test.go") {
		return nil
	}
	p := s.name()
	allowed, ok := layerOf(p)
	if !ok {
		return []string{s.path + ": package " + p + " has no layer; give it one in arch_test.go"}
	}
	var complaints []string
	for _, imported := range s.imports() {
		q, ours := strings.CutPrefix(imported, module)
		if !ours {
			if list, listed := libraries[p]; listed && strings.Contains(imported, ".") && !slices.Contains(list, imported) {
				complaints = append(complaints, s.path+": "+p+" is standard library only and imports "+imported)
			}
			continue
		}
		q = strings.TrimPrefix(q, "internal/")
		if strings.HasSuffix(q, "test") && s.test {
			continue
		}
		inner := strings.HasPrefix(q, p+"/") && slices.Contains(domains, p) // a domain uses its own calculus
		if !slices.Contains(allowed, q) && !inner {
			complaints = append(complaints, s.path+": "+p+" must not import "+q)
		}
	}
	return complaints
}

func TestImports_pointDown(t *testing.T) {
	each(t, directions)
	in := func(p string) string { return "import _ \"" + module + "internal/" + p + "\"" }
	prove(
		t, directions,
		snippet{"internal/money/a.go", `import _ "math/bits"`, false},
		snippet{"internal/money/a.go", `import _ "golang.org/x/text"`, true},
		snippet{"internal/money/a_test.go", `import _ "pgregory.net/rapid"`, false},
		snippet{"internal/pan/a.go", in("secret"), false},
		snippet{"internal/secret/a.go", in("pan"), true},
		snippet{"internal/money/a.go", in("db"), true},
		snippet{"internal/wire/emv/a.go", in("hsm"), true},
		snippet{"internal/wire/emv/a.go", `import _ "go.yaml.in/yaml/v3"`, false},
		snippet{"internal/ledger/a.go", in("db"), false},
		snippet{"internal/ledger/a.go", in("access"), false},
		snippet{"internal/ledger/a.go", in("issuing"), true},
		snippet{"internal/ledger/a.go", in("hsm/soft"), true},
		snippet{"internal/ledger/a.go", in("wire/iso8583"), true},
		snippet{"internal/ledger/a.go", in("db/dbtest"), true},
		snippet{"internal/ledger/ledgertest/a.go", in("db/dbtest"), false},
		snippet{"internal/ledger/ledgertest/a.go", in("ledger"), false},
		snippet{"internal/control/a.go", in("control/rule"), false},
		snippet{"internal/control/rule/a.go", in("money"), false},
		snippet{"internal/control/rule/a.go", in("db"), true},
		snippet{"internal/control/rule/a.go", `import _ "cel.dev/cel-go/cel"`, false},
		snippet{"internal/control/rule/a.go", `import _ "cel.dev/cel-go/ext"`, true},
		snippet{"internal/authorization/a.go", in("control/rule"), false},
		snippet{"internal/issuing/a.go", in("control/rule"), true},
		snippet{"internal/control/rule/deep/a.go", in("money"), true},
		snippet{"internal/authorization/a.go", in("api"), true},
		snippet{"internal/api/a.go", in("api/platform"), true},
		snippet{"internal/api/platform/a.go", in("api"), false},
		snippet{"internal/api/platform/a.go", in("api/ewallet"), true},
		snippet{"internal/api/platform/a.go", in("db"), true},
		snippet{"internal/api/platform/a.go", in("network"), true},
		snippet{"internal/network/a.go", in("wire/iso8583"), false},
		snippet{"internal/network/a.go", in("db"), true},
		snippet{"internal/sim/a.go", in("hsm/algo"), false},
		snippet{"internal/sim/a.go", in("authorization"), true},
		snippet{"internal/app/a.go", in("db"), false},
		snippet{"internal/app/a.go", in("hsm/algo"), true},
		snippet{"internal/app/a.go", in("bench"), true},
		snippet{"internal/bench/a.go", in("app"), false},
		snippet{"internal/config/a.go", in("app"), true},
		snippet{"cmd/sarraf/main.go", in("app"), false},
		snippet{"cmd/sarraf/main.go", in("bench"), false},
		snippet{"cmd/sarraf/main.go", in("ledger"), true},
		snippet{"internal/service/a.go", ``, true},
	)
}

func TestLayers_nameNoPackageTwice(t *testing.T) {
	for _, p := range slices.Sorted(maps.Keys(layers)) {
		if slices.Contains(layers[p], p) {
			t.Errorf("%s may import itself", p)
		}
		for _, q := range layers[p] {
			if _, ok := layers[q]; !ok {
				t.Errorf("%s may import %s, which has no layer", p, q)
			}
			if slices.Contains(layers[q], p) {
				t.Errorf("%s and %s may import each other", p, q)
			}
		}
	}
}
