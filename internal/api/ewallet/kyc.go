package ewallet

import (
	"context"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// known is the answer to a form.
type known struct {
	AccountNumber string `json:"account_number"`
	Level         int    `json:"kyc_level"`
}

// The numbers of kinds of documents.
const (
	identityCard = 1
	passport     = 2
)

// readKYC reads a form.
func readKYC(in *fields) wallet.KYCForm {
	out := wallet.KYCForm{
		AccountNo: in.required("account_number"), FirstName: in.required("first_name"), LastName: in.required("last_name"),
		NationalID: in.required("national_id"), BornOn: in.birthday(), SectorID: in.requiredWord("sector_id"),
		Address: in.required("address"), City: in.required("city"), MotherName: in.text("mother_name"), FatherName: in.text("father_name"),
	}
	in.requiredWord("province_id")
	switch in.requiredNumber("national_document_type_id") {
	case 0, identityCard:
	case passport:
		out.Passport = true
	default:
		in.bad("national_document_type_id", "'National Document Type Id' has a range of values which does not include what was entered.")
	}
	code := in.required("country_code")
	var err error
	if out.Country, err = country.Parse(code); err != nil && code != "" {
		in.bad("country_code", "The specified condition was not met for 'Country Code'.")
	}
	return out
}

// birthday reads a date that must be there, in three members.
func (f *fields) birthday() clock.Date {
	year, month, day := f.requiredNumber("birth_year"), f.requiredNumber("birth_month"), f.requiredNumber("birth_day")
	d := clock.Date{Year: year, Month: time.Month(month), Day: day}
	if year != 0 && month != 0 && day != 0 && (year < 1900 || year > 9999 || d.AddDays(0) != d) {
		f.bad("birth_day", "The specified condition was not met for 'Birth Day'.")
	}
	return d
}

// submitKYC is the action of the form for a kind of account.
func (a *API) submitKYC(of wallet.Kind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		form := readKYC(in)
		if err := in.err(); err != nil {
			return answer{}, err
		}
		account, err := a.wallets.SubmitKYC(ctx, c, of, form)
		return answer{payload: known{account.No, int(account.Level)}}, err
	}
}

// contract is the action that lifts a kind of account to the level of those who
// signed.
func (a *API) contract(of wallet.Kind) func(context.Context, access.Caller, *fields) (answer, error) {
	return func(ctx context.Context, c access.Caller, in *fields) (answer, error) {
		no := in.required("account_number")
		in.word("account_type")
		if level := in.number("kyc_level"); level != 0 && level != int(wallet.Contracted) {
			in.bad("kyc_level", "The specified condition was not met for 'Kyc Level'.")
		}
		if err := in.err(); err != nil {
			return answer{}, err
		}
		_, err := a.wallets.Contract(ctx, c, no, of)
		return answer{payload: true, silent: true}, err
	}
}
