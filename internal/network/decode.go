package network

import (
	"errors"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/secret"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// fieldError says which data element of a well-formed message makes no sense.
// It never quotes it.
type fieldError struct {
	field int
	text  string
}

func (e fieldError) Error() string { return fmt.Sprintf("data element %d: %s", e.field, e.text) }

// decodeRequest translates a message whose required fields are there. An error
// is answered as a format error.
func (c *connection) decodeRequest(m *iso8583.Message) (*authorization.Request, error) {
	flow, ok := flows[m.MTI.Original()]
	if !ok {
		return nil, fieldError{0, "the message type is no card message"}
	}
	received := c.clock.Now()
	req := &authorization.Request{Flow: flow, IsRepeat: m.MTI.IsRepeat(), ReceivedAt: received}
	sent, err := iso8583.TransmissionTime(m.Bytes(iso8583.TransmissionDateTime), received)
	if err != nil {
		return nil, err
	}
	req.Details = authorization.Details{
		Link: c.link, Network: c.dialect.Name(), MTI: m.MTI.String(), ProcessingCode: m.Text(iso8583.ProcessingCode),
		STAN: m.Text(iso8583.STAN), RRN: m.TrimmedText(iso8583.RRN), TransmittedAt: sent,
		LocalTime:  m.Text(iso8583.LocalDate) + m.Text(iso8583.LocalTime),
		AcquirerID: iso8583.InstitutionID(m.Bytes(iso8583.AcquiringInstitutionID)), ForwarderID: iso8583.InstitutionID(m.Bytes(iso8583.ForwardingInstitutionID)),
		TerminalID: m.TrimmedText(iso8583.TerminalID), CardAcceptorID: m.TrimmedText(iso8583.CardAcceptorID),
		MCC: m.Text(iso8583.MCC), EntryMode: m.Text(iso8583.POSEntryMode), ConditionCode: m.Text(iso8583.POSConditionCode),
		AcquirerCountry:   countryOf(m.Text(iso8583.AcquiringCountry)),
		AuthorizationCode: m.TrimmedText(iso8583.AuthorizationCode), ResponseCode: m.TrimmedText(iso8583.ResponseCode),
		ConversionRate: m.Text(iso8583.RateCardholderBilling), SettlementDate: m.Text(iso8583.SettlementDate),
		ConversionDate: m.Text(iso8583.ConversionDate),
	}
	if m.Has(iso8583.CardAcceptorNameLocation) {
		a, err := iso8583.ParseAcceptor(m.Bytes(iso8583.CardAcceptorNameLocation))
		if err != nil {
			return nil, err
		}
		req.MerchantName, req.MerchantCity, req.MerchantCountry = clean(a.Name), clean(a.City), a.Country
	}
	for _, step := range []func(*iso8583.Message, *authorization.Request) error{
		decodeAmounts, decodeCard, decodePrivate, decodeChip, c.decodeOriginal,
	} {
		if err := step(m, req); err != nil {
			return nil, err
		}
	}
	return req, nil
}

var flows = map[iso8583.MTI]authorization.Flow{
	0x0100: authorization.AuthorizationRequest,
	0x0200: authorization.FinancialRequest,
	0x0120: authorization.AuthorizationAdvice,
	0x0220: authorization.FinancialAdvice,
	0x0400: authorization.ReversalRequest,
	0x0420: authorization.ReversalAdvice,
}

func countryOf(numeric string) string {
	c, err := country.Parse(numeric)
	if err != nil {
		return ""
	}
	return c.Alpha2()
}

// clean keeps card numbers that a merchant put into its name out of what is
// stored.
func clean(text string) string {
	if pan.ContainsPAN(text) {
		return ""
	}
	return text
}

func decodeAmounts(m *iso8583.Message, req *authorization.Request) error {
	var err error
	if req.Amount, err = amountOf(m, iso8583.AmountTransaction, iso8583.TransactionCurrency); err != nil {
		return err
	}
	if m.Has(iso8583.AmountCardholderBilling) && m.Has(iso8583.BillingCurrency) {
		billing, err := amountOf(m, iso8583.AmountCardholderBilling, iso8583.BillingCurrency)
		if err != nil {
			return err
		}
		req.Billing = &billing
	}
	if m.Has(iso8583.AmountSettlement) && m.Has(iso8583.SettlementCurrency) {
		// Nothing is decided by it: what cannot be read is left out.
		if settlement, err := amountOf(m, iso8583.AmountSettlement, iso8583.SettlementCurrency); err == nil {
			req.Settlement = settlement
		}
	}
	return decodeCashback(m, req)
}

// decodeCashback reads the cash in a purchase (DE54), which fees may be on. What
// else stands there decides nothing.
func decodeCashback(m *iso8583.Message, req *authorization.Request) error {
	if !m.Has(iso8583.AdditionalAmounts) {
		return nil
	}
	all, err := iso8583.ParseAdditionalAmounts(m.Bytes(iso8583.AdditionalAmounts))
	if err != nil {
		return fieldError{iso8583.AdditionalAmounts, "not additional amounts"}
	}
	for _, a := range all {
		if a.AmountType != iso8583.Cash {
			continue
		}
		c, err := money.ParseCurrency(a.Currency)
		if err != nil {
			return fieldError{iso8583.AdditionalAmounts, "not a currency of ISO 4217"}
		}
		cash, err := money.New(a.Minor, c)
		if err != nil {
			return fieldError{iso8583.AdditionalAmounts, "out of range"}
		}
		req.Cashback = &cash
	}
	return nil
}

func amountOf(m *iso8583.Message, amount, currency int) (money.Amount, error) {
	c, err := money.ParseCurrency(m.Text(currency))
	if err != nil {
		return money.Amount{}, fieldError{currency, "not a currency of ISO 4217"}
	}
	return amountIn(m, amount, c)
}

func amountIn(m *iso8583.Message, field int, c money.Currency) (money.Amount, error) {
	minor, ok := m.Number(field)
	if !ok {
		return money.Amount{}, fieldError{field, "not a number"}
	}
	a, err := money.New(minor, c)
	if err != nil {
		return money.Amount{}, fieldError{field, "out of range"}
	}
	return a, nil
}

// decodeCard takes the card number from DE2 or track 2; when both came they
// must agree.
func decodeCard(m *iso8583.Message, req *authorization.Request) error {
	req.Expiry = m.Text(iso8583.ExpirationDate)
	if m.Has(iso8583.Track2) {
		t, err := pan.ParseTrack2(m.Text(iso8583.Track2))
		if err != nil {
			return fieldError{iso8583.Track2, "not a track"}
		}
		req.Card.Track2, req.Card.PAN = t, t.PAN()
		if req.Expiry == "" {
			req.Expiry = t.Expiry()
		} else if req.Expiry != t.Expiry() {
			return fieldError{iso8583.ExpirationDate, "differs from the track"}
		}
	}
	if m.Has(iso8583.PAN) {
		p, err := pan.Parse(m.Text(iso8583.PAN))
		if err != nil {
			return fieldError{iso8583.PAN, "not a card number"}
		}
		if m.Has(iso8583.Track2) && p != req.Card.PAN {
			return fieldError{iso8583.PAN, "differs from the track"}
		}
		req.Card.PAN = p
	}
	if psn := m.Text(iso8583.CardSequenceNumber); psn != "" {
		req.PSN = psn[len(psn)-2:]
	}
	if m.Has(iso8583.PINData) {
		req.Card.PINBlock = append([]byte(nil), m.Bytes(iso8583.PINData)...)
		req.Card.PINFormat = authorization.ISO0
		// DE53, positions 5 and 6: the PIN block format, when it is told.
		if v := m.Bytes(iso8583.SecurityControl); len(v) == 16 && string(v[4:6]) == "03" {
			req.Card.PINFormat = authorization.ISO3
		}
	}
	return nil
}

func decodePrivate(m *iso8583.Message, req *authorization.Request) error {
	tags := iso8583.ReadTags(m.Bytes(iso8583.PrivateElements))
	for tags.Next() {
		v := tags.Value()
		switch tags.Tag() {
		case iso8583.TagCVV2:
			req.Card.CVV2 = secret.New(v)
		case iso8583.TagDigitalSlip:
			req.MustPrint = string(v) == "0"
		case iso8583.TagPreAuthorization:
			if len(v) != 2 {
				return fieldError{iso8583.PrivateElements, "tag 98 has two digits"}
			}
			req.IsIncrement, req.MayApprovePartially = v[0] == '2', v[1] == '1'
			if v[0] == '1' && req.ConditionCode != preAuthorized {
				req.ConditionCode = preAuthorized
			}
		default:
			if err := decodeManner(tags.Tag(), string(v), &req.Manner); err != nil {
				return err
			}
		}
	}
	return tags.Err()
}

// preAuthorized is DE25 of a pre-authorization.
const preAuthorized = "06"

func decodeChip(m *iso8583.Message, req *authorization.Request) error {
	if !m.Has(iso8583.ICCData) {
		return nil
	}
	c, err := emv.ParseICC(m.Bytes(iso8583.ICCData))
	if err != nil {
		return err
	}
	if !c.Has(emv.Cryptogram) {
		return nil // a reversal or advice with only some tags
	}
	if req.PSN == "" && c.Has(emv.PSN) {
		req.PSN = fmt.Sprintf("%02X", c.PSN)
	}
	req.Chip = &authorization.Chip{
		ARQC: c.Cryptogram, CID: c.CID, ATC: c.ATC, UN: c.UnpredictableNumber, TVR: c.TVR, Date: c.TransactionDate,
		Type: c.TransactionType, AmountAuthorized: c.AmountAuthorized, AmountOther: c.AmountOther,
		Currency: c.TransactionCurrency, Country: c.TerminalCountry, AIP: c.AIP, CVMResults: c.CVMResults,
		IAD: append([]byte(nil), c.IAD()...), ScriptResults: append([]byte(nil), c.ScriptResults()...),
		AID: applicationOf(m.Bytes(iso8583.ICCData)),
	}
	return nil
}

// applicationOf is the application of the card that was used, as far as the
// terminal tells.
func applicationOf(field55 []byte) []byte {
	r := emv.Read(field55)
	for r.Next() {
		switch r.Tag() {
		case emv.DFName, emv.AID, emv.TerminalAID:
			return append([]byte(nil), r.Value()...)
		}
	}
	return nil
}

// decodeOriginal reads DE90 and DE95 of a reversal, and DE90 of a completion
// when it came.
func (c *connection) decodeOriginal(m *iso8583.Message, req *authorization.Request) error {
	if !req.Flow.IsReversal() {
		return nil
	}
	o, err := iso8583.ParseOriginal(m.Bytes(iso8583.OriginalDataElements))
	if err != nil {
		return err
	}
	if o.MTI.Class() == 4 || o.MTI.Class() == classNetworkManagement {
		return fieldError{iso8583.OriginalDataElements, "names no message that can be reversed"}
	}
	sent, err := iso8583.TransmissionTime([]byte(o.TransmissionDateTime), req.ReceivedAt)
	if err != nil {
		return errors.Join(fieldError{iso8583.OriginalDataElements, "the original's time is not a time"}, err)
	}
	key := authorization.NewKey(authorization.Details{
		Link: c.originals, TransmittedAt: sent, STAN: o.STAN, AcquirerID: o.AcquiringInstitutionID, ForwarderID: o.ForwardingInstitution,
	}, o.MTI.Class(), o.MTI.Function())
	req.Original = &key
	if !m.Has(iso8583.ReplacementAmounts) {
		return nil
	}
	r, err := iso8583.ParseReplacement(m.Bytes(iso8583.ReplacementAmounts))
	if err != nil {
		return err
	}
	remains, err := money.New(r.Transaction, req.Amount.Currency())
	if err != nil {
		return fieldError{iso8583.ReplacementAmounts, "out of range"}
	}
	req.Replacement = &remains
	if r.Billing != 0 {
		// In the original's billing currency; DE51 need not come again.
		c := req.Amount.Currency()
		if req.Billing != nil {
			c = req.Billing.Currency()
		}
		billing, err := money.New(r.Billing, c)
		if err != nil {
			return fieldError{iso8583.ReplacementAmounts, "out of range"}
		}
		req.ReplacementBilling = &billing
	}
	return nil
}
