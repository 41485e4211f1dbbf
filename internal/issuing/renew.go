package issuing

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// RenewedCard is a card after its renewal, and the new one.
type RenewedCard struct {
	IssuedCard
	New IssuedCard
}

// RenewCard makes a new card in the place of one. With the same number it has
// the next sequence and another expiry; else another number. A plastic waits
// until it is activated; meanwhile the old card works on as far as it did, with
// another number at most for the product's overlap. A card without plastic is
// in force at once.
//
// A renewal for Lost, Stolen or Fraud says so of the old card, too. Of two
// renewals at once one is renewal_in_progress.
func (s *Service) RenewCard(ctx context.Context, c access.Caller, token string, in Renewal) (RenewedCard, error) {
	if err := in.check(); err != nil {
		return RenewedCard{}, err
	}
	d, err := s.draftRenewal(ctx, c, token, in)
	if err != nil {
		return RenewedCard{}, err
	}
	var out RenewedCard
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		var acts []audit.Act
		d := d
		m := mover{s: s, tx: tx, c: c, cfg: d.cfg, in: NewStatus{Channel: in.Channel}, later: &acts}
		if err := m.renew(ctx, &d); err != nil {
			return err
		}
		if err := appendAll(ctx, tx, acts); err != nil {
			return err
		}
		var err error
		if out.IssuedCard, err = s.issuedCard(ctx, tx, c, d.old.Token, d.old.Sequence); err != nil {
			return err
		}
		out.New, err = s.issuedCard(ctx, tx, c, d.card.Token, d.card.Sequence)
		return err
	})
	return out, err
}

// draftRenewal is the new card before it is written: all that can be judged and
// computed without holding anything.
func (s *Service) draftRenewal(ctx context.Context, c access.Caller, token string, in Renewal) (draft, error) {
	d := draft{renewal: in}
	err := s.DB.View(ctx, func(tx db.Tx) error {
		card, found, err := readCard(ctx, tx, c.Tenant, token, in.Sequence)
		if err != nil {
			return fmt.Errorf("read card: %w", err)
		}
		if !found {
			return errCardNotFound
		}
		return s.draftSuccessor(ctx, tx, c, &d, card)
	})
	if err != nil {
		return d, err
	}
	return d, s.numberSuccessor(ctx, c, &d)
}

// numberSuccessor gives the new card its number.
func (s *Service) numberSuccessor(ctx context.Context, c access.Caller, d *draft) error {
	if !d.keeps {
		return s.drawNumber(ctx, c, d)
	}
	p, err := s.openPAN(ctx, d.old)
	if err != nil {
		return err
	}
	return s.useNumber(ctx, c, d, p)
}

// draftSuccessor fills in the successor of old, everything but its number.
func (s *Service) draftSuccessor(ctx context.Context, tx db.Tx, c access.Caller, d *draft, old Card) error {
	in, now := d.renewal, c.Now(s.Clock)
	d.old = old
	var err error
	if d.cfg, err = s.programs.ConfigurationIn(ctx, tx, c.Tenant); err != nil {
		return err
	}
	if err := s.findRenewed(ctx, tx, c, d); err != nil {
		return err
	}
	// Before the customer and the product: whether a card may be renewed at all
	// is about the card.
	if err := in.suits(c, old, now); err != nil {
		return err
	}
	if err := s.findCustomerAndProduct(ctx, tx, c, d); err != nil {
		return err
	}
	if d.keeps, err = in.keepsNumber(old, d.product); err != nil {
		return err
	}
	if d.carriesPIN, err = in.transfersPIN(old, d.keeps, d.product); err != nil {
		return err
	}
	if err := d.checkProductChange(now); err != nil {
		return err
	}
	if (in.FeeExemption || !in.Expires.IsZero()) && !c.May(access.IssuingCardStatusPrivileged) {
		return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
	}
	d.card = Card{
		ID: id.New[Card](s.Clock.Now()), Tenant: c.Tenant, Issuance: d.issuance.ID, ProductCode: d.product.Code, Sequence: 1, PSN: "01",
		BIN: d.bin.BIN, PANLength: d.bin.PANLength, ServiceCode: d.product.ServiceCode, ChipProfile: d.product.ChipProfile,
		KeyVersion: d.keys.IMKAC.Version, PINStatus: PINNotSet, LastATC: -1, PreviousCard: old.ID, Renewed: in.Reason,
		CreatedAt: now, UpdatedAt: now,
	}
	if err := s.countPlastic(ctx, tx, d); err != nil {
		return err
	}
	for _, fill := range []func(access.Caller, time.Time) error{
		d.fillRenewedForm, d.fillRenewedExpiry, d.fillRenewedStatus, d.fillNames, d.fillPlastic,
	} {
		if err := fill(c, now); err != nil {
			return err
		}
	}
	return nil
}

// findRenewed finds the issuance of the card to be renewed, and refuses a card
// whose place another one has or is about to take.
func (s *Service) findRenewed(ctx context.Context, tx db.Tx, c access.Caller, d *draft) error {
	var found bool
	var err error
	if d.issuance, found, err = readIssuance(ctx, tx, c.Tenant, d.old.Issuance); err != nil || !found {
		return fmt.Errorf("read issuance of card %s: %w", d.old.ID, db.Missing(err))
	}
	if !d.issuance.Successor.IsZero() {
		return errRenewalInProgress.With("cardToken", d.old.Token)
	}
	if d.issuance.CurrentCard != d.old.ID {
		current, found, err := readCardByID(ctx, tx, c.Tenant, d.issuance.CurrentCard)
		if err != nil || !found {
			return fmt.Errorf("read current card of issuance %s: %w", d.issuance.ID, db.Missing(err))
		}
		if current.PreviousCard == d.old.ID && current.Status == Pending {
			return errRenewalInProgress.With("cardToken", d.old.Token)
		}
		return errStatusNotSuitable.With("status", string(d.old.Status)).With("operation", "renew")
	}
	if !d.issuance.Parent.IsZero() {
		if d.parent, found, err = readIssuance(ctx, tx, c.Tenant, d.issuance.Parent); err != nil || !found {
			return fmt.Errorf("read parent of card %s: %w", d.old.ID, db.Missing(err))
		}
	}
	if d.issuance.Customer.IsZero() {
		return errRenewalNotAllowed.With("condition", "customer")
	}
	holder, found, err := s.customers.Read(ctx, tx, c.Tenant, d.issuance.Customer)
	if err != nil || !found {
		return fmt.Errorf("read customer %s: %w", d.issuance.Customer, db.Missing(err))
	}
	return d.wish(holder)
}

// wish makes of a renewal the wish for a card that [draft] is filled from.
func (d *draft) wish(holder customer.Customer) error {
	r := d.renewal
	d.in = NewCard{
		CustomerNo: holder.No, ProductCode: d.issuance.ProductCode, EmbossLine1: r.EmbossLine1, EmbossLine2: r.EmbossLine2,
		PhysicalCode: r.PhysicalCode, CardArtCode: r.CardArtCode, FormFactor: r.FormFactor, DeliveryMethod: r.DeliveryMethod,
		DeliveryTo: r.DeliveryTo, DeliveryAddress: r.DeliveryAddress, DeliveryPhone: r.DeliveryPhone, DeliveryEmail: r.DeliveryEmail,
		RecipientName: r.RecipientName, RecipientTCKN: r.RecipientTCKN, BranchCode: r.BranchCode, IsExpress: r.IsExpress,
		Expires: r.Expires, FeeExemption: r.FeeExemption, Channel: r.Channel, Description: r.Description,
	}
	if r.ProductCode != "" {
		d.in.ProductCode = r.ProductCode
	}
	if d.in.EmbossLine1 == "" {
		d.in.EmbossLine1 = d.old.EmbossLine1
	}
	if d.in.EmbossLine2 == "" {
		d.in.EmbossLine2 = d.old.EmbossLine2
	}
	if d.in.FormFactor == "" {
		d.in.FormFactor = d.old.FormFactor
	}
	if body := d.old.Physical; body != nil {
		d.wishPlastic(*body)
	}
	if d.in.DeliveryAddress == nil && d.in.DeliveryTo == "" {
		d.in.DeliveryTo = defaultAddress(holder)
	}
	return d.in.check()
}

// wishPlastic takes over the looks of the old plastic, as far as the same
// product is asked for and nothing else is named.
func (d *draft) wishPlastic(old CardBody) {
	if d.in.PhysicalCode == "" && d.renewal.ProductCode == "" {
		d.in.PhysicalCode = old.Code
	}
	if d.in.DeliveryMethod == "" && d.renewal.ProductCode == "" {
		d.in.DeliveryMethod = old.DeliveryMethod
		if d.in.BranchCode == "" && old.DeliveryMethod == program.ByBranch {
			d.in.BranchCode = old.BranchCode
		}
	}
}

// defaultAddress is the type of the address that a customer's post goes to:
// the one marked so, else the first.
func defaultAddress(c customer.Customer) customer.AddressType {
	for _, a := range c.Addresses {
		if a.IsDefault {
			return a.Type
		}
	}
	if len(c.Addresses) > 0 {
		return c.Addresses[0].Type
	}
	return ""
}

// checkProductChange holds the new product against the old one and the holder.
func (d *draft) checkProductChange(now time.Time) error {
	if d.renewal.Reason != RenewForProductChange {
		return nil
	}
	old, found := d.cfg.Product(d.old.ProductCode)
	if !found {
		return fmt.Errorf("product %s of card %s is gone", d.old.ProductCode, d.old.ID)
	}
	unmet := ""
	switch {
	case d.product.Code == old.Code:
		unmet = "product"
	case d.product.Currency != old.Currency:
		unmet = "currency"
	case d.product.CardType != old.CardType:
		unmet = "cardType"
	case d.keeps && d.product.BINRangeCode != old.BINRangeCode:
		unmet = "binRange"
	}
	if unmet != "" {
		return errRenewalNotAllowed.With("condition", unmet)
	}
	return d.checkHolder(now)
}

// countPlastic gives the card of a kept number its place after the newest one.
func (s *Service) countPlastic(ctx context.Context, tx db.Tx, d *draft) error {
	if !d.keeps {
		return nil
	}
	plastics, err := readPlastics(ctx, tx, d.old.Tenant, d.old.Token)
	if err != nil || len(plastics) == 0 {
		return fmt.Errorf("read plastics of card %s: %w", d.old.ID, db.Missing(err))
	}
	d.plastics = plastics
	newest := plastics[0]
	psn, err := strconv.Atoi(newest.PSN)
	if err != nil {
		return fmt.Errorf("card %s: its sequence number is no number", newest.ID)
	}
	if newest.Sequence >= sequenceMax || psn >= sequenceMax {
		return errRenewalNotAllowed.With("condition", "sequence")
	}
	d.card.Sequence, d.card.PSN = newest.Sequence+1, fmt.Sprintf("%02d", psn+1)
	return nil
}

// fillRenewedForm keeps the form, if the product still allows it.
func (d *draft) fillRenewedForm(access.Caller, time.Time) error {
	form := d.in.FormFactor
	if !slices.Contains(d.product.FormFactors, form) {
		if form == program.PhysicalNoname && d.renewal.FormFactor == "" && slices.Contains(d.product.FormFactors, program.PhysicalCard) {
			form = program.PhysicalCard
		} else {
			return errFormFactorNotAllowed.With("formFactor", string(form))
		}
	}
	d.card.FormFactor = form
	if d.renewal.Activate && !d.card.IsVirtual() {
		return errInvalid.OnField("activateImmediately", "not_allowed", "is for cards without plastic only")
	}
	return nil
}

// fillRenewedExpiry gives the card an expiry that no other plastic of its
// number has: by it the two are told apart, and the card values differ.
func (d *draft) fillRenewedExpiry(_ access.Caller, now time.Time) error {
	standard := ExpiryAfter(clock.DateOf(now, d.cfg.Tenant.Zone), d.product.ValidityMonths)
	taken := func(e Expiry) bool {
		return slices.ContainsFunc(d.plastics, func(c Card) bool { return c.Expires == e })
	}
	for taken(standard) {
		standard = ExpiryAfter(clock.Date{Year: standard.Year, Month: standard.Month, Day: 1}, 1)
	}
	d.card.Expires = standard
	if d.in.Expires.IsZero() {
		return nil
	}
	if d.in.Expires.PassedAt(now, d.cfg.Tenant.Zone) || standard.Before(d.in.Expires) || taken(d.in.Expires) {
		return errExpiryNotAllowed
	}
	d.card.Expires = d.in.Expires
	return nil
}

// fillRenewedStatus lets a plastic wait for its activation. A card without
// plastic is in use at once, unless the old one is closed for now: what somebody
// has shut is not opened by the way.
func (d *draft) fillRenewedStatus(c access.Caller, now time.Time) error {
	d.card.StatusChange = StatusChange{
		Status: Pending, Reason: NoReason, Description: d.in.Description, ChangedAt: now, ChangedBy: c.By(),
		Channel: channelOf(c, d.in.Channel),
	}
	shut := d.old.Status == Inactive || d.old.Status == Blocked
	if d.card.IsVirtual() && (!shut || d.renewal.Activate) {
		d.card.Status, d.card.Reason, d.card.ActivatedAt = Active, FirstActivation, now
	}
	return nil
}

// carryPIN gives the new card the old one's PIN: as it is with the same number,
// derived anew for another.
func (s *Service) carryPIN(ctx context.Context, d *draft, p pan.PAN) error {
	if !d.carriesPIN || d.old.PIN.IsZero() {
		return nil
	}
	v, block := d.old.PIN, d.old.PINBlock
	if !d.keeps {
		var err error
		if v, block, err = s.transferPIN(ctx, d, p); err != nil {
			return err
		}
	}
	d.card.PIN, d.card.PINStatus, d.card.PINChangedAt, d.card.PINBlock = v, PINActive, d.old.PINChangedAt, block
	if d.keeps && d.old.PINStatus == PINBlocked {
		d.card.PINStatus = PINBlocked
	}
	return nil
}

// transferPIN makes what is stored of the old card's PIN for another number: of
// the kept PIN, else of the offset.
func (s *Service) transferPIN(ctx context.Context, d *draft, p pan.PAN) (v hsm.Verifier, block []byte, err error) {
	number, err := s.openPAN(ctx, d.old)
	if err != nil {
		return v, nil, err
	}
	from, found := d.cfg.KeysOf(d.cfg.BINs[d.old.BIN])
	if !found {
		return v, nil, fmt.Errorf("BIN %s has no key set", d.old.BIN)
	}
	to := d.keys.PINKey(d.product.PINLength)
	if len(d.old.PINBlock) == 0 {
		v, err = s.HSM.TransferOffset(ctx, hsm.OffsetTransfer{
			From: from.VerifierKey(d.old.PIN), Old: number, Offset: d.old.PIN, To: to, New: p,
		})
	} else {
		var kept hsm.PINBlock
		v, kept, err = s.HSM.TransferPIN(ctx, hsm.StoredTransfer{
			Stored: hsm.PINBlock{Block: d.old.PINBlock, Format: hsm.ISO4, PAN: number, Key: from.PINStore},
			Length: d.product.PINLength, To: to, Store: d.keys.PINStore, New: p,
		})
		if keepsPIN(d.product, d.card) {
			block = kept.Block
		}
	}
	if err != nil {
		return v, nil, fmt.Errorf("transfer PIN: %w", hsmFault(err))
	}
	return v, block, nil
}

// renew writes the new card and says what becomes of the old one.
func (m mover) renew(ctx context.Context, d *draft) error {
	issuance, err := m.lockIssuance(ctx, d.issuance.ID)
	if err != nil {
		return err
	}
	if err := m.judgeAgain(ctx, d, &issuance); err != nil {
		return err
	}
	old := d.old
	if to, reason := d.renewal.Reason.reported(); to != "" && !isGone(old.Status) {
		report := m
		report.in = NewStatus{Status: to, Reason: reason, Description: d.in.Description, Channel: d.in.Channel}
		if _, _, err := report.moveOne(ctx, old, &issuance, reason); err != nil {
			return err
		}
		old.Status = to
	}
	if err := m.insertSuccessor(ctx, d); err != nil {
		return err
	}
	issuance.Successor = d.card.ID
	if err := saveSuccession(ctx, m.tx, issuance, m.c.Now(m.s.Clock)); err != nil {
		return fmt.Errorf("save renewal: %w", err)
	}
	if err := m.s.orderFees(ctx, m.tx, m.c, *d); err != nil {
		return err
	}
	if err := m.tellRenewal(ctx, d); err != nil {
		return err
	}
	switch {
	case d.card.Status == Active, isGone(old.Status), old.Status == Pending:
		// A plastic that never arrived must not be activated by whoever finds it.
		return m.takeOver(ctx, d.card, &issuance)
	case !d.keeps:
		end := m.c.Now(m.s.Clock).AddDate(0, 0, d.overlapDays())
		if err := setRetirement(ctx, m.tx, m.c.Tenant, old.ID, end); err != nil {
			return fmt.Errorf("end overlap: %w", err)
		}
	}
	return nil
}

// overlapDays is how long both numbers work.
func (d *draft) overlapDays() int {
	if p, found := d.cfg.Product(d.old.ProductCode); found {
		return p.RenewalOverlapDays
	}
	return d.product.RenewalOverlapDays
}

// judgeAgain looks again at what others may have changed since the draft.
func (m mover) judgeAgain(ctx context.Context, d *draft, issuance *Issuance) error {
	old, found, err := readCardByID(ctx, m.tx, m.c.Tenant, d.old.ID)
	if err != nil || !found {
		return fmt.Errorf("read card again: %w", db.Missing(err))
	}
	if old, *issuance, err = m.settleDue(ctx, old, *issuance); err != nil {
		return err
	}
	was := d.old.Status
	d.old.StatusChange = old.StatusChange
	if err := m.s.findRenewed(ctx, m.tx, m.c, d); err != nil {
		return err
	}
	if err := d.renewal.suits(m.c, old, m.c.Now(m.s.Clock)); err != nil {
		return err
	}
	// A PIN that is changed from here on waits for this transaction, and is then
	// given to the new plastic, too.
	states, err := LockCardStates(ctx, m.tx, []id.ID[Card]{old.ID})
	if err != nil {
		return err
	}
	if !states[old.ID].PINChangedAt.Equal(d.old.PINChangedAt) {
		return errStale
	}
	if old.Status != was && m.replacement == nil {
		return errStale // what the new card is like may depend on it
	}
	if err := customer.Lock(ctx, m.tx, m.c.Tenant, d.customer.ID); err != nil {
		return err
	}
	if err := m.s.findCustomerAndProduct(ctx, m.tx, m.c, d); err != nil {
		return err
	}
	if d.renewal.Reason == RenewForProductChange && d.parent.ID.IsZero() {
		return checkPlaces(ctx, m.tx, *d)
	}
	return nil
}

// insertSuccessor writes the new card, with another number when the drawn one
// is taken.
func (m mover) insertSuccessor(ctx context.Context, d *draft) error {
	for range numberAttempts {
		added, err := insertCard(ctx, m.tx, d.card)
		if err != nil {
			return fmt.Errorf("insert card: %w", err)
		}
		if added {
			return nil
		}
		if d.keeps {
			return errRenewalInProgress.With("cardToken", d.old.Token)
		}
		p, err := program.AllocatePAN(ctx, m.tx, d.cfg, d.product.BINRangeCode, clock.RealNow(m.s.Clock), m.s.takenNumber(ctx, m.tx, m.c.Tenant))
		if err != nil {
			return err
		}
		if err := m.s.useNumber(db.WithTx(ctx, m.tx), m.c, d, p); err != nil {
			return err
		}
	}
	return program.RangeExhausted(d.product.BINRangeCode)
}

// draftReplacement is the card that takes the place of one that is about to be
// closed.
func (s *Service) draftReplacement(ctx context.Context, c access.Caller, token string, in NewStatus) (draft, error) {
	reason := map[CardStatus]RenewalReason{
		Lost: RenewForLost, Stolen: RenewForStolen, Fraud: RenewForFraud, Damaged: RenewForDamaged,
	}[in.Status]
	r := Renewal{replaces: true, Reason: reason, Sequence: in.Sequence, Channel: in.Channel, Description: in.Description, Replacement: in.Replacement}
	return s.draftRenewal(ctx, c, token, r)
}

// replace writes the replacement of a card that has just been closed.
func (m mover) replace(ctx context.Context) (*IssuedCard, error) {
	d := *m.replacement
	if err := m.renew(ctx, &d); err != nil {
		return nil, err
	}
	out, err := m.s.issuedCard(ctx, m.tx, m.c, d.card.Token, d.card.Sequence)
	return &out, err
}
