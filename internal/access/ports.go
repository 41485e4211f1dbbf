package access

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Sealer protects at rest the private half of signing keys and what is kept for
// idempotency keys; hsm.Sealing is one.
type Sealer interface {
	Seal(ctx context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error)
	Open(ctx context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error)
	// Index is a keyed hash: equal for equal values of one tenant and purpose.
	Index(ctx context.Context, tenant, purpose string, value []byte) ([]byte, error)
}

// TenantWatcher is told of a created or changed tenant inside the transaction
// that makes it so; its error undoes that transaction.
type TenantWatcher interface {
	TenantChanged(ctx context.Context, tx db.Tx, tenant TenantID) error
}

// CodeSender sends a one-time password to the caller, a cardholder, in tx. It is
// false for a customer who may not sign in.
type CodeSender interface {
	SendSignInCode(ctx context.Context, tx db.Tx, c Caller, code secret.Value, now clock.Real) (bool, error)
}
