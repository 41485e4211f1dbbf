package issuing

import (
	"context"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardSort names what card lists can be ordered by, with the column behind it.
var cardSort = map[string]string{
	"creationTime":      "i.created_at",
	"issuanceNo":        "i.issuance_no",
	"productCode":       "i.product_code",
	"accountNo":         "i.account_no",
	"cardStatus":        "c.status",
	"formFactor":        "c.form_factor",
	"expireDate":        "c.expires_on",
	"autoRenewalStatus": "i.auto_renewal",
}

// listCards returns one page, and the number of all matches as far as totalMax
// and one more.
func listCards(ctx context.Context, tx db.Tx, tenant access.TenantID, f CardFilter) ([]ListedCard, int, error) {
	w := f.where(tenant)
	found, err := w.findCards(ctx, tx, tenant, f)
	if err != nil {
		return nil, 0, err
	}
	total, err := w.count(ctx, tx, found)
	if err != nil {
		return nil, 0, err
	}
	stored := []string{"creationTime"}
	if len(w.Args()) == 1 {
		stored = append(stored, "issuanceNo")
	}
	if err := db.Orderable(f.Page, total, stored...); err != nil {
		return nil, 0, err
	}
	from := "issuance i"
	if found {
		from = w.cards + " AS found CROSS JOIN issuance i"
	}
	query := `SELECT i.id, i.tenant_id, i.issuance_no, i.customer_id, i.product_code, i.parent_id, i.account_no,
			i.auto_renewal, i.created_at, c.id, c.card_token, c.sequence_no, c.bin, c.last_four, b.pan_length, c.expires_on,
			c.form_factor, c.status, c.status_reason, p.name,
			(SELECT COUNT(*) FROM issuance ch WHERE ch.parent_id = i.id) FROM ` + from + cardsOfIssuances + w.SQL() +
		db.OrderBy(f.Page, cardSort, "i.created_at DESC", "i.id DESC") +
		` LIMIT ` + w.Bind(int64(f.Limit)) + ` OFFSET ` + w.Bind(int64(f.Skip))
	cards, err := db.Collect(ctx, tx, func(s db.Scanner) (l ListedCard, err error) {
		i, c := &l.Issuance, &l.Card
		err = s.Scan(&i.ID, &i.Tenant, &i.No, &i.Customer, &i.ProductCode, &i.Parent, &i.AccountNo, &i.AutoRenewal,
			db.IntoTime(&i.CreatedAt), &c.ID, &c.Token, &c.Sequence, &c.BIN, &c.LastFour, &c.PANLength, &c.Expires,
			&c.FormFactor, &c.Status, &c.Reason, &l.ProductName, &l.ChildCount)
		return l, err
	}, query, w.Args()...)
	return cards, total, err
}

const cardsOfIssuances = ` JOIN card c ON c.id = i.current_card_id` + program.JoinBIN + program.JoinProduct + ` WHERE `

// cardSelection is what a filter asks for of issuances i and their current cards
// c. Its conditions begin with lead, which has the first led arguments and which
// an index has in order of time.
type cardSelection struct {
	db.Where
	lead  string
	led   int
	found bool   // by a key that few have
	cards string // a query for the issuances of the cards that few are
}

// findCards looks whether one of the conditions on cards holds for few enough to
// begin with them; then w begins with those.
func (w *cardSelection) findCards(ctx context.Context, tx db.Tx, tenant access.TenantID, f CardFilter) (bool, error) {
	if w.found {
		return false, nil
	}
	for _, of := range f.ofCards() {
		var few db.Where
		few.And("k.tenant_id = ?", tenant)
		few.And(of.condition, of.args...)
		n, err := db.Count(ctx, tx, `SELECT 1 FROM card k WHERE `+few.SQL(), few.Args()...)
		if err != nil {
			return false, fmt.Errorf("count cards: %w", err)
		}
		if n <= list.TotalMax {
			w.And("found.issuance_id = i.id")
			w.cards = "(SELECT DISTINCT k.issuance_id FROM card k WHERE " + w.Number("k.tenant_id = ? AND "+of.condition, append([]any{tenant}, of.args...)...) + ")"
			return true, nil
		}
	}
	return false, nil
}

// count counts as far as [list.TotalMax] and one more, and refuses where few are
// found among more than are looked through.
func (w *cardSelection) count(ctx context.Context, tx db.Tx, found bool) (int, error) {
	if w.SQL() == w.lead { // every issuance has what is joined to it
		return db.Count(ctx, tx, `SELECT 1 FROM issuance i WHERE `+w.lead, w.Args()...)
	}
	from, looks := "issuance i", !found && !w.found
	switch {
	case found:
		from = w.cards + " AS found CROSS JOIN issuance i"
	case looks:
		from = db.Some("issuance i", w.lead) + " i"
	}
	n, err := db.Count(ctx, tx, `SELECT 1 FROM `+from+cardsOfIssuances+w.SQL(), w.Args()...)
	if err != nil || !looks || n > list.TotalMax {
		return n, err
	}
	exceeds, err := db.Exceeds(ctx, tx, "issuance i", w.lead, w.Args()[:w.led]...)
	if err == nil && exceeds {
		err = db.TooMany("CreationTimeFrom", "must be given: there are too many cards to look through")
	}
	return n, err
}

// ofCard is a condition on cards k that an index of theirs serves.
type ofCard struct {
	condition string
	args      []any
}

func (f *CardFilter) ofCards() (all []ofCard) {
	add := func(condition string, args ...any) { all = append(all, ofCard{condition, args}) }
	if f.LastFour != "" {
		add("k.last_four = ?", f.LastFour)
	}
	statuses := f.Statuses
	if len(statuses) == 0 && f.IssuanceStatus != "" {
		statuses = f.IssuanceStatus.cardStatuses()
	}
	if len(statuses) > 0 {
		var args []any
		for _, s := range statuses {
			args = append(args, string(s))
		}
		add("k.status IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
	if f.PersoStatus != "" {
		add("k.perso_status = ?", string(f.PersoStatus))
	}
	if f.ShipmentStatus != "" {
		add("k.shipment_status = ?", string(f.ShipmentStatus))
	}
	if !f.ExpiresFrom.IsZero() || !f.ExpiresTo.IsZero() {
		from, to := "0000-00", "9999-99"
		if !f.ExpiresFrom.IsZero() {
			from = f.ExpiresFrom.String()
		}
		if !f.ExpiresTo.IsZero() {
			to = f.ExpiresTo.String()
		}
		add("k.expires_on >= ? AND k.expires_on <= ?", from, to)
	}
	return all
}

func (f CardFilter) where(tenant access.TenantID) *cardSelection {
	w := &cardSelection{found: f.CustomerNo != "" || f.ParentIssuanceNo != "" || f.ExternalCardID != "" || f.AccountNo != ""}
	w.And("i.tenant_id = ?", tenant)
	if !f.CreatedFrom.IsZero() {
		w.And("i.created_at >= ?", clock.Micros(f.CreatedFrom))
	}
	if !f.CreatedTo.IsZero() {
		w.And("i.created_at < ?", clock.Micros(f.CreatedTo))
	}
	if f.ProductCode != "" {
		w.And("i.product_code = ?", f.ProductCode)
	}
	w.lead, w.led = w.SQL(), len(w.Args())
	if f.GroupCode != "" {
		// An expression, so that no engine begins with the group and sorts all its cards.
		w.And("COALESCE(p.group_code, '') = ?", f.GroupCode)
	}
	for _, equal := range []struct{ column, value string }{
		{"c.form_factor", string(f.FormFactor)},
		{"i.external_card_id", f.ExternalCardID},
		{"i.account_no", f.AccountNo},
		{"c.last_four", f.LastFour},
		{"c.perso_status", string(f.PersoStatus)},
		{"c.shipment_status", string(f.ShipmentStatus)},
		{"i.auto_renewal", string(f.AutoRenewal)},
	} {
		if equal.value != "" {
			w.And(equal.column+" = ?", equal.value)
		}
	}
	if f.BIN != "" { // six digits also name the BINs of eight that begin with them
		w.And("c.bin BETWEEN ? AND ?", f.BIN, (f.BIN + "99")[:8])
	}
	if f.CustomerNo != "" {
		w.And("i.customer_id = "+customer.IDByNo, tenant, f.CustomerNo)
	}
	if f.ParentIssuanceNo != "" {
		w.And("i.parent_id = (SELECT id FROM issuance WHERE tenant_id = ? AND issuance_no = ?)", tenant, f.ParentIssuanceNo)
	}
	if f.BatchReference != "" {
		w.And("i.id IN (SELECT n.issuance_id FROM noname_batch nb JOIN noname_card n ON n.batch_id = nb.id"+
			" WHERE nb.tenant_id = ? AND nb.reference = ?)", tenant, f.BatchReference)
	}
	if len(f.Statuses) > 0 {
		andStatusIn(&w.Where, "c.status", f.Statuses)
	}
	if f.IssuanceStatus != "" {
		andStatusIn(&w.Where, "c.status", f.IssuanceStatus.cardStatuses())
	}
	switch f.Ownership {
	case MainCard:
		w.And("i.parent_id IS NULL")
	case SupplementaryCard:
		w.And("i.parent_id IS NOT NULL")
	}
	if f.IsLinked != nil {
		if *f.IsLinked {
			w.And("i.customer_id IS NOT NULL")
		} else {
			w.And("i.customer_id IS NULL")
		}
	}
	if !f.ExpiresFrom.IsZero() {
		w.And("c.expires_on >= ?", f.ExpiresFrom.String())
	}
	if !f.ExpiresTo.IsZero() {
		w.And("c.expires_on <= ?", f.ExpiresTo.String())
	}
	return w
}
