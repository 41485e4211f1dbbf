package wallet

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Parties are the kinds of account that a transfer is between. Own says that both
// wallets are of one account, of whatever kind.
type Parties struct {
	From, To Kind
	Own      bool
}

// check reports whether a transfer may be between two wallets.
func (p Parties) check(from, to *Standing) error {
	switch {
	case from == to, p.Own && from.Account.ID != to.Account.ID, !p.Own && (from.Account.Kind != p.From || to.Account.Kind != p.To):
		return ErrWrongParty
	}
	return nil
}

// Between is money that one wallet gives another: a transfer, a payment or a
// cash-back.
type Between struct {
	ExternalID            string
	FromAccountNo, FromNo string
	ToNo                  string
	Amount                money.Amount
	Note                  Note
}

func (in Between) request() request {
	return request{key: in.ExternalID, keyKind: externalKey, used: ErrKeyUsed, numbers: []string{in.FromNo, in.ToNo}, note: in.Note}
}

// TransferCash moves cash to another wallet at once. The limits of the receiver are
// asked as those of the sender. The payment balance stays as it is.
func (s *Service) TransferCash(ctx context.Context, c access.Caller, between Parties, in Between) (Moved, error) {
	return s.move(ctx, c, in.request(), func(w *work) error { return w.giveCash(Transfer, in, between.check) })
}

// GiveCashBack moves cash from a business to any other wallet. It counts as a
// transfer out of the one and as what comes into the other.
func (s *Service) GiveCashBack(ctx context.Context, c access.Caller, in Between) (Moved, error) {
	return s.move(ctx, c, in.request(), func(w *work) error { return w.giveCash(CashBack, in, cashBackParties) })
}

func cashBackParties(from, to *Standing) error {
	switch {
	case from.Account.Kind != Business:
		return ErrBusinessNotFound
	case from == to:
		return ErrWrongParty
	}
	return nil
}

// giveCash moves cash between wallets that are the parties that it may be between.
func (w *work) giveCash(kind TransactionKind, in Between, parties func(from, to *Standing) error) error {
	from, err := w.of(in.FromNo, in.FromAccountNo)
	if err != nil {
		return err
	}
	to := w.wallets[in.ToNo]
	if err := parties(from, to); err != nil {
		return err
	}
	if err := acceptable(in.Amount, from, to); err != nil {
		return err
	}
	if err := from.mayMove(OnTransfer, in.Amount); err != nil {
		return err
	}
	if err := ofReceiver(to.mayTake(in.Amount)); err != nil {
		return err
	}
	if from.Balances.Cash.Cmp(in.Amount) < 0 {
		return ErrBalance
	}
	w.begin(kind, from, to, in.Amount)
	from.count(OnTransfer, in.Amount)
	to.count(OnTopup, in.Amount)
	return w.post("W3", leg{w.bucket(from.Wallet.Cash), w.bucket(to.Wallet.Cash), in.Amount})
}

// ofReceiver is what a limit of the receiver refuses: its sender does not learn
// what is left of it.
func ofReceiver(err error) error {
	if errors.Is(err, ErrLimit) {
		return ErrReceiverLimit
	}
	return err
}
