package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// plainDialogue has the least words: whether it was approved.
type plainDialogue struct{}

// EncodeQuestion implements Dialogue.
func (plainDialogue) EncodeQuestion(id string, m *authorization.ClientMessage) (Content, error) {
	data, err := json.Marshal(map[string]string{"messageId": id, "messageType": string(m.Type)})
	return Content{CustomerNo: m.Names.CustomerNo, IssuanceNo: m.Names.IssuanceNo, CardToken: m.Names.Token, Data: data}, err
}

// DecodeVerdict implements Dialogue.
func (plainDialogue) DecodeVerdict(body []byte, _ money.Currency) (authorization.Verdict, error) {
	var in struct{ Approved *bool }
	if json.Unmarshal(body, &in) != nil || in.Approved == nil {
		return authorization.Verdict{}, errors.New("approved is missing")
	}
	return authorization.Verdict{Hearing: authorization.Answered, Approved: *in.Approved}, nil
}

// question is about a transaction of a tenant.
func (w *world) question(c access.Caller, product string) *authorization.ClientMessage {
	m := &authorization.ClientMessage{
		Type: authorization.AuthorizationMessage, Names: issuing.CardName{Token: "979206abcdef0017", IssuanceNo: "9000000000000017", ProductCode: product},
	}
	m.Transaction.ID, m.Transaction.Tenant = id.New[authorization.Transaction](w.clock.Now()), c.Tenant
	m.Transaction.Amount, m.Transaction.Billing = money.Must(100, "TRY"), money.Must(100, "TRY")
	m.Transaction.Code, m.Transaction.CardNetwork, m.Transaction.Status = authorization.Purchase, "Troy", authorization.StatusPending
	return m
}

// decider registers an Authorization hook.
func (w *world) decider(c access.Caller, url string, in NewHook) Hook {
	w.t.Helper()
	in.Type, in.Name, in.URL = TypeAuthorization, "decisions", url
	h, _, err := w.Register(w.t.Context(), c, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func answering(t *testing.T, status int, body string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(status)
		fmt.Fprint(out, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAsk_takesAnAnswerOfHTTP200Only(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		for _, c := range []struct {
			name, body string
			status     int
			hearing    authorization.Hearing
			approved   bool
		}{
			{"yes", `{"approved": true}`, 200, authorization.Answered, true},
			{"no", `{"approved": false}`, 200, authorization.Answered, false},
			{"another 2xx", `{"approved": true}`, 201, authorization.Unanswered, false},
			{"a redirect", `{"approved": true}`, 302, authorization.Unanswered, false},
			{"refused", `{"approved": true}`, 403, authorization.Unanswered, false},
			{"broken", `{"approved": true}`, 500, authorization.Unanswered, false},
			{"no JSON", `approved`, 200, authorization.Unanswered, false},
			{"too long", `{"approved": true}` + strings.Repeat(" ", bodyMax), 200, authorization.Unanswered, false},
		} {
			h := w.decider(w.main, answering(t, c.status, c.body).URL, NewHook{})
			v := w.Ask(t.Context(), w.question(w.main, "P1"))
			if v.Hearing != c.hearing || v.Approved != c.approved || v.Hearing != authorization.Answered && v.Detail == "" {
				t.Errorf("%s: got %+v", c.name, v)
			}
			if err := w.Unregister(t.Context(), w.main, h.ID); err != nil {
				t.Fatal(err)
			}
		}
		w.Wait()
	})
}

func TestAsk_signsTheQuestionInBothForms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		r := newReceiver(t)
		_, s, err := w.Register(t.Context(), w.main, NewHook{Type: TypeAuthorization, Name: "d", URL: r.URL, Headers: map[string]string{"X-Key": "us"}})
		if err != nil {
			t.Fatal(err)
		}
		key, _ := outbound.ReadSecret(s)
		m := w.question(w.main, "P1")
		w.Ask(t.Context(), m)
		w.Wait()
		var e envelope
		if err := json.Unmarshal(r.bodies[0], &e); err != nil {
			t.Fatal(err)
		}
		head, want := r.got[0].Header, http.Header{}
		outbound.Sign(want, [][]byte{key}, e.EventID, w.clock.Now(), r.bodies[0])
		for name := range want {
			if head.Get(name) != want.Get(name) {
				t.Errorf("%s is %q, want %q", name, head.Get(name), want.Get(name))
			}
		}
		if e.EventType != "authorization.request" || e.CardToken != m.Names.Token || head.Get("Idempotency-Key") != e.EventID ||
			!strings.Contains(string(e.Data), e.EventID) || head.Get("X-Key") != "us" || e.TenantID != w.main.Tenant.UUID() {
			t.Errorf("got %s with %v", r.bodies[0], head)
		}
	})
}

func TestAsk_waitsNoLongerThanTheHookMay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		gone := make(chan struct{})
		slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
			_, _ = io.Copy(io.Discard, in.Body)
			select {
			case <-in.Context().Done():
			case <-gone:
			}
		}))
		defer slow.Close()
		defer close(gone)
		w.decider(w.main, slow.URL, NewHook{Timeout: 500 * time.Millisecond})
		began := time.Now()
		v := w.Ask(t.Context(), w.question(w.main, "P1"))
		if took := time.Since(began); v.Hearing != authorization.Unanswered || took < 400*time.Millisecond || took > 3*time.Second {
			t.Errorf("after %s: %+v", took, v)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began = time.Now()
		if v = w.Ask(ctx, w.question(w.main, "P1")); v.Hearing == authorization.Answered || time.Since(began) > 450*time.Millisecond {
			t.Errorf("the network's own time was not kept: %s, %+v", time.Since(began), v)
		}
		w.Wait()
	})
}

// A client that stands still holds up nobody but itself: beyond the bound its
// questions end at once, and another tenant's are answered meanwhile. No
// connection of the database is held while it is waited for.
func TestAsk_aDeadClientHoldsUpNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		var inside atomic.Int64
		gone := make(chan struct{})
		dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
			_, _ = io.Copy(io.Discard, in.Body)
			inside.Add(1)
			<-gone
		}))
		defer dead.Close()
		w.decider(w.main, dead.URL, NewHook{Timeout: 5 * time.Second})
		w.decider(w.other, answering(t, 200, `{"approved": true}`).URL, NewHook{})
		var wg sync.WaitGroup
		for range askMax {
			wg.Go(func() { w.Ask(t.Context(), w.question(w.main, "P1")) })
		}
		for began := time.Now(); inside.Load() < askMax && time.Since(began) < 4*time.Second; {
			time.Sleep(5 * time.Millisecond)
		}
		if inside.Load() != askMax {
			t.Fatalf("%d are inside", inside.Load())
		}
		began := time.Now()
		if v := w.Ask(t.Context(), w.question(w.main, "P1")); v.Hearing != authorization.Unasked || v.Detail == "" {
			t.Errorf("one too many: %+v", v)
		}
		for range 20 {
			if v := w.Ask(t.Context(), w.question(w.other, "P1")); !v.Approved {
				t.Errorf("the other tenant: %+v", v)
			}
		}
		err := w.DB.InTx(t.Context(), func(tx db.Tx) error { return noteSuccess(t.Context(), tx, Hook{}, w.clock.Now()) })
		if took := time.Since(began); err != nil || took > 3*time.Second {
			t.Errorf("they took %s (%v)", took, err)
		}
		close(gone)
		wg.Wait()
		w.Wait()
	})
}

func TestAsk_findsTheHookOfTheProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		yes, no := answering(t, 200, `{"approved": true}`), answering(t, 200, `{"approved": false}`)
		w.decider(w.main, yes.URL, NewHook{Filter: Filter{Products: []string{"P1"}}})
		w.decider(w.main, no.URL, NewHook{Filter: Filter{Products: []string{"P2"}}})
		if v := w.Ask(t.Context(), w.question(w.main, "P1")); !v.Approved {
			t.Errorf("P1: %+v", v)
		}
		if v := w.Ask(t.Context(), w.question(w.main, "P2")); v.Hearing != authorization.Answered || v.Approved {
			t.Errorf("P2: %+v", v)
		}
		for _, m := range []*authorization.ClientMessage{w.question(w.main, "P3"), w.question(w.other, "P1")} {
			if v := w.Ask(t.Context(), m); v.Hearing != authorization.Unasked {
				t.Errorf("nobody is asked about it: %+v", v)
			}
		}
		balance := w.question(w.main, "P2")
		balance.Type = authorization.BalanceInquiryMessage
		if _, _, err := w.Register(t.Context(), w.main, NewHook{Type: TypeBalanceInquiry, Name: "b", URL: yes.URL}); err != nil {
			t.Fatal(err)
		}
		if v := w.Ask(t.Context(), balance); !v.Approved {
			t.Errorf("a balance inquiry: %+v", v)
		}
		w.Wait()
	})
}

// A sandbox where loopback was switched off, or a production tenant whose host
// became a private address, is not reached: the address is looked at again, and
// once more when the connection is made.
func TestAsk_looksAtTheAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		r := newReceiver(t)
		w.decider(w.main, r.URL, NewHook{})
		w.Loopback = false
		if v := w.Ask(t.Context(), w.question(w.main, "P1")); v.Hearing != authorization.Unasked {
			t.Errorf("got %+v", v)
		}
		w.Loopback = true
		w.askLocal = askingClient(outbound.Public) // the dialer alone
		if v := w.Ask(t.Context(), w.question(w.main, "P1")); v.Hearing != authorization.Unasked || !strings.Contains(v.Detail, "not public") {
			t.Errorf("got %+v", v)
		}
		if len(r.got) != 0 {
			t.Error("it was reached")
		}
		w.Wait()
	})
}

func TestAsk_notesHowTheHookDoesAndNeverGivesItUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		broken := answering(t, 500, "")
		h := w.decider(w.main, broken.URL, NewHook{})
		for range 120 {
			w.Ask(t.Context(), w.question(w.main, "P1"))
			w.Wait()
			w.clock.Advance(time.Minute)
		}
		if now := w.hook(h); now.Health() != Failing || now.IsDisabled || now.ConsecutiveFailures < 100 {
			t.Errorf("it is %s after %d failures", now.Health(), now.ConsecutiveFailures)
		}
		if v := w.Ask(t.Context(), w.question(w.main, "P1")); v.Hearing != authorization.Unanswered {
			t.Errorf("it is not asked any more: %+v", v)
		}
		w.Wait()
	})
}

// A fact is told until the client acknowledges it, also to a hook that is never
// asked twice, and in the order of the card.
func TestDeliver_tellsAFactUntilItIsAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		var status atomic.Int64
		var body atomic.Value
		var mu sync.Mutex
		var got []string
		status.Store(500)
		body.Store(`{"approved": true}`)
		client := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			var e envelope
			_ = json.NewDecoder(in.Body).Decode(&e)
			mu.Lock()
			got = append(got, string(e.Data)+in.Header.Get("Idempotency-Key"))
			mu.Unlock()
			out.WriteHeader(int(status.Load()))
			fmt.Fprint(out, body.Load())
		}))
		defer client.Close()
		h := w.decider(w.main, client.URL, NewHook{})
		w.register(newReceiver(t).URL, "*") // hears of events, and of no facts
		tell := func(kind authorization.MessageType) {
			m := w.question(w.main, "P1")
			m.Type, m.Transaction.Status = kind, authorization.StatusDeclined
			err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
				return authorization.TellClients(t.Context(), tx, []authorization.ClientMessage{*m}, clock.RealNow(w.clock))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		tell(authorization.ReversalMessage)
		tell(authorization.ClearingMessage)
		w.run()
		if len(got) != 1 {
			t.Fatalf("it got %v", got)
		}
		status.Store(200)
		body.Store(`{"approved": false}`)
		w.clock.Advance(2 * time.Second)
		w.run()
		body.Store(`{"approved": true}`)
		w.clock.Advance(10 * time.Second)
		w.run()
		if len(got) != 4 || got[0] != got[1] || got[1] != got[2] || !strings.Contains(got[2], "Reversal") || !strings.Contains(got[3], "Clearing") {
			t.Errorf("it got %v", got)
		}
		for _, d := range w.log(h) {
			if d.Status != outbox.Delivered {
				t.Errorf("the log has %+v", d)
			}
		}
	})
}

// What happens while a client's hook is switched off is kept for it, and told
// when it is active again; what was on its way waits, too.
func TestDeliver_keepsFactsForAHookThatIsSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Dialogue = plainDialogue{}
		r := newReceiver(t)
		client := answering(t, 200, `{"approved": true}`)
		broken := answering(t, 500, "")
		h := w.decider(w.main, broken.URL, NewHook{Filter: Filter{Products: []string{"P1"}}})
		w.decider(w.main, r.URL, NewHook{Filter: Filter{Products: []string{"P2"}}})
		tell := func(kind authorization.MessageType) {
			m := w.question(w.main, "P1")
			m.Type, m.Transaction.Status = kind, authorization.StatusDeclined
			err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
				return authorization.TellClients(t.Context(), tx, []authorization.ClientMessage{*m}, clock.RealNow(w.clock))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		turn := func(on bool) {
			in := NewHook{Type: TypeAuthorization, Name: "decisions", URL: client.URL, Filter: h.Filter, IsActive: &on}
			if _, err := w.Update(t.Context(), w.main, h.ID, in); err != nil {
				t.Fatal(err)
			}
		}
		tell(authorization.ReversalMessage) // on its way when the hook is switched off
		w.run()
		turn(false)
		tell(authorization.ClearingMessage)
		for range 3 {
			w.clock.Advance(10 * time.Minute)
			w.run()
		}
		all := w.log(h)
		if len(all) != 2 {
			t.Fatalf("the log has %+v", all)
		}
		for _, d := range all {
			if d.Status != outbox.Waiting {
				t.Errorf("while it is off the log has %+v", d)
			}
		}
		turn(true)
		w.clock.Advance(6 * time.Hour)
		w.run()
		for _, d := range w.log(h) {
			if d.Status != outbox.Delivered {
				t.Errorf("when it is on again the log has %+v", d)
			}
		}
		if len(r.got) != 0 {
			t.Error("another product's hook was told")
		}
	})
}
