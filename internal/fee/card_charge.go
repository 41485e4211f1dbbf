package fee

import (
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// ChargeStatus is how far the charge of a [CardFee] is.
type ChargeStatus string

// The statuses.
const (
	Awaited      ChargeStatus = "Waiting"   // for its timing
	Chargeable   ChargeStatus = "Due"       // to be charged
	Unpaid       ChargeStatus = "Pending"   // the account did not bear it: it is tried again
	Paid         ChargeStatus = "Charged"   //
	FreeOfCharge ChargeStatus = "Free"      // it costs nothing
	Cancelled    ChargeStatus = "Cancelled" // before it was charged
	GivenUp      ChargeStatus = "Failed"    // it was not borne for too long
	PaidBack     ChargeStatus = "Refunded"  // all of it
)

// CardFee is a fee that is charged for a card, or a part of one: for having it
// made, or for a year. Its terms are those of the day it was ordered on.
type CardFee struct {
	ID       id.ID[CardFee]
	Tenant   access.TenantID
	Issuance id.ID[issuing.Issuance]
	Card     id.ID[issuing.Card] // that was made; of a year the one in force as it began
	// Occasion is what it is charged for, once for an issuance: an event with its
	// card, or a year. Part counts the instalments from 1.
	Occasion string
	Part     int
	Event    Event // of a fee for making a card
	Year     int   // of a yearly fee, from 1

	Applied Applied
	Price   money.Amount // what Applied.Terms are computed on: they are all of it
	// ToGiveBack is what of the price is not to be paid after all, GivenBack what of
	// that was given back.
	ToGiveBack, GivenBack money.Amount

	Timing       CardTiming
	Status       ChargeStatus
	IsProRata    bool // what is left of its year is given back
	IsRefundable bool // when the card is cancelled; no longer when it is produced
	// IsAsked says that the owner of the balance was asked for the fee and has not
	// answered: it may have debited it.
	IsAsked   bool
	CheckAt   time.Time // when something is to be done with it; business time
	DueOn     clock.Date
	RetryDays int // after DueOn
	CreatedAt time.Time
	UpdatedAt time.Time
}

// IDPrefix makes the identifiers of fees for cards cfe_….
func (CardFee) IDPrefix() string { return "cfe" }

// Remaining is what of the price is to be paid.
func (f CardFee) Remaining() money.Amount { return add(f.Price, f.ToGiveBack.Neg()) }

// Charge is what the fee comes to with its taxes, less what is not to be paid
// after all.
func (f CardFee) Charge() (Charge, error) { return f.Applied.Terms.On(f.Remaining()) }

// issuanceRetryDays is how long a fee for making a card is tried (contract
// §13.4).
const issuanceRetryDays = 30

func occasionOf(e Event, card id.ID[issuing.Card]) string { return string(e) + "/" + card.String() }

func occasionOfYear(year int) string { return "Year/" + strconv.Itoa(year) }

// cardTerms are the terms of a fee that is its price, whatever remains of it.
func cardTerms(c money.Currency, taxes []Tax) Terms {
	return Terms{Calculation: ByRate, Rate: hundredPercent, Fixed: money.Zero(c), Taxes: taxes}
}
