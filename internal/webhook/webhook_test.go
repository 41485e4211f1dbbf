package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// world is a service that may talk to this machine, with three tenants.
type world struct {
	*Service
	t                 *testing.T
	clock             *clock.Fake
	main, other, live access.Caller
	relay             *outbox.Relay
	worker            *outbox.Worker
}

type plainEncoder struct{}

// EncodeEvent implements Encoder: the payload is the data.
func (plainEncoder) EncodeEvent(m outbox.Message) (Content, error) {
	return Content{CustomerNo: m.Key, Data: json.RawMessage(m.Payload)}, nil
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = backend.Close() })
		c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		w := &world{Service: New(d, backend, c, slog.New(slog.DiscardHandler)), t: t, clock: c}
		w.Encoder, w.Loopback = plainEncoder{}, true
		for i, to := range []*access.Caller{&w.main, &w.other, &w.live} {
			tenant, _, err := access.New(d, backend, c).CreateTenant(t.Context(), access.NewTenant{Name: "Tenant", Sandbox: i < 2})
			if err != nil {
				t.Fatal(err)
			}
			*to = access.System(tenant)
		}
		w.relay, w.worker = w.Relay(), w.Worker()
		f(t, w)
	})
}

func (w *world) run() {
	w.t.Helper()
	if err := w.relay.RunOnce(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.worker.RunOnce(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) raise(c access.Caller, name, key string) {
	w.t.Helper()
	err := w.DB.InTx(w.t.Context(), func(tx db.Tx) error {
		return outbox.Add(w.t.Context(), tx, outbox.Event{
			Tenant: c.Tenant.String(), Name: name, Key: key, Payload: []byte(`{"a":1}`), At: clock.RealNow(w.clock), CorrelationID: "trace",
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) register(url string, types ...string) (Hook, []byte) {
	w.t.Helper()
	h, s, err := w.Register(w.t.Context(), w.main, NewHook{Name: "h", URL: url, EventTypes: types})
	if err != nil {
		w.t.Fatal(err)
	}
	key, ok := outbound.ReadSecret(s)
	if !ok {
		w.t.Fatal("the secret shown is malformed")
	}
	return h, key
}

func (w *world) log(h Hook) []Delivery {
	w.t.Helper()
	all, _, err := w.Deliveries(w.t.Context(), w.main, h.ID, false, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) hook(h Hook) Hook {
	w.t.Helper()
	all, err := w.Hooks(w.t.Context(), w.main, "", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, x := range all {
		if x.ID == h.ID {
			return x
		}
	}
	w.t.Fatal("the hook is gone")
	return Hook{}
}

// receiver keeps what it got and answers with status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies [][]byte
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.bodies = append(r.got, in), append(r.bodies, body)
		if r.status == 302 {
			out.Header().Set("Location", "/elsewhere")
		}
		out.WriteHeader(r.status)
		fmt.Fprint(out, "thanks\x07")
	}))
	t.Cleanup(r.Close)
	return r
}

func hmacOf(key []byte, front string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%s", front, body)
	return m.Sum(nil)
}

func wantFault(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Code != code {
		t.Errorf("got %v, want the fault %s", err, code)
	}
}

func TestDeliver_signsInBothForms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		h, key := w.register(r.URL, "customer.*")
		w.raise(w.main, "customer.created", "1001")
		w.raise(w.main, "card.created", "1001")
		w.raise(w.other, "customer.created", "1001")
		w.run()
		if len(r.got) != 1 {
			t.Fatalf("received %d requests, want 1", len(r.got))
		}
		var e envelope
		if err := json.Unmarshal(r.bodies[0], &e); err != nil {
			t.Fatal(err)
		}
		if e.EventType != "customer.created" || e.CustomerNo != "1001" || e.Sequence != 1 || e.TenantID != w.main.Tenant.UUID() ||
			e.CorrelationID != "trace" || string(e.Data) != `{"a":1}` {
			t.Errorf("got %+v", e)
		}
		head := r.got[0].Header
		at := fmt.Sprint(w.clock.Now().Unix())
		if got, want := head.Get("X-WebHook-Signature"), fmt.Sprintf("v1=%x", hmacOf(key, at, r.bodies[0])); got != want {
			t.Errorf("X-WebHook-Signature: got %s, want %s", got, want)
		}
		want := "v1," + base64.StdEncoding.EncodeToString(hmacOf(key, e.EventID+"."+at, r.bodies[0]))
		if got := head.Get("webhook-signature"); got != want || head.Get("webhook-id") != e.EventID || head.Get("webhook-timestamp") != at {
			t.Errorf("webhook-signature: got %s, want %s", got, want)
		}
		d := w.log(h)[0]
		if d.Status != outbox.Delivered || d.ResultCode != 200 || d.ResultText != "thanks " || head.Get("X-WebHook-Delivery") != d.ID.UUID() {
			t.Errorf("the log has %+v", d)
		}
	})
}

func TestRotateSecret_bothSignForADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		h, old := w.register(r.URL, "*")
		_, s, err := w.RotateSecret(t.Context(), w.main, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _ := outbound.ReadSecret(s)
		w.raise(w.main, "customer.created", "1")
		w.run()
		w.clock.Advance(rotationLife)
		w.raise(w.main, "customer.created", "1")
		w.run()
		for i, keys := range [][][]byte{{fresh, old}, {fresh}} {
			want := http.Header{}
			head := r.got[i].Header
			var at int64
			fmt.Sscan(head.Get("webhook-timestamp"), &at)
			outbound.Sign(want, keys, head.Get("webhook-id"), time.Unix(at, 0), r.bodies[i])
			for _, name := range []string{"X-WebHook-Signature", "Webhook-Signature"} {
				if head.Get(name) != want.Get(name) {
					t.Errorf("%d: %s is %s, want %s", i, name, head.Get(name), want.Get(name))
				}
			}
		}
	})
}

func TestDeliver_deadReceiverDelaysNoOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hang := make(chan struct{})
		entered := make(chan struct{}, 1)
		slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-hang
		}))
		defer slow.Close()
		defer close(hang)
		r := newReceiver(t)
		w.register(slow.URL, "*")
		good, _ := w.register(r.URL, "*")
		w.raise(w.main, "customer.created", "1")
		if err := w.relay.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.worker.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-entered // it hangs, and so does its lane
		w.raise(w.main, "customer.created", "1")
		if err := w.relay.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		for w.log(good)[0].Status != outbox.Delivered {
			if _, err := w.worker.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDeliver_disablesAfterAHundredFailuresOverAnHour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		r.status = 500
		h, _ := w.register(r.URL, "*")
		for i := range failuresMax {
			w.raise(w.main, "customer.created", fmt.Sprint(i))
		}
		w.run()
		if got := w.hook(h); got.Health() != Failing || got.ConsecutiveFailures != failuresMax {
			t.Fatalf("within the hour: %s after %d", got.Health(), got.ConsecutiveFailures)
		}
		w.clock.Advance(failingMin)
		w.raise(w.main, "customer.created", "last")
		w.run()
		if got := w.hook(h); got.Health() != Disabled {
			t.Fatalf("after the hour: %s", got.Health())
		}
		seen := len(r.got)
		w.clock.Advance(time.Hour)
		w.run()
		if len(r.got) != seen {
			t.Errorf("a disabled hook was sent %d requests", len(r.got)-seen)
		}
		all := w.log(h)
		if len(all) != failuresMax+1 || all[0].Status != outbox.Dead {
			t.Fatalf("%d are kept, the last as %s", len(all), all[0].Status)
		}
		r.status = 204
		if _, err := w.Update(t.Context(), w.main, h.ID, NewHook{Name: "h", URL: r.URL, EventTypes: []string{"*"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Redeliver(t.Context(), w.main, h.ID, all[0].ID); err != nil {
			t.Fatal(err)
		}
		w.run()
		if d := w.log(h)[0]; d.Status != outbox.Delivered || w.hook(h).Health() != Healthy {
			t.Errorf("redelivered: %s, the hook %s", d.Status, w.hook(h).Health())
		}
	})
}

func TestDeliver_followsNoRedirect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		r.status = 302
		h, _ := w.register(r.URL, "*")
		if _, err := w.Test(t.Context(), w.main, h.ID); err != nil {
			t.Fatal(err)
		}
		w.run()
		if d := w.log(h)[0]; len(r.got) != 1 || d.Status != outbox.Dead || d.ResultCode != 302 {
			t.Errorf("%d requests, %+v", len(r.got), d)
		}
	})
}

func TestDeliveries_showsDeadLettersAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		h, _ := w.register(r.URL, "*")
		for _, status := range []int{200, 404, 200} {
			r.status = status
			if _, err := w.Test(t.Context(), w.main, h.ID); err != nil {
				t.Fatal(err)
			}
			w.run()
		}
		dead, total, err := w.Deliveries(t.Context(), w.main, h.ID, true, 0, 10)
		if err != nil || total != 1 || len(dead) != 1 || dead[0].ResultCode != 404 {
			t.Errorf("got %d dead letters %+v, %v", total, dead, err)
		}
		if all := w.log(h); len(all) != 3 {
			t.Errorf("got %d deliveries, want 3", len(all))
		}
	})
}

// Whatever was registered while this machine could be named, the address is
// looked at again when a connection is made.
func TestDeliver_looksAtTheAddressWhenItConnects(t *testing.T) {
	r := newReceiver(t)
	address := strings.TrimPrefix(r.URL, "http://")
	_, err := outbound.NewClient(outbound.Public).Get("http://" + address)
	if err == nil || outbound.Reason(err) != "not sent: the address is not public" {
		t.Errorf("got %v", err)
	}
	if len(r.got) != 0 {
		t.Error("the request was sent")
	}
	if _, err := outbound.NewClient(outbound.Public).Get("https://localhost:8443/"); err == nil || outbound.Reason(err) != "not sent: the address is not public" {
		t.Errorf("localhost: got %v", err)
	}
}

func TestRegister_loopbackIsForSandboxesWhereItIsSwitchedOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := NewHook{Name: "h", URL: "http://127.0.0.1:9/", EventTypes: []string{"*"}}
		_, _, err := w.Register(t.Context(), w.live, in)
		wantFault(t, err, access.CodeInvalid)
		w.Loopback = false
		_, _, err = w.Register(t.Context(), w.main, in)
		wantFault(t, err, access.CodeInvalid)
	})
}

func TestHooks_belongToOneTenant(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		h, _ := w.register("https://hooks.example.com/", "*")
		d, err := w.Test(t.Context(), w.main, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		in := NewHook{Name: "h", URL: h.URL, EventTypes: []string{"*"}}
		_, err = w.Update(t.Context(), w.other, h.ID, in)
		wantFault(t, err, CodeNotFound)
		_, _, err = w.RotateSecret(t.Context(), w.other, h.ID)
		wantFault(t, err, CodeNotFound)
		wantFault(t, w.Unregister(t.Context(), w.other, h.ID), CodeNotFound)
		_, err = w.Test(t.Context(), w.other, h.ID)
		wantFault(t, err, CodeNotFound)
		_, _, err = w.Deliveries(t.Context(), w.other, h.ID, false, 0, 10)
		wantFault(t, err, CodeNotFound)
		_, err = w.Redeliver(t.Context(), w.other, h.ID, d.ID)
		wantFault(t, err, CodeNotFound)
		if all, err := w.Hooks(t.Context(), w.other, "", nil); len(all) != 0 || err != nil {
			t.Errorf("got %v, %v", all, err)
		}
		_, err = w.Redeliver(t.Context(), w.main, h.ID, id.New[Delivery](w.clock.Now()))
		wantFault(t, err, CodeDeliveryNotFound)
		in.ConcurrencyStamp = "old"
		_, err = w.Update(t.Context(), w.main, h.ID, in)
		wantFault(t, err, access.CodeConcurrency)
		if err := w.Unregister(t.Context(), w.main, h.ID); err != nil {
			t.Fatal(err)
		}
		w.run() // what waited is gone
	})
}

func TestDeliver_sendsWhatTheReceiverAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		in := NewHook{
			Name: "h", URL: r.URL, EventTypes: []string{"*"}, Headers: map[string]string{"X-Team": "cards"},
			Authentication: &Authentication{Type: Basic, UserName: "u", Password: secret.FromString("p")},
		}
		h, _, err := w.Register(t.Context(), w.main, in)
		if err != nil {
			t.Fatal(err)
		}
		in.Headers, in.Authentication = nil, nil
		if _, err := w.Update(t.Context(), w.main, h.ID, in); err != nil {
			t.Fatal(err)
		}
		w.raise(w.main, "customer.created", "1")
		w.run()
		user, password, _ := r.got[0].BasicAuth()
		if user != "u" || password != "p" || r.got[0].Header.Get("X-Team") != "cards" {
			t.Errorf("got %q %q %q", user, password, r.got[0].Header.Get("X-Team"))
		}
		for _, name := range []string{"Host", "content-length", "webhook-id", "X-WebHook-Signature", "a b", "X\r\nY", "Authorization"} {
			in.Headers = map[string]string{name: "x"}
			_, err := w.Update(t.Context(), w.main, h.ID, in)
			wantFault(t, err, access.CodeInvalid)
		}
	})
}

// Whoever may change a hook does not thereby learn what its receiver gave us.
func TestUpdate_secretsDoNotFollowToAnotherOrigin(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, elsewhere := newReceiver(t), newReceiver(t)
		in := NewHook{
			Name: "h", URL: r.URL, EventTypes: []string{"*"}, Headers: map[string]string{"X-Team": "cards"},
			Authentication: &Authentication{Type: Bearer, Token: secret.FromString("t0ken")},
		}
		h, signing, err := w.Register(t.Context(), w.main, in)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := outbound.ReadSecret(signing)
		members := func(in NewHook) (names []string) {
			_, err := w.Update(t.Context(), w.main, h.ID, in)
			if f, ok := fault.As(err); ok {
				for _, field := range f.Fields {
					names = append(names, field.Name)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			return names
		}
		kept := in
		kept.Headers, kept.Authentication = nil, nil
		kept.URL = r.URL + "/cards?v=2"
		if bad := members(kept); bad != nil {
			t.Errorf("another path of the same origin: refused for %v", bad)
		}
		kept.URL = elsewhere.URL
		if bad := members(kept); !slices.Equal(bad, []string{"authentication", "headers"}) {
			t.Errorf("another port with nothing given: refused for %v", bad)
		}
		kept.Headers = map[string]string{}
		if bad := members(kept); !slices.Equal(bad, []string{"authentication"}) {
			t.Errorf("another port without headers: refused for %v", bad)
		}
		w.raise(w.main, "customer.created", "1")
		w.run()
		if len(elsewhere.got) != 0 || len(r.got) != 1 || r.got[0].Header.Get("Authorization") != "Bearer t0ken" {
			t.Fatal("a refused update changed the hook")
		}
		kept.Authentication = &Authentication{Type: NoAuthentication}
		if bad := members(kept); bad != nil {
			t.Fatalf("another port with all given: refused for %v", bad)
		}
		w.raise(w.main, "customer.created", "2")
		w.run()
		if len(elsewhere.got) != 1 {
			t.Fatalf("%d requests came to the new origin, want 1", len(elsewhere.got))
		}
		head := elsewhere.got[0].Header
		if head.Get("Authorization") != "" || head.Get("X-Team") != "" {
			t.Error("the new origin sees what the former receiver gave us")
		}
		want := fmt.Sprintf("v1=%x", hmacOf(key, head.Get("X-WebHook-Timestamp"), elsewhere.bodies[0]))
		if head.Get("X-WebHook-Signature") != want {
			t.Error("the signing secret changed with the address")
		}
	})
}

func TestOriginOf_knowsDefaultPortsAndLetterCase(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"https://hooks.example.com/a", "https://HOOKS.example.com:443/b?c", true},
		{"https://hooks.example.com/", "https://hooks.example.com:8443/", false},
		{"https://hooks.example.com/", "https://hooks.example.com.evil.example/", false},
		{"http://127.0.0.1/", "https://127.0.0.1/", false},
		{"http://127.0.0.1/", "http://127.0.0.1:80/", true},
	} {
		if same := originOf(tt.a) == originOf(tt.b); same != tt.same {
			t.Errorf("%s and %s: one origin is %v", tt.a, tt.b, same)
		}
	}
}

func TestHooks_decideWhichEventsAreWorthWriting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wants := func(name string) bool {
			var all map[string]outbox.Interest
			tenant := w.main.Tenant.String()
			err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
				all, err = outbox.Interests(t.Context(), tx, []string{tenant, w.other.Tenant.String()})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(all[w.other.Tenant.String()]) > 0 {
				t.Error("another tenant wants events")
			}
			return all[tenant].Wants(name)
		}
		const name = "transaction.authorized"
		if wants(name) {
			t.Error("wanted without a hook")
		}
		h, _ := w.register("https://example.com/h", "transaction.*")
		if !wants(name) || wants("card.created") {
			t.Error("what the hook asks for is not what is wanted")
		}
		off := false
		in := NewHook{Name: "h", URL: "https://example.com/h", EventTypes: []string{"transaction.*"}, IsActive: &off}
		if _, err := w.Update(t.Context(), w.main, h.ID, in); err != nil {
			t.Fatal(err)
		}
		if wants(name) {
			t.Error("wanted by a hook that is not active")
		}
		h, _ = w.register("https://example.com/all", "*")
		if !wants(name) {
			t.Error("not wanted by a hook that wants everything")
		}
		if err := w.Unregister(t.Context(), w.main, h.ID); err != nil {
			t.Fatal(err)
		}
		if wants(name) {
			t.Error("wanted by a hook that is gone")
		}
	})
}

// bareEncoder makes bodies of a family whose contract knows no envelope.
type bareEncoder struct{}

// EncodeEvent implements Encoder.
func (bareEncoder) EncodeEvent(m outbox.Message) (Content, error) {
	return Content{Bare: true, Data: json.RawMessage(m.Payload)}, nil
}

func TestDeliver_leavesTheEnvelopeAwayForWhoKnowsNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Encoder = bareEncoder{}
		bare, all := newReceiver(t), newReceiver(t)
		w.register(bare.URL, "wallet.*")
		w.register(all.URL, "*")
		w.raise(w.main, "wallet.topup-completed", "K")
		w.run()
		if got := bare.bodies; len(got) != 1 || string(got[0]) != `{"a":1}` {
			t.Errorf("who asks for wallets alone got %q", got)
		}
		if got := bytes.Join(all.bodies, nil); !bytes.Contains(got, []byte(`"eventType":"wallet.topup-completed"`)) || !bytes.Contains(got, []byte(`"data":{"a":1}`)) {
			t.Errorf("who asks for all got %q", got)
		}
	})
}
