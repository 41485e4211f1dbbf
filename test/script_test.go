// Package test tries the whole binary from outside: the scripts of this
// directory say what is typed and what must come back.
package test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sarraf-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "sarraf")
	build := exec.Command("go", "build", "-o", binary, "./cmd/sarraf")
	build.Dir = ".."
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build sarraf:", err)
		os.Exit(1)
	}
	waitTogether()
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// waitTogether lets more tests be under way at once than there are processors, unless
// -parallel says how many: those that run in parallel wait, for the most part.
func waitTogether() {
	flag.Parse()
	isSaid := false
	flag.Visit(func(f *flag.Flag) { isSaid = isSaid || f.Name == "test.parallel" })
	if !isSaid {
		flag.Set("test.parallel", "8")
	}
}

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: ".",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("REPOSITORY", root)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"port":  freePort,
			"await": await,
		},
		UpdateScripts: os.Getenv("SARRAF_GOLDEN") == "update",
	})
}

// freePort sets variables to addresses that nobody listens on: port NAME…
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		addr, err := unusedAddr()
		ts.Check(err)
		ts.Setenv(name, addr)
	}
}

// await waits until a URL answers 200: await URL
func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: await URL")
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := http.Get(args[0]); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-deadline:
			ts.Fatalf("%s did not answer 200", args[0])
		case <-tick.C:
		}
	}
}
