package outbound

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// secretPrefix begins the text of every signing secret; base64 follows.
const secretPrefix = "whsec_"

// NewSecret makes a signing secret of 32 bytes.
func NewSecret() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// ShowSecret is a signing secret as its owner sees it.
func ShowSecret(b []byte) secret.Value {
	return secret.FromString(secretPrefix + base64.StdEncoding.EncodeToString(b))
}

// ReadSecret reads a signing secret that its owner chose: 24 to 64 bytes.
func ReadSecret(v secret.Value) ([]byte, bool) {
	text, found := strings.CutPrefix(string(v.Reveal()), secretPrefix)
	b, err := base64.StdEncoding.DecodeString(text)
	return b, found && err == nil && len(b) >= 24 && len(b) <= 64
}

// Sign sets the headers by which a receiver knows that body comes from us: in
// the form of the contract (platform.md §14.3), and in the form of Standard
// Webhooks. Each is signed with every secret, so that a receiver may hold
// either during a rotation.
func Sign(h http.Header, secrets [][]byte, eventID string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var ours, standard []string
	for _, s := range secrets {
		ours = append(ours, "v1="+hex.EncodeToString(mac(s, timestamp, body)))
		standard = append(standard, "v1,"+base64.StdEncoding.EncodeToString(mac(s, eventID+"."+timestamp, body)))
	}
	h.Set("X-WebHook-Id", eventID)
	h.Set("X-WebHook-Timestamp", timestamp)
	h.Set("X-WebHook-Signature", strings.Join(ours, ","))
	h.Set("Webhook-Id", eventID)
	h.Set("Webhook-Timestamp", timestamp)
	h.Set("Webhook-Signature", strings.Join(standard, " "))
}

func mac(key []byte, front string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(front))
	m.Write([]byte{'.'})
	m.Write(body)
	return m.Sum(nil)
}
