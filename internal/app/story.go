package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/clearingfile"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// story is the demo's plot and the people in it. It uses the platform through
// the doors everybody has, and keeps its own books to check the platform's.
type story struct {
	stage
	tell *narrator
	// What the account must show after each step, in minor units.
	posted, held int64

	coffee   *sim.Request               // the purchase that is taken back
	slips    []clearingfile.Presentment // what merchants will present tonight
	declined string                     // the transaction that is explained at the end
}

// outcome is how a step must end.
type outcome struct {
	code         string // DE39
	reason       string // why, in the API's words; empty is not checked
	posted, held int64  // by how much the account changes
}

// run tells the story. The error is about what made it impossible to go on;
// steps that ended otherwise are counted by the narrator.
func (s *story) run(ctx context.Context) error {
	for _, scene := range []func(context.Context) error{
		s.arrive, s.signOn, s.payByDay, s.cashAtNight, s.tooMuch, s.blocked, s.undone, s.standIn, s.clear, s.books, s.explained,
	} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

// arrive tells what was made before the first message, and loads the account.
func (s *story) arrive(ctx context.Context) error {
	err := s.tell.tell(step{
		Title: fmt.Sprintf("A bank moves in: tenant, BIN %s, a product, a customer, a chip card %s with a PIN", s.BIN, s.Card.PAN.Masked()),
		Notes: []string{
			"all of it through the API, as an institution's program would do",
			"the simulated card got its keys from the sandbox, and computes real cryptograms with them",
		},
	})
	if err != nil {
		return err
	}
	s.posted = 100_000
	took, err := s.Load(ctx, s.Account, "1000.00", "load-1")
	return s.apiStep(ctx, step{
		Title: "The customer loads 1,000.00 TRY",
		Sent:  &sent{Message: "POST /api/v1/issuing/account/{accountNo}/adjustment", Amount: "1000.00 TRY"},
	}, took, err)
}

func (s *story) signOn(ctx context.Context) error {
	if _, err := s.send(ctx, "The acquirer's link opens: sign-on", "network management, code 001", s.acquirer.SignOn(), nil, outcome{code: "00"}); err != nil {
		return err
	}
	_, err := s.send(ctx, "Is anybody there? Echo", "network management, code 301", s.acquirer.Echo(), nil, outcome{code: "00"})
	return err
}

func (s *story) payByDay(ctx context.Context) error {
	if err := s.pay(ctx, "Groceries, chip in the reader: the cryptogram is right, and so is the answer's", s.grocer,
		sim.Payment{Amount: lira(12_550), Entry: sim.Chip}, outcome{code: "00", held: 12_550}, keep{lira(12_550)}); err != nil {
		return err
	}
	if err := s.pay(ctx, "Lunch, a tap on the reader, no PIN asked", s.restaurant,
		sim.Payment{Amount: lira(4_200), Entry: sim.Contactless}, outcome{code: "00", held: 4_200},
		keep{lira(4_620)}); err != nil { // with a tip, see clear
		return err
	}
	if err := s.pay(ctx, "A lamp from a web shop, with the CVV2 from the back of the card", s.webshop,
		sim.Payment{Amount: lira(19_990), Entry: sim.Ecommerce, CVV2: s.Card.CVV2}, outcome{code: "00", held: 19_990},
		keep{lira(10_000), lira(5_000)}); err != nil { // what remains of it, in two parcels
		return err
	}
	return s.pay(ctx, "Somebody who does not have the card guesses a CVV2", s.webshop,
		sim.Payment{Amount: lira(5_000), Entry: sim.Ecommerce, CVV2: otherDigits(s.Card.CVV2)}, outcome{code: "82", reason: "Cvv2Invalid"}, nil)
}

func (s *story) cashAtNight(ctx context.Context) error {
	cash := sim.Payment{MTI: iso8583.FinancialRequest, Kind: sim.Cash, Amount: lira(10_000), Entry: sim.Chip}
	cash.PIN = otherDigits(s.Card.PIN)
	if err := s.pay(ctx, "At the cash machine, with a wrong PIN", s.atm, cash, outcome{code: "55", reason: "PinInvalid"}, nil); err != nil {
		return err
	}
	cash.PIN = s.Card.PIN
	return s.pay(ctx, "And with the right one: the money is posted at once", s.atm, cash, outcome{code: "00", posted: -10_000}, nil)
}

func (s *story) tooMuch(ctx context.Context) error {
	r, err := s.grocer.Use(s.Card, sim.Payment{Amount: lira(60_000), Entry: sim.Chip})
	if err != nil {
		return err
	}
	a, err := s.send(ctx, "More than there is", entryWords(sim.Chip), r.Message, r, outcome{code: "51", reason: "InsufficientFunds"})
	if err != nil {
		return err
	}
	s.declined = a.TransactionID

	r, err = s.webshop.Use(s.Card, sim.Payment{Amount: lira(1_000), Entry: sim.Manual})
	if err != nil {
		return err
	}
	r.Message.SetText(iso8583.PAN, s.neverIssued.Reveal())
	_, err = s.send(ctx, "A number of the same BIN that was never issued", entryWords(sim.Manual), r.Message, nil, outcome{code: "14", reason: "CardNotFound"})
	return err
}

func (s *story) blocked(ctx context.Context) error {
	if err := s.changeStatus(ctx, "The bank blocks the card, through the API", "Blocked", "UnderReview"); err != nil {
		return err
	}
	coffee := sim.Payment{Amount: lira(1_000), Entry: sim.Chip}
	if err := s.pay(ctx, "Coffee with a blocked card", s.restaurant, coffee, outcome{code: "62", reason: "CardBlocked"}, nil); err != nil {
		return err
	}
	if err := s.changeStatus(ctx, "A call, a smile, and the block is lifted", "Active", "ReviewCleared"); err != nil {
		return err
	}
	r, err := s.restaurant.Use(s.Card, coffee)
	if err != nil {
		return err
	}
	first, err := s.send(ctx, "The same coffee again", entryWords(sim.Chip), r.Message, r, outcome{code: "00", held: 1_000})
	if err != nil {
		return err
	}
	again := sim.Repeat(r.Message)
	_, err = s.send(ctx, "The answer got lost, so the acquirer repeats: same answer, nothing new", entryWords(sim.Chip), again, r,
		outcome{code: "00"}, func(st *step) {
			if st.Answered.AuthorizationCode != first.AuthorizationCode {
				st.Problems = append(st.Problems, "the repeat got another approval code than the first")
			}
		})
	if err != nil {
		return err
	}
	s.coffee = r
	return nil
}

func (s *story) undone(ctx context.Context) error {
	remaining := int64(15_000)
	rev, err := s.acquirer.Reverse(s.webOrder.Message, &remaining)
	if err != nil {
		return err
	}
	if _, err := s.send(ctx, "The web shop has only part of the order: 150.00 remain of 199.90", "partial reversal, DE95 says what remains", rev, nil,
		outcome{code: "00", held: remaining - 19_990}); err != nil {
		return err
	}
	if rev, err = s.acquirer.Reverse(s.coffee.Message, nil); err != nil {
		return err
	}
	if _, err := s.send(ctx, "The coffee was cold: the waiter takes it back, all of it", "full reversal", rev, nil,
		outcome{code: "00", held: -1_000}); err != nil {
		return err
	}
	r, err := s.grocer.Use(s.Card, sim.Payment{Amount: lira(3_000), Entry: sim.Chip})
	if err != nil {
		return err
	}
	early, err := s.acquirer.Reverse(r.Message, nil)
	if err != nil {
		return err
	}
	if _, err := s.send(ctx, "A reversal overtakes what it reverses", "full reversal of something we never saw", early, nil,
		outcome{code: "25"}); err != nil {
		return err
	}
	_, err = s.send(ctx, "The original limps in: refused, and nothing is held", entryWords(sim.Chip), r.Message, r,
		outcome{code: "94", reason: "DuplicateTransaction"})
	return err
}

func (s *story) standIn(ctx context.Context) error {
	return s.pay(ctx, "The network approved a hotel on our behalf, for more than there is: a fact, so it is booked", s.hotel,
		sim.Payment{MTI: iso8583.AuthorizationAdvice, Amount: lira(62_000), Entry: sim.Chip, Reason: "00"},
		outcome{code: "00", held: 62_000}, keep{lira(58_000)})
}

// clear presents everything at night. What the day held becomes postings.
func (s *story) clear(ctx context.Context) error {
	forced, err := s.grocer.Use(s.Card, sim.Payment{Amount: lira(1_500), Entry: sim.Chip})
	if err != nil {
		return err
	}
	never, err := s.grocer.Present(forced, nil, lira(1_500))
	if err != nil {
		return err
	}
	refund, err := s.grocer.Present(forced, nil, lira(2_550))
	if err != nil {
		return err
	}
	refund.Kind, refund.OriginalARN, refund.AuthorizationCode = clearingfile.Refund, s.slips[0].ARN, s.slips[0].AuthorizationCode
	refund.RRN, refund.STAN = "", ""
	now := s.acquirer.Clock.Now()
	var file bytes.Buffer
	header := clearingfile.Header{
		Network: "generic", FileID: fmt.Sprintf("DEMO.%s.%d", s.BIN, now.UnixMicro()), CreatedAt: now,
		BusinessDate: clock.DateOf(now, s.grocer.Zone),
	}
	records := append(s.slips, never, refund)
	if err := s.acquirer.Clear(&file, header, records); err != nil {
		return err
	}
	var debit int64
	for _, p := range s.slips {
		debit += p.Transaction.Minor()
	}
	s.posted, s.held = s.posted-debit-1_500+2_550, 0
	watch := clock.StartStopwatch()
	result, err := s.platform.importClearing(ctx, bytes.NewReader(file.Bytes()), access.TenantID{})
	st := step{
		Title:    "Night: the clearing file comes, and what was held is posted",
		Sent:     &sent{Message: fmt.Sprintf("clearing file of %d records", len(records)), How: "sarraf clearing import"},
		Answered: &answered{Code: "imported", LatencyMS: milliseconds(watch.Elapsed())},
		Notes: []string{
			"groceries as authorized; lunch higher, with a tip, within tolerance; the web shop in two parts;",
			"the hotel lower than the network had approved; a vending machine that never asked; and a refund of 25.50",
		},
	}
	if err != nil {
		st.Answered.Code = "refused"
		st.Problems = append(st.Problems, err.Error())
	}
	if err == nil {
		st.Notes = append(st.Notes, result.lines()...)
	}
	return s.finish(ctx, st)
}

func (s *story) books(ctx context.Context) error {
	return s.drawBooks(ctx, "The trial balance: every entry has two sides, and they agree", s.Tenant)
}

// drawBooks draws the trial balance of a tenant, and has all books verified.
func (s *story) drawBooks(ctx context.Context, title string, tenant access.TenantID) error {
	rows, err := s.platform.Ledger.TrialBalance(ctx, tenant)
	if err != nil {
		return fmt.Errorf("draw trial balance: %w", err)
	}
	st := step{Title: title}
	sums := map[string]int64{}
	for _, row := range rows {
		st.Notes = append(st.Notes, fmt.Sprintf("%-28s debit %12s   credit %12s %s", row.Code, row.Debit.Decimal(), row.Credit.Decimal(), row.Debit.Currency()))
		sums[row.Debit.Currency().Code()] += row.Debit.Minor() - row.Credit.Minor()
	}
	for currency, sum := range sums {
		if sum != 0 {
			st.Problems = append(st.Problems, fmt.Sprintf("debits and credits in %s differ by %d minor units", currency, sum))
		}
	}
	invariants, err := s.platform.Verify(ctx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, v := range invariants {
		if v.Broken > 0 {
			st.Problems = append(st.Problems, fmt.Sprintf("%s: %d of %d broken", v.Name, v.Broken, v.Checked))
		}
	}
	st.Notes = append(st.Notes, fmt.Sprintf("%d invariants of books, holds and decisions hold", len(invariants)))
	return s.tell.tell(st)
}

func (s *story) explained(ctx context.Context) error {
	st := step{Title: "And why was it 51?"}
	e, err := s.platform.explain(ctx, s.declined)
	if err != nil {
		st.Problems = append(st.Problems, err.Error())
		return s.tell.tell(st)
	}
	st.Notes = e.lines()
	if e.Recomputed == nil || !*e.Recomputed {
		st.Problems = append(st.Problems, "the decision does not recompute to itself")
	}
	return s.tell.tell(st)
}

// keep says what a merchant presents of a purchase at night, in parts.
type keep []money.Amount

func lira(minor int64) money.Amount { return money.Must(minor, "TRY") }

// pay lets the card be used at a terminal, and the merchant keep slips of it.
func (s *story) pay(ctx context.Context, title string, t *sim.Terminal, p sim.Payment, want outcome, slips keep) error {
	r, err := t.Use(s.Card, p)
	if err != nil {
		return err
	}
	a, err := s.send(ctx, title, entryWords(p.Entry), r.Message, r, want)
	if err != nil {
		return err
	}
	if t == s.webshop && want.code == "00" {
		s.webOrder = r
	}
	for i, amount := range slips {
		slip, err := t.Present(r, nil, amount)
		if err != nil {
			return err
		}
		slip.AuthorizationCode = a.AuthorizationCode
		slip.SequenceNumber, slip.SequenceCount = i+1, len(slips)
		slip.Final = i+1 == len(slips)
		s.slips = append(s.slips, slip)
	}
	return nil
}

// send sends one message, checks its answer, and tells both. r is nil when no
// chip waits for the answer.
func (s *story) send(ctx context.Context, title, how string, m *iso8583.Message, r *sim.Request, want outcome, more ...func(*step)) (answered, error) {
	st := step{Title: title, Sent: &sent{Message: m.MTI.String(), How: how, Entry: m.Text(iso8583.POSEntryMode)}}
	if minor, ok := m.Number(iso8583.AmountTransaction); ok {
		st.Sent.Amount = lira(minor).String()
	}
	s.posted += want.posted
	s.held += want.held
	answer, took, err := s.link.Ask(ctx, m)
	if errors.Is(err, sim.ErrNoAnswer) && ctx.Err() == nil {
		st.Answered = &answered{Code: "nothing", LatencyMS: milliseconds(took)}
		st.Problems = append(st.Problems, "there was no answer")
		return *st.Answered, s.finish(ctx, st)
	}
	if err != nil {
		return answered{}, err
	}
	a := &answered{
		Message: answer.MTI.String(), Code: answer.Text(iso8583.ResponseCode), LatencyMS: milliseconds(took),
		AuthorizationCode: answer.TrimmedText(iso8583.AuthorizationCode),
	}
	st.Answered = a
	if a.Code != want.code {
		st.Problems = append(st.Problems, fmt.Sprintf("the answer is %s and should be %s", a.Code, want.code))
	}
	if r != nil {
		present, err := r.CheckIssuer(answer)
		a.IssuerCryptogram = present && err == nil
		switch {
		case err != nil:
			st.Problems = append(st.Problems, "the card does not believe the issuer: "+err.Error())
		case want.code == "00" && m.Has(iso8583.ICCData) && m.MTI.IsRequest() && !present:
			st.Problems = append(st.Problems, "no response cryptogram came")
		}
	}
	if m.Has(iso8583.PAN) {
		if err := s.lookUp(ctx, m, a); err != nil {
			st.Problems = append(st.Problems, err.Error())
		}
		if want.reason != "" && a.Reason != want.reason {
			st.Problems = append(st.Problems, fmt.Sprintf("the reason is %q and should be %s", a.Reason, want.reason))
		}
	}
	for _, f := range more {
		f(&st)
	}
	return *a, s.finish(ctx, st)
}

// lookUp asks the API what became of a message.
func (s *story) lookUp(ctx context.Context, m *iso8583.Message, a *answered) error {
	var page struct {
		Items []struct {
			TransactionID string `json:"transactionId"`
			STAN          string `json:"stan"`
			DeclineReason string `json:"declineReason"`
			Status        string `json:"status"`
		} `json:"items"`
	}
	query := url.Values{"Rrn": {m.TrimmedText(iso8583.RRN)}, "MaxResultCount": {"50"}}
	if _, err := s.Call(ctx, http.MethodGet, "/api/v1/issuing-transaction/card-transaction?"+query.Encode(), nil, &page); err != nil {
		return err
	}
	for _, t := range page.Items {
		if t.STAN != m.Text(iso8583.STAN) {
			continue
		}
		a.TransactionID, a.Reason = t.TransactionID, t.DeclineReason
		if a.Reason == "" || a.Reason == "None" {
			a.Reason = t.Status
		}
		return nil
	}
	return nil // not every message leaves a transaction of a card
}

// apiStep finishes a step that went through the API.
func (s *story) apiStep(ctx context.Context, st step, took time.Duration, err error) error {
	st.Answered = &answered{Code: "200", LatencyMS: milliseconds(took)}
	if err != nil {
		st.Answered.Code = "refused"
		st.Problems = append(st.Problems, err.Error())
	}
	return s.finish(ctx, st)
}

func (s *story) changeStatus(ctx context.Context, title, status, reason string) error {
	took, err := s.Call(ctx, http.MethodPut, "/api/v1/issuing/card/"+s.Token+"/status",
		map[string]any{"status": status, "reason": reason}, nil)
	return s.apiStep(ctx, step{
		Title: title,
		Sent:  &sent{Message: "PUT /api/v1/issuing/card/{cardToken}/status", How: status + ", " + reason},
	}, took, err)
}

// finish reads the balance, checks it against the story's own books, and tells
// the step.
func (s *story) finish(ctx context.Context, st step) error {
	got, err := s.balance(ctx)
	if err != nil {
		return err
	}
	want := balance{
		Posted: lira(s.posted).Decimal(), Held: lira(s.held).Decimal(), Available: lira(s.posted - s.held).Decimal(), Currency: "TRY",
	}
	if got != want {
		st.Problems = append(st.Problems, fmt.Sprintf("the balance should be posted %s, held %s, available %s", want.Posted, want.Held, want.Available))
	}
	st.Balance = &got
	return s.tell.tell(st)
}

// balance reads the account through the API.
func (s *story) balance(ctx context.Context) (balance, error) {
	var a struct {
		Posted    json.Number `json:"posted"`
		Held      json.Number `json:"held"`
		Available json.Number `json:"available"`
		Currency  string      `json:"currency"`
	}
	if _, err := s.Call(ctx, http.MethodGet, "/api/v1/issuing/account/"+s.Account, nil, &a); err != nil {
		return balance{}, err
	}
	b := balance{Currency: a.Currency}
	currency, err := money.ParseCurrency(a.Currency)
	if err != nil {
		return balance{}, fmt.Errorf("currency of the account: %w", err)
	}
	for _, f := range []struct {
		from json.Number
		to   *string
	}{{a.Posted, &b.Posted}, {a.Held, &b.Held}, {a.Available, &b.Available}} {
		amount, err := money.Parse(f.from.String(), currency)
		if err != nil {
			return balance{}, fmt.Errorf("amount of the account: %w", err)
		}
		*f.to = amount.Decimal()
	}
	return b, nil
}

// entryWords says an entry mode in words.
func entryWords(e sim.Entry) string {
	switch e {
	case sim.Chip:
		return "chip in the reader"
	case sim.Contactless:
		return "contactless chip"
	case sim.Ecommerce:
		return "typed on the web"
	case sim.Stripe:
		return "magnetic stripe"
	}
	return "typed by the merchant"
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
