package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
)

type (
	checkFlows      struct{}
	alertChannels   struct{}
	evaluationModes struct{}
	scheduleDays    struct{}
)

// Members of the enumerations of authorization controls.
func (alertChannels) Members() []api.Member   { return numbered(1, control.AlertChannels()) }
func (evaluationModes) Members() []api.Member { return numbered(1, control.Modes()) }

// Members are the flows that can be decided on, or told of.
func (checkFlows) Members() []api.Member {
	var members []api.Member
	for _, m := range (flowCodes{}).Members() {
		for _, flow := range control.CheckFlows() {
			if m.Name == flow {
				members = append(members, m)
			}
		}
	}
	return members
}

// Members are numbered as rules number the days of the week.
func (scheduleDays) Members() []api.Member {
	return api.Numbered(1, "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
}

// AuthorizationCheckRequest is CreateAuthorizationCheckDto and
// UpdateAuthorizationCheckDto (§12.2). A member that is absent from an update has
// its default again.
type AuthorizationCheckRequest struct {
	Code           string                         `json:"code,omitempty" maxLength:"32" doc:"Of a new control; it never changes."`
	Name           api.FreeText                   `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description    api.FreeText                   `json:"description,omitempty" maxLength:"250"`
	Action         api.Enum[authorizationActions] `json:"action" required:"true"`
	Rule           ruleSource                     `json:"rule,omitempty" doc:"Required without criteria."`
	Criteria       *transactionCriteria           `json:"criteria,omitempty" doc:"In addition to the rule."`
	ResponseCode   string                         `json:"responseCode,omitempty" maxLength:"2" doc:"DE39 of a refusal; absent: the network's."`
	Priority       *int                           `json:"priority,omitempty" minimum:"0" maximum:"9999" doc:"The lower one is asked first; absent: 1000."`
	IsMandatory    bool                           `json:"isMandatory,omitempty" doc:"Regulatory: asked before all that are not. Needs the permission System.Tenant; for Decline, RequirePin and Require3ds."`
	FlowCodes      []api.Enum[checkFlows]         `json:"flowCodes,omitempty" maxItems:"10" doc:"Absent: AuthorizationRequest, FinancialRequest and StatusCheck."`
	Schedule       *controlSchedule               `json:"schedule,omitempty" doc:"Absent: always."`
	StartDate      *time.Time                     `json:"startDate,omitempty"`
	EndDate        *time.Time                     `json:"endDate,omitempty"`
	IsActive       *bool                          `json:"isActive,omitempty" doc:"Absent: true."`
	AlertChannels  []api.Enum[alertChannels]      `json:"alertChannels,omitempty" maxItems:"3" doc:"Who is told when the control alerts or refuses; the webhook of an Alert always is."`
	ReasonText     api.FreeText                   `json:"reasonText,omitempty" maxLength:"250" doc:"Told in declineDetail."`
	EvaluationMode api.Enum[evaluationModes]      `json:"evaluationMode,omitempty" doc:"Monitor: what the control would do is recorded, nothing is done. Absent: Enforce."`
	Stamp          string                         `json:"concurrencyStamp,omitempty" maxLength:"64"`
}

// controlSchedule is the times of the week at which a control holds, in the
// tenant's zone.
type controlSchedule struct {
	DaysOfWeek []api.Enum[scheduleDays] `json:"daysOfWeek,omitempty" minItems:"1" maxItems:"7" doc:"On which it begins; absent: every day."`
	From       string                   `json:"from,omitempty" minLength:"1" maxLength:"8" doc:"HH:MM or HH:MM:SS, included; absent with to: all day."`
	To         string                   `json:"to,omitempty" minLength:"1" maxLength:"8" doc:"Not included; one that is not after from is on the next day."`
}

// authorizationCheckCreation is a new control with the links it begins with.
type authorizationCheckCreation struct {
	AuthorizationCheckRequest
	Links []ControlLinkRequest `json:"links,omitzero" maxItems:"100"`
}

// authorizationCheck is AuthorizationCheckDto.
type authorizationCheck struct {
	Code           string                   `json:"code"`
	Name           string                   `json:"name"`
	Description    *string                  `json:"description"`
	Action         string                   `json:"action"`
	Rule           ruleSource               `json:"rule"`
	Criteria       *transactionCriteria     `json:"criteria"`
	ResponseCode   *string                  `json:"responseCode"`
	Priority       int                      `json:"priority"`
	IsMandatory    bool                     `json:"isMandatory"`
	FlowCodes      []string                 `json:"flowCodes"`
	Schedule       *controlSchedule         `json:"schedule"`
	StartDate      *time.Time               `json:"startDate"`
	EndDate        *time.Time               `json:"endDate"`
	IsActive       bool                     `json:"isActive"`
	AlertChannels  []string                 `json:"alertChannels"`
	ReasonText     *string                  `json:"reasonText"`
	EvaluationMode string                   `json:"evaluationMode"`
	Version        int                      `json:"version"`
	Links          []authorizationCheckLink `json:"links,omitempty" doc:"Of a creation."`
	Audited
}

type authorizationCheckLinkRequest struct {
	AuthorizationCheckCode string `json:"authorizationCheckCode" required:"true" maxLength:"32"`
	ControlLinkRequest
}

type authorizationCheckLink struct {
	AuthorizationCheckCode string `json:"authorizationCheckCode"`
	AuthorizationCheckName string `json:"authorizationCheckName"`
	ControlLink
}

func (a *API) authorizationChecks() linked[control.AuthorizationCheck, authorizationCheckLink] {
	return linked[control.AuthorizationCheck, authorizationCheckLink]{
		a: a, kept: &control.AuthorizationChecks, encodeLink: func(l control.Link, n control.LinkName) authorizationCheckLink {
			return authorizationCheckLink{l.Parent, n.Parent, encodeControlLink(l, n)}
		},
	}
}

func (a *API) createAuthorizationCheck(ctx context.Context, c access.Caller, in *struct{ Body authorizationCheckCreation }) (authorizationCheck, error) {
	check, err := decodeAuthorizationCheck(in.Body.AuthorizationCheckRequest)
	if err != nil {
		return authorizationCheck{}, err
	}
	check, links, err := a.authorizationChecks().begin(ctx, c, check, in.Body.Links)
	if err != nil {
		return authorizationCheck{}, err
	}
	out := encodeAuthorizationCheck(check)
	out.Links = links
	return out, nil
}

func (a *API) updateAuthorizationCheck(ctx context.Context, c access.Caller, in *struct {
	DefinitionPath
	Body AuthorizationCheckRequest
}) (authorizationCheck, error) {
	in.Body.Code = in.Code
	check, err := decodeAuthorizationCheck(in.Body)
	if err != nil {
		return authorizationCheck{}, err
	}
	check, _, err = control.AuthorizationChecks.Update(ctx, a.Controls, c, check, in.Body.Stamp)
	return encodeAuthorizationCheck(check), err
}

func (a *API) listAuthorizationChecks(ctx context.Context, c access.Caller, in *struct {
	Code     string `query:"Code" maxLength:"32"`
	Filter   string `query:"Filter" maxLength:"100" doc:"Word prefixes of code and name."`
	IsActive string `query:"IsActive" enum:"true,false"`
	Action   string `query:"Action"`
}) ([]authorizationCheck, error) {
	var d decoding
	action := enumOf[authorizationActions](&d, "Action", in.Action)
	if err := d.err(); err != nil {
		return nil, err
	}
	all, err := control.AuthorizationChecks.All(ctx, a.Controls, c, in.Filter)
	out := []authorizationCheck{}
	for _, check := range all {
		if (in.Code == "" || check.Code == in.Code) && (action == "" || string(check.Action) == action) && isSaid(in.IsActive, check.IsActive) {
			out = append(out, encodeAuthorizationCheck(check))
		}
	}
	return out, err
}

func (a *API) deleteAuthorizationCheck(ctx context.Context, c access.Caller, in *DefinitionPath) (nothing, error) {
	return nothing{}, control.AuthorizationChecks.Delete(ctx, a.Controls, c, in.Code)
}

func (a *API) linkAuthorizationCheck(ctx context.Context, c access.Caller, in *struct{ Body authorizationCheckLinkRequest }) (authorizationCheckLink, error) {
	return a.authorizationChecks().tie(ctx, c, in.Body.AuthorizationCheckCode, in.Body.ControlLinkRequest)
}

func (a *API) listAuthorizationLinks(ctx context.Context, c access.Caller, in *struct {
	AuthorizationCheckCode string `query:"AuthorizationCheckCode" maxLength:"32"`
	LinkQuery
}) ([]authorizationCheckLink, error) {
	return a.authorizationChecks().ties(ctx, c, in.AuthorizationCheckCode, in.LinkQuery)
}

func decodeAuthorizationCheck(in AuthorizationCheckRequest) (control.AuthorizationCheck, error) {
	var d decoding
	check := control.NewAuthorizationCheck(in.Code)
	check.Name, check.Description = string(in.Name), string(in.Description)
	check.StartsAt, check.EndsAt, check.IsActive = utc(in.StartDate), utc(in.EndDate), or(in.IsActive, true)
	check.Action, check.Rule, check.Criteria = control.Action(in.Action), rule.Source(in.Rule), d.criteria("criteria.", in.Criteria)
	check.ResponseCode, check.Priority, check.IsMandatory = in.ResponseCode, or(in.Priority, check.Priority), in.IsMandatory
	if in.FlowCodes != nil {
		check.Flows = textsOf(in.FlowCodes)
	}
	check.Schedule = d.schedule(in.Schedule)
	check.AlertChannels = encodeAll(in.AlertChannels, func(e api.Enum[alertChannels]) control.AlertChannel { return control.AlertChannel(e) })
	check.ReasonText, check.Mode = string(in.ReasonText), given(in.EvaluationMode, check.Mode)
	return check, d.err()
}

// schedule reads the times of the week of a control.
func (d *decoding) schedule(in *controlSchedule) (out control.Schedule) {
	if in == nil {
		return out
	}
	if len(in.DaysOfWeek) == 0 && in.From == "" && in.To == "" {
		d.fail("schedule", "required", "must name days or times, or be absent")
	}
	for _, day := range in.DaysOfWeek {
		for _, m := range (scheduleDays{}).Members() {
			if m.Name == string(day) {
				out.Days = append(out.Days, time.Weekday(m.Code%7))
			}
		}
	}
	read := func(name, text string) *control.TimeOfDay {
		if text == "" {
			return nil
		}
		t, err := control.ParseTimeOfDay(text)
		if err != nil {
			d.fail(name, "not_a_time", "must be a time of the form HH:MM or HH:MM:SS")
		}
		return &t
	}
	out.From, out.To = read("schedule.from", in.From), read("schedule.to", in.To)
	return out
}

func encodeControlSchedule(s control.Schedule) *controlSchedule {
	if s.IsZero() {
		return nil
	}
	out := &controlSchedule{DaysOfWeek: encodeAll(s.Days, func(d time.Weekday) api.Enum[scheduleDays] { return api.Enum[scheduleDays](d.String()) })}
	if s.From != nil && s.To != nil {
		out.From, out.To = s.From.String(), s.To.String()
	}
	return out
}

func encodeAuthorizationCheck(c control.AuthorizationCheck) authorizationCheck {
	return authorizationCheck{
		Code: c.Code, Name: c.Name, Description: orNil(c.Description), Action: string(c.Action), Rule: ruleSource(c.Rule),
		Criteria: encodeCriteria(c.Criteria), ResponseCode: orNil(c.ResponseCode), Priority: c.Priority, IsMandatory: c.IsMandatory,
		FlowCodes: c.Flows, Schedule: encodeControlSchedule(c.Schedule), StartDate: c.StartsAt, EndDate: c.EndsAt, IsActive: c.IsActive,
		AlertChannels: namesOf(c.AlertChannels), ReasonText: orNil(c.ReasonText), EvaluationMode: string(c.Mode), Version: c.Version,
		Audited: encodeRecord(c.Record),
	}
}
