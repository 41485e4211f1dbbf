package customer

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
)

// Person is what rules ask of a customer that lies sealed. Zero is not stated. Its
// members are named as those of Profile, from which it is read.
type Person struct {
	BirthDate   clock.Date
	Nationality country.Country
}

// AgeOn is how many whole years old the person is on a day; -1 without a birth
// date.
func (p Person) AgeOn(day clock.Date) int {
	if p.BirthDate.IsZero() {
		return -1
	}
	age := day.Year - p.BirthDate.Year
	if day.Before(p.BirthDate.AddMonths(12 * age)) {
		age--
	}
	return max(0, age)
}

// Person returns what is sealed of a customer, as far as rules ask for it. stamp
// is the customer's present concurrency stamp: what was opened under it is kept
// in memory, for every authorization asks.
func (s *Service) Person(ctx context.Context, tenant access.TenantID, u id.ID[Customer], stamp string) (Person, error) {
	if p, found := s.persons.find(u, stamp); found {
		return p, nil
	}
	var c Customer
	err := s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		var err error
		if c, found, err = s.Read(ctx, tx, tenant, u); err == nil && !found {
			err = errNotFound
		}
		return err
	})
	if err != nil {
		return Person{}, fmt.Errorf("read customer %s: %w", u, err)
	}
	p := personOf(c)
	s.persons.keep(u, c.ConcurrencyStamp, p)
	return p, nil
}

// LearnPersons reads in tx what is sealed of customers of a tenant, those that are not
// in memory under their present concurrency stamp, so that [Service.Person] finds it
// there. Of one that cannot be read Person will say so.
func (s *Service) LearnPersons(ctx context.Context, tx db.Tx, tenant access.TenantID, stamps map[id.ID[Customer]]string) error {
	var unknown []string
	for u, stamp := range stamps {
		if _, found := s.persons.find(u, stamp); !found {
			unknown = append(unknown, u.String())
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	if err := s.readPersons(ctx, tx, tenant, unknown, s.persons.keep); err != nil {
		return fmt.Errorf("read customers for rules: %w", err)
	}
	return nil
}

func personOf(c Customer) Person { return Person{BirthDate: c.BirthDate, Nationality: c.Nationality} }

// personsMax bounds how many persons are kept in memory.
const personsMax = 50_000

// persons keeps what was opened, by customer.
type persons struct {
	mu   sync.RWMutex
	kept map[id.ID[Customer]]stampedPerson
}

type stampedPerson struct {
	stamp string
	Person
}

func (p *persons) find(u id.ID[Customer], stamp string) (Person, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	k, found := p.kept[u]
	return k.Person, found && k.stamp == stamp
}

// keep begins anew when it is full: those who pay come again.
func (p *persons) keep(u id.ID[Customer], stamp string, person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= personsMax {
		p.kept = map[id.ID[Customer]]stampedPerson{}
	}
	p.kept[u] = stampedPerson{stamp, person}
}
