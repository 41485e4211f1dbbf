package platform

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// simulationRequest is DetailedSimulationRequestDto (§15), of which
// SimulationRequestDto is a part. A member that the link's dialect has no place
// for is refused: to leave it out would test something else.
type simulationRequest struct {
	TestCard
	SimulatedKind
	SimulatedAmounts
	SimulatedMerchant
	SimulatedTerminal
	SimulatedSecrets
	SimulatedChipData
	SimulatedOnline
	SimulatedReferences
	SimulateTimeout   bool `json:"simulateTimeout,omitempty" doc:"The answer gets lost: the message is reversed by advice (0420)."`
	SimulateDuplicate bool `json:"simulateDuplicate,omitempty" doc:"The message is repeated (0101); both answers are shown."`
}

// SimulatedKind is what the cardholder does.
type SimulatedKind struct {
	TransactionCode     api.Enum[transactionCodes]   `json:"transactionCode,omitempty" doc:"Default Purchase."`
	FlowCode            api.Enum[flowCodes]          `json:"transactionFlowCode,omitempty" doc:"AuthorizationRequest (default), FinancialRequest, their advices, or StatusCheck."`
	Network             api.Enum[networks]           `json:"transactionNetwork,omitempty" doc:"Refused: it is the card's."`
	Domain              api.Enum[transactionDomains] `json:"transactionDomain,omitempty" doc:"Refused: it follows from merchantCountry."`
	IsPreAuthorization  bool                         `json:"isPreAuthorization,omitempty"`
	IsFinal             bool                         `json:"isFinalAuthorization,omitempty"`
	MayApprovePartially bool                         `json:"isPartialApprovalAllowed,omitempty"`
	InstallmentCount    int                          `json:"installmentCount,omitempty" minimum:"0" maximum:"99"`
}

// SimulatedAmounts are what is paid.
type SimulatedAmounts struct {
	Amount             api.Decimal              `json:"amount,omitempty" doc:"Required but for inquiries."`
	CurrencyCode       string                   `json:"currencyCode" required:"true"`
	BillingAmount      api.Decimal              `json:"billingAmount,omitempty" doc:"Default: by the tenant's selling rate, where the card has another currency."`
	BillingCurrency    string                   `json:"billingCurrency,omitempty" doc:"Required with billingAmount."`
	ConversionRate     api.Decimal              `json:"conversionRate,omitempty" doc:"In place of the tenant's rate."`
	SettlementAmount   api.Decimal              `json:"settlementAmount,omitempty"`
	SettlementCurrency string                   `json:"settlementCurrency,omitempty" doc:"Required with settlementAmount."`
	CashbackAmount     api.Decimal              `json:"cashbackAmount,omitempty" doc:"Part of the amount."`
	AdditionalAmounts  []simulatedAdditionalDTO `json:"additionalAmounts,omitempty" maxItems:"2"`
}

type simulatedAdditionalDTO struct {
	Type   string      `json:"type" required:"true" enum:"AcquirerFee,Cashback" doc:"What a message can carry."`
	Amount api.Decimal `json:"amount" required:"true" doc:"Part of the amount, in its currency."`
}

// SimulatedMerchant is where.
type SimulatedMerchant struct {
	MCC             string       `json:"mcc,omitempty" pattern:"^[0-9]{4}$" doc:"Default 5411; 6011 at an Atm."`
	MerchantID      api.FreeText `json:"merchantId,omitempty" maxLength:"15" doc:"Printable ASCII."`
	MerchantName    api.FreeText `json:"merchantName,omitempty" maxLength:"25" doc:"Printable ASCII."`
	MerchantCity    api.FreeText `json:"merchantCity,omitempty" maxLength:"13" doc:"Printable ASCII."`
	MerchantCountry string       `json:"merchantCountry,omitempty" doc:"Default TR."`
	TerminalID      string       `json:"terminalId,omitempty" pattern:"^[ -~]{1,8}$"`
	AcquirerID      string       `json:"acquirerId,omitempty" pattern:"^[0-9]{1,11}$"`
	ForwardingID    string       `json:"forwardingInstitutionId,omitempty" pattern:"^[0-9]{1,11}$"`
}

// SimulatedTerminal is how the card is used.
type SimulatedTerminal struct {
	TerminalType    api.Enum[terminalTypes]       `json:"terminalType,omitempty" doc:"Default Pos."`
	POSEntryMode    api.Enum[posEntryModes]       `json:"posEntryMode,omitempty" doc:"Default: Chip; Ecommerce at a VirtualPos, Manual for Moto, QrCode for Qr, ContactlessChip at a TransitGate."`
	PINCapability   string                        `json:"terminalPinCapability,omitempty" enum:"Unknown,PinCapable,NotPinCapable,SoftwarePin,PinPadDown"`
	Presence        api.Enum[cardholderPresences] `json:"cardholderPresence,omitempty" doc:"Recurring and RecurringInstallment are said by isRecurring and installmentCount."`
	CardPresence    string                        `json:"cardPresence,omitempty" enum:"Present,NotPresent"`
	Attendance      string                        `json:"attendance,omitempty" enum:"Attended,Unattended"`
	ActivationLevel string                        `json:"cardholderActivatedTerminalLevel,omitempty" enum:"NotCat" doc:"The dialect has no place for another."`
}

// SimulatedSecrets are what the card and its holder give.
type SimulatedSecrets struct {
	ExpireYear     int                  `json:"expireYear,omitempty" minimum:"2000" maximum:"2099" doc:"Default: the card's; also on a track that is made."`
	ExpireMonth    int                  `json:"expireMonth,omitempty" minimum:"1" maximum:"12"`
	PIN            string               `json:"pin,omitempty" pattern:"^[0-9]{4,12}$" doc:"Or pinBlock."`
	PINBlock       string               `json:"pinBlock,omitempty" pattern:"^[0-9A-Fa-f]{16}$" doc:"Hexadecimal, under the ZPK of the card's BIN."`
	PINBlockFormat api.Enum[pinFormats] `json:"pinBlockFormat,omitempty" doc:"Iso0 (default) or Iso3: field 52 has eight bytes."`
	PINKey
	CVV2            string                  `json:"cvv2,omitempty" pattern:"^[0-9]{3}$"`
	Track2          string                  `json:"track2,omitempty" pattern:"^[0-9]{12,19}[=D][0-9]{7,24}$" doc:"Default: the card's."`
	ServiceCode     string                  `json:"serviceCode,omitempty" pattern:"^[0-9]{3}$" doc:"On the track that is made."`
	CVV             string                  `json:"cvv,omitempty" pattern:"^[0-9]{3}$" doc:"On the track that is made."`
	ForceARQCResult api.Enum[arqcResultSet] `json:"forceArqcResult,omitempty" doc:"Made by wrong bytes: Invalid, AtcReplay, NotPresent. Wanted of the platform: Valid of emvData, HsmError."`
	ForceCVCResult  string                  `json:"forceCvcResult,omitempty" enum:"M,N,P,S" doc:"Of the track, or of the CVV2 where no track is read. Made by wrong bytes: N, S (none). Wanted of the platform: M, P."`
	ForceCAVVResult string                  `json:"forceCavvResult,omitempty" maxLength:"1" doc:"Refused: no CAVV is judged."`
}

// SimulatedChipData is field 55: its bytes, or how they are made.
type SimulatedChipData struct {
	EMVData       string `json:"emvData,omitempty" maxLength:"510" pattern:"^([0-9A-Fa-f]{2})+$" doc:"TLV, hexadecimal; sent as it is. Default: made where a chip is read."`
	GenerateARQC  *bool  `json:"generateArqc,omitempty" doc:"False leaves the field out."`
	ATC           *int   `json:"atc,omitempty" minimum:"0" maximum:"65535" doc:"Default: the card's next."`
	Unpredictable string `json:"unpredictableNumber,omitempty" pattern:"^[0-9A-Fa-f]{8}$"`
	TVR           string `json:"tvr,omitempty" pattern:"^[0-9A-Fa-f]{10}$"`
	CVMResults    string `json:"cvmResults,omitempty" pattern:"^[0-9A-Fa-f]{6}$"`
}

// SimulatedOnline is what is told of a payment over a network.
type SimulatedOnline struct {
	ECI                 string `json:"eci,omitempty" pattern:"^0[567]$"`
	SLIChannel          string `json:"sliChannel,omitempty" enum:"21,22,24,91"`
	SLIUCAFStatus       string `json:"sliUcafStatusCode,omitempty" enum:"0,1,2,3,4,5,6,7"`
	CAVV                string `json:"cavv,omitempty" maxLength:"40" doc:"Base64."`
	Is3DSAuthenticated  bool   `json:"is3dsAuthenticated,omitempty" doc:"Without eci: eci 05."`
	DSTransactionID     string `json:"dsTransactionId,omitempty" maxLength:"40" doc:"Refused: the dialect has no place for it."`
	IsRecurring         bool   `json:"isRecurring,omitempty"`
	IsMerchantInitiated bool   `json:"isMerchantInitiated,omitempty"`
	IsCredentialOnFile  bool   `json:"isCredentialOnFile,omitempty"`
	OriginalRRN         string `json:"originalRrn,omitempty" pattern:"^[0-9A-Za-z]{12}$" doc:"Of the first transaction of a series."`
	IsTokenised         bool   `json:"isTokenised,omitempty"`
	WalletType          string `json:"walletType,omitempty" pattern:"^[0-9A-Za-z]{1,10}$"`
}

// SimulatedReferences are what messages are known by.
type SimulatedReferences struct {
	RRN                  string `json:"rrn,omitempty" pattern:"^[0-9A-Za-z]{12}$" doc:"Default: drawn. That of a pre-authorization for its completion."`
	STAN                 string `json:"stan,omitempty" pattern:"^[0-9]{6}$"`
	AuthorizationCode    string `json:"authorizationCode,omitempty" pattern:"^[0-9A-Za-z]{6}$" doc:"Of advices."`
	NetworkTransactionID string `json:"networkTransactionId,omitempty" maxLength:"40" doc:"Refused: the dialect names transactions by rrn."`
	TransactionDate      string `json:"transactionDate,omitempty" doc:"The terminal's clock, ISO 8601 with offset; default: now."`
}

type arqcResultSet struct{}

func (arqcResultSet) Members() []api.Member {
	return api.Numbered(0, "NotPresent", "NotChecked", "Valid", "Invalid", "KeyNotFound", "HsmError", "AtcReplay")
}

// terminal is what follows from a terminal type.
type terminal struct {
	kind       byte // tag 9F35
	entry      string
	capability string
	condition  string // DE25, where the entry mode does not say it
	mcc        string
}

// terminals are the types of the contract, as a message of 1987 can tell them.
var terminals = map[string]terminal{
	"Unspecified": {kind: 0x22, entry: "05"}, "Atm": {kind: 0x14, entry: "05", mcc: "6011"}, "Pos": {kind: 0x22, entry: "05"},
	"UnattendedPos": {kind: 0x25, entry: "05", condition: "02"}, "MobilePos": {kind: 0x22, entry: "05", capability: "3"},
	"VirtualPos": {kind: 0x22, entry: "81", condition: "59"}, "Moto": {kind: 0x22, entry: "01", condition: "08"},
	"Qr": {kind: 0x22, entry: "03", condition: "00"}, "TransitGate": {kind: 0x25, entry: "07", capability: "2", condition: "02"},
	"BranchTerminal": {kind: 0x21, entry: "05"}, "Kiosk": {kind: 0x25, entry: "05", condition: "02"},
}

// processing is DE3, positions 1 and 2, of each transaction code that a terminal
// can ask for.
var processing = map[string]string{
	"Purchase": "00", "CashWithdrawal": "01", "CashAdvance": "17", "PurchaseWithCashback": "09", "QuasiCash": "11",
	"UniqueTransaction": "18", "Refund": "20", "CashDeposit": "21", "Payment": "28", "BalanceInquiry": "31", "CardVerification": "00",
	"CardToCardTransfer": "40", "PreAuthorization": "00", "PreAuthorizationCompletion": "00", "InstallmentSale": "00",
	"PinUnblock": "91", "PinChange": "92",
}

func decodeSimulation(in *simulationRequest) (Simulation, error) {
	var d decoding
	s := Simulation{
		Card: d.testCard(in.TestCard), RRN: in.RRN, STAN: in.STAN, AuthorizationCode: in.AuthorizationCode,
		FinalAuthorization: in.IsFinal, PartialApproval: in.MayApprovePartially,
		LosesAnswer: in.SimulateTimeout, Repeats: in.SimulateDuplicate,
	}
	d.kind(in, &s)
	d.simulatedAmounts(in, &s)
	d.place(in, &s)
	d.use(in, &s)
	d.secrets(in, &s)
	d.chip(in, &s)
	d.online(in, &s)
	if in.SimulateTimeout && in.SimulateDuplicate {
		d.fail("simulateDuplicate", "both", "must not stand with simulateTimeout: a message is repeated or taken back")
	}
	if in.NetworkTransactionID != "" {
		d.fail("networkTransactionId", "unsupported", "has no place in the dialect: transactions are named by rrn")
	}
	if in.TransactionDate != "" {
		at, err := time.Parse(time.RFC3339, in.TransactionDate)
		if err != nil {
			d.fail("transactionDate", "not_a_time", "must be ISO 8601 with offset")
		}
		s.LocalTime = at
	}
	return s, d.err()
}

// kind reads what is done.
func (d *decoding) kind(in *simulationRequest, s *Simulation) {
	code := given(in.TransactionCode, "Purchase")
	known := false
	if s.Processing, known = processing[code]; !known {
		d.fail("transactionCode", "unsupported", "is not what a terminal asks for")
	}
	s.Flow = given(in.FlowCode, authorization.AuthorizationRequest)
	s.PreAuthorization = in.IsPreAuthorization || code == "PreAuthorization"
	switch {
	case s.Flow == authorization.StatusCheck:
		s.Flow = authorization.AuthorizationRequest
		if code != "CardVerification" && in.Amount != "" && in.Amount != "0" {
			d.fail("amount", "status_check", "must be 0 for a StatusCheck")
		}
	case s.Flow.IsReversal():
		d.fail("transactionFlowCode", "unsupported", "is what transaction/void sends")
	case s.Flow != authorization.AuthorizationRequest && s.Flow != authorization.FinancialRequest && !s.Flow.IsAdvice():
		d.fail("transactionFlowCode", "unsupported", "is no message of a terminal")
	}
	if code == "PreAuthorizationCompletion" {
		if in.FlowCode == "" {
			s.Flow = authorization.FinancialAdvice
		}
		if in.RRN == "" {
			d.fail("rrn", "required", "is required: it names the pre-authorization")
		}
	}
	if s.PreAuthorization && in.IsFinal {
		d.fail("isFinalAuthorization", "both", "must not stand with a pre-authorization")
	}
	if in.AuthorizationCode != "" && !s.Flow.IsAdvice() {
		d.fail("authorizationCode", "unsupported", "stands in advices only: a request gets one")
	}
	if code == "InstallmentSale" && in.InstallmentCount < 2 {
		d.fail("installmentCount", "required", "must be at least 2 for an InstallmentSale")
	}
	if in.InstallmentCount > 1 {
		s.Remote.Instalments = fmt.Sprintf("%02d", in.InstallmentCount)
	}
	if in.Network != "" {
		d.fail("transactionNetwork", "unsupported", "cannot be chosen: it is the card's")
	}
	if in.Domain != "" {
		d.fail("transactionDomain", "unsupported", "cannot be chosen: it follows from merchantCountry")
	}
}

// simulatedAmounts reads what is paid.
func (d *decoding) simulatedAmounts(in *simulationRequest, s *Simulation) {
	c := d.currency("currencyCode", in.CurrencyCode)
	if c.IsZero() {
		return
	}
	s.Amount = money.Zero(c)
	code := given(in.TransactionCode, "Purchase")
	if a := d.positive("amount", in.Amount, c); a != nil {
		s.Amount = *a
		if code == "CardVerification" && !a.IsZero() {
			d.fail("amount", "card_verification", "must be 0 for a CardVerification")
		}
	} else if in.Amount == "" && code != "CardVerification" && code != "BalanceInquiry" && in.FlowCode != "StatusCheck" {
		d.fail("amount", "required", "is required")
	}
	s.Billing = d.inCurrency("billingAmount", in.BillingAmount, "billingCurrency", in.BillingCurrency)
	s.Settlement = d.inCurrency("settlementAmount", in.SettlementAmount, "settlementCurrency", in.SettlementCurrency)
	if in.ConversionRate != "" {
		if in.BillingAmount != "" {
			d.fail("conversionRate", "both", "must not stand with billingAmount")
		}
		if !conversionSyntax.MatchString(string(in.ConversionRate)) || strings.Trim(string(in.ConversionRate), "0.") == "" {
			d.fail("conversionRate", "not_a_rate", "must be above 0, with at most seven digits")
		}
		s.BillingRate = string(in.ConversionRate)
	}
	s.Cashback = d.positive("cashbackAmount", in.CashbackAmount, c)
	for i, more := range in.AdditionalAmounts {
		member := fmt.Sprintf("additionalAmounts[%d].amount", i)
		a := d.positive(member, more.Amount, c)
		to := &s.Cashback
		if more.Type == "AcquirerFee" {
			to = &s.Surcharge
		}
		if a != nil && *to != nil {
			d.fail(member, "both", "is there already")
		}
		*to = a
	}
	if s.Surcharge != nil && s.Surcharge.Minor() > 99_999_999 {
		d.fail("additionalAmounts", "range", "is out of range: a fee has eight digits")
	}
	for _, part := range []struct {
		member string
		amount *money.Amount
	}{{"cashbackAmount", s.Cashback}, {"additionalAmounts", s.Surcharge}} {
		if part.amount != nil && part.amount.Cmp(s.Amount) > 0 {
			d.fail(part.member, "range", "is a part of the amount and cannot be more")
		}
	}
}

// conversionSyntax is a rate that DE10 can hold.
var conversionSyntax = regexp.MustCompile(`^(?:[0-9]{1,7}|[0-9]{1,6}\.[0-9]{1,6})$`)

// positive is an optional amount that is not below zero and fits twelve digits.
func (d *decoding) positive(member string, text api.Decimal, c money.Currency) *money.Amount {
	a := d.amount(member, text, c)
	if a != nil && (a.Sign() < 0 || a.Minor() > 999_999_999_999) {
		d.fail(member, "range", "is out of range")
		return nil
	}
	return a
}

// inCurrency is an optional amount with a currency of its own.
func (d *decoding) inCurrency(member string, text api.Decimal, currency, code string) *money.Amount {
	if (text == "") != (code == "") {
		d.fail(currency, "together", "must stand with "+member)
		return nil
	}
	return d.positive(member, text, d.currency(currency, code))
}

var printable = regexp.MustCompile(`^[ -~]*$`)

// printable refuses text that the dialect has no letters for.
func (d *decoding) printable(member, text string) {
	if !printable.MatchString(text) {
		d.fail(member, "malformed", "must be printable ASCII: the dialect has no other letters")
	}
}

// place reads where the card is used.
func (d *decoding) place(in *simulationRequest, s *Simulation) {
	kind := terminals[given(in.TerminalType, "Pos")]
	p := SimulatedPlace{
		MCC: in.MCC, ID: string(in.MerchantID), Name: string(in.MerchantName), City: string(in.MerchantCity), Country: country.Must("TR"),
		TerminalID: in.TerminalID, TerminalType: kind.kind, AcquirerID: in.AcquirerID, Forwarding: in.ForwardingID,
	}
	for _, standard := range []struct {
		to    *string
		value string
	}{
		{&p.MCC, kind.mcc}, {&p.MCC, "5411"}, {&p.ID, "SANDBOX00000001"}, {&p.Name, "TEST MARKET"}, {&p.City, "ISTANBUL"}, {&p.TerminalID, "00000001"},
	} {
		if *standard.to == "" {
			*standard.to = standard.value
		}
	}
	if in.MerchantCountry != "" {
		p.Country = d.country("merchantCountry", in.MerchantCountry)
	}
	d.printable("merchantId", p.ID)
	d.printable("merchantName", p.Name)
	d.printable("merchantCity", p.City)
	s.Merchant = p
}

// pinCapabilityDigits are DE22, position 3, by the contract's names.
var pinCapabilityDigits = map[string]string{"Unknown": "0", "PinCapable": "1", "NotPinCapable": "2", "SoftwarePin": "3", "PinPadDown": "8"}

// presences are DE25 by where the cardholder is.
var presences = map[string]string{
	"Present": "00", "NotPresentUnspecified": "01", "MailOrder": "08", "PhoneOrder": "07", "ElectronicOrder": "59",
}

// use reads how the card is used: DE22 and DE25.
func (d *decoding) use(in *simulationRequest, s *Simulation) {
	kind := terminals[given(in.TerminalType, "Pos")]
	entry := kind.entry
	for _, m := range entryModes {
		if m.name == string(in.POSEntryMode) {
			entry = m.digits
		}
	}
	capability := kind.capability
	switch {
	case in.PINCapability != "":
		capability = pinCapabilityDigits[in.PINCapability]
	case capability != "":
	case entry == "05" || entry == "07":
		capability = "1"
	default:
		capability = "2"
	}
	s.EntryMode, s.ConditionCode = entry+capability, kind.condition
	if entry == "01" && s.ConditionCode == "" {
		s.ConditionCode = "00" // typed by a merchant who has the card in hand
	}
	if in.Presence != "" {
		code, known := presences[string(in.Presence)]
		if !known {
			d.fail("cardholderPresence", "unsupported", "is said by isRecurring or installmentCount")
		}
		s.ConditionCode = code
	}
	if in.Attendance == "Unattended" {
		if s.ConditionCode != "" && s.ConditionCode != "00" && s.ConditionCode != "02" {
			d.fail("attendance", "contradiction", "needs a cardholder who is at the terminal")
		}
		s.ConditionCode = "02"
	}
	if in.CardPresence == "NotPresent" && s.ConditionCode == "00" {
		s.ConditionCode = "05" // the cardholder is there, the card is not
	}
	if in.CardPresence == "" {
		return
	}
	is := authorization.Details{EntryMode: s.EntryMode, ConditionCode: s.ConditionCode}
	if present, known := is.CardPresent(); known && present != (in.CardPresence == "Present") {
		d.fail("cardPresence", "contradiction", "contradicts posEntryMode and cardholderPresence")
	}
}

// secrets reads what card and holder give.
func (d *decoding) secrets(in *simulationRequest, s *Simulation) {
	d.pinKey(in.PINKey)
	if in.KeyCode != "" {
		d.fail("keyCode", "unsupported", "has no place in the dialect: PIN blocks are under the ZPK of the card's BIN")
	}
	if (in.ExpireYear == 0) != (in.ExpireMonth == 0) {
		d.fail("expireMonth", "together", "must stand with expireYear")
	} else if in.ExpireYear != 0 {
		s.Expires = &issuing.Expiry{Year: in.ExpireYear, Month: time.Month(in.ExpireMonth)}
	}
	s.PIN, s.CVV2, s.CVV = secret.FromString(in.PIN), secret.FromString(in.CVV2), secret.FromString(in.CVV)
	s.ServiceCode = in.ServiceCode
	if in.PIN != "" && in.PINBlock != "" {
		d.fail("pinBlock", "both", "must not stand with pin")
	}
	s.PINBlock = d.hex("pinBlock", in.PINBlock)
	switch s.PINForm = given(in.PINBlockFormat, issuing.ISO0Block); {
	case s.PINForm != issuing.ISO0Block && s.PINForm != issuing.ISO3Block:
		d.fail("pinBlockFormat", "unsupported", "must be Iso0 or Iso3: the dialect has eight bytes for a PIN block")
	case s.PINForm == issuing.ISO3Block && in.PINBlock == "":
		d.fail("pinBlockFormat", "alone", "is of pinBlock")
	}
	if in.Track2 != "" {
		s.Track2 = secret.FromString(strings.Replace(in.Track2, "D", "=", 1))
		if in.ServiceCode != "" || in.CVV != "" {
			d.fail("track2", "both", "must not stand with serviceCode or cvv")
		}
	}
	reads := s.EntryMode[:2]
	chip, stripe := reads == "05" || reads == "07", reads == "02" || reads == "80" || reads == "90" || reads == "91"
	if !chip && !stripe && (in.Track2 != "" || in.ServiceCode != "" || in.CVV != "") {
		d.fail("track2", "no_track", "no track is read in this posEntryMode")
	}
	switch in.ForceARQCResult {
	case "", "Valid", "NotPresent", "Invalid", "AtcReplay", "HsmError":
		s.ForceARQC = string(in.ForceARQCResult)
	default:
		d.fail("forceArqcResult", "unsupported", "is no result that can be had")
	}
	if s.ForceCVC = in.ForceCVCResult; s.ForceCVC != "" && s.ForceCVC != "S" && !chip && !stripe && in.CVV2 == "" {
		d.fail("forceCvcResult", "nothing", "needs a track or cvv2 that can be wrong")
	}
	if in.ForceCAVVResult != "" {
		d.fail("forceCavvResult", "unsupported", "no CAVV is judged yet")
	}
	if s.ForceARQC != "" && s.ForceARQC != "NotPresent" && !chip {
		d.fail("forceArqcResult", "no_chip", "no chip is read in this posEntryMode")
	}
}

// chip reads field 55.
func (d *decoding) chip(in *simulationRequest, s *Simulation) {
	c := SimulatedChip{
		Data: d.hex("emvData", in.EMVData), Unsigned: in.GenerateARQC != nil && !*in.GenerateARQC, ATC: in.ATC,
		UN: d.hex("unpredictableNumber", in.Unpredictable), TVR: d.hex("tvr", in.TVR), CVM: d.hex("cvmResults", in.CVMResults),
	}
	chosen := c.ATC != nil || c.UN != nil || c.TVR != nil || c.CVM != nil
	reads := s.EntryMode[:2]
	switch isChip := reads == "05" || reads == "07"; {
	case (chosen || c.Data != nil || in.GenerateARQC != nil) && !isChip:
		d.fail("emvData", "no_chip", "no chip is read in this posEntryMode")
	case c.Data != nil && (chosen || in.GenerateARQC != nil):
		d.fail("emvData", "both", "must not stand with how it is made")
	case c.Unsigned && (chosen || s.ForceARQC != "" && s.ForceARQC != "NotPresent"):
		d.fail("generateArqc", "both", "must not be false where the cryptogram is described")
	case c.Data != nil && s.ForceARQC != "" && s.ForceARQC != "Valid" && s.ForceARQC != "HsmError":
		d.fail("forceArqcResult", "both", "must not stand with emvData")
	}
	s.Chip = c
}

// online reads what is told of a payment over a network.
func (d *decoding) online(in *simulationRequest, s *Simulation) {
	r := &s.Remote
	r.CAVV, r.ECI = in.CAVV, in.ECI
	switch {
	case (in.SLIChannel == "") != (in.SLIUCAFStatus == ""):
		d.fail("sliChannel", "together", "must stand with sliUcafStatusCode")
	case in.SLIChannel != "" && in.ECI != "":
		d.fail("eci", "both", "must not stand with sliChannel")
	case in.SLIChannel != "":
		r.ECI = in.SLIChannel + in.SLIUCAFStatus
	}
	authenticated := r.ECI == "05" || len(r.ECI) == 3 && r.ECI[2] == '2'
	if in.Is3DSAuthenticated && r.ECI == "" {
		r.ECI = "05"
	} else if in.Is3DSAuthenticated && !authenticated {
		d.fail("is3dsAuthenticated", "contradiction", "contradicts the security level")
	}
	if _, err := base64.StdEncoding.DecodeString(in.CAVV); err != nil {
		d.fail("cavv", "malformed", "must be base64")
	}
	if in.DSTransactionID != "" {
		d.fail("dsTransactionId", "unsupported", "has no place in the dialect")
	}
	switch {
	case in.IsRecurring:
		r.Recurring = "1" + in.OriginalRRN
	case in.IsMerchantInitiated:
		r.Recurring = "2" + in.OriginalRRN
	case in.IsCredentialOnFile:
		r.Recurring = "3"
	}
	if in.OriginalRRN != "" && len(r.Recurring) < 2 {
		d.fail("originalRrn", "alone", "needs isRecurring or isMerchantInitiated")
	}
	switch {
	case in.IsTokenised:
		r.Wallet = "1" + in.WalletType
	case in.WalletType != "":
		r.Wallet = "0" + in.WalletType
	}
}

func (d *decoding) hex(member, text string) []byte {
	if text == "" {
		return nil
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		d.fail(member, "malformed", "must be hexadecimal")
	}
	return b
}

func (a *API) processTransaction(ctx context.Context, c access.Caller, in *struct{ Body simulationRequest }) (simulationResponse, error) {
	s, err := decodeSimulation(&in.Body)
	if err != nil {
		return simulationResponse{}, err
	}
	done, err := a.Tester.Process(ctx, c, s)
	if err != nil {
		return simulationResponse{}, err
	}
	return a.encodeSimulated(ctx, c, done)
}
