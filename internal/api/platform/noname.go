package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// nonameRequest is NoNameCardRequestDto (§8.4).
type nonameRequest struct {
	ProductCode           string                    `json:"productCode" required:"true" minLength:"1" maxLength:"32"`
	FormFactor            api.Enum[nonameForms]     `json:"formFactor,omitempty" doc:"Default PhysicalNoname; Virtual makes digital gift cards."`
	Count                 *int                      `json:"count,omitempty" minimum:"1" maximum:"10000" doc:"Default 1. Up to 1,000 are made before the answer, more after it."`
	BatchReference        api.FreeText              `json:"batchReference,omitempty" maxLength:"64" doc:"What the card list can be filtered by."`
	EmbossText            api.FreeText              `json:"embossText,omitempty" maxLength:"26" doc:"Printed instead of a name."`
	LinkDeadlineDays      int                       `json:"linkDeadlineDays,omitempty" minimum:"0" maximum:"3650" doc:"Cards not linked by then are cancelled; 0 is never."`
	PhysicalCode          string                    `json:"physicalCode,omitempty" maxLength:"32"`
	CardArtCode           string                    `json:"cardArtCode,omitempty" maxLength:"32"`
	DeliveryMethod        api.Enum[deliveryWays]    `json:"deliveryMethod,omitempty" doc:"Default Courier. All cards go to one place."`
	DeliveryAddress       *deliveryAddress          `json:"deliveryAddress,omitempty" doc:"A whole address."`
	DeliveryCommunication *deliveryCommunication    `json:"deliveryCommunication,omitempty"`
	BranchCode            api.FreeText              `json:"branchCode,omitempty" maxLength:"32"`
	IsExpress             bool                      `json:"isExpress,omitempty"`
	InitialStatus         api.Enum[initialStatuses] `json:"initialStatus,omitempty"`
	AutoRenewalStatus     api.Enum[renewalModes]    `json:"autoRenewalStatus,omitempty"`
	DigitalSlipType       api.Enum[slipTypes]       `json:"digitalSlipType,omitempty"`
	Channel               api.Enum[channels]        `json:"channel,omitempty"`
	Description           api.FreeText              `json:"description,omitempty" maxLength:"250"`
}

type nonameForms struct{}

func (nonameForms) Members() []api.Member {
	return []api.Member{{Code: 2, Name: "Virtual"}, {Code: 3, Name: "PhysicalNoname"}}
}

// BatchHeader is CreateCardBulkResponseDto without its cards. It is exported for
// encoding/json, which looks into exported embedded structs only.
type BatchHeader struct {
	BatchID        string  `json:"batchId"`
	BatchReference *string `json:"batchReference"`
	ProductCode    string  `json:"productCode"`
	RequestedCount int     `json:"requestedCount"`
	CreatedCount   int     `json:"createdCount"`
	FailedCount    int     `json:"failedCount"`
	FailureReason  *string `json:"failureReason" doc:"The code of why cards are missing."`
	Status         string  `json:"status" enum:"Completed,Processing"`
}

// batchResponse is CreateCardBulkResponseDto (§8.4).
type batchResponse struct {
	BatchHeader
	LinkDeadline *time.Time  `json:"linkDeadline"`
	CreationTime time.Time   `json:"creationTime"`
	Cards        []batchCard `json:"cards" doc:"In the order they were made."`
}

type batchCard struct {
	IssuanceNo   string `json:"issuanceNo"`
	CardToken    string `json:"cardToken"`
	MaskedCardNo string `json:"maskedCardNo"`
	ExpireYear   int    `json:"expireYear"`
	ExpireMonth  int    `json:"expireMonth"`
	Barcode      string `json:"barcode" doc:"Twenty digits, unique in the tenant; not the card's number."`
}

type batchInput struct {
	BatchID        string `path:"batchId" maxLength:"36"`
	SkipCount      int    `query:"SkipCount" minimum:"0" maximum:"10000" default:"0" doc:"How many cards to pass over."`
	MaxResultCount int    `query:"MaxResultCount" minimum:"1" maximum:"1000" default:"1000" doc:"How many cards to return at most."`
}

// linkRequest is LinkCustomerDto (§8.4).
type linkRequest struct {
	CardToken       string                `json:"cardToken,omitempty" maxLength:"32" doc:"This or encryptedCardNo."`
	EncryptedCardNo string                `json:"encryptedCardNo,omitempty" maxLength:"512"`
	CustomerNo      string                `json:"customerNo" required:"true" minLength:"1" maxLength:"20"`
	CheckMethod     api.Enum[nonameCheck] `json:"checkMethod,omitempty" doc:"Default ExpiryAndCvv2."`
	ExpireYear      int                   `json:"expireYear,omitempty" minimum:"2000" maximum:"2099"`
	ExpireMonth     int                   `json:"expireMonth,omitempty" minimum:"1" maximum:"12"`
	EncryptedCVV2   string                `json:"encryptedCvv2,omitempty" maxLength:"512"`
	LastFour        string                `json:"lastFour,omitempty" pattern:"^[0-9]{4}$"`
	Barcode         string                `json:"barcode,omitempty" pattern:"^[0-9]{20}$"`
	Encryption      *encryption           `json:"encryption,omitempty" doc:"Of both encrypted members. Sandbox tenants may leave it out."`
	PhoneNumber     string                `json:"phoneNumber,omitempty" maxLength:"40" doc:"E.164; default: the customer's mobile phone."`
	AccountNo       string                `json:"accountNo,omitempty" maxLength:"34" doc:"Default: the card's own account. A new number renames it; an account of the customer takes its place."`
	Activate        *bool                 `json:"activate,omitempty" doc:"Default true."`
	Policies        []cardPolicyRequest   `json:"policies,omitempty" maxItems:"22"`
	Channel         api.Enum[channels]    `json:"channel,omitempty"`
	Description     api.FreeText          `json:"description,omitempty" maxLength:"250"`
}

type nonameCheck struct{}

func (nonameCheck) Members() []api.Member {
	return api.Numbered(0, "None", "ExpiryDate", "Cvv2", "ExpiryAndCvv2", "LastFourAndBarcode")
}

// unlinkRequest is UnLinkCustomerDto (§8.4).
type unlinkRequest struct {
	CardToken   string       `json:"cardToken" required:"true" minLength:"1" maxLength:"32"`
	Reason      api.FreeText `json:"reason" required:"true" minLength:"1" maxLength:"250"`
	Description api.FreeText `json:"description,omitempty" maxLength:"250"`
}

func (a *API) createNoname(ctx context.Context, c access.Caller, in *struct{ Body nonameRequest }) (batchResponse, error) {
	wish, err := decodeNoname(in.Body)
	if err != nil {
		return batchResponse{}, err
	}
	made, err := a.Issuing.IssueNoname(ctx, c, wish)
	if err != nil {
		return batchResponse{}, err
	}
	return encodeBatch(made), nil
}

func (a *API) showNoname(ctx context.Context, c access.Caller, in *batchInput) (batchResponse, error) {
	batch, err := id.ParseUUID[issuing.NonameBatch](in.BatchID)
	if err != nil { // nobody has a batch of that name
		batch = id.ID[issuing.NonameBatch]{}
	}
	found, err := a.Issuing.NonameBatch(ctx, c, batch, in.SkipCount, in.MaxResultCount)
	if err != nil {
		return batchResponse{}, err
	}
	return encodeBatch(found), nil
}

func (a *API) linkNoname(ctx context.Context, c access.Caller, in *struct{ Body linkRequest }) (cardResponse, error) {
	wish, err := decodeLink(in.Body)
	if err != nil {
		return cardResponse{}, err
	}
	card, err := a.Issuing.LinkNoname(ctx, c, wish)
	if err != nil {
		return cardResponse{}, err
	}
	return encodeCard(card), nil
}

func (a *API) unlinkNoname(ctx context.Context, c access.Caller, in *struct{ Body unlinkRequest }) (cardResponse, error) {
	card, err := a.Issuing.UnlinkNoname(ctx, c, issuing.NonameUnlink{
		CardToken: in.Body.CardToken, Reason: string(in.Body.Reason), Description: string(in.Body.Description),
	})
	if err != nil {
		return cardResponse{}, err
	}
	return encodeCard(card), nil
}

func decodeNoname(in nonameRequest) (issuing.NewNoname, error) {
	var d decoding
	out := issuing.NewNoname{
		ProductCode: in.ProductCode, FormFactor: program.FormFactor(in.FormFactor), Count: 1, Reference: string(in.BatchReference),
		EmbossText: string(in.EmbossText), LinkDeadlineDays: in.LinkDeadlineDays, PhysicalCode: in.PhysicalCode,
		CardArtCode: in.CardArtCode, DeliveryMethod: program.DeliveryMethod(in.DeliveryMethod), BranchCode: string(in.BranchCode),
		IsExpress: in.IsExpress, InitialStatus: issuing.CardStatus(in.InitialStatus), AutoRenewal: program.AutoRenewal(in.AutoRenewalStatus),
		DigitalSlip: program.DigitalSlipType(in.DigitalSlipType), Channel: string(in.Channel), Description: string(in.Description),
	}
	if in.Count != nil {
		out.Count = *in.Count
	}
	if m := in.DeliveryCommunication; m != nil {
		out.DeliveryPhone, out.DeliveryEmail = m.Phone, string(m.Email)
		out.RecipientName, out.RecipientTCKN = string(m.RecipientName), m.RecipientTCKN
	}
	if in.DeliveryAddress != nil {
		address := decodeDeliveryAddress(&d, *in.DeliveryAddress)
		out.DeliveryAddress = &address
	}
	return out, d.err()
}

func decodeLink(in linkRequest) (issuing.NonameLink, error) {
	var d decoding
	out := issuing.NonameLink{
		CardToken: in.CardToken, CustomerNo: in.CustomerNo, Check: issuing.NonameCheck(in.CheckMethod), LastFour: in.LastFour,
		Barcode: in.Barcode, PhoneNumber: in.PhoneNumber, AccountNo: in.AccountNo, Activate: in.Activate == nil || *in.Activate,
		Expires: issuing.Expiry{Year: in.ExpireYear, Month: time.Month(in.ExpireMonth)},
		Channel: string(in.Channel), Description: string(in.Description),
	}
	if (in.ExpireYear == 0) != (in.ExpireMonth == 0) {
		d.fail("expireMonth", "incomplete", "goes with expireYear")
	}
	for _, p := range in.Policies {
		out.Policies = append(out.Policies, program.Policy{
			Type: program.PolicyType(p.PolicyType), IsAllowed: p.IsAllowed, StartsAt: p.StartDate, EndsAt: p.EndDate,
		})
	}
	if err := d.err(); err != nil {
		return out, err
	}
	var err error
	if in.EncryptedCardNo != "" {
		if out.CardNo, err = decodeSensitive("encryptedCardNo", in.EncryptedCardNo, in.Encryption); err != nil {
			return out, err
		}
	}
	if in.EncryptedCVV2 != "" {
		out.CVV2, err = decodeSensitive("encryptedCvv2", in.EncryptedCVV2, in.Encryption)
	}
	return out, err
}

func encodeBatch(b issuing.NonameBatch) batchResponse {
	out := batchResponse{
		BatchHeader:  headerOf(b.ID.UUID(), b.Reference, b.ProductCode, b.Requested, b.Created, b.Failed, b.Failure, b.Status),
		LinkDeadline: timeOrNil(b.LinkDueAt), CreationTime: b.CreatedAt, Cards: []batchCard{},
	}
	for _, n := range b.Cards {
		out.Cards = append(out.Cards, batchCard{
			IssuanceNo: n.IssuanceNo, CardToken: n.Card.Token, MaskedCardNo: n.Card.Masked(), ExpireYear: n.Card.Expires.Year,
			ExpireMonth: int(n.Card.Expires.Month), Barcode: n.Barcode,
		})
	}
	return out
}

func headerOf(batch, reference, product string, requested, created, failed int, failure fault.Code, status issuing.BatchStatus) BatchHeader {
	out := BatchHeader{
		BatchID: batch, BatchReference: orNil(reference), ProductCode: product, RequestedCount: requested, CreatedCount: created,
		FailedCount: failed, Status: string(status),
	}
	if failure != "" {
		code := refusals[failure].code
		out.FailureReason = &code
	}
	return out
}

// encodeBatchEvent makes the data of card.bulk-created: the header, without the
// cards.
func encodeBatchEvent(e issuing.BatchEvent) (BatchHeader, webhook.Content) {
	return headerOf(e.Batch, e.Reference, e.ProductCode, e.Requested, e.Created, e.Failed, e.Failure, e.Status),
		webhook.Content{ProductCode: e.ProductCode}
}

// cardHolderEvent is the data of card.linked and card.unlinked.
type cardHolderEvent struct {
	CardOfEvent
	CustomerNo string `json:"customerNo" doc:"Whose the card is, or was."`
}

func encodeCardHolder(card CardOfEvent, a issuing.CardHolder) cardHolderEvent {
	return cardHolderEvent{card, a.CustomerNo}
}
