package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// event is a webhook as a receiver reads it.
type event struct {
	EventType  string          `json:"eventType"`
	EventID    string          `json:"eventId"`
	OccurredAt time.Time       `json:"occurredAt"`
	CardToken  string          `json:"cardToken"`
	Data       json.RawMessage `json:"data"`
}

// receiver is a system of the bank's that hears of events.
type receiver struct {
	server *httptest.Server
	key    []byte

	mu     sync.Mutex
	events []event
	forged int
}

// listen registers a webhook of the bank that hears of events of these types.
// The server must let webhooks name this machine.
func listen(t *testing.T, bank *sim.Bank, types ...string) *receiver {
	t.Helper()
	return registerHook(t, bank, map[string]any{"webHookType": "Event", "eventTypes": types})
}

// sendSMS registers a webhook of the bank that sends its SMS.
func sendSMS(t *testing.T, bank *sim.Bank) *receiver {
	t.Helper()
	return registerHook(t, bank, map[string]any{"webHookType": "Sms"})
}

func registerHook(t *testing.T, bank *sim.Bank, hook map[string]any) *receiver {
	t.Helper()
	r := &receiver{}
	r.server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.server.Close)
	var made struct {
		Secret string `json:"secret"`
	}
	hook["name"], hook["url"] = "test", r.server.URL
	if _, err := bank.Call(t.Context(), http.MethodPost, "/api/v1/issuing/webhook", hook, &made); err != nil {
		t.Fatal(err)
	}
	key, ok := outbound.ReadSecret(secret.FromString(made.Secret))
	if !ok {
		t.Fatal("the secret of the webhook cannot be read")
	}
	r.mu.Lock()
	r.key = key
	r.mu.Unlock()
	return r
}

func (r *receiver) take(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	m := hmac.New(sha256.New, r.key)
	fmt.Fprintf(m, "%s.%s", in.Header.Get("X-WebHook-Timestamp"), body)
	var e event
	if in.Header.Get("X-WebHook-Signature") != fmt.Sprintf("v1=%x", m.Sum(nil)) || json.Unmarshal(body, &e) != nil {
		r.forged++
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	r.events = append(r.events, e)
}

// wait returns the first event of a type about a card, once it has come.
func (r *receiver) wait(t *testing.T, name, token string) event {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		r.mu.Lock()
		for _, e := range r.events {
			if e.EventType == name && e.CardToken == token {
				r.mu.Unlock()
				return e
			}
		}
		forged := r.forged
		r.mu.Unlock()
		if forged > 0 {
			t.Fatal("an event came with a wrong signature")
		}
		<-tick.C
	}
	t.Fatalf("%s of %s did not come", name, token)
	return event{}
}

// count is how many events of a type about a card have come.
func (r *receiver) count(name, token string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.EventType == name && e.CardToken == token {
			n++
		}
	}
	return n
}

// distinct is the data of the events of a type about a card: of one that came
// more than once, once.
func (r *receiver) distinct(name, token string) map[string]json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]json.RawMessage{}
	for _, e := range r.events {
		if e.EventType == name && e.CardToken == token {
			all[e.EventID] = e.Data
		}
	}
	return all
}
