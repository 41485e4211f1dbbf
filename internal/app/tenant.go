package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// NewTenant describes the tenant to create.
type NewTenant struct {
	Name    string
	Sandbox bool
}

// CreateTenant creates a tenant with its first client, and prints the
// credentials this once.
func CreateTenant(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, in NewTenant, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		if err := k.checkRootKey(ctx); err != nil {
			return err
		}
		t, creds, err := k.Access.CreateTenant(ctx, access.NewTenant{Name: in.Name, Sandbox: in.Sandbox})
		if err != nil {
			return fmt.Errorf("create tenant: %w", err)
		}
		if asJSON {
			return PrintJSON(w, showCreatedTenant(t, creds))
		}
		_, err = fmt.Fprintf(w, "tenant        %s (%s, %s)\nclient id     %s\nclient secret %s\n\nThe secret is shown this once. "+
			"With --json, those of the clients of the other families are shown too.\n",
			t.ID.UUID(), t.Code, t.Environment, creds.ClientID, creds.ClientSecret.Reveal())
		return err
	})
}

// createdTenant is a new tenant with the credentials of its clients, as it is
// printed.
type createdTenant struct {
	TenantID    string `json:"tenantId"`
	Code        string `json:"code"`
	Environment string `json:"environment"`
	shownCredentials
	OpenBanking shownCredentials `json:"openbanking"`
	Payers      shownCredentials `json:"payers"`
	EWallet     shownCredentials `json:"ewallet"`
	CardStore   shownKeys        `json:"cardstore"`
}

type shownCredentials struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// shownKeys are the two pairs of a client of stored cards, by the headers that
// take them.
type shownKeys struct {
	APIKeyPrivate    string `json:"apiKeyPrivate"`
	APIClientPrivate string `json:"apiClientPrivate"`
	APIKeyPublic     string `json:"apiKeyPublic"`
	APIClientPublic  string `json:"apiClientPublic"`
}

func showCreatedTenant(t access.Tenant, creds access.TenantCredentials) createdTenant {
	show := func(c access.Credentials) shownCredentials {
		return shownCredentials{c.ClientID, string(c.ClientSecret.Reveal())}
	}
	f := creds.Families
	return createdTenant{
		TenantID: t.ID.UUID(), Code: t.Code, Environment: string(t.Environment), shownCredentials: show(creds.Credentials),
		OpenBanking: show(f.OpenBanking), Payers: show(f.Payers), EWallet: show(f.EWallet),
		CardStore: showKeys(f.CardStorePrivate, f.CardStorePublic),
	}
}

func showKeys(private, public access.Credentials) shownKeys {
	return shownKeys{
		string(private.ClientSecret.Reveal()), private.ClientID, string(public.ClientSecret.Reveal()), public.ClientID,
	}
}

// namedTenant reads the UUID of a tenant.
func namedTenant(text string) (access.TenantID, error) {
	tenant, err := id.ParseUUID[access.Tenant](text)
	if err != nil {
		return tenant, fmt.Errorf("%w: a tenant is named by its id, as \"sarraf tenant list\" prints it, not by %q", ErrUsage, text)
	}
	return tenant, nil
}

// withTenant opens the core and runs f for the tenant that is named by its UUID,
// in the name of the platform.
func withTenant(ctx context.Context, c config.Config, log *slog.Logger, tenant string, f func(*Core, access.Tenant, access.Caller) error) (err error) {
	named, err := namedTenant(tenant)
	if err != nil {
		return err
	}
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		t, err := k.Access.TenantByID(ctx, named)
		if err != nil {
			return err
		}
		return f(k, t, access.System(t))
	})
}

// shownTenant is a tenant as it is printed.
type shownTenant struct {
	TenantID      string `json:"tenantId"`
	Code          string `json:"code"`
	Name          string `json:"name"`
	Environment   string `json:"environment"`
	IsActive      bool   `json:"isActive"`
	ClientRefresh bool   `json:"clientRefreshTokens"`
	RateLimit     int    `json:"rateLimit"`
	RateBurst     int    `json:"rateBurst"`
}

func showTenant(t access.Tenant) shownTenant {
	return shownTenant{t.ID.UUID(), t.Code, t.Name, string(t.Environment), t.IsActive, t.ClientRefresh, t.Rate.PerSecond, t.Rate.Burst}
}

// ListTenants prints every tenant.
func ListTenants(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, asJSON bool) error {
	return WithCore(ctx, c, log, AsItIs, func(k *Core) error {
		all, err := k.Access.Tenants(ctx)
		if err != nil {
			return err
		}
		shown := make([]shownTenant, len(all))
		for i, t := range all {
			shown[i] = showTenant(t)
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, t := range shown {
			if _, err := fmt.Fprintf(w, "%s  %-10s  %-24s  %s\n", t.TenantID, t.Environment, t.Code, t.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// TenantOptions are what SetTenant changes; nil stays as it is.
type TenantOptions struct {
	ClientRefresh        *bool
	RateLimit, RateBurst *int
}

// SetTenant changes what the platform sets for a tenant, and prints it.
func SetTenant(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, in TenantOptions, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, t access.Tenant, caller access.Caller) error {
		options := access.TenantOptions{ClientRefresh: in.ClientRefresh, Rate: mergeRate(t.Rate, in.RateLimit, in.RateBurst)}
		t, err := k.Access.SetTenantOptions(ctx, caller, options)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, showTenant(t))
		}
		_, err = fmt.Fprintf(w, "tenant                %s (%s)\nrate of a client      %s\nclient refresh tokens %t\n",
			t.ID.UUID(), t.Code, rateText(t.Rate), t.ClientRefresh)
		return err
	})
}

// mergeRate is was with what is given; nil when nothing is.
func mergeRate(was access.Rate, limit, burst *int) *access.Rate {
	if limit == nil && burst == nil {
		return nil
	}
	if limit != nil {
		if was.PerSecond = *limit; burst == nil {
			was.Burst = 0
		}
	}
	if burst != nil {
		was.Burst = *burst
	}
	return &was
}

func rateText(r access.Rate) string {
	switch {
	case r.PerSecond == 0:
		return "not set"
	case r.Burst == 0:
		return fmt.Sprintf("%d a second", r.PerSecond)
	}
	return fmt.Sprintf("%d a second, %d at once", r.PerSecond, r.Burst)
}
