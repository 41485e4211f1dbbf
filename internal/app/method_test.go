package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/api"
)

// methodsOfHTTP are those that a client may try, and one that nobody knows.
var methodsOfHTTP = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "BREW",
}

var (
	anyCase     = regexp.MustCompile(`\{[^}]+:\(\?i\)([^}]+)\}`)
	placeholder = regexp.MustCompile(`\{[^}]+\}`)
)

// words are how families say that a path does not know a method, and how they say
// it of what is nobody's: by what their paths begin with.
var words = []struct{ prefix, words string }{
	{"/paywall/", `"ErrorCode":404`}, {"/api/paywall/", `"ErrorCode":404`}, {"/oauth/token", `"error":"invalid_request"`},
	{"/auth/oauth/v2/token", `"error":"invalid_request"`}, {"/auth/oauth/v2/", `<html lang="`}, {"/creditCard", `"StatusCode":"ACBG`}, {"/createVirtualCard", `"StatusCode":"ACBG`},
	{"/api/v2/Payment/", `"error":"ProductNotFoundException"`}, {"/v1/", ""}, {"/", `"Common:MethodNotAllowed"`},
}

// surface are the paths of families with the methods that each knows. A path with
// placeholders stands for itself with something in their place.
func surface(t *testing.T, families ...api.Family) map[string][]string {
	t.Helper()
	known := map[string][]string{}
	for _, f := range families {
		r := chi.NewRouter()
		f.Mount(r)
		err := chi.Walk(r, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			path := placeholder.ReplaceAllString(anyCase.ReplaceAllString(pattern, "$1"), "1")
			if !slices.Contains(known[path], method) {
				known[path] = append(known[path], method)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return known
}

// A path that is known answers another method with 405 and says which it knows; a
// path that is not, 404. Each family says so in its own words.
func TestAPI_refusesOtherMethods(t *testing.T) {
	l := testConfig(t)
	p, err := Start(t.Context(), l.Config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	servers := map[string]func() []api.Family{"shared": func() []api.Family {
		shared, _ := p.families()
		return shared
	}}
	if n := len(servers["shared"]()); n != len(p.neighbours())+1 {
		t.Fatalf("%d families share the address", n)
	}
	for _, n := range p.neighbours() {
		servers[string(n.name)] = func() []api.Family { return []api.Family{n.alone()} }
	}
	for name, families := range servers {
		served := families()
		h := p.handler(served[0], served[1:]...)
		answer := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			return w
		}
		inItsWords := func(path, body string) bool {
			for _, w := range words {
				if strings.HasPrefix(path, w.prefix) {
					return strings.Contains(body, w.words) || name != "shared" // alone, a family has all paths
				}
			}
			return false
		}
		paths := surface(t, families()...)
		if len(paths) < 2 {
			t.Errorf("%s has %d paths", name, len(paths))
		}
		tried := 0
		for path, known := range paths {
			for _, method := range methodsOfHTTP {
				if slices.Contains(known, method) {
					continue
				}
				tried++
				w := answer(method, path)
				allow := strings.Split(w.Header().Get("Allow"), ", ")
				slices.Sort(allow)
				slices.Sort(known)
				if w.Code != http.StatusMethodNotAllowed || !slices.Equal(allow, known) || !inItsWords(path, w.Body.String()) {
					t.Errorf("%s: %s %s: %d, Allow %q of %q: %s %s", name, method, path, w.Code, allow, known, w.Header().Get("Content-Type"), w.Body)
				}
			}
		}
		for _, path := range []string{"/", "/nothing", "/api/v1/nothing", "/api/v1/issuing/nothing/1", "/v1/Wallet/Nothing", "/V1/wallet/nothing", "/v1/Wallet", "/paywall/nothing", "/api/paywall/nothing",
			"/api/v2/Payment/Customers/1/2/3", "/api/v2/nothing", "/connect/nothing"} {
			for _, method := range methodsOfHTTP {
				if w := answer(method, path); w.Code != http.StatusNotFound || w.Header().Get("Allow") != "" {
					t.Errorf("%s: %s %s: %d, Allow %q", name, method, path, w.Code, w.Header().Get("Allow"))
				}
			}
		}
		if w := answer(http.MethodGet, "/V1/wallet/INFO"); name == "shared" && (w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST") {
			t.Errorf("in another letter case: %d, Allow %q", w.Code, w.Header().Get("Allow"))
		}
		t.Logf("%s: %d paths, %d refusals", name, len(paths), tried)
	}
}
