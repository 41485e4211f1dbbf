package customer

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Purpose is what everything personal is sealed and indexed for: it has
// keys of its own.
const Purpose = "customer"

// Type is whether a customer is a person or a company.
type Type string

// The customer types.
const (
	Individual Type = "Individual"
	Company    Type = "Company"
)

// Status is whether a customer may get and use cards.
type Status string

// The customer statuses. Closed is final.
const (
	Active   Status = "Active"
	Passive  Status = "Passive"
	Deceased Status = "Deceased"
	Closed   Status = "Closed"
	Blocked  Status = "Blocked"
)

// KYCLevel is how well a customer is known. Levels compare as numbers.
type KYCLevel int

// The KYC levels.
const (
	KYCNone     KYCLevel = 0 // anonymous
	KYCBasic    KYCLevel = 1 // declared, with a phone that answers
	KYCVerified KYCLevel = 2 // identity verified with the register
	KYCFull     KYCLevel = 3
)

// String returns the contract's name of the level.
func (k KYCLevel) String() string {
	switch k {
	case KYCNone:
		return "None"
	case KYCBasic:
		return "Basic"
	case KYCVerified:
		return "Verified"
	case KYCFull:
		return "Full"
	}
	return "Unknown"
}

// Gender and MaritalStatus are demographics as the customer states them.
type (
	Gender        string
	MaritalStatus string
)

// The genders and marital statuses.
const (
	GenderUnknown  Gender        = "Unknown"
	Male           Gender        = "Male"
	Female         Gender        = "Female"
	MaritalUnknown MaritalStatus = "Unknown"
	Single         MaritalStatus = "Single"
	Married        MaritalStatus = "Married"
	Divorced       MaritalStatus = "Divorced"
	Widowed        MaritalStatus = "Widowed"
)

// LegalForm is the kind of a company. Empty is not stated.
type LegalForm string

// The legal forms.
const (
	SoleTrader  LegalForm = "SoleTrader"
	Limited     LegalForm = "Limited"
	JointStock  LegalForm = "JointStock"
	Partnership LegalForm = "Partnership"
	Cooperative LegalForm = "Cooperative"
	Association LegalForm = "Association"
	Foundation  LegalForm = "Foundation"
	PublicBody  LegalForm = "Public"
	OtherForm   LegalForm = "Other"
)

// IdentificationType is the kind of a document or number that names a person
// or company.
type IdentificationType string

// The identification types.
const (
	TCKN              IdentificationType = "Tckn"
	Passport          IdentificationType = "Passport"
	YKN               IdentificationType = "Ykn" // foreigner's number
	TaxNumber         IdentificationType = "TaxNumber"
	TradeRegistry     IdentificationType = "TradeRegistry"
	Mersis            IdentificationType = "Mersis"
	DrivingLicence    IdentificationType = "DrivingLicence"
	ExternalReference IdentificationType = "ExternalReference"
)

// VerificationSource is who vouched for an identification.
type VerificationSource string

// The verification sources.
const (
	VerifiedByNone   VerificationSource = "None"
	VerifiedByNVI    VerificationSource = "Nvi"
	VerifiedByKPS    VerificationSource = "Kps"
	VerifiedByVideo  VerificationSource = "Video"
	VerifiedByBranch VerificationSource = "Branch"
)

// CommunicationType is a way to reach a customer.
type CommunicationType string

// The communication types.
const (
	MobilePhone        CommunicationType = "MobilePhone"
	Email              CommunicationType = "Email"
	HomePhone          CommunicationType = "HomePhone"
	WorkPhone          CommunicationType = "WorkPhone"
	Fax                CommunicationType = "Fax"
	OtherCommunication CommunicationType = "Other"
)

// AddressType is what an address is for.
type AddressType string

// The address types.
const (
	HomeAddress     AddressType = "Home"
	WorkAddress     AddressType = "Work"
	BillingAddress  AddressType = "Billing"
	DeliveryAddress AddressType = "Delivery"
	BranchAddress   AddressType = "Branch"
	OtherAddress    AddressType = "Other"
)

// Customer is a person or company that holds cards of one tenant.
//
// What use cases return is masked for callers without the permission
// [PermissionCustomerSensitive]: identification numbers, phones and e-mail
// addresses then show their ends only.
type Customer struct {
	ID       id.ID[Customer]
	Tenant   access.TenantID
	No       string // 1 to 20 digits
	Type     Type
	Status   Status
	KYCLevel KYCLevel
	Segment  string // code; empty: none
	// SegmentName is read with the customer and not stored in it.
	SegmentName string
	ExternalID  string // the client's own key; empty: none
	Profile
	Identifications []Identification
	Communications  []Communication
	Addresses       []Address
	access.Record
}

// IDPrefix is the prefix of customer identifiers.
func (Customer) IDPrefix() string { return "cust" }

// DisplayName is the company's name, or the person's given name and surname.
func (c Customer) DisplayName() string {
	if c.Type == Company && c.Business != nil {
		return c.Business.CompanyName
	}
	return c.Name + " " + c.Surname
}

// Contact returns the customer's value of this type, or nothing.
func (c Customer) Contact(t CommunicationType) string {
	for _, m := range c.Communications {
		if m.Type == t {
			return m.Value
		}
	}
	return ""
}

// Address returns the customer's address of this type.
func (c Customer) Address(t AddressType) (Address, bool) {
	for _, a := range c.Addresses {
		if a.Type == t {
			return a, true
		}
	}
	return Address{}, false
}

// Profile is the part of a customer that an update replaces.
type Profile struct {
	Name, MiddleName, Surname string
	Title                     string
	BirthDate                 clock.Date
	BirthPlace                string
	Gender                    Gender
	MaritalStatus             MaritalStatus
	Nationality               country.Country
	MotherName, FatherName    string
	MotherMaidenName          string // a security answer: kept, never returned
	Occupation, Education     string
	Language                  string // tr or en
	Business                  *Business
	Notifications             Notifications
	StatusReason              string
}

// Notifications are a customer's consents.
type Notifications struct {
	SMS, Email, Push bool
	Marketing        bool
	ConsentAt        time.Time // of the privacy notice; zero: never
}

// Business is what is known of a company.
type Business struct {
	CompanyName       string
	ShortName         string
	TaxOffice         string
	TaxNumber         string // VKN, or a sole trader's TCKN
	TradeRegistryNo   string
	MersisNo          string
	LegalForm         LegalForm
	NACECode          string
	EstablishmentDate clock.Date
	Authorized        *AuthorizedPerson
	EmployeeCount     *int // nil: not stated
}

// AuthorizedPerson acts for a company.
type AuthorizedPerson struct {
	Name, Surname, TCKN, Phone string
}

// Identification is one document or number; a customer has one per type.
type Identification struct {
	Type               IdentificationType
	Number             string
	SerialNo           string
	IssueDate          clock.Date
	ExpiryDate         clock.Date
	IssuingCountry     country.Country
	IssuingAuthority   string
	IsVerified         bool
	VerifiedAt         time.Time
	VerificationSource VerificationSource
}

// Communication is one way to reach a customer; there is one per type. Phones
// are in E.164 form.
type Communication struct {
	Type        CommunicationType
	Value       string
	IsPreferred bool
	IsVerified  bool
	VerifiedAt  time.Time
}

// Address is a postal address; a customer has one per type and one default.
// CityCode of a Turkish address is the plate code of its province.
type Address struct {
	Type                AddressType
	Name                string
	Country             country.Country
	CityCode, CityName  string
	TownCode, TownName  string
	District            string
	Lines               [4]string
	ZipCode             string
	IsDefault           bool
	Latitude, Longitude string // decimal text; empty: unknown
}

// Card is a card as its customer's page lists it. What its words mean is
// told where cards are issued.
type Card struct {
	ID, IssuanceID  string // as the issuer of cards writes them
	IssuanceNo      string
	CardToken       string
	MaskedNo        string
	ProductCode     string
	ProductName     string
	IsSupplementary bool
	FormFactor      string
	Status          string
	IsClosed        bool // it will never be used again
	StatusReason    string
	ExpiresOn       string // YYYY-MM
	EmbossName      string
	IsCurrent       bool
}
