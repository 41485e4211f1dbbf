package platform

import (
	"time"

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

func encodeControlLink(l control.Link) ControlLink {
	return ControlLink{
		ID: l.ID.UUID(), LinkType: string(l.Type), LinkCode: orNil(l.Code), Priority: l.Priority, StartDate: l.StartsAt,
		EndDate: l.EndsAt, IsActive: l.IsActive, Description: orNil(l.Description), Audited: encodeRecord(l.Record),
	}
}

// LinkPath names a link.
type LinkPath struct {
	LinkID string `path:"linkId" maxLength:"64"`
}

func (p LinkPath) id() id.ID[control.Link] {
	l, _ := id.ParseUUID[control.Link](p.LinkID) // zero is not found
	return l
}
