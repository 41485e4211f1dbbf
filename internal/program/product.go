package program

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// FormFactor is what a card is made of.
type FormFactor string

// The form factors.
const (
	PhysicalCard   FormFactor = "Physical"
	Virtual        FormFactor = "Virtual"
	PhysicalNoname FormFactor = "PhysicalNoname"
	DigitalFirst   FormFactor = "DigitalFirst" // virtual now, plastic follows
)

// AutoRenewal says whether a card is renewed by itself before it expires.
type AutoRenewal string

// The auto-renewal settings.
const (
	AutoRenewalDisabled AutoRenewal = "Disabled"
	AutoRenewalEnabled  AutoRenewal = "Enabled"
)

// DigitalSlipType is a cardholder's choice between paper and digital slips.
type DigitalSlipType string

// The digital slip types.
const (
	PaperAlways                  DigitalSlipType = "PaperAlways"
	DigitalBelowContactlessLimit DigitalSlipType = "DigitalBelowContactlessLimit"
	DigitalAlways                DigitalSlipType = "DigitalAlways"
)

// PINDelivery is a way a PIN reaches its cardholder.
type PINDelivery string

// The PIN deliveries.
const (
	PINByNone   PINDelivery = "None"
	PINBySMS    PINDelivery = "Sms"
	PINByMailer PINDelivery = "PinMailer"
	PINByIVR    PINDelivery = "Ivr"
	PINByAPI    PINDelivery = "Api" // set by the cardholder in the client's app
)

// InitialStatus is the status in which a product's cards begin.
type InitialStatus string

// The initial statuses.
const (
	StartsPending InitialStatus = "Pending"
	StartsActive  InitialStatus = "Active"
)

// EmbossType is how a name gets onto plastic.
type EmbossType string

// The emboss types.
const (
	Embossed      EmbossType = "Embossed"
	FlatPrinted   EmbossType = "FlatPrinted"
	LaserEngraved EmbossType = "LaserEngraved"
)

// DeliveryMethod is how plastic reaches its cardholder.
type DeliveryMethod string

// The delivery methods.
const (
	ByCourier      DeliveryMethod = "Courier"
	ByBranch       DeliveryMethod = "Branch"
	ByPost         DeliveryMethod = "Post"
	ByHandDelivery DeliveryMethod = "HandDelivery"
	ByNone         DeliveryMethod = "None"
)

// PolicyType names one usage switch of a card.
type PolicyType string

// The policy types.
const (
	PolicyDomesticPOS              PolicyType = "DomesticPos"
	PolicyDomesticEcommerce        PolicyType = "DomesticEcommerce"
	PolicyDomesticMOTO             PolicyType = "DomesticMoto"
	PolicyDomesticNoCVV2           PolicyType = "DomesticNoCvv2"
	PolicyDomesticContactless      PolicyType = "DomesticContactless"
	PolicyDomesticCash             PolicyType = "DomesticCash"
	PolicyInternationalPOS         PolicyType = "InternationalPos"
	PolicyInternationalEcommerce   PolicyType = "InternationalEcommerce"
	PolicyInternationalMOTO        PolicyType = "InternationalMoto"
	PolicyInternationalNoCVV2      PolicyType = "InternationalNoCvv2"
	PolicyInternationalContactless PolicyType = "InternationalContactless"
	PolicyInternationalCash        PolicyType = "InternationalCash"
	PolicyNonSecureEcommerce       PolicyType = "NonSecureEcommerce"
	PolicyRecurring                PolicyType = "Recurring"
	PolicyMagneticStripe           PolicyType = "MagneticStripe"
	PolicyChipFallback             PolicyType = "ChipFallback"
	PolicyQuasiCashAndGambling     PolicyType = "QuasiCashAndGambling"
	PolicyMobileWallet             PolicyType = "MobileWallet"
	PolicyIncomingTransfer         PolicyType = "IncomingTransfer"
	PolicyCashDeposit              PolicyType = "CashDeposit"
	PolicyInstallment              PolicyType = "Installment"
	PolicyOfflineTransaction       PolicyType = "OfflineTransaction"
)

// PolicyTypes lists every policy type in the contract's order.
func PolicyTypes() []PolicyType {
	return []PolicyType{
		PolicyDomesticPOS, PolicyDomesticEcommerce, PolicyDomesticMOTO, PolicyDomesticNoCVV2,
		PolicyDomesticContactless, PolicyDomesticCash, PolicyInternationalPOS, PolicyInternationalEcommerce,
		PolicyInternationalMOTO, PolicyInternationalNoCVV2, PolicyInternationalContactless, PolicyInternationalCash,
		PolicyNonSecureEcommerce, PolicyRecurring, PolicyMagneticStripe, PolicyChipFallback,
		PolicyQuasiCashAndGambling, PolicyMobileWallet, PolicyIncomingTransfer, PolicyCashDeposit,
		PolicyInstallment, PolicyOfflineTransaction,
	}
}

// AllowedByDefault reports whether a card may do this when its product says
// nothing about it.
func (t PolicyType) AllowedByDefault() bool {
	switch t {
	case PolicyNonSecureEcommerce, PolicyMagneticStripe, PolicyQuasiCashAndGambling,
		PolicyInternationalNoCVV2, PolicyInstallment, PolicyOfflineTransaction:
		return false
	}
	return true
}

// Policy is one usage switch as a product or a card sets it.
type Policy struct {
	Type      PolicyType
	IsAllowed bool
	IsLocked  bool // a card of the product cannot override it
	StartsAt  *time.Time
	EndsAt    *time.Time
}

// ContactlessLimit bounds taps without a PIN. A tap above any of its parts
// needs one; a verified PIN starts the two counters anew.
type ContactlessLimit struct {
	Transaction      money.Amount
	Cumulative       *money.Amount
	ConsecutiveCount *int
}

// Plastic is one physical variant of a product.
type Plastic struct {
	Code             string
	CardArtCode      string
	PlasticCode      string
	CarrierCode      string
	PersoVendorCode  string
	CourierCode      string
	DeliveryMethods  []DeliveryMethod
	Line1MaxLength   int
	Line2MaxLength   int
	EmbossType       EmbossType
	LanguageCode     string
	IsDefault        bool
	IsActive         bool
	ExpressAvailable bool
}

// Product is what a card is sold as: every card is of one.
type Product struct {
	Code                        string
	Name                        string
	Description                 string
	GroupCode                   string // empty: none
	BINRangeCode                string
	CardType                    CardType
	CardLevel                   CardLevel
	Currency                    money.Currency
	CustomerTypes               []customer.Type
	FormFactors                 []FormFactor
	ValidityMonths              int
	RenewalLeadDays             int
	RenewalOverlapDays          int
	AutoRenewal                 AutoRenewal
	KeepPANOnExpiryRenewal      bool
	AutoRenewalInactivityMonths int
	InitialStatusPhysical       InitialStatus
	InitialStatusVirtual        InitialStatus
	RequireDelivery             bool // for activation
	ServiceCode                 string
	ChipProfile                 string
	ContactlessEnabled          bool
	MagstripeEnabled            bool
	ContactlessLimit            *ContactlessLimit
	PINLength                   int
	PINRequired                 bool
	PINDeliveries               []PINDelivery
	PINTryLimit                 int
	CVV2TryLimit                int
	CVV2ResetOnSuccess          bool
	DynamicCVV2                 bool
	ThreeDSEnrolled             bool
	TokenizationAllowed         bool
	InstallmentAllowed          bool
	DigitalSlip                 DigitalSlipType
	MaxCardsPerCustomer         int // 0: unlimited
	MaxChildCards               int
	MinAge                      int
	ChildMinAge                 int
	MinKYCLevel                 customer.KYCLevel
	EmbossNameRequired          bool
	Plastics                    []Plastic
	Policies                    []Policy
	Status                      RecordStatus
	// BIN and Brand are those of the range. Reading fills them; writing and the
	// configuration's hash pass them over.
	BIN   string
	Brand Brand
	access.Record
}

// NewProduct returns a product with the contract's defaults, to be filled.
// PINRequired is the default of a virtual card; see [Product.HasPlastic].
// InstallmentAllowed is that of a card that is not credit; see
// [Product.IsForInstallments].
func NewProduct(code string) Product {
	return Product{
		Code:                        code,
		CustomerTypes:               []customer.Type{customer.Individual, customer.Company},
		RenewalLeadDays:             45,
		RenewalOverlapDays:          30,
		AutoRenewal:                 AutoRenewalEnabled,
		KeepPANOnExpiryRenewal:      true,
		AutoRenewalInactivityMonths: 12,
		InitialStatusPhysical:       StartsPending,
		InitialStatusVirtual:        StartsActive,
		ChipProfile:                 DefaultChipProfile,
		MagstripeEnabled:            true,
		PINLength:                   4,
		PINTryLimit:                 3,
		CVV2TryLimit:                3,
		CVV2ResetOnSuccess:          true,
		ThreeDSEnrolled:             true,
		DigitalSlip:                 PaperAlways,
		MaxCardsPerCustomer:         1,
		MinAge:                      18,
		ChildMinAge:                 12,
		MinKYCLevel:                 customer.KYCBasic,
		Status:                      RecordActive,
	}
}

// DefaultChipProfile is the cryptogram version of a product that names none.
const DefaultChipProfile = "CVN18"

// HasPlastic reports whether cards of the product can have a chip in them.
func (p Product) HasPlastic() bool {
	return slices.ContainsFunc(p.FormFactors, func(f FormFactor) bool { return f != Virtual })
}

// IsForInstallments reports whether cards of the product pay in instalments
// where nothing else is said.
func (p Product) IsForInstallments() bool { return p.CardType == Credit }

// Allows reports whether a customer of this type may hold the product.
func (p Product) Allows(t customer.Type) bool { return slices.Contains(p.CustomerTypes, t) }

// Group gathers products that rules and reports treat alike.
type Group struct {
	Code         string
	Name         string
	Description  string
	IsActive     bool
	ProductCount int // not deleted; filled by lists only
	access.Record
}

// FormFactors lists the known form factors.
func FormFactors() []FormFactor {
	return []FormFactor{PhysicalCard, Virtual, PhysicalNoname, DigitalFirst}
}

// DeliveryMethods lists the known delivery methods.
func DeliveryMethods() []DeliveryMethod {
	return []DeliveryMethod{ByCourier, ByBranch, ByPost, ByHandDelivery, ByNone}
}

// PINDeliveries lists the known ways a PIN is delivered.
func PINDeliveries() []PINDelivery {
	return []PINDelivery{PINByNone, PINBySMS, PINByMailer, PINByIVR, PINByAPI}
}

// check tells everything that is wrong with p by itself; what depends on other
// definitions is checked where it is written.
func (p Product) check() error {
	var v fault.Checks
	v.Code("code", p.Code)
	v.Text("name", p.Name, 1, 100)
	v.Text("description", p.Description, 0, 250)
	if p.GroupCode != "" {
		v.Code("groupCode", p.GroupCode)
	}
	v.Code("binRangeCode", p.BINRangeCode)
	fault.OneOf(&v, "cardType", p.CardType, CardTypes())
	if p.CardLevel != "" {
		fault.OneOf(&v, "cardLevel", p.CardLevel, CardLevels())
	}
	v.Is("currencyCode", !p.Currency.IsZero(), "required", "is required")
	v.Is("customerTypes", len(p.CustomerTypes) > 0, "required", "must name at least one")
	fault.SomeOf(&v, "customerTypes", p.CustomerTypes, []customer.Type{customer.Individual, customer.Company})
	v.Is("allowedFormFactors", len(p.FormFactors) > 0, "required", "must name at least one")
	fault.SomeOf(&v, "allowedFormFactors", p.FormFactors, FormFactors())
	v.Between("validityMonths", p.ValidityMonths, 1, 120)
	v.Between("renewalLeadDays", p.RenewalLeadDays, 0, 90)
	v.Between("renewalOverlapDays", p.RenewalOverlapDays, 0, 60)
	fault.OneOf(&v, "autoRenewalDefault", p.AutoRenewal, []AutoRenewal{AutoRenewalDisabled, AutoRenewalEnabled})
	v.Between("autoRenewalInactivityMonths", p.AutoRenewalInactivityMonths, 0, 24)
	fault.OneOf(&v, "initialStatusPhysical", p.InitialStatusPhysical, []InitialStatus{StartsPending, StartsActive})
	fault.OneOf(&v, "initialStatusVirtual", p.InitialStatusVirtual, []InitialStatus{StartsPending, StartsActive})
	_, err := ChipProfile(p.ChipProfile)
	v.Is("chipProfileCode", err == nil, "not_a_profile", "names no chip profile")
	v.Between("pinLength", p.PINLength, 4, 6)
	fault.SomeOf(&v, "pinDeliveryMethods", p.PINDeliveries, PINDeliveries())
	v.Between("pinTryLimit", p.PINTryLimit, 1, 10)
	v.Between("cvv2TryLimit", p.CVV2TryLimit, 1, 10)
	fault.OneOf(&v, "digitalSlipDefault", p.DigitalSlip, []DigitalSlipType{PaperAlways, DigitalBelowContactlessLimit, DigitalAlways})
	v.Between("maxCardsPerCustomer", p.MaxCardsPerCustomer, 0, 1000)
	v.Between("maxChildCards", p.MaxChildCards, 0, 1000)
	v.Between("minAge", p.MinAge, 0, 120)
	v.Between("childMinAge", p.ChildMinAge, 0, 120)
	v.Between("minKycLevel", int(p.MinKYCLevel), int(customer.KYCNone), int(customer.KYCFull))
	fault.OneOf(&v, "status", p.Status, recordStatuses)
	v.Is("contactlessLimit", !p.ContactlessEnabled || p.ContactlessLimit != nil, "required", "is required for contactless cards")
	if p.ContactlessLimit != nil {
		p.ContactlessLimit.check(&v, "contactlessLimit.", p.Currency)
	}
	p.checkPlastics(&v)
	p.checkPolicies(&v)
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	if !validServiceCode(p.ServiceCode) {
		return errServiceCode.OnField("serviceCode", "not_a_service_code", "must be a service code of ISO/IEC 7813")
	}
	return nil
}

func (l *ContactlessLimit) check(v *fault.Checks, prefix string, c money.Currency) {
	v.Is(prefix+"currencyCode", l.Transaction.Currency() == c, "other_currency", "must be the product's currency")
	v.Is(prefix+"transactionLimit", l.Transaction.Sign() >= 0, "negative", "must not be negative")
	if l.Cumulative != nil {
		v.Is(prefix+"cumulativeLimit", l.Cumulative.Sign() >= 0 && l.Cumulative.Currency() == c, "negative", "must not be negative")
	}
	if l.ConsecutiveCount != nil {
		v.Between(prefix+"consecutiveCountLimit", *l.ConsecutiveCount, 0, 1000)
	}
}

func (p Product) checkPlastics(v *fault.Checks) {
	defaults, codes := 0, map[string]bool{}
	for i, w := range p.Plastics {
		at := "physicals[" + strconv.Itoa(i) + "]."
		v.Code(at+"code", w.Code)
		v.Is(at+"code", !codes[w.Code], "repeated", "is there twice")
		codes[w.Code] = true
		v.Code(at+"cardArtCode", w.CardArtCode)
		v.Text(at+"plasticCode", w.PlasticCode, 1, 32)
		v.Text(at+"carrierCode", w.CarrierCode, 0, 32)
		v.Text(at+"persoVendorCode", w.PersoVendorCode, 1, 32)
		v.Text(at+"courierCode", w.CourierCode, 0, 32)
		fault.SomeOf(v, at+"deliveryMethods", w.DeliveryMethods, DeliveryMethods())
		v.Between(at+"line1MaxLength", w.Line1MaxLength, 21, 26)
		v.Between(at+"line2MaxLength", w.Line2MaxLength, 0, 26)
		fault.OneOf(v, at+"embossType", w.EmbossType, []EmbossType{Embossed, FlatPrinted, LaserEngraved})
		v.Text(at+"languageCode", w.LanguageCode, 0, 5)
		if w.IsDefault {
			defaults++
		}
	}
	v.Is("physicals", defaults <= 1, "several_defaults", "must have one default")
	if slices.Contains(p.FormFactors, PhysicalCard) {
		v.Is("physicals", defaults == 1, "required", "must have one default variant for physical cards")
	}
}

func (p Product) checkPolicies(v *fault.Checks) {
	seen := map[PolicyType]bool{}
	for i, w := range p.Policies {
		at := "policies[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"policyType", w.Type, PolicyTypes())
		v.Is(at+"policyType", !seen[w.Type], "repeated", "is there twice")
		seen[w.Type] = true
		w.CheckPeriod(v, at)
		if w.StartsAt != nil && w.EndsAt != nil {
			v.Is(at+"endDate", w.StartsAt.Before(*w.EndsAt), "before_start", "must be after startDate")
		}
	}
}

// validServiceCode checks the three digits of ISO/IEC 7813: interchange and
// technology, authorization processing, services and PIN.
func validServiceCode(s string) bool {
	return len(s) == 3 && strings.Contains("125679", s[:1]) && strings.Contains("024", s[1:2]) &&
		strings.Contains("01234567", s[2:])
}
