package platform

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// cardRequest is CardRequestDto: act on this card. The token in the body is
// optional, since the path has it, but must not name another card.
type cardRequest struct {
	CardToken      string       `json:"cardToken,omitempty" maxLength:"32"`
	CardSequenceNo int          `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99"`
	KeyID          string       `json:"keyId,omitempty" maxLength:"64" doc:"The exchanged key the answer is encrypted under. Sandbox tenants may leave it out."`
	IncludeCardNo  bool         `json:"includeCardNo,omitempty"`
	Reason         api.FreeText `json:"reason,omitempty" maxLength:"250"`
}

// onPath refuses a body that names another card than the path.
func (r cardRequest) onPath(token string) error {
	if r.CardToken != "" && r.CardToken != token {
		return api.Invalid().OnField("cardToken", "mismatch", "is not the one in the path")
	}
	return nil
}

// cvv2Response is Cvv2AndResponseDto (§8.6).
type cvv2Response struct {
	CardToken       string      `json:"cardToken"`
	EncryptedCVV2   string      `json:"encryptedCvv2" doc:"In clear when encryption is null (sandbox)."`
	ExpireYear      int         `json:"expireYear"`
	ExpireMonth     int         `json:"expireMonth"`
	EncryptedCardNo *string     `json:"encryptedCardNo"`
	Encryption      *encryption `json:"encryption"`
	ValidUntil      *time.Time  `json:"validUntil"`
}

type verifyCVV2Request struct {
	EncryptedCVV2  string      `json:"encryptedCvv2" required:"true" minLength:"1" maxLength:"512"`
	ExpireYear     int         `json:"expireYear" required:"true" minimum:"2000" maximum:"2099"`
	ExpireMonth    int         `json:"expireMonth" required:"true" minimum:"1" maximum:"12"`
	CardSequenceNo int         `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99"`
	Encryption     *encryption `json:"encryption,omitempty" doc:"Required but in a sandbox, where the value may be clear."`
}

// triesResponse answers a PIN or CVV2 that was tried.
type triesResponse struct {
	IsValid        bool `json:"isValid"`
	RemainingTries int  `json:"remainingTries"`
}

func (a *API) showCVV2(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body cardRequest
}) (cvv2Response, error) {
	if err := in.Body.onPath(in.CardToken); err != nil {
		return cvv2Response{}, err
	}
	shown, err := a.Issuing.ShowCVV2(ctx, c, in.CardToken, issuing.CVV2Request{
		Sequence: in.Body.CardSequenceNo, KeyID: in.Body.KeyID, IncludeCardNo: in.Body.IncludeCardNo,
		Reason: string(in.Body.Reason),
	})
	if err != nil {
		return cvv2Response{}, err
	}
	out := cvv2Response{
		CardToken: shown.CardToken, EncryptedCVV2: encodeSensitive(shown.CVV2), ExpireYear: shown.Expires.Year,
		ExpireMonth: int(shown.Expires.Month),
	}
	if shown.CardNo != nil {
		number := encodeSensitive(*shown.CardNo)
		out.EncryptedCardNo = &number
	}
	if in.Body.KeyID != "" {
		out.Encryption = &encryption{KeyID: in.Body.KeyID, Algorithm: "A256GCM"}
	}
	return out, nil
}

func (a *API) verifyCVV2(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body verifyCVV2Request
}) (triesResponse, error) {
	value, err := decodeSensitive("encryptedCvv2", in.Body.EncryptedCVV2, in.Body.Encryption)
	if err != nil {
		return triesResponse{}, err
	}
	tries, err := a.Issuing.VerifyCVV2(ctx, c, in.CardToken, issuing.CVV2Try{
		Sequence: in.Body.CardSequenceNo, CVV2: value,
		Expires: issuing.Expiry{Year: in.Body.ExpireYear, Month: time.Month(in.Body.ExpireMonth)},
	})
	if err != nil {
		return triesResponse{}, err
	}
	return triesResponse{IsValid: tries.IsValid, RemainingTries: tries.Left}, nil
}

func (a *API) resetCVV2(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body *cardRequest
}) (cardEcho, error) {
	var body cardRequest
	if in.Body != nil {
		body = *in.Body
	}
	if err := body.onPath(in.CardToken); err != nil {
		return cardEcho{}, err
	}
	card, err := a.Issuing.ResetCVV2(ctx, c, in.CardToken, body.CardSequenceNo, string(body.Reason))
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

// decodeSensitive reads an encrypted member, or the clear value that stands in
// its place when nothing says what it is encrypted under.
func decodeSensitive(member, text string, under *encryption) (issuing.Sensitive, error) {
	if under == nil {
		return issuing.Sensitive{Member: member, Clear: secret.FromString(text)}, nil
	}
	if err := under.mustBe("A256GCM"); err != nil {
		return issuing.Sensitive{}, err
	}
	field, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return issuing.Sensitive{}, api.Invalid().OnField(member, "malformed", "must be base64")
	}
	return issuing.Sensitive{Member: member, Field: field, KeyID: under.KeyID}, nil
}

func encodeSensitive(v issuing.Sensitive) string {
	if len(v.Field) > 0 {
		return base64.StdEncoding.EncodeToString(v.Field)
	}
	return string(v.Clear.Reveal())
}
