package authorization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// SubjectFacts are what links and rules know of the card, its product and its
// customer, besides what [CardFacts] and [ProductFacts] hold. They are recorded
// whether anything asks for them or not, so that the controls of tomorrow can be
// tried on the decisions of today. Days are those of the tenant's zone.
type SubjectFacts struct {
	Zone string // of the tenant; empty where nothing of this was recorded

	CardToken   string
	Parent      id.ID[issuing.Issuance] // of a child card
	CardBIN     string
	Level       string
	FormFactor  string
	Status      string // when it was found; see State for what it was when it was decided
	CreatedOn   clock.Date
	ActivatedOn clock.Date
	PhoneOn     clock.Date // when the issuance got another phone

	Group, BINRange, BIN string // of the product
	CardType, Brand      string

	// The rest is zero for a card without a customer.
	Customer      id.ID[customer.Customer]
	CustomerNo    string
	CustomerType  string
	Segment       string
	KYCLevel      string
	Nationality   string // alpha-2
	Age           int    // in years; -1 is not known
	CustomerSince clock.Date
}

// subjectFacts reads what lies sealed of the customer, and puts together the
// rest.
func (e *Engine) subjectFacts(ctx context.Context, card issuing.CardOnNetwork, cfg *program.Configuration, product program.Product, now time.Time) (SubjectFacts, error) {
	zone := cfg.Tenant.Zone
	k := SubjectFacts{
		Zone: zone.String(), CardToken: card.Card.Token, Parent: card.Issuance.Parent, CardBIN: card.Card.BIN,
		FormFactor: string(card.Card.FormFactor), Status: string(card.Card.Status), CreatedOn: dayOf(card.Card.CreatedAt, zone),
		ActivatedOn: dayOf(card.Card.ActivatedAt, zone), PhoneOn: dayOf(card.Issuance.PhoneChangedAt, zone), Age: -1,
	}
	k.ofProduct(product)
	k.BIN = cfg.Ranges[product.BINRangeCode].BIN
	u := card.Customer
	if u == nil {
		return k, nil
	}
	person, err := e.cards.PersonOf(ctx, card)
	if err != nil {
		return k, fmt.Errorf("read customer for rules: %w", err)
	}
	k.Customer = card.Issuance.Customer
	k.ofCustomer(u.No, u.Type, u.Segment, u.KYCLevel, dayOf(u.Since, zone))
	k.ofPerson(person, clock.DateOf(now, zone))
	return k, nil
}

func (k *SubjectFacts) ofProduct(p program.Product) {
	k.Level, k.Group, k.BINRange, k.CardType, k.Brand = string(p.CardLevel), p.GroupCode, p.BINRangeCode, string(p.CardType), string(p.Brand)
}

func (k *SubjectFacts) ofCustomer(no string, t customer.Type, segment string, l customer.KYCLevel, since clock.Date) {
	k.CustomerNo, k.CustomerType, k.Segment, k.KYCLevel, k.CustomerSince = no, string(t), segment, l.String(), since
}

func (k *SubjectFacts) ofPerson(p customer.Person, today clock.Date) {
	k.Age, k.Nationality = p.AgeOn(today), p.Nationality.Alpha2()
}

// dayOf is the day of a moment in a zone; zero for none.
func dayOf(t time.Time, zone *time.Location) clock.Date {
	if t.IsZero() {
		return clock.Date{}
	}
	return clock.DateOf(t, zone)
}

// subject is the card as links and counters know it.
func (f *Facts) subject() control.Subject {
	k := &f.Subject
	return control.Subject{
		CardToken: k.CardToken, Issuance: f.Card.Issuance, Parent: k.Parent, Customer: k.Customer, Segment: k.Segment,
		Product: f.Product.Code, Group: k.Group, BINRange: k.BINRange, BIN: k.BIN,
	}
}

// ruleFacts are what rules may ask about a request, as far as it and what was
// gathered of its card tell.
func (f *Facts) ruleFacts(out *rule.Facts, req *Request, zone *time.Location) {
	t := Transaction{
		Amount: req.Amount, Billing: f.Billing, Message: req.Details,
		CardNetwork: f.Card.Network, PIN: f.PIN, CVV: f.CVV, CVV2: f.CVV2, ARQC: f.ARQC, CreatedAt: f.Now,
	}
	t.Flow, t.Code = req.named(classify(req.ProcessingCode, req.MCC, req.Amount))
	t.Classify(f.Card.Country)
	t.CVM = t.cvm(req)
	t.RuleFacts(out, zone)
	if req.Cashback != nil {
		out.SetAmount(rule.TransactionCashbackAmount, *req.Cashback)
	}
	out.SetFlag(rule.TransactionIsPartialApprovalSupported, req.MayApprovePartially)
	f.Subject.ruleFacts(out, &f.Card, &f.Product, f.Now, zone)
	f.Uses.ruleFacts(out, f.Now, f.Billing.Currency())
}

// ruleFacts are what rules may ask about the card, its product and its customer
// at a moment.
func (k *SubjectFacts) ruleFacts(f *rule.Facts, card *CardFacts, product *ProductFacts, now time.Time, zone *time.Location) {
	today := clock.DateOf(now, zone)
	since := func(id rule.FieldID, day clock.Date) {
		if !day.IsZero() {
			f.SetInteger(id, int64(max(0, today.DaysSince(day))))
		}
	}
	f.SetText(rule.CardBIN, k.CardBIN)
	f.SetText(rule.CardCardLevel, k.Level)
	f.SetText(rule.CardFormFactor, k.FormFactor)
	f.SetText(rule.CardOwnershipType, string(issuing.Issuance{Parent: k.Parent}.Ownership()))
	since(rule.CardAgeInDays, k.CreatedOn)
	if at, err := time.Parse("0601", card.ExpiryYYMM); err == nil {
		last := clock.Date{Year: 2000 + at.Year()%100, Month: at.Month() + 1, Day: 0}.AddDays(0)
		f.SetInteger(rule.CardDaysToExpiry, int64(last.DaysSince(today)))
	}
	f.SetFlag(rule.CardIsNoname, k.FormFactor == string(program.PhysicalNoname))
	f.SetText(rule.CardStatus, k.Status)
	since(rule.CardDaysSinceActivation, k.ActivatedOn)
	since(rule.CardDaysSinceLastPINChange, dayOf(card.PINChangedAt, zone))
	since(rule.CardDaysSincePhoneChange, k.PhoneOn)
	f.SetText(rule.ProductCode, product.Code)
	f.SetText(rule.ProductGroupCode, k.Group)
	f.SetText(rule.ProductCardType, k.CardType)
	f.SetText(rule.ProductBrand, k.Brand)
	f.SetText(rule.ProductCurrencyCode, product.Currency)
	if k.CustomerNo == "" {
		return
	}
	f.SetText(rule.CustomerNo, k.CustomerNo)
	f.SetText(rule.CustomerType, k.CustomerType)
	f.SetText(rule.CustomerSegmentCode, k.Segment)
	f.SetText(rule.CustomerKYCLevel, k.KYCLevel)
	if k.Age >= 0 {
		f.SetInteger(rule.CustomerAge, int64(k.Age))
	}
	f.SetText(rule.CustomerNationality, k.Nationality)
	f.SetText(rule.CustomerStatus, card.CustomerStatus)
	since(rule.CustomerAgeOfRelationDays, k.CustomerSince)
}

// CardRuleFacts are what rules may ask about a card, its product and its
// customer, at a moment in the tenant's zone. Without a customer, what is the
// customer's is missing.
func CardRuleFacts(f *rule.Facts, c issuing.IssuedCard, at time.Time, zone *time.Location) {
	k := SubjectFacts{
		Parent: c.Issuance.Parent, CardBIN: c.Card.BIN, FormFactor: string(c.Card.FormFactor), Status: string(c.Card.Status),
		CreatedOn: dayOf(c.Card.CreatedAt, zone), ActivatedOn: dayOf(c.Card.ActivatedAt, zone), PhoneOn: dayOf(c.Issuance.PhoneChangedAt, zone),
	}
	card := CardFacts{ExpiryYYMM: c.Card.Expires.YYMM(), PINChangedAt: c.Card.PINChangedAt}
	k.ofProduct(c.Product)
	if u := c.Customer; u != nil {
		card.CustomerStatus = string(u.Status)
		k.ofCustomer(u.No, u.Type, u.Segment, u.KYCLevel, dayOf(u.CreatedAt, zone))
		k.ofPerson(customer.Person{BirthDate: u.BirthDate, Nationality: u.Nationality}, clock.DateOf(at, zone))
	}
	k.ruleFacts(f, &card, &ProductFacts{Code: c.Product.Code, Currency: c.Product.Currency.Code()}, at, zone)
}

func (k *SubjectFacts) visit(c *codec) {
	if visitText(c, "of.zone", &k.Zone); k.Zone == "" {
		return // an older record, or a request without a card
	}
	visitText(c, "of.token", &k.CardToken)
	visitID(c, "of.parent", &k.Parent)
	visitText(c, "of.card_bin", &k.CardBIN)
	visitText(c, "of.level", &k.Level)
	visitText(c, "of.form", &k.FormFactor)
	visitText(c, "of.status", &k.Status)
	c.date("of.created_on", &k.CreatedOn)
	c.date("of.activated_on", &k.ActivatedOn)
	c.date("of.phone_on", &k.PhoneOn)
	visitText(c, "of.group", &k.Group)
	visitText(c, "of.bin_range", &k.BINRange)
	visitText(c, "of.bin", &k.BIN)
	visitText(c, "of.card_type", &k.CardType)
	visitText(c, "of.brand", &k.Brand)
	c.count("of.age", &k.Age)
	if visitID(c, "of.customer", &k.Customer); k.Customer.IsZero() {
		return
	}
	visitText(c, "of.customer_no", &k.CustomerNo)
	visitText(c, "of.customer_type", &k.CustomerType)
	visitText(c, "of.segment", &k.Segment)
	visitText(c, "of.kyc", &k.KYCLevel)
	visitText(c, "of.nationality", &k.Nationality)
	c.date("of.customer_since", &k.CustomerSince)
}
