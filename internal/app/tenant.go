package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
)

// NewTenant describes the tenant to create.
type NewTenant struct {
	Name    string
	Sandbox bool
}

// CreateTenant creates a tenant with its first client, and prints the
// credentials this once.
func CreateTenant(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, in NewTenant, asJSON bool) (err error) {
	k, err := openCore(ctx, c, log, asItIs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	if err := k.checkRootKey(ctx); err != nil {
		return err
	}
	t, creds, err := k.access.CreateTenant(ctx, access.NewTenant{Name: in.Name, Sandbox: in.Sandbox})
	if err != nil {
		return fmt.Errorf("create tenant: %w", err)
	}
	if asJSON {
		return printJSON(w, struct {
			TenantID     string `json:"tenantId"`
			Code         string `json:"code"`
			Environment  string `json:"environment"`
			ClientID     string `json:"clientId"`
			ClientSecret string `json:"clientSecret"`
		}{t.ID.UUID(), t.Code, string(t.Environment), creds.ClientID, string(creds.ClientSecret.Reveal())})
	}
	_, err = fmt.Fprintf(w, "tenant        %s (%s, %s)\nclient id     %s\nclient secret %s\n\nThe secret is shown this once.\n",
		t.ID.UUID(), t.Code, t.Environment, creds.ClientID, creds.ClientSecret.Reveal())
	return err
}
