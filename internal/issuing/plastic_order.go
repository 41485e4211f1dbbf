package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// WaitingPlastic is a plastic whose production was requested.
type WaitingPlastic struct {
	Tenant access.TenantID
	Card   id.ID[Card]
	Vendor string
	Closed bool // the card is in a final status: nobody waits for its plastic
}

// PlasticToMake is a card as a bureau makes it.
type PlasticToMake struct {
	Card     Card // and where it goes
	Product  program.Product
	BIN      program.BIN
	Variant  program.Plastic // of the product; only its Code is set when the product has it no more
	Design   string          // of the card's art, as the bureau names it
	Number   hsm.SealedValue
	PINField string // the digits on the tracks between service code and card value
	Name     string // as it stands on track 1 and in the chip
	Profile  hsm.Profile
	Keys     hsm.IssuerKeys
	// PIN is the kept PIN of a card whose chip verifies PINs itself, nil when none
	// is kept; then PVK, if it is set, made an offset that leads back to the PIN.
	PIN     *hsm.PINBlock
	PVK     hsm.KeyRef
	Offline bool // the product lets the chip decide by itself
}

// PlasticToMake gathers what is known of a card for its bureau.
func (s *Service) PlasticToMake(ctx context.Context, tx db.Tx, tenant access.TenantID, card id.ID[Card]) (PlasticToMake, error) {
	var out PlasticToMake
	var found bool
	var err error
	if out.Card, found, err = readCardByID(ctx, tx, tenant, card); err != nil || !found {
		return out, fmt.Errorf("read card %s: %w", card, db.Missing(err))
	}
	if out.Card.Physical == nil {
		return out, errNoPhysical
	}
	issuance, found, err := readIssuance(ctx, tx, tenant, out.Card.Issuance)
	if err != nil || !found {
		return out, fmt.Errorf("read issuance of card %s: %w", card, db.Missing(err))
	}
	cfg, err := s.programs.ConfigurationIn(ctx, tx, tenant)
	if err != nil {
		return out, err
	}
	if out.Product, found = cfg.Product(issuance.ProductCode); !found {
		return out, fmt.Errorf("product of card %s: %w", card, db.ErrGone)
	}
	out.BIN = cfg.BINs[out.Card.BIN]
	keys, found := cfg.KeysOf(out.BIN)
	if !found {
		return out, fmt.Errorf("key set of card %s: %w", card, db.ErrGone)
	}
	out.Keys = hsm.IssuerKeys{CVK: keys.CVK, IMKAC: keys.IMKAC, IMKSMI: keys.IMKSMI, IMKSMC: keys.IMKSMC}
	if program.HasOfflinePIN(out.Card.ChipProfile) {
		switch {
		case len(out.Card.PINBlock) > 0:
			out.PIN = &hsm.PINBlock{Block: out.Card.PINBlock, Format: hsm.ISO4, Key: keys.PINStore}
		case out.Card.PIN.Method == hsm.IBM3624:
			out.PVK = keys.VerifierKey(out.Card.PIN)
		}
	}
	if out.Profile, err = program.ChipProfile(out.Card.ChipProfile); err != nil {
		return out, err
	}
	if err := out.fillPlastic(ctx, tx, tenant); err != nil {
		return out, err
	}
	return out, s.openDelivery(ctx, &out.Card)
}

// fillPlastic fills in what the plastic looks like and what stands on it.
func (p *PlasticToMake) fillPlastic(ctx context.Context, tx db.Tx, tenant access.TenantID) error {
	body := p.Card.Physical
	p.Variant = program.Plastic{
		Code: body.Code, CardArtCode: body.CardArtCode, PlasticCode: body.PlasticCode, EmbossType: program.Embossed,
		PersoVendorCode: body.PersoVendor,
	}
	for _, v := range p.Product.Plastics {
		if v.Code == body.Code {
			p.Variant = v
		}
	}
	for _, policy := range p.Product.Policies {
		p.Offline = p.Offline || policy.Type == program.PolicyOfflineTransaction && policy.IsAllowed
	}
	p.Design = body.CardArtCode
	art, found, err := program.ReadCardArt(ctx, tx, tenant, body.CardArtCode)
	if err != nil {
		return fmt.Errorf("read card art: %w", err)
	}
	if found {
		p.Design = art.PersoDesignCode
	}
	p.Number = hsm.SealedValue{
		Purpose: purposePAN, Sealed: p.Card.sealedPAN, AAD: hsm.PlaceOf(tenant, "card", "pan_sealed", p.Card.ID.String()),
	}
	p.PINField, p.Name = pinField, nameOnTrack(p.Card)
	return nil
}

// nameOnTrack is the first printed line, cut to what track 1 holds.
func nameOnTrack(c Card) string {
	name := c.EmbossLine1
	if len(name) < 2 {
		name = "CARDHOLDER"
	}
	return name[:min(len(name), 26)]
}
