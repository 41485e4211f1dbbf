package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// What an administrator says on the command line holds for the next request to
// the platform that serves: addresses behind a trusted proxy, rates, an end.
func TestSetClient_holdsForTheNextRequestWhileThePlatformServes(t *testing.T) {
	l := testConfig(t)
	l.Config.HTTP.TrustedProxies = "127.0.0.0/8, ::1"
	log := slog.New(slog.DiscardHandler)
	p, err := Start(t.Context(), l.Config, log)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	var out bytes.Buffer
	if err := CreateTenant(t.Context(), l.Config, log, &out, NewTenant{Name: "Anadolu Kart"}, true); err != nil {
		t.Fatal(err)
	}
	var tenant struct{ TenantID string }
	if err := json.Unmarshal(out.Bytes(), &tenant); err != nil {
		t.Fatal(err)
	}
	name := "Desk"
	out.Reset()
	if err := CreateClient(t.Context(), l.Config, log, &out, tenant.TenantID, ClientOptions{Name: &name, Permissions: []string{"System.Tenant"}}, true); err != nil {
		t.Fatal(err)
	}
	var made shownClient
	if err := json.Unmarshal(out.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	send := func(method, path, token, from, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, p.APIURL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", "198.51.100.1, "+from) // what stands first the caller made up
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	status, text := send("POST", "/api/v1/auth/token", "", "203.0.113.9", fmt.Sprintf(`{"clientId": %q, "clientSecret": %q}`, made.ClientID, made.ClientSecret))
	var tokens struct{ AccessToken string }
	if err := json.Unmarshal([]byte(text), &tokens); status != 200 || err != nil {
		t.Fatalf("%d %s", status, text)
	}
	call := func(from string) int {
		status, _ := send("GET", "/api/v1/system/tenant", tokens.AccessToken, from, "")
		return status
	}
	set := func(o ClientOptions) {
		t.Helper()
		if err := SetClient(t.Context(), l.Config, log, io.Discard, made.ClientID, o, false); err != nil {
			t.Fatal(err)
		}
	}
	if got := call("203.0.113.9"); got != 200 {
		t.Errorf("at first: %d", got)
	}
	set(ClientOptions{Allowed: []string{"203.0.113.0/24"}})
	if inside, outside := call("203.0.113.9"), call("192.0.2.1"); inside != 200 || outside != 403 {
		t.Errorf("with an address list: %d and %d", inside, outside)
	}
	one := 1
	set(ClientOptions{RateLimit: &one})
	limited := false
	for range 20 { // in less than twenty seconds
		limited = limited || call("203.0.113.9") == 429
	}
	if !limited {
		t.Error("at one a second nothing was limited")
	}
	if err := SetClientActive(t.Context(), l.Config, log, io.Discard, made.ClientID, false, false); err != nil {
		t.Fatal(err)
	}
	if got := call("203.0.113.9"); got != 401 {
		t.Errorf("disabled: %d", got)
	}
}
