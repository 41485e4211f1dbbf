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
// Two active Authorization hooks that could be asked about the same are
// webhook_conflict; a type that nothing calls is webhook_type_not_available.
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
		all, err := lockHooks(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		if len(all) >= hooksMax {
			return errTooMany.With("max", hooksMax)
		}
		if err := mayStandBeside(h, all); err != nil {
			return err
		}
		if err := insertHook(ctx, tx, h); err != nil {
			return err
		}
		if err := s.listen(ctx, tx, c.Tenant); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "Register", nil, &h)
	})
	if err != nil {
		return Hook{}, secret.Value{}, err
	}
	h.Shown, h.HeaderNames = keep.shown()
	return h, outbound.ShowSecret(keep.Secret), nil
}

// lockHooks reads the hooks of a tenant under the lock of its row: what is
// decided on all of them is decided by one at a time.
func lockHooks(ctx context.Context, tx db.Tx, tenant access.TenantID) ([]Hook, error) {
	if err := access.LockTenant(ctx, tx, tenant); err != nil {
		return nil, fmt.Errorf("lock tenant: %w", err)
	}
	all, err := readHooks(ctx, tx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	return all, nil
}

// mayStandBeside refuses an active Authorization hook that could be asked about
// what another one is asked about.
func mayStandBeside(h Hook, all []Hook) error {
	if h.Type != TypeAuthorization || !h.IsActive {
		return nil
	}
	for _, other := range all {
		if other.ID != h.ID && other.Type == h.Type && other.IsActive && other.Filter.overlaps(h.Filter) {
			return errConflict
		}
	}
	return nil
}

// stamp is a name for one state of a hook.
type stamp struct{}

// IDPrefix is the prefix of stamps.
func (stamp) IDPrefix() string { return "stamp" }

func newStamp(now time.Time) string { return id.New[stamp](now).String() }

// Hooks returns the hooks of the caller's tenant; kind, when it is not empty,
// and active, when given, choose among them.
func (s *Service) Hooks(ctx context.Context, c access.Caller, kind Type, active *bool) (out []Hook, err error) {
	var all []Hook
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = readHooks(ctx, tx, c.Tenant)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	for _, h := range all {
		if kind != "" && h.Type != kind || active != nil && h.IsActive != *active {
			continue
		}
		keep, err := s.open(ctx, h)
		if err != nil {
			return nil, err
		}
		h.Shown, h.HeaderNames = keep.shown()
		out = append(out, h)
	}
	return out, nil
}

// hookFor returns the active hook of this type that a tenant has for something
// of this product, network and transaction code – empty where that is not known
// – the oldest when there are several.
func (s *Service) hookFor(ctx context.Context, tx db.Tx, tenant access.TenantID, kind Type, product, network, code string) (Hook, bool, error) {
	all, err := readHooks(ctx, tx, tenant)
	if err != nil {
		return Hook{}, false, fmt.Errorf("read webhooks: %w", err)
	}
	h, found := choose(all, kind, product, network, code)
	return h, found, nil
}

func choose(all []Hook, kind Type, product, network, code string) (Hook, bool) {
	for _, h := range all {
		if h.Type == kind && h.IsActive && !h.IsDisabled && h.Filter.Admits(product, network, code) {
			return h, true
		}
	}
	return Hook{}, false
}

// Update replaces what a caller may change of a hook; its type stays. A signing secret, an
// authentication and headers that are not given stay; a new signing secret
// takes effect at once. A disabled hook is healthy again.
//
// When the URL leads to another scheme, host or port, an authentication and
// headers are what the former receiver trusted us with: they must be given
// again or removed, else the update is refused.
func (s *Service) Update(ctx context.Context, c access.Caller, hook id.ID[Hook], in NewHook) (Hook, error) {
	return s.change(ctx, c, hook, change{"Update", in.ConcurrencyStamp, func(h *Hook, keep *confidential) error {
		return s.apply(c, h, keep, in)
	}})
}

// rotationLife is how long the former secret signs beside the new one.
const rotationLife = 24 * time.Hour

// RotateSecret gives a hook a new signing secret and returns it, this once. For
// a day the former one signs, too.
func (s *Service) RotateSecret(ctx context.Context, c access.Caller, hook id.ID[Hook]) (Hook, secret.Value, error) {
	fresh := outbound.NewSecret()
	h, err := s.change(ctx, c, hook, change{action: "RotateSecret", apply: func(_ *Hook, keep *confidential) error {
		keep.Previous, keep.PreviousUntil, keep.Secret = keep.Secret, s.Clock.Now().Add(rotationLife), fresh
		return nil
	}})
	if err != nil {
		return Hook{}, secret.Value{}, err
	}
	return h, outbound.ShowSecret(fresh), nil
}

// change is what is done to a hook.
type change struct {
	action string // for the record
	stamp  string // the present one, or empty
	apply  func(*Hook, *confidential) error
}

func (s *Service) change(ctx context.Context, c access.Caller, hook id.ID[Hook], do change) (h Hook, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		all, err := lockHooks(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		var found bool
		if h, found, err = readHook(ctx, tx, c.Tenant, hook); err != nil {
			return fmt.Errorf("read webhook: %w", err)
		}
		if !found {
			return errNotFound
		}
		before, old := h, h.ConcurrencyStamp
		if do.stamp != "" && do.stamp != old {
			return errStale
		}
		keep, err := s.open(ctx, h)
		if err != nil {
			return err
		}
		if err := do.apply(&h, &keep); err != nil {
			return err
		}
		if err := mayStandBeside(h, all); err != nil {
			return err
		}
		h.Shown, h.HeaderNames = keep.shown()
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
		if err != nil {
			return err
		}
		if h.Type.sends() && !h.IsActive {
			if err := s.releaseMessages(ctx, tx, h); err != nil {
				return err
			}
		}
		if err := s.listen(ctx, tx, c.Tenant); err != nil {
			return err
		}
		return s.record(ctx, tx, c, do.action, &before, &h)
	})
	if err != nil {
		return Hook{}, err
	}
	return h, nil
}

// Unregister removes a hook with all that waits for it, and its log. Messages
// that it was to send go another way.
func (s *Service) Unregister(ctx context.Context, c access.Caller, hook id.ID[Hook]) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := lockHooks(ctx, tx, c.Tenant); err != nil {
			return err
		}
		h, found, err := readHook(ctx, tx, c.Tenant, hook)
		if err != nil {
			return fmt.Errorf("read webhook: %w", err)
		}
		if !found {
			return errNotFound
		}
		if _, err := deleteHook(ctx, tx, c.Tenant, hook); err != nil {
			return fmt.Errorf("delete webhook: %w", err)
		}
		if h.Type.sends() {
			err = s.releaseMessages(ctx, tx, h)
		} else {
			err = outbox.Empty(ctx, tx, c.Tenant.String(), TopicDelivery, hook.String())
		}
		if err != nil {
			return err
		}
		if err := s.listen(ctx, tx, c.Tenant); err != nil {
			return err
		}
		return s.record(ctx, tx, c, "Unregister", &h, nil)
	})
}
