package clearingfile

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/country"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// checker turns the text of members into values and keeps the first fault.
type checker struct{ err *FormatError }

func (c *checker) fail(member string, p Problem) {
	if c.err == nil {
		c.err = &FormatError{Member: member, Problem: p}
	}
}

// require fails when a required member is empty, and reports whether it is
// worth looking at.
func (c *checker) require(member, v string) bool {
	if v == "" {
		c.fail(member, Missing)
	}
	return v != ""
}

// text checks an optional member against the characters and lengths it may
// have.
func (c *checker) text(member, v string, min, max int, allowed func(rune) bool) string {
	if v == "" {
		return v
	}
	if n := utf8.RuneCountInString(v); n < min || n > max || strings.ContainsFunc(v, func(r rune) bool { return !allowed(r) }) {
		c.fail(member, WrongValue)
	}
	return v
}

// free checks free text, in which a card number may hide.
func (c *checker) free(member, v string, max int) string {
	if pan.ContainsPAN(v) {
		c.fail(member, CardNumber)
	}
	return c.text(member, v, 1, max, unicode.IsPrint)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isWord(r rune) bool {
	return isDigit(r) || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' || r == '-'
}

func isName(r rune) bool { return isWord(r) || r == '.' || r == ':' }

func isASCII(r rune) bool { return r >= ' ' && r <= '~' }

// amount reads an amount; an absent one is zero.
func (c *checker) amount(member string, t *amountText) money.Amount {
	if t == nil {
		return money.Amount{}
	}
	currency, err := money.ParseCurrency(t.Currency)
	if err != nil || currency.Code() != t.Currency {
		c.fail(member+".currency", WrongValue)
		return money.Amount{}
	}
	a, err := money.New(t.Minor, currency)
	if err != nil || t.Minor <= 0 {
		c.fail(member+".minor", WrongValue)
		return money.Amount{}
	}
	return a
}

// localTime reads a wall clock without zone.
func (c *checker) localTime(member, v string) time.Time {
	t, err := time.Parse(localLayout, v)
	if err != nil || t.Format(localLayout) != v {
		c.fail(member, WrongValue)
	}
	return t
}

// header checks the first line.
func (t *headerText) header() (Header, *FormatError) {
	var c checker
	if t.Format != format || t.Version != version {
		return Header{}, &FormatError{Member: "format", Problem: WrongFormat}
	}
	var h Header
	if c.require("network", t.Network) {
		h.Network = c.text("network", t.Network, 1, 32, isWord)
	}
	if c.require("fileId", t.FileID) {
		h.FileID = c.text("fileId", t.FileID, 1, 64, isName)
	}
	if c.require("createdAt", t.CreatedAt) {
		at, err := time.Parse(time.RFC3339, t.CreatedAt)
		if err != nil {
			c.fail("createdAt", WrongValue)
		}
		h.CreatedAt = at.UTC().Truncate(time.Microsecond)
	}
	if c.require("businessDate", t.BusinessDate) {
		d, err := clock.ParseDate(t.BusinessDate)
		if err != nil {
			c.fail("businessDate", WrongValue)
		}
		h.BusinessDate = d
	}
	if c.err != nil {
		return Header{}, c.err
	}
	return h, nil
}

// presentment checks a line between the first and the last.
func (t *presentmentText) presentment() (Presentment, *FormatError) {
	var c checker
	p := Presentment{Kind: Kind(t.Kind), Function: Function(t.Function), Reversal: t.Reversal}
	switch p.Kind {
	case Purchase, Cash, Refund:
	default:
		c.choice("kind", t.Kind)
	}
	switch p.Function {
	case FirstPresentment, SecondPresentment, PartialRepresentment:
	default:
		c.choice("function", t.Function)
	}
	if c.require("pan", t.PAN) {
		number, err := pan.Parse(t.PAN)
		if err != nil {
			c.fail("pan", WrongValue)
		}
		p.PAN = number
	}
	if c.require("arn", t.ARN) {
		p.ARN = c.text("arn", t.ARN, 23, 23, isDigit)
	}
	p.OriginalARN = c.text("originalArn", t.OriginalARN, 23, 23, isDigit)
	p.MessageReason = c.text("messageReason", t.MessageReason, 4, 4, isDigit)

	if t.Transaction == nil {
		c.fail("transactionAmount", Missing)
	}
	p.Transaction = c.amount("transactionAmount", t.Transaction)
	p.Billing = c.amount("billingAmount", t.Billing)
	p.Settlement = c.amount("settlementAmount", t.Settlement)

	p.AuthorizationCode = c.text("authorizationCode", t.AuthorizationCode, 1, 6, isASCII)
	p.RRN = c.text("rrn", t.RRN, 1, 12, isASCII)
	p.STAN = c.text("stan", t.STAN, 6, 6, isDigit)
	p.NetworkTransactionID = c.text("networkTransactionId", t.NetworkTransactionID, 1, 40, isName)
	p.AcquiringInstitutionID = c.text("acquiringInstitutionId", t.AcquiringInstitutionID, 1, 11, isDigit)
	p.TerminalID = c.text("terminalId", t.TerminalID, 1, 8, isASCII)
	p.CardAcceptorID = c.text("cardAcceptorId", t.CardAcceptorID, 1, 15, isASCII)
	if m := t.Merchant; m != nil {
		p.MerchantName = c.free("merchant.name", m.Name, 99)
		p.MerchantCity = c.free("merchant.city", m.City, 50)
		p.MerchantCountry = c.country("merchant.country", m.Country)
	}
	if c.require("mcc", t.MCC) {
		p.MCC = c.text("mcc", t.MCC, 4, 4, isDigit)
	}
	if c.require("localDateTime", t.LocalDateTime) {
		p.LocalDateTime = c.localTime("localDateTime", t.LocalDateTime)
	}
	p.POSEntryMode = c.text("posEntryMode", t.POSEntryMode, 2, 12, isWord)
	c.sequence(t, &p)
	if c.err != nil {
		return Presentment{}, c.err
	}
	return p, nil
}

// choice fails for a member that must be one of a few words and is not.
func (c *checker) choice(member, v string) {
	if c.require(member, v) {
		c.fail(member, WrongValue)
	}
}

// country reads an optional ISO 3166 alpha-2 code.
func (c *checker) country(member, v string) country.Country {
	if v == "" {
		return country.Country{}
	}
	where, err := country.Parse(v)
	if err != nil || where.Alpha2() != v {
		c.fail(member, WrongValue)
	}
	return where
}

// sequenceMax is how many presentments one authorization can have.
const sequenceMax = 99

// sequence fills in which of several presentments p is. One that does not say
// is the only one; the last of several is final unless it says otherwise.
func (c *checker) sequence(t *presentmentText, p *Presentment) {
	p.SequenceNumber, p.SequenceCount = 1, 1
	if s := t.Sequence; s != nil {
		p.SequenceNumber, p.SequenceCount = s.Number, s.Count
		if s.Count < 1 || s.Count > sequenceMax || s.Number < 1 || s.Number > s.Count {
			c.fail("sequence", WrongValue)
		}
	}
	p.Final = p.SequenceNumber == p.SequenceCount
	if t.Final != nil {
		p.Final = *t.Final
	}
}

// trailer checks the last line, apart from whether it agrees with the file.
func (t *trailerText) trailer() (Trailer, *FormatError) {
	out := Trailer{Count: t.Count}
	if t.Count < 0 {
		return Trailer{}, &FormatError{Member: "count", Problem: WrongValue}
	}
	seen := map[money.Currency]bool{}
	for _, total := range t.Totals {
		currency, err := money.ParseCurrency(total.Currency)
		if err != nil || currency.Code() != total.Currency || total.Debit < 0 || total.Credit < 0 {
			return Trailer{}, &FormatError{Member: "totals", Problem: WrongValue}
		}
		if seen[currency] {
			return Trailer{}, &FormatError{Member: "totals", Problem: Repeated}
		}
		seen[currency] = true
		out.Totals = append(out.Totals, Total{currency, total.Debit, total.Credit})
	}
	return out, nil
}
