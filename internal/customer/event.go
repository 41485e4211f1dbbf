package customer

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about customers.
const (
	EventCreated        = "customer.created"
	EventUpdated        = "customer.updated"
	EventStatusChanged  = "customer.status-changed"
	EventSegmentChanged = "customer.segment-changed"
)

// Event is what events about customers tell. It names nobody: whoever
// may know the person asks for the customer. Its member names are the stored
// form: they are not changed, only added to.
type Event struct {
	No              string
	Type            Type
	Status          Status
	KYCLevel        KYCLevel
	Segment         string
	ExternalID      string
	PreviousStatus  Status   // of a change of status
	Reason          string   // of a change of status
	PreviousSegment string   // of a change of segment
	Changed         []string // of an update: the fields of Customer and Profile that differ
}

// raise writes an event about u, in the transaction of what it tells of.
func (u Customer) raise(ctx context.Context, tx db.Tx, c access.Caller, name string, at time.Time, e Event) error {
	e.No, e.Type, e.Status, e.KYCLevel = u.No, u.Type, u.Status, u.KYCLevel
	e.Segment, e.ExternalID = u.Segment, u.ExternalID
	payload, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return outbox.Add(ctx, tx, outbox.Event{
		Tenant: u.Tenant.String(), Name: name, Key: u.No, Payload: payload, CorrelationID: c.CorrelationID, At: c.Real(at),
	})
}

// raiseChange writes what became of old.
func (u Customer) raiseChange(ctx context.Context, tx db.Tx, c access.Caller, old Customer, at time.Time) error {
	if u.Status != old.Status {
		e := Event{PreviousStatus: old.Status, Reason: u.StatusReason}
		if err := u.raise(ctx, tx, c, EventStatusChanged, at, e); err != nil {
			return err
		}
	}
	changed := u.changedMembers(old)
	for _, f := range []struct {
		name string
		same bool
	}{
		{"ExternalID", u.ExternalID == old.ExternalID}, {"KYCLevel", u.KYCLevel == old.KYCLevel}, {"Status", u.Status == old.Status},
	} {
		if !f.same {
			changed = append(changed, f.name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return u.raise(ctx, tx, c, EventUpdated, at, Event{Changed: changed})
}

// changedMembers names the personal fields that differ from old's: those of the
// profile, and the lists.
func (u Customer) changedMembers(old Customer) []string {
	type lists struct {
		Identifications []Identification
		Communications  []Communication
		Addresses       []Address
	}
	return append(differing(reflect.ValueOf(old.Profile), reflect.ValueOf(u.Profile)), differing(
		reflect.ValueOf(lists{old.Identifications, old.Communications, old.Addresses}),
		reflect.ValueOf(lists{u.Identifications, u.Communications, u.Addresses}),
	)...)
}

// differing names the fields in which two values of one struct differ.
func differing(a, b reflect.Value) []string {
	var names []string
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, a.Type().Field(i).Name)
		}
	}
	return names
}
