package fee

import (
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// CardTiming is when a fee for a card, not for what it pays, is charged.
type CardTiming string

// The timings.
const (
	OnOrder      CardTiming = "OnOrder"
	OnProduction CardTiming = "OnProduction"
	OnActivation CardTiming = "OnActivation"
	OnFirstUse   CardTiming = "OnFirstFinancialTransaction"
	// OnAnniversary is a year after the order: only of annual fees.
	OnAnniversary CardTiming = "OnAnniversary"
)

// CardTimings lists all timings, in the order of the contract.
func CardTimings() []CardTiming {
	return []CardTiming{OnOrder, OnProduction, OnActivation, OnFirstUse, OnAnniversary}
}

// Event is something that happens to a card and may cost a fee.
type Event string

// The events.
const (
	FirstIssuance      Event = "FirstIssuance"
	AdditionalCard     Event = "AdditionalCard" // a child card
	RenewalOnExpiry    Event = "RenewalOnExpiry"
	ReplacementLost    Event = "ReplacementLost"
	ReplacementStolen  Event = "ReplacementStolen"
	ReplacementDamaged Event = "ReplacementDamaged"
	ReplacementFraud   Event = "ReplacementFraud"
	NameChange         Event = "NameChange"
	ProductChange      Event = "ProductChange"
	VirtualIssuance    Event = "VirtualIssuance"
	NonameIssuance     Event = "NonameIssuance"
	ExpressDelivery    Event = "ExpressDelivery"
	PINMailer          Event = "PinMailer"
)

// Events lists all events, in the order of the contract.
func Events() []Event {
	return []Event{
		FirstIssuance, AdditionalCard, RenewalOnExpiry, ReplacementLost, ReplacementStolen, ReplacementDamaged, ReplacementFraud,
		NameChange, ProductChange, VirtualIssuance, NonameIssuance, ExpressDelivery, PINMailer,
	}
}

// price is what a card costs: a child card ChildAmount, where there is one.
func price(amount money.Amount, child *money.Amount, isChild bool) money.Amount {
	if isChild && child != nil {
		return *child
	}
	return amount
}

// checkCardPrice checks what a fee for a card costs.
func checkCardPrice(v *fault.Checks, c money.Currency, amount money.Amount, child *money.Amount) {
	v.Is("currencyCode", !c.IsZero(), "required", "is required")
	checkAmount(v, "amount", &amount, c)
	checkAmount(v, "childAmount", child, c)
}

// checkFormFactors checks the kinds of cards that a fee is for; none are all.
func checkFormFactors(v *fault.Checks, factors []program.FormFactor) {
	fault.SomeOf(v, "formFactors", factors, program.FormFactors())
}

// noCriteria is what selects transactions for a fee that has none.
func noCriteria[D any](D) control.Criteria { return control.Criteria{} }
