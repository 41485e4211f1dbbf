package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// heard is what a client was asked or told: the body of a request to its hook.
type heard struct {
	EventType string `json:"eventType"`
	CardToken string `json:"cardToken"`
	Data      struct {
		MessageID     string `json:"messageId"`
		MessageType   string `json:"messageType"`
		TransactionID string `json:"transactionId"`
		OriginalID    string `json:"originalTransactionId"`
		Decision      *struct {
			Approved bool   `json:"approved"`
			Reason   string `json:"declineReason"`
		} `json:"platformDecision"`
	} `json:"data"`
}

// bookkeeper is the system of a tenant that owns its balances. It approves every
// question, at once or when it is let go on, and acknowledges every fact.
type bookkeeper struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	key    []byte
	gate   chan struct{} // questions wait for it; nil: for nothing
	all    []heard
	bodies []string
	more   chan struct{} // something was heard
}

func newBookkeeper(t *testing.T) *bookkeeper {
	b := &bookkeeper{t: t, more: make(chan struct{}, 1000)}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

func (b *bookkeeper) serve(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	var h heard
	if err := json.Unmarshal(body, &h); err != nil {
		b.t.Errorf("the hook got %q: %v", body, err)
	}
	b.mu.Lock()
	b.checkSignature(in.Header, body)
	b.all, b.bodies = append(b.all, h), append(b.bodies, string(body))
	gate := b.gate
	b.mu.Unlock()
	b.more <- struct{}{}
	if question := slices.Contains([]string{"Authorization", "Financial", "FeeDebit"}, h.Data.MessageType); question && gate != nil {
		<-gate
	}
	fmt.Fprint(out, `{"approved": true, "clientReference": "K-1", "availableBalance": 77.50}`)
}

// checkSignature verifies both forms, as the document for integrators says.
func (b *bookkeeper) checkSignature(h http.Header, body []byte) {
	sum := func(front string) []byte {
		mac := hmac.New(sha256.New, b.key)
		mac.Write([]byte(front + "."))
		mac.Write(body)
		return mac.Sum(nil)
	}
	at := h.Get("X-WebHook-Timestamp")
	if want := "v1=" + hex.EncodeToString(sum(at)); h.Get("X-WebHook-Signature") != want {
		b.t.Errorf("X-WebHook-Signature is %q, want %q", h.Get("X-WebHook-Signature"), want)
	}
	standard := "v1," + base64.StdEncoding.EncodeToString(sum(h.Get("webhook-id")+"."+h.Get("webhook-timestamp")))
	if h.Get("webhook-signature") != standard {
		b.t.Errorf("webhook-signature is %q, want %q", h.Get("webhook-signature"), standard)
	}
}

// hang lets questions wait from now on; the function it returns answers them.
func (b *bookkeeper) hang() (release func()) {
	gate := make(chan struct{})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gate = gate
	return sync.OnceFunc(func() {
		close(gate)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.gate = nil
	})
}

// await returns the first message of a type about a transaction, empty for any.
func (b *bookkeeper) await(kind, transaction string) heard {
	b.t.Helper()
	late := time.After(time.Minute) // patience, not an assertion
	for {
		b.mu.Lock()
		for _, h := range b.all {
			if h.Data.MessageType == kind && (transaction == "" || h.Data.TransactionID == transaction) {
				b.mu.Unlock()
				return h
			}
		}
		b.mu.Unlock()
		select {
		case <-b.more:
		case <-late:
			b.t.Fatalf("the client hears no %s", kind)
		}
	}
}

// forget drops what was heard, and returns it.
func (b *bookkeeper) forget() []heard {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.all
	b.all = nil
	return all
}

// employ makes b the owner of the bank's balances.
func (b *bookkeeper) employ(bank *sim.Bank) {
	b.t.Helper()
	var made struct {
		Secret string `json:"secret"`
	}
	_, err := bank.Call(b.t.Context(), http.MethodPost, "/api/v1/issuing/webhook", map[string]any{
		"webHookType": "Authorization", "name": "Balances", "url": b.URL, "timeoutMs": 1000,
	}, &made)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.key, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(made.Secret, "whsec_")); err != nil {
		b.t.Fatal(err)
	}
	if _, err := bank.Call(b.t.Context(), http.MethodPost, "/api/v1/system/tenant/issuing-attribute", map[string]any{"balanceMode": "External"}, nil); err != nil {
		b.t.Fatal(err)
	}
}

// heldOn is what our ledger holds of a card's account.
func heldOn(t *testing.T, bank *sim.Bank, card sim.Issued) money.Amount {
	t.Helper()
	var account struct {
		Held json.Number `json:"held"`
	}
	if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/account/"+card.Account, nil, &account); err != nil {
		t.Fatal(err)
	}
	held, err := money.Parse(account.Held.String(), lira(0).Currency())
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// decided is how the API shows a decision.
type decided struct {
	Status, DeclineReason, DecidedBy, ResponseCode string
	AvailableBalance                               json.Number
	IsRecomputed                                   bool
}

func decisionOn(t *testing.T, bank *sim.Bank, transaction string) decided {
	t.Helper()
	var page struct {
		Items []decided `json:"items"`
	}
	path := "/api/v1/issuing-transaction/card-transaction?TransactionId=" + transaction
	if _, err := bank.Call(t.Context(), http.MethodGet, path, nil, &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("%v %v", page, err)
	}
	var trace decided
	if _, err := bank.Call(t.Context(), http.MethodGet, "/api/v1/issuing/transaction/"+transaction+"/trace", nil, &trace); err != nil {
		t.Fatal(err)
	}
	page.Items[0].IsRecomputed = trace.IsRecomputed
	return page.Items[0]
}

// Acceptance scenario 11 (contract/platform.md §20): the client's webhook does
// not answer in time → 91 and a reversal message; its late approval leaves no
// hold. And when the process dies while it waits, the same holds after a restart.
func TestAcceptance_11_clientTimeout(t *testing.T) {
	eachEngineAtOnce(t, func(t *testing.T, dir string, flags []string) {
		flags = append(flags, "--webhook-allow-loopback", "true")
		s := serve(t, dir, inGroups(0, flags...)...)
		bank := openBank(t, s, flags[:len(flags)-2])
		card := issue(t, bank, 1)[0]
		client := newBookkeeper(t)
		client.employ(bank)
		term := shop(t)
		link := connect(t, s, term, 10*time.Second)
		pay := func(minor int64) *iso8583.Message {
			t.Helper()
			r, err := term.Use(card.Card, sim.Payment{Amount: lira(minor), Entry: sim.Chip})
			if err != nil {
				t.Fatal(err)
			}
			return r.Message
		}
		ask := func(m *iso8583.Message, want string) *iso8583.Message {
			t.Helper()
			answer, _, err := link.Ask(t.Context(), m)
			if err != nil {
				t.Fatalf("%v\n%s", err, s.log.String())
			}
			if got := answer.Text(iso8583.ResponseCode); got != want {
				t.Fatalf("answered %s, want %s\n%s", got, want, s.log.String())
			}
			return answer
		}

		// The client answers: its word decides.
		first := pay(1000)
		ask(first, "00")
		question := client.await("Authorization", "")
		if d := decisionOn(t, bank, question.Data.TransactionID); d.Status != "Approved" || d.DecidedBy != "Client" || !d.IsRecomputed ||
			d.AvailableBalance.String() != "77.50" || question.CardToken != card.Token || question.EventType != "authorization.request" {
			t.Errorf("it is shown as %+v, after %+v", d, question)
		}
		client.forget()

		// It does not: 91, once the time is over, and a reversal.
		release := client.hang()
		late := pay(2000)
		began := time.Now()
		ask(late, "91")
		if took := time.Since(began); took < 900*time.Millisecond || took > 5*time.Second {
			t.Errorf("the network waited %s", took)
		}
		ask(sim.Repeat(late), "91")
		question = client.await("Authorization", "")
		reversal := client.await("Reversal", question.Data.TransactionID)
		if reversal.Data.OriginalID != question.Data.TransactionID || reversal.Data.MessageID == question.Data.MessageID ||
			reversal.Data.Decision == nil || reversal.Data.Decision.Approved || reversal.Data.Decision.Reason != "ClientTimeout" {
			t.Errorf("the reversal is %+v", reversal)
		}
		release() // the approval comes now, to nobody
		if held := heldOn(t, bank, card); held != lira(1000) {
			t.Errorf("%v is held, want 10.00", held)
		}
		if d := decisionOn(t, bank, question.Data.TransactionID); d.Status != "Declined" || d.DeclineReason != "ClientTimeout" || d.DecidedBy != "StandIn" ||
			d.ResponseCode != "91" || !d.IsRecomputed {
			t.Errorf("it is shown as %+v", d)
		}
		for _, h := range client.forget() {
			if h.Data.MessageType == "Authorization" && h.Data.TransactionID != question.Data.TransactionID {
				t.Errorf("the repeat was asked: %+v", h)
			}
		}

		// The process dies while it waits. The network was told nothing; its repeat
		// gets 91, the client is told to undo, and nothing stays held.
		release = client.hang()
		lost := pay(3000)
		broke := make(chan error, 1)
		go func() {
			_, _, err := link.Ask(t.Context(), lost)
			broke <- err
		}()
		question = client.await("Authorization", "")
		if err := s.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-s.ended
		if err := <-broke; err == nil {
			t.Error("the network got an answer from a dead process")
		}
		release()
		client.forget()
		s = serve(t, dir, inGroups(1, flags...)...)
		bank.Move("http://" + s.api)
		link = connect(t, s, term, 10*time.Second)
		ask(sim.Repeat(lost), "91")
		client.await("Reversal", question.Data.TransactionID)
		if held := heldOn(t, bank, card); held != lira(1000) {
			t.Errorf("%v is held, want 10.00", held)
		}

		// And again, with nobody who repeats: the sweeper ends it.
		release = client.hang()
		forgotten := pay(4000)
		go func() { _, _, _ = link.Ask(t.Context(), forgotten) }()
		question = client.await("Authorization", "")
		if err := s.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-s.ended
		release()
		client.forget()
		s = serve(t, dir, inGroups(2, flags...)...)
		bank.Move("http://" + s.api)
		client.await("Reversal", question.Data.TransactionID)
		if held := heldOn(t, bank, card); held != lira(1000) {
			t.Errorf("%v is held, want 10.00", held)
		}
		link = connect(t, s, term, 10*time.Second)
		ask(sim.Repeat(forgotten), "91")
		ask(sim.Repeat(first), "00")
		for _, body := range client.bodies {
			if strings.Contains(body, card.Card.PAN.Reveal()) {
				t.Error("a body holds the card number")
			}
		}
		run(t, append([]string{"verify"}, flags[:len(flags)-2]...)...)
	})
}
