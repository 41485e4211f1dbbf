package webhook

import (
	"context"
	"net/url"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// record writes into the audit chain what became of a hook: before is nil for a
// new one, after for one that is removed. It comes last in its transaction.
func (s *Service) record(ctx context.Context, tx db.Tx, c access.Caller, action string, before, after *Hook) error {
	a := c.Act(clock.RealNow(s.Clock), audit.AccessStream, action)
	a.EntityType = "WebHook"
	var was, is any
	if before != nil {
		was, a.EntityKey = before.onRecord(), before.ID.UUID()
	}
	if after != nil {
		is, a.EntityKey = after.onRecord(), after.ID.UUID()
	}
	a.Changes = audit.Changes(was, is)
	return audit.Append(ctx, tx, a)
}

// onRecord is what the record says of a hook: where it leads to, but neither the
// path, which may hold a secret of the receiver, nor any secret of ours.
func (h Hook) onRecord() any {
	host := ""
	if u, err := url.Parse(h.URL); err == nil {
		host = u.Scheme + "://" + u.Host
	}
	return struct {
		Name, Host string
		Type       Type
		EventTypes []string
		Filter     Filter
		Timeout    time.Duration
		RetriesMax int
		IsActive   bool
		IsDisabled bool
	}{h.Name, host, h.Type, h.EventTypes, h.Filter, h.Timeout, h.RetriesMax, h.IsActive, h.IsDisabled}
}
