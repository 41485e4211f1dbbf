package fee

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// OnIssuance is a fee for having a card made.
type OnIssuance struct {
	control.Head
	Currency    money.Currency
	Events      []Event
	Amount      money.Amount
	ChildAmount *money.Amount        // of a supplementary card; nil is the same
	FormFactors []program.FormFactor // none: all
	// FreePerYear is how many of its events cost nothing for an issuance in each
	// calendar year of the tenant's zone.
	FreePerYear         int
	Timing              CardTiming
	RefundsCancellation bool // before the card is produced
	Rule                rule.Source
	Taxes               []TaxUse

	AccountingCode string
	StatementText  string
}

// NewOnIssuance is a fee for cards with the contract's defaults.
func NewOnIssuance(code string) OnIssuance {
	return OnIssuance{Head: control.Head{Code: code, IsActive: true}, Timing: OnOrder, RefundsCancellation: true}
}

func (f OnIssuance) check() error {
	var v fault.Checks
	f.Head.CheckInto(&v)
	v.Is("events", len(f.Events) > 0, "required", "must name at least one")
	fault.SomeOf(&v, "events", f.Events, Events())
	checkCardPrice(&v, f.Currency, f.Amount, f.ChildAmount)
	checkFormFactors(&v, f.FormFactors)
	v.Between("freeCountPerCalendarYear", f.FreePerYear, 0, 1000)
	v.Is("chargeTiming", f.Timing != OnAnniversary, "not_allowed", "is for annual fees")
	fault.OneOf(&v, "chargeTiming", f.Timing, CardTimings())
	checkUses(&v, f.Taxes)
	checkTexts(&v, f.AccountingCode, f.StatementText)
	return v.Err(errInvalid)
}

// isFor reports whether an event with a card of a form factor costs the fee.
func (f OnIssuance) isFor(e Event, factor program.FormFactor) bool {
	return slices.Contains(f.Events, e) && (len(f.FormFactors) == 0 || slices.Contains(f.FormFactors, factor))
}

// IssuanceFees are the fees for cards of tenants.
var IssuanceFees = control.Definitions[OnIssuance]{
	Kind: control.IssuanceFee, Entity: "CardIssuanceFee", Permission: access.IssuingFee,
	Head:  func(f *OnIssuance) *control.Head { return &f.Head },
	Check: OnIssuance.check,
	Fit:   func(f OnIssuance, _ *OnIssuance, _ []OnIssuance) (OnIssuance, error) { return f, nil },
	FitProduct: func(f OnIssuance, p program.Product) error {
		return fitCurrency(f.Code, f.Currency, p)
	},
	FitTenant: func(f OnIssuance, cfg *program.Configuration, now time.Time) error {
		return fitTaxes(f.Head, f.Taxes, cfg, now)
	},
	Criteria: noCriteria[OnIssuance],
	Rule:     func(f OnIssuance) rule.Source { return f.Rule }, Context: rule.IssuanceFee,
	Encode: encodeOnIssuance, Decode: decodeOnIssuance,
	NotFound: errNotFound, Exists: errExists, InUse: errInUse,
}

// issuanceDocument is the text of a fee for cards.
type issuanceDocument struct {
	Fee         issuanceTerms
	Amount      int64
	ChildAmount *int64
}

// issuanceTerms are a fee for cards without its head and its amounts.
type issuanceTerms struct {
	Currency            money.Currency
	Events              []Event
	FormFactors         []program.FormFactor
	FreePerYear         int
	Timing              CardTiming
	RefundsCancellation bool
	Rule                rule.Source
	Taxes               []TaxUse
	AccountingCode      string
	StatementText       string
}

func encodeOnIssuance(f OnIssuance) (string, error) {
	text, err := json.Marshal(issuanceDocument{
		Fee: issuanceTerms{
			f.Currency, f.Events, f.FormFactors, f.FreePerYear, f.Timing, f.RefundsCancellation, f.Rule, f.Taxes, f.AccountingCode, f.StatementText,
		},
		Amount: f.Amount.Minor(), ChildAmount: minorOf(f.ChildAmount),
	})
	return string(text), err
}

func decodeOnIssuance(document string) (OnIssuance, error) {
	var d issuanceDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return OnIssuance{}, fmt.Errorf("read fee for cards: %w", err)
	}
	t := d.Fee
	r := amountReader{currency: t.Currency}
	f := OnIssuance{
		Currency: t.Currency, Events: t.Events, Amount: r.must(d.Amount), ChildAmount: r.amount(d.ChildAmount), FormFactors: t.FormFactors,
		FreePerYear: t.FreePerYear, Timing: t.Timing, RefundsCancellation: t.RefundsCancellation, Rule: t.Rule, Taxes: t.Taxes,
		AccountingCode: t.AccountingCode, StatementText: t.StatementText,
	}
	if r.err != nil {
		return OnIssuance{}, fmt.Errorf("read fee for cards: %w", r.err)
	}
	return f, nil
}
