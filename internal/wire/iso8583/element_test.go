package iso8583_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func TestOriginal_fillsAndStripsInstitutionsWithZeros(t *testing.T) {
	o := iso8583.Original{MTI: iso8583.AuthorizationRequest, STAN: "000123", TransmissionDateTime: "1121130501", AcquiringInstitutionID: "12345"}
	v, err := o.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(v), "0100"+"000123"+"1121130501"+"00000012345"+"00000000000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := iso8583.ParseOriginal(v)
	if err != nil || got != o {
		t.Errorf("got %+v %v, want %+v", got, err, o)
	}
	if iso8583.InstitutionID([]byte("00012345")) != o.AcquiringInstitutionID {
		t.Error("the same institution does not compare equal")
	}
	for _, bad := range []iso8583.Original{{STAN: "1234567"}, {STAN: "12345x"}, {AcquiringInstitutionID: "123456789012"}} {
		if out, err := bad.Append([]byte("kept")); err == nil || string(out) != "kept" {
			t.Errorf("%+v is written as %q", bad, out)
		}
	}
}

func TestOriginalOf_namesAMessage(t *testing.T) {
	var m iso8583.Message
	chipPurchase(t, &m)
	got := iso8583.OriginalOf(&m)
	want := iso8583.Original{MTI: 0x0100, STAN: "000123", TransmissionDateTime: "1121130501", AcquiringInstitutionID: "12345678"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReplacement_isWrittenAsThreeAmounts(t *testing.T) {
	r := iso8583.Replacement{Transaction: 8000, Billing: 9000}
	v, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(v), "000000008000"+"000000000000"+"000000009000"+"000000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, err := iso8583.ParseReplacement(v); err != nil || got != r {
		t.Errorf("got %+v %v, want %+v", got, err, r)
	}
	for _, bad := range []iso8583.Replacement{{Transaction: -1}, {Billing: 1_000_000_000_000}} {
		if _, err := bad.Append(nil); err == nil {
			t.Errorf("%+v is written", bad)
		}
	}
}

func TestAdditionalAmounts_areTwentyCharactersEach(t *testing.T) {
	want := []iso8583.AdditionalAmount{
		{AccountType: "00", AmountType: iso8583.AvailableBalance, Currency: "949", Minor: 12550},
		{AccountType: "30", AmountType: iso8583.LedgerBalance, Currency: "949", Negative: true, Minor: 1},
	}
	var v []byte
	for _, a := range want {
		var err error
		if v, err = iso8583.AppendAdditionalAmount(v, a); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(v), "0002949C000000012550"+"3001949D000000000001"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := iso8583.ParseAdditionalAmounts(v)
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"0002949C00000001255", "0002949X000000012550", "0002949C00000001255x", strings.Repeat("0002949C000000012550", 7)} {
		if _, err := iso8583.ParseAdditionalAmounts([]byte(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// findTag walks over all tags and returns the value of one.
func findTag(value []byte, tag int) (v []byte, found bool, err error) {
	r := iso8583.ReadTags(value)
	for r.Next() {
		if r.Tag() == tag {
			v, found = r.Value(), true
		}
	}
	return v, found, r.Err()
}

func TestTags_areFoundAndWritten(t *testing.T) {
	v, err := iso8583.AppendTag(nil, iso8583.TagCVV2, []byte("123"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err = iso8583.AppendTag(v, 5, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := string(v), "92031230500"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, found, err := findTag(v, iso8583.TagCVV2); err != nil || !found || string(got) != "123" {
		t.Errorf("got %q %v %v", got, found, err)
	}
	if got, found, err := findTag(v, 5); err != nil || !found || len(got) != 0 {
		t.Errorf("got %q %v %v", got, found, err)
	}
	if _, found, err := findTag(v, 93); err != nil || found {
		t.Errorf("got %v %v, want not found", found, err)
	}
	for bad, problem := range map[string]iso8583.Problem{
		"92": iso8583.BadStructure, "9x03123": iso8583.BadStructure, "920x123": iso8583.BadStructure,
		"920412": iso8583.BadStructure, "920312392031 23": iso8583.Repeated, "9203123 ": iso8583.BadStructure,
	} {
		_, _, err := findTag([]byte(bad), 92)
		var fe *iso8583.FieldError
		if !errors.As(err, &fe) || fe.Problem != problem {
			t.Errorf("%q: got %v, want %s", bad, err, problem)
		}
	}
	if _, err := iso8583.AppendTag(nil, 100, nil); err == nil {
		t.Error("a tag of three digits is written")
	}
	if _, err := iso8583.AppendTag(nil, 1, make([]byte, 100)); err == nil {
		t.Error("a value of 100 bytes is written")
	}
}

func TestElements_areSplitByPosition(t *testing.T) {
	a := iso8583.Acceptor{Name: "A name longer than twenty-five characters", City: "Ankara", Country: "TR"}
	v := a.Append(nil)
	got, err := iso8583.ParseAcceptor(v)
	if want := (iso8583.Acceptor{Name: "A name longer than twenty", City: "Ankara", Country: "TR"}); err != nil || got != want || len(v) != 40 {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
}

func TestTransmissionTime_findsTheYear(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ field, near, want string }{
		{"1231235959", "2027-01-01T00:00:05Z", "2026-12-31T23:59:59Z"},
		{"0101000005", "2026-12-31T23:59:58Z", "2027-01-01T00:00:05Z"},
		{"1121130501", "2026-11-21T13:05:02Z", "2026-11-21T13:05:01Z"},
		{"0229120000", "2029-01-10T00:00:00Z", "2028-02-29T12:00:00Z"},
	} {
		got, err := iso8583.TransmissionTime([]byte(c.field), at(c.near))
		if err != nil || !got.Equal(at(c.want)) {
			t.Errorf("%s near %s: got %s %v, want %s", c.field, c.near, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "0230120000", "1301000000", "0101240000", "010100000", "01010000x0", "0000000000"} {
		if _, err := iso8583.TransmissionTime([]byte(bad), at("2026-06-01T00:00:00Z")); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if got := string(iso8583.AppendTransmissionDateTime(nil, at("2026-11-21T16:05:01+03:00"))); got != "1121130501" {
		t.Errorf("got %s", got)
	}
	local, err := iso8583.LocalDateTime([]byte("1231"), []byte("235959"), at("2027-01-01T00:00:00Z"))
	if err != nil || !local.Equal(at("2026-12-31T23:59:59Z")) {
		t.Errorf("got %s %v", local, err)
	}
}

func FuzzDE48(f *testing.F) {
	f.Add([]byte("9203123940205"))
	f.Add([]byte("9299"))
	f.Fuzz(func(t *testing.T, v []byte) {
		var again []byte
		r := iso8583.ReadTags(v)
		for r.Next() {
			var err error
			if again, err = iso8583.AppendTag(again, r.Tag(), r.Value()); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(string(v), string(again)) || r.Err() == nil && len(again) != len(v) {
			t.Fatal("the tags are not what was read")
		}
	})
}

func FuzzDE54(f *testing.F) {
	f.Add([]byte("0002949C000000012550"))
	f.Fuzz(func(t *testing.T, v []byte) {
		amounts, err := iso8583.ParseAdditionalAmounts(v)
		if err != nil {
			return
		}
		var again []byte
		for _, a := range amounts {
			if again, err = iso8583.AppendAdditionalAmount(again, a); err != nil {
				t.Fatal(err)
			}
		}
		if string(again) != string(v) {
			t.Fatal("written again it differs")
		}
	})
}

func FuzzDE90(f *testing.F) {
	f.Add([]byte("010000012311211305010000001234500000000000"))
	f.Fuzz(func(t *testing.T, v []byte) {
		o, err := iso8583.ParseOriginal(v)
		if err != nil {
			return
		}
		again, err := o.Append(nil)
		if err != nil || string(again) != string(v) {
			t.Fatalf("written again it differs: %v", err)
		}
	})
}
