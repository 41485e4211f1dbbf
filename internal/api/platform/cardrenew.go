package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type renewalReasons struct{}

func (renewalReasons) Members() []api.Member { return numbered(1, issuing.RenewalReasons()) }

// RenewedParts is exported for huma, which looks into exported embedded structs
// only: what of a new card may differ from the one whose place it takes.
type RenewedParts struct {
	PersonalizedNameLine1 api.FreeText           `json:"personalizedNameLine1,omitempty" maxLength:"100" doc:"Default: as the old card's."`
	PersonalizedNameLine2 api.FreeText           `json:"personalizedNameLine2,omitempty" maxLength:"100"`
	PhysicalCode          string                 `json:"physicalCode,omitempty" maxLength:"32"`
	CardArtCode           string                 `json:"cardArtCode,omitempty" maxLength:"32"`
	FormFactor            api.Enum[formFactors]  `json:"formFactor,omitempty" doc:"Default: as the old card's."`
	DeliveryMethod        api.Enum[deliveryWays] `json:"deliveryMethod,omitempty"`
	DeliveryAddress       *deliveryAddress       `json:"deliveryAddress,omitempty" doc:"Default: the customer's default address."`
	DeliveryCommunication *deliveryCommunication `json:"deliveryCommunication,omitempty"`
	BranchCode            api.FreeText           `json:"branchCode,omitempty" maxLength:"32"`
	IsExpress             bool                   `json:"isExpress,omitempty"`
	PINTransfer           *bool                  `json:"pinTransfer,omitempty" doc:"Default: true with the same card number, else false. To another number only where the PIN itself is kept, or has more than four digits."`
	FeeExemption          bool                   `json:"feeExemption,omitempty" doc:"Privileged."`
}

// renewRequest is CardRenewalRequestDto (§8.3).
type renewRequest struct {
	RenewalReason       api.Enum[renewalReasons] `json:"renewalReason" required:"true" doc:"Lost, Stolen and Fraud move the old card to that status, too."`
	CardSequenceNo      int                      `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99" doc:"Default: the plastic in force."`
	KeepCardNumber      *bool                    `json:"keepCardNumber,omitempty" doc:"Default: by the reason."`
	ProductCode         string                   `json:"productCode,omitempty" maxLength:"32" doc:"Goes with ProductChange."`
	ExpireYear          int                      `json:"expireYear,omitempty" minimum:"2000" maximum:"2099" doc:"Privileged."`
	ExpireMonth         int                      `json:"expireMonth,omitempty" minimum:"1" maximum:"12"`
	ActivateImmediately bool                     `json:"activateImmediately,omitempty" doc:"For cards without plastic, which are active at once unless the old card is inactive or blocked."`
	Channel             api.Enum[channels]       `json:"channel,omitempty"`
	Description         api.FreeText             `json:"description,omitempty" maxLength:"250"`
	RenewedParts
}

// newCard is IssuanceNewCardDto.
type newCard struct {
	CardToken         string `json:"cardToken"`
	MaskedCardNo      string `json:"maskedCardNo"`
	CardSequenceNo    int    `json:"cardSequenceNo"`
	ExpireYear        int    `json:"expireYear"`
	ExpireMonth       int    `json:"expireMonth"`
	Status            string `json:"status"`
	FormFactor        string `json:"formFactor"`
	PersoStatus       string `json:"persoStatus"`
	PreviousCardToken string `json:"previousCardToken"`
	RenewalReason     string `json:"renewalReason"`
}

// issuanceResult is IssuanceResultDto (§8.2.6).
type issuanceResult struct {
	IsIssued          bool               `json:"isIssued"`
	NewCardToken      string             `json:"newCardToken"`
	NewMaskedCardNo   string             `json:"newMaskedCardNo"`
	NewCardSequenceNo int                `json:"newCardSequenceNo"`
	ExpireYear        int                `json:"expireYear"`
	ExpireMonth       int                `json:"expireMonth"`
	FormFactor        string             `json:"formFactor"`
	PersoStatus       string             `json:"persoStatus"`
	Fees              []additionalAmount `json:"fees"`
}

func (a *API) renewCard(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body renewRequest
}) (cardResponse, error) {
	wish, err := decodeRenewal(in.Body)
	if err != nil {
		return cardResponse{}, err
	}
	done, err := a.Issuing.RenewCard(ctx, c, in.CardToken, wish)
	if err != nil {
		return cardResponse{}, err
	}
	out := encodeCard(done.IssuedCard)
	out.NewCard = encodeNewCard(done.New)
	return out, nil
}

func decodeRenewal(in renewRequest) (issuing.Renewal, error) {
	var d decoding
	out := issuing.Renewal{
		Reason: issuing.RenewalReason(in.RenewalReason), Sequence: in.CardSequenceNo, KeepNumber: in.KeepCardNumber,
		ProductCode: in.ProductCode, Activate: in.ActivateImmediately, Channel: string(in.Channel), Description: string(in.Description),
		Replacement: decodeReplacement(&d, in.RenewedParts),
	}
	if (in.ExpireYear == 0) != (in.ExpireMonth == 0) {
		d.fail("expireMonth", "incomplete", "goes with expireYear")
	}
	out.Expires = issuing.Expiry{Year: in.ExpireYear, Month: time.Month(in.ExpireMonth)}
	return out, d.err()
}

func decodeReplacement(d *decoding, in RenewedParts) issuing.Replacement {
	out := issuing.Replacement{
		EmbossLine1: string(in.PersonalizedNameLine1), EmbossLine2: string(in.PersonalizedNameLine2), PhysicalCode: in.PhysicalCode,
		CardArtCode: in.CardArtCode, FormFactor: program.FormFactor(in.FormFactor), DeliveryMethod: program.DeliveryMethod(in.DeliveryMethod),
		BranchCode: string(in.BranchCode), IsExpress: in.IsExpress, TransferPIN: in.PINTransfer, FeeExemption: in.FeeExemption,
	}
	if m := in.DeliveryCommunication; m != nil {
		out.DeliveryPhone, out.DeliveryEmail = m.Phone, string(m.Email)
		out.RecipientName, out.RecipientTCKN = string(m.RecipientName), m.RecipientTCKN
	}
	if to := in.DeliveryAddress; to != nil && to.AddressLine1 == "" {
		out.DeliveryTo = customer.AddressType(to.AddressType)
	} else if to != nil {
		address := decodeDeliveryAddress(d, *to)
		out.DeliveryAddress = &address
	}
	return out
}

func encodeNewCard(i issuing.IssuedCard) *newCard {
	return &newCard{
		CardToken: i.Card.Token, MaskedCardNo: i.Card.Masked(), CardSequenceNo: i.Card.Sequence, ExpireYear: i.Card.Expires.Year,
		ExpireMonth: int(i.Card.Expires.Month), Status: string(i.Card.Status), FormFactor: string(i.Card.FormFactor),
		PersoStatus: persoOf(i.Card), PreviousCardToken: i.Card.PreviousToken, RenewalReason: string(i.Card.Renewed),
	}
}

func encodeIssuanceResult(i *issuing.IssuedCard, fees []additionalAmount) *issuanceResult {
	if i == nil {
		return nil
	}
	return &issuanceResult{
		IsIssued: true, NewCardToken: i.Card.Token, NewMaskedCardNo: i.Card.Masked(), NewCardSequenceNo: i.Card.Sequence,
		ExpireYear: i.Card.Expires.Year, ExpireMonth: int(i.Card.Expires.Month), FormFactor: string(i.Card.FormFactor),
		PersoStatus: persoOf(i.Card), Fees: fees,
	}
}

// persoOf is how far the production of a card is.
func persoOf(c issuing.Card) string {
	if c.Physical == nil {
		return string(issuing.PersoNotRequired)
	}
	return string(c.Physical.PersoStatus)
}
