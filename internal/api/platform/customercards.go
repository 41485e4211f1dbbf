package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

type sweptStatuses struct{}

func (sweptStatuses) Members() []api.Member {
	var all []api.Member
	for _, m := range (cardStatuses{}).Members() {
		switch issuing.CardStatus(m.Name) {
		case issuing.Active, issuing.Inactive, issuing.Blocked, issuing.Cancelled:
			all = append(all, m)
		}
	}
	return all
}

// customerStatusRequest is UpdateCustomerCardStatusRequestDto (§8.2.6).
type customerStatusRequest struct {
	CustomerNo        string                   `json:"customerNo" required:"true" minLength:"1" maxLength:"20"`
	Status            api.Enum[sweptStatuses]  `json:"status" required:"true"`
	Reason            api.Enum[statusReasons]  `json:"reason" required:"true" doc:"Must fit the status."`
	Description       api.FreeText             `json:"description,omitempty" maxLength:"250" doc:"Required with the reason Other."`
	ProductCodes      []string                 `json:"productCodes,omitempty" maxItems:"100"`
	IncludeChildCards bool                     `json:"includeChildCards,omitempty" doc:"Cards of others that hang on this customer's main cards, too."`
	FromStatuses      []api.Enum[cardStatuses] `json:"fromStatuses,omitempty" maxItems:"11" doc:"Default: every status from which the move is possible."`
}

// customerStatusResponse is UpdateCustomerCardStatusResponseDto.
type customerStatusResponse struct {
	CustomerNo   string        `json:"customerNo"`
	TotalCount   int           `json:"totalCount"`
	SuccessCount int           `json:"successCount"`
	FailedCount  int           `json:"failedCount"`
	Cards        []updatedCard `json:"cards"`
}

func (a *API) changeCustomerCards(ctx context.Context, c access.Caller, in *struct{ Body customerStatusRequest }) (customerStatusResponse, error) {
	wish := issuing.CustomerCardsStatus{
		CustomerNo: in.Body.CustomerNo, Status: issuing.CardStatus(in.Body.Status), Reason: issuing.StatusReason(in.Body.Reason),
		Description: string(in.Body.Description), ProductCodes: in.Body.ProductCodes, IncludeChildCards: in.Body.IncludeChildCards,
	}
	for _, s := range in.Body.FromStatuses {
		wish.FromStatuses = append(wish.FromStatuses, issuing.CardStatus(s))
	}
	done, err := a.Issuing.ChangeCustomerCards(ctx, c, wish)
	if err != nil {
		return customerStatusResponse{}, err
	}
	out := customerStatusResponse{CustomerNo: in.Body.CustomerNo, TotalCount: len(done), Cards: []updatedCard{}}
	for _, u := range done {
		if u.Refusal == nil {
			out.SuccessCount++
		}
		out.Cards = append(out.Cards, encodeUpdatedCard(c.Language, u))
	}
	out.FailedCount = out.TotalCount - out.SuccessCount
	return out, nil
}
