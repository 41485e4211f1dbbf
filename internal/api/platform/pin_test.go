package platform

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/hsm/hsmtest"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// newCardOf issues a card of a product to customer 1 and returns its token.
func (w *world) newCardOf(product string, more map[string]any) string {
	w.t.Helper()
	body := map[string]any{"customerNo": "1", "productCode": product, "accountNo": "A-" + product}
	for k, v := range more {
		body[k] = v
	}
	var made struct{ CardToken string }
	w.ask(200, "POST", "/api/v1/issuing/card", body, &made)
	return made.CardToken
}

// told returns the texts of the inbox, newest first.
func (w *world) told() []string {
	w.t.Helper()
	var page struct{ Items []struct{ Text string } }
	w.ask(200, "GET", "/api/v1/sandbox/inbox?MaxResultCount=100", nil, &page)
	var texts []string
	for _, i := range page.Items {
		texts = append(texts, i.Text)
	}
	return texts
}

var pinInText = regexp.MustCompile(`\b[0-9]{4}\b`)

// A PIN that nobody chose reaches its holder and is the card's.
func TestSendPIN_theInboxShowsThePINOfTheCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d).stock()
		token := w.newCardOf("VIRTUAL", map[string]any{"pinSource": "Random"})
		path := "/api/v1/issuing/card/" + token + "/pin/"
		w.clock.Advance(25 * time.Hour)
		verify := func(pin string) bool {
			var tried struct{ IsValid bool }
			w.ask(200, "POST", path+"verify", map[string]any{"encryptedPin": pin}, &tried)
			return tried.IsValid
		}
		shown := func() string {
			w.clock.Advance(time.Second) // the newest is the first
			w.ask(200, "POST", path+"send-sms", map[string]any{}, nil)
			found := pinInText.FindAllString(w.told()[0], -1)
			if len(found) != 2 { // the end of the number, and the PIN
				t.Fatalf("the text has %d groups of four digits", len(found))
			}
			return found[1]
		}
		first := shown()
		if !verify(first) {
			t.Error("the PIN that was sent is not the card's")
		}
		w.ask(200, "POST", path+"set-random", map[string]any{}, nil)
		if second := shown(); second == first || !verify(second) {
			t.Error("after another draw the PIN that is sent is not the card's")
		}
	})
}

// No answer of the PIN operations, and no event, holds a PIN.
func TestPINOperations_answerWithoutThePIN(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t)).stock()
	token := w.newCardOf("VIRTUAL", nil)
	path := "/api/v1/issuing/card/" + token + "/pin/"
	const pin = "7392"
	for _, step := range []struct {
		path string
		body any
	}{
		{"set", map[string]any{"encryptedPin": pin}}, {"verify", map[string]any{"encryptedPin": pin}}, {"unblock", map[string]any{}},
		{"send-sms", map[string]any{}}, {"set-random", map[string]any{}},
	} {
		answer := w.ask(200, "POST", path+step.path, step.body, nil)
		if strings.Contains(string(answer), pin) && !strings.Contains(token, pin) {
			t.Errorf("%s answers with the PIN", step.path)
		}
	}
}

// In production only the gateway's key opens the message, with the number it is
// for; nothing of it is kept once the gateway has it.
func TestSendPIN_inProductionTheGatewayAloneReadsIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d).stock()
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		var got []map[string]string
		gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, in *http.Request) {
			body, _ := io.ReadAll(in.Body)
			var members map[string]string
			if err := json.Unmarshal(body, &members); err != nil {
				t.Error("the gateway was sent no JSON")
			}
			got = append(got, members)
		}))
		t.Cleanup(gateway.Close)
		g := &notification.Gateway{URL: gateway.URL, Secret: bytes.Repeat([]byte{5}, 32), Timeout: time.Second, Anywhere: true, PINKey: &key.PublicKey}
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		w.services.Notices.SMS = g
		w.bearer = "production"
		token := w.newCardOf("VIRTUAL", map[string]any{"pinSource": "Random"})
		w.clock.Advance(25 * time.Hour)
		var sent struct{ SMSReference, MaskedPhone string }
		w.ask(200, "POST", "/api/v1/issuing/card/"+token+"/pin/send-sms", map[string]any{}, &sent)
		w.deliver()
		var message map[string]string
		for _, m := range got {
			if m["jwe"] != "" {
				message = m
			}
		}
		if message == nil || message["reference"] != sent.SMSReference || message["text"] != "" {
			t.Fatalf("of %d requests none carries the PIN as it should", len(got))
		}
		opened := hsmtest.OpenCompact(t, message["jwe"], key)
		if opened["to"] != message["to"] || opened["reference"] != sent.SMSReference || len(pinInText.FindAllString(opened["text"], -1)) != 2 {
			t.Error("the message is for somebody else, or has no PIN")
		}
		pin := pinInText.FindAllString(opened["text"], -1)[1]
		if strings.Contains(w.log.String(), " "+pin) {
			t.Error("the log holds the PIN")
		}
	})
}
