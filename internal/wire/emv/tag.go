package emv

import (
	"fmt"
	"math"
)

// Tag is a BER-TLV tag as it reads: 0x9F26 is the two bytes 9F 26.
type Tag uint32

// The tags of field 55 and of issuer answers.
const (
	DFName                     Tag = 0x84
	AID                        Tag = 0x4F
	TerminalAID                Tag = 0x9F06
	Cryptogram                 Tag = 0x9F26 // ARQC, TC or AAC
	CID                        Tag = 0x9F27 // cryptogram information data
	IAD                        Tag = 0x9F10 // issuer application data
	UnpredictableNumber        Tag = 0x9F37
	ATC                        Tag = 0x9F36 // application transaction counter
	TVR                        Tag = 0x95   // terminal verification results
	TransactionDate            Tag = 0x9A
	TransactionType            Tag = 0x9C
	AmountAuthorized           Tag = 0x9F02
	AmountOther                Tag = 0x9F03
	TransactionCurrency        Tag = 0x5F2A
	TerminalCountry            Tag = 0x9F1A
	AIP                        Tag = 0x82   // application interchange profile
	PSN                        Tag = 0x5F34 // PAN sequence number
	TerminalCapabilities       Tag = 0x9F33
	CVMResults                 Tag = 0x9F34
	TerminalType               Tag = 0x9F35
	IFDSerialNumber            Tag = 0x9F1E
	ApplicationVersion         Tag = 0x9F09
	TransactionSequenceCounter Tag = 0x9F41
	TransactionCategoryCode    Tag = 0x9F53
	FormFactor                 Tag = 0x9F6E
	CustomerExclusive          Tag = 0x9F7C
	TTQ                        Tag = 0x9F66 // terminal transaction qualifiers
	CTQ                        Tag = 0x9F6C // card transaction qualifiers
	PaymentAccountReference    Tag = 0x9F24
	ARC                        Tag = 0x8A // authorization response code
	IssuerAuthentication       Tag = 0x91 // ARPC and what goes with it
	ScriptBefore               Tag = 0x71 // script template before the final cryptogram
	ScriptAfter                Tag = 0x72 // script template after the final cryptogram
	ScriptIdentifier           Tag = 0x9F18
	ScriptCommand              Tag = 0x86
	ScriptResults              Tag = 0x9F5B

	Track1Equivalent    Tag = 0x56
	Track2Equivalent    Tag = 0x57
	PAN                 Tag = 0x5A
	CardholderName      Tag = 0x5F20
	ExpirationDate      Tag = 0x5F24
	CardholderNameLong  Tag = 0x9F0B
	Track1Discretionary Tag = 0x9F1F
	Track2Discretionary Tag = 0x9F20
	Track2Contactless   Tag = 0x9F6B
	TransactionPIN      Tag = 0x99 // transaction PIN data
	ServiceCode         Tag = 0x5F30
)

// form is how the value of a tag is written.
type form uint8

const (
	bytesForm   form = iota // any bytes
	numericForm             // binary coded decimal digits
)

// definition is what is known of a tag.
type definition struct {
	name     string
	form     form
	min, max int
}

// definitions of the tags above. Tags that are not here are left alone.
var definitions = map[Tag]definition{
	Cryptogram:                 {name: "application cryptogram", min: 8, max: 8},
	CID:                        {name: "cryptogram information data", min: 1, max: 1},
	IAD:                        {name: "issuer application data", min: 1, max: 32},
	UnpredictableNumber:        {name: "unpredictable number", min: 4, max: 4},
	ATC:                        {name: "application transaction counter", min: 2, max: 2},
	TVR:                        {name: "terminal verification results", min: 5, max: 5},
	TransactionDate:            {name: "transaction date", form: numericForm, min: 3, max: 3},
	TransactionType:            {name: "transaction type", form: numericForm, min: 1, max: 1},
	AmountAuthorized:           {name: "amount authorized", form: numericForm, min: 6, max: 6},
	AmountOther:                {name: "amount other", form: numericForm, min: 6, max: 6},
	TransactionCurrency:        {name: "transaction currency code", form: numericForm, min: 2, max: 2},
	TerminalCountry:            {name: "terminal country code", form: numericForm, min: 2, max: 2},
	AIP:                        {name: "application interchange profile", min: 2, max: 2},
	PSN:                        {name: "PAN sequence number", form: numericForm, min: 1, max: 1},
	TerminalCapabilities:       {name: "terminal capabilities", min: 3, max: 3},
	CVMResults:                 {name: "CVM results", min: 3, max: 3},
	TerminalType:               {name: "terminal type", form: numericForm, min: 1, max: 1},
	IFDSerialNumber:            {name: "IFD serial number", min: 8, max: 8},
	DFName:                     {name: "DF name", min: 5, max: 16},
	AID:                        {name: "application identifier of the card", min: 5, max: 16},
	TerminalAID:                {name: "application identifier of the terminal", min: 5, max: 16},
	ApplicationVersion:         {name: "application version of the terminal", min: 2, max: 2},
	TransactionSequenceCounter: {name: "transaction sequence counter", form: numericForm, min: 2, max: 4},
	TransactionCategoryCode:    {name: "transaction category code", min: 1, max: 1},
	FormFactor:                 {name: "form factor indicator", min: 1, max: 32},
	CustomerExclusive:          {name: "customer exclusive data", min: 1, max: 32},
	TTQ:                        {name: "terminal transaction qualifiers", min: 4, max: 4},
	CTQ:                        {name: "card transaction qualifiers", min: 2, max: 2},
	PaymentAccountReference:    {name: "payment account reference", min: 29, max: 29},
	ARC:                        {name: "authorization response code", min: 2, max: 2},
	IssuerAuthentication:       {name: "issuer authentication data", min: 8, max: 16},
	ScriptBefore:               {name: "issuer script before the final cryptogram", min: 1, max: 128},
	ScriptAfter:                {name: "issuer script after the final cryptogram", min: 1, max: 128},
	ScriptIdentifier:           {name: "issuer script identifier", min: 4, max: 4},
	ScriptCommand:              {name: "issuer script command", min: 4, max: 125},
	ScriptResults:              {name: "issuer script results", min: 5, max: 20},

	Track1Equivalent:    {name: "track 1 equivalent data", max: 255},
	Track2Equivalent:    {name: "track 2 equivalent data", max: 255},
	PAN:                 {name: "card number", max: 255},
	CardholderName:      {name: "cardholder name", max: 255},
	CardholderNameLong:  {name: "cardholder name, extended", max: 255},
	ExpirationDate:      {name: "expiration date", max: 255},
	Track1Discretionary: {name: "track 1 discretionary data", max: 255},
	Track2Discretionary: {name: "track 2 discretionary data", max: 255},
	Track2Contactless:   {name: "track 2 data, contactless", max: 255},
	TransactionPIN:      {name: "transaction PIN data", max: 255},
	ServiceCode:         {name: "service code", max: 255},
}

// Name is the name EMV gives to a tag, empty for a tag this package does not
// know.
func (t Tag) Name() string { return definitions[t].name }

// String is the tag in hexadecimal.
func (t Tag) String() string { return fmt.Sprintf("%02X", uint32(t)) }

// rule is what reading must know of a tag: part of its definition, and where in
// an ICC it belongs.
type rule struct {
	min, max uint16
	form     form
	part     part
}

// Every tag that is known has one byte or two, of which the first is 5F or 9F. A
// page of rules for each of these and one for all others: finding a rule is two
// look-ups, whatever a sender puts there.
var (
	pageOf = [256]uint8{0x00: 1, 0x5F: 2, 0x9F: 3}
	rules  = func() (all [4][256]rule) {
		for page := range all {
			for low := range all[page] {
				all[page][low] = rule{max: math.MaxUint16}
			}
		}
		for t, d := range definitions {
			page := pageOf[t>>8]
			if page == 0 {
				panic("emv: a tag is defined that no page holds: " + t.String())
			}
			all[page][byte(t)] = rule{min: uint16(d.min), max: uint16(d.max), form: d.form}
		}
		for p, t := range partTags {
			if t != 0 {
				all[pageOf[t>>8]][byte(t)].part = part(p)
			}
		}
		return all
	}()
)

// rule is the rule of t; that of a tag this package does not know allows all.
func (t Tag) rule() rule {
	if t > 0xFFFF {
		return rules[0][0]
	}
	return rules[pageOf[t>>8]&3][byte(t)]
}

// allows reports whether v is a value of the rule's tag.
func (r rule) allows(v []byte) Problem {
	if len(v) < int(r.min) || len(v) > int(r.max) {
		return BadLength
	}
	if r.form == numericForm && !digitsOnly(v) {
		return BadDigits
	}
	return ""
}

// digitsOnly reports whether every half byte is a decimal digit: of one above 9 the
// highest bit is set and one of the next two.
func digitsOnly(v []byte) bool {
	var high byte
	for _, c := range v {
		high |= c & (c<<1 | c<<2)
	}
	return high&0x88 == 0
}
