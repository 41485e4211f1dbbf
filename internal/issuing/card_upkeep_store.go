package issuing

import (
	"cmp"
	"context"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// saveIssuance writes the settings of an issuance, whose row the caller has
// locked.
func saveIssuance(ctx context.Context, tx db.Tx, i Issuance) error {
	policies, err := policiesRow(i.Policies)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE issuance SET phone_number = $1, phone_changed_at = $2, digital_slip_type = $3,
			auto_renewal = $4, policies = $5, updated_at = $6
		WHERE tenant_id = $7 AND id = $8`,
		i.sealedPhone, db.MicrosOrNull(i.PhoneChangedAt), string(i.DigitalSlipType), string(i.AutoRenewal), policies,
		clock.Micros(i.UpdatedAt), i.Tenant, i.ID)
	return err
}

// readIssuancesOfCustomer returns what a customer holds, oldest first.
func readIssuancesOfCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, customer id.ID[customer.Customer]) ([]Issuance, error) {
	return db.Collect(ctx, tx, scanIssuance, `SELECT `+issuanceColumns+` FROM issuance i
		WHERE i.tenant_id = $1 AND i.customer_id = $2 ORDER BY i.created_at, i.id`, tenant, customer)
}

var childrenLookup = db.Lookup{Head: `SELECT ` + issuanceColumns + ` FROM issuance i WHERE i.tenant_id = $1 AND i.parent_id IN `}

// readChildrenOf returns the supplementary issuances of all of these, oldest
// first.
func readChildrenOf(ctx context.Context, tx db.Tx, tenant access.TenantID, parents []id.ID[Issuance]) ([]Issuance, error) {
	var children []Issuance
	err := childrenLookup.Query(ctx, tx, []any{tenant}, id.Texts(parents), func(row db.Scanner) error {
		i, err := scanIssuance(row)
		children = append(children, i)
		return err
	})
	slices.SortFunc(children, func(a, b Issuance) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.No, b.No))
	})
	return children, err
}
