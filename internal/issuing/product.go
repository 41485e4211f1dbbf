package issuing

import (
	"slices"
	"time"

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
	CustomerTypes               []CustomerType
	FormFactors                 []FormFactor
	ValidityMonths              int
	RenewalLeadDays             int
	RenewalOverlapDays          int
	AutoRenewal                 AutoRenewal
	KeepPANOnExpiryRenewal      bool
	AutoRenewalInactivityMonths int
	InitialStatusPhysical       CardStatus
	InitialStatusVirtual        CardStatus
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
	MinKYCLevel                 KYCLevel
	EmbossNameRequired          bool
	Plastics                    []Plastic
	Policies                    []Policy
	Status                      RecordStatus
	Record
}

// NewProduct returns a product with the contract's defaults, to be filled.
// PINRequired is the default of a virtual card; see [Product.HasPlastic].
func NewProduct(code string) Product {
	return Product{
		Code:                        code,
		CustomerTypes:               []CustomerType{Individual, Company},
		RenewalLeadDays:             45,
		RenewalOverlapDays:          30,
		AutoRenewal:                 AutoRenewalEnabled,
		KeepPANOnExpiryRenewal:      true,
		AutoRenewalInactivityMonths: 12,
		InitialStatusPhysical:       Pending,
		InitialStatusVirtual:        Active,
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
		MinKYCLevel:                 KYCBasic,
		Status:                      RecordActive,
	}
}

// DefaultChipProfile is the cryptogram version of a product that names none.
const DefaultChipProfile = "CVN18"

// HasPlastic reports whether cards of the product can have a chip in them.
func (p Product) HasPlastic() bool {
	return slices.ContainsFunc(p.FormFactors, func(f FormFactor) bool { return f != Virtual })
}

// Allows reports whether a customer of this type may hold the product.
func (p Product) Allows(t CustomerType) bool { return slices.Contains(p.CustomerTypes, t) }

// ProductGroup gathers products that rules and reports treat alike.
type ProductGroup struct {
	Code         string
	Name         string
	Description  string
	IsActive     bool
	ProductCount int // not deleted; filled by lists only
	Record
}
