package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

type statusRequest struct {
	Status            api.Enum[cardStatuses]  `json:"status" required:"true"`
	Reason            api.Enum[statusReasons] `json:"reason" required:"true" doc:"Must fit the status."`
	Description       api.FreeText            `json:"description,omitempty" maxLength:"250" doc:"Required with the reason Other."`
	CardSequenceNo    int                     `json:"cardSequenceNo,omitempty" minimum:"1" maximum:"99" doc:"Default: the plastic in force; for Active the one that waits to be, when that in force is active or the reason is FirstActivation."`
	EffectiveDate     *time.Time              `json:"effectiveDate,omitempty" doc:"In the future: scheduled, in place of what was scheduled before. The present status then means that nothing is scheduled any more."`
	IncludeChildCards bool                    `json:"includeChildCards,omitempty" doc:"For Active, Inactive and Blocked."`
	IssueReplacement  bool                    `json:"issueReplacement,omitempty" doc:"For Lost, Stolen, Fraud and Damaged."`
	Replacement       *RenewedParts           `json:"replacement,omitempty" doc:"Goes with issueReplacement."`
	Channel           api.Enum[channels]      `json:"channel,omitempty"`
}

// statusLine is CardStatusInfoDto.
type statusLine struct {
	Status        string    `json:"status"`
	LocalLetter   *string   `json:"localLetter"`
	Reason        string    `json:"reason"`
	Description   *string   `json:"description"`
	ChangedAt     time.Time `json:"changedAt"`
	ChangedBy     string    `json:"changedBy"`
	Channel       string    `json:"channel"`
	EffectiveDate time.Time `json:"effectiveDate"`
}

// statusResponse is UpdateCardStatusResponseDto (§8.2.6).
type statusResponse struct {
	CardToken      string     `json:"cardToken"`
	IssuanceNo     string     `json:"issuanceNo"`
	PreviousStatus string     `json:"previousStatus"`
	CurrentStatus  statusLine `json:"currentStatus"`
	// ScheduledStatus is what was scheduled in place of a change at once.
	ScheduledStatus *statusLine     `json:"scheduledStatus"`
	IssuanceResult  *issuanceResult `json:"issuanceResult"`
	UpdatedCards    []updatedCard   `json:"updatedCards"`
}

// updatedCard is UpdatedCardInfo.
type updatedCard struct {
	CardToken      string  `json:"cardToken"`
	MaskedCardNo   string  `json:"maskedCardNo"`
	PreviousStatus string  `json:"previousStatus"`
	CurrentStatus  string  `json:"currentStatus"`
	IsSuccess      bool    `json:"isSuccess"`
	ErrorCode      *string `json:"errorCode"`
	ErrorMessage   *string `json:"errorMessage"`
}

func (a *API) changeCardStatus(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body statusRequest
}) (statusResponse, error) {
	wish, err := decodeStatus(in.Body)
	if err != nil {
		return statusResponse{}, err
	}
	done, err := a.Issuing.ChangeStatus(ctx, c, in.CardToken, wish)
	if err != nil {
		return statusResponse{}, err
	}
	var fees []additionalAmount
	if done.NewCard != nil {
		if fees, err = a.feesOf(ctx, c, done.NewCard.Card); err != nil {
			return statusResponse{}, err
		}
	}
	return encodeStatusResult(c.Language, done, fees), nil
}

func decodeStatus(in statusRequest) (issuing.NewStatus, error) {
	var d decoding
	out := issuing.NewStatus{
		Sequence: in.CardSequenceNo,
		Status:   issuing.CardStatus(in.Status), Reason: issuing.StatusReason(in.Reason), Description: string(in.Description),
		IncludeChildCards: in.IncludeChildCards, IssueReplacement: in.IssueReplacement, Channel: string(in.Channel),
	}
	if in.EffectiveDate != nil {
		out.EffectiveAt = *in.EffectiveDate
	}
	if in.Replacement != nil {
		if !in.IssueReplacement {
			d.fail("replacement", "not_asked_for", "goes with issueReplacement")
		}
		out.Replacement = decodeReplacement(&d, *in.Replacement)
	}
	return out, d.err()
}

func encodeStatus(s issuing.StatusChange) statusLine {
	return statusLine{
		Status: string(s.Status), LocalLetter: orNil(s.Status.LocalLetter()), Reason: string(s.Reason),
		Description: orNil(s.Description), ChangedAt: s.ChangedAt, ChangedBy: s.ChangedBy, Channel: s.Channel,
		EffectiveDate: s.ChangedAt,
	}
}

// encodeSchedule is a line of what has not happened yet.
func encodeSchedule(s *issuing.Schedule) *statusLine {
	if s == nil {
		return nil
	}
	return &statusLine{
		Status: string(s.Status), LocalLetter: orNil(s.Status.LocalLetter()), Reason: string(s.Reason), Description: orNil(s.Description),
		ChangedAt: s.RequestedAt, ChangedBy: s.RequestedBy, Channel: s.Channel, EffectiveDate: s.EffectiveAt,
	}
}

func encodeStatusResult(language string, r issuing.StatusResult, fees []additionalAmount) statusResponse {
	out := statusResponse{
		CardToken: r.CardToken, IssuanceNo: r.IssuanceNo, PreviousStatus: string(r.Previous),
		CurrentStatus: encodeStatus(r.Current), ScheduledStatus: encodeSchedule(r.Scheduled), IssuanceResult: encodeIssuanceResult(r.NewCard, fees),
		UpdatedCards: []updatedCard{},
	}
	for _, u := range r.Updated {
		out.UpdatedCards = append(out.UpdatedCards, encodeUpdatedCard(language, u))
	}
	return out
}

func encodeUpdatedCard(language string, u issuing.UpdatedCard) updatedCard {
	out := updatedCard{
		CardToken: u.CardToken, MaskedCardNo: u.MaskedNo, PreviousStatus: string(u.Previous),
		CurrentStatus: string(u.Current), IsSuccess: u.Refusal == nil,
	}
	if u.Refusal != nil {
		code, message := outwardOf(u.Refusal).code, messageOf(language, u.Refusal)
		out.ErrorCode, out.ErrorMessage = &code, &message
	}
	return out
}
