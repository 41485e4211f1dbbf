package platform

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// controlFindings is what there is to say about all controls of a tenant.
type controlFindings struct {
	Findings []controlFinding `json:"findings"`
	Checked  int              `json:"checkedControls" doc:"Fees among them, as far as the caller may see them."`
}

// controlFinding is something that a control can hardly be meant to do. It is told
// only when it is proven.
type controlFinding struct {
	Kind     string      `json:"kind" enum:"Authorization,Velocity,TransactionFee,IssuanceFee,AnnualFee"`
	Code     string      `json:"code" doc:"Of the control or fee."`
	LinkType *string     `json:"linkType" doc:"Of the link for whose cards it is so; null: of all."`
	LinkCode *string     `json:"linkCode"`
	Finding  string      `json:"finding" enum:"never_true,always_true,unreachable,redundant,shadowed,unlinked,never_binds,override_never_binds,never_exceeded,never_reached,broken"`
	Path     *string     `json:"path" doc:"The part of the rule, or the member; null for all."`
	By       []string    `json:"by" doc:"Codes of the controls because of which it is so."`
	Message  string      `json:"message"`
	Example  []ruleGiven `json:"example" nullable:"true" doc:"Facts that show it."`
}

func (a *API) listFindings(ctx context.Context, c access.Caller, _ *struct{}) (controlFindings, error) {
	found, err := a.Controls.Lint(ctx, c)
	if err != nil {
		return controlFindings{}, err
	}
	language := api.ExchangeOf(ctx).Language
	return controlFindings{
		Findings: encodeAll(found.All, func(f control.Finding) controlFinding { return encodeControlFinding(f, language) }), Checked: found.Checked,
	}, nil
}

func encodeControlFinding(f control.Finding, language string) controlFinding {
	message, _ := locale.Text(language, f.Key(), map[string]any{"by": strings.Join(f.By, ", ")})
	out := controlFinding{
		Kind: string(f.Kind), Code: f.Code, LinkType: orNil(f.Link.Type), LinkCode: orNil(f.Link.Code), Finding: string(f.What),
		Path: orNil(f.Path), By: append([]string{}, f.By...), Message: message,
	}
	for _, g := range f.Example {
		out.Example = append(out.Example, ruleGiven{g.Field.String(), jsonText(g.Value)})
	}
	return out
}
