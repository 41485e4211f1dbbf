package test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/api/apitest"
)

// families are the clients that a new tenant has beside its first.
type families struct {
	TenantID string `json:"tenantId"`
	Payers   struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	} `json:"payers"`
	EWallet struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
	} `json:"ewallet"`
	CardStore struct {
		KeyPrivate    string `json:"apiKeyPrivate"`
		ClientPrivate string `json:"apiClientPrivate"`
		KeyPublic     string `json:"apiKeyPublic"`
		ClientPublic  string `json:"apiClientPublic"`
	} `json:"cardstore"`
}

// newFamilies makes a tenant with the binary, beside a running server.
func newFamilies(t *testing.T, flags []string) (made families) {
	t.Helper()
	output := run(t, append([]string{"tenant", "create", "--name", "Test Bank", "--sandbox", "--json"}, flags...)...)
	if err := json.Unmarshal(output, &made); err != nil {
		t.Fatal(err)
	}
	return made
}

// over sends the requests of a conversation to a server, over a real connection.
func over(t *testing.T, s *server) func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	return func(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.api+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for name, value := range header {
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		w := httptest.NewRecorder()
		w.Code = answer.StatusCode
		for name := range answer.Header {
			w.Header().Set(name, answer.Header.Get(name))
		}
		if _, err := io.Copy(w.Body, answer.Body); err != nil {
			t.Fatal(err)
		}
		return w
	}
}

// TestFamilies_eachAloneOrOff gives each family an address of its own, then switches
// each off: its document is told where it answers, and nowhere else.
func TestFamilies_eachAloneOrOff(t *testing.T) {
	all := []string{"openbanking", "payers", "ewallet", "cardstore"}
	statusAt := func(api, family string) int {
		return over(t, &server{api: api})("GET", "/openapi/"+family+".yaml", nil, "").Code
	}
	var alone, off []string
	places := map[string]string{}
	for _, f := range all {
		places[f] = freeAddr(t)
		alone, off = append(alone, "--family-"+f, places[f]), append(off, "--family-"+f, "off")
	}
	s := serve(t, t.TempDir(), alone...)
	for _, f := range all {
		for _, at := range append([]string{"platform"}, all...) {
			api, want := places[at], http.StatusNotFound
			if at == "platform" {
				api = s.api
			}
			if at == f {
				want = http.StatusOK
			}
			if got := statusAt(api, f); got != want {
				t.Errorf("%s at the address of %s: %d, want %d", f, at, got, want)
			}
		}
	}
	s = serve(t, t.TempDir(), off...)
	for _, f := range all {
		if got := statusAt(s.api, f); got != http.StatusNotFound {
			t.Errorf("%s, switched off: %d", f, got)
		}
	}
}

// TestFamilies_haveTheirPlaces gives one family an address of its own and switches
// another off: what is not at an address is unknown there, in the words of the
// platform.
func TestFamilies_haveTheirPlaces(t *testing.T) {
	dir, own := t.TempDir(), freeAddr(t)
	flags := []string{"--data", dir, "--db", "sqlite:" + filepath.Join(dir, "sarraf.db")}
	s := serve(t, dir, append(flags, "--family-payers", own, "--family-cardstore", "off")...)
	apart := over(t, &server{api: own})
	made := newFamilies(t, flags)
	body := `{"grant_type":"client_credentials","client_id":"` + made.Payers.ClientID + `","client_secret":"` + made.Payers.ClientSecret + `"}`
	if w := apart("POST", "/oauth/token", nil, body); w.Code != http.StatusOK {
		t.Errorf("at its own address: %d %s", w.Code, w.Body)
	}
	for path, want := range map[string]string{"/api/v2/Payment/Customers": "ProductNotAllowedException", "/api/v2/Smart/Transactions": "ProductNotFoundException"} {
		if w := apart("GET", path, nil, ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s at its own address: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/api/v2/Payment/Customers", "/openapi/payers.yaml", "/paywall/card", "/openapi/cardstore.yaml"} {
		if w := over(t, s)("GET", path, nil, ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "errorCode") && !strings.Contains(w.Body.String(), `"code"`) ||
			strings.Contains(w.Body.String(), "Product") {
			t.Errorf("%s at the platform's: %d %s", path, w.Code, w.Body)
		}
	}
	if w := apart("GET", "/api/v1/issuing/card", nil, ""); w.Code != http.StatusNotFound {
		t.Errorf("the platform at the family's: %d %s", w.Code, w.Body)
	}
}

// moments are the times of a server that has a clock of its own.
var moments = regexp.MustCompile(`"(created|updated)": "[^"]*"`)

// TestPayers_vendorsClientWorks replays to the running program what the vendor's
// client sends, and expects what stands in its transcript.
func TestPayers_vendorsClientWorks(t *testing.T) {
	eachEngine(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, append(flags, "--family-payers-token-status", "401")...)
		made, rival := newFamilies(t, flags), newFamilies(t, flags)
		transcript, err := os.ReadFile("../internal/api/payers/testdata/sdk.txt")
		if err != nil {
			t.Fatal(err)
		}
		c := &apitest.Conversation{
			T: t, Send: over(t, s), Names: map[string]string{"main.clientId": made.Payers.ClientID, "main.clientSecret": made.Payers.ClientSecret},
			Volatile: map[string]bool{"id": true, "access_token": true, "supportId": true, "scroll_id": true},
			Commands: map[string]func([]string){"check": func(args []string) {
				if len(args) != 2 || args[0] != args[1] {
					t.Errorf("not the same: %v", args)
				}
			}},
		}
		got, want := moments.ReplaceAllString(c.Tell(string(transcript)), `"$1": "…"`), moments.ReplaceAllString(string(transcript), `"$1": "…"`)
		if got != want {
			t.Error(apitest.FirstDifference(got, want))
		}

		// A token that ended is 401 here, at which the client signs in again; and what
		// was acknowledged survives the death of the server.
		header := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
		signIn := func(f families) map[string]string {
			t.Helper()
			c.Names["clientId"], c.Names["clientSecret"] = f.Payers.ClientID, f.Payers.ClientSecret
			w := c.Send("POST", "/oauth/token", nil, c.Fill(`{"grant_type":"client_credentials","client_id":"${clientId}","client_secret":"${clientSecret}"}`))
			var tokens struct {
				AccessToken string `json:"access_token"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &tokens); err != nil || w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			return header(tokens.AccessToken)
		}
		auth := signIn(made)
		const path = "/api/v2/Payment/Customers"
		created := c.Send("POST", path, auth, `{"contact":{"surname":"Beispiel","email":"mara@example.org"}}`).Body.String()
		var payer struct{ ID string }
		if err := json.Unmarshal([]byte(created), &payer); err != nil || payer.ID == "" {
			t.Fatal(created)
		}
		for _, act := range []string{"disable", "enable"} {
			run(t, append([]string{"client", act, made.Payers.ClientID}, flags...)...)
		}
		if w := c.Send("GET", path, auth, ""); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"code":2003`) {
			t.Errorf("a token that ended: %d %s", w.Code, w.Body)
		}
		s.command.Process.Kill()
		<-s.ended
		s = serve(t, dir, flags...)
		c.Send = over(t, s)
		auth = signIn(made)
		if w := c.Send("GET", path+"/"+payer.ID, auth, ""); w.Body.String() != created {
			t.Errorf("after a crash: %s, want %s", w.Body, created)
		}
		for method, body := range map[string]string{"GET": "", "PUT": `{"contact":{}}`, "DELETE": ""} {
			if w := c.Send(method, path+"/"+payer.ID, signIn(rival), body); w.Code != http.StatusNotFound {
				t.Errorf("%s of another merchant: %d %s", method, w.Code, w.Body)
			}
		}
		if w := c.Send("GET", path, header("x"), ""); w.Code != http.StatusForbidden {
			t.Errorf("no token: %d", w.Code)
		}
		if strings.Contains(s.log.String(), "mara@example.org") {
			t.Error("the log tells of whom we know")
		}
		run(t, append([]string{"verify"}, flags...)...)
	})
}
