package customer

import (
	"bytes"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// tckn makes a valid number of nine digits.
func tckn(nine string) string {
	n, err := strconv.ParseInt(nine, 10, 64)
	if err != nil {
		panic(err)
	}
	odd, even := int64(0), int64(0)
	for i, rest := 8, n; i >= 0; i-- {
		if i%2 == 0 {
			odd += rest % 10
		} else {
			even += rest % 10
		}
		rest /= 10
	}
	// The Euclidean remainder, by math/big.
	tenth := new(big.Int).Mod(big.NewInt(7*odd-even), big.NewInt(10)).Int64()
	return nine + strconv.FormatInt(tenth, 10) + strconv.FormatInt((odd+even+tenth)%10, 10)
}

func TestValidTCKN_agreesWithTheFormula(t *testing.T) {
	if !ValidTCKN("10000000146") {
		t.Error("the contract's example is refused")
	}
	rapid.Check(t, func(rt *rapid.T) {
		number := tckn(rapid.StringMatching(`[1-9][0-9]{8}`).Draw(rt, "nine"))
		if !ValidTCKN(number) {
			rt.Fatalf("%s is refused", number)
		}
		at := rapid.IntRange(0, 10).Draw(rt, "at")
		other := []byte(number)
		other[at] = '0' + (other[at]-'0'+byte(rapid.IntRange(1, 9).Draw(rt, "add")))%10
		// One wrong digit is always found in the check digits; in the others
		// the sum of the last check digit finds it.
		if ValidTCKN(string(other)) {
			rt.Fatalf("%s is accepted beside %s", other, number)
		}
		if ValidYKN(number) != strings.HasPrefix(number, "99") {
			rt.Fatalf("%s: a foreigner's number begins with 99", number)
		}
	})
	for _, bad := range []string{"", "1000000014", "100000001460", "00000000000", "1000000014a", "12345678901"} {
		if ValidTCKN(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// vknCheck computes the check digit in the words of the contract: t=(d+10−i)
// mod 10; v = t·2^(10−i) mod 9, 0 → 9 unless t is 0; check = (10 − Σv mod 10)
// mod 10.
func vknCheck(nine string) byte {
	sum := new(big.Int)
	for i := 1; i <= 9; i++ {
		t := (int(nine[i-1]-'0') + 10 - i) % 10
		if t == 0 {
			continue
		}
		v := new(big.Int).Mul(big.NewInt(int64(t)), new(big.Int).Exp(big.NewInt(2), big.NewInt(int64(10-i)), nil))
		if v.Mod(v, big.NewInt(9)).Sign() == 0 {
			v.SetInt64(9)
		}
		sum.Add(sum, v)
	}
	return '0' + byte((10-sum.Mod(sum, big.NewInt(10)).Int64())%10)
}

func TestValidVKN_agreesWithTheFormula(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nine := rapid.StringMatching(`[0-9]{9}`).Draw(rt, "nine")
		for digit := byte('0'); digit <= '9'; digit++ {
			if got, want := ValidVKN(nine+string(digit)), digit == vknCheck(nine); got != want {
				rt.Fatalf("%s%c: got %t, want %t", nine, digit, got, want)
			}
		}
	})
	for _, bad := range []string{"", "123456789", "12345678901", "123456789a"} {
		if ValidVKN(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParsePhone_readsWhatPeopleWrite(t *testing.T) {
	for text, want := range map[string]string{
		"+905321234567": "+905321234567", "05321234567": "+905321234567", "5321234567": "+905321234567",
		"905321234567": "+905321234567", "0532 123 45 67": "+905321234567", "+90 (532) 123-45-67": "+905321234567",
		"+4915112345678": "+4915112345678", "+12025550123": "",
	} {
		got, ok := ParsePhone(text, true)
		if want != "" && (!ok || got != want) {
			t.Errorf("%s: got %s (%t), want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", "+902121234567", "12345", "abc", "+90532123456", "+9053212345678", "05321234567 ext 5", strings.Repeat("5", 100)} {
		if got, ok := ParsePhone(bad, true); ok {
			t.Errorf("%q is accepted as the mobile phone %s", bad, got)
		}
	}
	if got, ok := ParsePhone("0212 123 45 67", false); !ok || got != "+902121234567" {
		t.Errorf("a land line: got %s (%t), want +902121234567", got, ok)
	}
}

func TestParseEmail(t *testing.T) {
	for text, want := range map[string]bool{
		"a@b.co": true, " a@b.co ": true, "ayse.yilmaz+x@example.com.tr": true,
		"": false, "a": false, "a@b": false, "a@b.": false, "A <a@b.co>": false, "a@b.co, c@d.co": false,
		strings.Repeat("a", 65) + "@b.co": false, "a@" + strings.Repeat("b", 250) + ".co": false,
		"ayşe@şirket.com.tr": true, "a@xn--e1afmkfd.com": true,
		"a\u200b@b.co": false, "a@b\u202e.co": false, "a@ｂ.co": false, "a@[127.0.0.1]": false, "a@b.co?x=1": false, "a@-b.co": false,
	} {
		if _, got := ParseEmail(text); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}

// What people type finds what people wrote, whatever the case, the accents and
// the dots on i.
func TestNewCustomerNo_isTenDigitsWithACheckDigit(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		no := newNo()
		if len(no) != 10 || no[0] == '0' || !pan.ValidLuhn(no) {
			t.Fatalf("%s is not ten digits with a check digit", no)
		}
		seen[no] = true
	}
	if len(seen) < 990 {
		t.Errorf("got %d different numbers of 1000", len(seen))
	}
}

func TestCreateCustomer_readsBackWhatWasGiven(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		in := testCustomer("Ayşe  Gül", "Yılmaz", "10000000146")
		in.MotherMaidenName = "Gizli"
		made, err := h.Create(t.Context(), h.main, in)
		if err != nil {
			t.Fatal(err)
		}
		u, err := h.Customer(t.Context(), h.main, made.No)
		if err != nil {
			t.Fatal(err)
		}
		if u.Name != "Ayşe Gül" || u.Status != Active || u.Language != "tr" || u.Contact(MobilePhone) != "+905321234567" ||
			u.BirthDate != in.BirthDate || !u.Addresses[0].IsDefault || u.Identifications[0].Number != "10000000146" {
			t.Errorf("got %+v", u)
		}
		if u.MotherMaidenName != "" {
			t.Error("the mother's maiden name was returned")
		}
		hidden, err := h.Customer(t.Context(), masked(h.main), made.No)
		if err != nil {
			t.Fatal(err)
		}
		for got, want := range map[string]string{
			hidden.Identifications[0].Number: "100*****146", hidden.Contact(MobilePhone): "+90*******567", hidden.Contact(Email): "A***@example.com",
		} {
			if got != want {
				t.Errorf("masked: got %s, want %s", got, want)
			}
		}
	})
}

// What is personal must not lie in the database in clear.
func TestCreateCustomer_storesNothingPersonalInClear(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	u := testCustomer("Canary", "Sarnic", "10000000146")
	u.MotherMaidenName, u.BirthPlace = "Gizlice", "Kayseri"
	if _, err := h.Create(t.Context(), h.main, u); err != nil {
		t.Fatal(err)
	}
	err := h.DB.View(t.Context(), func(tx db.Tx) error {
		rows, err := db.Collect(t.Context(), tx, func(row db.Scanner) (s string, err error) { return s, row.Scan(&s) },
			`SELECT document FROM customer UNION ALL SELECT term FROM customer_term
			UNION ALL SELECT number_index FROM customer_identification`)
		for _, row := range rows {
			for _, secret := range []string{"10000000146", "5321234567", "example.com", "Gizlice", "Kayseri", "Besiktas", "1991"} {
				if bytes.Contains([]byte(row), []byte(secret)) {
					t.Errorf("%q lies in clear", secret)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCustomer_aDocumentMovedToAnotherRowDoesNotOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		a, err := h.Create(t.Context(), h.main, testCustomer("A", "B", tckn("123456789")))
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.Create(t.Context(), h.main, testCustomer("C", "D", tckn("987654321")))
		if err != nil {
			t.Fatal(err)
		}
		err = d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE customer SET document = (SELECT document FROM customer WHERE id = $1) WHERE id = $2`, a.ID, b.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Customer(t.Context(), h.main, b.No); err == nil {
			t.Error("the moved document opened")
		}
	})
}

func TestCreateCustomer_everyKeyIsUniqueInItsTenantOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		first := testCustomer("Ayse", "Yilmaz", "10000000146")
		first.No, first.ExternalID = "42", "ext-1"
		if _, err := h.Create(t.Context(), h.main, first); err != nil {
			t.Fatal(err)
		}
		for key, change := range map[string]func(u *Customer){
			"customerNo":           func(u *Customer) { u.No = "42" },
			"externalCustomerId":   func(u *Customer) { u.ExternalID = "ext-1" },
			"identifications.Tckn": func(u *Customer) { u.Identifications[0].Number = "10000000146" },
		} {
			u := testCustomer("Fatma", "Demir", tckn("111111110"))
			change(&u)
			_, err := h.Create(t.Context(), h.main, u)
			wantFault(t, err, "customer_already_exists")
			if f, ok := fault.As(err); ok && f.Params["key"] != key {
				t.Errorf("got key %v, want %s", f.Params["key"], key)
			}
		}
		// Nothing of the refused ones stayed behind.
		if _, total, err := h.Customers(t.Context(), h.main, Filter{Page: list.Page{Limit: 10}}); err != nil || total != 1 {
			t.Errorf("got %d customers (%v), want 1", total, err)
		}
		if _, err := h.Create(t.Context(), h.other, first); err != nil {
			t.Errorf("another tenant cannot have the same customer: %v", err)
		}
		_, err := h.Customer(t.Context(), h.production, "42")
		wantFault(t, err, "customer_not_found")
	})
}

func TestCreateCustomer_uniqueMobilePhoneIsATenantsChoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		for _, nine := range []string{"111111110", "222222220"} { // a family shares a number
			if _, err := h.Create(ctx, c, testCustomer("A", "B", tckn(nine))); err != nil {
				t.Fatal(err)
			}
		}
		h.uniquePhones = true
		u := testCustomer("A", "B", tckn("333333330"))
		_, err := h.Create(ctx, c, u)
		wantFault(t, err, "customer_already_exists")
		u.Communications[0].Value = "+905329999999"
		if _, err := h.Create(ctx, c, u); err != nil {
			t.Error(err)
		}
	})
}

func TestFindOrCreateCustomer_neverChangesTheOneThatExists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		first, created, err := h.FindOrCreate(ctx, c, testCustomer("Ayse", "Yilmaz", "10000000146"))
		if err != nil || !created {
			t.Fatalf("got created %t (%v), want a new customer", created, err)
		}
		changed := testCustomer("Zeynep", "Kaya", "10000000146")
		changed.ExternalID = "ext-9"
		again, created, err := h.FindOrCreate(ctx, c, changed)
		if err != nil || created || again.No != first.No || again.Name != "Ayse" || again.ExternalID != "" {
			t.Errorf("got %s %s (created %t, %v), want Ayse unchanged", again.No, again.Name, created, err)
		}
		second := testCustomer("Fatma", "Demir", tckn("111111110"))
		second.No = "77"
		if _, _, err := h.FindOrCreate(ctx, c, second); err != nil {
			t.Fatal(err)
		}
		mixed := testCustomer("X", "Y", "10000000146")
		mixed.No = "77"
		_, _, err = h.FindOrCreate(ctx, c, mixed)
		wantFault(t, err, "customer_identity_conflict")
		if _, created, err := h.FindOrCreate(ctx, h.other, testCustomer("A", "B", "10000000146")); err != nil || !created {
			t.Errorf("got created %t (%v), want another tenant's own customer", created, err)
		}
	})
}

func TestFindOrCreateCustomer_concurrentCallsCreateOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		const callers = 12
		var wg sync.WaitGroup
		numbers, createds, errs := make([]string, callers), make([]bool, callers), make([]error, callers)
		for i := range callers {
			wg.Go(func() {
				u := testCustomer("Ayse", "Yilmaz", "10000000146")
				u.Identifications = append(u.Identifications, Identification{Type: DrivingLicence, Number: "34 abc 1"})
				var got Detail
				got, createds[i], errs[i] = h.FindOrCreate(t.Context(), h.main, u)
				numbers[i] = got.No
			})
		}
		wg.Wait()
		made := 0
		for i := range callers {
			if errs[i] != nil || numbers[i] != numbers[0] {
				t.Errorf("call %d: got %s (%v), want %s", i, numbers[i], errs[i], numbers[0])
			}
			if createds[i] {
				made++
			}
		}
		if made != 1 {
			t.Errorf("%d calls created the customer, want 1", made)
		}
	})
}

func TestCreateCustomer_tellsEverythingThatIsWrong(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	u := Customer{Type: Individual, KYCLevel: KYCBasic, Addresses: []Address{{Type: HomeAddress, CityCode: "82", ZipCode: "12"}}}
	u.Name, u.BirthDate = "R2-D2", clock.Date{Year: 2027, Month: 1, Day: 1}
	u.Identifications = []Identification{{Type: TCKN, Number: "10000000147"}, {Type: TCKN, Number: ""}, {Type: Passport, Number: "U1234567"}}
	u.Communications = []Communication{{Type: HomePhone, Value: "1"}, {Type: Email, Value: "x"}}
	_, err := h.Create(t.Context(), h.main, u)
	wantFault(t, err, access.CodeInvalid)
	f, _ := fault.As(err)
	got := map[string]bool{}
	for _, field := range f.Fields {
		got[field.Name] = true
	}
	for _, want := range []string{
		"name", "surname", "birthDate", "nationality", "identifications[0].identificationNo", "identifications[1].identificationType",
		"identifications[1].identificationNo", "identifications[2].issuingCountry", "communications[0].value", "communications[1].value",
		"communications", "addresses[0].cityCode", "addresses[0].townName", "addresses[0].addressLine1", "addresses[0].zipCode",
	} {
		if !got[want] {
			t.Errorf("%s is not complained of; got %v", want, got)
		}
	}
	only := testCustomer("Ayse", "Yilmaz", "10000000147")
	_, err = h.Create(t.Context(), h.main, only)
	wantFault(t, err, "invalid_identification_no")
	foreign := testCustomer("John", "Smith", "10000000146")
	foreign.Nationality = country.Must("DE")
	_, err = h.Create(t.Context(), h.main, foreign)
	wantFault(t, err, access.CodeInvalid)
	foreign.Identifications = []Identification{{Type: Passport, Number: "c01x00t47", IssuingCountry: country.Must("DE")}}
	if _, err := h.Create(t.Context(), h.main, foreign); err != nil {
		t.Error(err)
	}
	anonymous := Customer{Type: Individual, KYCLevel: KYCNone, Communications: foreign.Communications, Profile: foreign.Profile}
	if _, err := h.Create(t.Context(), h.main, anonymous); err != nil {
		t.Error(err)
	}
	only.Segment = "VIP"
	only.Identifications[0].Number = tckn("111111110")
	_, err = h.Create(t.Context(), h.main, only)
	wantFault(t, err, "segment_unknown")
}

func testCompany(name, taxNumber string) Customer {
	return Customer{
		Type: Company, KYCLevel: KYCVerified,
		Profile: Profile{Business: &Business{
			CompanyName: name, TaxOffice: "Kadikoy", TaxNumber: taxNumber, LegalForm: Limited,
			Authorized: &AuthorizedPerson{Name: "Ali", Surname: "Veli", TCKN: "10000000146", Phone: "0532 000 00 01"},
		}},
		Identifications: []Identification{{Type: TaxNumber, Number: taxNumber}},
		Communications:  []Communication{{Type: MobilePhone, Value: "+905321234567"}},
	}
}

func TestCompany_taxNumberIsUniqueAmongCompanies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		vkn := "123456789"
		vkn += string(vknCheck(vkn))
		made, err := h.Create(t.Context(), h.main, testCompany("Acme", vkn))
		if err != nil {
			t.Fatal(err)
		}
		twin := testCompany("Other", vkn)
		twin.Identifications = []Identification{{Type: TradeRegistry, Number: "1"}}
		_, err = h.Create(t.Context(), h.main, twin)
		wantFault(t, err, "customer_already_exists")
		found, created, err := h.FindOrCreate(t.Context(), h.main, twin)
		if err != nil || created || found.No != made.No {
			t.Errorf("got %s (created %t, %v), want %s", found.No, created, err, made.No)
		}
	})
}

// However many customers there are, a word reads only what begins with it.
func TestCustomers_searchesTheIndexByTheRangeOfAPrefix(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		err := d.InTx(ctx, func(tx db.Tx) error {
			for i := range 1000 {
				u := Customer{ID: id.New[Customer](h.time.Now()), Tenant: h.main.Tenant, No: strconv.Itoa(i + 1), Type: Individual, Status: Active}
				u.CreatedAt, u.UpdatedAt = h.time.Now(), h.time.Now()
				if _, err := insertCustomer(ctx, tx, u, []byte("sealed")); err != nil {
					return err
				}
				if err := replaceTerms(ctx, tx, u, []term{{termName, "n" + strconv.Itoa(i+1)}, {termSurname, "s" + strconv.Itoa(i+1)}}); err != nil {
					return err
				}
			}
			if d.Engine() == db.SQLite {
				return nil // plans without statistics
			}
			_, err := tx.Exec(ctx, "ANALYZE")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		explain, ranges := "EXPLAIN QUERY PLAN ", regexp.MustCompile(
			`SEARCH t USING COVERING INDEX sqlite_autoindex_customer_term_1 \(tenant_id=\? AND kind=\? AND term>\? AND term<\?\)`)
		if d.Engine() == db.Postgres {
			explain, ranges = "EXPLAIN ", regexp.MustCompile(
				`using customer_term_pkey on customer_term t.*\n *Index Cond: .*tenant_id = .*kind = .*term >= .*term < `)
		}
		for name, f := range map[string]Filter{"text": {Text: "n99"}, "name": {Name: "n99"}, "surname": {Surname: "s99"}} {
			w := customersOf(h.main.Tenant, f, nil, nil)
			var plan []string
			err := d.InTx(ctx, func(tx db.Tx) (err error) {
				if d.Engine() == db.Postgres {
					if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
						return err
					}
					if _, err := tx.Exec(ctx, "SET LOCAL enable_bitmapscan = off"); err != nil {
						return err
					}
				}
				plan, err = db.Collect(ctx, tx, func(row db.Scanner) (line string, err error) {
					if d.Engine() == db.Postgres {
						return line, row.Scan(&line)
					}
					var node, parent, unused int
					return line, row.Scan(&node, &parent, &unused, &line)
				}, explain+"SELECT count(*) FROM customer c WHERE "+w.SQL(), w.Args()...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(plan, "\n"); !ranges.MatchString(text) {
				t.Errorf("%s: the plan searches no range:\n%s", name, text)
			}
		}
	})
}

// The range of a prefix holds what begins with it and nothing else, as memcmp
// orders it.
func TestAfterPrefix_endsTheRangeOfAWord(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[a-z0-9\x{80}-\x{10FFFF}]{1,3}`).Draw(rt, "word")
		other := rapid.StringMatching(`[a-z0-9\x{80}-\x{10FFFF}]{0,4}`).Draw(rt, "other")
		for _, s := range []string{other, word + other} {
			in := bytes.Compare([]byte(s), []byte(word)) >= 0 && bytes.Compare([]byte(s), afterPrefix(word)) < 0
			if in != strings.HasPrefix(s, word) {
				rt.Fatalf("%q in the range of %q: %t", s, word, in)
			}
		}
	})
}

func TestCustomers_areFoundByWhatPeopleKnow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		vkn := "123456789" + string(vknCheck("123456789"))
		isik := testCustomer("Işık Su", "Çağlayan", "10000000146")
		isik.ExternalID = "CRM-77"
		ilker := testCustomer("İlker", "Şahin", tckn("111111110"))
		ilker.Communications = []Communication{{Type: MobilePhone, Value: "+905329876543"}}
		acme := testCompany("Irmak Gıda Sanayi", vkn)
		for no, u := range map[string]Customer{"100": isik, "200": ilker, "300": acme} {
			u.No = no
			if _, err := h.Create(t.Context(), h.main, u); err != nil {
				t.Fatal(err)
			}
		}
		for name, q := range map[string]struct {
			filter Filter
			want   string
		}{
			"all by number":        {Filter{}, "100 200 300"},
			"capital without dots": {Filter{Text: "ISIK"}, "100"},
			"prefix of i":          {Filter{Text: "i"}, "100 200 300"},
			"two words":            {Filter{Text: "caglayan isi"}, "100"},
			"word inside":          {Filter{Text: "gida"}, "300"},
			"not inside a word":    {Filter{Text: "layan"}, ""},
			"external id":          {Filter{Text: "crm-77"}, "100"},
			"number prefix":        {Filter{Text: "20"}, "200"},
			"wildcard is no word":  {Filter{Text: "%"}, ""},
			"given name":           {Filter{Name: "ILK"}, "200"},
			"surname":              {Filter{Surname: "sah"}, "200"},
			"name is no surname":   {Filter{Surname: "ilker"}, ""},
			"number":               {Filter{No: "300"}, "300"},
			"identification":       {Filter{IdentificationNo: "10000000146"}, "100"},
			"part of one":          {Filter{IdentificationNo: "1000000014"}, ""},
			"mobile":               {Filter{MobilePhone: "0532 987 65 43"}, "200"},
			"no phone":             {Filter{MobilePhone: "x"}, ""},
			"email":                {Filter{Email: "ayse@EXAMPLE.com"}, "100"},
			"tax number":           {Filter{TaxNumber: vkn}, "300"},
			"type":                 {Filter{Type: Company}, "300"},
			"status":               {Filter{Status: Passive}, ""},
			"segment":              {Filter{Segment: "VIP"}, ""},
			"created later":        {Filter{CreatedFrom: h.time.Now().Add(1)}, "100 200 300"},
			"combined":             {Filter{Text: "i", Type: Individual, Name: "ilk"}, "200"},
		} {
			f := q.filter
			f.Limit, f.Sort = 10, []list.SortKey{{Name: "customerNo"}}
			if name == "created later" {
				f.CreatedFrom = h.time.Now()
			}
			page, total, err := h.Customers(t.Context(), h.main, f)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got []string
			for _, u := range page {
				got = append(got, u.No)
			}
			if strings.Join(got, " ") != q.want || total != len(got) {
				t.Errorf("%s: got %v of %d, want %s", name, got, total, q.want)
			}
			if others, _, err := h.Customers(t.Context(), h.other, f); err != nil || len(others) != 0 {
				t.Errorf("%s: another tenant sees %d customers (%v)", name, len(others), err)
			}
		}
		page, total, err := h.Customers(t.Context(), h.main, Filter{Page: list.Page{Skip: 1, Limit: 1, Sort: []list.SortKey{{Name: "customerNo", Descending: true}}}})
		if err != nil || total != 3 || len(page) != 1 || page[0].No != "200" {
			t.Errorf("got %d of %d (%v), want the second of three", len(page), total, err)
		}
	})
}

func TestUpdateCustomer_replacesTheProfileAndKeepsTheRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		u := testCustomer("Ayse", "Yilmaz", "10000000146")
		u.MotherMaidenName, u.KYCLevel = "Gizli", KYCVerified
		made, err := h.Create(ctx, c, u)
		if err != nil {
			t.Fatal(err)
		}
		change := Change{No: made.No, Profile: u.Profile, ExternalID: "ext", ConcurrencyStamp: made.ConcurrencyStamp}
		change.Profile.Surname, change.Profile.MotherMaidenName = "Demir", ""
		after, err := h.Update(ctx, c, change)
		if err != nil {
			t.Fatal(err)
		}
		if after.Surname != "Demir" || after.ExternalID != "ext" || len(after.Identifications) != 1 || after.KYCLevel != KYCVerified ||
			after.ConcurrencyStamp == made.ConcurrencyStamp {
			t.Errorf("got %+v", after)
		}
		err = d.View(ctx, func(tx db.Tx) error {
			clear, _, err := h.readCustomerByNo(ctx, tx, c.Tenant, made.No)
			if clear.MotherMaidenName != "Gizli" {
				t.Error("the mother's maiden name is gone")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for surname, want := range map[string]int{"demir": 1, "yilmaz": 0} {
			if _, total, err := h.Customers(ctx, c, Filter{Surname: surname, Page: list.Page{Limit: 1}}); err != nil || total != want {
				t.Errorf("surname %s: got %d (%v), want %d", surname, total, err, want)
			}
		}
		_, err = h.Update(ctx, c, change) // the old stamp
		wantFault(t, err, access.CodeConcurrency)
		change.ConcurrencyStamp = ""
		lower := KYCBasic
		change.KYCLevel = &lower
		_, err = h.Update(ctx, c, change)
		wantFault(t, err, "kyc_downgrade_needs_reason")
		change.KYCLevel, change.Status = nil, Closed
		_, err = h.Update(ctx, c, change)
		wantFault(t, err, access.CodeInvalid) // no reason
		change.Profile.StatusReason = "customer left"
		closed, err := h.Update(ctx, c, change)
		if err != nil || closed.Status != Closed {
			t.Fatalf("got %s (%v), want Closed", closed.Status, err)
		}
		_, err = h.Update(ctx, c, change)
		wantFault(t, err, "customer_closed")
		_, err = h.Update(ctx, h.other, change)
		wantFault(t, err, "customer_not_found")
	})
}

func TestMask_neverShowsAWholeValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := strings.ReplaceAll(rapid.StringN(1, 30, -1).Draw(rt, "value"), "*", "x")
		if got := MaskMiddle(s, 3, 3); got == s && s != "" {
			rt.Fatalf("%q is shown whole", s)
		}
	})
}

// PostgreSQL refuses a NUL in a text; a caller must see that there is no such
// customer, not that we failed.
func TestKeys_withControlCharactersNameNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx, c := t.Context(), h.main
		const bad = "P1\x00"
		_, err := h.Customer(ctx, c, bad)
		wantFault(t, err, "customer_not_found")
		f := Filter{Text: "\x00", No: bad, Segment: bad, IdentificationNo: bad, MobilePhone: bad, Email: bad, Page: list.Page{Limit: 1}}
		if _, total, err := h.Customers(ctx, c, f); err != nil || total != 0 {
			t.Errorf("got %d customers (%v), want none", total, err)
		}
	})
}
