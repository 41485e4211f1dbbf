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

// Codes lists the code of every refusal of this package, for the tables by
// which API families translate them.
var Codes = fault.CodesOf(errRule, errListNotFound, errListExists, errListInUse, errListType)

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
