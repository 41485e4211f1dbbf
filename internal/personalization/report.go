package personalization

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// Report is a file in which a bureau tells what happened, as it was read to
// its end.
type Report struct {
	FileID         string
	Tenant         access.TenantID
	Vendor         string
	TransportKeyID string
	DataKey        string // key blocks under the transport key; empty: none
	MACKey         string
	Digest         [32]byte
	MAC            []byte
	Events         []ReportedEvent
}

// ReportedEvent is an event of a report. Its sender is the report's.
type ReportedEvent struct {
	Event
	Recipient      []byte // encrypted under the data key; empty: none
	RecipientPlace []byte // what it is bound to
}

// Told is what became of an event of a report.
type Told struct {
	EventID string
	Outcome Outcome
	Refusal *fault.Error // nil when it was taken in
}

// TakeReport takes in the events of a report, each as [Service.Record] does. One
// that does not come from the bureau it names is refused whole; an event that is
// refused keeps none of the others back. The same report again changes nothing.
func (s *Service) TakeReport(ctx context.Context, r Report) ([]Told, error) {
	c, data, err := s.authenticate(ctx, r)
	if err != nil {
		return nil, err
	}
	told := make([]Told, 0, len(r.Events))
	for _, e := range r.Events {
		e.Vendor = r.Vendor
		if len(e.Recipient) > 0 {
			name, err := s.HSM.OpenField(ctx, data, e.Recipient, e.RecipientPlace)
			if err != nil {
				told = append(told, Told{EventID: e.ID, Refusal: errInvalid.OnField("recipient", "malformed", "cannot be opened")})
				continue
			}
			e.RecipientName = string(name.Reveal())
			name.Clear()
		}
		one, err := s.tell(ctx, c, e.Event)
		if err != nil {
			return told, err
		}
		told = append(told, one)
	}
	return told, nil
}

// RecordAll takes events in, each as [Service.Record] does and each by itself.
// An error says that the rest was not looked at.
func (s *Service) RecordAll(ctx context.Context, c access.Caller, events []Event) ([]Told, error) {
	told := make([]Told, 0, len(events))
	for _, e := range events {
		one, err := s.tell(ctx, c, e)
		if err != nil {
			return told, err
		}
		told = append(told, one)
	}
	return told, nil
}

// tell is Record with a refusal as a value.
func (s *Service) tell(ctx context.Context, c access.Caller, e Event) (Told, error) {
	outcome, err := s.Record(ctx, c, e)
	refusal, refused := fault.AsRefusal(err)
	if err != nil && !refused {
		return Told{}, fmt.Errorf("record event: %w", err)
	}
	return Told{EventID: e.ID, Outcome: outcome, Refusal: refusal}, nil
}

// authenticate says who a report is from, and opens its data key.
func (s *Service) authenticate(ctx context.Context, r Report) (c access.Caller, data hsm.KeyRef, err error) {
	var transport vault.Key
	err = s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		if transport, found, err = vault.BureauKeyByID(ctx, tx, r.Tenant, r.Vendor, r.TransportKeyID); err != nil {
			return fmt.Errorf("read bureau key: %w", err)
		}
		if !found {
			return errReport.With("reason", "transport key")
		}
		c, err = systemOf(ctx, tx, r.Tenant)
		return err
	})
	if err != nil {
		return c, data, err
	}
	c.Client, c.Name = "bureau/"+r.Vendor, r.Vendor
	take := func(block string, spec hsm.KeySpec) (hsm.KeyRef, error) {
		spec.ID, spec.Exportability, spec.Test = id.New[vault.Key](s.Clock.Now()).String(), hsm.NonExportable, transport.Ref.Test
		return s.HSM.ImportKeyBlock(ctx, r.Tenant.String(), transport.Ref, block, spec)
	}
	mac, err := take(r.MACKey, hsm.KeySpec{Usage: hsm.UsageHMAC, Algorithm: hsm.HMAC, Mode: hsm.ModeMAC})
	if err != nil {
		return c, data, errReport.With("reason", "MAC key").Wrap(err)
	}
	ok, err := s.HSM.VerifyMAC(ctx, mac, hsm.HMACSHA256, r.Digest[:], r.MAC, 32)
	if err != nil || !ok {
		return c, data, errReport.With("reason", "MAC").Wrap(err)
	}
	if r.DataKey != "" {
		if data, err = take(r.DataKey, hsm.KeySpec{Usage: hsm.UsageField, Algorithm: hsm.AES, Mode: hsm.ModeDecrypt}); err != nil {
			return c, data, errReport.With("reason", "data key").Wrap(err)
		}
	}
	return c, data, nil
}
