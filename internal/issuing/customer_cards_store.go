package issuing

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var cardCounts = db.Lookup{
	Head: `SELECT customer_id, count(*) FROM issuance WHERE tenant_id = $1 AND customer_id IN `,
	Tail: ` GROUP BY customer_id`,
}

// IssuancesPerCustomer counts the issuances of each of these customers.
func (s *Service) IssuancesPerCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, customers []id.ID[customer.Customer]) (map[id.ID[customer.Customer]]int, error) {
	counts := make(map[id.ID[customer.Customer]]int, len(customers))
	err := cardCounts.Query(ctx, tx, []any{tenant}, id.Texts(customers), func(row db.Scanner) error {
		var holder id.ID[customer.Customer]
		var n int
		err := row.Scan(&holder, &n)
		counts[holder] = n
		return err
	})
	return counts, err
}

// CardsOfCustomer returns the cards of a customer, newest first.
func (s *Service) CardsOfCustomer(ctx context.Context, tx db.Tx, tenant access.TenantID, holder id.ID[customer.Customer]) ([]customer.Card, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (customer.Card, error) {
		var c customer.Card
		var bin, lastFour string
		var length int
		var status CardStatus
		err := row.Scan(&c.ID, &c.IssuanceID, &c.IssuanceNo, &c.CardToken, &bin, &lastFour, &length, &c.ProductCode, &c.ProductName,
			&c.IsSupplementary, &c.FormFactor, &status, &c.StatusReason, &c.ExpiresOn, &c.EmbossName, &c.IsCurrent)
		c.Status, c.IsClosed = string(status), status.IsFinal()
		c.MaskedNo = bin + strings.Repeat("*", max(0, length-len(bin)-len(lastFour))) + lastFour
		return c, err
	}, `SELECT c.id, i.id, i.issuance_no, c.card_token, c.bin, c.last_four, b.pan_length, i.product_code, p.name,
			i.parent_id IS NOT NULL, c.form_factor, c.status, c.status_reason, c.expires_on, c.emboss_line_1,
			i.current_card_id = c.id
		FROM issuance i JOIN card c ON c.issuance_id = i.id`+program.JoinBIN+program.JoinProduct+`
		WHERE i.tenant_id = $1 AND i.customer_id = $2 ORDER BY c.created_at DESC, c.id DESC`, tenant, holder)
}
