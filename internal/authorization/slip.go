package authorization

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// SlipNotice tells the acquirer what to do about the cardholder's copy of the
// slip (contract §8.9); empty where that is not ours to say.
type SlipNotice string

// The notices.
const (
	PrintSlip   SlipNotice = "Print"
	DigitalSlip SlipNotice = "Digital" // the paper is left out
)

// slip decides about the slip of an approved purchase at home with the card
// there. A terminal that cannot leave the paper out prints.
func (d *Decision) slip(req *Request, f *Facts) {
	switch d.Status {
	case StatusApproved, StatusCleared:
	default:
		return
	}
	if req.Flow != AuthorizationRequest && req.Flow != FinancialRequest || req.IsIncrement {
		return
	}
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	present, known := req.CardPresent()
	if row.code != Purchase && row.code != PurchaseWithCashback || !present || !known || req.domain(f.Card.Country) != Domestic {
		return
	}
	d.Slip = PrintSlip
	limit := f.Product.ContactlessLimit
	switch program.DigitalSlipType(f.Card.DigitalSlip) {
	case program.DigitalAlways:
		d.Slip = DigitalSlip
	case program.DigitalBelowContactlessLimit:
		if limit >= 0 && d.Approved.Minor() <= limit {
			d.Slip = DigitalSlip
		}
	}
	if req.MustPrint {
		d.Slip = PrintSlip
	}
}

// domain is how far from home the card is used; empty when the message does not
// say.
func (d *Details) domain(cardCountry string) Domain {
	where := d.MerchantCountry
	if where == "" {
		where = d.AcquirerCountry
	}
	switch {
	case where == "" || cardCountry == "":
		return ""
	case where == cardCountry:
		return Domestic
	}
	return International
}

// Slip is what stands on a slip that was left out.
type Slip struct {
	Transaction       TransactionID
	Tenant            access.TenantID
	Type              program.DigitalSlipType // the cardholder's choice at that time
	MaskedNo          string
	MerchantID        string
	MerchantName      string
	MerchantCity      string
	MerchantCountry   string
	TerminalID        string
	RRN               string
	AuthorizationCode string
	LocalTime         string    // MMDDhhmmss
	SentAt            time.Time // by the tenant's time: what year LocalTime is of
	Amount            money.Amount
	Billing           money.Amount
	EntryMode         string
	CVM               CVM
	AID               string // hexadecimal; empty without a chip that told it
	TVR               string // hexadecimal; empty without a chip
	ExpiresAt         time.Time
}

// referenceLength is what the dialect leaves room for.
const referenceLength = 20

// SlipReference is what a slip that was left out is asked for by: the end of
// the identifier of its transaction.
func SlipReference(t TransactionID) string {
	text := strings.ToUpper(t.String())
	return text[len(text)-referenceLength:]
}

func newSlip(req *Request, f *Facts, t *Transaction, name issuing.CardName) *Slip {
	m := &t.Message
	s := &Slip{
		Transaction: t.ID, Tenant: t.Tenant, Type: program.DigitalSlipType(f.Card.DigitalSlip), MaskedNo: name.MaskedNo,
		MerchantID: strings.TrimSpace(m.CardAcceptorID), MerchantName: m.MerchantName, MerchantCity: m.MerchantCity,
		MerchantCountry: m.MerchantCountry, TerminalID: strings.TrimSpace(m.TerminalID), RRN: m.RRN, AuthorizationCode: t.AuthorizationCode,
		LocalTime: m.LocalTime, SentAt: t.CreatedAt, Amount: t.Amount, Billing: t.Billing, EntryMode: m.EntryMode, CVM: t.CVM,
		ExpiresAt: t.CreatedAt.AddDate(0, max(f.slipMonths, slipMonthsMin), 0),
	}
	if h := req.Chip; h != nil {
		s.AID, s.TVR = strings.ToUpper(hex.EncodeToString(h.AID)), strings.ToUpper(hex.EncodeToString(h.TVR[:]))
	}
	return s
}

// slipMonthsMin is how long a slip is kept at least.
const slipMonthsMin = 6

// keepSlip keeps the slip of a purchase whose paper is left out.
func (w *work) keepSlip(op *operation, d Decision, t *Transaction) *Slip {
	if d.Slip != DigitalSlip {
		return nil
	}
	s := newSlip(op.req, op.facts, t, op.facts.name)
	w.slips = append(w.slips, s)
	return s
}

// visit lists the members that are stored and told.
func (s *Slip) visit(c *codec) {
	visitID(c, "slip.transaction", &s.Transaction)
	visitID(c, "slip.tenant", &s.Tenant)
	visitText(c, "slip.type", &s.Type)
	visitText(c, "slip.masked", &s.MaskedNo)
	visitText(c, "slip.merchant_id", &s.MerchantID)
	visitText(c, "slip.merchant_name", &s.MerchantName)
	visitText(c, "slip.merchant_city", &s.MerchantCity)
	visitText(c, "slip.merchant_country", &s.MerchantCountry)
	visitText(c, "slip.terminal_id", &s.TerminalID)
	visitText(c, "slip.rrn", &s.RRN)
	visitText(c, "slip.authorization_code", &s.AuthorizationCode)
	visitText(c, "slip.local_time", &s.LocalTime)
	c.time("slip.sent_at", &s.SentAt)
	c.amount("slip.amount", &s.Amount)
	c.amount("slip.billing", &s.Billing)
	visitText(c, "slip.entry_mode", &s.EntryMode)
	visitText(c, "slip.cvm", &s.CVM)
	visitText(c, "slip.aid", &s.AID)
	visitText(c, "slip.tvr", &s.TVR)
	c.time("slip.expires_at", &s.ExpiresAt)
}
