package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardBinRequest creates or replaces a BIN. bin itself is taken from the path
// of an update.
type cardBinRequest struct {
	Bin             string                   `json:"bin,omitempty" maxLength:"8" doc:"6 or 8 digits."`
	Brand           api.Enum[brands]         `json:"brand" required:"true"`
	Network         api.Enum[networks]       `json:"network,omitempty" doc:"Absent: the brand's."`
	CardType        api.Enum[cardTypes]      `json:"cardType" required:"true"`
	CardLevel       api.Enum[cardLevels]     `json:"cardLevel,omitempty"`
	Currency        string                   `json:"currencyCode,omitempty" maxLength:"3"`
	Country         string                   `json:"countryCode,omitempty" maxLength:"3"`
	PANLength       int                      `json:"panLength,omitempty" doc:"16 to 19; absent: 16." minimum:"16" maximum:"19"`
	SponsorName     api.FreeText             `json:"sponsorName,omitempty" maxLength:"100"`
	NetworkMemberID api.FreeText             `json:"networkMemberId,omitempty" maxLength:"32"`
	KeySetCode      string                   `json:"keySetCode,omitempty" doc:"Absent: a key set of the BIN's own." maxLength:"32"`
	ThreeDS         bool                     `json:"is3dsEnabled,omitempty"`
	Tokenization    bool                     `json:"isTokenizationEnabled,omitempty"`
	Status          api.Enum[recordStatuses] `json:"status,omitempty"`
	Stamp           string                   `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type cardBin struct {
	Bin             string  `json:"bin"`
	BinLength       int     `json:"binLength"`
	Brand           string  `json:"brand"`
	Network         string  `json:"network"`
	CardType        string  `json:"cardType"`
	CardLevel       *string `json:"cardLevel"`
	Currency        string  `json:"currencyCode"`
	Country         string  `json:"countryCode"`
	PANLength       int     `json:"panLength"`
	SponsorName     *string `json:"sponsorName"`
	NetworkMemberID *string `json:"networkMemberId"`
	KeySetCode      string  `json:"keySetCode"`
	ThreeDS         bool    `json:"is3dsEnabled"`
	Tokenization    bool    `json:"isTokenizationEnabled"`
	Status          string  `json:"status"`
	Audited
}

func (a *API) createBin(ctx context.Context, c access.Caller, in *struct{ Body cardBinRequest }) (cardBin, error) {
	b, err := decodeBin(in.Body)
	if err != nil {
		return cardBin{}, err
	}
	b, err = a.Programs.CreateBIN(ctx, c, b)
	return encodeBin(b), err
}

func (a *API) updateBin(ctx context.Context, c access.Caller, in *struct {
	Bin  string `path:"bin"`
	Body cardBinRequest
}) (cardBin, error) {
	in.Body.Bin = in.Bin
	b, err := decodeBin(in.Body)
	if err != nil {
		return cardBin{}, err
	}
	b, err = a.Programs.UpdateBIN(ctx, c, b, in.Body.Stamp)
	return encodeBin(b), err
}

func (a *API) showBin(ctx context.Context, c access.Caller, in *struct {
	Bin string `path:"bin"`
}) (cardBin, error) {
	b, err := a.Programs.BIN(ctx, c, in.Bin)
	return encodeBin(b), err
}

func (a *API) listBins(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Brand    api.Choice[brands]    `query:"Brand"`
	CardType api.Choice[cardTypes] `query:"CardType"`
}) (api.Page[cardBin], error) {
	var d decoding
	f := program.BINFilter{
		Brand:    program.Brand(enumOf[brands](&d, "Brand", in.Brand)),
		CardType: program.CardType(enumOf[cardTypes](&d, "CardType", in.CardType)),
		Page:     d.page(in.Paging, "bin", "brand"),
	}
	if err := d.err(); err != nil {
		return api.Page[cardBin]{}, err
	}
	page, total, err := a.Programs.BINs(ctx, c, f)
	return api.PageOf(total, encodeAll(page, encodeBin)), err
}

func encodeAll[T, W any](all []T, encode func(T) W) []W {
	out := make([]W, len(all))
	for i, v := range all {
		out[i] = encode(v)
	}
	return out
}

func decodeBin(in cardBinRequest) (program.BIN, error) {
	var d decoding
	b := program.BIN{
		BIN: in.Bin, Brand: program.Brand(in.Brand), Network: program.Network(in.Network), CardType: program.CardType(in.CardType),
		CardLevel: program.CardLevel(in.CardLevel), Currency: d.currency("currencyCode", in.Currency),
		Country: d.country("countryCode", in.Country), PANLength: in.PANLength, SponsorName: string(in.SponsorName),
		NetworkMemberID: string(in.NetworkMemberID), KeySetCode: in.KeySetCode, ThreeDS: in.ThreeDS, Tokenization: in.Tokenization,
		Status: program.RecordStatus(in.Status),
	}
	return b, d.err()
}

func encodeBin(b program.BIN) cardBin {
	return cardBin{
		Bin: b.BIN, BinLength: len(b.BIN), Brand: string(b.Brand), Network: string(b.Network), CardType: string(b.CardType),
		CardLevel: orNil(b.CardLevel), Currency: b.Currency.Code(), Country: b.Country.Alpha2(), PANLength: b.PANLength,
		SponsorName: orNil(b.SponsorName), NetworkMemberID: orNil(b.NetworkMemberID), KeySetCode: b.KeySetCode,
		ThreeDS: b.ThreeDS, Tokenization: b.Tokenization, Status: string(b.Status), Audited: encodeRecord(b.Record),
	}
}

type panGenerations struct{}

// Members lists how card numbers are chosen.
func (panGenerations) Members() []api.Member { return api.Numbered(1, "Random", "Sequential") }

type cardBinRangeRequest struct {
	Code           string                   `json:"code,omitempty" maxLength:"32"`
	Name           api.FreeText             `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Bin            string                   `json:"bin,omitempty" maxLength:"8"`
	Start          string                   `json:"rangeStart,omitempty" maxLength:"18" doc:"Account part without check digit."`
	End            string                   `json:"rangeEnd,omitempty" maxLength:"18" doc:"Inclusive; an update can only raise it."`
	Generation     api.Enum[panGenerations] `json:"panGenerationMethod,omitempty"`
	AlertThreshold *int                     `json:"alertThresholdPercent,omitempty" minimum:"1" maximum:"99" doc:"Absent: 85."`
	Status         api.Enum[recordStatuses] `json:"status,omitempty"`
	Stamp          string                   `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type cardBinRange struct {
	Code           string `json:"code"`
	Name           string `json:"name"`
	Bin            string `json:"bin"`
	Start          string `json:"rangeStart"`
	End            string `json:"rangeEnd"`
	Generation     string `json:"panGenerationMethod"`
	AlertThreshold int    `json:"alertThresholdPercent"`
	Status         string `json:"status"`
	Capacity       int64  `json:"capacity"`
	UsedCount      int64  `json:"usedCount"`
	RemainingCount int64  `json:"remainingCount"`
	UsagePercent   int64  `json:"usagePercent"`
	Audited
}

func (a *API) createBinRange(ctx context.Context, c access.Caller, in *struct{ Body cardBinRangeRequest }) (cardBinRange, error) {
	r, err := a.Programs.CreateRange(ctx, c, decodeBinRange(in.Body))
	return encodeBinRange(r), err
}

func (a *API) updateBinRange(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"binRangeCode"`
	Body cardBinRangeRequest
}) (cardBinRange, error) {
	in.Body.Code = in.Code
	r, err := a.Programs.UpdateRange(ctx, c, decodeBinRange(in.Body), in.Body.Stamp)
	return encodeBinRange(r), err
}

func (a *API) listBinRanges(ctx context.Context, c access.Caller, in *struct {
	Bin    string                     `query:"Bin"`
	Status api.Choice[recordStatuses] `query:"Status"`
}) ([]cardBinRange, error) {
	var d decoding
	status := program.RecordStatus(enumOf[recordStatuses](&d, "Status", in.Status))
	if err := d.err(); err != nil {
		return nil, err
	}
	all, err := a.Programs.Ranges(ctx, c, in.Bin, status)
	return encodeAll(all, encodeBinRange), err
}

func decodeBinRange(in cardBinRangeRequest) program.BINRange {
	return program.BINRange{
		Code: in.Code, Name: string(in.Name), BIN: in.Bin, Start: in.Start, End: in.End,
		Generation: program.PANGeneration(in.Generation), AlertThresholdPercent: value(in.AlertThreshold),
		Status: program.RecordStatus(in.Status),
	}
}

func encodeBinRange(r program.BINRange) cardBinRange {
	return cardBinRange{
		Code: r.Code, Name: r.Name, Bin: r.BIN, Start: r.Start, End: r.End, Generation: string(r.Generation),
		AlertThreshold: r.AlertThresholdPercent, Status: string(r.Status), Capacity: r.Capacity(), UsedCount: r.UsedCount,
		RemainingCount: r.Remaining(), UsagePercent: r.UsagePercent(), Audited: encodeRecord(r.Record),
	}
}
