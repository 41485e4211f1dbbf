package platform

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
)

// published is the API's document as its readers see it.
type published struct {
	Paths      map[string]map[string]publishedOperation
	Components struct{ Schemas map[string]map[string]any }

	routes chi.Router
}

type publishedOperation struct {
	Extension  bool `json:"x-extension"`
	Parameters []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody *struct {
		Required bool
		Content  publishedContent
	}
	Responses map[string]struct{ Content publishedContent }
}

type publishedContent map[string]struct{ Schema map[string]any }

var theDocument = sync.OnceValues(func() (*published, error) {
	a := New(Services{}, "test")
	d := &published{routes: chi.NewRouter()}
	a.mount(d.routes)
	text, err := describe(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	return d, json.Unmarshal(text, d)
})

func document(t *testing.T) *published {
	t.Helper()
	d, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answer is the schema of what r is answered with under a status, or nil when
// the document tells nothing of it.
func (d *published) answer(r *http.Request, status int) map[string]any {
	found := chi.NewRouteContext()
	if !d.routes.Match(found, r.Method, r.URL.Path) {
		return nil
	}
	responses := d.Paths[found.RoutePattern()][strings.ToLower(r.Method)].Responses
	response, known := responses[strconv.Itoa(status)]
	if !known && status/100 == 4 {
		response = responses["4XX"]
	}
	return response.Content["application/json"].Schema
}

// differences compares a value with a schema, as far as this API's schemas go.
func (d *published) differences(schema map[string]any, v any, path string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		return d.differences(d.Components.Schemas[strings.TrimPrefix(ref, schemaPrefix)], v, path)
	}
	for _, word := range []string{"oneOf", "anyOf"} {
		choices, _ := schema[word].([]any)
		var all []string
		for _, c := range choices {
			not := d.differences(c.(map[string]any), v, path)
			if len(not) == 0 {
				return nil
			}
			all = append(all, not...)
		}
		if choices != nil {
			return all
		}
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		return []string{path + ": is none of the listed values"}
	}
	kinds, several := schema["type"].([]any)
	if !several && schema["type"] != nil {
		kinds = []any{schema["type"]}
	}
	kind := kindOf(v)
	if len(kinds) > 0 && !slices.Contains(kinds, any(kind)) && (kind != "integer" || !slices.Contains(kinds, "number")) {
		return []string{fmt.Sprintf("%s: is of type %s, described as %v", path, kind, kinds)}
	}
	switch v := v.(type) {
	case map[string]any:
		return d.members(schema, v, path)
	case []any:
		items, _ := schema["items"].(map[string]any)
		for i, e := range v {
			if not := d.differences(items, e, fmt.Sprintf("%s[%d]", path, i)); not != nil {
				return not
			}
		}
	}
	return nil
}

func (d *published) members(schema, v map[string]any, path string) []string {
	var all []string
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, there := v[name.(string)]; !there {
			all = append(all, fmt.Sprintf("%s.%s: is missing", path, name))
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if member, described := properties[name].(map[string]any); described {
			all = append(all, d.differences(member, v[name], path+"."+name)...)
		} else if schema["additionalProperties"] == nil {
			all = append(all, fmt.Sprintf("%s.%s: is not described", path, name))
		}
	}
	return all
}

// kindOf is what JSON Schema calls the type of v.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// holdToDocument compares an answer with what the document says of it: a client
// that was generated from the document must be able to read it.
func (w *world) holdToDocument(r *http.Request, answer *httptest.ResponseRecorder) {
	w.t.Helper()
	d := document(w.t)
	schema := d.answer(r, answer.Code)
	if schema == nil {
		return
	}
	var body any
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		w.t.Errorf("%s %s: the answer is no JSON: %v", r.Method, r.URL.Path, err)
		return
	}
	for _, not := range d.differences(schema, body, "answer") {
		w.t.Errorf("%s %s: %d, %s", r.Method, r.URL.Path, answer.Code, not)
	}
}

func TestDifferences_findsWhatIsNotDescribed(t *testing.T) {
	d := &published{}
	d.Components.Schemas = map[string]map[string]any{}
	if err := json.Unmarshal([]byte(`{"thing": {"type": "object", "required": ["a"], "properties": {
		"a": {"oneOf": [{"type": "string", "enum": ["x"]}, {"type": "null"}]}, "n": {"type": "number"},
		"l": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/thing"}, {"type": "null"}]}}}}}`),
		&d.Components.Schemas); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		`{"a": "x", "n": 1, "l": [{"a": null}, null]}`: 0, `{"a": "x", "n": 1.5}`: 0,
		`{}`: 1, `[]`: 1, `{"a": "y"}`: 2, `{"a": "x", "b": 1}`: 1, `{"a": "x", "n": "1"}`: 1, `{"a": "x", "l": [{}]}`: 2, `{"a": "x", "l": null}`: 1,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := d.differences(map[string]any{"$ref": schemaPrefix + "thing"}, v, ""); len(got) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// The operations of the contract's checklist (Appendix H) are all there, under
// their groups; what is beside them says that it is an extension.
func TestDocument_hasTheOperationsOfTheContract(t *testing.T) {
	groups := []struct {
		name, path string
		want       int
	}{
		{"Auth", "/api/v1/auth/", 2}, {"Customer", "/api/v1/issuing/customer", 15}, {"Card", "/api/v1/issuing/card", 29},
		{"Product", "/api/v1/issuing/product", 18}, {"Transactions", "/api/v1/issuing-transaction/", 1},
		{"WebHook", "/api/v1/issuing/webhook", 4}, {"AuditLog", "/api/v1/issuing/audit-log/", 3},
		{"Transaction Testing", "/api/v1/sandbox/", 6}, {"Velocity Controls", "/api/v1/issuing/velocity-control", 13},
		{"Fees", "/api/v1/issuing/fee-management/", 24},
		{"Authorization Controls", "/api/v1/issuing/authorization-control", 7},
	}
	got := map[string]int{}
	for path, methods := range document(t).Paths {
		if !strings.HasPrefix(path, "/api/v1/") {
			continue // what speaks RFC 6749 and RFC 7517
		}
		for method, op := range methods {
			if op.Extension {
				continue
			}
			i := slices.IndexFunc(groups, func(g struct {
				name, path string
				want       int
			}) bool {
				return strings.HasPrefix(path, g.path)
			})
			if i < 0 {
				t.Errorf("%s %s is in no group of the contract and says nothing of being an extension", method, path)
				continue
			}
			got[groups[i].name]++
		}
	}
	for _, g := range groups {
		if got[g.name] != g.want {
			t.Errorf("%s: %d operations, the contract has %d", g.name, got[g.name], g.want)
		}
	}
}
