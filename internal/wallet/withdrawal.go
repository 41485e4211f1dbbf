package wallet

import (
	"context"
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Destination is the bank account that a withdrawal goes to. It is stored sealed.
type Destination struct{ IBAN, Holder, NationalID string }

// NewWithdrawal is cash that leaves for a bank. Own says that it goes to the owner
// of the wallet.
type NewWithdrawal struct {
	ExternalID          string
	AccountNo, WalletNo string // an empty account is any
	To                  Destination
	Own                 bool
	Amount              money.Amount
	Note                Note
}

// Withdraw asks for a withdrawal: the cash is held until the bank has it or the
// withdrawal fails. Money from cards never leaves: the payment balance is not
// asked.
func (s *Service) Withdraw(ctx context.Context, c access.Caller, in NewWithdrawal) (Moved, error) {
	asked := request{key: in.ExternalID, keyKind: externalKey, used: ErrKeyUsed, numbers: []string{in.WalletNo}, note: in.Note}
	return s.move(ctx, c, asked, func(w *work) error {
		from := w.wallets[in.WalletNo]
		if in.AccountNo != "" && in.AccountNo != from.Account.No {
			return ErrNotOfAccount
		}
		if err := in.To.check(c.Sandbox); err != nil {
			return err
		}
		if in.Own {
			if err := in.To.isOf(from.Account); err != nil {
				return err
			}
		}
		if err := acceptable(in.Amount, from); err != nil {
			return err
		}
		if err := from.mayMove(OnWithdrawal, in.Amount); err != nil {
			return err
		}
		if from.Balances.Cash.Cmp(in.Amount) < 0 {
			return ErrBalance
		}
		w.begin(Withdrawal, from, nil, in.Amount)
		w.made.Status, w.made.RequestID = Requested, newID()
		from.count(OnWithdrawal, in.Amount)
		sealed, err := s.sealDestination(ctx, w.made, in.To)
		if err != nil {
			return err
		}
		w.made.sealed = sealed
		return w.post("W6", leg{w.bucket(from.Wallet.Cash), w.bucket(from.Wallet.CashHeld), in.Amount})
	})
}

// AdvanceWithdrawal says what became of a withdrawal: it was Sent to its bank, it
// is Completed, or it Failed and the cash is back. What failed lowers the month's
// total only within its own month.
func (s *Service) AdvanceWithdrawal(ctx context.Context, c access.Caller, withdrawal ID, to Status) (out Transaction, err error) {
	err = s.follow(ctx, c, withdrawal, func(w *work, t *Transaction) error {
		if t.Kind != Withdrawal || !t.Status.leadsTo(to) {
			return ErrNotThisWay
		}
		from := w.wallet(t.From)
		held, transit := w.bucket(from.Wallet.CashHeld), w.control(ledger.PayoutTransit, t.Amount.Currency())
		before := t.Status
		t.Status = to
		var err error
		switch {
		case to == Sent:
			err = w.post("W7", leg{held, transit, t.Amount})
		case to == Completed:
			t.CompletedAt = w.at
			err = w.post("W8", leg{transit, w.control(ledger.Safeguarded, t.Amount.Currency()), t.Amount})
		case before == Sent:
			t.fail(w, from)
			err = w.post("W9", leg{transit, w.bucket(from.Wallet.Cash), t.Amount})
		default:
			t.fail(w, from)
			err = w.post("W9", leg{held, w.bucket(from.Wallet.Cash), t.Amount})
		}
		if err != nil {
			return err
		}
		out = *t
		if err := w.raiseWithdrawal(ctx, *t, before); err != nil {
			return err
		}
		return record(ctx, w.tx, c, "Advance", "WalletTransaction", t.ID.String(), w.at, advanced{before, to})
	})
	return out, err
}

// advanced is what the audit record shows of a withdrawal's step.
type advanced struct{ From, To Status }

// leadsTo reports whether a withdrawal may go from one status to another.
func (s Status) leadsTo(to Status) bool {
	switch s {
	case Requested:
		return to == Sent || to == Failed
	case Sent:
		return to == Completed || to == Failed
	}
	return false
}

// fail takes a withdrawal that failed out of the month's total.
func (t *Transaction) fail(w *work, from *Standing) {
	t.CompletedAt = w.at
	if t.Month == from.Month.Name {
		t.Month = ""
		from.count(OnWithdrawal, t.Amount.Neg())
	}
}

// check reports whether money can go there at all. In a sandbox the check digits 00,
// which no IBAN has, are those of a sample.
func (d Destination) check(sandbox bool) error {
	sample := sandbox && len(d.IBAN) > 4 && d.IBAN[2:4] == "00"
	if !validIBAN(d.IBAN) && !sample {
		return ErrIBAN
	}
	if !country.ValidTCKN(d.NationalID) && !country.ValidVKN(d.NationalID) {
		return ErrIdentity
	}
	return nil
}

// isOf reports whether the bank account is of the owner of a wallet's account, as
// far as we know who that is.
func (d Destination) isOf(a Account) error {
	p := a.Person
	if known := p.NationalID + p.TaxNumber; known != "" && d.NationalID != p.NationalID && d.NationalID != p.TaxNumber {
		return ErrIdentity
	}
	holder := folded(d.Holder)
	if holder == "" || holder == folded(p.FirstName+" "+p.LastName) || a.Kind == Business && holder == folded(p.BusinessName) {
		return nil
	}
	return ErrIBAN
}

// folded is a name as it is compared: letter case, the dots of a Turkish i and
// runs of spaces make no difference.
func folded(name string) string {
	name = strings.NewReplacer("\u0130", "i", "I", "i", "\u0131", "i").Replace(name)
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// validIBAN reports whether the check digits of an IBAN are right.
func validIBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, r := range s[4:] + s[:4] {
		switch {
		case r >= '0' && r <= '9':
			rest = (rest*10 + int(r-'0')) % 97
		case r >= 'A' && r <= 'Z':
			rest = (rest*100 + int(r-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// DestinationOf tells which bank account a withdrawal goes to.
func (s *Service) DestinationOf(ctx context.Context, t Transaction) (Destination, error) {
	d, err := s.openDestination(ctx, t)
	if err != nil {
		return Destination{}, fmt.Errorf("destination of %s: %w", t.ID, err)
	}
	return d, nil
}
