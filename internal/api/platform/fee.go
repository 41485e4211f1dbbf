package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// The three families of fees (§13.1) have the same operations; what differs is
// what a fee is.

// FeeRequest is what the requests of all fees have (§13.2).
type FeeRequest struct {
	Code           string       `json:"code,omitempty" maxLength:"32" doc:"Of a new fee; it never changes."`
	Name           api.FreeText `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description    api.FreeText `json:"description,omitempty" maxLength:"250"`
	CurrencyCode   string       `json:"currencyCode" required:"true" maxLength:"3" doc:"Of all amounts; the fee is for cards of products of this currency."`
	Taxes          []feeTaxUse  `json:"taxes,omitempty" maxItems:"5" doc:"That lie on the fee. Their rates are in the tenant's issuing attributes, by day."`
	Rule           ruleSource   `json:"rule,omitempty"`
	AccountingCode api.FreeText `json:"accountingCode,omitempty" maxLength:"32" doc:"For reports."`
	StatementText  api.FreeText `json:"statementText,omitempty" maxLength:"40" doc:"Absent: the name."`
	StartDate      *time.Time   `json:"startDate,omitempty"`
	EndDate        *time.Time   `json:"endDate,omitempty"`
	IsActive       *bool        `json:"isActive,omitempty" doc:"Absent: true."`
	Stamp          string       `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// feeTaxUse is a tax that a request names. Its rate is not read.
type feeTaxUse struct {
	TaxType    api.Enum[taxTypes] `json:"taxType" required:"true"`
	Rate       api.Decimal        `json:"rate,omitempty" doc:"Not read: the rate of the day is the tenant's."`
	IsIncluded bool               `json:"isIncluded,omitempty" doc:"The tax lies inside the fee, not on top of it."`
}

// FeeAnswer is what the answers of all fees have.
type FeeAnswer struct {
	Code           string     `json:"code"`
	Name           string     `json:"name"`
	Description    *string    `json:"description"`
	CurrencyCode   string     `json:"currencyCode"`
	Taxes          []feeTax   `json:"taxes"`
	Rule           ruleSource `json:"rule"`
	AccountingCode *string    `json:"accountingCode"`
	StatementText  *string    `json:"statementText"`
	StartDate      *time.Time `json:"startDate"`
	EndDate        *time.Time `json:"endDate"`
	IsActive       bool       `json:"isActive"`
	Version        int        `json:"version"`
	Links          []feeLink  `json:"links,omitempty" doc:"Of a creation."`
	Audited
}

// feeTax is a tax of a fee as it stands today.
type feeTax struct {
	TaxType    string      `json:"taxType"`
	Rate       api.Decimal `json:"rate" nullable:"true" doc:"Percent; what the tenant's table says for today, null where it says nothing."`
	IsIncluded bool        `json:"isIncluded"`
}

// feeLinkRequest is CreateUpdateTransactionFeeLinkDto, and those of the other
// families.
type feeLinkRequest struct {
	FeeCode string `json:"feeCode" required:"true" maxLength:"32"`
	ControlLinkRequest
}

// feeLink is TransactionFeeLinkDto, and those of the other families.
type feeLink struct {
	FeeCode string `json:"feeCode"`
	FeeName string `json:"feeName"`
	ControlLink
}

// FeePath names a fee.
type FeePath struct {
	Code string `path:"feeCode" maxLength:"64"`
}

// feeFamily is one family of fees: D is a fee, Q what a request says of one, A
// the answer.
type feeFamily[D, Q, A any] struct {
	linked[D, feeLink]
	common func(*Q) *FeeRequest
	decode func(Q) (D, error)
	encode func(D, taxTable) A
	answer func(*A) *FeeAnswer
}

// feeCreation is a new fee with the links it begins with.
type feeCreation[Q any] struct {
	Fee   Q
	Links []ControlLinkRequest
}

func (f feeFamily[D, Q, A]) create(ctx context.Context, c access.Caller, in feeCreation[Q]) (out A, err error) {
	d, err := f.decode(in.Fee)
	if err != nil {
		return out, err
	}
	d, links, err := f.begin(ctx, c, d, in.Links)
	if err != nil {
		return out, err
	}
	out, err = f.shown(ctx, c, d)
	f.answer(&out).Links = links
	return out, err
}

func (f feeFamily[D, Q, A]) update(ctx context.Context, c access.Caller, in *struct {
	FeePath
	Body Q
}) (out A, err error) {
	f.common(&in.Body).Code = in.Code
	d, err := f.decode(in.Body)
	if err != nil {
		return out, err
	}
	if d, _, err = f.kept.Update(ctx, f.a.Controls, c, d, f.common(&in.Body).Stamp); err != nil {
		return out, err
	}
	return f.shown(ctx, c, d)
}

func (f feeFamily[D, Q, A]) show(ctx context.Context, c access.Caller, in *FeePath) (out A, err error) {
	d, err := f.kept.Named(ctx, f.a.Controls, c, in.Code)
	if err != nil {
		return out, err
	}
	return f.shown(ctx, c, d)
}

func (f feeFamily[D, Q, A]) shown(ctx context.Context, c access.Caller, d D) (out A, err error) {
	taxes, err := f.a.taxesToday(ctx, c)
	if err != nil {
		return out, err
	}
	return f.encode(d, taxes), nil
}

func (f feeFamily[D, Q, A]) list(ctx context.Context, c access.Caller, in *struct {
	Filter   string `query:"Filter" maxLength:"100" doc:"Word prefixes of code and name."`
	IsActive string `query:"IsActive" enum:"true,false"`
}) ([]A, error) {
	taxes, err := f.a.taxesToday(ctx, c)
	if err != nil {
		return nil, err
	}
	all, err := f.kept.All(ctx, f.a.Controls, c, in.Filter)
	out := []A{}
	for _, d := range all {
		if isSaid(in.IsActive, f.kept.Head(&d).IsActive) {
			out = append(out, f.encode(d, taxes))
		}
	}
	return out, err
}

func (f feeFamily[D, Q, A]) delete(ctx context.Context, c access.Caller, in *FeePath) (nothing, error) {
	return nothing{}, f.kept.Delete(ctx, f.a.Controls, c, in.Code)
}

func (f feeFamily[D, Q, A]) link(ctx context.Context, c access.Caller, in *struct{ Body feeLinkRequest }) (feeLink, error) {
	return f.tie(ctx, c, in.Body.FeeCode, in.Body.ControlLinkRequest)
}

func (f feeFamily[D, Q, A]) links(ctx context.Context, c access.Caller, in *struct {
	FeeCode string `query:"FeeCode" maxLength:"32"`
	LinkQuery
}) ([]feeLink, error) {
	return f.ties(ctx, c, in.FeeCode, in.LinkQuery)
}

// linkedFees is one family of fees with its links.
func linkedFees[D any](a *API, kept *control.Definitions[D]) linked[D, feeLink] {
	return linked[D, feeLink]{a: a, kept: kept, encodeLink: func(l control.Link, n control.LinkName) feeLink {
		return feeLink{l.Parent, n.Parent, encodeControlLink(l, n)}
	}}
}

// taxTable is what a tenant's taxes are on a day.
type taxTable struct {
	attributes program.Attributes
	on         clock.Date
}

func (a *API) taxesToday(ctx context.Context, c access.Caller) (taxTable, error) {
	cfg, err := a.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return taxTable{}, err
	}
	return taxTable{cfg.Attributes, clock.DateOf(c.Now(a.Clock), cfg.Tenant.Zone)}, nil
}

func (t taxTable) encode(u fee.TaxUse) feeTax {
	out := feeTax{TaxType: string(u.Type), IsIncluded: u.IsIncluded}
	if rate, known := t.attributes.TaxRate(string(u.Type), t.on); known {
		out.Rate = percentOf(rate)
	}
	return out
}

func decodeTaxUse(in feeTaxUse) fee.TaxUse {
	return fee.TaxUse{Type: fee.TaxType(in.TaxType), IsIncluded: in.IsIncluded}
}

// decodeHead reads what every definition has.
func (in *FeeRequest) head() control.Head {
	return control.Head{
		Code: in.Code, Name: string(in.Name), Description: string(in.Description), StartsAt: utc(in.StartDate), EndsAt: utc(in.EndDate),
		IsActive: or(in.IsActive, true),
	}
}

// encodeFee shows what every fee has; the members that stand elsewhere in each
// are given.
func encodeFee(h control.Head, currency string, taxes []feeTax, rule ruleSource, accounting, statement string) FeeAnswer {
	return FeeAnswer{
		Code: h.Code, Name: h.Name, Description: orNil(h.Description), CurrencyCode: currency, Taxes: taxes, Rule: rule,
		AccountingCode: orNil(accounting), StatementText: orNil(statement), StartDate: h.StartsAt, EndDate: h.EndsAt,
		IsActive: h.IsActive, Version: h.Version, Audited: encodeRecord(h.Record),
	}
}
