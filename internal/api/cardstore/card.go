package cardstore

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

// owner are the members that say whose card is meant.
type owner struct {
	PartnerBased    bool   `json:"PartnerBased"`
	PartnerIdentity string `json:"PartnerIdentity"`
	RelationalID1   string `json:"RelationalId1"`
	RelationalID2   string `json:"RelationalId2"`
	RelationalID3   string `json:"RelationalId3"`
}

// of is the owner in a scope; insurance knows no partners.
func (o owner) of(s vault.Scope) vault.Owner {
	out := vault.Owner{Scope: s, Relational: vault.Relational{o.RelationalID1, o.RelationalID2, o.RelationalID3}}
	if s == vault.ECommerce {
		out.PartnerBased, out.Partner = o.PartnerBased, o.PartnerIdentity
	}
	return out
}

type saveRequest struct {
	owner
	Card struct {
		Nickname   string `json:"Nickname"`
		HolderName string `json:"HolderName"`
		Number     digits `json:"Number"`
		Month      int    `json:"Month"`
		Year       int    `json:"Year"`
	} `json:"Card"`
	IncludeDetails bool `json:"IncludeDetails"`
}

func (a *API) save(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in saveRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	k, err := a.Store.Save(ctx, c, vault.NewStoredCard{
		Owner: in.of(vault.ECommerce), Nickname: in.Card.Nickname, Holder: in.Card.HolderName, Number: in.Card.Number.Value,
		Month: in.Card.Month, Year: in.Card.Year,
	})
	if err != nil {
		return nil, err
	}
	return created(k, in.IncludeDetails), nil
}

func created(k vault.Kept, wanted bool) card {
	out := cardOf(k, wanted)
	out.CardHolderName = maskedName(out.CardHolderName)
	return out
}

type saveInsuranceRequest struct {
	owner
	Card struct {
		Nickname     string `json:"Nickname"`
		HolderName   string `json:"HolderName"`
		CardBin      string `json:"CardBin"`
		CardLastFour string `json:"CardLastFour"`
		Identity     digits `json:"Identity"`
		Month        int    `json:"Month"`
		Year         int    `json:"Year"`
	} `json:"Card"`
	IncludeDetails bool `json:"IncludeDetails"`
}

func (a *API) saveInsurance(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in saveInsuranceRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	k, err := a.Store.Save(ctx, c, vault.NewStoredCard{
		Owner: in.of(vault.Insurance), Nickname: in.Card.Nickname, Holder: in.Card.HolderName, BIN: in.Card.CardBin,
		LastFour: in.Card.CardLastFour, Identity: in.Card.Identity.Value, Month: in.Card.Month, Year: in.Card.Year,
	})
	if err != nil {
		return nil, err
	}
	return insuranceCardOf(k, 4, in.IncludeDetails), nil
}

// handedOver is a card that a browser handed over, and what it is called from now on.
type handedOver struct {
	CardToken digits `json:"CardToken"`
	Nickname  string `json:"Nickname"`
}

type tokenizeRequest struct {
	owner
	handedOver
	Card           *handedOver `json:"Card"` // some write it where the card would be
	IncludeDetails bool        `json:"IncludeDetails"`
}

func (a *API) tokenize(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in tokenizeRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Card != nil {
		in.handedOver = *in.Card
	}
	k, err := a.Store.SaveTemporary(ctx, c, in.of(vault.ECommerce), in.Nickname, in.CardToken.Value)
	if err != nil {
		return nil, err
	}
	return created(k, in.IncludeDetails), nil
}

// list answers with the cards that the selectors in the headers name.
func (a *API) list(s vault.Scope) operation {
	return func(ctx context.Context, c access.Caller, r *request) (any, error) {
		wanted, err := r.flag("includedetails")
		if err != nil {
			return nil, err
		}
		partner := r.header("partneridentity")
		o := owner{partner != "", partner, r.header("relationalid1"), r.header("relationalid2"), r.header("relationalid3")}
		all, err := a.Store.Cards(ctx, c, o.of(s))
		if err != nil {
			return nil, err
		}
		shown := make([]any, len(all))
		for i, k := range all {
			if s == vault.Insurance {
				one := insuranceCardOf(k, 6, wanted)
				one.Expired, shown[i] = &k.Expired, &one
			} else {
				one := cardOf(k, wanted)
				one.Expired, shown[i] = &k.Expired, &one
			}
		}
		return shown, nil
	}
}

type updateRequest struct {
	owner
	UniqueCode string `json:"UniqueCode"`
	Nickname   string `json:"Nickname"`
	Month      int    `json:"Month"`
	Year       int    `json:"Year"`
}

func (a *API) update(s vault.Scope) operation {
	return func(ctx context.Context, c access.Caller, r *request) (any, error) {
		var in updateRequest
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		return nil, a.Store.Update(ctx, c, in.of(s), vault.StoredChange{
			Code: in.UniqueCode, Nickname: in.Nickname, Month: in.Month, Year: in.Year,
		})
	}
}

func (a *API) remove(s vault.Scope) operation {
	return func(ctx context.Context, c access.Caller, r *request) (any, error) {
		var in updateRequest
		if err := r.decode(&in); err != nil {
			return nil, err
		}
		return nil, a.Store.Delete(ctx, c, in.of(s), in.UniqueCode)
	}
}
