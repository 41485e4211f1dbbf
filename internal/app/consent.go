package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"

	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/notification"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// signInCodes sends one-time passwords to customers who are in good standing.
type signInCodes struct{ *Core }

// SendSignInCode implements [access.CodeSender].
func (k signInCodes) SendSignInCode(ctx context.Context, tx db.Tx, c access.Caller, code secret.Value, now clock.Real) (bool, error) {
	u, err := k.Customers.Named(ctx, tx, c.Tenant, c.Customer)
	if err != nil || u.Status != customer.Active {
		return false, err
	}
	cfg, err := k.Programs.ConfigurationIn(ctx, tx, c.Tenant)
	if err != nil {
		return false, err
	}
	to := notification.Recipient{
		CustomerNo: u.No, Language: cmp.Or(u.Language, cfg.Tenant.Language), Phone: u.Contact(customer.MobilePhone),
		Email: u.Contact(customer.Email), Templates: cfg.Attributes.SMSTemplates,
	}
	values := map[string]string{"tenant": cfg.Tenant.Name, "name": u.DisplayName(), "code": string(code.Reveal())}
	return true, k.Notices.TellNow(ctx, tx, c, notification.SignInCode, to, values, now)
}

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
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if _, err := k.Customers.Customer(ctx, caller, customerNo); err != nil {
			return err
		}
		given, err := k.Access.GrantConsent(ctx, caller, clientID, customerNo)
		if err != nil {
			return err
		}
		if asJSON {
			return PrintJSON(w, shownConsent{given.ID, given.Client, given.CustomerNo, given.Scope})
		}
		_, err = fmt.Fprintf(w, "consent %s of customer %s to %s for %s\n", given.ID, given.CustomerNo, given.Scope, given.Client)
		return err
	})
}

// RevokeConsent ends a consent and the tokens that were issued under it.
func RevokeConsent(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, consent string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if err := k.Access.RevokeConsent(ctx, caller, consent); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "consent %s is revoked\n", consent)
		return err
	})
}

// ListConsents prints what a customer has consented to.
func ListConsents(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, customerNo string, asJSON bool) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if _, err := k.Customers.Customer(ctx, caller, customerNo); err != nil {
			return err
		}
		all, err := k.Access.ConsentsOf(ctx, caller, customerNo)
		if err != nil {
			return err
		}
		shown := make([]shownConsent, len(all))
		for i, given := range all {
			shown[i] = shownConsent{given.ID, given.Client, given.CustomerNo, given.Scope}
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		for _, given := range all {
			if _, err := fmt.Fprintf(w, "%s  %s  %s  %s  %s\n", given.ID, given.CreatedAt.Format(time.RFC3339), given.Client, given.Scope, given.ClientName); err != nil {
				return err
			}
		}
		return nil
	})
}

// shownCredential is what a customer signs in with, as it is printed.
type shownCredential struct {
	CustomerNo string `json:"customerNo"`
	Password   string `json:"password,omitempty"`
}

// SetCustomerCredential lets a customer sign in at the pages for cardholders. Without a
// file the password is made up and printed this once.
func SetCustomerCredential(ctx context.Context, c config.Config, log *slog.Logger, stdin io.Reader, w io.Writer, tenant, customerNo, passwordFile string, asJSON bool) error {
	password, made, err := readPassword(stdin, passwordFile)
	if err != nil {
		return err
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if _, err := k.Customers.Customer(ctx, caller, customerNo); err != nil {
			return err
		}
		if err := k.Access.SetCardholderPassword(ctx, caller, customerNo, password); err != nil {
			return err
		}
		shown := shownCredential{CustomerNo: customerNo}
		if made {
			shown.Password = string(password.Reveal())
		}
		if asJSON {
			return PrintJSON(w, shown)
		}
		_, err := fmt.Fprintf(w, "customer %s can sign in\n", customerNo)
		if err == nil && made {
			_, err = fmt.Fprintf(w, "password  %s\n\nThe password is shown this once.\n", shown.Password)
		}
		return err
	})
}

// RemoveCustomerCredential takes a customer's password away.
func RemoveCustomerCredential(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant, customerNo string) error {
	return withTenant(ctx, c, log, tenant, func(k *Core, _ access.Tenant, caller access.Caller) error {
		if err := k.Access.RemoveCardholder(ctx, caller, customerNo); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "customer %s cannot sign in any more\n", customerNo)
		return err
	})
}

// SetClientRedirects replaces the addresses to which a client has cardholders sent
// back.
func SetClientRedirects(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, clientID string, uris []string) error {
	return withClient(ctx, c, log, clientID, func(k *Core, _ access.Client, caller access.Caller) error {
		if err := k.Access.SetRedirects(ctx, caller, clientID, uris); err != nil {
			return err
		}
		for _, uri := range uris {
			if _, err := fmt.Fprintf(w, "%s may send cardholders back to %s\n", clientID, uri); err != nil {
				return err
			}
		}
		return nil
	})
}
