package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func TestAddressOf_believesOnlyTheProxiesItTrusts(t *testing.T) {
	trusted, ok := ParseNetworks("10.0.0.0/8, 2001:db8:1::/48,192.0.2.1")
	if !ok || len(trusted) != 3 {
		t.Fatalf("networks %v", trusted)
	}
	for _, c := range []struct {
		what, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:5000", nil, "203.0.113.7"},
		{"a stranger that says it is a proxy", "203.0.113.7:5000", []string{"198.51.100.1"}, "203.0.113.7"},
		{"a proxy", "10.1.1.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a proxy, and what the caller invented", "10.1.1.1:5000", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"a proxy behind a proxy", "10.1.1.1:5000", []string{"1.1.1.1, 198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"several headers", "10.1.1.1:5000", []string{"1.1.1.1", "198.51.100.1", "192.0.2.1"}, "198.51.100.1"},
		{"only proxies", "10.1.1.1:5000", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"a proxy that says nothing", "10.1.1.1:5000", nil, "10.1.1.1"},
		{"a proxy that says nonsense", "10.1.1.1:5000", []string{"198.51.100.1, unknown"}, "10.1.1.1"},
		{"with ports", "10.1.1.1:5000", []string{"[2001:db8::9]:77, 10.2.2.2:80"}, "2001:db8::9"},
		{"IPv6 in brackets", "[2001:db8:1::1]:5000", []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:5000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"no address at all", "pipe", []string{"198.51.100.1"}, "pipe"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := addressOf(r, trusted); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	for _, text := range []string{"10.0.0.0/33", "localhost", "10.0.0.0/8;1.1.1.1"} {
		if all, ok := ParseNetworks(text); ok {
			t.Errorf("%s gave %v", text, all)
		}
	}
}

// Whatever stands in the header, the address is one, and an untrusted
// connection's is its own.
func FuzzAddressOf(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.1", "[::1]:80,10.1.1.1", ",,,", "unknown", "::ffff:1.2.3.4%eth0", "[[::1]]"} {
		f.Add(seed)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.1.1.1:5", Header: http.Header{"X-Forwarded-For": {header}}}
		a, err := netip.ParseAddr(addressOf(r, trusted))
		if err != nil || a.Zone() != "" || a.Is4In6() {
			t.Errorf("%q gave %v, %v", header, a, err)
		}
		r.RemoteAddr = "203.0.113.7:5"
		if got := addressOf(r, trusted); got != "203.0.113.7" {
			t.Errorf("%q was believed of a stranger: %s", header, got)
		}
	})
}

// Networks are written back as they are read, and none has bits behind its
// length.
func FuzzParseNetworks(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.0/8, 203.0.113.7", "2001:db8::/32,::1", "::ffff:10.0.0.1", "10.0.0.1/8", "fe80::1%eth0", ",,", "1.2.3.4/33"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, ok := ParseNetworks(text)
		if !ok {
			return
		}
		var texts []string
		for _, p := range all {
			if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
				t.Errorf("%q gave %v", text, p)
			}
			texts = append(texts, p.String())
		}
		if again, ok := ParseNetworks(strings.Join(texts, ", ")); !ok || !slices.Equal(again, all) {
			t.Errorf("%q gave %v, then %v", text, all, again)
		}
	})
}

func TestLimiter_refillsSaysWhenAndForgets(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
	l := NewLimiter(now)
	bound := Limit{PerSecond: 0.25, Burst: 2}
	take := func(key string, bound Limit) int {
		f, _ := fault.As(l.Admit(key, bound))
		if f == nil {
			return 0
		}
		return f.Params[retryAfter].(int)
	}
	for i, want := range []int{0, 0, 4, 4} { // being refused costs nothing
		if got := take("a", bound); got != want {
			t.Errorf("%d: wait %d s, want %d", i, got, want)
		}
	}
	if got := take("b", bound); got != 0 {
		t.Errorf("another key waits %d s", got)
	}
	now.Advance(3 * time.Second)
	if got := take("a", bound); got != 1 {
		t.Errorf("after 3 s: wait %d s, want 1", got)
	}
	now.Advance(time.Second)
	if got := take("a", bound); got != 0 {
		t.Errorf("after 4 s: wait %d s", got)
	}
	if got := take("a", Limit{PerSecond: 1, Burst: 1}); got != 0 {
		t.Errorf("under a new bound: wait %d s", got)
	}
	if got := take("a", Limit{}); got != 0 {
		t.Error("no bound limits")
	}
	for i := range keysMax + 10 {
		take(fmt.Sprint(i), bound)
	}
	if n := l.seen.Len(); n != keysMax {
		t.Errorf("%d keys remembered", n)
	}
}

func TestNetworkOf_isTheWholeOfAnIPv6Network(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:1": "2001:db8::/64", "pipe": "pipe",
	} {
		if got := NetworkOf(ip); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

// The address of the limit is the caller's, not that of the proxy in front.
func TestRouter_limitsWhomAProxySpeaksFor(t *testing.T) {
	trusted, _ := ParseNetworks("192.0.2.0/24") // where httptest calls from
	h, log := handler(t, Options{Limit: Limit{PerSecond: 1, Burst: 1}, TrustedProxies: trusted})
	from := func(ip string) int {
		return send(h, "GET", "/card/x", map[string]string{"X-Forwarded-For": ip}, "").Code
	}
	if a, again, b := from("198.51.100.1"), from("198.51.100.1"), from("198.51.100.2"); a != 200 || again != 429 || b != 200 {
		t.Errorf("%d, %d, %d", a, again, b)
	}
	if !strings.Contains(log.String(), `"ip":"198.51.100.1"`) {
		t.Errorf("logged %s", log)
	}
}
