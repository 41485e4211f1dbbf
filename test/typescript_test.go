package test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTypeScript_clientFromTheDocumentWalksTheFlow holds the API's document to
// what it promises: an independent linter accepts it, a client is generated from
// it, and that client issues cards step by step on the real program.
func TestTypeScript_clientFromTheDocumentWalksTheFlow(t *testing.T) {
	for _, need := range []string{"typescript/node_modules/.bin/tsc", "typescript/node_modules/.bin/redocly"} {
		if _, err := os.Stat(need); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v: run npm ci in test/typescript", err)
			}
			t.Skipf("%v: run npm ci in test/typescript", err)
		}
	}
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--webhook-allow-loopback", "true")...)
		work := compileClient(t, "http://"+s.api+"/openapi.json")
		made := newTenant(t, flags)
		printed := node(t, work, "flow.js", "http://"+s.api, made.ClientID, made.ClientSecret)
		if !strings.HasSuffix(printed, "all as told\n") {
			t.Errorf("the flow printed:\n%s", printed)
		}
	})
}

// compileClient lints the document at a URL, generates the client and compiles
// the flow with it, all in a directory of its own.
func compileClient(t *testing.T, document string) string {
	t.Helper()
	work := t.TempDir()
	modules, err := filepath.Abs("typescript/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(work, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "tsconfig.json", "flow.ts"} {
		content, err := os.ReadFile(filepath.Join("typescript", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := http.Get(document)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "openapi.json"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	node(t, work, "node_modules/@redocly/cli/bin/cli.js", "lint", "openapi.json")
	node(t, work, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "api.ts")
	node(t, work, "node_modules/typescript/bin/tsc", "-p", ".")
	return work
}

// node runs a script to its end and returns what it printed.
func node(t *testing.T, work string, args ...string) string {
	t.Helper()
	command := exec.Command("node", args...)
	command.Dir = work
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", args[0], err, output)
	}
	return string(output)
}
