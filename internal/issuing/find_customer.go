package issuing

import (
	"context"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// CustomerDetail is a customer with the cards it holds, newest first, and how
// many notes there are about it.
type CustomerDetail struct {
	Customer
	Cards     []CustomerCard
	NoteCount int // at most 10,001
}

// CustomerSummary is a customer as lists show it: masked for every caller.
type CustomerSummary struct {
	Customer
	CardCount int
}

// Customer returns one of the tenant's customers.
func (s *Service) Customer(ctx context.Context, c access.Caller, no string) (u CustomerDetail, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		found, ok, err := s.readCustomerByNo(ctx, tx, c.Tenant, no)
		if err != nil {
			return fmt.Errorf("read customer: %w", err)
		}
		if !ok {
			return errCustomerNotFound
		}
		u, err = s.withCards(ctx, tx, c, found)
		return err
	})
	return u, err
}

// Customers returns the page of the tenant's customers that f selects, and how
// many it selects: exact up to 10,000, and 10,001 for more.
func (s *Service) Customers(ctx context.Context, c access.Caller, f CustomerFilter) (page []CustomerSummary, total int, err error) {
	exact := []term{{termEmail, f.Email}, {termTax, f.TaxNumber}}
	if f.MobilePhone != "" {
		e164, ok := parsePhone(f.MobilePhone, true)
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
		counts, err := issuancesPerCustomer(ctx, tx, c.Tenant, customers)
		if err != nil {
			return fmt.Errorf("count cards: %w", err)
		}
		page, total = make([]CustomerSummary, len(customers)), n
		for i, u := range customers {
			page[i] = CustomerSummary{u.masked(), counts[u.ID]}
		}
		return nil
	})
	return page, total, err
}

func (s *Service) detail(ctx context.Context, tx db.Tx, c access.Caller, customer id.ID[Customer]) (CustomerDetail, error) {
	u, found, err := s.readCustomer(ctx, tx, c.Tenant, customer)
	if err != nil || !found {
		return CustomerDetail{}, fmt.Errorf("read customer %s: %w", customer, missing(err))
	}
	return s.withCards(ctx, tx, c, u)
}

func (s *Service) withCards(ctx context.Context, tx db.Tx, c access.Caller, u Customer) (CustomerDetail, error) {
	cards, err := readCustomerCards(ctx, tx, c.Tenant, u.ID)
	if err != nil {
		return CustomerDetail{}, fmt.Errorf("read cards of customer: %w", err)
	}
	notes, err := countNotes(ctx, tx, c.Tenant, NoteOnCustomer, u.No)
	if err != nil {
		return CustomerDetail{}, err
	}
	return CustomerDetail{u.maskedFor(c), cards, notes}, nil
}

// maskedFor returns the customer as c may see it. The mother's maiden name is
// an answer to a security question and nobody sees it.
func (u Customer) maskedFor(c access.Caller) Customer {
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
		n.Number, n.SerialNo = maskMiddle(n.Number, 3, 3), maskMiddle(n.SerialNo, 0, 2)
		numbers[i] = n
	}
	ways := make([]Communication, len(u.Communications))
	for i, m := range u.Communications {
		if m.Type == Email {
			m.Value = maskEmail(m.Value)
		} else {
			m.Value = maskMiddle(m.Value, 3, 3)
		}
		ways[i] = m
	}
	u.Identifications, u.Communications = numbers, ways
	if u.Business != nil {
		b := *u.Business
		b.TaxNumber = maskMiddle(b.TaxNumber, 3, 3)
		if b.Authorized != nil {
			p := *b.Authorized
			p.TCKN, p.Phone = maskMiddle(p.TCKN, 3, 3), maskMiddle(p.Phone, 3, 3)
			b.Authorized = &p
		}
		u.Business = &b
	}
	return u
}
