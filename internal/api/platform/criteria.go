package platform

import (
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
)

// transactionCriteria is TransactionCriteriaDto (§9.2): every list that is there
// must hold the transaction's value.
type transactionCriteria struct {
	TransactionCodes    []api.Enum[transactionCodes]    `json:"transactionCodes,omitempty" maxItems:"100"`
	FlowCodes           []api.Enum[flowCodes]           `json:"flowCodes,omitempty" maxItems:"100"`
	Networks            []api.Enum[networks]            `json:"networks,omitempty" maxItems:"100"`
	Domains             []api.Enum[transactionDomains]  `json:"domains,omitempty" maxItems:"100"`
	PosEntryModes       []api.Enum[posEntryModes]       `json:"posEntryModes,omitempty" maxItems:"100"`
	TerminalTypes       []api.Enum[terminalTypes]       `json:"terminalTypes,omitempty" maxItems:"100"`
	CardholderPresences []api.Enum[cardholderPresences] `json:"cardholderPresences,omitempty" maxItems:"100"`
	MCCs                []string                        `json:"mccs,omitempty" maxItems:"1000" doc:"Four digits, or a range: 5811-5814."`
	MCCGroups           []string                        `json:"mccGroups,omitempty" maxItems:"100" doc:"Codes of value lists."`
	ExcludeMCCs         []string                        `json:"excludeMccs,omitempty" maxItems:"1000"`
	MerchantIDs         []api.FreeText                  `json:"merchantIds,omitempty" maxItems:"1000" doc:"A trailing * is any rest."`
	TerminalIDs         []string                        `json:"terminalIds,omitempty" maxItems:"1000" doc:"A trailing * is any rest."`
	AcquirerIDs         []string                        `json:"acquirerIds,omitempty" maxItems:"1000" doc:"A trailing * is any rest."`
	Countries           []string                        `json:"countries,omitempty" maxItems:"300"`
	ExcludeCountries    []string                        `json:"excludeCountries,omitempty" maxItems:"300"`
	Currencies          []string                        `json:"currencies,omitempty" maxItems:"300" doc:"Of the transaction."`
	MinAmount           api.Decimal                     `json:"minAmount,omitempty" doc:"Of the billing amount, in its own currency."`
	MaxAmount           api.Decimal                     `json:"maxAmount,omitempty"`
	IsContactless       *bool                           `json:"isContactless,omitempty"`
	IsRecurring         *bool                           `json:"isRecurring,omitempty"`
	IsTokenised         *bool                           `json:"isTokenised,omitempty"`
	IsInstallment       *bool                           `json:"isInstallment,omitempty"`
	Is3DSAuthenticated  *bool                           `json:"is3dsAuthenticated,omitempty"`
	IsPINVerified       *bool                           `json:"isPinVerified,omitempty"`
}

func textsOf[M api.Members](enums []api.Enum[M]) []string {
	return encodeAll(enums, func(e api.Enum[M]) string { return string(e) })
}

// criteria reads criteria; at is before the names of its members.
func (d *decoding) criteria(at string, in *transactionCriteria) control.Criteria {
	if in == nil {
		return control.Criteria{}
	}
	return control.Criteria{
		TransactionCodes: textsOf(in.TransactionCodes), Flows: textsOf(in.FlowCodes), Networks: textsOf(in.Networks),
		Domains: textsOf(in.Domains), EntryModes: textsOf(in.PosEntryModes), TerminalTypes: textsOf(in.TerminalTypes),
		Presences: textsOf(in.CardholderPresences), MCCs: in.MCCs, MCCGroups: in.MCCGroups, ExceptMCCs: in.ExcludeMCCs,
		MerchantIDs: namesOf(in.MerchantIDs), TerminalIDs: in.TerminalIDs, AcquirerIDs: in.AcquirerIDs,
		Countries: d.countries(at+"countries", in.Countries), ExceptCountries: d.countries(at+"excludeCountries", in.ExcludeCountries),
		Currencies: codesOf(d.currencies(at+"currencies", in.Currencies)), MinAmount: string(in.MinAmount), MaxAmount: string(in.MaxAmount),
		IsContactless: in.IsContactless, IsRecurring: in.IsRecurring, IsTokenised: in.IsTokenised, IsInstallment: in.IsInstallment,
		Is3DSAuthenticated: in.Is3DSAuthenticated, IsPINVerified: in.IsPINVerified,
	}
}

func enumsOf[M api.Members](texts []string) []api.Enum[M] {
	return encodeAll(texts, func(t string) api.Enum[M] { return api.Enum[M](t) })
}

func freeTexts(texts []string) []api.FreeText {
	return encodeAll(texts, func(t string) api.FreeText { return api.FreeText(t) })
}

func encodeCriteria(c control.Criteria) *transactionCriteria {
	if c.IsZero() {
		return nil
	}
	return &transactionCriteria{
		TransactionCodes: enumsOf[transactionCodes](c.TransactionCodes), FlowCodes: enumsOf[flowCodes](c.Flows),
		Networks: enumsOf[networks](c.Networks), Domains: enumsOf[transactionDomains](c.Domains),
		PosEntryModes: enumsOf[posEntryModes](c.EntryModes), TerminalTypes: enumsOf[terminalTypes](c.TerminalTypes),
		CardholderPresences: enumsOf[cardholderPresences](c.Presences), MCCs: c.MCCs, MCCGroups: c.MCCGroups, ExcludeMCCs: c.ExceptMCCs,
		MerchantIDs: freeTexts(c.MerchantIDs), TerminalIDs: c.TerminalIDs, AcquirerIDs: c.AcquirerIDs, Countries: c.Countries,
		ExcludeCountries: c.ExceptCountries, Currencies: c.Currencies, MinAmount: api.Decimal(c.MinAmount), MaxAmount: api.Decimal(c.MaxAmount),
		IsContactless: c.IsContactless, IsRecurring: c.IsRecurring, IsTokenised: c.IsTokenised, IsInstallment: c.IsInstallment,
		Is3DSAuthenticated: c.Is3DSAuthenticated, IsPINVerified: c.IsPINVerified,
	}
}
