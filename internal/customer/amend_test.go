package customer

import (
	"testing"

	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/list"
)

func TestPut_replacesTheElementOfItsType(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		u := testCustomer("Ali", "Kaya", tckn("100000001"))
		u.No = "1"
		if _, err := h.Create(ctx, c, u); err != nil {
			t.Fatal(err)
		}
		work := Address{Type: WorkAddress, CityCode: "06", TownName: "Cankaya", Lines: [4]string{"Tunali 1"}, IsDefault: true}
		got, err := h.PutAddress(ctx, c, "1", work)
		if err != nil || !got.IsDefault || got.Country != turkey {
			t.Errorf("got %+v (%v), want the new default in TR", got, err)
		}
		work.IsDefault, work.Lines[0] = false, "Tunali 2"
		if got, err = h.PutAddress(ctx, c, "1", work); err != nil || !got.IsDefault || got.Lines[0] != "Tunali 2" {
			t.Errorf("got %+v (%v), want the default to stay", got, err)
		}
		mail, err := h.PutCommunication(ctx, masked(c), "1", Communication{Type: Email, Value: "new@example.com"})
		if err != nil || mail.Value != "n**@example.com" {
			t.Errorf("got %q (%v), want it masked", mail.Value, err)
		}
		if _, err := h.PutIdentification(ctx, c, "1", Identification{Type: TCKN, Number: tckn("100000002")}); err != nil {
			t.Fatal(err)
		}
		all, err := h.Customer(ctx, c, "1")
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Addresses) != 2 || all.Addresses[0].IsDefault || !all.Addresses[1].IsDefault {
			t.Errorf("addresses: %+v", all.Addresses)
		}
		if len(all.Communications) != 2 || len(all.Identifications) != 1 {
			t.Errorf("%d communications and %d identifications, want 2 and 1", len(all.Communications), len(all.Identifications))
		}
		// What the customer is found by moves along, and the old number is free.
		for number, want := range map[string]int{tckn("100000001"): 0, tckn("100000002"): 1} {
			if _, total, err := h.Customers(ctx, c, Filter{IdentificationNo: number, Page: list.Page{Limit: 1}}); err != nil || total != want {
				t.Errorf("%d are found by %s (%v), want %d", total, number, err, want)
			}
		}
		if _, total, err := h.Customers(ctx, c, Filter{Email: "new@example.com", Page: list.Page{Limit: 1}}); err != nil || total != 1 {
			t.Errorf("%d are found by the new e-mail (%v)", total, err)
		}
		second := testCustomer("Can", "Kaya", tckn("100000001"))
		second.No = "2"
		if _, err := h.Create(ctx, c, second); err != nil {
			t.Fatal(err)
		}
		_, err = h.PutIdentification(ctx, c, "1", Identification{Type: TCKN, Number: tckn("100000001")})
		wantFault(t, err, "customer_already_exists")
		if all, err := h.Customer(ctx, c, "1"); err != nil || all.Identifications[0].Number != tckn("100000002") {
			t.Errorf("a refused change left %+v (%v)", all.Identifications, err)
		}
	})
}

func TestPut_namesWhatIsWrongAsTheCallerDid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		u := testCustomer("Ali", "Kaya", tckn("100000001"))
		u.No = "1"
		if _, err := h.Create(ctx, c, u); err != nil {
			t.Fatal(err)
		}
		field := func(err error, code fault.Code, name string) {
			t.Helper()
			f, ok := fault.As(err)
			if !ok || f.Code != code || len(f.Fields) != 1 || f.Fields[0].Name != name {
				t.Errorf("got %v, want %s of %s", err, code, name)
			}
		}
		_, err := h.PutAddress(ctx, c, "1", Address{Type: WorkAddress, CityCode: "99", TownName: "X", Lines: [4]string{"Y"}})
		field(err, "validation_error", "cityCode")
		_, err = h.PutCommunication(ctx, c, "1", Communication{Type: Email, Value: "nobody"})
		field(err, "validation_error", "value")
		_, err = h.PutIdentification(ctx, c, "1", Identification{Type: TCKN, Number: "10000000147"})
		field(err, "invalid_identification_no", "identificationNo")
		_, err = h.PutAddress(ctx, h.other, "1", Address{Type: WorkAddress})
		wantFault(t, err, "customer_not_found")

		closing := Change{No: "1", Profile: u.Profile, Status: Closed}
		closing.Profile.StatusReason, closing.Profile.Nationality = "left", country.Must("TR")
		if _, err := h.Update(ctx, c, closing); err != nil {
			t.Fatal(err)
		}
		_, err = h.PutCommunication(ctx, c, "1", Communication{Type: Email, Value: "a@example.com"})
		wantFault(t, err, "customer_closed")
		_, err = h.SetSegment(ctx, c, "1", "")
		wantFault(t, err, "customer_closed")
	})
}
