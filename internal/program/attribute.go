package program

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// BalanceMode is who owns the balance a card spends from.
type BalanceMode string

// The balance modes.
const (
	BalanceInternal BalanceMode = "Internal" // our ledger
	BalanceExternal BalanceMode = "External" // the client's, asked at each authorization
	BalanceHybrid   BalanceMode = "Hybrid"   // the client's, with stand-in from ours
)

// StandInAction is what happens when a client that owns its balances does not
// answer in time.
type StandInAction string

// The stand-in actions.
const (
	StandInDecline     StandInAction = "Decline"
	StandInApproveUpTo StandInAction = "ApproveUpTo"
)

// StandInPolicy bounds what is approved for a client that does not answer.
// The amounts matter for StandInApproveUpTo only.
type StandInPolicy struct {
	Action               StandInAction
	AmountPerTransaction *money.Amount
	AmountPerDay         *money.Amount
	MCCExclusions        []string
}

// HoldExpiryDays is after how many days an authorization that was not cleared
// lets its money go.
type HoldExpiryDays struct {
	Default  int
	PreAuth  int
	HotelCar int
	ATM      int
}

// ClearingTolerance is by how much a presentment may exceed its authorization
// for merchants of these categories.
type ClearingTolerance struct {
	Name string
	MCCs []string // four digits, or a range "3501-3999"
	Rate money.Rate
}

// ClearingTolerances are the allowances of matching. What no list names may
// not exceed at all.
type ClearingTolerances struct {
	ByMCC []ClearingTolerance
	// FX is the allowance on the billing amount where the transaction amounts
	// are equal.
	FX money.Rate
	// RefundAlert is the amount above which a refund without a purchase raises
	// an exception; nil for every one.
	RefundAlert *money.Amount
}

// TaxRate is the rate of a tax from a day on, until the next one of that tax.
type TaxRate struct {
	TaxType       string // Bsmv, Kkdf, Kdv, StampTax, Other
	Rate          money.Rate
	EffectiveFrom string // YYYY-MM-DD
}

// Attributes is a tenant's one document of issuing switches.
type Attributes struct {
	BalanceMode                BalanceMode
	StandIn                    StandInPolicy
	ClientTimeout              time.Duration // of the client's authorization hook
	PINCounterDailyReset       bool
	PINSMSCoolingHours         int
	PINSMSDailyLimit           int
	LostReactivationHours      int // 0: a lost card never comes back
	ActivateOnFirstPIN         bool
	AllowRecurringWhenInactive bool
	ChildPolicyCapped          bool
	UniqueMobilePhone          bool
	WeekStart                  time.Weekday
	HolidayCalendarCode        string
	MaxContactlessLimit        *money.Amount // nil: no cap
	UndeliveredCancelDays      int           // 0: never
	AllowFeeShortfall          bool
	TaxRates                   []TaxRate
	HoldExpiryDays             HoldExpiryDays
	ClearingTolerances         ClearingTolerances
	SettlementCutOff           string // HH:MM in the tenant's zone
	DetokenizeDailyQuota       int
	ResponseCodeMap            map[string]string // reason → DE39, over the network's table
	SMSTemplates               map[string]string // event → text
	AllowClearSensitive        bool              // sandbox tenants only
	DigitalSlipRetentionMonths int
	access.Record
}

// TaxRate returns the rate of a tax on a day: that of the latest row of the
// table that is in force by then. A tax that the table does not know yet has no
// rate.
func (a Attributes) TaxRate(tax string, on clock.Date) (rate money.Rate, known bool) {
	day, latest := on.String(), ""
	for _, r := range a.TaxRates {
		if r.TaxType == tax && r.EffectiveFrom <= day && r.EffectiveFrom > latest {
			rate, known, latest = r.Rate, true, r.EffectiveFrom
		}
	}
	return rate, known
}

// foreignTo returns the currency of the first amount that is in another one
// than c, if there is such an amount.
func (a Attributes) foreignTo(c money.Currency) (money.Currency, bool) {
	for _, amount := range []*money.Amount{
		a.StandIn.AmountPerTransaction, a.StandIn.AmountPerDay, a.MaxContactlessLimit, a.ClearingTolerances.RefundAlert,
	} {
		if amount != nil && amount.Currency() != c {
			return amount.Currency(), true
		}
	}
	return money.Currency{}, false
}

// DefaultAttributes are the switches of a tenant that has set none.
func DefaultAttributes(currency money.Currency, sandbox bool) Attributes {
	a := Attributes{
		BalanceMode:                BalanceInternal,
		StandIn:                    StandInPolicy{Action: StandInDecline},
		ClientTimeout:              2 * time.Second,
		PINSMSCoolingHours:         24,
		PINSMSDailyLimit:           3,
		WeekStart:                  time.Monday,
		UndeliveredCancelDays:      60,
		HoldExpiryDays:             HoldExpiryDays{Default: 7, PreAuth: 30, HotelCar: 30, ATM: 1},
		ClearingTolerances:         defaultTolerances(),
		SettlementCutOff:           "23:59",
		DetokenizeDailyQuota:       1000,
		AllowClearSensitive:        sandbox,
		DigitalSlipRetentionMonths: 6,
	}
	if currency == money.MustCurrency("TRY") {
		// The PIN-less limit of the Turkish market since 15 January 2026.
		market := money.Must(250_000, "TRY")
		a.MaxContactlessLimit = &market
	}
	return a
}

// defaultTolerances is the union of both lists of the contract: tips 20 %,
// lodging and rental 15 %; fuel is an estimate with a cap of its own and
// stands here with the scheme's usual one.
func defaultTolerances() ClearingTolerances {
	return ClearingTolerances{
		FX: 100_000,
		ByMCC: []ClearingTolerance{
			{Name: "Tips", MCCs: []string{"4121", "5811-5814", "7230", "7297", "7298"}, Rate: 200_000},
			{Name: "LodgingAndRental", MCCs: []string{"3351-3441", "3501-3999", "4411", "7011", "7512-7513"}, Rate: 150_000},
		},
	}
}
