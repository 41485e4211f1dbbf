package control

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// LinkType is what a link ties a control or a fee to.
type LinkType string

// The link types, from the least specific to the most specific.
const (
	LinkGlobal       LinkType = "Global"
	LinkBIN          LinkType = "Bin"
	LinkBINRange     LinkType = "BinRange"
	LinkProductGroup LinkType = "ProductGroup"
	LinkProduct      LinkType = "Product"
	LinkSegment      LinkType = "Segment"
	LinkCustomer     LinkType = "Customer"
	LinkCard         LinkType = "Card" // an issuance: all plastics of one card
)

var linkTypes = [...]LinkType{LinkGlobal, LinkBIN, LinkBINRange, LinkProductGroup, LinkProduct, LinkSegment, LinkCustomer, LinkCard}

// LinkTypes lists all link types, the least specific first.
func LinkTypes() []LinkType { return slices.Clone(linkTypes[:]) }

// Specificity is 1 for Global to 8 for Card; the higher one wins.
func (t LinkType) Specificity() int { return slices.Index(linkTypes[:], t) + 1 }

// Link ties a control or a fee to the cards that it is for. A tie that is
// repeated is the same link with other members.
type Link struct {
	ID     id.ID[Link]
	Kind   Kind
	Parent string // code of what is linked
	Type   LinkType
	// Code names the target as callers do; empty for Global. Target is what that
	// is called inside: of a card its issuance's identifier, of a customer its
	// own, else Code.
	Code, Target     string
	Priority         int // the lower one wins among equals
	StartsAt, EndsAt *time.Time
	IsActive         bool
	Description      string
	access.Record
}

// IDPrefix makes the identifiers of links lnk_….
func (Link) IDPrefix() string { return "lnk" }

// The priority of a link.
const (
	// LinkPriority is the one of a link that says none.
	LinkPriority = 1000
	linkLowest   = 9999
)

// check checks a link by itself; at is before the names of its members.
func (l Link) check() error {
	var v fault.Checks
	l.checkInto(&v, "")
	return v.Err(errInvalid)
}

// checkLinks checks the links that something begins with.
func checkLinks(links []Link) error {
	var v fault.Checks
	for i, l := range links {
		l.checkInto(&v, "links["+strconv.Itoa(i)+"].")
	}
	return v.Err(errInvalid)
}

func (l Link) checkInto(v *fault.Checks, at string) {
	fault.OneOf(v, at+"linkType", l.Type, LinkTypes())
	if l.Type == LinkGlobal {
		v.Is(at+"linkCode", l.Code == "", "not_allowed", "must be absent for Global")
	} else {
		v.Text(at+"linkCode", l.Code, 1, 64)
	}
	v.Between(at+"priority", l.Priority, 0, linkLowest)
	checkPeriod(v, at, l.StartsAt, l.EndsAt)
	v.Text(at+"description", l.Description, 0, 250)
}

// checkPeriod checks when something begins and ends.
func checkPeriod(v *fault.Checks, at string, from, to *time.Time) {
	v.Moment(at+"startDate", from)
	v.Moment(at+"endDate", to)
	v.Is(at+"endDate", from == nil || to == nil || from.Before(*to), "out_of_order", "must be after startDate")
}

// inForce reports whether at lies from the beginning up to the end; nil is
// without.
func inForce(from, to *time.Time, at time.Time) bool {
	return (from == nil || !at.Before(*from)) && (to == nil || at.Before(*to))
}

// Links finds the links of subjects. It is immutable.
type Links struct {
	byTarget map[linkTarget][]Link // that which wins first
}

type linkTarget struct {
	kind   Kind
	kindOf LinkType
	target string
}

// NewLinks indexes links; those that are not active are left out.
func NewLinks(all []Link) Links {
	by := map[linkTarget][]Link{}
	for _, l := range all {
		if l.IsActive {
			k := linkTarget{l.Kind, l.Type, l.Target}
			by[k] = append(by[k], l)
		}
	}
	for _, links := range by {
		slices.SortFunc(links, compareLinks)
	}
	return Links{by}
}

// compareLinks puts links to the same target in order: by priority, then the newer
// one first.
func compareLinks(a, b Link) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Parent, b.Parent))
}

// With returns n with more links, of one card.
func (n Links) with(more []Link) Links {
	if len(more) == 0 {
		return n
	}
	by := NewLinks(more).byTarget
	for k, l := range n.byTarget {
		if by[k] = append(by[k], l...); len(by[k]) > len(l) {
			slices.SortFunc(by[k], compareLinks)
		}
	}
	return Links{by}
}

// each hands over the links of one kind that hold for s at a moment, the one that
// wins first: by specificity, then priority, then the newer one.
func (n Links) each(kind Kind, s *Subject, at time.Time, each func(*Link)) {
	for i := len(linkTypes) - 1; i >= 0; i-- {
		target := s.target(linkTypes[i])
		if target == "" && linkTypes[i] != LinkGlobal {
			continue
		}
		links := n.byTarget[linkTarget{kind, linkTypes[i], target}]
		for k := range links {
			if inForce(links[k].StartsAt, links[k].EndsAt, at) {
				each(&links[k])
			}
		}
	}
}
