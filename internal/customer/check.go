package customer

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

func (u Customer) checkProfile(v *fault.Checks, now time.Time, zone *time.Location) {
	required := 0
	if u.Type == Individual {
		required = 1
	}
	checkName(v, "name", u.Name, required)
	checkName(v, "middleName", u.MiddleName, 0)
	checkName(v, "surname", u.Surname, required)
	v.Text("title", u.Title, 0, 20)
	v.Text("birthPlace", u.BirthPlace, 0, 50)
	checkName(v, "motherName", u.MotherName, 0)
	checkName(v, "fatherName", u.FatherName, 0)
	checkName(v, "motherMaidenName", u.MotherMaidenName, 0)
	v.Text("occupation", u.Occupation, 0, 50)
	v.Moment("notificationPreferences.kvkkConsentDate", someTime(u.Notifications.ConsentAt))
	v.Text("education", u.Education, 0, 50)
	v.Text("statusReason", u.StatusReason, 0, 200)
	fault.OneOf(v, "gender", u.Gender, []Gender{GenderUnknown, Male, Female})
	fault.OneOf(v, "maritalStatus", u.MaritalStatus, []MaritalStatus{MaritalUnknown, Single, Married, Divorced, Widowed})
	fault.OneOf(v, "language", u.Language, []string{"tr", "en"})
	if zone == nil {
		zone = time.UTC
	}
	today := clock.DateOf(now, zone)
	switch {
	case u.BirthDate.IsZero():
		v.Is("birthDate", u.Type != Individual, "required", "is required")
	case !u.BirthDate.Before(today):
		v.Fail("birthDate", "not_past", "must be in the past")
	case u.BirthDate.Before(today.AddMonths(-12 * customerAgeMax)):
		v.Fail("birthDate", "too_long_ago", "must be at most 120 years ago")
	}
	v.Is("nationality", u.Type != Individual || !u.Nationality.IsZero(), "required", "is required")
	switch {
	case u.Business != nil:
		u.Business.check(v, today)
	case u.Type == Company:
		v.Fail("businessDetail", "required", "is required for companies")
	}
}

// checkName checks a person's name: letters of any script, blank, hyphen,
// apostrophe and dot, at least one letter.
func checkName(v *fault.Checks, field, value string, shortest int) {
	v.Text(field, value, shortest, 50)
	letters := 0
	for _, r := range value {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.Is(unicode.Mn, r), strings.ContainsRune(" -'.", r), r == 0x2019:
		default:
			v.Fail(field, "not_a_name", "must hold letters, blanks, hyphens, apostrophes and dots only")
			return
		}
	}
	v.Is(field, value == "" || letters > 0, "not_a_name", "must hold a letter")
}

func (b Business) check(v *fault.Checks, today clock.Date) {
	const at = "businessDetail."
	v.Text(at+"companyName", b.CompanyName, 1, 150)
	v.Text(at+"shortName", b.ShortName, 0, 26)
	v.Text(at+"taxOffice", b.TaxOffice, 1, 50)
	v.Is(at+"taxNumber", validTaxNumber(b.TaxNumber), "wrong_checksum", "must be a valid tax number")
	v.Text(at+"tradeRegistryNo", b.TradeRegistryNo, 0, 30)
	v.Is(at+"mersisNo", b.MersisNo == "" || mersisSyntax.MatchString(b.MersisNo), "not_a_mersis_number", "must be 16 digits")
	if b.LegalForm != "" {
		fault.OneOf(v, at+"legalForm", b.LegalForm, LegalForms())
	}
	v.Is(at+"naceCode", naceSyntax.MatchString(b.NACECode), "not_a_nace_code", "must have at most 10 digits, letters and dots")
	v.Is(at+"establishmentDate", b.EstablishmentDate.IsZero() || b.EstablishmentDate.Before(today), "not_past", "must be in the past")
	if b.EmployeeCount != nil {
		v.Between(at+"employeeCount", *b.EmployeeCount, 0, 10_000_000)
	}
	if p := b.Authorized; p != nil {
		const at = at + "authorizedPerson."
		checkName(v, at+"name", p.Name, 1)
		checkName(v, at+"surname", p.Surname, 1)
		v.Is(at+"tckn", p.TCKN == "" || ValidTCKN(p.TCKN), "wrong_checksum", "must be a valid TCKN")
		_, ok := ParsePhone(p.Phone, false)
		v.Is(at+"phone", p.Phone == "" || ok, "not_a_phone", "must be a phone number")
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
func (u Customer) checkIdentifications(v *fault.Checks) (wrong fault.Checks) {
	seen := map[IdentificationType]bool{}
	for i, n := range u.Identifications {
		at := "identifications[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"identificationType", n.Type, IdentificationTypes())
		v.Is(at+"identificationType", !seen[n.Type], "repeated", "is there twice")
		seen[n.Type] = true
		switch {
		case n.Number == "":
			v.Fail(at+"identificationNo", "required", "is required")
		case !n.Type.valid(n.Number):
			wrong.Fail(at+"identificationNo", "wrong_number", "is not a valid number of its type")
		}
		v.Text(at+"serialNo", n.SerialNo, 0, 20)
		v.Moment(at+"verifiedAt", someTime(n.VerifiedAt))
		v.Text(at+"issuingAuthority", n.IssuingAuthority, 0, 50)
		v.Is(at+"issuingCountry", !n.IssuingCountry.IsZero(), "required", "is required for passports")
		if !n.ExpiryDate.IsZero() && !n.IssueDate.IsZero() {
			v.Is(at+"expiryDate", n.IssueDate.Before(n.ExpiryDate), "before_start", "must be after issueDate")
		}
		fault.OneOf(v, at+"verificationSource", n.VerificationSource,
			[]VerificationSource{VerifiedByNone, VerifiedByNVI, VerifiedByKPS, VerifiedByVideo, VerifiedByBranch})
	}
	switch {
	case u.KYCLevel == KYCNone:
	case len(u.Identifications) == 0:
		v.Fail("identifications", "required", "must name at least one")
	case u.Type == Individual && u.Nationality == turkey:
		v.Is("identifications", seen[TCKN], "tckn_required", "must name the TCKN of a Turkish citizen")
	case u.Type == Individual && !u.Nationality.IsZero():
		v.Is("identifications", seen[YKN] || seen[Passport], "ykn_or_passport_required", "must name the YKN or passport of a foreigner")
	}
	return wrong
}

func (t CommunicationType) isPhone() bool {
	return t == MobilePhone || t == HomePhone || t == WorkPhone || t == Fax
}

func (m Communication) normalized() Communication {
	m.Value = strings.TrimSpace(m.Value)
	if m.Type.isPhone() {
		if e164, ok := ParsePhone(m.Value, m.Type == MobilePhone); ok {
			m.Value = e164
		}
	}
	return m
}

func (u Customer) checkCommunications(v *fault.Checks) {
	seen := map[CommunicationType]bool{}
	for i, m := range u.Communications {
		at := "communications[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"communicationType", m.Type, CommunicationTypes())
		v.Moment(at+"verifiedAt", someTime(m.VerifiedAt))
		v.Is(at+"communicationType", !seen[m.Type], "repeated", "is there twice")
		seen[m.Type] = true
		switch {
		case m.Value == "":
			v.Fail(at+"value", "required", "is required")
		case m.Type.isPhone():
			_, ok := ParsePhone(m.Value, m.Type == MobilePhone)
			v.Is(at+"value", ok, "not_a_phone", "must be a phone number")
		case m.Type == Email:
			_, ok := ParseEmail(m.Value)
			v.Is(at+"value", ok, "not_an_email", "must be an e-mail address")
		default:
			v.Text(at+"value", m.Value, 1, 254)
		}
	}
	v.Is("communications", seen[MobilePhone], "mobile_phone_required", "must name a mobile phone")
}

func (a Address) Normalized() Address {
	if a.Country.IsZero() {
		a.Country = turkey
	}
	for i, line := range a.Lines {
		a.Lines[i] = strings.TrimSpace(line)
	}
	return a
}

// Check tells what is wrong with an address; at is its path with a dot behind,
// or empty.
func (a Address) Check(v *fault.Checks, at string) {
	v.Text(at+"addressName", a.Name, 0, 50)
	v.Text(at+"cityCode", a.CityCode, 0, 10)
	v.Text(at+"cityName", a.CityName, 0, 50)
	v.Text(at+"townCode", a.TownCode, 0, 10)
	v.Text(at+"townName", a.TownName, 0, 50)
	v.Text(at+"district", a.District, 0, 50)
	for i, line := range a.Lines {
		v.Text(at+"addressLine"+strconv.Itoa(i+1), line, 1-min(i, 1), 50)
	}
	v.Text(at+"zipCode", a.ZipCode, 0, 10)
	if a.Country == turkey {
		v.Is(at+"cityCode", validCityCode(a.CityCode), "not_a_province", "must be the plate code of a province, 01 to 81")
		v.Is(at+"townName", a.TownCode != "" || a.TownName != "", "required", "townCode or townName is required")
		v.Is(at+"zipCode", a.ZipCode == "" || fault.AllDigits(a.ZipCode) && len(a.ZipCode) == 5, "not_a_zip_code", "must be 5 digits")
	}
	checkDegrees(v, at+"latitude", a.Latitude, 90)
	checkDegrees(v, at+"longitude", a.Longitude, 180)
}

func checkDegrees(v *fault.Checks, name, value string, most float64) {
	if value == "" {
		return
	}
	n, err := strconv.ParseFloat(value, 64)
	v.Is(name, err == nil && len(value) <= 20 && n >= -most && n <= most, "out_of_range",
		"must be from -"+strconv.Itoa(int(most))+" to "+strconv.Itoa(int(most)))
}

func (u Customer) checkAddresses(v *fault.Checks) {
	seen := map[AddressType]bool{}
	for i, a := range u.Addresses {
		at := "addresses[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"addressType", a.Type, AddressTypes())
		v.Is(at+"addressType", !seen[a.Type], "repeated", "is there twice")
		seen[a.Type] = true
		a.Check(v, at)
	}
	defaults := len(slices.DeleteFunc(slices.Clone(u.Addresses), func(a Address) bool { return !a.IsDefault }))
	v.Is("addresses", defaults <= 1, "several_defaults", "must have one default")
}

// someTime is t, or nil for none.
func someTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
