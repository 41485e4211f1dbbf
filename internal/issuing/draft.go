package issuing

import (
	"context"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

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
	now := c.Now(s.Clock)
	if err := d.checkHolder(now); err != nil {
		return d, err
	}
	d.issuance = Issuance{
		ID: id.New[Issuance](s.Clock.Now()), Tenant: c.Tenant, Customer: d.customer.ID, ProductCode: d.product.Code, Parent: d.parent.ID,
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
	d.card = d.firstCard(now, c.Real(now))
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
			return d, orRefuse(err, errExternalCardID)
		}
	}
	return d, checkPlaces(ctx, tx, d)
}

// firstCard is the first card of the draft's issuance, with what product and BIN
// say.
func (d *draft) firstCard(now time.Time, moment clock.Real) Card {
	return Card{
		ID: id.New[Card](moment.Time()), Tenant: d.issuance.Tenant, Issuance: d.issuance.ID, ProductCode: d.product.Code, Sequence: 1, PSN: "01", BIN: d.bin.BIN,
		PANLength: d.bin.PANLength, ServiceCode: d.product.ServiceCode, ChipProfile: d.product.ChipProfile,
		KeyVersion: d.keys.IMKAC.Version, PINStatus: PINNotSet, LastATC: -1, CreatedAt: now, UpdatedAt: now,
	}
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
