package issuing

import (
	"slices"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// RenewalReason is why a card gets a new one in its place.
type RenewalReason string

// The reasons, with the names of the contract, §4.2.
const (
	RenewForExpiry        RenewalReason = "Expiry"
	RenewForLost          RenewalReason = "Lost"
	RenewForStolen        RenewalReason = "Stolen"
	RenewForFraud         RenewalReason = "Fraud"
	RenewForDamaged       RenewalReason = "Damaged"
	RenewForNameChange    RenewalReason = "NameChange"
	RenewForProductChange RenewalReason = "ProductChange"
	RenewForUndelivered   RenewalReason = "Undelivered"
	RenewForBulkReissue   RenewalReason = "BulkReissue"
)

// RenewalReasons lists every reason in the order of the contract's codes.
func RenewalReasons() []RenewalReason {
	return []RenewalReason{
		RenewForExpiry, RenewForLost, RenewForStolen, RenewForFraud, RenewForDamaged, RenewForNameChange, RenewForProductChange,
		RenewForUndelivered, RenewForBulkReissue,
	}
}

// reported is the status that the reason says of the old card, and why; empty
// for a reason that says nothing of it. A damaged card may go on as far as it
// still works.
func (r RenewalReason) reported() (CardStatus, StatusReason) {
	switch r {
	case RenewForLost:
		return Lost, LostReported
	case RenewForStolen:
		return Stolen, StolenReported
	case RenewForFraud:
		return Fraud, ConfirmedFraud
	}
	return "", ""
}

// Replacement is what of a replacement differs from the card that it takes the
// place of. Empty members are as the old card's, or the customer's.
type Replacement struct {
	EmbossLine1     string
	EmbossLine2     string
	PhysicalCode    string
	CardArtCode     string
	FormFactor      program.FormFactor
	DeliveryMethod  program.DeliveryMethod
	DeliveryTo      customer.AddressType // one of the customer's addresses; empty is the default one
	DeliveryAddress *customer.Address    // or this one
	DeliveryPhone   string
	DeliveryEmail   string
	RecipientName   string
	RecipientTCKN   string
	BranchCode      string
	IsExpress       bool
	TransferPIN     *bool // nil: with the card number
	FeeExemption    bool  // privileged
}

// Renewal is a wish to have a new card in the place of one.
type Renewal struct {
	Reason      RenewalReason
	Sequence    int   // of the plastic; 0 is the one in force
	KeepNumber  *bool // nil: as the reason has it
	ProductCode string
	Expires     Expiry // privileged
	Activate    bool   // for a card without plastic
	Channel     string
	Description string
	Replacement

	replaces bool // a card that is closed in the same transaction
}

// How long after its end a card can still be renewed.
const renewableFor = 90 * 24 * time.Hour

// sequenceMax is the number of plastics that one card number can have: the
// chip's sequence number has two digits.
const sequenceMax = 99

// Refusals about renewals.
var (
	errRenewalInProgress = fault.New(fault.Conflict, "renewal_in_progress", "a new card is on its way already")
	errRenewalNotAllowed = fault.New(fault.Refused, "renewal_not_allowed", "the card cannot be renewed like this")
	errKeepNumber        = fault.New(fault.Invalid, "keep_card_number_not_allowed", "the card number must not be used again")
)

// renewalCodes are the codes of the refusals above.
var renewalCodes = fault.CodesOf(errRenewalInProgress, errRenewalNotAllowed, errKeepNumber)

// check refuses what is wrong whatever the card is.
func (in Renewal) check() error {
	var v fault.Checks
	fault.OneOf(&v, "renewalReason", in.Reason, RenewalReasons())
	v.Is("personalizedNameLine1", in.Reason != RenewForNameChange || in.EmbossLine1 != "", "required", "is needed to change the name")
	v.Is("productCode", in.Reason != RenewForProductChange || in.ProductCode != "", "required", "is needed to change the product")
	v.Text("description", in.Description, 0, 250)
	if err := v.Err(errInvalid); err != nil {
		return err
	}
	if to, _ := in.Reason.reported(); to != "" && in.KeepNumber != nil && *in.KeepNumber {
		return errKeepNumber.OnField("keepCardNumber", "not_allowed", "must be false for this reason")
	}
	return nil
}

// suits refuses a card that is in no status to be renewed, or not like this.
func (in Renewal) suits(c access.Caller, card Card, now time.Time) error {
	if in.ProductCode != "" && in.Reason != RenewForProductChange {
		return errInvalid.OnField("productCode", "product_change", "goes with renewalReason ProductChange")
	}
	unsuitable := errStatusNotSuitable.With("status", string(card.Status)).With("operation", "renew")
	switch card.Status {
	case Active, Inactive:
		return nil
	case Blocked:
		if !c.May(access.IssuingCardStatusPrivileged) {
			return errCardNotPermitted.With("permission", access.IssuingCardStatusPrivileged)
		}
		return nil
	case Pending:
		if to, _ := in.Reason.reported(); in.Reason != RenewForUndelivered && to == "" && !in.replaces {
			return unsuitable
		}
		return nil
	case Lost, Stolen, Fraud, Damaged, CardExpired:
		if now.Sub(card.ChangedAt) > renewableFor {
			return errRenewalNotAllowed.With("condition", "days")
		}
		return nil
	}
	return unsuitable
}

// keepsNumber says whether the new card has the old one's number.
func (in Renewal) keepsNumber(card Card, product program.Product) (bool, error) {
	compromised, _ := in.Reason.reported()
	if compromised != "" || isCompromised(card.Status) {
		if in.KeepNumber != nil && *in.KeepNumber {
			return false, errKeepNumber.OnField("keepCardNumber", "not_allowed", "must be false for this card")
		}
		return false, nil
	}
	switch {
	case in.KeepNumber != nil:
		return *in.KeepNumber, nil
	case in.Reason == RenewForProductChange:
		return false, nil
	case in.Reason == RenewForExpiry:
		return product.KeepPANOnExpiryRenewal, nil
	}
	return true, nil
}

// transfersPIN says whether the PIN goes over to the new card.
func (in Renewal) transfersPIN(card Card, keeps bool, product program.Product) (bool, error) {
	if keeps {
		return in.TransferPIN == nil || *in.TransferPIN, nil
	}
	if in.TransferPIN == nil || !*in.TransferPIN {
		return false, nil
	}
	barred := slices.Contains([]RenewalReason{RenewForStolen, RenewForFraud}, in.Reason) || card.Status == Stolen || card.Status == Fraud
	// A PIN verification value does not give back its PIN; an offset does, and a
	// kept PIN, inside the HSM.
	if barred || card.PIN.IsZero() || card.PIN.Method != hsm.IBM3624 && len(card.PINBlock) == 0 || lengthOfPIN(card.PIN) != product.PINLength {
		return false, errRenewalNotAllowed.With("condition", "pinTransfer")
	}
	return true, nil
}

// lengthOfPIN is how many digits the PIN of a verifier has.
func lengthOfPIN(v hsm.Verifier) int {
	if v.Method == hsm.PVV {
		return 4 // it protects no other
	}
	return len(v.Value)
}
