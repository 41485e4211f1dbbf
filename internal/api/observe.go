package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// observer sees every request come and go.
type observer struct {
	trusted  []netip.Prefix // proxies
	log      *slog.Logger
	clock    clock.Clock
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newObserver(o Options, metrics prometheus.Registerer) *observer {
	w := &observer{
		trusted: o.TrustedProxies, log: o.Log, clock: o.Clock,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sarraf_api_request_seconds", Help: "Time to answer an API request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sarraf_api_requests_in_flight", Help: "API requests being answered.",
		}),
	}
	if metrics != nil {
		w.seconds, w.inFlight = registered(metrics, w.seconds), registered(metrics, w.inFlight)
	}
	return w
}

// registered is c, or what was registered in its place before: listeners share
// what they measure.
func registered[C prometheus.Collector](metrics prometheus.Registerer, c C) C {
	err := metrics.Register(c)
	if before, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return before.ExistingCollector.(C)
	}
	if err != nil {
		panic(err) // a fault of this program's
	}
	return c
}

// observe wraps next: it opens the exchange, recovers from a panic through
// refuse, and writes one log line and one measurement when all is done.
func (o *observer) observe(next http.Handler, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := o.clock.Now()
		x := &Exchange{
			ResponseWriter: w,
			CorrelationID:  correlationID(r.Header.Get("X-Correlation-Id")),
			Language:       languageOf(r.Header.Get("Accept-Language")),
			IP:             addressOf(r, o.trusted),
		}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		h := w.Header()
		h.Set("X-Correlation-Id", x.CorrelationID)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		o.inFlight.Inc()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				x.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				if x.status == 0 {
					refuse(x, r, x.Err)
				}
			}
			o.inFlight.Dec()
			o.done(r, x, o.clock.Now().Sub(started).Seconds())
		}()
		next.ServeHTTP(x, r)
	})
}

// done writes the wide event of a request. Path and query stay out of it: they
// may name a card.
func (o *observer) done(r *http.Request, x *Exchange, seconds float64) {
	status := x.status
	if status == 0 {
		status = http.StatusOK
	}
	route := x.Route
	if route == "" {
		route = "none"
	}
	o.seconds.WithLabelValues(method(r.Method), route, strconv.Itoa(status)).Observe(seconds)
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("method", method(r.Method)), slog.String("route", route), slog.Int("status", status),
		slog.Int64("duration_us", int64(seconds*1e6)), slog.Int64("response_bytes", x.written),
		slog.String("correlation_id", x.CorrelationID), slog.String("ip", x.IP),
	}
	if x.Client != "" {
		attributes = append(attributes, slog.String("client", x.Client), slog.String("tenant", x.Tenant))
	}
	if x.Fault != "" {
		attributes = append(attributes, slog.String("fault", string(x.Fault)))
	}
	if x.Replayed {
		attributes = append(attributes, slog.Bool("replayed", true))
	}
	if x.Err != nil {
		if !errors.Is(x.Err, context.Canceled) {
			level = slog.LevelError
		}
		attributes = append(attributes, slog.String("error", x.Err.Error()))
	}
	o.log.LogAttrs(context.WithoutCancel(r.Context()), level, "api request", attributes...)
}

// method keeps invented methods out of labels and logs.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return m
	}
	return "other"
}

// correlationID returns the caller's id when it is 1 to 64 printable ASCII
// characters and no card number, else a fresh one.
func correlationID(given string) string {
	if len(given) >= 1 && len(given) <= 64 && Printable(given) && !pan.ContainsPAN(given) {
		return given
	}
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Printable reports whether s has printable ASCII characters only.
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
