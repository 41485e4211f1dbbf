package app

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// stage is the world in which the story plays.
type stage struct {
	*TenantBank
	sim.Issued
	platform    *Platform
	link        *sim.Link
	acquirer    *sim.Acquirer
	neverIssued pan.PAN

	grocer, restaurant, webshop, atm, hotel *sim.Terminal

	webOrder *sim.Request // the last approved purchase in the web shop
}

// demoPIN is the PIN of the demo's card. It is no secret.
const demoPIN = "7392"

// setStage makes a bank, a card in a customer's hand, and an acquirer with
// terminals whose link is open.
func setStage(ctx context.Context, p *Platform) (*stage, error) {
	s := &stage{platform: p}
	var err error
	if s.TenantBank, err = p.OpenBank(ctx, "Demo Bank"); err != nil {
		return nil, err
	}
	if s.neverIssued, err = s.NeverIssued(); err != nil {
		return nil, err
	}
	customer, err := s.OpenCustomer(ctx, "Ada", "Deniz", "+905321234567")
	if err != nil {
		return nil, err
	}
	if s.Issued, err = s.Issue(ctx, customer, demoPIN); err != nil {
		return nil, err
	}
	if s.acquirer, err = sim.NewAcquirer("410627", clock.System{}, sim.Random(0)); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	place := func(id, merchant, name, city, mcc string, kind byte) *sim.Terminal {
		return &sim.Terminal{
			Acquirer: s.acquirer, ID: id, Merchant: merchant, Name: name, City: city, MCC: mcc,
			Country: country.Must("TR"), Zone: zone, Type: kind,
		}
	}
	const attended, bankATM = 0x22, 0x14
	s.grocer = place("GROC0001", "GROCER000000001", "Corner Grocer", "Istanbul", "5411", attended)
	s.restaurant = place("REST0001", "RESTAURANT00001", "Harbour Kitchen", "Istanbul", "5812", attended)
	s.webshop = place("WEB00001", "WEBSHOP00000001", "Lamps Online", "Ankara", "5712", attended)
	s.atm = place("ATM00001", "ATM000000000001", "Cash Machine", "Istanbul", "6011", bankATM)
	s.hotel = place("HOTL0001", "HOTEL0000000001", "Hotel Galata", "Istanbul", "7011", attended)
	if s.link, err = p.Dial(ctx, s.acquirer); err != nil {
		return nil, err
	}
	return s, nil
}

// otherDigits is a value of the same length in which every digit is wrong.
func otherDigits(v secret.Value) secret.Value {
	b := append([]byte(nil), v.Reveal()...)
	for i := range b {
		b[i] = '0' + (b[i]-'0'+1)%10
	}
	return secret.New(b)
}
