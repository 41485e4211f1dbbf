// Package list is how a caller names the part of a list it wants.
package list

// Page is one part of an ordered list. Sort keys are the list's own names.
type Page struct {
	Skip, Limit int
	Sort        []SortKey
}

// SortKey is one order of a list.
type SortKey struct {
	Name       string
	Descending bool
}

// TotalMax bounds the exact total of lists that grow without bound: counting
// stops one above it.
const TotalMax = 10_000

// LookMax bounds how many rows a list looks through for the few that it
// selects, where no index leads to them.
const LookMax = 200_000
