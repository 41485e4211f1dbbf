package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/id"
)

type linkTypes struct{}

// Members lists what a control or a fee may be tied to, the least specific first.
func (linkTypes) Members() []api.Member { return numbered(1, control.LinkTypes()) }

// ControlLinkRequest is what every link request has (§10.5, BaseLinkDto).
type ControlLinkRequest struct {
	LinkType    api.Enum[linkTypes] `json:"linkType" required:"true"`
	LinkCode    string              `json:"linkCode,omitempty" maxLength:"64" doc:"BIN, code of range, group, product or segment, customerNo, issuanceNo or cardToken; absent for Global."`
	Priority    *int                `json:"priority,omitempty" minimum:"0" maximum:"9999" doc:"The lower one wins among links of one type; absent: 1000."`
	StartDate   *time.Time          `json:"startDate,omitempty"`
	EndDate     *time.Time          `json:"endDate,omitempty"`
	IsActive    *bool               `json:"isActive,omitempty" doc:"Absent: true."`
	Description api.FreeText        `json:"description,omitempty" maxLength:"250"`
}

// ControlLink is what every link answer has.
type ControlLink struct {
	ID          string     `json:"id"`
	LinkType    string     `json:"linkType"`
	LinkCode    *string    `json:"linkCode"`
	LinkName    *string    `json:"linkName" doc:"What linkCode is called: name of range, group, product or segment, token of the card in force; null for Global, a BIN and a customer."`
	Priority    int        `json:"priority"`
	StartDate   *time.Time `json:"startDate"`
	EndDate     *time.Time `json:"endDate"`
	IsActive    bool       `json:"isActive"`
	Description *string    `json:"description"`
	Audited
}

func decodeControlLink(in ControlLinkRequest) control.Link {
	return control.Link{
		Type: control.LinkType(in.LinkType), Code: in.LinkCode, Priority: or(in.Priority, control.LinkPriority),
		StartsAt: utc(in.StartDate), EndsAt: utc(in.EndDate), IsActive: or(in.IsActive, true), Description: string(in.Description),
	}
}

func encodeControlLink(l control.Link, n control.LinkName) ControlLink {
	return ControlLink{
		ID: l.ID.UUID(), LinkType: string(l.Type), LinkCode: orNil(l.Code), LinkName: orNil(n.Target), Priority: l.Priority, StartDate: l.StartsAt,
		EndDate: l.EndsAt, IsActive: l.IsActive, Description: orNil(l.Description), Audited: encodeRecord(l.Record),
	}
}

// LinkQuery narrows a list of links.
type LinkQuery struct {
	LinkType string `query:"LinkType"`
	LinkCode string `query:"LinkCode" maxLength:"64"`
}

// LinkPath names a link.
type LinkPath struct {
	LinkID string `path:"linkId" maxLength:"64"`
}

func (p LinkPath) id() id.ID[control.Link] {
	l, _ := id.ParseUUID[control.Link](p.LinkID) // zero is not found
	return l
}

// linked is one kind of control or fee with its links: D is what is kept, A the
// answer of a link. On the wire the kinds differ in the name of the member that
// says what a link ties.
type linked[D, A any] struct {
	a          *API
	kept       *control.Definitions[D]
	encodeLink func(control.Link, control.LinkName) A
}

// encode tells links with the names of what they tie.
func (k linked[D, A]) encode(ctx context.Context, c access.Caller, links []control.Link) ([]A, error) {
	names, err := k.kept.Names(ctx, k.a.Controls, c, links)
	if err != nil {
		return nil, err
	}
	all := make([]A, len(links))
	for i, l := range links {
		all[i] = k.encodeLink(l, names[i])
	}
	return all, nil
}

// begin keeps a new one with the links it begins with.
func (k linked[D, A]) begin(ctx context.Context, c access.Caller, d D, in []ControlLinkRequest) (D, []A, error) {
	d, links, err := k.kept.Create(ctx, k.a.Controls, c, d, encodeAll(in, decodeControlLink))
	if err != nil {
		return d, nil, err
	}
	told, err := k.encode(ctx, c, links)
	return d, told, err
}

// tie links the one with a code.
func (k linked[D, A]) tie(ctx context.Context, c access.Caller, code string, in ControlLinkRequest) (A, error) {
	l := decodeControlLink(in)
	l.Parent = code
	l, err := k.kept.Link(ctx, k.a.Controls, c, l)
	if err != nil {
		var none A
		return none, err
	}
	all, err := k.encode(ctx, c, []control.Link{l})
	if err != nil {
		var none A
		return none, err
	}
	return all[0], nil
}

// ties lists the links of the one with a code, or of all.
func (k linked[D, A]) ties(ctx context.Context, c access.Caller, code string, in LinkQuery) ([]A, error) {
	var d decoding
	f := control.LinkFilter{Parent: code, Type: control.LinkType(enumOf[linkTypes](&d, "LinkType", in.LinkType)), Code: in.LinkCode}
	if err := d.err(); err != nil {
		return nil, err
	}
	links, err := k.kept.Links(ctx, k.a.Controls, c, f)
	if err != nil {
		return nil, err
	}
	return k.encode(ctx, c, links)
}

func (k linked[D, A]) unlink(ctx context.Context, c access.Caller, in *LinkPath) (nothing, error) {
	return nothing{}, k.kept.Unlink(ctx, k.a.Controls, c, in.id())
}
