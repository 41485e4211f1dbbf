package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// render makes of a notice the messages of its recipient.
func (s *Service) render(ctx context.Context, tx db.Tx, m outbox.Message) error {
	var n Notice
	if err := json.Unmarshal(m.Payload, &n); err != nil {
		return fmt.Errorf("read notice: %w", err)
	}
	tenant, err := id.Parse[access.Tenant](m.Tenant)
	if err != nil {
		return fmt.Errorf("tenant of notice: %w", err)
	}
	t, found, err := access.ReadTenant(ctx, tx, tenant)
	if err != nil || !found {
		return fmt.Errorf("read tenant %s: %w", tenant, err)
	}
	r, found, err := s.Recipients.Recipient(ctx, tx, tenant, n)
	if err != nil {
		return fmt.Errorf("find recipient: %w", err)
	}
	if !found {
		return nil
	}
	if r.Language == "" {
		r.Language = t.Language
	}
	values := map[string]string{"tenant": t.Name}
	maps.Copy(values, n.Values)
	now := m.OccurredAt
	for _, channel := range channels(n, r) {
		out := Message{
			ID: id.New[Message](now), Tenant: tenant, CustomerNo: r.CustomerNo, CardToken: r.CardToken,
			ProductCode: r.ProductCode, Event: n.Event, Channel: channel, CreatedAt: now, Content: Content{To: r.Phone, Text: Text(n.Event, r, values)},
		}
		if channel == Email {
			out.Content.To, out.Content.Subject = r.Email, subject(r.Language)
		}
		if out.Content.Text == "" {
			continue // the tenant's language has no such text
		}
		if err := s.send(ctx, tx, out, t.Environment == access.Sandbox, m.CorrelationID); err != nil {
			return err
		}
	}
	return nil
}

// channels are the ways a notice is told. What is about security goes by SMS, or
// by e-mail to those who have no phone, whatever was opted out of.
func channels(n Notice, r Recipient) []Channel {
	var out []Channel
	security := IsSecurity(n.Event)
	if r.Phone != "" && (r.WantsSMS || security) {
		out = append(out, SMS)
	}
	if r.Email != "" && !n.PhoneOnly && (r.WantsEmail || security && r.Phone == "") {
		out = append(out, Email)
	}
	return slices.DeleteFunc(out, func(c Channel) bool { return len(n.Channels) > 0 && !slices.Contains(n.Channels, c) })
}
