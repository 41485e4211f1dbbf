package authorization

import (
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Decision is the answer to a request and what it changes. It is made by decide
// alone and is a pure function of what it was made from.
type Decision struct {
	Reason  Reason
	Outcome Outcome
	Status  Status // of the transaction that records the request
	Trace   Trace

	// Approved is what was approved in the account's currency: less than asked
	// for in a partial approval.
	Approved money.Amount

	// Card is the card's state after the decision; CardChanged says that it
	// differs. Declines change it too: tries are counted, counters remembered.
	Card        issuing.CardState
	CardChanged bool

	// What happens to the money. At most one of Hold and Post is above zero.
	Hold       money.Amount // to set aside, on a fresh hold
	IncreaseBy money.Amount // to add to Original's hold
	Forced     bool         // whatever is available
	Post       money.Amount // to post at once
	PostSide   ledger.Side  // on the cardholder's account
	ReverseBy  money.Amount // to give back from Original's hold
	ConsumeBy  money.Amount // to consume of Original's hold; its rest is released
	Mirror     bool         // Post is the exact mirror of Original's entry
	Tombstone  bool         // remember that the named original must not act

	// Fees are the fees of the life cycle that the request begins; of one that is
	// declined, those that are due all the same.
	Fees []fee.Due

	// OriginalStatus, when set, is what the original becomes. ReverseOriginal is
	// what is taken off an original that neither holds nor has moved money.
	OriginalStatus  Status
	ReverseOriginal money.Amount

	// By is who decided. ResponseCode, when set, is DE39 in the client's words.
	// Tell, when set, is what the client is told of it.
	By           DecidedBy
	ResponseCode string
	Tell         MessageType

	// Matched are the codes of the authorization controls that were found to apply,
	// in their order, Alerts those of them that somebody is to be told of.
	Matched []string
	Alerts  []ControlFacts

	// asks says that all checks of ours have passed and the client decides.
	asks bool
	// Slip is what the acquirer is told about the slip.
	Slip SlipNotice

	// isFreshATC says that the chip's counter was new; isReplay that it was
	// used before, and not by the tap that comes again with its PIN.
	isFreshATC, isReplay bool
	// isFirstUse says that an approval activates the card.
	isFirstUse bool
	// feesComputed says that the decision came to the fees, defersFees that the
	// balance does not cover them and they wait for one that does.
	feesComputed, defersFees bool
	// isBrief says that the trace is needed as it is stored, see [Trace.String].
	isBrief bool
}

// decide makes the decision on req from what was gathered and what was read
// under locks. It reads no clock, no database, no randomness: the same three
// values always give the same decision, which is how decisions are verified
// and replayed.
func decide(req *Request, f *Facts, s State) Decision { return decideAs(Decision{}, req, f, s) }

// decideBriefly is decide with a trace that tells no more than is stored of it.
func decideBriefly(req *Request, f *Facts, s State) Decision {
	return decideAs(Decision{isBrief: true}, req, f, s)
}

// decideAs fills a decision that says how to tell of it.
func decideAs(begun Decision, req *Request, f *Facts, s State) Decision {
	d, zero := &begun, money.Zero(f.Billing.Currency())
	d.By, d.Card = ByPlatform, s.Card
	d.Approved, d.Hold, d.IncreaseBy, d.Post, d.ReverseBy, d.ConsumeBy, d.ReverseOriginal = zero, zero, zero, zero, zero, zero, zero
	switch {
	case s.ReversedBefore:
		d.Status, d.Reason = StatusDeclined, DuplicateTransaction
		d.note("Original", failed(DuplicateTransaction, "its reversal came before it"))
	case req.Flow.IsReversal():
		d.reverse(req, s)
	case req.Flow.IsAdvice():
		d.notice(f)
		d.advise(req, f, s)
	default:
		d.notice(f)
		d.authorize(req, f, s)
	}
	d.tell(req, f)
	d.slip(req, f)
	d.CardChanged = d.Card != s.Card
	if d.Outcome == "" {
		d.Outcome = Outcome(d.Reason)
		if d.Reason == Approved {
			d.Outcome = OutcomeApproved
		}
	}
	return *d
}

// note adds a check to the trace.
func (d *Decision) note(name string, c Check) {
	if c.Name = name; d.Trace == nil {
		d.Trace = make(Trace, 0, len(checks)+3)
	}
	d.Trace = append(d.Trace, c)
}

// notice tells in the trace which results a tester wanted.
func (d *Decision) notice(f *Facts) {
	if f.Forced != "" {
		d.note("Forced", passed("%s", f.Forced))
	}
}

// authorize runs the checks of contract §3.4 in their order. The first that
// fails decides.
func (d *Decision) authorize(req *Request, f *Facts, s State) {
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	d.Status = StatusDeclined
	d.consume(req, f)
	for _, c := range checks {
		found := c.run(d, req, f, s, row)
		d.note(c.name, found)
		if found.Outcome == Fail {
			d.Reason = found.Reason
			d.refuseFees(f)
			d.rememberTap(f)
			return
		}
	}
	d.Status = StatusApproved
	if d.asks && !d.hear(req, f, s, row) {
		d.refuseFees(f)
		d.rememberTap(f)
		return
	}
	if d.isFirstUse && d.Status == StatusApproved {
		d.Card.Status = issuing.Active
	}
	switch {
	case d.Status == StatusPending && row.dir == debit && (!req.IsIncrement || req.Flow == FinancialRequest):
		d.Hold = d.Approved // a shadow until the client has answered, also for what will be posted
	case row.dir == neither:
		if row.code == CardVerification {
			d.Outcome = OutcomeAccountVerified
		}
	case row.dir == debit && req.Flow == FinancialRequest:
		d.Post, d.PostSide, d.Status = d.Approved, ledger.Debit, StatusCleared
	case row.dir == debit && req.IsIncrement:
		d.IncreaseBy = d.Approved
	case row.dir == debit:
		d.Hold = d.Approved
	case req.Flow == FinancialRequest:
		d.Post, d.PostSide, d.Status = d.Approved, ledger.Credit, StatusCleared
	default:
		// A refund or payment as 0100 is only recorded; its presentment credits.
	}
	if req.IsContactless() && row.dir == debit && f.PIN != Match {
		d.Card.ContactlessCount++
		d.Card.ContactlessAmount += d.Approved.Minor()
	}
	d.Card.Tap = ""
}

// consume remembers the counter of a valid cryptogram, whatever the decision
// becomes: one that came with a wrong PIN cannot come again with the right one.
// An invalid cryptogram never moves the counter.
func (d *Decision) consume(req *Request, f *Facts) {
	if req.Chip != nil && f.ARQC == Match && f.Card.Found {
		d.isFreshATC = d.acceptATC(req.Chip.counter())
		d.isReplay = !d.isFreshATC && (!isSecondTap(f, d.Card.Tap) || req.Flow.IsAdvice())
		d.followScript(req)
	}
}

// rememberTap keeps the fingerprint of a contactless request that was asked for
// a PIN: the same tap then comes again with it. Any other answer ends that.
func (d *Decision) rememberTap(f *Facts) {
	switch {
	case f.Tap == "":
	case d.Reason == PINRequired, d.Reason == PINInvalid:
		d.Card.Tap = f.Tap + "@" + fmt.Sprint(f.Now.UnixMicro())
	default:
		d.Card.Tap = ""
	}
}

// advise books what has happened: every check is recorded, none refuses. Only
// what cannot be booked at all (an unknown card, an unknown kind) fails.
func (d *Decision) advise(req *Request, f *Facts, s State) {
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	d.Status = StatusDeclined
	if !networkApproved(req.ResponseCode) {
		d.Reason = NetworkDeclined
		d.note("Advice", failed(NetworkDeclined, "the network reports a decline").with(textInput("responseCode", req.ResponseCode)))
		return
	}
	d.consume(req, f)
	for _, c := range checks {
		found := c.run(d, req, f, s, row)
		d.note(c.name, found)
		if found.Outcome == Fail && (found.Reason == CardNotFound || found.Reason == InvalidTransaction) {
			d.Status, d.Reason, d.Fees = StatusFailed, found.Reason, nil
			return
		}
	}
	d.Approved, d.Forced = f.Billing, true
	d.Card.Tap = s.Card.Tap
	o := s.Original
	completes := o.Found && o.SameCard && o.Status.HoldsMoney()
	if o.Found && o.SameCard && row.dir == debit && (!completes || req.Flow == FinancialAdvice && f.ClearingModel == Single) {
		d.Approved = minus(d.Approved, least(d.Approved, o.Cleared)) // that much was presented before
	}
	if completes && req.Flow == FinancialAdvice && (f.Billing.IsZero() || d.Approved.IsZero()) {
		// A completion over nothing sets all of the hold free.
		d.Status, d.ReverseBy = StatusApproved, o.Remaining
		d.note("Advice", passed("completes an open authorization with nothing").with(o.inputs()...))
		return
	}
	switch {
	case row.dir == neither:
		d.Status = StatusApproved
	case row.dir == credit:
		d.Status = StatusApproved // recorded; its presentment credits
		if req.Flow == FinancialAdvice && f.ClearingModel == Single {
			d.Post, d.PostSide, d.Status = d.Approved, ledger.Credit, StatusCleared
		}
	case d.Approved.IsZero():
		d.Status = StatusApproved // all of it was presented before
	case req.Flow == FinancialAdvice && f.ClearingModel == Single:
		d.Post, d.PostSide, d.Status = d.Approved, ledger.Debit, StatusCleared
		if completes {
			d.ConsumeBy, d.OriginalStatus = d.Approved, StatusCleared
		}
	case completes:
		// A completion adjusts the hold to its own amount, up or down, less what
		// was presented already.
		d.Status = StatusApproved
		target := minus(d.Approved, least(d.Approved, o.Cleared))
		if more := minus(target, o.Remaining); more.Sign() > 0 {
			d.IncreaseBy = more
		} else {
			d.ReverseBy = more.Neg()
		}
	default:
		d.Status, d.Hold = StatusApproved, d.Approved
	}
	if completes {
		d.note("Advice", passed("completes an open authorization").with(o.inputs()...))
		return
	}
	d.note("Advice", passed("booked as reported"))
}

// networkApproved says whether DE39 of an advice reports an approval. An advice
// without one reports what the terminal did on its own.
func networkApproved(code string) bool {
	switch code {
	case "", "00", "08", "10", "11", "16", "32", "85", "87":
		return true
	}
	return false
}

// customerCancelled is DE39 of a reversal because the customer wanted it so.
const customerCancelled = "17"

// reverse undoes an earlier message, wholly or down to what remains.
func (d *Decision) reverse(req *Request, s State) {
	o := s.Original
	if !o.Found || !o.SameCard {
		d.Status, d.Reason, d.Tombstone = StatusFailed, OriginalNotFound, !o.Found
		detail := "no original; it will be refused if it comes"
		if o.Found {
			detail = "the named original is about another card"
		}
		d.note("Original", failed(OriginalNotFound, "%s", detail))
		return
	}
	d.Status = StatusApproved
	pass := func(detail string) {
		d.note("Original", passed("%s", detail).with(o.inputs()...))
	}
	posted := o.IsPosted && (o.Status == StatusCleared || o.Status == StatusPartiallyReversed)
	switch {
	case !posted && !o.Status.HoldsMoney():
		pass("the original is " + string(o.Status) + ": nothing to undo")
		return
	case o.IsCompleted:
		pass("a completion has replaced the increment: nothing to undo")
		return
	}
	remains := money.Zero(o.Billing.Currency())
	if s.Remains != nil {
		remains = *s.Remains
	}
	undo := minus(o.outstanding(), remains)
	if o.ID == o.Root && !o.Hold.IsZero() {
		// The first of a chain stands for the whole of it.
		undo = minus(plus(o.Remaining, o.Cleared), remains)
	}
	if undo.Sign() <= 0 {
		pass("no less than the original remains: nothing to undo")
		return
	}
	d.Approved = undo
	switch {
	case posted:
		d.Post, d.PostSide = undo, ledger.Credit
		if !o.IsDebit {
			d.PostSide = ledger.Debit
		}
		d.Mirror = remains.IsZero() && o.Reversed.IsZero()
		pass("posted back")
	case o.Hold.IsZero():
		d.ReverseOriginal = undo // what was only recorded: a refund as 0100
		pass("taken back")
	default:
		d.ReverseBy = least(undo, o.Remaining)
		pass("set free")
	}
	switch {
	case o.Status == StatusPartiallyCleared:
		if d.ReverseBy == o.Remaining {
			d.OriginalStatus = StatusCleared
		}
	case remains.IsZero() && o.Status == StatusApproved && req.ResponseCode == customerCancelled:
		d.OriginalStatus = StatusVoided
	case remains.IsZero():
		d.OriginalStatus = StatusReversed
	default:
		d.OriginalStatus = StatusPartiallyReversed
	}
}
