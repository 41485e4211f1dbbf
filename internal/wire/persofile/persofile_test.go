package persofile_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/wire/persofile"
)

// block is the outside of a key block of 144 characters, in which nothing is.
func block(usage string, algorithm, mode rune) string {
	return fmt.Sprintf("D0144%s%c%c00S0000", usage, algorithm, mode) + strings.Repeat("0123456789ABCDEF", 8)
}

var header = persofile.Header{
	FileID:         "BUREAU1-20261121-000017",
	Vendor:         "BUREAU1",
	Issuer:         "0192f7a0-0000-7000-8000-000000000001",
	CreatedAt:      time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC),
	TransportKeyID: "key_01jd7q", TransportKeyKCV: "08D7B4",
	DataKey: block("D0", 'A', 'B'), PINKey: block("P0", 'A', 'B'), MACKey: block("M7", 'H', 'C'),
}

var statusHeader = persofile.Header{
	FileID: "BUREAU1-STATUS-20261122-01", Vendor: "BUREAU1", Issuer: header.Issuer,
	CreatedAt:      time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC),
	TransportKeyID: "key_01jd7q", TransportKeyKCV: "08D7B4", MACKey: block("M7", 'H', 'C'),
}

func sealed(of string) []byte {
	sum := sha256.Sum256([]byte(of))
	return append(sum[:], of...)
}

func cards() []persofile.Card {
	return []persofile.Card{
		{
			OrderID: "order_01jd7r0001", CardToken: "979206qkzwpa0017", Sequence: 1, MaskedPAN: "979206******0017",
			Expires: "2031-11", ServiceCode: "201", Number: sealed("number"), Track1: sealed("track1"),
			Track2: sealed("track2"), CVV2: sealed("cvv2"),
			Embossing: persofile.Embossing{Type: "Embossed", Line1: "AYSE YILMAZ", Line2: "ACME & SONS"},
			Plastic:   persofile.Plastic{Variant: "STD", Plastic: "PVC-1", Design: "ART-7", Carrier: "LETTER-A", Language: "tr"},
			Chip: persofile.Chip{
				Profile: "CVN18", PSN: "00", KeyVersion: "01",
				Tags:   []persofile.Tag{{Name: "82", Value: "1800"}, {Name: "5F34", Value: "00"}},
				Secret: sealed("chip"), KeyAC: block("E0", 'T', 'X'), KeySMI: block("E2", 'T', 'X'), KeySMC: block("E1", 'T', 'X'),
				PINBlock: []byte("0123456789ABCDEF"),
				Limits:   persofile.Limits{Currency: "TRY", ContactlessAmount: 250_000, ContactlessCount: 5},
			},
			Delivery: persofile.Delivery{Method: "Courier", Courier: "COURIER1", Express: true, Recipient: sealed("recipient")},
		},
		{
			OrderID: "order_01jd7r0002", CardToken: "97920600abcd9983", Sequence: 2, MaskedPAN: "97920600*******9983",
			Expires: "2027-01", ServiceCode: "221", Number: sealed("number 2"), CVV2: sealed("cvv2 2"),
			Embossing: persofile.Embossing{Type: "FlatPrinted"},
			Plastic:   persofile.Plastic{Variant: "GIFT", Plastic: "PVC-2", Design: "ART-8"},
			Chip: persofile.Chip{
				Profile: "MCHIP20", PSN: "01", KeyVersion: "02", Secret: sealed("chip 2"),
				KeyAC: block("E0", 'T', 'X'), KeySMI: block("E2", 'T', 'X'), KeySMC: block("E1", 'T', 'X'),
			},
			Delivery: persofile.Delivery{Method: "Branch", Branch: "0042"},
		},
	}
}

func events() []persofile.Event {
	at := time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC)
	return []persofile.Event{
		{EventID: "E1", About: persofile.Production, OrderID: "order_01jd7r0001", StatusCode: "200", At: at},
		{
			EventID: "E2", About: persofile.Shipment, OrderID: "order_01jd7r0001", StatusCode: "500", Status: "Delivered",
			At: at.Add(time.Hour), Description: "handed over", Location: "Ankara", CourierCode: "COURIER1",
			CourierName: "Hızlı Kurye", TrackingNo: "TR123", TrackingURL: "https://courier.example/TR123",
			EstimatedDelivery: "2026-11-23", Recipient: sealed("recipient"), RecipientRelation: "self", ReturnReason: "none",
		},
	}
}

var key = []byte("a key of the tests, 32 bytes long")

func authenticate(digest [32]byte) ([]byte, error) {
	h := hmac.New(sha256.New, key)
	h.Write(digest[:])
	return h.Sum(nil), nil
}

func order(t testing.TB, cards []persofile.Card) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := persofile.NewOrderWriter(&b, header)
	for i := 0; i < len(cards) && err == nil; i++ {
		err = w.Write(&cards[i])
	}
	if err == nil {
		_, err = w.Close(authenticate)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func report(t testing.TB, events []persofile.Event) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := persofile.NewStatusWriter(&b, statusHeader)
	for i := 0; i < len(events) && err == nil; i++ {
		err = w.Write(&events[i])
	}
	if err == nil {
		_, err = w.Close(authenticate)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads an order to its end.
func read(src io.Reader) (persofile.Header, []persofile.Card, persofile.Trailer, error) {
	r, err := persofile.NewOrderReader(src)
	if err != nil {
		return persofile.Header{}, nil, persofile.Trailer{}, err
	}
	var cards []persofile.Card
	for {
		o, err := r.Next()
		if err == io.EOF {
			return r.Header(), cards, r.Trailer(), nil
		}
		if err != nil {
			if _, again := r.Next(); again != err {
				return persofile.Header{}, nil, r.Trailer(), fmt.Errorf("after %w the reader goes on with %w", err, again)
			}
			return persofile.Header{}, nil, r.Trailer(), err
		}
		cards = append(cards, o)
	}
}

// readReport reads a status report to its end.
func readReport(src io.Reader) (persofile.Header, []persofile.Event, persofile.Trailer, error) {
	r, err := persofile.NewStatusReader(src)
	if err != nil {
		return persofile.Header{}, nil, persofile.Trailer{}, err
	}
	var events []persofile.Event
	for {
		e, err := r.Next()
		if err == io.EOF {
			return r.Header(), events, r.Trailer(), nil
		}
		if err != nil {
			return persofile.Header{}, nil, r.Trailer(), err
		}
		events = append(events, e)
	}
}

func TestWriters_writeTheFormatsAsDocumented(t *testing.T) {
	for golden, got := range map[string][]byte{"testdata/order.jsonl": order(t, cards()), "testdata/status.jsonl": report(t, events())} {
		if os.Getenv("SARRAF_GOLDEN") == "update" {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), string(want)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReaders_readBackWhatIsWritten(t *testing.T) {
	h, got, trailer, err := read(bytes.NewReader(order(t, cards())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, header) + cmp.Diff(got, cards(), cmpopts.IgnoreFields(persofile.Card{}, "Line"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if got[1].Line != 3 || trailer.Count != 2 || trailer.HashTotal != 17+9983 {
		t.Errorf("got line %d and %d cards with total %d, want 3, 2 and 10000", got[1].Line, trailer.Count, trailer.HashTotal)
	}
	if mac, _ := authenticate(trailer.Digest); !hmac.Equal(mac, trailer.MAC) {
		t.Error("the code of the trailer is not over its digest")
	}
	h, back, trailer, err := readReport(bytes.NewReader(report(t, events())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, statusHeader) + cmp.Diff(back, events(), cmpopts.IgnoreFields(persofile.Event{}, "Line"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if trailer.Count != 2 || trailer.HashTotal != 0 {
		t.Errorf("got %d events with total %d, want 2 and none", trailer.Count, trailer.HashTotal)
	}
}

func TestOrderReader_refusesWhatIsNotExactlyTheFormat(t *testing.T) {
	text := string(order(t, cards()))
	lines := strings.SplitAfter(text, "\n")
	edit := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for _, c := range []struct {
		name, text string
		line       int
		member     string
		problem    persofile.Problem
	}{
		{"empty", "", 1, "", persofile.NotJSON},
		{"no header", strings.Join(lines[1:], ""), 1, "type", persofile.UnknownType},
		{"a status report", string(report(t, events())), 1, "format", persofile.WrongFormat},
		{"another version", edit(`"version":1`, `"version":2`), 1, "format", persofile.WrongFormat},
		{"no transport key", edit(`"transportKey":{"id":"key_01jd7q","kcv":"08D7B4"},`, ``), 1, "transportKey", persofile.Missing},
		{"a check value in small letters", edit(`"kcv":"08D7B4"`, `"kcv":"08d7b4"`), 1, "transportKey.kcv", persofile.WrongValue},
		{"a data key of another usage", edit(`D0144D0AB`, `D0144P0AB`), 1, "dataKey", persofile.WrongValue},
		{"a key block of another length", edit(`D0144D0AB`, `D0160D0AB`), 1, "dataKey", persofile.WrongValue},
		{"a key block of an old version", edit(`"macKey":"D`, `"macKey":"A`), 1, "macKey", persofile.WrongValue},
		{"no data key", edit(`"dataKey":"`+header.DataKey+`",`, ``), 1, "dataKey", persofile.Missing},
		{"unknown member", edit(`"orderId"`, `"note":"x","orderId"`), 2, "?", persofile.UnknownMember},
		{"unknown member inside", edit(`"psn":"00"`, `"psn":"00","x":1`), 2, "chip.?", persofile.UnknownMember},
		{"member twice", edit(`"psn":"00"`, `"psn":"00","psn":"00"`), 2, "chip.psn", persofile.Repeated},
		{"null", edit(`"psn":"00"`, `"psn":null`), 2, "chip.psn", persofile.WrongValue},
		{"no order", edit(`"orderId":"order_01jd7r0001",`, ``), 2, "orderId", persofile.Missing},
		{"the number in clear", edit(`"maskedPan":"979206******0017"`, `"maskedPan":"9792061234560017"`), 2, "maskedPan", persofile.WrongValue},
		{"too much of the number", edit(`"maskedPan":"979206******0017"`, `"maskedPan":"979206123***0017"`), 2, "maskedPan", persofile.WrongValue},
		{"the number as a name", edit(`AYSE YILMAZ`, `9792 0677 7777 0019`), 2, "embossing.line1", persofile.CardNumber},
		{"the number as a chip tag", edit(`"tag":"82"`, `"tag":"5A"`), 2, "chip.tags[0].tag", persofile.CardNumber},
		{"a tag twice", edit(`"tag":"5F34"`, `"tag":"82"`), 2, "chip.tags[1].tag", persofile.Repeated},
		{"half a byte", edit(`"value":"1800"`, `"value":"180"`), 2, "chip.tags[0].value", persofile.WrongValue},
		{"a clear value where an encrypted one belongs", edit(`"cvv2":"`, `"cvv2":"MTIz","x":"`), 2, "?", persofile.UnknownMember},
		{"an encrypted value that is too short", strings.Replace(text, lines[1][strings.Index(lines[1], `"cvv2":"`):strings.Index(lines[1], `,"embossing"`)], `"cvv2":"MTIz"`, 1), 2, "cvv2", persofile.WrongValue},
		{"a month that does not exist", edit(`2031-11`, `2031-13`), 2, "expires", persofile.WrongValue},
		{"a key for another use", edit(`D0144E0TX`, `D0144E1TX`), 2, "chip.keys.ac", persofile.WrongValue},
		{"no keys", strings.Replace(text, lines[1][strings.Index(lines[1], `"keys":`):strings.Index(lines[1], `"pinBlock"`)], ``, 1), 2, "chip.keys", persofile.Missing},
		{"a short PIN block", edit(`"pinBlock":"30`, `"pinBlock":"`), 2, "chip.pinBlock", persofile.WrongValue},
		{"an amount without currency", edit(`"currency":"TRY",`, ``), 2, "chip.limits.currency", persofile.Missing},
		{"unknown delivery", edit(`"method":"Courier"`, `"method":"Pigeon"`), 2, "delivery.method", persofile.WrongValue},
		{"an event", edit(`"type":"card"`, `"type":"event"`), 2, "type", persofile.UnknownType},
		{"no trailer", strings.Join(lines[:3], ""), 3, "", persofile.NoTrailer},
		{"something after the trailer", text + lines[3], 5, "", persofile.AfterTrailer},
		{"a card less", lines[0] + lines[1] + lines[3], 3, "count", persofile.WrongCount},
		{"a card twice", lines[0] + lines[1] + lines[1] + lines[3], 4, "hashTotal", persofile.WrongTotal},
		{"a card changed", edit(`AYSE YILMAZ`, `AYSE YILMAS`), 4, "sha256", persofile.WrongDigest},
		{"a header changed", edit(`"vendor":"BUREAU1"`, `"vendor":"BUREAU2"`), 4, "sha256", persofile.WrongDigest},
		{"no code", edit(`,"mac":"`, `,"max":"`), 4, "?", persofile.UnknownMember},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, trailer, err := read(strings.NewReader(c.text))
			want := persofile.FormatError{Line: c.line, Member: c.member, Problem: c.problem}
			var fe *persofile.FormatError
			if !errors.As(err, &fe) || *fe != want {
				t.Fatalf("got %v, want %v", err, &want)
			}
			if trailer.Count != 0 {
				t.Error("a broken file has a trailer")
			}
		})
	}
}

func TestStatusReader_refusesWhatIsNotExactlyTheFormat(t *testing.T) {
	text := string(report(t, events()))
	edit := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for _, c := range []struct {
		name, text string
		line       int
		member     string
		problem    persofile.Problem
	}{
		{"an order", string(order(t, cards())), 1, "format", persofile.WrongFormat},
		{"no event id", edit(`"eventId":"E1",`, ``), 2, "eventId", persofile.Missing},
		{"about something else", edit(`"about":"production"`, `"about":"weather"`), 2, "about", persofile.WrongValue},
		{"no time", edit(`"eventDate":"2026-11-22T05:30:00Z"`, `"eventDate":"yesterday"`), 2, "eventDate", persofile.WrongValue},
		{"a card number in a text", edit(`handed over`, `9792067777770019`), 3, "description", persofile.CardNumber},
		{"a day that does not exist", edit(`2026-11-23`, `2026-11-31`), 3, "estimatedDeliveryDate", persofile.WrongValue},
		{"a hash total", edit(`"count":2`, `"count":2,"hashTotal":0`), 4, "hashTotal", persofile.UnknownMember},
		{"an event changed", edit(`"statusCode":"200"`, `"statusCode":"201"`), 4, "sha256", persofile.WrongDigest},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := readReport(strings.NewReader(c.text))
			want := persofile.FormatError{Line: c.line, Member: c.member, Problem: c.problem}
			var fe *persofile.FormatError
			if !errors.As(err, &fe) || *fe != want {
				t.Fatalf("got %v, want %v", err, &want)
			}
		})
	}
}

func TestReaders_tellABrokenStreamFromABrokenFile(t *testing.T) {
	broken := errors.New("disk")
	_, _, _, err := read(io.MultiReader(bytes.NewReader(order(t, cards())[:1200]), errReader{broken}))
	var fe *persofile.FormatError
	if !errors.Is(err, broken) || errors.As(err, &fe) {
		t.Errorf("got %v, want the error of the stream", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestErrors_neverQuoteAFile(t *testing.T) {
	text := order(t, cards()[:1])
	for i := range text {
		for _, c := range []byte{'"', '7', '{', 0xFF} {
			b := append([]byte(nil), text...)
			b[i] = c
			if _, _, _, err := read(bytes.NewReader(b)); err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), "YILMAZ") {
				t.Fatalf("shown: %v", err)
			}
		}
	}
}

func TestOrderWriter_refusesWhatNoReaderTakes(t *testing.T) {
	var b bytes.Buffer
	bad := header
	bad.Vendor = "BUREAU 1"
	if _, err := persofile.NewOrderWriter(&b, bad); err == nil || b.Len() > 0 {
		t.Errorf("a header with a space in its vendor is written: %v", err)
	}
	w, err := persofile.NewOrderWriter(&b, header)
	if err != nil {
		t.Fatal(err)
	}
	before := b.Len()
	card := cards()[0]
	card.CVV2 = []byte("123")
	var fe *persofile.FormatError
	if err := w.Write(&card); !errors.As(err, &fe) || fe.Line != 2 || fe.Member != "cvv2" || b.Len() != before {
		t.Errorf("got %v and %d bytes, want cvv2 refused and none", err, b.Len()-before)
	}
	if err := w.Write(&cards()[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(func([32]byte) ([]byte, error) { return nil, errors.New("no key") }); err == nil {
		t.Error("a file without its code is closed")
	}
}

func TestOrder_readsBackEveryCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := func(name string) []byte {
			return rapid.SliceOfN(rapid.Byte(), 29, 300).Draw(t, name)
		}
		var drawn []persofile.Card
		for range rapid.IntRange(0, 5).Draw(t, "count") {
			card := cards()[0]
			card.OrderID = rapid.StringMatching(`[A-Za-z0-9_.:-]{1,64}`).Draw(t, "order")
			card.Sequence = rapid.IntRange(1, 99).Draw(t, "sequence")
			card.MaskedPAN = rapid.StringMatching(`[0-9]{6}([0-9]{2})?\*{5,7}[0-9]{3}[0-9]`).Draw(t, "masked")
			card.Expires = rapid.StringMatching(`20[0-9]{2}-(0[1-9]|1[0-2])`).Draw(t, "expires")
			card.Embossing.Line1 = rapid.StringMatching(`[A-Z ÇĞİÖŞÜ./&'<>"-]{0,26}`).Draw(t, "line 1")
			card.Number, card.CVV2, card.Chip.Secret = secret("number"), secret("cvv2"), secret("chip")
			if rapid.Bool().Draw(t, "without stripe") {
				card.Track1, card.Track2 = nil, nil
			}
			if rapid.Bool().Draw(t, "without PIN") {
				card.Chip.PINBlock = nil
			}
			card.Chip.Limits.OfflineCount = rapid.IntRange(0, 255).Draw(t, "offline")
			drawn = append(drawn, card)
		}
		var b bytes.Buffer
		w, err := persofile.NewOrderWriter(&b, header)
		for i := 0; i < len(drawn) && err == nil; i++ {
			err = w.Write(&drawn[i])
		}
		if err == nil {
			_, err = w.Close(authenticate)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, got, _, err := read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, drawn, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(persofile.Card{}, "Line")); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Whatever is read can be written again and reads back the same; both readers
// see every input.
func FuzzReader(f *testing.F) {
	f.Add(order(f, cards()))
	f.Add(order(f, nil))
	f.Add(report(f, events()))
	f.Fuzz(func(t *testing.T, text []byte) {
		if h, got, trailer, err := read(bytes.NewReader(text)); err == nil {
			var b bytes.Buffer
			w, err := persofile.NewOrderWriter(&b, h)
			for i := 0; i < len(got) && err == nil; i++ {
				err = w.Write(&got[i])
			}
			if err == nil {
				_, err = w.Close(func([32]byte) ([]byte, error) { return trailer.MAC, nil })
			}
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			_, again, other, err := read(&b)
			if diff := cmp.Diff(again, got); diff != "" || err != nil || other.Count != trailer.Count || other.HashTotal != trailer.HashTotal {
				t.Fatalf("%v %s", err, diff)
			}
		}
		if _, got, trailer, err := readReport(bytes.NewReader(text)); err == nil && len(got) != trailer.Count {
			t.Fatalf("read %d events of %d", len(got), trailer.Count)
		}
	})
}
