package personalization

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Batch is one file of orders for one bureau.
type Batch struct {
	ID        id.ID[Batch]
	Tenant    access.TenantID
	Vendor    string
	No        int // of the bureau's, from 1
	FileName  string
	Status    BatchStatus
	CardCount int // in the file
	CreatedAt time.Time
	SentAt    time.Time

	place, digest string
}

// IDPrefix is "pbat".
func (Batch) IDPrefix() string { return "pbat" }

// BatchStatus is how far a file is.
type BatchStatus string

// The statuses of a batch.
const (
	BatchQueued  BatchStatus = "Queued"
	BatchWritten BatchStatus = "Written" // on the disk, not yet where the bureau looks
	BatchSent    BatchStatus = "Sent"
	BatchEmpty   BatchStatus = "Empty" // nothing was left of it
)

// Order stands for one plastic in one file.
type Order struct {
	ID      id.ID[Order]
	Card    id.ID[issuing.Card]
	Dropped bool // it did not get into the file
}

// IDPrefix is "pord".
func (Order) IDPrefix() string { return "pord" }

// ListedOrder is an order with the card it is for.
type ListedOrder struct {
	Order
	CardToken      string
	Sequence       int
	MaskedNo       string
	PersoStatus    issuing.PersoStatus
	ShipmentStatus issuing.ShipmentStatus
	ErrorText      string
}

// Batches returns the batches made last, newest first, of one tenant or of all.
func (s *Service) Batches(ctx context.Context, tenant access.TenantID, limit int) (all []Batch, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		all, err = readBatches(ctx, tx, tenant, limit)
		return err
	})
	return all, err
}

// BatchWithOrders returns a batch by its identifier or the name of its file.
func (s *Service) BatchWithOrders(ctx context.Context, name string) (Batch, []ListedOrder, error) {
	var b Batch
	var listed []ListedOrder
	err := s.DB.View(ctx, func(tx db.Tx) error {
		var found bool
		var err error
		if b, found, err = findBatch(ctx, tx, name); err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		if !found {
			return errBatchNotFound
		}
		orders, err := readOrders(ctx, tx, b.ID)
		if err != nil {
			return fmt.Errorf("read orders: %w", err)
		}
		listed = make([]ListedOrder, len(orders))
		for i, o := range orders {
			if listed[i], err = listOrder(ctx, tx, b.Tenant, o); err != nil {
				return err
			}
		}
		return nil
	})
	return b, listed, err
}

func listOrder(ctx context.Context, tx db.Tx, tenant access.TenantID, o Order) (ListedOrder, error) {
	card, err := issuing.PlasticOf(ctx, tx, tenant, o.Card)
	if err != nil {
		return ListedOrder{}, err
	}
	p, err := readProduction(ctx, tx, o.Card)
	if err != nil {
		return ListedOrder{}, fmt.Errorf("read production: %w", err)
	}
	return ListedOrder{
		Order: o, CardToken: card.Token, Sequence: card.Sequence, MaskedNo: card.Masked(),
		PersoStatus: card.Physical.PersoStatus, ShipmentStatus: card.Physical.ShipmentStatus, ErrorText: p.ErrorText,
	}, nil
}
