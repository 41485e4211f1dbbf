package platform

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// A client that sends more than it may is told when to come again, and nobody
// else is held up.
func TestRate_ofAClientIsItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		main := access.System(w.tenants["main"])
		if _, err := w.services.Access.SetTenantOptions(t.Context(), main, access.TenantOptions{Rate: &access.Rate{PerSecond: 1, Burst: 3}}); err != nil {
			t.Fatal(err)
		}
		codes := func(n int) (limited int) {
			for range n {
				out := w.send(http.MethodGet, "/api/v1/system/tenant", map[string]string{"Accept-Language": "en"}, "")
				if out.Code == http.StatusTooManyRequests {
					if out.Header().Get("Retry-After") != "1" || !strings.Contains(out.Body.String(), "Common:TooManyRequests") {
						t.Errorf("%v %s", out.Header(), out.Body)
					}
					limited++
				}
			}
			return limited
		}
		if got := codes(5); got != 2 {
			t.Errorf("%d of 5 limited, want 2", got)
		}
		w.bearer = "other"
		if got := codes(5); got != 0 {
			t.Errorf("another tenant: %d limited", got)
		}
		w.bearer = "main"
		w.clock.Advance(time.Second)
		if got := codes(2); got != 1 {
			t.Errorf("a second later: %d of 2 limited, want 1", got)
		}
		if !strings.Contains(w.log.String(), "status=429") || !strings.Contains(w.log.String(), "client="+w.clients["main"].ClientID) {
			t.Error("the log does not say who was limited")
		}
	})
}

// Who asks for tokens is limited by address, whatever names it gives, and
// before the database is asked.
func TestRate_ofTokenRequestsIsTheAddresss(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.services.TokenLimit = api.Limit{PerSecond: 1, Burst: 4}
	w.handler = api.NewRouter(api.Options{Log: w.logger(), Clock: w.clock}, New(w.services, "test").Family())
	w.bearer = ""
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	limited := 0
	for range 3 {
		if w.send(http.MethodPost, "/api/v1/auth/token", nil, `{"clientId": "a", "clientSecret": "b"}`).Code == http.StatusTooManyRequests {
			limited++
		}
		out := w.send(http.MethodPost, "/connect/token", form, "grant_type=client_credentials&client_id=a&client_secret=b")
		if out.Code == http.StatusTooManyRequests {
			if out.Header().Get("Retry-After") != "1" {
				t.Errorf("headers %v", out.Header())
			}
			limited++
		}
	}
	if limited != 2 {
		t.Errorf("%d of 6 limited, want 2", limited)
	}
	if out := w.send(http.MethodGet, "/.well-known/jwks.json", nil, ""); out.Code != http.StatusOK {
		t.Errorf("the keys: %d", out.Code)
	}
}
