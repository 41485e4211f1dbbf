package fee

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// some is a fee with everything that one can have.
func some() Due {
	lira := func(minor int64) *money.Amount {
		a := money.Must(minor, "TRY")
		return &a
	}
	d := NewDue(Applied{
		Code: "POS", Name: "Kart ücreti", Version: 3, Group: "G", Link: "Product/P1", Type: TransactionFee, Base: CashbackAmount, Timing: AtClearing,
		Terms: Terms{
			Calculation: Tiered, Fixed: *lira(100), Rate: 15_000, Min: lira(1), Max: lira(5000),
			Tiers: []Tier{{From: *lira(0), To: lira(1000), Rate: 1, Fixed: *lira(2)}, {From: *lira(1000), Fixed: *lira(0)}},
			Taxes: []Tax{{Type: BSMV, Rate: 150_000}, {Type: KDV, Rate: 200_000, IsIncluded: true}},
		},
		Free: &Free{Count: 2, Amount: lira(900), Period: control.PerMonth}, OnDeclined: true, RefundOnReversal: true, RefundOnRefund: true,
	})
	d.Most, d.StandsAlone = lira(50), true
	return d
}

// What can be read of a stored fee is stored as it was, and computes without a panic
// on any amount.
func FuzzDueOf(f *testing.F) {
	due := some()
	for _, text := range []string{"", "{}", "null", `{"Currency":"TRY"}`, `{"Currency":"XXX"}`, `{"Currency":"TRY","Fixed":9223372036854775807}`, due.Document()} {
		f.Add(text, int64(12345))
	}
	f.Fuzz(func(t *testing.T, text string, minor int64) {
		d, err := ParseDue(text)
		if err != nil {
			return
		}
		again, err := ParseDue(d.Document())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("%q is read as %+v, then as %+v: %v", text, d, again, err)
		}
		if held, err := money.New(minor, d.Terms.Fixed.Currency()); err == nil && held.Sign() >= 0 {
			d.Of(held)
			d.ToHold(held)
		}
	})
}

// What is read of stored additional amounts is stored as it was, and sums up
// without a panic.
func FuzzParseAdditional(f *testing.F) {
	due := some()
	charge, err := due.Terms.On(money.Must(10_000, "TRY"))
	if err != nil {
		f.Fatal(err)
	}
	document := AdditionalDocument([]Additional{due.additional(charge, true), due.additional(charge.negated(), false)})
	for _, text := range []string{"", "\n", "T\tC\tN\t\tTRY\t-1\t\t\n", "T\tC\tN\t\tTRY\t\t9\t\n", document} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseAdditional(text)
		if err != nil || len(all) == 0 {
			return
		}
		again, err := ParseAdditional(AdditionalDocument(all))
		if err != nil || !reflect.DeepEqual(again, all) {
			t.Fatalf("%q is read as %+v, then as %+v: %v", text, all, again, err)
		}
		for _, a := range all {
			if c := a.Charge.Fee.Currency(); c == all[0].Charge.Fee.Currency() {
				Sums([]Additional{a}, c)
			}
		}
	})
}

// The fees of a life cycle are read as they were written, an entry only on the
// account that it was charged to.
func FuzzDueLine(f *testing.F) {
	account := id.New[ledger.Account](time.Time{})
	due := some()
	r := dueRow{Due: due, root: "r", line: 1, account: account}
	r.Moved, r.Due.Posted.Fee, r.Entries, r.Entry = money.Must(700, "TRY"), money.Must(7, "TRY"), 1, id.New[ledger.Entry](time.Time{})
	written := func(r *dueRow) string {
		text, _, _ := dueLines([]*dueRow{r})
		return strings.TrimSuffix(text, "\n")
	}
	f.Add(written(&r))
	for _, text := range []string{"", "\t\t", "1\t-5\t\t\t\t\t\t\t\t" + due.Document(), "x" + written(&r), "\t\t\t\t\t9\t" + due.Document()} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := dueRow{root: "r", line: 1, account: account}
		if err := got.parse(text); err != nil {
			return
		}
		again := dueRow{root: "r", line: 1, account: account}
		if err := again.parse(written(&got)); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q is read as %+v, then as %+v: %v", text, got, again, err)
		}
		elsewhere := dueRow{account: id.New[ledger.Account](time.Time{})}
		if err := elsewhere.parse(written(&got)); err != nil || !elsewhere.Entry.IsZero() {
			t.Fatalf("%q has a mirror on another account: %v", text, err)
		}
	})
}

// The documents of fees as tenants define them are read as they were stored.
func FuzzDecodeFee(f *testing.F) {
	for _, text := range []string{"", "{}", "null", `{"Fee":{"Currency":"TRY"},"Amount":1}`, `{"Fee":{"Currency":"TRY"},"Amount":9223372036854775807}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := decodeOnTransaction(text); err == nil {
			stays(t, d, encodeOnTransaction, decodeOnTransaction)
		}
		if d, err := decodeOnIssuance(text); err == nil {
			stays(t, d, encodeOnIssuance, decodeOnIssuance)
		}
		if d, err := decodeYearly(text); err == nil {
			stays(t, d, encodeYearly, decodeYearly)
		}
	})
}

func stays[D any](t *testing.T, d D, encode func(D) (string, error), decode func(string) (D, error)) {
	t.Helper()
	text, err := encode(d)
	if err != nil {
		return // a currency that no amount has
	}
	again, err := decode(text)
	if err != nil || !reflect.DeepEqual(again, d) {
		t.Fatalf("%+v is read as %+v: %v", d, again, err)
	}
}
