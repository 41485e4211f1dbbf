package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// velocityControl is VelocityControlsDto (§11.3): a velocity control as it
// stands for one card. What is null is not limited.
type velocityControl struct {
	VelocityCheckCode string            `json:"velocityCheckCode"`
	Name              string            `json:"name"`
	LimitGroup        *string           `json:"limitGroup"`
	Period            string            `json:"period"`
	WindowStart       *time.Time        `json:"windowStart"`
	WindowEnd         *time.Time        `json:"windowEnd"`
	AccumulationLevel string            `json:"accumulationLevel"`
	CurrencyCode      *string           `json:"currencyCode"`
	Limit             velocityAmount    `json:"limit"`
	Used              velocityAmount    `json:"used"`
	Available         velocityAmount    `json:"available"`
	Source            velocitySource    `json:"source"`
	IsOverridden      bool              `json:"isOverridden"`
	Override          *velocityOverride `json:"override"`
}

type velocityAmount struct {
	Amount api.Decimal `json:"amount" nullable:"true"`
	Count  *int        `json:"count"`
}

type velocitySource struct {
	LinkType string  `json:"linkType"`
	LinkCode *string `json:"linkCode"`
}

type velocityOverride struct {
	StartDate *time.Time `json:"startDate"`
	EndDate   *time.Time `json:"endDate"`
	Reason    *string    `json:"reason"`
}

// cardVelocityRequest is CardVelocityRequestDto (§11.4).
type cardVelocityRequest struct {
	VelocityCheckCode string             `json:"velocityCheckCode" required:"true" maxLength:"32"`
	MaxAmount         api.Decimal        `json:"maxAmount,omitempty" doc:"In the control's currency."`
	MaxCount          *int               `json:"maxCount,omitempty" minimum:"1" maximum:"1000000000"`
	StartDate         *time.Time         `json:"startDate,omitempty"`
	EndDate           *time.Time         `json:"endDate,omitempty"`
	Reason            api.FreeText       `json:"reason,omitempty" maxLength:"250"`
	Channel           api.Enum[channels] `json:"channel,omitempty"`
}

// cardVelocity is a limit that was set for a card.
type cardVelocity struct {
	VelocityCheckCode    string      `json:"velocityCheckCode"`
	MaxAmount            api.Decimal `json:"maxAmount" nullable:"true"`
	CurrencyCode         *string     `json:"currencyCode"`
	MaxCount             *int        `json:"maxCount"`
	StartDate            *time.Time  `json:"startDate"`
	EndDate              *time.Time  `json:"endDate"`
	Reason               *string     `json:"reason"`
	Channel              *string     `json:"channel"`
	CreationTime         time.Time   `json:"creationTime"`
	CreatorID            string      `json:"creatorId"`
	LastModificationTime time.Time   `json:"lastModificationTime"`
	LastModifierID       string      `json:"lastModifierId"`
}

func (a *API) listCardLimits(ctx context.Context, c access.Caller, in *CardPath) ([]velocityControl, error) {
	limits, err := a.Controls.CardLimits(ctx, c, in.CardToken)
	return encodeAll(limits, encodeCardLimit), err
}

// velocityTransaction is a transaction that makes up what is used of a limit.
type velocityTransaction struct {
	TransactionID   string      `json:"transactionId"`
	SystemDate      time.Time   `json:"systemDate"`
	CountedAmount   api.Decimal `json:"countedAmount" nullable:"true" doc:"Of it that counts now, in currencyCode; null where amounts are not added."`
	CurrencyCode    *string     `json:"currencyCode"`
	CountedCount    int         `json:"countedCount" doc:"0 for an increment of another."`
	FlowCode        *string     `json:"flowCode"`
	TransactionCode *string     `json:"transactionCode"`
	Status          *string     `json:"status"`
	BillingAmount   api.Decimal `json:"billingAmount" nullable:"true"`
	BillingCurrency *string     `json:"billingCurrency"`
	MerchantName    *string     `json:"merchantName"`
}

func (a *API) listLimitTransactions(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Code string `path:"velocityCheckCode" maxLength:"64"`
	api.Paging
}) (api.Page[velocityTransaction], error) {
	var none api.Page[velocityTransaction]
	if err := a.permitTransactions(ctx, c); err != nil {
		return none, err
	}
	if _, err := in.Orders(nil); err != nil {
		return none, err
	}
	used, total, err := a.Controls.UsedBy(ctx, c, in.CardToken, in.Code, in.SkipCount, in.MaxResultCount)
	if err != nil {
		return none, err
	}
	ids := make([]authorization.TransactionID, len(used))
	for i, u := range used {
		if ids[i], err = id.Parse[authorization.Transaction](u.Transaction); err != nil {
			return none, err
		}
	}
	found, err := a.Transactions.Named(ctx, c, ids)
	if err != nil {
		return none, err
	}
	rows := make([]velocityTransaction, len(used))
	for i, u := range used {
		rows[i] = velocityTransaction{TransactionID: ids[i].UUID(), SystemDate: u.At, CountedCount: u.Count}
		if c := u.Amount.Currency(); !c.IsZero() {
			rows[i].CountedAmount, rows[i].CurrencyCode = api.DecimalOf(u.Amount), orNil(c.Code())
		}
		if t := found[ids[i]]; t != nil {
			rows[i].FlowCode, rows[i].TransactionCode, rows[i].Status = orNil(t.Flow), orNil(t.Code), orNil(t.Status)
			rows[i].BillingAmount, rows[i].BillingCurrency = api.DecimalOf(t.Billing), orNil(t.Billing.Currency().Code())
			rows[i].MerchantName = orNil(t.Message.MerchantName)
		}
	}
	return api.PageOf(total, rows), nil
}

func (a *API) setCardVelocity(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Body cardVelocityRequest
}) (velocityControl, error) {
	check, err := control.VelocityChecks.Named(ctx, a.Controls, c, in.Body.VelocityCheckCode)
	if err != nil {
		return velocityControl{}, err
	}
	var d decoding
	o := control.Override{
		Check:    check.Code,
		Limits:   control.Limits{Amount: d.amount("maxAmount", in.Body.MaxAmount, check.Currency), Count: in.Body.MaxCount},
		StartsAt: utc(in.Body.StartDate), EndsAt: utc(in.Body.EndDate), Reason: string(in.Body.Reason), Channel: string(in.Body.Channel),
	}
	if err := d.err(); err != nil {
		return velocityControl{}, err
	}
	limit, err := a.Controls.OverrideLimit(ctx, c, in.CardToken, o)
	return encodeCardLimit(limit), err
}

func (a *API) listCardVelocities(ctx context.Context, c access.Caller, in *CardPath) ([]cardVelocity, error) {
	all, err := a.Controls.Overrides(ctx, c, in.CardToken)
	return encodeAll(all, encodeOverride), err
}

func (a *API) deleteCardVelocity(ctx context.Context, c access.Caller, in *struct {
	CardPath
	Code string `path:"velocityCheckCode" maxLength:"64"`
}) (nothing, error) {
	return nothing{}, a.Controls.RemoveOverride(ctx, c, in.CardToken, in.Code)
}

func encodeCardLimit(l control.CardLimit) velocityControl {
	out := velocityControl{
		VelocityCheckCode: l.Check.Code, Name: l.Check.Name, LimitGroup: orNil(l.Check.LimitGroup), Period: string(l.Check.Period),
		AccumulationLevel: string(l.Check.Level), CurrencyCode: orNil(l.Check.Currency.Code()),
		Limit:     velocityAmount{decimalOrNil(l.Limit.Amount), l.Limit.Count},
		Used:      velocityAmount{Count: &l.Used.Count},
		Available: velocityAmount{decimalOrNil(l.Available.Amount), l.Available.Count},
		Source:    velocitySource{string(l.Link.Type), orNil(l.Link.Code)},
	}
	if !l.Check.Currency.IsZero() {
		out.Used.Amount = api.DecimalOf(l.Used.Amount)
	}
	if !l.Window.End.IsZero() {
		out.WindowStart, out.WindowEnd = &l.Window.Start, &l.Window.End
	}
	if o := l.Override; o != nil {
		out.IsOverridden, out.Override = true, &velocityOverride{o.StartsAt, o.EndsAt, orNil(o.Reason)}
	}
	return out
}

func encodeOverride(o control.Override) cardVelocity {
	out := cardVelocity{
		VelocityCheckCode: o.Check, MaxAmount: decimalOrNil(o.Limits.Amount), MaxCount: o.Limits.Count, StartDate: o.StartsAt, EndDate: o.EndsAt,
		Reason: orNil(o.Reason), Channel: orNil(o.Channel), CreationTime: o.CreatedAt, CreatorID: o.CreatedBy,
		LastModificationTime: o.UpdatedAt, LastModifierID: o.UpdatedBy,
	}
	if o.Limits.Amount != nil {
		out.CurrencyCode = orNil(o.Limits.Amount.Currency().Code())
	}
	return out
}
