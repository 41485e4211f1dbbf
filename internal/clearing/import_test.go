package clearing_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

func lira(minor int64) money.Amount { return money.Must(minor, "TRY") }

// pay authorizes a purchase and returns what its merchant knows.
func (w *world) pay(c *authorizationtest.Card, amount money.Amount) payment {
	r := w.Request(c, authorization.AuthorizationRequest, amount)
	return payment{r, w.Authorize(r)}
}

func TestImport_countsOnceHoweverManyBringTheFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card := w.NewCard("100.00")
		f := w.deliver(w.present(w.pay(card, lira(1000)), lira(1000)))
		other := w.deliver(f.records...) // the same record in another file
		errs := make([]error, 6)
		sums := make([]clearing.Summary, len(errs))
		var all sync.WaitGroup
		for i := range errs {
			src := f
			if i%2 == 1 {
				src = other
			}
			all.Go(func() { sums[i], errs[i] = w.clearing.Import(t.Context(), src, clearing.Options{}) })
		}
		all.Wait()
		imported, posted := 0, 0
		for i, err := range errs {
			if err == nil {
				imported++
				posted += sums[i].ByStatus[clearing.Matched]
			} else if known, ok := fault.As(err); !ok || known.Code != clearing.FileSeen || known.Kind != fault.Conflict {
				t.Error(err)
			}
		}
		if imported != 2 || posted != 1 {
			t.Errorf("got %d files imported and %d records posted, want both files and one record", imported, posted)
		}
		if got := w.Balance(card); got.Posted != lira(9000) || !got.Held.IsZero() {
			t.Errorf("got posted %s, held %s", got.Posted, got.Held)
		}
		w.verify()
	})
}

func TestImport_leavesNothingOfAFileThatBreaks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card := w.NewCard("100.00")
		good := w.present(w.pay(card, lira(1000)), lira(1000))
		nobody := good
		nobody.ARN, nobody.PAN = "79999999999999999999999", mustPAN(t, "400000000000000")
		noAmount := good
		noAmount.Transaction = money.Zero(money.MustCurrency("TRY"))
		before := w.everything()
		for name, c := range map[string]struct {
			src  clearing.Source
			code fault.Code
		}{
			"nobody has the BIN of the last card": {w.deliver(good, nobody), clearing.BINUnknown},
			"the last record has no amount":       {w.deliver(good, noAmount), clearing.FileInvalid},
			"the trailer does not agree":          {&breaking{file: w.deliver(good), onRead: 1}, ""},
			"the file breaks while it is posted":  {&breaking{file: w.deliver(good), onRead: 2}, ""},
			"the file changes while it is posted": {&changing{file: w.deliver(good)}, clearing.FileChanged},
		} {
			_, err := w.clearing.Import(t.Context(), c.src, clearing.Options{})
			known, _ := fault.As(err)
			if err == nil || c.code != "" && (known == nil || known.Code != c.code) || c.code == "" && !errors.Is(err, errBroken) {
				t.Errorf("%s: got %v, want %s", name, err, c.code)
			}
			if after := w.everything(); after != before {
				t.Errorf("%s: something changed", name)
			}
		}
		if sum := w.mustImport(w.deliver(good)); sum.ByStatus[clearing.Matched] != 1 {
			t.Errorf("afterwards: got %v, want the record matched", sum.ByStatus)
		}
		w.verify()
	})
}

func TestImport_nameTheLineThatIsNobodys(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	card := w.NewCard("100.00")
	good := w.present(w.pay(card, lira(1000)), lira(1000))
	nobody := good
	nobody.ARN, nobody.PAN = "79999999999999999999999", mustPAN(t, "400000000000000")
	f := w.deliver(good, nobody)
	_, err := w.clearing.Import(t.Context(), f, clearing.Options{})
	if known, ok := fault.As(err); !ok || known.Code != clearing.BINUnknown || known.Params["line"] != 3 {
		t.Errorf("got %v, want line 3 named", err)
	}
	// An operator may say whose it is: then it waits in suspense.
	sum, err := w.clearing.Import(t.Context(), f, clearing.Options{Tenant: w.Caller.Tenant})
	if err != nil || sum.ByStatus[clearing.CardInvalid] != 1 || sum.ByStatus[clearing.Matched] != 1 {
		t.Errorf("got %v and %v, want one matched and one in suspense", sum.ByStatus, err)
	}
	_, err = w.clearing.Import(t.Context(), f, clearing.Options{Tenant: id.New[access.Tenant](authorizationtest.Start)})
	if known, ok := fault.As(err); !ok || known.Code != clearing.TenantNotFound {
		t.Errorf("got %v, want %s", err, clearing.TenantNotFound)
	}
	w.verify()
}

// breaking fails at the end of one of its readings.
type breaking struct {
	*file
	onRead, reads int
}

func (b *breaking) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	f, err := b.file.Read(each)
	if b.reads++; err == nil && b.reads == b.onRead {
		err = errBroken
	}
	return f, err
}

// changing has another content every time it is read.
type changing struct {
	*file
	reads byte
}

func (c *changing) Read(each func(*clearing.Presentment) error) (clearing.File, error) {
	f, err := c.file.Read(each)
	c.reads++
	f.Hash[0] = c.reads
	return f, err
}

func mustPAN(t *testing.T, body string) pan.PAN {
	p, err := pan.Parse(body + string(pan.CheckDigit(body)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Several batches, with parts of one payment in different ones and references
// across them.
func TestImport_postsFilesOfSeveralBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		card := w.NewCard("1000000.00")
		split := w.pay(card, lira(30_000))
		first, last := w.present(split, lira(10_000)), w.present(split, lira(20_000))
		first.Sequence, first.Count, first.Final = 1, 2, false
		last.Sequence, last.Count = 2, 2
		back := w.present(split, lira(500))
		back.Kind, back.OriginalARN = clearing.Refund, first.ARN
		records := []clearing.Presentment{first}
		const forced = 1_100
		for range forced {
			r := w.Request(card, authorization.AuthorizationRequest, lira(100))
			records = append(records, w.present(payment{request: r}, lira(100)))
		}
		undone := records[5]
		undone.Reversal = true
		records = append(records, last, back, undone, records[7])
		sum := w.mustImport(w.deliver(records...))
		want := map[clearing.MatchStatus]int{
			clearing.PartiallyCleared: 1, clearing.Matched: 1, clearing.ForcePost: forced, clearing.RefundMatched: 1,
			clearing.ReversalOfClearing: 1, clearing.Duplicate: 1,
		}
		if got := fmt.Sprint(sum.ByStatus); got != fmt.Sprint(want) {
			t.Errorf("got %s, want %v", got, want)
		}
		if got, want := w.Balance(card).Posted, lira(100_000_000-30_000-forced*100+500+100); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		w.verify()
	})
}

// Whatever is authorized, reversed, expired, presented, refunded and taken back,
// in whatever order: the books balance, an account is what was loaded less what
// its records say, and nothing is held for what is over.
func TestClearing_anySequenceKeepsTheBooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		rapid.Check(t, func(t *rapid.T) {
			card := w.NewCard("1000.00")
			m := &machine{t: t, w: w, card: card, want: 100_000}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				m.step()
			}
			m.clear()
			a := w.Balance(card)
			if a.Posted != lira(m.want) {
				t.Fatalf("posted %s, want %s", a.Posted, lira(m.want))
			}
		})
		w.verify()
	})
}

type machine struct {
	t        *rapid.T
	w        *world
	card     *authorizationtest.Card
	payments []payment
	taken    []bool // which payments moved money by their own message
	done     []clearing.Presentment
	tonight  []clearing.Presentment
	want     int64 // what must be posted
}

func (m *machine) step() {
	amount := lira(rapid.Int64Range(1, 20_000).Draw(m.t, "amount"))
	switch rapid.SampledFrom([]string{"authorize", "authorize", "withdraw", "reverse", "present", "present", "force", "refund", "take back", "clear", "expire"}).Draw(m.t, "do") {
	case "authorize":
		m.payments, m.taken = append(m.payments, m.w.pay(m.card, amount)), append(m.taken, false)
	case "withdraw":
		r := m.w.Request(m.card, authorization.FinancialRequest, amount)
		r.ProcessingCode = "090000" // a purchase with cash-back: no PIN asked
		a := m.w.Authorize(r)
		if a.Reason == authorization.Approved {
			m.want -= amount.Minor()
		}
		m.payments, m.taken = append(m.payments, payment{r, a}), append(m.taken, true)
	case "reverse":
		if i := m.some("payment", len(m.payments)); i >= 0 {
			before := m.w.Balance(m.card).Posted
			m.w.Authorize(m.w.Reversal(m.card, m.payments[i].request, authorization.ReversalAdvice, nil))
			if m.taken[i] { // gives back what it took, at most once
				m.want += m.w.Balance(m.card).Posted.Minor() - before.Minor()
			}
		}
	case "present":
		if i := m.some("payment", len(m.payments)); i >= 0 {
			p := m.w.present(m.payments[i], amount)
			if rapid.Bool().Draw(m.t, "exactly") {
				p.Transaction = m.payments[i].request.Amount
			}
			p.Final = rapid.Bool().Draw(m.t, "final")
			m.tonight = append(m.tonight, p)
		}
	case "force":
		p := m.w.present(payment{request: m.w.Request(m.card, authorization.AuthorizationRequest, amount)}, amount)
		m.tonight = append(m.tonight, p)
	case "refund":
		if i := m.some("record", len(m.done)); i >= 0 {
			p := m.done[i]
			p.OriginalARN = p.ARN
			p.Kind, p.Reversal, p.Transaction = clearing.Refund, false, amount
			m.w.arns++
			p.ARN = fmt.Sprintf("7%022d", m.w.arns)
			m.tonight = append(m.tonight, p)
		}
	case "take back":
		if i := m.some("record", len(m.done)); i >= 0 {
			p := m.done[i]
			p.Reversal = true
			m.tonight = append(m.tonight, p)
		}
	case "clear":
		m.clear()
	case "expire":
		m.w.Clock.Advance(200 * 3_600_000_000_000)
		if _, err := m.w.Engine.Expire(m.w.T.Context()); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *machine) some(what string, n int) int {
	if n == 0 {
		return -1
	}
	return rapid.IntRange(0, n-1).Draw(m.t, what)
}

// clear imports tonight's records and reckons by their fates what must be
// posted.
func (m *machine) clear() {
	f := m.w.deliver(m.tonight...)
	before := m.w.Balance(m.card)
	sum := m.w.mustImport(f)
	var moved int64
	for i, x := range m.w.fates(sum.ID) {
		p := f.records[i]
		if x.posted && !x.transaction.IsZero() {
			amount := p.Transaction.Minor()
			if p.Reversal { // what is taken back is what had been posted, be it by the message
				amount = m.w.transaction(x.transaction).Billing.Minor()
			}
			if (p.Kind == clearing.Refund) == p.Reversal {
				moved -= amount
			} else {
				moved += amount
			}
		}
		if x.status != string(clearing.Duplicate) && !p.Reversal {
			m.done = append(m.done, p)
		}
	}
	after := m.w.Balance(m.card)
	if got := after.Posted.Minor() - before.Posted.Minor(); got != moved {
		m.t.Fatalf("the records moved %d, the account %d", moved, got)
	}
	m.want += moved
	m.tonight = nil
}
