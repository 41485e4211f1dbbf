package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// ClientOptions are what an administrator says of an API client; nil stays as
// it is, or as it is from the beginning.
type ClientOptions struct {
	Name                 *string
	Permissions, Allowed []string
	RateLimit, RateBurst *int
}

// AnyAddress is the address list that leaves every address.
const AnyAddress = "any"

// over lays the options over what the client is.
func (o ClientOptions) over(c access.Client) access.ClientChange {
	in := access.ClientChange{Name: c.Name, Permissions: c.Permissions.Names(), Allowed: c.AllowedTexts(), Rate: c.Rate}
	if o.Name != nil {
		in.Name = *o.Name
	}
	if o.Permissions != nil {
		in.Permissions = o.Permissions
	}
	if o.Allowed != nil {
		in.Allowed = o.Allowed
	}
	if len(in.Allowed) == 1 && in.Allowed[0] == AnyAddress {
		in.Allowed = nil
	}
	if r := mergeRate(c.Rate, o.RateLimit, o.RateBurst); r != nil {
		in.Rate = *r
	}
	return in
}

// shownClient is a client as it is printed.
type shownClient struct {
	TenantID         string   `json:"tenantId"`
	ClientID         string   `json:"clientId"`
	Family           string   `json:"family"`
	ClientSecret     string   `json:"clientSecret,omitempty"`
	Name             string   `json:"name"`
	Permissions      []string `json:"permissions"`
	AllowedAddresses []string `json:"allowedAddresses"`
	RateLimit        int      `json:"rateLimit"`
	RateBurst        int      `json:"rateBurst"`
	IsActive         bool     `json:"isActive"`
}

func showClient(c access.Client) shownClient {
	return shownClient{
		TenantID: c.Tenant.UUID(), ClientID: c.ID, Family: string(c.Family), Name: c.Name, Permissions: c.Permissions.Names(),
		AllowedAddresses: c.AllowedTexts(), RateLimit: c.Rate.PerSecond, RateBurst: c.Rate.Burst, IsActive: c.IsActive,
	}
}

// print writes a client, with its secret where it was made just now.
func (c shownClient) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return PrintJSON(w, c)
	}
	state, addresses, secret := "active", "any", ""
	if !c.IsActive {
		state = "disabled"
	}
	if len(c.AllowedAddresses) > 0 {
		addresses = strings.Join(c.AllowedAddresses, " ")
	}
	if c.ClientSecret != "" {
		secret = "client secret " + c.ClientSecret + "\n\nThe secret is shown this once.\n"
	}
	_, err := fmt.Fprintf(w, "client id     %s (%s)\nfamily        %s\nname          %s\npermissions   %s\naddresses     %s\nrate          %s\n%s",
		c.ClientID, state, c.Family, c.Name, strings.Join(c.Permissions, " "), addresses,
		rateText(access.Rate{PerSecond: c.RateLimit, Burst: c.RateBurst}), secret)
	return err
}

// CreateClient creates a client of a tenant and prints its credentials this
// once.
func CreateClient(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, o ClientOptions, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		made, creds, err := k.Access.CreateClient(ctx, caller, o.over(access.Client{}))
		if err != nil {
			return err
		}
		shown := showClient(made)
		shown.ClientSecret = string(creds.ClientSecret.Reveal())
		return shown.print(w, asJSON)
	})
}

// ListClients prints the clients of a tenant.
func ListClients(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		all, err := k.Access.Clients(ctx, caller)
		if err != nil {
			return err
		}
		shown := make([]shownClient, len(all))
		for i, one := range all {
			shown[i] = showClient(one)
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, one := range shown {
			state := "active  "
			if !one.IsActive {
				state = "disabled"
			}
			if _, err := fmt.Fprintf(w, "%s  %s  %-11s  %s\n", one.ClientID, state, one.Family, one.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// withClient opens the core and runs f for a client, in the name of the
// platform.
func withClient(ctx context.Context, c config.Config, log *slog.Logger, clientID string, f func(*Core, access.Client, access.Caller) error) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		var tenant access.TenantID
		err := k.DB.View(ctx, func(tx db.Tx) (err error) {
			tenant, err = access.TenantOfClient(ctx, tx, clientID)
			return err
		})
		if err != nil {
			return err
		}
		t, err := k.Access.TenantByID(ctx, tenant)
		if err != nil {
			return err
		}
		caller := access.System(t)
		found, err := k.Access.Client(ctx, caller, clientID)
		if err != nil {
			return err
		}
		return f(k, found, caller)
	})
}

// SetClient changes a client and prints it.
func SetClient(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, clientID string, o ClientOptions, asJSON bool) error {
	return withClient(ctx, c, log, clientID, func(k *Core, found access.Client, caller access.Caller) error {
		in := o.over(found)
		in.ConcurrencyStamp = found.ConcurrencyStamp
		changed, err := k.Access.UpdateClient(ctx, caller, clientID, in)
		if err != nil {
			return err
		}
		return showClient(changed).print(w, asJSON)
	})
}

// SetClientActive enables or disables a client and prints it.
func SetClientActive(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, clientID string, active, asJSON bool) error {
	return withClient(ctx, c, log, clientID, func(k *Core, _ access.Client, caller access.Caller) error {
		changed, err := k.Access.SetClientActive(ctx, caller, clientID, active)
		if err != nil {
			return err
		}
		return showClient(changed).print(w, asJSON)
	})
}

// RotateClientSecret gives a client a new secret and prints it this once. The
// old one lives on for overlap.
func RotateClientSecret(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, clientID string, overlap time.Duration, asJSON bool) error {
	return withClient(ctx, c, log, clientID, func(k *Core, _ access.Client, caller access.Caller) error {
		changed, creds, err := k.Access.RotateSecret(ctx, caller, clientID, overlap)
		if err != nil {
			return err
		}
		shown := showClient(changed)
		shown.ClientSecret = string(creds.ClientSecret.Reveal())
		return shown.print(w, asJSON)
	})
}
