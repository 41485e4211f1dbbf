package customer

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// PayerField is one thing that is known of a payer.
type PayerField string

// What a contact may hold.
const (
	PayerForename     PayerField = "forename"
	PayerSurname      PayerField = "surname"
	PayerCompany      PayerField = "company"
	PayerFullName     PayerField = "full_name"
	PayerSalutation   PayerField = "salutation"
	PayerTitle        PayerField = "title"
	PayerGender       PayerField = "gender" // m or f
	PayerEmail        PayerField = "email"
	PayerPhone        PayerField = "phone"
	PayerMobile       PayerField = "mobile"
	PayerFax          PayerField = "fax"
	PayerBirthDate    PayerField = "birth_date" // 1988-07-19
	PayerBirthPlace   PayerField = "birth_place"
	PayerNationality  PayerField = "nationality"
	PayerWebsite      PayerField = "website"
	PayerPicture      PayerField = "picture"
	PayerStreet       PayerField = "street"
	PayerStreetNumber PayerField = "street_number"
	PayerCity         PayerField = "city"
	PayerPostalCode   PayerField = "postal_code"
	PayerCountry      PayerField = "country" // ISO 3166 alpha-2
	PayerAddition     PayerField = "addition"
)

// What every payer has beside its contact.
const (
	PayerReference PayerField = "reference"
	PayerCreated   PayerField = "created"
	PayerUpdated   PayerField = "updated"
)

// ContactFields lists what a contact may hold.
func ContactFields() []PayerField {
	return []PayerField{
		PayerForename, PayerSurname, PayerCompany, PayerFullName, PayerSalutation, PayerTitle, PayerGender, PayerEmail,
		PayerPhone, PayerMobile, PayerFax, PayerBirthDate, PayerBirthPlace, PayerNationality, PayerWebsite, PayerPicture,
		PayerStreet, PayerStreetNumber, PayerCity, PayerPostalCode, PayerCountry, PayerAddition,
	}
}

// Contact is how to reach a payer. What has no value is not in it.
type Contact map[PayerField]string

const (
	contactTextMax = 255
	contactLinkMax = 2048
)

// Normalized returns c with every value in its normal form, without those that
// are empty: numbers without what separates their digits, dates as days.
func (c Contact) Normalized() (Contact, error) {
	var v fault.Checks
	out := Contact{}
	for _, f := range slices.Sorted(maps.Keys(c)) {
		text := strings.Join(strings.Fields(c[f]), " ")
		if text == "" {
			continue
		}
		most := contactTextMax
		if f == PayerWebsite || f == PayerPicture {
			most = contactLinkMax
		}
		v.Is(string(f), utf8.RuneCountInString(text) <= most && isText(text), "malformed", "is too long, or holds control characters")
		switch f {
		case PayerPhone, PayerMobile, PayerFax:
			number, ok := PlainNumber(text)
			v.Is(string(f), ok, "malformed", "must be a phone number")
			text = number
		case PayerBirthDate:
			day, ok := ParseDay(text)
			v.Is(string(f), ok, "malformed", "must be a date of ISO 8601")
			text = day
		case PayerGender:
			text = strings.ToLower(text)
			v.Is(string(f), text == "m" || text == "f", "unknown", "must be m or f")
		case PayerCountry:
			text = strings.ToUpper(text)
			found, err := country.Parse(text)
			v.Is(string(f), err == nil && found.Alpha2() == text, "unknown", "must be a country of ISO 3166, of two letters")
		default:
			v.Is(string(f), !pan.ContainsPAN(text), "card_number", "must not hold a card number")
		}
		out[f] = text
	}
	return out, v.Err(errInvalid)
}

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// numberSeparators are what people write between the digits of a number.
const numberSeparators = "-–/.() "

// numberDigitsMax is how many digits a phone number is believed to have.
const numberDigitsMax = 20

// PlainNumber takes out of a phone number what separates its digits; a leading +
// stays.
func PlainNumber(s string) (string, bool) {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case strings.ContainsRune(numberSeparators, r):
		default:
			return "", false
		}
	}
	digits := len(strings.TrimPrefix(b.String(), "+"))
	return b.String(), digits > 0 && digits <= numberDigitsMax
}

// ParseDay reads the day of a date or date and time of ISO 8601, as it is written
// there: 1988-07-19.
func ParseDay(s string) (string, bool) {
	for _, form := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", time.DateTime} {
		if t, err := time.Parse(form, s); err == nil && t.Year() > 0 {
			return t.Format(time.DateOnly), true
		}
	}
	return "", false
}

// foldCase takes the difference of case out of a text, and no other.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		return least
	}, s)
}
