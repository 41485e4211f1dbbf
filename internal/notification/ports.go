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

// Hooks are where tenants send messages themselves, in the place of a gateway.
// It is webhook.Service.
type Hooks interface {
	// TakeMessage queues m in tx for the hook of its tenant that takes messages of
	// its channel, and false means that there is none. What becomes of it is told
	// by [Service.Conclude] and [Service.Reroute]; the key of the outbox's message
	// is the id of m.
	TakeMessage(ctx context.Context, tx db.Tx, m Message, correlation string) (bool, error)
}

// Recipients says who is to be told of a notice; false means nobody is. It is
// issuing.Service.
type Recipients interface {
	Recipient(ctx context.Context, tx db.Tx, tenant access.TenantID, n Notice) (Recipient, bool, error)
}
