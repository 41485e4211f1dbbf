package webhook

import (
	"slices"
	"strings"
)

// Filter narrows what a hook is told of, or asked. An empty list chooses all;
// what an event says nothing about does not keep it out.
type Filter struct {
	Products []string // codes
	Networks []string // of the card's BIN, as the contract names them
	Codes    []string // transaction codes, as the contract names them
}

const filterMax = 100

func (f Filter) check(bad *faults) {
	for _, list := range []struct {
		field  string
		values []string
	}{{"productCodes", f.Products}, {"networks", f.Networks}, {"transactionCodes", f.Codes}} {
		bad.is("filter."+list.field, len(list.values) <= filterMax, "too_many", "must have at most 100 entries")
		for _, v := range list.values {
			bad.is("filter."+list.field, v != "" && len(v) <= 64 && !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f }),
				"malformed", "must be codes of 1 to 64 characters, without spaces")
		}
	}
}

// Admits reports whether the filter lets something of this product, network and
// transaction code pass.
func (f Filter) Admits(product, network, code string) bool {
	return admits(f.Products, product) && admits(f.Networks, network) && admits(f.Codes, code)
}

func admits(list []string, value string) bool {
	return len(list) == 0 || value == "" || slices.Contains(list, value)
}

// overlaps reports whether something could pass both filters.
func (f Filter) overlaps(other Filter) bool {
	return meet(f.Products, other.Products) && meet(f.Networks, other.Networks) && meet(f.Codes, other.Codes)
}

func meet(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}
