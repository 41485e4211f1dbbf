package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

type findCardRequest struct {
	EncryptedCardNo string       `json:"encryptedCardNo" required:"true" minLength:"1" maxLength:"512" doc:"Bound to an empty card token."`
	Encryption      *encryption  `json:"encryption,omitempty" doc:"Required but in a sandbox, where the value may be clear."`
	Purpose         api.FreeText `json:"purpose,omitempty" maxLength:"250" doc:"For the audit record."`
}

// detokenizeRequest is CardDetokenizeRequestDto (§8.10).
type detokenizeRequest struct {
	CardTokens []string     `json:"cardTokens,omitempty" maxItems:"100" doc:"1 to 100, or cardToken."`
	CardToken  string       `json:"cardToken,omitempty" maxLength:"32"`
	KeyID      string       `json:"keyId" required:"true" minLength:"1" maxLength:"64" doc:"The exchanged key the answer is encrypted under."`
	Purpose    api.FreeText `json:"purpose" required:"true" minLength:"3" maxLength:"250"`
}

// detokenizeResponse is CardDetokenizeResponseDto.
type detokenizeResponse struct {
	Cards      []openedToken `json:"cards" doc:"In the order of the request."`
	Encryption encryption    `json:"encryption"`
}

type openedToken struct {
	CardToken       string  `json:"cardToken"`
	EncryptedCardNo *string `json:"encryptedCardNo"`
	CardSequenceNo  *int    `json:"cardSequenceNo"`
	ExpireYear      *int    `json:"expireYear"`
	ExpireMonth     *int    `json:"expireMonth"`
	ErrorCode       *string `json:"errorCode"`
}

func (a *API) findCard(ctx context.Context, c access.Caller, in *struct{ Body findCardRequest }) (FoundCard, error) {
	number, err := decodeSensitive("encryptedCardNo", in.Body.EncryptedCardNo, in.Body.Encryption)
	if err != nil {
		return FoundCard{}, err
	}
	found, err := a.Issuing.CardByNumber(ctx, c, number, string(in.Body.Purpose))
	if err != nil {
		return FoundCard{}, err
	}
	return encodeFoundCard(found), nil
}

func (a *API) detokenize(ctx context.Context, c access.Caller, in *struct{ Body detokenizeRequest }) (detokenizeResponse, error) {
	tokens := in.Body.CardTokens
	if in.Body.CardToken != "" {
		if len(tokens) > 0 {
			return detokenizeResponse{}, api.Invalid().OnField("cardToken", "both", "must not stand beside cardTokens")
		}
		tokens = []string{in.Body.CardToken}
	}
	opened, err := a.Issuing.Detokenize(ctx, c, issuing.Detokenization{
		Tokens: tokens, KeyID: in.Body.KeyID, Purpose: string(in.Body.Purpose),
	})
	if err != nil {
		return detokenizeResponse{}, err
	}
	return detokenizeResponse{
		Cards: encodeAll(opened, encodeOpenedToken), Encryption: encryption{KeyID: in.Body.KeyID, Algorithm: "A256GCM"},
	}, nil
}

func encodeOpenedToken(t issuing.OpenedToken) openedToken {
	if !t.IsFound {
		code := refusals["card_not_found"].code
		return openedToken{CardToken: t.CardToken, ErrorCode: &code}
	}
	number, month := encodeSensitive(t.CardNo), int(t.Expires.Month)
	return openedToken{
		CardToken: t.CardToken, EncryptedCardNo: &number, CardSequenceNo: &t.Sequence, ExpireYear: &t.Expires.Year, ExpireMonth: &month,
	}
}
