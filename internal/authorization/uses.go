package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// UseFacts are what a card, whatever plastic of it, and its customer were used for
// before, as rules ask (contract/platform.md §10.4). They are gathered without a
// lock, and only where a rule asks: of two requests at the same moment neither
// counts the other. What was declined, reversed or has expired counts nothing,
// unless it is declines that are counted; amounts are those in the currency of the
// card's account.
type UseFacts struct {
	AreKnown bool
	// Of the card in the last hour, day, week and thirty days.
	Hour, Day, Week, Month         Usage
	Declines, Countries, Merchants int // in the last day; the latter two different ones
	// Of all cards of the customer; HasCustomer is false without one.
	HasCustomer                bool
	CustomerDay, CustomerMonth Usage
	// The last one of the card; LastAt is zero without one.
	LastAt      time.Time
	LastCountry string
	LastAmount  money.Amount
}

// The spans of time that rules look back.
const (
	spanOfHour  = time.Hour
	spanOfDay   = 24 * time.Hour
	spanOfWeek  = 7 * spanOfDay
	spanOfMonth = 30 * spanOfDay
)

// useFacts reads what was before.
func (e *Engine) useFacts(ctx context.Context, f *Facts) (UseFacts, error) {
	u := UseFacts{AreKnown: true}
	err := e.db.View(ctx, func(tx db.Tx) error {
		if err := readUses(ctx, tx, f, &u); err != nil {
			return err
		}
		if f.Subject.Customer.IsZero() {
			return nil
		}
		u.HasCustomer = true
		all, err := issuing.IssuancesOf(ctx, tx, f.Tenant, f.Subject.Customer)
		if err != nil {
			return err
		}
		return readUsesOfCustomer(ctx, tx, f, id.Texts(all), &u)
	})
	if err != nil {
		return UseFacts{}, fmt.Errorf("read what the card was used for: %w", err)
	}
	return u, nil
}

func (u *UseFacts) ruleFacts(f *rule.Facts, now time.Time, currency money.Currency) {
	if !u.AreKnown {
		return
	}
	amount := func(minor int64) rule.Number {
		return rule.Number{Coefficient: minor, Exponent: uint8(currency.Exponent())}
	}
	type row struct {
		usage         Usage
		count, amount rule.FieldID
	}
	rows := []row{
		{u.Hour, rule.CounterCardCount1h, rule.CounterCardAmount1h}, {u.Day, rule.CounterCardCount24h, rule.CounterCardAmount24h},
		{u.Week, rule.CounterCardCount7d, rule.CounterCardAmount7d}, {u.Month, rule.CounterCardCount30d, rule.CounterCardAmount30d},
	}
	if u.HasCustomer {
		rows = append(rows, row{u.CustomerDay, rule.CounterCustomerCount24h, rule.CounterCustomerAmount24h},
			row{u.CustomerMonth, rule.CounterCustomerCount30d, rule.CounterCustomerAmount30d})
	}
	for _, r := range rows {
		f.SetInteger(r.count, int64(r.usage.Count))
		f.SetDecimal(r.amount, amount(r.usage.Amount))
	}
	f.SetInteger(rule.CounterCardDeclineCount24h, int64(u.Declines))
	f.SetInteger(rule.CounterCardDistinctCountries24h, int64(u.Countries))
	f.SetInteger(rule.CounterCardDistinctMerchants24h, int64(u.Merchants))
	if u.LastAt.IsZero() {
		return
	}
	f.SetText(rule.LastMerchantCountry, u.LastCountry)
	f.SetInteger(rule.LastMinutesSince, int64(max(0, now.Sub(u.LastAt)/time.Minute)))
	f.SetAmount(rule.LastAmount, u.LastAmount)
}

func (u *UseFacts) visit(c *codec) {
	c.bool("uses", &u.AreKnown)
	if !u.AreKnown {
		return
	}
	for name, x := range u.usages() {
		c.count("uses."+name+".count", &x.Count)
		c.int("uses."+name+".amount", &x.Amount)
	}
	c.count("uses.declines", &u.Declines)
	c.count("uses.countries", &u.Countries)
	c.count("uses.merchants", &u.Merchants)
	c.bool("uses.customer", &u.HasCustomer)
	c.time("uses.last_at", &u.LastAt)
	visitText(c, "uses.last_country", &u.LastCountry)
	c.amount("uses.last_amount", &u.LastAmount)
}

// usages are the members that are a number and a sum, in a fixed order.
func (u *UseFacts) usages() func(yield func(string, *Usage) bool) {
	return func(yield func(string, *Usage) bool) {
		for _, x := range []struct {
			name  string
			usage *Usage
		}{
			{"hour", &u.Hour}, {"day", &u.Day}, {"week", &u.Week}, {"month", &u.Month},
			{"customer_day", &u.CustomerDay}, {"customer_month", &u.CustomerMonth},
		} {
			if !yield(x.name, x.usage) {
				return
			}
		}
	}
}
