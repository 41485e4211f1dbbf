package vault

import (
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
