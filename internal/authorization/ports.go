package authorization

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
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
}

// Cards finds what was issued. It is issuing.Service.
type Cards interface {
	CardsByPAN(ctx context.Context, tenant access.TenantID, p pan.PAN) ([]issuing.CardOnNetwork, error)
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
