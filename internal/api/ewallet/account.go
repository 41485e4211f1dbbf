package ewallet

import (
	"context"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

type registered struct {
	AccountNumber string `json:"account_number"`
	UserNumber    string `json:"user_number"`
	WalletNumber  string `json:"wallet_number"`
	Level         int    `json:"kyc_level_code"`
}

// newAccount reads what both kinds of account are registered with.
func newAccount(in *fields, kind wallet.Kind) wallet.NewAccount {
	out := wallet.NewAccount{Kind: kind, Currency: in.currency(), No: in.text("account_number")}
	p := &out.Person
	p.FirstName, p.LastName = in.required("user_first_name"), in.required("user_last_name")
	p.PhoneCountryCode, p.PhoneNo = in.required("user_phone_country_code"), in.required("user_phone_number")
	p.Email = in.required("user_email")
	p.Alias, p.UserNumber, p.GroupCode = in.text("alias"), in.text("user_number"), in.text("group_code")
	return out
}

func (a *API) registerPersonal(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	account := newAccount(in, wallet.Personal)
	if err := in.err(); err != nil {
		return answer{}, err
	}
	out, err := a.register(ctx, c, account)
	return answer{payload: out}, err
}

func (a *API) registerBusiness(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	account := newAccount(in, wallet.Business)
	p := &account.Person
	p.BusinessName, p.BusinessType = in.text("name"), in.number("business_type")
	p.TaxOffice, p.TaxNumber = in.required("tax_office"), in.required("tax_number")
	if err := in.err(); err != nil {
		return answer{}, err
	}
	out, err := a.register(ctx, c, account)
	return answer{payload: out, silent: true}, err
}

func (a *API) register(ctx context.Context, c access.Caller, in wallet.NewAccount) (registered, error) {
	s, err := a.wallets.Register(ctx, c, in)
	if err != nil {
		return registered{}, err
	}
	user := s.Account.Person.UserNumber
	if user == "" {
		user = s.Account.ID.String()
	}
	return registered{s.Account.No, user, s.Wallet.Number, int(s.Account.Level)}, nil
}
