package platform

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// pinRequest is VerifyOrSetPinRequestDto (§8.7).
type pinRequest struct {
	PINBlock       string               `json:"pinBlock,omitempty" maxLength:"512" doc:"A PIN block, hexadecimal or base64, under the ZPK of the BIN or the one in encryption."`
	EncryptedPIN   string               `json:"encryptedPin,omitempty" maxLength:"512" doc:"Sandbox only: an encrypted field, or clear digits without encryption."`
	PINBlockFormat api.Enum[pinFormats] `json:"pinBlockFormat,omitempty" doc:"Default Iso0. Iso1 in sandboxes only."`
	Encryption     *encryption          `json:"encryption,omitempty"`
	CardSequenceNo int                  `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99" doc:"Default: the plastic in force; with activateCard the one that waits to be. The PIN is that of the card number."`
	ActivateCard   bool                 `json:"activateCard,omitempty" doc:"For pin/set: also move the card to Active."`
	Channel        api.Enum[channels]   `json:"channel,omitempty"`
}

type changePINRequest struct {
	OldPINBlock    string               `json:"oldPinBlock" required:"true" minLength:"1" maxLength:"512"`
	NewPINBlock    string               `json:"newPinBlock" required:"true" minLength:"1" maxLength:"512"`
	PINBlockFormat api.Enum[pinFormats] `json:"pinBlockFormat,omitempty"`
	Encryption     *encryption          `json:"encryption,omitempty"`
}

func (a *API) verifyPIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body pinRequest
}) (triesResponse, error) {
	pin, err := decodePIN(in.Body)
	if err != nil {
		return triesResponse{}, err
	}
	pin.Channel = string(in.Body.Channel)
	tries, err := a.Issuing.VerifyPIN(ctx, c, in.CardToken, pin)
	if err != nil {
		return triesResponse{}, err
	}
	return triesResponse{IsValid: tries.IsValid, RemainingTries: tries.Left}, nil
}

func (a *API) setPIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body pinRequest
}) (cardEcho, error) {
	pin, err := decodePIN(in.Body)
	if err != nil {
		return cardEcho{}, err
	}
	pin.Sequence = in.Body.CardSequenceNo
	card, err := a.Issuing.SetPIN(ctx, c, in.CardToken, pin, in.Body.ActivateCard, string(in.Body.Channel))
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

func (a *API) changePIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body changePINRequest
}) (cardEcho, error) {
	form := issuing.PINForm(in.Body.PINBlockFormat)
	old, err := decodePINMember("oldPinBlock", in.Body.OldPINBlock, form, in.Body.Encryption)
	if err != nil {
		return cardEcho{}, err
	}
	fresh, err := decodePINMember("newPinBlock", in.Body.NewPINBlock, form, in.Body.Encryption)
	if err != nil {
		return cardEcho{}, err
	}
	card, err := a.Issuing.ChangePIN(ctx, c, in.CardToken, old, fresh)
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

// decodePIN reads the one of the two members that is there.
func decodePIN(in pinRequest) (issuing.PINInput, error) {
	switch {
	case (in.PINBlock == "") == (in.EncryptedPIN == ""):
		return issuing.PINInput{}, api.Invalid().OnField("pinBlock", "required", "is required, or encryptedPin in its place")
	case in.PINBlock != "":
		return decodePINMember("pinBlock", in.PINBlock, issuing.PINForm(in.PINBlockFormat), in.Encryption)
	case in.Encryption == nil:
		return issuing.PINInput{Member: "encryptedPin", Clear: secret.FromString(in.EncryptedPIN)}, nil
	}
	return decodePINMember("encryptedPin", in.EncryptedPIN, issuing.PINField, in.Encryption)
}

// fieldMin is the length of the shortest encrypted field: IV, four digits, tag.
// No PIN block is that long.
const fieldMin = 12 + 4 + 16

// decodePINMember reads a PIN block in hexadecimal digits or base64. Without a
// form it is a format 0 block, or by its length an encrypted field; four to
// twelve digits with no key named are a clear PIN, which sandboxes may send.
func decodePINMember(member, text string, form issuing.PINForm, under *encryption) (issuing.PINInput, error) {
	out := issuing.PINInput{Member: member, Form: form, KeyID: under.keyID()}
	if under == nil && len(text) <= 12 && strings.Trim(text, "0123456789") == "" {
		return issuing.PINInput{Member: member, Clear: secret.FromString(text)}, nil
	}
	var err error
	if len(text) == 16 || len(text) == 32 {
		out.Block, err = hex.DecodeString(text)
	}
	if out.Block == nil || err != nil {
		out.Block, err = base64.StdEncoding.DecodeString(text)
	}
	if err != nil {
		return out, api.Invalid().OnField(member, "malformed", "must be hexadecimal or base64")
	}
	if form == "" {
		out.Form = issuing.ISO0Block
		if len(out.Block) >= fieldMin {
			out.Form = issuing.PINField
		}
	}
	return out, under.mustBe(algorithmFor(out.Form))
}

// algorithmFor is what the contract calls the algorithm of a PIN in this form.
func algorithmFor(form issuing.PINForm) string {
	switch form {
	case issuing.PINField:
		return "A256GCM"
	case issuing.ISO4Block:
		return "AES-ZPK"
	}
	return "TDES-ZPK"
}
