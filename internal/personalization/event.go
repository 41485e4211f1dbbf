package personalization

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// About is which of a plastic's two machines an event is about.
type About string

// The kinds of events.
const (
	AboutProduction About = "Production"
	AboutShipment   About = "Shipment"
)

// Event is what a bureau or courier tells of one plastic. Empty members were
// not told.
type Event struct {
	About  About
	Vendor string // the sender, 1 to 32 letters, digits, _ and -
	ID     string // the sender's name of the event

	// Either a card by its token, of that sequence or the newest when it is 0,
	// or an order.
	CardToken string
	Sequence  int
	OrderID   string

	StatusCode  string    // as the sender counts
	Status      string    // the platform's name of it; goes before StatusCode
	At          time.Time // when it happened
	Description string
	Location    string

	CourierCode       string
	CourierName       string
	TrackingNo        string
	TrackingURL       string
	EstimatedDelivery string // YYYY-MM-DD
	RecipientName     string
	RecipientRelation string
	ReturnReason      string
}

// Outcome is what became of an event.
type Outcome struct {
	CardToken string
	Sequence  int
	About     About
	Previous  string // the status before it
	Status    string // that the event tells of
	Current   string // the plastic's status after it
	Duplicate bool   // it had been told before
	Outdated  bool   // a later one had been told before
}

// aheadMax is how far the clocks of others may be ahead of ours.
const aheadMax = 5 * time.Minute

// textLengths bound the texts of an event.
const (
	nameMax        = 64
	descriptionMax = 250
	textMax        = 100
	urlMax         = 500
)

// check returns the status that e tells of, or a fault that names what is
// wrong with e.
func (e Event) check(now time.Time) (string, error) {
	bad := errInvalid
	wrong := func(member, code, text string) { bad = bad.OnField(member, code, text) }
	if !isWord(e.Vendor, 32, "_-") {
		wrong("vendorCode", "not_a_code", "must be 1 to 32 letters, digits, '_' and '-'")
	}
	if !isWord(e.ID, nameMax, "_-.:") {
		wrong("eventId", "malformed", "must be 1 to 64 letters, digits, '_', '-', '.' and ':'")
	}
	if (e.CardToken == "") == (e.OrderID == "") {
		wrong("cardToken", "required", "either it or orderId is needed")
	}
	if e.Sequence < 0 || e.Sequence > 99 {
		wrong("cardSequenceNo", "out_of_range", "must be 1 to 99")
	}
	if e.At.IsZero() {
		wrong("eventDate", "required", "is required")
	} else if e.At.After(now.Add(aheadMax)) || e.At.Year() < 2000 {
		wrong("eventDate", "out_of_range", "must not lie in the future, nor before 2000")
	}
	if e.EstimatedDelivery != "" {
		if _, err := clock.ParseDate(e.EstimatedDelivery); err != nil {
			wrong("estimatedDeliveryDate", "malformed", "must be a day as YYYY-MM-DD")
		}
	}
	if e.TrackingURL != "" && !strings.HasPrefix(e.TrackingURL, "https://") {
		wrong("trackingUrl", "not_a_url", "must be an https URL")
	}
	for _, text := range []struct {
		member, value string
		longest       int
	}{
		{"statusCode", e.StatusCode, 32}, {"orderId", e.OrderID, nameMax}, {"description", e.Description, descriptionMax},
		{"location", e.Location, textMax}, {"courierCode", e.CourierCode, nameMax}, {"courierName", e.CourierName, textMax},
		{"trackingNo", e.TrackingNo, nameMax}, {"trackingUrl", e.TrackingURL, urlMax}, {"recipientName", e.RecipientName, textMax},
		{"recipientRelation", e.RecipientRelation, 50}, {"returnReason", e.ReturnReason, textMax},
	} {
		if utf8.RuneCountInString(text.value) > text.longest {
			wrong(text.member, "too_long", "is too long")
		}
		// Tracking numbers are long, and one in ten looks like a card number:
		// they are held against the card's own.
		if !strings.HasPrefix(text.member, "tracking") && pan.ContainsPAN(text.value) {
			wrong(text.member, "card_number", "holds a card number")
		}
	}
	status := e.status()
	if status == "" {
		field := "statusCode"
		if e.Status != "" {
			field = statusMember(e.About)
		}
		wrong(field, "unknown_status", "is no status code that is known here")
		if field == "statusCode" && !pan.ContainsPAN(e.StatusCode) && isWord(e.StatusCode, 32, "_-.:") {
			bad = bad.With("statusCode", e.StatusCode)
		}
	}
	if len(bad.Fields) > 0 {
		return "", bad
	}
	return status, nil
}

// holdsNumberOf reports whether a name that a sender gives holds the number of
// the card it is about.
func (e Event) holdsNumberOf(card issuing.Card) bool {
	for _, text := range []string{e.ID, e.TrackingNo, e.TrackingURL} {
		text = strings.NewReplacer(" ", "", "-", "").Replace(text)
		for i := 0; i+card.PANLength <= len(text); i++ {
			run := text[i : i+card.PANLength]
			if strings.HasPrefix(run, card.BIN) && strings.HasSuffix(run, card.LastFour) && strings.Trim(run, "0123456789") == "" {
				return true
			}
		}
	}
	return false
}

// statusMember is what the contract calls the platform's own status.
func statusMember(a About) string {
	if a == AboutShipment {
		return "shipmentStatus"
	}
	return "persoStatus"
}

// status is the platform's status that e tells of; empty when there is none.
func (e Event) status() string {
	status := e.Status
	if status == "" {
		status = codes[codeKey{e.About, e.StatusCode}]
	}
	known := slices.Contains(issuing.PersoStatuses(), issuing.PersoStatus(status))
	if e.About == AboutShipment {
		known = slices.Contains(issuing.ShipmentStatuses(), issuing.ShipmentStatus(status))
	}
	if !known {
		return ""
	}
	return status
}

func isWord(s string, longest int, also string) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(also, r) {
			return false
		}
	}
	return true
}
