package notification

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// Sealer protects addresses and texts at rest; hsm.Sealing is one.
type Sealer interface {
	Seal(ctx context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error)
	Open(ctx context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error)
}

// Recipients says who is to be told of a notice; false means nobody is. It is
// issuing.Service.
type Recipients interface {
	Recipient(ctx context.Context, tx db.Tx, tenant access.TenantID, n Notice) (Recipient, bool, error)
}
