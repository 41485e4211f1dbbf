package platform

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Events makes the bodies of webhooks out of what domains tell.
type Events struct{}

var _ webhook.Encoder = Events{}

// EncodeEvent implements [webhook.Encoder].
func (Events) EncodeEvent(m webhook.Delivery) (webhook.Content, error) {
	encode, known := eventEncoders[m.Name]
	if !known {
		return webhook.Content{}, fmt.Errorf("no encoder for %s", m.Name)
	}
	return encode.encode(m.Payload)
}

// encoder makes the data of one kind of event.
type encoder struct {
	data   reflect.Type // the wire struct, for the documentation
	encode func(payload []byte) (webhook.Content, error)
}

// eventEncoders has every event that this platform raises. An event about a
// card takes one line: its name, and a function from what the domain adds to
// what the receiver reads.
var eventEncoders = map[string]encoder{
	customer.EventCreated:                {reflect.TypeFor[customerEvent](), encodeCustomerEvent},
	customer.EventUpdated:                {reflect.TypeFor[customerEvent](), encodeCustomerEvent},
	customer.EventStatusChanged:          {reflect.TypeFor[customerEvent](), encodeCustomerEvent},
	customer.EventSegmentChanged:         {reflect.TypeFor[customerEvent](), encodeCustomerEvent},
	issuing.EventCardCreated:             cardEncoder(encodeCardCreated),
	issuing.EventCardStatusChanged:       cardEncoder(encodeCardStatusChanged),
	issuing.EventPersoStatusChanged:      cardEncoder(encodePersoStatusChanged),
	issuing.EventShipmentStatusChanged:   cardEncoder(encodeShipmentStatusChanged),
	authorization.EventAuthorized:        transactionEncoder(encodeTransactionEvent),
	authorization.EventDeclined:          transactionEncoder(encodeTransactionEvent),
	authorization.EventReversed:          transactionEncoder(encodeTransactionEvent),
	authorization.EventHoldExpired:       transactionEncoder(encodeTransactionEvent),
	authorization.EventCleared:           transactionEncoder(encodeTransactionEvent),
	authorization.EventRefunded:          transactionEncoder(encodeTransactionEvent),
	authorization.EventRepresented:       transactionEncoder(encodeTransactionEvent),
	authorization.EventClearingException: transactionEncoder(encodeClearingException),
}

// customerEvent is the data of events about customers: references, no names.
type customerEvent struct {
	CustomerNo      string   `json:"customerNo"`
	CustomerType    string   `json:"customerType"`
	Status          string   `json:"status"`
	SegmentCode     *string  `json:"segmentCode"`
	KYCLevel        string   `json:"kycLevel"`
	ExternalID      *string  `json:"externalCustomerId"`
	PreviousStatus  string   `json:"previousStatus,omitempty"`
	CurrentStatus   string   `json:"currentStatus,omitempty"`
	PreviousSegment string   `json:"previousSegmentCode,omitempty"`
	Reason          string   `json:"reason,omitempty"`
	Changed         []string `json:"changed,omitempty"`
}

func encodeCustomerEvent(payload []byte) (webhook.Content, error) {
	var e customer.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		return webhook.Content{}, fmt.Errorf("read event: %w", err)
	}
	out := customerEvent{
		CustomerNo: e.No, CustomerType: string(e.Type), Status: string(e.Status), SegmentCode: orNil(e.Segment),
		KYCLevel: e.KYCLevel.String(), ExternalID: orNil(e.ExternalID), PreviousStatus: string(e.PreviousStatus), PreviousSegment: e.PreviousSegment, Reason: e.Reason,
	}
	if e.PreviousStatus != "" {
		out.CurrentStatus = string(e.Status)
	}
	for _, name := range e.Changed {
		out.Changed = append(out.Changed, memberOf(name))
	}
	content := webhook.Content{CustomerNo: e.No}
	var err error
	content.Data, err = json.Marshal(out)
	return content, err
}

// memberOf is what the contract calls a field of a customer.
func memberOf(field string) string {
	switch field {
	case "ExternalID":
		return "externalCustomerId"
	case "KYCLevel":
		return "kycLevel"
	case "Business":
		return "businessDetail"
	case "Notifications":
		return "notificationPreferences"
	}
	return strings.ToLower(field[:1]) + field[1:]
}
