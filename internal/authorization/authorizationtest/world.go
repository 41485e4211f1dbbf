// Package authorizationtest is a small world for tests: a sandbox tenant with a
// BIN, a product and cards, an engine that decides, and terminals that build
// requests the way a network link would.
package authorizationtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/hsm/soft"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Start is the moment at which a world begins: noon of a Saturday in Istanbul.
var Start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// World is everything a test needs. Its services share one database and clock.
type World struct {
	T         testing.TB
	DB        *db.DB
	Clock     *clock.Fake
	HSM       *soft.Backend
	Access    *access.Service
	Customers *customer.Service
	Controls  *control.Service
	Fees      *fee.Service
	Programs  *program.Service
	Issuing   *issuing.Service
	Ledger    *ledger.Service
	Dues      *authorization.Collector
	Engine    *authorization.Engine
	Queries   *authorization.Queries
	Caller    access.Caller
	Config    authorization.Config
	Families  access.FamilyCredentials

	log      *slog.Logger
	customer string
	lent     int // credit accounts that were opened
	stan     int
	told     int // events that Told returned
	heard    int // messages to clients that Heard returned
}

// New makes a world on an empty migrated database. The engine is closed when
// the test ends.
func New(t testing.TB, d *db.DB) *World { return NewWith(t, d, authorization.Config{}) }

// NewWith is New with a configuration of the engine.
func NewWith(t testing.TB, d *db.DB, cfg authorization.Config) *World {
	t.Helper()
	root := make([]byte, 32)
	rand.Read(root)
	module, err := soft.New(root)
	must(t, err)
	w := &World{T: t, DB: d, Clock: clock.NewFake(Start), HSM: module, Config: cfg, log: slog.New(slog.DiscardHandler)}
	w.Access = access.New(d, module, w.Clock)
	w.Customers, w.Programs, w.Issuing = newIssuing(d, module, w.Clock)
	w.Access.Watcher = w.Programs
	w.Controls = control.New(d, w.Programs, w.Customers, w.Clock)
	fee.IncludeIn(w.Controls)
	w.Ledger = ledger.New(d, w.Clock)
	w.Dues = &authorization.Collector{DB: d, Clock: w.Clock}
	w.Ledger.Collector = w.Dues
	w.Queries = authorization.NewQueries(d, authorization.NewCounterfactuals(d, w.Programs, w.Controls), w.Clock)
	w.Fees = &fee.Service{
		DB: d, Programs: w.Programs, Controls: w.Controls, Cards: w.Issuing, Usage: w.Queries, Clock: w.Clock,
		Charger: &authorization.CardCharges{DB: d, Programs: w.Programs, Cards: w.Issuing, Client: cfg.Client, Clock: w.Clock},
	}
	w.Issuing.Fees, w.Programs.Taxed = w.Fees, w.Fees
	w.Engine = w.NewEngine()
	tenant, creds, err := w.Access.CreateTenant(t.Context(), access.NewTenant{Name: "Test", Sandbox: true})
	must(t, err)
	w.Caller, w.Families = access.System(tenant), creds.Families
	w.define()
	return w
}

// newIssuing makes services that issue cards and know whom for.
func newIssuing(d *db.DB, h *soft.Backend, c clock.Clock) (*customer.Service, *program.Service, *issuing.Service) {
	customers, programs := customer.New(d, h, c), program.New(d, h, c)
	cards := issuing.New(d, h, c, customers, programs)
	customers.Rules, customers.Cards, programs.Issued = programs, cards, cards
	return customers, programs, cards
}

// NewEngine starts another engine on the same database, as another node would.
func (w *World) NewEngine() *authorization.Engine {
	codes, err := network.LoadCodes()
	must(w.T, err)
	customers, programs, cards := newIssuing(w.DB, w.HSM, w.Clock)
	cfg := w.Config
	if cfg.Load.AnswerWithin == 0 {
		cfg.Load.AnswerWithin = time.Minute // a busy machine must not refuse what a test is about
	}
	controls := control.New(w.DB, programs, customers, w.Clock)
	fee.IncludeIn(controls)
	cfg.Controls = controls
	e := authorization.NewEngine(context.Background(), w.DB, w.HSM, programs, cards, codes, w.Clock,
		w.log, Nobody{}, cfg)
	w.T.Cleanup(e.Close)
	return e
}

// Nobody observes an engine and keeps nothing.
type Nobody struct{}

// Stages implements authorization.Observer.
func (Nobody) Stages(*authorization.Times) {}

// Decided implements authorization.Observer.
func (Nobody) Decided(authorization.Flow, authorization.Outcome) {}

// Group implements authorization.Observer.
func (Nobody) Group(int, clock.Stopwatch) {}

// Shed implements authorization.Observer.
func (Nobody) Shed(string, string) {}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// BIN is the BIN of the world's cards, in a range set aside for tests.
const BIN = "979206"

func (w *World) define() {
	ctx := w.T.Context()
	try := money.MustCurrency("TRY")
	_, err := w.Programs.CreateBIN(ctx, w.Caller, program.BIN{
		BIN: BIN, Brand: program.BrandTroy, Network: program.NetworkTroy, CardType: program.Prepaid,
		CardLevel: program.LevelPrepaid, Currency: try, Country: country.Must("TR"), PANLength: 16, Status: program.RecordActive,
	})
	must(w.T, err)
	_, err = w.Programs.CreateRange(ctx, w.Caller, program.BINRange{
		Code: "R1", Name: "Range", BIN: BIN, Start: BIN + "000000000", End: BIN + "999999999",
		Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
	})
	must(w.T, err)
	p := program.NewProduct("P1")
	p.Code, p.Name, p.BINRangeCode, p.CardType, p.Currency = "P1", "Prepaid", "R1", program.Prepaid, try
	p.FormFactors, p.ValidityMonths, p.ServiceCode = []program.FormFactor{program.Virtual}, 60, "201"
	p.MaxCardsPerCustomer, p.MinKYCLevel = 0, customer.KYCNone
	p.ContactlessEnabled = true
	// What is off unless a product says otherwise; most tests are about other
	// things.
	for _, t := range []program.PolicyType{program.PolicyNonSecureEcommerce, program.PolicyInternationalNoCVV2, program.PolicyMagneticStripe} {
		p.Policies = append(p.Policies, program.Policy{Type: t, IsAllowed: true})
	}
	cumulative, count := money.Must(500000, "TRY"), 5
	p.ContactlessLimit = &program.ContactlessLimit{Transaction: money.Must(250000, "TRY"), Cumulative: &cumulative, ConsecutiveCount: &count}
	_, err = w.Programs.CreateProduct(ctx, w.Caller, p)
	must(w.T, err)
	p.Code, p.Name, p.PINLength = "P6", "Prepaid with long PINs", 6
	_, err = w.Programs.CreateProduct(ctx, w.Caller, p)
	must(w.T, err)
	birth, err := clock.ParseDate("1991-04-12")
	must(w.T, err)
	c, err := w.Customers.Create(ctx, w.Caller, customer.Customer{
		Type: customer.Individual, KYCLevel: customer.KYCVerified,
		Profile:         customer.Profile{Name: "Ayse", Surname: "Yilmaz", BirthDate: birth, Nationality: country.Must("TR")},
		Identifications: []customer.Identification{{Type: customer.TCKN, Number: "10000000146"}},
		Communications:  []customer.Communication{{Type: customer.MobilePhone, Value: "+905321234567"}},
	})
	must(w.T, err)
	w.customer = c.No
}

// Card is an issued card with what a terminal and a cardholder know of it.
type Card struct {
	Token     string
	AccountNo string
	Account   ledger.AccountID
	Clear     issuing.ClearCard
	PIN       string
	atc       int
}

// NewCard issues an active card with PIN 4712 and this balance in TRY, such as
// "100.00".
func (w *World) NewCard(balance string) *Card { return w.NewCardOf("P1", "4712", balance) }

// NewCardOf is NewCard of another product (P6 has PINs of six digits) with
// another PIN.
func (w *World) NewCardOf(product, pin, balance string) *Card {
	return w.newCard(issuing.NewCard{CustomerNo: w.customer, ProductCode: product, FormFactor: program.Virtual}, pin, balance)
}

// DefineCredit defines a product of credit cards, K1, in a BIN of its own.
func (w *World) DefineCredit() {
	ctx := w.T.Context()
	bin, err := w.Programs.BIN(ctx, w.Caller, BIN)
	must(w.T, err)
	bin.BIN, bin.CardType, bin.CardLevel = "979207", program.Credit, program.LevelClassic
	_, err = w.Programs.CreateBIN(ctx, w.Caller, bin)
	must(w.T, err)
	_, err = w.Programs.CreateRange(ctx, w.Caller, program.BINRange{
		Code: "K1", Name: "Range", BIN: bin.BIN, Start: bin.BIN + "000000000", End: bin.BIN + "999999999",
		Generation: program.RandomPAN, AlertThresholdPercent: 85, Status: program.RecordActive,
	})
	must(w.T, err)
	p, err := w.Programs.Product(ctx, w.Caller, "P1")
	must(w.T, err)
	p.Code, p.Name, p.CardType, p.BINRangeCode, p.MaxChildCards = "K1", "Credit", program.Credit, "K1", 9
	_, err = w.Programs.CreateProduct(ctx, w.Caller, p)
	must(w.T, err)
}

// NewCreditCard is NewCard of K1 on a credit account with a limit.
func (w *World) NewCreditCard(limit string) *Card {
	ctx := w.T.Context()
	lent, err := money.Parse(limit, money.MustCurrency("TRY"))
	must(w.T, err)
	if w.lent++; w.lent == 1 {
		w.DefineCredit()
	}
	in := ledger.NewCreditAccount{
		Number: fmt.Sprintf("KK%d", w.lent), Currency: lent.Currency(), Limit: lent, Terms: "STANDARD",
		From: clock.DateOf(w.Clock.Now(), time.UTC),
	}
	must(w.T, w.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := ledger.PutTerms(ctx, tx, w.Caller.Tenant, in.Terms, line.DefaultTerms(), in.From, clock.RealNow(w.Clock)); err != nil {
			return err
		}
		holder, err := w.Customers.Named(ctx, tx, w.Caller.Tenant, w.customer)
		if err != nil {
			return err
		}
		in.Owner = holder.ID.String()
		_, err = ledger.OpenCreditAccount(ctx, tx, w.Caller.Tenant, in, clock.RealNow(w.Clock), 0)
		return err
	}))
	return w.newCard(issuing.NewCard{CustomerNo: w.customer, ProductCode: "K1", FormFactor: program.Virtual, AccountNo: in.Number}, "4712", "0.00")
}

// NewCardAs is NewCard as a wish says; the customer is the world's where none is
// named.
func (w *World) NewCardAs(in issuing.NewCard, balance string) *Card {
	if in.CustomerNo == "" {
		in.CustomerNo = w.customer
	}
	return w.newCard(in, "4712", balance)
}

func (w *World) newCard(in issuing.NewCard, pin, balance string) *Card {
	ctx := w.T.Context()
	issued, err := w.Issuing.IssueCard(ctx, w.Caller, in)
	must(w.T, err)
	c := &Card{Token: issued.Card.Token, AccountNo: issued.Issuance.AccountNo, Account: issued.Issuance.Account, PIN: pin}
	_, err = w.Issuing.SetPIN(ctx, w.Caller, c.Token, issuing.PINInput{Clear: secret.FromString(c.PIN)}, false, "Api")
	if f, ok := fault.As(err); ok && f.Code == "weak_pin" {
		// One card in ten thousand ends in these digits.
		c.PIN = c.PIN[1:] + c.PIN[:1]
		_, err = w.Issuing.SetPIN(ctx, w.Caller, c.Token, issuing.PINInput{Clear: secret.FromString(c.PIN)}, false, "Api")
	}
	must(w.T, err)
	c.Clear, err = w.Issuing.RevealCard(ctx, w.Caller, c.Token, 0)
	must(w.T, err)
	amount, err := money.Parse(balance, money.MustCurrency("TRY"))
	must(w.T, err)
	if !amount.IsZero() {
		_, err = w.Ledger.Adjust(ctx, w.Caller, ledger.Adjustment{
			AccountNo: c.AccountNo, Side: ledger.Credit, Amount: amount, Description: "load", Reference: "load-" + c.Token,
		})
		must(w.T, err)
	}
	return c
}

// Balance is the account's posted and held as they are in the database.
func (w *World) Balance(c *Card) ledger.Account {
	w.T.Helper()
	a, err := w.Ledger.AccountByNumber(w.T.Context(), w.Caller, c.AccountNo)
	must(w.T, err)
	return a
}

// Request starts a purchase of amount at the world's terminal, keyed by hand;
// the caller changes what it wants. Each has its own STAN and RRN.
func (w *World) Request(c *Card, flow authorization.Flow, amount money.Amount) *authorization.Request {
	w.stan++
	now := w.Clock.Now()
	r := &authorization.Request{
		Flow: flow, Amount: amount, ReceivedAt: now, Expiry: c.Clear.Card.Expires.YYMM(),
		Details: authorization.Details{
			Link: "generic", Network: "generic", MTI: mtis[flow], ProcessingCode: "000000",
			STAN: fmt.Sprintf("%06d", w.stan), RRN: fmt.Sprintf("6325%08d", w.stan), TransmittedAt: now.Truncate(time.Second),
			LocalTime: now.Format("0102150405"), AcquirerID: "700001", TerminalID: "TERM0001", CardAcceptorID: "SHOP00000000001",
			MerchantName: "TEST MARKET", MerchantCity: "ISTANBUL", MerchantCountry: "TR", MCC: "5411",
			EntryMode: "012", ConditionCode: "00", AcquirerCountry: "TR",
		},
	}
	r.Card.PAN = c.Clear.Number
	return r
}

var mtis = map[authorization.Flow]string{
	authorization.AuthorizationRequest: "0100", authorization.FinancialRequest: "0200",
	authorization.AuthorizationAdvice: "0120", authorization.FinancialAdvice: "0220",
	authorization.ReversalRequest: "0400", authorization.ReversalAdvice: "0420",
}

// Chip adds what the card's chip says with its next counter.
func (w *World) Chip(c *Card, r *authorization.Request) {
	c.atc++
	w.ChipWith(c, r, c.atc)
}

// ChipWith is Chip with a counter of the test's choice.
func (w *World) ChipWith(c *Card, r *authorization.Request, atc int) {
	r.EntryMode = "051"
	h := &authorization.Chip{CID: 0x80, ATC: [2]byte{byte(atc >> 8), byte(atc)}, UN: [4]byte{1, 2, 3, 4}, Country: [2]byte{0x07, 0x92}}
	digits, err := hex.DecodeString(fmt.Sprintf("%012d", r.Amount.Minor()))
	must(w.T, err)
	copy(h.AmountAuthorized[:], digits)
	currency, err := hex.DecodeString("0" + r.Amount.Currency().Numeric())
	must(w.T, err)
	copy(h.Currency[:], currency)
	h.IAD = []byte{0x06, c.Clear.DKI, c.Clear.CVN, 0x03, 0xA0, 0x00, 0x00}
	r.Chip = h
	w.signChip(c, h)
}

func (w *World) signChip(c *Card, h *authorization.Chip) {
	in := algo.ARQCInput{
		Profile: hsm.CVN18, PAN: c.Clear.Number, PSN: c.Clear.Card.PSN, ATC: h.ATC, UN: h.UN, AmountAuthorized: h.AmountAuthorized,
		Country: h.Country, Currency: h.Currency, IAD: h.IAD,
	}
	mk, err := algo.NewPair(c.Clear.ICCMasterKey.Reveal())
	must(w.T, err)
	h.ARQC, err = algo.ApplicationCryptogram(mk, &in)
	must(w.T, err)
}

// What a chip says of a PIN in its verification results (CVR), under its
// cryptogram: bits of their second byte.
const (
	ChipComparedPIN byte = 0x04
	ChipRefusedPIN  byte = 0x02
)

// WithOfflinePIN lets the terminal say that the chip has compared a PIN and found
// it right. What the chip says of that, it signs.
func (w *World) WithOfflinePIN(c *Card, r *authorization.Request, chipSays byte) {
	r.Chip.CVMResults = [3]byte{0x41, 0x03, 0x02}
	r.Chip.IAD[4] |= chipSays
	w.signChip(c, r.Chip)
}

// WithPIN adds a PIN block of digits under the BIN's ZPK.
func (w *World) WithPIN(c *Card, r *authorization.Request, digits string) {
	cfg, err := w.Programs.Configuration(w.T.Context(), w.Caller.Tenant)
	must(w.T, err)
	bin, _ := cfg.BINFor(c.Clear.Number)
	keys, _ := cfg.KeysOf(bin)
	r.Card.PINBlock, err = w.HSM.EncodePIN(w.T.Context(), keys.ZPK, hsm.ISO0, c.Clear.Number, secret.FromString(digits))
	must(w.T, err)
	r.Card.PINFormat = authorization.ISO0
}

// WithCVV2 adds the card's CVV2, or another three digits.
func (w *World) WithCVV2(c *Card, r *authorization.Request, right bool) {
	v := c.Clear.CVV2
	if !right {
		v = secret.FromString(wrong(string(v.Reveal())))
	}
	r.Card.CVV2, r.EntryMode, r.ConditionCode = v, "812", "59"
}

// WithStripe adds the card's track 2.
func (w *World) WithStripe(c *Card, r *authorization.Request) {
	track, err := pan.ParseTrack2(string(c.Clear.Track2.Reveal()))
	must(w.T, err)
	r.Card.Track2, r.EntryMode = track, "902"
}

func wrong(digits string) string {
	return string('0'+(digits[0]-'0'+1)%10) + digits[1:]
}

// Repeat is the message that a sender who got no answer sends again.
func Repeat(r *authorization.Request) *authorization.Request {
	again := *r
	again.IsRepeat = true
	again.MTI = r.MTI[:3] + "1"
	return &again
}

// Reversal undoes r, wholly, or down to what remains.
func (w *World) Reversal(c *Card, r *authorization.Request, flow authorization.Flow, remains *money.Amount) *authorization.Request {
	v := w.Request(c, flow, r.Amount)
	v.ProcessingCode, v.RRN, v.Expiry = r.ProcessingCode, r.RRN, ""
	key := authorization.NewKey(r.Details, r.MTI[1]-'0', r.MTI[2]-'0')
	v.Original, v.Replacement = &key, remains
	return v
}

// Authorize asks the world's engine.
func (w *World) Authorize(r *authorization.Request) authorization.Answer {
	w.T.Helper()
	a, err := w.Engine.Authorize(w.T.Context(), r)
	must(w.T, err)
	return a
}

// Verify fails the test unless every invariant of ledger and decisions holds.
func (w *World) Verify() {
	w.T.Helper()
	for _, run := range []func(context.Context) ([]ledger.Invariant, error){
		w.Ledger.Verify,
		func(ctx context.Context) ([]ledger.Invariant, error) { return w.Queries.Verify(ctx, nil) },
	} {
		all, err := run(w.T.Context())
		must(w.T, err)
		for _, v := range all {
			if v.Broken > 0 {
				w.T.Errorf("invariant broken: %s: %d of %d, such as %v", v.Name, v.Broken, v.Checked, v.Examples)
			}
		}
	}
}

// LimitContactless changes the product's limit for taps without a PIN.
func (w *World) LimitContactless(limit money.Amount) {
	_, err := w.Programs.SetContactlessLimit(w.T.Context(), w.Caller, "P1", program.ContactlessLimit{Transaction: limit})
	must(w.T, err)
}

// AllowInstalments lets cards of the product pay in instalments, or not.
func (w *World) AllowInstalments(yes bool) {
	p, err := w.Programs.Product(w.T.Context(), w.Caller, "P1")
	must(w.T, err)
	p.InstallmentAllowed = yes
	_, err = w.Programs.UpdateProduct(w.T.Context(), w.Caller, program.ProductChange{Product: p})
	must(w.T, err)
}

// Customer is the number of the customer who has the cards.
func (w *World) Customer() string { return w.customer }
