package vault

import (
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// Key is a stored key. Its id is Ref.ID, in the form NewKeyID makes.
type Key struct {
	Ref       hsm.KeyRef
	Label     string // what it is for, in the words of its owner
	ClientID  string // the API client it is shared with; empty for our own
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// IDPrefix is "key".
func (Key) IDPrefix() string { return "key" }

// Live reports whether the key has not expired at now.
func (k Key) Live(now time.Time) bool { return k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt) }

// Purpose is what a transport key was exchanged for; empty for any other key.
func (k Key) Purpose() Purpose {
	rest, ok := strings.CutPrefix(k.Label, labelPrefix)
	if !ok {
		return ""
	}
	purpose, _, _ := strings.Cut(rest, "/")
	return Purpose(purpose)
}

// ZPKAlgorithm is "TDES" or "AES".
func (k Key) ZPKAlgorithm() string {
	if k.Ref.Algorithm == hsm.AES {
		return "AES"
	}
	return "TDES"
}
