package platform

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// decoding turns wire values into domain values and gathers what is wrong with
// them, so that a caller learns all of it at once.
type decoding struct {
	bad     *fault.Error
	refused error // the first refusal that is not about form: too many fraction digits
}

func (d *decoding) fail(field, code, text string) {
	if d.bad == nil {
		d.bad = api.Invalid()
	}
	d.bad = d.bad.OnField(field, code, text)
}

// err returns everything that was wrong, or nil.
func (d *decoding) err() error {
	if d.bad != nil {
		return d.bad
	}
	return d.refused
}

// required is for what is required in some requests only, so that the document
// cannot say so.
func (d *decoding) required(field, text string) {
	if text == "" {
		d.fail(field, "required", "is required")
	}
}

func (d *decoding) date(field, text string) clock.Date {
	if text == "" {
		return clock.Date{}
	}
	date, err := clock.ParseDate(text)
	if err != nil {
		d.fail(field, "not_a_date", "must be a date YYYY-MM-DD")
	}
	return date
}

func (d *decoding) currency(field, text string) money.Currency {
	if text == "" {
		return money.Currency{}
	}
	c, err := money.ParseCurrency(text)
	if err != nil {
		d.fail(field, "not_a_currency", "must be a currency of ISO 4217")
	}
	return c
}

func (d *decoding) country(field, text string) country.Country {
	if text == "" {
		return country.Country{}
	}
	c, err := country.Parse(text)
	if err != nil {
		d.fail(field, "not_a_country", "must be a country of ISO 3166-1")
	}
	return c
}

// amount reads an optional amount; nil when it is absent or wrong.
func (d *decoding) amount(field string, text api.Decimal, c money.Currency) *money.Amount {
	if text == "" || c.IsZero() {
		return nil
	}
	a, err := text.Amount(field, c)
	switch fault.KindOf(err) {
	case fault.Refused:
		if d.refused == nil {
			d.refused = err
		}
		return nil
	case fault.Invalid:
		f, _ := fault.As(err)
		for _, x := range f.Fields {
			d.fail(x.Name, x.Code, x.Text)
		}
		return nil
	}
	return &a
}

var percentSyntax = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4})?$`)

// percent reads a percentage with at most four fraction digits as parts per
// million.
func (d *decoding) percent(field string, text api.Decimal) money.Rate {
	if text == "" {
		return 0
	}
	if !percentSyntax.MatchString(string(text)) {
		d.fail(field, "not_a_percentage", "must be a percentage with at most four fraction digits")
		return 0
	}
	r, _ := new(big.Rat).SetString(string(text))
	return money.Rate(r.Mul(r, big.NewRat(10_000, 1)).Num().Int64())
}

// percentOf shows parts per million as a percentage.
func percentOf(r money.Rate) api.Decimal {
	text := big.NewRat(int64(r), 10_000).FloatString(4)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return api.Decimal(text)
}

// enumOf reads a query parameter that names a value of M or gives its code.
func enumOf[M api.Members, C ~string](d *decoding, field string, given C) string {
	text := string(given)
	if text == "" {
		return ""
	}
	if code, err := strconv.Atoi(text); err == nil { // "05", too
		text = strconv.Itoa(code)
	} else {
		text = strconv.Quote(text)
	}
	var e api.Enum[M]
	if json.Unmarshal([]byte(text), &e) != nil {
		d.fail(field, "unknown", "must be one of the listed values")
	}
	return string(e)
}

// page reads paging for a list that can be sorted by these members.
func (d *decoding) page(p api.Paging, members ...string) list.Page {
	allowed := make(map[string]string, len(members))
	for _, m := range members {
		allowed[m] = m
	}
	orders, err := p.Orders(allowed)
	if f, ok := fault.As(err); ok {
		for _, x := range f.Fields {
			d.fail(x.Name, x.Code, x.Text)
		}
	}
	page := list.Page{Skip: p.SkipCount, Limit: p.MaxResultCount}
	for _, o := range orders {
		page.Sort = append(page.Sort, list.SortKey{Name: o.By, Descending: o.Desc})
	}
	return page
}

// orNil shows an absent text as null.
func orNil[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	text := string(s)
	return &text
}

// timeOrNil shows an absent time as null.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// or returns the value of an optional member, or its default.
func or[T any](given *T, standard T) T {
	if given == nil {
		return standard
	}
	return *given
}

// value returns an optional member, or its zero.
func value[T any](given *T) T {
	var zero T
	return or(given, zero)
}

// given returns an optional enumeration member, or its default.
func given[T ~string, M api.Members](e api.Enum[M], standard T) T {
	if e == "" {
		return standard
	}
	return T(e)
}

// listOf turns enumeration members into domain values.
func listOf[T ~string, M api.Members](names []api.Enum[M]) []T {
	var all []T
	for _, n := range names {
		all = append(all, T(n))
	}
	return all
}

// namesOf turns domain values into texts.
func namesOf[T ~string](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// Audited is who wrote a definition and when; every readable object has it.
type Audited struct {
	CreationTime         time.Time `json:"creationTime"`
	CreatorID            string    `json:"creatorId"`
	LastModificationTime time.Time `json:"lastModificationTime"`
	LastModifierID       string    `json:"lastModifierId"`
	ConcurrencyStamp     *string   `json:"concurrencyStamp"`
}

func encodeRecord(r access.Record) Audited {
	return Audited{
		CreationTime: r.CreatedAt, CreatorID: r.CreatedBy, LastModificationTime: r.UpdatedAt, LastModifierID: r.UpdatedBy,
		ConcurrencyStamp: orNil(r.ConcurrencyStamp),
	}
}

// numbered lists the values of a domain enumeration with consecutive codes.
func numbered[T ~string](first int, values []T) []api.Member {
	return api.Numbered(first, namesOf(values)...)
}

// The enumerations that several resources share (contract/platform.md §4).
type (
	brands         struct{}
	networks       struct{}
	cardTypes      struct{}
	cardLevels     struct{}
	recordStatuses struct{}
	formFactors    struct{}
	customerTypes  struct{}
	kycLevels      struct{}
)

// Members of each, with the codes of the contract.
func (brands) Members() []api.Member {
	all := numbered(1, program.Brands())
	all[len(all)-1].Code = 9 // Proprietary
	return all
}
func (networks) Members() []api.Member       { return numbered(0, program.Networks()) }
func (cardTypes) Members() []api.Member      { return numbered(1, program.CardTypes()) }
func (cardLevels) Members() []api.Member     { return numbered(1, program.CardLevels()) }
func (recordStatuses) Members() []api.Member { return api.Numbered(1, "Active", "Passive") }
func (formFactors) Members() []api.Member    { return numbered(1, program.FormFactors()) }
func (customerTypes) Members() []api.Member  { return api.Numbered(1, "Individual", "Company") }
func (kycLevels) Members() []api.Member {
	return api.Numbered(0, "None", "Basic", "Verified", "Full")
}

// kycOf reads a KYC level; standard when it is absent.
func kycOf(e api.Enum[kycLevels], standard customer.KYCLevel) customer.KYCLevel {
	for _, m := range (kycLevels{}).Members() {
		if m.Name == string(e) {
			return customer.KYCLevel(m.Code)
		}
	}
	return standard
}
