package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// pinAsk is PinRequestDto (§8.7).
type pinAsk struct {
	Reason      api.FreeText `json:"reason,omitempty" maxLength:"250"`
	PhoneNumber string       `json:"phoneNumber,omitempty" maxLength:"32" doc:"For pin/send-sms: another number, which must be a verified one of the customer."`
	Description api.FreeText `json:"description,omitempty" maxLength:"250"`
}

func (r *pinAsk) decode() issuing.PINRequest {
	if r == nil {
		return issuing.PINRequest{}
	}
	return issuing.PINRequest{Reason: string(r.Reason), Description: string(r.Description), PhoneNumber: r.PhoneNumber}
}

type sentPIN struct {
	SMSReference string `json:"smsReference"`
	MaskedPhone  string `json:"maskedPhone"`
}

func (a *API) unblockPIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body *pinAsk
}) (cardEcho, error) {
	card, err := a.Issuing.UnblockPIN(ctx, c, in.CardToken, in.Body.decode())
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

func (a *API) setRandomPIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body *pinAsk
}) (cardEcho, error) {
	card, err := a.Issuing.SetRandomPIN(ctx, c, in.CardToken, in.Body.decode())
	if err != nil {
		return cardEcho{}, err
	}
	return encodeCardEcho(card), nil
}

func (a *API) sendPIN(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body *pinAsk
}) (sentPIN, error) {
	sent, err := a.Issuing.SendPIN(ctx, c, in.CardToken, in.Body.decode())
	if err != nil {
		return sentPIN{}, err
	}
	return sentPIN{SMSReference: sent.Reference.UUID(), MaskedPhone: sent.MaskedPhone}, nil
}
