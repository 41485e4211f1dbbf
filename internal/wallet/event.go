package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// The events about wallets.
const (
	EventTopupDone         = "wallet.topup-completed"
	EventTopupRefused      = "wallet.topup-refused"
	EventWithdrawalChanged = "wallet.withdrawal-changed"
)

// Event is what an event about a wallet tells. Its member names are the stored
// form. Amounts are decimals.
type Event struct {
	TenantNo                 int64
	Transaction, RequestID   ID
	Wallet                   ID
	WalletNo, AccountNo      string
	AccountKind              Kind
	ExternalID               string
	Amount, Currency         string
	Description              string
	Before, After            Status     // of a withdrawal
	Refusal                  fault.Code // of a top-up
	Left                     string     // of the limit that it exceeds
	CreatedAt, LastChangedAt time.Time
}

// toldRefusals are those of a bank top-up that the tenant is told of.
var toldRefusals = []*fault.Error{ErrWalletNotFound, ErrLimit, ErrReceiptUsed, ErrNoLimit}

// RefusalOf is what an event about a refused top-up says of why.
func RefusalOf(e Event) *fault.Error {
	for _, f := range toldRefusals {
		if f.Code == e.Refusal {
			return f.With("left", e.Left)
		}
	}
	return ErrNotThisWay
}

// raise writes an event. Those of one wallet are told in their order.
func raise(ctx context.Context, tx db.Tx, c access.Caller, name, key string, at time.Time, e Event) error {
	e.LastChangedAt = at
	payload, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	return outbox.Add(ctx, tx, outbox.Event{
		Tenant: c.Tenant.String(), Name: name, Key: "wallet:" + key, Payload: payload, CorrelationID: c.CorrelationID, At: c.Real(at),
	})
}

// event is what an event about the movement of a wallet tells.
func (w *work) event(t Transaction, of *Standing) Event {
	return Event{
		TenantNo: of.TenantNo, Transaction: t.ID, RequestID: t.RequestID, Wallet: of.Wallet.ID, WalletNo: of.Wallet.Number, AccountNo: of.Account.No,
		AccountKind: of.Account.Kind, ExternalID: t.ExternalID, Amount: t.Amount.Decimal(), Currency: t.Amount.Currency().Code(),
		Description: t.Note.Description, After: t.Status, CreatedAt: t.CreatedAt,
	}
}

func (w *work) raiseTopup(ctx context.Context) error {
	to := w.only()
	return raise(ctx, w.tx, w.caller, EventTopupDone, to.Wallet.Number, w.at, w.event(w.made, to))
}

func (w *work) raiseWithdrawal(ctx context.Context, t Transaction, before Status) error {
	from := w.wallet(t.From)
	e := w.event(t, from)
	e.Before = before
	return raise(ctx, w.tx, w.caller, EventWithdrawalChanged, from.Wallet.Number, w.at, e)
}

// raiseRefused tells of a bank top-up that was refused.
func (s *Service) raiseRefused(ctx context.Context, tx db.Tx, c access.Caller, in BankTopUp, why *fault.Error) error {
	t, _, err := readTenant(ctx, tx, c.Tenant)
	if err != nil {
		return fmt.Errorf("read tenant: %w", err)
	}
	at := c.Now(s.clock)
	left, _ := why.Params["left"].(string)
	return raise(ctx, tx, c, EventTopupRefused, in.WalletNo, at, Event{
		TenantNo: t.shownID, WalletNo: in.WalletNo, ExternalID: in.Receipt, Amount: in.Amount.Decimal(), Currency: in.Amount.Currency().Code(),
		Description: in.Note.Description, Refusal: why.Code, Left: left, CreatedAt: at,
	})
}
