package customer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fold"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// Create takes in a customer. No may be empty: then ten digits are
// made up, the last a check digit. Identifications, phones and addresses are
// kept in their normal forms.
//
// A customer who has the same number, external id, or any of the
// identifications is customer_already_exists, which names the key but not the
// customer. A segment that does not exist is segment_unknown.
func (s *Service) Create(ctx context.Context, c access.Caller, in Customer) (Detail, error) {
	u, err := s.newDraft(ctx, c, in)
	if err != nil {
		return Detail{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		taken, err := s.insertWhole(ctx, tx, &u)
		if err == nil && taken != "" {
			return errExists.With("key", taken)
		}
		if err != nil {
			return err
		}
		return u.begin(ctx, tx, c)
	})
	if err != nil {
		return Detail{}, err
	}
	return Detail{Customer: u.MaskedFor(c)}, nil
}

// FindOrCreate returns the customer that in names, unchanged, or
// creates it. Customers are matched by number, by external id, and by strong
// identifications: TCKN, YKN, passport with its country, tax number. Keys that
// name different customers are customer_identity_conflict.
//
// Of concurrent calls with one identity, one creates and the others return
// what it created.
func (s *Service) FindOrCreate(ctx context.Context, c access.Caller, in Customer) (u Detail, created bool, err error) {
	fresh, err := s.newDraft(ctx, c, in)
	if err != nil {
		return Detail{}, false, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		u, created = Detail{}, false
		// A second round is for what another transaction created between our
		// look and our insert.
		for range 3 {
			match, found, err := s.matching(ctx, tx, fresh)
			if err != nil {
				return err
			}
			if found {
				u, err = s.detail(ctx, tx, c, match)
				return err
			}
			attempt := fresh
			taken, err := s.insertWhole(ctx, tx, &attempt)
			if err != nil {
				return err
			}
			if taken == "" {
				u, created = Detail{Customer: attempt.MaskedFor(c)}, true
				return attempt.begin(ctx, tx, c)
			}
			if !isIdentity(taken) { // a key that says nothing about who it is
				return errExists.With("key", taken)
			}
		}
		return errors.New("create customer: its keys come and go")
	})
	if err != nil {
		return Detail{}, false, err
	}
	return u, created, nil
}

// begin tells of a new customer and writes it down.
func (u Customer) begin(ctx context.Context, tx db.Tx, c access.Caller) error {
	if err := u.raise(ctx, tx, c, EventCreated, u.CreatedAt, Event{}); err != nil {
		return err
	}
	return u.record(ctx, tx, c, "Create", nil, u.CreatedAt)
}

// draft is a customer ready to be written: checked, sealed, hashed.
type draft struct {
	Customer
	generated   bool // its number was made up and may be made up again
	uniquePhone bool // nobody else may have its mobile phone
	sealed      []byte
	keys        []uniqueKey
	terms       []term
}

// uniqueKey is what only one customer of a tenant may have.
type uniqueKey struct {
	kind   string // the identification type, or one of the kinds below
	index  string // keyed hash
	name   string // the member it came from
	strong bool   // it says who the customer is
}

// Kinds of unique keys that are no identification types.
const (
	keyCompanyTaxNumber = "CompanyTaxNumber"
	keyMobilePhone      = "UniqueMobilePhone"

	phoneMember = "communications.MobilePhone"
)

// phoneTaken reports whether a mobile phone that must be unique is somebody
// else's. The unique key holds for those who came since the tenant chose so;
// this is for those who were there before.
func (d draft) phoneTaken(ctx context.Context, tx db.Tx) (bool, error) {
	if !d.uniquePhone {
		return false, nil
	}
	for _, t := range d.terms {
		if t.kind == termPhone {
			return termTaken(ctx, tx, d.Customer, t)
		}
	}
	return false, nil
}

// isIdentity reports whether the member of a taken key says who a customer is,
// so that matching again may find whom.
func isIdentity(member string) bool {
	return member == "customerNo" || member == "externalCustomerId" || member == "businessDetail.taxNumber" ||
		strings.HasPrefix(member, "identifications.")
}

func (s *Service) newDraft(ctx context.Context, c access.Caller, in Customer) (draft, error) {
	t, err := s.tenant(ctx, c)
	if err != nil {
		return draft{}, err
	}
	unique, err := s.Rules.UniqueMobilePhone(ctx, c)
	if err != nil {
		return draft{}, err
	}
	now := c.Now(s.Clock)
	u := in.normalized()
	u.ID, u.Tenant, u.Status = id.New[Customer](s.Clock.Now()), c.Tenant, Active
	u.Record = access.NewRecord(c, now)
	d := draft{Customer: u, uniquePhone: unique}
	if d.No == "" {
		d.No, d.generated = newNo(), true
	}
	if err := d.check(now, t.Zone); err != nil {
		return draft{}, err
	}
	return s.drafted(ctx, d)
}

// drafted seals and hashes a checked customer. It asks the HSM.
func (s *Service) drafted(ctx context.Context, d draft) (draft, error) {
	var err error
	if d.sealed, err = s.seal(ctx, d.Customer); err != nil {
		return d, err
	}
	if d.keys, err = s.uniqueKeys(ctx, d.Customer, d.uniquePhone); err != nil {
		return d, err
	}
	d.terms, err = s.terms(ctx, d.Customer)
	return d, err
}

// insertWhole writes a new customer with all it is found by. When a key is
// taken it leaves nothing behind and returns the member that key came from.
func (s *Service) insertWhole(ctx context.Context, tx db.Tx, d *draft) (taken string, err error) {
	if taken, err := d.phoneTaken(ctx, tx); taken || err != nil {
		return phoneMember, err
	}
	if err := d.enterSegment(ctx, tx); err != nil {
		return "", err
	}
	for attempt := 0; ; attempt++ {
		inserted, err := insertCustomer(ctx, tx, d.Customer, d.sealed)
		if err != nil {
			return "", fmt.Errorf("insert customer: %w", err)
		}
		if inserted {
			break
		}
		byNo, err := customersByKey(ctx, tx, d.Tenant, d.No, "")
		if err != nil {
			return "", fmt.Errorf("look for customer: %w", err)
		}
		switch {
		case len(byNo) == 0:
			return "externalCustomerId", nil
		case !d.generated || attempt == 10:
			return "customerNo", nil
		}
		d.No = newNo()
		if d.terms, err = s.terms(ctx, d.Customer); err != nil {
			return "", err
		}
	}
	for _, k := range d.keys {
		inserted, err := insertIdentification(ctx, tx, d.Customer, k)
		if err != nil {
			return "", fmt.Errorf("insert identification: %w", err)
		}
		if !inserted {
			return k.name, eraseCustomer(ctx, tx, d.Customer)
		}
	}
	if err := replaceTerms(ctx, tx, d.Customer, d.terms); err != nil {
		return "", fmt.Errorf("insert search terms: %w", err)
	}
	return "", nil
}

// matching finds the one customer that u's keys name.
func (s *Service) matching(ctx context.Context, tx db.Tx, u draft) (id.ID[Customer], bool, error) {
	no := u.No
	if u.generated {
		no = ""
	}
	matches, err := customersByKey(ctx, tx, u.Tenant, no, u.ExternalID)
	if err != nil {
		return id.ID[Customer]{}, false, fmt.Errorf("match customer: %w", err)
	}
	for _, k := range u.keys {
		if !k.strong {
			continue
		}
		match, found, err := customerByIdentification(ctx, tx, u.Tenant, k)
		if err != nil {
			return id.ID[Customer]{}, false, fmt.Errorf("match customer: %w", err)
		}
		if found && !slices.Contains(matches, match) {
			matches = append(matches, match)
		}
	}
	switch len(matches) {
	case 0:
		return id.ID[Customer]{}, false, nil
	case 1:
		return matches[0], true, nil
	}
	var numbers []string
	for _, m := range matches {
		other, _, err := s.Read(ctx, tx, u.Tenant, m)
		if err != nil {
			return id.ID[Customer]{}, false, fmt.Errorf("read customer: %w", err)
		}
		numbers = append(numbers, other.No)
	}
	slices.Sort(numbers)
	return id.ID[Customer]{}, false, errIdentityConflict.With("customerNos", numbers)
}

// uniqueKeys are u's keys, sorted so that concurrent inserts meet in one order.
func (s *Service) uniqueKeys(ctx context.Context, u Customer, uniquePhone bool) ([]uniqueKey, error) {
	var keys []uniqueKey
	var err error
	add := func(kind, name string, strong bool, value ...string) {
		if err != nil {
			return
		}
		k := uniqueKey{kind: kind, name: name, strong: strong}
		k.index, err = s.index(ctx, u.Tenant, append([]string{kind}, value...)...)
		keys = append(keys, k)
	}
	for _, n := range u.Identifications {
		value := []string{n.Number}
		if n.Type == Passport {
			value = append(value, n.IssuingCountry.Alpha2())
		}
		add(string(n.Type), "identifications."+string(n.Type), n.Type.isStrong(), value...)
	}
	if u.Type == Company && u.Business != nil {
		add(keyCompanyTaxNumber, "businessDetail.taxNumber", true, u.Business.TaxNumber)
	}
	if phone := u.Contact(MobilePhone); uniquePhone && phone != "" {
		add(keyMobilePhone, phoneMember, false, phone)
	}
	slices.SortFunc(keys, func(a, b uniqueKey) int { return strings.Compare(a.kind, b.kind) })
	return keys, err
}

// terms are the folded words and hashes u is found by.
func (s *Service) terms(ctx context.Context, u Customer) ([]term, error) {
	var terms []term
	words := func(kind, text string) {
		for _, w := range fold.Words(text) {
			terms = append(terms, term{kind, w})
		}
	}
	words(termName, u.Name+" "+u.MiddleName)
	words(termSurname, u.Surname)
	words(termNumber, u.No)
	words(termExternal, u.ExternalID)
	exact := []term{{termPhone, u.Contact(MobilePhone)}, {termEmail, u.Contact(Email)}}
	if u.Business != nil {
		words(termCompany, u.Business.CompanyName+" "+u.Business.ShortName)
		exact = append(exact, term{termTax, u.Business.TaxNumber})
	}
	for _, n := range u.Identifications {
		exact = append(exact, term{termIdentification, Passport.normalNumber(n.Number)})
		if n.Type == TaxNumber {
			exact = append(exact, term{termTax, n.Number})
		}
	}
	hashed, err := s.exactTerms(ctx, u.Tenant, exact)
	return append(terms, hashed...), err
}

// exactTerms replaces values by their keyed hashes and leaves out empty ones.
func (s *Service) exactTerms(ctx context.Context, tenant access.TenantID, values []term) ([]term, error) {
	var hashed []term
	for _, t := range values {
		if t.text == "" {
			continue
		}
		value := t.text
		if t.kind == termEmail {
			value = strings.ToLower(value)
		}
		index, err := s.index(ctx, tenant, "term", t.kind, value)
		if err != nil {
			return nil, err
		}
		hashed = append(hashed, term{t.kind, index})
	}
	return hashed, nil
}

// index is the keyed hash of a value with its kind in front.
func (s *Service) index(ctx context.Context, tenant access.TenantID, parts ...string) (string, error) {
	index, err := s.HSM.Index(ctx, tenant.String(), Purpose, []byte(strings.Join(parts, "|")))
	if err != nil {
		return "", fmt.Errorf("index customer: %w", vault.HSMFault(err))
	}
	return hex.EncodeToString(index), nil
}

// newNo makes ten digits that end in a check digit and do not begin
// with 0.
func newNo() string {
	body := make([]byte, 0, 10)
	for draw := make([]byte, 16); len(body) < 9; {
		rand.Read(draw)
		for _, b := range draw {
			// 250 is the largest multiple of ten in a byte.
			if digit := b % 10; b < 250 && len(body) < 9 && (digit > 0 || len(body) > 0) {
				body = append(body, '0'+digit)
			}
		}
	}
	return string(append(body, pan.CheckDigit(string(body))))
}

// customerAgeMax is the highest age believed, in years.
const customerAgeMax = 120

// normalized returns u with every value in its normal form, and defaults where
// the contract has them.
func (u Customer) normalized() Customer {
	u.No, u.ExternalID = strings.TrimSpace(u.No), strings.TrimSpace(u.ExternalID)
	for _, t := range []*string{
		&u.Name, &u.MiddleName, &u.Surname, &u.Title, &u.BirthPlace, &u.MotherName, &u.FatherName, &u.MotherMaidenName,
		&u.Occupation, &u.Education,
	} {
		*t = strings.Join(strings.Fields(*t), " ")
	}
	if u.Language == "" {
		u.Language = "tr"
	}
	if u.Gender == "" {
		u.Gender = GenderUnknown
	}
	if u.MaritalStatus == "" {
		u.MaritalStatus = MaritalUnknown
	}
	u.Identifications = slices.Clone(u.Identifications)
	for i := range u.Identifications {
		u.Identifications[i] = u.Identifications[i].normalized()
	}
	u.Communications = slices.Clone(u.Communications)
	for i := range u.Communications {
		u.Communications[i] = u.Communications[i].normalized()
	}
	u.Addresses = slices.Clone(u.Addresses)
	for i := range u.Addresses {
		u.Addresses[i] = u.Addresses[i].Normalized()
	}
	if len(u.Addresses) > 0 && !slices.ContainsFunc(u.Addresses, func(a Address) bool { return a.IsDefault }) {
		u.Addresses[0].IsDefault = true
	}
	if u.Business != nil {
		b := *u.Business
		b.CompanyName = strings.Join(strings.Fields(b.CompanyName), " ")
		b.TaxNumber = strings.TrimSpace(b.TaxNumber)
		if b.Authorized != nil {
			person := *b.Authorized
			if e164, ok := ParsePhone(person.Phone, false); ok {
				person.Phone = e164
			}
			b.Authorized = &person
		}
		u.Business = &b
	}
	return u
}

// check tells everything that is wrong with u, which is normalized. Wrong
// numbers alone are invalid_identification_no.
func (u Customer) check(now time.Time, zone *time.Location) error {
	var v fault.Checks
	v.Is("customerNo", fault.AllDigits(u.No) && len(u.No) <= 20, "not_digits", "must be 1 to 20 digits")
	v.Is("externalCustomerId", len([]rune(u.ExternalID)) <= 64 && fault.Printable(u.ExternalID), "too_long", "must have at most 64 characters")
	fault.OneOf(&v, "customerType", u.Type, []Type{Individual, Company})
	v.Between("kycLevel", int(u.KYCLevel), int(KYCNone), int(KYCFull))
	u.checkProfile(&v, now, zone)
	wrong := u.checkIdentifications(&v)
	u.checkCommunications(&v)
	u.checkAddresses(&v)
	if len(v.Fields) > 0 {
		v.Fields = append(v.Fields, wrong.Fields...)
		return v.Err(errInvalid)
	}
	return wrong.Err(errIdentificationNo)
}
