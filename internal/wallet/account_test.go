package wallet_test

import (
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/wallet"
)

// Who acts for a business is found as it and by its tax number. What a bank sends
// with their own identity is theirs where they have a wallet, however young.
func TestTopUpByBank_findsABusinessByItsTaxNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		known := func(no string, kind wallet.Kind) wallet.Standing {
			p := wallet.Person{FirstName: "Deniz", LastName: "Kaya"}
			if kind == wallet.Business {
				p.BusinessName, p.TaxNumber = "Kahve", "1234567890"
			}
			s, err := w.Register(t.Context(), w.caller, wallet.NewAccount{No: no, Kind: kind, Currency: lira(0).Currency(), Person: p})
			w.must(err)
			_, err = w.SubmitKYC(t.Context(), w.caller, kind, wallet.KYCForm{
				AccountNo: no, FirstName: p.FirstName, LastName: p.LastName, NationalID: "10000000146", BornOn: clock.Date{Year: 1985, Month: 5, Day: 17},
				Country: country.Must("TR"),
			})
			w.must(err)
			return s
		}
		send := func(identity string, minor int64) {
			t.Helper()
			_, err := w.TopUpByBank(t.Context(), w.caller, wallet.BankTopUp{Receipt: w.key(), IdentityNo: identity, Amount: lira(minor)})
			w.must(err)
		}
		shop := known("SHOP", wallet.Business)
		send("1234567890", 700)
		send("10000000146", 40)
		w.clock.Advance(time.Minute)
		deniz := known("DENIZ", wallet.Personal)
		send("1234567890", 2)
		send("10000000146", 5)
		if a, b := w.show(shop).Balances.Cash, w.show(deniz).Balances.Cash; a.Minor() != 742 || b.Minor() != 5 {
			t.Errorf("the shop has %v, and who acts for it %v", a, b)
		}
		for _, f := range []wallet.Filter{{TaxNumber: "1234567890"}, {TaxNumber: "1234567890", NationalID: "10000000146"}} {
			if page, n, err := w.List(t.Context(), w.caller, f, list.Page{Limit: 9}); err != nil || n != 1 || page[0].Account.No != "SHOP" {
				t.Errorf("%+v finds %d: %v", f, n, err)
			}
		}
		if _, n, err := w.List(t.Context(), w.caller, wallet.Filter{NationalID: "10000000146"}, list.Page{Limit: 9}); err != nil || n != 2 {
			t.Errorf("a person has %d: %v", n, err)
		}
		w.holds()
	})
}

// Blanks say nothing new of an account.
func TestUpdate_blankStaysAsItIs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		_, err := w.Register(t.Context(), w.caller, wallet.NewAccount{
			No: "ADA", Kind: wallet.Personal, Currency: lira(0).Currency(),
			Person: wallet.Person{FirstName: "Ada", LastName: "Deniz", PhoneCountryCode: "90", PhoneNo: "5550000147", Email: "ada@example.org"},
		})
		w.must(err)
		blank := wallet.AccountChange{AccountNo: "ADA", FirstName: " ", LastName: "\t", PhoneNo: " ", Email: " ", Alias: " ", Address: " ", CountryCode: " "}
		for range 2 {
			a, err := w.Update(t.Context(), w.caller, wallet.Personal, blank)
			w.must(err)
			if p := a.Person; p.FirstName != "Ada" || p.LastName != "Deniz" || p.PhoneNo != "5550000147" || p.Email != "ada@example.org" || p.Alias != "" {
				t.Errorf("the account is of %+v", p)
			}
			_, err = w.Contract(t.Context(), w.caller, "ADA", wallet.Personal) // who is known says nothing new either
			w.must(err)
		}
	})
}
