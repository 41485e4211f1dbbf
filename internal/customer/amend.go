package customer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
)

// PutAddress adds an address to a customer, or replaces the one of its type. A
// new default address takes the place of the old; the default stays one until
// another becomes it. What is wrong is named as in the address itself.
func (s *Service) PutAddress(ctx context.Context, c access.Caller, customerNo string, in Address) (Address, error) {
	u, at, err := s.amend(ctx, c, customerNo, "addresses", func(u *Customer) int {
		at := slices.IndexFunc(u.Addresses, func(a Address) bool { return a.Type == in.Type })
		u.Addresses = slices.Clone(u.Addresses)
		fresh := in
		if at < 0 {
			at = len(u.Addresses)
			u.Addresses = append(u.Addresses, fresh)
		} else {
			fresh.IsDefault = fresh.IsDefault || u.Addresses[at].IsDefault
			u.Addresses[at] = fresh
		}
		if fresh.IsDefault {
			for i := range u.Addresses {
				u.Addresses[i].IsDefault = i == at
			}
		}
		return at
	})
	if err != nil {
		return Address{}, err
	}
	return u.Addresses[at], nil
}

// PutCommunication adds a way to reach a customer, or replaces the one of its
// type. What is wrong is named as in the communication itself.
func (s *Service) PutCommunication(ctx context.Context, c access.Caller, customerNo string, in Communication) (Communication, error) {
	u, at, err := s.amend(ctx, c, customerNo, "communications", func(u *Customer) int {
		at := slices.IndexFunc(u.Communications, func(m Communication) bool { return m.Type == in.Type })
		u.Communications, at = placed(u.Communications, at, in)
		return at
	})
	if err != nil {
		return Communication{}, err
	}
	return u.Communications[at], nil
}

// PutIdentification adds an identification to a customer, or replaces the one
// of its type. Somebody else's number is customer_already_exists. What is wrong
// is named as in the identification itself.
func (s *Service) PutIdentification(ctx context.Context, c access.Caller, customerNo string, in Identification) (Identification, error) {
	u, at, err := s.amend(ctx, c, customerNo, "identifications", func(u *Customer) int {
		at := slices.IndexFunc(u.Identifications, func(n Identification) bool { return n.Type == in.Type })
		u.Identifications, at = placed(u.Identifications, at, in)
		return at
	})
	if err != nil {
		return Identification{}, err
	}
	return u.Identifications[at], nil
}

// placed returns a copy of all with x at a place, or behind them when the place
// is below zero, and where x is.
func placed[T any](all []T, at int, x T) ([]T, int) {
	all = slices.Clone(all)
	if at < 0 {
		return append(all, x), len(all)
	}
	all[at] = x
	return all, at
}

// amend changes one element of a list of a customer: put does, and says where
// the element is. It returns the customer as the caller may see it.
func (s *Service) amend(ctx context.Context, c access.Caller, customerNo, list string, put func(*Customer) int) (out Customer, at int, err error) {
	t, err := s.tenant(ctx, c)
	if err != nil {
		return Customer{}, 0, err
	}
	unique, err := s.Rules.UniqueMobilePhone(ctx, c)
	if err != nil {
		return Customer{}, 0, err
	}
	now := c.Now(s.Clock)
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		u, err := s.customerToChange(ctx, tx, c, customerNo)
		if err != nil {
			return err
		}
		old := u // put replaces lists, it changes none
		at = put(&u)
		u = u.normalized()
		u.Record = u.Record.Updated(c, now)
		if err := u.check(now, t.Zone); err != nil {
			return fromElement(err, list+"["+strconv.Itoa(at)+"].")
		}
		d, err := s.drafted(ctx, draft{Customer: u, uniquePhone: unique})
		if err != nil {
			return err
		}
		if err := s.replaceWhole(ctx, tx, d); err != nil {
			return err
		}
		if err := u.raiseChange(ctx, tx, c, old, now); err != nil {
			return err
		}
		out = u.MaskedFor(c)
		return u.record(ctx, tx, c, "Update", &old, now)
	})
	if err != nil {
		return Customer{}, 0, err
	}
	return out, at, nil
}

// fromElement names the fields of a fault by their places in the element at
// prefix: that is all the caller sent.
func fromElement(err error, prefix string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	out := *f
	out.Fields = slices.Clone(f.Fields)
	for i := range out.Fields {
		out.Fields[i].Name = strings.TrimPrefix(out.Fields[i].Name, prefix)
	}
	return &out
}

// customerToChange reads a customer in clear and locks its row. A closed
// customer never changes again.
func (s *Service) customerToChange(ctx context.Context, tx db.Tx, c access.Caller, no string) (Customer, error) {
	u, err := s.Named(ctx, tx, c.Tenant, no)
	if err != nil {
		return Customer{}, err
	}
	if err := Lock(ctx, tx, c.Tenant, u.ID); err != nil {
		return Customer{}, err
	}
	// Once more, now that nobody can change it under our feet.
	if u, _, err = s.Read(ctx, tx, c.Tenant, u.ID); err != nil {
		return Customer{}, fmt.Errorf("read customer: %w", err)
	}
	if u.Status == Closed {
		return Customer{}, errClosed.With("customerNo", u.No)
	}
	return u, nil
}
