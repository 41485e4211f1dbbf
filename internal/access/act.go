package access

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Act begins the audit record of something that the caller does now, which is
// real time: what a record says must be true.
func (c Caller) Act(now clock.Real, stream audit.Stream, action string) audit.Act {
	return audit.Act{
		Tenant: c.Tenant.String(), At: now.Time(), Stream: stream, Action: action, Client: c.Client, Channel: c.Channel,
		CorrelationID: c.CorrelationID, UserID: c.User, User: or(c.UserName, c.UserReference), IP: c.IP,
	}
}

// recordToken writes down that a client got tokens or why it got none.
//
// A stranger must not be able to fill a tenant's chain, which is kept for
// years. So a client that nobody has, which is of no tenant, leaves a line in
// the log only; and what comes while a client is locked, or with a wrong secret
// from where it may not call, is counted, and the number stands in the next
// record.
func recordToken(ctx context.Context, tx db.Tx, t tokenAttempt, refused *fault.Error, now time.Time) error {
	c := t.client
	if c.ID == "" {
		return nil
	}
	if t.stranger {
		return countUnrecorded(ctx, tx, c.ID)
	}
	a := audit.Act{
		Tenant: c.Tenant.String(), At: now, Stream: audit.AccessStream, Action: "TokenIssue", EntityType: "Client", EntityKey: c.ID,
		Client: c.ID, Channel: ChannelAPI, IP: t.from.IP, CorrelationID: t.from.CorrelationID,
		UserID: t.user.idText(), User: t.user.Name,
	}
	if refused != nil {
		a.Result, a.ErrorCode = audit.Failure, string(refused.Code)
	}
	if c.Unrecorded > 0 {
		n := strconv.Itoa(c.Unrecorded)
		a.Changes = []audit.Change{{Property: "unrecordedFailures", New: &n}}
		if err := forgetUnrecorded(ctx, tx, c.ID); err != nil {
			return err
		}
	}
	if err := audit.Append(ctx, tx, a); err != nil || !t.locks {
		return err
	}
	a.Action, a.Result, a.ErrorCode, a.Changes = "ClientLock", audit.Success, "", nil
	if t.user.Name != "" {
		a.Action, a.EntityType, a.EntityKey = "UserLock", "User", t.user.idText()
	}
	return audit.Append(ctx, tx, a)
}

// recordTenant writes into the audit chain that a tenant became another.
func recordTenant(ctx context.Context, tx db.Tx, c Caller, now time.Time, action string, before, after *Tenant) error {
	a := c.Act(clock.RealAt(now), audit.AccessStream, action)
	a.EntityType, a.EntityKey = "Tenant", after.ID.UUID()
	if before == nil {
		a.Changes = audit.Changes(nil, after.shown())
	} else {
		a.Changes = audit.Changes(before.shown(), after.shown())
	}
	return audit.Append(ctx, tx, a)
}

// Deny writes down that a caller was refused, and returns the refusal. What is
// the same (caller, subject and key) is written once in a minute on each node,
// so that nobody fills the chain by knocking.
func (s *Service) Deny(ctx context.Context, c Caller, subject, key string, refusal *fault.Error) error {
	now := s.Clock.Now()
	if !s.denials.due(denial{c.By(), subject, key}, now) {
		return refusal
	}
	a := c.Act(clock.RealAt(now), audit.AccessStream, "CallDeny")
	a.EntityType, a.Result, a.ErrorCode = subject, audit.Failure, string(refusal.Code)
	if subject != "Address" { // which stands among the personal values
		a.EntityKey = key
	}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error { return audit.Append(ctx, tx, a) }); err != nil {
		return err
	}
	return refusal
}

// denial is a refusal that is repeated.
type denial struct{ client, subject, key string }

// denials remembers what was written down a moment ago. The zero value is
// ready; it is safe for concurrent use.
type denials struct {
	mu   sync.Mutex
	last map[denial]time.Time
}

const (
	denialPause = time.Minute
	denialsMax  = 10_000 // bounds the memory; beyond, nothing is written until old ones have passed
)

// due reports whether d is to be written down now, and takes it that it is.
func (k *denials) due(d denial, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last, ok := k.last[d]; ok && now.Sub(last) < denialPause {
		return false
	}
	if len(k.last) >= denialsMax {
		for other, last := range k.last {
			if now.Sub(last) >= denialPause {
				delete(k.last, other)
			}
		}
		if len(k.last) >= denialsMax {
			return false
		}
	}
	if k.last == nil {
		k.last = map[denial]time.Time{}
	}
	k.last[d] = now
	return true
}
