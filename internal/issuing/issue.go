package issuing

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// PINSource says where a new card's first PIN comes from.
type PINSource string

// The PIN sources.
const (
	NoPIN        PINSource = "None"
	RandomPIN    PINSource = "Random" // drawn by the HSM and forgotten
	EncryptedPIN PINSource = "Encrypted"
)

// NewCard is what a card is issued from. Empty members take the product's or
// the customer's defaults.
type NewCard struct {
	CustomerNo       string
	ProductCode      string
	FormFactor       program.FormFactor
	ParentIssuanceNo string // either of the two makes a supplementary card
	ParentCardToken  string
	EmbossLine1      string
	EmbossLine2      string
	PhysicalCode     string
	CardArtCode      string
	DeliveryMethod   program.DeliveryMethod
	DeliveryTo       customer.AddressType // one of the customer's addresses
	DeliveryAddress  *customer.Address    // or this one
	DeliveryPhone    string
	DeliveryEmail    string
	RecipientName    string
	RecipientTCKN    string
	BranchCode       string
	IsExpress        bool
	PhoneNumber      string // E.164
	PINSource        PINSource
	PIN              PINInput // for EncryptedPIN
	InitialStatus    CardStatus
	AutoRenewal      program.AutoRenewal
	DigitalSlip      program.DigitalSlipType
	Policies         []program.Policy // over the product's
	AccountNo        string
	ExternalCardID   string
	Expires          Expiry // earlier than the product's; privileged
	FeeExemption     bool   // privileged
	Channel          string
	Description      string
}

// numberAttempts bounds how often another card number is drawn when the one
// drawn is taken. Numbers come from a range that counts what is left of it.
const numberAttempts = 10

// IssueCard makes an issuance with its first card.
//
// The account is that of the parent for a supplementary card, else the one
// named, else one named like the issuance. The card number is drawn from the
// product's range and leaves this method sealed.
func (s *Service) IssueCard(ctx context.Context, c access.Caller, in NewCard) (IssuedCard, error) {
	if err := in.check(); err != nil {
		return IssuedCard{}, err
	}
	var d draft
	// Checks and cryptography come first, so that the writing transaction is
	// short; what may have changed meanwhile is checked again in it.
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		d, err = s.draftCard(ctx, tx, c, in)
		return err
	})
	if err != nil {
		return IssuedCard{}, err
	}
	if err := s.drawNumber(ctx, c, &d); err != nil {
		return IssuedCard{}, err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		return s.saveDraft(ctx, tx, c, d)
	})
	if err != nil {
		return IssuedCard{}, err
	}
	return s.Card(ctx, c, d.card.Token)
}

var accountSyntax = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,34}$`)

// check refuses what is wrong whatever the customer and the product are, and
// puts phones into their one form.
func (in *NewCard) check() error {
	var v fault.Checks
	v.Text("customerNo", in.CustomerNo, 1, 20)
	v.Text("productCode", in.ProductCode, 1, 32)
	v.Text("externalCardId", in.ExternalCardID, 0, 64)
	v.Text("description", in.Description, 0, 250)
	v.Is("accountNo", in.AccountNo == "" || accountSyntax.MatchString(in.AccountNo), "malformed", "must be 1 to 34 letters, digits and . _ : -")
	in.PhoneNumber = checkPhone(&v, "phoneNumber", in.PhoneNumber)
	in.checkDelivery(&v)
	v.Is("parentCardToken", in.ParentCardToken == "" || in.ParentIssuanceNo == "", "both", "must not stand beside parentIssuanceNo")
	v.Is("encryptedPin", (in.PINSource == EncryptedPIN) == in.PIN.given(), "pin_source", "goes with pinSource Encrypted")
	checkPolicies(&v, in.Policies)
	return v.Err(errInvalid)
}

// checkDelivery looks at where the plastic is to go.
func (in *NewCard) checkDelivery(v *fault.Checks) {
	v.Text("branchCode", in.BranchCode, 0, 32)
	v.Text("deliveryCommunication.recipientName", in.RecipientName, 0, 100)
	v.Is("deliveryCommunication.recipientTckn", in.RecipientTCKN == "" || customer.ValidTCKN(in.RecipientTCKN), "not_an_identity", "is no citizen's number")
	in.DeliveryPhone = checkPhone(v, "deliveryCommunication.phone", in.DeliveryPhone)
	if in.DeliveryEmail != "" {
		_, ok := customer.ParseEmail(in.DeliveryEmail)
		v.Is("deliveryCommunication.email", ok, "not_an_email", "is no e-mail address")
	}
	if in.DeliveryAddress != nil {
		a := in.DeliveryAddress.Normalized()
		a.Check(v, "deliveryAddress.")
		in.DeliveryAddress = &a
	}
}

// checkPhone checks a phone number, if there is one, and returns its one form.
func checkPhone(v *fault.Checks, name, value string) string {
	if value == "" {
		return ""
	}
	e164, ok := customer.ParsePhone(value, true)
	v.Is(name, ok, "not_a_phone", "is no phone number")
	return e164
}

// checkPolicies checks the usage switches that a new holder brings.
func checkPolicies(v *fault.Checks, all []program.Policy) {
	seen := map[program.PolicyType]bool{}
	for i, p := range all {
		at := "policies[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"policyType", p.Type, program.PolicyTypes())
		v.Is(at+"policyType", !seen[p.Type], "repeated", "is there twice")
		v.Is(at+"endDate", p.StartsAt == nil || p.EndsAt == nil || p.StartsAt.Before(*p.EndsAt), "before_start", "must be after startDate")
		p.CheckPeriod(v, at)
		seen[p.Type] = true
	}
}

// checkLocks refuses a switch that the product lets no card change.
func checkLocks(p program.Product, all []program.Policy) error {
	for _, own := range all {
		if slices.ContainsFunc(p.Policies, func(q program.Policy) bool { return q.Type == own.Type && q.IsLocked }) {
			return errPolicyLocked.With("policyType", string(own.Type))
		}
	}
	return nil
}

// draft is a card before it is written.
type draft struct {
	in       NewCard
	cfg      *program.Configuration
	product  program.Product
	bin      program.BIN
	keys     program.KeySet
	customer customer.Customer
	parent   Issuance // zero for a main card
	issuance Issuance
	card     Card

	// Of a renewal: the card whose place this one takes, all plastics of its
	// number, and what goes over from it.
	renewal           Renewal
	old               Card
	plastics          []Card
	keeps, carriesPIN bool
}

// draftCard checks the wish against configuration, customer and parent, and
// fills in everything but the number.
func (s *Service) draftCard(ctx context.Context, tx db.Tx, c access.Caller, in NewCard) (draft, error) {
	d := draft{in: in}
	var err error
	if d.cfg, err = s.programs.ConfigurationIn(ctx, tx, c.Tenant); err != nil {
		return d, err
	}
	if err := s.findCustomerAndProduct(ctx, tx, c, &d); err != nil {
		return d, err
	}
	if err := s.findParent(ctx, tx, c, &d); err != nil {
		return d, err
	}
	now := s.Clock.Now()
	if err := d.checkHolder(now); err != nil {
		return d, err
	}
	d.issuance = Issuance{
		ID: id.New[Issuance](now), Tenant: c.Tenant, Customer: d.customer.ID, ProductCode: d.product.Code, Parent: d.parent.ID,
		AccountNo: in.AccountNo, ExternalCardID: in.ExternalCardID, PhoneNumber: in.PhoneNumber,
		DigitalSlipType: d.product.DigitalSlip, AutoRenewal: d.product.AutoRenewal,
		Policies: mergePolicies(d.product.Policies, in.Policies, now), CreatedAt: now, UpdatedAt: now,
	}
	if in.DigitalSlip != "" {
		d.issuance.DigitalSlipType = in.DigitalSlip
	}
	if in.AutoRenewal != "" {
		d.issuance.AutoRenewal = in.AutoRenewal
	}
	if in.PhoneNumber == "" {
		d.issuance.PhoneNumber = d.customer.Contact(customer.MobilePhone)
	}
	d.card = d.firstCard(now)
	d.issuance.CurrentCard = d.card.ID
	for _, fill := range []func(access.Caller, time.Time) error{
		d.fillForm, d.fillExpiry, d.fillStatus, d.fillNames, d.fillPlastic,
	} {
		if err := fill(c, now); err != nil {
			return d, err
		}
	}
	if err := checkLocks(d.product, in.Policies); err != nil {
		return d, err
	}
	if in.FeeExemption && !c.May(access.IssuingCardStatusPrivileged) {
		return d, errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
	}
	if in.ExternalCardID != "" {
		if taken, err := externalCardTaken(ctx, tx, c.Tenant, in.ExternalCardID); err != nil || taken {
			return d, cmpError(err, errExternalCardID)
		}
	}
	return d, checkPlaces(ctx, tx, d)
}

// firstCard is the first card of the draft's issuance, with what product and BIN
// say.
func (d *draft) firstCard(now time.Time) Card {
	return Card{
		ID: id.New[Card](now), Tenant: d.issuance.Tenant, Issuance: d.issuance.ID, ProductCode: d.product.Code, Sequence: 1, PSN: "01", BIN: d.bin.BIN,
		PANLength: d.bin.PANLength, ServiceCode: d.product.ServiceCode, ChipProfile: d.product.ChipProfile,
		KeyVersion: d.keys.IMKAC.Version, PINStatus: PINNotSet, LastATC: -1, CreatedAt: now, UpdatedAt: now,
	}
}

func (s *Service) findCustomerAndProduct(ctx context.Context, tx db.Tx, c access.Caller, d *draft) error {
	var err error
	if d.customer, err = s.customers.Named(ctx, tx, c.Tenant, d.in.CustomerNo); err != nil {
		return err
	}
	if d.customer.Status != customer.Active {
		return errCustomerInactive
	}
	return d.findProduct()
}

// findProduct finds the product, which must issue new cards, with its BIN and
// keys.
func (d *draft) findProduct() error {
	var found bool
	var err error
	if d.product, err = d.cfg.ProductNamed(d.in.ProductCode); err != nil {
		return err
	}
	if d.product.Status != program.RecordActive {
		return errProductPassive
	}
	if d.bin, found = d.cfg.BINOf(d.product); !found {
		return fmt.Errorf("product %s has no BIN", d.product.Code)
	}
	if d.keys, found = d.cfg.KeysOf(d.bin); !found {
		return fmt.Errorf("BIN %s has no key set", d.bin.BIN)
	}
	if d.bin.Status != program.RecordActive {
		return errProductPassive
	}
	return nil
}

// findParent finds the main card that a supplementary one hangs on.
func (s *Service) findParent(ctx context.Context, tx db.Tx, c access.Caller, d *draft) error {
	if d.in.ParentIssuanceNo == "" && d.in.ParentCardToken == "" {
		return nil
	}
	var parent Issuance
	var card Card
	var found bool
	var err error
	if d.in.ParentCardToken != "" {
		if card, found, err = readCard(ctx, tx, c.Tenant, d.in.ParentCardToken, 0); err == nil && found {
			parent, found, err = readIssuance(ctx, tx, c.Tenant, card.Issuance)
		}
	} else {
		parent, found, err = readIssuanceByNo(ctx, tx, c.Tenant, d.in.ParentIssuanceNo)
	}
	if err != nil {
		return fmt.Errorf("read parent: %w", err)
	}
	if !found || d.in.ParentIssuanceNo != "" && d.in.ParentIssuanceNo != parent.No {
		return errParentInvalid.With("condition", "exists")
	}
	if card, _, err = readCardByID(ctx, tx, c.Tenant, parent.CurrentCard); err != nil {
		return fmt.Errorf("read parent's card: %w", err)
	}
	of, _ := d.cfg.Product(parent.ProductCode)
	switch {
	case !parent.Parent.IsZero():
		return errParentInvalid.With("condition", "main")
	case parent.Customer.IsZero():
		return errParentInvalid.With("condition", "customer")
	case card.Status != Active && card.Status != Pending:
		return errParentInvalid.With("condition", "status")
	case of.Currency != d.product.Currency:
		return errParentInvalid.With("condition", "currency")
	case of.CardType != d.product.CardType:
		return errParentInvalid.With("condition", "product")
	case d.in.AccountNo != "" && d.in.AccountNo != parent.AccountNo:
		return errAccountOfParent
	}
	d.parent = parent
	return nil
}

// checkHolder holds the customer against what the product asks for.
func (d *draft) checkHolder(now time.Time) error {
	if !d.product.Allows(d.customer.Type) {
		return errCustomerTypeNotAllowed
	}
	if d.customer.KYCLevel < d.product.MinKYCLevel {
		return errKYC.With("minKycLevel", d.product.MinKYCLevel.String())
	}
	minAge := d.product.MinAge
	if !d.parent.ID.IsZero() {
		minAge = d.product.ChildMinAge
	}
	if born := d.customer.BirthDate; d.customer.Type == customer.Individual && !born.IsZero() {
		// Somebody born on February 29 comes of age on March 1, or the 28th,
		// whichever day the month has: AddMonths picks the last one.
		if clock.DateOf(now, d.cfg.Tenant.Zone).Before(born.AddMonths(12 * minAge)) {
			return errAge.With("minAge", minAge)
		}
	}
	return nil
}

// checkPlaces refuses a card too many for its customer or its parent.
func checkPlaces(ctx context.Context, tx db.Tx, d draft) error {
	limit, refusal := d.product.MaxCardsPerCustomer, errMaxCards
	if !d.parent.ID.IsZero() {
		of, _ := d.cfg.Product(d.parent.ProductCode)
		limit, refusal = of.MaxChildCards, errMaxChildCards
	} else if limit == 0 {
		return nil // unlimited
	}
	n, err := openCards(ctx, tx, d.issuance.Tenant, d.customer.ID, d.product.Code, d.parent.ID)
	if err != nil {
		return fmt.Errorf("count cards: %w", err)
	}
	if n >= limit {
		return refusal.With("limit", limit)
	}
	return nil
}

func (d *draft) fillForm(access.Caller, time.Time) error {
	form := d.in.FormFactor
	if form == "" && len(d.product.FormFactors) > 0 {
		form = d.product.FormFactors[0]
	}
	// A card without a name is made by the noname use case, which asks for no
	// customer.
	if form == program.PhysicalNoname || !slices.Contains(d.product.FormFactors, form) {
		return errFormFactorNotAllowed.With("formFactor", string(form))
	}
	d.card.FormFactor = form
	return nil
}

func (d *draft) fillExpiry(c access.Caller, now time.Time) error {
	today := clock.DateOf(now, d.cfg.Tenant.Zone)
	d.card.Expires = ExpiryAfter(today, d.product.ValidityMonths)
	if d.in.Expires.IsZero() {
		return nil
	}
	if !c.May(access.IssuingCardStatusPrivileged) {
		return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
	}
	if d.in.Expires.PassedAt(now, d.cfg.Tenant.Zone) || d.card.Expires.Before(d.in.Expires) {
		return errExpiryNotAllowed
	}
	d.card.Expires = d.in.Expires
	return nil
}

func (d *draft) fillStatus(c access.Caller, now time.Time) error {
	standard := CardStatus(d.product.InitialStatusPhysical)
	if d.card.IsVirtual() {
		standard = CardStatus(d.product.InitialStatusVirtual)
	}
	status := standard
	if d.in.InitialStatus != "" {
		status = d.in.InitialStatus
	}
	if status != Pending && status != Active {
		return errInvalid.OnField("initialStatus", "not_initial", "must be Pending or Active")
	}
	if status == Active && standard == Pending {
		if !c.May(access.IssuingCardStatusPrivileged) {
			return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
		}
		if d.product.RequireDelivery && !d.card.IsVirtual() {
			return errActivationCondition.With("condition", "delivery")
		}
	}
	d.card.StatusChange = StatusChange{
		Status: status, Reason: NoReason, Description: d.in.Description, ChangedAt: now, ChangedBy: c.By(),
		Channel: channelOf(c, d.in.Channel),
	}
	if status == Active {
		d.card.Reason, d.card.ActivatedAt = FirstActivation, now
	}
	return nil
}

// fillNames makes the printed lines. A card that is only shown on a screen may
// do without.
func (d *draft) fillNames(access.Caller, time.Time) error {
	limit1, limit2 := embossMax, embossMax
	if p, ok := d.plastic(); ok {
		limit1, limit2 = lineLimit(p.Line1MaxLength), lineLimit(p.Line2MaxLength)
	}
	var ok1, ok2 bool
	line2 := d.in.EmbossLine2
	switch {
	case d.in.EmbossLine1 != "":
		d.card.EmbossLine1, ok1 = EmbossName(d.in.EmbossLine1, limit1)
		if !ok1 {
			return errEmbossName.OnField("personalizedNameLine1", "emboss_name", "cannot be printed")
		}
	case d.customer.Type == customer.Company && d.customer.Business != nil:
		d.card.EmbossLine1, ok1 = embossCut(d.customer.Business.CompanyName, limit1)
		if short := d.customer.Business.ShortName; line2 == "" && short != "" {
			if _, fits := EmbossName(short, limit2); fits {
				line2 = short
			}
		}
	default:
		d.card.EmbossLine1, ok1 = embossPerson(d.customer.Name, d.customer.MiddleName, d.customer.Surname, limit1)
	}
	if !ok1 && (d.product.EmbossNameRequired || d.card.FormFactor != program.Virtual) {
		return errEmbossName.OnField("personalizedNameLine1", "emboss_name", "the customer's name cannot be printed; send one that can")
	}
	if line2 != "" {
		if d.card.EmbossLine2, ok2 = EmbossName(line2, limit2); !ok2 {
			return errEmbossName.OnField("personalizedNameLine2", "emboss_name", "cannot be printed")
		}
	}
	return nil
}

func lineLimit(n int) int {
	if n <= 0 {
		return embossMax
	}
	return min(n, embossMax)
}

// plastic is the product's variant that the card is made of.
func (d *draft) plastic() (program.Plastic, bool) {
	if d.card.FormFactor == program.Virtual {
		return program.Plastic{}, false
	}
	var chosen program.Plastic
	var found bool
	for _, p := range d.product.Plastics {
		switch {
		case !p.IsActive:
		case d.in.PhysicalCode != "" && p.Code == d.in.PhysicalCode, d.in.PhysicalCode == "" && p.IsDefault:
			return p, true
		case d.in.PhysicalCode == "" && !found:
			chosen, found = p, true
		}
	}
	return chosen, found
}

// fillPlastic orders the plastic: what it looks like and where it goes.
func (d *draft) fillPlastic(_ access.Caller, now time.Time) error {
	if d.card.FormFactor == program.Virtual {
		return nil
	}
	p, found := d.plastic()
	if !found {
		return errPhysical.OnField("physicalCode", "unknown", "is no active variant of the product")
	}
	if d.in.CardArtCode != "" && d.in.CardArtCode != p.CardArtCode {
		return errPhysical.OnField("cardArtCode", "unknown", "does not belong to the variant")
	}
	if d.in.IsExpress && !p.ExpressAvailable {
		return errPhysical.OnField("isExpress", "not_available", "the variant cannot be sent express")
	}
	method := d.in.DeliveryMethod
	switch {
	case method == "" && (len(p.DeliveryMethods) == 0 || slices.Contains(p.DeliveryMethods, program.ByCourier)):
		method = program.ByCourier
	case method == "":
		method = p.DeliveryMethods[0]
	case len(p.DeliveryMethods) > 0 && !slices.Contains(p.DeliveryMethods, method):
		return errPhysical.OnField("deliveryMethod", "not_available", "the variant is not delivered this way")
	}
	body := &CardBody{
		Code: p.Code, CardArtCode: p.CardArtCode, PlasticCode: p.PlasticCode, DeliveryMethod: method,
		BranchCode: d.in.BranchCode, IsExpress: d.in.IsExpress, PersoStatus: PersoRequested, PersoVendor: p.PersoVendorCode,
		ShipmentStatus: ShipmentNotApplicable, RequestedAt: now, UpdatedAt: now,
		Delivery: Delivery{
			Phone: d.in.DeliveryPhone, Email: d.in.DeliveryEmail, RecipientName: d.in.RecipientName,
			RecipientTCKN: d.in.RecipientTCKN,
		},
	}
	if body.Delivery.Phone == "" {
		body.Delivery.Phone = d.customer.Contact(customer.MobilePhone)
	}
	if body.Delivery.RecipientName == "" {
		body.Delivery.RecipientName = d.customer.DisplayName()
	}
	switch method {
	case program.ByBranch:
		if d.in.BranchCode == "" {
			return errDeliveryAddressRequired.OnField("branchCode", "required", "is needed for delivery to a branch")
		}
	case program.ByCourier, program.ByPost:
		a := d.in.DeliveryAddress
		if a == nil && d.in.DeliveryTo != "" {
			if stored, ok := d.customer.Address(d.in.DeliveryTo); ok {
				a = &stored
			}
		}
		if a == nil {
			return errDeliveryAddressRequired.OnField("deliveryAddress", "required", "names no address of the customer and holds none")
		}
		body.Delivery.Address = a
	}
	d.card.Physical = body
	return nil
}

// mergePolicies keeps a copy of the product's switches and the card's own over
// them.
func mergePolicies(product, card []program.Policy, now time.Time) []CardPolicy {
	var merged []CardPolicy
	for _, p := range product {
		merged = append(merged, CardPolicy{Policy: p, UpdatedAt: now})
	}
	for _, p := range card {
		merged = append(merged, CardPolicy{Policy: p, FromCard: true, UpdatedAt: now})
	}
	return merged
}

// drawNumber gives the draft a card number and seals what must be sealed. It
// uses the HSM and, for the range's count, a transaction of its own.
func (s *Service) drawNumber(ctx context.Context, c access.Caller, d *draft) error {
	var p pan.PAN
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		p, err = program.AllocatePAN(ctx, tx, d.cfg, d.product.BINRangeCode, s.Clock.Now(), s.takenNumber(ctx, tx, c.Tenant))
		return err
	})
	if err != nil {
		return err
	}
	return s.useNumber(ctx, c, d, p)
}

func (s *Service) useNumber(ctx context.Context, c access.Caller, d *draft, p pan.PAN) (err error) {
	k := &d.card
	k.Token, k.LastFour = NewCardToken(p), p.Last4()
	if d.keeps {
		k.Token = d.old.Token
	}
	if k.sealedPAN, err = s.sealPAN(ctx, c.Tenant, k.ID, p); err != nil {
		return err
	}
	if k.indexOfPAN, err = s.indexPAN(ctx, c.Tenant, p); err != nil {
		return err
	}
	if k.Physical != nil {
		if k.Physical.sealedDelivery, err = s.sealDelivery(ctx, *k); err != nil {
			return err
		}
	}
	if d.issuance.sealedPhone, err = s.sealPhone(ctx, d.issuance); err != nil {
		return err
	}
	if !d.old.ID.IsZero() {
		return s.carryPIN(ctx, d, p)
	}
	return s.firstPIN(ctx, c, d, p)
}

// firstPIN gives the card the PIN its maker asked for.
func (s *Service) firstPIN(ctx context.Context, c access.Caller, d *draft, p pan.PAN) error {
	var kept keptPIN
	var err error
	rules := pinRules(d.product, d.card, d.customer, d.issuance.PhoneNumber)
	switch d.in.PINSource {
	case "", NoPIN:
		return nil
	case RandomPIN:
		if kept, err = s.drawPIN(ctx, placeOf(d.keys, d.product, d.card), p, rules); err != nil {
			return err
		}
	case EncryptedPIN:
		block, err := s.pinBlock(ctx, c, d.cfg, d.keys, "", p, d.in.PIN)
		if err != nil {
			return err
		}
		if kept, err = s.choosePIN(ctx, placeOf(d.keys, d.product, d.card), block, rules); err != nil {
			return err
		}
	default:
		return errPINBlock
	}
	d.card.PIN, d.card.PINBlock = kept.verifier, kept.block
	d.card.PINStatus, d.card.PINChangedAt = PINActive, d.card.CreatedAt
	return nil
}

// saveDraft writes a draft after looking again at what others may have changed
// since it was made.
func (s *Service) saveDraft(ctx context.Context, tx db.Tx, c access.Caller, d draft) error {
	// While parent and customer are locked, no two requests take the last place
	// of either.
	if !d.parent.ID.IsZero() {
		if err := lockIssuance(ctx, tx, c.Tenant, d.parent.ID); err != nil {
			return err
		}
		if err := s.findParent(ctx, tx, c, &d); err != nil {
			return err
		}
	}
	if err := customer.Lock(ctx, tx, c.Tenant, d.customer.ID); err != nil {
		return err
	}
	if err := s.findCustomerAndProduct(ctx, tx, c, &d); err != nil {
		return err
	}
	if err := checkPlaces(ctx, tx, d); err != nil {
		return err
	}
	if err := s.openAccount(ctx, tx, &d); err != nil {
		return err
	}
	added, err := insertIssuance(ctx, tx, d.issuance)
	if err != nil {
		return fmt.Errorf("insert issuance: %w", err)
	}
	if !added {
		if d.in.ExternalCardID != "" {
			return errExternalCardID
		}
		return errors.New("insert issuance: its number is taken")
	}
	for range numberAttempts {
		added, err := insertCard(ctx, tx, d.card)
		if err != nil {
			return fmt.Errorf("insert card: %w", err)
		}
		if added {
			if err := raiseIssue(ctx, tx, c, d); err != nil {
				return err
			}
			return s.recordIssue(ctx, tx, c, d)
		}
		// The number, or the six letters of its token, are in use already.
		p, err := program.AllocatePAN(ctx, tx, d.cfg, d.product.BINRangeCode, s.Clock.Now(), s.takenNumber(ctx, tx, c.Tenant))
		if err != nil {
			return err
		}
		if err := s.useNumber(db.WithTx(ctx, tx), c, &d, p); err != nil {
			return err
		}
	}
	return program.RangeExhausted(d.product.BINRangeCode)
}

// openAccount finds or opens the account the card spends from.
func (s *Service) openAccount(ctx context.Context, tx db.Tx, d *draft) error {
	for range numberAttempts {
		d.issuance.No = newIssuanceNo()
		_, taken, err := readIssuanceByNo(ctx, tx, d.issuance.Tenant, d.issuance.No)
		if err != nil {
			return fmt.Errorf("look for issuance number: %w", err)
		}
		if !taken {
			break
		}
	}
	if !d.parent.ID.IsZero() {
		d.issuance.Account, d.issuance.AccountNo = d.parent.Account, d.parent.AccountNo
		return nil
	}
	if d.issuance.AccountNo == "" {
		d.issuance.AccountNo = d.issuance.No
	}
	a, err := ledger.OpenCardAccount(ctx, tx, d.issuance.Tenant, d.issuance.AccountNo, d.customer.ID.String(),
		d.product.Currency, d.issuance.CreatedAt)
	if err != nil {
		return fmt.Errorf("open account: %w", err)
	}
	d.issuance.Account = a.ID
	return nil
}

// cmpError returns err, or the refusal when there is none.
func cmpError(err error, refusal error) error {
	if err != nil {
		return err
	}
	return refusal
}

// channelOf is the channel a body names, else the one of the request.
func channelOf(c access.Caller, named string) string {
	if named != "" {
		return named
	}
	if c.Channel != "" {
		return c.Channel
	}
	return access.ChannelAPI
}
