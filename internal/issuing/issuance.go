package issuing

import (
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Issuance is the logical card that survives renewals and replacements: what
// belongs to the customer and not to a plastic hangs here.
type Issuance struct {
	ID              id.ID[Issuance]
	Tenant          access.TenantID
	No              string // sixteen digits, the outward key
	Customer        id.ID[customer.Customer]
	ProductCode     string
	Parent          id.ID[Issuance]
	Account         id.ID[ledger.Account]
	AccountNo       string
	ExternalCardID  string
	PhoneNumber     string    // E.164; empty for none
	PhoneChangedAt  time.Time // when another one took its place; no PIN goes to a number that is too fresh
	DigitalSlipType program.DigitalSlipType
	AutoRenewal     program.AutoRenewal
	Policies        []CardPolicy
	CurrentCard     id.ID[Card] // the plastic in force
	Successor       id.ID[Card] // a renewal in progress: the plastic that waits to take its place
	CreatedAt       time.Time
	UpdatedAt       time.Time

	sealedPhone []byte
}

// IDPrefix is the prefix of issuance identifiers.
func (Issuance) IDPrefix() string { return "iss" }

// Ownership says whether the issuance is a main or a supplementary card.
func (i Issuance) Ownership() CardOwnership {
	if i.Parent.IsZero() {
		return MainCard
	}
	return SupplementaryCard
}

// CardOwnership is Main or Supplementary.
type CardOwnership string

// The ownerships.
const (
	MainCard          CardOwnership = "Main"
	SupplementaryCard CardOwnership = "Supplementary"
)

// CardPolicy is what a product or a card says of one usage switch of an
// issuance. Of one type there may be several, of which the highest in force
// holds: a card's over its product's, and a timed one over one without dates.
type CardPolicy struct {
	program.Policy
	FromCard  bool // set for this card; else copied from the product
	UpdatedAt time.Time
}

// IssuanceStatus is derived from the current card.
type IssuanceStatus string

// The issuance statuses.
const (
	IssuancePending   IssuanceStatus = "Pending"
	IssuanceActive    IssuanceStatus = "Active"
	IssuanceSuspended IssuanceStatus = "Suspended"
	IssuanceClosed    IssuanceStatus = "Closed"
)

// IssuanceStatusOf derives the status of an issuance from its current card
// (contract, §8.2.4). A lost card closes its issuance unless it is found.
func IssuanceStatusOf(current CardStatus) IssuanceStatus {
	switch current {
	case Pending:
		return IssuancePending
	case Active:
		return IssuanceActive
	case Inactive, Blocked:
		return IssuanceSuspended
	}
	return IssuanceClosed
}

// cardStatuses is the inverse of IssuanceStatusOf, for filters.
func (s IssuanceStatus) cardStatuses() []CardStatus {
	var all []CardStatus
	for _, c := range CardStatuses() {
		if IssuanceStatusOf(c) == s {
			all = append(all, c)
		}
	}
	return all
}
