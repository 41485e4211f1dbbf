package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/list"
)

// head is the end of a chain.
type head struct {
	tenant   string
	position int64
	hash     string
}

// advance takes the next place of the tenant's chain and returns the hash of
// the row before it. Others of the tenant wait until the transaction is over.
func advance(ctx context.Context, tx db.Tx, tenant string) (position int64, previous []byte, err error) {
	var last string
	err = tx.QueryRow(ctx, `INSERT INTO audit_chain (tenant_id, position, hash) VALUES ($1, 1, '')
		ON CONFLICT (tenant_id) DO UPDATE SET position = audit_chain.position + 1
		RETURNING position, hash`, tenant).Scan(&position, &last)
	if err != nil {
		return 0, nil, err
	}
	previous, err = hex.DecodeString(last)
	return position, previous, err
}

// insertEntry writes e and makes it the end of its chain.
func insertEntry(ctx context.Context, tx db.Tx, e Entry) error {
	changes, err := storeChanges(e.Changes)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_act (tenant_id, position, occurred_at, stream, action, entity_type, entity_key,
			card_id, issuance_id, product_code, client_id, user_id, channel, correlation_id, result, error_code,
			user_digest, ip_digest, description_digest, changes, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		e.Tenant, e.Position, clock.Micros(e.At), string(e.Stream), e.Action, e.EntityType, e.EntityKey,
		e.CardID, e.IssuanceID, e.ProductCode, e.Client, e.UserID, e.Channel, e.CorrelationID, string(e.Result), e.ErrorCode,
		e.userDigest, e.ipDigest, e.descriptionDigest, changes, e.Hash)
	if err != nil {
		return err
	}
	if e.salt != nil {
		_, err = tx.Exec(ctx, `INSERT INTO audit_personal (tenant_id, position, salt, user_reference, ip_address, description)
			VALUES ($1, $2, $3, $4, $5, $6)`, e.Tenant, e.Position, hex.EncodeToString(e.salt), e.User, e.IP, e.Description)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE audit_chain SET hash = $2 WHERE tenant_id = $1`, e.Tenant, e.Hash)
	return err
}

func storeChanges(changes []Change) (string, error) {
	if len(changes) == 0 {
		return "", nil
	}
	b, err := json.Marshal(changes)
	return string(b), err
}

func heads(ctx context.Context, tx db.Tx) ([]head, error) {
	return db.Collect(ctx, tx, scanHead, `SELECT tenant_id, position, hash FROM audit_chain ORDER BY tenant_id`)
}

func readHead(ctx context.Context, tx db.Tx, tenant string) (head, bool, error) {
	return db.One(ctx, tx, scanHead, `SELECT tenant_id, position, hash FROM audit_chain WHERE tenant_id = $1`, tenant)
}

func scanHead(row db.Scanner) (h head, err error) {
	err = row.Scan(&h.tenant, &h.position, &h.hash)
	return h, err
}

// rowsWithoutHead are the tenants whose acts belong to no chain.
func rowsWithoutHead(ctx context.Context, tx db.Tx) ([]string, error) {
	return db.Collect(ctx, tx, scanText, `SELECT DISTINCT a.tenant_id FROM audit_act a
		WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.tenant_id = a.tenant_id) ORDER BY a.tenant_id`)
}

func readHash(ctx context.Context, tx db.Tx, tenant string, position int64) (string, bool, error) {
	return db.One(ctx, tx, scanText, `SELECT hash FROM audit_act WHERE tenant_id = $1 AND position = $2`, tenant, position)
}

func scanText(row db.Scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

const entryColumns = `a.tenant_id, a.position, a.occurred_at, a.stream, a.action, a.entity_type, a.entity_key, a.card_id,
	a.issuance_id, a.product_code, a.client_id, a.user_id, a.channel, a.correlation_id, a.result, a.error_code, a.user_digest,
	a.ip_digest, a.description_digest, a.changes, a.hash, COALESCE(p.salt, ''), COALESCE(p.user_reference, ''),
	COALESCE(p.ip_address, ''), COALESCE(p.description, '')`

const entryTables = ` FROM audit_act a LEFT JOIN audit_personal p ON p.tenant_id = a.tenant_id AND p.position = a.position`

func scanEntry(row db.Scanner) (e Entry, err error) {
	var at int64
	var salt string
	err = row.Scan(&e.Tenant, &e.Position, &at, &e.Stream, &e.Action, &e.EntityType, &e.EntityKey, &e.CardID,
		&e.IssuanceID, &e.ProductCode, &e.Client, &e.UserID, &e.Channel, &e.CorrelationID, &e.Result, &e.ErrorCode, &e.userDigest,
		&e.ipDigest, &e.descriptionDigest, &e.storedChanges, &e.Hash, &salt, &e.User, &e.IP, &e.Description)
	if err != nil {
		return e, err
	}
	e.At = clock.FromMicros(at)
	e.Erased = salt == "" && e.userDigest+e.ipDigest+e.descriptionDigest != ""
	// What does not parse was altered; verifying tells.
	e.salt, _ = hex.DecodeString(salt)
	if e.storedChanges != "" {
		_ = json.Unmarshal([]byte(e.storedChanges), &e.Changes)
	}
	return e, nil
}

// entriesAfter returns at most n entries of the tenant in order of position.
func entriesAfter(ctx context.Context, tx db.Tx, tenant string, position int64, n int) ([]Entry, error) {
	return db.Collect(ctx, tx, scanEntry, `SELECT `+entryColumns+entryTables+`
		WHERE a.tenant_id = $1 AND a.position > $2 ORDER BY a.position LIMIT $3`, tenant, position, n)
}

// streamAfter is entriesAfter for one stream.
func streamAfter(ctx context.Context, tx db.Tx, tenant string, s Stream, position int64, n int) ([]Entry, error) {
	return db.Collect(ctx, tx, scanEntry, `SELECT `+entryColumns+entryTables+`
		WHERE a.tenant_id = $1 AND a.stream = $2 AND a.position > $3 ORDER BY a.position LIMIT $4`, tenant, string(s), position, n)
}

// findEntries returns the page of entries that f selects, the newest first
// unless it says otherwise, and how many there are, counted up to countMax.
func findEntries(ctx context.Context, tx db.Tx, tenant string, f Filter) ([]Entry, int, error) {
	w, lead, led := f.where(tenant)
	order := `a.occurred_at DESC, a.position DESC`
	if f.OldestFirst {
		order = `a.occurred_at, a.position`
	}
	acts := "audit_act"
	if w.SQL() != lead {
		acts = db.Some("audit_act a", lead)
	}
	total, err := db.Count(ctx, tx, `SELECT 1 FROM `+acts+` a WHERE `+w.SQL(), w.Args()...)
	if err != nil {
		return nil, 0, err
	}
	if total <= list.TotalMax && w.SQL() != lead {
		wide, err := db.Exceeds(ctx, tx, "audit_act a", lead, w.Args()[:led]...)
		if err != nil {
			return nil, 0, err
		}
		if wide {
			return nil, 0, db.TooMany("DateFrom", "must be closer to DateTo: there are too many entries to look through")
		}
	}
	where := w.SQL()
	limit := ` LIMIT ` + w.Bind(f.Take) + ` OFFSET ` + w.Bind(f.Skip)
	page, err := db.Collect(ctx, tx, scanEntry, `SELECT `+entryColumns+entryTables+` WHERE `+where+` ORDER BY `+order+limit, w.Args()...)
	return page, total, err
}

// userOf is who did it, looked up for each act: joined, it would be read of all.
const userOf = `(SELECT u.user_reference FROM audit_personal u WHERE u.tenant_id = a.tenant_id AND u.position = a.position)`

// where is what f asks for. It begins with lead, which an index has in order of
// time, and led is how many arguments lead has.
func (f *Filter) where(tenant string) (w db.Where, lead string, led int) {
	w.And("a.tenant_id = ?", tenant)
	ofCards := len(f.CardIDs)+len(f.IssuanceIDs) > 0
	if !ofCards {
		w.And("a.stream = ?", string(f.Stream))
	}
	w.And("a.occurred_at >= ? AND a.occurred_at <= ?", clock.Micros(f.From), clock.Micros(f.To))
	// The indexes leave out acts on nothing, and are used where that is said.
	if len(f.CardIDs) > 0 {
		among(&w, "a.card_id <> '' AND a.card_id", f.CardIDs)
	} else if len(f.IssuanceIDs) > 0 {
		among(&w, "a.issuance_id <> '' AND a.issuance_id", f.IssuanceIDs)
	} else if f.ProductCode != "" {
		w.And("a.product_code <> '' AND a.product_code = ?", f.ProductCode)
	}
	lead, led = w.SQL(), len(w.Args())
	if ofCards && f.Stream != CardStream {
		// As an expression, lest SQLite takes the index by time for it.
		w.And("(a.stream || '') = ?", string(f.Stream))
	}
	if len(f.CardIDs) > 0 {
		among(&w, "a.issuance_id", f.IssuanceIDs)
	}
	among(&w, "a.entity_type", f.EntityTypes)
	among(&w, "a.action", f.Actions)
	for _, one := range []struct{ column, value string }{
		{"a.entity_key", f.EntityKey}, {"a.client_id", f.Client}, {"a.channel", f.Channel}, {userOf, f.User},
	} {
		if one.value != "" {
			w.And(one.column+" = ?", one.value)
		}
	}
	if f.Property != "" {
		w.And("(a.changes LIKE ? OR a.changes LIKE ?)", `%"Property":"`+f.Property+`"%`, `%"Property":"`+f.Property+`.timed"%`)
	}
	return w, lead, led
}

// among adds a condition that column is one of values, if there are any.
func among(w *db.Where, column string, values []string) {
	if len(values) == 0 {
		return
	}
	marks, args := "", make([]any, len(values))
	for i, v := range values {
		if i > 0 {
			marks += ", "
		}
		marks, args[i] = marks+"?", v
	}
	w.And(column+" IN ("+marks+")", args...)
}
