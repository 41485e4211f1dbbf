package fee

import (
	"cmp"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Applicable returns the fees that a transaction costs, by code, with taxes at
// the rates of its day. Of each group it is the fee with the most specific link
// among those that select the transaction; of two as specific the one whose link
// has the lower priority, then the newer link. A fee that comes to nothing is an
// exemption: it is there, and stands for the others of its group.
//
// Fees of another currency than that of the account are none, and those on what
// the transaction does not have, which has says: they price nothing of it. Snapshot
// and configuration must be of one version.
func Applicable(k *control.Snapshot, o *control.Occasion, cfg *program.Configuration, account money.Currency, has func(Base) bool) []Applied {
	var all []Applied
	for _, a := range TransactionFees.In(k).Of(o) {
		f := a.Definition
		if f.Currency != account || !has(f.Base) || slices.ContainsFunc(all, func(b Applied) bool { return b.Group == f.Group }) {
			continue
		}
		if _, selected := a.Selection.Selects(o.Facts, rule.TwoValued); selected {
			all = append(all, f.apply(a.Link, taxesOn(f.Taxes, cfg.Attributes, clock.DateOf(o.At, cfg.Tenant.Zone))))
		}
	}
	slices.SortFunc(all, func(a, b Applied) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// taxesOn are taxes at their rates on a day. They have one: see [fitTaxes].
func taxesOn(uses []TaxUse, attributes program.Attributes, day clock.Date) []Tax {
	var taxes []Tax
	for _, u := range uses {
		if rate, known := attributes.TaxRate(string(u.Type), day); known {
			taxes = append(taxes, Tax{Type: u.Type, Rate: rate, IsIncluded: u.IsIncluded})
		}
	}
	return taxes
}
