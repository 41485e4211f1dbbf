package issuing

import "slices"

// CardStatus is the state of one card. The zero value is no status.
type CardStatus string

// The statuses. Lost is quasi-final; the states after it are final.
const (
	Pending     CardStatus = "Pending"   // created: not activated, not linked, or in production
	Active      CardStatus = "Active"    // usable
	Inactive    CardStatus = "Inactive"  // closed for now by cardholder or client
	Blocked     CardStatus = "Blocked"   // closed for now by issuer, risk or law
	Lost        CardStatus = "Lost"      // reported lost
	Stolen      CardStatus = "Stolen"    // reported stolen
	Fraud       CardStatus = "Fraud"     // confirmed fraud
	Cancelled   CardStatus = "Cancelled" // closed for good
	Damaged     CardStatus = "Damaged"   // the plastic does not work
	CardExpired CardStatus = "Expired"   // its month has passed
	CardRenewed CardStatus = "Renewed"   // a newer card took its place
)

// CardStatuses lists every status in the order of the contract's codes.
func CardStatuses() []CardStatus {
	return []CardStatus{
		Pending, Active, Inactive, Blocked, Lost, Stolen, Fraud, Cancelled, Damaged, CardExpired, CardRenewed,
	}
}

// LocalLetter is the one-letter code Turkish processors use; empty where they
// have none.
func (s CardStatus) LocalLetter() string {
	switch s {
	case Pending:
		return "B"
	case Active:
		return "A"
	case Inactive:
		return "T"
	case Lost:
		return "K"
	case Stolen:
		return "C"
	case Fraud:
		return "F"
	case Cancelled:
		return "I"
	}
	return ""
}

// IsFinal reports whether no transition leaves s, so that the card will never
// be used again. Lost is not final: a lost card may be found.
func (s CardStatus) IsFinal() bool {
	return len(transitions[s]) == 0
}

// Mover is who may make a transition.
type Mover int

// The movers, in rising order of right.
const (
	ByNobody     Mover = iota // the transition is not allowed at all
	ByClient                  // permission Issuing.Card.Status
	ByPrivileged              // permission Issuing.Card.StatusPrivileged
	BySystem                  // only a job of ours
)

// transitions is the matrix of the contract, §8.2.2. What is not listed is not
// allowed; a status without a row is final.
var transitions = map[CardStatus]map[CardStatus]Mover{
	Pending: {
		Active: ByClient, Blocked: ByPrivileged, Lost: ByClient, Stolen: ByClient, Fraud: ByPrivileged,
		Cancelled: ByClient, Damaged: ByClient, CardExpired: BySystem, CardRenewed: BySystem,
	},
	Active: {
		Inactive: ByClient, Blocked: ByPrivileged, Lost: ByClient, Stolen: ByClient, Fraud: ByPrivileged,
		Cancelled: ByClient, Damaged: ByClient, CardExpired: BySystem, CardRenewed: BySystem,
	},
	Inactive: {
		Active: ByClient, Blocked: ByPrivileged, Lost: ByClient, Stolen: ByClient, Fraud: ByPrivileged,
		Cancelled: ByClient, Damaged: ByClient, CardExpired: BySystem, CardRenewed: BySystem,
	},
	Blocked: {
		Active: ByPrivileged, Inactive: ByPrivileged, Lost: ByClient, Stolen: ByClient, Fraud: ByPrivileged,
		Cancelled: ByPrivileged, CardExpired: BySystem,
	},
	Lost: {
		Active: ByPrivileged, Stolen: ByClient, Fraud: ByPrivileged, Cancelled: ByClient,
	},
}

// MoverTo says who may move a card from s to t, and [ByNobody] for a transition
// that is not allowed. From s to s itself is ByClient: it changes nothing.
func (s CardStatus) MoverTo(t CardStatus) Mover {
	if s == t {
		return ByClient
	}
	return transitions[s][t]
}

// StatusReason says why a card came into its status.
type StatusReason string

// The reasons, with the names of the contract, §8.2.5.
const (
	NoReason              StatusReason = "None"
	CustomerRequest       StatusReason = "CustomerRequest"
	ClientRequest         StatusReason = "ClientRequest"
	FirstActivation       StatusReason = "FirstActivation"
	SuspectedFraud        StatusReason = "SuspectedFraud"
	ConfirmedFraud        StatusReason = "ConfirmedFraud"
	CardCloned            StatusReason = "CardCloned"
	DataCompromise        StatusReason = "DataCompromise"
	LostReported          StatusReason = "LostReported"
	StolenReported        StatusReason = "StolenReported"
	PlasticDamaged        StatusReason = "Damaged"
	PINTriesExceeded      StatusReason = "PinTriesExceeded"
	KYCFailed             StatusReason = "KycFailed"
	LegalOrder            StatusReason = "LegalOrder"
	HolderDeceased        StatusReason = "Deceased"
	Inactivity            StatusReason = "Inactivity"
	CourierReturn         StatusReason = "CourierReturn"
	ProductClosed         StatusReason = "ProductClosed"
	ParentClosed          StatusReason = "ParentClosed"
	ExpiryReached         StatusReason = "ExpiryReached"
	Superseded            StatusReason = "Superseded"
	NonameUnlinked        StatusReason = "NonameUnlinked"
	NegativeBalance       StatusReason = "NegativeBalance"
	UnderReview           StatusReason = "UnderReview"
	ReviewCleared         StatusReason = "ReviewCleared"
	WalletProviderRequest StatusReason = "WalletProviderRequest"
	OtherReason           StatusReason = "Other" // needs a description
)

// closing are the reasons for which a card may be closed for good or for now.
var closing = []StatusReason{
	CustomerRequest, ClientRequest, SuspectedFraud, ConfirmedFraud, CardCloned, DataCompromise,
	PINTriesExceeded, KYCFailed, LegalOrder, HolderDeceased, Inactivity, CourierReturn, ProductClosed,
	NegativeBalance, UnderReview, WalletProviderRequest, OtherReason,
}

// fitting lists the reasons a caller may give for each target. Reasons that
// only jobs and cascades give (ParentClosed, ExpiryReached, Superseded,
// NonameUnlinked) are in none.
var fitting = map[CardStatus][]StatusReason{
	Active:    {CustomerRequest, ClientRequest, FirstActivation, ReviewCleared, OtherReason},
	Inactive:  closing,
	Blocked:   closing,
	Lost:      {LostReported},
	Stolen:    {StolenReported},
	Fraud:     {ConfirmedFraud, CardCloned, DataCompromise},
	Cancelled: closing,
	Damaged:   {PlasticDamaged},
}

// Fits reports whether a caller may give r as the reason for moving to t.
func (r StatusReason) Fits(t CardStatus) bool { return slices.Contains(fitting[t], r) }

// StatusReasons lists every reason in the order of the contract's codes.
func StatusReasons() []StatusReason {
	return []StatusReason{
		NoReason, CustomerRequest, ClientRequest, FirstActivation, SuspectedFraud, ConfirmedFraud, CardCloned,
		DataCompromise, LostReported, StolenReported, PlasticDamaged, PINTriesExceeded, KYCFailed, LegalOrder,
		HolderDeceased, Inactivity, CourierReturn, ProductClosed, ParentClosed, ExpiryReached, Superseded,
		NonameUnlinked, NegativeBalance, UnderReview, ReviewCleared, WalletProviderRequest, OtherReason,
	}
}
