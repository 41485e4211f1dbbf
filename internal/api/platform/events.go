package platform

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/wallet"
	"github.com/sarraf-platform/sarraf/internal/webhook"
)

// Events makes the bodies of webhooks out of what domains tell.
type Events struct{}

var _ webhook.Encoder = Events{}

// EncodeEvent implements [webhook.Encoder].
func (Events) EncodeEvent(m webhook.Delivery) (webhook.Content, error) {
	for _, k := range eventKinds {
		if k.name == m.Name && k.isRaised() {
			return k.encode(m.Payload)
		}
	}
	return webhook.Content{}, fmt.Errorf("no encoder for %s", m.Name)
}

// eventKind is a row of the catalogue of events.
type eventKind struct {
	name    string
	trigger string // when it is raised, for the documentation
	encoder
}

// encoder makes the data of one kind of event.
type encoder struct {
	data   reflect.Type // the wire struct, for the documentation
	encode func(payload []byte) (webhook.Content, error)
	// elsewhere says that another family makes the data.
	elsewhere bool
}

// isRaised reports whether this build raises the event, with data of ours.
func (e encoder) isRaised() bool { return e.encode != nil }

// ofWallets is the encoder of an event whose data are of the family of wallets:
// not ours to make.
var ofWallets = encoder{elsewhere: true}

// later is the encoder of an event that is not raised yet.
var later encoder

// eventKinds is the catalogue of the contract (§14.4), in its order. An event
// about a card takes a function from what the domain adds to what the receiver
// reads; docs/events.md is generated from the table.
var eventKinds = []eventKind{
	{customer.EventCreated, "a customer is added", plainEncoder(encodeCustomerEvent)},
	{customer.EventUpdated, "something of a customer is another", plainEncoder(encodeCustomerEvent)},
	{customer.EventSegmentChanged, "a customer moves to another segment", plainEncoder(encodeCustomerEvent)},
	{customer.EventStatusChanged, "a customer comes into another status", plainEncoder(encodeCustomerEvent)},
	{issuing.EventCardCreated, "a card is issued", cardEncoder(encodeCardCreated)},
	{issuing.EventCardsMade, "a batch of cards without names is done", plainEncoder(encodeBatchEvent)},
	{issuing.EventCardLinked, "a card without a name gets a customer", cardEncoder(encodeCardHolder)},
	{issuing.EventCardUnlinked, "a card loses its customer", cardEncoder(encodeCardHolder)},
	{issuing.EventCardStatusChanged, "a card comes into another status, by whomever", cardEncoder(encodeCardStatusChanged)},
	{issuing.EventCardScheduleDropped, "a scheduled change of status was not allowed any more when it was due", cardEncoder(encodeScheduleDropped)},
	{issuing.EventCardRenewed, "a card gets a successor; about the new card", cardEncoder(encodeCardRenewed)},
	{issuing.EventCardRenewalSkipped, "a card that was due for renewal was not renewed; told once for each reason", cardEncoder(encodeRenewalSkipped)},
	{issuing.EventCardReplaced, "a card is replaced with the report of its loss; about the new card", cardEncoder(encodeCardRenewed)},
	{issuing.EventPolicyChanged, "usage switches of a card are set", cardEncoder(encodePolicyChanged)},
	{control.EventVelocityChanged, "a limit of a card is overridden, or no longer", cardEncoder(encodeVelocityChanged)},
	{issuing.EventPhoneChanged, "a card gets another phone", cardEncoder(encodePhoneChanged)},
	{issuing.EventPINChanged, "a card gets a PIN, or another one", cardEncoder(encodePINEvent)},
	{issuing.EventPINBlocked, "the tries of a PIN are used up", cardEncoder(encodePINEvent)},
	{issuing.EventPINUnblocked, "a PIN may be tried again", cardEncoder(encodePINEvent)},
	{issuing.EventPINSent, "a PIN is sent to the cardholder", cardEncoder(encodePINEvent)},
	{issuing.EventCVV2Blocked, "the tries of a CVV2 are used up", cardEncoder(encodeCVV2Event)},
	{issuing.EventCVV2Reset, "a CVV2 may be tried again", cardEncoder(encodeCVV2Event)},
	{issuing.EventPersoStatusChanged, "the production of a plastic moves on", cardEncoder(encodePersoStatusChanged)},
	{issuing.EventShipmentStatusChanged, "the shipment of a plastic moves on", cardEncoder(encodeShipmentStatusChanged)},
	{issuing.EventCardExpiring, "a card in force expires within 30 days; told once", cardEncoder(encodeCardExpiring)},
	{"card.token-status-changed", "a wallet's token of a card comes into another status", later},
	{authorization.EventAuthorized, "a message about a card is approved, or tells what was approved elsewhere", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventDeclined, "a message about a known card is declined", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventReversed, "a reversal, or a presentment that is taken back, undoes all or a part of a transaction", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventVoided, "a reversal undoes all of a transaction as the customer wanted it so (field 39 is 17); transaction.reversed is not told then", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventHoldExpired, "a hold ends because its time has passed", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventCleared, "a presentment is posted, or confirms what was posted online", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventClearingException, "a person must look at a clearing record of a known card", transactionEncoder(encodeClearingException)},
	{authorization.EventRefunded, "money is given back to the cardholder, by presentment or online", transactionEncoder(encodeTransactionEvent)},
	{"transaction.chargeback", "a transaction is disputed", later},
	{authorization.EventRepresented, "a presentment comes again after a chargeback", transactionEncoder(encodeTransactionEvent)},
	{authorization.EventDigitalSlip, "the paper slip of a purchase is left out", transactionEncoder(encodeDigitalSlip)},
	{authorization.EventControlAlert, "an authorization control alerts, or refuses and is to tell webhooks of it", transactionEncoder(encodeControlAlert)},
	{authorization.EventVelocityThreshold, "the use of a limit reaches its alertThresholdPercent, told once in its window; and each transaction above a limit that does not decline (AlertOnly)", transactionEncoder(encodeVelocityThreshold)},
	{fee.EventCharged, "a fee for a card, or on a transaction, is charged; one that is only held is not yet", cardEncoder(encodeCardFeeEvent)},
	{fee.EventReversed, "a fee for a card, or on a transaction, is given back, or a part of it", cardEncoder(encodeCardFeeEvent)},
	{fee.EventFailed, "a fee for a card was not borne for as long as it was tried", cardEncoder(encodeCardFeeEvent)},
	{fee.EventUpcoming, "an annual fee is about to be charged", cardEncoder(encodeCardFeeEvent)},
	{credit.EventOpened, "a credit account is opened", plainEncoder(encodeCreditEvent)},
	{credit.EventLimitChanged, "a credit account gets another limit", plainEncoder(encodeCreditEvent)},
	{credit.EventStatementReady, "a term of a credit account has ended, and its statement is made", plainEncoder(encodeCreditEvent)},
	{credit.EventStandingChanged, "a minimum payment is past due for longer, or no longer", plainEncoder(encodeCreditEvent)},
	{wallet.EventTopupDone, "money from a bank is added to a wallet; data of the family `ewallet`, which a hook for `wallet.` events alone gets without the envelope", ofWallets},
	{wallet.EventTopupRefused, "money from a bank is refused; data as before", ofWallets},
	{wallet.EventWithdrawalChanged, "a withdrawal from a wallet is sent to its bank, is done or has failed; data as before", ofWallets},
	{program.EventRangeThreshold, "the numbers given out of a BIN range reach its alertThresholdPercent; told once", plainEncoder(encodeRangeThreshold)},
	{"settlement.report-ready", "a settlement report can be fetched", later},
	{program.EventProductUpdated, "something of a product is another", plainEncoder(encodeProductUpdated)},
	{webhook.Ping, "a webhook is tested; sent to it alone, with empty data", later},
}

// plainEncoder encodes an event whose payload is the JSON of E.
func plainEncoder[E, D any](encode func(E) (D, webhook.Content)) encoder {
	return encoder{data: reflect.TypeFor[D](), encode: func(payload []byte) (webhook.Content, error) {
		var e E
		if err := json.Unmarshal(payload, &e); err != nil {
			return webhook.Content{}, fmt.Errorf("read event: %w", err)
		}
		data, content := encode(e)
		var err error
		if content.Data, err = json.Marshal(data); err != nil {
			return webhook.Content{}, fmt.Errorf("encode event: %w", err)
		}
		return content, nil
	}}
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

func encodeCustomerEvent(e customer.Event) (customerEvent, webhook.Content) {
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
	return out, webhook.Content{CustomerNo: e.No}
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
