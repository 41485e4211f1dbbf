package authorization

import (
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// MessageField is one field of a message as people may see it.
type MessageField struct {
	Number int
	Name   string
	Value  string
}

// hidden stands for a value of which nothing is shown, or kept.
const hidden = "***"

// messageFields lists the fields of a recorded message that are kept, with
// their content in the form of ISO 8583. Sensitive ones that came are named
// and hidden; the card number and the tracks, which are not recorded, are
// missing.
func messageFields(r *record) []MessageField {
	req := &r.Request
	var all []MessageField
	add := func(number int, name, value string) {
		if value != "" {
			all = append(all, MessageField{number, name, value})
		}
	}
	amount := func(number int, name string, a money.Amount) {
		if !a.Currency().IsZero() {
			add(number, name, fmt.Sprintf("%012d", a.Minor()))
		}
	}
	billing, settlement := money.Amount{}, req.Settlement
	if req.Billing != nil {
		billing = *req.Billing
	}
	masked := func(is bool) string {
		if is {
			return hidden
		}
		return ""
	}
	day, hour := req.LocalTime, ""
	if len(day) == len("MMDDhhmmss") {
		day, hour = day[:4], day[4:]
	}
	add(3, "processing_code", req.ProcessingCode)
	amount(4, "amount_transaction", req.Amount)
	amount(5, "amount_settlement", settlement)
	amount(6, "amount_cardholder_billing", billing)
	if !req.TransmittedAt.IsZero() {
		add(7, "transmission_date_time", req.TransmittedAt.UTC().Format("0102150405"))
	}
	add(10, "rate_cardholder_billing", req.ConversionRate)
	add(11, "stan", req.STAN)
	add(12, "local_time", hour)
	add(13, "local_date", day)
	add(14, "expiration_date", masked(req.Expiry != ""))
	add(15, "settlement_date", req.SettlementDate)
	add(16, "conversion_date", req.ConversionDate)
	add(18, "mcc", req.MCC)
	add(19, "acquiring_country", req.AcquirerCountry)
	add(22, "pos_entry_mode", req.EntryMode)
	add(23, "card_sequence_number", req.PSN)
	add(25, "pos_condition_code", req.ConditionCode)
	add(32, "acquiring_institution_id", req.AcquirerID)
	add(33, "forwarding_institution_id", req.ForwarderID)
	add(37, "rrn", req.RRN)
	add(38, "authorization_code", req.AuthorizationCode)
	add(39, "response_code", req.ResponseCode)
	add(41, "terminal_id", req.TerminalID)
	add(42, "card_acceptor_id", req.CardAcceptorID)
	place := strings.Join(strings.Fields(req.MerchantName+" "+req.MerchantCity+" "+req.MerchantCountry), " ")
	if pan.ContainsPAN(place) {
		place = hidden
	}
	add(43, "card_acceptor_name_location", place)
	add(49, "transaction_currency", req.Amount.Currency().Numeric())
	add(50, "settlement_currency", settlement.Currency().Numeric())
	add(51, "billing_currency", billing.Currency().Numeric())
	add(52, "pin_data", masked(r.Facts.PIN != NotPresent))
	add(55, "icc_data", masked(req.Chip != nil))
	return all
}
