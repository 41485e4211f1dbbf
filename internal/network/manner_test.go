package network

import (
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// tagged is a purchase with these tags in DE48: pairs of tag and value.
func tagged(t *testing.T, pairs ...string) *iso8583.Message {
	t.Helper()
	m := purchase("000001")
	var tags []byte
	for i := 0; i < len(pairs); i += 2 {
		var err error
		if tags, err = iso8583.AppendTag(tags, digits(pairs[i]), []byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	m.Set(iso8583.PrivateElements, tags)
	return m
}

func TestDecode_readsTheMannerOfAPayment(t *testing.T) {
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{cfg: Config{}.withDefaults(), dialect: d, clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	type manner = authorization.Manner
	for _, c := range []struct {
		tags []string
		want manner
	}{
		{nil, manner{}},
		{[]string{"95", "1"}, manner{StoredCard: authorization.RecurringPayment}},
		{[]string{"95", "1632508000001"}, manner{StoredCard: authorization.RecurringPayment}},
		{[]string{"95", "2632508000001"}, manner{StoredCard: authorization.UnscheduledUse}},
		{[]string{"95", "3"}, manner{StoredCard: authorization.ChosenByHolder}},
		{[]string{"95", "4632508000001", "97", "0602"}, manner{StoredCard: authorization.FurtherInstalment, InstalmentCount: 6, InstalmentNo: 2}},
		{[]string{"97", "12"}, manner{InstalmentCount: 12}},
		{[]string{"96", "1APAY"}, manner{IsTokenised: true, Wallet: "APAY"}},
		{[]string{"96", "0"}, manner{}},
		{[]string{"93", "AAECAwQFBgcICQoLDA0ODxAREhM=", "94", "05"}, manner{HasCAVV: true, ECI: "05"}},
		{[]string{"94", "212", "88", "whatever"}, manner{ECI: "212"}},
	} {
		r, err := s.newConnection(nil, "generic", "generic").decodeRequest(tagged(t, c.tags...))
		if err != nil || r.Manner != c.want {
			t.Errorf("%v: got %+v, %v; want %+v", c.tags, r, err, c.want)
		}
	}
	for _, tags := range [][]string{
		{"95", ""}, {"95", "0"}, {"95", "5"}, {"95", "11"}, {"95", "3632508000001"}, {"96", ""}, {"96", "2"}, {"96", "1A-PAY"},
		{"96", "1ABCDEFGHIJK"}, {"97", ""}, {"97", "1"}, {"97", "00"}, {"97", "0203x"}, {"97", "0203"}, {"97", "123"}, {"94", "5"}, {"94", "0x"},
		{"94", "0512"}, {"93", ""}, {"93", "not base64"}, {"93", strings.Repeat("A", 44)},
	} {
		if _, err := s.newConnection(nil, "generic", "generic").decodeRequest(tagged(t, tags...)); err == nil || strings.Contains(err.Error(), tags[1]) && tags[1] != "" && len(tags[1]) > 1 {
			t.Errorf("%v: %v", tags, err)
		}
	}
}
