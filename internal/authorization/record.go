package authorization

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// A decision is recorded as text, one "name=value" line for each member that is
// not zero, first the version of the form. The members of a control or a fee share a
// line, each in its place. The members are listed once, in
// visit, and the same list writes and reads; so what is recorded and what is
// recomputed cannot drift apart. Card data has no place in it: Request.Card is
// not visited.

// recordVersion is what is written, and what can be read.
const recordVersion = "5"

// record is what decide was made from.
type record struct {
	Request Request
	Facts   Facts
	State   State

	times Times // what it took so far; stored beside it
}

// String is the stored form.
func (r *record) String() string {
	out := spareRecords.Get().(*[]byte)
	defer spareRecords.Put(out)
	c := codec{out: (*out)[:0]}
	r.visit(&c)
	*out = c.out
	return string(c.out)
}

// spareRecords are buffers that records are written into.
var spareRecords = sync.Pool{New: func() any { return new([]byte) }}

// parseRecord reads the stored form.
func parseRecord(text string) (*record, error) {
	c, err := newReader(text)
	if err != nil {
		return nil, err
	}
	if v := c.in["version"]; v != recordVersion {
		return nil, fmt.Errorf("decision record: version %q is not known", v)
	}
	r := &record{}
	r.visit(c)
	return r, c.err
}

func (r *record) visit(c *codec) {
	version := recordVersion
	visitText(c, "version", &version)
	r.Request.visit(c)
	r.Facts.visit(c)
	r.State.visit(c)
	visitControls(c, &r.Facts.Controls)
	own := r.Facts.Card.Issuance.String()
	visitVelocity(c, own, &r.Facts.Velocity, &r.State.Velocity)
	visitFees(c, own, &r.Facts.Fees, &r.State.Fees, &r.State.Dues)
}

func (r *Request) visit(c *codec) {
	visitText(c, "flow", &r.Flow)
	c.bool("repeat", &r.IsRepeat)
	r.Details.visit(c)
	c.amount("amount", &r.Amount)
	c.optionalAmount("network_billing", &r.Billing)
	c.optionalAmount("cashback", &r.Cashback)
	visitText(c, "expiry", &r.Expiry)
	visitText(c, "psn", &r.PSN)
	c.optionalAmount("replacement", &r.Replacement)
	c.optionalAmount("replacement_billing", &r.ReplacementBilling)
	c.bool("may_approve_partially", &r.MayApprovePartially)
	c.bool("increment", &r.IsIncrement)
	c.bool("must_print", &r.MustPrint)
	c.time("received_at", &r.ReceivedAt)
	// What lies behind pointers is copied: others may read it at this moment.
	chip, original := r.Chip != nil, r.Original != nil
	if c.reading {
		_, chip = c.in["chip"]
	}
	if chip {
		var h Chip
		if !c.reading {
			h = *r.Chip
		}
		c.visitRow("chip", func() { h.visit(c) })
		r.Chip = &h
	}
	c.bool("original", &original)
	if original {
		var k Key
		if !c.reading {
			k = *r.Original
		}
		k.visit(c)
		r.Original = &k
	}
}

func (k *Key) visit(c *codec) {
	class, function := int64(k.Class), int64(k.Function)
	visitText(c, "original.link", &k.Link)
	c.int("original.class", &class)
	c.int("original.function", &function)
	k.Class, k.Function = byte(class), byte(function)
	visitText(c, "original.transmitted_at", &k.TransmittedAt)
	visitText(c, "original.stan", &k.STAN)
	visitText(c, "original.acquirer_id", &k.AcquirerID)
	visitText(c, "original.forwarder_id", &k.ForwarderID)
}

func (d *Details) visit(c *codec) {
	visitText(c, "link", &d.Link)
	visitText(c, "network", &d.Network)
	visitText(c, "mti", &d.MTI)
	visitText(c, "processing_code", &d.ProcessingCode)
	visitText(c, "stan", &d.STAN)
	visitText(c, "rrn", &d.RRN)
	c.time("transmitted_at", &d.TransmittedAt)
	visitText(c, "local_time", &d.LocalTime)
	visitText(c, "acquirer_id", &d.AcquirerID)
	visitText(c, "forwarder_id", &d.ForwarderID)
	visitText(c, "terminal_id", &d.TerminalID)
	visitText(c, "card_acceptor_id", &d.CardAcceptorID)
	visitText(c, "merchant_name", &d.MerchantName)
	visitText(c, "merchant_city", &d.MerchantCity)
	visitText(c, "merchant_country", &d.MerchantCountry)
	visitText(c, "mcc", &d.MCC)
	visitText(c, "entry_mode", &d.EntryMode)
	visitText(c, "condition_code", &d.ConditionCode)
	visitText(c, "acquirer_country", &d.AcquirerCountry)
	visitText(c, "advised_authorization_code", &d.AuthorizationCode)
	visitText(c, "advised_response_code", &d.ResponseCode)
	c.amount("settlement", &d.Settlement)
	visitText(c, "conversion_rate", &d.ConversionRate)
	visitText(c, "settlement_date", &d.SettlementDate)
	visitText(c, "conversion_date", &d.ConversionDate)
	d.Manner.visit(c)
}

func (h *Chip) visit(c *codec) {
	c.bytes("arqc", h.ARQC[:])
	cid, kind := []byte{h.CID}, []byte{h.Type}
	c.bytes("cid", cid)
	c.bytes("type", kind)
	h.CID, h.Type = cid[0], kind[0]
	c.bytes("atc", h.ATC[:])
	c.bytes("un", h.UN[:])
	c.bytes("tvr", h.TVR[:])
	c.bytes("date", h.Date[:])
	c.bytes("amount", h.AmountAuthorized[:])
	c.bytes("other", h.AmountOther[:])
	c.bytes("currency", h.Currency[:])
	c.bytes("country", h.Country[:])
	c.bytes("aip", h.AIP[:])
	c.bytes("cvm", h.CVMResults[:])
	iad := hex.EncodeToString(h.IAD)
	visitText(c, "iad", &iad)
	h.IAD, _ = hex.DecodeString(iad)
	results := hex.EncodeToString(h.ScriptResults)
	visitText(c, "script_results", &results)
	h.ScriptResults, _ = hex.DecodeString(results)
	aid := hex.EncodeToString(h.AID)
	visitText(c, "aid", &aid)
	h.AID, _ = hex.DecodeString(aid)
}

func (f *Facts) visit(c *codec) {
	visitID(c, "transaction", &f.Transaction)
	c.time("now", &f.Now)
	c.date("business_on", &f.BusinessOn)
	visitID(c, "tenant", &f.Tenant)
	c.bool("tenant_active", &f.TenantActive)
	c.int("configuration_version", &f.ConfigurationVersion)
	visitText(c, "configuration_hash", &f.ConfigurationHash)
	visitText(c, "clearing_model", &f.ClearingModel)
	f.Card.visit(c)
	f.Product.visit(c)
	f.Subject.visit(c)
	f.Uses.visit(c)
	c.amount("billing", &f.Billing)
	c.bool("convertible", &f.Convertible)
	visitText(c, "result.pin", &f.PIN)
	visitText(c, "result.arqc", &f.ARQC)
	visitText(c, "result.cvv", &f.CVV)
	visitText(c, "result.cvv2", &f.CVV2)
	visitText(c, "forced", &f.Forced)
	visitText(c, "chip_detail", &f.ChipDetail)
	visitText(c, "tap", &f.Tap)
	visitText(c, "authorization_code", &f.AuthorizationCode)
	visitID(c, "hold", &f.Hold)
	visitID(c, "entry", &f.Entry)
	c.time("hold_expires", &f.HoldExpires)
	visitID(c, "candidate", &f.Candidate)
	c.bool("allows_fee_shortfall", &f.AllowsFeeShortfall)
	f.Client.visit(c)
}

func (k *CardFacts) visit(c *codec) {
	c.bool("card.found", &k.Found)
	visitID(c, "card.id", &k.ID)
	visitID(c, "card.issuance", &k.Issuance)
	visitID(c, "card.account", &k.Account)
	visitText(c, "card.expiry", &k.ExpiryYYMM)
	c.bool("card.expired", &k.Expired)
	visitText(c, "card.psn", &k.PSN)
	visitText(c, "card.customer_status", &k.CustomerStatus)
	visitText(c, "card.policies_off", &k.PoliciesOff)
	visitText(c, "card.network", &k.Network)
	visitText(c, "card.country", &k.Country)
	c.time("card.pin_changed_at", &k.PINChangedAt)
	c.bool("card.may_activate", &k.MayActivate)
	c.bool("card.activates_at_first_use", &k.ActivatesAtFirstUse)
	c.bool("card.is_superseded", &k.IsSuperseded)
	c.bool("card.recurs_when_inactive", &k.RecursWhenInactive)
	visitText(c, "card.digital_slip", &k.DigitalSlip)
}

func (p *ProductFacts) visit(c *codec) {
	visitText(c, "product.code", &p.Code)
	visitText(c, "product.currency", &p.Currency)
	c.count("product.pin_try_limit", &p.PINTryLimit)
	c.count("product.cvv2_try_limit", &p.CVV2TryLimit)
	c.bool("product.cvv2_reset_on_success", &p.CVV2ResetOnSuccess)
	c.bool("product.contactless_enabled", &p.ContactlessEnabled)
	c.int("product.contactless_limit", &p.ContactlessLimit)
	c.int("product.contactless_cumulative", &p.ContactlessCumulative)
	c.count("product.contactless_count", &p.ContactlessCount)
	c.bool("product.installment_allowed", &p.InstallmentAllowed)
}

func (s *State) visit(c *codec) {
	c.bool("state.account", &s.AccountExists)
	c.bool("state.reversed_before", &s.ReversedBefore)
	c.amount("state.posted", &s.Posted)
	c.amount("state.held", &s.Held)
	s.Credit.visit(c)
	visitCardState(c, &s.Card)
	s.Original.visit(c)
	c.optionalAmount("state.remains", &s.Remains)
	s.Verdict.visit(c)
}

func visitCardState(c *codec, k *issuing.CardState) {
	visitID(c, "state.card", &k.ID)
	visitText(c, "state.card_status", &k.Status)
	visitText(c, "state.scheduled_status", &k.Scheduled)
	c.time("state.scheduled_at", &k.ScheduledAt)
	right := int64(k.ScheduledRight)
	c.int("state.scheduled_right", &right)
	k.ScheduledRight = issuing.Mover(right)
	c.time("state.retires_at", &k.RetiresAt)
	visitText(c, "state.pin_status", &k.PINStatus)
	c.time("state.pin_changed_at", &k.PINChangedAt)
	c.count("state.pin_try_count", &k.PINTryCount)
	c.count("state.cvv2_try_count", &k.CVV2TryCount)
	c.count("state.atc", &k.ATC)
	window := int64(k.ATCWindow)
	c.int("state.atc_window", &window)
	k.ATCWindow = uint64(window)
	visitText(c, "state.script", &k.Script)
	c.count("state.script_atc", &k.ScriptATC)
	visitText(c, "state.tap", &k.Tap)
	c.count("state.contactless_count", &k.ContactlessCount)
	c.int("state.contactless_amount", &k.ContactlessAmount)
	c.count("state.contactless_runs", &k.ContactlessRuns)
}

func (o *Original) visit(c *codec) {
	c.bool("state.original", &o.Found)
	if !o.Found {
		return
	}
	c.bool("state.original.same_card", &o.SameCard)
	visitID(c, "state.original.id", &o.ID)
	visitID(c, "state.original.root", &o.Root)
	visitText(c, "state.original.status", &o.Status)
	c.bool("state.original.debit", &o.IsDebit)
	c.amount("state.original.amount", &o.Amount)
	c.amount("state.original.billing", &o.Billing)
	c.amount("state.original.reversed", &o.Reversed)
	c.amount("state.original.cleared", &o.Cleared)
	visitID(c, "state.original.hold", &o.Hold)
	c.amount("state.original.remaining", &o.Remaining)
	c.bool("state.original.posted", &o.IsPosted)
	visitID(c, "state.original.entry", &o.Entry)
	c.bool("state.original.completed", &o.IsCompleted)
}

// codec writes members, or reads them back. What it writes it does not change, not
// even to what it is: others may look at it at this moment.
type codec struct {
	out     []byte
	in      map[string]string
	reading bool
	err     error

	inRow bool   // members have places, not names
	row   string // what is still to be read of a row
}

// visitRow visits members that share a line, each in its place. What there are many
// of is recorded so: the names would be most of it.
func (c *codec) visitRow(name string, visit func()) {
	if c.reading {
		c.row = c.in[name]
	} else {
		c.out = append(append(c.out, name...), '=')
	}
	c.inRow = true
	visit()
	if c.inRow = false; c.reading {
		return
	}
	for c.out[len(c.out)-1] == '|' {
		c.out = c.out[:len(c.out)-1]
	}
	c.out = append(c.out, '\n')
}

// omit notes in a row that a member is not set.
func (c *codec) omit() {
	if c.inRow && !c.reading {
		c.out = append(c.out, '|')
	}
}

func newReader(text string) (*codec, error) {
	c := &codec{in: map[string]string{}, reading: true}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			return nil, errors.New("decision record: a line has no value")
		}
		c.in[name] = value
	}
	return c, nil
}

var escapes = strings.NewReplacer("\\", `\\`, "\n", `\n`)
var unescapes = strings.NewReplacer(`\\`, "\\", `\n`, "\n")

var (
	rowEscapes   = strings.NewReplacer("\\", `\\`, "\n", `\n`, "|", `\p`)
	rowUnescapes = strings.NewReplacer(`\\`, "\\", `\n`, "\n", `\p`, "|")
)

// needsEscape reports whether a text has what separates members, or escapes it.
// Nearly none has: to look for one byte after the other is faster than for a set.
func needsEscape(text string) bool {
	return strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\\') >= 0
}

func (c *codec) put(name, value string) {
	if c.inRow {
		if needsEscape(value) || strings.IndexByte(value, '|') >= 0 {
			value = rowEscapes.Replace(value)
		}
		c.out = append(append(c.out, value...), '|')
		return
	}
	c.out = append(c.out, name...)
	c.out = append(c.out, '=')
	if needsEscape(value) {
		value = escapes.Replace(value)
	}
	c.out = append(c.out, value...)
	c.out = append(c.out, '\n')
}

func (c *codec) get(name string) (string, bool) {
	if c.inRow {
		var v string
		v, c.row, _ = strings.Cut(c.row, "|")
		if strings.Contains(v, "\\") {
			v = rowUnescapes.Replace(v)
		}
		return v, v != ""
	}
	v, ok := c.in[name]
	if ok && strings.Contains(v, "\\") {
		v = unescapes.Replace(v)
	}
	return v, ok
}

func (c *codec) fail(name string, err error) {
	if c.err == nil && err != nil {
		c.err = fmt.Errorf("decision record: %s: %w", name, err)
	}
}

func visitText[T ~string](c *codec, name string, v *T) {
	if c.reading {
		text, _ := c.get(name)
		*v = T(text)
	} else if *v != "" {
		c.put(name, string(*v))
	} else {
		c.omit()
	}
}

// ownSubject stands for the issuance of the card, which most counters are about.
const ownSubject = "."

// visitSubject visits what a counter is about.
func visitSubject(c *codec, name, own string, v *string) {
	told := *v
	if told == own && own != "" {
		told = ownSubject
	}
	if visitText(c, name, &told); !c.reading {
		return
	}
	if *v = told; told == ownSubject {
		*v = own
	}
}

// visitID works for every id type: they scan and print themselves.
func visitID[T interface {
	IsZero() bool
	String() string
}, P interface {
	*T
	Scan(any) error
}](c *codec, name string, v P) {
	if c.reading {
		if text, ok := c.get(name); ok {
			c.fail(name, v.Scan(text))
		}
	} else if d := *v; !d.IsZero() {
		c.put(name, d.String())
	} else {
		c.omit()
	}
}

func (c *codec) int(name string, v *int64) {
	if c.reading {
		if text, ok := c.get(name); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			c.fail(name, err)
			*v = n
		}
		return
	}
	switch {
	case *v == 0:
		c.omit()
	case c.inRow:
		c.out = append(strconv.AppendInt(c.out, *v, 10), '|')
	default:
		c.out = append(c.out, name...)
		c.out = append(c.out, '=')
		c.out = strconv.AppendInt(c.out, *v, 10)
		c.out = append(c.out, '\n')
	}
}

func (c *codec) count(name string, v *int) {
	n := int64(*v)
	if c.int(name, &n); c.reading {
		*v = int(n)
	}
}

func (c *codec) bool(name string, v *bool) {
	n := int64(0)
	if *v {
		n = 1
	}
	if c.int(name, &n); c.reading {
		*v = n == 1
	}
}

func (c *codec) time(name string, v *time.Time) {
	var us int64
	if !v.IsZero() {
		us = clock.Micros(*v)
	}
	c.int(name, &us)
	if c.reading && us != 0 {
		*v = clock.FromMicros(us)
	}
}

func (c *codec) date(name string, v *clock.Date) {
	if c.reading {
		if text, ok := c.get(name); ok {
			d, err := clock.ParseDate(text)
			c.fail(name, err)
			*v = d
		}
	} else if !v.IsZero() {
		c.put(name, v.String())
	} else {
		c.omit()
	}
}

// amount is written as minor units and currency: "12550 TRY". An amount
// without a currency is the zero value and is not written.
func (c *codec) amount(name string, v *money.Amount) {
	if !c.reading {
		if !v.Currency().IsZero() {
			c.put(name, strconv.FormatInt(v.Minor(), 10)+" "+v.Currency().Code())
		} else {
			c.omit()
		}
		return
	}
	if text, ok := c.get(name); ok {
		c.readAmount(name, text, v)
	}
}

func (c *codec) readAmount(name, text string, v *money.Amount) {
	minor, code, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(minor, 10, 64)
	c.fail(name, err)
	currency, err := money.ParseCurrency(code)
	c.fail(name, err)
	if c.err == nil {
		*v, err = money.New(n, currency)
		c.fail(name, err)
	}
}

func (c *codec) optionalAmount(name string, v **money.Amount) {
	if c.reading {
		if text, ok := c.get(name); ok {
			*v = &money.Amount{}
			c.readAmount(name, text, *v)
		}
	} else if *v != nil {
		c.amount(name, *v)
	} else {
		c.omit()
	}
}

func (c *codec) bytes(name string, v []byte) {
	if !c.reading {
		c.put(name, hex.EncodeToString(v))
		return
	}
	text, _ := c.get(name)
	b, err := hex.DecodeString(text)
	c.fail(name, err)
	copy(v, b)
}
