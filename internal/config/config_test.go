package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoad_golden runs the cases of testdata/*.txt: a file, an environment and
// flags, and what comes out of them.
func TestLoad_golden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			path, err := filepath.Abs(path) // a case may change the directory
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), "----\n")
			got := runCase(t, input)
			if os.Getenv("SARRAF_GOLDEN") == "update" {
				if err := os.WriteFile(path, []byte(input+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// runCase reads lines "env NAME=value", "flag key=value" and "file:" followed
// by the file, and shows what was loaded: all but defaults, then warnings and
// errors.
func runCase(t *testing.T, input string) string {
	t.Helper()
	src := Source{Environ: []string{}, Flags: map[string]string{}}
	head, yaml, hasFile := strings.Cut(input, "file:\n")
	for line := range strings.Lines(head) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "env":
			src.Environ = append(src.Environ, rest)
		case "flag":
			key, value, _ := strings.Cut(rest, "=")
			src.Flags[key] = value
		}
	}
	if hasFile {
		dir := t.TempDir()
		t.Chdir(dir)
		src.File = "sarraf.yaml"
		if err := os.WriteFile(src.File, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := Load(src)
	var out strings.Builder
	for _, e := range loaded.Effective {
		if e.Source != "default" {
			out.WriteString(e.Key + " = " + e.Value + " (" + e.Source + ")\n")
		}
	}
	for _, w := range loaded.Warnings {
		out.WriteString("warning: " + w + "\n")
	}
	if err != nil {
		out.WriteString("error: " + err.Error() + "\n")
	}
	return out.String()
}

func TestLoad_worksWithNothingSet(t *testing.T) {
	loaded, err := Load(Source{Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{}
	want = defaults()
	want.DB = "sqlite:sarraf-data/sarraf.db"
	want.RootKeyFile = "sarraf-data/root.key"
	want.PersoDir = "sarraf-data/perso"
	if loaded.Config != want {
		t.Errorf("got %+v, want %+v", loaded.Config, want)
	}
}

func TestSettings_areSpelledAlikeEverywhere(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings() {
		if s.Usage == "" {
			t.Errorf("%s has no usage", s.Key)
		}
		if seen[s.Variable()] || seen[s.Flag()] {
			t.Errorf("%s shares a name with another setting", s.Key)
		}
		seen[s.Variable()], seen[s.Flag()] = true, true
	}
	for _, name := range []string{"SARRAF_DB", "SARRAF_DATA", "SARRAF_HTTP_ADDR", "SARRAF_NETWORK_ADDR"} {
		if !seen[name] {
			t.Errorf("no setting is called %s in the environment", name)
		}
	}
}

func TestHideSecrets_hidesPasswords(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite:/a/b.db":                             "sqlite:/a/b.db",
		"postgres://ada:hunter2@db/sarraf":           "postgres://ada:***@db/sarraf",
		"postgres://db/sarraf?password=hunter2&a=b":  "postgres://db/sarraf?a=b&password=***",
		"postgres://ada@db/sarraf?sslmode=disable":   "postgres://ada@db/sarraf?sslmode=disable",
		"postgres://ada:hunter2 broken@[::1/sarraf":  "postgres:***",
		"postgres://ada:hunter2@db/s?sslpassword=xy": "postgres://ada:***@db/s?sslpassword=***",
	} {
		if got := HideSecrets(in); got != want {
			t.Errorf("HideSecrets = %q, want %q", got, want)
		}
	}
}
