// Package iso8583_test compares the codec of this project with an independent
// one, message by message and in both directions. It is a module of its own,
// so that the other codec is no dependency of the product.
package iso8583_test

import (
	"bytes"
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/padding"
	"github.com/moov-io/iso8583/prefix"
	"github.com/moov-io/iso8583/specs"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// element is a data element as the standard has it, written down here a
// second time: type, length, and how the length is announced. The product's
// own table is a data file; this one checks it.
type element struct {
	typ    string // n, an, ans, ns, z, x (sign and digits) or b
	prefix int    // digits of the length, 0 when fixed
	length int
}

// elements are those of ISO 8583:1987 from 2 to 128. Field 65 is left out:
// the other codec takes its bit for the announcement of a third bitmap.
func elements() map[int]element {
	table := map[int]element{}
	add := func(e element, numbers ...int) {
		for _, n := range numbers {
			table[n] = e
		}
	}
	span := func(from, to int) (ns []int) {
		for n := from; n <= to; n++ {
			ns = append(ns, n)
		}
		return ns
	}
	add(element{"n", 2, 19}, 2)
	add(element{"n", 0, 1}, 27, 66)
	add(element{"n", 0, 2}, 25, 26, 67)
	add(element{"n", 0, 3}, 19, 20, 21, 22, 23, 24, 49, 50, 51, 68, 69, 70)
	add(element{"n", 0, 4}, 13, 14, 15, 16, 17, 18, 71, 72)
	add(element{"n", 0, 6}, 3, 11, 12, 73)
	add(element{"n", 0, 8}, 8, 9, 10)
	add(element{"n", 0, 10}, append(span(74, 81), 7)...)
	add(element{"n", 0, 12}, 4, 5, 6, 82, 83, 84, 85)
	add(element{"n", 0, 16}, 53, 86, 87, 88, 89)
	add(element{"n", 0, 42}, 90)
	add(element{"n", 2, 11}, 32, 33, 99, 100)
	add(element{"x", 0, 9}, 28, 29, 30, 31)
	add(element{"x", 0, 17}, 97)
	add(element{"ns", 2, 28}, 34)
	add(element{"z", 2, 37}, 35)
	add(element{"z", 3, 104}, 36)
	add(element{"an", 0, 1}, 91)
	add(element{"an", 0, 2}, 39, 92)
	add(element{"an", 0, 3}, 40)
	add(element{"an", 0, 5}, 93)
	add(element{"an", 0, 6}, 38)
	add(element{"an", 0, 7}, 94)
	add(element{"an", 0, 12}, 37)
	add(element{"an", 0, 42}, 95)
	add(element{"an", 2, 25}, 44)
	add(element{"an", 3, 120}, 54)
	add(element{"ans", 0, 8}, 41)
	add(element{"ans", 0, 15}, 42)
	add(element{"ans", 0, 25}, 98)
	add(element{"ans", 0, 40}, 43)
	add(element{"ans", 2, 17}, 101)
	add(element{"ans", 2, 28}, 102, 103)
	add(element{"ans", 2, 76}, 45)
	add(element{"ans", 3, 100}, 104)
	add(element{"ans", 3, 999}, append(span(56, 63), append(span(105, 127), 46, 47, 48)...)...)
	add(element{"b", 0, 8}, 52, 64, 96, 128)
	add(element{"b", 3, 255}, 55)
	return table
}

// otherSpec is the generic dialect in the other codec's terms.
func otherSpec() *moov.MessageSpec {
	prefixes := map[int]prefix.Prefixer{0: prefix.ASCII.Fixed, 2: prefix.ASCII.LL, 3: prefix.ASCII.LLL}
	fields := map[int]field.Field{
		0: field.NewString(&field.Spec{Length: 4, Enc: encoding.ASCII, Pref: prefix.ASCII.Fixed}),
		1: field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed}),
	}
	for n, e := range elements() {
		spec := &field.Spec{Length: e.length, Enc: encoding.ASCII, Pref: prefixes[e.prefix]}
		switch {
		case e.typ == "b":
			spec.Enc = encoding.Binary
			if e.prefix == 0 {
				spec.Pref = prefix.Binary.Fixed
			}
			fields[n] = field.NewBinary(spec)
			continue
		case e.prefix == 0 && e.typ == "n":
			spec.Pad = padding.Left('0')
		case e.prefix == 0:
			spec.Pad = padding.Right(' ')
		}
		fields[n] = field.NewString(spec)
	}
	return &moov.MessageSpec{Name: "generic", Fields: fields}
}

// stripped is a value as the other codec gives it back: it takes the padding
// off fixed fields, also where it was no padding, such as from "000000".
func (e element) stripped(v string) string {
	switch {
	case e.prefix > 0 || e.typ == "b":
		return v
	case e.typ == "n":
		return strings.TrimLeft(v, "0")
	}
	return strings.TrimRight(v, " ")
}

func generic(t testing.TB) *iso8583.Dialect {
	t.Helper()
	d, err := iso8583.LoadDialect("generic")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// draw draws the content of a message: full values for fixed fields.
func draw(t *rapid.T) (mti string, values map[int]string) {
	alphabets := map[string]string{
		"n": "0123456789", "x": "0123456789", "z": "0123456789=D", "ns": "0123456789 -./=",
		"an":  "0123456789ABCXYZabcxyz ",
		"ans": "0123456789ABCXYZabcxyz !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	}
	mti = rapid.SampledFrom([]string{"0100", "0101", "0110", "0120", "0200", "0210", "0221", "0400", "0420", "0430", "0800", "0810"}).Draw(t, "mti")
	table := elements()
	values = map[int]string{}
	// A chance for each field alone: drawing a set would prefer small ones.
	for n := 2; n <= 128; n++ {
		if _, ok := table[n]; !ok || !rapid.Bool().Draw(t, "sent") {
			continue
		}
		e := table[n]
		size := e.length
		if e.prefix > 0 {
			size = rapid.IntRange(0, min(e.length, 150)).Draw(t, "size")
		}
		if e.typ == "b" {
			values[n] = string(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "bytes"))
			continue
		}
		v := rapid.SliceOfN(rapid.SampledFrom([]byte(alphabets[e.typ])), size, size).Draw(t, "text")
		if e.typ == "x" {
			v[0] = rapid.SampledFrom([]byte("CD")).Draw(t, "sign")
		}
		values[n] = string(v)
	}
	return mti, values
}

// written is a message in our bytes.
func written(t *rapid.T, d *iso8583.Dialect, mti string, values map[int]string) []byte {
	var m iso8583.Message
	var err error
	if m.MTI, err = iso8583.ParseMTI(mti); err != nil {
		t.Fatal(err)
	}
	for n, v := range values {
		m.SetText(n, v)
	}
	body, err := d.Append(nil, &m)
	if err != nil {
		t.Fatalf("we do not write it: %v", err)
	}
	return body
}

// other makes a message of the other codec.
func other(t *rapid.T, spec *moov.MessageSpec, mti string, values map[int]string) *moov.Message {
	m := moov.NewMessage(spec)
	m.MTI(mti)
	table := elements()
	for n, v := range values {
		var err error
		if table[n].typ == "b" {
			err = m.BinaryField(n, []byte(v))
		} else {
			err = m.Field(n, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestCodec_writesWhatTheOtherReads(t *testing.T) {
	d, spec, table := generic(t), otherSpec(), elements()
	rapid.Check(t, func(t *rapid.T) {
		mti, values := draw(t)
		m := moov.NewMessage(spec)
		if err := m.Unpack(written(t, d, mti, values)); err != nil {
			t.Fatalf("they do not read what we write: %v", err)
		}
		if got, err := m.GetMTI(); err != nil || got != mti {
			t.Fatalf("type: got %q %v, want %q", got, err, mti)
		}
		for n := 2; n <= 128; n++ {
			if n == 65 {
				continue // no field to them
			}
			want, sent := values[n]
			if got := m.Bitmap().IsSet(n); got != sent {
				t.Fatalf("field %d: present %v, want %v", n, got, sent)
			}
			if !sent {
				continue
			}
			got, err := m.GetBytes(n)
			if err != nil || string(got) != table[n].stripped(want) {
				t.Fatalf("field %d: got %q %v, want %q", n, got, err, want)
			}
		}
	})
}

func TestCodec_readsWhatTheOtherWrites(t *testing.T) {
	d, spec, table := generic(t), otherSpec(), elements()
	rapid.Check(t, func(t *rapid.T) {
		mti, values := draw(t)
		body, err := other(t, spec, mti, values).Pack()
		if err != nil {
			t.Fatal(err)
		}
		var m iso8583.Message
		if err := d.Parse(&m, body); err != nil {
			t.Fatalf("we do not read what they write: %v", err)
		}
		if got := m.MTI.String(); got != mti {
			t.Fatalf("type: got %s, want %s", got, mti)
		}
		count := 0
		for n, got := range m.Fields() {
			count++
			if want := values[n]; string(got) != want {
				t.Fatalf("field %d: got %q, want %q", n, got, want)
			}
		}
		if count != len(values) {
			t.Fatalf("got %d fields, want %d", count, len(values))
		}
		if ours := written(t, d, mti, values); !bytes.Equal(ours, body) {
			t.Fatalf("the same message has other bytes:\n%x\n%x", ours, body)
		}
		// What they were given without its padding, both pad alike.
		short := map[int]string{}
		for n, v := range values {
			short[n] = table[n].stripped(v)
			if short[n] == "" || table[n].typ == "x" || n == iso8583.ProcessingCode || n == iso8583.RRN || n == iso8583.ResponseCode {
				short[n] = v // the generic dialect fills none of these
			}
		}
		if ours := written(t, d, mti, short); !bytes.Equal(ours, body) {
			t.Fatalf("filled differently:\n%x\n%x", ours, body)
		}
	})
}

// TestTable_agreesWithTheOtherCodecsOwn compares lengths with the table that
// comes with the other codec, where public implementations agree at all.
func TestTable_agreesWithTheOtherCodecsOwn(t *testing.T) {
	disputed := map[int]bool{44: true, 55: true, 93: true, 96: true}
	compared := 0
	for n, e := range elements() {
		theirs, ok := specs.Spec87ASCII.Fields[n]
		if !ok || disputed[n] {
			continue
		}
		compared++
		spec := theirs.Spec()
		if spec.Length != e.length && !(e.typ == "b" && spec.Length == 2*e.length) {
			t.Errorf("field %d: length %d, theirs %d", n, e.length, spec.Length)
		}
		if want := map[int]string{0: "Fixed", 2: "LL", 3: "LLL"}[e.prefix]; !strings.HasSuffix(spec.Pref.Inspect(), "."+want) {
			t.Errorf("field %d: prefix %s, theirs %s", n, want, spec.Pref.Inspect())
		}
	}
	if compared < 60 {
		t.Errorf("only %d fields were compared", compared)
	}
}
