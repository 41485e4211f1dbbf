package platform

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/program"
)

type createCardArtRequest struct {
	Code            string                `json:"code" required:"true" maxLength:"32"`
	Name            api.FreeText          `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description     api.FreeText          `json:"description,omitempty" maxLength:"250"`
	PersoDesignCode api.FreeText          `json:"persoDesignCode" required:"true" minLength:"1" maxLength:"32" doc:"As agreed with the card bureau."`
	FormFactor      api.Enum[formFactors] `json:"formFactor,omitempty" doc:"Absent: any."`
	FrontImage      string                `json:"frontImage,omitempty" doc:"A PNG or JPEG in base64, or an https URL."`
	BackImage       string                `json:"backImage,omitempty" doc:"A PNG or JPEG in base64, or an https URL."`
	TextColor       api.FreeText          `json:"textColor,omitempty" maxLength:"20"`
	IsActive        *bool                 `json:"isActive,omitempty" doc:"Absent: true."`
}

// BodyMax leaves room for two images of 1 MiB in base64.
func (createCardArtRequest) BodyMax() int64 { return 3 << 20 }

type renameCardArtRequest struct {
	Name  api.FreeText `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Stamp string       `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type cardArt struct {
	Code            string  `json:"code"`
	Name            string  `json:"name"`
	Description     *string `json:"description"`
	PersoDesignCode string  `json:"persoDesignCode"`
	FormFactor      *string `json:"formFactor"`
	FrontImage      *string `json:"frontImage"`
	BackImage       *string `json:"backImage"`
	TextColor       *string `json:"textColor"`
	IsActive        bool    `json:"isActive"`
	Audited
}

func (a *API) createCardArt(ctx context.Context, c access.Caller, in *struct{ Body createCardArtRequest }) (cardArt, error) {
	var d decoding
	art := program.CardArt{
		Code: in.Body.Code, Name: string(in.Body.Name), Description: string(in.Body.Description),
		PersoDesignCode: string(in.Body.PersoDesignCode), FormFactor: program.FormFactor(in.Body.FormFactor),
		FrontImage: d.image("frontImage", in.Body.FrontImage), BackImage: d.image("backImage", in.Body.BackImage),
		TextColor: string(in.Body.TextColor), IsActive: or(in.Body.IsActive, true),
	}
	if err := d.err(); err != nil {
		return cardArt{}, err
	}
	art, err := a.Programs.CreateCardArt(ctx, c, art)
	return encodeCardArt(art), err
}

// image checks for card numbers where people write; the base64 of a picture may
// hold anything.
func (d *decoding) image(field, text string) string {
	if strings.HasPrefix(text, "https://") {
		return d.noPAN(field, text)
	}
	return text
}

func (a *API) renameCardArt(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"cardArtCode"`
	Body renameCardArtRequest
}) (cardArt, error) {
	art, err := a.Programs.RenameCardArt(ctx, c, in.Code, string(in.Body.Name), in.Body.Stamp)
	return encodeCardArt(art), err
}

func (a *API) listCardArts(ctx context.Context, c access.Caller, in *struct {
	IsActive string `query:"IsActive" enum:"true,false"`
}) ([]cardArt, error) {
	var active *bool
	if in.IsActive != "" {
		only := in.IsActive == "true"
		active = &only
	}
	all, err := a.Programs.CardArts(ctx, c, active)
	return encodeAll(all, encodeCardArt), err
}

func (a *API) deleteCardArt(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"cardArtCode"`
}) (nothing, error) {
	return nothing{}, a.Programs.DeleteCardArt(ctx, c, in.Code)
}

func encodeCardArt(a program.CardArt) cardArt {
	return cardArt{
		Code: a.Code, Name: a.Name, Description: orNil(a.Description), PersoDesignCode: a.PersoDesignCode,
		FormFactor: orNil(a.FormFactor), FrontImage: orNil(a.FrontImage), BackImage: orNil(a.BackImage),
		TextColor: orNil(a.TextColor), IsActive: a.IsActive, Audited: encodeRecord(a.Record),
	}
}
