package issuing

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

const nonameProduct = "GIFT"

// newNonameWorld is a cardWorld with a product of noname cards and a range of
// its own for them, so many numbers long.
func newNonameWorld(t testing.TB, d *db.DB, numbers int, how program.PANGeneration, change ...func(*program.Product)) *cardWorld {
	t.Helper()
	w := newCardWorld(t, d)
	_, err := w.programs.CreateRange(t.Context(), w.caller, program.BINRange{
		Code: "NONAME", Name: "Noname", BIN: "979206", Start: "979206500000000", End: fmt.Sprintf("979206%09d", 500_000_000+numbers-1),
		Generation: how, AlertThresholdPercent: 85, Status: program.RecordActive,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := program.NewProduct(nonameProduct)
	p.Name, p.BINRangeCode, p.CardType, p.Currency = "Gift card", "NONAME", program.Prepaid, money.MustCurrency("TRY")
	p.FormFactors, p.ValidityMonths, p.ServiceCode, p.MaxCardsPerCustomer = []program.FormFactor{program.PhysicalNoname, program.Virtual}, 60, "221", 1
	p.Plastics = []program.Plastic{{
		Code: "STD", CardArtCode: "BLUE", PlasticCode: "P01", PersoVendorCode: "BUREAU", EmbossType: program.FlatPrinted,
		Line1MaxLength: 24, Line2MaxLength: 24, IsDefault: true, IsActive: true,
	}}
	for _, f := range change {
		f(&p)
	}
	if _, err := w.programs.CreateProduct(t.Context(), w.caller, p); err != nil {
		t.Fatalf("create product: %v", err)
	}
	return w
}

func (w *cardWorld) order(count int) NewNoname {
	return NewNoname{
		ProductCode: nonameProduct, Count: count, Reference: "SUMMER", EmbossText: "Gift card",
		DeliveryAddress: &customer.Address{
			Type: customer.WorkAddress, Country: country.Must("TR"), CityCode: "34", TownName: "Kadıköy", Lines: [4]string{"Depo 1"},
		},
	}
}

// makeNonames makes count noname cards in one call.
func (w *cardWorld) makeNonames(t testing.TB, count int) NonameBatch {
	t.Helper()
	b, err := w.IssueNoname(t.Context(), w.caller, w.order(count))
	if err != nil {
		t.Fatalf("issue noname cards: %v", err)
	}
	return b
}

// checkBatch wants a batch to have as many cards as it says, each once, and its
// digest to be theirs.
func (w *cardWorld) checkBatch(t testing.TB, b NonameBatch) {
	t.Helper()
	b, err := w.NonameBatch(t.Context(), w.caller, b.ID, 0, NonameCountMax)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Cards) != b.Created {
		t.Fatalf("%d cards, and %d are counted", len(b.Cards), b.Created)
	}
	numbers, tokens, barcodes, digest := map[string]bool{}, map[string]bool{}, map[string]bool{}, ""
	for i, n := range b.Cards {
		card, _, err := w.cardOf(t, n)
		if err != nil {
			t.Fatal(err)
		}
		numbers[w.numberOf(t, card).Reveal()], tokens[n.Card.Token], barcodes[n.Barcode] = true, true, true
		if n.Position != i+1 || len(n.Barcode) != 20 {
			t.Fatalf("card %d has position %d and a barcode of %d digits", i+1, n.Position, len(n.Barcode))
		}
		digest = digestOf(digest, n.IssuanceNo, n.Card.Token, n.Barcode)
	}
	if len(numbers) != b.Created || len(tokens) != b.Created || len(barcodes) != b.Created {
		t.Errorf("%d numbers, %d tokens, %d barcodes of %d cards", len(numbers), len(tokens), len(barcodes), b.Created)
	}
	if digest != b.Digest {
		t.Error("the digest is not that of the cards")
	}
}

func (w *cardWorld) cardOf(t testing.TB, n NonameCard) (Card, Issuance, error) {
	t.Helper()
	var card Card
	var issuance Issuance
	err := w.DB.View(t.Context(), func(tx db.Tx) (err error) {
		if card, _, err = readCardByID(t.Context(), tx, w.tenant.ID, n.Card.ID); err != nil {
			return err
		}
		issuance, _, err = readIssuance(t.Context(), tx, w.tenant.ID, n.Issuance)
		return err
	})
	return card, issuance, err
}

func (w *cardWorld) usedOf(t testing.TB, code string) int64 {
	t.Helper()
	ranges, err := w.programs.Ranges(t.Context(), w.caller, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ranges {
		if r.Code == code {
			return r.UsedCount
		}
	}
	t.Fatalf("there is no range %s", code)
	return 0
}

func TestIssueNoname_makesAFewAtOnce(t *testing.T) {
	for _, how := range []program.PANGeneration{program.RandomPAN, program.SequentialPAN} {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			w := newNonameWorld(t, d, 1000, how)
			b := w.makeNonames(t, 30)
			if b.Status != BatchCompleted || b.Created != 30 || len(b.Cards) != 30 {
				t.Fatalf("got %s, %d made, %d shown", b.Status, b.Created, len(b.Cards))
			}
			w.checkBatch(t, b)
			card, issuance, err := w.cardOf(t, b.Cards[0])
			if err != nil {
				t.Fatal(err)
			}
			if card.Status != Pending || card.EmbossLine1 != "GIFT CARD" || card.Physical.PersoStatus != PersoRequested ||
				!issuance.Customer.IsZero() || issuance.AccountNo != issuance.No || card.FormFactor != program.PhysicalNoname {
				t.Errorf("got %s %q for customer %q", card.Status, card.EmbossLine1, issuance.Customer)
			}
			if used := w.usedOf(t, "NONAME"); used != 30 {
				t.Errorf("%d numbers are counted", used)
			}
			// One card too many for the range: none is made.
			_, err = w.IssueNoname(t.Context(), w.caller, w.order(971))
			wantCode(t, err, "bin_range_exhausted")
			w.checkBatch(t, w.makeNonames(t, 970)) // every number there is
			if used := w.usedOf(t, "NONAME"); used != 1000 {
				t.Errorf("%d numbers are counted", used)
			}
			_, err = w.IssueNoname(t.Context(), w.caller, w.order(1))
			wantCode(t, err, "bin_range_exhausted")
		})
	}
}

func BenchmarkWorkNoname(b *testing.B) {
	for engine, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(engine, func(b *testing.B) {
			w := newNonameWorld(b, open(b), 10_000_000, program.RandomPAN)
			cards := 0
			for b.Loop() {
				w.makeNonames(b, NonameCountMax)
				n, err := w.WorkNoname(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				cards += n
			}
			b.ReportMetric(float64(cards)/b.Elapsed().Seconds(), "cards/s")
		})
	}
}

func TestIssueNoname_refuses(t *testing.T) {
	w := newNonameWorld(t, dbtest.SQLite(t), 100, program.RandomPAN, func(p *program.Product) { p.FormFactors = []program.FormFactor{program.PhysicalNoname} })
	for code, change := range map[string]func(*NewNoname){
		"invalid":                   func(n *NewNoname) { n.Count = 0 },
		"form_factor_not_allowed":   func(n *NewNoname) { n.FormFactor = program.Virtual },
		"delivery_address_required": func(n *NewNoname) { n.DeliveryAddress = nil },
		"invalid_emboss_name":       func(n *NewNoname) { n.EmbossText = "gift €" },
		"product_not_found":         func(n *NewNoname) { n.ProductCode = "NONE" },
		"bin_range_exhausted":       func(n *NewNoname) { n.Count = 101 },
	} {
		in := w.order(1)
		change(&in)
		_, err := w.IssueNoname(t.Context(), w.caller, in)
		if code == "invalid" {
			code = string(errInvalid.Code)
		}
		wantCode(t, err, fault.Code(code))
	}
	if used := w.usedOf(t, "NONAME"); used != 0 {
		t.Errorf("%d numbers are counted after refusals", used)
	}
}

// Several nodes work at one order, and some of them die in the middle: what they
// did not commit is made by another.
func TestWorkNoname_makesEveryCardOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 20_000, program.RandomPAN)
		b := w.makeNonames(t, 2_000)
		if b.Status != BatchProcessing || b.Created != 0 {
			t.Fatalf("got %s with %d cards", b.Status, b.Created)
		}
		for round, done := 1, 0; done < b.Requested; round++ {
			// Leases of nodes that died run out.
			w.clock.Advance(nonameLease + time.Second)
			var running sync.WaitGroup
			for node := range 3 {
				running.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20*round*(node+1))*time.Millisecond)
					defer cancel()
					_, _ = w.WorkNoname(ctx) // a dead node's error is nobody's
				})
			}
			running.Wait()
			now, err := w.NonameBatch(t.Context(), w.caller, b.ID, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			if now.Created < done {
				t.Fatalf("%d cards after %d", now.Created, done)
			}
			done = now.Created + now.Failed
		}
		b, err := w.NonameBatch(t.Context(), w.caller, b.ID, 0, 1)
		if err != nil || b.Status != BatchCompleted || b.Failed != 0 {
			t.Fatalf("got %s, %d failed: %v", b.Status, b.Failed, err)
		}
		w.checkBatch(t, b)
		if used := w.usedOf(t, "NONAME"); used != 2000 {
			t.Errorf("%d numbers are counted", used)
		}
	})
}
