package issuing

import (
	"context"
	"fmt"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/list"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// CardFilter selects issuances by themselves and their current cards; empty
// members select all.
type CardFilter struct {
	CustomerNo       string
	ProductCode      string
	GroupCode        string
	Statuses         []CardStatus
	IssuanceStatus   IssuanceStatus
	FormFactor       program.FormFactor
	Ownership        CardOwnership
	ParentIssuanceNo string
	BatchReference   string
	ExternalCardID   string
	AccountNo        string
	LastFour         string
	BIN              string
	ExpiresFrom      Expiry // inclusive
	ExpiresTo        Expiry // inclusive
	CreatedFrom      time.Time
	CreatedTo        time.Time // exclusive
	IsLinked         *bool
	PersoStatus      PersoStatus
	ShipmentStatus   ShipmentStatus
	AutoRenewal      program.AutoRenewal
	list.Page
}

// ListedCard is a row of a card list.
type ListedCard struct {
	Issuance     Issuance // without phone and policies
	Card         Card     // without its PIN and plastic
	CustomerNo   string
	CustomerName string
	ProductName  string
	ChildCount   int
}

// Cards lists issuances with their current cards, newest first unless told
// otherwise, and says how many there are in all: at most 10,000, capped tells
// that there are more.
func (s *Service) Cards(ctx context.Context, c access.Caller, f CardFilter) (cards []ListedCard, total int, capped bool, err error) {
	err = s.DB.View(ctx, func(tx db.Tx) error {
		if cards, total, err = listCards(ctx, tx, c.Tenant, f); err != nil {
			return fmt.Errorf("list cards: %w", err)
		}
		var holders []id.ID[customer.Customer]
		for _, l := range cards {
			if !l.Issuance.Customer.IsZero() {
				holders = append(holders, l.Issuance.Customer)
			}
		}
		customers, err := s.customers.ReadAll(ctx, tx, c.Tenant, holders)
		if err != nil {
			return fmt.Errorf("read customers of cards: %w", err)
		}
		for i := range cards {
			if u, found := customers[cards[i].Issuance.Customer]; found {
				cards[i].CustomerNo, cards[i].CustomerName = u.No, u.DisplayName()
			}
		}
		return nil
	})
	if total > list.TotalMax {
		total, capped = list.TotalMax, true
	}
	return cards, total, capped, err
}
