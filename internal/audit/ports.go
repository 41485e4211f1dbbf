package audit

import "context"

// Sealer protects the private halves of checkpoint keys at rest; hsm.Sealing
// is one.
type Sealer interface {
	Seal(ctx context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error)
	Open(ctx context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error)
}
