package platform

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

func TestRefusals_coverEveryCodeOfEveryDomain(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Z][A-Za-z]+:[A-Z][A-Za-z0-9]+$`)
	for _, codes := range domainCodes {
		for _, code := range codes {
			o, ok := refusals[code]
			if !ok {
				t.Errorf("%s has no row in errors.go", code)
				continue
			}
			if http.StatusText(o.status) == "" || o.status < 400 || !shape.MatchString(o.code) {
				t.Errorf("%s: %d %s", code, o.status, o.code)
			}
			for _, language := range []string{"tr", "en"} {
				if _, ok := locale.Text(language, "fault."+string(code), nil); !ok {
					t.Errorf("%s has no message fault.%s", language, code)
				}
			}
		}
	}
	listed := map[fault.Code]bool{}
	for _, codes := range domainCodes {
		for _, code := range codes {
			listed[code] = true
		}
	}
	for code := range refusals {
		if !listed[code] {
			t.Errorf("the row of %s belongs to no domain's list", code)
		}
	}
	for _, kind := range fault.Kinds() {
		if kinds[kind].status == 0 {
			t.Errorf("kind %v has no row", kind)
		}
		if _, ok := locale.Text("tr", kind.String(), nil); !ok {
			t.Errorf("kind %v has no message", kind)
		}
	}
}

// operations returns the document's operations by "METHOD path".
func operations(t *testing.T, w *world) (map[string]map[string]any, map[string]any) {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(w.send("GET", "/openapi.json", nil, "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for path, methods := range document["paths"].(map[string]any) {
		for method, operation := range methods.(map[string]any) {
			all[strings.ToUpper(method)+" "+path] = operation.(map[string]any)
		}
	}
	return all, document
}

func TestDocument_describesWhatIsServed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	all, document := operations(t, w)
	if document["openapi"] != "3.1.0" || len(all) < 8 {
		t.Errorf("openapi %v with %d operations", document["openapi"], len(all))
	}
	text := w.send("GET", "/openapi.json", nil, "").Body.String()
	for _, foreign := range []string{"$schema", "ErrorModel", "application/problem+json", `"http://`, `"https://`} {
		if strings.Contains(text, foreign) {
			t.Errorf("the document holds %s", foreign)
		}
	}
	// No card number, secret or token travels in a path or query (the card
	// token is made for it). A flag about one, which takes true and false only,
	// cannot carry it.
	sensitive := regexp.MustCompile(`(?i)pan$|cvv|pin|secret|password|cardno`)
	for name, operation := range all {
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			p := p.(map[string]any)
			schema, _ := p["schema"].(map[string]any)
			if fmt.Sprint(schema["enum"]) == "[true false]" {
				continue
			}
			if p["in"] != "header" && sensitive.MatchString(p["name"].(string)) {
				t.Errorf("%s takes %s in its %s", name, p["name"], p["in"])
			}
		}
	}
}

// nullIn reports whether the document lets a member be null.
func nullIn(schema map[string]any) bool {
	kinds, several := schema["type"].([]any)
	if several && slices.Contains(kinds, any("null")) {
		enum, closed := schema["enum"].([]any)
		return !closed || slices.Contains(enum, nil)
	}
	for _, word := range []string{"oneOf", "anyOf"} {
		choices, _ := schema[word].([]any)
		for _, c := range choices {
			if c.(map[string]any)["type"] == "null" {
				return true
			}
		}
	}
	return schema["type"] == nil && schema["oneOf"] == nil && schema["anyOf"] == nil && schema["$ref"] == nil
}

// What a request may leave out may also be null, and the document says so.
func TestDocument_saysWhereRequestsMayHoldNull(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	_, document := operations(t, w)
	described := document["components"].(map[string]any)["schemas"].(map[string]any)
	a := New(w.services, "test")
	a.mount(chi.NewRouter())
	registry := a.huma.OpenAPI().Components.Schemas
	members, nullable := 0, 0
	for name := range requestSchemas(a.huma.OpenAPI()) {
		properties, _ := described[name].(map[string]any)["properties"].(map[string]any)
		for member, schema := range properties {
			f, _ := fault.As(api.Check(registry, registry.Map()[name], api.Object{member: nil}))
			refused := f != nil && slices.ContainsFunc(f.Fields, func(v fault.Field) bool { return v.Name == member })
			if nullIn(schema.(map[string]any)) == refused {
				t.Errorf("%s.%s: null refused: %t, the document: %v", name, member, refused, schema)
			}
			if members++; !refused {
				nullable++
			}
		}
	}
	if members < 100 || nullable < 50 {
		t.Errorf("%d members of requests, %d may be null", members, nullable)
	}
	if nullIn(described["AdjustmentResult"].(map[string]any)["properties"].(map[string]any)["entryId"].(map[string]any)) {
		t.Error("a member of an answer may be null")
	}
}

func TestDocument_describesTheTokenEndpoint(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	all, document := operations(t, w)
	text, err := json.Marshal(all["POST /connect/token"])
	if err != nil {
		t.Fatal(err)
	}
	var op struct {
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Required   []string
					Properties map[string]struct{ Enum []string }
				}
			}
		}
		Responses map[string]struct {
			Content map[string]struct {
				Schema map[string]string
			}
		}
	}
	if err := json.Unmarshal(text, &op); err != nil {
		t.Fatal(err)
	}
	form := op.RequestBody.Content["application/x-www-form-urlencoded"].Schema
	if !slices.Equal(form.Required, []string{"grant_type"}) || len(form.Properties) != 7 ||
		!slices.Contains(form.Properties["grant_type"].Enum, access.GrantRefreshToken) {
		t.Errorf("the form is described as %+v", form)
	}
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	for status, member := range map[string]string{"200": "access_token", "400": "error", "401": "error"} {
		name := strings.TrimPrefix(op.Responses[status].Content["application/json"].Schema["$ref"], "#/components/schemas/")
		schema, _ := schemas[name].(map[string]any)
		if required, _ := schema["required"].([]any); !slices.Contains(required, any(member)) {
			t.Errorf("%s is described as %v", status, schema)
		}
	}
}

// Every route but the public ones asks for a token before anything else.
func TestRoutes_refuseStrangers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.bearer = ""
	all, _ := operations(t, w)
	place := regexp.MustCompile(`\{[^}]+\}`)
	for name, operation := range all {
		if security, _ := operation["security"].([]any); len(security) == 0 {
			if !strings.Contains(name, "/auth/") && !strings.Contains(name, "/connect/") && !strings.Contains(name, "/.well-known/") {
				t.Errorf("%s is public", name)
			}
			continue
		}
		method, path, _ := strings.Cut(name, " ")
		if out := w.send(method, place.ReplaceAllString(path, "x"), nil, `{}`); out.Code != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", name, out.Code)
		}
	}
}

// A client with no permission at all gets nowhere that a permission guards.
func TestRoutes_refuseWhatTheScopeDoesNotName(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	all, _ := operations(t, w)
	narrow := func(permission string) string {
		tokens, err := w.services.Access.Token(t.Context(), access.Grant{
			ClientID: w.clients["main"].ClientID, ClientSecret: w.clients["main"].ClientSecret, Scope: permission,
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(tokens.Access.Reveal())
	}
	token := narrow(access.SettlementManage) // guards nothing yet
	w.bearer = ""
	place := regexp.MustCompile(`\{[^}]+\}`)
	for name, operation := range all {
		description, _ := operation["description"].(string)
		if security, _ := operation["security"].([]any); len(security) == 0 || strings.Contains(description, anyCaller) {
			continue
		}
		method, path, _ := strings.Cut(name, " ")
		out := w.send(method, place.ReplaceAllString(path, "x"), map[string]string{"Authorization": "Bearer " + token}, `{}`)
		if out.Code != http.StatusForbidden {
			t.Errorf("%s without its permission: %d", name, out.Code)
		}
	}
}

func TestRegister_failsOnRoutesWithoutPermission(t *testing.T) {
	a := New(newWorld(t, dbtest.SQLite(t)).services, "test")
	a.mount(chi.NewRouter())
	run := func(context.Context, access.Caller, *struct{}) (nothing, error) { return nothing{}, nil }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a parameter that can overflow was registered")
			}
		}()
		register(a, route{get, "/d", "D", public, plain}, func(context.Context, access.Caller, *struct {
			N int32 `query:"n"`
		}) (nothing, error) {
			return nothing{}, nil
		})
	}()
	for _, rt := range []route{
		{Method: get, Path: "/a", Summary: "A"},
		{Method: get, Path: "/b", Summary: "B", Permission: "Issuing.Everything"},
		{Method: get, Path: "/c", Summary: "Show the tenant", Permission: public},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was registered", rt)
				}
			}()
			register(a, rt, run)
		}()
	}
}

func TestDocs_loadNothingFromElsewhere(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.bearer = ""
	page := w.send("GET", "/docs", nil, "")
	if page.Code != 200 || !strings.Contains(page.Header().Get("Content-Security-Policy"), "script-src 'self';") {
		t.Errorf("%d, policy %q", page.Code, page.Header().Get("Content-Security-Policy"))
	}
	if regexp.MustCompile(`(?:https?:)?//[a-z]`).MatchString(page.Body.String()) {
		t.Error("the page names another host")
	}
	plain := w.send("GET", "/docs/scalar.js", nil, "")
	packed := w.send("GET", "/docs/scalar.js", map[string]string{"Accept-Encoding": "gzip, br"}, "")
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil || !bytes.Equal(content, plain.Body.Bytes()) || len(content) < 1<<20 {
		t.Errorf("script of %d bytes packed, %d plain, %v", len(content), plain.Body.Len(), err)
	}
	if packed.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(plain.Header().Get("Content-Type"), "charset=utf-8") {
		t.Errorf("headers %v, %v", packed.Header(), plain.Header())
	}
}

type noteRequest struct {
	Text api.FreeText `json:"text" required:"true"`
}

type noteResponse struct {
	Text string `json:"text"`
	No   int64  `json:"no"`
}

// onceWorld is a world with routes of its own whose effect is a new tenant.
func onceWorld(t *testing.T, d *db.DB, before func() error) (*world, *atomic.Int64) {
	t.Helper()
	w := newWorld(t, d)
	runs := &atomic.Int64{}
	note := func(ctx context.Context, c access.Caller, in *struct {
		Body noteRequest
	}) (noteResponse, error) {
		n := runs.Add(1)
		if _, _, err := w.services.Access.CreateTenant(ctx, access.NewTenant{Name: "effect"}); err != nil {
			return noteResponse{}, err
		}
		return noteResponse{Text: string(in.Body.Text) + " of " + c.By(), No: n}, before()
	}
	a := New(w.services, "test")
	family := a.Family()
	mount := family.Mount
	family.Mount = func(r chi.Router) {
		mount(r)
		register(a, route{post, "/test/{id}/note", "Make a note", anyCaller, once}, note)
		register(a, route{post, "/test/secret", "Make a secret", anyCaller, noStore}, note)
	}
	w.handler = api.NewRouter(api.Options{Log: w.logger(), Clock: w.clock}, family)
	return w, runs
}

func (w *world) effects() (n int) {
	all, err := w.services.Access.Tenants(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all) - len(w.tenants)
}

func TestOnce_overHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, _ := onceWorld(t, d, func() error { return nil })
		key := map[string]string{"X-Idempotency-Key": "k1", "X-User-Reference": "op7"}
		first := w.send("POST", "/test/1/note", key, `{"text":"a"}`)
		again := w.send("POST", "/test/1/note", key, `{"text":"a"}`)
		if first.Code != 200 || again.Body.String() != first.Body.String() || !strings.Contains(first.Body.String(), "/op7") {
			t.Errorf("first %s, again %d %s", first.Body, again.Code, again.Body)
		}
		if first.Header().Get("X-Idempotent-Replay") != "" || again.Header().Get("X-Idempotent-Replay") != "true" || w.effects() != 1 {
			t.Errorf("replayed %q, %d effects", again.Header().Get("X-Idempotent-Replay"), w.effects())
		}
		if other := w.send("POST", "/test/1/note", key, `{"text":"b"}`); other.Code != 409 || !strings.Contains(other.Body.String(), "Common:IdempotencyKeyReused") {
			t.Errorf("another body: %d %s", other.Code, other.Body)
		}
		if other := w.send("POST", "/test/2/note", key, `{"text":"b"}`); other.Code != 200 || w.effects() != 2 {
			t.Errorf("another path value: %d %s", other.Code, other.Body)
		}
		for _, malformed := range []string{"", "a b", "a\tb", strings.Repeat("k", 300)} {
			bad := w.send("POST", "/test/1/note", map[string]string{"X-Idempotency-Key": malformed}, `{"text":"b"}`)
			if bad.Code != 400 || !strings.Contains(bad.Body.String(), "X-Idempotency-Key") || w.effects() != 2 {
				t.Errorf("key %.9q: %d %s", malformed, bad.Code, bad.Body)
			}
		}
		w.bearer = "other"
		if other := w.send("POST", "/test/1/note", key, `{"text":"b"}`); other.Code != 200 || w.effects() != 3 {
			t.Errorf("another tenant: %d %s", other.Code, other.Body)
		}
		if first := w.send("POST", "/test/secret", key, `{"text":"s"}`); first.Code != 200 {
			t.Errorf("secret: %d %s", first.Code, first.Body)
		}
		if again := w.send("POST", "/test/secret", key, `{"text":"s"}`); again.Code != 409 || w.effects() != 4 {
			t.Errorf("secret again: %d %s", again.Code, again.Body)
		}
	})
}

func TestOnce_refusalIsUndoneAndReplayedOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		answer := error(fault.New(fault.Conflict, access.CodeConcurrency, "not now"))
		w, runs := onceWorld(t, d, func() error { return answer })
		key := map[string]string{"X-Idempotency-Key": "k1", "Accept-Language": "en"}
		for range 2 {
			if out := w.send("POST", "/test/1/note", key, `{"text":"a"}`); out.Code != 409 || !strings.Contains(out.Body.String(), "Common:ConcurrencyConflict") {
				t.Errorf("%d %s", out.Code, out.Body)
			}
		}
		if w.effects() != 0 || runs.Load() != 1 {
			t.Errorf("%d effects of %d runs", w.effects(), runs.Load())
		}
		answer = errors.New("the disk says 4539578763621486")
		key["X-Idempotency-Key"] = "k2"
		if out := w.send("POST", "/test/1/note", key, `{"text":"a"}`); out.Code != 500 || strings.Contains(out.Body.String(), "disk") {
			t.Errorf("%d %s", out.Code, out.Body)
		}
		answer = nil
		if out := w.send("POST", "/test/1/note", key, `{"text":"a"}`); out.Code != 200 || w.effects() != 1 {
			t.Errorf("after the breakdown: %d %s", out.Code, out.Body)
		}
	})
}

func TestOnce_twentyEqualPostsAtOnceHaveOneEffect(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, _ := onceWorld(t, d, func() error { return nil })
		token := w.token("main")
		w.bearer = ""
		var wait sync.WaitGroup
		var done atomic.Int64
		for range 20 {
			wait.Go(func() {
				out := w.send("POST", "/test/1/note", map[string]string{"X-Idempotency-Key": "k", "Authorization": "Bearer " + token}, `{"text":"a"}`)
				switch {
				case out.Code == 200:
					done.Add(1)
				case out.Code != 409 || !strings.Contains(out.Body.String(), "Common:RequestInProgress"):
					t.Errorf("%d %s", out.Code, out.Body)
				}
			})
		}
		wait.Wait()
		if w.effects() != 1 || done.Load() == 0 {
			t.Errorf("%d effects, %d answers", w.effects(), done.Load())
		}
	})
}

func TestParameters_areCheckedInTheSameShape(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	a := New(w.services, "test")
	family := a.Family()
	mount := family.Mount
	family.Mount = func(r chi.Router) {
		mount(r)
		register(a, route{get, "/test/list", "List tests", anyCaller, plain}, func(_ context.Context, _ access.Caller, in *struct {
			api.Paging
			Size int `query:"size"`
		}) (api.Page[int], error) {
			orders, err := in.Orders(map[string]string{"name": "name"})
			return api.PageOf(api.CountMax+len(orders), []int{in.SkipCount, in.MaxResultCount, in.Size}), err
		})
		register(a, route{post, "/test/body", "Check a body", anyCaller, plain}, func(_ context.Context, _ access.Caller, in *struct {
			Body struct {
				Count int32       `json:"count"`
				Price api.Decimal `json:"price"`
			}
		}) (api.Decimal, error) {
			return in.Body.Price, nil
		})
	}
	w.handler = api.NewRouter(api.Options{Log: w.logger(), Clock: w.clock}, family)
	for query, want := range map[string]string{
		"": "[0,10,0]", "?skipcount=3&MAXRESULTCOUNT=1000&SORTING=Name%20desc&size=5": "[3,1000,5]", "?other=1": "[0,10,0]",
	} {
		out := w.send("GET", "/test/list"+query, nil, "")
		if out.Code != 200 || !strings.Contains(out.Body.String(), want) {
			t.Errorf("%q: %d %s", query, out.Code, out.Body)
		}
		if capped := out.Header().Get("X-Total-Count-Capped"); (capped == "true") != strings.Contains(query, "SORTING") {
			t.Errorf("%q: capped %q", query, capped)
		}
	}
	for query, member := range map[string]string{
		"?SkipCount=-1": "SkipCount", "?SkipCount=10001": "SkipCount", "?MaxResultCount=0": "MaxResultCount",
		"?MaxResultCount=1001": "MaxResultCount", "?MaxResultCount=ten": "MaxResultCount", "?Sorting=secret": "Sorting",
		"?SkipCount=1&skipCount=2": "SkipCount", "?size=99999999999999999999": "size", "?a=%zz": "query",
	} {
		out := w.send("GET", "/test/list"+query, nil, "")
		var shape remoteServiceErrorResponse
		if err := json.Unmarshal(out.Body.Bytes(), &shape); err != nil {
			t.Fatal(err)
		}
		if out.Code != 400 || shape.Error.Code != "Common:ValidationError" || len(shape.Error.ValidationErrors) == 0 ||
			shape.Error.ValidationErrors[0].Members[0] != member || out.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%q: %d %s", query, out.Code, out.Body)
		}
	}
	for body, want := range map[string]int{
		`{"count":4539578763621486}`: 400, `{"price":0.10}`: 200, `{"price":123456789012345678901234567890.5}`: 200,
		`{"count":1e1,"price":10}`: 200, `{"count":3000000000}`: 400, `{"count":1.5}`: 400,
	} {
		out := w.send("POST", "/test/body", nil, body)
		if out.Code != want || strings.Contains(out.Body.String(), "4539") {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
		if want == 200 && !strings.Contains(body, strings.TrimSpace(out.Body.String())) {
			t.Errorf("%s came back as %s", body, out.Body)
		}
		if want == 400 && !strings.Contains(out.Body.String(), `"members":["count"]`) {
			t.Errorf("%s: the member is not named: %s", body, out.Body)
		}
	}
	if strings.Contains(w.log.String(), "4539") {
		t.Error("the log holds what was sent")
	}
}

func TestDocs_scriptIsTheOneItsReadmeNames(t *testing.T) {
	readme, err := os.ReadFile("docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(scalar))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, plain); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), hex.EncodeToString(sum.Sum(nil))) {
		t.Error("docs/README.md names another sum than that of docs/scalar.js.gz")
	}
}
