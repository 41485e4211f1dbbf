package arch

import (
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// within reports whether package p is one of dirs or below one.
func within(p string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return p == d || strings.HasPrefix(p, d+"/") })
}

// literals calls visit with every string literal, unquoted.
func literals(s source, visit func(n ast.Node, text string)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				visit(n, text)
			}
		}
		return true
	})
}

// The core has no JSON: formats belong to edges.
func jsonTags(s source) []string {
	if s.test || within(s.name(), "api", "webhook", "wire", "config", "app", "bench", "sim") {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil && strings.Contains(f.Tag.Value, `json:"`) {
			complaints = append(complaints, s.at(f)+": a json tag outside the edges")
		}
		return true
	})
	return complaints
}

func TestJSONTags_standAtTheEdges(t *testing.T) {
	each(t, jsonTags)
	prove(
		t, jsonTags,
		snippet{"internal/ledger/a.go", "type a struct { B int `json:\"b\"` }", true},
		snippet{"internal/api/platform/a.go", "type a struct { B int `json:\"b\"` }", false},
		snippet{"internal/apiary/a.go", "type a struct { B int `json:\"b\"` }", true},
		snippet{"internal/ledger/a.go", "type a struct { B int `xml:\"b\"` }", false},
	)
}

// calls returns a check that complains about uses of an imported package's
// names outside some places.
func calls(importPath string, names []string, complaint string, exempt func(source) bool) func(source) []string {
	return func(s source) []string {
		if exempt(s) {
			return nil
		}
		local := ""
		for _, spec := range s.file.Imports {
			if strings.Trim(spec.Path.Value, `"`) == importPath {
				local = path.Base(importPath)
				if spec.Name != nil {
					local = spec.Name.Name
				}
			}
		}
		if local == "" {
			return nil
		}
		var complaints []string
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(names, sel.Sel.Name) {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				complaints = append(complaints, s.at(n)+": "+local+"."+sel.Sel.Name+" "+complaint)
			}
			return true
		})
		return complaints
	}
}

func TestTime_comesFromTheClock(t *testing.T) {
	check := calls("time", []string{"Now", "Since", "Until"}, "outside clock", func(s source) bool {
		return s.test || s.name() == "clock"
	})
	each(t, check)
	prove(
		t, check,
		snippet{"internal/ledger/a.go", `import "time"; var a = time.Now`, true},
		snippet{"internal/ledger/a.go", `import "time"; func a() { time.Since(time.Time{}) }`, true},
		snippet{"internal/ledger/a.go", `import now "time"; func a() { now.Now() }`, true},
		snippet{"internal/clock/a.go", `import "time"; func a() { time.Now() }`, false},
		snippet{"internal/ledger/a.go", `import "time"; var a = time.Second`, false},
		snippet{"internal/ledger/a_test.go", `import "time"; var a = time.Now()`, false},
	)
}

func TestContext_beginsInAppOnly(t *testing.T) {
	check := calls("context", []string{"Background", "TODO"}, "outside app, cmd and tests", func(s source) bool {
		return s.test || within(s.name(), "app", "cmd")
	})
	each(t, check)
	prove(
		t, check,
		snippet{"internal/ledger/a.go", `import "context"; var a = context.Background()`, true},
		snippet{"internal/app/a.go", `import "context"; var a = context.Background()`, false},
		snippet{"internal/bench/a.go", `import "context"; var a = context.Background()`, true},
		snippet{"cmd/sarraf/main.go", `import "context"; var a = context.TODO()`, false},
		snippet{"internal/db/dbtest/a.go", `import "context"; var a = context.Background()`, false},
	)
}

func guessable(s source) []string {
	if s.test {
		return nil
	}
	for _, p := range s.imports() {
		if p == "math/rand" || p == "math/rand/v2" {
			return []string{s.path + ": imports " + p + " outside tests"}
		}
	}
	return nil
}

func TestRandomness_isNotGuessable(t *testing.T) {
	each(t, guessable)
	prove(
		t, guessable,
		snippet{"internal/hsm/a.go", `import _ "math/rand/v2"`, true},
		snippet{"internal/hsm/a.go", `import _ "crypto/rand"`, false},
		snippet{"internal/hsm/a_test.go", `import _ "math/rand"`, false},
	)
}

// Who may see a secret in clear: those who define, encipher, verify or carry
// it (a clearing file holds card numbers, so its writer does; a bureau's report
// the names of who took cards), and nobody who
// decides or keeps books. The check knows no types, so it
// holds for card numbers and secret values alike.
var reveals = []string{
	"pan", "secret", "hsm", "vault", "access", "issuing", "personalization", "webhook", "outbound", "wire/clearingfile", "api/platform", "api/payers", "api/openbanking", "network", "sim", "app", "bench",
}

func revealed(s source) []string {
	if s.test || within(s.name(), reveals...) {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
			complaints = append(complaints, s.at(n)+": reveals a secret; "+s.name()+" is not on the list")
		}
		return true
	})
	return complaints
}

func TestReveal_isForAFewPackages(t *testing.T) {
	each(t, revealed)
	prove(
		t, revealed,
		snippet{"internal/ledger/a.go", `func a(p P) { p.Reveal() }`, true},
		snippet{"internal/hsm/soft/a.go", `func a(p P) { p.Reveal() }`, false},
		snippet{"internal/ledger/a_test.go", `func a(p P) { p.Reveal() }`, false},
	)
}

// statement finds SQL in a string. Keywords are written in upper case here, so
// English sentences do not look like it.
var statement = regexp.MustCompile(`\b(SELECT\s[\s\S]*\bFROM|SELECT\s+\S|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|` +
	`(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW)|ORDER\s+BY|GROUP\s+BY|ON\s+CONFLICT|RETURNING\s|(LEFT\s+|INNER\s+)?JOIN\s+\w+\s+ON)\b`)

func mayHoldSQL(s source) bool {
	top, _, _ := strings.Cut(s.name(), "/")
	if top == "db" || top == "outbox" {
		return true
	}
	return slices.Contains(domains, top) && strings.HasSuffix(s.path, "store.go")
}

func strayed(s source) []string {
	if s.test || mayHoldSQL(s) {
		return nil
	}
	var complaints []string
	literals(s, func(n ast.Node, text string) {
		if statement.MatchString(text) {
			complaints = append(complaints, s.at(n)+": SQL outside a store file")
		}
	})
	return complaints
}

func TestSQL_standsInStoreFiles(t *testing.T) {
	each(t, strayed)
	prove(
		t, strayed,
		snippet{"internal/ledger/hold.go", "var a = `SELECT id\nFROM hold`", true},
		snippet{"internal/ledger/hold.go", `var a = "SELECT 1"`, true},
		snippet{"internal/ledger/hold.go", `var a = "UPDATE hold SET x = 1"`, true},
		snippet{"internal/ledger/hold.go", `var a = " ORDER BY id"`, true},
		snippet{"internal/ledger/hold_store.go", `var a = "SELECT id FROM hold"`, false},
		snippet{"internal/ledger/store.go", `var a = "SELECT id FROM hold"`, false},
		snippet{"internal/api/store.go", `var a = "SELECT id FROM hold"`, true},
		snippet{"internal/db/sqlite.go", `var a = "SELECT id FROM hold"`, false},
		snippet{"internal/ledger/hold.go", `var a = "select one from the list, update and return"`, false},
		snippet{"internal/ledger/hold_test.go", `var a = "SELECT id FROM hold"`, false},
	)
}

var (
	created = regexp.MustCompile(`(?i)\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)`)
	named   = regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?(\w+)`)
)

// owners returns, for each of the tables, the top packages whose SQL names it.
func owners(sources []source, tables map[string]bool) map[string]map[string]string {
	found := map[string]map[string]string{}
	for _, s := range sources {
		if s.test || !mayHoldSQL(s) {
			continue
		}
		p, _, _ := strings.Cut(s.name(), "/")
		literals(s, func(n ast.Node, text string) {
			for _, m := range named.FindAllStringSubmatch(text, -1) {
				if !tables[m[1]] {
					continue
				}
				if found[m[1]] == nil {
					found[m[1]] = map[string]string{}
				}
				found[m[1]][p] = s.at(n)
			}
		})
	}
	return found
}

func TestTables_haveOneOwner(t *testing.T) {
	tables := map[string]bool{}
	err := walk(func(name, text string) error {
		if path.Dir(name) == "internal/db/migrations" {
			for _, m := range created.FindAllStringSubmatch(text, -1) {
				tables[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) == 0 {
		t.Fatal("no table was found in the migrations")
	}
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	for table, packages := range owners(sources, tables) {
		if len(packages) > 1 {
			t.Errorf("table %s is named in the SQL of %v", table, slices.Collect(maps.Values(packages)))
		}
	}
}

func TestTables_twoOwnersAreFound(t *testing.T) {
	var sources []source
	for name, text := range map[string]string{
		"internal/ledger/hold_store.go":  "package p\nvar a = `SELECT 1\nFROM hold h`",
		"internal/issuing/card_store.go": "package p\nvar a = \"SELECT hold FROM card JOIN hold ON true\"",
	} {
		s, err := parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	got := owners(sources, map[string]bool{"hold": true, "card": true})
	if len(got["hold"]) != 2 || len(got["card"]) != 1 {
		t.Errorf("got %v", got)
	}
}

const turkishLetters = "çÇğĞıİöÖşŞüÜ"

func turkish(name, text string) []string {
	p := strings.TrimPrefix(path.Dir(name), "internal/")
	if p == "locale" && path.Ext(name) == ".json" || name == "internal/vault/bins.csv" || within(p, "console") && path.Base(name) == "tr.json" || strings.HasSuffix(name, "_test.go") {
		return nil
	}
	var complaints []string
	for i, line := range strings.Split(text, "\n") {
		if strings.ContainsAny(line, turkishLetters) {
			complaints = append(complaints, name+":"+itoa(i+1)+": Turkish letters outside the catalogues")
		}
	}
	return complaints
}

func TestTurkish_standsInCatalogues(t *testing.T) {
	err := walk(func(name, text string) error {
		for _, complaint := range turkish(name, text) {
			t.Error(complaint)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"internal/locale/tr.json":         false,
		"internal/locale/locale.go":       true,
		"internal/ledger/a.go":            true,
		"internal/ledger/a_test.go":       false,
		"internal/wire/qr/table.yaml":     true,
		"internal/console/locale/tr.json": false,
	} {
		if got := len(turkish(name, "gün sonu")) > 0; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
