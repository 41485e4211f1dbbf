package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardPolicyAdd is CardPolicyAddRequestDto (§8.8).
type cardPolicyAdd struct {
	Policies       []cardPolicyRequest `json:"policies" required:"true" maxItems:"22" doc:"Types that are not listed stay. One with a date lies over the one without, which returns after it."`
	ResetToDefault bool                `json:"resetToDefault,omitempty" doc:"First drops everything that was set for the card; policies may then be empty."`
	Description    api.FreeText        `json:"description,omitempty" maxLength:"250"`
	Channel        api.Enum[channels]  `json:"channel,omitempty"`
}

// cardPolicies is CardPolicyInfoDto.
type cardPolicyList struct {
	CardToken  string       `json:"cardToken"`
	IssuanceNo string       `json:"issuanceNo"`
	Policies   []cardPolicy `json:"policies" doc:"Every type, as it is in force."`
}

// cardPolicyAnswer is CardPolicyResponseDto.
type cardPolicyAnswer struct {
	CardToken string         `json:"cardToken"`
	Changed   []policyChange `json:"changed"`
	Policies  []cardPolicy   `json:"policies" doc:"Every type, as it is in force."`
}

type policyChange struct {
	PolicyType string `json:"policyType"`
	OldValue   bool   `json:"oldValue"`
	NewValue   bool   `json:"newValue"`
}

func (a *API) showCardPolicy(ctx context.Context, c access.Caller, in *CardPath) (cardPolicyList, error) {
	found, err := a.Issuing.CardPolicies(ctx, c, in.CardToken)
	if err != nil {
		return cardPolicyList{}, err
	}
	return cardPolicyList{
		CardToken: found.CardToken, IssuanceNo: found.IssuanceNo, Policies: encodeAll(found.Policies, encodeCardPolicy),
	}, nil
}

func (a *API) changeCardPolicy(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body cardPolicyAdd
}) (cardPolicyAnswer, error) {
	done, err := a.Issuing.ChangePolicies(ctx, c, in.CardToken, issuing.PolicyWish{
		Policies: encodeAll(in.Body.Policies, decodeCardPolicy), ResetToDefault: in.Body.ResetToDefault,
		Description: string(in.Body.Description), Channel: string(in.Body.Channel),
	})
	if err != nil {
		return cardPolicyAnswer{}, err
	}
	return cardPolicyAnswer{
		CardToken: done.CardToken, Policies: encodeAll(done.Policies, encodeCardPolicy),
		Changed: encodeAll(done.Changed, encodePolicyChange),
	}, nil
}

func encodePolicyChange(p issuing.PolicyChange) policyChange {
	return policyChange{PolicyType: string(p.Type), OldValue: p.Old, NewValue: p.New}
}

func decodeCardPolicy(p cardPolicyRequest) program.Policy {
	return program.Policy{
		Type: program.PolicyType(p.PolicyType), IsAllowed: p.IsAllowed, StartsAt: utc(p.StartDate), EndsAt: utc(p.EndDate),
	}
}

func encodeCardPolicy(p issuing.CardPolicy) cardPolicy {
	source := "Product"
	if p.FromCard {
		source = "Card"
	}
	return cardPolicy{
		PolicyType: string(p.Type), IsAllowed: p.IsAllowed, Source: source, StartDate: p.StartsAt, EndDate: p.EndsAt,
		UpdatedAt: timeOrNil(p.UpdatedAt),
	}
}
