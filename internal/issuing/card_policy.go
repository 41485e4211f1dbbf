package issuing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// CardPolicies is the complete list of the usage switches of a card, in the
// contract's order, as they are in force.
type CardPolicies struct {
	CardToken  string
	IssuanceNo string
	Policies   []CardPolicy
}

// PolicyWish is a change of a card's usage switches. Types it does not list
// stay as they are.
type PolicyWish struct {
	Policies       []program.Policy // each type at most once
	ResetToDefault bool             // first drops everything that was set for the card
	Description    string
	Channel        string
}

// PolicyResult is what became of a [PolicyWish].
type PolicyResult struct {
	CardPolicies
	Changed []PolicyChange // the switches that have another position now
}

// PolicyChange is a switch before and after.
type PolicyChange struct {
	Type     program.PolicyType
	Old, New bool
}

// CardPolicies returns the usage switches of a card as they are now.
func (s *Service) CardPolicies(ctx context.Context, c access.Caller, token string) (CardPolicies, error) {
	var out CardPolicies
	err := s.DB.View(ctx, func(tx db.Tx) error {
		k, err := s.keptCard(ctx, tx, c, token)
		if err != nil {
			return err
		}
		out = CardPolicies{CardToken: k.card.Token, IssuanceNo: k.issuance.No}
		out.Policies, err = s.policiesInForce(ctx, tx, c, k.issuance)
		return err
	})
	return out, err
}

// ChangePolicies sets usage switches of a card that is not closed.
//
// A switch without dates replaces whatever was set for the card before. One
// with a start or an end lies over the one without, which returns when it has
// ended. The product may lock a type: policy_locked_by_product. Where the
// tenant caps supplementary cards by their parents, a switch that would be on
// while the parent's is off is parent_policy_exceeded; a parent that is
// narrowed later narrows its supplementary cards with it.
func (s *Service) ChangePolicies(ctx context.Context, c access.Caller, token string, in PolicyWish) (PolicyResult, error) {
	now := c.Now(s.Clock)
	if err := in.check(now); err != nil {
		return PolicyResult{}, err
	}
	var out PolicyResult
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		k, err := s.lockedCard(ctx, tx, c, token, "policy")
		if err != nil {
			return err
		}
		cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
		if err != nil {
			return err
		}
		if err := s.permitPolicies(ctx, tx, c, cfg, k.issuance, in, now); err != nil {
			return err
		}
		before, err := s.policiesInForce(ctx, tx, c, k.issuance)
		if err != nil {
			return err
		}
		stored := k.issuance.Policies
		k.issuance.Policies = changedPolicies(stored, in, now)
		k.issuance.UpdatedAt = now
		if err := saveIssuance(ctx, tx, k.issuance); err != nil {
			return fmt.Errorf("save policies: %w", err)
		}
		out = PolicyResult{CardPolicies: CardPolicies{CardToken: k.card.Token, IssuanceNo: k.issuance.No}}
		if out.Policies, err = s.policiesInForce(ctx, tx, c, k.issuance); err != nil {
			return err
		}
		for i, p := range out.Policies {
			if old := before[i]; old.IsAllowed != p.IsAllowed {
				out.Changed = append(out.Changed, PolicyChange{Type: p.Type, Old: old.IsAllowed, New: p.IsAllowed})
			}
		}
		changes := policyChanges(stored, k.issuance.Policies)
		if len(changes) > 0 {
			about := PolicyChanged{Changed: out.Changed, Description: in.Description, Channel: channelOf(c, in.Channel)}
			if err := raiseCard(ctx, tx, c, EventPolicyChanged, k.card.ID, now, about); err != nil {
				return err
			}
		}
		return s.recordUpkeep(ctx, tx, c, k.card, upkeep{
			stream: audit.PolicyStream, action: "PolicyChange", channel: in.Channel, description: in.Description, changes: changes,
		})
	})
	return out, err
}

func (in PolicyWish) check(now time.Time) error {
	var v fault.Checks
	v.Is("policies", len(in.Policies) > 0 || in.ResetToDefault, "required", "must not be empty")
	seen := map[program.PolicyType]bool{}
	for i, p := range in.Policies {
		at := "policies[" + strconv.Itoa(i) + "]."
		fault.OneOf(&v, at+"policyType", p.Type, program.PolicyTypes())
		v.Is(at+"policyType", !seen[p.Type], "repeated", "is there twice")
		v.Is(at+"endDate", p.EndsAt == nil || p.EndsAt.After(now), "past", "must lie in the future")
		v.Is(at+"endDate", p.StartsAt == nil || p.EndsAt == nil || p.StartsAt.Before(*p.EndsAt), "before_start", "must be after startDate")
		p.CheckPeriod(&v, at)
		seen[p.Type] = true
	}
	return v.Err(errInvalid)
}

// permitPolicies says no for the product or the parent card.
func (s *Service) permitPolicies(ctx context.Context, tx db.Tx, c access.Caller, cfg *program.Configuration, i Issuance, in PolicyWish, now time.Time) error {
	product, found := cfg.Product(i.ProductCode)
	if !found {
		return fmt.Errorf("product %s of issuance %s is gone", i.ProductCode, i.ID)
	}
	var parent *Issuance
	if !i.Parent.IsZero() && cfg.Attributes.ChildPolicyCapped {
		p, found, err := readIssuance(ctx, tx, c.Tenant, i.Parent)
		if err != nil || !found {
			return fmt.Errorf("read parent of issuance %s: %w", i.ID, db.Missing(err))
		}
		parent = &p
	}
	for _, p := range in.Policies {
		if slices.ContainsFunc(product.Policies, func(q program.Policy) bool { return q.Type == p.Type && q.IsLocked }) {
			return errPolicyLocked.With("policyType", string(p.Type))
		}
		if parent != nil && p.IsAllowed && !parent.allowsThroughout(p, now) {
			return errParentPolicy.With("policyType", string(p.Type))
		}
	}
	return nil
}

// policiesInForce is what holds for an issuance now, its parent's limits
// included where the tenant wants that.
func (s *Service) policiesInForce(ctx context.Context, tx db.Tx, c access.Caller, i Issuance) ([]CardPolicy, error) {
	now := c.Now(s.Clock)
	all := i.PoliciesAt(now)
	if i.Parent.IsZero() {
		return all, nil
	}
	cfg, err := s.programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil || !cfg.Attributes.ChildPolicyCapped {
		return all, err
	}
	parent, found, err := readIssuance(ctx, tx, c.Tenant, i.Parent)
	if err != nil || !found {
		return nil, fmt.Errorf("read parent of issuance %s: %w", i.ID, db.Missing(err))
	}
	for at, p := range parent.PoliciesAt(now) {
		all[at].IsAllowed = all[at].IsAllowed && p.IsAllowed
	}
	return all, nil
}

// changedPolicies lays a wish over what is stored. What has ended goes.
func changedPolicies(stored []CardPolicy, in PolicyWish, now time.Time) []CardPolicy {
	kept := slices.DeleteFunc(slices.Clone(stored), func(p CardPolicy) bool {
		if !p.FromCard {
			return false
		}
		if in.ResetToDefault || p.EndsAt != nil && !p.EndsAt.After(now) {
			return true
		}
		return slices.ContainsFunc(in.Policies, func(q program.Policy) bool { return q.Type == p.Type && (!q.IsTimed() || p.IsTimed()) })
	})
	for _, p := range in.Policies {
		kept = append(kept, CardPolicy{Policy: p, FromCard: true, UpdatedAt: now})
	}
	return kept
}

// PoliciesAt is the complete list of usage switches at a moment, in the
// contract's order: of what the card and the product say the highest in force,
// and a default where neither says anything. A parent's limits are not in it.
func (i Issuance) PoliciesAt(at time.Time) []CardPolicy {
	types := program.PolicyTypes()
	all := make([]CardPolicy, len(types))
	for n, t := range types {
		all[n] = i.policyAt(t, at)
	}
	return all
}

func (i Issuance) policyAt(t program.PolicyType, at time.Time) CardPolicy {
	top := CardPolicy{Policy: program.Policy{Type: t, IsAllowed: t.AllowedByDefault()}}
	height := 0
	for _, p := range i.Policies {
		if p.Type == t && p.InForceAt(at) && p.height() > height {
			top, height = p, p.height()
		}
	}
	return top
}

// allowsThroughout reports whether the type of p is on whenever p is in force
// from now on. The switches of i can only change where one of them starts or
// ends.
func (i Issuance) allowsThroughout(p program.Policy, now time.Time) bool {
	from := now
	if p.StartsAt != nil && p.StartsAt.After(now) {
		from = *p.StartsAt
	}
	moments := []time.Time{from}
	for _, own := range i.Policies {
		for _, turn := range []*time.Time{own.StartsAt, own.EndsAt} {
			if own.Type == p.Type && turn != nil && turn.After(from) && (p.EndsAt == nil || turn.Before(*p.EndsAt)) {
				moments = append(moments, *turn)
			}
		}
	}
	return !slices.ContainsFunc(moments, func(at time.Time) bool { return !i.policyAt(p.Type, at).IsAllowed })
}

// height orders what is said of one type: the card over the product, and the
// timed over the open-ended.
func (p CardPolicy) height() int {
	h := 1
	if p.IsTimed() {
		h++
	}
	if p.FromCard {
		h += 2
	}
	return h
}
