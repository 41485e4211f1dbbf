package issuing

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// readCardEvent reads what every event tells of a card, and whose card it is.
func readCardEvent(ctx context.Context, tx db.Tx, card id.ID[Card]) (e CardEvent, tenant access.TenantID, found bool, err error) {
	e, found, err = db.One(ctx, tx, func(row db.Scanner) (e CardEvent, err error) {
		var c Card
		err = row.Scan(&tenant, &c.Token, &c.Sequence, &c.BIN, &c.LastFour, &c.PANLength, &e.Status, &e.IssuanceNo, &e.ProductCode,
			optional{&e.CustomerNo}, &e.sealedPhone)
		e.CardToken, e.MaskedNo, e.Sequence = c.Token, c.Masked(), c.Sequence
		return e, err
	}, `SELECT c.tenant_id, c.card_token, c.sequence_no, c.bin, c.last_four, b.pan_length, c.status, i.issuance_no, i.product_code,
			u.customer_no, i.phone_number
		FROM card c`+program.JoinBIN+`
		JOIN issuance i ON i.id = c.issuance_id
`+customer.JoinHolder+`
		WHERE c.id = $1`, card)
	return e, tenant, found, err
}
