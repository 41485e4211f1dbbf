package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// CardCharges charges what cards cost besides what they pay: each charge is a
// transaction of the flow InternalFee whose additional amount is the fee, and so
// is what is given back of it. It is safe for concurrent use.
//
// A client that owns its balances is asked whether it debits the fee, and told of
// what is given back.
type CardCharges struct {
	DB       *db.DB
	Programs *program.Service
	Cards    *issuing.Service
	Client   Client // nil: nobody can be asked
	Clock    clock.Clock
}

var _ fee.Charger = (*CardCharges)(nil)

// chargeOf names the transaction that charges a fee: there is one, however often
// it is asked for.
func chargeOf(f fee.CardFee) (TransactionID, error) {
	t, err := id.ParseUUID[Transaction](f.ID.UUID())
	if err != nil {
		return t, fmt.Errorf("fee %s names no transaction: %w", f.ID, err)
	}
	return t, nil
}

// AskCardFee implements [fee.Charger].
func (s *CardCharges) AskCardFee(ctx context.Context, c access.Caller, f fee.CardFee) (owner fee.Consent, err error) {
	owns, wait, err := s.owner(ctx, c)
	if err != nil || !owns {
		return owner, err
	}
	owner.IsAsked = true
	if s.Client == nil {
		return owner, nil
	}
	m, err := s.question(ctx, c, f)
	if err != nil {
		return owner, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	v := s.Client.Ask(ctx, m)
	owner.IsSent, owner.IsAnswered = v.Hearing != Unasked, v.Hearing == Answered
	owner.IsGiven, owner.Reference = owner.IsAnswered && v.Approved, v.Reference
	return owner, nil
}

// question asks whether a fee is debited.
func (s *CardCharges) question(ctx context.Context, c access.Caller, f fee.CardFee) (*ClientMessage, error) {
	t, err := s.begin(ctx, c, f)
	if err != nil {
		return nil, err
	}
	if t.ID, err = chargeOf(f); err != nil {
		return nil, err
	}
	charge, err := f.Charge()
	if err != nil {
		return nil, fmt.Errorf("compute fee: %w", err)
	}
	names, err := s.Cards.CardNames(ctx, c, []id.ID[issuing.Card]{f.Card})
	if err != nil {
		return nil, err
	}
	t.Root, t.IsDebit, t.Status, t.DecidedBy = t.ID, true, StatusPending, ""
	t.Additional = []fee.Additional{f.Applied.Line(charge)}
	return &ClientMessage{Type: FeeDebitMessage, Names: names[f.Card], Transaction: *t}, nil
}

// IsOwned implements [fee.Charger].
func (s *CardCharges) IsOwned(ctx context.Context, c access.Caller) (bool, error) {
	owns, _, err := s.owner(ctx, c)
	return owns, err
}

// UndoCardFee implements [fee.Charger].
func (s *CardCharges) UndoCardFee(ctx context.Context, tx db.Tx, c access.Caller, f fee.CardFee) error {
	m, err := s.question(db.WithTx(ctx, tx), c, f)
	if err != nil {
		return err
	}
	m.undo()
	m.Transaction.Status, m.Transaction.Reason, m.Transaction.DecidedBy = StatusDeclined, ClientTimeout, ByPlatform
	return TellClients(ctx, tx, []ClientMessage{*m}, clock.RealNow(s.Clock))
}

// ChargeCardFee implements [fee.Charger]. The account must bear all that remains
// of the fee, with its taxes: else nothing is charged.
func (s *CardCharges) ChargeCardFee(ctx context.Context, tx db.Tx, c access.Caller, f fee.CardFee, owner fee.Consent) (charged bool, err error) {
	if owner.IsAsked && !owner.IsGiven {
		return false, nil
	}
	t, err := s.begin(db.WithTx(ctx, tx), c, f)
	if err != nil {
		return false, err
	}
	if t.ID, err = chargeOf(f); err != nil {
		return false, err
	}
	if t.Root, t.IsDebit = t.ID, true; owner.IsAsked {
		t.DecidedBy, t.ClientReference = ByClient, owner.Reference
	}
	book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{t.Account}, nil)
	if err != nil {
		return false, err
	}
	account, found := book.Account(t.Account)
	if !found {
		return false, fmt.Errorf("account %s: %w", t.Account, db.ErrGone)
	}
	charge, err := f.Charge()
	if err != nil {
		return false, fmt.Errorf("compute fee: %w", err)
	}
	total, err := charge.Total()
	if err != nil {
		return false, fmt.Errorf("compute fee: %w", err)
	}
	if !owner.IsAsked && account.Available().Cmp(total) < 0 {
		return false, nil
	}
	dues, err := fee.OpenDues(ctx, tx, []string{t.ID.String()})
	if err != nil {
		return false, err
	}
	dues.Begin(t.Tenant, t.Account, t.ID.String(), []fee.Due{fee.NewDue(f.Applied)}, t.CreatedAt)
	dues.Each(t.ID.String(), func(due *fee.Due) { due.Move(f.Remaining()) })
	return true, s.settle(ctx, tx, c, book, dues, t)
}

// GiveBackCardFee implements [fee.Charger]. It is given back to the account that
// paid, whatever the card spends from now.
func (s *CardCharges) GiveBackCardFee(ctx context.Context, tx db.Tx, c access.Caller, f fee.CardFee, inAll money.Amount) error {
	root, err := chargeOf(f)
	if err != nil {
		return err
	}
	found, err := ReadTransactions(ctx, tx, []TransactionID{root})
	if err != nil || found[root] == nil {
		return fmt.Errorf("read charge of fee %s: %w", f.ID, db.Missing(err))
	}
	t, err := s.begin(db.WithTx(ctx, tx), c, f)
	if err != nil {
		return err
	}
	t.Root, t.Original, t.Account = root, root, found[root].Account
	book, err := ledger.OpenBook(ctx, tx, []ledger.AccountID{t.Account}, nil)
	if err != nil {
		return err
	}
	dues, err := fee.OpenDues(ctx, tx, []string{root.String()})
	if err != nil {
		return err
	}
	of := dues.Of(root.String())
	if len(of) != 1 {
		return fmt.Errorf("fee %s was not charged", f.ID)
	}
	part := minus(of[0].Moved, minus(f.Price, inAll))
	if part.Sign() <= 0 {
		return nil // it was given back
	}
	dues.Stand(root.String(), money.Zero(part.Currency()))
	dues.Each(root.String(), func(due *fee.Due) { due.Move(part.Neg()) })
	if err := s.settle(ctx, tx, c, book, dues, t); err != nil {
		return err
	}
	if err := s.tell(ctx, tx, c, t); err != nil {
		return err
	}
	return s.undo(ctx, tx, c, found[root], minus(of[0].Moved, part).IsZero())
}

// owner says whether the tenant owns its balances, and how long it is waited for.
func (s *CardCharges) owner(ctx context.Context, c access.Caller) (owns bool, wait time.Duration, err error) {
	cfg, err := s.Programs.Configuration(ctx, c.Tenant)
	if err != nil {
		return false, 0, err
	}
	mode := cfg.Attributes.BalanceMode
	return mode == program.BalanceExternal || mode == program.BalanceHybrid, cfg.Attributes.ClientTimeout, nil
}

// tell tells the client that owns the balance what is given back to it.
func (s *CardCharges) tell(ctx context.Context, tx db.Tx, c access.Caller, t *Transaction) error {
	owns, _, err := s.owner(ctx, c)
	if err != nil || !owns {
		return err
	}
	names, err := s.Cards.CardNames(db.WithTx(ctx, tx), c, []id.ID[issuing.Card]{t.Card})
	if err != nil {
		return err
	}
	return TellClients(ctx, tx, []ClientMessage{{Type: RefundMessage, Names: names[t.Card], Transaction: *t}}, clock.RealNow(s.Clock))
}

// begin is a transaction about a fee for a card, before it is charged.
func (s *CardCharges) begin(ctx context.Context, c access.Caller, f fee.CardFee) (*Transaction, error) {
	card, err := s.Cards.CardOf(ctx, c, f.Card)
	if err != nil {
		return nil, fmt.Errorf("read card: %w", err)
	}
	now, zero := c.Now(s.Clock), money.Zero(f.Price.Currency())
	return &Transaction{
		ID: id.New[Transaction](s.Clock.Now()), Tenant: c.Tenant, Flow: InternalFee, Code: FeeCode, Status: StatusCleared,
		Card: f.Card, Issuance: f.Issuance, Account: card.Issuance.Account, Amount: zero, Billing: zero, Reversed: zero, Cleared: zero, Refunded: zero,
		CardNetwork: string(card.BIN.Network), CardCountry: card.BIN.Country.Alpha2(), DecidedBy: ByPlatform,
		Message:   Details{TransmittedAt: now.Truncate(time.Second), LocalTime: now.Format("0102150405")},
		CreatedAt: now, UpdatedAt: now,
	}, nil
}

// settle posts what a fee has come to, and keeps the transaction that says so.
func (s *CardCharges) settle(ctx context.Context, tx db.Tx, c access.Caller, book *ledger.Book, dues *fee.Dues, t *Transaction) error {
	tenant, found, err := access.ReadTenant(ctx, tx, c.Tenant)
	if err != nil || !found {
		return fmt.Errorf("read tenant: %w", db.Missing(err))
	}
	t.BusinessOn = clock.DateOf(t.CreatedAt, tenant.Zone)
	changes, err := dues.Settle(book, t.Root.String(), ledger.HoldID{}, fee.Act{
		Transaction: t.ID.String(), Account: t.Account, Description: "fee", BusinessOn: t.BusinessOn, At: t.CreatedAt, Real: clock.RealNow(s.Clock),
	})
	if err != nil {
		return err
	}
	t.Additional = fee.Standing(changes)
	if account, found := book.Account(t.Account); found && t.DecidedBy == ByPlatform {
		t.HasBalance, t.PostedAfter, t.AvailableAfter = true, account.Posted, account.AvailableTo(t.Issuance.String())
	}
	if err := book.Write(ctx, tx); err != nil {
		return fmt.Errorf("write book: %w", err)
	}
	if err := dues.Write(ctx, tx); err != nil {
		return fmt.Errorf("write fee: %w", err)
	}
	if err := InsertTransactions(ctx, tx, []*Transaction{t}); err != nil {
		return fmt.Errorf("write transaction: %w", err)
	}
	return nil
}

// undo notes on the transaction that charged a fee what became of it.
func (s *CardCharges) undo(ctx context.Context, tx db.Tx, c access.Caller, t *Transaction, all bool) error {
	if t.Status = StatusPartiallyRefunded; all {
		t.Status = StatusRefunded
	}
	t.UpdatedAt = c.Now(s.Clock)
	return UpdateTransactions(ctx, tx, []*Transaction{t}, func(access.TenantID) time.Time { return t.UpdatedAt })
}
