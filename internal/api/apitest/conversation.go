// Package apitest tells stories over HTTP, for the tests of API families.
//
// A conversation is a text file:
//
//	# comment
//	WORD arguments          what the family's tests define: the clock moves, a job runs
//	let NAME = path.to[0]   remembers a value of the last answer for ${NAME}
//
//	METHOD /path?query
//	Header: value
//
//	{ "body": 1 }
//	----
//	status, headers worth seeing, body with volatile values as "…"
//
// SARRAF_GOLDEN=update rewrites the answers.
package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Conversation is a story that is being told. It is used by one goroutine.
type Conversation struct {
	T *testing.T
	// Send makes a request and returns its answer.
	Send func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder
	// Commands are the words that a line may begin with, beside those of every
	// conversation.
	Commands map[string]func(args []string)
	// Names are the values that ${NAME} stands for.
	Names map[string]string
	// Volatile members of answers differ from run to run, and are shown as "…";
	// Hide, when set, hides more in the text of an answer.
	Volatile map[string]bool
	Hide     func(answer string) string
	// Headers are those of an answer that are shown.
	Headers []string

	last any
}

// RunFiles tells every conversation of a directory to a world of its own, and
// compares it with how it stands there.
func RunFiles(t *testing.T, pattern string, begin func(t *testing.T) *Conversation) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			RunFile(t, file, begin(t))
		})
	}
}

// Sample is a document of a manual as it stands in testdata/sample.
func Sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/sample", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// RunFile tells the conversation of one file.
func RunFile(t *testing.T, file string, c *Conversation) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Tell(string(text))
	if os.Getenv("SARRAF_GOLDEN") == "update" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(text) {
		t.Errorf("conversation differs:\n%s", FirstDifference(got, string(text)))
	}
}

// FirstDifference shows where two texts part.
func FirstDifference(got, want string) string {
	g, x := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(x)) {
		if g[i] != x[i] {
			from := max(0, i-12)
			return fmt.Sprintf("line %d\n got %s\nwant %s\n\nafter:\n%s", i+1, g[i], x[i], strings.Join(g[from:i], "\n"))
		}
	}
	return fmt.Sprintf("got %d lines, want %d", len(g), len(x))
}

// Tell carries a script out and returns it with the answers it got.
func (c *Conversation) Tell(script string) string {
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "GET", "POST", "PUT", "DELETE", "PATCH":
			end := i
			for end < len(lines) && lines[end] != "----" {
				end++
			}
			request := lines[i:end]
			for end++; end < len(lines) && lines[end] != ""; end++ { // the answer as it stood
			}
			i = end - 1
			out.WriteString(strings.Join(request, "\n") + "\n----\n" + c.exchange(request))
		case "let":
			name, path, _ := strings.Cut(rest, " = ")
			c.Names[name] = c.Find(path)
			out.WriteString(line + "\n")
		default:
			if run := c.Commands[word]; run != nil {
				run(strings.Fields(c.Fill(rest)))
			}
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

func (c *Conversation) exchange(request []string) string {
	method, path, _ := strings.Cut(c.Fill(request[0]), " ")
	header := map[string]string{}
	i := 1
	for ; i < len(request) && request[i] != ""; i++ {
		name, value, _ := strings.Cut(c.Fill(request[i]), ": ")
		header[name] = value
	}
	body := c.Fill(strings.TrimSpace(strings.Join(request[i:], "\n")))
	answer := c.Send(method, path, header, body)
	var out strings.Builder
	out.WriteString(strconv.Itoa(answer.Code) + "\n")
	for _, name := range c.Headers {
		if v := answer.Header().Get(name); v != "" {
			out.WriteString(name + ": " + v + "\n")
		}
	}
	text, _ := io.ReadAll(answer.Body)
	if c.last = nil; len(text) > 0 {
		if err := json.Unmarshal(text, &c.last); err != nil {
			return out.String() + string(text) + "\n"
		}
		out.WriteString(c.show(text))
	}
	return out.String()
}

var place = regexp.MustCompile(`\$\{([^}]+)\}`)

// Fill puts what is remembered in the places of a text.
func (c *Conversation) Fill(s string) string {
	return place.ReplaceAllStringFunc(s, func(p string) string {
		v, ok := c.Names[p[2:len(p)-1]]
		if !ok {
			c.T.Fatalf("nobody said what %s is; known: %v", p, slices.Sorted(maps.Keys(c.Names)))
		}
		return v
	})
}

// show prints an answer indented, members in the order they came, with volatile
// values as "…".
func (c *Conversation) show(text []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		c.T.Fatal(err)
	}
	shown := b.String()
	if c.Hide != nil {
		shown = c.Hide(shown)
	}
	lines := strings.Split(shown, "\n")
	for i, line := range lines {
		name, value, found := strings.Cut(strings.TrimSpace(line), `": `)
		name = strings.TrimPrefix(name, `"`)
		if found && c.Volatile[name] && value != "null" && value != "null," && value != "{" && value != "[" {
			comma := ""
			if strings.HasSuffix(value, ",") {
				comma = ","
			}
			lines[i] = line[:strings.Index(line, `"`)] + `"` + name + `": "…"` + comma
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// Find returns a value of the last answer by its dotted path.
func (c *Conversation) Find(path string) string {
	v := c.last
	for part := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		if part == "" {
			continue
		}
		if index, ok := strings.CutPrefix(part, "["); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			list, isList := v.([]any)
			if err != nil || !isList || n >= len(list) {
				c.T.Fatalf("the last answer has no %s: %v", path, c.last)
			}
			v = list[n]
			continue
		}
		object, ok := v.(map[string]any)
		if !ok || object[part] == nil {
			c.T.Fatalf("the last answer has no %s: %v", path, c.last)
		}
		v = object[part]
	}
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
