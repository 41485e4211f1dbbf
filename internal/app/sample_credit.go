package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/credit"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/ledger/line"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
	"github.com/sarraf-platform/sarraf/internal/sim"
)

// creditSample makes what the sample requests of the family openbanking name: a
// customer with a credit card and a supplementary one, a term that has ended, and a
// payment. Each of its steps looks whether it was done, so that one that broke off is
// taken up, and one that is there stays as it is.
type creditSample struct {
	*Core
	tenant access.Tenant
	caller access.Caller
	tester *tester

	holder, child string // customer numbers
	cards         [2]issuing.IssuedCard
}

// The names by which the sample is known again.
const (
	sampleCode    = "SAMPLE-CREDIT" // of product, range, keys and account
	sampleHolder  = "SAMPLE-HOLDER" // external identifiers
	sampleChild   = "SAMPLE-CHILD"
	sampleLimit   = "25000"
	samplePayment = "sample-payment-1"
)

// makeCreditSample makes it and returns what a client needs of it.
func (k *Core) makeCreditSample(ctx context.Context, t access.Tenant) (_ shownCreditSample, err error) {
	s := &creditSample{Core: k, tenant: t, caller: access.System(t)}
	stop, err := s.openDoor(ctx)
	if err != nil {
		return shownCreditSample{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for _, step := range []func(context.Context) error{s.define, s.arrive, s.issue, s.spend, s.endTerm, s.pay, s.spendAgain} {
		if err := step(ctx); err != nil {
			return shownCreditSample{}, err
		}
	}
	return s.show(ctx)
}

// openDoor lets messages in as a running platform does. Its address is nobody's to
// know: the cards that are played here connect inside the process.
func (s *creditSample) openDoor(ctx context.Context) (stop func() error, err error) {
	if s.tester, err = newTester(s.Core); err != nil {
		return nil, err
	}
	server, framing, err := s.ListenNetwork("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.tester.reach(server, framing)
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Config.DrainTimeout)
		defer cancel()
		return server.Shutdown(ctx)
	}, nil
}

// define makes the product with its BIN, its keys and its terms.
func (s *creditSample) define(ctx context.Context) error {
	cfg, err := s.Programs.Configuration(ctx, s.caller.Tenant)
	if err != nil {
		return err
	}
	if _, found := cfg.Product(sampleCode); !found {
		if err := s.defineProduct(ctx); err != nil {
			return fmt.Errorf("define product: %w", err)
		}
	}
	_, err = s.Credits.Terms(ctx, s.caller, sampleCode)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	// The term ends today where it can: the less the tenant's time is moved the better.
	terms := line.DefaultTerms()
	if terms.CutDay = s.today().Day; terms.CutDay > 28 {
		terms.CutDay = 1
	}
	return s.Credits.SetTerms(ctx, s.caller, sampleCode, terms.Text())
}

func (s *creditSample) today() clock.Date {
	return clock.DateOf(s.caller.Now(s.Clock), s.tenant.Zone)
}

func (s *creditSample) defineProduct(ctx context.Context) error {
	bin, err := s.takeBIN(ctx)
	if err != nil {
		return err
	}
	_, err = s.Programs.CreateRange(ctx, s.caller, program.BINRange{
		Code: sampleCode, Name: "Sample credit cards", BIN: bin, Start: bin + "0000000", End: bin + "8999999",
	})
	if err != nil && fault.KindOf(err) != fault.Conflict { // it broke off here
		return err
	}
	p := program.NewProduct(sampleCode)
	p.Name, p.BINRangeCode, p.CardType, p.Currency = "World Sample", sampleCode, program.Credit, money.MustCurrency("TRY")
	p.FormFactors, p.ValidityMonths, p.ServiceCode = []program.FormFactor{program.PhysicalCard, program.Virtual}, 60, "201"
	p.InitialStatusPhysical, p.MaxCardsPerCustomer, p.MaxChildCards = program.StartsActive, 0, 9
	p.MinKYCLevel = customer.KYCNone
	p.Plastics = []program.Plastic{{
		Code: "STD", CardArtCode: "STD", PlasticCode: "STD", PersoVendorCode: "BUREAU", DeliveryMethods: []program.DeliveryMethod{program.ByBranch},
		Line1MaxLength: 26, Line2MaxLength: 26, EmbossType: program.Embossed, LanguageCode: "TR", IsDefault: true, IsActive: true,
	}}
	_, err = s.Programs.CreateProduct(ctx, s.caller, p)
	return err
}

// sampleBINs are the BINs that are tried: eight digits that no network gives to anybody.
const (
	sampleBINPrefix = "9792"
	sampleBINTries  = 100
)

// takeBIN returns the BIN of the sample: BINs belong to one tenant of the platform, so
// that it takes the first that is free.
func (s *creditSample) takeBIN(ctx context.Context) (string, error) {
	all, _, err := s.Programs.BINs(ctx, s.caller, program.BINFilter{Page: list.Page{Limit: 1000}})
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(all, func(b program.BIN) bool { return b.KeySetCode == sampleCode }); i >= 0 {
		return all[i].BIN, nil
	}
	start := s.Clock.Now().Unix()
	for i := range int64(sampleBINTries) {
		made, err := s.Programs.CreateBIN(ctx, s.caller, program.BIN{
			BIN: fmt.Sprintf("%s%04d", sampleBINPrefix, (start+i*7)%10_000), Brand: program.BrandVisa, Network: program.NetworkVisa,
			CardType: program.Credit, CardLevel: program.LevelWorld, Currency: money.MustCurrency("TRY"), Country: country.Must("TR"),
			PANLength: 16, KeySetCode: sampleCode,
		})
		if fault.KindOf(err) != fault.Conflict {
			return made.BIN, err
		}
	}
	return "", errors.New("no free BIN in the test range")
}

// arrive takes in the customers and opens the account.
func (s *creditSample) arrive(ctx context.Context) error {
	for _, one := range []struct {
		id, name, phone string
		no              *string
	}{{sampleHolder, "Deniz", "+905550000147", &s.holder}, {sampleChild, "Ege", "+905550000148", &s.child}} {
		u, _, err := s.Customers.FindOrCreate(ctx, s.caller, customer.Customer{
			Type: customer.Individual, ExternalID: one.id,
			Communications: []customer.Communication{{Type: customer.MobilePhone, Value: one.phone}},
			Profile:        customer.Profile{Name: one.name, Surname: "Kaya", BirthDate: clock.Date{Year: 1985, Month: 5, Day: 17}, Nationality: country.Must("TR")},
		})
		if err != nil {
			return fmt.Errorf("take in customer: %w", err)
		}
		*one.no = u.No
	}
	_, err := s.Credits.Account(ctx, s.caller, sampleCode)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	_, err = s.Credits.Open(ctx, s.caller, credit.NewAccount{
		CustomerNo: s.holder, ProductCode: sampleCode, AccountNo: sampleCode, Limit: sampleLimit, BranchCode: "0147", BranchName: "Merkez",
	})
	return err
}

// issue gives out the cards.
func (s *creditSample) issue(ctx context.Context) error {
	for i, in := range []issuing.NewCard{
		{CustomerNo: s.holder, AccountNo: sampleCode, ExternalCardID: sampleHolder, EmbossLine1: "DENIZ KAYA"},
		{CustomerNo: s.child, ExternalCardID: sampleChild, EmbossLine1: "EGE KAYA"},
	} {
		there, _, _, err := s.Issuing.Cards(ctx, s.caller, issuing.CardFilter{ExternalCardID: in.ExternalCardID, Page: list.Page{Limit: 1}})
		if err != nil {
			return err
		}
		if len(there) > 0 {
			if s.cards[i], err = s.Issuing.Card(ctx, s.caller, there[0].Card.Token); err != nil {
				return err
			}
			continue
		}
		in.ProductCode, in.FormFactor, in.DeliveryMethod, in.BranchCode = sampleCode, program.PhysicalCard, program.ByBranch, "0147"
		in.InitialStatus = issuing.Active
		if i > 0 {
			in.ParentCardToken = s.cards[0].Card.Token
		}
		if s.cards[i], err = s.Issuing.IssueCard(ctx, s.caller, in); err != nil {
			return fmt.Errorf("issue card: %w", err)
		}
	}
	return nil
}

// samplePurchase is a use of a card. Its place is in the sample once.
type samplePurchase struct {
	card    int
	place   platform.SimulatedPlace
	amount  money.Amount
	billing *money.Amount
}

func (s *creditSample) spend(ctx context.Context) error {
	inLira := money.Must(5_250_00, "TRY")
	return s.buy(ctx,
		samplePurchase{card: 0, place: samplePlace("Corner Grocer", "Istanbul", "TR", "5411"), amount: money.Must(1_250_00, "TRY")},
		samplePurchase{card: 0, place: samplePlace("Hotel am Ufer", "Berlin", "DE", "7011"), amount: money.Must(105_00, "EUR"), billing: &inLira},
		samplePurchase{card: 1, place: samplePlace("Harbour Kitchen", "Istanbul", "TR", "5812"), amount: money.Must(420_00, "TRY")},
	)
}

func (s *creditSample) spendAgain(ctx context.Context) error {
	return s.buy(ctx,
		samplePurchase{card: 0, place: samplePlace("Galata Books", "Istanbul", "TR", "5942"), amount: money.Must(180_00, "TRY")},
		samplePurchase{card: 1, place: samplePlace("Ferry Tickets", "Istanbul", "TR", "4111"), amount: money.Must(60_00, "TRY")},
	)
}

func samplePlace(name, city, land, mcc string) platform.SimulatedPlace {
	return platform.SimulatedPlace{
		MCC: mcc, ID: "SAMPLE000000001", Name: name, City: city, Country: country.Must(land), TerminalID: "SAMPLE01", TerminalType: 0x22,
	}
}

// buy uses the cards where they were not used yet.
func (s *creditSample) buy(ctx context.Context, purchases ...samplePurchase) error {
	told, err := s.lines(ctx)
	if err != nil {
		return err
	}
	for _, p := range purchases {
		if strings.Contains(told, p.place.Name) {
			continue
		}
		out, err := s.tester.Process(ctx, s.caller, platform.Simulation{
			Card: issuing.NamedCard{Token: s.cards[p.card].Card.Token}, Flow: authorization.FinancialRequest, Processing: string(sim.Purchase),
			Amount: p.amount, Billing: p.billing, Merchant: p.place, EntryMode: string(sim.Chip),
		})
		if err != nil {
			return fmt.Errorf("buy at %s: %w", p.place.Name, err)
		}
		if out.ResponseCode != "00" {
			return fmt.Errorf("buy at %s: the answer is %s", p.place.Name, out.ResponseCode)
		}
	}
	return nil
}

// lines are the descriptions of everything on the account.
func (s *creditSample) lines(ctx context.Context) (string, error) {
	cards, err := s.Credits.CardsOf(ctx, s.caller, s.holder)
	if err != nil {
		return "", err
	}
	_, all, err := s.Credits.RunningTerm(ctx, s.caller, s.holder, cards[0].Alias)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return "", err
	}
	statements, err := s.Credits.Statements(ctx, s.caller, sampleCode)
	if err != nil {
		return "", err
	}
	for _, one := range statements {
		full, err := s.Credits.Statement(ctx, s.caller, sampleCode, one.On)
		if err != nil {
			return "", err
		}
		all = append(all, full.Lines...)
	}
	var told strings.Builder
	for _, l := range all {
		told.WriteString(l.Description + "\n")
	}
	return told.String(), nil
}

// endTerm lives until the first term has ended.
func (s *creditSample) endTerm(ctx context.Context) error {
	for range 60 { // what one move does not get done, the next one does
		a, err := s.Credits.Account(ctx, s.caller, sampleCode)
		if err != nil || a.Last != nil {
			return err
		}
		if _, err := (calendar{s.Core}).Advance(ctx, s.caller, access.AdvanceWish{On: a.NextCut.AddDays(1)}); err != nil {
			return fmt.Errorf("move time to the end of the term: %w", err)
		}
		if s.tenant, err = s.Access.TenantByID(ctx, s.tenant.ID); err != nil {
			return err
		}
		s.caller = access.System(s.tenant)
	}
	return errors.New("the term does not end")
}

func (s *creditSample) pay(ctx context.Context) error {
	_, err := s.Ledger.Adjust(ctx, s.caller, ledger.Adjustment{
		AccountNo: sampleCode, Side: ledger.Credit, Amount: money.Must(2_000_00, "TRY"), Description: "Payment", Reference: samplePayment,
	})
	if err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	return nil
}

// shownCreditSample is what a client needs of it, as it is printed.
type shownCreditSample struct {
	CustomerNo string         `json:"customerNo"`
	Password   string         `json:"password,omitempty"` // only when it is new
	AccountNo  string         `json:"accountNo"`
	Cards      []shownCardID  `json:"cards"`
	Consents   []shownConsent `json:"consents"`
}

// shownCardID is a card of open banking as it is printed.
type shownCardID struct {
	CardID     int64  `json:"cardId"`
	CardNumber string `json:"cardNumber"`
	Kind       string `json:"kind"` // main or additional
}

// show says how the cards are reached. A holder who cannot sign in gets a password
// first, and each client of the tenant a consent.
func (s *creditSample) show(ctx context.Context) (shown shownCreditSample, err error) {
	shown = shownCreditSample{CustomerNo: s.holder, AccountNo: sampleCode}
	cards, err := s.Credits.CardsOf(ctx, s.caller, s.holder)
	if err != nil {
		return shown, err
	}
	for _, card := range cards {
		kind := "main"
		if !card.IsMain() {
			kind = "additional"
		}
		shown.Cards = append(shown.Cards, shownCardID{card.Alias, credit.ShortNumber(card.Card), kind})
	}
	there, err := s.Access.HasCardholderPassword(ctx, s.caller, s.holder)
	if err == nil && !there {
		err = s.consent(ctx)
	}
	if err != nil {
		return shown, err
	}
	given, err := s.Access.ConsentsOf(ctx, s.caller, s.holder)
	if err != nil {
		return shown, err
	}
	for _, k := range given {
		shown.Consents = append(shown.Consents, shownConsent{k.ID, k.Client, k.CustomerNo, k.Scope})
	}
	if !there { // last: whoever is broken off before gets one when it is taken up
		shown.Password, err = s.givePassword(ctx)
	}
	return shown, err
}

// consent notes a consent for each client of the family that has none.
func (s *creditSample) consent(ctx context.Context) error {
	clients, err := s.Access.Clients(ctx, s.caller)
	if err != nil {
		return err
	}
	given, err := s.Access.ConsentsOf(ctx, s.caller, s.holder)
	if err != nil {
		return err
	}
	for _, c := range clients {
		has := slices.ContainsFunc(given, func(k access.Consent) bool { return k.Client == c.ID })
		if c.Family != access.OpenBanking || has {
			continue
		}
		if _, err := s.Access.GrantConsent(ctx, s.caller, c.ID, s.holder); err != nil {
			return err
		}
	}
	return nil
}

func (s *creditSample) givePassword(ctx context.Context) (string, error) {
	password, _, err := readPassword(nil, "")
	if err != nil {
		return "", err
	}
	return string(password.Reveal()), s.Access.SetCardholderPassword(ctx, s.caller, s.holder, password)
}

func (c *shownCreditSample) lines() []string {
	var out []string
	for _, card := range c.Cards {
		out = append(out, fmt.Sprintf("CardID %d, %s card %s of customer %s on account %s", card.CardID, card.Kind, card.CardNumber, c.CustomerNo, c.AccountNo))
	}
	for _, k := range c.Consents {
		out = append(out, fmt.Sprintf("consentId %s for client %s (grant_type %s)", k.ConsentID, k.ClientID, access.GrantConsent))
	}
	if c.Password == "" {
		return append(out, fmt.Sprintf("customer %s can sign in; \"sarraf customer credential\" gives another password", c.CustomerNo))
	}
	return append(out, fmt.Sprintf("customer %s signs in with password %s (shown this once) and one-time password 000000", c.CustomerNo, c.Password))
}
