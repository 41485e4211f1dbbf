package payers

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/apitest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
)

// world is the family on a database of its own, with two merchants.
type world struct {
	*apitest.Conversation
	services Services
	backend  *soft.Backend
	tenants  map[string]access.Tenant
	log      *bytes.Buffer
}

func newWorld(t *testing.T, d *db.DB, tokenStatus int) *world {
	t.Helper()
	backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	now := clock.NewFake(time.Date(2031, 3, 14, 8, 12, 44, 0, time.UTC))
	services := Services{Access: access.New(d, backend, now), Customers: customer.New(d, backend, now), Clock: now, TokenStatus: tokenStatus}
	family := New(services).Family()
	out := &world{services: services, backend: backend, tenants: map[string]access.Tenant{}, log: &bytes.Buffer{}}
	handler := api.NewRouter(api.Options{Log: slog.New(slog.NewTextHandler(out.log, nil)), Clock: now}, family)
	c := &apitest.Conversation{
		T: t, Names: map[string]string{}, Headers: []string{"WWW-Authenticate", "Allow", "Retry-After"},
		Volatile: map[string]bool{"id": true, "access_token": true, "refresh_token": true, "supportId": true, "scroll_id": true},
	}
	who := ""
	c.Commands = map[string]func([]string){
		"as": func(args []string) { who = args[0] },
		"check": func(args []string) {
			if len(args) != 2 || args[0] != args[1] {
				t.Errorf("not the same: %v", args)
			}
		},
		"advance": func(args []string) { d, _ := time.ParseDuration(args[0]); now.Advance(d) },
	}
	c.Send = func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if token := c.Names[who+".token"]; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		for name, value := range header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for _, name := range []string{"main", "other"} {
		tenant, made, err := services.Access.CreateTenant(t.Context(), access.NewTenant{Name: name, TimeZone: "Europe/Berlin", Sandbox: true})
		if err != nil {
			t.Fatal(err)
		}
		out.tenants[name] = tenant
		creds := made.Families.Payers
		c.Names[name+".clientId"], c.Names[name+".clientSecret"] = creds.ClientID, string(creds.ClientSecret.Reveal())
		w := c.Send("POST", tokenPath, nil, c.Fill(`{"grant_type":"client_credentials","client_id":"${`+name+`.clientId}","client_secret":"${`+name+`.clientSecret}"}`))
		var got struct {
			Token string `json:"access_token"`
		}
		text, _ := io.ReadAll(w.Body)
		if err := json.Unmarshal(text, &got); err != nil || len(got.Token) != 26 {
			t.Fatalf("no token: %s", text)
		}
		c.Names[name+".token"] = got.Token
	}
	who, out.Conversation = "main", c
	return out
}

// The conversations in testdata are whole stories over HTTP; sdk.txt is told to
// the whole program as well. Their words:
//
//	as main        who speaks: main, other, or nobody, who has no token
//	advance 15m    the clock moves
//	check A B      they are the same
func TestConversations(t *testing.T) {
	dbtest.EachFresh(t, func(t *testing.T, fresh func(testing.TB) *db.DB) {
		apitest.RunFiles(t, "testdata/*.txt", func(t *testing.T) *apitest.Conversation { return newWorld(t, fresh(t), 403).Conversation })
	})
}
