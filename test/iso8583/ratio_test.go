package iso8583_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
	"github.com/moov-io/iso8583/sort"

	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// purchase is the content of an authorization request by chip and PIN; chip is
// its DE55. "sarraf bench codec" measures the same message.
var (
	purchase = map[int]string{
		2: "9792061234560017", 3: "000000", 4: "000000012550", 7: "1121130501", 11: "000123", 12: "160501", 13: "1121",
		14: "3111", 18: "5411", 19: "792", 22: "051", 23: "001", 25: "00", 32: "12345678",
		35: "9792061234560017=31112211234567", 37: "632513000123", 41: "TERM0001", 42: "MERCHANT0000001",
		43: "BAKKAL NO 1              ISTANBUL     TR", 48: "9203123940205", 49: "949", 52: "\x01\x02\x03\x04\xFA\xFB\xFC\xFD", 60: "000001",
	}
	chip = []struct {
		tag   emv.Tag
		value string
	}{
		{emv.Cryptogram, "\x01\x02\x03\x04\x05\x06\x07\x08"}, {emv.CID, "\x80"}, {emv.IAD, "\x06\x01\x12\x03\xA0\xB8\x00"},
		{emv.UnpredictableNumber, "\x0A\x0B\x0C\x0D"}, {emv.ATC, "\x00\x09"}, {emv.TVR, "\x00\x00\x00\x80\x00"},
		{emv.TransactionDate, "\x26\x11\x21"}, {emv.TransactionType, "\x00"}, {emv.AmountAuthorized, "\x00\x00\x00\x01\x25\x50"},
		{emv.TransactionCurrency, "\x09\x49"}, {emv.AIP, "\x39\x00"}, {emv.TerminalCountry, "\x07\x92"},
		{emv.AmountOther, "\x00\x00\x00\x00\x00\x00"}, {emv.TerminalCapabilities, "\xE0\xF8\xC8"}, {emv.CVMResults, "\x42\x03\x00"},
		{emv.TerminalType, "\x22"}, {emv.PSN, "\x01"},
	}
)

// tlvSpec is the generic dialect in the other codec's terms with DE55 tag by tag.
func tlvSpec() *moov.MessageSpec {
	spec := otherSpec()
	tags := map[string]field.Field{}
	for _, part := range chip {
		tags[part.tag.String()] = field.NewBinary(&field.Spec{Enc: encoding.Binary, Pref: prefix.BerTLV})
	}
	spec.Fields[iso8583.ICCData] = field.NewComposite(&field.Spec{
		Length: 255, Pref: prefix.ASCII.LLL, Tag: &field.TagSpec{Enc: encoding.BerTLVTag, Sort: sort.StringsByHex}, Subfields: tags,
	})
	return spec
}

// contest is a message as both codecs have it, and what each does with it in the
// fastest way it has.
//
// To pack, we write DE55 from its parts into a message that holds the other fields,
// and append the message to a buffer; they pack a message that holds all fields and
// all tags.
//
// To unpack, we read into a message that was used before, and then DE55 into its
// parts by value. They read into a message that was used before, too, which spares
// them a few allocations beside a new one, by a specification made once, DE55
// tag by tag. Both check lengths and structure; we also check every character by the
// type of its field, the digits of numeric tags, and that no tag comes twice.
type contest struct {
	body                   []byte
	icc                    emv.ICC
	pack, unpack           func() error
	packOther, unpackOther func() error
	read                   *iso8583.Message
	readOther, other       *moov.Message
}

func newContest(t testing.TB) *contest {
	t.Helper()
	d, spec := generic(t), tlvSpec()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	m := &iso8583.Message{MTI: iso8583.AuthorizationRequest}
	for n, v := range purchase {
		m.SetText(n, v)
	}
	var data []byte
	for _, part := range chip {
		data = emv.Append(data, part.tag, []byte(part.value))
	}
	m.Set(iso8583.ICCData, data)
	body, err := d.Append(nil, m)
	must(err)
	c := &contest{body: body, read: new(iso8583.Message), readOther: moov.NewMessage(spec), other: moov.NewMessage(spec)}
	c.icc, err = emv.ParseICC(data)
	must(err)
	must(c.other.Unpack(body)) // what they pack
	out := make([]byte, 0, 1024)
	c.pack = func() error {
		data = c.icc.Append(data[:0])
		m.Set(iso8583.ICCData, data)
		_, err := d.Append(out, m)
		return err
	}
	c.packOther = func() error {
		_, err := c.other.Pack()
		return err
	}
	c.unpack = func() error {
		if err := d.Parse(c.read, body); err != nil {
			return err
		}
		var err error
		c.icc, err = emv.ParseICC(c.read.Bytes(iso8583.ICCData))
		return err
	}
	c.unpackOther = func() error {
		return c.readOther.Unpack(body)
	}
	return c
}

// Both codecs take the message apart to the same tags, so that the comparison
// is one of the same work.
func TestContest_isAboutTheSameMessage(t *testing.T) {
	c := newContest(t)
	for _, do := range []func() error{c.pack, c.packOther, c.unpack, c.unpackOther} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	theirs, ok := c.readOther.GetField(iso8583.ICCData).(*field.Composite)
	if !ok {
		t.Fatal("DE55 is not read tag by tag")
	}
	subfields := theirs.GetSubfields()
	if len(subfields) != len(chip) {
		t.Fatalf("they found %d tags, want %d", len(subfields), len(chip))
	}
	for _, part := range chip {
		if got, err := subfields[part.tag.String()].Bytes(); err != nil || string(got) != part.value {
			t.Errorf("tag %s: got %x %v, want %x", part.tag, got, err, part.value)
		}
		if !c.icc.Has(part.tag) && part.tag != emv.TerminalCapabilities && part.tag != emv.TerminalType {
			t.Errorf("we do not read tag %s", part.tag)
		}
	}
	packed, err := c.other.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var again iso8583.Message
	if err := generic(t).Parse(&again, packed); err != nil {
		t.Fatalf("we do not read what they pack: %v", err)
	}
	if got, err := emv.ParseICC(again.Bytes(iso8583.ICCData)); err != nil || got.Cryptogram != c.icc.Cryptogram {
		t.Errorf("what they pack has another cryptogram: %v", err)
	}
	for name, do := range map[string]func() error{"pack": c.pack, "unpack": c.unpack} {
		if n := testing.AllocsPerRun(100, func() { _ = do() }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// BenchmarkContest lets the codecs take turns of the same time, so that whatever else
// the machine does weighs on both alike, and reports the medians of the turns:
//
//	go test -run xxx -bench Contest -benchtime 15x ./iso8583
//
// Each turn begins with nothing to collect; what it leaves behind while it lasts is
// its own to pay for.
func BenchmarkContest(b *testing.B) {
	c := newContest(b)
	for _, k := range []struct {
		name       string
		our, their func() error
	}{{"pack", c.pack, c.packOther}, {"unpack", c.unpack, c.unpackOther}} {
		b.Run(k.name, func(b *testing.B) {
			const atOnce, lasts = 100, 20 * time.Millisecond
			turn := func(do func() error) float64 {
				runtime.GC()
				messages, start := 0, time.Now()
				for time.Since(start) < lasts {
					for range atOnce {
						if err := do(); err != nil {
							b.Fatal(err)
						}
					}
					messages += atOnce
				}
				return float64(time.Since(start).Nanoseconds()) / float64(messages)
			}
			var ours, theirs, ratios []float64
			for b.Loop() {
				our, their := turn(k.our), turn(k.their)
				ours, theirs, ratios = append(ours, our), append(theirs, their), append(ratios, their/our)
			}
			median := func(all []float64) float64 {
				slices.Sort(all)
				return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours), "ns/sarraf")
			b.ReportMetric(median(theirs), "ns/moov")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(testing.AllocsPerRun(100, func() { _ = k.our() }), "allocs/sarraf")
			b.ReportMetric(testing.AllocsPerRun(100, func() { _ = k.their() }), "allocs/moov")
		})
	}
}
