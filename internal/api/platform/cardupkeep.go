package platform

import (
	"context"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/personalization"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// phoneUpdate is CardPhoneNumberUpdateRequestDto (§8.9).
type phoneUpdate struct {
	PhoneNumber    string       `json:"phoneNumber" required:"true" minLength:"1" maxLength:"40" doc:"E.164; a Turkish one must be a GSM number."`
	UpdateCustomer bool         `json:"updateCustomer,omitempty" doc:"The customer's mobile phone, too; needs Issuing.Customer.Update."`
	Description    api.FreeText `json:"description,omitempty" maxLength:"250"`
}

// slipTypeUpdate is UpdateDigitalSlipTypeDto.
type slipTypeUpdate struct {
	DigitalSlipType api.Enum[slipTypes] `json:"digitalSlipType" required:"true"`
	Channel         api.Enum[channels]  `json:"channel,omitempty"`
}

// slipTypeAnswer is UpdateDigitalSlipTypeResponseDto.
type slipTypeAnswer struct {
	CardToken       string    `json:"cardToken"`
	PreviousType    string    `json:"previousType"`
	DigitalSlipType string    `json:"digitalSlipType"`
	EffectiveFrom   time.Time `json:"effectiveFrom"`
}

// autoRenewalUpdate is UpdateCardAutoRenewalStatusDto (§8.3).
type autoRenewalUpdate struct {
	AutoRenewalStatus api.Enum[renewalModes] `json:"autoRenewalStatus" required:"true"`
	Description       api.FreeText           `json:"description,omitempty" maxLength:"250"`
}

// autoRenewalAnswer is UpdateCardAutoRenewalStatusResponseDto.
type autoRenewalAnswer struct {
	CardToken         string  `json:"cardToken"`
	IssuanceNo        string  `json:"issuanceNo"`
	PreviousStatus    string  `json:"previousStatus"`
	AutoRenewalStatus string  `json:"autoRenewalStatus"`
	NextRenewalDate   *string `json:"nextRenewalDate" format:"date" doc:"The first day the card may be renewed on; null for never."`
}

// shipment is CardShipmentResponseDto (§8.5). What no courier has told is null.
type shipment struct {
	CardToken             string          `json:"cardToken"`
	ShipmentStatus        string          `json:"shipmentStatus"`
	CourierCode           *string         `json:"courierCode"`
	CourierName           *string         `json:"courierName"`
	TrackingNo            *string         `json:"trackingNo"`
	TrackingURL           *string         `json:"trackingUrl"`
	EstimatedDeliveryDate *string         `json:"estimatedDeliveryDate" format:"date"`
	DeliveredAt           *time.Time      `json:"deliveredAt"`
	RecipientName         *string         `json:"recipientName"`
	RecipientRelation     *string         `json:"recipientRelation"`
	AttemptCount          int             `json:"attemptCount"`
	ReturnReason          *string         `json:"returnReason"`
	Events                []shipmentEvent `json:"events"`
}

// shipmentSummary is what the details of a card say of its shipment: all but the
// single events, and nothing of who took it in.
type shipmentSummary struct {
	ShipmentStatus        string     `json:"shipmentStatus"`
	CourierCode           *string    `json:"courierCode"`
	CourierName           *string    `json:"courierName"`
	TrackingNo            *string    `json:"trackingNo"`
	TrackingURL           *string    `json:"trackingUrl"`
	EstimatedDeliveryDate *string    `json:"estimatedDeliveryDate" format:"date"`
	DeliveredAt           *time.Time `json:"deliveredAt"`
	AttemptCount          int        `json:"attemptCount"`
	ReturnReason          *string    `json:"returnReason"`
}

func summarizeShipment(card issuing.Card, s personalization.Shipment) shipmentSummary {
	return shipmentSummary{
		ShipmentStatus: string(card.Physical.ShipmentStatus), CourierCode: orNil(s.CourierCode), CourierName: orNil(s.CourierName),
		TrackingNo: orNil(s.TrackingNo), TrackingURL: orNil(s.TrackingURL), EstimatedDeliveryDate: orNil(s.EstimatedDelivery),
		DeliveredAt: timeOrNil(s.DeliveredAt), AttemptCount: s.AttemptCount, ReturnReason: orNil(s.ReturnReason),
	}
}

// shipmentEvent is CardShipmentDetailResponseDto.
type shipmentEvent struct {
	StatusCode     string    `json:"statusCode" doc:"The courier's own."`
	ShipmentStatus string    `json:"shipmentStatus"`
	Description    *string   `json:"description"`
	EventDate      time.Time `json:"eventDate"`
	Location       *string   `json:"location"`
}

func (a *API) changeCardPhone(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body phoneUpdate
}) (cardEcho, error) {
	card, err := a.Issuing.ChangePhone(ctx, c, in.CardToken, issuing.NewPhone{
		Number: in.Body.PhoneNumber, UpdateCustomer: in.Body.UpdateCustomer, Description: string(in.Body.Description),
	})
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

func (a *API) changeSlipType(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body slipTypeUpdate
}) (slipTypeAnswer, error) {
	done, err := a.Issuing.ChangeSlipType(ctx, c, in.CardToken, issuing.NewSlipType{
		Type: program.DigitalSlipType(in.Body.DigitalSlipType), Channel: string(in.Body.Channel),
	})
	if err != nil {
		return slipTypeAnswer{}, err
	}
	return slipTypeAnswer{
		CardToken: done.CardToken, PreviousType: string(done.Previous), DigitalSlipType: string(done.Type),
		EffectiveFrom: done.EffectiveFrom,
	}, nil
}

func (a *API) changeAutoRenewal(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body autoRenewalUpdate
}) (autoRenewalAnswer, error) {
	done, err := a.Issuing.ChangeAutoRenewal(ctx, c, in.CardToken, issuing.NewAutoRenewal{
		Status: program.AutoRenewal(in.Body.AutoRenewalStatus), Description: string(in.Body.Description),
	})
	if err != nil {
		return autoRenewalAnswer{}, err
	}
	out := autoRenewalAnswer{
		CardToken: done.CardToken, IssuanceNo: done.IssuanceNo, PreviousStatus: string(done.Previous),
		AutoRenewalStatus: string(done.Status),
	}
	if !done.Next.IsZero() {
		out.NextRenewalDate = orNil(done.Next.String())
	}
	return out, nil
}

// plasticPath names one plastic of a card number.
type plasticPath struct {
	CardPath
	Sequence int `query:"CardSequenceNo" minimum:"1" maximum:"99" doc:"Default: the newest plastic."`
}

func (a *API) showPerso(ctx context.Context, c access.Caller, in *plasticPath) (physicalDetail, error) {
	card, production, err := a.Personalization.ProductionOf(ctx, c, in.CardToken, in.Sequence)
	if err != nil {
		return physicalDetail{}, err
	}
	out := encodePhysical(card)
	out.produce(production)
	return *out, nil
}

func (a *API) showShipment(ctx context.Context, c access.Caller, in *plasticPath) (shipment, error) {
	card, s, err := a.Personalization.ShipmentOf(ctx, c, in.CardToken, in.Sequence)
	if err != nil {
		return shipment{}, err
	}
	out := shipment{
		CardToken: card.Token, ShipmentStatus: string(card.Physical.ShipmentStatus), CourierCode: orNil(s.CourierCode),
		CourierName: orNil(s.CourierName), TrackingNo: orNil(s.TrackingNo), TrackingURL: orNil(s.TrackingURL),
		EstimatedDeliveryDate: orNil(s.EstimatedDelivery), DeliveredAt: timeOrNil(s.DeliveredAt),
		RecipientName: orNil(s.RecipientName), RecipientRelation: orNil(s.RecipientRelation), AttemptCount: s.AttemptCount,
		ReturnReason: orNil(s.ReturnReason), Events: []shipmentEvent{},
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, shipmentEvent{
			StatusCode: e.StatusCode, ShipmentStatus: string(e.Status), Description: orNil(e.Description), EventDate: e.At,
			Location: orNil(e.Location),
		})
	}
	return out, nil
}

// produce fills in what is known of how a plastic is made.
func (p *physicalDetail) produce(production personalization.Production) {
	p.PersoFileName, p.PersoFileDate = orNil(production.FileName), timeOrNil(production.FileAt)
	p.ProducedDate, p.ErrorText = timeOrNil(production.ProducedAt), orNil(production.ErrorText)
	if production.BatchNo > 0 {
		p.PersoBatchNo = orNil(strconv.Itoa(production.BatchNo))
	}
}
