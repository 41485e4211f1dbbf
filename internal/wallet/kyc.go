package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
)

// KYCForm is what somebody says of who they are.
type KYCForm struct {
	AccountNo              string
	FirstName, LastName    string
	NationalID             string
	Passport               bool // NationalID is the number of one
	BornOn                 clock.Date
	SectorID               string
	MotherName, FatherName string
	Address, City          string
	Country                country.Country
}

// SubmitKYC takes a form, and lifts an account of whom nothing was known. Who was
// known as somebody else is refused.
func (s *Service) SubmitKYC(ctx context.Context, c access.Caller, of Kind, in KYCForm) (Account, error) {
	return s.amend(ctx, c, in.AccountNo, of, "SubmitKYC", func(a *Account, at time.Time) error {
		p := &a.Person
		known := p.NationalID != "" && p.NationalID != in.NationalID
		wellFormed := in.Passport || country.ValidTCKN(in.NationalID)
		if known || !wellFormed || !in.BornOn.Before(clock.DateOf(at, istanbul)) {
			return ErrIdentity
		}
		if a.Kind == Personal && a.Level > Unknown && (folded(p.FirstName) != folded(in.FirstName) || folded(p.LastName) != folded(in.LastName)) {
			return ErrIdentity
		}
		p.FirstName, p.LastName, p.NationalID, p.BirthYear = in.FirstName, in.LastName, in.NationalID, in.BornOn.Year
		p.SectorID, p.MotherName, p.FatherName = in.SectorID, in.MotherName, in.FatherName
		p.Address, p.City, p.CountryCode = in.Address, in.City, in.Country.Alpha2()
		a.Level = max(a.Level, Unverified)
		return nil
	})
}

// Contract lifts an account whose owner has signed a contract.
func (s *Service) Contract(ctx context.Context, c access.Caller, accountNo string, of Kind) (Account, error) {
	return s.amend(ctx, c, accountNo, of, "Contract", func(a *Account, _ time.Time) error {
		a.Level = Contracted
		return nil
	})
}

// amend changes an account of a kind. Without one it is person or business not
// found.
func (s *Service) amend(ctx context.Context, c access.Caller, no string, of Kind, action string, change func(a *Account, at time.Time) error) (out Account, err error) {
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		at := c.Now(s.clock)
		out, err = s.changeAccount(ctx, tx, c, no, at, func(a *Account) error {
			if a.Kind != of {
				return notFound(of)
			}
			return change(a, at)
		})
		if errors.Is(err, ErrAccountNotFound) {
			return notFound(of)
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, c, action, "WalletAccount", no, at, struct{ Level int }{int(out.Level)})
	})
	return out, err
}

func notFound(of Kind) error {
	if of == Business {
		return ErrBusinessNotFound
	}
	return ErrPersonNotFound
}

// changeAccount changes an account under its row.
func (s *Service) changeAccount(ctx context.Context, tx db.Tx, c access.Caller, no string, at time.Time, change func(*Account) error) (Account, error) {
	a, found, err := s.lockAccount(ctx, tx, c.Tenant, no)
	if err != nil {
		return a, err
	}
	if !found {
		return a, ErrAccountNotFound
	}
	if err := change(&a); err != nil {
		return a, err
	}
	a.UpdatedAt = at
	return a, s.updateAccount(ctx, tx, a)
}
