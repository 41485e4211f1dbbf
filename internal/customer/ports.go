package customer

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Rules are what a tenant has decided about its customers. They are
// program.Service.
type Rules interface {
	// UniqueMobilePhone reports whether no two customers of the caller's tenant
	// may have the same mobile phone.
	UniqueMobilePhone(ctx context.Context, c access.Caller) (bool, error)
}

// Cards are what this package asks of those who issue cards. They are
// issuing.Service.
type Cards interface {
	// CardsOfCustomer returns the cards of a customer, newest first.
	CardsOfCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, customer id.ID[Customer]) ([]Card, error)
	// IssuancesPerCustomer counts the issuances of each of these customers.
	IssuancesPerCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, customers []id.ID[Customer]) (map[id.ID[Customer]]int, error)
	// CardExists refuses a token that no card of the tenant has.
	CardExists(ctx context.Context, tx db.Tx, tenant access.TenantID, token string) error
	// CardNoted writes down, at the end of tx, that a note about a card was added.
	CardNoted(ctx context.Context, tx db.Tx, c access.Caller, token string) error
}
