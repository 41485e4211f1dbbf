package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/config"
)

// shownConsent is a consent as it is printed.
type shownConsent struct {
	ConsentID  string `json:"consentId"`
	ClientID   string `json:"clientId"`
	CustomerNo string `json:"customerNo"`
	Scope      string `json:"scope"`
}

// GrantConsent notes that a customer lets a client look after credit cards, and prints
// the number of the consent.
func GrantConsent(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, clientID, customerNo string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *core, _ access.Tenant, caller access.Caller) error {
		if _, err := k.customers.Customer(ctx, caller, customerNo); err != nil {
			return err
		}
		given, err := k.access.GrantConsent(ctx, caller, clientID, customerNo)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(w, shownConsent{given.ID, given.Client, given.CustomerNo, given.Scope})
		}
		_, err = fmt.Fprintf(w, "consent %s of customer %s to %s for %s\n", given.ID, given.CustomerNo, given.Scope, given.Client)
		return err
	})
}

// RevokeConsent ends a consent and the tokens that were issued under it.
func RevokeConsent(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, consent string) error {
	return withTenant(ctx, c, log, tenant, func(k *core, _ access.Tenant, caller access.Caller) error {
		if err := k.access.RevokeConsent(ctx, caller, consent); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "consent %s is revoked\n", consent)
		return err
	})
}
