package authorizationtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// Script carries out the commands of one file.
type Script interface {
	// Run answers one command, given as its first word and its name=value
	// arguments. An empty answer is left out.
	Run(command string, args map[string]string) string
	// Done checks what must hold after the last command.
	Done()
}

// RunScripts runs every testdata/*.txt on both engines. A file is behaviour as
// the business reads it: blocks with commands, one a line, then "----" and what
// came of them; a block without "----" is a comment. SARRAF_GOLDEN=update
// rewrites the answers.
func RunScripts(t *testing.T, begin func(t *testing.T, d *db.DB) Script) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) { runScript(t, file, begin(t, d)) })
		})
	}
}

func runScript(t *testing.T, file string, s Script) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	update := os.Getenv("SARRAF_GOLDEN") == "update"
	var out strings.Builder
	for i, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		commands, want, found := strings.Cut(block, "\n----")
		if !found {
			out.WriteString(block + "\n\n") // a comment
			continue
		}
		var got []string
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			words := strings.Fields(line)
			args := map[string]string{}
			for _, w := range words[1:] {
				name, value, _ := strings.Cut(w, "=")
				args[name] = value
			}
			if answer := s.Run(words[0], args); answer != "" {
				got = append(got, answer)
			}
		}
		answer := strings.Join(got, "\n")
		if answer != strings.TrimSpace(want) && !update {
			t.Errorf("%s, block %d:\n%s\n---- got\n%s\n---- want\n%s", file, i+1, commands, answer, want)
		}
		out.WriteString(commands + "\n----\n" + answer + "\n\n")
	}
	s.Done()
	if update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
