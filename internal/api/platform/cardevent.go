package platform

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// CardOfEvent is exported for encoding/json: what the data of every event about
// a card begin with. The identifiers stand in the envelope.
type CardOfEvent struct {
	MaskedCardNo   string `json:"maskedCardNo"`
	CardSequenceNo int    `json:"cardSequenceNo"`
	ProductCode    string `json:"productCode"`
	CardStatus     string `json:"cardStatus" doc:"After the event."`
}

// cardEncoder encodes an event about a card. A is what the domain adds to an
// [issuing.CardEvent], D the data that receivers read; a D embeds [CardOfEvent].
func cardEncoder[A, D any](data func(CardOfEvent, A) D) encoder {
	return encoder{data: reflect.TypeFor[D](), encode: func(payload []byte) (webhook.Content, error) {
		var e issuing.CardEvent
		var about A
		if err := json.Unmarshal(payload, &e); err != nil {
			return webhook.Content{}, fmt.Errorf("read event: %w", err)
		}
		if e.About != nil {
			if err := json.Unmarshal(e.About, &about); err != nil {
				return webhook.Content{}, fmt.Errorf("read event: %w", err)
			}
		}
		text, err := json.Marshal(data(CardOfEvent{e.MaskedNo, e.Sequence, e.ProductCode, string(e.Status)}, about))
		if err != nil {
			return webhook.Content{}, fmt.Errorf("encode event: %w", err)
		}
		return webhook.Content{
			CustomerNo: e.CustomerNo, IssuanceNo: e.IssuanceNo, CardToken: e.CardToken, ProductCode: e.ProductCode, Data: text,
		}, nil
	}}
}

type cardCreatedEvent struct {
	CardOfEvent
	AccountNo         string  `json:"accountNo"`
	ExternalCardID    *string `json:"externalCardId"`
	FormFactor        string  `json:"formFactor"`
	CardOwnershipType string  `json:"cardOwnershipType"`
	ParentIssuanceNo  *string `json:"parentIssuanceNo"`
	StatusReason      string  `json:"statusReason"`
	PINStatus         string  `json:"pinStatus"`
	ExpireYear        int     `json:"expireYear"`
	ExpireMonth       int     `json:"expireMonth"`
	AutoRenewalStatus string  `json:"autoRenewalStatus"`
	DigitalSlipType   string  `json:"digitalSlipType"`
	PersoStatus       *string `json:"persoStatus" doc:"Of plastic."`
	DeliveryMethod    *string `json:"deliveryMethod" doc:"Of plastic."`
}

func encodeCardCreated(card CardOfEvent, a issuing.CardCreated) cardCreatedEvent {
	return cardCreatedEvent{
		CardOfEvent: card, AccountNo: a.AccountNo, ExternalCardID: orNil(a.ExternalCardID), FormFactor: string(a.FormFactor),
		CardOwnershipType: string(a.Ownership), ParentIssuanceNo: orNil(a.ParentIssuanceNo), StatusReason: string(a.Reason),
		PINStatus: string(a.PINStatus), ExpireYear: a.ExpireYear, ExpireMonth: a.ExpireMonth,
		AutoRenewalStatus: string(a.AutoRenewal), DigitalSlipType: string(a.SlipType), PersoStatus: orNil(string(a.PersoStatus)),
		DeliveryMethod: orNil(string(a.DeliveryMethod)),
	}
}

type cardStatusChangedEvent struct {
	CardOfEvent
	PreviousStatus    string  `json:"previousStatus"`
	CurrentStatus     string  `json:"currentStatus"`
	LocalStatusLetter *string `json:"localStatusLetter"`
	Reason            string  `json:"reason"`
	Description       *string `json:"description"`
	Channel           string  `json:"channel"`
	ChangedBy         string  `json:"changedBy"`
}

func encodeCardStatusChanged(card CardOfEvent, a issuing.CardStatusChanged) cardStatusChangedEvent {
	return cardStatusChangedEvent{
		CardOfEvent: card, PreviousStatus: string(a.Previous), CurrentStatus: string(a.Current),
		LocalStatusLetter: orNil(a.Current.LocalLetter()), Reason: string(a.Reason), Description: orNil(a.Description),
		Channel: a.Channel, ChangedBy: a.ChangedBy,
	}
}

type policyChangedEvent struct {
	CardOfEvent
	Changed     []policyChange `json:"changed" doc:"Switches that have another position now; empty when a start lies ahead."`
	Description *string        `json:"description"`
	Channel     string         `json:"channel"`
}

func encodePolicyChanged(card CardOfEvent, a issuing.PolicyChanged) policyChangedEvent {
	return policyChangedEvent{
		CardOfEvent: card, Changed: encodeAll(a.Changed, encodePolicyChange), Description: orNil(a.Description), Channel: a.Channel,
	}
}

type phoneChangedEvent struct {
	CardOfEvent
	PreviousPhoneNumber *string `json:"previousPhoneNumber" doc:"Masked."`
	PhoneNumber         *string `json:"phoneNumber" doc:"Masked."`
}

func encodePhoneChanged(card CardOfEvent, a issuing.PhoneChanged) phoneChangedEvent {
	return phoneChangedEvent{CardOfEvent: card, PreviousPhoneNumber: orNil(a.Previous), PhoneNumber: orNil(a.Current)}
}
