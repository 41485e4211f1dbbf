package ewallet

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// recordView is a transaction in the history (3.6).
type recordView struct {
	ID                   string      `json:"id"`
	TenantID             string      `json:"tenant_id"`
	Group                string      `json:"tx_group_correlation_id"`
	Reference            string      `json:"tx_ref_correlation_id"`
	ExternalID           string      `json:"ext_transaction_id"`
	WalletID             string      `json:"wallet_id"`
	ToWalletID           *string     `json:"to_wallet_id"`
	TypeID               int         `json:"transaction_type_id"`
	Type                 string      `json:"transaction_type"`
	StatusID             int         `json:"transaction_status_id"`
	Status               string      `json:"transaction_status"`
	ResultCode           string      `json:"result_code"`
	AdditionalData       *string     `json:"tx_additional_data_json"`
	CreatedAt            string      `json:"created_date_utc"`
	CompletedAt          *string     `json:"completed_date_utc"`
	IsProcessed          bool        `json:"is_financial_process_completed"`
	Base                 api.Decimal `json:"tx_base_amount"`
	Fee                  api.Decimal `json:"tx_additional_fee"`
	WithFee              api.Decimal `json:"tx_amount_with_additional_fee"`
	Currency             string      `json:"currency_code"`
	FromDescription      string      `json:"from_description"`
	ToDescription        string      `json:"to_description"`
	Level                int         `json:"kyc_level_id"`
	FromAccount          *string     `json:"from_account_number"`
	FromWallet           *string     `json:"from_wallet_number"`
	ToAccount            *string     `json:"to_account_number"`
	ToWallet             *string     `json:"to_wallet_number"`
	NeedsSettlement      bool        `json:"is_need_settlement"`
	SettlementDay        int         `json:"settlement_day"`
	SourceType           string      `json:"source_type"`
	ChannelType          string      `json:"channel_type"`
	MediaIdentifier      *string     `json:"media_identifier"`
	TerminalNo           *string     `json:"terminal_no"`
	MediaType            *string     `json:"media_type"`
	ProviderID           *string     `json:"provider_id"`
	IsMediaIdentifierSet bool        `json:"is_media_identifier_used"`
}

// status is the number and name of how far a transaction is.
type status struct {
	id           int
	name, result string
}

var statuses = map[wallet.Status]status{
	wallet.Requested: {10, "Pending", "Pending"},
	wallet.Sent:      {10, "Pending", "Pending"},
	wallet.Completed: {20, "NormalCompleted", "Success"},
	wallet.Failed:    {40, "CancelCompleted", "Failed"},
	wallet.Refunded:  {60, "RefundCompleted", "Success"},
}

// statusesOf are those of a number.
func statusesOf(n int) (all []wallet.Status) {
	for _, s := range []wallet.Status{wallet.Requested, wallet.Sent, wallet.Completed, wallet.Failed, wallet.Refunded} {
		if statuses[s].id == n {
			all = append(all, s)
		}
	}
	return all
}

// typeOf is what kind of transaction a record is.
func typeOf(r wallet.Record) transactionKind {
	if r.Kind == wallet.Transfer && r.Receiver.Kind == wallet.Personal {
		if r.Sender.Kind == wallet.Personal {
			return personToPerson
		}
		return businessToPerson
	}
	return kindOf(r.Kind)
}

func viewRecord(r wallet.Record) recordView {
	kind, status, amount := typeOf(r), statuses[r.Status], api.DecimalOf(r.Amount)
	v := recordView{
		ID: r.ID.String(), TenantID: shownTenant(r.TenantNo), Group: "0", Reference: r.Original.String(), ExternalID: r.ExternalID,
		TypeID: kind.id, Type: kind.name, StatusID: status.id, Status: status.name, ResultCode: status.result, CreatedAt: moment(r.CreatedAt),
		IsProcessed: status.id != 10, Base: amount, Fee: noMoney, WithFee: amount, Currency: r.Amount.Currency().Code(),
		FromDescription: r.Note.Description, ToDescription: r.Note.Description, Level: int(r.Level),
		FromAccount: orNull(r.Sender.AccountNo), FromWallet: orNull(r.Sender.WalletNo), ToAccount: orNull(r.Receiver.AccountNo),
		ToWallet: orNull(r.Receiver.WalletNo), SourceType: r.Note.SourceType, ChannelType: r.Note.ChannelType,
	}
	switch {
	case r.Transaction.From == 0:
		v.WalletID = r.To.String()
	case r.To != 0:
		v.ToWalletID = new(r.To.String())
		fallthrough
	default:
		v.WalletID = r.Transaction.From.String()
	}
	if !r.CompletedAt.IsZero() && status.id != 10 {
		v.CompletedAt = new(moment(r.CompletedAt))
	}
	if r.Kind == wallet.Payment {
		v.NeedsSettlement, v.SettlementDay = true, 1
	}
	return v
}

// historyWindow is how far back a history goes that is not told when to begin.
const historyWindow = 3 * 24 * time.Hour

// readHistory reads what a history is asked for.
func (a *API) readHistory(c access.Caller, in *fields) wallet.TransactionFilter {
	f := wallet.TransactionFilter{
		ID: in.optionalID("id"), ExternalID: in.text("ext_transaction_id"), Wallet: in.optionalID("wallet_id"), ToWallet: in.optionalID("to_wallet_id"),
		NotFailed: true, Currencies: in.texts("currency_code"), FromAccountNo: in.text("from_account_number"), FromNo: in.text("from_wallet_number"),
		ToAccountNo: in.text("to_account_number"), ToNo: in.text("to_wallet_number"), ChannelType: in.text("channel_type"),
		From: in.moment("start_date"), Until: in.moment("end_date"),
		LeastMinor: in.optionalAmount("min_amount"), MostMinor: in.optionalAmount("max_amount"),
	}
	if f.From.IsZero() && f.ID == 0 && f.ExternalID == "" {
		until := f.Until
		if until.IsZero() {
			until = c.Now(a.clock)
		}
		f.From = until.Add(-historyWindow)
	}
	if n := in.number("process_level_status_id"); n != 0 {
		if f.Statuses = statusesOf(n); f.Statuses == nil {
			in.bad("process_level_status_id", "The specified condition was not met for 'Process Level Status Id'.")
		}
	}
	in.unsupported("media_identifier", "provider_id", "transaction_group")
	in.kinds(&f)
	return f
}

// kinds reads the kinds of transactions that are wanted: one number, or several.
func (f *fields) kinds(into *wallet.TransactionFilter) {
	codes := f.texts("transaction_type_code_list")
	if one := f.word("transaction_type_code"); one != "" {
		codes = append(codes, one)
	}
	for _, code := range codes {
		known := true
		switch code {
		case "1001", "1004":
			into.Kinds = append(into.Kinds, wallet.BankTopup)
		case "1002":
			into.Kinds = append(into.Kinds, wallet.CardTopup)
		case "2001", "2002":
			into.Kinds = append(into.Kinds, wallet.Withdrawal)
		case "3001", "3004":
			into.Kinds = append(into.Kinds, wallet.Transfer)
			if len(codes) == 1 {
				into.ToKind, into.FromKind = wallet.Personal, wallet.Personal
				if code == "3004" {
					into.FromKind = wallet.Business
				}
			}
		case "3003":
			into.Kinds = append(into.Kinds, wallet.Payment)
		case "5001":
			into.Kinds = append(into.Kinds, wallet.Refund, wallet.CashBack)
			if len(codes) > 1 {
				into.Kinds = append(into.Kinds, wallet.Transfer)
			}
		default:
			known = false
		}
		if !known {
			f.bad("transaction_type_code", "The specified condition was not met for 'Transaction Type Code'.")
		}
	}
}

// texts reads a text or a list of them; the empty ones say nothing.
func (f *fields) texts(name string) (all []string) {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" || raw[0] == '"' {
		if s := f.text(name); s != "" {
			all = append(all, s)
		}
		return all
	}
	var words []json.RawMessage
	if json.Unmarshal(raw, &words) != nil || len(words) > 100 {
		f.mistyped(name, "System.Collections.Generic.List`1[System.String]")
		return nil
	}
	for _, w := range words {
		var s string
		if isNumber(w) {
			s = string(w)
		} else if json.Unmarshal(w, &s) != nil || !clean(s) {
			f.mistyped(name, "System.String")
		}
		if s != "" {
			all = append(all, s)
		}
	}
	return all
}

// optionalAmount reads an amount of lira that may be left out, in minor units.
func (f *fields) optionalAmount(name string) int64 {
	if raw, ok := f.members[name]; !ok || string(raw) == "null" || string(raw) == `""` {
		return 0
	}
	c, _ := money.ParseCurrency("TRY")
	if a := f.amount(name, c); !a.Currency().IsZero() {
		return a.Minor()
	}
	return 0
}

func (a *API) history(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	f := a.readHistory(c, in)
	return a.records(ctx, c, in, f)
}

// settlements is the history of what businesses were paid.
func (a *API) settlements(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	f := a.readHistory(c, in)
	f.Kinds = []wallet.TransactionKind{wallet.Payment}
	return a.records(ctx, c, in, f)
}

func (a *API) records(ctx context.Context, c access.Caller, in *fields, f wallet.TransactionFilter) (answer, error) {
	p := in.page("CreatedDateUtc", "Id")
	if err := in.err(); err != nil {
		return answer{}, err
	}
	results := []recordView{}
	own, err := in.ofTenant(a, ctx, c)
	if err != nil || !own {
		return answer{payload: viewPage(results, p, 0, 0), silent: true}, err
	}
	found, total, err := a.wallets.Transactions(ctx, c, f, p)
	if err != nil {
		return answer{}, err
	}
	for _, r := range found {
		results = append(results, viewRecord(r))
	}
	return answer{payload: viewPage(results, p, len(results), total), silent: true}, nil
}

// showTransaction is a transaction as it is printed.
func (a *API) showTransaction(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	f := wallet.TransactionFilter{ID: in.id("id")}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	r, err := a.wallets.Transaction(ctx, c, f)
	if err != nil {
		return answer{}, err
	}
	return answer{payload: viewRecord(r), silent: true}, nil
}

// withdrawalView is a withdrawal with the bank account that it goes to.
type withdrawalView struct {
	RequestID  string      `json:"request_id"`
	ID         string      `json:"transaction_id"`
	ExternalID string      `json:"ext_transaction_id"`
	TenantID   string      `json:"tenant_id"`
	Account    string      `json:"account_number"`
	Wallet     string      `json:"wallet_number"`
	Amount     api.Decimal `json:"amount"`
	Currency   string      `json:"currency_code"`
	Holder     string      `json:"receiver_account_holder_name"`
	IBAN       string      `json:"receiver_iban"`
	StatusID   int         `json:"process_level_status_id"`
	Status     string      `json:"process_level_status"`
	State      string      `json:"money_transfer_state"`
	CreatedAt  string      `json:"created_date_utc"`
	DoneAt     *string     `json:"completed_date_utc"`
}

func (a *API) viewWithdrawal(ctx context.Context, r wallet.Record) (withdrawalView, error) {
	to, err := a.wallets.DestinationOf(ctx, r.Transaction)
	if err != nil {
		return withdrawalView{}, err
	}
	status := statuses[r.Status]
	v := withdrawalView{
		RequestID: r.RequestID.String(), ID: r.ID.String(), ExternalID: r.ExternalID, TenantID: shownTenant(r.TenantNo), Account: r.Sender.AccountNo,
		Wallet: r.Sender.WalletNo, Amount: api.DecimalOf(r.Amount), Currency: r.Amount.Currency().Code(), Holder: to.Holder, IBAN: to.IBAN,
		StatusID: status.id, Status: status.name, State: string(r.Status), CreatedAt: moment(r.CreatedAt),
	}
	if status.id != 10 {
		v.DoneAt = new(moment(r.CompletedAt))
	}
	return v, nil
}

// showWithdrawal is one withdrawal, named by a member of the request.
func (a *API) showWithdrawal(read func(in *fields) wallet.TransactionFilter) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		f := read(in)
		f.Kinds = []wallet.TransactionKind{wallet.Withdrawal}
		if err := in.err(); err != nil {
			return answer{}, err
		}
		r, err := a.wallets.Transaction(ctx, c, f)
		if err != nil {
			return answer{}, err
		}
		v, err := a.viewWithdrawal(ctx, r)
		return answer{payload: v, silent: true}, err
	}
}

func withdrawalByKey(in *fields) wallet.TransactionFilter {
	return wallet.TransactionFilter{ExternalID: in.required("ext_transaction_id")}
}

func withdrawalByID(in *fields) wallet.TransactionFilter {
	return wallet.TransactionFilter{ID: in.id("transaction_id")}
}

// listWithdrawals lists withdrawals, those that failed among them.
func (a *API) listWithdrawals(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	f, p := a.readHistory(c, in), in.page("CreatedDateUtc", "Id")
	f.NotFailed, f.Kinds = false, []wallet.TransactionKind{wallet.Withdrawal}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	results := []withdrawalView{}
	own, err := in.ofTenant(a, ctx, c)
	if err != nil || !own {
		return answer{payload: viewPage(results, p, 0, 0), silent: true}, err
	}
	found, total, err := a.wallets.Transactions(ctx, c, f, p)
	if err != nil {
		return answer{}, err
	}
	for _, r := range found {
		v, err := a.viewWithdrawal(ctx, r)
		if err != nil {
			return answer{}, err
		}
		results = append(results, v)
	}
	return answer{payload: viewPage(results, p, len(results), total), silent: true}, nil
}
