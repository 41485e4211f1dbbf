package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/personalization"
)

// PlasticEvent is exported for encoding/json: what the events of bureaus and
// couriers have in common.
type PlasticEvent struct {
	VendorCode     string       `json:"vendorCode,omitempty" maxLength:"32" doc:"Who tells it, of production the bureau of the plastic. Each event needs one; in a list the list's goes for events without."`
	EventID        string       `json:"eventId,omitempty" maxLength:"64" doc:"The sender's name of the event, which each needs: the same one again changes nothing."`
	CardToken      string       `json:"cardToken,omitempty" maxLength:"32" doc:"Or orderId."`
	CardSequenceNo int          `json:"cardSequenceNo,omitempty" minimum:"0" maximum:"99" doc:"Which of the plastics of the token; default: the newest."`
	OrderID        string       `json:"orderId,omitempty" maxLength:"64" doc:"As in the personalisation file, instead of cardToken."`
	StatusCode     string       `json:"statusCode,omitempty" maxLength:"32" doc:"The sender's own."`
	Description    api.FreeText `json:"description,omitempty" maxLength:"250"`
	EventDate      *time.Time   `json:"eventDate,omitempty" doc:"When it happened, which each event needs. Of two events the later counts, whatever order they come in."`
}

// PersoEvent is one event of a bureau.
type PersoEvent struct {
	PlasticEvent
	PersoStatus api.Enum[persoStatuses] `json:"persoStatus,omitempty" doc:"Goes before statusCode."`
}

// persoEvents is one event, or a list of them.
type persoEvents struct {
	PersoEvent
	Events []PersoEvent `json:"events,omitempty" maxItems:"1000" doc:"Each is taken in or refused by itself."`
}

// ShipmentNews is one event of a courier.
type ShipmentNews struct {
	PlasticEvent
	ShipmentStatus        api.Enum[shipmentStatuses] `json:"shipmentStatus,omitempty" doc:"Goes before statusCode."`
	Location              api.FreeText               `json:"location,omitempty" maxLength:"100"`
	CourierCode           string                     `json:"courierCode,omitempty" maxLength:"64"`
	CourierName           api.FreeText               `json:"courierName,omitempty" maxLength:"100"`
	TrackingNo            string                     `json:"trackingNo,omitempty" maxLength:"64"`
	TrackingURL           string                     `json:"trackingUrl,omitempty" maxLength:"500"`
	EstimatedDeliveryDate string                     `json:"estimatedDeliveryDate,omitempty" format:"date"`
	RecipientName         api.FreeText               `json:"recipientName,omitempty" maxLength:"100"`
	RecipientRelation     api.FreeText               `json:"recipientRelation,omitempty" maxLength:"50"`
	ReturnReason          api.FreeText               `json:"returnReason,omitempty" maxLength:"100"`
}

// plasticAnswer is what became of events: of one, or of each in a list.
type plasticAnswer struct {
	TotalCount   int             `json:"totalCount"`
	SuccessCount int             `json:"successCount"`
	FailedCount  int             `json:"failedCount"`
	Results      []plasticResult `json:"results"`
}

type plasticResult struct {
	EventID        string  `json:"eventId"`
	CardToken      *string `json:"cardToken"`
	CardSequenceNo int     `json:"cardSequenceNo"`
	PreviousStatus *string `json:"previousStatus"`
	EventStatus    *string `json:"eventStatus" doc:"What the event tells of."`
	CurrentStatus  *string `json:"currentStatus"`
	IsSuccess      bool    `json:"isSuccess"`
	IsDuplicate    bool    `json:"isDuplicate" doc:"It had been told before."`
	IsOutdated     bool    `json:"isOutdated" doc:"Something later had been told before; the status stays."`
	ErrorCode      *string `json:"errorCode"`
	ErrorMessage   *string `json:"errorMessage"`
}

func (a *API) takePersoEvents(ctx context.Context, c access.Caller, in *struct{ Body persoEvents }) (plasticAnswer, error) {
	events := make([]personalization.Event, 0, len(in.Body.Events))
	for _, e := range in.Body.Events {
		events = append(events, e.decode(in.Body.VendorCode))
	}
	return a.takePlasticEvents(ctx, c, in.Body.PersoEvent.decode(""), events)
}

func (e PersoEvent) decode(vendor string) personalization.Event {
	out := e.PlasticEvent.decode(personalization.AboutProduction, vendor)
	out.Status = string(e.PersoStatus)
	return out
}

// shipmentEvents is one event, or a list of them.
type shipmentEvents struct {
	ShipmentNews
	Events []ShipmentNews `json:"events,omitempty" maxItems:"1000" doc:"Each is taken in or refused by itself."`
}

func (a *API) takeShipmentEvents(ctx context.Context, c access.Caller, in *struct{ Body shipmentEvents }) (plasticAnswer, error) {
	events := make([]personalization.Event, 0, len(in.Body.Events))
	for _, e := range in.Body.Events {
		events = append(events, e.decode(in.Body.VendorCode))
	}
	return a.takePlasticEvents(ctx, c, in.Body.ShipmentNews.decode(""), events)
}

func (e ShipmentNews) decode(vendor string) personalization.Event {
	out := e.PlasticEvent.decode(personalization.AboutShipment, vendor)
	out.Status, out.Location = string(e.ShipmentStatus), string(e.Location)
	out.CourierCode, out.CourierName, out.TrackingNo, out.TrackingURL = e.CourierCode, string(e.CourierName), e.TrackingNo, e.TrackingURL
	out.EstimatedDelivery, out.RecipientName = e.EstimatedDeliveryDate, string(e.RecipientName)
	out.RecipientRelation, out.ReturnReason = string(e.RecipientRelation), string(e.ReturnReason)
	return out
}

func (e PlasticEvent) decode(about personalization.About, vendor string) personalization.Event {
	out := personalization.Event{
		About: about, Vendor: e.VendorCode, ID: e.EventID, CardToken: e.CardToken, Sequence: e.CardSequenceNo, OrderID: e.OrderID,
		StatusCode: e.StatusCode, Description: string(e.Description),
	}
	if out.Vendor == "" {
		out.Vendor = vendor
	}
	if e.EventDate != nil {
		out.At = *e.EventDate
	}
	return out
}

// takePlasticEvents takes in a list, or the one event of a request without.
func (a *API) takePlasticEvents(ctx context.Context, c access.Caller, single personalization.Event, list []personalization.Event) (plasticAnswer, error) {
	if len(list) == 0 {
		outcome, err := a.Personalization.Record(ctx, c, single)
		if err != nil {
			return plasticAnswer{}, err
		}
		return plasticAnswer{TotalCount: 1, SuccessCount: 1, Results: []plasticResult{encodePlasticResult(single.ID, outcome)}}, nil
	}
	out := plasticAnswer{TotalCount: len(list), Results: make([]plasticResult, 0, len(list))}
	all, err := a.Personalization.RecordAll(ctx, c, list)
	if err != nil {
		return plasticAnswer{}, err
	}
	for _, told := range all {
		r := encodePlasticResult(told.EventID, told.Outcome)
		if told.Refusal != nil {
			code, message := outwardOf(told.Refusal).code, messageOf(c.Language, told.Refusal)
			r.IsSuccess, r.ErrorCode, r.ErrorMessage = false, &code, &message
			out.FailedCount++
		} else {
			out.SuccessCount++
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func encodePlasticResult(eventID string, o personalization.Outcome) plasticResult {
	return plasticResult{
		EventID: eventID, CardToken: orNil(o.CardToken), CardSequenceNo: o.Sequence, PreviousStatus: orNil(o.Previous),
		EventStatus: orNil(o.Status), CurrentStatus: orNil(o.Current), IsSuccess: true, IsDuplicate: o.Duplicate, IsOutdated: o.Outdated,
	}
}
