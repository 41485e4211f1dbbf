package authorization

// Reason says why a request was declined; the zero Reason is an approval. It is
// the internal truth (contract §3.5): networks and API families derive their
// own codes from it. A name is never reused for another meaning.
type Reason string

// The reasons, in the order in which the checks that give them run.
const (
	Approved             Reason = ""
	DuplicateTransaction Reason = "DuplicateTransaction"
	OriginalNotFound     Reason = "OriginalNotFound"
	CardNotFound         Reason = "CardNotFound"
	TenantSuspended      Reason = "TenantSuspended"
	CardNotActivated     Reason = "CardNotActivated"
	CardInactive         Reason = "CardInactive"
	CardBlocked          Reason = "CardBlocked"
	CardLost             Reason = "CardLost"
	CardStolen           Reason = "CardStolen"
	CardFraud            Reason = "CardFraud"
	CardCancelled        Reason = "CardCancelled"
	CardExpired          Reason = "CardExpired"
	CardRenewed          Reason = "CardRenewed"
	CustomerInactive     Reason = "CustomerInactive"
	ExpiryMismatch       Reason = "ExpiryMismatch"
	PINNotSet            Reason = "PinNotSet"
	PINInvalid           Reason = "PinInvalid"
	PINTriesExceeded     Reason = "PinTriesExceeded"
	PINRequired          Reason = "PinRequired"
	ARQCInvalid          Reason = "ArqcInvalid"
	CVVInvalid           Reason = "CvvInvalid"
	CVV2Invalid          Reason = "Cvv2Invalid"
	CVV2TriesExceeded    Reason = "Cvv2TriesExceeded"
	PolicyNotAllowed     Reason = "PolicyNotAllowed"
	ThreeDSRequired      Reason = "ThreeDsRequired"
	// ControlDeclined is the no of an authorization control, Referred that of one
	// that wants the cardholder to be asked.
	ControlDeclined Reason = "AuthorizationControl"
	Referred        Reason = "Referred"

	VelocityAmount     Reason = "VelocityAmount"
	VelocityCount      Reason = "VelocityCount"
	InvalidTransaction Reason = "InvalidTransaction"
	InvalidAmount      Reason = "InvalidAmount"
	InsufficientFunds  Reason = "InsufficientFunds"
	// ClientDeclined is the no of a client that owns its balances; ClientTimeout
	// that it gave no answer, and nobody could approve in its place.
	ClientDeclined Reason = "ClientDeclined"
	ClientTimeout  Reason = "ClientTimeout"
	// NetworkDeclined is an advice that reports somebody else's decline.
	NetworkDeclined Reason = "NetworkDeclined"
	// SystemError means that no decision could be made; it is answered, never
	// stored.
	SystemError Reason = "SystemError"
)

// Reasons lists every reason that can decline, for totality tests of the tables
// that map them.
func Reasons() []Reason {
	return []Reason{
		DuplicateTransaction, OriginalNotFound, CardNotFound, TenantSuspended, CardNotActivated, CardInactive,
		CardBlocked, CardLost, CardStolen, CardFraud, CardCancelled, CardExpired, CardRenewed, CustomerInactive,
		ExpiryMismatch, PINNotSet, PINInvalid, PINTriesExceeded, PINRequired, ARQCInvalid, CVVInvalid, CVV2Invalid,
		CVV2TriesExceeded, PolicyNotAllowed, ThreeDSRequired, ControlDeclined, Referred, VelocityAmount, VelocityCount,
		InvalidTransaction, InvalidAmount, InsufficientFunds, ClientDeclined, ClientTimeout, NetworkDeclined, SystemError,
	}
}

// Outcome is what a network is told: a Reason, or how it was approved.
type Outcome string

// The approvals. A declined Outcome is the Reason's own text.
const (
	OutcomeApproved          Outcome = "Approved"
	OutcomeApprovedPartially Outcome = "ApprovedPartially"
	OutcomeAccountVerified   Outcome = "AccountVerified"
)

// OutcomePending is the outcome of a request whose client is being asked: no
// network is told it.
const OutcomePending Outcome = "Pending"

// Outcomes lists every outcome that a network is told, for totality tests.
func Outcomes() []Outcome {
	all := []Outcome{OutcomeApproved, OutcomeApprovedPartially, OutcomeAccountVerified}
	for _, r := range Reasons() {
		all = append(all, Outcome(r))
	}
	return all
}
