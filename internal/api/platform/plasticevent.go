package platform

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// persoStatusChangedEvent is the data of card.perso-status-changed.
type persoStatusChangedEvent struct {
	CardOfEvent
	PreviousStatus string    `json:"previousStatus"`
	Status         string    `json:"status"`
	StatusCode     *string   `json:"statusCode" doc:"The bureau's own; null for a step of the platform."`
	Description    *string   `json:"description"`
	Date           time.Time `json:"date" doc:"When it happened."`
}

func encodePersoStatusChanged(card CardOfEvent, a issuing.PlasticStatusChanged) persoStatusChangedEvent {
	return persoStatusChangedEvent{
		CardOfEvent: card, PreviousStatus: a.Previous, Status: a.Current, StatusCode: orNil(a.StatusCode),
		Description: orNil(a.Description), Date: a.At,
	}
}

// shipmentStatusChangedEvent is the data of card.shipment-status-changed.
type shipmentStatusChangedEvent struct {
	CardOfEvent
	PreviousStatus string    `json:"previousStatus"`
	Status         string    `json:"status"`
	StatusCode     *string   `json:"statusCode" doc:"The courier's own; null for a step of the platform."`
	Description    *string   `json:"description"`
	Date           time.Time `json:"date" doc:"When it happened."`
}

func encodeShipmentStatusChanged(card CardOfEvent, a issuing.PlasticStatusChanged) shipmentStatusChangedEvent {
	return shipmentStatusChangedEvent{
		CardOfEvent: card, PreviousStatus: a.Previous, Status: a.Current, StatusCode: orNil(a.StatusCode),
		Description: orNil(a.Description), Date: a.At,
	}
}
