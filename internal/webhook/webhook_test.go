package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
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
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// world is a service that may talk to this machine, with three tenants.
type world struct {
	*Service
	t                 *testing.T
	clock             *clock.Fake
	main, other, live access.Caller
	workers           []*outbox.Worker
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
		w.workers = w.Workers()
		f(t, w)
	})
}

func (w *world) run() {
	w.t.Helper()
	for _, k := range w.workers {
		if err := k.RunOnce(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) raise(c access.Caller, name, key string) {
	w.t.Helper()
	err := w.DB.InTx(w.t.Context(), func(tx db.Tx) error {
		return outbox.Add(w.t.Context(), tx, outbox.Event{
			Tenant: c.Tenant.String(), Name: name, Key: key, Payload: []byte(`{"a":1}`), At: w.clock.Now(), CorrelationID: "trace",
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
	key, ok := readSecret(s)
	if !ok {
		w.t.Fatal("the secret shown is malformed")
	}
	return h, key
}

func (w *world) log(h Hook) []Delivery {
	w.t.Helper()
	all, _, err := w.Deliveries(w.t.Context(), w.main, h.ID, 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) hook(h Hook) Hook {
	w.t.Helper()
	all, err := w.Hooks(w.t.Context(), w.main, nil)
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
		if got, want := head.Get("X-WebHook-Signature"), fmt.Sprintf("v1=%x", mac(key, at, r.bodies[0])); got != want {
			t.Errorf("X-WebHook-Signature: got %s, want %s", got, want)
		}
		want := "v1," + base64.StdEncoding.EncodeToString(mac(key, e.EventID+"."+at, r.bodies[0]))
		if got := head.Get("webhook-signature"); got != want || head.Get("webhook-id") != e.EventID || head.Get("webhook-timestamp") != at {
			t.Errorf("webhook-signature: got %s, want %s", got, want)
		}
		d := w.log(h)[0]
		if d.Status != outbox.Delivered || d.ResultCode != 200 || d.ResultText != "thanks " || head.Get("X-WebHook-Delivery") != d.ID.UUID() {
			t.Errorf("the log has %+v", d)
		}
	})
}

// The example of the Standard Webhooks specification's reference libraries.
func TestSign_agreesWithStandardWebhooks(t *testing.T) {
	key, ok := readSecret(secret.FromString("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	if !ok {
		t.Fatal("the secret was refused")
	}
	h := http.Header{}
	sign(h, [][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got, want := h.Get("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRotateSecret_bothSignForADay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t)
		h, old := w.register(r.URL, "*")
		_, s, err := w.RotateSecret(t.Context(), w.main, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _ := readSecret(s)
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
			sign(want, keys, head.Get("webhook-id"), time.Unix(at, 0), r.bodies[i])
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
		if err := w.workers[0].RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.workers[1].Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-entered // it hangs, and so does its lane
		w.raise(w.main, "customer.created", "1")
		if err := w.workers[0].RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		for w.log(good)[0].Status != outbox.Delivered {
			if _, err := w.workers[1].Start(t.Context()); err != nil {
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

// Whatever was registered while this machine could be named, the address is
// looked at again when a connection is made.
func TestDeliver_looksAtTheAddressWhenItConnects(t *testing.T) {
	r := newReceiver(t)
	address := strings.TrimPrefix(r.URL, "http://")
	_, err := NewClient(false).Get("http://" + address)
	if err == nil || reasonOf(err) != "not sent: the address is not public" {
		t.Errorf("got %v", err)
	}
	if len(r.got) != 0 {
		t.Error("the request was sent")
	}
	if _, err := NewClient(false).Get("https://localhost:8443/"); err == nil || reasonOf(err) != "not sent: the address is not public" {
		t.Errorf("localhost: got %v", err)
	}
}

func TestGuard_knowsTheAddressesThatAreNotPublic(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
		"0.1.2.3", "100.64.0.1", "100.127.255.255", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
		"::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a9fe:a9fe::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if Guard(netip.MustParseAddr(text)) == nil {
			t.Errorf("%s passes", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"} {
		if err := Guard(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if Guard(netip.Addr{}) == nil {
		t.Error("no address passes")
	}
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "8.8.8.8:8443": true, "8.8.8.8:80": false, "8.8.8.8:5432": false, "10.0.0.1:443": false,
		"[::1]:443": false, "nonsense": false,
	} {
		if got := guardDial(address, false) == nil; got != want {
			t.Errorf("%s: got %t", address, got)
		}
	}
	if guardDial("127.0.0.1:5432", true) != nil || guardDial("10.0.0.1:443", true) == nil {
		t.Error("loopback opens this machine and nothing else")
	}
}

func TestCheckURL_takesPublicHTTPSOnly(t *testing.T) {
	for text, want := range map[string]bool{
		"https://hooks.example.com/a?b=1": true, "https://hooks.example.com:8443": true, "https://8.8.8.8/": true,
		"http://hooks.example.com": false, "https://hooks.example.com:80": false, "https://u:p@hooks.example.com": false,
		"https://hooks.example.com/#a": false, "https://localhost/": false, "https://127.0.0.1/": false, "https://[::1]/": false,
		"https://10.1.2.3": false, "https://intranet/": false, "https://h\u00f6oks.example.com": false, "https:hooks": false, "": false,
		"ftp://hooks.example.com": false, "https://[::ffff:10.0.0.1]/": false, "https://[fe80::1%25eth0]/": false,
	} {
		if got := checkURL(text, false) == ""; got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
	if checkURL("http://127.0.0.1:9999/x", true) != "" || checkURL("http://10.0.0.1:9999/x", true) == "" {
		t.Error("loopback opens this machine and nothing else")
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
		_, _, err = w.Deliveries(t.Context(), w.other, h.ID, 0, 10)
		wantFault(t, err, CodeNotFound)
		_, err = w.Redeliver(t.Context(), w.other, h.ID, d.ID)
		wantFault(t, err, CodeNotFound)
		if all, err := w.Hooks(t.Context(), w.other, nil); len(all) != 0 || err != nil {
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

func TestExcerpt_showsNoCardNumber(t *testing.T) {
	if got := excerpt("you sent 4111 1111 1111 1111"); strings.Contains(got, "4111") {
		t.Errorf("got %q", got)
	}
	if got := excerpt(strings.Repeat("x", 300)); len(got) != excerptMax {
		t.Errorf("got %d characters", len(got))
	}
}
