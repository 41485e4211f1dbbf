package issuing

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// NewNoname is an order of cards without a customer. Empty members take the
// product's defaults.
type NewNoname struct {
	ProductCode      string
	FormFactor       program.FormFactor // PhysicalNoname or Virtual; empty is PhysicalNoname
	Count            int                // 1 to NonameCountMax
	Reference        string             // the caller's name of the order; several may share one
	EmbossText       string             // printed where other cards have a name
	LinkDeadlineDays int                // a card not linked by then is cancelled; 0 is never
	PhysicalCode     string
	CardArtCode      string
	DeliveryMethod   program.DeliveryMethod
	DeliveryAddress  *customer.Address // all of them go to this one
	DeliveryPhone    string
	DeliveryEmail    string
	RecipientName    string
	RecipientTCKN    string
	BranchCode       string
	IsExpress        bool
	InitialStatus    CardStatus
	AutoRenewal      program.AutoRenewal
	DigitalSlip      program.DigitalSlipType
	Channel          string
	Description      string
}

// How many noname cards an order may have, and how many are made before it is
// answered: of a larger one all are made afterwards.
const (
	NonameCountMax  = 10_000
	NonameInlineMax = 1_000
)

const (
	linkDeadlineMax = 3650 // days
	batchReference  = 64   // characters
	// nonameChunk is how many cards one transaction of the background work
	// makes: few enough that authorizations hardly notice it.
	nonameChunk = 250
	// nonameLease is how long an order is left to whoever works on it.
	nonameLease = 10 * time.Second
)

// BatchStatus is how far an order of noname cards is.
type BatchStatus string

// The statuses of a batch.
const (
	BatchProcessing BatchStatus = "Processing"
	BatchCompleted  BatchStatus = "Completed"
)

// NonameBatch is an order of noname cards and what became of it.
type NonameBatch struct {
	ID          id.ID[NonameBatch]
	Tenant      access.TenantID
	Reference   string
	ProductCode string
	Requested   int
	Created     int
	Failed      int
	Failure     fault.Code // why cards are missing; empty for none
	Status      BatchStatus
	Digest      string    // see digestOf
	LinkDueAt   time.Time // zero for never
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Cards       []NonameCard // those asked for, in their order

	wish NewNoname
	by   access.Caller // who ordered them: client, user, channel and correlation only
}

// IDPrefix is the prefix of batch identifiers.
func (NonameBatch) IDPrefix() string { return "batch" }

// left is how many cards are still to be made.
func (b *NonameBatch) left() int { return b.Requested - b.Created - b.Failed }

// settle makes the status that of the counts.
func (b *NonameBatch) settle() {
	if b.left() == 0 {
		b.Status = BatchCompleted
	}
}

// NonameCard is what a card has for having been made without a customer. It
// keeps it when a customer was found.
type NonameCard struct {
	Issuance   id.ID[Issuance]
	Batch      id.ID[NonameBatch]
	Position   int    // in its batch, from 1
	Barcode    string // see newBarcode
	Account    ledger.AccountID
	LinkDueAt  time.Time // zero for never, and once it was linked
	IssuanceNo string
	Card       Card // without its PIN and plastic; in lists only
}

// newBarcode makes the number of a card's barcode: nineteen random digits and
// a check digit by Luhn's rule, twenty in all. It is one digit longer than any
// card number, so nothing takes it for one, and it tells nothing of the card's.
func newBarcode() string {
	body := make([]byte, 0, 20)
	for draw := make([]byte, 32); len(body) < 19; {
		rand.Read(draw)
		for _, b := range draw {
			if b < 250 && len(body) < 19 {
				body = append(body, '0'+b%10)
			}
		}
	}
	return string(append(body, pan.CheckDigit(string(body))))
}

// digestOf chains a card to the digest of those before it: SHA-256 over the
// former digest's bytes (none for the first card), issuance number, card token
// and barcode, in hexadecimal. So the digest of a batch stands for all of its
// cards in their order, and can be computed again from them.
func digestOf(former string, issuanceNo, token, barcode string) string {
	h := sha256.New()
	before, _ := hex.DecodeString(former) // our own
	h.Write(before)
	h.Write([]byte(issuanceNo + token + barcode))
	return hex.EncodeToString(h.Sum(nil))
}

// check refuses what is wrong whatever the product is.
func (in *NewNoname) check() error {
	var v fault.Checks
	v.Text("productCode", in.ProductCode, 1, 32)
	v.Between("count", in.Count, 1, NonameCountMax)
	v.Text("batchReference", in.Reference, 0, batchReference)
	v.Between("linkDeadlineDays", in.LinkDeadlineDays, 0, linkDeadlineMax)
	v.Text("description", in.Description, 0, 250)
	v.Is("formFactor", in.FormFactor == "" || in.FormFactor == program.PhysicalNoname || in.FormFactor == program.Virtual,
		"not_a_value", "must be PhysicalNoname or Virtual")
	plain := in.forCard()
	plain.checkDelivery(&v)
	in.DeliveryPhone, in.DeliveryAddress = plain.DeliveryPhone, plain.DeliveryAddress
	if in.FormFactor == "" {
		in.FormFactor = program.PhysicalNoname
	}
	in.EmbossText = strings.TrimSpace(in.EmbossText)
	return v.Err(errInvalid)
}

// forCard is the part of the order that every card has.
func (in NewNoname) forCard() NewCard {
	return NewCard{
		ProductCode: in.ProductCode, FormFactor: in.FormFactor, PhysicalCode: in.PhysicalCode, CardArtCode: in.CardArtCode,
		DeliveryMethod: in.DeliveryMethod, DeliveryAddress: in.DeliveryAddress, DeliveryPhone: in.DeliveryPhone,
		DeliveryEmail: in.DeliveryEmail, RecipientName: in.RecipientName, RecipientTCKN: in.RecipientTCKN, BranchCode: in.BranchCode,
		IsExpress: in.IsExpress, InitialStatus: in.InitialStatus, AutoRenewal: in.AutoRenewal, DigitalSlip: in.DigitalSlip,
		Channel: in.Channel, Description: in.Description,
	}
}
