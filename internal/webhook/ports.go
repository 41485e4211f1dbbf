package webhook

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Sealer protects secrets at rest; hsm.Sealing is one.
type Sealer interface {
	Seal(ctx context.Context, tenant, purpose string, plaintext, aad []byte) ([]byte, error)
	Open(ctx context.Context, tenant, purpose string, sealed, aad []byte) ([]byte, error)
}

// Encoder turns what a domain tells of an event into what receivers read; the
// API family whose contract has the webhooks is one.
type Encoder interface {
	EncodeEvent(m outbox.Message) (Content, error)
}
