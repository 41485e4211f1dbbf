package notification

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// world is a service with a gateway on this machine, and a tenant of each kind.
type world struct {
	*Service
	t         *testing.T
	clock     *clock.Fake
	hsm       *soft.Backend
	box, live access.Caller
	who       Recipient
	workers   []*outbox.Worker

	mu     sync.Mutex
	status int
	got    []*http.Request
	bodies []string
}

// Recipient implements Recipients: everything is about one customer.
func (w *world) Recipient(_ context.Context, _ db.Tx, _ access.TenantID, n Notice) (Recipient, bool, error) {
	r := w.who
	if n.Phone != nil {
		r.Phone = string(n.Phone)
	}
	return r, n.Card != "gone", nil
}

var secretKey = bytes.Repeat([]byte{5}, 32)

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		backend, err := soft.New(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = backend.Close() })
		c := clock.NewFake(time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC))
		w := &world{Service: New(d, backend, c, slog.New(slog.DiscardHandler)), t: t, clock: c, hsm: backend, status: 200}
		w.Recipients = w
		w.who = Recipient{
			CustomerNo: "1001", CardToken: "979206abcdef0017", ProductCode: "GOLD", Language: "en", Phone: "+905321234567",
			Email: "ada@example.com", WantsSMS: true, WantsEmail: true, Values: map[string]string{"lastFour": "0017"},
		}
		server := httptest.NewServer(http.HandlerFunc(w.receive))
		t.Cleanup(server.Close)
		for _, g := range []**Gateway{&w.SMS, &w.Email} {
			*g = &Gateway{URL: server.URL, Secret: secretKey, Timeout: time.Second, Anywhere: true}
			if err := (*g).Check(); err != nil {
				t.Fatal(err)
			}
		}
		for i, to := range []*access.Caller{&w.box, &w.live} {
			tenant, _, err := access.New(d, backend, c).CreateTenant(t.Context(), access.NewTenant{Name: "Bank", Sandbox: i == 0})
			if err != nil {
				t.Fatal(err)
			}
			*to = access.System(tenant)
		}
		w.workers = w.Workers()
		f(t, w)
	})
}

func (w *world) receive(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got, w.bodies = append(w.got, in), append(w.bodies, string(body))
	out.WriteHeader(w.status)
	_, _ = io.WriteString(out, "echo "+string(body))
}

func (w *world) tell(c access.Caller, n Notice) {
	w.t.Helper()
	err := w.DB.InTx(w.t.Context(), func(tx db.Tx) error {
		return Tell(w.t.Context(), tx, c.Tenant, "9000000000000017", n, clock.RealNow(w.clock))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run()
}

func (w *world) run() {
	w.t.Helper()
	for _, k := range w.workers {
		if err := k.RunOnce(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) inbox() []Message {
	w.t.Helper()
	page, total, err := w.Inbox(w.t.Context(), w.box, InboxQuery{Limit: 100})
	if err != nil || total != len(page) {
		w.t.Fatalf("%d of %d: %v", len(page), total, err)
	}
	return page
}

// stored are the rows of a tenant, newest first.
func (w *world) stored(c access.Caller) (all []Message) {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx db.Tx) (err error) {
		all, err = db.Collect(w.t.Context(), tx, scanMessage, `SELECT `+messageColumns+` FROM notification WHERE tenant_id = $1 ORDER BY id DESC`, c.Tenant)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestTell_aSandboxReadsItsInbox(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tell(w.box, Notice{Event: PINChanged})
		w.clock.Advance(time.Second)
		w.who.Language = "tr"
		w.tell(w.box, Notice{Event: CardStatusChanged, Values: map[string]string{"status": "aktif"}})
		w.tell(w.box, Notice{Event: PINChanged, Card: "gone"})
		got := w.inbox()
		if len(got) != 4 {
			t.Fatalf("%d messages, want an SMS and an e-mail of each of two events", len(got))
		}
		if !strings.Contains(got[0].Content.Text, "Bank: 0017 ile biten kartınızın durumu: aktif") {
			t.Errorf("newest: %q", got[0].Content.Text)
		}
		if want := "Bank: the PIN of your card ending in 0017 was changed."; !strings.HasPrefix(got[3].Content.Text, want) {
			t.Errorf("oldest: %q", got[3].Content.Text)
		}
		sms, total, err := w.Inbox(t.Context(), w.box, InboxQuery{Channel: SMS, Limit: 1, Skip: 1, CustomerNo: "1001"})
		if err != nil || total != 2 || len(sms) != 1 || sms[0].Event != PINChanged || sms[0].Content.To != "+905321234567" {
			t.Errorf("second SMS: %v of %d: %v", sms, total, err)
		}
		if none, total, _ := w.Inbox(t.Context(), w.live, InboxQuery{Limit: 9}); len(none)+total != 0 {
			t.Error("a production tenant has an inbox")
		}
		if len(w.got) != 0 {
			t.Error("a message of a sandbox went to the gateway")
		}
	})
}

func TestDeliver_signsAndErases(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.who.WantsEmail = false
		w.tell(w.live, Notice{Event: PINChanged})
		if len(w.bodies) != 1 {
			t.Fatalf("%d requests", len(w.bodies))
		}
		var body map[string]string
		if err := json.Unmarshal([]byte(w.bodies[0]), &body); err != nil {
			t.Fatal(err)
		}
		if body["to"] != "+905321234567" || !strings.Contains(body["text"], "0017") || body["channel"] != "Sms" {
			t.Errorf("got %v", body)
		}
		head := w.got[0].Header
		m := hmac.New(sha256.New, secretKey)
		fmt.Fprintf(m, "%d.%s", w.clock.Now().Unix(), w.bodies[0])
		if want := fmt.Sprintf("v1=%x", m.Sum(nil)); head.Get("X-WebHook-Signature") != want || head.Get("X-WebHook-Id") != body["reference"] {
			t.Errorf("signature %q, want %q", head.Get("X-WebHook-Signature"), want)
		}
		got := w.stored(w.live)[0]
		if got.Status != Sent || len(got.sealed) != 0 || got.ResultCode != 200 || strings.Contains(got.ResultText, "532") {
			t.Errorf("stored as %+v with %d bytes", got, len(got.sealed))
		}
	})
}

func TestDeliver_isTriedAgainThenGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.who.WantsEmail = false
		w.status = 503
		w.tell(w.live, Notice{Event: PINChanged})
		if got := w.stored(w.live)[0]; got.Status != Waiting || len(got.sealed) == 0 {
			t.Fatalf("after one failure: %s", got.Status)
		}
		for range messageRetries + 2 {
			w.clock.Advance(6 * time.Hour)
			w.run()
		}
		got := w.stored(w.live)[0]
		if got.Status != Dead || got.ResultCode != 503 || len(w.got) != messageRetries+1 {
			t.Errorf("%s with %d after %d tries", got.Status, got.ResultCode, len(w.got))
		}
		w.clock.Advance(keepLife + time.Hour)
		if n, err := w.Sweep(t.Context()); n != 1 || err != nil {
			t.Errorf("swept %d: %v", n, err)
		}
	})
}

func TestTell_anAddressMayBeginWithAnyLetter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.who.Phone, w.who.Email = "", "şule@example.com"
		w.tell(w.live, Notice{Event: PINChanged})
		if got := w.stored(w.live); len(got) != 1 || got[0].Recipient != "ş***@example.com" {
			t.Errorf("stored %+v", got)
		}
	})
}

func TestRetry_givesWhatWasGivenUpAnotherLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.who.WantsEmail = false
		w.status = 503
		w.tell(w.live, Notice{Event: PINChanged})
		w.clock.Advance(time.Millisecond)
		w.sendPIN(w.live, PINMessage{JWE: "cipher.text"})
		for range messageRetries + 2 {
			w.clock.Advance(6 * time.Hour)
			w.run()
		}
		w.tell(w.live, Notice{Event: PINBlocked})
		all, total, err := w.Unsent(t.Context(), UnsentQuery{Limit: 9})
		if err != nil || total != 3 || len(all) != 3 || all[0].Event != PINChanged || all[0].Content.To != "" || all[0].Recipient != "+90*******567" {
			t.Fatalf("unsent are %d: %+v (%v)", total, all, err)
		}
		other, _, err := w.Unsent(t.Context(), UnsentQuery{Tenant: w.box.Tenant, Limit: 9})
		dead, n, also := w.Unsent(t.Context(), UnsentQuery{Tenant: w.live.Tenant, Status: Dead, Skip: 1, Limit: 9})
		if err != nil || also != nil || len(other) != 0 || n != 2 || len(dead) != 1 || !dead[0].IsPIN {
			t.Fatalf("dead are %d: %+v (%v, %v)", n, dead, err, also)
		}
		w.status = 200
		before := len(w.got)
		for _, try := range []struct {
			c    access.Caller
			m    Message
			want error
		}{
			{w.live, all[0], nil}, {w.live, all[2], nil}, {w.live, all[1], ErrErased}, {w.box, all[0], ErrUnknown},
		} {
			if err := w.Retry(t.Context(), try.c, try.m.ID); !errors.Is(err, try.want) {
				t.Errorf("%s: got %v, want %v", try.m.Event, err, try.want)
			}
		}
		w.run() // no time has passed
		if len(w.got) != before+2 {
			t.Errorf("%d requests, want 2", len(w.got)-before)
		}
		if err := w.Retry(t.Context(), w.live, all[0].ID); !errors.Is(err, ErrEnded) {
			t.Errorf("once sent: %v", err)
		}
		if _, total, _ := w.Unsent(t.Context(), UnsentQuery{Limit: 9}); total != 1 {
			t.Errorf("%d are left, want the PIN only", total)
		}
	})
}

func TestRetryDead_triesAllThatCanBe(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.status = 500
		for range 3 {
			w.tell(w.live, Notice{Event: PINChanged})
		}
		w.sendPIN(w.live, PINMessage{JWE: "cipher.text"})
		for range messageRetries + 2 {
			w.clock.Advance(6 * time.Hour)
			w.run()
		}
		gateway := w.SMS
		w.SMS = nil
		if n, err := w.RetryDead(t.Context(), w.live); n > 3 || !errors.Is(err, ErrNobody) {
			t.Errorf("without a gateway: %d, %v", n, err)
		}
		w.SMS, w.status = gateway, 200
		if _, err := w.RetryDead(t.Context(), w.live); err != nil {
			t.Fatal(err)
		}
		w.run()
		for _, m := range w.stored(w.live) {
			if m.Status != Sent && !m.IsPIN {
				t.Errorf("%s of %s is %s", m.Channel, m.Event, m.Status)
			}
		}
	})
}

// Between the look for messages and the try, somebody may send or remove one.
func TestRetryDead_passesOverWhatSomebodyElseSent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.who.WantsEmail, w.status = false, 500
		for range 3 {
			w.clock.Advance(time.Millisecond)
			w.tell(w.live, Notice{Event: PINChanged})
		}
		for range messageRetries + 2 {
			w.clock.Advance(6 * time.Hour)
			w.run()
		}
		all := w.stored(w.live)
		w.status = 200
		if err := w.Retry(t.Context(), w.live, all[0].ID); err != nil {
			t.Fatal(err)
		}
		w.run()
		page := []id.ID[Message]{all[0].ID, id.New[Message](w.clock.Now()), all[1].ID, all[2].ID}
		if n, err := w.retryAll(t.Context(), w.live, page); n != 2 || err != nil {
			t.Errorf("%d are tried again, want 2 (%v)", n, err)
		}
		w.run()
		for _, m := range w.stored(w.live) {
			if m.Status != Sent {
				t.Errorf("%s is %s", m.ID, m.Status)
			}
		}
	})
}

func (w *world) sendPIN(c access.Caller, m PINMessage) id.ID[Message] {
	w.t.Helper()
	m.ID = id.New[Message](w.clock.Now())
	m.CustomerNo, m.CardToken, m.Phone = "1001", w.who.CardToken, "+905321234567"
	m.On = clock.DateOf(w.clock.Now(), time.UTC)
	err := w.DB.InTx(w.t.Context(), func(tx db.Tx) error { return w.SendPIN(w.t.Context(), tx, c, m, clock.RealNow(w.clock)) })
	if err != nil {
		w.t.Fatal(err)
	}
	return m.ID
}

func TestSendPIN_isErasedAlsoWhenItIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		today := clock.DateOf(w.clock.Now(), time.UTC)
		w.sendPIN(w.live, PINMessage{JWE: "cipher.text"})
		w.run()
		if want := `"jwe":"cipher.text"`; len(w.bodies) != 1 || !strings.Contains(w.bodies[0], want) || strings.Contains(w.bodies[0], `"text"`) {
			t.Fatalf("the gateway got %v", w.bodies)
		}
		w.status = 500
		w.sendPIN(w.live, PINMessage{JWE: "cipher.text"})
		for range pinRetries + 2 {
			w.run()
			w.clock.Advance(10 * time.Minute)
		}
		for _, m := range w.stored(w.live) {
			if len(m.sealed) != 0 || m.Status == Waiting {
				t.Errorf("%s keeps %d bytes", m.Status, len(m.sealed))
			}
		}
		err := w.DB.View(t.Context(), func(tx db.Tx) error {
			n, err := CountPINs(t.Context(), tx, w.live.Tenant, w.who.CardToken, today)
			if err != nil || n != 2 {
				t.Errorf("counted %d, %v", n, err)
			}
			if n, err = CountPINs(t.Context(), tx, w.live.Tenant, w.who.CardToken, today.AddDays(1)); n != 0 {
				t.Errorf("counted %d of the next day", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestSendPIN_aSandboxReadsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		now := w.clock.Now()
		m := PINMessage{ID: id.New[Message](now), CustomerNo: "1001", CardToken: "t", Phone: "+905321234567"}
		// What the HSM seals for a sandbox.
		sealed, err := w.hsm.Seal(ctx, w.box.Tenant.String(), hsm.InboxPurpose, []byte("PIN 2580"), InboxPlace(w.box.Tenant, m.ID))
		if err != nil {
			t.Fatal(err)
		}
		m.Inbox = sealed
		if err := w.DB.InTx(ctx, func(tx db.Tx) error { return w.SendPIN(ctx, tx, w.box, m, clock.RealAt(now)) }); err != nil {
			t.Fatal(err)
		}
		if got := w.inbox(); len(got) != 1 || got[0].Content.Text != "PIN 2580" || !got[0].IsPIN {
			t.Errorf("got %v", got)
		}
	})
}

func TestChannels_securityIsToldAgainstTheWish(t *testing.T) {
	phone := Recipient{Phone: "+905321234567", Email: "a@b.c"}
	mail := Recipient{Email: "a@b.c"}
	wants := Recipient{Phone: "+905321234567", Email: "a@b.c", WantsSMS: true, WantsEmail: true}
	for _, tt := range []struct {
		event string
		r     Recipient
		old   bool
		want  []Channel
	}{
		{CardCreated, phone, false, nil},
		{CardCreated, wants, false, []Channel{SMS, Email}},
		{PINChanged, phone, false, []Channel{SMS}},
		{PINChanged, mail, false, []Channel{Email}},
		{CardPhoneChanged, wants, true, []Channel{SMS}},
		{PINChanged, Recipient{}, false, nil},
		{ControlAlert, phone, false, nil},
		{FeeUpcoming, phone, false, nil},
		{FeeUpcoming, wants, false, []Channel{SMS, Email}},
	} {
		if got := channels(Notice{Event: tt.event, PhoneOnly: tt.old}, tt.r); !slices.Equal(got, tt.want) {
			t.Errorf("%s to %+v: %v, want %v", tt.event, tt.r, got, tt.want)
		}
	}
}

func TestText_prefersTheMostSpecific(t *testing.T) {
	r := Recipient{ProductCode: "GOLD", Language: "tr", Values: map[string]string{"lastFour": "0017"}}
	for _, step := range []struct{ key, want string }{
		{"card.pin-changed", "own 0017"}, {"card.pin-changed/tr", "own tr 0017"},
		{"card.pin-changed/GOLD", "own gold 0017"}, {"card.pin-changed/GOLD/tr", "own gold tr 0017"},
	} {
		if r.Templates == nil {
			r.Templates = map[string]string{}
		}
		r.Templates[step.key] = strings.Replace(step.want, "0017", "{lastFour}", 1)
		if got := Text(PINChanged, r, nil); got != step.want {
			t.Errorf("with %s: %q", step.key, got)
		}
	}
}

func TestText_everyEventHasOneInBothLanguages(t *testing.T) {
	for _, event := range Events() {
		for _, language := range []string{"tr", "en"} {
			text := Text(event, Recipient{Language: language}, nil)
			if text == "" || CheckTemplate(event, text) != "" {
				t.Errorf("%s in %s: %q", event, language, text)
			}
		}
	}
}

func TestCheckTemplate_thePINHasItsPlaceOnce(t *testing.T) {
	for key, text := range map[string]string{
		"card.unknown": "x", "card.pin-sent": "none", "card.pin-sent/tr": "{pin} {pin}", "card.pin-changed": "{pin}", "card.pin-changed/a/b/c": "x",
	} {
		if CheckTemplate(key, text) == "" {
			t.Errorf("%s: %q passes", key, text)
		}
	}
	if wrong := CheckTemplate("card.pin-sent/GOLD/en", "{pin}"); wrong != "" {
		t.Error(wrong)
	}
}

func TestGateway_writesValuesIntoItsBody(t *testing.T) {
	m := Message{Channel: SMS, Content: Content{To: "+90&", Text: "a \"b\" <c> {to}"}}
	for kind, want := range map[string]string{
		"application/json":                  `{"to":"+90\u0026","text":"a \"b\" \u003cc\u003e {to}"}`,
		"application/x-www-form-urlencoded": "to=%2B90%26&text=a+%22b%22+%3Cc%3E+%7Bto%7D",
		"text/xml; charset=utf-8":           "<m to=\"+90&amp;\">a &#34;b&#34; &lt;c&gt; {to}</m>",
	} {
		body := map[string]string{
			"application/json": `{"to":"{to}","text":"{text}"}`, "application/x-www-form-urlencoded": "to={to}&text={text}",
			"text/xml; charset=utf-8": `<m to="{to}">{text}</m>`,
		}[kind]
		g := &Gateway{URL: "https://gateway.example.com/", Secret: secretKey, Body: body, Headers: http.Header{"Content-Type": {kind}}}
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		if got := g.body(m); got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
	}
}

func TestGateway_isCheckedAtTheStart(t *testing.T) {
	for name, change := range map[string]func(*Gateway){
		"no TLS":            func(g *Gateway) { g.URL = "http://gateway.example.com/" },
		"our own network":   func(g *Gateway) { g.URL = "https://10.0.0.1/" },
		"no secret":         func(g *Gateway) { g.Secret = nil },
		"a body without to": func(g *Gateway) { g.Body = "{text}" },
		"plain text":        func(g *Gateway) { g.Headers = http.Header{"Content-Type": {"text/plain"}} },
	} {
		g := &Gateway{URL: "https://gateway.example.com/", Secret: secretKey}
		if change(g); g.Check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestChannels_aNoticeMayChooseAmongThem(t *testing.T) {
	wants := Recipient{Phone: "+905321234567", Email: "a@b.c", WantsSMS: true, WantsEmail: true}
	for _, only := range []Channel{SMS, Email} {
		if got := channels(Notice{Event: ControlAlert, Channels: []Channel{only}}, wants); !slices.Equal(got, []Channel{only}) {
			t.Errorf("only %s: %v", only, got)
		}
	}
}
