package issuing

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
)

func (u Customer) checkProfile(v *checks, now time.Time, zone *time.Location) {
	required := 0
	if u.Type == Individual {
		required = 1
	}
	v.name("name", u.Name, required)
	v.name("middleName", u.MiddleName, 0)
	v.name("surname", u.Surname, required)
	v.text("title", u.Title, 0, 20)
	v.text("birthPlace", u.BirthPlace, 0, 50)
	v.name("motherName", u.MotherName, 0)
	v.name("fatherName", u.FatherName, 0)
	v.name("motherMaidenName", u.MotherMaidenName, 0)
	v.text("occupation", u.Occupation, 0, 50)
	v.moment("notificationPreferences.kvkkConsentDate", someTime(u.Notifications.ConsentAt))
	v.text("education", u.Education, 0, 50)
	v.text("statusReason", u.StatusReason, 0, 200)
	oneOf(v, "gender", u.Gender, []Gender{GenderUnknown, Male, Female})
	oneOf(v, "maritalStatus", u.MaritalStatus, []MaritalStatus{MaritalUnknown, Single, Married, Divorced, Widowed})
	oneOf(v, "language", u.Language, []string{"tr", "en"})
	if zone == nil {
		zone = time.UTC
	}
	today := clock.DateOf(now, zone)
	switch {
	case u.BirthDate.IsZero():
		v.is("birthDate", u.Type != Individual, "required", "is required")
	case !u.BirthDate.Before(today):
		v.fail("birthDate", "not_past", "must be in the past")
	case u.BirthDate.Before(today.AddMonths(-12 * customerAgeMax)):
		v.fail("birthDate", "too_long_ago", "must be at most 120 years ago")
	}
	v.is("nationality", u.Type != Individual || !u.Nationality.IsZero(), "required", "is required")
	switch {
	case u.Business != nil:
		u.Business.check(v, today)
	case u.Type == Company:
		v.fail("businessDetail", "required", "is required for companies")
	}
}

// name checks a person's name: letters of any script, blank, hyphen,
// apostrophe and dot, at least one letter.
func (v *checks) name(field, value string, shortest int) {
	v.text(field, value, shortest, 50)
	letters := 0
	for _, r := range value {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.Is(unicode.Mn, r), strings.ContainsRune(" -'.", r), r == 0x2019:
		default:
			v.fail(field, "not_a_name", "must hold letters, blanks, hyphens, apostrophes and dots only")
			return
		}
	}
	v.is(field, value == "" || letters > 0, "not_a_name", "must hold a letter")
}

func (b Business) check(v *checks, today clock.Date) {
	const at = "businessDetail."
	v.text(at+"companyName", b.CompanyName, 1, 150)
	v.text(at+"shortName", b.ShortName, 0, 26)
	v.text(at+"taxOffice", b.TaxOffice, 1, 50)
	v.is(at+"taxNumber", validTaxNumber(b.TaxNumber), "wrong_checksum", "must be a valid tax number")
	v.text(at+"tradeRegistryNo", b.TradeRegistryNo, 0, 30)
	v.is(at+"mersisNo", b.MersisNo == "" || mersisSyntax.MatchString(b.MersisNo), "not_a_mersis_number", "must be 16 digits")
	if b.LegalForm != "" {
		oneOf(v, at+"legalForm", b.LegalForm, LegalForms())
	}
	v.is(at+"naceCode", naceSyntax.MatchString(b.NACECode), "not_a_nace_code", "must have at most 10 digits, letters and dots")
	v.is(at+"establishmentDate", b.EstablishmentDate.IsZero() || b.EstablishmentDate.Before(today), "not_past", "must be in the past")
	v.between(at+"employeeCount", b.EmployeeCount, 0, 10_000_000)
	if p := b.Authorized; p != nil {
		const at = at + "authorizedPerson."
		v.name(at+"name", p.Name, 1)
		v.name(at+"surname", p.Surname, 1)
		v.is(at+"tckn", p.TCKN == "" || ValidTCKN(p.TCKN), "wrong_checksum", "must be a valid TCKN")
		_, ok := parsePhone(p.Phone, false)
		v.is(at+"phone", p.Phone == "" || ok, "not_a_phone", "must be a phone number")
	}
}

// LegalForms lists the known legal forms.
func LegalForms() []LegalForm {
	return []LegalForm{
		SoleTrader, Limited, JointStock, Partnership, Cooperative, Association, Foundation, PublicBody, OtherForm,
	}
}

// IdentificationTypes lists the known identification types.
func IdentificationTypes() []IdentificationType {
	return []IdentificationType{
		TCKN, Passport, YKN, TaxNumber, TradeRegistry, Mersis, DrivingLicence, ExternalReference,
	}
}

// CommunicationTypes lists the known communication types.
func CommunicationTypes() []CommunicationType {
	return []CommunicationType{MobilePhone, Email, HomePhone, WorkPhone, Fax, OtherCommunication}
}

// AddressTypes lists the known address types.
func AddressTypes() []AddressType {
	return []AddressType{HomeAddress, WorkAddress, BillingAddress, DeliveryAddress, BranchAddress, OtherAddress}
}

func (n Identification) normalized() Identification {
	n.Number = n.Type.normalNumber(n.Number)
	if n.IssuingCountry.IsZero() && n.Type != Passport {
		n.IssuingCountry = turkey
	}
	if n.VerificationSource == "" {
		n.VerificationSource = VerifiedByNone
	}
	return n
}

// turkey is the country whose numbering, phone and address rules apply.
var turkey = country.Must("TR")

// checkIdentifications returns the wrong numbers apart from what else is wrong.
func (u Customer) checkIdentifications(v *checks) (wrong checks) {
	seen := map[IdentificationType]bool{}
	for i, n := range u.Identifications {
		at := "identifications[" + strconv.Itoa(i) + "]."
		oneOf(v, at+"identificationType", n.Type, IdentificationTypes())
		v.is(at+"identificationType", !seen[n.Type], "repeated", "is there twice")
		seen[n.Type] = true
		switch {
		case n.Number == "":
			v.fail(at+"identificationNo", "required", "is required")
		case !n.Type.valid(n.Number):
			wrong.fail(at+"identificationNo", "wrong_number", "is not a valid number of its type")
		}
		v.text(at+"serialNo", n.SerialNo, 0, 20)
		v.moment(at+"verifiedAt", someTime(n.VerifiedAt))
		v.text(at+"issuingAuthority", n.IssuingAuthority, 0, 50)
		v.is(at+"issuingCountry", !n.IssuingCountry.IsZero(), "required", "is required for passports")
		if !n.ExpiryDate.IsZero() && !n.IssueDate.IsZero() {
			v.is(at+"expiryDate", n.IssueDate.Before(n.ExpiryDate), "before_start", "must be after issueDate")
		}
		oneOf(v, at+"verificationSource", n.VerificationSource,
			[]VerificationSource{VerifiedByNone, VerifiedByNVI, VerifiedByKPS, VerifiedByVideo, VerifiedByBranch})
	}
	switch {
	case u.KYCLevel == KYCNone:
	case len(u.Identifications) == 0:
		v.fail("identifications", "required", "must name at least one")
	case u.Type == Individual && u.Nationality == turkey:
		v.is("identifications", seen[TCKN], "tckn_required", "must name the TCKN of a Turkish citizen")
	case u.Type == Individual && !u.Nationality.IsZero():
		v.is("identifications", seen[YKN] || seen[Passport], "ykn_or_passport_required", "must name the YKN or passport of a foreigner")
	}
	return wrong
}

func (t CommunicationType) isPhone() bool {
	return t == MobilePhone || t == HomePhone || t == WorkPhone || t == Fax
}

func (m Communication) normalized() Communication {
	m.Value = strings.TrimSpace(m.Value)
	if m.Type.isPhone() {
		if e164, ok := parsePhone(m.Value, m.Type == MobilePhone); ok {
			m.Value = e164
		}
	}
	return m
}

func (u Customer) checkCommunications(v *checks) {
	seen := map[CommunicationType]bool{}
	for i, m := range u.Communications {
		at := "communications[" + strconv.Itoa(i) + "]."
		oneOf(v, at+"communicationType", m.Type, CommunicationTypes())
		v.moment(at+"verifiedAt", someTime(m.VerifiedAt))
		v.is(at+"communicationType", !seen[m.Type], "repeated", "is there twice")
		seen[m.Type] = true
		switch {
		case m.Value == "":
			v.fail(at+"value", "required", "is required")
		case m.Type.isPhone():
			_, ok := parsePhone(m.Value, m.Type == MobilePhone)
			v.is(at+"value", ok, "not_a_phone", "must be a phone number")
		case m.Type == Email:
			_, ok := parseEmail(m.Value)
			v.is(at+"value", ok, "not_an_email", "must be an e-mail address")
		default:
			v.text(at+"value", m.Value, 1, 254)
		}
	}
	v.is("communications", seen[MobilePhone], "mobile_phone_required", "must name a mobile phone")
}

func (a Address) normalized() Address {
	if a.Country.IsZero() {
		a.Country = turkey
	}
	for i, line := range a.Lines {
		a.Lines[i] = strings.TrimSpace(line)
	}
	return a
}

// check tells what is wrong with an address; at is its path with a dot behind,
// or empty.
func (a Address) check(v *checks, at string) {
	v.text(at+"addressName", a.Name, 0, 50)
	v.text(at+"cityCode", a.CityCode, 0, 10)
	v.text(at+"cityName", a.CityName, 0, 50)
	v.text(at+"townCode", a.TownCode, 0, 10)
	v.text(at+"townName", a.TownName, 0, 50)
	v.text(at+"district", a.District, 0, 50)
	for i, line := range a.Lines {
		v.text(at+"addressLine"+strconv.Itoa(i+1), line, 1-min(i, 1), 50)
	}
	v.text(at+"zipCode", a.ZipCode, 0, 10)
	if a.Country == turkey {
		v.is(at+"cityCode", validCityCode(a.CityCode), "not_a_province", "must be the plate code of a province, 01 to 81")
		v.is(at+"townName", a.TownCode != "" || a.TownName != "", "required", "townCode or townName is required")
		v.is(at+"zipCode", a.ZipCode == "" || allDigits(a.ZipCode) && len(a.ZipCode) == 5, "not_a_zip_code", "must be 5 digits")
	}
	v.degrees(at+"latitude", a.Latitude, 90)
	v.degrees(at+"longitude", a.Longitude, 180)
}

func (v *checks) degrees(name, value string, most float64) {
	if value == "" {
		return
	}
	n, err := strconv.ParseFloat(value, 64)
	v.is(name, err == nil && len(value) <= 20 && n >= -most && n <= most, "out_of_range",
		"must be from -"+strconv.Itoa(int(most))+" to "+strconv.Itoa(int(most)))
}

func (u Customer) checkAddresses(v *checks) {
	seen := map[AddressType]bool{}
	for i, a := range u.Addresses {
		at := "addresses[" + strconv.Itoa(i) + "]."
		oneOf(v, at+"addressType", a.Type, AddressTypes())
		v.is(at+"addressType", !seen[a.Type], "repeated", "is there twice")
		seen[a.Type] = true
		a.check(v, at)
	}
	defaults := len(slices.DeleteFunc(slices.Clone(u.Addresses), func(a Address) bool { return !a.IsDefault }))
	v.is("addresses", defaults <= 1, "several_defaults", "must have one default")
}
