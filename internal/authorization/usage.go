package authorization

import (
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/issuing"
)

// Domain says how far from home a card was used (contract §4.5).
type Domain string

// The domains that this build tells apart.
const (
	Domestic      Domain = "Domestic" // in the country of the card's BIN
	International Domain = "International"
)

// TerminalType is what kind of terminal a card was used at (contract §4.5).
type TerminalType string

// The types that a message of 1987 tells apart.
const (
	UnspecifiedTerminal TerminalType = "Unspecified"
	ATM                 TerminalType = "Atm"
	POS                 TerminalType = "Pos"
	UnattendedPOS       TerminalType = "UnattendedPos"
	VirtualPOS          TerminalType = "VirtualPos"
	MOTO                TerminalType = "Moto"
)

// CardholderPresence is where the cardholder was (contract §4.5).
type CardholderPresence string

// The presences that a message tells apart; empty is unknown.
const (
	Present            CardholderPresence = "Present"
	NotThere           CardholderPresence = "NotPresentUnspecified"
	MailOrder          CardholderPresence = "MailOrder"
	PhoneOrder         CardholderPresence = "PhoneOrder"
	StandingOrder      CardholderPresence = "Recurring"
	StandingInstalment CardholderPresence = "RecurringInstallment"
	ElectronicOrder    CardholderPresence = "ElectronicOrder"
)

// What DE25 says about card and cardholder (contract acquiring-clearing §1.6.3).
const (
	conditionNormal      = "00"
	conditionNotThere    = "01"
	conditionUnattended  = "02"
	conditionCardAway    = "05" // the cardholder is there, the card is not
	conditionPreAuth     = "06"
	conditionPhone       = "07"
	conditionMailOrPhone = "08"
	conditionEcommerce   = "59"
	conditionBadStripe   = "71"
)

// CVM is how the cardholder was verified (contract §9.1); empty is unknown.
type CVM string

// The methods.
const (
	NoCVM        CVM = "None"
	OnlinePIN    CVM = "OnlinePin"
	OfflinePIN   CVM = "OfflinePin" // the chip compared it and says that it was right
	SignatureCVM CVM = "Signature"
)

// mccATM is the merchant category of machines that hand out cash.
const mccATM = "6011"

// entry is DE22, positions 1 and 2: how the card number came in.
func (d *Details) entry() string {
	if len(d.EntryMode) < 2 {
		return ""
	}
	return d.EntryMode[:2]
}

// IsContactless reports whether the card was tapped, chip or stripe data.
func (d *Details) IsContactless() bool { return d.entry() == "07" || d.entry() == "91" }

// CardPresent reports whether the card was at the terminal; known is false when
// the message does not say. How the number came in (DE22) goes before what the
// terminal says about it (DE25).
func (d *Details) CardPresent() (present, known bool) {
	switch d.entry() {
	case "02", "04", "05", "07", "79", "80", "90", "91", "95":
		return true, true
	case "09", "10", "81", "82":
		return false, true
	}
	switch d.ConditionCode {
	case conditionNotThere, conditionCardAway, conditionPhone, conditionMailOrPhone, conditionEcommerce:
		return false, true
	case conditionNormal, conditionUnattended, conditionBadStripe:
		return true, true
	}
	return false, false
}

// terminalType derives the terminal's type: an ATM by its category, orders by
// mail, telephone and network by DE25 and DE22, unattended terminals by DE25,
// and a point of sale by the card being there.
func (d *Details) terminalType() TerminalType {
	present, known := d.CardPresent()
	switch {
	case d.MCC == mccATM:
		return ATM
	case d.ConditionCode == conditionMailOrPhone, d.ConditionCode == conditionPhone:
		return MOTO
	case d.isRemote():
		return VirtualPOS
	case d.ConditionCode == conditionUnattended:
		return UnattendedPOS
	case present && known:
		return POS
	}
	return UnspecifiedTerminal
}

// isRemote reports whether the card was used over a network: e-commerce, or a
// number that the merchant keeps.
func (d *Details) isRemote() bool {
	switch d.entry() {
	case "09", "10", "81":
		return true
	}
	present, known := d.CardPresent()
	return d.ConditionCode == conditionEcommerce && !(present && known)
}

// presence derives where the cardholder was. A number that the merchant keeps
// does not say how it was ordered.
func (d *Details) presence() CardholderPresence {
	switch d.ConditionCode {
	case conditionMailOrPhone:
		return MailOrder
	case conditionPhone:
		return PhoneOrder
	case conditionNotThere:
		return NotThere
	case conditionCardAway:
		return Present
	}
	switch present, known := d.CardPresent(); {
	case present && known:
		return Present
	case d.StoredCard == RecurringPayment:
		return StandingOrder
	case d.StoredCard == FurtherInstalment:
		return StandingInstalment
	case d.entry() == "10", d.entry() == "82":
		return NotThere
	case d.isRemote():
		return ElectronicOrder
	}
	return ""
}

// Classify derives from the message and the country of the card's BIN (alpha-2,
// empty when unknown) what lists filter by. Where the card was used is the
// merchant's country, else the acquirer's.
func (t *Transaction) Classify(cardCountry string) {
	m := &t.Message
	t.CardCountry, t.Terminal, t.Presence, t.Domain = cardCountry, m.terminalType(), m.presence(), m.domain(cardCountry)
}

// judged notes what the decision made of the secrets that came with req, and
// which check refused it.
func (t *Transaction) judged(req *Request, f *Facts, s State, d Decision) {
	k := s.Card
	t.PIN = d.told("Pin", f.PIN,
		k.PINStatus == issuing.PINNotSet || k.PINStatus == issuing.PINBlocked || k.PINTryCount >= f.Product.PINTryLimit)
	t.CVV = d.told("Cvv", f.CVV, false)
	t.CVV2 = d.told("Cvv2", f.CVV2, k.CVV2TryCount >= f.Product.CVV2TryLimit)
	switch t.ARQC = d.told("Arqc", f.ARQC, false); {
	case t.ARQC == Match && d.isReplay:
		t.ARQC = Replayed
	case t.ARQC == NotPresent && req.Chip != nil:
		t.ARQC = Unjudged
	}
	t.CVM = t.cvm(req)
	if d.Status != StatusDeclined && d.Status != StatusFailed {
		return
	}
	if c := d.Trace.decisive(d.Reason); c != nil {
		t.DeclinedBy, t.DeclinedSubject, t.DeclinedText = c.Name, c.Subject, c.Decisive().Input(inputReasonText)
	}
}

// told is the result of a comparison as far as the decision used it. A value
// that came after another check had refused, or when no tries were left, was
// compared but not counted: to tell how that ended would let anyone who reads
// transactions try values without end.
func (d *Decision) told(name string, r Result, exhausted bool) Result {
	if r == NotPresent {
		return NotPresent
	}
	for _, c := range d.Trace {
		if c.Name == name && !exhausted {
			return r
		}
	}
	return Unjudged
}

// cvm is the method by which the cardholder was verified: the PIN that came, or
// what the terminal reports (tag 9F34). A PIN that the chip is said to have found
// right is one only if the chip agrees.
func (t *Transaction) cvm(req *Request) CVM {
	if t.PIN != NotPresent {
		return OnlinePIN
	}
	if req.Chip != nil {
		m := req.Chip.cvm()
		if m == OfflinePIN && !req.Chip.verifiedPIN(t.ARQC) {
			return ""
		}
		return m
	}
	if present, known := req.CardPresent(); known && !present {
		return NoCVM
	}
	return ""
}

// verifiedPIN reports whether terminal and chip both say that the chip compared a
// PIN and found it right. What the terminal says, anybody can write; what the chip
// says is worth something under a right cryptogram.
func (h *Chip) verifiedPIN(arqc Result) bool {
	if arqc != Match || h.cvm() != OfflinePIN {
		return false
	}
	iad, err := hsm.ParseIAD(h.IAD)
	return err == nil && iad.PINVerified()
}

// cvm is what the terminal says of how the cardholder was verified.
func (h *Chip) cvm() CVM {
	const succeeded = 2
	switch results := h.CVMResults; results[0] & 0x3F {
	case 0x01, 0x03, 0x04, 0x05:
		if results[2] == succeeded {
			return OfflinePIN
		}
	case 0x1E:
		return SignatureCVM
	case 0x1F:
		return NoCVM
	}
	return ""
}
