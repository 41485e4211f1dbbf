package persofile

import "time"

// About is what an event in a status report is about.
type About string

// The kinds of events.
const (
	Production About = "production"
	Shipment   About = "shipment"
)

// Event is one line of a status report: what happened to one card at the
// bureau or on its way. Empty members were not sent.
type Event struct {
	Line        int // where it stands in its file, from 1; ignored when written
	EventID     string
	About       About
	OrderID     string
	StatusCode  string // as the sender counts
	Status      string // the platform's name of it, when StatusCode is not known there
	At          time.Time
	Description string
	Location    string

	CourierCode       string
	CourierName       string
	TrackingNo        string
	TrackingURL       string
	EstimatedDelivery string // YYYY-MM-DD
	Recipient         []byte // encrypted: who took the card
	RecipientRelation string
	ReturnReason      string
}
