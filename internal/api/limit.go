package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Limit bounds how many requests somebody may send: PerSecond on average, Burst
// at once (0: as many as PerSecond). The zero value does not limit.
type Limit struct {
	PerSecond float64
	Burst     int
}

// keysMax bounds the memory of a limiter; the key seen longest ago is forgotten
// first, and begins again with a full bucket.
const keysMax = 10_000

// Limiter keeps a token bucket for each key: an address, a client. It is safe
// for concurrent use. Each node of a platform counts for itself.
type Limiter struct {
	clock clock.Clock
	mu    sync.Mutex
	seen  *lru.Cache[string, *bucket]
}

type bucket struct {
	*rate.Limiter
	bound Limit
}

// NewLimiter returns a limiter with no key yet.
func NewLimiter(c clock.Clock) *Limiter {
	seen, err := lru.New[string, *bucket](keysMax)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Limiter{clock: c, seen: seen}
}

// retryAfter is the parameter of a fault that says how many seconds to wait.
const retryAfter = "retryAfterSeconds"

// Admit takes a token from the bucket of key, or returns a fault of kind
// Throttled that says when there will be one. Where the bound of a key is
// another than before, its bucket begins anew.
func (l *Limiter) Admit(key string, bound Limit) error {
	if bound.PerSecond <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.seen.Get(key)
	if !ok || b.bound != bound {
		burst := bound.Burst
		if burst < 1 {
			burst = max(int(bound.PerSecond), 1)
		}
		b = &bucket{rate.NewLimiter(rate.Limit(bound.PerSecond), burst), bound}
		l.seen.Add(key, b)
	}
	now := l.clock.Now()
	r := b.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.CancelAt(now)
	seconds := int((wait + time.Second - 1) / time.Second)
	return fault.New(fault.Throttled, CodeTooManyRequests, "too many requests").With(retryAfter, seconds)
}

// limit refuses requests of an address that sends more than bound.
func (l *Limiter) limit(bound Limit, next http.Handler, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := l.Admit(NetworkOf(ExchangeOf(r.Context()).IP), bound); err != nil {
			if f, ok := fault.As(err); ok {
				w.Header().Set("Retry-After", fmt.Sprint(f.Params[retryAfter]))
			}
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// NetworkOf is what an address is limited by: itself, or for IPv6 its /64,
// since whoever has one address there has all of them.
func NetworkOf(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() {
		return ip
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
