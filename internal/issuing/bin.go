package issuing

import (
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/country"
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
	Record
}

// Record is who wrote a definition and when, and the stamp that changes with
// every write.
type Record struct {
	ConcurrencyStamp string
	CreatedAt        time.Time
	CreatedBy        string
	UpdatedAt        time.Time
	UpdatedBy        string
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
	Record
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
