package access

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Act begins the audit record of something that the caller does now.
func (c Caller) Act(now time.Time, stream audit.Stream, action string) audit.Act {
	return audit.Act{
		Tenant: c.Tenant.String(), At: now, Stream: stream, Action: action, Client: c.Client, Channel: c.Channel,
		CorrelationID: c.CorrelationID, User: c.UserReference, IP: c.IP,
	}
}

// recordToken writes down that a client got tokens or why it got none. A client
// that nobody has is of no tenant and leaves no trace here.
func recordToken(ctx context.Context, tx db.Tx, c clientOfTenant, refused *fault.Error, now time.Time) error {
	if c.ID == "" {
		return nil
	}
	a := audit.Act{
		Tenant: c.Tenant.String(), At: now, Stream: audit.AccessStream, Action: "TokenIssue", EntityType: "Client", EntityKey: c.ID,
		Client: c.ID, Channel: ChannelAPI,
	}
	if refused != nil {
		a.Result, a.ErrorCode = audit.Failure, string(refused.Code)
	}
	return audit.Append(ctx, tx, a)
}
