package customer

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Holders returns the customers of the tenant that have this number of identity
// or tax. It opens nothing: keyed hashes and one query.
func (s *Service) Holders(ctx context.Context, tx db.Tx, tenant access.TenantID, number string) ([]id.ID[Customer], error) {
	terms, err := s.exactTerms(ctx, tenant, []term{{termIdentification, Passport.normalNumber(number)}, {termTax, number}})
	if err != nil || len(terms) < 2 { // an empty number
		return nil, err
	}
	holders, err := customersWith(ctx, tx, tenant, terms[0], terms[1])
	if err != nil {
		return nil, fmt.Errorf("find holders: %w", err)
	}
	return holders, nil
}
