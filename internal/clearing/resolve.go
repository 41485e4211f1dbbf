package clearing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// place is where the records of one card number go. It is found before the
// transaction, without locks: none of it changes once a number was issued,
// except the statuses, which only raise exceptions, and the account of a noname
// card, which is looked at again under its lock.
type place struct {
	tenant     access.TenantID
	ahead      clock.Ahead // of the tenant; read in the transaction
	tolerances program.ClearingTolerances
	// cards are the plastics of the number, newest first; none when it was
	// never issued.
	cards    []plastic
	issuance id.ID[issuing.Issuance]
	account  ledger.AccountID
	network  string // of the BIN, as the contract names it
	country  string // of the BIN, alpha-2
	// names are what the client calls the cards, when it owns the balance and is
	// told what is posted; else nil.
	names map[id.ID[issuing.Card]]issuing.CardName
}

// at is what the business of the tenant calls a moment.
func (p *place) at(moment clock.Real) time.Time { return p.ahead.At(moment) }

type plastic struct {
	id     id.ID[issuing.Card]
	status issuing.CardStatus
}

// resolver finds the places of a file's card numbers, each once.
type resolver struct {
	programs Programs
	cards    Cards
	// fallback takes the records whose BIN nobody has; zero for none.
	fallback access.TenantID
	places   map[pan.PAN]*place
	books    map[ledgerOf]bool // of the records
}

// ledgerOf names what a tenant keeps in a currency.
type ledgerOf struct {
	tenant   access.TenantID
	currency money.Currency
}

// readDates reads what date each tenant of the file has. A record is judged by
// that of its own.
func (r *resolver) readDates(ctx context.Context, tx db.Tx) error {
	known := map[access.TenantID]clock.Ahead{}
	for _, p := range r.places {
		if _, done := known[p.tenant]; !done {
			t, err := access.MustTenant(ctx, tx, p.tenant)
			if err != nil {
				return err
			}
			known[p.tenant] = t.Ahead
		}
		p.ahead = known[p.tenant]
	}
	return nil
}

// tenantAt is what the business of a tenant with records in the file calls a
// moment.
func (r *resolver) tenantAt(tenant access.TenantID, moment clock.Real) time.Time {
	for _, p := range r.places {
		if p.tenant == tenant {
			return p.at(moment)
		}
	}
	return moment.Time()
}

// note remembers in which books a record may be posted.
func (r *resolver) note(p *Presentment) {
	for _, c := range []money.Currency{p.Transaction.Currency(), p.Billing.Currency()} {
		if !c.IsZero() {
			r.books[ledgerOf{r.places[p.PAN].tenant, c}] = true
		}
	}
}

// resolve finds the place of a record's card.
func (r *resolver) resolve(ctx context.Context, p *Presentment) error {
	if p.Transaction.Sign() <= 0 || p.Billing.Sign() < 0 || p.Line < 1 || p.Sequence < 1 {
		return fault.New(fault.Invalid, FileInvalid, "the record in line %d has no amount above zero or no place in its file", p.Line).
			With("line", p.Line)
	}
	if r.places[p.PAN] != nil {
		return nil
	}
	cfg, bin, found, err := r.programs.Route(ctx, p.PAN)
	if err != nil {
		return fmt.Errorf("route card of line %d: %w", p.Line, err)
	}
	if !found {
		if r.fallback.IsZero() {
			return fault.New(fault.Refused, BINUnknown, "nobody has the BIN of the card in line %d", p.Line).With("line", p.Line)
		}
		r.places[p.PAN] = &place{tenant: r.fallback}
		return nil
	}
	cards, err := r.cards.CardsByPAN(ctx, cfg.Tenant.ID, p.PAN)
	if err != nil {
		return fmt.Errorf("find card of line %d: %w", p.Line, err)
	}
	to := &place{tenant: cfg.Tenant.ID, tolerances: cfg.Attributes.ClearingTolerances, network: string(bin.Network), country: bin.Country.Alpha2()}
	if cfg.Attributes.BalanceMode != program.BalanceInternal {
		to.names = make(map[id.ID[issuing.Card]]issuing.CardName, len(cards))
	}
	for _, c := range cards {
		to.cards = append(to.cards, plastic{c.Card.ID, c.Card.Status})
		if to.names != nil {
			to.names[c.Card.ID] = c.Name()
		}
	}
	if len(cards) > 0 {
		to.issuance, to.account = cards[0].Issuance.ID, cards[0].Issuance.Account
	}
	r.places[p.PAN] = to
	return nil
}

// lock locks the accounts that the file touches. A noname card that is linked to a
// customer at this moment is waited for, or waits.
func (r *resolver) lock(ctx context.Context, tx db.Tx) error {
	var issuances []id.ID[issuing.Issuance]
	for _, p := range r.places {
		if len(p.cards) > 0 {
			issuances = append(issuances, p.issuance)
		}
	}
	for locked := map[ledger.AccountID]bool{}; ; {
		accounts, err := issuing.SpendingAccounts(ctx, tx, issuances)
		if err != nil {
			return err
		}
		var more []ledger.AccountID
		for _, a := range accounts {
			if !locked[a] {
				locked[a] = true
				more = append(more, a)
			}
		}
		if len(more) == 0 {
			for _, p := range r.places {
				if len(p.cards) > 0 {
					p.account = accounts[p.issuance]
				}
			}
			return nil
		}
		if _, err := ledger.OpenBook(ctx, tx, more, nil); err != nil {
			return err
		}
	}
}
