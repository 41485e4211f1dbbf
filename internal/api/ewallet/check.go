package ewallet

import (
	"context"
	"errors"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// personalCheck tells whether somebody has a wallet. Names are masked.
type personalCheck struct {
	Exist     bool    `json:"exist"`
	Wallet    *string `json:"wallet_number"`
	FirstName *string `json:"first_name"`
	LastName  *string `json:"last_name"`
	Currency  *string `json:"currency_code"`
}

// businessCheck tells whether a business has one.
type businessCheck struct {
	Exist    bool    `json:"exist"`
	Name     *string `json:"name"`
	Wallet   *string `json:"wallet_number"`
	Currency *string `json:"currency_code"`
}

// ask looks for a wallet; that there is none is an answer.
func (a *API) ask(ctx context.Context, c access.Caller, of wallet.AccountOf) (s wallet.Standing, exists bool, err error) {
	s, err = a.wallets.Find(ctx, c, of)
	if errors.Is(err, wallet.ErrAccountNotFound) || errors.Is(err, wallet.ErrWalletNotFound) {
		return s, false, nil
	}
	return s, err == nil, err
}

func (a *API) checkPersonal(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	of := wallet.AccountOf{Kind: wallet.Personal, No: in.text("account_number"), Currency: in.currency()}
	if of.No == "" {
		of.Phone = in.required("phone_country_number") + in.required("phone_number")
	}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	s, exists, err := a.ask(ctx, c, of)
	if err != nil || !exists {
		return answer{payload: personalCheck{}}, err
	}
	p := s.Account.Person
	return answer{payload: personalCheck{true, &s.Wallet.Number, new(masked(p.FirstName)), new(masked(p.LastName)), new(s.Wallet.Currency.Code())}}, nil
}

func (a *API) checkBusiness(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	of := wallet.AccountOf{Kind: wallet.Business, No: in.required("account_number"), Currency: in.currency()}
	if err := in.err(); err != nil {
		return answer{}, err
	}
	s, exists, err := a.ask(ctx, c, of)
	if err != nil || !exists {
		return answer{payload: businessCheck{}}, err
	}
	return answer{payload: businessCheck{true, orNull(s.Account.Person.BusinessName), &s.Wallet.Number, new(s.Wallet.Currency.Code())}}, nil
}

// accountView is an account with its oldest wallet in lira.
type accountView struct {
	ID           string  `json:"id"`
	TenantID     string  `json:"tenant_id"`
	Number       string  `json:"account_number"`
	Type         string  `json:"account_type"`
	Name         *string `json:"name"`
	FirstName    string  `json:"first_name"`
	LastName     string  `json:"last_name"`
	PhoneCountry string  `json:"phone_country_code"`
	Phone        string  `json:"phone_number"`
	Email        string  `json:"email"`
	Alias        *string `json:"alias"`
	TaxOffice    *string `json:"tax_office"`
	TaxNumber    *string `json:"tax_number"`
	Level        int     `json:"kyc_level_code"`
	LevelName    string  `json:"kyc_level_status"`
	CreatedAt    string  `json:"created_date_utc"`
	Wallet       string  `json:"wallet_number"`
}

// showAccount is the action that shows an account of a kind.
func (a *API) showAccount(of wallet.Kind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		no := in.required("account_number")
		if err := in.err(); err != nil {
			return answer{}, err
		}
		s, err := a.wallets.Find(ctx, c, wallet.AccountOf{Kind: of, No: no})
		if err != nil {
			return answer{}, err
		}
		return answer{payload: viewAccount(s)}, nil
	}
}

func viewAccount(s wallet.Standing) accountView {
	p := s.Account.Person
	return accountView{
		ID: s.Account.ID.String(), TenantID: shownTenant(s.TenantNo), Number: s.Account.No, Type: string(s.Account.Kind), Name: orNull(p.BusinessName),
		FirstName: p.FirstName, LastName: p.LastName, PhoneCountry: p.PhoneCountryCode, Phone: p.PhoneNo, Email: p.Email, Alias: orNull(p.Alias),
		TaxOffice: orNull(p.TaxOffice), TaxNumber: orNull(p.TaxNumber), Level: int(s.Account.Level), LevelName: s.Account.Level.String(),
		CreatedAt: moment(s.Account.CreatedAt), Wallet: s.Wallet.Number,
	}
}

// openWallet is the action that opens another wallet of an account of a kind.
func (a *API) openWallet(of wallet.Kind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		asked := wallet.NewWallet{Kind: of, AccountNo: in.required("account_number"), Name: in.text("name"), Currency: in.currency()}
		if err := in.err(); err != nil {
			return answer{}, err
		}
		w, err := a.wallets.Open(ctx, c, asked)
		return answer{payload: w.Number}, err
	}
}
