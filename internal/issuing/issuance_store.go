package issuing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/program"
)

const issuanceColumns = `i.id, i.tenant_id, i.issuance_no, i.customer_id, i.product_code, i.parent_id, i.account_id,
	i.account_no, i.external_card_id, i.phone_number, i.phone_changed_at, i.digital_slip_type, i.auto_renewal, i.policies,
	i.current_card_id, i.successor_card_id, i.created_at, i.updated_at`

func scanIssuance(s db.Scanner) (Issuance, error) {
	var i Issuance
	var policies string
	err := s.Scan(&i.ID, &i.Tenant, &i.No, &i.Customer, &i.ProductCode, &i.Parent, &i.Account,
		&i.AccountNo, optional{&i.ExternalCardID}, &i.sealedPhone, db.IntoTime(&i.PhoneChangedAt), &i.DigitalSlipType, &i.AutoRenewal, &policies,
		&i.CurrentCard, &i.Successor, db.IntoTime(&i.CreatedAt), db.IntoTime(&i.UpdatedAt))
	if err != nil {
		return Issuance{}, err
	}
	if i.Policies, err = policiesOf(policies); err != nil {
		return Issuance{}, fmt.Errorf("issuance %s: %w", i.ID, err)
	}
	return i, nil
}

func readIssuance(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (Issuance, bool, error) {
	return db.One(ctx, tx, scanIssuance, `SELECT `+issuanceColumns+` FROM issuance i
		WHERE i.tenant_id = $1 AND i.id = $2`, tenant, issuance)
}

func readIssuanceByNo(ctx context.Context, tx db.Tx, tenant access.TenantID, no string) (Issuance, bool, error) {
	return db.One(ctx, tx, scanIssuance, `SELECT `+issuanceColumns+` FROM issuance i
		WHERE i.tenant_id = $1 AND i.issuance_no = $2`, tenant, no)
}

// readChildren returns the supplementary issuances of a main one, oldest first.
func readChildren(ctx context.Context, tx db.Tx, tenant access.TenantID, parent id.ID[Issuance]) ([]Issuance, error) {
	return db.Collect(ctx, tx, scanIssuance, `SELECT `+issuanceColumns+` FROM issuance i
		WHERE i.tenant_id = $1 AND i.parent_id = $2 ORDER BY i.created_at, i.id`, tenant, parent)
}

// countChildren counts the supplementary issuances of a main one.
func countChildren(ctx context.Context, tx db.Tx, tenant access.TenantID, parent id.ID[Issuance]) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM issuance WHERE tenant_id = $1 AND parent_id = $2`, tenant, parent)
	return n, err
}

// insertIssuance adds an issuance. It returns false, and has changed nothing,
// when its number or external id is taken.
func insertIssuance(ctx context.Context, tx db.Tx, i Issuance) (bool, error) {
	policies, err := policiesRow(i.Policies)
	if err != nil {
		return false, err
	}
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO issuance (id, tenant_id, issuance_no, customer_id, product_code,
			parent_id, account_id, account_no, external_card_id, phone_number, digital_slip_type, auto_renewal,
			policies, current_card_id, concurrency_stamp, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
		ON CONFLICT DO NOTHING`,
		i.ID, i.Tenant, i.No, i.Customer, i.ProductCode, i.Parent, i.Account, i.AccountNo, db.OrNull(i.ExternalCardID),
		i.sealedPhone, string(i.DigitalSlipType), string(i.AutoRenewal), policies, i.CurrentCard, i.ID.UUID(),
		clock.Micros(i.CreatedAt)))
	return n > 0, err
}

// externalCardTaken reports whether an issuance of the tenant has this external
// id.
func externalCardTaken(ctx context.Context, tx db.Tx, tenant access.TenantID, external string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM issuance WHERE tenant_id = $1 AND external_card_id = $2`,
		tenant, external).Scan(&n)
	return n > 0, err
}

// openCards counts the issuances that hold a place: those whose current card is
// not final. A main card counts for its customer and product, a supplementary
// one for its parent.
func openCards(ctx context.Context, tx db.Tx, tenant access.TenantID, customer id.ID[customer.Customer], product string, parent id.ID[Issuance]) (int, error) {
	var w db.Where
	w.And("i.tenant_id = ?", tenant)
	if parent.IsZero() {
		w.And("i.customer_id = ?", customer)
		w.And("i.product_code = ?", product)
		w.And("i.parent_id IS NULL")
	} else {
		w.And("i.parent_id = ?", parent)
	}
	andStatusIn(&w, "c.status", openStatuses())
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM issuance i JOIN card c ON c.id = i.current_card_id WHERE `+w.SQL(),
		w.Args()...).Scan(&n)
	return n, err
}

// openVirtualCards counts the virtual cards in force that hang on a main card.
func openVirtualCards(ctx context.Context, tx db.Tx, tenant access.TenantID, parent id.ID[Issuance]) (int, error) {
	var w db.Where
	w.And("i.tenant_id = ?", tenant)
	w.And("i.parent_id = ?", parent)
	w.And("c.form_factor = ?", string(program.Virtual))
	andStatusIn(&w, "c.status", openStatuses())
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT COUNT(*) FROM issuance i JOIN card c ON c.id = i.current_card_id WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return 0, fmt.Errorf("count virtual cards: %w", err)
	}
	return n, nil
}

// policyDocument is an element of the text of issuance.policies. Its member
// names are the stored form: they are not changed, only added to.
type policyDocument struct {
	Type      program.PolicyType
	Allowed   bool
	Locked    bool
	FromCard  bool
	StartsAt  int64
	EndsAt    int64
	UpdatedAt int64
}

func policiesRow(policies []CardPolicy) (string, error) {
	rows := make([]policyDocument, len(policies))
	for i, p := range policies {
		rows[i] = policyDocument{Type: p.Type, Allowed: p.IsAllowed, Locked: p.IsLocked, FromCard: p.FromCard, UpdatedAt: clock.Micros(p.UpdatedAt)}
		if p.StartsAt != nil {
			rows[i].StartsAt = clock.Micros(*p.StartsAt)
		}
		if p.EndsAt != nil {
			rows[i].EndsAt = clock.Micros(*p.EndsAt)
		}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

func policiesOf(document string) ([]CardPolicy, error) {
	if document == "[]" { // each message reads those of a parent, and few cards have one
		return []CardPolicy{}, nil
	}
	var rows []policyDocument
	if err := json.Unmarshal([]byte(document), &rows); err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	policies := make([]CardPolicy, len(rows))
	for i, r := range rows {
		policies[i] = CardPolicy{
			Policy:   program.Policy{Type: r.Type, IsAllowed: r.Allowed, IsLocked: r.Locked},
			FromCard: r.FromCard, UpdatedAt: clock.FromMicros(r.UpdatedAt),
		}
		if r.StartsAt != 0 {
			t := clock.FromMicros(r.StartsAt)
			policies[i].StartsAt = &t
		}
		if r.EndsAt != 0 {
			t := clock.FromMicros(r.EndsAt)
			policies[i].EndsAt = &t
		}
	}
	return policies, nil
}

// IssuancesOfProduct counts the issuances of which a card was ever made of a
// product, in force or not: a successor that waits for its activation names the
// product, and so does an old card after a change of product. It looks at no
// more than atMost of its cards.
func (s *Service) IssuancesOfProduct(ctx context.Context, tx db.Tx, tenant access.TenantID, code string, atMost int) (int, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(DISTINCT issuance_id)
		FROM (SELECT c.issuance_id FROM card c WHERE c.tenant_id = $1 AND c.product_code = $2 LIMIT $3) AS made`,
		tenant, code, int64(atMost))
	return n, err
}

var accountsOfIssuances = db.Lookup{Head: `SELECT id, account_id FROM issuance WHERE id IN `}

// SpendingAccounts returns from which accounts the cards of issuances spend. A
// noname card gets another one with a customer: it stays true only while nobody
// can link or unlink the card.
func SpendingAccounts(ctx context.Context, tx db.Tx, issuances []id.ID[Issuance]) (map[id.ID[Issuance]]ledger.AccountID, error) {
	accounts := make(map[id.ID[Issuance]]ledger.AccountID, len(issuances))
	err := accountsOfIssuances.Query(ctx, tx, nil, id.Texts(issuances), func(row db.Scanner) error {
		var i id.ID[Issuance]
		var account ledger.AccountID
		err := row.Scan(&i, &account)
		accounts[i] = account
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts of issuances: %w", err)
	}
	return accounts, nil
}

// IssuancesOf returns the issuances of a customer.
func IssuancesOf(ctx context.Context, tx db.Tx, tenant access.TenantID, u id.ID[customer.Customer]) ([]id.ID[Issuance], error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (i id.ID[Issuance], err error) { return i, row.Scan(&i) },
		`SELECT id FROM issuance WHERE tenant_id = $1 AND customer_id = $2`, tenant, u)
}
