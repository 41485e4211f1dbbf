package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// customer is told everything, and has a card of the product GOLD.
type customer struct{}

// Recipient implements notification.Recipients.
func (customer) Recipient(context.Context, db.Tx, access.TenantID, notification.Notice) (notification.Recipient, bool, error) {
	return notification.Recipient{
		CustomerNo: "1001", CardToken: "979206abcdef0017", ProductCode: "GOLD", Language: "en", Phone: "+905321234567",
		Email: "ada@example.com", WantsSMS: true, WantsEmail: true, Values: map[string]string{"lastFour": "0017"},
	}, true, nil
}

// messages is a world whose tenants tell their customers.
type messages struct {
	*world
	notices *notification.Service
	workers []*outbox.Worker
	gateway *receiver
}

func eachWithMessages(t *testing.T, f func(t *testing.T, w *messages)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		m := &messages{world: w, gateway: newReceiver(t)}
		m.notices = notification.New(w.DB, w.Seal, w.clock, slog.New(slog.DiscardHandler))
		m.notices.Recipients, m.notices.Hooks, w.Messages = customer{}, w.Service, m.notices
		for _, g := range []**notification.Gateway{&m.notices.SMS, &m.notices.Email} {
			*g = &notification.Gateway{URL: m.gateway.URL, Secret: bytes.Repeat([]byte{5}, 32), Timeout: time.Second, Anywhere: true}
			if err := (*g).Check(); err != nil {
				t.Fatal(err)
			}
		}
		m.workers = append(m.notices.Workers(), w.worker)
		f(t, m)
	})
}

func (m *messages) send() {
	m.t.Helper()
	for range 2 { // what finds another way in the last is sent in the first
		for _, k := range m.workers {
			if err := k.RunOnce(m.t.Context()); err != nil {
				m.t.Fatal(err)
			}
		}
	}
}

func (m *messages) tell(c access.Caller) {
	m.t.Helper()
	err := m.DB.InTx(m.t.Context(), func(tx db.Tx) error {
		return notification.Tell(m.t.Context(), tx, c.Tenant, "9000000000000017", notification.Notice{Event: notification.PINChanged}, clock.RealNow(m.clock))
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.send()
}

func (m *messages) hookOf(c access.Caller, in NewHook) (Hook, []byte) {
	m.t.Helper()
	in.Name = "messages"
	h, s, err := m.Register(m.t.Context(), c, in)
	if err != nil {
		m.t.Fatal(err)
	}
	key, _ := outbound.ReadSecret(s)
	return h, key
}

// silent is the address of a hook of a production tenant, which cannot name this
// machine. It never answers.
const silent = "https://sms.example.invalid/"

// rows is what is on record of the messages of a tenant: "channel status" each.
func (m *messages) rows(c access.Caller) (all []string) {
	m.t.Helper()
	err := m.DB.View(m.t.Context(), func(tx db.Tx) (err error) {
		all, err = db.Collect(m.t.Context(), tx, func(row db.Scanner) (string, error) {
			var channel, status string
			var sealed []byte
			err := row.Scan(&channel, &status, &sealed)
			return fmt.Sprint(channel, " ", status, " ", len(sealed) > 0), err
		}, `SELECT channel, status, sealed FROM notification WHERE tenant_id = $1 ORDER BY channel DESC`, c.Tenant)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return all
}

func TestMessages_goToTheHookOfTheirChannel(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		r := newReceiver(t)
		h, key := m.hookOf(m.main, NewHook{Type: TypeSMS, URL: r.URL})
		m.tell(m.main)
		if len(r.bodies) != 1 {
			t.Fatalf("the hook got %d requests, want the SMS only", len(r.bodies))
		}
		var e struct {
			envelope
			Data messageToSend `json:"data"`
		}
		if err := json.Unmarshal(r.bodies[0], &e); err != nil {
			t.Fatal(err)
		}
		if e.EventType != "sms.request" || e.CustomerNo != "1001" || e.CardToken != "979206abcdef0017" || e.Data.Channel != "Sms" ||
			e.Data.Event != "card.pin-changed" || e.Data.To != "+905321234567" || !strings.Contains(e.Data.Text, "0017") {
			t.Errorf("got %s", r.bodies[0])
		}
		head := r.got[0].Header
		if got, want := head.Get("X-WebHook-Signature"), fmt.Sprintf("v1=%x", hmacOf(key, fmt.Sprint(m.clock.Now().Unix()), r.bodies[0])); got != want {
			t.Errorf("signature %s, want %s", got, want)
		}
		d := m.log(h)[0]
		if d.Status != outbox.Delivered || d.ResultText != "OK" || bytes.Contains(d.Payload, []byte("532")) {
			t.Errorf("the log has %+v", d)
		}
		// A sandbox's inbox has it, too.
		inbox, _, err := m.notices.Inbox(t.Context(), m.main, notification.InboxQuery{Limit: 9})
		if err != nil || len(inbox) != 2 || inbox[0].Content.Text == "" {
			t.Errorf("the inbox has %d messages (%v)", len(inbox), err)
		}
		if _, err := m.Redeliver(t.Context(), m.main, h.ID, d.ID); err != nil {
			t.Fatal(err)
		}
		m.send()
		if len(r.bodies) != 2 || !bytes.Equal(r.bodies[0], r.bodies[1]) || r.got[1].Header.Get("X-WebHook-Id") != head.Get("X-WebHook-Id") {
			t.Errorf("again: %d requests", len(r.bodies))
		}
		if len(m.gateway.got) != 0 {
			t.Error("a message of a sandbox went to the gateway")
		}
	})
}

func TestMessages_ofProductionLeaveTheGatewayAlone(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		no := 0
		m.hookOf(m.live, NewHook{Type: TypeSMS, URL: silent, Timeout: timeoutMin, RetriesMax: &no})
		m.tell(m.live)
		if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Dead true Email Sent false]"; got != want {
			t.Errorf("the record has %s, want %s", got, want)
		}
		if len(m.gateway.bodies) != 1 || !bytes.Contains(m.gateway.bodies[0], []byte("ada@example.com")) {
			t.Errorf("the gateway got %s, want the e-mail only", m.gateway.bodies)
		}
	})
}

func TestMessages_findAnotherWayWhenTheirHookGoes(t *testing.T) {
	for _, how := range []string{"switched off", "removed"} {
		t.Run(how, func(t *testing.T) {
			eachWithMessages(t, func(t *testing.T, m *messages) {
				in := NewHook{Type: TypeSMS, Name: "messages", URL: silent, Timeout: timeoutMin}
				h, _ := m.hookOf(m.live, in)
				m.tell(m.live)
				if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Waiting true Email Sent false]"; got != want {
					t.Fatalf("the record has %s, want %s", got, want)
				}
				var err error
				if off := false; how == "removed" {
					err = m.Unregister(t.Context(), m.live, h.ID)
				} else {
					in.IsActive = &off
					_, err = m.Update(t.Context(), m.live, h.ID, in)
				}
				if err != nil {
					t.Fatal(err)
				}
				m.send()
				if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Sent false Email Sent false]"; got != want {
					t.Errorf("the record has %s, want %s", got, want)
				}
				if len(m.gateway.bodies) != 2 {
					t.Errorf("the gateway got %d messages, want 2", len(m.gateway.bodies))
				}
			})
		})
	}
}

func TestRedeliver_tellsNobodyTwice(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		none := 0
		in := NewHook{Type: TypeSMS, Name: "messages", URL: silent, Timeout: timeoutMin, RetriesMax: &none}
		h, _ := m.hookOf(m.live, in)
		m.tell(m.live)
		dead, _, err := m.Deliveries(t.Context(), m.live, h.ID, true, 0, 9)
		if err != nil || len(dead) != 1 {
			t.Fatalf("%d deliveries are dead (%v)", len(dead), err)
		}
		if _, err := m.Redeliver(t.Context(), m.live, h.ID, dead[0].ID); err != nil {
			t.Fatal("what was given up cannot be delivered again:", err)
		}
		if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Waiting true Email Sent false]"; got != want {
			t.Errorf("the record has %s, want %s", got, want)
		}
		on, off := true, false
		in.IsActive = &off
		if _, err := m.Update(t.Context(), m.live, h.ID, in); err != nil {
			t.Fatal(err)
		}
		m.send() // it goes to the gateway
		if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Sent false Email Sent false]"; got != want {
			t.Errorf("the record has %s, want %s", got, want)
		}
		in.IsActive = &on
		if _, err := m.Update(t.Context(), m.live, h.ID, in); err != nil {
			t.Fatal(err)
		}
		_, err = m.Redeliver(t.Context(), m.live, h.ID, dead[0].ID)
		wantFault(t, err, CodeMessageSent)
		if still, _, _ := m.Deliveries(t.Context(), m.live, h.ID, true, 0, 9); len(still) != 1 {
			t.Error("a refused delivery waits again")
		}
	})
}

// A hook may be switched on or off while a message is on its way to it.
func TestMessages_surviveAHookThatIsSwitchedMeanwhile(t *testing.T) {
	for _, was := range []bool{false, true} {
		t.Run(fmt.Sprint("active ", was), func(t *testing.T) {
			eachWithMessages(t, func(t *testing.T, m *messages) {
				in := NewHook{Type: TypeSMS, Name: "messages", URL: silent, Timeout: timeoutMin}
				h, _ := m.hookOf(m.live, in)
				set := func(active bool) {
					t.Helper()
					in.IsActive = &active
					if _, err := m.Update(t.Context(), m.live, h.ID, in); err != nil {
						t.Fatal(err)
					}
				}
				send, switched := m.worker.Send, false
				m.worker.Send = func(ctx context.Context, d outbox.Message) outbox.Outcome {
					if !switched && !was {
						set(false)
					}
					o := send(ctx, d)
					m.clock.Advance(time.Millisecond)
					if !switched {
						set(!was)
					}
					switched = true
					return o
				}
				m.tell(m.live)
				m.send()
				want := "[Sms Waiting true Email Sent false]" // at the hook, which is active again
				if was {
					want = "[Sms Sent false Email Sent false]" // by the gateway
				}
				if got := fmt.Sprint(m.rows(m.live)); got != want {
					t.Errorf("the record has %s, want %s", got, want)
				}
			})
		})
	}
}

func TestMessages_areGivenToNobodyWhenNobodySends(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		m.notices.SMS = nil
		h, _ := m.hookOf(m.live, NewHook{Type: TypeSMS, URL: silent, Timeout: timeoutMin})
		m.tell(m.live)
		if err := m.Unregister(t.Context(), m.live, h.ID); err != nil {
			t.Fatal(err)
		}
		m.send()
		if got, want := fmt.Sprint(m.rows(m.live)), "[Sms Dead true Email Sent false]"; got != want {
			t.Errorf("the record has %s, want %s", got, want)
		}
	})
}

func TestMessages_aFilterChoosesProducts(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		other, mine := newReceiver(t), newReceiver(t)
		m.hookOf(m.main, NewHook{Type: TypeEmail, URL: other.URL, Filter: Filter{Products: []string{"BASIC"}}})
		m.hookOf(m.main, NewHook{Type: TypeEmail, URL: mine.URL, Filter: Filter{Products: []string{"GOLD"}}})
		m.tell(m.main)
		if len(other.bodies) != 0 || len(mine.bodies) != 1 || !bytes.Contains(mine.bodies[0], []byte(`"subject":"`)) {
			t.Errorf("they got %s and %s", other.bodies, mine.bodies)
		}
		_, _, err := m.Register(t.Context(), m.main, NewHook{Type: TypeEmail, Name: "h", URL: mine.URL, Filter: Filter{Networks: []string{"Troy"}}})
		wantFault(t, err, access.CodeInvalid)
	})
}

func TestMessages_aPINGoesToNoHook(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		r := newReceiver(t)
		h, _ := m.hookOf(m.main, NewHook{Type: TypeSMS, URL: r.URL})
		far, _ := m.hookOf(m.live, NewHook{Type: TypeSMS, URL: silent, Timeout: timeoutMin})
		now := m.clock.Now()
		ctx := t.Context()
		pin := notification.PINMessage{ID: id.New[notification.Message](now), CustomerNo: "1001", CardToken: "t", Phone: "+905321234567"}
		sealed, err := m.Seal.Seal(ctx, m.main.Tenant.String(), hsm.InboxPurpose, []byte("PIN 2580"), notification.InboxPlace(m.main.Tenant, pin.ID))
		if err != nil {
			t.Fatal(err)
		}
		boxed, encrypted := pin, pin
		boxed.Inbox, encrypted.JWE, encrypted.ID = sealed, "cipher.text", id.New[notification.Message](now)
		err = m.DB.InTx(ctx, func(tx db.Tx) error {
			if err := m.notices.SendPIN(ctx, tx, m.main, boxed, clock.RealAt(now)); err != nil {
				return err
			}
			return m.notices.SendPIN(ctx, tx, m.live, encrypted, clock.RealAt(now))
		})
		if err != nil {
			t.Fatal(err)
		}
		m.send()
		live, _, err := m.Deliveries(ctx, m.live, far.ID, false, 0, 9)
		if err != nil || len(live)+len(m.log(h))+len(r.bodies) != 0 {
			t.Errorf("a PIN went to a hook (%v)", err)
		}
		if len(m.gateway.bodies) != 1 || !bytes.Contains(m.gateway.bodies[0], []byte(`"jwe":"cipher.text"`)) {
			t.Errorf("the gateway got %s", m.gateway.bodies)
		}
	})
}

func TestMessages_keepTheAnswerToThemselves(t *testing.T) {
	eachWithMessages(t, func(t *testing.T, m *messages) {
		echo := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
			out.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprint(out, "no route to +905321234567")
		}))
		defer echo.Close()
		h, _ := m.hookOf(m.main, NewHook{Type: TypeSMS, URL: echo.URL})
		m.tell(m.main)
		if d := m.log(h)[0]; d.Status != outbox.Waiting || d.ResultCode != 502 || d.ResultText != "Bad Gateway" {
			t.Errorf("the log has %+v", d)
		}
	})
}
