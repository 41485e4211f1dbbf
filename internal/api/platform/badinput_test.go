package platform

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// wrong is a request with one thing wrong in it.
type wrong struct {
	what   string // what is wrong
	query  string
	body   string
	member string // what the answer must name; empty is the body as a whole
}

// Whatever the document describes is refused when it is not so: with 400 and
// the member's name, in words that are Turkish when it is asked for in Turkish,
// and without an effect.
func TestRoutes_refuseWhatTheDocumentDoesNotAllow(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	bearer := map[string]string{"Authorization": "Bearer " + w.token("main"), "Accept-Language": "en"}
	inTurkish := map[string]string{"Authorization": bearer["Authorization"], "Accept-Language": "tr"}
	w.bearer = ""
	translated := map[string]bool{}
	before := contentOf(t, d)
	doc := document(t)
	place := regexp.MustCompile(`\{[^}]+\}`)
	tried := 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			method = strings.ToUpper(method)
			for _, bad := range doc.wrongRequests(op) {
				tried++
				at := place.ReplaceAllString(path, "1")
				if bad.query != "" {
					at += "?" + bad.query
				}
				out := w.send(method, at, bearer, bad.body)
				if out.Code != http.StatusBadRequest {
					t.Errorf("%s %s, %s: answered %d\n%s\n%s", method, at, bad.what, out.Code, bad.body, out.Body)
					continue
				}
				if english := textsIn(t, out.Body.Bytes()); !translated[strings.Join(english, "\n")] {
					translated[strings.Join(english, "\n")] = true
					turkish := textsIn(t, w.send(method, at, inTurkish, bad.body).Body.Bytes())
					checkTranslated(t, english, turkish)
				}
				if named := membersNamed(t, out.Body.Bytes()); bad.member != "" && !slices.ContainsFunc(named, func(n string) bool { return n == bad.member || n == bad.member+"[0]" }) {
					t.Errorf("%s %s, %s: the answer names %v, not %s\n%s", method, at, bad.what, named, bad.member, bad.body)
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("the document gave only %d wrong requests", tried)
	}
	if contentOf(t, d) != before {
		t.Error("a wrong request changed something")
	}
}

// checkTranslated holds the texts of an answer against those of the same answer in
// Turkish.
func checkTranslated(t *testing.T, english, turkish []string) {
	t.Helper()
	if len(english) != len(turkish) {
		t.Errorf("in English %q, in Turkish %q", english, turkish)
		return
	}
	for i, text := range english {
		want, ok := locale.Phrase("tr", text)
		if !ok || turkish[i] != want {
			t.Errorf("%q is %q in Turkish, want %q", text, turkish[i], want)
		}
	}
}

// textsIn is what the validation errors of an answer say of the members that they
// name.
func textsIn(t *testing.T, answer []byte) []string {
	t.Helper()
	var refusal struct {
		Error struct {
			ValidationErrors []struct {
				Message string
				Members []string
			}
		}
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, v := range refusal.Error.ValidationErrors {
		text, ok := strings.CutPrefix(v.Message, "'"+v.Members[0]+"' ")
		if !ok {
			t.Errorf("%q does not begin with the member %s", v.Message, v.Members[0])
		}
		all = append(all, text)
	}
	return all
}

// contentOf is a hash of all rows of all tables.
func contentOf(t *testing.T, d *db.DB) string {
	t.Helper()
	sum := sha256.New()
	err := d.View(t.Context(), func(tx db.Tx) error {
		tables, err := db.Collect(t.Context(), tx, func(row db.Scanner) (name string, err error) { return name, row.Scan(&name) },
			`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
		if err != nil {
			return err
		}
		for _, table := range tables {
			if err := hashTable(t.Context(), tx, table, sum.Write); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func hashTable(ctx context.Context, tx db.Tx, table string, write func([]byte) (int, error)) error {
	rows, err := tx.Query(ctx, `SELECT * FROM `+table+` ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, at := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return err
		}
		if _, err := write(fmt.Appendf(nil, "%s %v\n", table, values)); err != nil {
			return err
		}
	}
	return rows.Err()
}

// membersNamed are the names in the validation errors of an answer.
func membersNamed(t *testing.T, answer []byte) []string {
	t.Helper()
	var refusal struct {
		Error struct {
			Code             string
			ValidationErrors []struct{ Members []string }
		}
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, v := range refusal.Error.ValidationErrors {
		all = append(all, v.Members...)
	}
	return all
}

// wrongRequests are requests that op's description does not allow.
func (d *published) wrongRequests(op publishedOperation) []wrong {
	var all []wrong
	for _, p := range op.Parameters {
		if p.In != "query" {
			continue
		}
		for what, v := range wrongTexts(p.Schema) {
			all = append(all, wrong{what: what, query: url.Values{p.Name: {v}}.Encode(), member: p.Name})
		}
		if p.Required {
			all = append(all, wrong{what: "without a required parameter", query: "x=1", member: p.Name})
		}
	}
	if op.RequestBody == nil || op.RequestBody.Content["application/json"].Schema == nil {
		return all
	}
	schema := op.RequestBody.Content["application/json"].Schema
	bodies := []string{"[]", "null", "7", `{"a":`, "{} {}", "\xff"}
	if op.RequestBody.Required {
		bodies = append(bodies, "")
	}
	for _, body := range bodies {
		all = append(all, wrong{what: "as the whole body", body: body})
	}
	base := d.sample(schema).(map[string]any)
	d.wrongMembers(schema, "", 0, func(what, member string, set func(body map[string]any)) {
		body := clone(base)
		set(body)
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		all = append(all, wrong{what: what, body: string(text), member: member})
	})
	for name := range d.properties(schema) {
		text, err := json.Marshal(d.sample(d.properties(schema)[name].(map[string]any)))
		if err != nil {
			panic(err)
		}
		twice := fmt.Sprintf(`{%q: %s, %q: %s}`, name, text, name, text)
		all = append(all,
			wrong{what: "a member twice", body: twice, member: name},
			wrong{what: "a member in other letters", body: fmt.Sprintf(`{%q: %s}`, strings.ToUpper(name), text), member: strings.ToUpper(name)})
	}
	return all
}

// listed are the values of a query parameter, or of its items, if the document
// lists them.
func listed(schema map[string]any) []any {
	if items, ok := schema["items"].(map[string]any); ok {
		return listed(items)
	}
	values, _ := schema["enum"].([]any)
	return values
}

// Whatever the document lists for a query is taken.
func TestQueries_takeWhatTheDocumentLists(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	bearer := map[string]string{"Authorization": "Bearer " + w.token("main")}
	w.bearer = ""
	doc := document(t)
	place := regexp.MustCompile(`\{[^}]+\}`)
	chosen := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, p := range doc.Paths[path]["get"].Parameters {
			for _, v := range listed(p.Schema) {
				chosen[path+" "+p.Name] = true
				at := place.ReplaceAllString(path, "1") + "?" + url.Values{p.Name: {v.(string)}}.Encode()
				out := w.send("GET", at, bearer, "")
				if out.Code == http.StatusBadRequest && slices.Contains(membersNamed(t, out.Body.Bytes()), p.Name) {
					t.Errorf("GET %s: answered %s", at, out.Body)
				}
			}
		}
	}
	for _, known := range []string{"/api/v1/issuing/card CardStatus", "/api/v1/issuing-transaction/card-transaction FlowCodes"} {
		if !chosen[known] {
			t.Errorf("the document lists no values for %s", known)
		}
	}
}

// wrongTexts are values of a query parameter that its schema does not allow.
func wrongTexts(schema map[string]any) map[string]string {
	out := map[string]string{}
	if n, ok := schema["maxLength"].(float64); ok {
		out["too long"] = strings.Repeat("1", int(n)+1)
	}
	if listed(schema) != nil {
		out["not listed"] = "NoSuchValue"
	}
	if _, ok := schema["pattern"]; ok {
		out["of another form"] = "?"
	}
	if schema["type"] == "integer" {
		out["no number"], out["no whole number"], out["out of range"] = "abc", "1.5", "99999999999999999999"
		if n, ok := schema["minimum"].(float64); ok {
			out["too small"] = fmt.Sprint(int64(n) - 1)
		}
		if n, ok := schema["maximum"].(float64); ok {
			out["too great"] = fmt.Sprint(int64(n) + 1)
		}
	}
	return out
}

// wrongMembers calls each with every way to make a member of a body wrong.
func (d *published) wrongMembers(schema map[string]any, prefix string, depth int, each func(what, member string, set func(map[string]any))) {
	object := d.resolve(schema)
	required, _ := object["required"].([]any)
	for name, property := range d.properties(schema) {
		member, at := d.resolve(property.(map[string]any)), prefix+name
		for what, v := range wrongValues(member) {
			each(what, at, func(body map[string]any) { body[name] = v })
		}
		if slices.Contains(required, any(name)) {
			each("missing", at, func(body map[string]any) { delete(body, name) })
			if !nullIn(property.(map[string]any)) {
				each("null", at, func(body map[string]any) { body[name] = nil })
			}
		}
		if depth == 2 {
			continue
		}
		if items, ok := member["items"].(map[string]any); ok && d.properties(items) != nil {
			d.wrongMembers(items, at+"[0].", depth+1, func(what, member string, set func(map[string]any)) {
				each(what, member, func(body map[string]any) {
					element := clone(d.sample(items).(map[string]any))
					set(element)
					body[name] = []any{element}
				})
			})
		} else if d.properties(member) != nil {
			d.wrongMembers(member, at+".", depth+1, func(what, inner string, set func(map[string]any)) {
				each(what, inner, func(body map[string]any) {
					object := clone(d.sample(member).(map[string]any))
					set(object)
					body[name] = object
				})
			})
		}
	}
}

// wrongValues are values that a resolved schema does not allow.
func wrongValues(schema map[string]any) map[string]any {
	out := map[string]any{}
	if schema["oneOf"] != nil {
		return map[string]any{"not listed": "NoSuchValue", "no listed code": 424242, "of another type": map[string]any{}}
	}
	if schema["enum"] != nil {
		out["not listed"] = "NoSuchValue"
	}
	if n, ok := schema["maxLength"].(float64); ok {
		out["too long"] = strings.Repeat("x", int(n)+1)
	}
	switch kind := kindsOf(schema); {
	case slices.Contains(kind, "string"):
		out["of another type"], out["a list"] = 12345, []any{"x"}
	case slices.Contains(kind, "boolean"):
		out["of another type"] = "yes"
	case slices.Contains(kind, "integer"):
		out["of another type"], out["a fraction"], out["out of range"] = "abc", 1.5, 1e30
	case slices.Contains(kind, "number"):
		out["of another type"] = "abc"
	case slices.Contains(kind, "array"):
		out["of another type"], out["of wrong elements"] = "x", []any{[]any{}}
		if n, ok := schema["maxItems"].(float64); ok {
			out["too many"] = slices.Repeat([]any{nil}, int(n)+1)
		}
	case slices.Contains(kind, "object"):
		out["of another type"] = "x"
	}
	if slices.Contains(kindsOf(schema), "integer") {
		if n, ok := schema["minimum"].(float64); ok {
			out["too small"] = n - 1
		}
		if n, ok := schema["maximum"].(float64); ok {
			out["too great"] = n + 1
		}
	}
	return out
}

func kindsOf(schema map[string]any) []string {
	if one, ok := schema["type"].(string); ok {
		return []string{one}
	}
	var all []string
	several, _ := schema["type"].([]any)
	for _, k := range several {
		all = append(all, k.(string))
	}
	return all
}

// resolve follows references, and passes over the null of an optional member.
func (d *published) resolve(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		return d.resolve(d.Components.Schemas[strings.TrimPrefix(ref, schemaPrefix)])
	}
	if choices, ok := schema["anyOf"].([]any); ok {
		return d.resolve(choices[0].(map[string]any))
	}
	return schema
}

func (d *published) properties(schema map[string]any) map[string]any {
	p, _ := d.resolve(schema)["properties"].(map[string]any)
	return p
}

// sample is a value that a schema allows, with its required members only.
func (d *published) sample(schema map[string]any) any {
	schema = d.resolve(schema)
	if choices, ok := schema["oneOf"].([]any); ok {
		schema = choices[0].(map[string]any)
	}
	if enum, ok := schema["enum"].([]any); ok {
		return enum[0]
	}
	switch kind := kindsOf(schema); {
	case slices.Contains(kind, "object"):
		out := map[string]any{}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			out[name.(string)] = d.sample(d.properties(schema)[name.(string)].(map[string]any))
		}
		return out
	case slices.Contains(kind, "array"):
		return []any{}
	case slices.Contains(kind, "boolean"):
		return true
	case slices.Contains(kind, "integer"), slices.Contains(kind, "number"):
		if n, ok := schema["minimum"].(float64); ok {
			return n
		}
		return 1
	}
	return "1"
}

func clone(v map[string]any) map[string]any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}
