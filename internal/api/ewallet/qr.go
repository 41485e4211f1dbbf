package ewallet

import (
	"context"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// madeQR is the answer to a new code.
type madeQR struct {
	Code string `json:"qr_code"`
}

// makeQR is the action that makes a code of a kind; key is the member that names it.
func (a *API) makeQR(kind wallet.TransactionKind, key string) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		currency := in.currency()
		asked := wallet.NewQR{
			Kind: kind, ExternalID: in.text(key), AccountNo: in.required("account_number"), ToNo: in.digits("receiver_wallet_number", walletNumberMax),
			Amount: in.amount("amount", currency), Description: in.text("description"),
		}
		if err := in.err(); err != nil {
			return answer{}, err
		}
		q, err := a.wallets.MakeQR(ctx, c, asked)
		return answer{payload: madeQR{q.Code}, silent: true}, err
	}
}

// qrView is a code as whoever is to approve it sees it.
type qrView struct {
	Receiver    string      `json:"receiver_name"`
	Description string      `json:"description"`
	Amount      api.Decimal `json:"amount"`
	Code        string      `json:"qr_code"`
	Currency    string      `json:"currency_code"`
	ExpiresAt   string      `json:"expire_date"`
}

// code reads a code, as it was scanned or typed.
func (f *fields) code() string { return strings.TrimSpace(f.required("qr_code")) }

// findQR reads the code that a request names.
func (a *API) findQR(ctx context.Context, c access.Caller, in *fields, kind wallet.TransactionKind) (wallet.QR, error) {
	code := in.code()
	if err := in.err(); err != nil {
		return wallet.QR{}, err
	}
	return a.wallets.ReadQR(ctx, c, kind, code)
}

// readQR is the action that shows a code of a kind. The names of persons are masked.
func (a *API) readQR(kind wallet.TransactionKind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		q, err := a.findQR(ctx, c, in, kind)
		if err != nil {
			return answer{}, err
		}
		p := q.Receiver.Account.Person
		name := p.BusinessName
		if name == "" {
			name = masked(p.FirstName) + " " + masked(p.LastName)
		}
		return answer{payload: qrView{
			Receiver: name, Description: q.Description, Amount: api.DecimalOf(q.Amount), Code: q.Code, Currency: q.Amount.Currency().Code(),
			ExpiresAt: moment(q.ExpiresAt),
		}, silent: true}, nil
	}
}

// qrStatus tells whether a code was approved.
type qrStatus struct {
	Code       string `json:"qr_code"`
	StatusCode int    `json:"qr_status_code"`
	Status     string `json:"qr_status"`
}

// checkQR is the action that tells whether a code of a kind was approved.
func (a *API) checkQR(kind wallet.TransactionKind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		q, err := a.findQR(ctx, c, in, kind)
		if err != nil {
			return answer{}, err
		}
		out := qrStatus{q.Code, 100, "Waiting"}
		if q.IsApproved {
			out.StatusCode, out.Status = 200, "Approved"
		}
		return answer{payload: out, silent: true}, nil
	}
}

// approveQR is the action that pays what a code of a kind asks for. It answers as
// the movement does.
func (a *API) approveQR(kind wallet.TransactionKind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		asked := wallet.Approval{
			Kind: kind, Code: in.code(), FromAccountNo: in.required("account_number"), FromNo: in.digits("sender_wallet_number", walletNumberMax),
		}
		if err := in.err(); err != nil {
			return answer{}, err
		}
		done, err := a.wallets.ApproveQR(ctx, c, asked)
		if err != nil {
			return answer{}, err
		}
		if kind == wallet.Payment {
			return answer{payload: viewPayment(done)}, nil
		}
		return answer{payload: viewTransfer(done)}, nil
	}
}
