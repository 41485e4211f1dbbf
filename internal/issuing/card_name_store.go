package issuing

import (
	"context"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var cardNameLookup = &db.Lookup{
	Head: `SELECT c.id, c.card_token, c.sequence_no, c.bin, c.last_four, b.pan_length, i.issuance_no, i.product_code, i.account_no,
			i.external_card_id, u.customer_no
		FROM card c JOIN issuance i ON i.id = c.issuance_id` + program.JoinBIN + customer.JoinHolder + `
		WHERE c.tenant_id = $1 AND c.id IN `,
}

// ReadCardNames is [Service.CardNames] for who has a transaction.
func ReadCardNames(ctx context.Context, tx db.Tx, tenant access.TenantID, cards []id.ID[Card]) (map[id.ID[Card]]CardName, error) {
	return readCardNames(ctx, tx, tenant, cards)
}

func readCardNames(ctx context.Context, tx db.Tx, tenant access.TenantID, cards []id.ID[Card]) (map[id.ID[Card]]CardName, error) {
	names := make(map[id.ID[Card]]CardName, len(cards))
	err := cardNameLookup.Query(ctx, tx, []any{tenant}, id.Texts(cards), func(s db.Scanner) error {
		var n CardName
		var c Card
		err := s.Scan(&n.Card, &n.Token, &n.Sequence, &c.BIN, &c.LastFour, &c.PANLength, &n.IssuanceNo, &n.ProductCode, &n.AccountNo,
			optional{&n.ExternalCardID}, optional{&n.CustomerNo})
		n.MaskedNo = c.Masked()
		names[n.Card] = n
		return err
	})
	return names, err
}

// readHeld finds what a holding stands for. With its children it always becomes
// issuances, since a child has a number of its own.
func readHeld(ctx context.Context, tx db.Tx, tenant access.TenantID, h Holding) (Held, error) {
	var held Held
	var err error
	if h.CardToken != "" && !h.WithChildren {
		err = db.Each(ctx, tx, func(row db.Scanner) error {
			var card id.ID[Card]
			var issuance id.ID[Issuance]
			err := row.Scan(&card, &issuance)
			held.Cards, held.Issuances = append(held.Cards, card), append(held.Issuances, issuance)
			return err
		}, "SELECT id, issuance_id FROM card WHERE tenant_id = $1 AND card_token = $2", tenant, h.CardToken)
		held.Issuances = slices.Compact(held.Issuances) // they share their number, and so their issuance
		return held, err
	}
	query, key := "SELECT id FROM issuance WHERE tenant_id = $1 AND issuance_no = $2", h.IssuanceNo
	switch {
	case h.CardToken != "":
		query, key = `SELECT DISTINCT issuance_id FROM card WHERE tenant_id = $1 AND card_token = $2`, h.CardToken
	case h.CustomerNo != "":
		query, key = `SELECT i.id FROM issuance i`+customer.JoinHolderOnly+`
			WHERE u.tenant_id = $1 AND u.customer_no = $2`, h.CustomerNo
	}
	if held.Issuances, err = db.Collect(ctx, tx, scanID[Issuance], query, tenant, key); err != nil || !h.WithChildren {
		return held, err
	}
	err = childLookup.Query(ctx, tx, []any{tenant}, id.Texts(held.Issuances), func(s db.Scanner) error {
		child, err := scanID[Issuance](s)
		held.Issuances = append(held.Issuances, child)
		return err
	})
	return held, err
}

// IssuanceNamed returns the issuance that callers call by its number or by the
// token of one of its cards, or refuses.
func IssuanceNamed(ctx context.Context, tx db.Tx, tenant access.TenantID, name string) (id.ID[Issuance], error) {
	if !fault.Printable(name) {
		return id.ID[Issuance]{}, errCardNotFound
	}
	for _, query := range []string{
		"SELECT id FROM issuance WHERE tenant_id = $1 AND issuance_no = $2",
		"SELECT issuance_id FROM card WHERE tenant_id = $1 AND card_token = $2 ORDER BY sequence_no DESC LIMIT 1",
	} {
		found, known, err := db.One(ctx, tx, scanID[Issuance], query, tenant, name)
		if known || err != nil {
			return found, err
		}
	}
	return id.ID[Issuance]{}, errCardNotFound
}

var childLookup = &db.Lookup{Head: "SELECT id FROM issuance WHERE tenant_id = $1 AND parent_id IN "}

func scanID[E id.Entity](s db.Scanner) (d id.ID[E], err error) { return d, s.Scan(&d) }
