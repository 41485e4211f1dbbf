package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// cardQuery is the filter of the card list (§8.5). Enumerations take the name
// or the code.
type cardQuery struct {
	api.Paging
	CustomerNo        string                       `query:"CustomerNo" maxLength:"20"`
	ProductCode       string                       `query:"ProductCode" maxLength:"32"`
	GroupCode         string                       `query:"GroupCode" maxLength:"32"`
	CardStatus        []api.Choice[cardStatuses]   `query:"CardStatus,explode" maxItems:"11" doc:"One or more, repeated or separated by commas."`
	IssuanceStatus    api.Choice[issuanceStatuses] `query:"IssuanceStatus"`
	FormFactor        api.Choice[formFactors]      `query:"FormFactor"`
	CardOwnershipType api.Choice[cardOwnerships]   `query:"CardOwnershipType"`
	ParentIssuanceNo  string                       `query:"ParentIssuanceNo" maxLength:"16"`
	BatchReference    string                       `query:"BatchReference" maxLength:"64"`
	ExternalCardID    string                       `query:"ExternalCardId" maxLength:"64"`
	AccountNo         string                       `query:"AccountNo" maxLength:"34"`
	LastFour          string                       `query:"LastFour" pattern:"^[0-9]{4}$"`
	BIN               string                       `query:"Bin" pattern:"^([0-9]{6}|[0-9]{8})$" doc:"Of six digits: the BINs of eight that begin with them, too."`
	ExpireFrom        string                       `query:"ExpireFrom" doc:"YYYY-MM"`
	ExpireTo          string                       `query:"ExpireTo" doc:"YYYY-MM"`
	CreationTimeFrom  string                       `query:"CreationTimeFrom" doc:"ISO 8601 with offset, or a day."`
	CreationTimeTo    string                       `query:"CreationTimeTo" doc:"ISO 8601 with offset, exclusive; or a day, which is included."`
	IsLinked          string                       `query:"IsLinked" enum:"true,false"`
	PersoStatus       api.Choice[persoStatuses]    `query:"PersoStatus"`
	ShipmentStatus    api.Choice[shipmentStatuses] `query:"ShipmentStatus"`
	AutoRenewalStatus api.Choice[renewalModes]     `query:"AutoRenewalStatus"`
}

func (a *API) listCards(ctx context.Context, c access.Caller, in *cardQuery) (api.Page[IssuanceSummary], error) {
	tenant, err := a.Access.Tenant(ctx, c)
	if err != nil {
		return api.Page[IssuanceSummary]{}, err
	}
	filter, err := decodeCardQuery(in, tenant.Zone)
	if err != nil {
		return api.Page[IssuanceSummary]{}, err
	}
	cards, total, capped, err := a.Issuing.Cards(ctx, c, filter)
	if err != nil {
		return api.Page[IssuanceSummary]{}, err
	}
	rows := make([]IssuanceSummary, len(cards))
	for i, l := range cards {
		rows[i] = IssuanceSummary{
			IssuanceNo: l.Issuance.No, IssuanceStatus: string(issuing.IssuanceStatusOf(l.Card.Status)),
			CustomerNo: orNil(l.CustomerNo), CustomerName: orNil(l.CustomerName), ProductCode: l.Issuance.ProductCode,
			ProductName: l.ProductName, CardOwnershipType: string(l.Issuance.Ownership()), CurrentCard: encodeCardSummary(l.Card),
			ChildCount: l.ChildCount, AutoRenewalStatus: string(l.Issuance.AutoRenewal), CreationTime: l.Issuance.CreatedAt,
		}
	}
	if capped {
		total = api.CountMax + 1
	}
	return api.PageOf(total, rows), nil
}

func decodeCardQuery(in *cardQuery, zone *time.Location) (issuing.CardFilter, error) {
	var q decoding
	out := issuing.CardFilter{
		CustomerNo: in.CustomerNo, ProductCode: in.ProductCode, GroupCode: in.GroupCode,
		IssuanceStatus:   issuing.IssuanceStatus(enumOf[issuanceStatuses](&q, "IssuanceStatus", in.IssuanceStatus)),
		FormFactor:       program.FormFactor(enumOf[formFactors](&q, "FormFactor", in.FormFactor)),
		Ownership:        issuing.CardOwnership(enumOf[cardOwnerships](&q, "CardOwnershipType", in.CardOwnershipType)),
		PersoStatus:      issuing.PersoStatus(enumOf[persoStatuses](&q, "PersoStatus", in.PersoStatus)),
		ShipmentStatus:   issuing.ShipmentStatus(enumOf[shipmentStatuses](&q, "ShipmentStatus", in.ShipmentStatus)),
		AutoRenewal:      program.AutoRenewal(enumOf[renewalModes](&q, "AutoRenewalStatus", in.AutoRenewalStatus)),
		ParentIssuanceNo: in.ParentIssuanceNo, BatchReference: in.BatchReference, ExternalCardID: in.ExternalCardID,
		AccountNo: in.AccountNo, LastFour: in.LastFour, BIN: in.BIN,
		ExpiresFrom: q.month("ExpireFrom", in.ExpireFrom), ExpiresTo: q.month("ExpireTo", in.ExpireTo),
		CreatedFrom: q.from("CreationTimeFrom", in.CreationTimeFrom, zone), CreatedTo: q.until("CreationTimeTo", in.CreationTimeTo, zone),
		Page: q.page(in.Paging, "creationTime", "issuanceNo", "productCode", "accountNo", "cardStatus", "formFactor",
			"expireDate", "autoRenewalStatus"),
	}
	out.Statuses = membersOf[cardStatuses, issuing.CardStatus](&q, "CardStatus", in.CardStatus)
	if in.IsLinked != "" {
		linked := in.IsLinked == "true"
		out.IsLinked = &linked
	}
	return out, q.err()
}

func (d *decoding) month(name, text string) issuing.Expiry {
	if text == "" {
		return issuing.Expiry{}
	}
	e, err := issuing.ParseExpiry(text)
	if err != nil {
		d.fail(name, "not_a_month", "must be a month in the form YYYY-MM")
	}
	return e
}

// from and until read the two ends of a span: a time, or a day of the tenant,
// which is meant whole.
func (d *decoding) from(name, text string, zone *time.Location) time.Time {
	if day, err := clock.ParseDate(text); err == nil {
		return day.In(zone)
	}
	return d.time(name, text)
}

func (d *decoding) until(name, text string, zone *time.Location) time.Time {
	if day, err := clock.ParseDate(text); err == nil {
		return day.AddDays(1).In(zone)
	}
	return d.time(name, text)
}

func (d *decoding) time(name, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d.fail(name, "not_a_time", "must be a time in the form of ISO 8601 with an offset")
	}
	return t
}
