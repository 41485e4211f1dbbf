package platform

import "github.com/sarraf-platform/sarraf/internal/issuing"

// pinEvent is the data of events about a PIN, which is not among it.
type pinEvent struct {
	CardOfEvent
	PINStatus string `json:"pinStatus"`
	Channel   string `json:"channel"`
}

func encodePINEvent(card CardOfEvent, a issuing.CardPIN) pinEvent {
	return pinEvent{CardOfEvent: card, PINStatus: string(a.Status), Channel: a.Channel}
}

// cvv2Event is the data of events about CVV2 tries.
type cvv2Event struct{ CardOfEvent }

func encodeCVV2Event(card CardOfEvent, _ struct{}) cvv2Event { return cvv2Event{card} }
