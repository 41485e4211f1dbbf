package personalization

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// writeBatches brings every open batch to its bureau. One that cannot be
// written does not keep the others waiting.
func (s *Service) writeBatches(ctx context.Context, m *Summary) error {
	if s.Bureaus == nil {
		return nil
	}
	var open []Batch
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		open, err = readOpenBatches(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read open batches: %w", err)
	}
	var errs []error
	for _, b := range open {
		if err := s.writeBatch(ctx, b, m); err != nil {
			errs = append(errs, fmt.Errorf("batch %s: %w", b.FileName, err))
		}
	}
	return errors.Join(errs...)
}

// writeAttempts bounds how often a file is made again because a card of it was
// cancelled while it was made.
const writeAttempts = 5

func (s *Service) writeBatch(ctx context.Context, b Batch, m *Summary) error {
	for range writeAttempts {
		if b.Status == BatchWritten {
			return s.deliver(ctx, b, m)
		}
		written, err := s.prepare(ctx, b, m)
		if errors.Is(err, errCardMoved) {
			continue
		}
		if err != nil || written.Status != BatchWritten {
			return err
		}
		b = written
	}
	return errCardMoved
}

// errCardMoved says that a card of a file was cancelled while it was made.
var errCardMoved = errors.New("a card of the file was cancelled meanwhile")

// deliver moves a written file to its bureau and says so.
func (s *Service) deliver(ctx context.Context, b Batch, m *Summary) error {
	err := s.Bureaus.Deliver(ctx, b.prepared())
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	b.Status, b.SentAt = BatchSent, clock.RealNow(s.Clock).Time()
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		done, err := closeBatch(ctx, tx, b, BatchWritten)
		if err == nil && done {
			db.AfterCommit(tx, func() {
				m.Files++
				m.Sent += b.CardCount
			})
		}
		return err
	})
}

func (b Batch) prepared() Prepared {
	return Prepared{Tenant: b.Tenant, Vendor: b.Vendor, FileID: b.FileName, Place: b.place, Digest: b.digest}
}

// lot is what is on its way into a file.
type lot struct {
	file   File
	orders map[id.ID[issuing.Card]]Order
	in     []issuing.Card // of the file's cards, in their order
	failed map[id.ID[issuing.Card]]string
	gone   []Order // cancelled before the file was made
}

// prepare makes the file of a batch and says that its cards are sent. The batch
// is returned as it is then: Written, Empty, or as somebody else left it.
func (s *Service) prepare(ctx context.Context, b Batch, m *Summary) (Batch, error) {
	l, err := s.gather(ctx, b)
	if err != nil {
		return b, err
	}
	b.Status = BatchEmpty
	var p Prepared
	if len(l.file.Cards) > 0 {
		if p, err = s.Bureaus.Prepare(ctx, l.file); err != nil {
			return b, fmt.Errorf("write file: %w", err)
		}
		b.Status, b.place, b.digest, b.CardCount = BatchWritten, p.Place, p.Digest, len(l.file.Cards)
	}
	mine := false
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		mine, err = s.seal(ctx, tx, b, l)
		return err
	})
	// A file that the batch may name by now is needed when it is delivered; if it
	// does not, that removes it.
	if (err != nil || !mine) && p.Place != "" && !errors.Is(err, db.ErrOutcomeUnknown) {
		if again := s.Bureaus.Discard(ctx, p); again != nil {
			err = errors.Join(err, again)
		}
	}
	if err != nil {
		return b, err
	}
	if !mine {
		b.Status = BatchSent // whoever was faster brings it there
		return b, nil
	}
	m.Failed += len(l.failed)
	return b, nil
}

// gather makes the content of a file, of the cards that are still to be made.
func (s *Service) gather(ctx context.Context, b Batch) (*lot, error) {
	l := &lot{orders: map[id.ID[issuing.Card]]Order{}, failed: map[id.ID[issuing.Card]]string{}}
	var orders []Order
	var bureauKeys hsm.BureauKeys
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		if orders, err = readOrders(ctx, tx, b.ID); err != nil {
			return fmt.Errorf("read orders: %w", err)
		}
		l.file, bureauKeys, err = s.openFile(ctx, tx, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	withPIN := false
	for _, o := range orders {
		if o.Dropped {
			continue
		}
		l.orders[o.Card] = o
		card, err := s.order(ctx, b, o, bureauKeys)
		switch {
		case errors.Is(err, errNotQueued):
			l.gone = append(l.gone, o)
		case errors.Is(err, hsm.ErrUnavailable) || ctx.Err() != nil:
			return nil, fmt.Errorf("order card %s: %w", o.Card, err) // of no card, and passing
		case err != nil:
			s.Log.Error("card cannot be ordered", "card", o.Card.String(), "batch", b.FileName, "error", err)
			l.failed[o.Card] = reasonOf(err)
		default:
			withPIN = withPIN || len(card.Parts.PINBlock) > 0
			l.in = append(l.in, card.Plastic.Card)
			l.file.Cards = append(l.file.Cards, card)
		}
	}
	if !withPIN {
		l.file.PINKey = ""
	}
	return l, nil
}

// reasonOf says why a card could not be ordered, in words that hold nothing of
// it.
func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Text
	}
	for _, known := range []struct {
		is   error
		text string
	}{
		{hsm.ErrKeyPolicy, "the keys of card and bureau do not go together"},
		{hsm.ErrKeyNotFound, "a key of the card is missing"},
		{hsm.ErrIntegrity, "a stored value of the card is not what it was"},
		{hsm.ErrNotSupported, "the chip profile of the card is not supported"},
		{hsm.ErrFormat, "a value of the card cannot be personalised"},
	} {
		if errors.Is(err, known.is) {
			return known.text
		}
	}
	return "the card could not be personalised"
}

// errNotQueued says that a card of a batch is not to be made any more.
var errNotQueued = errors.New("the card is not queued")

// order makes the order for one card.
func (s *Service) order(ctx context.Context, b Batch, o Order, keys hsm.BureauKeys) (OrderedCard, error) {
	var p issuing.PlasticToMake
	err := s.DB.View(ctx, func(tx db.Tx) (err error) {
		p, err = s.Issuing.PlasticToMake(ctx, tx, b.Tenant, o.Card)
		return err
	})
	if err != nil {
		return OrderedCard{}, err
	}
	if p.Card.Physical.PersoStatus != issuing.PersoQueued {
		return OrderedCard{}, errNotQueued
	}
	out := OrderedCard{OrderID: o.ID.String(), Plastic: p, Limits: limitsOf(p)}
	place := b.FileName + "|" + out.OrderID
	in := hsm.CardOrder{
		PAN: p.Number, PSN: p.Card.PSN, Expiry: p.Card.Expires.YYMM(), ServiceCode: p.Card.ServiceCode, Name: p.Name,
		PINField: p.PINField, Profile: p.Profile, Stripe: p.Product.MagstripeEnabled, Place: []byte(place),
	}
	if in.PIN = p.PIN; in.PIN == nil && !p.PVK.IsZero() {
		in.Offset, in.PVK = &p.Card.PIN, p.PVK
	}
	if out.Parts, err = s.HSM.PersonalizeCard(ctx, p.Keys, keys, in); err != nil {
		return OrderedCard{}, err
	}
	out.Tags = tagsOf(p, len(out.Parts.PINBlock) > 0)
	out.Recipient, err = s.recipientOf(ctx, p, keys.Data, place)
	return out, err
}

// seal says that the cards of a written file are sent, and settles the rest of
// the batch. It returns false when somebody else has written the batch.
func (s *Service) seal(ctx context.Context, tx db.Tx, b Batch, l *lot) (bool, error) {
	mine, err := closeBatch(ctx, tx, b, BatchQueued)
	if err != nil || !mine {
		return false, err
	}
	c, err := systemOf(ctx, tx, b.Tenant)
	if err != nil {
		return false, err
	}
	for _, o := range l.gone {
		if err := dropOrder(ctx, tx, o.ID); err != nil {
			return false, fmt.Errorf("drop order: %w", err)
		}
	}
	now := clock.RealNow(s.Clock).Time()
	var moves []issuing.PlasticMove
	for _, card := range l.in {
		m := issuing.PlasticMove{Card: card.ID, FromPerso: issuing.PersoQueued, ToPerso: issuing.PersoFileSent}
		body := card.Physical
		if body.DeliveryMethod != program.ByNone && body.ShipmentStatus == issuing.ShipmentNotApplicable {
			m.FromShipment, m.ToShipment = body.ShipmentStatus, issuing.ShipmentPrintRequested
		}
		moves = append(moves, m)
		err := s.keepProduction(ctx, tx, b, card.ID, func(p *Production) {
			p.begin()
			p.FileName, p.BatchNo, p.FileAt = b.FileName, b.No, now
		})
		if err != nil {
			return false, err
		}
	}
	for card, why := range l.failed {
		moves = append(moves, issuing.PlasticMove{Card: card, FromPerso: issuing.PersoQueued, ToPerso: issuing.PersoFailed, Description: why})
		if err := dropOrder(ctx, tx, l.orders[card].ID); err != nil {
			return false, fmt.Errorf("drop order: %w", err)
		}
		err := s.keepProduction(ctx, tx, b, card, func(p *Production) {
			p.begin()
			p.fail(failedHere, why)
			p.retryAt = now.Add(retryAfter)
		})
		if err != nil {
			return false, err
		}
	}
	return true, s.moveAll(ctx, tx, c, moves)
}

func (s *Service) keepProduction(ctx context.Context, tx db.Tx, b Batch, card id.ID[issuing.Card], change func(*Production)) error {
	p, err := readProduction(ctx, tx, card)
	if err != nil {
		return fmt.Errorf("read production: %w", err)
	}
	p.Vendor = b.Vendor
	change(&p)
	if err := saveProduction(ctx, tx, b.Tenant, card, p); err != nil {
		return fmt.Errorf("save production: %w", err)
	}
	return nil
}

// moveAll makes all steps, or none: then errCardMoved.
func (s *Service) moveAll(ctx context.Context, tx db.Tx, c access.Caller, moves []issuing.PlasticMove) error {
	moved, err := s.Issuing.MovePlastics(ctx, tx, c, moves)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(moves, func(m issuing.PlasticMove) bool { return !moved[m.Card] }) {
		return errCardMoved
	}
	return nil
}
