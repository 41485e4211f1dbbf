package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/payers"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

// errNoSandbox refuses samples for a tenant with real customers.
var errNoSandbox = errors.New("only a sandbox tenant gets samples")

// sampled are the families that have samples, in the order in which they are made:
// the one that moves the tenant's time is the last.
var sampled = []access.Family{access.EWallet, access.CardStore, access.Payers, access.OpenBanking}

// MakeSamples gives a sandbox tenant what the samples of these families name; no
// family is all of them.
func MakeSamples(ctx context.Context, c config.Config, log *slog.Logger, w io.Writer, tenant string, families []string, asJSON bool) error {
	for _, name := range families {
		if !slices.Contains(sampled, access.Family(name)) {
			return fmt.Errorf("%w: there is no sample of a family %q, but of ewallet, cardstore, payers and openbanking", ErrUsage, name)
		}
	}
	return withTenant(ctx, c, log, tenant, func(k *Core, t access.Tenant, caller access.Caller) error {
		if t.Environment != access.Sandbox {
			return errNoSandbox
		}
		var made shownSamples
		for _, f := range sampled {
			if len(families) > 0 && !slices.Contains(families, string(f)) {
				continue
			}
			if err := k.makeSample(ctx, t, caller, f, &made); err != nil {
				return fmt.Errorf("make the sample of %s: %w", f, err)
			}
		}
		return made.print(w, asJSON)
	})
}

// makeSample makes the sample of a family, and notes it in made.
func (k *Core) makeSample(ctx context.Context, t access.Tenant, caller access.Caller, f access.Family, made *shownSamples) error {
	switch f {
	case access.EWallet:
		s, err := k.Wallets.MakeSample(ctx, caller)
		made.EWallet = &shownWalletSample{s.AccountNo, s.WalletNo, s.POSType}
		return err
	case access.CardStore:
		s, err := k.Store.MakeSample(ctx, caller)
		made.CardStore = &shownStoreSample{s.Customer, s.Masked}
		return err
	case access.Payers:
		return k.makePayerSamples(ctx, caller, made)
	case access.OpenBanking:
		s, err := k.makeCreditSample(ctx, t)
		made.OpenBanking = &s
		return err
	case access.Platform: // has none
	}
	return nil
}

// makePayerSamples makes payers for each client of the family: a client sees only
// its own.
func (k *Core) makePayerSamples(ctx context.Context, caller access.Caller, made *shownSamples) error {
	clients, err := k.Access.Clients(ctx, caller)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if c.Family != access.Payers {
			continue
		}
		as := caller
		as.Client, as.UserReference = c.ID, caller.Client
		all, err := k.Customers.MakePayerSample(ctx, as, payers.NewReference)
		if err != nil {
			return err
		}
		for _, p := range all {
			made.Payers = append(made.Payers, shownPayer{p.Reference, p.Client, p.Contact[customer.PayerEmail]})
		}
	}
	return nil
}

// shownSamples are the samples that were made or were there, as they are printed.
type shownSamples struct {
	EWallet     *shownWalletSample `json:"ewallet,omitempty"`
	CardStore   *shownStoreSample  `json:"cardstore,omitempty"`
	Payers      []shownPayer       `json:"payers,omitempty"`
	OpenBanking *shownCreditSample `json:"openbanking,omitempty"`
}

type shownWalletSample struct {
	AccountNo string `json:"accountNumber"`
	WalletNo  string `json:"walletNumber"`
	POSType   string `json:"posType"`
}

type shownStoreSample struct {
	Customer string   `json:"relationalId1"`
	Cards    []string `json:"cards"`
}

type shownPayer struct {
	ID       string `json:"id"`
	ClientID string `json:"clientId"`
	Email    string `json:"email"`
}

func (s shownSamples) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return PrintJSON(w, s)
	}
	var lines []string
	if a := s.EWallet; a != nil {
		lines = append(lines, fmt.Sprintf("account %s with wallet %s, POS type %s", a.AccountNo, a.WalletNo, a.POSType))
	}
	if a := s.CardStore; a != nil {
		lines = append(lines, fmt.Sprintf("stored cards %s of %s", strings.Join(a.Cards, " and "), a.Customer))
	}
	for _, p := range s.Payers {
		lines = append(lines, fmt.Sprintf("payment customer %s (%s) of client %s", p.ID, p.Email, p.ClientID))
	}
	if s.OpenBanking != nil {
		lines = append(lines, s.OpenBanking.lines()...)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
