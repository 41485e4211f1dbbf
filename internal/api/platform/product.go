package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type (
	pinDeliveries struct{}
	embossTypes   struct{}
)

// Members of the enumerations of this resource.
func (pinDeliveries) Members() []api.Member { return numbered(0, program.PINDeliveries()) }
func (embossTypes) Members() []api.Member {
	return api.Numbered(1, "Embossed", "FlatPrinted", "LaserEngraved")
}

type contactlessLimit struct {
	Currency         string      `json:"currencyCode" required:"true" maxLength:"3"`
	Transaction      api.Decimal `json:"transactionLimit" required:"true" doc:"Of one tap without a PIN."`
	Cumulative       api.Decimal `json:"cumulativeLimit" doc:"Of all taps since the last PIN."`
	ConsecutiveCount *int        `json:"consecutiveCountLimit" doc:"Taps since the last PIN." minimum:"0" maximum:"1000"`
}

type cardProductPhysical struct {
	Code             string                   `json:"code" required:"true" maxLength:"32"`
	CardArtCode      string                   `json:"cardArtCode" required:"true" maxLength:"32"`
	PlasticCode      api.FreeText             `json:"plasticCode" required:"true" minLength:"1" maxLength:"32"`
	CarrierCode      *api.FreeText            `json:"carrierCode" maxLength:"32"`
	PersoVendorCode  api.FreeText             `json:"persoVendorCode" required:"true" minLength:"1" maxLength:"32"`
	CourierCode      *api.FreeText            `json:"courierCode" maxLength:"32"`
	DeliveryMethods  []api.Enum[deliveryWays] `json:"deliveryMethods"`
	Line1MaxLength   *int                     `json:"line1MaxLength" doc:"21 to 26; absent: 26." minimum:"21" maximum:"26"`
	Line2MaxLength   *int                     `json:"line2MaxLength" doc:"Absent: 26." minimum:"0" maximum:"26"`
	EmbossType       api.Enum[embossTypes]    `json:"embossType" doc:"Absent: FlatPrinted."`
	LanguageCode     *string                  `json:"languageCode" maxLength:"5"`
	IsDefault        bool                     `json:"isDefault"`
	IsActive         *bool                    `json:"isActive" doc:"Absent: true."`
	ExpressAvailable bool                     `json:"expressAvailable"`
}

type cardPolicySwitch struct {
	PolicyType api.Enum[cardPolicies] `json:"policyType" required:"true"`
	IsAllowed  bool                   `json:"isAllowed" required:"true"`
	Locked     bool                   `json:"locked" doc:"A card cannot override it."`
	StartDate  *time.Time             `json:"startDate"`
	EndDate    *time.Time             `json:"endDate"`
}

type cardProductRequest struct {
	Code                        string                    `json:"code,omitempty" maxLength:"32"`
	Name                        api.FreeText              `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description                 api.FreeText              `json:"description,omitempty" maxLength:"250"`
	GroupCode                   string                    `json:"groupCode,omitempty" maxLength:"32"`
	BinRangeCode                string                    `json:"binRangeCode" required:"true" maxLength:"32"`
	ApplyToNewCards             bool                      `json:"applyToNewCards,omitempty" doc:"Update only: another range may hold for new cards."`
	CardType                    api.Enum[cardTypes]       `json:"cardType" required:"true"`
	CardLevel                   api.Enum[cardLevels]      `json:"cardLevel,omitempty"`
	Currency                    string                    `json:"currencyCode" required:"true" maxLength:"3"`
	CustomerTypes               []api.Enum[customerTypes] `json:"customerTypes,omitempty" doc:"Absent: both."`
	FormFactors                 []api.Enum[formFactors]   `json:"allowedFormFactors" required:"true"`
	ValidityMonths              int                       `json:"validityMonths" required:"true" minimum:"1" maximum:"120"`
	RenewalLeadDays             *int                      `json:"renewalLeadDays,omitempty" minimum:"0" maximum:"90" doc:"Absent: 45."`
	RenewalOverlapDays          *int                      `json:"renewalOverlapDays,omitempty" minimum:"0" maximum:"60" doc:"Of a renewal with another number; absent: 30."`
	AutoRenewal                 api.Enum[renewalModes]    `json:"autoRenewalDefault,omitempty" doc:"Absent: Enabled."`
	KeepPANOnExpiryRenewal      *bool                     `json:"keepPanOnExpiryRenewal,omitempty" doc:"Absent: true."`
	AutoRenewalInactivityMonths *int                      `json:"autoRenewalInactivityMonths,omitempty" minimum:"0" maximum:"24" doc:"0 renews idle cards, too; absent: 12."`
	InitialStatusPhysical       api.Enum[initialStatuses] `json:"initialStatusPhysical,omitempty" doc:"Absent: Pending."`
	InitialStatusVirtual        api.Enum[initialStatuses] `json:"initialStatusVirtual,omitempty" doc:"Absent: Active."`
	RequireDelivery             bool                      `json:"requireDeliveryForActivation,omitempty"`
	ServiceCode                 string                    `json:"serviceCode" required:"true" doc:"Three digits of ISO/IEC 7813."`
	ChipProfileCode             string                    `json:"chipProfileCode,omitempty" doc:"Absent: CVN18."`
	ContactlessEnabled          bool                      `json:"contactlessEnabled,omitempty"`
	MagstripeEnabled            *bool                     `json:"magstripeEnabled,omitempty" doc:"Absent: true."`
	ContactlessLimit            *contactlessLimit         `json:"contactlessLimit,omitempty" doc:"Required for contactless cards."`
	PINLength                   *int                      `json:"pinLength,omitempty" minimum:"4" maximum:"6" doc:"Absent: 4."`
	PINRequired                 *bool                     `json:"pinRequired,omitempty" doc:"Absent: for plastic."`
	PINDeliveries               []api.Enum[pinDeliveries] `json:"pinDeliveryMethods,omitempty"`
	PINTryLimit                 *int                      `json:"pinTryLimit,omitempty" minimum:"1" maximum:"10" doc:"Absent: 3."`
	CVV2TryLimit                *int                      `json:"cvv2TryLimit,omitempty" minimum:"1" maximum:"10" doc:"Absent: 3."`
	CVV2ResetOnSuccess          *bool                     `json:"cvv2ResetOnSuccess,omitempty" doc:"Absent: true."`
	DynamicCVV2                 bool                      `json:"dynamicCvv2,omitempty"`
	ThreeDSEnrolled             *bool                     `json:"threeDsEnrolled,omitempty" doc:"Absent: true."`
	TokenizationAllowed         bool                      `json:"tokenizationAllowed,omitempty"`
	InstallmentAllowed          *bool                     `json:"installmentAllowed,omitempty" doc:"Absent: for credit only."`
	DigitalSlip                 api.Enum[slipTypes]       `json:"digitalSlipDefault,omitempty" doc:"Absent: PaperAlways."`
	MaxCardsPerCustomer         *int                      `json:"maxCardsPerCustomer,omitempty" doc:"0 is unlimited; absent: 1." minimum:"0" maximum:"1000"`
	MaxChildCards               *int                      `json:"maxChildCards,omitempty" minimum:"0" maximum:"1000" doc:"Absent: 0."`
	MinAge                      *int                      `json:"minAge,omitempty" minimum:"0" maximum:"120" doc:"Absent: 18."`
	ChildMinAge                 *int                      `json:"childMinAge,omitempty" minimum:"0" maximum:"120" doc:"Absent: 12."`
	MinKYCLevel                 api.Enum[kycLevels]       `json:"minKycLevel,omitempty" doc:"Absent: Basic."`
	EmbossNameRequired          bool                      `json:"embossNameRequired,omitempty"`
	Physicals                   []cardProductPhysical     `json:"physicals,omitempty" doc:"One is the default where plastic is allowed."`
	Policies                    []cardPolicySwitch        `json:"policies,omitempty"`
	Status                      api.Enum[recordStatuses]  `json:"status,omitempty"`
	Stamp                       string                    `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type cardProductDetail struct {
	Code                        string                `json:"code"`
	Name                        string                `json:"name"`
	Description                 *string               `json:"description"`
	GroupCode                   *string               `json:"groupCode"`
	BinRangeCode                string                `json:"binRangeCode"`
	Bin                         string                `json:"bin"`
	Brand                       string                `json:"brand"`
	CardType                    string                `json:"cardType"`
	CardLevel                   *string               `json:"cardLevel"`
	Currency                    string                `json:"currencyCode"`
	CustomerTypes               []string              `json:"customerTypes"`
	FormFactors                 []string              `json:"allowedFormFactors"`
	ValidityMonths              int                   `json:"validityMonths"`
	RenewalLeadDays             int                   `json:"renewalLeadDays"`
	RenewalOverlapDays          int                   `json:"renewalOverlapDays"`
	AutoRenewal                 string                `json:"autoRenewalDefault"`
	KeepPANOnExpiryRenewal      bool                  `json:"keepPanOnExpiryRenewal"`
	AutoRenewalInactivityMonths int                   `json:"autoRenewalInactivityMonths"`
	InitialStatusPhysical       string                `json:"initialStatusPhysical"`
	InitialStatusVirtual        string                `json:"initialStatusVirtual"`
	RequireDelivery             bool                  `json:"requireDeliveryForActivation"`
	ServiceCode                 string                `json:"serviceCode"`
	ChipProfileCode             string                `json:"chipProfileCode"`
	ContactlessEnabled          bool                  `json:"contactlessEnabled"`
	MagstripeEnabled            bool                  `json:"magstripeEnabled"`
	ContactlessLimit            *contactlessLimit     `json:"contactlessLimit"`
	PINLength                   int                   `json:"pinLength"`
	PINRequired                 bool                  `json:"pinRequired"`
	PINDeliveries               []string              `json:"pinDeliveryMethods"`
	PINTryLimit                 int                   `json:"pinTryLimit"`
	CVV2TryLimit                int                   `json:"cvv2TryLimit"`
	CVV2ResetOnSuccess          bool                  `json:"cvv2ResetOnSuccess"`
	DynamicCVV2                 bool                  `json:"dynamicCvv2"`
	ThreeDSEnrolled             bool                  `json:"threeDsEnrolled"`
	TokenizationAllowed         bool                  `json:"tokenizationAllowed"`
	InstallmentAllowed          bool                  `json:"installmentAllowed"`
	DigitalSlip                 string                `json:"digitalSlipDefault"`
	MaxCardsPerCustomer         int                   `json:"maxCardsPerCustomer"`
	MaxChildCards               int                   `json:"maxChildCards"`
	MinAge                      int                   `json:"minAge"`
	ChildMinAge                 int                   `json:"childMinAge"`
	MinKYCLevel                 string                `json:"minKycLevel"`
	EmbossNameRequired          bool                  `json:"embossNameRequired"`
	Physicals                   []cardProductPhysical `json:"physicals"`
	Policies                    []cardPolicySwitch    `json:"policies"`
	Status                      string                `json:"status"`
	Audited
}

func (a *API) createProduct(ctx context.Context, c access.Caller, in *struct{ Body cardProductRequest }) (cardProductDetail, error) {
	p, err := decodeProduct(in.Body)
	if err != nil {
		return cardProductDetail{}, err
	}
	p, err = a.Programs.CreateProduct(ctx, c, p)
	return encodeProduct(p), err
}

func (a *API) updateProduct(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"productCode"`
	Body cardProductRequest
}) (cardProductDetail, error) {
	in.Body.Code = in.Code
	p, err := decodeProduct(in.Body)
	if err != nil {
		return cardProductDetail{}, err
	}
	p, err = a.Programs.UpdateProduct(ctx, c, program.ProductChange{
		Product: p, ApplyToNewCards: in.Body.ApplyToNewCards, ConcurrencyStamp: in.Body.Stamp,
	})
	return encodeProduct(p), err
}

func (a *API) setContactlessLimit(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"productCode"`
	Body contactlessLimit
}) (cardProductDetail, error) {
	var d decoding
	limit := decodeContactlessLimit(&d, "", in.Body)
	if err := d.err(); err != nil {
		return cardProductDetail{}, err
	}
	p, err := a.Programs.SetContactlessLimit(ctx, c, in.Code, *limit)
	return encodeProduct(p), err
}

func (a *API) showProduct(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"productCode"`
}) (cardProductDetail, error) {
	p, err := a.Programs.Product(ctx, c, in.Code)
	return encodeProduct(p), err
}

func (a *API) listProducts(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Filter       string                     `query:"Filter" maxLength:"100"`
	GroupCode    string                     `query:"GroupCode"`
	BinRangeCode string                     `query:"BinRangeCode"`
	Status       api.Choice[recordStatuses] `query:"Status"`
	CardType     api.Choice[cardTypes]      `query:"CardType"`
}) (api.Page[cardProductDetail], error) {
	var d decoding
	f := program.ProductFilter{
		Text: in.Filter, GroupCode: in.GroupCode, BINRangeCode: in.BinRangeCode,
		Status:   program.RecordStatus(enumOf[recordStatuses](&d, "Status", in.Status)),
		CardType: program.CardType(enumOf[cardTypes](&d, "CardType", in.CardType)),
		Page: d.page(in.Paging, "code", "name", "groupCode", "binRangeCode", "cardType", "currencyCode", "status",
			"creationTime"),
	}
	if err := d.err(); err != nil {
		return api.Page[cardProductDetail]{}, err
	}
	page, total, err := a.Programs.Products(ctx, c, f)
	return api.PageOf(total, encodeAll(page, encodeProduct)), err
}

func (a *API) deleteProduct(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"productCode"`
}) (nothing, error) {
	return nothing{}, a.Programs.DeleteProduct(ctx, c, in.Code)
}

func decodeProduct(in cardProductRequest) (program.Product, error) {
	var d decoding
	p := program.NewProduct(in.Code)
	p.Name, p.Description, p.GroupCode, p.BINRangeCode = string(in.Name), string(in.Description), in.GroupCode, in.BinRangeCode
	p.CardType, p.CardLevel = program.CardType(in.CardType), program.CardLevel(in.CardLevel)
	p.Currency = d.currency("currencyCode", in.Currency)
	if in.CustomerTypes != nil {
		p.CustomerTypes = listOf[customer.Type](in.CustomerTypes)
	}
	p.FormFactors = listOf[program.FormFactor](in.FormFactors)
	p.ValidityMonths = in.ValidityMonths
	p.RenewalLeadDays = or(in.RenewalLeadDays, p.RenewalLeadDays)
	p.RenewalOverlapDays = or(in.RenewalOverlapDays, p.RenewalOverlapDays)
	p.AutoRenewal = given(in.AutoRenewal, p.AutoRenewal)
	p.KeepPANOnExpiryRenewal = or(in.KeepPANOnExpiryRenewal, p.KeepPANOnExpiryRenewal)
	p.AutoRenewalInactivityMonths = or(in.AutoRenewalInactivityMonths, p.AutoRenewalInactivityMonths)
	p.InitialStatusPhysical = given(in.InitialStatusPhysical, p.InitialStatusPhysical)
	p.InitialStatusVirtual = given(in.InitialStatusVirtual, p.InitialStatusVirtual)
	p.RequireDelivery, p.ServiceCode = in.RequireDelivery, in.ServiceCode
	if in.ChipProfileCode != "" {
		p.ChipProfile = in.ChipProfileCode
	}
	p.ContactlessEnabled, p.MagstripeEnabled = in.ContactlessEnabled, or(in.MagstripeEnabled, p.MagstripeEnabled)
	if in.ContactlessLimit != nil {
		p.ContactlessLimit = decodeContactlessLimit(&d, "contactlessLimit.", *in.ContactlessLimit)
	}
	p.PINLength, p.PINRequired = or(in.PINLength, p.PINLength), or(in.PINRequired, p.HasPlastic())
	p.PINDeliveries = listOf[program.PINDelivery](in.PINDeliveries)
	p.PINTryLimit, p.CVV2TryLimit = or(in.PINTryLimit, p.PINTryLimit), or(in.CVV2TryLimit, p.CVV2TryLimit)
	p.CVV2ResetOnSuccess, p.DynamicCVV2 = or(in.CVV2ResetOnSuccess, p.CVV2ResetOnSuccess), in.DynamicCVV2
	p.ThreeDSEnrolled, p.TokenizationAllowed = or(in.ThreeDSEnrolled, p.ThreeDSEnrolled), in.TokenizationAllowed
	p.InstallmentAllowed = or(in.InstallmentAllowed, p.IsForInstallments())
	p.DigitalSlip = given(in.DigitalSlip, p.DigitalSlip)
	p.MaxCardsPerCustomer, p.MaxChildCards = or(in.MaxCardsPerCustomer, p.MaxCardsPerCustomer), or(in.MaxChildCards, p.MaxChildCards)
	p.MinAge, p.ChildMinAge = or(in.MinAge, p.MinAge), or(in.ChildMinAge, p.ChildMinAge)
	p.MinKYCLevel, p.EmbossNameRequired = kycOf(in.MinKYCLevel, p.MinKYCLevel), in.EmbossNameRequired
	for _, v := range in.Physicals {
		p.Plastics = append(p.Plastics, decodePlastic(v))
	}
	for _, v := range in.Policies {
		p.Policies = append(p.Policies, program.Policy{
			Type: program.PolicyType(v.PolicyType), IsAllowed: v.IsAllowed, IsLocked: v.Locked, StartsAt: utc(v.StartDate), EndsAt: utc(v.EndDate),
		})
	}
	p.Status = given(in.Status, p.Status)
	return p, d.err()
}

// utc is an optional time as it is kept: in UTC, to the microsecond.
func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Microsecond)
	return &u
}

// decodeContactlessLimit reads a limit; at is its path with a dot behind, or
// empty.
func decodeContactlessLimit(d *decoding, at string, in contactlessLimit) *program.ContactlessLimit {
	c := d.currency(at+"currencyCode", in.Currency)
	perTap := d.amount(at+"transactionLimit", in.Transaction, c)
	if perTap == nil {
		if d.err() == nil {
			d.fail(at+"transactionLimit", "required", "is required")
		}
		return nil
	}
	return &program.ContactlessLimit{
		Transaction: *perTap, Cumulative: d.amount(at+"cumulativeLimit", in.Cumulative, c), ConsecutiveCount: in.ConsecutiveCount,
	}
}

func encodeContactlessLimit(l *program.ContactlessLimit) *contactlessLimit {
	if l == nil {
		return nil
	}
	return &contactlessLimit{
		Currency: l.Transaction.Currency().Code(), Transaction: api.DecimalOf(l.Transaction),
		Cumulative: decimalOrNil(l.Cumulative), ConsecutiveCount: l.ConsecutiveCount,
	}
}

func decodePlastic(v cardProductPhysical) program.Plastic {
	return program.Plastic{
		Code: v.Code, CardArtCode: v.CardArtCode, PlasticCode: string(v.PlasticCode), CarrierCode: string(value(v.CarrierCode)),
		PersoVendorCode: string(v.PersoVendorCode), CourierCode: string(value(v.CourierCode)),
		DeliveryMethods: listOf[program.DeliveryMethod](v.DeliveryMethods), Line1MaxLength: or(v.Line1MaxLength, 26),
		Line2MaxLength: or(v.Line2MaxLength, 26), EmbossType: given(v.EmbossType, program.FlatPrinted),
		LanguageCode: value(v.LanguageCode), IsDefault: v.IsDefault, IsActive: or(v.IsActive, true),
		ExpressAvailable: v.ExpressAvailable,
	}
}

func encodePlastic(v program.Plastic) cardProductPhysical {
	methods := make([]api.Enum[deliveryWays], len(v.DeliveryMethods))
	for i, m := range v.DeliveryMethods {
		methods[i] = api.Enum[deliveryWays](m)
	}
	return cardProductPhysical{
		Code: v.Code, CardArtCode: v.CardArtCode, PlasticCode: api.FreeText(v.PlasticCode), CarrierCode: textOrNil(v.CarrierCode),
		PersoVendorCode: api.FreeText(v.PersoVendorCode), CourierCode: textOrNil(v.CourierCode), DeliveryMethods: methods,
		Line1MaxLength: &v.Line1MaxLength, Line2MaxLength: &v.Line2MaxLength,
		EmbossType: api.Enum[embossTypes](v.EmbossType), LanguageCode: orNil(v.LanguageCode), IsDefault: v.IsDefault,
		IsActive: &v.IsActive, ExpressAvailable: v.ExpressAvailable,
	}
}

func encodePolicy(v program.Policy) cardPolicySwitch {
	return cardPolicySwitch{
		PolicyType: api.Enum[cardPolicies](v.Type), IsAllowed: v.IsAllowed, Locked: v.IsLocked, StartDate: v.StartsAt, EndDate: v.EndsAt,
	}
}

func encodeProduct(p program.Product) cardProductDetail {
	return cardProductDetail{
		Code: p.Code, Name: p.Name, Description: orNil(p.Description), GroupCode: orNil(p.GroupCode), BinRangeCode: p.BINRangeCode,
		Bin: p.BIN, Brand: string(p.Brand), CardType: string(p.CardType), CardLevel: orNil(p.CardLevel), Currency: p.Currency.Code(),
		CustomerTypes: namesOf(p.CustomerTypes), FormFactors: namesOf(p.FormFactors), ValidityMonths: p.ValidityMonths,
		RenewalLeadDays: p.RenewalLeadDays, RenewalOverlapDays: p.RenewalOverlapDays, AutoRenewal: string(p.AutoRenewal),
		KeepPANOnExpiryRenewal: p.KeepPANOnExpiryRenewal, AutoRenewalInactivityMonths: p.AutoRenewalInactivityMonths,
		InitialStatusPhysical: string(p.InitialStatusPhysical), InitialStatusVirtual: string(p.InitialStatusVirtual),
		RequireDelivery: p.RequireDelivery, ServiceCode: p.ServiceCode, ChipProfileCode: p.ChipProfile,
		ContactlessEnabled: p.ContactlessEnabled, MagstripeEnabled: p.MagstripeEnabled,
		ContactlessLimit: encodeContactlessLimit(p.ContactlessLimit), PINLength: p.PINLength, PINRequired: p.PINRequired,
		PINDeliveries: namesOf(p.PINDeliveries), PINTryLimit: p.PINTryLimit, CVV2TryLimit: p.CVV2TryLimit,
		CVV2ResetOnSuccess: p.CVV2ResetOnSuccess, DynamicCVV2: p.DynamicCVV2, ThreeDSEnrolled: p.ThreeDSEnrolled,
		TokenizationAllowed: p.TokenizationAllowed, InstallmentAllowed: p.InstallmentAllowed, DigitalSlip: string(p.DigitalSlip),
		MaxCardsPerCustomer: p.MaxCardsPerCustomer, MaxChildCards: p.MaxChildCards, MinAge: p.MinAge, ChildMinAge: p.ChildMinAge,
		MinKYCLevel: p.MinKYCLevel.String(), EmbossNameRequired: p.EmbossNameRequired,
		Physicals: encodeAll(p.Plastics, encodePlastic), Policies: encodeAll(p.Policies, encodePolicy), Status: string(p.Status),
		Audited: encodeRecord(p.Record),
	}
}

type productGroupRequest struct {
	Code        string       `json:"code,omitempty" maxLength:"32"`
	Name        api.FreeText `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description api.FreeText `json:"description,omitempty" maxLength:"250"`
	IsActive    *bool        `json:"isActive,omitempty" doc:"Absent: true."`
	Stamp       string       `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type cardProductGroup struct {
	Code         string  `json:"code"`
	Name         string  `json:"name"`
	Description  *string `json:"description"`
	IsActive     bool    `json:"isActive"`
	ProductCount int     `json:"productCount"`
	Audited
}

func (a *API) createProductGroup(ctx context.Context, c access.Caller, in *struct{ Body productGroupRequest }) (cardProductGroup, error) {
	g, err := a.Programs.CreateGroup(ctx, c, decodeGroup(in.Body))
	return encodeGroup(g), err
}

func (a *API) updateProductGroup(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"groupCode"`
	Body productGroupRequest
}) (cardProductGroup, error) {
	in.Body.Code = in.Code
	g, err := a.Programs.UpdateGroup(ctx, c, decodeGroup(in.Body), in.Body.Stamp)
	return encodeGroup(g), err
}

func (a *API) listProductGroups(ctx context.Context, c access.Caller, in *struct{ api.Paging }) (api.Page[cardProductGroup], error) {
	var d decoding
	p := d.page(in.Paging, "code", "name")
	if err := d.err(); err != nil {
		return api.Page[cardProductGroup]{}, err
	}
	page, total, err := a.Programs.Groups(ctx, c, p)
	return api.PageOf(total, encodeAll(page, encodeGroup)), err
}

func (a *API) deleteProductGroup(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"groupCode"`
}) (nothing, error) {
	return nothing{}, a.Programs.DeleteGroup(ctx, c, in.Code)
}

func decodeGroup(in productGroupRequest) program.Group {
	return program.Group{
		Code: in.Code, Name: string(in.Name), Description: string(in.Description), IsActive: or(in.IsActive, true),
	}
}

func encodeGroup(g program.Group) cardProductGroup {
	return cardProductGroup{
		Code: g.Code, Name: g.Name, Description: orNil(g.Description), IsActive: g.IsActive, ProductCount: g.ProductCount,
		Audited: encodeRecord(g.Record),
	}
}
