package authorization

import "github.com/sarraf-platform/sarraf/internal/control/rule"

// MCCRange is a range of merchant categories, both ends included.
type MCCRange = rule.CategoryRange

// MCCGroupRanges returns the merchant categories of a group that every tenant
// has, and whether there is one of that code.
func MCCGroupRanges(code string) ([]MCCRange, bool) {
	for _, g := range rule.CategoryGroups() {
		if g.Code == code {
			return g.Ranges, true
		}
	}
	return nil, false
}

// MCCGroupCodes lists the codes of all groups.
func MCCGroupCodes() []string {
	var codes []string
	for _, g := range rule.CategoryGroups() {
		codes = append(codes, g.Code)
	}
	return codes
}

// MCCGroupOf returns the code of the narrowest group that holds a merchant
// category; empty for what is none.
func MCCGroupOf(mcc string) string {
	for _, g := range rule.CategoryGroups() {
		if g.Holds(mcc) {
			return g.Code
		}
	}
	return ""
}
