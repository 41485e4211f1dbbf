package ewallet

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// operation is what the test reads of an operation in the document.
type operation struct {
	RequestBody struct {
		Content map[string]struct {
			Schema struct {
				Required   []string       `yaml:"required"`
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"requestBody"`
}

// The document has each route and none beside; what it says is required is what an
// empty request is told that it lacks.
func TestOpenAPI_isHeldToTheRoutes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var document struct {
		Paths map[string]map[string]operation `yaml:"paths"`
	}
	served := w.send("GET", documentPath, nil, "")
	if err := yaml.Unmarshal(served.Body.Bytes(), &document); err != nil || served.Code != 200 {
		t.Fatal(err, served.Code)
	}
	routes := New(nil, nil, w.clock).routes()
	if len(document.Paths) != len(routes)+1 || document.Paths["/connect/token"]["post"].RequestBody.Content == nil {
		t.Errorf("the document has %d paths, the family %d and the token's", len(document.Paths), len(routes))
	}
	for _, r := range routes {
		o, ok := document.Paths[r.path][strings.ToLower(r.method)]
		if !ok || len(document.Paths[r.path]) != 1 {
			t.Errorf("%s %s is not in the document, or another method is", r.method, r.path)
		}
		if r.method == http.MethodGet {
			continue
		}
		schema := o.RequestBody.Content["application/json"].Schema
		lacks := lacking(t, w.send(r.method, r.path, nil, "{}").Body.Bytes())
		want := make([]string, len(schema.Required))
		for i, name := range schema.Required {
			want[i] = shown(name)
			if schema.Properties[name] == nil {
				t.Errorf("%s requires %s, which it does not have", r.path, name)
			}
		}
		if r.path == "/v1/Account/CheckPersonalWallet" { // an account, or else a phone
			want = append(want, "Phone Country Number", "Phone Number")
		}
		slices.Sort(want)
		if !slices.Equal(lacks, want) {
			t.Errorf("%s lacks %q, and the document requires %q", r.path, lacks, want)
		}
	}
}

// lacking are the members that a validation answer names.
func lacking(t *testing.T, body []byte) (names []string) {
	t.Helper()
	var answer struct{ Errors []string }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err, string(body))
	}
	for _, text := range answer.Errors {
		if _, after, ok := strings.Cut(text, "'"); ok {
			name, _, _ := strings.Cut(after, "'")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
