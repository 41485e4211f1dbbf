package clearingfile_test

import (
	"bytes"
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

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
)

// comparable compares values by ==, where cmp would look inside.
var comparable = cmp.Options{
	cmp.Comparer(func(a, b pan.PAN) bool { return a == b }),
	cmp.Comparer(func(a, b money.Amount) bool { return a == b }),
	cmp.Comparer(func(a, b money.Currency) bool { return a == b }),
	cmp.Comparer(func(a, b country.Country) bool { return a == b }),
}

const card = "9792067777770019"

func number(t testing.TB) pan.PAN {
	t.Helper()
	p, err := pan.Parse(card)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var header = clearingfile.Header{
	Network:      "closed-loop",
	FileID:       "CL.20261121.001",
	CreatedAt:    time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC),
	BusinessDate: clock.Date{Year: 2026, Month: 11, Day: 21},
}

func presentments(t testing.TB) []clearingfile.Presentment {
	p := number(t)
	return []clearingfile.Presentment{
		{
			Kind: clearingfile.Purchase, Function: clearingfile.FirstPresentment, PAN: p,
			ARN: "75412346001000000000018", Transaction: money.Must(12550, "TRY"), Billing: money.Must(12550, "TRY"),
			Settlement: money.Must(12550, "TRY"), AuthorizationCode: "A1B2C3", RRN: "632513000123", STAN: "000123",
			NetworkTransactionID: "NTX0001", AcquiringInstitutionID: "12345", TerminalID: "TERM0001",
			CardAcceptorID: "MERCHANT0000001", MerchantName: "Bakkal & Son", MerchantCity: "Ankara",
			MerchantCountry: country.Must("TR"), MCC: "5411", LocalDateTime: time.Date(2026, 11, 21, 16, 5, 1, 0, time.UTC),
			POSEntryMode: "051", SequenceNumber: 1, SequenceCount: 1, Final: true,
		},
		{
			Kind: clearingfile.Purchase, Function: clearingfile.FirstPresentment, PAN: p, ARN: "75412346001000000000026",
			Transaction: money.Must(3000, "EUR"), Billing: money.Must(150000, "TRY"), MCC: "4511",
			LocalDateTime: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), SequenceNumber: 1, SequenceCount: 2,
		},
		{
			Kind: clearingfile.Cash, Function: clearingfile.FirstPresentment, Reversal: true, PAN: p, ARN: "75412346001000000000034",
			Transaction: money.Must(20000, "TRY"), MCC: "6011", LocalDateTime: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
			SequenceNumber: 1, SequenceCount: 1, Final: true,
		},
		{
			Kind: clearingfile.Refund, Function: clearingfile.FirstPresentment, PAN: p, ARN: "75412346001000000000042",
			OriginalARN: "75412346001000000000018", Transaction: money.Must(500, "TRY"), MCC: "5411",
			LocalDateTime: time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC), SequenceNumber: 1, SequenceCount: 1, Final: true,
		},
		{
			Kind: clearingfile.Purchase, Function: clearingfile.SecondPresentment, PAN: p, ARN: "75412346001000000000018",
			MessageReason: "4853", Transaction: money.Must(12550, "TRY"), MCC: "5411",
			LocalDateTime: time.Date(2026, 11, 21, 16, 5, 1, 0, time.UTC), SequenceNumber: 1, SequenceCount: 1, Final: true,
		},
	}
}

func file(t testing.TB, h clearingfile.Header, ps []clearingfile.Presentment) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := clearingfile.NewWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ps {
		if err := w.Write(&ps[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads a file to its end.
func read(src io.Reader) (clearingfile.Header, []clearingfile.Presentment, *clearingfile.Reader, error) {
	r, err := clearingfile.NewReader(src)
	if err != nil {
		return clearingfile.Header{}, nil, nil, err
	}
	var ps []clearingfile.Presentment
	for {
		p, err := r.Next()
		if err == io.EOF {
			return r.Header(), ps, r, nil
		}
		if err != nil {
			return clearingfile.Header{}, nil, r, err
		}
		ps = append(ps, p)
	}
}

func TestWriter_writesTheFormatAsDocumented(t *testing.T) {
	const golden = "testdata/sample.jsonl"
	got := file(t, header, presentments(t))
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

func TestReader_readsBackWhatIsWritten(t *testing.T) {
	h, got, r, err := read(bytes.NewReader(file(t, header, presentments(t))))
	if err != nil {
		t.Fatal(err)
	}
	if h != header {
		t.Errorf("got %+v, want %+v", h, header)
	}
	if diff := cmp.Diff(got, presentments(t), comparable, cmpopts.IgnoreFields(clearingfile.Presentment{}, "Line")); diff != "" {
		t.Error(diff)
	}
	if got[1].Line != 3 {
		t.Errorf("got line %d, want 3", got[1].Line)
	}
	want := clearingfile.Trailer{Count: 5, Totals: []clearingfile.Total{
		{Currency: money.MustCurrency("EUR"), Debit: 3000},
		{Currency: money.MustCurrency("TRY"), Debit: 25100, Credit: 20500},
	}}
	if diff := cmp.Diff(r.Trailer(), want, comparable); diff != "" {
		t.Error(diff)
	}
}

func TestPresentment_creditsByKindAndReversal(t *testing.T) {
	for _, c := range []struct {
		kind     clearingfile.Kind
		reversal bool
		want     bool
	}{
		{clearingfile.Purchase, false, false}, {clearingfile.Purchase, true, true}, {clearingfile.Cash, true, true},
		{clearingfile.Refund, false, true}, {clearingfile.Refund, true, false},
	} {
		p := clearingfile.Presentment{Kind: c.kind, Reversal: c.reversal}
		if got := p.Credits(); got != c.want {
			t.Errorf("%s, reversal %v: got %v, want %v", c.kind, c.reversal, got, c.want)
		}
	}
}

func TestReader_takesLineEndsOfOtherSystemsAndOfNone(t *testing.T) {
	text := file(t, header, presentments(t))
	_, _, r, err := read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.ContentHash(), sha256.Sum256(text); got != want {
		t.Errorf("got %x, want the hash of the file", got)
	}
	for name, variant := range map[string][]byte{
		"CRLF":        bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"no last end": bytes.TrimSuffix(text, []byte("\n")),
	} {
		_, ps, other, err := read(bytes.NewReader(variant))
		if err != nil || len(ps) != 5 {
			t.Fatalf("%s: %v", name, err)
		}
		if other.ContentHash() != r.ContentHash() {
			t.Errorf("%s: the same content has another hash", name)
		}
	}
}

func TestReader_refusesWhatIsNotExactlyTheFormat(t *testing.T) {
	text := string(file(t, header, presentments(t)))
	lines := strings.SplitAfter(text, "\n")
	long := strings.Replace(text, "Bakkal & Son", strings.Repeat("x", 17_000), 1)
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
		problem    clearingfile.Problem
	}{
		{"empty", "", 1, "", clearingfile.NotJSON},
		{"no header", strings.Join(lines[1:], ""), 1, "type", clearingfile.UnknownType},
		{"two headers", lines[0] + text, 2, "type", clearingfile.UnknownType},
		{"another version", edit(`"version":1`, `"version":2`), 1, "format", clearingfile.WrongFormat},
		{"another format", edit(`sarraf-clearing`, `ipm`), 1, "format", clearingfile.WrongFormat},
		{"no network", edit(`"network":"closed-loop",`, ``), 1, "network", clearingfile.Missing},
		{"a date that does not exist", edit(`"businessDate":"2026-11-21"`, `"businessDate":"2026-02-30"`), 1, "businessDate", clearingfile.WrongValue},
		{"unknown member", edit(`"kind":"purchase"`, `"kind":"purchase","note":"x"`), 2, "?", clearingfile.UnknownMember},
		{"another case", edit(`"arn":`, `"ARN":`), 2, "?", clearingfile.UnknownMember},
		{"unknown member inside", edit(`"minor":12550`, `"minor":12550,"scale":2`), 2, "transactionAmount.?", clearingfile.UnknownMember},
		{"member twice", edit(`"kind":"purchase"`, `"kind":"purchase","kind":"cash"`), 2, "kind", clearingfile.Repeated},
		{"member twice inside", edit(`"minor":12550`, `"minor":12550,"minor":1`), 2, "transactionAmount.minor", clearingfile.Repeated},
		{"null", edit(`"rrn":"632513000123"`, `"rrn":null`), 2, "rrn", clearingfile.WrongValue},
		{"empty text", edit(`"rrn":"632513000123"`, `"rrn":""`), 2, "rrn", clearingfile.WrongValue},
		{"number as text", edit(`"minor":12550`, `"minor":"12550"`), 2, "transactionAmount.minor", clearingfile.WrongType},
		{"fraction", edit(`"minor":12550`, `"minor":12550.5`), 2, "transactionAmount.minor", clearingfile.WrongType},
		{"exponent", edit(`"minor":12550`, `"minor":1e3`), 2, "transactionAmount.minor", clearingfile.WrongType},
		{"negative", edit(`"minor":12550`, `"minor":-12550`), 2, "transactionAmount.minor", clearingfile.WrongValue},
		{"zero", edit(`"minor":12550`, `"minor":0`), 2, "transactionAmount.minor", clearingfile.WrongValue},
		{"too much", edit(`"minor":12550`, `"minor":1000000000000001`), 2, "transactionAmount.minor", clearingfile.WrongValue},
		{"unknown currency", edit(`"currency":"TRY"`, `"currency":"XQX"`), 2, "transactionAmount.currency", clearingfile.WrongValue},
		{"object as text", edit(`"merchant":{"name":"Bakkal & Son","city":"Ankara","country":"TR"}`, `"merchant":"x"`), 2, "merchant", clearingfile.WrongType},
		{"text as object", edit(`"kind":"purchase"`, `"kind":{"a":1}`), 2, "kind", clearingfile.WrongType},
		{"short card number", edit(`"pan":"`+card, `"pan":"97920677777`), 2, "pan", clearingfile.WrongValue},
		{"card number in a name", edit(`Bakkal & Son`, `Bakkal `+card), 2, "merchant.name", clearingfile.CardNumber},
		{"no card number", edit(`"pan":"`+card+`",`, ``), 2, "pan", clearingfile.Missing},
		{"unknown kind", edit(`"kind":"purchase"`, `"kind":"barter"`), 2, "kind", clearingfile.WrongValue},
		{"short reference", edit(`"arn":"75412346001000000000018"`, `"arn":"7541"`), 2, "arn", clearingfile.WrongValue},
		{"time with zone", edit(`16:05:01"`, `16:05:01Z"`), 2, "localDateTime", clearingfile.WrongValue},
		{"second of none", edit(`"sequence":{"number":1,"count":2}`, `"sequence":{"number":3,"count":2}`), 3, "sequence", clearingfile.WrongValue},
		{"two objects in a line", edit("\n", "{}\n"), 1, "", clearingfile.NotJSON},
		{"an array", edit(lines[1], "[1]\n"), 2, "", clearingfile.NotJSON},
		{"an empty line", edit(lines[1], "\n"+lines[1]), 2, "", clearingfile.NotJSON},
		{"bytes that are no text", edit(`Ankara`, "Ank\xffra"), 2, "", clearingfile.NotJSON},
		{"a line too long", long, 2, "", clearingfile.TooLong},
		{"no trailer", strings.Join(lines[:6], ""), 6, "", clearingfile.NoTrailer},
		{"cut inside a line", text[:len(text)-10], 7, "", clearingfile.NotJSON},
		{"something after the trailer", text + lines[6], 8, "", clearingfile.AfterTrailer},
		{"an empty line after the trailer", text + "\n", 8, "", clearingfile.AfterTrailer},
		{"a record less", strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), 6, "count", clearingfile.WrongCount},
		{"a wrong sum", edit(`"debit":25100`, `"debit":25101`), 7, "totals", clearingfile.WrongTotal},
		{"a currency less", edit(`{"currency":"EUR","debit":3000,"credit":0},`, ``), 7, "totals", clearingfile.WrongTotal},
		{"a currency more", edit(`"totals":[`, `"totals":[{"currency":"USD","debit":0,"credit":0},`), 7, "totals", clearingfile.WrongTotal},
		{"a currency twice", edit(`"totals":[`, `"totals":[{"currency":"EUR","debit":3000,"credit":0},`), 7, "totals", clearingfile.Repeated},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, r, err := read(strings.NewReader(c.text))
			want := clearingfile.FormatError{Line: c.line, Member: c.member, Problem: c.problem}
			var fe *clearingfile.FormatError
			if !errors.As(err, &fe) || *fe != want {
				t.Fatalf("got %v, want %v", err, &want)
			}
			if r != nil {
				if _, again := r.Next(); again != err {
					t.Errorf("after %v the reader goes on with %v", err, again)
				}
				if r.Trailer().Count != 0 {
					t.Error("a broken file has a trailer")
				}
			}
		})
	}
}

func TestReader_tellsABrokenStreamFromABrokenFile(t *testing.T) {
	broken := errors.New("disk")
	_, _, _, err := read(io.MultiReader(bytes.NewReader(file(t, header, presentments(t))[:600]), errReader{broken}))
	var fe *clearingfile.FormatError
	if !errors.Is(err, broken) || errors.As(err, &fe) {
		t.Errorf("got %v, want the error of the stream", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestErrors_neverQuoteAFile(t *testing.T) {
	text := file(t, header, presentments(t)[:1])
	for i := range text {
		for _, c := range []byte{'"', '7', '{', 'x', 0xFF} {
			b := append([]byte(nil), text...)
			b[i] = c
			if _, _, _, err := read(bytes.NewReader(b)); err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), "777") {
				t.Fatalf("shown: %v", err)
			}
		}
	}
	if out := fmt.Sprintf("%v %+v %#v", presentments(t)[0], presentments(t)[0], presentments(t)[0]); strings.Contains(out, "777777") {
		t.Errorf("a presentment shows its card number")
	}
}

func TestWriter_refusesWhatNoReaderTakes(t *testing.T) {
	var b bytes.Buffer
	if _, err := clearingfile.NewWriter(&b, clearingfile.Header{Network: "a b"}); err == nil || b.Len() > 0 {
		t.Errorf("a header with a space in its network is written: %v", err)
	}
	w, err := clearingfile.NewWriter(&b, header)
	if err != nil {
		t.Fatal(err)
	}
	before := b.Len()
	bad := presentments(t)[0]
	bad.MCC = "54"
	var fe *clearingfile.FormatError
	if err := w.Write(&bad); !errors.As(err, &fe) || fe.Line != 2 || fe.Member != "mcc" || b.Len() != before {
		t.Errorf("got %v and %d bytes, want mcc refused and none", err, b.Len()-before)
	}
	if err := w.Write(&presentments(t)[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ps, _, err := read(&b); err != nil || len(ps) != 1 {
		t.Errorf("got %d presentments and %v, want one", len(ps), err)
	}
}

func TestReader_holdsOneLineAtATime(t *testing.T) {
	// The pipe never holds more than a line; the file is about 10 MB.
	count := 20_000
	if testing.Short() {
		count = 2_000
	}
	p := presentments(t)[0]
	pr, pw := io.Pipe()
	go func() {
		w, err := clearingfile.NewWriter(pw, header)
		for i := 0; i < count && err == nil; i++ {
			err = w.Write(&p)
		}
		if err == nil {
			err = w.Close()
		}
		pw.CloseWithError(err)
	}()
	r, err := clearingfile.NewReader(pr)
	n := 0
	for err == nil {
		if _, err = r.Next(); err == nil {
			n++
		}
	}
	if err != io.EOF || n != count {
		t.Errorf("got %d presentments and %v, want %d", n, err, count)
	}
}

func TestFile_readsBackEveryPresentment(t *testing.T) {
	p := number(t)
	rapid.Check(t, func(t *rapid.T) {
		var ps []clearingfile.Presentment
		for range rapid.IntRange(0, 8).Draw(t, "count") {
			count := rapid.IntRange(1, 99).Draw(t, "of")
			ps = append(ps, clearingfile.Presentment{
				Kind:        rapid.SampledFrom([]clearingfile.Kind{clearingfile.Purchase, clearingfile.Cash, clearingfile.Refund}).Draw(t, "kind"),
				Function:    rapid.SampledFrom([]clearingfile.Function{clearingfile.FirstPresentment, clearingfile.SecondPresentment, clearingfile.PartialRepresentment}).Draw(t, "function"),
				Reversal:    rapid.Bool().Draw(t, "reversal"),
				PAN:         p,
				ARN:         rapid.StringMatching(`[0-9]{23}`).Draw(t, "arn"),
				Transaction: money.Must(rapid.Int64Range(1, 1_000_000_000_000_000).Draw(t, "minor"), rapid.SampledFrom([]string{"TRY", "EUR", "JPY", "KWD"}).Draw(t, "currency")),
				RRN:         rapid.StringMatching(`[0-9A-Z]{0,12}`).Draw(t, "rrn"),
				MCC:         rapid.StringMatching(`[0-9]{4}`).Draw(t, "mcc"), MerchantName: rapid.StringMatching(`[A-Za-z<>&"\\ÇĞİÖŞÜ]{0,40}`).Draw(t, "name"),
				LocalDateTime:  time.Date(2026, 1, 1, 0, 0, rapid.IntRange(0, 31_000_000).Draw(t, "second"), 0, time.UTC),
				SequenceNumber: rapid.IntRange(1, count).Draw(t, "number"), SequenceCount: count, Final: rapid.Bool().Draw(t, "final"),
			})
		}
		var b bytes.Buffer
		w, err := clearingfile.NewWriter(&b, header)
		for i := 0; i < len(ps) && err == nil; i++ {
			err = w.Write(&ps[i])
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, got, _, err := read(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, ps, comparable, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(clearingfile.Presentment{}, "Line")); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestARN_hasTheDayAndALuhnDigit(t *testing.T) {
	got, err := clearingfile.ARN("541234", clock.Date{Year: 2026, Month: 1, Day: 1}, 0)
	if want := "7541234600100000000000"; err != nil || got[:22] != want || !pan.ValidLuhn(got) {
		t.Errorf("got %s %v, want %s and its digit", got, err, want)
	}
	if _, err := clearingfile.ARN("54123x", clock.Date{Year: 2026, Month: 1, Day: 1}, 0); err == nil {
		t.Error("a letter is taken for a digit")
	}
}

func FuzzReader(f *testing.F) {
	text := file(f, header, presentments(f))
	f.Add(text)
	f.Add(file(f, header, nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, ps, r, err := read(bytes.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		w, err := clearingfile.NewWriter(&b, h)
		for i := 0; i < len(ps) && err == nil; i++ {
			err = w.Write(&ps[i])
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		_, again, other, err := read(&b)
		if diff := cmp.Diff(again, ps, comparable); diff != "" || err != nil {
			t.Fatalf("%v %s", err, diff)
		}
		if diff := cmp.Diff(other.Trailer().Count, r.Trailer().Count); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	text := file(b, header, presentments(b))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, _, err := read(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
