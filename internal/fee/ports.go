package fee

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Charger charges fees outside of payments and gives them back. It is what the
// package that keeps transactions does.
type Charger interface {
	// IsOwned reports whether somebody else owns the tenant's balances.
	IsOwned(ctx context.Context, c access.Caller) (bool, error)
	// AskCardFee asks who owns the balance whether it bears what is due of a fee, and
	// may wait for the answer. However often it is asked, a fee is debited once.
	AskCardFee(ctx context.Context, c access.Caller, f CardFee) (Consent, error)
	// UndoCardFee tells who owns the balance, with the commit of tx, to undo what it
	// was asked to debit and may have debited without an answer.
	UndoCardFee(ctx context.Context, tx db.Tx, c access.Caller, f CardFee) error
	// ChargeCardFee charges what is due of a fee that is locked. It reports false
	// when the account does not bear it now.
	ChargeCardFee(ctx context.Context, tx db.Tx, c access.Caller, f CardFee, owner Consent) (charged bool, err error)
	// GiveBackCardFee gives back a part of the price of a fee that was charged and is
	// locked, with its taxes, so that so much of it in all is given back.
	GiveBackCardFee(ctx context.Context, tx db.Tx, c access.Caller, f CardFee, inAll money.Amount) error
}

// Consent is what the owner of a balance said to a fee; the zero value where our
// ledger has the balance.
type Consent struct {
	IsAsked    bool // there is an owner
	IsSent     bool // the question went out
	IsAnswered bool
	IsGiven    bool
	Reference  string // that the owner has for it
}

// Usage is what fees for cards ask about their payments. It is what the package
// that keeps transactions knows.
type Usage interface {
	// FirstPaid returns when an issuance first paid from a moment on, by an
	// authorization or a posting that was not declined; the zero time when it has
	// not.
	FirstPaid(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (time.Time, error)
	// Spent sums up what an issuance paid from a moment on, in minor units, and how
	// often.
	Spent(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[issuing.Issuance], from time.Time) (amount int64, count int, err error)
	// CardFacts are what rules may ask about a card, its product and its customer.
	CardFacts(f *rule.Facts, card issuing.IssuedCard, at time.Time, zone *time.Location)
}
