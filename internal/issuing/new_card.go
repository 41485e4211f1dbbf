package issuing

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// PINSource says where a new card's first PIN comes from.
type PINSource string

// The PIN sources.
const (
	NoPIN        PINSource = "None"
	RandomPIN    PINSource = "Random" // drawn by the HSM and forgotten
	EncryptedPIN PINSource = "Encrypted"
)

// NewCard is what a card is issued from. Empty members take the product's or
// the customer's defaults.
type NewCard struct {
	CustomerNo       string
	ProductCode      string
	FormFactor       program.FormFactor
	ParentIssuanceNo string // either of the two makes a supplementary card
	ParentCardToken  string
	EmbossLine1      string
	EmbossLine2      string
	PhysicalCode     string
	CardArtCode      string
	DeliveryMethod   program.DeliveryMethod
	DeliveryTo       customer.AddressType // one of the customer's addresses
	DeliveryAddress  *customer.Address    // or this one
	DeliveryPhone    string
	DeliveryEmail    string
	RecipientName    string
	RecipientTCKN    string
	BranchCode       string
	IsExpress        bool
	PhoneNumber      string // E.164
	PINSource        PINSource
	PIN              PINInput // for EncryptedPIN
	InitialStatus    CardStatus
	AutoRenewal      program.AutoRenewal
	DigitalSlip      program.DigitalSlipType
	Policies         []program.Policy // over the product's
	AccountNo        string
	ExternalCardID   string
	Expires          Expiry // earlier than the product's; privileged
	FeeExemption     bool   // privileged
	Channel          string
	Description      string
	// Virtual, if there is one, makes it a virtual card of its main card, which shares
	// that one's credit account.
	Virtual *VirtualCard
}

// VirtualCard is what a virtual card may take of the credit account of its main
// card, in minor units.
type VirtualCard struct {
	Limit int64
	Next  *int64 // after the next cut; nil: the same
	// Most is how many virtual cards its main card may have, in force at once.
	Most int
}

var accountSyntax = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,34}$`)

// check refuses what is wrong whatever the customer and the product are, and
// puts phones into their one form.
func (in *NewCard) check() error {
	var v fault.Checks
	v.Text("customerNo", in.CustomerNo, 1, 20)
	v.Text("productCode", in.ProductCode, 1, 32)
	v.Text("externalCardId", in.ExternalCardID, 0, 64)
	v.Text("description", in.Description, 0, 250)
	v.Is("accountNo", in.AccountNo == "" || accountSyntax.MatchString(in.AccountNo), "malformed", "must be 1 to 34 letters, digits and . _ : -")
	in.PhoneNumber = checkPhone(&v, "phoneNumber", in.PhoneNumber)
	in.checkDelivery(&v)
	v.Is("parentCardToken", in.ParentCardToken == "" || in.ParentIssuanceNo == "", "both", "must not stand beside parentIssuanceNo")
	v.Is("encryptedPin", (in.PINSource == EncryptedPIN) == in.PIN.given(), "pin_source", "goes with pinSource Encrypted")
	checkPolicies(&v, in.Policies)
	return v.Err(errInvalid)
}

// checkDelivery looks at where the plastic is to go.
func (in *NewCard) checkDelivery(v *fault.Checks) {
	v.Text("branchCode", in.BranchCode, 0, 32)
	v.Text("deliveryCommunication.recipientName", in.RecipientName, 0, 100)
	v.Is("deliveryCommunication.recipientTckn", in.RecipientTCKN == "" || customer.ValidTCKN(in.RecipientTCKN), "not_an_identity", "is no citizen's number")
	in.DeliveryPhone = checkPhone(v, "deliveryCommunication.phone", in.DeliveryPhone)
	if in.DeliveryEmail != "" {
		_, ok := customer.ParseEmail(in.DeliveryEmail)
		v.Is("deliveryCommunication.email", ok, "not_an_email", "is no e-mail address")
	}
	if in.DeliveryAddress != nil {
		a := in.DeliveryAddress.Normalized()
		a.Check(v, "deliveryAddress.")
		in.DeliveryAddress = &a
	}
}

// checkPhone checks a phone number, if there is one, and returns its one form.
func checkPhone(v *fault.Checks, name, value string) string {
	if value == "" {
		return ""
	}
	e164, ok := customer.ParsePhone(value, true)
	v.Is(name, ok, "not_a_phone", "is no phone number")
	return e164
}

// checkPolicies checks the usage switches that a new holder brings.
func checkPolicies(v *fault.Checks, all []program.Policy) {
	seen := map[program.PolicyType]bool{}
	for i, p := range all {
		at := "policies[" + strconv.Itoa(i) + "]."
		fault.OneOf(v, at+"policyType", p.Type, program.PolicyTypes())
		v.Is(at+"policyType", !seen[p.Type], "repeated", "is there twice")
		v.Is(at+"endDate", p.StartsAt == nil || p.EndsAt == nil || p.StartsAt.Before(*p.EndsAt), "before_start", "must be after startDate")
		p.CheckPeriod(v, at)
		seen[p.Type] = true
	}
}

// checkLocks refuses a switch that the product lets no card change.
func checkLocks(p program.Product, all []program.Policy) error {
	for _, own := range all {
		if slices.ContainsFunc(p.Policies, func(q program.Policy) bool { return q.Type == own.Type && q.IsLocked }) {
			return errPolicyLocked.With("policyType", string(own.Type))
		}
	}
	return nil
}
