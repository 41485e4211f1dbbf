package authorization

import (
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Request is a message about a card, in the language of the core: what a
// network link made of an ISO 8583 message.
//
// Card holds what must be forgotten once the message is answered; everything
// else may be stored.
type Request struct {
	Flow Flow
	// IsRepeat says that the sender has sent this message before (MTI ending
	// in 1).
	IsRepeat bool
	Details
	Amount money.Amount // DE4 in DE49
	// Billing is DE6 in DE51, when the network has converted.
	Billing *money.Amount
	// Cashback is the cash in the amount of a purchase (DE54); nil for none.
	Cashback *money.Amount
	Expiry   string // DE14 or the track's, YYMM; empty when absent
	PSN      string // DE23 or tag 5F34, two digits; empty when absent
	Chip     *Chip  // DE55

	// Original names the message that a reversal undoes (DE90).
	Original *Key
	// Replacement is what remains after a partial reversal (DE95), in
	// transaction currency; nil or zero is a full reversal. ReplacementBilling
	// is the same in minor units of the original's billing currency, whatever
	// currency it carries here: the sender need not name it again.
	Replacement        *money.Amount
	ReplacementBilling *money.Amount

	// MayApprovePartially says that the terminal takes less than it asked for;
	// IsIncrement that the amount adds to an authorization found by RRN.
	MayApprovePartially bool
	IsIncrement         bool
	// MustPrint says that the terminal cannot leave the paper slip out.
	MustPrint bool

	ReceivedAt time.Time
	Card       CardInput
	// Times is what it took until the engine got it.
	Times Times
}

// CardInput is the sensitive part of a request. None of it is ever stored or
// logged.
type CardInput struct {
	PAN       pan.PAN
	Track2    pan.Track2 // zero when absent
	CVV2      secret.Value
	PINBlock  []byte // DE52; empty when absent
	PINFormat PINFormat
}

// PINFormat is the layout of a PIN block.
type PINFormat = hsm.PINFormat

// The PIN block formats that fit DE52.
const (
	ISO0 PINFormat = hsm.ISO0
	ISO3 PINFormat = hsm.ISO3
)

// Chip is what the chip and the terminal said in DE55, as far as it is judged.
// It holds no card number.
type Chip struct {
	ARQC             [8]byte // 9F26
	CID              byte    // 9F27
	ATC              [2]byte // 9F36
	UN               [4]byte // 9F37
	TVR              [5]byte // 95
	Date             [3]byte // 9A
	Type             byte    // 9C
	AmountAuthorized [6]byte // 9F02, BCD
	AmountOther      [6]byte // 9F03, BCD
	Currency         [2]byte // 5F2A
	Country          [2]byte // 9F1A
	AIP              [2]byte // 82
	CVMResults       [3]byte // 9F34
	IAD              []byte  // 9F10
	ScriptResults    []byte  // 9F5B, five bytes for each script
	AID              []byte  // 84, 4F or 9F06: which application was used; not judged
}

// counter is the application transaction counter as a number.
func (h *Chip) counter() int { return int(h.ATC[0])<<8 | int(h.ATC[1]) }

// Key identifies a message among all that a link ever sent: a repeat has its
// original's. See settled questions, "Messages".
type Key struct {
	Link            string
	Class, Function byte   // digits 2 and 3 of the MTI
	TransmittedAt   string // DE7 with its year: YYYYMMDDhhmmss
	STAN            string // DE11
	AcquirerID      string // DE32 and DE33, leading zeros dropped, absent = empty
	ForwarderID     string
}

// NewKey is the key of a message of MTI class and function.
func NewKey(d Details, class, function byte) Key {
	return Key{
		Link: d.Link, Class: class, Function: function,
		TransmittedAt: d.TransmittedAt.UTC().Format("20060102150405"), STAN: d.STAN,
		AcquirerID: strings.TrimLeft(d.AcquirerID, "0"), ForwarderID: strings.TrimLeft(d.ForwarderID, "0"),
	}
}

// Key returns the request's own key.
func (r *Request) Key() Key {
	return NewKey(r.Details, r.MTI[1]-'0', r.MTI[2]-'0')
}

// String is the form in which a key is stored and compared.
func (k Key) String() string {
	return strings.Join([]string{k.Link, string([]byte{'0' + k.Class, '0' + k.Function}), k.TransmittedAt, k.STAN, k.AcquirerID, k.ForwarderID}, "|")
}

// bringsSecrets says that there is something to compare by cryptography.
func (r *Request) bringsSecrets() bool {
	return r.Chip != nil || len(r.Card.PINBlock) > 0 || !r.Card.CVV2.IsZero() || !r.Card.Track2.IsZero()
}

func (r *Request) isChip() bool { return r.entry() == "05" || r.entry() == "07" }
func (r *Request) isStripe() bool {
	switch r.entry() {
	case "02", "80", "90", "91":
		return true
	}
	return false
}
