package control

import "github.com/sarraf-platform/sarraf/internal/control/rule"

// Action is what an authorization control does when its rule applies
// (contract/platform.md §4.4).
type Action string

// The actions.
const (
	Decline    Action = "Decline"
	Approve    Action = "Approve" // ends the evaluation of what is not mandatory
	RequirePIN Action = "RequirePin"
	Require3DS Action = "Require3ds"
	Alert      Action = "Alert" // never ends it
	Refer      Action = "Refer"
)

// Actions lists them.
func Actions() []Action { return []Action{Decline, Approve, RequirePIN, Require3DS, Alert, Refer} }

// refuses reports whether a may refuse a transaction.
func (a Action) refuses() bool {
	return a == Decline || a == RequirePIN || a == Require3DS || a == Refer
}

// Missing is what a comparison with a missing value counts as in the rule of a
// control that does this: what refuses applies, what lets pass does not.
func (a Action) Missing() rule.Missing {
	switch {
	case a.refuses():
		return rule.Matched
	case a == Approve:
		return rule.Unmatched
	}
	return rule.TwoValued
}
