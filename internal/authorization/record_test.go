package authorization

import (
	"bytes"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A record must give back what it was made from, or decisions could not be made
// again.
func TestRecord_readsBackWhatItWrote(t *testing.T) {
	text := rapid.StringMatching(`[ -~\n\\]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		amount := func(name string) money.Amount {
			return money.Must(rapid.Int64Range(0, 1e12).Draw(t, name), rapid.SampledFrom([]string{"TRY", "JPY", "KWD"}).Draw(t, name))
		}
		var r record
		r.Request.Flow = AuthorizationRequest
		r.Request.MerchantName = text.Draw(t, "name")
		r.Request.STAN = text.Draw(t, "stan")
		r.Request.Amount = amount("amount")
		if rapid.Bool().Draw(t, "chip") {
			r.Request.Chip = &Chip{CID: rapid.Byte().Draw(t, "cid"), IAD: rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "iad"), AID: rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "aid")}
		}
		if rapid.Bool().Draw(t, "original") {
			r.Request.Original = &Key{Link: text.Draw(t, "link"), Class: 1, STAN: "000001"}
		}
		if rapid.Bool().Draw(t, "replacement") {
			a := amount("replacement")
			r.Request.Replacement = &a
		}
		r.Facts.Billing = amount("billing")
		r.Facts.Card.Found = rapid.Bool().Draw(t, "found")
		r.Facts.Product.ContactlessLimit = rapid.Int64Range(-1, 1e9).Draw(t, "limit")
		r.Facts.PIN = rapid.SampledFrom([]Result{NotPresent, Match, NoMatch}).Draw(t, "pin")
		r.State.Posted = amount("posted")
		r.State.Card.ATC = rapid.IntRange(-1, 65535).Draw(t, "atc")
		r.State.Card.Tap = text.Draw(t, "tap")
		if rapid.Bool().Draw(t, "client") {
			r.Facts.Client.Mode, r.Facts.Client.Names.IssuanceNo = "External", text.Draw(t, "issuance")
			r.State.Verdict = Verdict{Hearing: Answered, Approved: rapid.Bool().Draw(t, "approved"), Reference: text.Draw(t, "reference")}
			a := amount("part")
			r.State.Verdict.ApprovedAmount, r.State.Verdict.Spare = &a, amount("spare")
		}
		if rapid.Bool().Draw(t, "limit") {
			v := VelocityFacts{Code: text.Draw(t, "code"), Version: 2, Counts: true, Counter: text.Draw(t, "counter"), ResponseCode: text.Draw(t, "response")}
			a := amount("requested")
			r.Facts.Card.Issuance = id.New[issuing.Issuance](clock.FromMicros(1))
			v.Subject = rapid.SampledFrom([]string{"", r.Facts.Card.Issuance.String(), "cust_1"}).Draw(t, "subject")
			v.Amount, v.AlertPercent = &a, rapid.IntRange(0, 100).Draw(t, "percent")
			r.Facts.Velocity, r.State.Velocity = []VelocityFacts{v, {}}, []VelocityState{{Amount: 1}, {Count: rapid.Int64().Draw(t, "used")}}
			r.Facts.Controls = []ControlFacts{{Code: text.Draw(t, "control"), ReasonText: text.Draw(t, "reason")}}
		}
		again, err := parseRecord(r.String())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := again.String(), r.String(); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if len(r.Facts.Velocity) > 0 {
			if got, want := again, &r; !reflect.DeepEqual(got.Facts.Velocity, want.Facts.Velocity) ||
				!reflect.DeepEqual(got.State.Velocity, want.State.Velocity) || !reflect.DeepEqual(got.Facts.Controls, want.Facts.Controls) {
				t.Fatalf("controls differ in\n%s", again.String())
			}
		}
		if again.State.Verdict.Reference != r.State.Verdict.Reference || again.State.Verdict.Hearing != r.State.Verdict.Hearing {
			t.Fatal("verdicts differ")
		}
		if h := r.Request.Chip; h != nil && !bytes.Equal(h.AID, again.Request.Chip.AID) {
			t.Fatal("the application differs")
		}
		if again.Request.MerchantName != r.Request.MerchantName || again.Request.Amount != r.Request.Amount {
			t.Fatal("members differ")
		}
	})
}

// Who waits for a decision may look at it while its record is written: that is for
// the race detector.
func TestRecord_changesNothingWhenItIsWritten(t *testing.T) {
	r := record{}
	r.Request.Amount, r.Facts.Billing = money.Must(1, "TRY"), money.Must(1, "TRY")
	r.Request.Chip, r.Request.Original = &Chip{IAD: []byte{6}}, &Key{STAN: "000001"}
	r.Facts.Card.Issuance = id.New[issuing.Issuance](clock.FromMicros(1))
	own := r.Facts.Card.Issuance.String()
	r.Facts.Velocity, r.State.Velocity = []VelocityFacts{{Code: "V", Subject: own}}, []VelocityState{{}}
	r.Facts.Fees, r.State.Fees = []FeeFacts{{Subject: own}}, []FeeState{{}}
	r.Facts.Controls = []ControlFacts{{Code: "A"}}
	var others sync.WaitGroup
	for range 2 {
		others.Go(func() {
			copied := r
			_ = copied.String()
		})
	}
	others.Wait()
}

func TestRecord_refusesAnUnknownVersion(t *testing.T) {
	if _, err := parseRecord("version=9\n"); err == nil {
		t.Error("a record of a version that does not exist yet was read")
	}
	if _, err := parseRecord("version"); err == nil {
		t.Error("a line without a value was read")
	}
}

// What a part compared that passed is not stored: it follows from the record.
func TestTrace_readsBackWhatItWrote(t *testing.T) {
	want := Trace{
		{Name: "Card", Outcome: Pass},
		{Name: "Velocity", Outcome: Fail, Reason: VelocityCount, Subject: "B", Detail: "B: 3 + 1 > 3", Parts: []Check{
			{Outcome: Pass, Subject: "A", Detail: "1 + 1 <= 3", Inputs: []Input{{"used", "1"}, {"limit", "3"}}},
			{Outcome: Fail, Reason: VelocityCount, Subject: "B", Detail: "B: 3 + 1 > 3", Inputs: []Input{{"used", "3"}, {"limit", "3"}}},
		}},
		{Name: "Balance", Outcome: Fail, Reason: InsufficientFunds, Detail: "10.00 of 5.00 | rest", Inputs: []Input{{"a=b", `|\p`}, {"", "\n="}}},
	}
	got, err := ParseTrace(want.String())
	want[1].Parts[0] = Check{Outcome: Pass, Subject: "A"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func FuzzParseRecord(f *testing.F) {
	r := record{}
	r.Request.Amount, r.Facts.Billing = money.Must(1, "TRY"), money.Must(1, "TRY")
	f.Add(r.String())
	f.Add("version=5\namount=9 XXX\n")
	f.Add("version=5\nchip=zz|80\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if again, err := parseRecord(r.String()); err != nil || again.String() != r.String() {
			t.Errorf("not stable: %v", err)
		}
	})
}

func FuzzParseTrace(f *testing.F) {
	f.Add("Card|Pass|||\n")
	f.Add("Velocity|Fail|VelocityCount|B|B: 3 + 1 > 3\n+|Pass||A|1 + 1 <= 3|used=1|limit=3\n+|Fail|VelocityCount|B|\n")
	f.Add("Balance|Pass|||10.00 of 5.00 \\p rest|a\\eb=\\n\n")
	f.Add("+|Pass|||\n")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ParseTrace(text)
		if err != nil {
			return
		}
		if again, err := ParseTrace(trace.String()); err != nil || again.String() != trace.String() {
			t.Errorf("not stable: %v", err)
		}
	})
}

func FuzzParseClientMessage(f *testing.F) {
	m := ClientMessage{Type: ReversalMessage}
	m.Transaction.Amount, m.Transaction.Billing = money.Must(1, "TRY"), money.Must(1, "TRY")
	m.Names.IssuanceNo = "9000000000000017"
	f.Add([]byte(m.String()))
	f.Add([]byte("message.type=Advice\nid=zz\n"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseClientMessage(payload)
		if err != nil {
			return
		}
		if again, err := ParseClientMessage([]byte(m.String())); err != nil || again.String() != m.String() {
			t.Errorf("not stable: %v", err)
		}
	})
}

// The window accepts each counter once, in any order within 63, and nothing
// older.
func TestAcceptATC_acceptsEachCounterOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &Decision{}
		d.Card.ATC = -1
		used, last := map[int]bool{}, -1
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			atc := rapid.IntRange(max(0, last-80), min(65535, last+80)).Draw(t, "atc")
			want := !used[atc] && (atc > last || last-atc <= 63)
			if got := d.acceptATC(atc); got != want {
				t.Fatalf("ATC %d after %d: got %v, want %v", atc, last, got, want)
			}
			if want {
				used[atc] = true
				last = max(last, atc)
			}
		}
	})
}

// No table that maps reasons may forget one, and each reason must be what the
// contract spells.
func TestReasons_areDistinctWords(t *testing.T) {
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if r == "" || seen[r] || strings.ContainsAny(string(r), " |=\n") {
			t.Errorf("reason %q is empty, repeated or not a word", r)
		}
		seen[r] = true
	}
}
