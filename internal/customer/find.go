package customer

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Detail is a customer with the cards it holds, newest first, and how
// many notes there are about it.
type Detail struct {
	Customer
	Cards     []Card
	NoteCount int // at most 10,001
}

// Summary is a customer as lists show it: masked for every caller.
type Summary struct {
	Customer
	CardCount int
}

// Customer returns one of the tenant's customers.
func (s *Service) Customer(ctx context.Context, c access.Caller, no string) (u Detail, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		found, err := s.Named(ctx, tx, c.Tenant, no)
		if err != nil {
			return err
		}
		u, err = s.withCards(ctx, tx, c, found)
		return err
	})
	return u, err
}

// Customers returns the page of the tenant's customers that f selects, and how
// many it selects: exact up to 10,000, and 10,001 for more.
func (s *Service) Customers(ctx context.Context, c access.Caller, f Filter) (page []Summary, total int, err error) {
	exact := []term{{termEmail, f.Email}, {termTax, f.TaxNumber}}
	if f.MobilePhone != "" {
		e164, ok := ParsePhone(f.MobilePhone, true)
		if !ok {
			return nil, 0, nil
		}
		exact = append(exact, term{termPhone, e164})
	}
	hashed, err := s.exactTerms(ctx, c.Tenant, exact)
	if err != nil {
		return nil, 0, err
	}
	if f.IdentificationNo != "" {
		number, err := s.exactTerms(ctx, c.Tenant, []term{{termIdentification, Passport.normalNumber(f.IdentificationNo)}})
		if err != nil {
			return nil, 0, err
		}
		hashed = append(hashed, number...)
	}
	err = s.DB.View(ctx, func(tx db.Tx) error {
		customers, n, err := s.listCustomers(ctx, tx, c.Tenant, f, hashed)
		if err != nil {
			return err
		}
		ids := make([]id.ID[Customer], len(customers))
		for i, u := range customers {
			ids[i] = u.ID
		}
		counts, err := s.Cards.IssuancesPerCustomer(ctx, tx, c.Tenant, ids)
		if err != nil {
			return fmt.Errorf("count cards: %w", err)
		}
		page, total = make([]Summary, len(customers)), n
		for i, u := range customers {
			page[i] = Summary{u.masked(), counts[u.ID]}
		}
		return nil
	})
	return page, total, err
}

func (s *Service) detail(ctx context.Context, tx db.Tx, c access.Caller, customer id.ID[Customer]) (Detail, error) {
	u, found, err := s.Read(ctx, tx, c.Tenant, customer)
	if err != nil || !found {
		return Detail{}, fmt.Errorf("read customer %s: %w", customer, db.Missing(err))
	}
	return s.withCards(ctx, tx, c, u)
}

func (s *Service) withCards(ctx context.Context, tx db.Tx, c access.Caller, u Customer) (Detail, error) {
	cards, err := s.Cards.CardsOfCustomer(ctx, tx, c.Tenant, u.ID)
	if err != nil {
		return Detail{}, fmt.Errorf("read cards of customer: %w", err)
	}
	notes, err := countNotes(ctx, tx, c.Tenant, NoteOnCustomer, u.No)
	if err != nil {
		return Detail{}, err
	}
	return Detail{u.MaskedFor(c), cards, notes}, nil
}

// MaskedFor returns the customer as c may see it. The mother's maiden name is
// an answer to a security question and nobody sees it.
func (u Customer) MaskedFor(c access.Caller) Customer {
	if c.May(access.IssuingCustomerSensitive) {
		u.MotherMaidenName = ""
		return u
	}
	return u.masked()
}

// masked shows only the ends of what names or reaches a customer.
func (u Customer) masked() Customer {
	u.MotherMaidenName = ""
	numbers := make([]Identification, len(u.Identifications))
	for i, n := range u.Identifications {
		n.Number, n.SerialNo = MaskMiddle(n.Number, 3, 3), MaskMiddle(n.SerialNo, 0, 2)
		numbers[i] = n
	}
	ways := make([]Communication, len(u.Communications))
	for i, m := range u.Communications {
		if m.Type == Email {
			m.Value = MaskEmail(m.Value)
		} else {
			m.Value = MaskMiddle(m.Value, 3, 3)
		}
		ways[i] = m
	}
	u.Identifications, u.Communications = numbers, ways
	if u.Business != nil {
		b := *u.Business
		b.TaxNumber = MaskMiddle(b.TaxNumber, 3, 3)
		if b.Authorized != nil {
			p := *b.Authorized
			p.TCKN, p.Phone = MaskMiddle(p.TCKN, 3, 3), MaskMiddle(p.Phone, 3, 3)
			b.Authorized = &p
		}
		u.Business = &b
	}
	return u
}
