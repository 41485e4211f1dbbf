package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// handler returns a router with one family, and what it logs.
func handler(t *testing.T, o Options) (http.Handler, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	o.Log = slog.New(slog.NewJSONHandler(log, nil))
	if o.Clock == nil {
		o.Clock = clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	}
	return NewRouter(o, Family{
		Mount: func(r chi.Router) {
			r.Get("/card/{token}", func(w http.ResponseWriter, r *http.Request) {
				ExchangeOf(r.Context()).Route = "/card/{token}"
				_, _ = io.WriteString(w, ExchangeOf(r.Context()).CorrelationID)
			})
			r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("our mistake") })
			r.Post("/body", func(w http.ResponseWriter, r *http.Request) {
				if _, err := ReadBody(w, r, "application/json", 0); err != nil {
					w.WriteHeader(map[fault.Code]int{CodeTooLarge: 413, CodeMediaType: 415}[err.(*fault.Error).Code])
				}
			})
		},
		Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
			status := map[fault.Kind]int{fault.NotFound: 404, fault.Throttled: 429, fault.Internal: 500}[fault.KindOf(err)]
			w.WriteHeader(status)
		},
	}), log
}

func send(h http.Handler, method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRouter_logsEachRequestOnceWithoutItsPathAndSecrets(t *testing.T) {
	h, log := handler(t, Options{})
	w := send(h, "GET", "/card/979206qkzwpa0017?pin=1234", map[string]string{"X-Correlation-Id": "trace-1", "Authorization": "Bearer abc"}, "")
	if w.Body.String() != "trace-1" || w.Header().Get("X-Correlation-Id") != "trace-1" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answer %s, header %v", w.Body, w.Header())
	}
	line := log.String()
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, `"route":"/card/{token}"`) || !strings.Contains(line, `"correlation_id":"trace-1"`) {
		t.Errorf("logged %s", line)
	}
	for _, secret := range []string{"979206", "1234", "abc"} {
		if strings.Contains(line, secret) {
			t.Errorf("the log holds %s: %s", secret, line)
		}
	}
}

func TestRouter_replacesCorrelationIDsThatWillNotDo(t *testing.T) {
	h, _ := handler(t, Options{})
	for _, given := range []string{"", strings.Repeat("x", 65), "a\tb", "4539 5787 6362 1486"} {
		if got := send(h, "GET", "/card/x", map[string]string{"X-Correlation-Id": given}, "").Header().Get("X-Correlation-Id"); len(got) != 32 {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestRouter_answersAPanicAndGoesOn(t *testing.T) {
	h, log := handler(t, Options{})
	if w := send(h, "GET", "/panic", nil, ""); w.Code != 500 || strings.Contains(w.Body.String(), "mistake") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "our mistake") || !strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("logged %s", log)
	}
	if w := send(h, "GET", "/card/x", nil, ""); w.Code != 200 {
		t.Errorf("after the panic: %d", w.Code)
	}
}

func TestRouter_boundsBodies(t *testing.T) {
	h, _ := handler(t, Options{})
	for _, c := range []struct {
		body   int
		header map[string]string
		want   int
	}{
		{BodyMax, nil, 200},
		{BodyMax + 1, nil, 413},
		{2, map[string]string{"Content-Encoding": "gzip"}, 415},
		{2, map[string]string{"Content-Type": "text/xml"}, 415},
		{2, map[string]string{"Content-Type": "application/json; charset=utf-8"}, 200},
	} {
		if w := send(h, "POST", "/body", c.header, strings.Repeat(" ", c.body)); w.Code != c.want {
			t.Errorf("%d bytes, %v: %d, want %d", c.body, c.header, w.Code, c.want)
		}
	}
}

func TestRouter_limitsAnAddress(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	h, _ := handler(t, Options{Clock: now, Limit: Limit{PerSecond: 1, Burst: 3}})
	codes := func(n int) (limited int) {
		for range n {
			if w := send(h, "GET", "/card/x", nil, ""); w.Code == 429 {
				if w.Header().Get("Retry-After") != "1" {
					t.Error("no Retry-After")
				}
				limited++
			}
		}
		return limited
	}
	if got := codes(5); got != 2 {
		t.Errorf("%d of 5 limited, want 2", got)
	}
	now.Advance(2 * time.Second)
	if got := codes(3); got != 1 {
		t.Errorf("%d of 3 limited, want 1", got)
	}
}

func TestRouter_saysWhetherItIsWell(t *testing.T) {
	var failing error
	metrics := prometheus.NewRegistry()
	h, log := handler(t, Options{Metrics: metrics, Ready: []Health{
		{"database", func(context.Context) error { return failing }},
		{"hsm", func(context.Context) error { return nil }},
	}})
	if w := send(h, "GET", "/readyz", nil, ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"status":"ok"}` {
		t.Errorf("well: %d %s", w.Code, w.Body)
	}
	failing = errors.New("host db-1 is gone")
	w := send(h, "GET", "/readyz", nil, "")
	if w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"status":"unavailable","failing":["database"]}` {
		t.Errorf("ill: %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "db-1 is gone") {
		t.Error("why is not in the log")
	}
	if w := send(h, "GET", "/healthz", nil, ""); w.Code != 200 {
		t.Errorf("alive: %d", w.Code)
	}
	if w := send(h, "GET", "/metrics", nil, ""); !strings.Contains(w.Body.String(), `sarraf_api_request_seconds_count{method="GET",route="/readyz",status="503"} 1`) {
		t.Errorf("metrics: %s", w.Body)
	}
	if w := send(h, "BREW", "/coffee", nil, ""); w.Code != 404 {
		t.Errorf("unknown method on unknown path: %d", w.Code)
	}
}

func TestRouter_saysWhichMethodsAPathKnows(t *testing.T) {
	h, _ := handler(t, Options{})
	for _, c := range []struct {
		method, path, allow string
	}{
		{"DELETE", "/card/x", "GET"},
		{"POST", "/card/a%2Fb", "GET"},
		{"GET", "/body", "POST"},
		{"POST", "/healthz", "GET, HEAD"},
		{"BREW", "/card/x", "GET"},
		{"BREW", "/coffee", ""},
		{"GET", "/coffee", ""},
	} {
		if w := send(h, c.method, c.path, nil, ""); w.Code != 404 || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q, want %q", c.method, c.path, w.Code, w.Header().Get("Allow"), c.allow)
		}
	}
}

func TestRouter_answersHeadOfItsHealth(t *testing.T) {
	h, _ := handler(t, Options{Ready: []Health{{"database", func(context.Context) error { return errors.New("gone") }}}})
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		if w := send(h, "HEAD", path, nil, ""); w.Code != want || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
