package ewallet

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// object reads the members of a member; absent is one without any. What is wrong
// with them is noted where they are.
func (f *fields) object(name string) *fields {
	in := &fields{}
	if raw, ok := f.members[name]; ok && string(raw) != "null" && json.Unmarshal(raw, &in.members) != nil {
		f.mistyped(name, "the object that it must be")
	}
	return in
}

// adopt notes what is wrong with the members of a member.
func (f *fields) adopt(in *fields) {
	f.types, f.values = append(f.types, in.types...), append(f.values, in.values...)
}

// contactMembers are what the members of an address are called.
type contactMembers struct{ firstName, lastName, email, phone, line1, line2, country string }

var (
	contactOfPerson = contactMembers{
		"contact_address_contact_first_name", "contact_address_contact_last_name", "contact_address_contact_email", "contact_address_contact_phone",
		"contact_address_address_line1", "contact_address_address_line2", "contact_address_country_code",
	}
	contactOfBusiness = contactMembers{"first_name", "last_name", "email", "phone_number", "address_line1", "address_line2", "country_code"}
)

// contact reads an address into what is said anew of an account.
func (f *fields) contact(m contactMembers, into *wallet.AccountChange) {
	into.FirstName, into.LastName = f.text(m.firstName), f.text(m.lastName)
	into.Email, into.PhoneNo = f.text(m.email), f.text(m.phone)
	into.Address = strings.TrimSpace(f.text(m.line1) + " " + f.text(m.line2))
	code := f.text(m.country)
	if code == "" {
		return
	}
	x, err := country.Parse(code)
	if err != nil {
		f.bad(m.country, "The specified condition was not met for '"+shown(m.country)+"'.")
		return
	}
	into.CountryCode = x.Alpha2()
}

func (a *API) updatePersonal(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	change := wallet.AccountChange{AccountNo: in.required("account_number"), Alias: in.text("alias")}
	in.contact(contactOfPerson, &change)
	return a.update(ctx, c, in, wallet.Personal, change)
}

func (a *API) updateBusiness(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	change := wallet.AccountChange{
		AccountNo: in.required("account_number"), Alias: in.text("alias"), BusinessName: in.text("name"), TaxOffice: in.text("tax_office"),
		TaxNumber: in.text("tax_number"),
	}
	address := in.object("contact_address")
	address.contact(contactOfBusiness, &change)
	in.adopt(address)
	return a.update(ctx, c, in, wallet.Business, change)
}

// update changes an account, and answers with it.
func (a *API) update(ctx context.Context, c access.Caller, in *fields, of wallet.Kind, change wallet.AccountChange) (answer, error) {
	if err := in.err(); err != nil {
		return answer{}, err
	}
	if _, err := a.wallets.Update(ctx, c, of, change); err != nil {
		return answer{}, err
	}
	s, err := a.wallets.Find(ctx, c, wallet.AccountOf{Kind: of, No: change.AccountNo})
	if err != nil {
		return answer{}, err
	}
	return answer{payload: viewAccount(s)}, nil
}

// kycDetail is who the owner of an account is known to be.
type kycDetail struct {
	AccountNumber string `json:"account_number"`
	kycView
}

func (a *API) showKYC(ctx context.Context, c access.Caller, in *fields) (answer, error) {
	no := in.required("account_number")
	if err := in.err(); err != nil {
		return answer{}, err
	}
	s, err := a.wallets.Find(ctx, c, wallet.AccountOf{No: no})
	if err != nil {
		return answer{}, err
	}
	return answer{payload: kycDetail{s.Account.No, *viewKYC(s.Account)}}, nil
}
