package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type createCardRequest struct {
	CustomerNo            string                    `json:"customerNo" required:"true" minLength:"1" maxLength:"20"`
	ProductCode           string                    `json:"productCode" required:"true" minLength:"1" maxLength:"32"`
	FormFactor            api.Enum[formFactors]     `json:"formFactor,omitempty" doc:"Default: the product's first."`
	ParentIssuanceNo      string                    `json:"parentIssuanceNo,omitempty" maxLength:"16" doc:"Makes a supplementary card."`
	ParentCardToken       string                    `json:"parentCardToken,omitempty" maxLength:"16"`
	PersonalizedNameLine1 api.FreeText              `json:"personalizedNameLine1,omitempty" maxLength:"100" doc:"Default: the customer's name."`
	PersonalizedNameLine2 api.FreeText              `json:"personalizedNameLine2,omitempty" maxLength:"100"`
	PhysicalCode          string                    `json:"physicalCode,omitempty" maxLength:"32"`
	CardArtCode           string                    `json:"cardArtCode,omitempty" maxLength:"32"`
	DeliveryMethod        api.Enum[deliveryWays]    `json:"deliveryMethod,omitempty" doc:"Default Courier."`
	DeliveryAddress       *deliveryAddress          `json:"deliveryAddress,omitempty" doc:"Either addressType alone, which names an address of the customer, or a whole address."`
	DeliveryCommunication *deliveryCommunication    `json:"deliveryCommunication,omitempty"`
	BranchCode            api.FreeText              `json:"branchCode,omitempty" maxLength:"32"`
	IsExpress             bool                      `json:"isExpress,omitempty"`
	PhoneNumber           string                    `json:"phoneNumber,omitempty" maxLength:"40" doc:"E.164; default: the customer's mobile phone."`
	PINSource             api.Enum[pinSources]      `json:"pinSource,omitempty"`
	EncryptedPIN          string                    `json:"encryptedPin,omitempty" maxLength:"512" doc:"For pinSource Encrypted; sandbox only."`
	Encryption            *encryption               `json:"encryption,omitempty"`
	InitialStatus         api.Enum[initialStatuses] `json:"initialStatus,omitempty"`
	AutoRenewalStatus     api.Enum[renewalModes]    `json:"autoRenewalStatus,omitempty"`
	DigitalSlipType       api.Enum[slipTypes]       `json:"digitalSlipType,omitempty"`
	Policies              []cardPolicyRequest       `json:"policies,omitempty" maxItems:"22"`
	AccountNo             string                    `json:"accountNo,omitempty" maxLength:"34" doc:"Default: named like the issuance. A card of credit names a credit account."`
	ExternalCardID        api.FreeText              `json:"externalCardId,omitempty" maxLength:"64"`
	ExpireYear            int                       `json:"expireYear,omitempty" minimum:"2000" maximum:"2099"`
	ExpireMonth           int                       `json:"expireMonth,omitempty" minimum:"1" maximum:"12"`
	FeeExemption          bool                      `json:"feeExemption,omitempty"`
	Channel               api.Enum[channels]        `json:"channel,omitempty"`
	Description           api.FreeText              `json:"description,omitempty" maxLength:"250"`
}

type deliveryAddress struct {
	AddressType  api.Enum[deliveryPlaces] `json:"addressType,omitempty"`
	AddressName  api.FreeText             `json:"addressName,omitempty" maxLength:"50"`
	CountryCode  string                   `json:"countryCode,omitempty" maxLength:"3"`
	CityCode     string                   `json:"cityCode,omitempty" maxLength:"10"`
	CityName     api.FreeText             `json:"cityName,omitempty" maxLength:"50"`
	TownCode     string                   `json:"townCode,omitempty" maxLength:"10"`
	TownName     api.FreeText             `json:"townName,omitempty" maxLength:"50"`
	District     api.FreeText             `json:"district,omitempty" maxLength:"50"`
	AddressLine1 api.FreeText             `json:"addressLine1,omitempty" maxLength:"50"`
	AddressLine2 api.FreeText             `json:"addressLine2,omitempty" maxLength:"50"`
	AddressLine3 api.FreeText             `json:"addressLine3,omitempty" maxLength:"50"`
	AddressLine4 api.FreeText             `json:"addressLine4,omitempty" maxLength:"50"`
	ZipCode      string                   `json:"zipCode,omitempty" maxLength:"10"`
}

type deliveryCommunication struct {
	Phone         string       `json:"phone,omitempty" maxLength:"40"`
	Email         api.FreeText `json:"email,omitempty" maxLength:"254"`
	RecipientName api.FreeText `json:"recipientName,omitempty" maxLength:"100"`
	RecipientTCKN string       `json:"recipientTckn,omitempty" maxLength:"11"`
}

type cardPolicyRequest struct {
	PolicyType api.Enum[cardPolicies] `json:"policyType" required:"true"`
	IsAllowed  bool                   `json:"isAllowed" required:"true"`
	StartDate  *time.Time             `json:"startDate,omitempty"`
	EndDate    *time.Time             `json:"endDate,omitempty"`
}

// encryption names the key that the encrypted members around it are under.
type encryption struct {
	KeyID     string `json:"keyId" required:"true" minLength:"1" maxLength:"64"`
	Algorithm string `json:"algorithm,omitempty" enum:"A256GCM,TDES-ZPK,AES-ZPK" doc:"A256GCM of encrypted members, also when absent; of PIN blocks that of their ZPK."`
}

// mustBe refuses what names another algorithm than the value beside it is under.
func (e *encryption) mustBe(algorithm string) error {
	if e == nil || e.Algorithm == "" || e.Algorithm == algorithm {
		return nil
	}
	return api.Invalid().OnField("encryption.algorithm", "mismatch", "does not fit the value that it is of")
}

// keyID is the key's id; empty without one.
func (e *encryption) keyID() string {
	if e == nil {
		return ""
	}
	return e.KeyID
}

// cardResponse is CardResponseInfoDto (§8.1).
type cardResponse struct {
	IssuanceNo        string           `json:"issuanceNo"`
	CardToken         string           `json:"cardToken"`
	CardSequenceNo    int              `json:"cardSequenceNo"`
	MaskedCardNo      string           `json:"maskedCardNo"`
	CustomerNo        *string          `json:"customerNo"`
	AccountNo         string           `json:"accountNo"`
	ExternalCardID    *string          `json:"externalCardId"`
	Product           cardProduct      `json:"product"`
	FormFactor        string           `json:"formFactor"`
	CardOwnershipType string           `json:"cardOwnershipType"`
	Parent            *cardParent      `json:"parent"`
	CardStatus        string           `json:"cardStatus"`
	StatusReason      string           `json:"statusReason"`
	PINStatus         string           `json:"pinStatus"`
	ExpireYear        int              `json:"expireYear"`
	ExpireMonth       int              `json:"expireMonth"`
	EmbossNameLine1   string           `json:"embossNameLine1"`
	EmbossNameLine2   *string          `json:"embossNameLine2"`
	PhoneNumber       *string          `json:"phoneNumber" doc:"Masked."`
	AutoRenewalStatus string           `json:"autoRenewalStatus"`
	DigitalSlipType   string           `json:"digitalSlipType"`
	Physical          *physicalSummary `json:"physical"`
	Fees              []struct{}       `json:"fees"`
	NewCard           *newCard         `json:"newCard" doc:"Of a renewal."`
}

// cardProduct is CardProductInfoDto.
type cardProduct struct {
	Code  string  `json:"code"`
	Name  string  `json:"name"`
	Brand string  `json:"brand"`
	Level *string `json:"level"`
}

// cardParent is CardParentDto.
type cardParent struct {
	IssuanceNo   string  `json:"parentIssuanceNo"`
	CardToken    string  `json:"parentCardToken"`
	MaskedCardNo string  `json:"parentMaskedCardNo"`
	CustomerNo   *string `json:"parentCustomerNo"`
	CustomerName *string `json:"parentCustomerName"`
}

type cardChild struct {
	IssuanceNo   string  `json:"issuanceNo"`
	CardToken    string  `json:"cardToken"`
	MaskedCardNo string  `json:"maskedCardNo"`
	CustomerNo   *string `json:"customerNo"`
	CustomerName *string `json:"customerName"`
	CardStatus   string  `json:"cardStatus"`
}

// physicalSummary is CardPhysicalSummaryDto.
type physicalSummary struct {
	PersoStatus    string    `json:"persoStatus"`
	ShipmentStatus string    `json:"shipmentStatus"`
	DeliveryMethod string    `json:"deliveryMethod"`
	LastUpdate     time.Time `json:"lastUpdate"`
}

// physicalDetail is CardPhysicalInfoDto; what no bureau has told is null.
type physicalDetail struct {
	PhysicalCode          string                 `json:"physicalCode"`
	CardArtCode           string                 `json:"cardArtCode"`
	PlasticCode           string                 `json:"plasticCode"`
	EmbossNameLine1       string                 `json:"embossNameLine1"`
	EmbossNameLine2       *string                `json:"embossNameLine2"`
	DeliveryMethod        string                 `json:"deliveryMethod"`
	BranchCode            *string                `json:"branchCode"`
	IsExpress             bool                   `json:"isExpress"`
	PersoStatus           string                 `json:"persoStatus"`
	PersoVendorCode       *string                `json:"persoVendorCode"`
	PersoFileName         *string                `json:"persoFileName"`
	PersoBatchNo          *string                `json:"persoBatchNo"`
	PersoRequestDate      time.Time              `json:"persoRequestDate"`
	PersoFileDate         *time.Time             `json:"persoFileDate"`
	ProducedDate          *time.Time             `json:"producedDate"`
	ErrorText             *string                `json:"errorText"`
	ShipmentStatus        string                 `json:"shipmentStatus"`
	ChipProfileCode       string                 `json:"chipProfileCode"`
	PINMailerStatus       *string                `json:"pinMailerStatus"`
	DeliveryAddress       *deliveryAddress       `json:"deliveryAddress"`
	DeliveryCommunication *deliveryCommunication `json:"deliveryCommunication"`
}

// CardSummary is CardSummaryDto.
type CardSummary struct {
	CardToken      string `json:"cardToken"`
	MaskedCardNo   string `json:"maskedCardNo"`
	CardSequenceNo int    `json:"cardSequenceNo"`
	CardStatus     string `json:"cardStatus"`
	ExpireYear     int    `json:"expireYear"`
	ExpireMonth    int    `json:"expireMonth"`
	FormFactor     string `json:"formFactor"`
}

// cardDTO is CardDto.
type cardDTO struct {
	CardSummary
	StatusInfo      statusLine       `json:"statusInfo"`
	PINStatus       string           `json:"pinStatus"`
	PINTryCount     int              `json:"pinTryCount"`
	CVV2TryCount    int              `json:"cvv2TryCount"`
	EmbossNameLine1 string           `json:"embossNameLine1"`
	EmbossNameLine2 *string          `json:"embossNameLine2"`
	ActivatedAt     *time.Time       `json:"activatedAt"`
	CreatedAt       time.Time        `json:"createdAt"`
	PreviousToken   *string          `json:"previousCardToken" doc:"Of the card whose place it took."`
	RenewalReason   *string          `json:"renewalReason"`
	Physical        *physicalSummary `json:"physical"`
}

// IssuanceSummary is IssuanceSummaryDto.
type IssuanceSummary struct {
	IssuanceNo        string      `json:"issuanceNo"`
	IssuanceStatus    string      `json:"issuanceStatus"`
	CustomerNo        *string     `json:"customerNo"`
	CustomerName      *string     `json:"customerName"`
	ProductCode       string      `json:"productCode"`
	ProductName       string      `json:"productName"`
	CardOwnershipType string      `json:"cardOwnershipType"`
	CurrentCard       CardSummary `json:"currentCard"`
	ChildCount        int         `json:"childCount"`
	AutoRenewalStatus string      `json:"autoRenewalStatus"`
	CreationTime      time.Time   `json:"creationTime"`
}

// issuanceDTO is IssuanceDto.
type issuanceDTO struct {
	IssuanceSummary
	ParentIssuanceNo  *string `json:"parentIssuanceNo"`
	AccountNo         string  `json:"accountNo"`
	ExternalCardID    *string `json:"externalCardId"`
	PhoneNumber       *string `json:"phoneNumber" doc:"Masked."`
	DigitalSlipType   string  `json:"digitalSlipType"`
	AnnualFeeNextDate *string `json:"annualFeeNextDate" doc:"When the next fee year begins; null while that is not known."`
}

// FoundCard is FindCardResponseDto (§8.5).
type FoundCard struct {
	Card     cardDTO        `json:"card"`
	Issuance issuanceDTO    `json:"issuance"`
	Customer *CustomerBrief `json:"customer"`
	Product  cardProduct    `json:"product"`
}

// cardDetail is CardDetailDto.
type cardDetail struct {
	FoundCard
	// ScheduledStatus is what the card waits for.
	ScheduledStatus *statusLine         `json:"scheduledStatus"`
	StatusHistory   []statusLine        `json:"statusHistory"`
	Parent          *cardParent         `json:"parent"`
	Children        []cardChild         `json:"children"`
	Policies        []cardPolicy        `json:"policies"`
	Contactless     contactlessCounters `json:"contactless"`
	Physical        *physicalDetail     `json:"physical"`
	Shipment        *shipmentSummary    `json:"shipment"`
	Statistics      cardStatistic       `json:"statistics"`
	WalletTokens    []struct{}          `json:"walletTokens"`
	Cards           []cardDTO           `json:"cards"`
}

type contactlessCounters struct {
	Count        int         `json:"count" doc:"Taps without PIN since the last verified PIN."`
	Amount       api.Decimal `json:"amount"`
	CurrencyCode string      `json:"currencyCode"`
}

// cardPolicy is CardPolicyDto.
type cardPolicy struct {
	PolicyType string     `json:"policyType"`
	IsAllowed  bool       `json:"isAllowed"`
	Source     string     `json:"source" enum:"Product,Card"`
	StartDate  *time.Time `json:"startDate"`
	EndDate    *time.Time `json:"endDate"`
	UpdatedAt  *time.Time `json:"updatedAt"`
}

// cardEcho is CardInfoDto: the echo of what changes a card.
type cardEcho struct {
	IssuanceNo         string    `json:"issuanceNo"`
	CardToken          string    `json:"cardToken"`
	MaskedCardNo       string    `json:"maskedCardNo"`
	CardStatus         string    `json:"cardStatus"`
	PINStatus          string    `json:"pinStatus"`
	RemainingPINTries  int       `json:"remainingPinTries"`
	RemainingCVV2Tries int       `json:"remainingCvv2Tries"`
	PhoneNumber        *string   `json:"phoneNumber" doc:"Masked."`
	DigitalSlipType    string    `json:"digitalSlipType"`
	AutoRenewalStatus  string    `json:"autoRenewalStatus"`
	UpdatedAt          time.Time `json:"updatedAt"`
}

// CardPath is exported for huma, which looks into exported embedded structs only:
// it is the input of an operation on one card.
type CardPath struct {
	CardToken string `path:"cardToken" maxLength:"32"`
}

func (a *API) createCard(ctx context.Context, c access.Caller, in *struct{ Body createCardRequest }) (cardResponse, error) {
	wish, err := decodeNewCard(in.Body)
	if err != nil {
		return cardResponse{}, err
	}
	made, err := a.Issuing.IssueCard(ctx, c, wish)
	if err != nil {
		return cardResponse{}, err
	}
	return encodeCard(made), nil
}

func (a *API) showCard(ctx context.Context, c access.Caller, in *CardPath) (FoundCard, error) {
	found, err := a.Issuing.Card(ctx, c, in.CardToken)
	if err != nil {
		return FoundCard{}, err
	}
	out := encodeFoundCard(found)
	out.Issuance.AnnualFeeNextDate, err = a.nextFeeYear(ctx, c, found.Issuance.ID)
	return out, err
}

// nextFeeYear shows when the next fee year of an issuance begins.
func (a *API) nextFeeYear(ctx context.Context, c access.Caller, issuance id.ID[issuing.Issuance]) (*string, error) {
	next, err := a.Fees.NextYear(ctx, c, issuance)
	if err != nil || next.IsZero() {
		return nil, err
	}
	return orNil(next.String()), nil
}

func (a *API) showCardDetails(ctx context.Context, c access.Caller, in *CardPath) (cardDetail, error) {
	found, err := a.Issuing.CardDetails(ctx, c, in.CardToken)
	if err != nil {
		return cardDetail{}, err
	}
	statistics, err := a.Transactions.Statistics(ctx, c, found.Issuance.ID, found.YearBegins)
	if err != nil {
		return cardDetail{}, err
	}
	production, sent, err := a.Personalization.ProgressOfCard(ctx, c, found.Card)
	if err != nil {
		return cardDetail{}, err
	}
	out := encodeCardDetails(found)
	if out.Issuance.AnnualFeeNextDate, err = a.nextFeeYear(ctx, c, found.Issuance.ID); err != nil {
		return cardDetail{}, err
	}
	if out.Physical != nil {
		out.Physical.produce(production)
		brief := summarizeShipment(found.Card, sent)
		out.Shipment = &brief
	}
	out.Statistics, err = encodeStatistics(found, statistics)
	return out, err
}

func decodeNewCard(in createCardRequest) (issuing.NewCard, error) {
	var d decoding
	out := issuing.NewCard{
		CustomerNo: in.CustomerNo, ProductCode: in.ProductCode, FormFactor: program.FormFactor(in.FormFactor),
		ParentIssuanceNo: in.ParentIssuanceNo, ParentCardToken: in.ParentCardToken,
		EmbossLine1: string(in.PersonalizedNameLine1), EmbossLine2: string(in.PersonalizedNameLine2),
		PhysicalCode: in.PhysicalCode, CardArtCode: in.CardArtCode, DeliveryMethod: program.DeliveryMethod(in.DeliveryMethod),
		BranchCode: string(in.BranchCode), IsExpress: in.IsExpress, PhoneNumber: in.PhoneNumber,
		PINSource: issuing.PINSource(in.PINSource), InitialStatus: issuing.CardStatus(in.InitialStatus),
		AutoRenewal: program.AutoRenewal(in.AutoRenewalStatus), DigitalSlip: program.DigitalSlipType(in.DigitalSlipType),
		AccountNo: in.AccountNo, ExternalCardID: string(in.ExternalCardID), FeeExemption: in.FeeExemption,
		Channel: string(in.Channel), Description: string(in.Description),
	}
	if m := in.DeliveryCommunication; m != nil {
		out.DeliveryPhone, out.DeliveryEmail = m.Phone, string(m.Email)
		out.RecipientName, out.RecipientTCKN = string(m.RecipientName), m.RecipientTCKN
	}
	if to := in.DeliveryAddress; to != nil && to.AddressLine1 == "" {
		out.DeliveryTo = customer.AddressType(to.AddressType)
	} else if to != nil {
		address := decodeDeliveryAddress(&d, *to)
		out.DeliveryAddress = &address
	}
	for _, p := range in.Policies {
		out.Policies = append(out.Policies, program.Policy{
			Type: program.PolicyType(p.PolicyType), IsAllowed: p.IsAllowed, StartsAt: p.StartDate, EndsAt: p.EndDate,
		})
	}
	if (in.ExpireYear == 0) != (in.ExpireMonth == 0) {
		d.fail("expireMonth", "incomplete", "goes with expireYear")
	}
	out.Expires = issuing.Expiry{Year: in.ExpireYear, Month: time.Month(in.ExpireMonth)}
	if in.EncryptedPIN != "" {
		pin, err := decodePIN(pinRequest{EncryptedPIN: in.EncryptedPIN, Encryption: in.Encryption})
		if err != nil {
			return out, err
		}
		out.PIN = pin
	}
	return out, d.err()
}

func decodeDeliveryAddress(d *decoding, in deliveryAddress) customer.Address {
	return customer.Address{
		Type: customer.AddressType(in.AddressType), Name: string(in.AddressName), CityCode: in.CityCode,
		CityName: string(in.CityName), TownCode: in.TownCode, TownName: string(in.TownName), District: string(in.District),
		Lines:   [4]string{string(in.AddressLine1), string(in.AddressLine2), string(in.AddressLine3), string(in.AddressLine4)},
		ZipCode: in.ZipCode, Country: d.country("deliveryAddress.countryCode", in.CountryCode),
	}
}

func encodeDeliveryAddress(a *customer.Address) *deliveryAddress {
	if a == nil {
		return nil
	}
	return &deliveryAddress{
		AddressType: api.Enum[deliveryPlaces](a.Type), AddressName: api.FreeText(a.Name), CountryCode: a.Country.Alpha2(),
		CityCode: a.CityCode, CityName: api.FreeText(a.CityName), TownCode: a.TownCode, TownName: api.FreeText(a.TownName),
		District: api.FreeText(a.District), AddressLine1: api.FreeText(a.Lines[0]), AddressLine2: api.FreeText(a.Lines[1]),
		AddressLine3: api.FreeText(a.Lines[2]), AddressLine4: api.FreeText(a.Lines[3]), ZipCode: a.ZipCode,
	}
}

func encodeCard(i issuing.IssuedCard) cardResponse {
	out := cardResponse{
		IssuanceNo: i.Issuance.No, CardToken: i.Card.Token, CardSequenceNo: i.Card.Sequence, MaskedCardNo: i.Card.Masked(),
		AccountNo: i.Issuance.AccountNo, ExternalCardID: orNil(i.Issuance.ExternalCardID), Product: encodeCardProduct(i),
		FormFactor: string(i.Card.FormFactor), CardOwnershipType: string(i.Issuance.Ownership()), Parent: encodeParent(i.Parent),
		CardStatus: string(i.Card.Status), StatusReason: string(i.Card.Reason), PINStatus: string(i.Card.PINStatus),
		ExpireYear: i.Card.Expires.Year, ExpireMonth: int(i.Card.Expires.Month), EmbossNameLine1: i.Card.EmbossLine1,
		EmbossNameLine2: orNil(i.Card.EmbossLine2), PhoneNumber: orNil(i.Issuance.PhoneNumber),
		AutoRenewalStatus: string(i.Issuance.AutoRenewal), DigitalSlipType: string(i.Issuance.DigitalSlipType),
		Physical: encodePhysicalSummary(i.Card.Physical), Fees: []struct{}{},
	}
	if i.Customer != nil {
		out.CustomerNo = &i.Customer.No
	}
	return out
}

func encodeCardProduct(i issuing.IssuedCard) cardProduct {
	level := i.Product.CardLevel
	if level == "" {
		level = i.BIN.CardLevel
	}
	return cardProduct{Code: i.Product.Code, Name: i.Product.Name, Brand: string(i.BIN.Brand), Level: orNil(level)}
}

func encodeParent(r *issuing.RelatedCard) *cardParent {
	if r == nil {
		return nil
	}
	return &cardParent{
		IssuanceNo: r.IssuanceNo, CardToken: r.CardToken, MaskedCardNo: r.MaskedNo, CustomerNo: orNil(r.CustomerNo),
		CustomerName: orNil(r.CustomerName),
	}
}

func encodePhysicalSummary(b *issuing.CardBody) *physicalSummary {
	if b == nil {
		return nil
	}
	return &physicalSummary{
		PersoStatus: string(b.PersoStatus), ShipmentStatus: string(b.ShipmentStatus), DeliveryMethod: string(b.DeliveryMethod),
		LastUpdate: b.UpdatedAt,
	}
}

func encodeCardSummary(c issuing.Card) CardSummary {
	return CardSummary{
		CardToken: c.Token, MaskedCardNo: c.Masked(), CardSequenceNo: c.Sequence, CardStatus: string(c.Status),
		ExpireYear: c.Expires.Year, ExpireMonth: int(c.Expires.Month), FormFactor: string(c.FormFactor),
	}
}

func encodeCardDTO(c issuing.Card) cardDTO {
	return cardDTO{
		CardSummary: encodeCardSummary(c), StatusInfo: encodeStatus(c.StatusChange), PINStatus: string(c.PINStatus),
		PINTryCount: c.PINTryCount, CVV2TryCount: c.CVV2TryCount, EmbossNameLine1: c.EmbossLine1,
		EmbossNameLine2: orNil(c.EmbossLine2), ActivatedAt: timeOrNil(c.ActivatedAt), CreatedAt: c.CreatedAt,
		PreviousToken: orNil(c.PreviousToken), RenewalReason: orNil(c.Renewed),
		Physical: encodePhysicalSummary(c.Physical),
	}
}

func encodeFoundCard(i issuing.IssuedCard) FoundCard {
	out := FoundCard{
		Card: encodeCardDTO(i.Card),
		Issuance: issuanceDTO{
			IssuanceSummary: IssuanceSummary{
				IssuanceNo: i.Issuance.No, IssuanceStatus: string(i.IssuanceStatus), ProductCode: i.Product.Code,
				ProductName: i.Product.Name, CardOwnershipType: string(i.Issuance.Ownership()),
				CurrentCard: encodeCardSummary(i.Current), ChildCount: i.ChildCount,
				AutoRenewalStatus: string(i.Issuance.AutoRenewal), CreationTime: i.Issuance.CreatedAt,
			},
			AccountNo: i.Issuance.AccountNo, ExternalCardID: orNil(i.Issuance.ExternalCardID),
			PhoneNumber: orNil(i.Issuance.PhoneNumber), DigitalSlipType: string(i.Issuance.DigitalSlipType),
		},
		Product: encodeCardProduct(i),
	}
	if i.Parent != nil {
		out.Issuance.ParentIssuanceNo = &i.Parent.IssuanceNo
	}
	if i.Customer != nil {
		holder, name := encodeBrief(*i.Customer), i.Customer.DisplayName()
		out.Customer, out.Issuance.CustomerNo, out.Issuance.CustomerName = &holder, &holder.CustomerNo, &name
	}
	return out
}

func encodeCardDetails(d issuing.CardDetails) cardDetail {
	out := cardDetail{
		FoundCard: encodeFoundCard(d.IssuedCard), ScheduledStatus: encodeSchedule(d.Schedule), Parent: encodeParent(d.Parent), Children: []cardChild{},
		Contactless: contactlessCounters{
			Count: d.Card.Contactless.Count, Amount: api.DecimalOf(d.ContactlessAmount()), CurrencyCode: d.Product.Currency.Code(),
		},
		Physical: encodePhysical(d.Card), WalletTokens: []struct{}{},
	}
	for _, s := range d.History {
		out.StatusHistory = append(out.StatusHistory, encodeStatus(s))
	}
	for _, r := range d.Children {
		out.Children = append(out.Children, cardChild{
			IssuanceNo: r.IssuanceNo, CardToken: r.CardToken, MaskedCardNo: r.MaskedNo, CustomerNo: orNil(r.CustomerNo),
			CustomerName: orNil(r.CustomerName), CardStatus: string(r.Status),
		})
	}
	out.Policies = encodeAll(d.Policies, encodeCardPolicy)
	for _, c := range d.Cards {
		out.Cards = append(out.Cards, encodeCardDTO(c))
	}
	return out
}

func encodePhysical(c issuing.Card) *physicalDetail {
	b := c.Physical
	if b == nil {
		return nil
	}
	return &physicalDetail{
		PhysicalCode: b.Code, CardArtCode: b.CardArtCode, PlasticCode: b.PlasticCode, EmbossNameLine1: c.EmbossLine1,
		EmbossNameLine2: orNil(c.EmbossLine2), DeliveryMethod: string(b.DeliveryMethod), BranchCode: orNil(b.BranchCode),
		IsExpress: b.IsExpress, PersoStatus: string(b.PersoStatus), PersoVendorCode: orNil(b.PersoVendor),
		PersoRequestDate: b.RequestedAt, ShipmentStatus: string(b.ShipmentStatus), ChipProfileCode: c.ChipProfile,
		DeliveryAddress: encodeDeliveryAddress(b.Delivery.Address),
		DeliveryCommunication: &deliveryCommunication{
			Phone: b.Delivery.Phone, Email: api.FreeText(b.Delivery.Email), RecipientName: api.FreeText(b.Delivery.RecipientName),
			RecipientTCKN: b.Delivery.RecipientTCKN,
		},
	}
}

func encodeCardEcho(i issuing.IssuedCard) cardEcho {
	pin, cvv2 := i.TriesLeft()
	updated := i.Card.UpdatedAt
	if i.Issuance.UpdatedAt.After(updated) {
		updated = i.Issuance.UpdatedAt
	}
	return cardEcho{
		IssuanceNo: i.Issuance.No, CardToken: i.Card.Token, MaskedCardNo: i.Card.Masked(), CardStatus: string(i.Card.Status),
		PINStatus: string(i.Card.PINStatus), RemainingPINTries: pin, RemainingCVV2Tries: cvv2,
		PhoneNumber: orNil(i.Issuance.PhoneNumber), DigitalSlipType: string(i.Issuance.DigitalSlipType),
		AutoRenewalStatus: string(i.Issuance.AutoRenewal), UpdatedAt: updated,
	}
}
