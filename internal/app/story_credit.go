package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/config"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// lending is the second chapter: a bank with wallets and credit cards, whose time
// is moved. It has a tenant of its own, so that the first one's stays the present.
type lending struct {
	*story
	bank     *TenantBank
	caller   access.Caller
	customer string
	card     sim.Issued
	cut      credit.Statement // the last one

	owed, minimum int64 // what the last statement must say, in minor units
}

// nextDoor tells the second chapter.
func (s *story) nextDoor(ctx context.Context) error {
	bank, err := s.platform.OpenBank(ctx, "Demo Lender")
	if err != nil {
		return err
	}
	t, err := s.platform.Access.TenantByID(ctx, bank.Tenant)
	if err != nil {
		return err
	}
	l := &lending{story: s, bank: bank, caller: access.System(t)}
	for _, scene := range []func(context.Context) error{l.arrive, l.topUp, l.lend, l.travel, l.cutTerm, l.payMinimum, l.accrue, l.books} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (l *lending) arrive(ctx context.Context) (err error) {
	if l.customer, err = l.bank.OpenCustomer(ctx, "Ada", "Deniz", "+905321234567"); err != nil {
		return err
	}
	return l.tell.tell(step{
		Title: "Next door, a bank with wallets and credit cards: another tenant on the same binary",
		Notes: []string{"it is a sandbox, and will live through two months in a moment; the first bank's calendar does not move"},
	})
}

// walletURL is where the wallets answer; empty where they are switched off.
func (p *Platform) walletURL() string {
	if at, apart := p.familyAddrs[access.EWallet]; apart {
		return "http://" + at.String()
	}
	if p.Config.Family.EWallet == config.Off {
		return ""
	}
	return p.APIURL()
}

// topUp opens a wallet and loads it, by the API of wallets.
func (l *lending) topUp(ctx context.Context) error {
	url := l.platform.walletURL()
	if url == "" {
		return l.tell.tell(step{Title: "A wallet would be topped up, but the family ewallet is switched off"})
	}
	wallets, err := sim.SignInWallets(ctx, url, l.bank.Wallets.ClientID, l.bank.Wallets.ClientSecret)
	if err != nil {
		return err
	}
	var made struct {
		Wallet string `json:"wallet_number"`
	}
	if _, err := wallets.Do(ctx, "Account/RegisterPersonalAccount", map[string]any{
		"account_number": "ADA", "currency_code": "TRY", "user_first_name": "Ada", "user_last_name": "Deniz", "user_phone_country_code": "90",
		"user_phone_number": "5321234567", "user_email": "ada@example.org",
	}, &made); err != nil {
		return err
	}
	var loaded struct {
		Wallet struct {
			Total   json.Number `json:"total_balance"`
			Payment struct {
				Available json.Number `json:"available"`
			} `json:"payment_balance"`
			Cash struct {
				Available json.Number `json:"available"`
			} `json:"cash_balance"`
		} `json:"wallet_info"`
	}
	took, err := wallets.Do(ctx, "Transaction/TopupCreditCard", map[string]any{
		"ext_transaction_id": "TOPUP-1", "amount": "250.00", "currency_code": "TRY", "account_number": "ADA", "wallet_number": made.Wallet,
	}, &loaded)
	st := step{
		Title:    "Ada opens a wallet and tops it up with 250.00 TRY, which a web shop took from a card",
		Sent:     &sent{Message: "POST /v1/Transaction/TopupCreditCard", Amount: "250.00 TRY"},
		Answered: &answered{Code: "100", LatencyMS: milliseconds(took)},
	}
	if err != nil {
		st.Answered.Code = "refused"
		st.Problems = append(st.Problems, err.Error())
		return l.tell.tell(st)
	}
	w := loaded.Wallet
	st.Notes = []string{fmt.Sprintf("in the wallet: %s to pay with, %s in cash. Money from cards pays, and never leaves as cash", w.Payment.Available, w.Cash.Available)}
	if w.Total != "250.00" || w.Payment.Available != "250.00" {
		st.Problems = append(st.Problems, "there should be 250.00 in the wallet, all of it to pay with")
	}
	return l.tell.tell(st)
}

// The credit account of the story, in minor units of lira.
const (
	creditLimit = 25_000_00
	hotelEuros  = 100_00
	euroRate    = 50
)

// lend opens a credit account with a card on it.
func (l *lending) lend(ctx context.Context) error {
	const product = "GOLD"
	cards, err := l.bank.OpenCredit(ctx, product)
	if err != nil {
		return err
	}
	if err := l.platform.Credits.SetTerms(ctx, l.caller, product, line.DefaultTerms().Text()); err != nil {
		return fmt.Errorf("set terms: %w", err)
	}
	watch := clock.StartStopwatch()
	a, err := l.platform.Credits.Open(ctx, l.caller, credit.NewAccount{CustomerNo: l.customer, ProductCode: product, Limit: lira(creditLimit).Decimal()})
	if err != nil {
		return fmt.Errorf("open credit account: %w", err)
	}
	took := watch.Elapsed()
	if l.card, err = cards.On(a.Number).Issue(ctx, l.customer, demoPIN); err != nil {
		return err
	}
	return l.show(ctx, step{
		Title:    fmt.Sprintf("A credit account with a limit of %s, and a card %s on it", lira(creditLimit), l.card.Card.PAN.Masked()),
		Sent:     &sent{Message: "sarraf credit open", Amount: lira(creditLimit).String()},
		Answered: &answered{Code: "opened", LatencyMS: milliseconds(took)},
		Notes:    []string{fmt.Sprintf("its term ends on %s; what it ends with is due on %s", a.NextCut, a.NextDue)},
	})
}

// travel uses the card abroad. The network changes the money, and says so.
func (l *lending) travel(ctx context.Context) error {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	desk := &sim.Terminal{
		Acquirer: l.acquirer, ID: "BERL0001", Merchant: "HOTEL0000000049", Name: "Hotel am Ufer", City: "Berlin", MCC: "7011",
		Country: country.Must("DE"), Zone: berlin, Type: 0x22,
	}
	amount := money.Must(hotelEuros, "EUR")
	r, err := desk.Use(l.card.Card, sim.Payment{MTI: iso8583.FinancialRequest, Amount: amount, Entry: sim.Chip, PIN: l.card.Card.PIN})
	if err != nil {
		return err
	}
	l.owed = hotelEuros * euroRate
	r.Message.SetNumber(iso8583.AmountCardholderBilling, l.owed)
	r.Message.SetText(iso8583.BillingCurrency, lira(0).Currency().Numeric())
	answer, took, err := l.link.Ask(ctx, r.Message)
	if err != nil {
		return err
	}
	st := step{
		Title: fmt.Sprintf("A hotel in Berlin: the network changes the euros at %d, and they are owed at once", euroRate),
		Sent:  &sent{Message: r.Message.MTI.String(), Amount: amount.String(), Entry: r.Message.Text(iso8583.POSEntryMode), How: entryWords(sim.Chip)},
		Answered: &answered{
			Message: answer.MTI.String(), Code: answer.Text(iso8583.ResponseCode), LatencyMS: milliseconds(took),
			AuthorizationCode: answer.TrimmedText(iso8583.AuthorizationCode),
		},
	}
	if st.Answered.Code != "00" {
		st.Problems = append(st.Problems, "the answer is "+st.Answered.Code+" and should be 00")
	}
	if present, err := r.CheckIssuer(answer); !present || err != nil {
		st.Problems = append(st.Problems, "the card does not believe the issuer")
	} else {
		st.Answered.IssuerCryptogram = true
	}
	return l.show(ctx, st)
}

// cutTerm lives until the night after the term ends.
func (l *lending) cutTerm(ctx context.Context) error {
	took, err := l.sleepUntilCut(ctx)
	if err != nil {
		return err
	}
	l.minimum = l.owed / 5 // twenty per cent
	return l.statement(ctx, "The calendar runs to the end of the term, and the statement is cut", took)
}

func (l *lending) payMinimum(ctx context.Context) error {
	paid := lira(l.minimum)
	took, err := l.bank.Load(ctx, l.card.Account, paid.Decimal(), "minimum-1")
	l.owed -= l.minimum
	return l.show(ctx, step{
		Title:    fmt.Sprintf("Ada pays the minimum, %s, and nothing more", paid),
		Sent:     &sent{Message: "POST /api/v1/issuing/account/{accountNo}/adjustment", Amount: paid.String()},
		Answered: answeredAPI(took, err),
		Problems: problemsOf(err),
		Notes:    []string{"what is left is not paid by its due date: it bears interest, back to the cut"},
	})
}

// accrue lives through another term. What the statement must say is computed here
// once more, in the words of the rules: so many days of 3.50 % of a month of thirty,
// half up, and 15 % of that for each of two taxes.
func (l *lending) accrue(ctx context.Context) error {
	first := l.cut.On
	took, err := l.sleepUntilCut(ctx)
	if err != nil {
		return err
	}
	a, err := l.platform.Credits.Account(ctx, l.caller, l.card.Account)
	if err != nil {
		return err
	}
	if a.Last == nil || a.Last.On == first {
		return l.show(ctx, step{Title: "A month on", Problems: []string{"there is no second statement"}})
	}
	days := int64(0)
	for day := first; day.Before(a.Last.On); day = day.AddDays(1) {
		days++
	}
	const percent, month, tax = 3_50, 30, 15
	interest := (l.owed*percent*days*2 + 100_00*month) / (100_00 * month * 2)
	taxes := 2 * ((interest*tax*2 + 100) / 200)
	l.owed += interest + taxes
	// Interest and its taxes are old debt of which the minimum asks a fifth as of all.
	l.minimum = (l.owed + 2) / 5
	return l.statement(ctx, fmt.Sprintf("A month on: %d days of interest on what she did not pay, and the taxes on it", days), took,
		fmt.Sprintf("3.50 %% a month of %s for %d days: interest %s, KKDF and BSMV %s", lira(l.owed-interest-taxes), days, lira(interest), lira(taxes)))
}

func (l *lending) books(ctx context.Context) error {
	return l.drawBooks(ctx, "The lender's books: loans by where and what for, the wallet, the interest earned, the taxes owed", l.bank.Tenant)
}

// sleepUntilCut moves the bank's calendar to the day after its term ends.
func (l *lending) sleepUntilCut(ctx context.Context) (took time.Duration, err error) {
	a, err := l.platform.Credits.Account(ctx, l.caller, l.card.Account)
	if err != nil {
		return 0, err
	}
	to := a.NextCut.AddDays(1).String()
	for range 60 { // what one request does not get done, the next one does
		var moved struct {
			IsComplete bool `json:"isComplete"`
		}
		part, err := l.bank.Call(ctx, http.MethodPost, "/api/v1/sandbox/transaction/advance-time", map[string]any{"to": to}, &moved)
		took += part
		if err != nil {
			return took, err
		}
		if moved.IsComplete {
			return took, nil
		}
	}
	return took, fmt.Errorf("the calendar does not get to %s", to)
}

// statement tells a step that ended with a statement, and checks that.
func (l *lending) statement(ctx context.Context, title string, took time.Duration, notes ...string) error {
	st := step{
		Title: title, Sent: &sent{Message: "POST /api/v1/sandbox/transaction/advance-time"},
		Answered: &answered{Code: "200", LatencyMS: milliseconds(took)},
	}
	all, err := l.platform.Credits.Statements(ctx, l.caller, l.card.Account)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		st.Problems = append(st.Problems, "no statement was cut")
		return l.show(ctx, st)
	}
	l.cut = all[0]
	a, err := l.platform.Credits.Account(ctx, l.caller, l.card.Account)
	if err != nil {
		return err
	}
	st.Notes = append([]string{"statement " + showOverview(a, l.cut).text()}, notes...)
	if got := l.cut.Debt(); got != l.owed {
		st.Problems = append(st.Problems, fmt.Sprintf("the statement says that %s are owed, and should say %s", lira(got), lira(l.owed)))
	}
	if got := l.cut.Minimum(); got != l.minimum {
		st.Problems = append(st.Problems, fmt.Sprintf("the statement asks for %s, and should ask for %s", lira(got), lira(l.minimum)))
	}
	return l.show(ctx, st)
}

// show tells a step with what is owed after it, which it checks.
func (l *lending) show(ctx context.Context, st step) error {
	a, err := l.platform.Credits.Account(ctx, l.caller, l.card.Account)
	if err != nil {
		return err
	}
	st.Notes = append(st.Notes, fmt.Sprintf("owed %s; of the limit of %s remain %s", a.Debt(), a.Limit(), a.Available()))
	if a.Debt() != lira(l.owed) || a.Available() != lira(creditLimit-l.owed) {
		st.Problems = append(st.Problems, fmt.Sprintf("%s should be owed, and %s remain", lira(l.owed), lira(creditLimit-l.owed)))
	}
	return l.tell.tell(st)
}

func answeredAPI(took time.Duration, err error) *answered {
	if err != nil {
		return &answered{Code: "refused", LatencyMS: milliseconds(took)}
	}
	return &answered{Code: "200", LatencyMS: milliseconds(took)}
}

func problemsOf(err error) []string {
	if err == nil {
		return nil
	}
	return []string{err.Error()}
}
