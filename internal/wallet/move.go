package wallet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// request is what every movement is asked with.
type request struct {
	key     string
	keyKind keyKind
	used    error // when the key was used before
	// claim takes what is moved in place of the key, and may say what the movement
	// is known by.
	claim   func(ctx context.Context, w *work) error
	numbers []string
	// whose finds the numbers of the wallets, where numbers does not have them.
	whose func(ctx context.Context, tx db.Tx) ([]string, error)
	note  Note
}

// Moved is a movement that was made: what it is, and how the wallets stand after
// it, by their numbers.
type Moved struct {
	Transaction Transaction
	Original    Transaction // of a refund: the payment, with what is refunded of it
	Wallets     map[string]Standing
}

// Receiver is the wallet that the money went to.
func (m Moved) Receiver() Standing { return m.wallet(m.Transaction.To) }

// Sender is the wallet that the money came from.
func (m Moved) Sender() Standing { return m.wallet(m.Transaction.From) }

func (m Moved) wallet(d ID) Standing {
	for _, s := range m.Wallets {
		if s.Wallet.ID == d {
			return s
		}
	}
	return Standing{}
}

// work is one movement in its transaction. The wallets are held.
type work struct {
	clock   clock.Clock
	tx      db.Tx
	caller  access.Caller
	at      time.Time
	tenant  tenantRow
	wallets map[string]*Standing
	book    *ledger.Book
	made    Transaction
}

// move makes one movement under its key. rule asks and posts; it may run again.
// The order of the checks is the contract's: the key, the wallets, then what rule
// asks.
func (s *Service) move(ctx context.Context, c access.Caller, in request, rule func(w *work) error) (out Moved, err error) {
	if in.key == "" && in.claim == nil {
		return Moved{}, ErrKeyMissing
	}
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		w := s.newWork(tx, c)
		w.made = Transaction{ID: newID(), Tenant: c.Tenant, ExternalID: in.key, Status: Completed, Note: in.note,
			Month: monthOf(w.at), CreatedAt: w.at, CompletedAt: w.at}
		var found bool
		if w.tenant, found, err = readTenant(ctx, tx, c.Tenant); err != nil {
			return fmt.Errorf("read tenant: %w", err)
		}
		if !found { // nobody ever opened a wallet
			return ErrWalletNotFound
		}
		if err := in.take(ctx, w); err != nil {
			return err
		}
		numbers := in.numbers
		if in.whose != nil {
			if numbers, err = in.whose(ctx, tx); err != nil {
				return err
			}
		}
		if err := s.hold(ctx, w, numbers); err != nil {
			return err
		}
		if err := rule(w); err != nil {
			return err
		}
		out, err = w.finish(ctx)
		return err
	})
	if err != nil {
		return Moved{}, err
	}
	return out, nil
}

// take takes the key of a movement, so that it is made once.
func (in request) take(ctx context.Context, w *work) error {
	if in.claim != nil {
		return in.claim(ctx, w)
	}
	taken, err := takeKey(ctx, w.tx, w.caller.Tenant, in.keyKind, in.key, w.made.ID)
	if err != nil {
		return fmt.Errorf("take key: %w", err)
	}
	if !taken {
		return in.used
	}
	return nil
}

// newWork begins a movement, or a step of one.
func (s *Service) newWork(tx db.Tx, c access.Caller) *work {
	return &work{clock: s.clock, tx: tx, caller: c, at: c.Now(s.clock), wallets: map[string]*Standing{}}
}

// begin says what the movement is. Either side may be the outside: nil.
func (w *work) begin(kind TransactionKind, from, to *Standing, a money.Amount) {
	w.made.Kind, w.made.Amount = kind, a
	if to != nil {
		w.made.To, w.made.Level = to.Wallet.ID, to.Account.Level
	}
	if from != nil {
		w.made.From, w.made.Level = from.Wallet.ID, from.Account.Level
	}
	zero := money.Zero(a.Currency())
	w.made.OfPayment, w.made.Refunded, w.made.RefundedPayment = zero, zero, zero
}

// wallet returns a wallet that is held by its identifier.
func (w *work) wallet(d ID) *Standing {
	for _, s := range w.wallets {
		if s.Wallet.ID == d {
			return s
		}
	}
	panic("wallet: " + d.String() + " is not held")
}

// hold holds wallets, and opens the book on all that is in them.
func (s *Service) hold(ctx context.Context, w *work, numbers []string) error {
	found, err := lockWallets(ctx, w.tx, w.caller.Tenant, numbers)
	if err != nil {
		return fmt.Errorf("hold wallets: %w", err)
	}
	var accounts []ledger.AccountID
	for _, number := range numbers {
		held, ok := found[number]
		if !ok {
			return ErrWalletNotFound
		}
		accounts = append(accounts, held.buckets()...)
	}
	slices.SortFunc(accounts, ledger.AccountID.Compare)
	if w.book, err = ledger.OpenBook(ctx, w.tx, slices.Compact(accounts), nil); err != nil {
		return err
	}
	for number, held := range found {
		standing, err := s.standing(ctx, w.tx, held, monthOf(w.at))
		if err != nil {
			return err
		}
		if standing.Balances, err = held.balancesIn(w.book.Account); err != nil {
			return err
		}
		w.wallets[number] = &standing
	}
	return nil
}

// of returns a wallet that must belong to an account.
func (w *work) of(number, accountNo string) (*Standing, error) {
	s := w.wallets[number]
	if s.Account.No != accountNo {
		return nil, ErrNotOfAccount
	}
	return s, nil
}

// leg is an amount that moves from one account of the ledger to another.
type leg struct {
	debit, credit ledger.Account
	amount        money.Amount
}

// post writes an entry of what moves; what is nothing is left out.
func (w *work) post(event string, legs ...leg) error {
	e := ledger.Entry{
		ID: id.New[ledger.Entry](w.clock.Now()), Tenant: w.caller.Tenant, Event: event,
		Key:         "wallet:" + w.made.ID.String() + ":" + event,
		Description: string(w.made.Kind), BusinessOn: clock.DateOf(w.at, istanbul), At: w.at,
	}
	for _, l := range legs {
		if !l.amount.IsZero() {
			e.Postings = append(e.Postings, ledger.Move(l.debit, l.credit, l.amount)...)
		}
	}
	if len(e.Postings) == 0 {
		return nil
	}
	if err := w.book.Post(e); errors.Is(err, money.ErrRange) {
		return ErrAmount.Wrap(err)
	} else if err != nil {
		return err
	}
	return nil
}

// bucket returns an account of the ledger as it is in the book.
func (w *work) bucket(a ledger.AccountID) ledger.Account {
	v, _ := w.book.Account(a)
	return v
}

// control returns a control account of the tenant.
func (w *work) control(code string, c money.Currency) ledger.Account {
	return ledger.Control(w.caller.Tenant, code, c)
}

// count counts the movement in the month of a wallet.
func (s *Standing) count(k LimitKind, a money.Amount) { s.Month.add(k, a.Minor()) }

// finish writes everything down.
func (w *work) finish(ctx context.Context) (Moved, error) {
	if err := w.writeWallets(ctx); err != nil {
		return Moved{}, err
	}
	out := Moved{Transaction: w.made, Wallets: map[string]Standing{}}
	for number, s := range w.wallets {
		out.Wallets[number] = *s
	}
	if err := insertTransaction(ctx, w.tx, w.made); err != nil {
		return Moved{}, fmt.Errorf("write transaction: %w", err)
	}
	return out, record(ctx, w.tx, w.caller, string(w.made.Kind), "WalletTransaction", w.made.ID.String(), w.at, recordOf(w.made))
}

// writeWallets writes what the movement made of the wallets.
func (w *work) writeWallets(ctx context.Context) error {
	for _, number := range slices.Sorted(maps.Keys(w.wallets)) {
		s := w.wallets[number]
		var err error
		if s.Balances, err = s.Wallet.balancesIn(w.book.Account); err != nil {
			return err
		}
		if err := writeMonth(ctx, w.tx, s.Wallet.ID, s.Month); err != nil {
			return fmt.Errorf("write month: %w", err)
		}
	}
	return w.book.Write(ctx, w.tx)
}

// recorded is what the audit record shows of a movement.
type recorded struct{ From, To, Original, Amount, Currency string }

func recordOf(t Transaction) recorded {
	text := func(d ID) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	return recorded{text(t.From), text(t.To), text(t.Original), t.Amount.Decimal(), t.Amount.Currency().Code()}
}
