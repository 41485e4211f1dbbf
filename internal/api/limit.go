package api

import (
	"net/http"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Limit bounds how many requests one network address may send. The zero value
// does not limit.
type Limit struct {
	PerSecond float64
	Burst     int
}

// addressesMax bounds the memory of a limiter; the address seen longest ago is
// forgotten first.
const addressesMax = 10_000

type limiter struct {
	bound Limit
	clock clock.Clock
	mu    sync.Mutex
	seen  *lru.Cache[string, *rate.Limiter]
}

func newLimiter(l Limit, c clock.Clock) *limiter {
	seen, err := lru.New[string, *rate.Limiter](addressesMax)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &limiter{bound: l, clock: c, seen: seen}
}

// admits takes a token of the address, if it has one left.
func (l *limiter) admits(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.seen.Get(address)
	if !ok {
		b = rate.NewLimiter(rate.Limit(l.bound.PerSecond), max(l.bound.Burst, 1))
		l.seen.Add(address, b)
	}
	return b.AllowN(l.clock.Now(), 1)
}

func (l *limiter) limit(next http.Handler, refuse Refuse) http.Handler {
	if l.bound.PerSecond <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.admits(hostOf(r.RemoteAddr)) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "1")
		refuse(w, r, fault.New(fault.Throttled, CodeTooManyRequests, "too many requests"))
	})
}
