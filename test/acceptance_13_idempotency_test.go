package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"
)

// reply is an answer of the API as it came.
type reply struct {
	Status int
	Body   []byte
	Header http.Header
}

// member is a member of the answer's object.
func (r reply) member(t *testing.T, name string) any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(r.Body, &all); err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
	return all[name]
}

// code is what an error is called.
func (r reply) code(t *testing.T) any {
	t.Helper()
	e, _ := r.member(t, "error").(map[string]any)
	return e["code"]
}

// caller sends requests as a client would by hand.
type caller struct {
	base, token string
}

// signIn gets a token for a tenant's client.
func (made tenant) signIn(t *testing.T, s *server) caller {
	t.Helper()
	c := caller{base: "http://" + s.api}
	r := c.send(t, http.MethodPost, "/api/v1/auth/token", "", map[string]any{
		"grantType": "client_credentials", "clientId": made.ClientID, "clientSecret": made.ClientSecret,
	})
	c.token, _ = r.member(t, "accessToken").(string)
	if c.token == "" {
		t.Fatalf("no token: %d %s", r.Status, r.Body)
	}
	return c
}

func (c caller) send(t *testing.T, method, path, key string, body any) reply {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if key != "" {
		req.Header.Set("X-Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, got, resp.Header}
}

// cards counts the cards of a customer.
func (c caller) cards(t *testing.T, customerNo string) any {
	t.Helper()
	return c.send(t, http.MethodGet, "/api/v1/issuing/card?CustomerNo="+customerNo, "", nil).member(t, "totalCount")
}

// Scenario 13 of contract/platform.md §20: the same idempotency key makes one
// card, however often and however close together it comes; with another body
// it is refused.
func TestAcceptance13_idempotency(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		s := serve(t, dir, flags...)
		made := newTenant(t, flags)
		bank := made.openBank(t, s)
		customer, err := bank.OpenCustomer(t.Context(), "Ada", "Deniz", "+905321234567")
		if err != nil {
			t.Fatal(err)
		}
		c := made.signIn(t, s)
		wish := func(branch string) map[string]any {
			return map[string]any{
				"customerNo": customer, "productCode": "CLASSIC", "formFactor": "Physical", "deliveryMethod": "Branch", "branchCode": branch,
			}
		}
		const path, key = "/api/v1/issuing/card", "order-1"
		first := c.send(t, http.MethodPost, path, key, wish("0001"))
		if first.Status/100 != 2 {
			t.Fatalf("got %d %s", first.Status, first.Body)
		}
		again := c.send(t, http.MethodPost, path, key, wish("0001"))
		if again.Status != first.Status || !bytes.Equal(again.Body, first.Body) {
			t.Errorf("the same request again: %d %s, first %d %s", again.Status, again.Body, first.Status, first.Body)
		}
		if other := c.send(t, http.MethodPost, path, key, wish("0002")); other.Status != http.StatusConflict {
			t.Errorf("another body under the same key: %d %s", other.Status, other.Body)
		}
		if n := c.cards(t, customer); n != 1.0 {
			t.Errorf("there are %v cards, want one", n)
		}

		// Many at once: one makes the card; the others get its answer, or are told
		// that it is under way.
		var running sync.WaitGroup
		answers := make([]reply, 8)
		for i := range answers {
			running.Go(func() { answers[i] = c.send(t, http.MethodPost, path, "order-2", wish("0001")) })
		}
		running.Wait()
		tokens := map[any]bool{}
		for _, a := range answers {
			switch {
			case a.Status == first.Status:
				tokens[a.member(t, "cardToken")] = true
			case a.Status == http.StatusConflict:
			default:
				t.Errorf("at once: %d %s", a.Status, a.Body)
			}
		}
		if n := c.cards(t, customer); len(tokens) != 1 || n != 2.0 {
			t.Errorf("at once: %d cards were answered, %v exist; want one more", len(tokens), n)
		}

		// What was answered survives.
		s.command.Process.Kill()
		<-s.ended
		s = serve(t, dir, flags...)
		c = made.signIn(t, s)
		if kept := c.send(t, http.MethodPost, path, key, wish("0001")); kept.Status != first.Status || !bytes.Equal(kept.Body, first.Body) {
			t.Errorf("after a kill: %d %s", kept.Status, kept.Body)
		}
	})
}
