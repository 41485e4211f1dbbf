package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// NewUser describes a user to create.
type NewUser struct {
	Name     string // 3 to 64 letters, digits and ._@+-; letter case does not matter
	Roles    []string
	Password secret.Value
}

// CreateUser creates a user of the caller's tenant. A name that is taken is a
// Conflict; roles that the tenant does not have, and a weak password, are
// Invalid. Nobody gives a role with a permission that it does not hold.
func (s *Service) CreateUser(ctx context.Context, c Caller, in NewUser) (User, error) {
	now := s.Clock.Now()
	u := User{ID: id.New[User](now), Tenant: c.Tenant, Name: foldName(in.Name), Roles: in.Roles, IsActive: true, CreatedAt: now, UpdatedAt: now}
	if !validName(u.Name) {
		return User{}, fault.New(fault.Invalid, CodeInvalid, "the user is not valid").
			OnField("userName", "malformed", "must have 3 to 64 letters, digits and ._@+-")
	}
	if err := checkPassword(u.Name, in.Password); err != nil {
		return User{}, err
	}
	hash, err := s.newPasswordHash(ctx, in.Password)
	if err != nil {
		return User{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := mayGive(ctx, tx, c, in.Roles); err != nil {
			return err
		}
		if err := insertUser(ctx, tx, u, hash); err != nil {
			if db.IsUnique(err) {
				return errUserTaken
			}
			return fmt.Errorf("insert user: %w", err)
		}
		return recordUser(ctx, tx, c, now, "UserCreate", nil, &u)
	})
	if err != nil {
		return User{}, fmt.Errorf("create user: %w", err)
	}
	return u, nil
}

// mayGive refuses roles that the tenant does not have, and those that permit
// more than the caller may.
func mayGive(ctx context.Context, tx db.Tx, c Caller, codes []string) error {
	roles, err := rolesOf(ctx, tx, c.Tenant)
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	for _, code := range codes {
		if !slices.ContainsFunc(roles, func(r Role) bool { return r.Code == code }) {
			return fault.New(fault.Invalid, CodeInvalid, "the user is not valid").
				OnField("roles", "unknown", "must name roles that the tenant has")
		}
	}
	if !c.holds(permissionsOf(roles, codes)) {
		return errNotHeld
	}
	return nil
}

// Users returns the users of the caller's tenant by name.
func (s *Service) Users(ctx context.Context, c Caller) (all []User, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		rows, err := usersOf(ctx, tx, c.Tenant)
		all = make([]User, len(rows))
		for i, r := range rows {
			all[i] = r.User
		}
		return err
	})
	return all, err
}

// SetUserRoles replaces the roles of a user, whose tokens end.
func (s *Service) SetUserRoles(ctx context.Context, c Caller, name string, roles []string) (User, error) {
	return s.manageUser(ctx, c, name, "UserUpdate", func(tx db.Tx, u *User) error {
		if err := mayGive(ctx, tx, c, roles); err != nil {
			return err
		}
		u.Roles = roles
		return updateUser(ctx, tx, *u)
	})
}

// SetUserActive enables or disables a user. Either way tokens of before end.
func (s *Service) SetUserActive(ctx context.Context, c Caller, name string, active bool) (User, error) {
	action := "UserDisable"
	if active {
		action = "UserEnable"
	}
	return s.manageUser(ctx, c, name, action, func(tx db.Tx, u *User) error {
		u.IsActive = active
		return updateUser(ctx, tx, *u)
	})
}

// SetPassword replaces the password of a user, unlocks it and ends its tokens.
func (s *Service) SetPassword(ctx context.Context, c Caller, name string, password secret.Value) (User, error) {
	if err := checkPassword(foldName(name), password); err != nil {
		return User{}, err
	}
	hash, err := s.newPasswordHash(ctx, password)
	if err != nil {
		return User{}, err
	}
	return s.manageUser(ctx, c, name, "UserSetPassword", func(tx db.Tx, u *User) error { return setPassword(ctx, tx, *u, hash) })
}

// manageUser changes a user of the caller's tenant whose roles the caller could
// give, ends its tokens and writes it down.
func (s *Service) manageUser(ctx context.Context, c Caller, name, action string, change func(db.Tx, *User) error) (changed User, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		found, ok, err := findUser(ctx, tx, c.Tenant, foldName(name))
		if err != nil {
			return fmt.Errorf("find user: %w", err)
		}
		if !ok {
			return errUserNotFound
		}
		if err := lockUser(ctx, tx, c.Tenant, found.ID.String()); err != nil {
			return fmt.Errorf("lock user: %w", err)
		}
		if found, _, err = readUser(ctx, tx, c.Tenant, found.ID.String()); err != nil {
			return fmt.Errorf("read user: %w", err)
		}
		if err := mayGive(ctx, tx, c, found.Roles); err != nil {
			return err
		}
		before := found.User
		changed = before
		changed.UpdatedAt = s.Clock.Now()
		if err := change(tx, &changed); err != nil {
			return err
		}
		if err := revokeTokensOfUser(ctx, tx, changed.ID.String(), changed.UpdatedAt); err != nil {
			return err
		}
		return recordUser(ctx, tx, c, changed.UpdatedAt, action, &before, &changed)
	})
	if err != nil {
		return User{}, fmt.Errorf("manage user: %w", err)
	}
	return changed, nil
}

// PutRole creates or replaces a role of the caller's tenant. It holds for the
// next request of every user that has it.
func (s *Service) PutRole(ctx context.Context, c Caller, code string, permissions []string) (r Role, err error) {
	if !validRoleCode(code) {
		return Role{}, fault.New(fault.Invalid, CodeInvalid, "the role is not valid").
			OnField("code", "malformed", "must have 1 to 32 capitals, digits, '_' or '-'")
	}
	granted, err := grantable(permissions, c.Sandbox)
	if err != nil {
		return Role{}, err
	}
	if !c.holds(granted) {
		return Role{}, errNotHeld
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := LockTenant(ctx, tx, c.Tenant); err != nil {
			return err
		}
		roles, err := rolesOf(ctx, tx, c.Tenant)
		if err != nil {
			return fmt.Errorf("read roles: %w", err)
		}
		if !c.holds(permissionsOf(roles, []string{code})) {
			return errNotHeld
		}
		r = Role{Code: code, Permissions: granted, UpdatedAt: s.Clock.Now()}
		if err := putRole(ctx, tx, c.Tenant, r); err != nil {
			return fmt.Errorf("put role: %w", err)
		}
		type shown struct{ Permissions string }
		var before any
		action := "RoleCreate"
		if i := slices.IndexFunc(roles, func(r Role) bool { return r.Code == code }); i >= 0 {
			before, action = shown{roles[i].Permissions.stored()}, "RoleUpdate"
		}
		a := c.Act(clock.RealAt(r.UpdatedAt), audit.AccessStream, action)
		a.EntityType, a.EntityKey, a.Changes = "Role", code, audit.Changes(before, shown{granted.stored()})
		return audit.Append(ctx, tx, a)
	})
	return r, err
}

// Roles returns the roles of the caller's tenant by code.
func (s *Service) Roles(ctx context.Context, c Caller) (all []Role, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = rolesOf(ctx, tx, c.Tenant)
		return err
	})
	return all, err
}

// recordUser writes into the audit chain that a user became another.
func recordUser(ctx context.Context, tx db.Tx, c Caller, now time.Time, action string, before, after *User) error {
	a := c.Act(clock.RealAt(now), audit.AccessStream, action)
	a.EntityType, a.EntityKey = "User", after.ID.String()
	if before == nil {
		a.Changes = audit.Changes(nil, after.shown())
	} else {
		a.Changes = audit.Changes(before.shown(), after.shown())
	}
	return audit.Append(ctx, tx, a)
}
