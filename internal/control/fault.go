package control

import (
	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// Refusals that every package shares.
var (
	errInvalid = access.ErrInvalid
	errStale   = access.ErrStale
)

// Refusals about rules and lists.
var (
	errRule         = fault.New(fault.Invalid, "invalid_rule", "the rule is not valid")
	errListNotFound = fault.New(fault.NotFound, "named_list_not_found", "there is no such list")
	errListExists   = fault.New(fault.Conflict, "named_list_already_exists", "the list exists already")
	errListInUse    = fault.New(fault.Conflict, "named_list_in_use", "rules look into the list")
	errListType     = fault.New(fault.Refused, "named_list_type_fixed", "the type of the values cannot change")
)

// Refusals about velocity controls, links and limits of cards.
var (
	errLinkNotFound     = fault.New(fault.NotFound, "control_link_not_found", "there is no such link")
	errLinkTarget       = fault.New(fault.Refused, "link_target_not_found", "what the link is to does not exist")
	errVelocityNotFound = fault.New(fault.NotFound, "velocity_check_not_found", "there is no such velocity control")
	errVelocityExists   = fault.New(fault.Conflict, "velocity_check_already_exists", "the code of the velocity control is or was in use")
	errVelocityInUse    = fault.New(fault.Conflict, "velocity_check_in_use", "the velocity control is linked")
	errLimitMissing     = fault.New(fault.Invalid, "velocity_limit_missing", "a velocity control needs a limit")
	errGroupDisagrees   = fault.New(fault.Refused, "limit_group_disagrees", "the checks of a limit group must count alike")
	errOverrideNotFound = fault.New(fault.NotFound, "velocity_override_not_found", "no such limit is set for the card")
	errOverrideRefused  = fault.New(fault.Refused, "velocity_override_not_allowed", "the limit cannot be set for this card")
	errOverrideBounds   = fault.New(fault.Refused, "velocity_override_out_of_bounds", "the limit is outside what the velocity control allows")
)

// Refusals about authorization controls.
var (
	errAuthorizationNotFound = fault.New(fault.NotFound, "authorization_check_not_found", "there is no such authorization control")
	errAuthorizationExists   = fault.New(fault.Conflict, "authorization_check_already_exists", "the code of the authorization control is or was in use")
	errAuthorizationInUse    = fault.New(fault.Conflict, "authorization_check_in_use", "the authorization control is linked")
	errMandatory             = fault.New(fault.Forbidden, access.CodeForbidden, "the caller may not touch mandatory controls")
)

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = fault.CodesOf(errRule, errListNotFound, errListExists, errListInUse, errListType,
	errLinkNotFound, errLinkTarget, errVelocityNotFound, errVelocityExists, errVelocityInUse, errLimitMissing,
	errGroupDisagrees, errOverrideNotFound, errOverrideRefused, errOverrideBounds,
	errAuthorizationNotFound, errAuthorizationExists, errAuthorizationInUse)

// ruleFault is the refusal of a rule that an object has as its member.
func ruleFault(member string, problems []rule.Problem) error {
	f := errRule
	for _, p := range problems {
		f = f.OnField(p.At(member), string(p.Code), p.Text("en"))
	}
	if len(problems) > 0 {
		f = f.With("path", problems[0].At(member))
	}
	return f
}
