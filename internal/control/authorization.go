package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Mode says whether an authorization control decides.
type Mode string

// The modes.
const (
	Enforce Mode = "Enforce"
	Monitor Mode = "Monitor" // only what it would have done is recorded
)

// Modes lists both.
func Modes() []Mode { return []Mode{Enforce, Monitor} }

// AlertChannel is who is told that a control has acted.
type AlertChannel string

// The channels: the tenant's webhooks, and the cardholder.
const (
	AlertByWebhook AlertChannel = "Webhook"
	AlertBySMS     AlertChannel = "Sms"
	AlertByEmail   AlertChannel = "Email"
)

// AlertChannels lists all channels.
func AlertChannels() []AlertChannel { return []AlertChannel{AlertByWebhook, AlertBySMS, AlertByEmail} }

// The priority of an authorization control.
const (
	// CheckPriority is the one of a control that says none.
	CheckPriority = 1000
	checkLowest   = 9999
)

// AuthorizationCheck lets transactions of the cards that its links name pass, or
// not, when its criteria and its rule select them.
type AuthorizationCheck struct {
	Head
	Action   Action
	Criteria Criteria
	Rule     rule.Source

	ResponseCode string // DE39 when it refuses; empty is the network's
	Priority     int    // the lower one comes first
	// IsMandatory says that it stands before all that are not, and that none of
	// those can let pass what it refuses.
	IsMandatory   bool
	Flows         []string
	Schedule      Schedule
	AlertChannels []AlertChannel
	ReasonText    string // for the tenant's systems
	Mode          Mode
}

// AuthorizationChecks are the authorization controls of tenants.
var AuthorizationChecks = Definitions[AuthorizationCheck]{
	Kind: Authorization, Entity: "AuthorizationCheck",
	Head:  func(c *AuthorizationCheck) *Head { return &c.Head },
	Check: AuthorizationCheck.check,
	Fit: func(c AuthorizationCheck, _ *AuthorizationCheck, _ []AuthorizationCheck) (AuthorizationCheck, error) {
		return c, nil
	},
	Permitted: AuthorizationCheck.permitted,
	Criteria:  func(c AuthorizationCheck) Criteria { return c.Criteria },
	Rule:      func(c AuthorizationCheck) rule.Source { return c.Rule }, Context: rule.Authorization,
	IfBroken: func(c AuthorizationCheck) bool { return c.Action != Approve },
	Encode:   encodeAuthorization, Decode: decodeAuthorization,
	NotFound: errAuthorizationNotFound, Exists: errAuthorizationExists, InUse: errAuthorizationInUse,
}

// The flows that messages ask in, and those that only report.
const (
	flowAuthorization       = "AuthorizationRequest"
	flowFinancial           = "FinancialRequest"
	flowStatusCheck         = "StatusCheck"
	flowAuthorizationAdvice = "AuthorizationAdvice"
	flowFinancialAdvice     = "FinancialAdvice"
)

// CheckFlows are the flows that an authorization control may be about.
func CheckFlows() []string {
	return []string{flowAuthorization, flowFinancial, flowAuthorizationAdvice, flowFinancialAdvice, flowStatusCheck}
}

// NewAuthorizationCheck is an authorization control with the contract's defaults.
func NewAuthorizationCheck(code string) AuthorizationCheck {
	return AuthorizationCheck{
		Head: Head{Code: code, IsActive: true}, Priority: CheckPriority, Mode: Enforce,
		Flows: []string{flowAuthorization, flowFinancial, flowStatusCheck},
	}
}

func (c AuthorizationCheck) check() error {
	var v fault.Checks
	c.Head.CheckInto(&v)
	fault.OneOf(&v, "action", c.Action, Actions())
	c.Criteria.CheckInto(&v, "criteria.")
	v.Is("rule", !c.Rule.IsNone() || !c.Criteria.IsZero(), "required", "is required without criteria")
	v.Is("responseCode", c.ResponseCode == "" || isDeclineCode(c.ResponseCode), "not_a_decline", "must be a response code of a decline")
	v.Is("responseCode", c.ResponseCode == "" || c.Action.refuses(), "not_allowed", "is for actions that may refuse")
	v.Between("priority", c.Priority, 0, checkLowest)
	v.Is("isMandatory", !c.IsMandatory || c.Action == Decline || c.Action == RequirePIN || c.Action == Require3DS,
		"not_allowed", "is for Decline, RequirePin and Require3ds")
	v.Is("flowCodes", len(c.Flows) > 0, "required", "must name a flow")
	fault.SomeOf(&v, "flowCodes", c.Flows, CheckFlows())
	c.Schedule.check(&v)
	fault.SomeOf(&v, "alertChannels", c.AlertChannels, AlertChannels())
	v.Is("alertChannels", len(c.AlertChannels) == 0 || c.Action != Approve, "not_allowed", "is not for Approve")
	v.Text("reasonText", c.ReasonText, 0, 250)
	fault.OneOf(&v, "evaluationMode", c.Mode, Modes())
	return v.Err(errInvalid)
}

// permitted refuses callers who may not touch regulatory controls.
func (c AuthorizationCheck) permitted(by access.Caller) error {
	if c.IsMandatory && !by.May(access.SystemTenant) {
		return errMandatory.With("permission", access.SystemTenant)
	}
	return nil
}

// concerns reports whether the control is about a flow. What was decided
// elsewhere is looked at like what it was decided on.
func (c *AuthorizationCheck) concerns(flow string) bool {
	switch {
	case slices.Contains(c.Flows, flow):
		return true
	case flow == flowAuthorizationAdvice:
		return slices.Contains(c.Flows, flowAuthorization)
	case flow == flowFinancialAdvice:
		return slices.Contains(c.Flows, flowFinancial)
	}
	return false
}

// Match is an authorization control that selects what is done.
type Match struct {
	Check *AuthorizationCheck
	Link  *Link
	// From and Until are the span of its schedule around the moment, or the next
	// one; the control holds from From on and before Until. Zero is without end.
	From, Until time.Time
	IsBroken    bool // it selects because its rule cannot be evaluated
}

// Matches returns the authorization controls that select what is done, in no
// order that matters. hasAmount is false for what moves no money: controls that
// read amounts say nothing of it.
func (k *Snapshot) Matches(o *Occasion, hasAmount bool) []Match {
	flow, _ := o.Facts.Text(rule.TransactionFlowCode)
	var all []Match
	for _, a := range AuthorizationChecks.In(k).Of(o) {
		if !a.Definition.concerns(flow) || !hasAmount && a.Selection.ReadsAmount() {
			continue
		}
		if _, selects := a.Selection.Selects(o.Facts, a.Definition.Action.Missing()); !selects {
			continue
		}
		m := Match{Check: a.Definition, Link: a.Link, IsBroken: a.Selection.IsBroken()}
		m.From, m.Until = a.Definition.Schedule.around(o.At, o.Calendar.Zone)
		all = append(all, m)
	}
	return all
}

// authorizationDocument is the text of an authorization control in
// control_definition.document: the control without its head. Member names are the
// stored form: they are only added to.
type authorizationDocument struct{ Check AuthorizationCheck }

func encodeAuthorization(c AuthorizationCheck) (string, error) {
	c.Head = Head{}
	text, err := json.Marshal(authorizationDocument{c})
	return string(text), err
}

func decodeAuthorization(document string) (AuthorizationCheck, error) {
	var d authorizationDocument
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return AuthorizationCheck{}, fmt.Errorf("read authorization control: %w", err)
	}
	return d.Check, nil
}
