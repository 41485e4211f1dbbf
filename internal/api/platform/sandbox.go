package platform

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

type clearCardRequest struct {
	CardToken string `json:"cardToken" required:"true" minLength:"1" maxLength:"32"`
	KeyID     string `json:"keyId,omitempty" maxLength:"64"`
	Sequence  int    `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99" doc:"Default: the plastic in force."`
}

// clearCard is ClearCardInfoDto (§15) with what a tester needs besides to build
// chip and PIN messages.
type clearCard struct {
	CardNo       string  `json:"cardNo"`
	ExpireYear   int     `json:"expireYear"`
	ExpireMonth  int     `json:"expireMonth"`
	CVV2         string  `json:"cvv2"`
	CVV          string  `json:"cvv"`
	ICVV         string  `json:"icvv"`
	ServiceCode  string  `json:"serviceCode"`
	Track2       string  `json:"track2"`
	Track1       string  `json:"track1"`
	PSN          string  `json:"psn" doc:"EMV 5F34"`
	PVV          *string `json:"pvv"`
	EmbossName   string  `json:"embossName"`
	ProductCode  string  `json:"productCode"`
	CardStatus   string  `json:"cardStatus"`
	CVN          string  `json:"cvn" doc:"Cryptogram version number, hexadecimal."`
	DKI          string  `json:"dki" doc:"Derivation key index, hexadecimal."`
	LastATC      int     `json:"lastAtc" doc:"0 before the first chip transaction."`
	ICCMasterKey string  `json:"iccMasterKey" doc:"For application cryptograms, hexadecimal."`
	ICCSMIKey    string  `json:"iccSmiKey" doc:"For the MAC of issuer scripts, hexadecimal."`
	ICCSMCKey    string  `json:"iccSmcKey" doc:"For what issuer scripts encipher, hexadecimal."`
	ZPK          string  `json:"zpk" doc:"TDES, for PIN blocks of ISO formats 0, 1 and 3; hexadecimal."`
	ZPKAES       string  `json:"zpkAes" doc:"AES, for PIN blocks of ISO format 4; hexadecimal."`
}

func (a *API) showClearCard(ctx context.Context, c access.Caller, in *struct{ Body clearCardRequest }) (clearCard, error) {
	card, err := a.Issuing.RevealCard(ctx, c, in.Body.CardToken, in.Body.Sequence)
	if err != nil {
		return clearCard{}, err
	}
	return encodeClearCard(card), nil
}

func encodeClearCard(k issuing.ClearCard) clearCard {
	return clearCard{
		CardNo: k.Number.Reveal(), ExpireYear: k.Card.Expires.Year, ExpireMonth: int(k.Card.Expires.Month),
		CVV2: string(k.CVV2.Reveal()), CVV: string(k.CVV.Reveal()), ICVV: string(k.ICVV.Reveal()),
		ServiceCode: k.Card.ServiceCode, Track2: string(k.Track2.Reveal()), Track1: string(k.Track1.Reveal()), PSN: k.Card.PSN,
		PVV: orNil(k.PVV), EmbossName: k.Card.EmbossLine1, ProductCode: k.ProductCode, CardStatus: string(k.Card.Status),
		CVN: fmt.Sprintf("%02X", k.CVN), DKI: fmt.Sprintf("%02X", k.DKI), LastATC: max(0, k.Card.LastATC),
		ICCMasterKey: issuing.HexKey(k.ICCMasterKey), ICCSMIKey: issuing.HexKey(k.ICCSMIKey), ICCSMCKey: issuing.HexKey(k.ICCSMCKey),
		ZPK: issuing.HexKey(k.ZPK), ZPKAES: issuing.HexKey(k.ZPKAES),
	}
}
