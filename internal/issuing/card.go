package issuing

import (
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Card is one PAN with its expiry and sequence, plastic or not. The PAN itself
// stays sealed in the store; a Card shows only its ends.
type Card struct {
	ID            id.ID[Card]
	Tenant        access.TenantID
	Issuance      id.ID[Issuance]
	ProductCode   string // it was made of; its issuance's from when it is in force
	Token         string // outward name of the PAN: BIN(6), six letters, last four
	Sequence      int    // counts the plastics of one PAN, from 1
	PSN           string // EMV 5F34, two digits
	BIN           string
	LastFour      string
	PANLength     int
	Expires       Expiry
	FormFactor    program.FormFactor
	EmbossLine1   string
	EmbossLine2   string
	ServiceCode   string
	ChipProfile   string    // as the product names it
	KeyVersion    string    // derivation key index of the chip's keys
	Physical      *CardBody // nil for a card without plastic
	StatusChange            // the present status and how it came about
	ActivatedAt   time.Time
	PreviousCard  id.ID[Card]
	PreviousToken string        // of that card; read only
	Renewed       RenewalReason // why it took the place of that one
	Upcoming                    // what will become of its status by itself

	PINStatus    PINStatus
	PIN          hsm.Verifier
	PINChangedAt time.Time
	// PINBlock is the PIN under the storage key of the BIN's keys, where a
	// product tells PINs or a chip has to learn it; nil else.
	PINBlock     []byte
	Script       ChipScript
	ScriptATC    int // of the answer that carried Script last; -1: none has
	PINTryCount  int
	CVV2TryCount int
	LastATC      int // -1 before the first chip transaction
	Contactless  Contactless
	CreatedAt    time.Time
	UpdatedAt    time.Time
	sealedPAN    []byte
	indexOfPAN   string
}

// IDPrefix is the prefix of card identifiers.
func (Card) IDPrefix() string { return "card" }

// Masked is the card number with only BIN and last four shown.
func (c Card) Masked() string {
	return c.BIN + strings.Repeat("*", max(0, c.PANLength-len(c.BIN)-len(c.LastFour))) + c.LastFour
}

// IsVirtual reports whether the card can be used without a plastic.
func (c Card) IsVirtual() bool {
	return c.FormFactor == program.Virtual || c.FormFactor == program.DigitalFirst
}

// Contactless counts what was paid without cardholder verification since the
// last verified PIN; Amount is in minor units of the product's currency.
type Contactless struct {
	Count  int
	Amount int64
}

// StatusChange is one line of a card's history: the status it came into, why,
// when and by whom.
type StatusChange struct {
	Status      CardStatus
	Reason      StatusReason
	Description string
	ChangedAt   time.Time
	ChangedBy   string
	Channel     string
}

// PINStatus says whether a card has a PIN that may be tried.
type PINStatus string

// The PIN statuses.
const (
	PINNotSet            PINStatus = "NotSet"
	PINActive            PINStatus = "Active"
	PINBlocked           PINStatus = "Blocked"           // the tries are used up
	PINPendingChipUpdate PINStatus = "PendingChipUpdate" // an issuer script waits for the chip
)

// ChipScript is what a chip has to be told by an issuer script.
type ChipScript string

// The scripts.
const (
	NoScript        ChipScript = ""
	ScriptPINChange ChipScript = "PinChange"  // another PIN; it unblocks, too
	ScriptUnblock   ChipScript = "PinUnblock" // the tries of the PIN begin anew
)

// CardBody is the plastic of one card: what it looks like, where it goes, how
// far production and shipment are. Where it goes is personal and sealed in the
// store.
type CardBody struct {
	Code           string
	CardArtCode    string
	PlasticCode    string
	DeliveryMethod program.DeliveryMethod
	BranchCode     string
	IsExpress      bool
	Delivery       Delivery
	PersoStatus    PersoStatus
	PersoVendor    string
	ShipmentStatus ShipmentStatus
	RequestedAt    time.Time
	UpdatedAt      time.Time

	sealedDelivery []byte
}

// Delivery is the snapshot of where a plastic is sent and to whom.
type Delivery struct {
	Address       *customer.Address
	Phone         string // E.164
	Email         string
	RecipientName string
	RecipientTCKN string
}

// PersoStatus is how far the production of a plastic is.
type PersoStatus string

// The production statuses.
const (
	PersoNotRequired     PersoStatus = "NotRequired"
	PersoRequested       PersoStatus = "Requested"
	PersoQueued          PersoStatus = "Queued"
	PersoFileSent        PersoStatus = "FileSent"
	PersoInProduction    PersoStatus = "InProduction"
	PersoProduced        PersoStatus = "Produced"
	PersoHandedToCourier PersoStatus = "HandedToCourier"
	PersoCancelled       PersoStatus = "Cancelled"
	PersoFailed          PersoStatus = "Failed"
)

// ShipmentStatus is how far the delivery of a plastic is.
type ShipmentStatus string

// The shipment statuses.
const (
	ShipmentNotApplicable  ShipmentStatus = "NotApplicable"
	ShipmentPrintRequested ShipmentStatus = "PrintRequested"
	ShipmentAtCourier      ShipmentStatus = "AtCourier"
	ShipmentInTransfer     ShipmentStatus = "InTransfer"
	ShipmentAtBranch       ShipmentStatus = "AtBranch"
	ShipmentOutForDelivery ShipmentStatus = "OutForDelivery"
	ShipmentDelivered      ShipmentStatus = "Delivered"
	ShipmentDeliveryFailed ShipmentStatus = "DeliveryFailed"
	ShipmentReturned       ShipmentStatus = "ReturnedToSender"
	ShipmentDestroyed      ShipmentStatus = "Destroyed"
	ShipmentCancelled      ShipmentStatus = "Cancelled"
)
