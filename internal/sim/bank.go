package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Bank is a sandbox tenant that was set up through the API and can issue
// cards. It is safe for concurrent use.
type Bank struct {
	*Client
	BIN     string // eight digits
	product string
	account string // of the cards that it issues; empty: each has its own
}

// The BINs that are tried for a bank of the demo or a benchmark: eight digits
// that no network gives to anybody.
const testBINPrefix = "9792"

// OpenBank gives a new sandbox tenant what it needs to issue cards: a BIN, a
// range and a product of prepaid chip cards in Turkish lira.
func OpenBank(ctx context.Context, c *Client) (*Bank, error) {
	b := &Bank{Client: c, product: "CLASSIC"}
	if err := b.takeBIN(ctx, "Prepaid"); err != nil {
		return nil, err
	}
	for _, made := range []struct {
		path string
		body map[string]any
	}{
		{"/api/v1/issuing/product/bin-range", map[string]any{
			"code": "MAIN", "name": "Main range", "bin": b.BIN,
			"rangeStart": b.BIN + "0000000", "rangeEnd": b.BIN + "8999999", // the rest is never issued
		}},
		{"/api/v1/issuing/product/group", map[string]any{"code": "CARDS", "name": "Cards"}},
		{"/api/v1/issuing/product", product(b.product, "CVN18")},
	} {
		if _, err := b.Call(ctx, http.MethodPost, made.path, made.body, nil); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// product describes a product of prepaid chip cards.
func product(code, chipProfile string) map[string]any {
	return map[string]any{
		"code": code, "name": "Classic", "groupCode": "CARDS", "binRangeCode": "MAIN",
		"cardType": "Prepaid", "currencyCode": "TRY", "allowedFormFactors": []string{"Physical", "PhysicalNoname"},
		"validityMonths": 36, "serviceCode": "201", "chipProfileCode": chipProfile,
		"contactlessEnabled": true,
		"contactlessLimit":   map[string]any{"currencyCode": "TRY", "transactionLimit": 2500},
		"policies": []map[string]any{
			{"policyType": "NonSecureEcommerce", "isAllowed": true}, {"policyType": "MagneticStripe", "isAllowed": true},
		},
		"pinLength":            4,
		"maxCardsPerCustomer":  0,
		"initialStatusVirtual": "Active",
		"physicals": []map[string]any{{
			"code": "STD", "cardArtCode": "STD", "plasticCode": "STD", "persoVendorCode": "BUREAU", "isDefault": true,
		}},
	}
}

// OpenProduct adds a product whose chips have this profile, and returns the bank
// as one that issues cards of it.
func (b *Bank) OpenProduct(ctx context.Context, code, chipProfile string) (*Bank, error) {
	if _, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/product", product(code, chipProfile), nil); err != nil {
		return nil, err
	}
	other := *b
	other.product = code
	return &other, nil
}

// OpenCredit adds a product of credit cards on a BIN of its own, and returns the bank
// as one that issues its cards, on the account with this number once there is one.
func (b *Bank) OpenCredit(ctx context.Context, code string) (*Bank, error) {
	other := *b
	other.product = code
	if err := other.takeBIN(ctx, "Credit"); err != nil {
		return nil, err
	}
	if _, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/product/bin-range", map[string]any{
		"code": code, "name": "Credit", "bin": other.BIN, "rangeStart": other.BIN + "0000000", "rangeEnd": other.BIN + "8999999",
	}, nil); err != nil {
		return nil, err
	}
	p := product(code, "CVN18")
	p["cardType"], p["binRangeCode"] = "Credit", code
	_, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/product", p, nil)
	return &other, err
}

// On is the bank as one that issues cards on an account.
func (b *Bank) On(account string) *Bank {
	other := *b
	other.account = account
	return &other
}

// takeBIN takes the first free BIN from a place of the test range that changes
// every second.
func (b *Bank) takeBIN(ctx context.Context, cardType string) error {
	start := clock.System{}.Now().Unix()
	for i := range int64(100) {
		b.BIN = fmt.Sprintf("%s%04d", testBINPrefix, (start+i*7)%10_000)
		_, err := b.Call(ctx, http.MethodPost, "/api/v1/system/bin", map[string]any{
			"bin": b.BIN, "brand": "Troy", "network": "Troy", "cardType": cardType, "cardLevel": "Classic",
			"currencyCode": "TRY", "countryCode": "TR", "panLength": 16, "keySetCode": "K" + b.BIN,
		}, nil)
		if err == nil {
			return nil
		}
		if refused, ok := errors.AsType[*APIError](err); !ok || refused.Status != http.StatusConflict {
			return err
		}
	}
	return errors.New("no free BIN in the test range")
}

// Issued is a card that a bank gave out, and what is known of it outside.
type Issued struct {
	Card    *Card
	Token   string // cardToken
	Account string // accountNo
}

// OpenCustomer makes a customer and returns its number.
func (b *Bank) OpenCustomer(ctx context.Context, name, surname, phone string) (string, error) {
	var customer struct {
		CustomerNo string `json:"customerNo"`
	}
	_, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/customer", map[string]any{
		"customerType": "Individual", "name": name, "surname": surname, "birthDate": "1985-05-17", "nationality": "TR",
		"identifications": []map[string]any{{"identificationType": "Tckn", "identificationNo": "10000000146"}},
		"communications":  []map[string]any{{"communicationType": "MobilePhone", "value": phone}},
	}, &customer)
	return customer.CustomerNo, err
}

// Issue gives the customer a card with a PIN, activates it, and reads what a
// tester may know of it. Card.PIN is the PIN it got: pin, or its digits turned
// where the card must not have that one.
func (b *Bank) Issue(ctx context.Context, customerNo, pin string) (Issued, error) {
	var made struct {
		CardToken  string `json:"cardToken"`
		IssuanceNo string `json:"issuanceNo"`
		AccountNo  string `json:"accountNo"`
	}
	wish := map[string]any{
		"customerNo": customerNo, "productCode": b.product, "formFactor": "Physical", "deliveryMethod": "Branch", "branchCode": "0001",
	}
	if b.account != "" {
		wish["accountNo"] = b.account
	}
	if _, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/card", wish, &made); err != nil {
		return Issued{}, err
	}
	pin, err := b.SetPIN(ctx, made.CardToken, pin)
	if err != nil {
		return Issued{}, err
	}
	card, err := b.ReadCard(ctx, made.CardToken, 1)
	if err != nil {
		return Issued{}, err
	}
	card.PIN = secret.FromString(pin)
	account := made.AccountNo
	if account == "" {
		account = made.IssuanceNo
	}
	return Issued{Card: card, Token: made.CardToken, Account: account}, nil
}

// ReadCard reads what a tester may know of one plastic of a card number.
func (b *Bank) ReadCard(ctx context.Context, token string, sequence int) (*Card, error) {
	var facts []byte
	_, err := b.Call(ctx, http.MethodPost, "/api/v1/sandbox/card-info", map[string]any{"cardToken": token, "cardSequenceNo": sequence}, &facts)
	if err != nil {
		return nil, err
	}
	defer clear(facts)
	return ParseCard(facts)
}

// SetPIN gives the card this PIN and activates it. One card in some thousands
// must not have it, since its own number or expiry holds those digits: it gets
// them turned. The PIN that was set is returned.
func (b *Bank) SetPIN(ctx context.Context, token, pin string) (string, error) {
	for turned := range len(pin) {
		_, err := b.Call(ctx, http.MethodPost, "/api/v1/issuing/card/"+token+"/pin/set",
			map[string]any{"encryptedPin": pin, "activateCard": true}, nil)
		refused, ok := errors.AsType[*APIError](err)
		if !ok || refused.Code != "Issuing:WeakPin" || turned == len(pin)-1 {
			return pin, err
		}
		pin = pin[1:] + pin[:1]
	}
	return "", errors.New("no PIN to set")
}

// Load puts money on an account.
func (b *Bank) Load(ctx context.Context, account, amount, reference string) (time.Duration, error) {
	return b.Call(ctx, http.MethodPost, "/api/v1/issuing/account/"+account+"/adjustment", map[string]any{
		"direction": "Credit", "amount": json.Number(amount), "currency": "TRY",
		"description": "load", "externalReference": reference,
	}, nil)
}

// NeverIssued is a valid number of the bank's BIN outside its range.
func (b *Bank) NeverIssued() (pan.PAN, error) {
	body := b.BIN + "9999999"
	return pan.Parse(body + string(pan.CheckDigit(body)))
}
