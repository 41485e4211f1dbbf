package platform

import (
	"context"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

type (
	customerStatuses    struct{}
	genders             struct{}
	maritalStatuses     struct{}
	legalForms          struct{}
	identificationTypes struct{}
	verificationSources struct{}
	communicationTypes  struct{}
	addressTypes        struct{}
)

// Members of the enumerations of this resource.
func (customerStatuses) Members() []api.Member {
	return api.Numbered(1, "Active", "Passive", "Deceased", "Closed", "Blocked")
}
func (genders) Members() []api.Member { return api.Numbered(0, "Unknown", "Male", "Female") }
func (maritalStatuses) Members() []api.Member {
	return api.Numbered(0, "Unknown", "Single", "Married", "Divorced", "Widowed")
}
func (legalForms) Members() []api.Member          { return numbered(1, customer.LegalForms()) }
func (identificationTypes) Members() []api.Member { return numbered(1, customer.IdentificationTypes()) }
func (verificationSources) Members() []api.Member {
	return api.Numbered(0, "None", "Nvi", "Kps", "Video", "Branch")
}
func (communicationTypes) Members() []api.Member { return withOther(customer.CommunicationTypes()) }
func (addressTypes) Members() []api.Member       { return withOther(customer.AddressTypes()) }

// withOther numbers values from 1 and the last one, Other, 9.
func withOther[T ~string](values []T) []api.Member {
	all := numbered(1, values)
	all[len(all)-1].Code = 9
	return all
}

type customerIdentification struct {
	Type               api.Enum[identificationTypes] `json:"identificationType" required:"true"`
	Number             string                        `json:"identificationNo" required:"true" maxLength:"30"`
	SerialNo           *api.FreeText                 `json:"serialNo" maxLength:"20"`
	IssueDate          *string                       `json:"issueDate"`
	ExpiryDate         *string                       `json:"expiryDate"`
	IssuingCountry     *string                       `json:"issuingCountry" doc:"Required for passports; else TR." maxLength:"3"`
	IssuingAuthority   *api.FreeText                 `json:"issuingAuthority" maxLength:"50"`
	IsVerified         bool                          `json:"isVerified"`
	VerifiedAt         *time.Time                    `json:"verifiedAt"`
	VerificationSource api.Enum[verificationSources] `json:"verificationSource"`
}

type customerCommunication struct {
	Type        api.Enum[communicationTypes] `json:"communicationType" required:"true"`
	Value       string                       `json:"value" required:"true" maxLength:"254"`
	IsPreferred bool                         `json:"isPreferred"`
	IsVerified  bool                         `json:"isVerified"`
	VerifiedAt  *time.Time                   `json:"verifiedAt"`
}

type customerAddress struct {
	Type      api.Enum[addressTypes] `json:"addressType" required:"true"`
	Name      *api.FreeText          `json:"addressName" maxLength:"50"`
	Country   *string                `json:"countryCode" doc:"Absent: TR." maxLength:"3"`
	CityCode  *string                `json:"cityCode" doc:"In TR the plate code of the province, 01 to 81." maxLength:"10"`
	CityName  *api.FreeText          `json:"cityName" maxLength:"50"`
	TownCode  *string                `json:"townCode" maxLength:"10"`
	TownName  *api.FreeText          `json:"townName" maxLength:"50"`
	District  *api.FreeText          `json:"district" maxLength:"50"`
	Line1     api.FreeText           `json:"addressLine1" required:"true" maxLength:"50"`
	Line2     *api.FreeText          `json:"addressLine2" maxLength:"50"`
	Line3     *api.FreeText          `json:"addressLine3" maxLength:"50"`
	Line4     *api.FreeText          `json:"addressLine4" maxLength:"50"`
	ZipCode   *string                `json:"zipCode" maxLength:"10"`
	IsDefault bool                   `json:"isDefault"`
	Latitude  api.Decimal            `json:"latitude"`
	Longitude api.Decimal            `json:"longitude"`
}

type businessDetail struct {
	CompanyName       api.FreeText         `json:"companyName" required:"true" maxLength:"150"`
	ShortName         *api.FreeText        `json:"shortName" maxLength:"26"`
	TaxOffice         api.FreeText         `json:"taxOffice" required:"true" maxLength:"50"`
	TaxNumber         string               `json:"taxNumber" required:"true" maxLength:"11"`
	TradeRegistryNo   *api.FreeText        `json:"tradeRegistryNo" maxLength:"30"`
	MersisNo          *string              `json:"mersisNo" maxLength:"16"`
	LegalForm         api.Enum[legalForms] `json:"legalForm"`
	NACECode          *string              `json:"naceCode" maxLength:"10"`
	EstablishmentDate *string              `json:"establishmentDate"`
	AuthorizedPerson  *authorizedPerson    `json:"authorizedPerson"`
	EmployeeCount     *int                 `json:"employeeCount" minimum:"0" maximum:"10000000"`
}

type authorizedPerson struct {
	Name    api.FreeText `json:"name" required:"true" maxLength:"50"`
	Surname api.FreeText `json:"surname" required:"true" maxLength:"50"`
	TCKN    *string      `json:"tckn" maxLength:"11"`
	Phone   *string      `json:"phone" maxLength:"30"`
}

type notificationPreferences struct {
	SMS              bool       `json:"sms"`
	Email            bool       `json:"email"`
	Push             bool       `json:"push"`
	MarketingConsent bool       `json:"marketingConsent"`
	KVKKConsentDate  *time.Time `json:"kvkkConsentDate"`
}

// CustomerProfile is what creation and update have in common.
type CustomerProfile struct {
	Name             api.FreeText              `json:"name,omitempty" maxLength:"50"`
	MiddleName       api.FreeText              `json:"middleName,omitempty" maxLength:"50"`
	Surname          api.FreeText              `json:"surname,omitempty" maxLength:"50"`
	Title            api.FreeText              `json:"title,omitempty" maxLength:"20"`
	BirthDate        string                    `json:"birthDate,omitempty" doc:"YYYY-MM-DD."`
	BirthPlace       api.FreeText              `json:"birthPlace,omitempty" maxLength:"50"`
	Gender           api.Enum[genders]         `json:"gender,omitempty"`
	MaritalStatus    api.Enum[maritalStatuses] `json:"maritalStatus,omitempty"`
	Nationality      string                    `json:"nationality,omitempty" maxLength:"3"`
	MotherName       api.FreeText              `json:"motherName,omitempty" maxLength:"50"`
	FatherName       api.FreeText              `json:"fatherName,omitempty" maxLength:"50"`
	MotherMaidenName api.FreeText              `json:"motherMaidenName,omitempty" maxLength:"50" doc:"Kept and never returned."`
	Occupation       api.FreeText              `json:"occupation,omitempty" maxLength:"50"`
	Education        api.FreeText              `json:"education,omitempty" maxLength:"50"`
	Language         string                    `json:"language,omitempty" enum:"tr,en" doc:"Absent: tr."`
	KYCLevel         api.Enum[kycLevels]       `json:"kycLevel,omitempty"`
	ExternalID       api.FreeText              `json:"externalCustomerId,omitempty" maxLength:"64"`
	Business         *businessDetail           `json:"businessDetail,omitempty"`
	Notifications    *notificationPreferences  `json:"notificationPreferences,omitempty"`
}

type createCustomerRequest struct {
	CustomerNo   string                  `json:"customerNo,omitempty" maxLength:"20"`
	CustomerType api.Enum[customerTypes] `json:"customerType" required:"true"`
	SegmentCode  string                  `json:"segmentCode,omitempty" maxLength:"32"`
	CustomerProfile
	Identifications []customerIdentification `json:"identifications,omitempty"`
	Communications  []customerCommunication  `json:"communications,omitempty"`
	Addresses       []customerAddress        `json:"addresses,omitempty"`
}

type updateCustomerRequest struct {
	CustomerProfile
	Status       api.Enum[customerStatuses] `json:"status,omitempty"`
	StatusReason api.FreeText               `json:"statusReason,omitempty" maxLength:"200"`
	Stamp        string                     `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// CustomerBrief is what every view of a customer begins with.
type CustomerBrief struct {
	CustomerNo   string  `json:"customerNo"`
	CustomerType string  `json:"customerType"`
	Name         *string `json:"name"`
	Surname      *string `json:"surname"`
	CompanyName  *string `json:"companyName"`
	Status       string  `json:"status"`
	SegmentCode  *string `json:"segmentCode"`
	SegmentName  *string `json:"segmentName"`
	KYCLevel     string  `json:"kycLevel"`
	ExternalID   *string `json:"externalCustomerId"`
}

// CustomerDetail is everything about a customer but what nobody may read.
type CustomerDetail struct {
	CustomerBrief
	MiddleName      *string                  `json:"middleName"`
	Title           *string                  `json:"title"`
	BirthDate       *string                  `json:"birthDate"`
	BirthPlace      *string                  `json:"birthPlace"`
	Gender          string                   `json:"gender"`
	MaritalStatus   string                   `json:"maritalStatus"`
	Nationality     *string                  `json:"nationality"`
	MotherName      *string                  `json:"motherName"`
	FatherName      *string                  `json:"fatherName"`
	Occupation      *string                  `json:"occupation"`
	Education       *string                  `json:"education"`
	Language        string                   `json:"language"`
	StatusReason    *string                  `json:"statusReason"`
	Business        *businessDetail          `json:"businessDetail"`
	Notifications   notificationPreferences  `json:"notificationPreferences"`
	Identifications []customerIdentification `json:"identifications"`
	Communications  []customerCommunication  `json:"communications"`
	Addresses       []customerAddress        `json:"addresses"`
	Cards           []monitoringCustomerCard `json:"cards"`
	NoteCount       int                      `json:"noteCount"`
	Audited
}

type customerOrCreated struct {
	CustomerDetail
	IsCreated bool `json:"isCreated"`
}

type monitoringCustomerCard struct {
	IssuanceNo          string     `json:"issuanceNo"`
	CardToken           string     `json:"cardToken"`
	MaskedCardNo        string     `json:"maskedCardNo"`
	ProductCode         string     `json:"productCode"`
	ProductName         string     `json:"productName"`
	Ownership           string     `json:"cardOwnershipType" enum:"Main,Supplementary"`
	FormFactor          string     `json:"formFactor"`
	CardStatus          string     `json:"cardStatus"`
	StatusReason        string     `json:"statusReason"`
	ExpireYear          int        `json:"expireYear"`
	ExpireMonth         int        `json:"expireMonth"`
	EmbossName          *string    `json:"embossName"`
	LastTransactionDate *time.Time `json:"lastTransactionDate"`
	IsCurrent           bool       `json:"isCurrent"`
}

type customerRow struct {
	CustomerBrief
	BirthDate             *string                `json:"birthDate"`
	Nationality           *string                `json:"nationality"`
	PrimaryIdentification *primaryIdentification `json:"primaryIdentification"`
	MobilePhone           *string                `json:"mobilePhone"`
	Email                 *string                `json:"email"`
	CardCount             int                    `json:"cardCount"`
	CreationTime          time.Time              `json:"creationTime"`
}

type primaryIdentification struct {
	Type     string `json:"type"`
	MaskedNo string `json:"maskedNo"`
}

func (a *API) createCustomer(ctx context.Context, c access.Caller, in *struct{ Body createCustomerRequest }) (CustomerDetail, error) {
	u, err := decodeCustomer(in.Body)
	if err != nil {
		return CustomerDetail{}, err
	}
	made, err := a.Customers.Create(ctx, c, u)
	return encodeCustomer(made), err
}

func (a *API) findOrCreateCustomer(ctx context.Context, c access.Caller, in *struct{ Body createCustomerRequest }) (customerOrCreated, error) {
	u, err := decodeCustomer(in.Body)
	if err != nil {
		return customerOrCreated{}, err
	}
	found, created, err := a.Customers.FindOrCreate(ctx, c, u)
	out, err := a.customerDetail(ctx, c, found, err)
	return customerOrCreated{out, created}, err
}

func (a *API) showCustomer(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
}) (CustomerDetail, error) {
	u, err := a.Customers.Customer(ctx, c, in.CustomerNo)
	return a.customerDetail(ctx, c, u, err)
}

func (a *API) updateCustomer(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
	Body       updateCustomerRequest
}) (CustomerDetail, error) {
	var d decoding
	change := customer.Change{
		No: in.CustomerNo, ExternalID: string(in.Body.ExternalID), Profile: decodeProfile(&d, in.Body.CustomerProfile),
		Status: customer.Status(in.Body.Status), ConcurrencyStamp: in.Body.Stamp,
	}
	change.Profile.StatusReason = string(in.Body.StatusReason)
	if in.Body.KYCLevel != "" {
		level := kycOf(in.Body.KYCLevel, customer.KYCBasic)
		change.KYCLevel = &level
	}
	if err := d.err(); err != nil {
		return CustomerDetail{}, err
	}
	u, err := a.Customers.Update(ctx, c, change)
	return a.customerDetail(ctx, c, u, err)
}

func (a *API) listCustomers(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Filter           string                       `query:"Filter" maxLength:"100"`
	Name             string                       `query:"Name" maxLength:"50"`
	Surname          string                       `query:"Surname" maxLength:"50"`
	CustomerNo       string                       `query:"CustomerNo" maxLength:"20"`
	IdentificationNo string                       `query:"IdentificationNo" maxLength:"30"`
	CustomerType     api.Choice[customerTypes]    `query:"CustomerType"`
	SegmentCode      string                       `query:"SegmentCode"`
	Status           api.Choice[customerStatuses] `query:"Status"`
	MobilePhone      string                       `query:"MobilePhone" maxLength:"30"`
	Email            string                       `query:"Email" maxLength:"254"`
	TaxNumber        string                       `query:"TaxNumber" maxLength:"11"`
	CreationTimeFrom string                       `query:"CreationTimeFrom" doc:"ISO 8601 with offset, or a day."`
	CreationTimeTo   string                       `query:"CreationTimeTo" doc:"ISO 8601 with offset, exclusive; or a day, which is included."`
}) (api.Page[customerRow], error) {
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return api.Page[customerRow]{}, err
	}
	var d decoding
	f := customer.Filter{
		Text: in.Filter, Name: in.Name, Surname: in.Surname, No: in.CustomerNo, IdentificationNo: in.IdentificationNo,
		MobilePhone: in.MobilePhone, Email: in.Email, TaxNumber: in.TaxNumber, Segment: in.SegmentCode,
		Type:        customer.Type(enumOf[customerTypes](&d, "CustomerType", in.CustomerType)),
		Status:      customer.Status(enumOf[customerStatuses](&d, "Status", in.Status)),
		CreatedFrom: d.from("CreationTimeFrom", in.CreationTimeFrom, tenant.Zone), CreatedTo: d.until("CreationTimeTo", in.CreationTimeTo, tenant.Zone),
		Page: d.page(in.Paging, "customerNo", "creationTime", "status", "customerType", "kycLevel"),
	}
	if err := d.err(); err != nil {
		return api.Page[customerRow]{}, err
	}
	page, total, err := a.Customers.Customers(ctx, c, f)
	return api.PageOf(total, encodeAll(page, encodeCustomerRow)), err
}

func decodeCustomer(in createCustomerRequest) (customer.Customer, error) {
	var d decoding
	u := customer.Customer{
		No: in.CustomerNo, Type: customer.Type(in.CustomerType), Segment: in.SegmentCode,
		KYCLevel: kycOf(in.KYCLevel, customer.KYCBasic), ExternalID: string(in.ExternalID),
		Profile: decodeProfile(&d, in.CustomerProfile),
	}
	for i, n := range in.Identifications {
		u.Identifications = append(u.Identifications, decodeIdentification(&d, api.Index("identifications", i)+".", n))
	}
	for i, m := range in.Communications {
		u.Communications = append(u.Communications, decodeCommunication(&d, api.Index("communications", i)+".", m))
	}
	for i, x := range in.Addresses {
		u.Addresses = append(u.Addresses, decodeAddress(&d, api.Index("addresses", i)+".", x))
	}
	return u, d.err()
}

// contact checks what is no phone number for card numbers; a long phone number
// may look like one.
func (d *decoding) contact(field string, m customerCommunication) string {
	if m.Type == "Email" || m.Type == "Other" {
		return d.noPAN(field, m.Value)
	}
	return m.Value
}

// noPAN refuses a text that holds a card number.
func (d *decoding) noPAN(field, text string) string {
	if pan.ContainsPAN(text) && d.refused == nil {
		d.refused = fault.New(fault.Refused, api.CodeSensitiveText, "a text must not hold a card number").
			OnField(field, "card_number", "must not hold a card number")
	}
	return text
}

func decodeProfile(d *decoding, in CustomerProfile) customer.Profile {
	p := customer.Profile{
		Name: string(in.Name), MiddleName: string(in.MiddleName), Surname: string(in.Surname), Title: string(in.Title),
		BirthDate: d.date("birthDate", in.BirthDate), BirthPlace: string(in.BirthPlace), Gender: customer.Gender(in.Gender),
		MaritalStatus: customer.MaritalStatus(in.MaritalStatus), Nationality: d.country("nationality", in.Nationality),
		MotherName: string(in.MotherName), FatherName: string(in.FatherName), MotherMaidenName: string(in.MotherMaidenName),
		Occupation: string(in.Occupation), Education: string(in.Education), Language: in.Language,
	}
	if n := in.Notifications; n != nil {
		p.Notifications = customer.Notifications{
			SMS: n.SMS, Email: n.Email, Push: n.Push, Marketing: n.MarketingConsent, ConsentAt: value(utc(n.KVKKConsentDate)),
		}
	}
	if b := in.Business; b != nil {
		p.Business = &customer.Business{
			CompanyName: string(b.CompanyName), ShortName: string(value(b.ShortName)), TaxOffice: string(b.TaxOffice),
			TaxNumber: b.TaxNumber, TradeRegistryNo: string(value(b.TradeRegistryNo)), MersisNo: value(b.MersisNo),
			LegalForm: customer.LegalForm(b.LegalForm), NACECode: value(b.NACECode),
			EstablishmentDate: d.date("businessDetail.establishmentDate", value(b.EstablishmentDate)),
			EmployeeCount:     b.EmployeeCount,
		}
		if x := b.AuthorizedPerson; x != nil {
			p.Business.Authorized = &customer.AuthorizedPerson{
				Name: string(x.Name), Surname: string(x.Surname), TCKN: value(x.TCKN), Phone: value(x.Phone),
			}
		}
	}
	return p
}

func decodeIdentification(d *decoding, at string, in customerIdentification) customer.Identification {
	if in.Type != "Mersis" { // whose sixteen digits may look like a card number
		d.noPAN(at+"identificationNo", in.Number)
	}
	return customer.Identification{
		Type: customer.IdentificationType(in.Type), Number: in.Number, SerialNo: string(value(in.SerialNo)),
		IssueDate: d.date(at+"issueDate", value(in.IssueDate)), ExpiryDate: d.date(at+"expiryDate", value(in.ExpiryDate)),
		IssuingCountry:   d.country(at+"issuingCountry", value(in.IssuingCountry)),
		IssuingAuthority: string(value(in.IssuingAuthority)), IsVerified: in.IsVerified,
		VerifiedAt: value(utc(in.VerifiedAt)), VerificationSource: customer.VerificationSource(in.VerificationSource),
	}
}

// decodeAddress reads an address; at is its path with a dot behind, or empty.
func decodeAddress(d *decoding, at string, in customerAddress) customer.Address {
	return customer.Address{
		Type: customer.AddressType(in.Type), Name: string(value(in.Name)), Country: d.country(at+"countryCode", value(in.Country)),
		CityCode: value(in.CityCode), CityName: string(value(in.CityName)), TownCode: value(in.TownCode),
		TownName: string(value(in.TownName)), District: string(value(in.District)),
		Lines: [4]string{
			string(in.Line1), string(value(in.Line2)), string(value(in.Line3)), string(value(in.Line4)),
		},
		ZipCode: value(in.ZipCode), IsDefault: in.IsDefault, Latitude: string(in.Latitude), Longitude: string(in.Longitude),
	}
}

func encodeBrief(u customer.Customer) CustomerBrief {
	info := CustomerBrief{
		CustomerNo: u.No, CustomerType: string(u.Type), Name: orNil(u.Name), Surname: orNil(u.Surname), Status: string(u.Status),
		SegmentCode: orNil(u.Segment), SegmentName: orNil(u.SegmentName), KYCLevel: u.KYCLevel.String(), ExternalID: orNil(u.ExternalID),
	}
	if u.Business != nil {
		info.CompanyName = orNil(u.Business.CompanyName)
	}
	return info
}

// customerDetail shows a customer that was found or changed, unless err, with
// when the cards were last used.
func (a *API) customerDetail(ctx context.Context, c access.Caller, u customer.Detail, err error) (CustomerDetail, error) {
	if err != nil {
		return CustomerDetail{}, err
	}
	out := encodeCustomer(u)
	cards, issuances := make([]id.ID[issuing.Card], len(u.Cards)), make(map[id.ID[issuing.Card]]id.ID[issuing.Issuance], len(u.Cards))
	for i, k := range u.Cards {
		if cards[i], err = id.Parse[issuing.Card](k.ID); err != nil {
			return CustomerDetail{}, err
		}
		if issuances[cards[i]], err = id.Parse[issuing.Issuance](k.IssuanceID); err != nil {
			return CustomerDetail{}, err
		}
	}
	last, err := a.Transactions.LastUses(ctx, c, issuances)
	for i, card := range cards {
		out.Cards[i].LastTransactionDate = timeOrNil(last[card])
	}
	return out, err
}

func encodeCustomer(u customer.Detail) CustomerDetail {
	return CustomerDetail{
		CustomerBrief: encodeBrief(u.Customer), MiddleName: orNil(u.MiddleName), Title: orNil(u.Title),
		BirthDate: dateOrNil(u.BirthDate), BirthPlace: orNil(u.BirthPlace), Gender: string(u.Gender),
		MaritalStatus: string(u.MaritalStatus), Nationality: orNil(u.Nationality.Alpha2()), MotherName: orNil(u.MotherName),
		FatherName: orNil(u.FatherName), Occupation: orNil(u.Occupation), Education: orNil(u.Education), Language: u.Language,
		StatusReason: orNil(u.StatusReason), Business: encodeBusiness(u.Business),
		Notifications: notificationPreferences{
			SMS: u.Notifications.SMS, Email: u.Notifications.Email, Push: u.Notifications.Push,
			MarketingConsent: u.Notifications.Marketing, KVKKConsentDate: timeOrNil(u.Notifications.ConsentAt),
		},
		Identifications: encodeAll(u.Identifications, encodeIdentification),
		Communications:  encodeAll(u.Communications, encodeCommunication),
		Addresses:       encodeAll(u.Addresses, encodeAddress),
		Cards:           encodeAll(u.Cards, encodeCustomerCard), NoteCount: min(u.NoteCount, api.CountMax), Audited: encodeRecord(u.Record),
	}
}

func encodeBusiness(b *customer.Business) *businessDetail {
	if b == nil {
		return nil
	}
	out := &businessDetail{
		CompanyName: api.FreeText(b.CompanyName), ShortName: textOrNil(b.ShortName), TaxOffice: api.FreeText(b.TaxOffice),
		TaxNumber: b.TaxNumber, TradeRegistryNo: textOrNil(b.TradeRegistryNo), MersisNo: orNil(b.MersisNo),
		LegalForm: api.Enum[legalForms](b.LegalForm), NACECode: orNil(b.NACECode),
		EstablishmentDate: dateOrNil(b.EstablishmentDate), EmployeeCount: b.EmployeeCount,
	}
	if p := b.Authorized; p != nil {
		out.AuthorizedPerson = &authorizedPerson{
			Name: api.FreeText(p.Name), Surname: api.FreeText(p.Surname), TCKN: orNil(p.TCKN), Phone: orNil(p.Phone),
		}
	}
	return out
}

func encodeIdentification(n customer.Identification) customerIdentification {
	return customerIdentification{
		Type: api.Enum[identificationTypes](n.Type), Number: n.Number, SerialNo: textOrNil(n.SerialNo),
		IssueDate: dateOrNil(n.IssueDate), ExpiryDate: dateOrNil(n.ExpiryDate), IssuingCountry: orNil(n.IssuingCountry.Alpha2()),
		IssuingAuthority: textOrNil(n.IssuingAuthority), IsVerified: n.IsVerified, VerifiedAt: timeOrNil(n.VerifiedAt),
		VerificationSource: api.Enum[verificationSources](n.VerificationSource),
	}
}

func encodeCommunication(m customer.Communication) customerCommunication {
	return customerCommunication{
		Type: api.Enum[communicationTypes](m.Type), Value: m.Value, IsPreferred: m.IsPreferred,
		IsVerified: m.IsVerified, VerifiedAt: timeOrNil(m.VerifiedAt),
	}
}

func encodeAddress(a customer.Address) customerAddress {
	return customerAddress{
		Type: api.Enum[addressTypes](a.Type), Name: textOrNil(a.Name), Country: orNil(a.Country.Alpha2()),
		CityCode: orNil(a.CityCode), CityName: textOrNil(a.CityName), TownCode: orNil(a.TownCode), TownName: textOrNil(a.TownName),
		District: textOrNil(a.District), Line1: api.FreeText(a.Lines[0]), Line2: textOrNil(a.Lines[1]),
		Line3: textOrNil(a.Lines[2]), Line4: textOrNil(a.Lines[3]), ZipCode: orNil(a.ZipCode), IsDefault: a.IsDefault,
		Latitude: api.Decimal(a.Latitude), Longitude: api.Decimal(a.Longitude),
	}
}

func encodeCustomerCard(k customer.Card) monitoringCustomerCard {
	year, _ := strconv.Atoi(k.ExpiresOn[:min(4, len(k.ExpiresOn))]) // YYYY-MM
	month, _ := strconv.Atoi(k.ExpiresOn[min(5, len(k.ExpiresOn)):])
	owner := "Main"
	if k.IsSupplementary {
		owner = "Supplementary"
	}
	return monitoringCustomerCard{
		IssuanceNo: k.IssuanceNo, CardToken: k.CardToken, MaskedCardNo: k.MaskedNo, ProductCode: k.ProductCode,
		ProductName: k.ProductName, Ownership: owner, FormFactor: string(k.FormFactor), CardStatus: string(k.Status),
		StatusReason: k.StatusReason, ExpireYear: year, ExpireMonth: month, EmbossName: orNil(k.EmbossName), IsCurrent: k.IsCurrent,
	}
}

func encodeCustomerRow(u customer.Summary) customerRow {
	row := customerRow{
		CustomerBrief: encodeBrief(u.Customer), BirthDate: dateOrNil(u.BirthDate), Nationality: orNil(u.Nationality.Alpha2()),
		MobilePhone: orNil(u.Contact(customer.MobilePhone)), Email: orNil(u.Contact(customer.Email)), CardCount: u.CardCount,
		CreationTime: u.CreatedAt,
	}
	if len(u.Identifications) > 0 {
		first := u.Identifications[0]
		row.PrimaryIdentification = &primaryIdentification{string(first.Type), first.Number}
	}
	return row
}

func dateOrNil(d clock.Date) *string {
	if d.IsZero() {
		return nil
	}
	text := d.String()
	return &text
}

// textOrNil shows an absent free text as null.
func textOrNil(s string) *api.FreeText {
	if s == "" {
		return nil
	}
	text := api.FreeText(s)
	return &text
}
