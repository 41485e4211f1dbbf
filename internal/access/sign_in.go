package access

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// signIn is the password grant: a user's name and password, shown by a client
// of its tenant.
//
// An unknown name, a wrong password, a disabled and a locked user are one
// refusal, invalid_grant, and take alike time: the password is hashed in every
// case, outside of any transaction. Five wrong passwords lock a user for
// fifteen minutes, counted before they are compared, as those of clients.
func (s *Service) signIn(ctx context.Context, g Grant) (Tokens, error) {
	now := s.Clock.Now()
	var user userRow
	var attempts int
	var refused *fault.Error
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		user, attempts, refused = userRow{}, 0, nil
		t, err := s.authenticateClient(ctx, tx, g, now)
		if f, ok := fault.As(err); ok {
			refused = f
			return recordToken(ctx, tx, t, refused, now)
		} else if err != nil {
			return err
		}
		if user, _, err = findUser(ctx, tx, t.client.Tenant, foldName(g.UserName)); err != nil {
			return fmt.Errorf("find user: %w", err)
		}
		attempts, err = countSignIn(ctx, tx, user.idText(), now)
		return err
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("sign in: %w", err)
	}
	if refused != nil {
		return Tokens{}, refused
	}
	right, err := s.passwordFits(ctx, g.Password, user.PasswordHash)
	if err != nil {
		return Tokens{}, fmt.Errorf("sign in: %w", err)
	}
	return s.issue(ctx, g, func(tx db.Tx, t *tokenAttempt, now time.Time) (grantOfRefresh, error) {
		if err := s.holdUser(ctx, tx, t, user.idText()); err != nil {
			return grantOfRefresh{}, err
		}
		if user.Name == "" || !right || attempts > failuresMax || !t.user.IsActive || t.user.Generation != user.Generation {
			t.stranger = attempts > failuresMax // counted only, as it is locked
			t.locks = attempts == failuresMax && !right
			return grantOfRefresh{}, errInvalidGrant
		}
		if err := forgetSignIns(ctx, tx, user.idText()); err != nil {
			return grantOfRefresh{}, err
		}
		scope, err := scopeFor(t.client.Permissions.and(t.permissions), t.client.Environment, g.Scope)
		return grantOfRefresh{Family: random(16), Scope: scope, User: user.idText()}, err
	})
}

// idText is the user's id, empty for nobody.
func (u userRow) idText() string {
	if u.Name == "" {
		return ""
	}
	return u.ID.String()
}

// holdUser takes a user and what its roles permit into the attempt, and holds
// its row, after that of the client.
func (s *Service) holdUser(ctx context.Context, tx db.Tx, t *tokenAttempt, user string) (err error) {
	if err := lockUser(ctx, tx, t.client.Tenant, user); err != nil {
		return fmt.Errorf("lock user: %w", err)
	}
	t.user, t.permissions, err = readUserWithRoles(ctx, tx, t.client.Tenant, user)
	return err
}

// readUserWithRoles returns a user and what its roles permit; nobody, when there
// is no such user.
func readUserWithRoles(ctx context.Context, tx db.Tx, tenant TenantID, user string) (userRow, Permissions, error) {
	u, found, err := readUser(ctx, tx, tenant, user)
	if err != nil || !found {
		return userRow{}, Permissions{}, err
	}
	roles, err := rolesOf(ctx, tx, tenant)
	return u, permissionsOf(roles, u.Roles), err
}
