package platform

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/customer"
)

type customerSegmentRequest struct {
	Code        string       `json:"code,omitempty" maxLength:"32" doc:"Of a new segment; it never changes."`
	Name        api.FreeText `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description api.FreeText `json:"description,omitempty" maxLength:"250"`
	Priority    int          `json:"priority,omitempty" doc:"For display: lower first." minimum:"0" maximum:"1000000"`
	IsActive    *bool        `json:"isActive,omitempty" doc:"Absent: true. A segment that is not active takes no new customers."`
	Stamp       string       `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

type customerSegment struct {
	Code        string  `json:"code"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Priority    int     `json:"priority"`
	IsActive    bool    `json:"isActive"`
	Audited
}

type customerSegmentChoice struct {
	SegmentCode *string `json:"segmentCode" required:"true" maxLength:"32" doc:"null takes the customer out of its segment."`
}

func (a *API) createSegment(ctx context.Context, c access.Caller, in *struct{ Body customerSegmentRequest }) (customerSegment, error) {
	g, err := a.Customers.CreateSegment(ctx, c, decodeSegment(in.Body))
	return encodeSegment(g), err
}

func (a *API) updateSegment(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"segmentCode"`
	Body customerSegmentRequest
}) (customerSegment, error) {
	in.Body.Code = in.Code
	g, err := a.Customers.UpdateSegment(ctx, c, decodeSegment(in.Body), in.Body.Stamp)
	return encodeSegment(g), err
}

func (a *API) listSegments(ctx context.Context, c access.Caller, in *struct {
	api.Paging
	Filter string `query:"Filter" maxLength:"100"`
}) (api.Page[customerSegment], error) {
	var d decoding
	p := d.page(in.Paging, "code", "name", "priority", "creationTime")
	if err := d.err(); err != nil {
		return api.Page[customerSegment]{}, err
	}
	page, total, err := a.Customers.Segments(ctx, c, in.Filter, p)
	return api.PageOf(total, encodeAll(page, encodeSegment)), err
}

func (a *API) deleteSegment(ctx context.Context, c access.Caller, in *struct {
	Code string `path:"segmentCode"`
}) (nothing, error) {
	return nothing{}, a.Customers.DeleteSegment(ctx, c, in.Code)
}

func (a *API) setCustomerSegment(ctx context.Context, c access.Caller, in *struct {
	CustomerNo string `path:"customerNo"`
	Body       customerSegmentChoice
}) (CustomerBrief, error) {
	u, err := a.Customers.SetSegment(ctx, c, in.CustomerNo, value(in.Body.SegmentCode))
	return encodeBrief(u), err
}

func decodeSegment(in customerSegmentRequest) customer.Segment {
	return customer.Segment{
		Code: in.Code, Name: string(in.Name), Description: string(in.Description), Priority: in.Priority, IsActive: or(in.IsActive, true),
	}
}

func encodeSegment(g customer.Segment) customerSegment {
	return customerSegment{
		Code: g.Code, Name: g.Name, Description: orNil(g.Description), Priority: g.Priority, IsActive: g.IsActive,
		Audited: encodeRecord(g.Record),
	}
}
