package notification

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Gateway is an HTTP server of the operator's that takes messages of one
// channel. docs/notification.md is its contract.
type Gateway struct {
	URL     string
	Method  string
	Headers http.Header
	// Body is what is sent, with places {reference}, {channel}, {to},
	// {subject}, {text}; PINBody, with {jwe} for {text}, where a PIN is sent.
	Body, PINBody string
	Secret        []byte // signs each request
	Timeout       time.Duration
	// PINKey encrypts PIN messages; nil: the gateway takes none.
	PINKey *rsa.PublicKey
	// Anywhere says that it may stand at an address that is not public.
	Anywhere bool

	client *http.Client
}

// The bodies of a gateway that nobody has described.
const (
	StandardBody    = `{"reference":"{reference}","channel":"{channel}","to":"{to}","subject":"{subject}","text":"{text}"}`
	StandardPINBody = `{"reference":"{reference}","channel":"{channel}","to":"{to}","jwe":"{jwe}"}`
)

// escapes are how a value is written into a body of a content type.
var escapes = map[string]func(string) string{
	"application/json":                  escapeJSON,
	"application/x-www-form-urlencoded": url.QueryEscape,
	"application/xml":                   escapeXML,
	"text/xml":                          escapeXML,
}

func escapeJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}

func escapeXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}

const contentType = "Content-Type"

func (g *Gateway) escape() (func(string) string, bool) {
	kind, _, err := mime.ParseMediaType(g.Headers.Get(contentType))
	if err != nil {
		return nil, false
	}
	f, found := escapes[kind]
	return f, found
}

func (g *Gateway) reach() outbound.Reach {
	if g.Anywhere {
		return outbound.Anywhere
	}
	return outbound.Public
}

// Check fills in what may be left out, and returns what is wrong with a gateway.
func (g *Gateway) Check() error {
	if g.Method == "" {
		g.Method = http.MethodPost
	}
	if g.Headers == nil {
		g.Headers = http.Header{}
	}
	if g.Headers.Get(contentType) == "" {
		g.Headers.Set(contentType, "application/json")
	}
	if g.Body == "" {
		g.Body = StandardBody
	}
	if g.PINBody == "" {
		g.PINBody = StandardPINBody
	}
	if wrong := outbound.CheckURL(g.URL, g.reach()); wrong != "" {
		return fmt.Errorf("the URL %s", wrong)
	}
	if _, known := g.escape(); !known {
		return fmt.Errorf("the header Content-Type must be JSON, XML or a form")
	}
	if len(g.Secret) < 24 {
		return fmt.Errorf("the signing secret is missing")
	}
	if !strings.Contains(g.Body, "{to}") || !strings.Contains(g.Body, "{text}") {
		return fmt.Errorf("the body must have the places {to} and {text}")
	}
	if g.PINKey != nil && !strings.Contains(g.PINBody, "{jwe}") {
		return fmt.Errorf("the body of a PIN must have the place {jwe}")
	}
	if g.PINKey != nil && g.PINKey.N.BitLen() < 2048 {
		return fmt.Errorf("the key for PINs must have 2048 bits at least")
	}
	g.client = outbound.NewClient(g.reach())
	return nil
}

// answerMax is how much of an answer is read.
const answerMax = 64 << 10

// give hands a message to the gateway, once.
func (g *Gateway) give(ctx context.Context, m Message, now time.Time) outbox.Outcome {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	body := []byte(g.body(m))
	r, err := http.NewRequestWithContext(ctx, g.Method, g.URL, bytes.NewReader(body))
	if err != nil {
		return outbox.Outcome{Hopeless: true, Text: "not sent: the URL is malformed"}
	}
	for name, values := range g.Headers {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "Sarraf-Notification/1")
	outbound.Sign(r.Header, [][]byte{g.Secret}, m.ID.UUID(), now, body)
	answer, err := g.client.Do(r)
	if err != nil {
		return outbox.Outcome{Text: outbound.Reason(err)}
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, answerMax)); err != nil {
		return outbox.Outcome{Code: answer.StatusCode, Text: "no whole answer"}
	}
	// What it says is not kept: it may hold the address, or worse the text.
	return outbox.Outcome{Delivered: answer.StatusCode/100 == 2, Code: answer.StatusCode, Text: http.StatusText(answer.StatusCode)}
}

func (g *Gateway) body(m Message) string {
	escape, _ := g.escape()
	text := g.Body
	if m.IsPIN {
		text = g.PINBody
	}
	return strings.NewReplacer(
		"{reference}", escape(m.ID.UUID()), "{channel}", escape(string(m.Channel)), "{to}", escape(m.Content.To),
		"{subject}", escape(m.Content.Subject), "{text}", escape(m.Content.Text), "{jwe}", escape(m.Content.JWE),
	).Replace(text)
}
