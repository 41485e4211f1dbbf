package sim

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/hsm/algo"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// Entry is how a terminal takes the card's data, as DE22 says it: two digits for
// the way, one for what the terminal can do with PINs.
type Entry string

// The usual ones.
const (
	Chip        Entry = "051" // contact chip, PIN pad present
	Contactless Entry = "071" // chip through the air
	Ecommerce   Entry = "812" // typed by the cardholder, no PIN pad
	Manual      Entry = "012" // typed by the merchant, no PIN pad
	Stripe      Entry = "902" // whole track 2, no PIN pad
)

// isTap says that the chip is read through the air.
func (e Entry) isTap() bool { return strings.HasPrefix(string(e), "07") }

// Reads says what of the card a terminal reads.
func (e Entry) Reads() Reading {
	if len(e) != 3 {
		return NothingKnown
	}
	switch e[:2] {
	case "05", "07":
		return ReadsChip
	case "02", "80", "90", "91":
		return ReadsStripe
	case "00", "01", "03", "04", "06", "09", "10", "79", "81", "82":
		return ReadsNumber
	}
	return NothingKnown
}

// Reading is what a terminal reads of a card.
type Reading int

// The readings.
const (
	NothingKnown Reading = iota
	ReadsNumber          // number and expiry, typed or from a file
	ReadsStripe          // track 2
	ReadsChip            // the chip, which signs
)

// Kind is what the cardholder wants, the first two digits of DE3.
type Kind string

// The kinds this simulator knows.
const (
	Purchase       Kind = "00"
	Cash           Kind = "01"
	Refund         Kind = "20"
	BalanceInquiry Kind = "31"
)

// Terminal is a place where cards are used: a shop's, a web shop's or a cash
// machine.
type Terminal struct {
	Acquirer *Acquirer
	ID       string // DE41, up to 8 characters
	Merchant string // DE42, up to 15 characters
	Name     string // DE43
	City     string // DE43
	Country  country.Country
	MCC      string // DE18
	Zone     *time.Location
	Ahead    clock.Ahead // of the terminal's own clock, for a sandbox that was moved
	Type     byte        // tag 9F35: 22 attended, 14 a bank's cash machine
}

// Payment is one use of a card at a terminal.
type Payment struct {
	MTI    iso8583.MTI // default 0100
	Kind   Kind        // default Purchase
	Amount money.Amount
	Entry  Entry
	CVV2   secret.Value // what was typed, e-commerce and manual entry
	PIN    secret.Value // what was typed; zero when nobody was asked
	Reason string       // DE39 of an advice: what was answered on our behalf
	Chip   ChipChoice   // what a tester wants of the chip; zero is as usual
}

// ChipChoice are values of a chip transaction that somebody has chosen. What is
// nil is as usual.
type ChipChoice struct {
	Silent bool // the chip makes no cryptogram, and there is no field 55
	ATC    *uint16
	UN     *[4]byte
	TVR    *[5]byte
	CVM    *[3]byte
	// NoPIN says that the chip has seen no PIN, whatever the terminal reports.
	NoPIN bool
}

// pinAtChip is what the chip has of the PIN that the terminal says it has compared.
func (c *ChipChoice) pinAtChip() pinAtChip {
	const succeeded = 2
	switch {
	case c.CVM == nil || c.NoPIN:
		return noPIN
	case c.CVM[0]&0x3F < 0x01, c.CVM[0]&0x3F == 0x02, c.CVM[0]&0x3F > 0x05: // no PIN, or one that goes online
		return noPIN
	case c.CVM[2] == succeeded:
		return rightPIN
	}
	return wrongPIN
}

// Request is a message of a terminal, with what the card needs to check the
// answer.
type Request struct {
	Message *iso8583.Message
	card    *Card
	signed  algo.ARQCInput // zero when the chip took no part
}

// Use makes the message of one use of c.
func (t *Terminal) Use(c *Card, p Payment) (*Request, error) {
	if p.MTI == 0 {
		p.MTI = iso8583.AuthorizationRequest
	}
	if p.Kind == "" {
		p.Kind = Purchase
	}
	m := &iso8583.Message{MTI: p.MTI}
	t.Acquirer.number(m)
	r := &Request{Message: m, card: c}
	now := t.Ahead.Now(t.Acquirer.Clock).In(t.Zone)

	m.SetText(iso8583.PAN, c.PAN.Reveal())
	m.SetText(iso8583.ProcessingCode, string(p.Kind)+"0000")
	m.SetNumber(iso8583.AmountTransaction, p.Amount.Minor())
	m.SetText(iso8583.LocalTime, now.Format("150405"))
	m.SetText(iso8583.LocalDate, now.Format("0102"))
	m.SetText(iso8583.MCC, t.MCC)
	m.SetText(iso8583.AcquiringCountry, t.Country.Numeric())
	m.SetText(iso8583.POSEntryMode, string(p.Entry))
	m.SetText(iso8583.POSConditionCode, conditionOf(p.Entry))
	m.SetText(iso8583.AcquiringInstitutionID, t.Acquirer.ID)
	m.SetText(iso8583.RRN, retrievalReference(t.Acquirer.Clock.Now(), m.Text(iso8583.STAN)))
	m.SetText(iso8583.TerminalID, t.ID)
	m.SetText(iso8583.CardAcceptorID, t.Merchant)
	m.Set(iso8583.CardAcceptorNameLocation,
		iso8583.Acceptor{Name: t.Name, City: t.City, Country: t.Country.Alpha2()}.Append(nil))
	m.SetText(iso8583.TransactionCurrency, p.Amount.Currency().Numeric())
	if p.Reason != "" {
		m.SetText(iso8583.ResponseCode, p.Reason)
	}
	if err := r.read(t, p, now); err != nil {
		return nil, fmt.Errorf("use %v: %w", c, err)
	}
	return r, nil
}

// read puts in what the terminal takes from the card and its owner.
func (r *Request) read(t *Terminal, p Payment, now time.Time) error {
	m, c := r.Message, r.card
	switch p.Entry.Reads() {
	case ReadsChip:
		m.Set(iso8583.Track2, c.chipTrack.Reveal())
		m.SetText(iso8583.CardSequenceNumber, "0"+c.PSN)
		if p.Chip.Silent {
			break
		}
		if err := r.sign(t, p, now); err != nil {
			return err
		}
	case ReadsStripe:
		m.Set(iso8583.Track2, c.stripe.Reveal())
	case ReadsNumber:
		m.SetText(iso8583.ExpirationDate, c.Expiry)
		if !p.CVV2.IsZero() {
			tags, err := iso8583.AppendTag(nil, tagCVV2, p.CVV2.Reveal())
			if err != nil {
				return fmt.Errorf("write CVV2: %w", err)
			}
			m.Set(iso8583.PrivateElements, tags)
		}
	default:
		return fmt.Errorf("entry mode %q is not known", p.Entry)
	}
	if !p.PIN.IsZero() {
		block, err := c.pinBlock(p.PIN)
		if err != nil {
			return err
		}
		m.Set(iso8583.PINData, block)
	}
	return nil
}

// tagCVV2 is where dialect generic carries a CVV2 inside DE48.
const tagCVV2 = 92

// sign lets the chip make its cryptogram over the terminal's data and fills
// DE55.
func (r *Request) sign(t *Terminal, p Payment, now time.Time) error {
	in := algo.ARQCInput{
		AmountAuthorized: [6]byte(emv.AppendDecimal(nil, p.Amount.Minor(), 6)),
		Country:          bcd2(t.Country.Numeric()),
		TVR:              [5]byte{0, 0, 0, 0x80, 0}, // over the floor limit: go online
		Currency:         bcd2(p.Amount.Currency().Numeric()),
		Date:             [3]byte{bcd(now.Year() % 100), bcd(int(now.Month())), bcd(now.Day())},
		Type:             p.Kind.bcd(),
		AIP:              [2]byte{0x38, 0x00},
	}
	if p.Entry.isTap() {
		in.AIP = [2]byte{0x20, 0x00}
	}
	if _, err := io.ReadFull(t.Acquirer.Random, in.UN[:]); err != nil {
		return fmt.Errorf("draw unpredictable number: %w", err)
	}
	if p.Chip.UN != nil {
		in.UN = *p.Chip.UN
	}
	if p.Chip.TVR != nil {
		in.TVR = *p.Chip.TVR
	}
	in, err := r.card.sign(in, p.Chip.ATC, p.Chip.pinAtChip())
	if err != nil {
		return err
	}
	r.signed = in
	// How the cardholder was verified: enciphered PIN online, or not at all.
	verification := []byte{0x1F, 0x03, 0x02}
	if !p.PIN.IsZero() {
		verification = []byte{0x42, 0x03, 0x00}
	}
	if p.Chip.CVM != nil {
		verification = p.Chip.CVM[:]
	}
	// In the order in which terminals send them.
	var icc []byte
	for _, part := range []struct {
		tag   emv.Tag
		value []byte
	}{
		{emv.Cryptogram, in.ARQC[:]},
		{emv.CID, []byte{0x80}}, // an ARQC
		{emv.IAD, in.IAD},
		{emv.UnpredictableNumber, in.UN[:]},
		{emv.ATC, in.ATC[:]},
		{emv.TVR, in.TVR[:]},
		{emv.TransactionDate, in.Date[:]},
		{emv.TransactionType, []byte{in.Type}},
		{emv.AmountAuthorized, in.AmountAuthorized[:]},
		{emv.TransactionCurrency, in.Currency[:]},
		{emv.AIP, in.AIP[:]},
		{emv.TerminalCountry, in.Country[:]},
		{emv.AmountOther, in.AmountOther[:]},
		{emv.TerminalCapabilities, []byte{0xE0, 0xF8, 0xC8}},
		{emv.CVMResults, verification},
		{emv.TerminalType, []byte{t.Type}},
		{emv.PSN, []byte{(r.card.PSN[0]-'0')<<4 | (r.card.PSN[1] - '0')}},
	} {
		icc = emv.Append(icc, part.tag, part.value)
	}
	r.Message.Set(iso8583.ICCData, icc)
	return nil
}

// WithPIN is the second half of "single tap then PIN": the same cryptogram in
// a new message, now with the PIN the terminal asked for.
func (r *Request) WithPIN(t *Terminal, pin secret.Value) (*Request, error) {
	m := new(iso8583.Message)
	r.Message.CopyTo(m)
	t.Acquirer.number(m)
	m.SetText(iso8583.RRN, retrievalReference(t.Acquirer.Clock.Now(), m.Text(iso8583.STAN)))
	block, err := r.card.pinBlock(pin)
	if err != nil {
		return nil, err
	}
	m.Set(iso8583.PINData, block)
	return &Request{Message: m, card: r.card, signed: r.signed}, nil
}

// ErrIssuerCryptogram says that the card does not believe an answer is its
// issuer's: the response cryptogram is wrong or says something else than DE39.
var ErrIssuerCryptogram = errors.New("the response cryptogram is not the issuer's")

// CheckIssuer lets the card check the response cryptogram (tag 91) of an
// answer. It reports false when there is none, and [ErrIssuerCryptogram] when
// there is a wrong one.
func (r *Request) CheckIssuer(answer *iso8583.Message) (present bool, err error) {
	icc, err := emv.ParseAnswer(answer.Bytes(iso8583.ICCData))
	if err != nil {
		return true, fmt.Errorf("read chip data of the answer: %w", err)
	}
	got := icc.Authentication
	if got == nil {
		return false, nil
	}
	if r.signed.Profile == 0 {
		return true, fmt.Errorf("no cryptogram was sent: %w", ErrIssuerCryptogram)
	}
	approved := isApproval(answer.Text(iso8583.ResponseCode))
	var arc [2]byte
	copy(arc[:], answer.Bytes(iso8583.ResponseCode))
	want, err := algo.Response(r.card.master, &r.signed, arc, algo.CardStatusUpdate(approved))
	if err != nil {
		return true, fmt.Errorf("compute response cryptogram: %w", err)
	}
	if string(got) != string(want) {
		return true, ErrIssuerCryptogram
	}
	return true, nil
}

// isApproval says that a response code lets the customer go with the goods.
func isApproval(code string) bool { return code == "00" || code == "10" || code == "85" }

// conditionOf is DE25: e-commerce, or nothing special.
func conditionOf(e Entry) string {
	switch {
	case strings.HasPrefix(string(e), "81"):
		return "59"
	case strings.HasPrefix(string(e), "01"):
		return "08"
	}
	return "00"
}

// retrievalReference is DE37 by custom: last digit of the year, day of the
// year, hour, trace number.
func retrievalReference(now time.Time, stan string) string {
	return fmt.Sprintf("%d%03d%02d%s", now.Year()%10, now.YearDay(), now.Hour(), stan)
}

func (k Kind) bcd() byte { return (k[0]-'0')<<4 | (k[1] - '0') }

// bcd is two decimal digits in a byte.
func bcd(n int) byte { return byte(n/10<<4 | n%10) }

// bcd2 is three decimal digits in two bytes.
func bcd2(digits string) [2]byte {
	return [2]byte{digits[0] - '0', (digits[1]-'0')<<4 | (digits[2] - '0')}
}
