package app

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// TenantBank is a bank of the simulated world with its tenant here, and what its
// clients sign in with.
type TenantBank struct {
	*sim.Bank
	Tenant       access.TenantID
	ClientID     string // of our own API
	ClientSecret secret.Value
	Wallets      access.Credentials // of its client of wallets
}

// OpenBank makes a sandbox tenant and sets it up through the API. Each call makes
// another one, so that a database can be used again.
func (p *Platform) OpenBank(ctx context.Context, name string) (*TenantBank, error) {
	t, creds, err := p.Access.CreateTenant(ctx, access.NewTenant{Name: name, Sandbox: true})
	if err != nil {
		return nil, fmt.Errorf("create tenant: %w", err)
	}
	client, err := sim.SignIn(ctx, p.APIURL(), creds.ClientID, creds.ClientSecret)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	bank, err := sim.OpenBank(ctx, client)
	if err != nil {
		return nil, err
	}
	return &TenantBank{
		Bank: bank, Tenant: t.ID, ClientID: creds.ClientID, ClientSecret: creds.ClientSecret, Wallets: creds.Families.EWallet,
	}, nil
}

// Dial connects an acquirer of the simulated world to the platform, in the framing
// that it listens to. The caller closes the link.
func (p *Platform) Dial(ctx context.Context, a *sim.Acquirer) (*sim.Link, error) {
	framing, err := iso8583.ParseFraming(p.Config.Network.Framing)
	if err != nil {
		return nil, err
	}
	return sim.Dial(ctx, p.NetworkAddr(), sim.LinkOptions{
		Dialect: a.Dialect, Framing: framing,
	})
}

// HeldCard is a card as its holder has it in hand, with a chip that answers: for the
// simulated world, which knows no other cards.
func HeldCard(k issuing.ClearCard) (*sim.Card, error) {
	return sim.NewCard(sim.KnownCard{
		CardNo: k.Number.Reveal(), ExpireYear: k.Card.Expires.Year, ExpireMonth: int(k.Card.Expires.Month),
		CVV2: string(k.CVV2.Reveal()), CVV: string(k.CVV.Reveal()), ICVV: string(k.ICVV.Reveal()), ServiceCode: k.Card.ServiceCode,
		Track2: string(k.Track2.Reveal()), PSN: k.Card.PSN, CVN: fmt.Sprintf("%02X", k.CVN), DKI: fmt.Sprintf("%02X", k.DKI),
		LastATC: max(0, k.Card.LastATC), ICCMasterKey: issuing.HexKey(k.ICCMasterKey), ICCSMIKey: issuing.HexKey(k.ICCSMIKey),
		ICCSMCKey: issuing.HexKey(k.ICCSMCKey), ZPK: issuing.HexKey(k.ZPK),
	})
}
