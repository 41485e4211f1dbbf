package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// StaticKey is what a client of a family without tokens shows at each call.
type StaticKey struct {
	Family   Family
	ClientID string
	Key      secret.Value
	From     Origin
}

// AuthenticateKey returns the caller that a static key names. It holds by the
// rules of tokens: wrong keys are counted and lock the client, an unknown,
// disabled or locked client is Unauthenticated, and a right key from an address
// that its client may not call from is Forbidden, and written down.
//
// A right key costs one reading; only the first one after wrong ones writes.
func (s *Service) AuthenticateKey(ctx context.Context, k StaticKey) (Caller, error) {
	now := s.Clock.Now()
	var c clientOfTenant
	var failures int
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		if c, _, err = readClient(ctx, tx, k.ClientID); err != nil {
			return err
		}
		failures, err = failuresOf(ctx, tx, k.ClientID)
		return err
	})
	if err != nil {
		return Caller{}, fmt.Errorf("read client: %w", err)
	}
	right := c.proves(k.Key, now) && c.Family == k.Family && c.IsActive && c.TenantIsActive
	if !right || failures > 0 && c.allows(k.From.IP) {
		if c, err = s.countKey(ctx, k, now); err != nil {
			return Caller{}, err
		}
	}
	caller := s.callerWithKey(c, k.From)
	if !c.allows(k.From.IP) {
		return Caller{}, s.Deny(ctx, caller, "Address", k.From.IP, errAddressDenied)
	}
	return caller, nil
}

// countKey proves a key as the token endpoint proves a secret, counting it. What
// was counted stays when the answer is a refusal.
func (s *Service) countKey(ctx context.Context, k StaticKey, now time.Time) (c clientOfTenant, err error) {
	var refused *fault.Error
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		refused = nil
		t, err := s.authenticateClient(ctx, tx, Grant{Family: k.Family, ClientID: k.ClientID, ClientSecret: k.Key, From: k.From}, now)
		c = t.client
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, t, refused, now)
		}
		return err
	})
	if err != nil {
		return c, fmt.Errorf("prove key: %w", err)
	}
	if refused != nil {
		return c, refused
	}
	return c, nil
}

// OnBehalf returns the caller that something stands for which a client handed
// out itself. A disabled client, or one of another family, is Unauthenticated;
// where the request comes from is not looked at.
func (s *Service) OnBehalf(ctx context.Context, family Family, clientID string, from Origin) (Caller, error) {
	var c clientOfTenant
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		c, _, err = readClient(ctx, tx, clientID)
		return err
	})
	if err != nil {
		return Caller{}, fmt.Errorf("read client: %w", err)
	}
	if c.Family != family || !c.IsActive || !c.TenantIsActive {
		return Caller{}, errInvalidClient
	}
	return s.callerWithKey(c, from), nil
}

func (s *Service) callerWithKey(c clientOfTenant, from Origin) Caller {
	return Caller{
		Tenant: c.Tenant, Sandbox: c.Environment == Sandbox, Ahead: c.Ahead, Client: c.ID, Name: c.Name,
		Permissions: c.Permissions, Rate: c.Rate.or(c.TenantRate).or(s.Rate),
		Channel: ChannelAPI, Language: c.Language, IP: from.IP, CorrelationID: from.CorrelationID,
	}
}
