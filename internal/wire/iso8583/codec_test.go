package iso8583_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func generic(t testing.TB) *iso8583.Dialect {
	t.Helper()
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// chipPurchase fills m with an 0100 as a terminal sends it for a chip card
// with a PIN: 26 fields, chip data included.
func chipPurchase(t testing.TB, m *iso8583.Message) {
	t.Helper()
	icc, err := hex.DecodeString("9F2608A1B2C3D4E5F607089F2701809F100706010A03A0B8019F3704DEADBEEF9F36020042" +
		"95050000008000" + "9A03261121" + "9C0100" + "9F0206000000012550" + "5F2A020949" + "82023900" + "9F1A020792" +
		"9F0306000000000000" + "9F3303E0F8C8" + "9F3403420300" + "9F350122" + "5F340101")
	if err != nil {
		t.Fatal(err)
	}
	m.Reset()
	m.MTI = iso8583.AuthorizationRequest
	for _, f := range []struct {
		n int
		v string
	}{
		{2, "9792061234560017"}, {3, "000000"}, {4, "000000012550"}, {7, "1121130501"}, {11, "000123"},
		{12, "160501"}, {13, "1121"}, {14, "3111"}, {18, "5411"}, {19, "792"}, {22, "051"}, {23, "001"},
		{25, "00"}, {32, "00012345678"}, {35, "9792061234560017=31112211234567"}, {37, "632513000123"},
		{41, "TERM0001"}, {42, "MERCHANT0000001"}, {43, "BAKKAL NO 1              ISTANBUL     TR"},
		{48, "9203123940205"}, {49, "949"}, {52, "\x01\x02\x03\x04\xFA\xFB\xFC\xFD"}, {53, "0000000000000000"},
		{60, "000001"}, {100, "979206"},
	} {
		m.SetText(f.n, f.v)
	}
	m.Set(55, icc)
}

func fields(m *iso8583.Message) map[int]string {
	got := map[int]string{}
	for n, v := range m.Fields() {
		got[n] = string(v)
	}
	return got
}

func TestAppend_writesTheBytesOfTheStandard(t *testing.T) {
	var m iso8583.Message
	m.MTI = iso8583.NetworkRequest
	m.SetText(iso8583.TransmissionDateTime, "1121130501")
	m.SetNumber(iso8583.STAN, 7)
	m.SetText(iso8583.NetworkManagementCode, "301")
	body, err := generic(t).Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	got, want := fmt.Sprintf("%x", body), "30383030"+"8220000000000000"+"0400000000000000"+"31313231313330353031"+"303030303037"+"333031"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParse_readsWhatAppendWrote(t *testing.T) {
	d := generic(t)
	var m, back iso8583.Message
	chipPurchase(t, &m)
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Parse(&back, body); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields(&back), fields(&m)); diff != "" || back.MTI != m.MTI {
		t.Errorf("read back %s: %s", back.MTI, diff)
	}
}

func TestAppend_fillsShortValuesOfFixedFields(t *testing.T) {
	d := generic(t)
	var m, back iso8583.Message
	m.MTI = iso8583.AuthorizationRequest
	m.SetNumber(iso8583.AmountTransaction, 12550)
	m.SetText(iso8583.TerminalID, "T1")
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Parse(&back, body); err != nil {
		t.Fatal(err)
	}
	if got, want := back.Text(iso8583.AmountTransaction), "000000012550"; got != want {
		t.Errorf("amount: got %q, want %q", got, want)
	}
	if got, want := back.Text(iso8583.TerminalID), "T1      "; got != want {
		t.Errorf("terminal: got %q, want %q", got, want)
	}
	if got, want := back.TrimmedText(iso8583.TerminalID), "T1"; got != want {
		t.Errorf("trimmed: got %q, want %q", got, want)
	}
	if v, ok := back.Number(iso8583.AmountTransaction); !ok || v != 12550 {
		t.Errorf("number: got %d %v, want 12550", v, ok)
	}
}

func TestAppend_refusesWhatTheFieldTableDoes(t *testing.T) {
	d := generic(t)
	for _, c := range []struct {
		n       int
		v       string
		problem iso8583.Problem
	}{
		{2, strings.Repeat("4", 20), iso8583.TooLong},
		{2, "41111111a1111111", iso8583.BadContent},
		{3, "0000", iso8583.TooShort},
		{39, "0", iso8583.TooShort},
		{41, "TERM00012", iso8583.TooLong},
		{41, "TERM\x01001", iso8583.BadContent},
		{52, "1234567", iso8583.TooShort},
		{28, "X00000100", iso8583.BadContent},
		{28, "C0000010", iso8583.TooShort},
		{55, strings.Repeat("x", 256), iso8583.TooLong},
	} {
		var m iso8583.Message
		m.MTI = iso8583.AuthorizationRequest
		m.SetText(c.n, c.v)
		prefix := []byte("kept")
		out, err := d.Append(prefix, &m)
		var fe *iso8583.FieldError
		if !errors.As(err, &fe) || fe.Field != c.n || fe.Problem != c.problem {
			t.Errorf("field %d with %d characters: got %v, want field %d: %s", c.n, len(c.v), err, c.n, c.problem)
		}
		if string(out) != "kept" {
			t.Errorf("field %d: got %q back, want what was given", c.n, out)
		}
	}
}

func TestParse_namesTheFirstBrokenField(t *testing.T) {
	d := generic(t)
	var m iso8583.Message
	chipPurchase(t, &m)
	good, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(at int, with string) []byte {
		b := append([]byte(nil), good...)
		copy(b[at:], with)
		return b
	}
	// 4 type, 16 bitmaps, then field 2 (2 + 16), 3 (6), 4 (12) …
	for _, c := range []struct {
		name    string
		body    []byte
		field   int
		problem iso8583.Problem
	}{
		{"empty", nil, 0, iso8583.Truncated},
		{"type with a letter", edit(0, "01A0"), 0, iso8583.BadContent},
		{"half a bitmap", good[:10], 1, iso8583.Truncated},
		{"no secondary bitmap", good[:14], 1, iso8583.Truncated},
		{"length that is no number", edit(20, "1x"), 2, iso8583.BadLength},
		{"length above the most", edit(20, "20"), 2, iso8583.TooLong},
		{"letter in a number", edit(22+16, "00A"), 3, iso8583.BadContent},
		{"cut inside a field", good[:22+16+6+3], 4, iso8583.Truncated},
		{"one byte too many", append(append([]byte(nil), good...), '0'), 0, iso8583.Trailing},
		{"too long", make([]byte, 9000), 0, iso8583.TooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m iso8583.Message
			err := d.Parse(&m, c.body)
			var fe *iso8583.FieldError
			if !errors.As(err, &fe) || fe.Field != c.field || fe.Problem != c.problem {
				t.Errorf("got %v, want field %d: %s", err, c.field, c.problem)
			}
		})
	}
}

func TestParse_keepsTheFieldsBeforeABrokenOne(t *testing.T) {
	d := generic(t)
	var m iso8583.Message
	chipPurchase(t, &m)
	m.SetText(60, "seven")
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Parse(&m, body[:len(body)-1]); err == nil {
		t.Fatal("a cut message was accepted")
	}
	if got, want := m.Text(iso8583.STAN), "000123"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if m.Has(100) {
		t.Errorf("the broken field is there: %s", m)
	}
	body[4+16+2] = 'x' // the first field
	if err := d.Parse(&m, body); err == nil || m.String() != "0100" {
		t.Errorf("got %v and %s, want an error and no field", err, m)
	}
}

func TestAppend_writesDecimalTypesOnly(t *testing.T) {
	d := generic(t)
	for _, mti := range []iso8583.MTI{0xA100, 0x0B00, 0x01C0, 0x010D, 0x010E, 0xF100, 0x0199, 0x9899} {
		want := strings.Trim(fmt.Sprintf("%04x", uint16(mti)), "0123456789") == ""
		_, err := d.Append(nil, &iso8583.Message{MTI: mti})
		if fe := (*iso8583.FieldError)(nil); want != (err == nil) || err != nil && (!errors.As(err, &fe) || fe.Field != 0) {
			t.Errorf("%04x: got %v", uint16(mti), err)
		}
	}
}

// canaries are values that must never reach an error or a printed value.
const (
	canaryPAN   = "9792067777770019"
	canaryTrack = "9792067777770019=31112217777777"
	canaryCVV2  = "777"
	canaryPIN   = "\x37\x37\x37\x37\x37\x37\x37\x37"
)

func canaryMessage() *iso8583.Message {
	var m iso8583.Message
	m.MTI = iso8583.AuthorizationRequest
	m.SetText(2, canaryPAN)
	m.SetText(34, canaryPAN)
	m.SetText(35, canaryTrack)
	m.SetText(44, canaryPAN)
	m.SetText(45, "B"+canaryPAN+"^X^3111221")
	m.SetText(48, "9203"+canaryCVV2+"932877777777777777777777777777779402059116"+canaryPAN)
	m.SetText(52, canaryPIN)
	m.SetText(55, canaryPIN)
	m.SetText(62, canaryPAN)
	m.SetText(102, canaryPAN)
	m.SetText(104, "card "+canaryPAN)
	m.SetText(120, canaryPAN)
	return &m
}

func TestErrors_neverQuoteAMessage(t *testing.T) {
	d := generic(t)
	body, err := d.Append(nil, canaryMessage())
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil && (strings.Contains(err.Error(), "777") || strings.Contains(fmt.Sprintf("%+v %#v", err, err), "777")) {
			t.Fatalf("an error quotes the message: %v", err)
		}
	}
	var m iso8583.Message
	for i := range body {
		check(d.Parse(&m, body[:i]))
		for _, c := range []byte{0, '9', 'x', 0xFF} {
			broken := append([]byte(nil), body...)
			broken[i] = c
			check(d.Parse(&m, broken))
		}
	}
	for n := 2; n <= 128; n++ {
		m.Reset()
		m.SetText(n, strings.Repeat("777\x00", 300))
		_, err := d.Append(nil, &m)
		check(err)
	}
	for _, v := range []string{"777", "9277777", "92777777", strings.Repeat("7", 42), strings.Repeat("7", 41) + "x"} {
		b := []byte(v)
		_, _, err := findTag(b, 92)
		check(err)
		_, err = iso8583.ParseOriginal(b)
		check(err)
		_, err = iso8583.ParseReplacement(b)
		check(err)
		_, err = iso8583.ParseAdditionalAmounts(b)
		check(err)
		_, err = iso8583.ParseAcceptor(b)
		check(err)
	}
}

func TestMessage_isPrintedWithoutItsValues(t *testing.T) {
	m := canaryMessage()
	inside := struct {
		byValue iso8583.Message
		pointer *iso8583.Message
	}{*m, m}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, v := range []any{m, *m, inside, &inside, []*iso8583.Message{m}} {
			out := fmt.Sprintf(verb, v)
			for _, secret := range []string{"7777", "777", "37 37 37", "373737", "55 55 55", "0x37, 0x37"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s of %T shows what it holds", verb, v)
				}
			}
		}
	}
	if got, want := m.LogValue().String(), "0100 2 34 35 44 45 48 52 55 62 102 104 120"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDescribe_masksByClass(t *testing.T) {
	got := map[int]string{}
	for _, v := range generic(t).Describe(canaryMessage()) {
		got[v.Number] = v.Value
		if strings.Contains(strings.ReplaceAll(v.Value, "0777", ""), "77777") {
			t.Errorf("field %d (%s) shows card data", v.Number, v.Name)
		}
	}
	want := map[int]string{
		2: "979206******0019", 34: "979206******0019", 35: "***", 44: "***", 45: "***",
		48: "92=*** 93=(28 bytes) 94=05 91=(16 bytes)",
		52: "***", 55: "(8 bytes)", 62: "(16 bytes)", 102: "***0019", 104: "***", 120: "(16 bytes)",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestMissing_followsTheMessageRules(t *testing.T) {
	d := generic(t)
	var m iso8583.Message
	for _, mti := range []iso8583.MTI{iso8583.AuthorizationRequest, iso8583.AuthorizationRepeat, iso8583.FinancialRequest, iso8583.FinancialAdviceRepeat} {
		chipPurchase(t, &m)
		m.MTI = mti
		if n, missing := d.Missing(&m); missing {
			t.Errorf("%s: field %d is missing, want none", mti, n)
		}
		m.Unset(iso8583.PAN)
		if n, missing := d.Missing(&m); missing {
			t.Errorf("%s without a card number but with a track: field %d is missing, want none", mti, n)
		}
		m.Unset(iso8583.Track2)
		if n, missing := d.Missing(&m); !missing || n != iso8583.PAN {
			t.Errorf("%s without either: got %d %v, want 2", mti, n, missing)
		}
	}
	for _, n := range []int{3, 4, 7, 11, 12, 13, 22, 25, 41, 42, 49} {
		chipPurchase(t, &m)
		m.Unset(n)
		if got, missing := d.Missing(&m); !missing || got != n {
			t.Errorf("0100 without %d: got %d %v", n, got, missing)
		}
	}
	for _, n := range []int{2, 3, 4, 7, 11, 41, 42, 49, 90} {
		chipPurchase(t, &m)
		m.MTI = iso8583.ReversalAdvice
		m.SetText(90, strings.Repeat("0", 42))
		m.Unset(n)
		if got, missing := d.Missing(&m); !missing || got != n {
			t.Errorf("0420 without %d: got %d %v", n, got, missing)
		}
	}
}

func TestEcho_copiesWhatTheDialectSays(t *testing.T) {
	d := generic(t)
	var req, resp iso8583.Message
	chipPurchase(t, &req)
	req.MTI = iso8583.AuthorizationRepeat
	d.Echo(&req, &resp)
	if got, want := resp.MTI, iso8583.AuthorizationResponse; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := resp.String(), "0110 2 3 4 7 11 12 13 18 23 25 32 37 41 42 49"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMTI_answersAndRepeats(t *testing.T) {
	for _, c := range []struct{ in, response, original iso8583.MTI }{
		{0x0100, 0x0110, 0x0100}, {0x0101, 0x0110, 0x0100}, {0x0121, 0x0130, 0x0120}, {0x0200, 0x0210, 0x0200},
		{0x0401, 0x0410, 0x0400}, {0x0421, 0x0430, 0x0420}, {0x0423, 0x0432, 0x0422}, {0x0800, 0x0810, 0x0800},
		{0x0110, 0x0110, 0x0110},
	} {
		if got := c.in.Response(); got != c.response {
			t.Errorf("response of %s: got %s, want %s", c.in, got, c.response)
		}
		if got := c.in.Original(); got != c.original {
			t.Errorf("original of %s: got %s, want %s", c.in, got, c.original)
		}
	}
	if m, err := iso8583.ParseMTI("0421"); err != nil || m.Class() != 4 || m.Function() != 2 || m.Origin() != 1 || !m.IsRepeat() || !m.IsAdvice() || m.IsResponse() {
		t.Errorf("0421 is read as %v %v", m, err)
	}
	for _, bad := range []string{"", "100", "01000", "01A0"} {
		if _, err := iso8583.ParseMTI(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// drawMessage draws a message whose values fill the fields of the generic
// dialect exactly, so that reading gives back what was written.
func drawMessage(t *rapid.T, d *iso8583.Dialect) *iso8583.Message {
	var m iso8583.Message
	mtis := []iso8583.MTI{0x0100, 0x0101, 0x0110, 0x0120, 0x0130, 0x0200, 0x0210, 0x0220, 0x0400, 0x0410, 0x0421, 0x0800, 0x0810}
	m.MTI = rapid.SampledFrom(mtis).Draw(t, "mti")
	// A chance for each field alone: drawing a set would prefer small ones.
	for n := 2; n <= 128; n++ {
		if rapid.Bool().Draw(t, "sent") {
			m.Set(n, iso8583.DrawValue(t, d, n))
		}
	}
	return &m
}

func TestCodec_readsBackEveryMessageItWrites(t *testing.T) {
	d := generic(t)
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t, d)
		body, err := d.Append(nil, m)
		if err != nil {
			if fe := (*iso8583.FieldError)(nil); errors.As(err, &fe) && fe.Field == 0 {
				t.Skip() // longer than the dialect's messages
			}
			t.Fatal(err)
		}
		var back iso8583.Message
		if err := d.Parse(&back, body); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fields(&back), fields(m)); diff != "" || back.MTI != m.MTI {
			t.Fatal(diff)
		}
		again, err := d.Append(nil, &back)
		if err != nil || string(again) != string(body) {
			t.Fatalf("written again it differs: %v", err)
		}
	})
}

func TestCodec_allocatesNothingInSteadyState(t *testing.T) {
	d := generic(t)
	var m iso8583.Message
	chipPurchase(t, &m)
	out := make([]byte, 0, 1024)
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = d.Parse(&m, body) }); n != 0 {
		t.Errorf("Parse: got %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = d.Append(out, &m) }); n != 0 {
		t.Errorf("Append: got %v allocations, want 0", n)
	}
}

func FuzzParse(f *testing.F) {
	d := generic(f)
	var m iso8583.Message
	chipPurchase(f, &m)
	body, err := d.Append(nil, &m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Fuzz(func(t *testing.T, body []byte) {
		var m iso8583.Message
		if err := d.Parse(&m, body); err != nil {
			return
		}
		d.Missing(&m)
		d.Describe(&m)
		var resp iso8583.Message
		d.Echo(&m, &resp)
	})
}

func FuzzRoundTrip(f *testing.F) {
	d := generic(f)
	body, err := d.Append(nil, canaryMessage())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		var m, again iso8583.Message
		if d.Parse(&m, body) != nil {
			return
		}
		first, err := d.Append(nil, &m)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if err := d.Parse(&again, first); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		second, err := d.Append(nil, &again)
		if err != nil || string(first) != string(second) {
			t.Fatalf("writing twice differs: %v", err)
		}
		if diff := cmp.Diff(fields(&again), fields(&m)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	d := generic(b)
	var m iso8583.Message
	chipPurchase(b, &m)
	body, err := d.Append(nil, &m)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Parse(&m, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	d := generic(b)
	var m iso8583.Message
	chipPurchase(b, &m)
	out := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Append(out, &m); err != nil {
			b.Fatal(err)
		}
	}
}
