package authorization

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Module is the part of an HSM that a decision uses.
type Module interface {
	hsm.CardValues
	hsm.PINs
	hsm.EMV
}

// Programs finds under what a card is decided. It is program.Service.
type Programs interface {
	Route(ctx context.Context, p pan.PAN) (*program.Configuration, program.BIN, bool, error)
	Forget(tenant access.TenantID)
	Configuration(ctx context.Context, tenant access.TenantID) (*program.Configuration, error)
	// Convert returns an amount in another currency; nil where there is no rate.
	Convert(ctx context.Context, tenant access.TenantID, a money.Amount, to money.Currency, at time.Time) (*money.Amount, error)
}

// Controls finds what a tenant controls transactions with. It is
// control.Service.
type Controls interface {
	Snapshot(ctx context.Context, tenant access.TenantID, version int64) (*control.Snapshot, error)
	LinksOf(ctx context.Context, k *control.Snapshot, tenant access.TenantID, s control.Subject) (control.Links, error)
	Bounds(ctx context.Context, k *control.Snapshot, o *control.Occasion) ([]control.Bound, error)
	// Watchers returns the velocity controls of a card that want to tell how much of
	// their limits is used, whatever is done.
	Watchers(ctx context.Context, k *control.Snapshot, o *control.Occasion) ([]control.Bound, error)
	// OverridesOf returns the limits that are set for a card, past ones too.
	OverridesOf(ctx context.Context, tenant access.TenantID, s control.Subject) ([]control.Override, error)
}

// Cards finds what was issued. It is issuing.Service.
type Cards interface {
	IndexOf(ctx context.Context, tenant access.TenantID, p pan.PAN) (issuing.PANIndex, error)
	CardsAt(ctx context.Context, numbers []issuing.PANIndex) ([]issuing.CardsOfNumber, error)
	// PersonOf returns what is sealed of the card's customer.
	PersonOf(ctx context.Context, card issuing.CardOnNetwork) (customer.Person, error)
	// Fingerprint is equal for equal card numbers and fields, and tells neither.
	Fingerprint(ctx context.Context, p pan.PAN, fields string) (string, error)
}

// Client is the system of a tenant that owns its balances. webhook.Service
// reaches it.
type Client interface {
	// Ask sends a question and waits for the answer, at most until ctx ends. It
	// holds no lock and no connection of the database while it waits.
	Ask(ctx context.Context, m *ClientMessage) Verdict
}

// ResponseCodes derives a network's code (DE39) from what was decided. The
// network edge has the tables.
type ResponseCodes interface {
	ResponseCode(network string, o Outcome) string
}
