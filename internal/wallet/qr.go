package wallet

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// QR is what somebody asks to be given, as a code that others approve: a [Payment]
// to a business or a [Transfer] between persons. It is approved once, and not after
// it expires.
type QR struct {
	Code        string // 60 letters and digits
	Kind        TransactionKind
	Transaction ID // that its approval makes
	ExternalID  string
	Receiver    Standing
	Amount      money.Amount
	Description string
	ExpiresAt   time.Time
	IsApproved  bool

	wallet ID
}

// qrLife is how long a code may be approved.
const qrLife = 15 * time.Minute

// NewQR is a code to make.
type NewQR struct {
	Kind            TransactionKind
	ExternalID      string
	AccountNo, ToNo string // of the receiver
	Amount          money.Amount
	Description     string
}

// MakeQR makes a code. It uses up its external id, and moves nothing.
func (s *Service) MakeQR(ctx context.Context, c access.Caller, in NewQR) (QR, error) {
	if in.ExternalID == "" {
		return QR{}, ErrKeyMissing
	}
	now := c.Now(s.clock)
	out := QR{
		Code: newCode(), Kind: in.Kind, Transaction: newID(), ExternalID: in.ExternalID, Amount: in.Amount, Description: in.Description,
		ExpiresAt: now.Add(qrLife),
	}
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		switch _, found, err := readTenant(ctx, tx, c.Tenant); {
		case err != nil:
			return fmt.Errorf("read tenant: %w", err)
		case !found:
			return ErrWalletNotFound
		}
		taken, err := takeKey(ctx, tx, c.Tenant, externalKey, in.ExternalID, out.Transaction)
		if err != nil {
			return fmt.Errorf("take key: %w", err)
		}
		if !taken {
			return ErrKeyUsed
		}
		if out.Receiver, err = s.receiver(ctx, tx, c, in); err != nil {
			return err
		}
		out.wallet = out.Receiver.Wallet.ID
		if err := insertQR(ctx, tx, c.Tenant, out, now); err != nil {
			return fmt.Errorf("write code: %w", err)
		}
		return record(ctx, tx, c, "MakeQR", "WalletTransaction", out.Transaction.String(), now,
			recorded{To: out.wallet.String(), Amount: in.Amount.Decimal(), Currency: in.Amount.Currency().Code()})
	})
	return out, err
}

// receiver is the wallet that a code is to fill, which must be of the account and
// of who may ask so.
func (s *Service) receiver(ctx context.Context, tx db.Tx, c access.Caller, in NewQR) (Standing, error) {
	w, found, err := findWallet(ctx, tx, c.Tenant, in.ToNo)
	if err != nil {
		return Standing{}, err
	}
	if !found {
		return Standing{}, ErrWalletNotFound
	}
	to, err := s.standing(ctx, tx, w, monthOf(c.Now(s.clock)))
	if err != nil {
		return Standing{}, err
	}
	switch {
	case to.Account.No != in.AccountNo:
		return Standing{}, ErrNotOfAccount
	case in.Kind == Payment && to.Account.Kind != Business:
		return Standing{}, ErrBusinessNotFound
	case in.Kind == Transfer && to.Account.Kind != Personal:
		return Standing{}, ErrWrongParty
	}
	return to, acceptable(in.Amount, &to)
}

// newCode is a code that nobody guesses.
func newCode() string { return (rand.Text() + rand.Text() + rand.Text())[:60] }

// ReadQR returns a code as it stands. One that expired before it was approved can
// be used for nothing, and is wallet_not_this_way.
func (s *Service) ReadQR(ctx context.Context, c access.Caller, kind TransactionKind, code string) (out QR, err error) {
	err = s.db.View(ctx, func(tx db.Tx) error {
		if out, err = mustQR(ctx, tx, c, kind, code); err != nil {
			return err
		}
		if !out.IsApproved && !c.Now(s.clock).Before(out.ExpiresAt) {
			return ErrNotThisWay
		}
		w, found, err := walletByID(ctx, tx, out.wallet)
		if err != nil || !found {
			return fmt.Errorf("read wallet %s: %w", out.wallet, db.Missing(err))
		}
		out.Receiver, err = s.standing(ctx, tx, w, monthOf(c.Now(s.clock)))
		return err
	})
	return out, err
}

// Approval says who gives what a code asks for.
type Approval struct {
	Kind                  TransactionKind
	Code                  string
	FromAccountNo, FromNo string
}

// ApproveQR moves what a code asks for, as [Service.Pay] or [Service.TransferCash]
// would. Of many approvals at once one does.
func (s *Service) ApproveQR(ctx context.Context, c access.Caller, in Approval) (Moved, error) {
	var between Between // as the code says
	asked := request{claim: func(ctx context.Context, w *work) error {
		q, err := claimQR(ctx, w.tx, c, in.Kind, in.Code, w.at)
		if err != nil {
			return err
		}
		to, found, err := walletByID(ctx, w.tx, q.wallet)
		if err != nil || !found {
			return fmt.Errorf("read wallet %s: %w", q.wallet, db.Missing(err))
		}
		w.made.ID, w.made.ExternalID, w.made.Note = q.Transaction, q.ExternalID, Note{Description: q.Description}
		between = Between{ExternalID: q.ExternalID, FromAccountNo: in.FromAccountNo, FromNo: in.FromNo, ToNo: to.Number, Amount: q.Amount}
		return nil
	}}
	asked.whose = func(context.Context, db.Tx) ([]string, error) { return []string{between.FromNo, between.ToNo}, nil }
	return s.move(ctx, c, asked, func(w *work) error {
		if in.Kind == Payment {
			return w.pay(between)
		}
		return w.giveCash(Transfer, between, Parties{From: Personal, To: Personal}.check)
	})
}

// claimQR marks a code as approved, or tells why it cannot be.
func claimQR(ctx context.Context, tx db.Tx, c access.Caller, kind TransactionKind, code string, at time.Time) (QR, error) {
	claimed, err := approveQR(ctx, tx, c.Tenant, kind, code, at)
	if err != nil {
		return QR{}, fmt.Errorf("claim code: %w", err)
	}
	q, err := mustQR(ctx, tx, c, kind, code)
	switch {
	case err != nil:
		return QR{}, err
	case !claimed && q.IsApproved:
		return QR{}, ErrKeyUsed
	case !claimed:
		return QR{}, ErrNotThisWay
	}
	return q, nil
}

func mustQR(ctx context.Context, tx db.Tx, c access.Caller, kind TransactionKind, code string) (QR, error) {
	q, found, err := readQR(ctx, tx, c.Tenant, kind, code)
	if err != nil {
		return QR{}, fmt.Errorf("read code: %w", err)
	}
	if !found {
		return QR{}, ErrTransactionNotFound
	}
	return q, nil
}
