package cardstore

import (
	"context"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/vault"
)

type blacklistRequest struct {
	PartnerBased    bool   `json:"PartnerBased"`
	PartnerIdentity string `json:"PartnerIdentity"`
	IsSavedCard     bool   `json:"IsSavedCard"`
	UniqueCode      string `json:"UniqueCode"`
	CardNumber      digits `json:"CardNumber"`
}

func (b blacklistRequest) subject() vault.BlacklistSubject {
	return vault.BlacklistSubject{
		PartnerBased: b.PartnerBased, Partner: b.PartnerIdentity, IsStored: b.IsSavedCard, Code: b.UniqueCode, Number: b.CardNumber.Value,
	}
}

type blacklistAdded struct {
	ID string `json:"Id"`
}

func (a *API) blacklist(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in blacklistRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	b, err := a.Store.Blacklist(ctx, c, in.subject())
	if err != nil {
		return nil, err
	}
	return blacklistAdded{b.ID}, nil
}

func (a *API) whitelist(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in blacklistRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	return nil, a.Store.Whitelist(ctx, c, in.subject())
}

type blacklistState struct {
	ID                string `json:"Id"`
	InsertDateTimeUtc string `json:"InsertDateTimeUtc"`
	UpdateDateTimeUtc string `json:"UpdateDateTimeUtc"`
	InBlackList       bool   `json:"InBlackList"`
	IsActive          bool   `json:"IsActive"`
}

func (a *API) blacklisted(ctx context.Context, c access.Caller, r *request) (any, error) {
	partnerBased, err := r.flag("partnerbased")
	if err != nil {
		return nil, err
	}
	stored, err := r.flag("issavedcard")
	if err != nil {
		return nil, err
	}
	b, found, err := a.Store.BlacklistOf(ctx, c, vault.BlacklistSubject{
		PartnerBased: partnerBased, Partner: r.header("partneridentity"), IsStored: stored, Code: r.header("uniquecode"),
		Number: secret.FromString(r.header("cardnumber")),
	})
	if err != nil {
		return nil, err
	}
	if !found {
		b.ID = "00000000-0000-0000-0000-000000000000"
	}
	return blacklistState{b.ID, moment(b.CreatedAt), "0001-01-01T00:00:00", found, found}, nil
}

type binState struct {
	BinNumber                string  `json:"BinNumber"`
	CardBankID               int     `json:"CardBankId"`
	CardBank                 string  `json:"CardBank"`
	CardBrandID              int     `json:"CardBrandId"`
	CardBrand                string  `json:"CardBrand"`
	CardFamilyID             *int    `json:"CardFamilyId"`
	CardFamily               *string `json:"CardFamily"`
	CardKindID               int     `json:"CardKindId"`
	CardKind                 string  `json:"CardKind"`
	CardTypeID               int     `json:"CardTypeId"`
	CardType                 string  `json:"CardType"`
	IsMatchedByEightDigitBin bool    `json:"IsMatchedByEightDigitBin"`
	IsMatchedBySixDigitBin   bool    `json:"IsMatchedBySixDigitBin"`
}

func (a *API) bin(ctx context.Context, _ access.Caller, r *request) (any, error) {
	asked := r.header("binnumber")
	b, err := a.Store.BIN(ctx, asked)
	if err != nil {
		return nil, err
	}
	out := binState{
		BinNumber: asked, CardBankID: b.BankID, CardBank: b.Bank, CardBrandID: b.BrandID, CardBrand: brands[b.BrandID],
		CardKindID: b.KindID, CardKind: kinds[b.KindID], CardTypeID: b.TypeID, CardType: types[b.TypeID],
		IsMatchedByEightDigitBin: len(b.BIN) == 8, IsMatchedBySixDigitBin: len(b.BIN) == 6,
	}
	if b.FamilyID != 0 {
		name := families[b.FamilyID]
		out.CardFamilyID, out.CardFamily = &b.FamilyID, &name
	}
	return out, nil
}

type tokenRequest struct {
	ClientCardSave bool `json:"ClientCardSave"`
	ThreeDSession  bool `json:"ThreeDSession"`
	ExpiryMin      int  `json:"ExpiryMin"`
}

type tokenState struct {
	TempTokenID    int        `json:"TempTokenId"`
	Token          string     `json:"Token"`
	ExpiryDateTime string     `json:"ExpiryDateTime"`
	Scope          tokenScope `json:"Scope"`
}

type tokenScope struct {
	ClientCardSave bool `json:"ClientCardSave"`
	ThreeDSession  bool `json:"ThreeDSession"`
}

// expiryFormat has no zone; it is UTC.
const expiryFormat = "2006-01-02T15:04:05"

func (a *API) newToken(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in tokenRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	t, err := a.Store.NewToken(ctx, c, in.ExpiryMin)
	if err != nil {
		return nil, err
	}
	return tokenState{t.Number, t.Token, t.ExpiresAt.UTC().Format(expiryFormat), tokenScope{in.ClientCardSave, in.ThreeDSession}}, nil
}

type temporaryRequest struct {
	CardType        int    `json:"CardType"`
	CardOwnerName   string `json:"CardOwnerName"`
	ExpiryMin       int    `json:"ExpiryMin"`
	CardNumber      digits `json:"CardNumber"`
	CardCvv         digits `json:"CardCvv"`
	CardExpiryMonth string `json:"CardExpiryMonth"`
	CardExpiryYear  string `json:"CardExpiryYear"`
	CardNoFirst     string `json:"CardNoFirst"`
	CardNoLast      string `json:"CardNoLast"`
	IdentityNumber  digits `json:"IdentityNumber"`
}

type temporaryState struct {
	TempCardID     int    `json:"TempCardId"`
	CardToken      string `json:"CardToken"`
	ExpiryDateTime string `json:"ExpiryDateTime"`
}

func (a *API) newCard(ctx context.Context, c access.Caller, r *request) (any, error) {
	var in temporaryRequest
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	month, _ := strconv.Atoi(in.CardExpiryMonth) // 0 is no month, and refused as such
	year, _ := strconv.Atoi(in.CardExpiryYear)
	if len(in.CardExpiryYear) == 2 {
		year += 2000
	}
	t, err := a.Store.NewCard(ctx, c, secret.FromString(r.header("token")), vault.NewTemporaryCard{
		Scope: vault.Scope(in.CardType), Holder: in.CardOwnerName, Number: in.CardNumber.Value, CVV2: in.CardCvv.Value,
		Month: month, Year: year, BIN: in.CardNoFirst, LastFour: in.CardNoLast, Identity: in.IdentityNumber.Value, Minutes: in.ExpiryMin,
	})
	if err != nil {
		return nil, err
	}
	return temporaryState{t.Number, t.Token, t.ExpiresAt.UTC().Format(expiryFormat)}, nil
}
