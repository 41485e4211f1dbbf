package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// bank is a sandbox tenant made through the API, able to issue cards.
type bank struct {
	tenant       access.TenantID
	clientID     string
	clientSecret secret.Value
	api          *apiClient
	bin          string
	product      string
}

// The BINs that are tried for a bank of the demo or a benchmark: eight digits
// that no network gives to anybody.
const testBINPrefix = "9792"

// openBank makes a tenant, its BIN, range and product. Each call makes another
// one, so that a database can be used again.
func openBank(ctx context.Context, p *Platform, name string) (*bank, error) {
	t, creds, err := p.access.CreateTenant(ctx, access.NewTenant{Name: name, Sandbox: true})
	if err != nil {
		return nil, fmt.Errorf("create tenant: %w", err)
	}
	b := &bank{tenant: t.ID, clientID: creds.ClientID, clientSecret: creds.ClientSecret, product: "CLASSIC"}
	if b.api, err = newAPIClient(ctx, p.APIURL(), creds.ClientID, string(creds.ClientSecret.Reveal())); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	if err := b.takeBIN(ctx); err != nil {
		return nil, err
	}
	for _, made := range []struct {
		path string
		body map[string]any
	}{
		{"/api/v1/issuing/product/bin-range", map[string]any{
			"code": "MAIN", "name": "Main range", "bin": b.bin,
			"rangeStart": b.bin + "0000000", "rangeEnd": b.bin + "8999999", // the rest is never issued
		}},
		{"/api/v1/issuing/product/group", map[string]any{"code": "CARDS", "name": "Cards"}},
		{"/api/v1/issuing/product", map[string]any{
			"code": b.product, "name": "Classic", "groupCode": "CARDS", "binRangeCode": "MAIN",
			"cardType": "Prepaid", "currencyCode": "TRY", "allowedFormFactors": []string{"Physical"},
			"validityMonths": 36, "serviceCode": "201", "chipProfileCode": "CVN18",
			"contactlessEnabled":   true,
			"contactlessLimit":     map[string]any{"currencyCode": "TRY", "transactionLimit": 2500},
			"pinLength":            4,
			"maxCardsPerCustomer":  0,
			"initialStatusVirtual": "Active",
			"physicals": []map[string]any{{
				"code": "STD", "cardArtCode": "STD", "plasticCode": "STD", "persoVendorCode": "BUREAU", "isDefault": true,
			}},
		}},
	} {
		if _, err := b.api.call(ctx, http.MethodPost, made.path, made.body, nil); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// takeBIN takes the first free BIN from a place of the test range that changes
// every second.
func (b *bank) takeBIN(ctx context.Context) error {
	start := clock.System{}.Now().Unix()
	for i := range int64(100) {
		b.bin = fmt.Sprintf("%s%04d", testBINPrefix, (start+i*7)%10_000)
		_, err := b.api.call(ctx, http.MethodPost, "/api/v1/system/bin", map[string]any{
			"bin": b.bin, "brand": "Troy", "network": "Troy", "cardType": "Prepaid", "cardLevel": "Classic",
			"currencyCode": "TRY", "countryCode": "TR", "panLength": 16, "keySetCode": "K" + b.bin,
		}, nil)
		if err == nil {
			return nil
		}
		if refused, ok := errors.AsType[*apiError](err); !ok || refused.Status != http.StatusConflict {
			return err
		}
	}
	return errors.New("no free BIN in the test range")
}

// issued is a card that a bank gave out, and what is known of it outside.
type issued struct {
	card    *sim.Card
	token   string
	account string
}

// openCustomer makes a customer and returns its number.
func (b *bank) openCustomer(ctx context.Context, name, surname, phone string) (string, error) {
	var customer struct {
		CustomerNo string `json:"customerNo"`
	}
	_, err := b.api.call(ctx, http.MethodPost, "/api/v1/issuing/customer", map[string]any{
		"customerType": "Individual", "name": name, "surname": surname, "birthDate": "1985-05-17", "nationality": "TR",
		"identifications": []map[string]any{{"identificationType": "Tckn", "identificationNo": "10000000146"}},
		"communications":  []map[string]any{{"communicationType": "MobilePhone", "value": phone}},
	}, &customer)
	return customer.CustomerNo, err
}

// issue gives the customer a card with a PIN, activates it, and reads what a
// tester may know of it.
func (b *bank) issue(ctx context.Context, customerNo, pin string) (issued, error) {
	var made struct {
		CardToken  string `json:"cardToken"`
		IssuanceNo string `json:"issuanceNo"`
		AccountNo  string `json:"accountNo"`
	}
	if _, err := b.api.call(ctx, http.MethodPost, "/api/v1/issuing/card", map[string]any{
		"customerNo": customerNo, "productCode": b.product, "formFactor": "Physical", "deliveryMethod": "Branch", "branchCode": "0001",
	}, &made); err != nil {
		return issued{}, err
	}
	path := "/api/v1/issuing/card/" + made.CardToken
	if _, err := b.api.call(ctx, http.MethodPost, path+"/pin/set", map[string]any{
		"encryptedPin": pin, "activateCard": true,
	}, nil); err != nil {
		return issued{}, err
	}
	var facts []byte
	if _, err := b.api.call(ctx, http.MethodPost, "/api/v1/sandbox/card-info", map[string]any{"cardToken": made.CardToken}, &facts); err != nil {
		return issued{}, err
	}
	card, err := sim.ParseCard(facts)
	clear(facts)
	if err != nil {
		return issued{}, err
	}
	card.PIN = secret.FromString(pin)
	account := made.AccountNo
	if account == "" {
		account = made.IssuanceNo
	}
	return issued{card: card, token: made.CardToken, account: account}, nil
}

// load puts money on an account.
func (b *bank) load(ctx context.Context, account, amount, reference string) (time.Duration, error) {
	return b.api.call(ctx, http.MethodPost, "/api/v1/issuing/account/"+account+"/adjustment", map[string]any{
		"direction": "Credit", "amount": json.Number(amount), "currency": "TRY",
		"description": "load", "externalReference": reference,
	}, nil)
}

// neverIssued is a valid number of the bank's BIN outside its range.
func (b *bank) neverIssued() (pan.PAN, error) {
	body := b.bin + "9999999"
	return pan.Parse(body + string(pan.CheckDigit(body)))
}

// stage is the world in which the story plays.
type stage struct {
	*bank
	issued
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
	if s.bank, err = openBank(ctx, p, "Demo Bank"); err != nil {
		return nil, err
	}
	if s.neverIssued, err = s.bank.neverIssued(); err != nil {
		return nil, err
	}
	customer, err := s.openCustomer(ctx, "Ada", "Deniz", "+905321234567")
	if err != nil {
		return nil, err
	}
	if s.issued, err = s.issue(ctx, customer, demoPIN); err != nil {
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
	if s.link, err = dialLink(ctx, p, s.acquirer); err != nil {
		return nil, err
	}
	return s, nil
}

// dialLink connects an acquirer to the platform, in the framing it listens to.
func dialLink(ctx context.Context, p *Platform, a *sim.Acquirer) (*sim.Link, error) {
	framing, err := iso8583.ParseFraming(p.config.Network.Framing)
	if err != nil {
		return nil, err
	}
	return sim.Dial(ctx, p.NetworkAddr(), sim.LinkOptions{
		Dialect: a.Dialect, Framing: framing,
	})
}

// otherDigits is a value of the same length in which every digit is wrong.
func otherDigits(v secret.Value) secret.Value {
	b := append([]byte(nil), v.Reveal()...)
	for i := range b {
		b[i] = '0' + (b[i]-'0'+1)%10
	}
	return secret.New(b)
}
