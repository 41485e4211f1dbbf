package issuing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// IssueNoname makes issuances without a customer, each with a card and an
// account of its own.
//
// Up to [NonameInlineMax] they are made before it returns: all of them, or none
// and a refusal. A larger order is only accepted, and made by [Service.WorkNoname].
func (s *Service) IssueNoname(ctx context.Context, c access.Caller, in NewNoname) (NonameBatch, error) {
	if err := in.check(); err != nil {
		return NonameBatch{}, err
	}
	var b NonameBatch
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		d, err := s.draftNoname(ctx, tx, c, in)
		if err != nil {
			return err
		}
		if b, err = s.openBatch(ctx, tx, c, d, in); err != nil {
			return err
		}
		if in.Count > NonameInlineMax {
			return s.recordBatch(ctx, tx, b)
		}
		numbers, n, err := s.openNumbers(ctx, tx, d, in.Count)
		if err != nil {
			return err
		}
		if n == in.Count {
			if err := s.makeNoname(ctx, tx, d, numbers, &b, n); err != nil {
				return err
			}
		}
		if b.left() > 0 {
			return program.RangeExhausted(d.product.BINRangeCode)
		}
		return s.saveProgress(ctx, tx, &b)
	})
	if err != nil {
		return NonameBatch{}, err
	}
	return s.NonameBatch(ctx, c, b.ID, 0, NonameInlineMax)
}

// NonameBatch returns a batch and a page of its cards. Another tenant's is not
// found.
func (s *Service) NonameBatch(ctx context.Context, c access.Caller, batch id.ID[NonameBatch], skip, limit int) (NonameBatch, error) {
	var b NonameBatch
	err := s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		var err error
		if b, found, err = s.readBatch(ctx, tx, c.Tenant, batch); err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		if !found {
			return errBatchNotFound
		}
		if b.Cards, err = readNonameCards(ctx, tx, c.Tenant, batch, skip, limit); err != nil {
			return fmt.Errorf("read cards of batch: %w", err)
		}
		return nil
	})
	return b, err
}

// numberedPAN is a card number with the index it is found by.
type numberedPAN struct {
	pan   pan.PAN
	index string
}

// numberSource is where the numbers of noname cards come from. It remembers the
// indexes it computed to see whether they are free.
type numberSource struct {
	*program.PANSource
	rangeCode string
	indexes   map[pan.PAN]string
}

func (n *numberSource) numbered(p pan.PAN) numberedPAN { return numberedPAN{p, n.indexes[p]} }

// openNumbers counts up to n numbers of the product's range as used; see
// [program.OpenSource].
func (s *Service) openNumbers(ctx context.Context, tx db.Tx, d draft, n int) (*numberSource, int, error) {
	out := &numberSource{rangeCode: d.product.BINRangeCode, indexes: map[pan.PAN]string{}}
	source, n, err := program.OpenSource(ctx, tx, d.cfg, d.product.BINRangeCode, n, clock.RealNow(s.Clock), func(all []pan.PAN) (map[pan.PAN]bool, error) {
		indexes := make([]string, len(all))
		for i, p := range all {
			var err error
			if indexes[i], err = s.indexPAN(ctx, d.issuance.Tenant, p); err != nil {
				return nil, err
			}
			out.indexes[p] = indexes[i]
		}
		found, err := pansTaken(ctx, tx, d.issuance.Tenant, indexes)
		taken := make(map[pan.PAN]bool, len(found))
		for i, p := range all {
			taken[p] = found[indexes[i]]
		}
		return taken, err
	})
	out.PANSource = source
	return out, n, err
}

// nonameDraft is a noname card before it is written.
type nonameDraft struct {
	issuance Issuance
	card     *Card
	noname   NonameCard
}

// draftNoname checks the order against the configuration and fills in what all
// of its cards have alike.
func (s *Service) draftNoname(ctx context.Context, tx db.Tx, c access.Caller, in NewNoname) (draft, error) {
	d := draft{in: in.forCard()}
	var err error
	if d.cfg, err = s.programs.ConfigurationIn(ctx, tx, c.Tenant); err != nil {
		return d, err
	}
	if err := d.findProduct(); err != nil {
		return d, err
	}
	if !slices.Contains(d.product.FormFactors, in.FormFactor) {
		return d, errFormFactorNotAllowed.With("formFactor", string(in.FormFactor))
	}
	now := c.Now(s.Clock)
	d.issuance = Issuance{
		Tenant: c.Tenant, ProductCode: d.product.Code, DigitalSlipType: d.product.DigitalSlip, AutoRenewal: d.product.AutoRenewal,
		Policies: mergePolicies(d.product.Policies, nil, now), CreatedAt: now, UpdatedAt: now,
	}
	if in.DigitalSlip != "" {
		d.issuance.DigitalSlipType = in.DigitalSlip
	}
	if in.AutoRenewal != "" {
		d.issuance.AutoRenewal = in.AutoRenewal
	}
	d.card = d.firstCard(now, c.Real(now))
	d.card.FormFactor = in.FormFactor
	for _, fill := range []func(access.Caller, time.Time) error{d.fillExpiry, d.fillStatus, d.fillPlastic} {
		if err := fill(c, now); err != nil {
			return d, err
		}
	}
	if in.EmbossText == "" {
		return d, nil
	}
	limit := embossMax
	if p, ok := d.plastic(); ok {
		limit = lineLimit(p.Line1MaxLength)
	}
	var fits bool
	if d.card.EmbossLine1, fits = EmbossName(in.EmbossText, limit); !fits {
		return d, errEmbossName.OnField("embossText", "emboss_name", "cannot be printed")
	}
	return d, nil
}

// openBatch writes an order. It refuses one that the range has no room for now.
func (s *Service) openBatch(ctx context.Context, tx db.Tx, c access.Caller, d draft, in NewNoname) (NonameBatch, error) {
	if err := program.RoomFor(ctx, tx, d.cfg, d.product.BINRangeCode, in.Count); err != nil {
		return NonameBatch{}, err
	}
	now := d.card.CreatedAt
	b := NonameBatch{
		ID: id.New[NonameBatch](s.Clock.Now()), Tenant: c.Tenant, Reference: in.Reference, ProductCode: in.ProductCode, Requested: in.Count,
		Status: BatchProcessing, CreatedAt: now, UpdatedAt: now, wish: in, by: c,
	}
	b.by.Channel = d.card.Channel
	if in.LinkDeadlineDays > 0 {
		b.LinkDueAt = now.AddDate(0, 0, in.LinkDeadlineDays)
	}
	sealed, err := s.sealBatchDelivery(ctx, b)
	if err != nil {
		return NonameBatch{}, err
	}
	if err := insertBatch(ctx, tx, b, sealed); err != nil {
		return NonameBatch{}, fmt.Errorf("insert batch: %w", err)
	}
	return b, nil
}

// makeNoname makes up to n more cards of b, for which numbers are reserved:
// fewer when the range has not got them after all. The caller saves b, which
// says how many there are. After an error the transaction must be given up.
func (s *Service) makeNoname(ctx context.Context, tx db.Tx, d draft, numbers *numberSource, b *NonameBatch, n int) error {
	some, err := numbers.Take(ctx, n)
	if err != nil {
		return err
	}
	if short := n - len(some); short > 0 {
		if err := numbers.GiveBack(ctx, short); err != nil {
			return err
		}
	}
	if len(some) == 0 {
		return nil
	}
	now := d.cfg.Tenant.Now(s.Clock)
	all := make([]nonameDraft, len(some))
	accounts := make([]ledger.NewCardAccount, len(some))
	for i, p := range some {
		if all[i], err = s.nextNoname(ctx, d, *b, b.Created+i+1, numbers.numbered(p), now); err != nil {
			return err
		}
		of := all[i].issuance
		accounts[i] = ledger.NewCardAccount{ID: of.Account, Number: of.AccountNo, Owner: of.ID.String()}
	}
	if err := ledger.OpenCardAccounts(ctx, tx, b.Tenant, accounts, d.product.Currency, now); err != nil {
		return err
	}
	if err := saveNonameIssuances(ctx, tx, *b, all); err != nil {
		return err
	}
	if err := s.saveFirst(ctx, tx, numbers, all); err != nil {
		return err
	}
	if err := s.orderNonameFees(ctx, tx, d, all); err != nil {
		return err
	}
	for _, made := range all {
		b.Digest = digestOf(b.Digest, made.issuance.No, made.card.Token, made.noname.Barcode)
	}
	b.Created += len(all)
	b.UpdatedAt = now
	return nil
}

// orderNonameFees orders what the cards of an order cost.
func (s *Service) orderNonameFees(ctx context.Context, tx db.Tx, d draft, all []nonameDraft) error {
	if s.Fees == nil {
		return nil
	}
	made := make([]MadeCard, len(all))
	for i, n := range all {
		made[i].IssuedCard = IssuedCard{Card: *n.card, Issuance: n.issuance, Product: d.product, BIN: d.bin, Current: *n.card}
	}
	if err := s.Fees.CardsMade(ctx, tx, access.System(d.cfg.Tenant), made); err != nil {
		return fmt.Errorf("order fees: %w", err)
	}
	return nil
}

// nextNoname is one more card like d.
func (s *Service) nextNoname(ctx context.Context, d draft, b NonameBatch, position int, number numberedPAN, now time.Time) (nonameDraft, error) {
	i := d.issuance
	i.ID, i.No, i.Account, i.CreatedAt, i.UpdatedAt = id.New[Issuance](s.Clock.Now()), newIssuanceNo(), id.New[ledger.Account](s.Clock.Now()), now, now
	i.AccountNo = i.No
	card := d.card
	card.ID, card.Issuance, card.CreatedAt, card.UpdatedAt = id.New[Card](s.Clock.Now()), i.ID, now, now
	i.CurrentCard = card.ID
	if card.Physical != nil {
		body := *card.Physical
		card.Physical = &body
		var err error
		if body.sealedDelivery, err = s.sealDelivery(ctx, card); err != nil {
			return nonameDraft{}, err
		}
	}
	made := nonameDraft{issuance: i, card: &card, noname: NonameCard{Batch: b.ID, Position: position, Barcode: newBarcode()}}
	return made, s.number(ctx, made.card, number)
}

// number gives a card its number, sealed, and another token.
func (s *Service) number(ctx context.Context, card *Card, n numberedPAN) (err error) {
	card.Token, card.LastFour, card.indexOfPAN = NewCardToken(n.pan), n.pan.Last4(), n.index
	card.sealedPAN, err = s.sealPAN(ctx, card.Tenant, card.ID, n.pan)
	return err
}

// saveFirst writes the cards of new issuances. One whose number or token was
// taken a moment ago gets another.
func (s *Service) saveFirst(ctx context.Context, tx db.Tx, numbers *numberSource, all []nonameDraft) error {
	open := make([]*Card, len(all))
	for i := range all {
		open[i] = all[i].card
	}
	for range numberAttempts {
		saved, err := saveFirstCards(ctx, tx, open)
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(open, func(c *Card) bool { return saved[c.ID] })
		if len(open) == 0 {
			return nil
		}
		others, err := numbers.Take(ctx, len(open))
		if err != nil {
			return err
		}
		if len(others) < len(open) {
			return program.RangeExhausted(numbers.rangeCode)
		}
		for i, card := range open {
			if err := s.number(ctx, card, numbers.numbered(others[i])); err != nil {
				return err
			}
		}
	}
	return errors.New("insert cards: their numbers are taken")
}

// saveProgress writes how far a batch is. With its last card it is told and
// recorded.
func (s *Service) saveProgress(ctx context.Context, tx db.Tx, b *NonameBatch) error {
	b.settle()
	if err := saveBatch(ctx, tx, *b); err != nil {
		return fmt.Errorf("save batch: %w", err)
	}
	if b.Status != BatchCompleted {
		return nil
	}
	if err := raiseBatch(ctx, tx, *b, clock.RealNow(s.Clock)); err != nil {
		return err
	}
	return s.recordBatch(ctx, tx, *b)
}

// recordBatch writes into the audit chain that cards were ordered, or made:
// their digest stands for all of them.
func (s *Service) recordBatch(ctx context.Context, tx db.Tx, b NonameBatch) error {
	a := b.by.Act(clock.RealNow(s.Clock), audit.CardStream, "BulkCreate")
	a.EntityType, a.EntityKey, a.ProductCode, a.Description = "NonameBatch", b.ID.UUID(), b.ProductCode, b.wish.Description
	a.Changes = audit.Changes(nil, struct {
		BatchReference, ProductCode               string
		FormFactor                                program.FormFactor
		RequestedCount, CreatedCount, FailedCount int
		FailureReason                             fault.Code
		Status                                    BatchStatus
		CardsDigest                               string
	}{b.Reference, b.ProductCode, b.wish.FormFactor, b.Requested, b.Created, b.Failed, b.Failure, b.Status, b.Digest})
	return audit.Append(ctx, tx, a)
}

// sealBatchDelivery seals where the cards of a batch go.
func (s *Service) sealBatchDelivery(ctx context.Context, b NonameBatch) ([]byte, error) {
	w := b.wish
	text, err := json.Marshal(deliveryDocument{w.DeliveryAddress, w.DeliveryPhone, w.DeliveryEmail, w.RecipientName, w.RecipientTCKN})
	if err != nil {
		return nil, fmt.Errorf("encode delivery: %w", err)
	}
	sealed, err := s.HSM.Seal(ctx, b.Tenant.String(), customer.Purpose, text, hsm.PlaceOf(b.Tenant, "noname_batch", "document", b.ID.String()))
	if err != nil {
		return nil, fmt.Errorf("seal delivery: %w", hsmFault(err))
	}
	return sealed, nil
}

func (s *Service) openBatchDelivery(ctx context.Context, b *NonameBatch, sealed []byte) error {
	text, err := s.HSM.Open(ctx, b.Tenant.String(), customer.Purpose, sealed, hsm.PlaceOf(b.Tenant, "noname_batch", "document", b.ID.String()))
	if err != nil {
		return fmt.Errorf("open delivery of batch %s: %w", b.ID, hsmFault(err))
	}
	var d deliveryDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("open delivery of batch %s: %w", b.ID, err)
	}
	w := &b.wish
	w.DeliveryAddress, w.DeliveryPhone, w.DeliveryEmail = d.Address, d.Phone, d.Email
	w.RecipientName, w.RecipientTCKN = d.RecipientName, d.RecipientTCKN
	return nil
}
