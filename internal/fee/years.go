package fee

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// jobBatch is how many issuances or fees a job looks for at a time.
const jobBatch = 100

// BeginYears orders the yearly fees of the tenant's cards whose year begins, and
// tells of those that are about to. It returns how many years began. Every
// issuance is looked at once a day; each is a transaction of its own, and the job
// may run on several nodes and be broken off at any time.
func (s *Service) BeginYears(ctx context.Context, tenant access.Tenant) (int, error) {
	began, failure := s.lookAtYears(ctx, tenant, true)
	if ctx.Err() != nil {
		return began, failure
	}
	hasFees := false
	err := s.DB.View(ctx, func(tx db.Tx) error {
		_, k, err := s.defined(ctx, tx, tenant.ID)
		hasFees = err == nil && !AnnualFees.In(k).IsEmpty()
		return err
	})
	if err != nil || !hasFees { // without yearly fees no first year begins
		return began, errors.Join(failure, err)
	}
	first, err := s.lookAtYears(ctx, tenant, false)
	return began + first, errors.Join(failure, err)
}

// lookAtYears looks at the issuances whose first year has begun, or at the others.
// It returns how many years began.
func (s *Service) lookAtYears(ctx context.Context, tenant access.Tenant, hasBegun bool) (int, error) {
	today := clock.DateOf(tenant.Now(s.Clock), tenant.Zone)
	began := 0
	var failure error
	for last := (dueYear{}); ; {
		var due []dueYear
		err := s.DB.View(ctx, func(tx db.Tx) (err error) {
			due, err = dueYears(ctx, tx, tenant.ID, today, hasBegun, last, jobBatch)
			return err
		})
		if err != nil {
			return began, errors.Join(failure, fmt.Errorf("find fee years that begin: %w", err))
		}
		for _, last = range due {
			did, err := s.lookAtYear(ctx, access.System(tenant), last.issuance)
			if ctx.Err() != nil {
				return began, ctx.Err()
			}
			if err != nil {
				failure = errors.Join(failure, fmt.Errorf("fee year of %s: %w", last.issuance, err))
			}
			if did && err == nil {
				began++
			}
		}
		if len(due) < jobBatch {
			return began, failure
		}
	}
}

// defined is what the tenant has defined now.
func (s *Service) defined(ctx context.Context, tx db.Tx, tenant access.TenantID) (*program.Configuration, *control.Snapshot, error) {
	cfg, err := s.Programs.ConfigurationIn(ctx, tx, tenant)
	if err != nil {
		return nil, nil, err
	}
	k, err := s.Controls.Snapshot(ctx, tenant, cfg.Version)
	return cfg, k, err
}

// yearAct is one look at the fee year of an issuance.
type yearAct struct {
	s     *Service
	tx    db.Tx
	c     access.Caller
	cfg   *program.Configuration
	k     *control.Snapshot
	card  issuing.IssuedCard // in force
	now   time.Time
	today clock.Date
	year
	// spent and count are what was paid in twelve months, once they are summed up.
	isSummed bool
	spent    money.Amount
	count    int
}

// lookAtYear does what is to be done with the year of an issuance today. It
// reports whether one began.
func (s *Service) lookAtYear(ctx context.Context, c access.Caller, issuance id.ID[issuing.Issuance]) (began bool, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		began = false
		y, err := lockYear(ctx, tx, c.Tenant, issuance)
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		a := &yearAct{s: s, tx: tx, c: c, now: c.Now(s.Clock), year: y}
		if a.cfg, a.k, err = s.defined(ctx, tx, c.Tenant); err != nil {
			return err
		}
		a.today = clock.DateOf(a.now, a.cfg.Tenant.Zone)
		if a.isClosed || a.today.Before(a.check) {
			return nil // another node was here
		}
		if a.card, err = s.Cards.CardInForce(ctx, tx, c, issuance); err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		a.check = a.today.AddDays(1)
		switch status := a.card.Current.Status; {
		case status.IsFinal() && a.card.Issuance.Successor.IsZero():
			err = a.close(ctx)
		case status == issuing.Active || status == issuing.Inactive:
			began, err = a.begin(ctx)
		}
		if err != nil {
			return err
		}
		return saveYear(ctx, tx, a.year)
	})
	return began, err
}

// begin begins a year whose day has come, and tells of one whose day is near.
func (a *yearAct) begin(ctx context.Context) (bool, error) {
	o, err := a.s.occasionOfCard(ctx, a.tx, a.k, a.cfg, a.card, a.now)
	if err != nil {
		return false, err
	}
	o.Facts.SetInteger(rule.CardCardYear, int64(a.n+1))
	fee, found, err := a.choose(ctx, o)
	if err != nil || !found {
		return false, err
	}
	if a.next.IsZero() {
		if a.next, err = a.firstDay(ctx, fee.Definition.Timing); err != nil || a.next.IsZero() {
			return false, err
		}
		a.first = a.fromNow(fee.Definition.Timing)
		a.next = a.first
	}
	if a.today.Before(a.next) {
		return false, a.tell(ctx, fee)
	}
	a.n++
	for !a.today.Before(a.next) { // years that nobody could be charged for are not made up for
		a.next = anniversary(a.first, a.next)
	}
	isWaived, err := a.isWaived(ctx, fee.Definition)
	if err != nil {
		return false, err
	}
	orders, err := a.orders(fee, a.today, isWaived)
	if err != nil {
		return false, err
	}
	return true, insertCardFees(ctx, a.tx, orders)
}

// anniversary is the first anniversary of a day that is after another one, which
// is one itself, or that day.
func anniversary(first, after clock.Date) clock.Date {
	years := after.Year - first.Year
	for next := first.AddMonths(12 * years); ; next = first.AddMonths(12 * years) {
		if after.Before(next) {
			return next
		}
		years++
	}
}

// isWaived reports whether the year that begins costs nothing.
func (a *yearAct) isWaived(ctx context.Context, d *Yearly) (bool, error) {
	switch {
	case a.n == 1 && d.FreeFirst:
		return true, nil
	case d.WaiverSpend == nil && d.WaiverCount == 0:
		return false, nil
	}
	err := a.sumUp(ctx)
	return err == nil && (d.WaiverSpend != nil && a.spent.Cmp(*d.WaiverSpend) >= 0 || d.WaiverCount > 0 && a.count >= d.WaiverCount), err
}

// sumUp sums up what the card paid in the twelve months before. That reads all of
// it, so that it is left until somebody asks.
func (a *yearAct) sumUp(ctx context.Context) error {
	if a.isSummed {
		return nil
	}
	amount, count, err := a.s.Usage.Spent(ctx, a.tx, a.c.Tenant, a.issuance, a.today.AddMonths(-12).In(a.cfg.Tenant.Zone))
	if err == nil {
		a.spent, err = money.New(amount, a.card.Product.Currency)
	}
	if err != nil {
		return fmt.Errorf("sum up what was spent: %w", err)
	}
	a.count, a.isSummed = count, true
	return nil
}

// asksSpending says of a field that it is about what [yearAct.sumUp] finds.
func asksSpending(f rule.FieldID) bool {
	return f == rule.CardAnnualSpend || f == rule.CardAnnualTransactionCount
}

// choose finds the yearly fee of the card, if there is one: that with the most
// specific link of those whose rule holds.
func (a *yearAct) choose(ctx context.Context, o *control.Occasion) (control.Applied[Yearly], bool, error) {
	for _, f := range AnnualFees.In(a.k).Of(o) {
		if f.Definition.Currency != a.card.Product.Currency {
			continue
		}
		if f.Selection.Reads(asksSpending) {
			if err := a.sumUp(ctx); err != nil {
				return f, false, err
			}
			o.Facts.SetAmount(rule.CardAnnualSpend, a.spent)
			o.Facts.SetInteger(rule.CardAnnualTransactionCount, int64(a.count))
		}
		if _, selected := f.Selection.Selects(o.Facts, rule.TwoValued); selected {
			return f, true, nil
		}
	}
	return control.Applied[Yearly]{}, false, nil
}

// firstDay is when the first year begins; zero while that is not known.
func (a *yearAct) firstDay(ctx context.Context, t CardTiming) (clock.Date, error) {
	at := a.card.Issuance.CreatedAt
	switch t {
	case OnAnniversary:
		return clock.DateOf(at, a.cfg.Tenant.Zone).AddMonths(12), nil
	case OnProduction:
		if !isProduced(a.card.Current) {
			at = time.Time{}
		}
	case OnActivation:
		at = a.card.Current.ActivatedAt
	case OnFirstUse:
		var err error
		if at, err = a.s.Usage.FirstPaid(ctx, a.tx, a.c.Tenant, a.issuance, at); err != nil {
			return clock.Date{}, fmt.Errorf("find first payment: %w", err)
		}
	}
	if at.IsZero() {
		return clock.Date{}, nil
	}
	if day := clock.DateOf(at, a.cfg.Tenant.Zone); t == OnOrder || t == OnFirstUse || t == OnActivation {
		return day, nil
	}
	return a.today, nil
}

// fromNow is the day on which the first year begins that should have begun on
// a.next: a card that is older than its fee pays for no days before anybody looked
// for them, and not twice for those after.
func (a *yearAct) fromNow(t CardTiming) clock.Date {
	first := a.next
	switch {
	case !first.Before(a.today.AddDays(-1)): // it is looked for once a day
	case t != OnAnniversary:
		first = a.today
	default:
		for first.Before(a.today) {
			first = anniversary(a.next, first)
		}
	}
	return first
}

// isProduced reports whether there is nothing to be produced of a card any more.
func isProduced(c issuing.Card) bool {
	if c.Physical == nil {
		return true
	}
	switch c.Physical.PersoStatus {
	case issuing.PersoProduced, issuing.PersoHandedToCourier, issuing.PersoNotRequired:
		return true
	}
	return false
}

// orders are the instalments of a year from a day on: equal parts a month apart,
// what cannot be divided in the first ones.
func (a *yearAct) orders(fee control.Applied[Yearly], from clock.Date, isWaived bool) ([]CardFee, error) {
	d := fee.Definition
	terms := cardTerms(d.Currency, taxesOn(d.Taxes, a.cfg.Attributes, a.today))
	whole := price(d.Amount, d.ChildAmount, !a.card.Issuance.Parent.IsZero())
	weights := make([]int64, d.Instalments)
	for i := range weights {
		weights[i] = 1
	}
	if isWaived || whole.IsZero() {
		weights = weights[:1]
	}
	prices, err := whole.Split(weights...)
	if err != nil {
		return nil, fmt.Errorf("divide fee %s: %w", d.Code, err)
	}
	var orders []CardFee
	for i, p := range prices {
		day := from.AddMonths(i)
		f := CardFee{
			ID: id.New[CardFee](a.s.Clock.Now()), Tenant: a.c.Tenant, Issuance: a.issuance, Card: a.card.Current.ID, Occasion: occasionOfYear(a.n), Part: i + 1,
			Year: a.n, Applied: applied(d.Head, fee.Link, CardAnnualFee, terms), Price: p, ToGiveBack: money.Zero(d.Currency), GivenBack: money.Zero(d.Currency), Timing: d.Timing,
			Status: Chargeable, IsProRata: d.ProRata, CheckAt: a.now, DueOn: day, RetryDays: d.MaxRetryDays, CreatedAt: a.now, UpdatedAt: a.now,
		}
		if a.today.Before(day) {
			f.CheckAt = day.In(a.cfg.Tenant.Zone).UTC()
		}
		if isWaived || p.IsZero() {
			f.Status = FreeOfCharge
		}
		orders = append(orders, f)
	}
	return orders, nil
}

// tell raises, once for a year, the event that it is about to begin.
func (a *yearAct) tell(ctx context.Context, fee control.Applied[Yearly]) error {
	d := fee.Definition
	notice := a.next.AddDays(-d.NoticeDays)
	if d.NoticeDays == 0 || a.today.Before(notice) || a.told > a.n {
		return nil
	}
	orders, err := a.orders(fee, a.next, false)
	if err != nil {
		return err
	}
	if whole := price(d.Amount, d.ChildAmount, !a.card.Issuance.Parent.IsZero()); whole.IsZero() || a.n == 0 && d.FreeFirst {
		return nil
	}
	a.told = a.n + 1
	return a.s.raise(ctx, a.tx, a.c, EventUpcoming, orders[0], price(d.Amount, d.ChildAmount, !a.card.Issuance.Parent.IsZero()), a.now)
}

// close ends the years of an issuance that is closed: instalments that are not
// due yet fall away, and what is left of a year is given back where the fee says
// so, the day of closing being used.
func (a *yearAct) close(ctx context.Context) error {
	all, err := lockCardFeesOf(ctx, a.tx, a.c.Tenant, a.issuance)
	if err != nil {
		return fmt.Errorf("lock fees of year: %w", err)
	}
	a.isClosed = true
	var of []CardFee
	for _, f := range all {
		if f.Year == a.n && f.Year > 0 && f.IsProRata && f.Status != FreeOfCharge && f.Status != Cancelled {
			of = append(of, f)
		}
	}
	if len(of) == 0 || a.next.IsZero() {
		return nil
	}
	unused, err := a.unused(of)
	if err != nil {
		return err
	}
	slices.Reverse(of) // what was to be paid last is given back first
	for _, f := range of {
		f.UpdatedAt = a.now
		if f.Status == GivenUp {
			unused = atLeastZero(add(unused, f.Price.Neg())) // nobody paid it
			continue
		}
		back := f.Remaining()
		if unused.Cmp(back) < 0 {
			back = unused
		}
		unused = add(unused, back.Neg())
		switch {
		case f.Status == Paid || f.Status == PaidBack:
			f.ToGiveBack, f.CheckAt = add(f.ToGiveBack, back), a.now
		case f.Price == back:
			f.Status = Cancelled
		case f.IsAsked && back.Sign() > 0: // how much was debited is not known: it is asked for the rest anew
			rest := f
			rest.ID, rest.Occasion, rest.Price = id.New[CardFee](a.s.Clock.Now()), f.Occasion+"/Rest", add(f.Price, back.Neg())
			rest.Status, rest.IsAsked, rest.CheckAt, rest.CreatedAt = Chargeable, false, a.now, a.now
			if err := insertCardFees(ctx, a.tx, []CardFee{rest}); err != nil {
				return fmt.Errorf("order rest of year: %w", err)
			}
			f.Status = Cancelled
		default:
			f.Price = add(f.Price, back.Neg())
		}
		if err := a.s.undoLost(ctx, a.tx, a.c, &f); err != nil {
			return err
		}
		if err := saveCardFee(ctx, a.tx, f); err != nil {
			return fmt.Errorf("give back fee of year: %w", err)
		}
	}
	a.next = clock.Date{}
	return nil
}

// unused is what the days after the one of closing are of the price of a year,
// whenever that is found.
func (a *yearAct) unused(of []CardFee) (money.Amount, error) {
	whole := money.Zero(of[0].Price.Currency())
	for _, f := range of {
		whole = add(whole, f.Price)
	}
	began := a.first
	for next := began; next.Before(a.next); next = anniversary(a.first, next) {
		began = next
	}
	closed, days := clock.DateOf(a.card.Current.ChangedAt, a.cfg.Tenant.Zone), a.next.DaysSince(began)
	left := min(max(0, a.next.DaysSince(closed)-1), days)
	unused, err := whole.MulDiv(int64(left), int64(days), money.HalfUp)
	if err != nil {
		return unused, fmt.Errorf("divide year: %w", err)
	}
	return unused, nil
}
