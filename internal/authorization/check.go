package authorization

import (
	"strconv"
	"strings"
	"time"

	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// check is one step of a decision. It may change d.Card and d.Approved; it
// reads everything else. What it returns is named by its step.
type check struct {
	name string
	run  func(d *Decision, req *Request, f *Facts, s State, row codeRow) Check
}

// The steps whose subjects are the tenant's, by name.
const (
	PolicyCheck   = "Policy"
	ControlCheck  = "AuthorizationControl"
	VelocityCheck = "Velocity"
	FeeCheck      = "Fee"
)

// checks are the steps of contract §3.4 that this build has, in their order.
var checks = []check{
	{"Card", checkCard},
	{"Tenant", checkTenant},
	{"Transaction", checkTransaction},
	{"CardStatus", checkCardStatus},
	{"Customer", checkCustomer},
	{"Expiry", checkExpiry},
	{"Pin", checkPIN},
	{"Arqc", checkARQC},
	{"Cvv", checkCVV},
	{"Cvv2", checkCVV2},
	{PolicyCheck, checkPolicy},
	{"Amount", checkAmount},
	{"ContactlessLimit", checkContactless},
	{"Installment", checkInstalment},
	{ControlCheck, checkControls},
	{FeeCheck, checkFee},
	{VelocityCheck, checkVelocity},
	{"Balance", checkBalance},
}

func checkCard(d *Decision, req *Request, f *Facts, s State, _ codeRow) Check {
	if !f.Card.Found || !s.AccountExists {
		return failed(CardNotFound, "no card has this number")
	}
	return passed("")
}

func checkTenant(_ *Decision, _ *Request, f *Facts, _ State, _ codeRow) Check {
	if !f.TenantActive {
		return failed(TenantSuspended, "the issuer is suspended")
	}
	return passed("")
}

func checkTransaction(_ *Decision, req *Request, _ *Facts, _ State, row codeRow) Check {
	if row.code == Unknown {
		return failed(InvalidTransaction, "the processing code is not supported").with(textInput("processingCode", req.ProcessingCode))
	}
	return passed("%s", row.code).with(textInput("processingCode", req.ProcessingCode))
}

var statusReasons = map[issuing.CardStatus]Reason{
	issuing.Pending: CardNotActivated, issuing.Inactive: CardInactive, issuing.Blocked: CardBlocked,
	issuing.Lost: CardLost, issuing.Stolen: CardStolen, issuing.Fraud: CardFraud, issuing.Cancelled: CardCancelled,
	issuing.Damaged: CardCancelled, issuing.CardExpired: CardExpired, issuing.CardRenewed: CardRenewed,
}

// checkCardStatus follows contract §8.2.3. What gives money to the cardholder
// is accepted in every status.
//
// A scheduled change holds from its own time on, whether it has been written
// down or not; so does the end of a card by its successor's. Cash with chip and PIN may be the first use that activates.
func checkCardStatus(d *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	status := s.Card.StatusAt(s.Card.Status, f.Now, f.Card.MayActivate)
	if f.Card.IsSuperseded {
		status = issuing.AfterSuccession(status)
	}
	looked := statusInputs(s.Card, status)
	if row.dir == credit || status == issuing.Active {
		return passed("%s", status).with(looked...)
	}
	if status == issuing.Pending && f.Card.ActivatesAtFirstUse && row.code == CashWithdrawal && f.ARQC == Match && f.PIN != NotPresent {
		// A wrong PIN is for checkPIN, which counts it.
		d.isFirstUse = true
		return passed("first use with chip and PIN").with(looked...)
	}
	if status == issuing.Inactive && f.Card.RecursWhenInactive && row.dir == debit && req.usesStoredCard() {
		return passed("%s, for cards that merchants keep still open", status).with(looked...)
	}
	reason, known := statusReasons[status]
	if !known {
		reason = CardInactive // a status of a newer program: refuse what we do not know
	}
	return failed(reason, "the card is %s", status).with(looked...)
}

// statusInputs are the status that a card is taken to have and, where that has
// become due without being written down, what is written and when it changes.
func statusInputs(c issuing.CardState, status issuing.CardStatus) []Input {
	in := []Input{textInput("status", status)}
	if c.Status != status {
		in = append(in, textInput("statusWritten", c.Status))
	}
	if !c.ScheduledAt.IsZero() {
		in = append(in, textInput("statusScheduled", c.Scheduled), momentInput("scheduledAt", c.ScheduledAt))
	}
	return in
}

func checkCustomer(_ *Decision, _ *Request, f *Facts, _ State, row codeRow) Check {
	switch {
	case f.Card.CustomerStatus == "":
		return skipped()
	case row.dir == credit, f.Card.CustomerStatus == string(customer.Active):
		return passed("%s", f.Card.CustomerStatus).with(textInput("status", f.Card.CustomerStatus))
	}
	return failed(CustomerInactive, "the customer is %s", f.Card.CustomerStatus).with(textInput("status", f.Card.CustomerStatus))
}

func checkExpiry(_ *Decision, req *Request, f *Facts, _ State, row codeRow) Check {
	switch {
	case row.dir == credit:
		return skipped()
	case f.Card.Expired:
		return failed(CardExpired, "the card's month has passed")
	case req.Expiry == "":
		return passed("none given")
	case req.Expiry != f.Card.ExpiryYYMM:
		return failed(ExpiryMismatch, "another expiry was given")
	}
	return passed("")
}

// checkPIN counts wrong PINs under the card's lock, with the answer. A right
// one clears the count and the contactless counters.
func checkPIN(d *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	if f.PIN == NotPresent {
		if row.code == CashWithdrawal && !req.Flow.IsAdvice() {
			return failed(PINRequired, "cash needs a PIN")
		}
		return skipped()
	}
	limit := f.Product.PINTryLimit
	tries := func() []Input { return triesInputs(s.Card.PINTryCount, d.Card.PINTryCount, limit) }
	switch {
	case s.Card.PINStatus == issuing.PINNotSet:
		return failed(PINNotSet, "the card has no PIN")
	case s.Card.PINStatus == issuing.PINBlocked || s.Card.PINTryCount >= limit:
		return failed(PINTriesExceeded, "no tries left").with(tries()...)
	case f.PIN == Match:
		d.Card.PINTryCount, d.Card.ContactlessCount, d.Card.ContactlessAmount = 0, 0, 0
		d.Card.ContactlessRuns++
		return passed("").with(tries()...)
	case req.Flow.IsAdvice():
		// What was answered elsewhere is no try here.
		return failed(PINInvalid, "wrong PIN, reported").with(tries()...)
	}
	d.Card.PINTryCount++
	reason := PINInvalid
	if d.Card.PINTryCount >= limit {
		d.Card.PINStatus, reason = issuing.PINBlocked, PINTriesExceeded
	}
	return failed(reason, "wrong PIN, try %d of %d", d.Card.PINTryCount, limit).with(tries()...)
}

// triesInputs are the wrong tries that were counted before a check and after it,
// and how many there may be.
func triesInputs(before, after, limit int) []Input {
	return []Input{countInput("triesBefore", before), countInput("triesAfter", after), countInput("tryLimit", limit)}
}

// secondTap is how long after a contactless answer that asked for a PIN the
// same cryptogram may come again with one.
const secondTap = 5 * time.Minute

// checkARQC judges cryptogram and counter; see consume.
func checkARQC(d *Decision, req *Request, f *Facts, s State, _ codeRow) Check {
	if req.Chip == nil {
		if req.isChip() && !req.Flow.IsAdvice() {
			return failed(ARQCInvalid, "a chip was read, but no chip data came")
		}
		return skipped()
	}
	if f.ARQC != Match {
		return failed(ARQCInvalid, "%s", f.ChipDetail)
	}
	atc := req.Chip.counter()
	counters := []Input{countInput("atc", atc)}
	if s.Card.ATC >= 0 { // else none was used before
		counters = append(counters, countInput("atcBefore", s.Card.ATC))
	}
	switch {
	case d.isReplay:
		return failed(ARQCInvalid, "ATC %d was used before (last %d)", atc, s.Card.ATC).with(counters...)
	case !d.isFreshATC:
		return passed("ATC %d again, with the PIN that was asked for", atc).with(counters...)
	}
	return passed("ATC %d", atc).with(counters...)
}

func isSecondTap(f *Facts, tap string) bool {
	before, at, ok := strings.Cut(tap, "@")
	if !ok || f.Tap == "" || before != f.Tap || f.PIN == NotPresent {
		return false
	}
	us, err := strconv.ParseInt(at, 10, 64)
	return err == nil && f.Now.Sub(time.UnixMicro(us)) <= secondTap
}

// acceptATC remembers a counter and reports whether it was new. Lower ones are
// new as long as they lie within the window of the last 63 and were not used:
// transactions overtake each other.
func (d *Decision) acceptATC(atc int) bool {
	last, used := d.Card.ATC, d.Card.ATCWindow
	switch {
	case atc > last:
		if last >= 0 {
			used = used<<1 | 1 // the former last one
			if shift := atc - last - 1; shift < 63 {
				used <<= shift
			} else {
				used = 0
			}
		}
		d.Card.ATC, d.Card.ATCWindow = atc, used&(1<<63-1)
		return true
	case atc == last:
		return false
	}
	back := last - atc - 1
	if back >= 63 || used&(1<<back) != 0 {
		return false
	}
	d.Card.ATCWindow = used | 1<<back
	return true
}

func checkCVV(_ *Decision, req *Request, f *Facts, _ State, _ codeRow) Check {
	switch f.CVV {
	case NotPresent:
		if req.isStripe() && !req.Flow.IsAdvice() {
			return failed(CVVInvalid, "a stripe was read, but no track came")
		}
		return skipped()
	case Match:
		return passed("")
	}
	return failed(CVVInvalid, "the card value on the track is wrong")
}

// checkCVV2 counts like checkPIN. An exhausted counter and a wrong value are
// answered alike by every network's table, so that nothing can be probed.
func checkCVV2(d *Decision, req *Request, f *Facts, s State, _ codeRow) Check {
	limit := f.Product.CVV2TryLimit
	tries := func() []Input { return triesInputs(s.Card.CVV2TryCount, d.Card.CVV2TryCount, limit) }
	switch {
	case f.CVV2 == NotPresent:
		return skipped()
	case s.Card.CVV2TryCount >= limit:
		return failed(CVV2TriesExceeded, "no tries left").with(tries()...)
	case f.CVV2 == Match:
		if f.Product.CVV2ResetOnSuccess {
			d.Card.CVV2TryCount = 0
		}
		return passed("").with(tries()...)
	case req.Flow.IsAdvice():
		return failed(CVV2Invalid, "wrong CVV2, reported").with(tries()...)
	}
	d.Card.CVV2TryCount++
	return failed(CVV2Invalid, "wrong CVV2, try %d of %d", d.Card.CVV2TryCount, limit).with(tries()...)
}

func checkAmount(_ *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	switch {
	case row.dir == neither:
		return skipped()
	case !f.Convertible || f.Billing.Currency() != s.Posted.Currency():
		return failed(InvalidTransaction, "%s cannot be billed in %s", req.Amount.Currency(), s.Posted.Currency()).
			with(amountInput("amount", req.Amount), textInput("accountCurrency", s.Posted.Currency().Code()))
	case f.Billing.Sign() <= 0:
		return failed(InvalidAmount, "the amount must be above zero").with(amountInput("amount", req.Amount), amountInput("billing", f.Billing))
	}
	return passed("%s", f.Billing).with(amountInput("amount", req.Amount), amountInput("billing", f.Billing))
}

// checkContactless asks for a PIN above the product's limits for taps without
// one (contract §6.2).
func checkContactless(_ *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	p := f.Product
	if req.IsContactless() && row.dir == debit && !p.ContactlessEnabled {
		return failed(PolicyNotAllowed, "the product has no contactless").of(p.Code)
	}
	if !req.IsContactless() || row.dir != debit || f.PIN == Match || p.ContactlessLimit < 0 || f.Billing.Currency().Code() != p.Currency {
		return skipped()
	}
	limit := func(minor int64) string { return money.Must(minor, p.Currency).Decimal() }
	looked := contactlessInputs(p, s.Card, f.Billing)
	switch {
	case f.Billing.Minor() > p.ContactlessLimit:
		return failed(PINRequired, "%s > %s", f.Billing.Decimal(), limit(p.ContactlessLimit)).of(contactlessOnce).with(looked...)
	case p.ContactlessCumulative >= 0 && s.Card.ContactlessAmount+f.Billing.Minor() > p.ContactlessCumulative:
		return failed(PINRequired, "with what was tapped since the last PIN, over %s", limit(p.ContactlessCumulative)).
			of(contactlessSum).with(looked...)
	case p.ContactlessCount >= 0 && s.Card.ContactlessCount >= p.ContactlessCount:
		return failed(PINRequired, "%d taps since the last PIN", s.Card.ContactlessCount).of(contactlessTaps).with(looked...)
	}
	return passed("%s <= %s", f.Billing.Decimal(), limit(p.ContactlessLimit)).with(looked...)
}

// The limits of a product for taps without a PIN, as the contract names them
// (§6.2).
const (
	contactlessOnce = "contactlessLimit.transactionLimit"
	contactlessSum  = "contactlessLimit.cumulativeLimit"
	contactlessTaps = "contactlessLimit.consecutiveCount"
)

func contactlessInputs(p ProductFacts, c issuing.CardState, billing money.Amount) []Input {
	in := []Input{
		textInput("product", p.Code), amountInput("requested", billing), minorInput("limit", p.ContactlessLimit, billing.Currency()),
	}
	if p.ContactlessCumulative >= 0 {
		in = append(in, minorInput("tapped", c.ContactlessAmount, billing.Currency()),
			minorInput("cumulativeLimit", p.ContactlessCumulative, billing.Currency()))
	}
	if p.ContactlessCount >= 0 {
		in = append(in, countInput("taps", c.ContactlessCount), countInput("consecutiveCount", p.ContactlessCount))
	}
	return in
}

// checkInstalment refuses sales in instalments on a product without them
// (contract §3.4, step 7).
func checkInstalment(_ *Decision, req *Request, f *Facts, _ State, row codeRow) Check {
	switch {
	case row.dir != debit || !req.IsInstalment():
		return skipped()
	case !f.Product.InstallmentAllowed:
		return failed(PolicyNotAllowed, "%d instalments, the product has none", req.InstalmentCount).of(f.Product.Code).
			with(countInput("installmentCount", req.InstalmentCount))
	}
	return passed("%d instalments", req.InstalmentCount).with(countInput("installmentCount", req.InstalmentCount))
}

// checkBalance is the last step: what is approved is now known. It must be
// covered together with what it costs besides, unless the tenant lets that wait.
func checkBalance(d *Decision, req *Request, f *Facts, s State, row codeRow) Check {
	if row.dir == neither {
		d.asks = f.Client.Owns() && row.code == BalanceInquiry
		if len(d.Fees) == 0 || d.asks {
			return skipped()
		}
	} else {
		d.Approved = f.Billing
	}
	if row.dir == credit {
		return skipped()
	}
	if req.IsIncrement && !(s.Original.Found && s.Original.SameCard && s.Original.Status.HoldsMoney()) {
		return failed(OriginalNotFound, "there is no open authorization to add to")
	}
	if f.Client.Owns() {
		// What our ledger keeps is a shadow: it forbids nothing.
		d.asks, d.Forced = !req.Flow.IsAdvice(), true
		return passed("%s, the client has the balance", f.Billing.Decimal())
	}
	fees := d.feesOn(f.Billing, req, f, s, row)
	total, err := withFees(f.Billing, fees)
	if err != nil {
		return failed(InvalidAmount, "the amount and its fees are beyond any balance")
	}
	available := s.available(row.code)
	looked := []Input{
		amountInput("requested", f.Billing), amountInput("available", available), amountInput("posted", s.Posted), amountInput("held", s.Held),
	}
	text := f.Billing.Decimal()
	if !fees.IsZero() {
		looked, text = append(looked, amountInput("fees", fees)), text+" + "+fees.Decimal()
	}
	switch {
	case available.Cmp(total) >= 0:
		return passed("%s of %s", text, available.Decimal()).with(looked...)
	case req.Flow.IsAdvice():
		return failed(InsufficientFunds, "%s of %s, booked all the same", text, available.Decimal()).with(looked...)
	case available.Cmp(f.Billing) >= 0 && f.AllowsFeeShortfall:
		d.deferFees()
		return passed("%s of %s, the fees wait", text, available.Decimal()).with(looked...)
	case req.MayApprovePartially && available.Sign() > 0 && row.dir == debit:
		part := d.mostWithFees(available, req, f, s, row)
		// What is approved must be something in the terminal's currency, too.
		if told, err := req.Amount.MulDiv(part.Minor(), f.Billing.Minor(), money.Down); err == nil && told.Sign() > 0 {
			d.Approved, d.Outcome = part, OutcomeApprovedPartially
			return passed("%s of the %s asked for", part.Decimal(), text).with(looked...)
		}
	}
	return failed(InsufficientFunds, "%s of %s", text, available.Decimal()).with(looked...)
}
