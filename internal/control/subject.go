package control

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Subject is a card as links and counters know it. What a card does not have,
// such as a customer, is zero.
type Subject struct {
	CardToken        string
	Issuance, Parent id.ID[issuing.Issuance] // Parent: of a child card
	Customer         id.ID[customer.Customer]
	Segment          string
	Product, Group   string
	BINRange, BIN    string
}

// NewSubject completes what an issuance is by what its product belongs to.
func NewSubject(s issuing.Standing, cfg *program.Configuration) Subject {
	out := Subject{
		CardToken: s.CardToken, Issuance: s.Issuance, Parent: s.Parent, Customer: s.Customer, Segment: s.Segment, Product: s.ProductCode,
	}
	if p, known := cfg.Product(s.ProductCode); known {
		out.Group, out.BINRange = p.GroupCode, p.BINRangeCode
		out.BIN = cfg.Ranges[p.BINRangeCode].BIN
	}
	return out
}

// target is what a link of type t to this subject has as its target.
func (s Subject) target(t LinkType) string {
	switch t {
	case LinkBIN:
		return s.BIN
	case LinkBINRange:
		return s.BINRange
	case LinkProductGroup:
		return s.Group
	case LinkProduct:
		return s.Product
	case LinkSegment:
		return s.Segment
	case LinkCustomer:
		if !s.Customer.IsZero() {
			return s.Customer.String()
		}
	case LinkCard:
		return s.Issuance.String()
	}
	return ""
}

// ReadSubject reads what an issuance is now.
func ReadSubject(ctx context.Context, tx db.Tx, cfg *program.Configuration, i id.ID[issuing.Issuance]) (Subject, error) {
	s, err := issuing.ReadStanding(ctx, tx, cfg.Tenant.ID, i)
	return NewSubject(s, cfg), err
}
