package customer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// events are what waits to be told of a tenant, oldest first.
func (h *house) events(c access.Caller) []outbox.WaitingEvent {
	h.t.Helper()
	var all []outbox.WaitingEvent
	err := h.DB.View(h.t.Context(), func(tx db.Tx) (err error) {
		all, err = outbox.WaitingEvents(h.t.Context(), tx, c.Tenant.String())
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestCustomer_eventsExistExactlyWhenTheirFactsDo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		in := testCustomer("Ada", "Deniz", "10000000146")
		u, created, err := h.FindOrCreate(t.Context(), h.main, in)
		if err != nil || !created {
			t.Fatalf("created %t: %v", created, err)
		}
		if _, created, err := h.FindOrCreate(t.Context(), h.main, in); err != nil || created {
			t.Fatalf("created again %t: %v", created, err)
		}
		if _, err := h.Create(t.Context(), h.main, in); err == nil {
			t.Fatal("created twice")
		}
		change := Change{No: u.No, Profile: u.Profile, Status: Blocked}
		change.Profile.StatusReason = "asked for"
		if _, err := h.Update(t.Context(), h.main, change); err != nil {
			t.Fatal(err)
		}
		want := []string{EventCreated, EventStatusChanged, EventUpdated}
		all := h.events(h.main)
		if len(all) != len(want) {
			t.Fatalf("got %d events, want %d", len(all), len(want))
		}
		for i, m := range all {
			if m.Name != want[i] || m.Key != u.No {
				t.Errorf("%d: %s of %s, want %s", i, m.Name, m.Key, want[i])
			}
			if text := string(m.Payload); strings.Contains(text, "Deniz") || strings.Contains(text, "10000000146") {
				t.Errorf("%s names the person: %s", m.Name, text)
			}
		}
		var e Event
		if err := json.Unmarshal(all[1].Payload, &e); err != nil {
			t.Fatal(err)
		}
		if e.PreviousStatus != Active || e.Status != Blocked || e.Reason != "asked for" {
			t.Errorf("got %+v", e)
		}
		if len(h.events(h.other)) != 0 {
			t.Error("another tenant has events")
		}
	})
}
