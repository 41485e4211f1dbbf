package payers

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

// members are those of a model that are searched, sorted and chosen by, and how
// the core calls them, in the order in which they are written.
var members = []struct {
	path  string
	field customer.PayerField
}{
	{"id", customer.PayerReference},
	{"contact.salutation", customer.PayerSalutation},
	{"contact.title", customer.PayerTitle},
	{"contact.forename", customer.PayerForename},
	{"contact.surname", customer.PayerSurname},
	{"contact.name", customer.PayerFullName},
	{"contact.companyname", customer.PayerCompany},
	{"contact.gender", customer.PayerGender},
	{"contact.email", customer.PayerEmail},
	{"contact.dob", customer.PayerBirthDate},
	{"contact.birthplace", customer.PayerBirthPlace},
	{"contact.nationality", customer.PayerNationality},
	{"contact.phone", customer.PayerPhone},
	{"contact.mobile", customer.PayerMobile},
	{"contact.fax", customer.PayerFax},
	{"contact.url_website", customer.PayerWebsite},
	{"contact.picture", customer.PayerPicture},
	{"contact.address.street", customer.PayerStreet},
	{"contact.address.street_number", customer.PayerStreetNumber},
	{"contact.address.postal_code", customer.PayerPostalCode},
	{"contact.address.city", customer.PayerCity},
	{"contact.address.country", customer.PayerCountry},
	{"contact.address.additional_address_data", customer.PayerAddition},
	{"created", customer.PayerCreated},
	{"updated", customer.PayerUpdated},
}

// fieldOf is the field behind a member, by its path.
func fieldOf(path string) (customer.PayerField, bool) {
	for _, m := range members {
		if m.path == path {
			return m.field, true
		}
	}
	return "", false
}

// ordered is a JSON object whose members stay in their order.
type ordered struct {
	names  []string
	values map[string]any
}

func (o *ordered) set(name string, value any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, there := o.values[name]; !there {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// MarshalJSON writes the members in their order.
func (o *ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := encode(name)
		if err != nil {
			return nil, err
		}
		value, err := encode(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client may be gone
}

// model is what clients see of a payer, of which chosen says which members it
// has; nil: all.
func model(p customer.Payer, chosen func(path string) bool) *ordered {
	out, contact, address := &ordered{}, &ordered{}, &ordered{}
	out.set("object", "payment.customers")
	out.set("id", p.Reference)
	out.set("contract", reference("payment.contracts", "PCR_", p.Client))
	out.set("merchant", reference("general.merchants", "MRC_", p.Client))
	for _, m := range members {
		value := p.Contact[m.field]
		if value == "" || chosen != nil && !chosen(m.path) {
			continue
		}
		if m.field == customer.PayerBirthDate {
			value += "T00:00:00+00:00"
		}
		if name, ok := strings.CutPrefix(m.path, "contact.address."); ok {
			address.set(name, value)
			continue
		}
		contact.set(strings.TrimPrefix(m.path, "contact."), value)
	}
	if len(address.names) > 0 {
		contact.set("address", address)
	}
	if chosen == nil || len(contact.names) > 0 || chosen("contact") {
		out.set("contact", contact)
	}
	if chosen == nil || chosen("created") {
		out.set("created", timeText(p.CreatedAt, p.Zone))
	}
	if !p.UpdatedAt.IsZero() && (chosen == nil || chosen("updated")) {
		out.set("updated", timeText(p.UpdatedAt, p.Zone))
	}
	return out
}

func timeText(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}

// reference names what every client has one of, by a number that follows from the
// client's.
func reference(object, prefix, client string) *ordered {
	sum := sha256.Sum256([]byte(object + "|" + client))
	o := &ordered{}
	o.set("object", object)
	o.set("id", prefix+base32.StdEncoding.EncodeToString(sum[:])[:30])
	return o
}

// NewReference draws the id of a payer.
func NewReference() string { return "PCU_" + (rand.Text() + rand.Text())[:30] }

// readObject reads a body that is a JSON object.
func readObject(w http.ResponseWriter, r *http.Request) (api.Object, error) {
	body, err := api.ReadBody(w, r, "application/json", 0)
	if err != nil {
		return nil, err
	}
	document, err := api.Parse(body)
	if err != nil {
		return nil, err
	}
	object, ok := document.(api.Object)
	if !ok {
		return nil, api.Invalid().OnField("body", "kind", "must be an object")
	}
	return object, nil
}

// readContact reads a PaymentCustomersDTO. Members that nobody knows are passed
// over.
func readContact(w http.ResponseWriter, r *http.Request) (customer.Contact, error) {
	body, err := readObject(w, r)
	if err != nil {
		return nil, err
	}
	contact, ok := body["contact"].(api.Object)
	if !ok {
		return nil, api.Invalid().OnField("contact", "required", "must be an object")
	}
	address, ok := contact["address"].(api.Object)
	if !ok && contact["address"] != nil {
		return nil, api.Invalid().OnField("contact.address", "kind", "must be an object")
	}
	out, bad := customer.Contact{}, api.Invalid()
	for _, m := range members {
		name, found := strings.CutPrefix(m.path, "contact.")
		if !found {
			continue
		}
		value := contact[name]
		if inner, ok := strings.CutPrefix(name, "address."); ok {
			value = address[inner]
		}
		text, ok := value.(string)
		if value != nil && !ok {
			bad = bad.OnField(m.path, "kind", "must be a string")
		}
		out[m.field] = text
	}
	if len(bad.Fields) > 0 {
		return nil, bad
	}
	return out, nil
}
