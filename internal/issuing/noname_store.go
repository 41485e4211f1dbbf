package issuing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// nonameDocument is the text of noname_batch.document. Its member names are the
// stored form: they are not changed, only added to.
type nonameDocument struct {
	FormFactor     program.FormFactor
	EmbossText     string
	PhysicalCode   string
	CardArtCode    string
	DeliveryMethod program.DeliveryMethod
	BranchCode     string
	IsExpress      bool
	InitialStatus  CardStatus
	AutoRenewal    program.AutoRenewal
	DigitalSlip    program.DigitalSlipType
	Description    string
	Delivery       []byte // sealed
}

var batchColumns = `b.id, b.tenant_id, b.reference, b.product_code, b.requested_count, b.created_count, b.failed_count, b.failure,
	b.status, b.document, b.digest, b.link_due_at, b.client_id, b.user_reference, b.channel, b.correlation_id, b.created_at, b.updated_at,
	` + access.AheadOf("b.tenant_id")

// scanBatch leaves the delivery of the wish sealed, in the second value.
func scanBatch(s db.Scanner) (NonameBatch, []byte, error) {
	var b NonameBatch
	var document string
	var ahead int64
	err := s.Scan(&b.ID, &b.Tenant, &b.Reference, &b.ProductCode, &b.Requested, &b.Created, &b.Failed, &b.Failure, &b.Status,
		&document, &b.Digest, db.IntoTime(&b.LinkDueAt), &b.by.Client, &b.by.UserReference, &b.by.Channel, &b.by.CorrelationID,
		db.IntoTime(&b.CreatedAt), db.IntoTime(&b.UpdatedAt), &ahead)
	if err != nil {
		return b, nil, err
	}
	var d nonameDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return b, nil, fmt.Errorf("read batch %s: %w", b.ID, err)
	}
	b.by.Ahead = access.AheadFromMicros(ahead)
	b.by.Tenant, b.by.Permissions = b.Tenant, access.EveryPermission() // what it may was asked when it ordered
	b.wish = NewNoname{
		ProductCode: b.ProductCode, FormFactor: d.FormFactor, Count: b.Requested, Reference: b.Reference, EmbossText: d.EmbossText,
		PhysicalCode: d.PhysicalCode, CardArtCode: d.CardArtCode, DeliveryMethod: d.DeliveryMethod, BranchCode: d.BranchCode,
		IsExpress: d.IsExpress, InitialStatus: d.InitialStatus, AutoRenewal: d.AutoRenewal, DigitalSlip: d.DigitalSlip,
		Channel: b.by.Channel, Description: d.Description,
	}
	return b, d.Delivery, nil
}

// readBatch reads a batch and opens where its cards go.
func (s *Service) readBatch(ctx context.Context, tx db.Tx, tenant access.TenantID, batch id.ID[NonameBatch]) (NonameBatch, bool, error) {
	var sealed []byte
	b, found, err := db.One(ctx, tx, func(row db.Scanner) (b NonameBatch, err error) {
		b, sealed, err = scanBatch(row)
		return b, err
	}, `SELECT `+batchColumns+` FROM noname_batch b WHERE b.tenant_id = $1 AND b.id = $2`, tenant, batch)
	if err != nil || !found {
		return NonameBatch{}, false, err
	}
	return b, true, s.openBatchDelivery(ctx, &b, sealed)
}

func insertBatch(ctx context.Context, tx db.Tx, b NonameBatch, delivery []byte) error {
	w := b.wish
	document, err := json.Marshal(nonameDocument{
		w.FormFactor, w.EmbossText, w.PhysicalCode, w.CardArtCode, w.DeliveryMethod, w.BranchCode, w.IsExpress, w.InitialStatus,
		w.AutoRenewal, w.DigitalSlip, w.Description, delivery,
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO noname_batch (id, tenant_id, reference, product_code, requested_count, created_count,
			failed_count, failure, status, document, digest, link_due_at, client_id, user_reference, channel, correlation_id,
			lease_owner, leased_until, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, 0, 0, '', 'Processing', $6, '', $7, $8, $9, $10, $11, '', 0, $12, $12)`,
		b.ID, b.Tenant, b.Reference, b.ProductCode, int64(b.Requested), string(document), db.MicrosOrNull(b.LinkDueAt),
		b.by.Client, b.by.UserReference, b.by.Channel, b.by.CorrelationID, clock.Micros(b.CreatedAt))
	return err
}

// saveBatch writes how far a batch is, and gives its lease back.
func saveBatch(ctx context.Context, tx db.Tx, b NonameBatch) error {
	_, err := tx.Exec(ctx, `UPDATE noname_batch SET created_count = $3, failed_count = $4, failure = $5, status = $6, digest = $7,
			updated_at = $8, lease_owner = '', leased_until = 0
		WHERE tenant_id = $1 AND id = $2`,
		b.Tenant, b.ID, int64(b.Created), int64(b.Failed), string(b.Failure), string(b.Status), b.Digest, clock.Micros(b.UpdatedAt))
	return err
}

// claimBatch leases the batch, of any tenant, that has waited longest. The guard
// is repeated outside: another node may have been faster, and only what stands
// there is looked at again.
func claimBatch(ctx context.Context, tx db.Tx, owner string, now, until time.Time) (id.ID[NonameBatch], bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (b id.ID[NonameBatch], err error) { return b, s.Scan(&b) },
		`UPDATE noname_batch SET lease_owner = $1, leased_until = $3
		WHERE id = (SELECT b.id FROM noname_batch b WHERE b.status = 'Processing' AND b.leased_until <= $2
			ORDER BY b.leased_until, b.updated_at, b.id LIMIT 1)
		AND status = 'Processing' AND leased_until <= $2
		RETURNING id`, owner, clock.Micros(now), clock.Micros(until))
}

// holdBatch keeps others from working on a batch until the transaction ends. It
// is not found when somebody else has the lease by now.
func (s *Service) holdBatch(ctx context.Context, tx db.Tx, batch id.ID[NonameBatch], owner string, until time.Time) (NonameBatch, bool, error) {
	tenant, found, err := db.One(ctx, tx, func(row db.Scanner) (t access.TenantID, err error) { return t, row.Scan(&t) },
		`UPDATE noname_batch SET leased_until = $3 WHERE id = $1 AND lease_owner = $2 AND status = 'Processing' RETURNING tenant_id`,
		batch, owner, clock.Micros(until))
	if err != nil || !found {
		return NonameBatch{}, false, err
	}
	return s.readBatch(ctx, tx, tenant, batch)
}

var insertNonameCards = &db.Bulk{
	Head:    `INSERT INTO noname_card (issuance_id, tenant_id, batch_id, position, barcode, account_id, link_due_at) VALUES `,
	Columns: 7,
}

var insertIssuances = &db.Bulk{
	Head: `INSERT INTO issuance (id, tenant_id, issuance_no, product_code, account_id, account_no, digital_slip_type, auto_renewal,
		policies, current_card_id, concurrency_stamp, created_at, updated_at) VALUES `,
	Columns: 13,
}

var insertCards = &db.Bulk{
	Head: `INSERT INTO card (id, tenant_id, issuance_id, product_code, card_token, sequence_no, psn, pan_sealed, pan_index, bin, last_four,
		expires_on, form_factor, emboss_line_1, emboss_line_2, service_code, chip_profile, key_version, physical, perso_status,
		shipment_status, status, status_reason, status_description, status_changed_at, status_changed_by, status_channel,
		activated_at, renewal_reason, scheduled_status, scheduled_right, renewal_tried_on, renewal_skipped, pin_status, pin_method, pin_value, pvki, pin_try_count, cvv2_try_count, atc, atc_window, tap,
		contactless_count, contactless_amount, created_at, updated_at) VALUES `,
	Columns: 46, Tail: ` ON CONFLICT DO NOTHING RETURNING id`,
}

var insertHistories = &db.Bulk{
	Head: `INSERT INTO card_status_history (card_id, tenant_id, position, status, reason, description, changed_at, changed_by,
		channel) VALUES `,
	Columns: 9,
}

// saveNonameIssuances writes issuances without a customer, and what makes them
// noname.
func saveNonameIssuances(ctx context.Context, tx db.Tx, b NonameBatch, all []nonameDraft) error {
	policies, err := policiesRow(all[0].issuance.Policies) // the product's, for each of them
	if err != nil {
		return err
	}
	var issuances, cards []any
	for _, d := range all {
		i := d.issuance
		issuances = append(issuances, i.ID, i.Tenant, i.No, i.ProductCode, i.Account, i.AccountNo, string(i.DigitalSlipType),
			string(i.AutoRenewal), policies, i.CurrentCard, i.ID.UUID(), clock.Micros(i.CreatedAt), clock.Micros(i.CreatedAt))
		cards = append(cards, i.ID, i.Tenant, b.ID, int64(d.noname.Position), d.noname.Barcode, i.Account, db.MicrosOrNull(b.LinkDueAt))
	}
	if err := insertIssuances.Exec(ctx, tx, issuances); err != nil {
		return fmt.Errorf("insert issuances: %w", err)
	}
	if err := insertNonameCards.Exec(ctx, tx, cards); err != nil {
		return fmt.Errorf("insert noname cards: %w", err)
	}
	return nil
}

// saveFirstCards writes those of the cards whose number and token are free, with
// the first lines of their histories, and returns which these are. The cards
// have no PIN.
func saveFirstCards(ctx context.Context, tx db.Tx, all []*Card) (map[id.ID[Card]]bool, error) {
	var args []any
	for _, c := range all {
		plastic, perso, shipment, err := plasticRow(c.Physical)
		if err != nil {
			return nil, err
		}
		args = append(args, c.ID, c.Tenant, c.Issuance, c.ProductCode, c.Token, int64(c.Sequence), c.PSN, c.sealedPAN, c.indexOfPAN, c.BIN, c.LastFour,
			c.Expires, string(c.FormFactor), c.EmbossLine1, c.EmbossLine2, c.ServiceCode, c.ChipProfile, c.KeyVersion, plastic, perso,
			shipment, string(c.Status), string(c.Reason), c.Description, clock.Micros(c.ChangedAt), c.ChangedBy, c.Channel,
			db.MicrosOrNull(c.ActivatedAt), "", "", 0, "", "", string(c.PINStatus), "", "", "", 0, 0, -1, 0, "", 0, 0, clock.Micros(c.CreatedAt), clock.Micros(c.CreatedAt))
	}
	saved := make(map[id.ID[Card]]bool, len(all))
	err := insertCards.Query(ctx, tx, args, func(row db.Scanner) error {
		var card id.ID[Card]
		err := row.Scan(&card)
		saved[card] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("insert cards: %w", err)
	}
	args = args[:0]
	for _, c := range all {
		if saved[c.ID] {
			args = append(args, c.ID, c.Tenant, 1, string(c.Status), string(c.Reason), c.Description, clock.Micros(c.ChangedAt),
				c.ChangedBy, c.Channel)
		}
	}
	if err := insertHistories.Exec(ctx, tx, args); err != nil {
		return nil, fmt.Errorf("insert status histories: %w", err)
	}
	return saved, nil
}

const nonameColumns = `n.issuance_id, n.batch_id, n.position, n.barcode, n.account_id, n.link_due_at`

// readNonameCards returns a page of the cards of a batch in their order, each by
// the card it was made with.
func readNonameCards(ctx context.Context, tx db.Tx, tenant access.TenantID, batch id.ID[NonameBatch], skip, limit int) ([]NonameCard, error) {
	return db.Collect(ctx, tx, func(s db.Scanner) (n NonameCard, err error) {
		c := &n.Card
		err = s.Scan(&n.Issuance, &n.Batch, &n.Position, &n.Barcode, &n.Account, db.IntoTime(&n.LinkDueAt), &n.IssuanceNo,
			&c.ID, &c.Token, &c.Sequence, &c.BIN, &c.LastFour, &c.PANLength, &c.Expires, &c.FormFactor, &c.Status)
		c.Tenant, c.Issuance = tenant, n.Issuance
		return n, err
	}, `SELECT `+nonameColumns+`, i.issuance_no, c.id, c.card_token, c.sequence_no, c.bin, c.last_four, b.pan_length, c.expires_on,
			c.form_factor, c.status
		FROM noname_card n
		JOIN issuance i ON i.id = n.issuance_id
		JOIN card c ON c.id = i.current_card_id`+program.JoinBIN+`
		WHERE n.tenant_id = $1 AND n.batch_id = $2 AND n.position > $3
		ORDER BY n.position LIMIT $4`, tenant, batch, int64(skip), int64(limit))
}

// readNoname returns what an issuance has for having been made without a
// customer; not found for any other.
func readNoname(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) (NonameCard, bool, error) {
	return db.One(ctx, tx, func(s db.Scanner) (n NonameCard, err error) {
		return n, s.Scan(&n.Issuance, &n.Batch, &n.Position, &n.Barcode, &n.Account, db.IntoTime(&n.LinkDueAt))
	}, `SELECT `+nonameColumns+` FROM noname_card n WHERE n.tenant_id = $1 AND n.issuance_id = $2`, tenant, issuance)
}

// overdue are issuances of the pass that should have been linked by now.
func overdue(ctx context.Context, tx db.Tx, p access.Pass, n int) ([]unlinkedCard, error) {
	var w db.Where
	w.And("link_due_at <= ?", clock.Micros(p.Now))
	p.Narrow(&w, "tenant_id")
	return db.Collect(ctx, tx, func(s db.Scanner) (u unlinkedCard, err error) { return u, s.Scan(&u.tenant, &u.issuance) },
		`SELECT tenant_id, issuance_id FROM noname_card WHERE `+w.SQL()+` ORDER BY link_due_at, issuance_id LIMIT `+w.Bind(int64(n)),
		w.Args()...)
}

// dropDeadline says that an issuance no longer waits to be linked.
func dropDeadline(ctx context.Context, tx db.Tx, tenant access.TenantID, issuance id.ID[Issuance]) error {
	_, err := tx.Exec(ctx, `UPDATE noname_card SET link_due_at = NULL WHERE tenant_id = $1 AND issuance_id = $2`, tenant, issuance)
	return err
}

// moveOwnAccount gives a noname card another account of its own.
func moveOwnAccount(ctx context.Context, tx db.Tx, tenant access.TenantID, n NonameCard) error {
	_, err := tx.Exec(ctx, `UPDATE noname_card SET account_id = $3 WHERE tenant_id = $1 AND issuance_id = $2`, tenant, n.Issuance, n.Account)
	return err
}

// saveHolder writes whose an issuance is and which account it spends from. The
// caller has locked its row and those of its cards.
func saveHolder(ctx context.Context, tx db.Tx, i Issuance) error {
	_, err := tx.Exec(ctx, `UPDATE issuance SET customer_id = $3, account_id = $4, account_no = $5 WHERE tenant_id = $1 AND id = $2`,
		i.Tenant, i.ID, i.Customer, i.Account, i.AccountNo)
	if err != nil {
		return err
	}
	// Who has found the card, and waits for its lock, learns that it must look again.
	if _, err = tx.Exec(ctx, `UPDATE card SET holder_changes = holder_changes + 1 WHERE tenant_id = $1 AND issuance_id = $2`,
		i.Tenant, i.ID); err != nil {
		return err
	}
	return saveIssuance(ctx, tx, i)
}

// sharesAccount reports whether another issuance spends from the account, too.
func sharesAccount(ctx context.Context, tx db.Tx, i Issuance) (bool, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM issuance WHERE tenant_id = $1 AND account_id = $2 AND id <> $3`,
		i.Tenant, i.Account, i.ID)
	return n > 0, err
}

// dropPIN takes the PIN of a card away. Its tries stay counted.
func dropPIN(ctx context.Context, tx db.Tx, c Card, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE card SET pin_status = 'NotSet', pin_method = '', pin_value = '', pvki = '', pin_block = NULL,
			chip_script = '', pin_changed_at = $3, updated_at = $3 WHERE tenant_id = $1 AND id = $2`, c.Tenant, c.ID, clock.Micros(now))
	return err
}

var takenLookup = db.Lookup{Head: `SELECT pan_index FROM card WHERE tenant_id = $1 AND pan_index IN `}

// pansTaken returns those of the indexes that cards of the tenant have.
func pansTaken(ctx context.Context, tx db.Tx, tenant access.TenantID, indexes []string) (map[string]bool, error) {
	taken := map[string]bool{}
	err := takenLookup.Query(ctx, tx, []any{tenant}, indexes, func(row db.Scanner) error {
		var index string
		err := row.Scan(&index)
		taken[index] = true
		return err
	})
	return taken, err
}
