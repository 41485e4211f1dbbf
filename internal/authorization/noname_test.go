package authorization_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// nonames is a world with noname cards and two customers: the first one has a
// card, from whose account noname cards can be made to spend.
type nonames struct {
	*authorizationtest.World
	wallet        *authorizationtest.Card
	first, second string
}

func newNonames(t *testing.T, d *db.DB, cfg authorization.Config) *nonames {
	t.Helper()
	w := &nonames{World: authorizationtest.NewWith(t, d, cfg)}
	w.Issuing.Holds, w.Issuing.Limits = w.Queries, w.Controls
	w.wallet = w.NewCard("100000.00")
	found, err := w.Issuing.Card(t.Context(), w.Caller, w.wallet.Token)
	if err != nil {
		t.Fatal(err)
	}
	w.first = found.Customer.No
	other, err := w.Customers.Create(t.Context(), w.Caller, customer.Customer{
		Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile:         customer.Profile{Name: "Can", Surname: "Demir", BirthDate: clock.Date{Year: 1991, Month: 4, Day: 12}, Nationality: country.Must("DE")},
		Identifications: []customer.Identification{{Type: customer.Passport, Number: "U1234567", IssuingCountry: country.Must("DE")}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321112233"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.second = other.No
	return w
}

// order makes noname cards and returns them as a terminal knows them.
func (w *nonames) order(t *testing.T, n int, change ...func(*issuing.NewNoname)) []*authorizationtest.Card {
	t.Helper()
	in := issuing.NewNoname{ProductCode: "P1", FormFactor: program.Virtual, Count: n, InitialStatus: issuing.Pending}
	for _, f := range change {
		f(&in)
	}
	batch, err := w.Issuing.IssueNoname(t.Context(), w.Caller, in)
	if err != nil {
		t.Fatal(err)
	}
	var cards []*authorizationtest.Card
	for _, made := range batch.Cards {
		c := &authorizationtest.Card{Token: made.Card.Token, AccountNo: made.IssuanceNo, Account: made.Account}
		if c.Clear, err = w.Issuing.RevealCard(t.Context(), w.Caller, c.Token, 0); err != nil {
			t.Fatal(err)
		}
		cards = append(cards, c)
	}
	return cards
}

func (w *nonames) link(ctx context.Context, c *authorizationtest.Card, customerNo, accountNo string) error {
	_, err := w.Issuing.LinkNoname(ctx, w.Caller, issuing.NonameLink{
		CardToken: c.Token, CustomerNo: customerNo, Check: issuing.CheckNone, AccountNo: accountNo, Activate: true,
	})
	return err
}

func (w *nonames) unlink(ctx context.Context, c *authorizationtest.Card) error {
	_, err := w.Issuing.UnlinkNoname(ctx, w.Caller, issuing.NonameUnlink{CardToken: c.Token, Reason: "returned"})
	return err
}

// interrupted is a security module beside which something happens while a CVV2
// is compared: after a request was gathered, and before it is decided.
type interrupted struct {
	*soft.Backend
	meanwhile func()
	once      sync.Once
}

func (m *interrupted) VerifyCardValue(ctx context.Context, k hsm.KeyRef, kind hsm.CardValueKind, in hsm.CardValueInput, got secret.Value) (bool, error) {
	m.once.Do(m.meanwhile)
	return m.Backend.VerifyCardValue(ctx, k, kind, in, got)
}

// decide authorizes a purchase on another node, while meanwhile happens there.
func (w *nonames) decide(t *testing.T, c *authorizationtest.Card, meanwhile func()) authorization.Reason {
	t.Helper()
	codes, err := network.LoadCodes()
	if err != nil {
		t.Fatal(err)
	}
	e := authorization.NewEngine(context.Background(), w.DB, &interrupted{Backend: w.HSM, meanwhile: meanwhile}, w.Programs, w.Issuing, codes,
		w.Clock, slog.New(slog.DiscardHandler), authorizationtest.Nobody{}, w.Config)
	defer e.Close()
	r := w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
	w.WithCVV2(c, r, true)
	a, err := e.Authorize(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a.Reason
}

// TestAuthorize_neverSpendsFromAFormerHoldersAccount: whose a card is, and from
// which account it spends, can change while a request is being gathered.
func TestAuthorize_neverSpendsFromAFormerHoldersAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonames(t, d, authorization.Config{})
		cards := w.order(t, 2)
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do(w.link(t.Context(), cards[0], w.first, w.wallet.AccountNo))
		got := w.decide(t, cards[0], func() {
			do(w.unlink(t.Context(), cards[0]))
			do(w.link(t.Context(), cards[0], w.second, ""))
		})
		if got != authorization.InsufficientFunds {
			t.Errorf("the second customer's empty account: got %s", got)
		}
		if held := w.Balance(w.wallet).Held; !held.IsZero() {
			t.Errorf("%v is held on the first customer's account", held)
		}
		// One that was nobody's and is given an account.
		got = w.decide(t, cards[1], func() { do(w.link(t.Context(), cards[1], w.first, w.wallet.AccountNo)) })
		if got != authorization.Approved {
			t.Errorf("the first customer's account: got %s", got)
		}
		if held := w.Balance(w.wallet).Held; held != money.Must(100, "TRY") {
			t.Errorf("%v is held on it", held)
		}
		w.Verify()
	})
}

// TestAuthorize_racesUnlinking: a card is unlinked, or it has an open hold,
// whichever comes first, and never both.
func TestAuthorize_racesUnlinking(t *testing.T) {
	const rounds, requests = 60, 4
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonames(t, d, authorization.Config{Lanes: 4})
		var nodes [][2]*authorization.Engine // by the size of groups
		for _, size := range groupSizes {
			w.Config.GroupMax = size
			nodes = append(nodes, [2]*authorization.Engine{w.NewEngine(), w.NewEngine()})
		}
		held := money.Zero(money.MustCurrency("TRY"))
		var unlinked, refused int
		for round, c := range w.order(t, rounds) {
			engines := nodes[round%len(nodes)]
			if err := w.link(t.Context(), c, w.first, w.wallet.AccountNo); err != nil {
				t.Fatal(err)
			}
			all := make([]*authorization.Request, requests)
			for i := range all {
				all[i] = w.Request(c, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			}
			var err error
			reasons := make([]authorization.Reason, requests)
			var running sync.WaitGroup
			running.Go(func() {
				time.Sleep(time.Duration(round%12) * 400 * time.Microsecond) // both orders come
				if err = w.unlink(t.Context(), c); err == nil {
					if err := w.link(t.Context(), c, w.second, ""); err != nil {
						t.Error(err)
					}
				}
			})
			for i := range all {
				running.Go(func() {
					time.Sleep(time.Duration(round%3)*3*time.Millisecond + time.Duration(i)*time.Millisecond)
					a, err := engines[i%2].Authorize(t.Context(), all[i])
					if err != nil {
						t.Error(err)
					}
					reasons[i] = a.Reason
				})
			}
			running.Wait()
			var approved int64
			for _, r := range reasons {
				switch r {
				case authorization.Approved:
					approved++
				case authorization.CardNotActivated, authorization.InsufficientFunds:
				default:
					t.Errorf("got %s", r)
				}
			}
			refusal, _ := fault.As(err)
			switch {
			case err == nil && approved == 0:
				unlinked++
			case refusal != nil && refusal.Code == "unlink_blocked_by_open_transactions" && approved == requests:
				refused++
			default:
				t.Fatalf("round %d: unlinking says %v, and the requests %v", round, err, reasons)
			}
			if held, err = held.Add(money.Must(100*approved, "TRY")); err != nil {
				t.Fatal(err)
			}
			if got := w.Balance(w.wallet).Held; got != held {
				t.Fatalf("round %d: %v is held on the account, and %v was approved", round, got, held)
			}
		}
		t.Logf("%d unlinked, %d refused", unlinked, refused)
		if unlinked == 0 || refused == 0 {
			t.Errorf("no race: %d unlinked, %d refused", unlinked, refused)
		}
		w.Verify()
	})
}

// TestAuthorize_acceptsAnonymousUse: a card whose product lets it begin Active
// pays before it is anybody's, from an account of its own, which stays its own
// when somebody is named.
func TestAuthorize_acceptsAnonymousUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newNonames(t, d, authorization.Config{})
		w.Listen("transaction.*")
		card := w.order(t, 1, func(n *issuing.NewNoname) { n.InitialStatus = "" })[0] // as the product has it
		pay := func(minor int64) authorization.Answer {
			r := w.Request(card, authorization.FinancialRequest, money.Must(minor, "TRY"))
			w.WithCVV2(card, r, true)
			return w.Authorize(r)
		}
		if a := pay(100); a.Reason != authorization.InsufficientFunds {
			t.Errorf("with nothing on it: %s", a.Reason)
		}
		_, err := w.Ledger.Adjust(t.Context(), w.Caller, ledger.Adjustment{
			AccountNo: card.AccountNo, Side: ledger.Credit, Amount: money.Must(10_000, "TRY"), Description: "gift", Reference: "gift",
		})
		if err != nil {
			t.Fatal(err)
		}
		if a := pay(4_000); a.Reason != authorization.Approved {
			t.Errorf("anonymously: %s", a.Reason)
		}
		told := w.Told()
		if paid := told[len(told)-1]; paid.Card.CustomerNo != "" || paid.Card.Token != card.Token {
			t.Errorf("told of %+v, want the card and no customer", paid.Card)
		}
		if err := w.link(t.Context(), card, w.second, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.Balance(card).Posted; got != money.Must(6_000, "TRY") {
			t.Errorf("%v is on the account of the one who is named now", got)
		}
		if a := pay(6_000); a.Reason != authorization.Approved {
			t.Errorf("with a name: %s", a.Reason)
		}
		w.Verify()
	})
}

// TestUnlinkNoname_whileTheClientIsAsked: what may still be approved keeps a card
// with its customer; what is declined does not.
func TestUnlinkNoname_whileTheClientIsAsked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		client := &authorizationtest.Client{}
		w := newNonames(t, d, authorization.Config{Client: client, Lanes: 4})
		w.OwnBalances(program.BalanceExternal, declineInPlace)
		cards := w.order(t, 2)
		for i, v := range []authorization.Verdict{authorizationtest.Yes(), authorizationtest.No("51")} {
			card, approved := cards[i], v.Approved
			if err := w.link(t.Context(), card, w.first, ""); err != nil {
				t.Fatal(err)
			}
			entered, release := hang(client, v)
			defer release()
			answered := make(chan authorization.Answer, 1)
			r := w.Request(card, authorization.AuthorizationRequest, money.Must(100, "TRY"))
			go func() { answered <- w.Authorize(r) }()
			<-entered
			refused := func(when string) {
				t.Helper()
				if f, ok := fault.As(w.unlink(t.Context(), card)); !ok || f.Code != "unlink_blocked_by_open_transactions" {
					t.Errorf("%s: unlinking says %v", when, f)
				}
			}
			refused("while it is asked")
			release()
			if a := <-answered; (a.ResponseCode == "00") != approved {
				t.Errorf("the answer is %s", a.ResponseCode)
			}
			if approved {
				refused("after it has approved")
				continue
			}
			if err := w.unlink(t.Context(), card); err != nil {
				t.Errorf("after it has declined: %v", err)
			}
		}
		w.Verify()
	})
}
