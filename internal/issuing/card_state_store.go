package issuing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

var cardsOnNetwork = &db.Lookup{
	Head: `SELECT c.pan_index, c.id, c.issuance_id, c.product_code, c.card_token, c.sequence_no, c.psn, c.bin, c.last_four, c.expires_on, c.form_factor,
		c.service_code, c.chip_profile, c.key_version, c.status, c.status_reason, c.pin_status, c.pin_method,
		c.pin_value, c.pvki, c.pin_changed_at, c.pin_block, c.chip_script, c.chip_script_atc, c.pin_try_count, c.cvv2_try_count, c.atc,
		i.id, i.issuance_no, i.product_code, i.parent_id, i.account_id, i.account_no, i.digital_slip_type,
		i.current_card_id, i.external_card_id, i.customer_id, u.customer_no, u.status, c.previous_card_id, c.shipment_status,
		COALESCE(f.status, CASE WHEN i.current_card_id = c.id THEN c.status ELSE '' END), c.holder_changes,
		n.id, COALESCE(n.product_code, ''), COALESCE(n.form_factor, ''), COALESCE(n.expires_on, c.expires_on), COALESCE(n.shipment_status, ''),
		COALESCE(n.status, ''), COALESCE(n.scheduled_right, 0), n.scheduled_at,
		i.policies, COALESCE(p.policies, '[]'), u.segment_code, u.customer_type, u.kyc_level, u.concurrency_stamp, u.created_at,
		c.created_at, c.activated_at, i.phone_changed_at
		FROM card c
		JOIN issuance i ON i.id = c.issuance_id
		LEFT JOIN card n ON n.id = i.successor_card_id AND i.current_card_id = c.id AND n.scheduled_status = 'Active'
		LEFT JOIN issuance p ON p.id = i.parent_id
		LEFT JOIN card f ON f.id = CASE WHEN i.current_card_id <> c.id THEN i.current_card_id END` + customer.JoinHolder + `
		WHERE c.tenant_id = $1 AND c.pan_index IN `,
	Tail: ` ORDER BY c.sequence_no DESC`, Together: true,
}

// readCardsOnNetwork hands over the cards of numbers, those of each newest first, or
// why one cannot be read.
func readCardsOnNetwork(ctx context.Context, tx db.Tx, tenant access.TenantID, hashes []string, each func(hash string, card CardOnNetwork, err error)) error {
	return cardsOnNetwork.Query(ctx, tx, []any{tenant}, hashes, func(s db.Scanner) error {
		hash, card, err := scanCardOnNetwork(s, tenant)
		if hash == "" {
			return err
		}
		each(hash, card, err)
		return nil
	})
}

func scanCardOnNetwork(s db.Scanner, tenant access.TenantID) (hash string, n CardOnNetwork, err error) {
	var holder CustomerOnNetwork
	var method, value, pvki, status, kind, policies, parentPolicies string
	var kyc *int64
	var next successorRow
	c, i := &n.Card, &n.Issuance
	err = s.Scan(&hash, &c.ID, &c.Issuance, &c.ProductCode, &c.Token, &c.Sequence, &c.PSN, &c.BIN, &c.LastFour, &c.Expires, &c.FormFactor,
		&c.ServiceCode, &c.ChipProfile, &c.KeyVersion, &c.Status, &c.Reason, &c.PINStatus, &method, &value, &pvki,
		db.IntoTime(&c.PINChangedAt), &c.PINBlock, &c.Script, &c.ScriptATC, &c.PINTryCount, &c.CVV2TryCount, &c.LastATC,
		&i.ID, &i.No, &i.ProductCode, &i.Parent, &i.Account, &i.AccountNo, &i.DigitalSlipType, &i.CurrentCard,
		optional{&i.ExternalCardID}, &i.Customer, optional{&holder.No}, optional{&status}, &c.PreviousCard, &n.shipment, &n.current, &n.holderChanges,
		&next.id, &next.product, &next.form, &next.expires, &next.shipment, &next.status, &next.right, db.IntoTime(&next.at),
		&policies, &parentPolicies, optional{&holder.Segment}, optional{&kind}, &kyc, optional{&holder.stamp}, db.IntoTime(&holder.Since),
		db.IntoTime(&c.CreatedAt), db.IntoTime(&c.ActivatedAt), db.IntoTime(&i.PhoneChangedAt))
	if err != nil {
		return hash, n, err
	}
	if i.Policies, err = policiesOf(policies); err != nil {
		return hash, n, fmt.Errorf("issuance %s: %w", i.ID, err)
	}
	if n.parent.Policies, err = policiesOf(parentPolicies); err != nil {
		return hash, n, fmt.Errorf("parent of issuance %s: %w", i.ID, err)
	}
	if c.PIN, err = verifierOf(method, value, pvki); err != nil {
		return hash, n, fmt.Errorf("card %s: %w", c.ID, err)
	}
	c.Tenant, i.Tenant = tenant, tenant
	n.waiting = next.card()
	if !i.Customer.IsZero() {
		holder.ID, holder.Status, holder.Type = i.Customer.String(), customer.Status(status), customer.Type(kind)
		if kyc != nil {
			holder.KYCLevel = customer.KYCLevel(*kyc)
		}
		n.Customer = &holder
	}
	return hash, n, nil
}

// successorRow is the card that is to take another one's place at a time; its id
// is zero where there is none.
type successorRow struct {
	id       cardID
	product  string
	form     program.FormFactor
	expires  Expiry
	shipment ShipmentStatus
	status   CardStatus
	right    Mover
	at       time.Time
}

func (r successorRow) card() *Card {
	if r.id.IsZero() {
		return nil
	}
	return &Card{
		ID: r.id, ProductCode: r.product, FormFactor: r.form, Expires: r.expires, Physical: &CardBody{ShipmentStatus: r.shipment},
		StatusChange: StatusChange{Status: r.status}, Upcoming: Upcoming{Scheduled: Active, ScheduledAt: r.at, ScheduledRight: r.right},
	}
}

var selectCardStates = db.Lookup{
	Head: `SELECT id, pan_index, status, pin_status, pin_changed_at, pin_try_count, cvv2_try_count, atc, atc_window,
		chip_script, chip_script_atc, tap, contactless_count, contactless_amount, contactless_runs,
		scheduled_status, scheduled_at, scheduled_right, retires_at, holder_changes, ` + access.AheadOf("card.tenant_id") + `
		FROM card WHERE id IN (
		SELECT p.id FROM card p JOIN card c ON c.tenant_id = p.tenant_id AND c.pan_index = p.pan_index WHERE c.id IN `,
	Tail: `) ORDER BY id`,
	Lock: true, Together: true,
}

// LockCardStates reads the states of the cards, and of all plastics of their
// numbers, and keeps others from changing them until the transaction ends. What
// counts per number is the same in all plastics of one. The ids may belong to several tenants and
// are locked in their order, whatever order they come in; unknown ones are
// missing in the answer.
func LockCardStates(ctx context.Context, tx db.Tx, ids []id.ID[Card]) (map[id.ID[Card]]CardState, error) {
	keys := make([]string, len(ids))
	for i, d := range ids {
		keys[i] = d.String()
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	states := make(map[id.ID[Card]]CardState, len(keys))
	err := selectCardStates.Query(ctx, tx, nil, keys, func(s db.Scanner) error {
		var c CardState
		var window, ahead int64
		err := s.Scan(&c.ID, &c.number, &c.Status, &c.PINStatus, db.IntoTime(&c.PINChangedAt), &c.PINTryCount, &c.CVV2TryCount, &c.ATC,
			&window, &c.Script, &c.ScriptATC, &c.Tap, &c.ContactlessCount, &c.ContactlessAmount, &c.ContactlessRuns, &c.Scheduled,
			db.IntoTime(&c.ScheduledAt), &c.ScheduledRight, db.IntoTime(&c.RetiresAt), &c.holderChanges, &ahead)
		if err != nil {
			return err
		}
		c.Ahead = access.AheadFromMicros(ahead)
		c.ATCWindow, c.locked = uint64(window), c.Status
		states[c.ID] = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock card states: %w", err)
	}
	joinTries(states)
	return states, nil
}

var updateCardStates = db.Bulk{
	Head: `WITH v (id, pin_status, pin_try_count, cvv2_try_count, atc, atc_window, tap, contactless_count,
		contactless_amount, updated_at, chip_script, chip_script_atc, contactless_runs) AS (VALUES `,
	Columns: 13,
	Types:   []string{"TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "TEXT", "BIGINT", "BIGINT"},
	Tail: `) UPDATE card SET pin_status = v.pin_status, pin_try_count = v.pin_try_count,
		cvv2_try_count = v.cvv2_try_count, atc = v.atc, atc_window = v.atc_window, tap = v.tap,
		contactless_count = v.contactless_count, contactless_amount = v.contactless_amount, updated_at = v.updated_at,
		chip_script = v.chip_script, chip_script_atc = v.chip_script_atc, contactless_runs = v.contactless_runs
		FROM v WHERE card.id = v.id`,
	Alone: `UPDATE card SET pin_status = $2, pin_try_count = $3, cvv2_try_count = $4, atc = $5, atc_window = $6, tap = $7,
		contactless_count = $8, contactless_amount = $9, updated_at = $10, chip_script = $11, chip_script_atc = $12,
		contactless_runs = $13 WHERE id = $1`,
}

// atcWindowBits is how much of ATCWindow is kept: the column has a sign.
const atcWindowBits = 1<<63 - 1

// SaveCardStates writes states that [LockCardStates] read in the same
// transaction. A card whose status became another one gets a line in its
// history, as moved by the system at its first use; if it is a successor, it is
// in force then and its predecessor comes to its end. The acts are for
// [RecordFirstUses]; where no status changed there are none.
func SaveCardStates(ctx context.Context, tx db.Tx, states []CardState, now clock.Real) (acts []audit.Act, err error) {
	sorted, err := saveStates(ctx, tx, states, now)
	if err != nil {
		return nil, err
	}
	for _, c := range sorted {
		if c.locked == "" || c.locked == c.Status {
			continue
		}
		done, err := moveAtFirstUse(ctx, tx, c, now)
		if err != nil {
			return nil, fmt.Errorf("save status of card %s: %w", c.ID, err)
		}
		acts = append(acts, done...)
	}
	return acts, nil
}

// saveStates writes what authorizations and tries change of cards, but their
// status, and returns the states in the order of the cards.
func saveStates(ctx context.Context, tx db.Tx, states []CardState, now clock.Real) ([]CardState, error) {
	args := make([]any, 0, len(states)*updateCardStates.Columns)
	sorted := slices.SortedFunc(slices.Values(states), func(a, b CardState) int { return a.ID.Compare(b.ID) })
	for _, c := range sorted {
		args = append(args, c.ID.String(), string(c.PINStatus), int64(c.PINTryCount), int64(c.CVV2TryCount), int64(c.ATC),
			int64(c.ATCWindow&atcWindowBits), c.Tap, int64(c.ContactlessCount), c.ContactlessAmount, clock.Micros(c.Ahead.At(now)),
			string(c.Script), int64(c.ScriptATC), int64(c.ContactlessRuns))
	}
	if err := updateCardStates.Exec(ctx, tx, args); err != nil {
		return nil, fmt.Errorf("save card states: %w", err)
	}
	return sorted, nil
}

// moveAtFirstUse brings a card, which is locked, into the status of c.
func moveAtFirstUse(ctx context.Context, tx db.Tx, c CardState, now clock.Real) ([]audit.Act, error) {
	var tenant access.TenantID
	if err := tx.QueryRow(ctx, `SELECT tenant_id FROM card WHERE id = $1`, c.ID).Scan(&tenant); err != nil {
		return nil, err
	}
	card, found, err := readCardByID(ctx, tx, tenant, c.ID)
	if err != nil || !found {
		return nil, db.Missing(err)
	}
	to := StatusChange{Status: c.Status, Reason: FirstActivation, ChangedAt: c.Ahead.At(now), ChangedBy: "system", Channel: "System"}
	act, err := moveBySystemAct(ctx, tx, card, to, c.Ahead)
	if err != nil {
		return nil, err
	}
	acts := []audit.Act{act}
	if c.locked == Pending && c.Status == Active {
		if act, found, err = takeOverAtFirstUse(ctx, tx, card, to, c.Ahead); found {
			acts = append(acts, act)
		}
	}
	return acts, err
}

// moveBySystemAct moves a card without its mover, tells it, and returns what is
// to be recorded.
func moveBySystemAct(ctx context.Context, tx db.Tx, card Card, to StatusChange, ahead clock.Ahead) (audit.Act, error) {
	moved, err := moveCard(ctx, tx, card.Tenant, card.ID, card.Status, to)
	if err != nil || !moved {
		return audit.Act{}, orRefuse(err, errStale)
	}
	system := access.System(access.Tenant{ID: card.Tenant, Ahead: ahead})
	return moveAct(card, system, to, ahead.Real(to.ChangedAt)), raiseStatus(ctx, tx, access.Caller{Ahead: ahead}, card.ID, card.Status, to)
}

// takeOverAtFirstUse brings a card that its first use has activated into force,
// if it is a successor, and ends its predecessor; found says whether there is an
// act of that.
func takeOverAtFirstUse(ctx context.Context, tx db.Tx, card Card, change StatusChange, ahead clock.Ahead) (act audit.Act, found bool, err error) {
	i, found, err := readIssuance(ctx, tx, card.Tenant, card.Issuance)
	if err != nil || !found {
		return act, false, fmt.Errorf("read issuance: %w", db.Missing(err))
	}
	if i.Successor != card.ID {
		return act, false, nil
	}
	old, found, err := readCardByID(ctx, tx, card.Tenant, i.CurrentCard)
	if err != nil || !found {
		return act, false, fmt.Errorf("read predecessor: %w", db.Missing(err))
	}
	i.CurrentCard, i.ProductCode, i.Successor = card.ID, card.ProductCode, cardID{}
	if err := saveSuccession(ctx, tx, i, change.ChangedAt); err != nil {
		return act, false, err
	}
	if err := followStored(ctx, tx, old, card, change.ChangedAt); err != nil {
		return act, false, err
	}
	if err := clearUpcoming(ctx, tx, i.Tenant, old.ID); err != nil {
		return act, false, err
	}
	change.Reason, change.Status = Superseded, AfterSuccession(old.Status)
	if change.Status == old.Status {
		return act, false, nil
	}
	act, err = moveBySystemAct(ctx, tx, old, change, ahead)
	return act, err == nil, err
}
