package fee

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Yearly is a fee for having a card, for each year.
type Yearly struct {
	control.Head
	Currency    money.Currency
	Amount      money.Amount
	ChildAmount *money.Amount // of a supplementary card; nil is the same
	// Timing is when the first year is charged; every other one begins a year after
	// the one before.
	Timing    CardTiming
	FreeFirst bool // the first year costs nothing
	// A year costs nothing when the card has spent, or paid as often, in the twelve
	// months before it; zero and nil waive nothing.
	WaiverSpend  *money.Amount
	WaiverCount  int
	Instalments  int  // monthly parts that a year is charged in
	ProRata      bool // a card that closes gets back what is left of its year
	NoticeDays   int  // a charge is told that long before; 0 is not told
	MaxRetryDays int  // how long a charge is tried again that the account does not bear
	Rule         rule.Source
	Taxes        []TaxUse

	AccountingCode string
	StatementText  string
}

// NewYearly is an annual fee with the contract's defaults.
func NewYearly(code string) Yearly {
	return Yearly{
		Head: control.Head{Code: code, IsActive: true}, Timing: OnFirstUse, Instalments: 1, ProRata: true, NoticeDays: 30, MaxRetryDays: 90,
	}
}

func (f Yearly) check() error {
	var v fault.Checks
	f.Head.CheckInto(&v)
	checkCardPrice(&v, f.Currency, f.Amount, f.ChildAmount)
	fault.OneOf(&v, "chargeTiming", f.Timing, CardTimings())
	v.Is("waiverMinAnnualSpend", f.WaiverSpend == nil || f.WaiverSpend.Sign() > 0, "out_of_range", "must be above zero")
	checkAmount(&v, "waiverMinAnnualSpend", f.WaiverSpend, f.Currency)
	v.Is("waiverMinTransactionCount", f.WaiverCount >= 0 && f.WaiverCount <= countMax, "out_of_range", "must be from 1 to 1000000000")
	v.Between("installmentCount", f.Instalments, 1, 12)
	v.Between("noticeDays", f.NoticeDays, 0, 365)
	v.Between("maxRetryDays", f.MaxRetryDays, 0, 365)
	checkUses(&v, f.Taxes)
	checkTexts(&v, f.AccountingCode, f.StatementText)
	return v.Err(errInvalid)
}

// AnnualFees are the annual fees of tenants.
var AnnualFees = control.Definitions[Yearly]{
	Kind: control.AnnualFee, Entity: "CardAnnualFee", Permission: access.IssuingFee,
	Head:  func(f *Yearly) *control.Head { return &f.Head },
	Check: Yearly.check,
	Fit:   func(f Yearly, _ *Yearly, _ []Yearly) (Yearly, error) { return f, nil },
	FitProduct: func(f Yearly, p program.Product) error {
		return fitCurrency(f.Code, f.Currency, p)
	},
	FitTenant: func(f Yearly, cfg *program.Configuration, now time.Time) error {
		return fitTaxes(f.Head, f.Taxes, cfg, now)
	},
	Criteria: noCriteria[Yearly],
	Rule:     func(f Yearly) rule.Source { return f.Rule }, Context: rule.AnnualFee,
	Encode: encodeYearly, Decode: decodeYearly,
	NotFound: errNotFound, Exists: errExists, InUse: errInUse,
}

// yearlyDocument is the text of an annual fee.
type yearlyDocument struct {
	Fee                      yearlyTerms
	Amount                   int64
	ChildAmount, WaiverSpend *int64
}

// yearlyTerms are an annual fee without its head and its amounts.
type yearlyTerms struct {
	Currency       money.Currency
	Timing         CardTiming
	FreeFirst      bool
	WaiverCount    int
	Instalments    int
	ProRata        bool
	NoticeDays     int
	MaxRetryDays   int
	Rule           rule.Source
	Taxes          []TaxUse
	AccountingCode string
	StatementText  string
}

func encodeYearly(f Yearly) (string, error) {
	text, err := json.Marshal(yearlyDocument{
		Fee: yearlyTerms{
			f.Currency, f.Timing, f.FreeFirst, f.WaiverCount, f.Instalments, f.ProRata, f.NoticeDays, f.MaxRetryDays, f.Rule, f.Taxes,
			f.AccountingCode, f.StatementText,
		},
		Amount: f.Amount.Minor(), ChildAmount: minorOf(f.ChildAmount), WaiverSpend: minorOf(f.WaiverSpend),
	})
	return string(text), err
}

func decodeYearly(document string) (Yearly, error) {
	var d yearlyDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return Yearly{}, fmt.Errorf("read annual fee: %w", err)
	}
	t := d.Fee
	r := amountReader{currency: t.Currency}
	f := Yearly{
		Currency: t.Currency, Amount: r.must(d.Amount), ChildAmount: r.amount(d.ChildAmount), Timing: t.Timing, FreeFirst: t.FreeFirst,
		WaiverSpend: r.amount(d.WaiverSpend), WaiverCount: t.WaiverCount, Instalments: t.Instalments, ProRata: t.ProRata,
		NoticeDays: t.NoticeDays, MaxRetryDays: t.MaxRetryDays, Rule: t.Rule, Taxes: t.Taxes, AccountingCode: t.AccountingCode,
		StatementText: t.StatementText,
	}
	if r.err != nil {
		return Yearly{}, fmt.Errorf("read annual fee: %w", r.err)
	}
	return f, nil
}
