package platform

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/ledger"
)

type directions struct{}

// Members of the enumeration of this resource.
func (directions) Members() []api.Member { return api.Numbered(1, "Credit", "Debit") }

// AccountKey is the path of an account.
type AccountKey struct {
	AccountNo string `path:"accountNo" maxLength:"34"`
}

// AccountDetail is an account with its balances.
type AccountDetail struct {
	AccountNo string      `json:"accountNo"`
	Currency  string      `json:"currency"`
	Posted    api.Decimal `json:"posted" doc:"What was posted; below zero when more was presented than there was."`
	Held      api.Decimal `json:"held" doc:"Set aside for authorizations that are not cleared yet."`
	Available api.Decimal `json:"available" doc:"Posted less held."`
}

func encodeAccount(a ledger.Account) AccountDetail {
	return AccountDetail{
		AccountNo: a.Number, Currency: a.Currency.Code(), Posted: api.DecimalOf(a.Posted), Held: api.DecimalOf(a.Held),
		Available: api.DecimalOf(a.Available()),
	}
}

func (a *API) showAccount(ctx context.Context, c access.Caller, in *AccountKey) (AccountDetail, error) {
	account, err := a.Ledger.AccountByNumber(ctx, c, in.AccountNo)
	if err != nil {
		return AccountDetail{}, err
	}
	return encodeAccount(account), nil
}

type adjustmentRequest struct {
	Direction         api.Enum[directions] `json:"direction" required:"true" doc:"Credit loads the account, Debit takes from it."`
	Amount            api.Decimal          `json:"amount" required:"true" doc:"Above zero, in the account's currency."`
	Currency          string               `json:"currency" required:"true" maxLength:"3"`
	Description       api.FreeText         `json:"description,omitempty" maxLength:"128"`
	ExternalReference api.FreeText         `json:"externalReference" required:"true" minLength:"1" maxLength:"64" doc:"Yours; the same reference moves money once."`
}

type adjustmentResult struct {
	EntryID    string `json:"entryId"`
	IsRepeated bool   `json:"isRepeated" doc:"The reference was used for the same adjustment before; nothing moved now."`
	AccountDetail
}

func (a *API) adjustAccount(ctx context.Context, c access.Caller, in *struct {
	AccountKey
	Body adjustmentRequest
}) (adjustmentResult, error) {
	var d decoding
	currency := d.currency("currency", in.Body.Currency)
	amount := d.amount("amount", in.Body.Amount, currency)
	if err := d.err(); err != nil {
		return adjustmentResult{}, err
	}
	side := ledger.Credit
	if in.Body.Direction == "Debit" {
		side = ledger.Debit
	}
	out, err := a.Ledger.Adjust(ctx, c, ledger.Adjustment{
		AccountNo: in.AccountNo, Side: side, Amount: value(amount), Description: string(in.Body.Description),
		Reference: string(in.Body.ExternalReference),
	})
	if err != nil {
		return adjustmentResult{}, err
	}
	return adjustmentResult{EntryID: out.Entry.ID.String(), IsRepeated: out.Repeated, AccountDetail: encodeAccount(out.Account)}, nil
}

type accountEntry struct {
	EntryID       string      `json:"entryId"`
	Event         string      `json:"event" doc:"The posting rule: A5 presentment, A11 force post, A12 credit, A15 single message, F3 adjustment, REV mirror."`
	Direction     string      `json:"direction" enum:"Credit,Debit"`
	Amount        api.Decimal `json:"amount"`
	Currency      string      `json:"currency"`
	BalanceAfter  api.Decimal `json:"balanceAfter" doc:"What was posted on the account after this entry."`
	TransactionID *string     `json:"transactionId"`
	Description   string      `json:"description"`
	BusinessDate  string      `json:"businessDate" format:"date"`
	CreationTime  time.Time   `json:"creationTime"`
}

// statementSort is what a statement can be sorted by: the moment of an entry,
// also under the name that the answer has for it. Entries of one moment keep the
// order in which they were made, which no other field would.
var statementSort = map[string]string{"createdAt": "createdAt", "creationTime": "createdAt"}

func (a *API) listAccountEntries(ctx context.Context, c access.Caller, in *struct {
	AccountKey
	api.Paging
}) (api.Page[accountEntry], error) {
	orders, err := in.Orders(statementSort)
	if err != nil {
		return api.Page[accountEntry]{}, err
	}
	oldestFirst := len(orders) > 0 && !orders[0].Desc
	lines, total, err := a.Ledger.Statement(ctx, c, in.AccountNo, oldestFirst, in.SkipCount, in.MaxResultCount)
	if err != nil {
		return api.Page[accountEntry]{}, err
	}
	rows := make([]accountEntry, len(lines))
	for i, l := range lines {
		rows[i] = accountEntry{
			EntryID: l.Entry.ID.String(), Event: l.Entry.Event, Direction: "Credit", Amount: api.DecimalOf(l.Amount),
			Currency: l.Amount.Currency().Code(), BalanceAfter: api.DecimalOf(l.After),
			TransactionID: outwardTransaction(l.Entry.Transaction), Description: l.Entry.Description,
			BusinessDate: l.Entry.BusinessOn.String(), CreationTime: l.Entry.At,
		}
		if l.Side == ledger.Debit {
			rows[i].Direction = "Debit"
		}
	}
	return api.PageOf(total, rows), nil
}
