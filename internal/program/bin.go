package program

import (
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// RecordStatus is whether a definition serves for new cards. Passive stops
// new ones only; what exists works on.
type RecordStatus string

// The record statuses.
const (
	RecordActive  RecordStatus = "Active"
	RecordPassive RecordStatus = "Passive"
)

// Brand is the mark on the card.
type Brand string

// The brands.
const (
	BrandVisa        Brand = "Visa"
	BrandMastercard  Brand = "Mastercard"
	BrandTroy        Brand = "Troy"
	BrandAmex        Brand = "Amex"
	BrandUnionPay    Brand = "UnionPay"
	BrandJCB         Brand = "Jcb"
	BrandDiners      Brand = "Diners"
	BrandProprietary Brand = "Proprietary" // closed loop
)

// Network is where a card's transactions come from by default.
type Network string

// The networks.
const (
	NetworkOnUs       Network = "OnUs"
	NetworkVisa       Network = "Visa"
	NetworkMastercard Network = "Mastercard"
	NetworkTroy       Network = "Troy"
	NetworkBKM        Network = "Bkm" // domestic switch
	NetworkUnionPay   Network = "UnionPay"
	NetworkJCB        Network = "Jcb"
	NetworkAmex       Network = "Amex"
	NetworkDiscover   Network = "Discover"
	NetworkClosedLoop Network = "ClosedLoop"
)

// CardType is where a card's money comes from. Virtual is a [FormFactor],
// never a card type.
type CardType string

// The card types.
const (
	Prepaid CardType = "Prepaid"
	Debit   CardType = "Debit"
	Credit  CardType = "Credit"
)

// CardLevel is the tier a card is marketed as.
type CardLevel string

// The card levels. Empty is none.
const (
	LevelClassic   CardLevel = "Classic"
	LevelGold      CardLevel = "Gold"
	LevelPlatinum  CardLevel = "Platinum"
	LevelSignature CardLevel = "Signature"
	LevelInfinite  CardLevel = "Infinite"
	LevelWorld     CardLevel = "World"
	LevelBusiness  CardLevel = "Business"
	LevelCorporate CardLevel = "Corporate"
	LevelPrepaid   CardLevel = "Prepaid"
)

// BIN is the leading 6 or 8 digits by which card numbers find their tenant.
// It belongs to one tenant of the whole platform, and no BIN lies inside
// another tenant's.
type BIN struct {
	BIN             string // 6 or 8 digits; immutable
	Brand           Brand
	Network         Network
	CardType        CardType
	CardLevel       CardLevel
	Currency        money.Currency
	Country         country.Country
	PANLength       int // 16 to 19
	SponsorName     string
	NetworkMemberID string // the member number at the network
	KeySetCode      string // names the keys of its cards; immutable
	ThreeDS         bool
	Tokenization    bool
	Status          RecordStatus
	access.Record
}

// PANGeneration is how card numbers are chosen in a range.
type PANGeneration string

// The ways to choose a card number.
const (
	RandomPAN     PANGeneration = "Random"
	SequentialPAN PANGeneration = "Sequential"
)

// BINRange is a run of account parts of one BIN, without check digit, that
// products issue from.
type BINRange struct {
	Code                  string
	Name                  string
	BIN                   string
	Start, End            string // inclusive, of equal length: PAN length minus the check digit
	Generation            PANGeneration
	AlertThresholdPercent int
	Status                RecordStatus
	// UsedCount is how many numbers were given out. A [Configuration] does not
	// carry it: it changes with every card.
	UsedCount int64
	access.Record
}

// Capacity is how many card numbers the range holds.
func (r BINRange) Capacity() int64 {
	first, err1 := strconv.ParseInt(r.Start, 10, 64)
	last, err2 := strconv.ParseInt(r.End, 10, 64)
	if err1 != nil || err2 != nil || last < first {
		return 0
	}
	return last - first + 1
}

// Remaining is how many card numbers are left.
func (r BINRange) Remaining() int64 { return max(0, r.Capacity()-r.UsedCount) }

// UsagePercent is the used part of the capacity, rounded down.
func (r BINRange) UsagePercent() int64 {
	c := r.Capacity()
	if c == 0 {
		return 100
	}
	// In 128 bits this would be used*100/c; dividing first keeps it in 64.
	if c > 1<<50 {
		return r.UsedCount / (c / 100)
	}
	return r.UsedCount * 100 / c
}

// Brands, Networks, CardTypes and CardLevels list the known values.
func Brands() []Brand {
	return []Brand{
		BrandVisa, BrandMastercard, BrandTroy, BrandAmex, BrandUnionPay, BrandJCB, BrandDiners, BrandProprietary,
	}
}

// Networks lists the known networks.
func Networks() []Network {
	return []Network{
		NetworkOnUs, NetworkVisa, NetworkMastercard, NetworkTroy, NetworkBKM, NetworkUnionPay, NetworkJCB, NetworkAmex,
		NetworkDiscover, NetworkClosedLoop,
	}
}

// CardTypes lists the known card types.
func CardTypes() []CardType { return []CardType{Prepaid, Debit, Credit} }

// CardLevels lists the known card levels.
func CardLevels() []CardLevel {
	return []CardLevel{
		LevelClassic, LevelGold, LevelPlatinum, LevelSignature, LevelInfinite, LevelWorld, LevelBusiness, LevelCorporate,
		LevelPrepaid,
	}
}

// network is where transactions of a brand come from when nobody says else.
func (b Brand) network() Network {
	switch b {
	case BrandVisa:
		return NetworkVisa
	case BrandMastercard:
		return NetworkMastercard
	case BrandTroy:
		return NetworkTroy
	case BrandAmex:
		return NetworkAmex
	case BrandUnionPay:
		return NetworkUnionPay
	case BrandJCB:
		return NetworkJCB
	case BrandDiners:
		return NetworkDiscover
	}
	return NetworkClosedLoop
}

var recordStatuses = []RecordStatus{RecordActive, RecordPassive}

// withDefaults fills what a new BIN leaves out.
func (b BIN) withDefaults(currency money.Currency) BIN {
	if b.Network == "" {
		b.Network = b.Brand.network()
	}
	if b.Currency.IsZero() {
		b.Currency = currency
	}
	if b.Country.IsZero() {
		b.Country = country.Must("TR")
	}
	if b.PANLength == 0 {
		b.PANLength = 16
	}
	if b.KeySetCode == "" {
		b.KeySetCode = "BIN-" + b.BIN
	}
	if b.Status == "" {
		b.Status = RecordActive
	}
	return b
}

func (b BIN) check() error {
	var v fault.Checks
	v.Is("bin", fault.AllDigits(b.BIN) && (len(b.BIN) == 6 || len(b.BIN) == 8), "not_a_bin", "must be 6 or 8 digits")
	fault.OneOf(&v, "brand", b.Brand, Brands())
	fault.OneOf(&v, "network", b.Network, Networks())
	fault.OneOf(&v, "cardType", b.CardType, CardTypes())
	if b.CardLevel != "" {
		fault.OneOf(&v, "cardLevel", b.CardLevel, CardLevels())
	}
	v.Between("panLength", b.PANLength, 16, 19)
	v.Text("sponsorName", b.SponsorName, 0, 100)
	v.Text("networkMemberId", b.NetworkMemberID, 0, 32)
	v.Code("keySetCode", b.KeySetCode)
	fault.OneOf(&v, "status", b.Status, recordStatuses)
	return v.Err(errInvalid)
}

// check tells what is wrong with the range as one of b.
func (r BINRange) check(b BIN) error {
	var v fault.Checks
	v.Code("code", r.Code)
	v.Text("name", r.Name, 1, 100)
	fault.OneOf(&v, "panGenerationMethod", r.Generation, []PANGeneration{RandomPAN, SequentialPAN})
	v.Between("alertThresholdPercent", r.AlertThresholdPercent, 1, 99)
	fault.OneOf(&v, "status", r.Status, recordStatuses)
	for _, end := range []struct{ name, value string }{{"rangeStart", r.Start}, {"rangeEnd", r.End}} {
		switch {
		case !fault.AllDigits(end.value) || len(end.value) != b.PANLength-1:
			v.Fail(end.name, "not_an_account_part", "must be the digits of a card number of the BIN without the last one")
		case end.value[:len(b.BIN)] != b.BIN:
			v.Fail(end.name, "outside_bin", "must begin with the BIN")
		}
	}
	if len(v.Fields) == 0 && r.Start > r.End {
		v.Fail("rangeEnd", "before_start", "must not be below rangeStart")
	}
	return v.Err(errInvalid)
}
