package platform

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// keyTypes are KeyType of the contract (§4.5): what a key is for, as an HSM
// names it.
type keyTypes struct{}

// Members lists them with the type codes of the contract, three of which are
// one: that code reads as the first.
func (keyTypes) Members() []api.Member {
	return []api.Member{
		{Code: 0x000, Name: "Zmk"}, {Code: 0x001, Name: "Zpk"}, {Code: 0x002, Name: "Pvk"}, {Code: 0x003, Name: "Tak"},
		{Code: 0x008, Name: "Zak"}, {Code: 0x009, Name: "Bdk"}, {Code: 0x00A, Name: "Zek"}, {Code: 0x00B, Name: "Dek"},
		{Code: 0x109, Name: "MkAc"}, {Code: 0x209, Name: "MkSmi"}, {Code: 0x309, Name: "MkSmc"}, {Code: 0x402, Name: "Cvk"},
		{Code: 0x409, Name: "MkDac"}, {Code: 0x509, Name: "MkDn"}, {Code: 0x709, Name: "MkCvc3"}, {Code: 0x002, Name: "Tmk"}, {Code: 0x002, Name: "Tpk"},
	}
}

type lmkTypes struct{}

func (lmkTypes) Members() []api.Member { return api.Numbered(1, "Variant", "KeyBlock") }

// PINKey says which key a tester's PIN block is under. Which key types there
// are, the contract says; a terminal's PIN travels under a ZPK.
type PINKey struct {
	KeyType api.Enum[keyTypes] `json:"keyType,omitempty" doc:"Only Zpk encrypts PINs here."`
	LMKType api.Enum[lmkTypes] `json:"lmkType,omitempty" doc:"KeyBlock: how the platform keeps its keys."`
	KeyCode string             `json:"keyCode,omitempty" maxLength:"64" doc:"An exchanged key of usage PinBlock; default: the ZPK of the card's BIN."`
}

func (d *decoding) pinKey(k PINKey) {
	if k.KeyType != "" && k.KeyType != "Zpk" {
		d.fail("keyType", "unsupported", "must be Zpk: no other key encrypts the PINs of terminals")
	}
	if k.LMKType == "Variant" {
		d.fail("lmkType", "unsupported", "must be KeyBlock: no key is kept under a variant")
	}
}

// TestCard names a card by one of two members.
type TestCard struct {
	CardToken string `json:"cardToken,omitempty" maxLength:"32" doc:"Or cardNo."`
	CardNo    string `json:"cardNo,omitempty" maxLength:"19" doc:"Or cardToken."`
}

func (d *decoding) testCard(in TestCard) issuing.NamedCard {
	if (in.CardToken == "") == (in.CardNo == "") {
		d.fail("cardToken", "required", "is required, or cardNo in its place")
	}
	return issuing.NamedCard{Token: in.CardToken, Number: issuing.Sensitive{Member: "cardNo", Clear: secret.FromString(in.CardNo)}}
}

// makePINBlockRequest is PinBlockRequestDto (§15).
type makePINBlockRequest struct {
	TestCard
	PIN    string               `json:"pin" required:"true" pattern:"^[0-9]{4,12}$"`
	Format api.Enum[pinFormats] `json:"format,omitempty" doc:"Default Iso0."`
	PINKey
}

// madePINBlock is PinBlockResponseDto.
type madePINBlock struct {
	PINBlock string `json:"pinBlock" doc:"Hexadecimal."`
	Format   string `json:"format"`
	KCV      string `json:"kcv" doc:"Of the key it is under."`
}

// readPINBlockRequest is ClearPinRequestDto.
type readPINBlockRequest struct {
	TestCard
	PINBlock string               `json:"pinBlock" required:"true" pattern:"^([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})$" doc:"Hexadecimal."`
	Format   api.Enum[pinFormats] `json:"format,omitempty" doc:"Default Iso0."`
	PINKey
}

// clearPIN is ClearPinResponseDto.
type clearPIN struct {
	PIN string `json:"pin"`
}

// testPINRequest is PinTestRequestDto.
type testPINRequest struct {
	CardToken string `json:"cardToken" required:"true" minLength:"1" maxLength:"32"`
	PIN       string `json:"pin" required:"true" pattern:"^[0-9]{4,12}$"`
}

// testedPIN is PinTestResponseDto.
type testedPIN struct {
	IsValid     bool   `json:"isValid"`
	PINTryCount int    `json:"pinTryCount" doc:"Wrong PINs since the last right one."`
	PINStatus   string `json:"pinStatus"`
}

// encryptCardNumberRequest is EncryptCardNumberRequestDto.
type encryptCardNumberRequest struct {
	CardNo string `json:"cardNo" required:"true" minLength:"12" maxLength:"19"`
	KeyID  string `json:"keyId" required:"true" minLength:"1" maxLength:"64" doc:"An exchanged key of usage Data."`
}

type encryptedCardNumber struct {
	EncryptedCardNo string `json:"encryptedCardNo" doc:"Bound to an empty card token, as card/find and card/noname/link take it."`
}

func (a *API) makePINBlock(ctx context.Context, c access.Caller, in *struct{ Body makePINBlockRequest }) (madePINBlock, error) {
	var d decoding
	d.pinKey(in.Body.PINKey)
	card := d.testCard(in.Body.TestCard)
	if err := d.err(); err != nil {
		return madePINBlock{}, err
	}
	made, err := a.Issuing.MakePINBlock(ctx, c, card, given(in.Body.Format, issuing.ISO0Block), in.Body.KeyCode, secret.FromString(in.Body.PIN))
	if err != nil {
		return madePINBlock{}, err
	}
	return madePINBlock{PINBlock: strings.ToUpper(hex.EncodeToString(made.Block)), Format: string(made.Form), KCV: made.KCV}, nil
}

func (a *API) readPINBlock(ctx context.Context, c access.Caller, in *struct{ Body readPINBlockRequest }) (clearPIN, error) {
	var d decoding
	d.pinKey(in.Body.PINKey)
	card := d.testCard(in.Body.TestCard)
	block, err := hex.DecodeString(in.Body.PINBlock)
	if err != nil {
		d.fail("pinBlock", "malformed", "must be hexadecimal")
	}
	if err := d.err(); err != nil {
		return clearPIN{}, err
	}
	pin, err := a.Issuing.ReadPINBlock(ctx, c, card, issuing.PINInput{
		Block: block, Form: given(in.Body.Format, issuing.ISO0Block), KeyID: in.Body.KeyCode, Member: "pinBlock",
	})
	if err != nil {
		return clearPIN{}, err
	}
	return clearPIN{PIN: string(pin.Reveal())}, nil
}

func (a *API) testPIN(ctx context.Context, c access.Caller, in *struct{ Body testPINRequest }) (testedPIN, error) {
	tested, err := a.Issuing.TestPIN(ctx, c, in.Body.CardToken, issuing.PINInput{Member: "pin", Clear: secret.FromString(in.Body.PIN)})
	if err != nil {
		return testedPIN{}, err
	}
	return testedPIN{IsValid: tested.IsValid, PINTryCount: tested.TryCount, PINStatus: string(tested.Status)}, nil
}

func (a *API) encryptCardNumber(ctx context.Context, c access.Caller, in *struct{ Body encryptCardNumberRequest }) (encryptedCardNumber, error) {
	sealed, err := a.Issuing.EncryptNumber(ctx, c, in.Body.KeyID, issuing.Sensitive{Member: "cardNo", Clear: secret.FromString(in.Body.CardNo)})
	if err != nil {
		return encryptedCardNumber{}, err
	}
	return encryptedCardNumber{EncryptedCardNo: encodeSensitive(sealed)}, nil
}
