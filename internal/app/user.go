package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// shownUser is a user as it is printed.
type shownUser struct {
	UserID   string   `json:"userId"`
	UserName string   `json:"userName"`
	Roles    []string `json:"roles"`
	IsActive bool     `json:"isActive"`
	Password string   `json:"password,omitempty"`
}

func showUser(u access.User) shownUser {
	roles := u.Roles
	if roles == nil {
		roles = []string{}
	}
	return shownUser{UserID: u.ID.String(), UserName: u.Name, Roles: roles, IsActive: u.IsActive}
}

// print writes a user, with its password where it was made up just now.
func (u shownUser) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return PrintJSON(w, u)
	}
	state, password := "active", ""
	if !u.IsActive {
		state = "disabled"
	}
	if u.Password != "" {
		password = "password  " + u.Password + "\n\nThe password is shown this once.\n"
	}
	_, err := fmt.Fprintf(w, "user id   %s (%s)\nuser name %s\nroles     %s\n%s", u.UserID, state, u.UserName, strings.Join(u.Roles, " "), password)
	return err
}

// readPassword reads the first line of a file ("-" is standard input), or makes
// a password up when no file is named; made tells which.
func readPassword(stdin io.Reader, path string) (password secret.Value, made bool, err error) {
	if path == "" {
		b := make([]byte, 18)
		rand.Read(b) // never fails
		// Letters and digits are in it whatever the draw.
		return secret.FromString("a1-" + base64.RawURLEncoding.EncodeToString(b)), true, nil
	}
	src := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return secret.Value{}, false, fmt.Errorf("open password: %w", err)
		}
		defer f.Close()
		src = f
	}
	text, err := io.ReadAll(io.LimitReader(src, 4<<10))
	if err != nil {
		return secret.Value{}, false, fmt.Errorf("read password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return secret.FromString(strings.TrimSuffix(line, "\r")), false, nil
}

// CreateUser creates a user of a tenant and prints it. Without a file the
// password is made up and printed this once.
func CreateUser(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, tenant, name string, roles []string, passwordFile string, asJSON bool) error {
	password, made, err := readPassword(stdin, passwordFile)
	if err != nil {
		return err
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		u, err := k.Access.CreateUser(ctx, caller, access.NewUser{Name: name, Roles: roles, Password: password})
		if err != nil {
			return err
		}
		shown := showUser(u)
		if made {
			shown.Password = string(password.Reveal())
		}
		return shown.print(w, asJSON)
	})
}

// SetPassword replaces the password of a user, as [CreateUser] makes one.
func SetPassword(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, tenant, name, passwordFile string, asJSON bool) error {
	password, made, err := readPassword(stdin, passwordFile)
	if err != nil {
		return err
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		u, err := k.Access.SetPassword(ctx, caller, name, password)
		if err != nil {
			return err
		}
		shown := showUser(u)
		if made {
			shown.Password = string(password.Reveal())
		}
		return shown.print(w, asJSON)
	})
}

// ListUsers prints the users of a tenant.
func ListUsers(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		all, err := k.Access.Users(ctx, caller)
		if err != nil {
			return err
		}
		shown := make([]shownUser, len(all))
		for i, u := range all {
			shown[i] = showUser(u)
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, u := range shown {
			state := "active  "
			if !u.IsActive {
				state = "disabled"
			}
			if _, err := fmt.Fprintf(w, "%s  %s  %-24s  %s\n", u.UserID, state, u.UserName, strings.Join(u.Roles, " ")); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetUserActive enables or disables a user and prints it.
func SetUserActive(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, name string, active, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		u, err := k.Access.SetUserActive(ctx, caller, name, active)
		if err != nil {
			return err
		}
		return showUser(u).print(w, asJSON)
	})
}

// SetUserRoles replaces the roles of a user and prints it.
func SetUserRoles(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, name string, roles []string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		u, err := k.Access.SetUserRoles(ctx, caller, name, roles)
		if err != nil {
			return err
		}
		return showUser(u).print(w, asJSON)
	})
}

// shownRole is a role as it is printed.
type shownRole struct {
	Code        string   `json:"code"`
	Permissions []string `json:"permissions"`
}

// PutRole creates or replaces a role of a tenant and prints it.
func PutRole(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, code string, permissions []string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		r, err := k.Access.PutRole(ctx, caller, code, permissions)
		if err != nil {
			return err
		}
		return printRoles(w, []access.Role{r}, asJSON)
	})
}

// ListRoles prints the roles of a tenant.
func ListRoles(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		all, err := k.Access.Roles(ctx, caller)
		if err != nil {
			return err
		}
		return printRoles(w, all, asJSON)
	})
}

func printRoles(w io.Writer, all []access.Role, asJSON bool) error {
	shown := make([]shownRole, len(all))
	for i, r := range all {
		shown[i] = shownRole{r.Code, r.Permissions.Names()}
	}
	if asJSON {
		return PrintJSON(w, shown)
	}
	for _, r := range shown {
		if _, err := fmt.Fprintf(w, "%-16s  %s\n", r.Code, strings.Join(r.Permissions, " ")); err != nil {
			return err
		}
	}
	return nil
}
