package emv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/wire/emv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const request = "9F2608A1B2C3D4E5F60708 9F270180 9F100706010A03A0B801 9F3704DEADBEEF 9F36020042 9505 0000008000" +
	"9A03261121 9C0100 9F0206000000012550 5F2A020949 82023900 9F1A020792 9F0306000000000000 9F3303E0F8C8" +
	"9F3403420300 9F350122 5F340101"

func TestReader_findsObjectsOfEveryShape(t *testing.T) {
	data := unhex(t, "00 4F07A0000000041010 FFFF 8F01FA 9F26080102030405060708 DF812903AABBCC 9F10 8103 010203 71 820004 86020000 00")
	r := emv.Read(data)
	var got []string
	for r.Next() {
		got = append(got, fmt.Sprintf("%s=%x", r.Tag(), r.Value()))
	}
	want := []string{"4F=a0000000041010", "8F=fa", "9F26=0102030405060708", "DF8129=aabbcc", "9F10=010203", "71=86020000"}
	if diff := cmp.Diff(got, want); diff != "" || r.Err() != nil {
		t.Errorf("%v %s", r.Err(), diff)
	}
}

func TestReader_refusesWhatHasNoEnd(t *testing.T) {
	for in, want := range map[string]emv.Problem{
		"9F":             emv.Truncated,
		"DF8180":         emv.BadTag,
		"9F8026 00":      emv.BadTag,
		"95":             emv.Truncated,
		"9505 00":        emv.Truncated,
		"9581":           emv.Truncated,
		"95 8201":        emv.Truncated,
		"7180 9F18 0000": emv.NoLengthForm,
		"95 83000001 00": emv.NoLengthForm,
	} {
		r := emv.Read(unhex(t, in))
		for r.Next() {
		}
		var te *emv.TagError
		if !errors.As(r.Err(), &te) || te.Problem != want {
			t.Errorf("%s: got %v, want %s", in, r.Err(), want)
		}
	}
}

func TestParseICC_readsWhatATerminalSends(t *testing.T) {
	c, err := emv.ParseICC(unhex(t, request))
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []emv.Tag{
		emv.Cryptogram, emv.CID, emv.IAD, emv.UnpredictableNumber, emv.ATC, emv.TVR, emv.TransactionDate, emv.TransactionType,
		emv.AmountAuthorized, emv.TransactionCurrency, emv.AIP, emv.TerminalCountry,
	} {
		if !c.Has(tag) {
			t.Errorf("%s is missing", tag)
		}
	}
	if got, want := fmt.Sprintf("%x %x", c.ATC, c.AmountAuthorized), "0042 000000012550"; got != want {
		t.Errorf("counter and amount: got %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(c.IAD()), "06010a03a0b801"; got != want {
		t.Errorf("issuer application data: got %s, want %s", got, want)
	}
	if c.CID != 0x80 || c.PSN != 1 || c.TerminalType != 0x22 || c.TransactionCurrency != [2]byte{0x09, 0x49} {
		t.Errorf("got %x %x %x %x", c.CID, c.PSN, c.TerminalType, c.TransactionCurrency)
	}
	if !c.Has(emv.PSN) || c.Has(emv.TTQ) {
		t.Error("what was sent and what was not are confused")
	}
	if got, want := fmt.Sprintf("%X", c.Append(nil)), fmt.Sprintf("%X", unhex(t, request)); got != want {
		t.Errorf("written again: got %s, want %s", got, want)
	}
}

func TestParseICC_isStrict(t *testing.T) {
	for in, want := range map[string]emv.Problem{
		request + "9C0100":           emv.Repeated,
		"9F2607A1B2C3D4E5F607":       emv.BadLength,
		"9F1000":                     emv.BadLength,
		"9F02060000000A2550":         emv.BadDigits,
		"9A03269921 9F2604":          emv.Truncated,
		strings.Repeat("DF0100", 86): emv.TooLong,
	} {
		c, err := emv.ParseICC(unhex(t, in))
		var te *emv.TagError
		if !errors.As(err, &te) || te.Problem != want || c != (emv.ICC{}) {
			t.Errorf("%.20s: got %v, want %s", in, err, want)
		}
	}
	c, err := emv.ParseICC(unhex(t, "9F2608A1B2C3D4E5F60708 DF0103AABBCC"))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Has(emv.Cryptogram) || c.Has(emv.CID) {
		t.Errorf("got %s, want 9F26 alone", c)
	}
}

// What is known of a tag is found by its bytes; no other tag may lead there.
func TestParseICC_takesNoTagForAnother(t *testing.T) {
	check := func(tag emv.Tag) {
		for size := range 9 {
			c, err := emv.ParseICC(emv.Append(nil, tag, make([]byte, size)))
			if err != nil && tag.Name() == "" {
				t.Fatalf("tag %s, of which nothing is known: %v", tag, err)
			}
			if kept := c.String(); kept != "" && kept != tag.String() {
				t.Fatalf("tag %s is kept as %s", tag, kept)
			}
		}
	}
	for first := emv.Tag(1); first < 0xFF; first++ {
		if first&0x1F != 0x1F {
			check(first)
			continue
		}
		for second := emv.Tag(0); second < 0x100; second++ {
			switch {
			case second < 0x80:
				check(first<<8 | second)
			case second > 0x80:
				for third := emv.Tag(0); third < 0x80; third++ {
					check(first<<16 | second<<8 | third)
				}
			}
		}
	}
}

const canary = "9792067777770019"

func TestErrorsAndPrints_neverShowChipData(t *testing.T) {
	data := unhex(t, "5A08"+canary+request+"9F37047777777777")
	for i := range data {
		for _, b := range [][]byte{data[:i], append(append(append([]byte{}, data[:i]...), 0x77), data[i+1:]...)} {
			c, err := emv.ParseICC(b)
			out := fmt.Sprintf("%v %+v %+v %x %s %#v", err, err, c, c, c, c)
			if strings.Contains(out, "7777") || strings.Contains(out, "A1B2") || strings.Contains(out, "a1b2") {
				t.Fatalf("shown: %s", out)
			}
		}
	}
}

func TestAnswer_readsBackWhatItWrites(t *testing.T) {
	a := emv.Answer{
		Authentication: unhex(t, "11223344556677883030"),
		ScriptsAfter: []emv.Script{{
			Identifier: [4]byte{1, 2, 3, 4},
			Commands:   [][]byte{unhex(t, "841800000411223344"), unhex(t, "8424000008 1122334455667788")},
		}},
	}
	v, err := a.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%x", v), "910a11223344556677883030"+"7221"+"9f180401020304"+"8609841800000411223344"+"860d84240000081122334455667788"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := emv.ParseAnswer(v)
	if diff := cmp.Diff(got, a); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for name, bad := range map[string]emv.Answer{
		"authentication too short": {Authentication: make([]byte, 7)},
		"authentication too long":  {Authentication: make([]byte, 17)},
		"no command":               {ScriptsBefore: []emv.Script{{}}},
		"script too long":          {ScriptsBefore: []emv.Script{{Commands: [][]byte{make([]byte, 100), make([]byte, 100)}}}},
		"all together too long":    {ScriptsBefore: []emv.Script{{Commands: [][]byte{make([]byte, 120)}}, {Commands: [][]byte{make([]byte, 120)}}, {Commands: [][]byte{make([]byte, 50)}}}},
	} {
		if out, err := bad.Append([]byte("kept")); err == nil || string(out) != "kept" {
			t.Errorf("%s: it is written", name)
		}
	}
}

func TestICC_readsBackEveryPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sent []byte
		want := map[emv.Tag]bool{}
		for _, p := range []struct {
			tag  emv.Tag
			size int
		}{
			{emv.Cryptogram, 8}, {emv.CID, 1}, {emv.IAD, rapid.IntRange(1, 32).Draw(t, "iad")}, {emv.UnpredictableNumber, 4},
			{emv.ATC, 2}, {emv.TVR, 5}, {emv.AIP, 2}, {emv.TerminalCapabilities, 3}, {emv.CVMResults, 3}, {emv.ARC, 2}, {emv.TTQ, 4}, {emv.CTQ, 2},
			{emv.ScriptResults, 5 * rapid.IntRange(1, 4).Draw(t, "results")},
		} {
			if rapid.Bool().Draw(t, "sent") {
				sent = emv.Append(sent, p.tag, rapid.SliceOfN(rapid.Byte(), p.size, p.size).Draw(t, "value"))
				want[p.tag] = true
			}
		}
		sent = emv.Append(sent, emv.AmountAuthorized, emv.AppendDecimal(nil, rapid.Int64Range(0, 999_999_999_999).Draw(t, "amount"), 6))
		c, err := emv.ParseICC(sent)
		if err != nil {
			t.Fatal(err)
		}
		for tag := range want {
			if !c.Has(tag) {
				t.Fatalf("%s was sent and is not there", tag)
			}
		}
		if n := len(c.Append(nil)); n != len(sent) {
			t.Fatalf("%d bytes were sent, and %d are written again", len(sent), n)
		}
		back, err := emv.ParseICC(c.Append(nil))
		if err != nil || back != c {
			t.Fatalf("got %v %v, want %v", back, err, c)
		}
	})
}

func TestParseICC_keepsNoCardData(t *testing.T) {
	c, err := emv.ParseICC(unhex(t, "9F36020042 5A08"+canary+" 5713"+canary+"D31112217777777777777F DF0101AA"))
	if got := fmt.Sprintf("%x", c.Append(nil)); err != nil || got != "9f36020042" {
		t.Errorf("kept %s (%v)", got, err)
	}
	if _, err := emv.ParseICC(unhex(t, "5F34010A")); err == nil {
		t.Error("a sequence number with a letter is taken")
	}
}

func TestReader_allocatesNothing(t *testing.T) {
	data := unhex(t, request)
	if n := testing.AllocsPerRun(100, func() {
		r := emv.Read(data)
		for r.Next() {
		}
		if _, err := emv.ParseICC(data); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzTLV(f *testing.F) {
	f.Add(unhex(f, request))
	f.Add(unhex(f, "7280"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := emv.Read(data)
		var again []byte
		for r.Next() {
			again = emv.Append(again, r.Tag(), r.Value())
		}
		back := emv.Read(again)
		n := 0
		for back.Next() {
			n++
		}
		if back.Err() != nil {
			t.Fatalf("what was written cannot be read: %v", back.Err())
		}
	})
}

func FuzzICC(f *testing.F) {
	f.Add(unhex(f, request))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := emv.ParseICC(data)
		if err == nil {
			back, err := emv.ParseICC(c.Append(nil))
			if err != nil || !bytes.Equal(back.Append(nil), c.Append(nil)) {
				t.Fatalf("written again it differs: %v", err)
			}
		}
		if a, err := emv.ParseAnswer(data); err == nil {
			_, _ = a.Append(nil)
		}
	})
}

func BenchmarkParseICC(b *testing.B) {
	data := unhex(b, request)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := emv.ParseICC(data); err != nil {
			b.Fatal(err)
		}
	}
}
