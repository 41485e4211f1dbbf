package issuing

import (
	"context"
	"crypto/rsa"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/notification"
)

// PINSender takes PIN messages to cardholders. It is notification.Service.
type PINSender interface {
	// PINKey encrypts messages of production tenants; nil: none can be sent.
	PINKey() *rsa.PublicKey
	// SendPIN queues a message in tx.
	SendPIN(ctx context.Context, tx db.Tx, c access.Caller, p notification.PINMessage, now clock.Real) error
}

// LastUse tells when an issuance was last used. It is what the package that
// keeps transactions knows.
type LastUse interface {
	// LastUsed returns the time of the issuance's last transaction that was not
	// declined; the zero time when there is none.
	LastUsed(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (time.Time, error)
}

// Holds knows which transactions are open. It is authorization.Queries.
type Holds interface {
	// HasOpenHolds reports whether a card of the issuance still holds money. The
	// caller has locked its cards, so that none can begin to.
	HasOpenHolds(ctx context.Context, tx db.Tx, issuance id.ID[Issuance]) (bool, error)
}

// Limits keeps what cards use of the limits of their customers. It is
// control.Service.
type Limits interface {
	// Linked is told of an issuance that found its customer. Its cards are locked,
	// and its account.
	Linked(ctx context.Context, tx db.Tx, i Issuance) error
	// Unlinked is told of one that lost its customer.
	Unlinked(ctx context.Context, tx db.Tx, i Issuance) error
}

// Fees orders what it costs that cards are made, and keeps what they owe. It is
// fee.Service.
type Fees interface {
	// CardsMade is told of new cards of a tenant in the transaction that makes them,
	// after they are written.
	CardsMade(ctx context.Context, tx db.Tx, c access.Caller, made []MadeCard) error
	// AccountTaken is told of a card that spends from another account than its own,
	// on which nothing is left, from now. Its own account is locked.
	AccountTaken(ctx context.Context, tx db.Tx, c access.Caller, own, taken ledger.AccountID) error
}

// MadeCard is a card that was just made. Its customer, if it has one, is not
// masked.
type MadeCard struct {
	IssuedCard
	IsFeeExempt bool
}
