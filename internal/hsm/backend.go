package hsm

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Sandbox gives testers what they need to play card and terminal. Every method
// refuses a key that is not marked as a test key, with [ErrKeyPolicy].
type Sandbox interface {
	// RevealKey returns the key's bytes.
	RevealKey(ctx context.Context, key KeyRef) (secret.Value, error)
	// ICCMasterKey returns the card's master key derived from imk (E0, E1 or
	// E2). psn is two digits; empty is "00".
	ICCMasterKey(ctx context.Context, imk KeyRef, p pan.PAN, psn string, profile Profile) (secret.Value, error)
	// EncodePIN makes a PIN block under zpk. Field is ErrNotSupported.
	EncodePIN(ctx context.Context, zpk KeyRef, format PINFormat, p pan.PAN, pin secret.Value) ([]byte, error)
	// DecodePIN opens a PIN block. A malformed one is ErrFormat.
	DecodePIN(ctx context.Context, in PINBlock) (secret.Value, error)
	// InboxMessage puts a kept PIN into the notice, and seals its text for the
	// tenant's own reading: [Sealing.Open] with [InboxPurpose] opens it.
	InboxMessage(ctx context.Context, stored PINBlock, n PINNotice, aad []byte) ([]byte, error)
}

// Backend is all of it. Implementations are safe for concurrent use.
type Backend interface {
	Keys
	CardValues
	PINs
	PINKeeping
	PINTransfer
	EMV
	MACs
	Sealing
	Personalization
	Sandbox
	// Random returns n bytes from the backend's generator.
	Random(ctx context.Context, n int) ([]byte, error)
	// Health reports whether the backend can serve: nil or ErrUnavailable.
	Health(ctx context.Context) error
	// Close erases what the backend holds. Every later call is ErrUnavailable.
	Close() error
}
