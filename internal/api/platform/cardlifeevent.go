package platform

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// cardRenewedEvent is the data of card.renewed and card.replaced: about the new
// card.
type cardRenewedEvent struct {
	CardOfEvent
	Status            string `json:"status"`
	FormFactor        string `json:"formFactor"`
	PersoStatus       string `json:"persoStatus"`
	ExpireYear        int    `json:"expireYear"`
	ExpireMonth       int    `json:"expireMonth"`
	PreviousCardToken string `json:"previousCardToken"`
	RenewalReason     string `json:"renewalReason"`
}

func encodeCardRenewed(card CardOfEvent, a issuing.CardRenewalTold) cardRenewedEvent {
	return cardRenewedEvent{
		CardOfEvent: card, Status: string(a.Status), FormFactor: string(a.FormFactor), PersoStatus: string(a.PersoStatus),
		ExpireYear: a.ExpireYear, ExpireMonth: a.ExpireMonth, PreviousCardToken: a.PreviousCardToken, RenewalReason: string(a.Reason),
	}
}

type cardRenewalSkippedEvent struct {
	CardOfEvent
	Reason      string `json:"reason" doc:"An error code, CardBlocked or NoActivity."`
	ExpireYear  int    `json:"expireYear"`
	ExpireMonth int    `json:"expireMonth"`
}

func encodeRenewalSkipped(card CardOfEvent, a issuing.CardRenewalSkipped) cardRenewalSkippedEvent {
	return cardRenewalSkippedEvent{CardOfEvent: card, Reason: skipReason(a.Reason), ExpireYear: a.ExpireYear, ExpireMonth: a.ExpireMonth}
}

// skipReason is the outward name of why a card was not renewed.
func skipReason(reason string) string {
	switch reason {
	case issuing.SkipBlocked:
		return "CardBlocked"
	case issuing.SkipInactive:
		return "NoActivity"
	}
	return codeOf(fault.Code(reason))
}

// codeOf is the outward name of a refusal.
func codeOf(code fault.Code) string {
	if r, known := refusals[code]; known {
		return r.code
	}
	return string(code)
}

type cardExpiringEvent struct {
	CardOfEvent
	ExpireYear  int  `json:"expireYear"`
	ExpireMonth int  `json:"expireMonth"`
	IsRenewed   bool `json:"isRenewed" doc:"A new card is made and waits for its activation."`
}

func encodeCardExpiring(card CardOfEvent, a issuing.CardExpiring) cardExpiringEvent {
	return cardExpiringEvent{CardOfEvent: card, ExpireYear: a.ExpireYear, ExpireMonth: a.ExpireMonth, IsRenewed: a.IsRenewed}
}

type scheduleDroppedEvent struct {
	CardOfEvent
	Status        string    `json:"status" doc:"That the card did not come into."`
	Reason        string    `json:"reason"`
	EffectiveDate time.Time `json:"effectiveDate"`
	RequestedBy   string    `json:"requestedBy"`
	ErrorCode     string    `json:"errorCode"`
}

func encodeScheduleDropped(card CardOfEvent, a issuing.CardScheduleDropped) scheduleDroppedEvent {
	return scheduleDroppedEvent{
		CardOfEvent: card, Status: string(a.Status), Reason: string(a.Reason), EffectiveDate: a.EffectiveAt, RequestedBy: a.RequestedBy,
		ErrorCode: codeOf(a.Code),
	}
}
