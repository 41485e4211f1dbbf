package webhook

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
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

// Completer finds what events tell that takes longer than making them;
// authorization.Counterfactuals is one.
type Completer interface {
	// CompleteEvents returns the payloads of those that tell more.
	CompleteEvents(ctx context.Context, events []outbox.WaitingEvent) (map[id.ID[outbox.Event]][]byte, error)
}

// Messages keeps on record what becomes of the messages that hooks send. The key
// of a delivery is the message's id. It is notification.Service.
type Messages interface {
	// Conclude writes that a message was sent or given up.
	Conclude(ctx context.Context, tx db.Tx, d Delivery) error
	// Reroute finds another way for a message whose hook is not active any more.
	Reroute(ctx context.Context, tx db.Tx, d Delivery) error
	// Revive lets a message that was given up wait again for its hook; false means
	// that it was not given up, or is no more: it must not be sent by d.
	Revive(ctx context.Context, tx db.Tx, d Delivery) (bool, error)
}

// Dialogue is the words in which clients that own their balances are asked and
// answer (contract/platform.md §14.6).
type Dialogue interface {
	// EncodeQuestion makes the data of a question or fact; id is what a receiver
	// knows it by when it comes twice.
	EncodeQuestion(id string, m *authorization.ClientMessage) (Content, error)
	// DecodeVerdict reads an answer. Amounts without a currency are in c. The error
	// quotes nothing of it.
	DecodeVerdict(body []byte, c money.Currency) (authorization.Verdict, error)
}
