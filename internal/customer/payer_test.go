package customer

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

// merchant is a caller that is a client of the payers family.
func (h *house) merchant(name string) access.Caller {
	h.t.Helper()
	tenant, made, err := h.access.CreateTenant(h.t.Context(), access.NewTenant{Name: name, Sandbox: true})
	if err != nil {
		h.t.Fatal(err)
	}
	c := access.System(tenant)
	c.Client = made.Families.Payers.ClientID
	return c
}

func TestCopyPayer_keepsWhatThePaymentSaw(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c, stranger := h.merchant("Shop"), h.merchant("Rival")
		first := Contact{PayerForename: "Mara", PayerEmail: "mara@example.org"}
		if _, err := h.CreatePayer(t.Context(), c, "PCU_1", first); err != nil {
			t.Fatal(err)
		}
		keep := func(who access.Caller, payment string) error {
			return d.InTx(t.Context(), func(tx db.Tx) error { return h.CopyPayer(t.Context(), tx, who, "PCU_1", payment) })
		}
		wantFault(t, keep(stranger, "theirs"), "payer_not_found")
		if err := keep(c, "first"); err != nil {
			t.Fatal(err)
		}
		second := Contact{PayerForename: "Maria"}
		if _, err := h.ReplacePayer(t.Context(), c, "PCU_1", second); err != nil {
			t.Fatal(err)
		}
		for _, payment := range []string{"second", "first"} { // a payment copies once
			if err := keep(c, payment); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.DeletePayer(t.Context(), c, "PCU_1"); err != nil {
			t.Fatal(err)
		}
		wantFault(t, keep(c, "third"), "payer_not_found")
		for payment, want := range map[string]Contact{"first": first, "second": second} {
			k, err := h.PayerCopy(t.Context(), c, payment)
			if err != nil || !maps.Equal(k.Contact, want) || k.KeepUntil.Before(h.time.Now().AddDate(10, 0, 0)) {
				t.Errorf("%s: got %v, %v, want %v for more than ten years", payment, k, err, want)
			}
		}
		_, err := h.PayerCopy(t.Context(), stranger, "first")
		wantFault(t, err, "payer_not_found")
	})
}

// What is personal of a payer lies sealed: no row shows it, of a payer, of what a
// payment copied, or of one that is deleted. Names are found by their folded text,
// as those of customers are, and only as long as the payer is there.
func TestPayer_liesSealed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c := h.merchant("Shop")
		contact := Contact{
			PayerForename: "Maramar", PayerEmail: "maramar@example.org", PayerPhone: "+49305550199", PayerBirthDate: "1988-07-19",
			PayerStreet: "Musterweg", PayerCity: "Jotunheim", PayerPostalCode: "10115", PayerBirthPlace: "Utgard", PayerWebsite: "https://maramar.example",
		}
		if _, err := h.CreatePayer(t.Context(), c, "PCU_1", contact); err != nil {
			t.Fatal(err)
		}
		err := d.InTx(t.Context(), func(tx db.Tx) error { return h.CopyPayer(t.Context(), tx, c, "PCU_1", "payment-1") })
		if err != nil {
			t.Fatal(err)
		}
		rows := func() (all []string) {
			for _, query := range []string{`SELECT document FROM payer`, `SELECT document FROM payer_copy`, `SELECT term FROM payer_term`} {
				found := 0
				err := d.View(t.Context(), func(tx db.Tx) error {
					texts, err := db.Collect(t.Context(), tx, func(row db.Scanner) (b []byte, err error) { return b, row.Scan(&b) }, query)
					for _, b := range texts {
						all = append(all, strings.ToLower(string(b)))
					}
					found = len(texts)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s: %d", query, found)
			}
			return all
		}
		stored := rows()
		if len(stored) != 2+len(contact) {
			t.Fatalf("%d texts are stored", len(stored))
		}
		for f, value := range contact {
			if isNameField(f) {
				continue
			}
			for _, text := range stored {
				if strings.Contains(text, strings.ToLower(value)) {
					t.Errorf("%s lies in clear", f)
				}
			}
		}
		if _, err := h.DeletePayer(t.Context(), c, "PCU_1"); err != nil {
			t.Fatal(err)
		}
		for _, text := range rows() {
			if strings.Contains(text, "maramar") {
				t.Error("the name of a deleted payer lies in clear")
			}
		}
	})
}

// What the database finds is what the conditions mean, whatever they are.
func TestPayers_findsWhatTheConditionMeans(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c := h.merchant("Shop")
		random := rand.New(rand.NewPCG(1, 2))
		names, cities := []string{"Ay", "ayşe", "AYLA", "Öz", "", "Bey_%"}, []string{"Köln", "köln", "Wien", ""}
		var all []Payer
		for i := range 40 {
			p, err := h.CreatePayer(t.Context(), c, fmt.Sprintf("PCU_%02d", i), Contact{
				PayerSurname: names[random.IntN(len(names))], PayerCity: cities[random.IntN(len(cities))],
			})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
			h.time.Advance(time.Second)
		}
		patterns := []string{"ay", "AY*", "a?", "*y*", "ö*", "köln", "K*", "bey_*", "*", "nobody"}
		var condition func(depth int) PayerCondition
		condition = func(depth int) PayerCondition {
			switch n := random.IntN(6); {
			case depth > 3 || n < 2:
				var pattern []Glyph
				for _, r := range patterns[random.IntN(len(patterns))] {
					pattern = append(pattern, Glyph{r, r == '*' || r == '?'})
				}
				return PayerLike{[]PayerField{PayerSurname, PayerCity}[random.IntN(2)], pattern}
			case n == 2:
				return PayersNot{condition(depth + 1)}
			case n == 3:
				return PayersAny{condition(depth + 1), condition(depth + 1)}
			case n == 4:
				return PayerBetween{PayerReference, "PCU_10", "PCU_20"}
			default:
				return PayersAll{condition(depth + 1), condition(depth + 1)}
			}
		}
		for range 60 {
			f := PayerFilter{Condition: condition(0), Limit: 7}
			var want, got []string
			for _, p := range all {
				if f.Condition.holds(p) {
					want = append(want, p.Reference)
				}
			}
			for {
				page, err := h.Payers(t.Context(), c, f)
				if err != nil || page.Total != len(want) {
					t.Fatalf("%+v: got %d, %v, want %d", f.Condition, page.Total, err, len(want))
				}
				for _, p := range page.Payers {
					got = append(got, p.Reference)
				}
				if f.After = page.Next; f.After == nil {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%+v: got %v, want %v", f.Condition, got, want)
			}
		}
	})
}

func FuzzPlainNumber(f *testing.F) {
	for _, s := range []string{"+49-30-5550199", "030 / 555 01 99", "", "+", "1+2", "call me"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := PlainNumber(s)
		if !ok {
			return
		}
		if strings.Trim(strings.TrimPrefix(n, "+"), "0123456789") != "" {
			t.Errorf("%q is no number", n)
		}
		if again, ok := PlainNumber(n); !ok || again != n {
			t.Errorf("%q is not its own normal form", n)
		}
	})
}

func FuzzParseDay(f *testing.F) {
	for _, s := range []string{"1988-07-19", "1988-07-19T00:00:00+00:00", "1988-02-30", "19.07.1988", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		day, ok := ParseDay(s)
		if again, fine := ParseDay(day); ok && (!fine || again != day || len(day) != 10) {
			t.Errorf("%q is not its own normal form", day)
		}
	})
}

func TestMakePayerSample_leavesWhatIsThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		c, other := h.merchant("Shop"), h.merchant("Rival")
		drawn := 0
		reference := func() string { drawn++; return fmt.Sprintf("PCU_%d", drawn) }
		take := func(who access.Caller) []Payer {
			t.Helper()
			all, err := h.MakePayerSample(t.Context(), who, reference)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		first := take(c)
		if _, err := h.DeletePayer(t.Context(), c, "PCU_2"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ReplacePayer(t.Context(), c, "PCU_1", Contact{PayerSurname: "Neu", PayerEmail: first[0].Contact[PayerEmail]}); err != nil {
			t.Fatal(err)
		}
		again := take(c)
		if len(first) != 5 || drawn != 6 || again[0].Contact[PayerSurname] != "Neu" || again[1].Reference != "PCU_6" || again[4].Reference != "PCU_5" {
			t.Errorf("%d were made, and are %v", drawn, again)
		}
		if theirs := take(other); theirs[0].Reference != "PCU_7" {
			t.Errorf("another client got %v", theirs)
		}
	})
}
