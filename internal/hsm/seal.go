package hsm

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Sealing protects data at rest and single fields in transit.
//
// Purpose names what the bytes are ("pan", "personal", "webhook_secret"); each
// tenant and purpose has its own keys. The additional data aad must name the
// place of the value (table, column, row), so that a value moved to another row
// does not open.
type Sealing interface {
	// Seal encrypts with AES-256-GCM under a random nonce.
	Seal(ctx context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error)
	// Open reverses Seal. Anything else than the same tenant, purpose and aad
	// is ErrIntegrity.
	Open(ctx context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error)
	// Index returns 32 bytes that are equal for equal values of one tenant and
	// purpose and tell nothing else: a keyed hash for unique look-ups.
	Index(ctx context.Context, tenant, purpose string, value []byte) ([]byte, error)
	// Conceal encrypts 16 bytes so that equal ones look equal for one tenant,
	// purpose and aad: a tag (16) ‖ the ciphertext (16). The tag is the first half
	// of HMAC-SHA-256 over aad ‖ plaintext, and the initial counter block of
	// AES-256-CTR.
	Conceal(ctx context.Context, tenant, purpose string, plaintext [16]byte, aad []byte) ([32]byte, error)
	// Unveil reverses Conceal. Anything else than the same tenant, purpose and aad
	// is ErrIntegrity.
	Unveil(ctx context.Context, tenant, purpose string, concealed [32]byte, aad []byte) ([16]byte, error)
	// OpenField opens a JSON field, IV (12) ‖ ciphertext ‖ tag (16), under a
	// transport key (usage D0, AES). A field that does not open is ErrFormat.
	OpenField(ctx context.Context, key KeyRef, field, aad []byte) (secret.Value, error)
	// SealField makes such a field.
	SealField(ctx context.Context, key KeyRef, value secret.Value, aad []byte) ([]byte, error)
}
