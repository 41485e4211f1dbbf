package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Register makes a hook, and returns it with its signing secret, which is shown
// this once. A tenant has twenty at most: then it is webhook_limit_exceeded.
func (s *Service) Register(ctx context.Context, c access.Caller, in NewHook) (Hook, secret.Value, error) {
	now := s.Clock.Now()
	h := Hook{
		ID: id.New[Hook](now), Tenant: c.Tenant, CreatedAt: now, CreatedBy: c.By(), UpdatedAt: now, UpdatedBy: c.By(),
		ConcurrencyStamp: newStamp(now),
	}
	keep := confidential{Secret: outbound.NewSecret()}
	if err := s.apply(c, &h, &keep, in); err != nil {
		return Hook{}, secret.Value{}, err
	}
	if err := s.seal(ctx, &h, keep); err != nil {
		return Hook{}, secret.Value{}, err
	}
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		all, err := readHooks(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read webhooks: %w", err)
		}
		if len(all) >= hooksMax {
			return errTooMany.With("max", hooksMax)
		}
		return insertHook(ctx, tx, h)
	})
	if err != nil {
		return Hook{}, secret.Value{}, err
	}
	return h, outbound.ShowSecret(keep.Secret), nil
}

// stamp is a name for one state of a hook.
type stamp struct{}

// IDPrefix is the prefix of stamps.
func (stamp) IDPrefix() string { return "stamp" }

func newStamp(now time.Time) string { return id.New[stamp](now).String() }

// Hooks returns the hooks of the caller's tenant; active, when given, chooses
// among them.
func (s *Service) Hooks(ctx context.Context, c access.Caller, active *bool) (out []Hook, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err := readHooks(ctx, tx, c.Tenant)
		for _, h := range all {
			if active == nil || h.IsActive == *active {
				out = append(out, h)
			}
		}
		return err
	})
	return out, err
}

// Update replaces what a caller may change of a hook. A signing secret, an
// authentication and headers that are not given stay; a new signing secret
// takes effect at once. A disabled hook is healthy again.
func (s *Service) Update(ctx context.Context, c access.Caller, hook id.ID[Hook], in NewHook) (Hook, error) {
	return s.change(ctx, c, hook, in.ConcurrencyStamp, func(h *Hook, keep *confidential) error {
		return s.apply(c, h, keep, in)
	})
}

// rotationLife is how long the former secret signs beside the new one.
const rotationLife = 24 * time.Hour

// RotateSecret gives a hook a new signing secret and returns it, this once. For
// a day the former one signs, too.
func (s *Service) RotateSecret(ctx context.Context, c access.Caller, hook id.ID[Hook]) (Hook, secret.Value, error) {
	fresh := outbound.NewSecret()
	h, err := s.change(ctx, c, hook, "", func(_ *Hook, keep *confidential) error {
		keep.Previous, keep.PreviousUntil, keep.Secret = keep.Secret, s.Clock.Now().Add(rotationLife), fresh
		return nil
	})
	if err != nil {
		return Hook{}, secret.Value{}, err
	}
	return h, outbound.ShowSecret(fresh), nil
}

func (s *Service) change(ctx context.Context, c access.Caller, hook id.ID[Hook], given string, f func(*Hook, *confidential) error) (h Hook, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		var found bool
		if h, found, err = readHook(ctx, tx, c.Tenant, hook); err != nil {
			return fmt.Errorf("read webhook: %w", err)
		}
		if !found {
			return errNotFound
		}
		old := h.ConcurrencyStamp
		if given != "" && given != old {
			return errStale
		}
		keep, err := s.open(ctx, h)
		if err != nil {
			return err
		}
		if err := f(&h, &keep); err != nil {
			return err
		}
		if err := s.seal(ctx, &h, keep); err != nil {
			return err
		}
		now := s.Clock.Now()
		h.UpdatedAt, h.UpdatedBy, h.ConcurrencyStamp = now, c.By(), newStamp(now)
		h.IsDisabled, h.ConsecutiveFailures, h.FailingSince = false, 0, time.Time{}
		changed, err := updateHook(ctx, tx, h, old)
		if err == nil && !changed {
			return errStale
		}
		return err
	})
	if err != nil {
		return Hook{}, err
	}
	return h, nil
}

// Unregister removes a hook with all that waits for it, and its log.
func (s *Service) Unregister(ctx context.Context, c access.Caller, hook id.ID[Hook]) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := deleteHook(ctx, tx, c.Tenant, hook)
		if err != nil {
			return fmt.Errorf("delete webhook: %w", err)
		}
		if !found {
			return errNotFound
		}
		return outbox.Empty(ctx, tx, c.Tenant.String(), TopicDelivery, hook.String())
	})
}
