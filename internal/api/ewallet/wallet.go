package ewallet

import (
	"context"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// walletView is the wallet_info object (3.3), in the order of the sample.
type walletView struct {
	ID              string      `json:"id"`
	Name            string      `json:"name"`
	AccountNumber   string      `json:"account_number"`
	AccountType     string      `json:"account_type"`
	CreatedAt       string      `json:"created_date_utc"`
	Number          string      `json:"number"`
	PhoneCountry    *string     `json:"phone_country_code"`
	Phone           *string     `json:"phone_number"`
	Email           *string     `json:"email"`
	TotalBalance    api.Decimal `json:"total_balance"`
	MonthlyIncoming api.Decimal `json:"monthly_incoming_total"`
	MonthlyOutgoing api.Decimal `json:"monthly_outgoing_total"`
	AccessLevelID   int         `json:"access_level_status_id"`
	AccessLevel     string      `json:"access_level_status"`
	Payment         bucketView  `json:"payment_balance"`
	Cash            bucketView  `json:"cash_balance"`
	Limits          limitView   `json:"transaction_limits"`
	KYCStatus       *string     `json:"kyc_level_status"`
	Currency        string      `json:"currency_code"`
	KYC             *kycView    `json:"user_kyc_info"`
	IsTopupDefault  bool        `json:"is_topup_default"`
	TaxNumber       *string     `json:"tax_number"`
	LoyaltyRecord   bool        `json:"loyalty_record_required"`
}

type bucketView struct {
	Available   api.Decimal `json:"available"`
	Unavailable api.Decimal `json:"unavailable"`
}

type limitView struct {
	MaxBalance     api.Decimal `json:"max_balance"`
	TopupCredit    api.Decimal `json:"topup_credit_limit"`
	TopupCash      api.Decimal `json:"topup_cash_limit"`
	Withdrawal     api.Decimal `json:"withdrawal_limit"`
	Payment        api.Decimal `json:"payment_limit"`
	WalletToWallet api.Decimal `json:"wallet_to_wallet_limit"`
}

type kycView struct {
	FirstName  string  `json:"first_name"`
	LastName   string  `json:"last_name"`
	BirthYear  *int    `json:"birth_year"`
	Level      int     `json:"kyc_level"`
	Status     string  `json:"kyc_level_status"`
	NationalID *string `json:"national_id"`
	SectorID   *string `json:"sector_id"`
	MotherName *string `json:"mother_name"`
	FatherName *string `json:"father_name"`
}

// noMoney is an amount that answers to movements always show as nothing.
const noMoney api.Decimal = "0.0"

// viewMoved is a wallet as the answer to a movement shows it: without the person,
// and without what moved this month.
func viewMoved(s wallet.Standing) walletView {
	b := s.Balances
	return walletView{
		ID: s.Wallet.ID.String(), Name: s.Wallet.Name, AccountNumber: s.Account.No, AccountType: string(s.Account.Kind),
		CreatedAt: moment(s.Wallet.CreatedAt), Number: s.Wallet.Number, TotalBalance: api.DecimalOf(b.Total()),
		MonthlyIncoming: noMoney, MonthlyOutgoing: noMoney, AccessLevelID: 1, AccessLevel: "Aktif",
		Payment: bucketView{api.DecimalOf(b.Payment), api.DecimalOf(b.PaymentHeld)},
		Cash:    bucketView{api.DecimalOf(b.Cash), api.DecimalOf(b.CashHeld)},
		Limits: limitView{
			MaxBalance: minor(s.Limits[wallet.OnBalance], s.Wallet.Currency), TopupCredit: left(s, wallet.OnTopup), TopupCash: left(s, wallet.OnTopup),
			Withdrawal: left(s, wallet.OnWithdrawal), Payment: left(s, wallet.OnPayment), WalletToWallet: left(s, wallet.OnTransfer),
		},
		Currency: s.Wallet.Currency.Code(),
	}
}

// viewWhole is a wallet with all that is known of it.
func viewWhole(s wallet.Standing) walletView {
	v, p := viewMoved(s), s.Account.Person
	v.PhoneCountry, v.Phone, v.Email = orNull(p.PhoneCountryCode), orNull(p.PhoneNo), orNull(p.Email)
	v.MonthlyIncoming, v.MonthlyOutgoing = minor(s.Month.Incoming, s.Wallet.Currency), minor(s.Month.Outgoing(), s.Wallet.Currency)
	v.KYCStatus, v.TaxNumber = new(s.Account.Level.String()), orNull(p.TaxNumber)
	v.KYC = viewKYC(s.Account)
	return v
}

func viewKYC(a wallet.Account) *kycView {
	p := a.Person
	v := &kycView{
		FirstName: p.FirstName, LastName: p.LastName, Level: int(a.Level), Status: a.Level.String(),
		NationalID: orNull(p.NationalID), SectorID: orNull(p.SectorID), MotherName: orNull(p.MotherName), FatherName: orNull(p.FatherName),
	}
	if p.BirthYear != 0 {
		v.BirthYear = new(p.BirthYear)
	}
	return v
}

func left(s wallet.Standing, k wallet.LimitKind) api.Decimal { return api.DecimalOf(s.Left(k)) }

// minor shows what a column holds.
func minor(n int64, c money.Currency) api.Decimal {
	a, err := money.New(n, c)
	if err != nil {
		panic(err) // columns are bounded
	}
	return api.DecimalOf(a)
}

// shownTenant is the number that clients know a tenant by.
func shownTenant(n int64) string { return strconv.FormatInt(n, 10) }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *API) showWallet(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	number, accountNo := in.digits("wallet_number", walletNumberMax), in.text("account_number")
	if err := in.err(); err != nil {
		return answer{}, err
	}
	s, err := a.wallets.Show(ctx, c, number, accountNo)
	if err != nil {
		return answer{}, err
	}
	return answer{payload: struct {
		Wallet walletView `json:"wallet_info"`
	}{viewWhole(s)}, mute: true}, nil
}

// walletNumberMax is how many digits a wallet number may have that we are given.
const walletNumberMax = 20
