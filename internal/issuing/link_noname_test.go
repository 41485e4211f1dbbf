package issuing

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// addHolder adds another customer who may have a card.
func (w *cardWorld) addHolder(t testing.TB, no string, change ...func(*customer.Customer)) {
	t.Helper()
	u := customer.Customer{
		No: no, Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile: customer.Profile{
			Name: "Can", Surname: "Demir", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12}, Nationality: country.Must("DE"), Language: "en",
		},
		Identifications: []customer.Identification{{Type: customer.Passport, Number: "U12345" + no, IssuingCountry: country.Must("DE")}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321112233", IsPreferred: true}},
	}
	for _, f := range change {
		f(&u)
	}
	if _, err := w.customers.Create(t.Context(), w.caller, u); err != nil {
		t.Fatalf("create customer: %v", err)
	}
}

// read is a link with everything that was read off the card.
func (w *cardWorld) read(t testing.TB, n NonameCard, customerNo string) NonameLink {
	t.Helper()
	clear := w.reveal(t, n.Card.Token)
	return NonameLink{
		CardToken: n.Card.Token, CustomerNo: customerNo, Expires: n.Card.Expires, Activate: true,
		CVV2: Sensitive{Member: "encryptedCvv2", Clear: clear.CVV2},
	}
}

func (w *cardWorld) link(t testing.TB, n NonameCard, customerNo string) IssuedCard {
	t.Helper()
	out, err := w.LinkNoname(t.Context(), w.caller, NonameLink{CardToken: n.Card.Token, CustomerNo: customerNo, Check: CheckNone, Activate: true})
	if err != nil {
		t.Fatalf("link: %v", err)
	}
	return out
}

func (w *cardWorld) unlink(t testing.TB, n NonameCard) error {
	t.Helper()
	_, err := w.UnlinkNoname(t.Context(), w.caller, NonameUnlink{CardToken: n.Card.Token, Reason: "returned"})
	return err
}

// other is a value of the same length that is not v.
func other(v secret.Value) secret.Value {
	digits := []byte(string(v.Reveal()))
	digits[0] = '0' + (digits[0]-'0'+1)%10
	return secret.FromString(string(digits))
}

func TestLinkNoname_countsWhatIsWrong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN)
		card := w.makeNonames(t, 1).Cards[0]
		right := w.read(t, card, "1")
		spoiled := []func(*NonameLink){
			func(l *NonameLink) { l.CVV2.Clear = other(l.CVV2.Clear) },
			func(l *NonameLink) { l.Expires.Month = l.Expires.Month%12 + 1 },
		}
		for i, spoil := range spoiled {
			wrong := right
			spoil(&wrong)
			_, err := w.LinkNoname(t.Context(), w.caller, wrong)
			if f := wantCode(t, err, errCardVerification.Code); f.Params["remainingTries"] != 2-i {
				t.Errorf("try %d: %v", i+1, f.Params)
			}
		}
		// Who knows the expiry alone wins no tries by it.
		expiry := right
		expiry.Check, expiry.CustomerNo = CheckExpiry, "none"
		_, err := w.LinkNoname(t.Context(), w.caller, expiry)
		wantCode(t, err, "customer_not_found")
		wrong := right
		wrong.Check, wrong.LastFour, wrong.Barcode = CheckLastFourAndBarcode, card.Card.LastFour, newBarcode()
		_, err = w.LinkNoname(t.Context(), w.caller, wrong)
		wantCode(t, err, errCardVerification.Code)
		_, err = w.LinkNoname(t.Context(), w.caller, right)
		wantCode(t, err, errCVV2Blocked.Code)
		if _, err := w.ResetCVV2(t.Context(), w.caller, card.Card.Token, 0, ""); err != nil {
			t.Fatal(err)
		}
		out, err := w.LinkNoname(t.Context(), w.caller, right)
		if err != nil || out.Card.Status != Active || out.Customer == nil || out.Customer.No != "1" {
			t.Fatalf("got %s: %v", out.Card.Status, err)
		}
	})
}

func TestLinkNoname_refuses(t *testing.T) {
	w := newNonameWorld(t, dbtest.SQLite(t), 1000, program.RandomPAN, func(p *program.Product) { p.MinKYCLevel, p.MinAge = customer.KYCVerified, 18 })
	cards := w.makeNonames(t, 4).Cards
	w.addHolder(t, "301", func(u *customer.Customer) { u.BirthDate = clock.Date{Year: 2015, Month: 1, Day: 1} })
	w.addHolder(t, "302", func(u *customer.Customer) { u.KYCLevel = customer.KYCNone })
	w.addHolder(t, "200")
	link := func(n NonameCard, no string, change ...func(*NonameLink)) error {
		in := w.read(t, n, no)
		for _, f := range change {
			f(&in)
		}
		_, err := w.LinkNoname(t.Context(), w.caller, in)
		return err
	}
	wantCode(t, link(cards[0], "301"), errAge.Code)
	wantCode(t, link(cards[0], "302"), errKYC.Code)
	wantCode(t, link(cards[0], "303"), "customer_not_found")
	w.link(t, cards[0], "1")
	wantCode(t, link(cards[0], "200"), errCardLinked.Code)
	wantCode(t, link(cards[1], "1"), errMaxCards.Code)
	w.forceStatus(t, cards[2].Card, Blocked)
	wantCode(t, link(cards[2], "200"), errStatusNotSuitable.Code)
	wantCode(t, link(NonameCard{Card: w.issue(t).Card}, "200"), errCardNotNoname.Code)
	// A card that stays closed until its holder opens it.
	if err := link(cards[3], "200", func(l *NonameLink) { l.Activate = false }); err != nil {
		t.Fatal(err)
	}
	if card, _, err := w.cardOf(t, cards[3]); err != nil || card.Status != Pending {
		t.Errorf("not activated: %s, %v", card.Status, err)
	}
}

func TestLinkNoname_onceHoweverManyTry(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN)
		cards := w.makeNonames(t, 5).Cards
		const holders = 4
		for i := range holders {
			w.addHolder(t, fmt.Sprint(100+i))
		}
		race := func(tries int, try func(i int) error) (won int, lost []error) {
			var mu sync.Mutex
			var running sync.WaitGroup
			for i := range tries {
				running.Go(func() {
					err := try(i)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won++
					} else {
						lost = append(lost, err)
					}
				})
			}
			running.Wait()
			return won, lost
		}
		// One card, many customers.
		won, lost := race(holders, func(i int) error {
			_, err := w.LinkNoname(t.Context(), w.caller, NonameLink{CardToken: cards[0].Card.Token, CustomerNo: fmt.Sprint(100 + i), Check: CheckNone})
			return err
		})
		if won != 1 {
			t.Errorf("%d customers have the card", won)
		}
		for _, err := range lost {
			wantCode(t, err, errCardLinked.Code)
		}
		// One customer, many cards, of which one is allowed.
		won, lost = race(4, func(i int) error {
			_, err := w.LinkNoname(t.Context(), w.caller, NonameLink{CardToken: cards[i+1].Card.Token, CustomerNo: "1", Check: CheckNone})
			return err
		})
		if won != 1 {
			t.Errorf("the customer has %d cards of one", won)
		}
		for _, err := range lost {
			wantCode(t, err, errMaxCards.Code)
		}
	})
}

// load puts money onto an account.
func (w *cardWorld) load(t testing.TB, accountNo string, minor int64, side ledger.Side, reference string) error {
	t.Helper()
	_, err := ledger.New(w.DB, w.clock).Adjust(t.Context(), w.caller, ledger.Adjustment{
		AccountNo: accountNo, Side: side, Amount: money.Must(minor, "TRY"), Description: "load", Reference: reference,
	})
	return err
}

func TestUnlinkNoname_givesTheCardBackAsItWas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN, func(p *program.Product) {
			p.Policies = []program.Policy{{Type: program.PolicyInternationalPOS, IsAllowed: false}}
		})
		w.addHolder(t, "200")
		card := w.makeNonames(t, 1).Cards[0]
		if err := w.load(t, card.IssuanceNo, 5000, ledger.Credit, "gift"); err != nil { // while nobody's
			t.Fatal(err)
		}
		wantCode(t, w.unlink(t, card), errCardNotLinked.Code)
		linked, err := w.LinkNoname(t.Context(), w.caller, NonameLink{
			CardToken: card.Card.Token, CustomerNo: "1", Check: CheckNone, Activate: true, AccountNo: "WALLET-1",
			Policies: []program.Policy{{Type: program.PolicyInternationalPOS, IsAllowed: true}},
		})
		if err != nil || linked.Issuance.AccountNo != "WALLET-1" || !strings.HasPrefix(linked.Issuance.PhoneNumber, "+90") {
			t.Fatalf("got account %s, phone %s: %v", linked.Issuance.AccountNo, linked.Issuance.PhoneNumber, err)
		}
		if _, err := w.SetPIN(t.Context(), w.caller, card.Card.Token, w.aPIN(card), false, ""); err != nil {
			t.Fatal(err)
		}
		wantCode(t, w.unlink(t, card), errUnlinkBalance.Code) // the gift is the customer's now
		if err := w.load(t, "WALLET-1", 5000, ledger.Debit, "spent"); err != nil {
			t.Fatal(err)
		}
		if err := w.unlink(t, card); err != nil {
			t.Fatal(err)
		}
		got, issuance, err := w.cardOf(t, card)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != Pending || got.Reason != NonameUnlinked || got.PINStatus != PINNotSet || !got.PIN.IsZero() || !issuance.Customer.IsZero() ||
			len(issuance.sealedPhone) != 0 || issuance.AccountNo != issuance.No || len(issuance.Policies) != 1 || issuance.Policies[0].IsAllowed {
			t.Errorf("got %+v %s %s", got.StatusChange, got.PINStatus, issuance.AccountNo)
		}
		again := w.link(t, card, "200")
		if again.Card.Status != Active || again.Issuance.AccountNo != issuance.No {
			t.Errorf("linked again: %s on %s", again.Card.Status, again.Issuance.AccountNo)
		}
		// A second unlinking finds the name of the account taken, by the card's
		// former one.
		if err := w.unlink(t, card); err != nil {
			t.Fatal(err)
		}
		if _, issuance, _ = w.cardOf(t, card); issuance.AccountNo != issuance.No+"-2" {
			t.Errorf("the account is %s", issuance.AccountNo)
		}
	})
}

// What a card waited for was wished for its former customer.
func TestUnlinkNoname_dropsWhatTheCardWaitedFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN)
		w.addHolder(t, "200")
		card := w.makeNonames(t, 1).Cards[0]
		w.link(t, card, "1")
		due := w.clock.Now().Add(time.Hour)
		if _, err := w.ChangeStatus(t.Context(), w.caller, card.Card.Token, NewStatus{
			Status: Lost, Reason: LostReported, EffectiveAt: due,
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.unlink(t, card); err != nil {
			t.Fatal(err)
		}
		w.link(t, card, "200")
		w.clock.Advance(2 * time.Hour)
		if _, err := w.CarryOutDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := w.CardDetails(t.Context(), w.caller, card.Card.Token)
		if err != nil || got.Card.Status != Active || got.Schedule != nil {
			t.Errorf("the next customer's card is %s and waits for %v: %v", got.Card.Status, got.Schedule, err)
		}
	})
}

// aPIN is a PIN that this card may have.
func (w *cardWorld) aPIN(n NonameCard) PINInput {
	if n.Card.LastFour == "7392" {
		return clearPIN("8274")
	}
	return clearPIN("7392")
}

// Whoever holds an issuance gets its cards: a link that waits for it has none of
// them, so that the two never wait for each other.
func TestLinkNoname_locksTheIssuanceBeforeItsCards(t *testing.T) {
	w := newNonameWorld(t, dbtest.Postgres(t), 10, program.RandomPAN)
	w.addHolder(t, "2")
	n := w.makeNonames(t, 1).Cards[0]
	linked := make(chan error, 1)
	err := w.DB.InTx(t.Context(), func(tx db.Tx) error {
		if err := db.LockRow(t.Context(), tx, &lockOneIssuance, w.caller.Tenant, n.Card.Issuance.String()); err != nil {
			return err
		}
		go func() {
			_, err := w.LinkNoname(context.Background(), w.caller, NonameLink{CardToken: n.Card.Token, CustomerNo: "2", Check: CheckNone, Activate: true})
			linked <- err
		}()
		time.Sleep(500 * time.Millisecond)
		if err := db.LimitLockWait(t.Context(), tx, 100*time.Millisecond); err != nil {
			return err
		}
		_, err := LockCardStates(t.Context(), tx, []id.ID[Card]{n.Card.ID})
		return err
	})
	if err != nil {
		t.Errorf("the holder of the issuance: %v", err)
	}
	if err := <-linked; err != nil {
		t.Errorf("the link after it: %v", err)
	}
}

func TestLinkNoname_toAnAccountTheCustomerHas(t *testing.T) {
	w := newNonameWorld(t, dbtest.SQLite(t), 1000, program.RandomPAN)
	w.issueWith(t, NewCard{CustomerNo: "1", ProductCode: virtualProduct, AccountNo: "MINE"})
	card := w.makeNonames(t, 1).Cards[0]
	in := NonameLink{CardToken: card.Card.Token, CustomerNo: "1", Check: CheckNone, AccountNo: "MINE", Activate: true}
	if err := w.load(t, card.IssuanceNo, 100, ledger.Credit, "gift"); err != nil {
		t.Fatal(err)
	}
	_, err := w.LinkNoname(t.Context(), w.caller, in)
	wantCode(t, err, errLinkBalance.Code)
	if err := w.load(t, card.IssuanceNo, 100, ledger.Debit, "back"); err != nil {
		t.Fatal(err)
	}
	out, err := w.LinkNoname(t.Context(), w.caller, in)
	if err != nil || out.Issuance.AccountNo != "MINE" {
		t.Fatalf("got %s: %v", out.Issuance.AccountNo, err)
	}
	// What is on the customer's own account holds nothing up.
	if err := w.load(t, "MINE", 700, ledger.Credit, "salary"); err != nil {
		t.Fatal(err)
	}
	if err := w.unlink(t, card); err != nil {
		t.Fatal(err)
	}
	if _, issuance, _ := w.cardOf(t, card); issuance.AccountNo != issuance.No {
		t.Errorf("the account is %s", issuance.AccountNo)
	}
}

func TestUnlinkNoname_refuses(t *testing.T) {
	w := newNonameWorld(t, dbtest.SQLite(t), 1000, program.RandomPAN, func(p *program.Product) { p.MaxCardsPerCustomer, p.MaxChildCards = 0, 1 })
	cards := w.makeNonames(t, 2).Cards
	child := NewCard{CustomerNo: "1", ProductCode: virtualProduct, ParentCardToken: cards[0].Card.Token}
	_, err := w.IssueCard(t.Context(), w.caller, child)
	if f := wantCode(t, err, errParentInvalid.Code); f.Params["condition"] != "customer" {
		t.Errorf("a card without a customer has a child: %v", f.Params)
	}
	w.link(t, cards[0], "1")
	w.issueWith(t, child)
	wantCode(t, w.unlink(t, cards[0]), errUnlinkChildren.Code)
	w.link(t, cards[1], "1")
	for _, s := range []CardStatus{Blocked, Lost, Cancelled} {
		w.forceStatus(t, cards[1].Card, s)
		wantCode(t, w.unlink(t, cards[1]), errStatusNotSuitable.Code)
	}
	wantCode(t, w.unlink(t, NonameCard{Card: w.issue(t).Card}), errCardNotNoname.Code)
	wantCode(t, w.unlink(t, NonameCard{Card: Card{Token: "979206aaaaaa0000"}}), errCardNotFound.Code)
}

func TestCancelUnlinked_afterTheDeadline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonameWorld(t, d, 1000, program.RandomPAN)
		order := w.order(3)
		order.LinkDeadlineDays = 10
		b, err := w.IssueNoname(t.Context(), w.caller, order)
		if err != nil {
			t.Fatal(err)
		}
		w.link(t, b.Cards[0], "1")
		w.clock.Advance(10 * 24 * 3600e9)
		// The deadline holds before the job has run.
		w.addHolder(t, "200")
		_, err = w.LinkNoname(t.Context(), w.caller, NonameLink{CardToken: b.Cards[1].Card.Token, CustomerNo: "200", Check: CheckNone})
		wantCode(t, err, errStatusNotSuitable.Code)
		if n, err := w.CancelUnlinked(t.Context()); err != nil || n != 2 {
			t.Fatalf("%d cancelled: %v", n, err)
		}
		for i, want := range []CardStatus{Active, Cancelled, Cancelled} {
			card, _, err := w.cardOf(t, b.Cards[i])
			if err != nil || card.Status != want {
				t.Errorf("card %d is %s: %v", i, card.Status, err)
			}
			if want == Cancelled && card.Physical.PersoStatus != PersoCancelled {
				t.Errorf("card %d is still made: %s", i, card.Physical.PersoStatus)
			}
		}
		if n, err := w.CancelUnlinked(t.Context()); err != nil || n != 0 {
			t.Errorf("%d cancelled again: %v", n, err)
		}
	})
}

// The range runs dry while a large order is worked on, or its product closes.
func TestWorkNoname_saysWhyCardsAreMissing(t *testing.T) {
	for want, spoil := range map[fault.Code]func(w *cardWorld) error{
		"bin_range_exhausted": func(w *cardWorld) error {
			_, err := w.IssueNoname(t.Context(), w.caller, w.order(700))
			return err
		},
		errProductPassive.Code: func(w *cardWorld) error {
			p, err := w.programs.Product(t.Context(), w.caller, nonameProduct)
			if err != nil {
				return err
			}
			p.Status = program.RecordPassive
			_, err = w.programs.UpdateProduct(t.Context(), w.caller, program.ProductChange{Product: p})
			return err
		},
	} {
		w := newNonameWorld(t, dbtest.SQLite(t), 1500, program.RandomPAN)
		b := w.makeNonames(t, 1100)
		if err := spoil(w); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WorkNoname(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, err := w.NonameBatch(t.Context(), w.caller, b.ID, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if b.Status != BatchCompleted || b.Failure != want || b.Created+b.Failed != 1100 || b.Failed == 0 {
			t.Errorf("got %s, %d made, %d failed for %q, want %q", b.Status, b.Created, b.Failed, b.Failure, want)
		}
		w.checkBatch(t, b)
	}
}
