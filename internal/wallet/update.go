package wallet

import (
	"context"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
)

// AccountChange is what somebody says anew of an account. What is blank stays as it
// is.
type AccountChange struct {
	AccountNo             string
	FirstName, LastName   string
	PhoneNo, Email, Alias string
	Address, CountryCode  string
	BusinessName          string // of a business, as the next two
	TaxOffice, TaxNumber  string
}

// Update changes what is said of the owner of an account. Who is known stays who
// they are: another name or tax number is an identity that does not match.
func (s *Service) Update(ctx context.Context, c access.Caller, of Kind, in AccountChange) (Account, error) {
	return s.amend(ctx, c, in.AccountNo, of, "Update", func(a *Account, _ time.Time) error {
		p := &a.Person
		if a.Level > Unknown && (another(p.FirstName, in.FirstName) || another(p.LastName, in.LastName) || another(p.TaxNumber, in.TaxNumber)) {
			return ErrIdentity
		}
		for _, x := range []struct {
			of *string
			is string
		}{
			{&p.FirstName, in.FirstName}, {&p.LastName, in.LastName}, {&p.PhoneNo, in.PhoneNo}, {&p.Email, in.Email}, {&p.Alias, in.Alias},
			{&p.Address, in.Address}, {&p.CountryCode, in.CountryCode}, {&p.BusinessName, in.BusinessName}, {&p.TaxOffice, in.TaxOffice},
			{&p.TaxNumber, in.TaxNumber},
		} {
			if strings.TrimSpace(x.is) != "" {
				*x.of = x.is
			}
		}
		return nil
	})
}

// another reports whether a text is said that is not the one that is known.
func another(known, said string) bool { return folded(said) != "" && folded(known) != folded(said) }
