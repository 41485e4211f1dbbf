package issuing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

const cardColumns = `c.id, c.tenant_id, c.issuance_id, c.product_code, c.card_token, c.sequence_no, c.psn, c.pan_sealed, c.pan_index,
	c.bin, c.last_four, b.pan_length, c.expires_on, c.form_factor, c.emboss_line_1, c.emboss_line_2, c.service_code,
	c.chip_profile, c.key_version, c.physical, c.perso_status, c.shipment_status, c.status, c.status_reason,
	c.status_description, c.status_changed_at, c.status_changed_by, c.status_channel, c.activated_at,
	c.previous_card_id, c.renewal_reason, c.retires_at, c.scheduled_status, c.scheduled_at, c.scheduled_right, c.pin_status,
	c.pin_method, c.pin_value, c.pvki, c.pin_changed_at, c.pin_block, c.chip_script, c.chip_script_atc, c.pin_try_count,
	c.cvv2_try_count, c.atc, c.contactless_count, c.contactless_amount, c.created_at, c.updated_at, c.plastic_updated_at,
	(SELECT p.card_token FROM card p WHERE p.id = c.previous_card_id)`

const cardTables = ` FROM card c` + program.JoinBIN

func scanCard(s db.Scanner) (Card, error) {
	var c Card
	var plastic, method, value, pvki, perso, shipment string
	var plasticUpdated time.Time
	err := s.Scan(&c.ID, &c.Tenant, &c.Issuance, &c.ProductCode, &c.Token, &c.Sequence, &c.PSN, &c.sealedPAN, &c.indexOfPAN,
		&c.BIN, &c.LastFour, &c.PANLength, &c.Expires, &c.FormFactor, &c.EmbossLine1, &c.EmbossLine2, &c.ServiceCode,
		&c.ChipProfile, &c.KeyVersion, &plastic, &perso, &shipment, &c.Status, &c.Reason,
		&c.Description, db.IntoTime(&c.ChangedAt), &c.ChangedBy, &c.Channel, db.IntoTime(&c.ActivatedAt),
		&c.PreviousCard, &c.Renewed, db.IntoTime(&c.RetiresAt), &c.Scheduled, db.IntoTime(&c.ScheduledAt), &c.ScheduledRight,
		&c.PINStatus, &method, &value, &pvki, db.IntoTime(&c.PINChangedAt), &c.PINBlock, &c.Script, &c.ScriptATC, &c.PINTryCount,
		&c.CVV2TryCount, &c.LastATC, &c.Contactless.Count, &c.Contactless.Amount, db.IntoTime(&c.CreatedAt), db.IntoTime(&c.UpdatedAt),
		db.IntoTime(&plasticUpdated), optional{&c.PreviousToken})
	if err != nil {
		return Card{}, err
	}
	if c.PIN, err = verifierOf(method, value, pvki); err != nil {
		return Card{}, fmt.Errorf("card %s: %w", c.ID, err)
	}
	if c.Physical, err = plasticOf(plastic, perso, shipment); err != nil {
		return Card{}, fmt.Errorf("card %s: %w", c.ID, err)
	}
	if c.Physical != nil && !plasticUpdated.IsZero() {
		c.Physical.UpdatedAt = plasticUpdated
	}
	return c, nil
}

// ReadTokens reads the tokens of all cards of a tenant, in an order that stays.
func ReadTokens(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]string, error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (token string, err error) {
		err = row.Scan(&token)
		return token, err
	}, `SELECT card_token FROM card WHERE tenant_id = $1 ORDER BY id`, tenant)
}

// readCard finds a card of the tenant by its token: the plastic of that
// sequence, or when sequence is 0 the one in force, else the newest. A number
// that was replaced has none in force.
func readCard(ctx context.Context, tx db.Tx, tenant access.TenantID, token string, sequence int) (Card, bool, error) {
	return db.One(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+`
		JOIN issuance i ON i.id = c.issuance_id
		WHERE c.tenant_id = $1 AND c.card_token = $2 AND ($3 = 0 OR c.sequence_no = $3)
		ORDER BY CASE WHEN i.current_card_id = c.id THEN 0 ELSE 1 END, c.sequence_no DESC LIMIT 1`, tenant, token, int64(sequence))
}

func readCardByID(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card]) (Card, bool, error) {
	return db.One(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+`
		WHERE c.tenant_id = $1 AND c.id = $2`, tenant, card)
}

var cardLookup = db.Lookup{Head: `SELECT ` + cardColumns + cardTables + ` WHERE c.tenant_id = $1 AND c.id IN `}

// ReadCards returns cards of a tenant by their identifiers.
func ReadCards(ctx context.Context, tx db.Tx, tenant access.TenantID, ids []id.ID[Card]) (map[id.ID[Card]]Card, error) {
	return readCardsByID(ctx, tx, tenant, ids)
}

func readCardsByID(ctx context.Context, tx db.Tx, tenant access.TenantID, ids []id.ID[Card]) (map[id.ID[Card]]Card, error) {
	cards := make(map[id.ID[Card]]Card, len(ids))
	err := cardLookup.Query(ctx, tx, []any{tenant}, id.Texts(ids), func(row db.Scanner) error {
		card, err := scanCard(row)
		cards[card.ID] = card
		return err
	})
	return cards, err
}

// readCardsInForce returns the cards in force of a customer that end in these
// digits, but for those that are closed.
func readCardsInForce(ctx context.Context, tx db.Tx, tenant access.TenantID, holder id.ID[customer.Customer], lastFour string) ([]Card, error) {
	cards, err := db.Collect(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+` JOIN issuance i ON i.current_card_id = c.id
		WHERE i.tenant_id = $1 AND i.customer_id = $2 AND c.last_four = $3`, tenant, holder, lastFour)
	return slices.DeleteFunc(cards, func(c Card) bool { return c.Status.IsFinal() }), err
}

// readCardsOfIssuance returns every card of an issuance, newest first.
func readCardsOfIssuance(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) ([]Card, error) {
	return db.Collect(ctx, tx, scanCard, `SELECT `+cardColumns+cardTables+`
		WHERE c.tenant_id = $1 AND c.issuance_id = $2 ORDER BY c.created_at DESC, c.sequence_no DESC, c.id DESC`, tenant, issuance)
}

// insertCard adds a card and the first line of its history. Tries count per
// number: a further plastic begins with those of the others. It returns false,
// and has changed nothing, when number or token are taken.
func insertCard(ctx context.Context, tx db.Tx, c Card) (bool, error) {
	plastic, perso, shipment, err := plasticRow(c.Physical)
	if err != nil {
		return false, err
	}
	method, value, pvki := verifierRow(c.PIN)
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO card (id, tenant_id, issuance_id, product_code, card_token, sequence_no, psn,
			pan_sealed, pan_index, bin, last_four, expires_on, form_factor, emboss_line_1, emboss_line_2, service_code,
			chip_profile, key_version, physical, perso_status, shipment_status, status, status_reason,
			status_description, status_changed_at, status_changed_by, status_channel, activated_at, previous_card_id,
			renewal_reason, scheduled_status, scheduled_right, renewal_tried_on, renewal_skipped, pin_status, pin_method,
			pin_value, pvki, pin_changed_at, pin_try_count, cvv2_try_count, atc, atc_window, tap, contactless_count,
			contactless_amount, created_at, updated_at, pin_block)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
			$23, $24, $25, $26, $27, $28, $29, $30, '', 0, '', '', $31, $32, $33, $34, $35,
			(SELECT COALESCE(MAX(o.pin_try_count), 0) FROM card o WHERE o.tenant_id = $2 AND o.pan_index = $9),
			(SELECT COALESCE(MAX(o.cvv2_try_count), 0) FROM card o WHERE o.tenant_id = $2 AND o.pan_index = $9),
			-1, 0, '', 0, 0, $36, $36, $37)
		ON CONFLICT DO NOTHING`,
		c.ID, c.Tenant, c.Issuance, c.ProductCode, c.Token, int64(c.Sequence), c.PSN,
		c.sealedPAN, c.indexOfPAN, c.BIN, c.LastFour, c.Expires, string(c.FormFactor), c.EmbossLine1, c.EmbossLine2,
		c.ServiceCode, c.ChipProfile, c.KeyVersion, plastic, perso, shipment, string(c.Status), string(c.Reason),
		c.Description, clock.Micros(c.ChangedAt), c.ChangedBy, c.Channel, db.MicrosOrNull(c.ActivatedAt), c.PreviousCard,
		string(c.Renewed), string(c.PINStatus), method, value, pvki, db.MicrosOrNull(c.PINChangedAt), clock.Micros(c.CreatedAt),
		c.PINBlock))
	if err != nil || n == 0 {
		return false, err
	}
	return true, appendHistory(ctx, tx, c.Tenant, c.ID, c.StatusChange)
}

// moveCard changes the status when it still is from, and writes the history.
// It returns false, and has changed nothing, when somebody else was faster.
func moveCard(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card], from CardStatus, to StatusChange) (bool, error) {
	at := clock.Micros(to.ChangedAt)
	n, err := db.Affected(tx.Exec(ctx, `UPDATE card SET status = $1, status_reason = $2, status_description = $3,
			status_changed_at = $4, status_changed_by = $5, status_channel = $6, updated_at = $4,
			activated_at = CASE WHEN $1 = 'Active' AND activated_at IS NULL THEN $4 ELSE activated_at END
		WHERE tenant_id = $7 AND id = $8 AND status = $9`,
		string(to.Status), string(to.Reason), to.Description, at, to.ChangedBy, to.Channel, tenant, card, string(from)))
	if err != nil || n == 0 {
		return false, err
	}
	return true, appendHistory(ctx, tx, tenant, card, to)
}

// appendHistory adds a line; the row of the card, which the caller has just
// written, keeps others from taking the same position.
func appendHistory(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card], s StatusChange) error {
	_, err := tx.Exec(ctx, `INSERT INTO card_status_history (card_id, tenant_id, position, status, reason, description,
			changed_at, changed_by, channel)
		VALUES ($1, $2, (SELECT COALESCE(MAX(h.position), 0) + 1 FROM card_status_history h WHERE h.card_id = $1),
			$3, $4, $5, $6, $7, $8)`,
		card, tenant, string(s.Status), string(s.Reason), s.Description, clock.Micros(s.ChangedAt), s.ChangedBy, s.Channel)
	return err
}

// readHistory returns the statuses a card went through, newest first.
func readHistory(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card]) ([]StatusChange, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (c StatusChange, err error) {
		return c, s.Scan(&c.Status, &c.Reason, &c.Description, db.IntoTime(&c.ChangedAt), &c.ChangedBy, &c.Channel)
	}, `SELECT status, reason, description, changed_at, changed_by, channel FROM card_status_history
		WHERE tenant_id = $1 AND card_id = $2 ORDER BY position DESC`, tenant, card)
}

// andStatusIn adds "column IN (…)"; no status at all matches nothing.
func andStatusIn(w *db.Where, column string, statuses []CardStatus) {
	if len(statuses) == 0 {
		w.And("1 = 0")
		return
	}
	args := make([]any, len(statuses))
	for i, s := range statuses {
		args[i] = string(s)
	}
	w.And(column+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
}

// The PIN verifier's three columns: method, value and key index.

const (
	methodPVV     = "PVV"
	methodIBM3624 = "IBM3624"
)

var errVerifier = errors.New("stored PIN verifier is malformed")

func verifierOf(method, value, pvki string) (hsm.Verifier, error) {
	switch {
	case method == "" && value == "" && pvki == "":
		return hsm.Verifier{}, nil
	case method == methodPVV && len(pvki) == 1 && value != "":
		return hsm.Verifier{Method: hsm.PVV, PVKI: pvki[0] - '0', Value: value}, nil
	case method == methodIBM3624 && value != "":
		return hsm.Verifier{Method: hsm.IBM3624, Value: value}, nil
	}
	return hsm.Verifier{}, errVerifier
}

func verifierRow(v hsm.Verifier) (method, value, pvki string) {
	switch v.Method {
	case hsm.PVV:
		return methodPVV, v.Value, string('0' + rune(v.PVKI%10))
	case hsm.IBM3624:
		return methodIBM3624, v.Value, ""
	}
	return "", "", ""
}

// plasticDocument is the text of card.physical. Its member names are the
// stored form: they are not changed, only added to.
type plasticDocument struct {
	Code           string
	CardArtCode    string
	PlasticCode    string
	DeliveryMethod program.DeliveryMethod
	BranchCode     string
	IsExpress      bool
	PersoVendor    string
	RequestedAt    int64
	UpdatedAt      int64
	Delivery       []byte // sealed
}

func plasticRow(p *CardBody) (document, perso, shipment string, err error) {
	if p == nil {
		return "", string(PersoNotRequired), string(ShipmentNotApplicable), nil
	}
	text, err := json.Marshal(plasticDocument{
		p.Code, p.CardArtCode, p.PlasticCode, p.DeliveryMethod, p.BranchCode, p.IsExpress, p.PersoVendor,
		clock.Micros(p.RequestedAt), clock.Micros(p.UpdatedAt), p.sealedDelivery,
	})
	return string(text), string(p.PersoStatus), string(p.ShipmentStatus), err
}

func plasticOf(document, perso, shipment string) (*CardBody, error) {
	if document == "" {
		return nil, nil
	}
	var d plasticDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return nil, fmt.Errorf("read plastic: %w", err)
	}
	return &CardBody{
		Code: d.Code, CardArtCode: d.CardArtCode, PlasticCode: d.PlasticCode, DeliveryMethod: d.DeliveryMethod,
		BranchCode: d.BranchCode, IsExpress: d.IsExpress, PersoVendor: d.PersoVendor,
		PersoStatus: PersoStatus(perso), ShipmentStatus: ShipmentStatus(shipment),
		RequestedAt: clock.FromMicros(d.RequestedAt), UpdatedAt: clock.FromMicros(d.UpdatedAt),
		sealedDelivery: d.Delivery,
	}, nil
}

// optional scans a nullable TEXT; NULL becomes empty.
type optional struct{ to *string }

// Scan implements sql.Scanner.
func (o optional) Scan(src any) error {
	var s sql.NullString
	if err := s.Scan(src); err != nil {
		return err
	}
	*o.to = s.String
	return nil
}

// panTaken reports whether a card of the tenant has the number of this index.
func panTaken(ctx context.Context, tx db.Tx, tenant access.TenantID, index string) (bool, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM card WHERE tenant_id = $1 AND pan_index = $2`, tenant, index)
	return n > 0, err
}
