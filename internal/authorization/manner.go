package authorization

// StoredCard says by whose doing a card number is used that a merchant keeps;
// empty when the message says nothing of it.
type StoredCard string

// The ways.
const (
	RecurringPayment  StoredCard = "Recurring"         // of a series, by the merchant
	UnscheduledUse    StoredCard = "Unscheduled"       // by the merchant, when it is due
	ChosenByHolder    StoredCard = "Cardholder"        // the cardholder was there and took the stored card
	FurtherInstalment StoredCard = "FurtherInstalment" // of a sale in instalments, by the merchant
)

// Manner is what a message says of how a payment is made, beyond the fields of
// 1987. Its zero value is a message that says nothing.
type Manner struct {
	StoredCard StoredCard
	// IsTokenised says that the card number was a network's token; Wallet is the
	// code of the wallet that held it.
	IsTokenised bool
	Wallet      string
	// InstalmentCount is in how many parts it is paid, InstalmentNo which part
	// this is; zero is unsaid.
	InstalmentCount, InstalmentNo int
	// ECI is two digits, or the three of a security level indicator. HasCAVV says
	// that a value from 3-D Secure came with it; the value itself is not kept.
	ECI     string
	HasCAVV bool
}

// IsRecurring reports whether the payment is one of a series that the
// cardholder agreed to once.
func (m *Manner) IsRecurring() bool {
	return m.StoredCard == RecurringPayment || m.StoredCard == FurtherInstalment
}

// IsInstalment reports whether it is paid in more than one part.
func (m *Manner) IsInstalment() bool { return m.InstalmentCount > 1 }

// What an ECI, and the last digit of a security level indicator, says of a
// cardholder who was authenticated, not merely asked.
const (
	eciAuthenticated = "05"
	sliAuthenticated = '2'
)

// Is3DSAuthenticated reports whether the merchant's side says that the
// cardholder was authenticated. The value that shows it is not verified here.
func (m *Manner) Is3DSAuthenticated() bool {
	return m.ECI == eciAuthenticated || len(m.ECI) == 3 && m.ECI[2] == sliAuthenticated
}

// cavvUnverifiable says of a value from 3-D Secure that it came and was not
// verified: nobody has given us its keys.
const cavvUnverifiable = "0"

// CAVVResult is what is known of the value from 3-D Secure; empty when none came.
func (m *Manner) CAVVResult() string {
	if m.HasCAVV {
		return cavvUnverifiable
	}
	return ""
}

// What an ECI, and the last digit of a security level indicator, says of a
// cardholder who was asked in vain: his bank does not take part, or did not answer.
const (
	eciAttempted = "06"
	sliAttempted = '1'
)

// ShiftsLiability reports whether the merchant's side says that fraud is for the
// issuer to bear: the cardholder was authenticated, or was to be. isTold is false
// where it says nothing.
func (m *Manner) ShiftsLiability() (shifts, isTold bool) {
	shifts = m.Is3DSAuthenticated() || m.ECI == eciAttempted || len(m.ECI) == 3 && m.ECI[2] == sliAttempted
	return shifts, m.ECI != ""
}

func (m *Manner) visit(c *codec) {
	visitText(c, "stored_card", &m.StoredCard)
	c.bool("tokenised", &m.IsTokenised)
	visitText(c, "wallet", &m.Wallet)
	c.count("instalment_count", &m.InstalmentCount)
	c.count("instalment_no", &m.InstalmentNo)
	visitText(c, "eci", &m.ECI)
	c.bool("cavv", &m.HasCAVV)
}

// usesStoredCard reports whether a number that the merchant keeps is used while
// the card is elsewhere (contract §8.2.3: recurring, credential on file).
func (r *Request) usesStoredCard() bool {
	present, known := r.CardPresent()
	return !(present && known) && (r.StoredCard != "" || r.entry() == "10")
}
