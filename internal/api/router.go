package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Refuse writes an error in a family's shape.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Family is one API dialect on the shared router.
type Family struct {
	// Mount adds the family's routes.
	Mount func(r chi.Router)
	// Refuse answers for this family what no route of it can.
	Refuse Refuse
	// Owns reports whether a path is one of this family's, so that Refuse answers
	// there. The first family of a router has all that nobody owns; nil owns none.
	Owns func(path string) bool
}

// refusal is how the family refuses whose path is asked for.
func refusal(families []Family) Refuse {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		for _, f := range families[1:] {
			if f.Owns != nil && f.Owns(r.URL.Path) {
				f.Refuse(w, r, err)
				return
			}
		}
		families[0].Refuse(w, r, err)
	}
}

// Health is one thing that must be well for the program to serve.
type Health struct {
	Name  string
	Check func(ctx context.Context) error
}

// Options is what the router needs from outside. Clock and Log are required.
type Options struct {
	Log     *slog.Logger
	Clock   clock.Clock
	Metrics *prometheus.Registry // nil: no metrics
	Ready   []Health             // what /readyz asks, in order
	Limit   Limit                // of one network address
	// TrustedProxies are believed about whom they pass requests on for.
	TrustedProxies []netip.Prefix
}

// NewRouter returns the handler of everything: health, metrics and the
// families. The first family answers for paths that no family owns.
func NewRouter(o Options, first Family, others ...Family) http.Handler {
	r := chi.NewRouter()
	families := append([]Family{first}, others...)
	refuse := refusal(families)
	nothing := func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, fault.New(fault.NotFound, CodeNoRoute, "there is nothing at this path"))
	}
	r.NotFound(nothing)
	r.MethodNotAllowed(nothing) // a method that nobody knows, where nothing is
	for path, checks := range map[string][]Health{"/healthz": nil, "/readyz": o.Ready} {
		answer := func(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, checks) }
		r.Get(path, answer)
		r.Head(path, answer)
	}
	var registerer prometheus.Registerer
	if o.Metrics != nil {
		registerer = o.Metrics
		r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	}
	for _, f := range families {
		f.Mount(r)
	}
	limited := NewLimiter(o.Clock).limit(o.Limit, allowing(r, refuse), refuse)
	return newObserver(o, registerer).observe(limited, refuse)
}

// allowing refuses requests with a method that their path does not know. The router
// does not ask: it takes "/fee/link" for "/fee/{code}" where only that knows the
// method, and what is there is looked for by a code that nobody has.
func allowing(r chi.Router, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if known := methodsOf(r, req); len(known) > 0 && !slices.Contains(known, req.Method) {
			w.Header().Set("Allow", strings.Join(known, ", "))
			refuse(w, req, fault.New(fault.NotFound, CodeMethodNotAllowed, "this path does not know that method"))
			return
		}
		r.ServeHTTP(w, req)
	})
}

// methodsOf returns the methods that the path of a request knows: those of the most
// particular of the patterns that fit it.
func methodsOf(r chi.Routes, req *http.Request) (known []string) {
	path := req.URL.RawPath // as the router itself chooses
	if path == "" {
		path = req.URL.Path
	}
	best := ""
	for _, m := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	} {
		pattern := r.Find(chi.NewRouteContext(), m, path)
		switch {
		case pattern == "":
		case best == "" || isMoreParticular(pattern, best):
			best, known = pattern, []string{m}
		case !isMoreParticular(best, pattern):
			known = append(known, m)
		}
	}
	return known
}

// isMoreParticular reports whether, of two patterns that fit a path, a has text
// where b has first a place for any.
func isMoreParticular(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if inA, inB := strings.HasPrefix(as[i], "{"), strings.HasPrefix(bs[i], "{"); inA != inB {
			return inB
		}
	}
	return false
}

// answerHealth says 200, or 503 with the names of what is not well. Why is in
// the log only. Whoever asks with HEAD gets the status alone.
func answerHealth(w http.ResponseWriter, r *http.Request, checks []Health) {
	x := ExchangeOf(r.Context())
	x.Route = r.URL.Path
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	answer := struct {
		Status  string   `json:"status"`
		Failing []string `json:"failing,omitempty"`
	}{Status: "ok"}
	status := http.StatusOK
	for _, c := range checks {
		if err := c.Check(ctx); err != nil {
			x.Err = err
			answer.Status, answer.Failing, status = "unavailable", append(answer.Failing, c.Name), http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}
