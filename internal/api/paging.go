package api

import (
	"strings"
)

// CountMax is up to where a list is counted; beyond it the count is capped.
const CountMax = 10_000

// Paging is the query of a paged list; embed it in the input of the operation.
type Paging struct {
	SkipCount      int    `query:"SkipCount" minimum:"0" maximum:"10000" default:"0" doc:"How many items to pass over."`
	MaxResultCount int    `query:"MaxResultCount" minimum:"1" maximum:"1000" default:"10" doc:"How many items to return at most."`
	Sorting        string `query:"Sorting" maxLength:"256" doc:"Fields to sort by, separated by commas, each with an optional asc or desc. Of more than 10000 items, only the orders in which they are stored can be had."`
}

// Order is one field to sort by, in the words of the domain.
type Order struct {
	By   string
	Desc bool
}

// Orders reads Sorting. allowed maps each field that may be named, as the
// contract writes it, to the domain's word; letter case does not matter. An
// unknown field is Invalid.
func (p Paging) Orders(allowed map[string]string) ([]Order, error) {
	if strings.TrimSpace(p.Sorting) == "" {
		return nil, nil
	}
	var orders []Order
	for part := range strings.SplitSeq(p.Sorting, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 {
			return nil, Invalid().OnField("Sorting", "malformed", "must be fields with an optional asc or desc")
		}
		o := Order{By: fold(allowed, words[0])}
		if o.By == "" {
			return nil, Invalid().OnField("Sorting", "unknown", "names a field that this list cannot be sorted by")
		}
		if len(words) == 2 {
			switch strings.ToLower(words[1]) {
			case "asc":
			case "desc":
				o.Desc = true
			default:
				return nil, Invalid().OnField("Sorting", "malformed", "must say asc or desc after a field")
			}
		}
		orders = append(orders, o)
	}
	return orders, nil
}

func fold(allowed map[string]string, name string) string {
	for k, v := range allowed {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// Page is the answer of a paged list. TotalCount is capped at CountMax, and a
// header says when it was.
type Page[T any] struct {
	TotalCount int `json:"totalCount" doc:"How many items there are; at most 10000."`
	Items      []T `json:"items"`
}

// PageOf returns the page of these items; total may be more than CountMax.
func PageOf[T any](total int, items []T) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{TotalCount: total, Items: items}
}

// Headers says that the count was capped, and caps it.
func (p *Page[T]) Headers() map[string]string {
	if p.TotalCount <= CountMax {
		return nil
	}
	p.TotalCount = CountMax
	return map[string]string{"X-Total-Count-Capped": "true"}
}
