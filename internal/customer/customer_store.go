package customer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// document is what is sealed of a customer.
type document struct {
	Profile         Profile
	Identifications []Identification
	Communications  []Communication
	Addresses       []Address
}

// seal seals the personal part of u for its row.
func (s *Service) seal(ctx context.Context, u Customer) ([]byte, error) {
	plain, err := json.Marshal(document{u.Profile, u.Identifications, u.Communications, u.Addresses})
	if err != nil {
		return nil, fmt.Errorf("encode customer: %w", err)
	}
	defer clear(plain)
	sealed, err := s.HSM.Seal(ctx, u.Tenant.String(), Purpose, plain, hsm.PlaceOf(u.Tenant, "customer", "document", u.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal customer: %w", vault.HSMFault(err))
	}
	return sealed, nil
}

// open fills the personal part of u from what lies sealed in its row.
func (s *Service) open(ctx context.Context, u *Customer, sealed []byte) error {
	var d document
	if err := s.openInto(ctx, u.Tenant, u.ID, sealed, &d); err != nil {
		return err
	}
	u.Profile, u.Identifications, u.Communications, u.Addresses = d.Profile, d.Identifications, d.Communications, d.Addresses
	return nil
}

// openInto reads into d as much of a customer's document as it has members for.
func (s *Service) openInto(ctx context.Context, tenant access.TenantID, u id.ID[Customer], sealed []byte, d any) error {
	plain, err := s.HSM.Open(ctx, tenant.String(), Purpose, sealed, hsm.PlaceOf(tenant, "customer", "document", u.String()))
	if err != nil {
		return fmt.Errorf("open customer %s: %w", u, vault.HSMFault(err))
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, d); err != nil {
		return fmt.Errorf("decode customer %s: its document is malformed", u)
	}
	return nil
}

// personLookup reads what is sealed of customers. They are asked for with each payment,
// so that the tenant is for the caller to look at.
var personLookup = &db.Lookup{Head: `SELECT id, tenant_id, concurrency_stamp, document FROM customer WHERE id IN `, Together: true}

// readPersons hands over what rules ask of the tenant's customers with these ids, those that can be
// read, with their concurrency stamps.
func (s *Service) readPersons(ctx context.Context, tx db.Tx, tenant access.TenantID, ids []string, each func(u id.ID[Customer], stamp string, p Person)) error {
	return personLookup.Query(ctx, tx, nil, ids, func(row db.Scanner) error {
		var u id.ID[Customer]
		var of access.TenantID
		var stamp string
		var sealed []byte
		if err := row.Scan(&u, &of, &stamp, &sealed); err != nil || of != tenant {
			return nil // it is spoiled: that is nothing to the others
		}
		var d struct{ Profile Person }
		if s.openInto(ctx, tenant, u, sealed, &d) == nil {
			each(u, stamp, d.Profile)
		}
		return nil
	})
}

const customerColumns = `c.id, c.tenant_id, c.customer_no, c.external_customer_id, c.customer_type, c.status, c.kyc_level,
	c.segment_code, (SELECT s.name FROM customer_segment s WHERE s.tenant_id = c.tenant_id AND s.code = c.segment_code), c.document, c.concurrency_stamp, c.created_at, c.created_by, c.updated_at, c.updated_by`

// customerRow is a customer as stored: its document still sealed.
type customerRow struct {
	Customer
	sealed []byte
}

func scanCustomer(row db.Scanner) (customerRow, error) {
	var u customerRow
	var external, segment, segmentName *string
	record, done := access.RecordTarget(&u.Record)
	err := row.Scan(append([]any{&u.ID, &u.Tenant, &u.No, &external, &u.Type, &u.Status, &u.KYCLevel, &segment, &segmentName, &u.sealed},
		record...)...)
	done()
	if external != nil {
		u.ExternalID = *external
	}
	if segment != nil {
		u.Segment = *segment
	}
	if segmentName != nil {
		u.SegmentName = *segmentName
	}
	return u, err
}

// Read returns a customer in clear.
func (s *Service) Read(ctx context.Context, tx db.Tx, tenant access.TenantID, customer id.ID[Customer]) (Customer, bool, error) {
	row, found, err := db.One(ctx, tx, scanCustomer, `SELECT `+customerColumns+` FROM customer c
		WHERE c.tenant_id = $1 AND c.id = $2`, tenant, customer)
	return s.opened(ctx, row, found, err)
}

// readCustomerByNo returns a customer in clear.
func (s *Service) readCustomerByNo(ctx context.Context, tx db.Tx, tenant access.TenantID, no string) (Customer, bool, error) {
	if !fault.Printable(no) {
		return Customer{}, false, nil
	}
	row, found, err := db.One(ctx, tx, scanCustomer, `SELECT `+customerColumns+` FROM customer c
		WHERE c.tenant_id = $1 AND c.customer_no = $2`, tenant, no)
	return s.opened(ctx, row, found, err)
}

// Named returns the customer of this number in clear, or refuses.
func (s *Service) Named(ctx context.Context, tx db.Tx, tenant access.TenantID, no string) (Customer, error) {
	u, found, err := s.readCustomerByNo(ctx, tx, tenant, no)
	if err != nil {
		return Customer{}, fmt.Errorf("read customer: %w", err)
	}
	if !found {
		return Customer{}, errNotFound
	}
	return u, nil
}

var customerLookup = db.Lookup{Head: `SELECT ` + customerColumns + ` FROM customer c WHERE c.tenant_id = $1 AND c.id IN `}

// ReadAll returns customers in clear by their ids.
func (s *Service) ReadAll(ctx context.Context, tx db.Tx, tenant access.TenantID, ids []id.ID[Customer]) (map[id.ID[Customer]]Customer, error) {
	all := make(map[id.ID[Customer]]Customer, len(ids))
	keys := id.Texts(ids)
	slices.Sort(keys)
	err := customerLookup.Query(ctx, tx, []any{tenant}, slices.Compact(keys), func(row db.Scanner) error {
		u, err := scanCustomer(row)
		if err != nil {
			return err
		}
		err = s.open(ctx, &u.Customer, u.sealed)
		all[u.ID] = u.Customer
		return err
	})
	return all, err
}

func (s *Service) opened(ctx context.Context, row customerRow, found bool, err error) (Customer, bool, error) {
	if err != nil || !found {
		return Customer{}, false, err
	}
	if err := s.open(ctx, &row.Customer, row.sealed); err != nil {
		return Customer{}, false, err
	}
	return row.Customer, true, nil
}

func scanCustomerID(row db.Scanner) (c id.ID[Customer], err error) { return c, row.Scan(&c) }

// customersByKey returns who has the customer number or the external id, in
// that order; empty keys match nobody.
func customersByKey(ctx context.Context, tx db.Tx, tenant access.TenantID, no, external string) ([]id.ID[Customer], error) {
	return db.Collect(ctx, tx, scanCustomerID, `SELECT id FROM customer
		WHERE tenant_id = $1 AND (customer_no = $2 AND $2 <> '' OR external_customer_id = $3 AND $3 <> '')`,
		tenant, no, external)
}

func customerByIdentification(ctx context.Context, tx db.Tx, tenant access.TenantID, k uniqueKey) (id.ID[Customer], bool, error) {
	return db.One(ctx, tx, scanCustomerID, `SELECT customer_id FROM customer_identification
		WHERE tenant_id = $1 AND kind = $2 AND number_index = $3`, tenant, k.kind, k.index)
}

// insertCustomer reports false when number or external id are taken.
func insertCustomer(ctx context.Context, tx db.Tx, u Customer, sealed []byte) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO customer (id, tenant_id, customer_no, external_customer_id, customer_type,
			status, kyc_level, segment_code, document, concurrency_stamp, created_at, created_by, updated_at, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		append([]any{u.ID, u.Tenant, u.No, db.OrNull(u.ExternalID), string(u.Type), string(u.Status), int64(u.KYCLevel),
			db.OrNull(u.Segment), sealed}, access.RecordValues(u.Record)...)...))
	return n == 1, err
}

// insertIdentification reports false when somebody has the key.
func insertIdentification(ctx context.Context, tx db.Tx, u Customer, k uniqueKey) (bool, error) {
	n, err := db.Affected(tx.Exec(ctx, `INSERT INTO customer_identification (customer_id, tenant_id, kind, number_index)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, u.ID, u.Tenant, k.kind, k.index))
	return n == 1, err
}

func deleteIdentifications(ctx context.Context, tx db.Tx, u Customer) error {
	_, err := tx.Exec(ctx, `DELETE FROM customer_identification WHERE tenant_id = $1 AND customer_id = $2`, u.Tenant, u.ID)
	return err
}

// eraseCustomer takes back an insert of the same transaction.
func eraseCustomer(ctx context.Context, tx db.Tx, u Customer) error {
	if err := deleteIdentifications(ctx, tx, u); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM customer WHERE tenant_id = $1 AND id = $2`, u.Tenant, u.ID)
	return err
}

var insertTerms = db.Bulk{
	Head:    `INSERT INTO customer_term (tenant_id, kind, term, customer_id) VALUES `,
	Columns: 4,
	Tail:    ` ON CONFLICT DO NOTHING`,
}

// replaceTerms writes by what u is found.
func replaceTerms(ctx context.Context, tx db.Tx, u Customer, terms []term) error {
	_, err := tx.Exec(ctx, `DELETE FROM customer_term WHERE tenant_id = $1 AND customer_id = $2`, u.Tenant, u.ID)
	if err != nil {
		return err
	}
	args := make([]any, 0, 4*len(terms))
	for _, t := range terms {
		args = append(args, u.Tenant, t.kind, []byte(t.text), u.ID)
	}
	return insertTerms.Exec(ctx, tx, args)
}

// termTaken reports whether a customer other than u is found by t.
func termTaken(ctx context.Context, tx db.Tx, u Customer, t term) (bool, error) {
	n, _, err := db.One(ctx, tx, db.ScanCount, `SELECT count(*) FROM customer_term
		WHERE tenant_id = $1 AND kind = $2 AND term = $3 AND customer_id <> $4`, u.Tenant, t.kind, []byte(t.text), u.ID)
	return n > 0, err
}

func updateCustomer(ctx context.Context, tx db.Tx, u Customer, sealed []byte) error {
	_, err := tx.Exec(ctx, `UPDATE customer SET external_customer_id = $3, status = $4, kyc_level = $5, document = $6,
		concurrency_stamp = $7, updated_at = $8, updated_by = $9 WHERE tenant_id = $1 AND id = $2`,
		u.Tenant, u.ID, db.OrNull(u.ExternalID), string(u.Status), int64(u.KYCLevel), sealed, u.ConcurrencyStamp,
		clock.Micros(u.UpdatedAt), u.UpdatedBy)
	return err
}

// Filter selects customers; empty members select all. Text and names
// match word prefixes without regard to case, accents and dots on i; the
// others match exactly.
type Filter struct {
	Text             string // name, surname, company, customer number, external id
	Name, Surname    string
	No               string
	IdentificationNo string
	MobilePhone      string
	Email            string
	TaxNumber        string
	Type             Type
	Status           Status
	Segment          string
	CreatedFrom      time.Time
	CreatedTo        time.Time // exclusive
	list.Page
}

// The kinds of customer_term. Words are folded, the others keyed hashes. Terms
// are stored as bytes: text is compared by the rules of a language on one engine,
// by bytes on the other, and its prefixes use an index on neither.
const (
	termName           = "name"
	termSurname        = "surname"
	termCompany        = "company"
	termNumber         = "number"
	termExternal       = "external"
	termPhone          = "phone"
	termEmail          = "email"
	termTax            = "tax"
	termIdentification = "identification"
)

// term is one word or hash by which a customer is found.
type term struct{ kind, text string }

var customerSort = map[string]string{
	"customerNo": "c.customer_no", "creationTime": "c.created_at", "status": "c.status",
	"customerType": "c.customer_type", "kycLevel": "c.kyc_level",
}

// selection is what a filter asks for of customers c. Its conditions begin with
// lead, which has the first led arguments and which an index has in order of
// time.
type selection struct {
	db.Where
	lead  string
	led   int
	found bool // by a key, a hash or a word that few have
}

// customersOf selects what f does, with hashes of its exact values; wide are the
// words that many customers have.
func customersOf(tenant access.TenantID, f Filter, exact []term, wide []wordOf) (w selection) {
	w.And("c.tenant_id = ?", tenant)
	if !f.CreatedFrom.IsZero() {
		w.And("c.created_at >= ?", clock.Micros(f.CreatedFrom))
	}
	if !f.CreatedTo.IsZero() {
		w.And("c.created_at < ?", clock.Micros(f.CreatedTo))
	}
	one := func() { // one of the three leads, the others choose from what it has
		if w.lead == "" {
			w.lead, w.led = w.SQL(), len(w.Args())
		}
	}
	if db.Equal(&w.Where, "c.segment_code", f.Segment); f.Segment != "" {
		one()
	}
	if db.Equal(&w.Where, "c.status", f.Status); f.Status != "" {
		one()
	}
	if db.Equal(&w.Where, "c.customer_type", f.Type); f.Type != "" {
		one()
	}
	one()
	db.Equal(&w.Where, "c.customer_no", f.No)
	w.found = f.No != "" || len(exact) > 0
	for _, word := range f.words() {
		text, args := word.condition(tenant)
		if slices.ContainsFunc(wide, word.equal) {
			// A number that is compared is looked up for each customer, where IN
			// would first gather all who have the word.
			// The expression keeps SQLite from going through all terms of the word
			// each time, in place of the few of the customer.
			text = strings.Replace(text, "t.tenant_id = ?", "COALESCE(t.tenant_id, '') = ?", 1)
			w.And(`(SELECT COUNT(*) FROM customer_term t WHERE t.customer_id = c.id AND `+text+`) > 0`, args...)
			continue
		}
		w.found = true
		w.And(`c.id IN (SELECT t.customer_id FROM customer_term t WHERE `+text+`)`, args...)
	}
	for _, t := range exact {
		w.And(`c.id IN (SELECT customer_id FROM customer_term WHERE tenant_id = ? AND kind = ? AND term = ?)`, tenant, t.kind, []byte(t.text))
	}
	return w
}

// wordOf is a word to find among terms of some kinds; an empty one is nobody's.
type wordOf struct {
	text  string
	kinds []string
}

func (o wordOf) equal(other wordOf) bool {
	return o.text == other.text && slices.Equal(o.kinds, other.kinds)
}

// condition is what the terms t of o fulfil.
func (o wordOf) condition(tenant access.TenantID) (text string, args []any) {
	if o.text == "" {
		return "1 = 0", nil
	}
	args = []any{tenant}
	for _, k := range o.kinds {
		args = append(args, k)
	}
	return `t.tenant_id = ? AND t.kind IN (?` + strings.Repeat(", ?", len(o.kinds)-1) + `) AND t.term >= ? AND t.term < ?`,
		append(args, []byte(o.text), afterPrefix(o.text))
}

// words are those that f asks for.
func (f *Filter) words() (all []wordOf) {
	for _, asked := range []wordOf{
		{f.Text, []string{termName, termSurname, termCompany, termNumber, termExternal}},
		{f.Name, []string{termName, termCompany}},
		{f.Surname, []string{termSurname}},
	} {
		found := fold.Words(asked.text)
		if len(found) == 0 && strings.TrimSpace(asked.text) != "" {
			found = []string{""} // nothing to find in a text without letters and digits
		}
		for _, word := range found {
			all = append(all, wordOf{word, asked.kinds})
		}
	}
	return all
}

// wideWords are the words of f that more customers have than are ever sorted.
func wideWords(ctx context.Context, tx db.Tx, tenant access.TenantID, f Filter) (wide []wordOf, err error) {
	for _, word := range f.words() {
		var w db.Where
		text, args := word.condition(tenant)
		w.And(text, args...)
		n, err := db.Count(ctx, tx, `SELECT 1 FROM customer_term t WHERE `+w.SQL(), w.Args()...)
		if err != nil {
			return nil, err
		}
		if n > list.TotalMax {
			wide = append(wide, word)
		}
	}
	return wide, nil
}

// afterPrefix is the first value after all that begin with word, which is not
// empty. UTF-8 has no byte 0xFF, so the last byte can always be raised.
func afterPrefix(word string) []byte {
	b := []byte(word)
	b[len(b)-1]++
	return b
}

// listCustomers returns the page that f selects, with hashes of its exact
// values, and the number selected, at most one above [list.TotalMax].
func (s *Service) listCustomers(ctx context.Context, tx db.Tx, tenant access.TenantID, f Filter, exact []term) ([]Customer, int, error) {
	wide, err := wideWords(ctx, tx, tenant, f)
	if err != nil {
		return nil, 0, fmt.Errorf("look for words: %w", err)
	}
	w := customersOf(tenant, f, exact, wide)
	total, err := countCustomers(ctx, tx, w)
	if err != nil {
		return nil, 0, fmt.Errorf("count customers: %w", err)
	}
	stored := []string{"creationTime"}
	if len(w.Args()) == 1 {
		stored = append(stored, "customerNo")
	}
	if err := db.Orderable(f.Page, total, stored...); err != nil {
		return nil, 0, err
	}
	query := `SELECT ` + customerColumns + ` FROM customer c WHERE ` + w.SQL() +
		db.OrderBy(f.Page, customerSort, "c.created_at DESC", "c.id DESC") + ` LIMIT ` + w.Bind(f.Limit) + ` OFFSET ` + w.Bind(f.Skip)
	rows, err := db.Collect(ctx, tx, scanCustomer, query, w.Args()...)
	if err != nil {
		return nil, 0, fmt.Errorf("list customers: %w", err)
	}
	page := make([]Customer, len(rows))
	for i, row := range rows {
		if err := s.open(ctx, &row.Customer, row.sealed); err != nil {
			return nil, 0, err
		}
		page[i] = row.Customer
	}
	return page, total, nil
}

// countCustomers counts as far as [list.TotalMax] and one more, and refuses where
// few are found among more than are looked through.
func countCustomers(ctx context.Context, tx db.Tx, w selection) (int, error) {
	from, looks := "customer", !w.found && w.SQL() != w.lead
	if looks {
		from = db.Some("customer c", w.lead)
	}
	n, err := db.Count(ctx, tx, `SELECT 1 FROM `+from+` c WHERE `+w.SQL(), w.Args()...)
	if err != nil || !looks || n > list.TotalMax {
		return n, err
	}
	exceeds, err := db.Exceeds(ctx, tx, "customer c", w.lead, w.Args()[:w.led]...)
	if err == nil && exceeds {
		err = db.TooMany("CreationTimeFrom", "must be given: there are too many customers to look through")
	}
	return n, err
}

var customerLock = db.Lookup{Head: `SELECT id FROM customer WHERE tenant_id = $1 AND id IN `, Tail: ` ORDER BY id`, Lock: true}

// Lock locks the row of a customer until the transaction ends.
func Lock(ctx context.Context, tx db.Tx, tenant access.TenantID, customer id.ID[Customer]) error {
	if err := db.LockRow(ctx, tx, &customerLock, tenant, customer.String()); err != nil {
		return fmt.Errorf("lock customer: %w", err)
	}
	return nil
}

// What queries of higher domains read of customers beside their own rows.
const (
	// JoinHolder adds to a query over issuance i its customer u, if it has one.
	JoinHolder = ` LEFT JOIN customer u ON u.id = i.customer_id`
	// JoinHolderOnly leaves out issuances without a customer.
	JoinHolderOnly = ` JOIN customer u ON u.id = i.customer_id AND u.tenant_id = i.tenant_id`
	// IDByNo is the id of the customer of a tenant and number, its two arguments.
	IDByNo = `(SELECT id FROM customer WHERE tenant_id = ? AND customer_no = ?)`
)

// customersWith returns the customers that have one of two terms.
func customersWith(ctx context.Context, tx db.Tx, tenant access.TenantID, one, other term) ([]id.ID[Customer], error) {
	return db.Collect(ctx, tx, func(row db.Scanner) (u id.ID[Customer], err error) { return u, row.Scan(&u) },
		`SELECT DISTINCT customer_id FROM customer_term WHERE tenant_id = $1 AND (kind = $2 AND term = $3 OR kind = $4 AND term = $5)`,
		tenant, one.kind, []byte(one.text), other.kind, []byte(other.text))
}
