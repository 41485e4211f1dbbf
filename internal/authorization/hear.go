package authorization

import (
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// hear decides what the client's answer makes of a request that has passed all
// our checks, and reports whether it goes on: pending while there is no answer,
// approved when the client, or we in its place, approve.
func (d *Decision) hear(req *Request, f *Facts, s State, row codeRow) bool {
	v := s.Verdict
	if v.Hearing == "" {
		d.Status, d.Outcome = StatusPending, OutcomePending
		return true
	}
	found := d.judgeVerdict(req, f, v, row).with(v.inputs(f, row)...)
	d.note("Client", found)
	mayHold := row.dir == debit && (v.Hearing == Unanswered || v.Hearing == Abandoned || v.Hearing == Answered && v.Approved)
	switch {
	case found.Outcome == Fail:
		d.Status, d.Reason = StatusDeclined, found.Reason
		if mayHold {
			d.Tell = ReversalMessage // so that nothing is held there that is not held here
		}
		return false
	case d.By == ByStandIn && row.dir == debit:
		d.Tell = AdviceMessage
	}
	return true
}

// judgeVerdict reads an answer, or decides in place of one.
func (d *Decision) judgeVerdict(req *Request, f *Facts, v Verdict, row codeRow) Check {
	d.By = ByClient
	if v.IsLate {
		d.By = ByPlatform
		return failed(OriginalNotFound, "the authorization that it adds to came to its end meanwhile")
	}
	unusable := v.Detail
	if v.Hearing == Answered {
		if unusable = v.flaw(req, f, row); unusable == "" {
			return d.follow(f, v)
		}
	}
	d.By = ByStandIn
	if v.Hearing == Abandoned {
		return failed(ClientTimeout, "no answer was waited for")
	}
	if f.Client.Mode == program.BalanceHybrid {
		if v.Spare.Sign() >= 0 || row.dir == neither {
			return passed("%s; the shadow balance has %s to spare", unusable, v.Spare.Decimal())
		}
		return failed(InsufficientFunds, "%s; the shadow balance lacks %s", unusable, v.Spare.Neg().Decimal())
	}
	switch {
	case !f.Client.StandsIn || row.dir != debit:
		return failed(ClientTimeout, "%s", unusable)
	case f.Billing.Cmp(f.Client.PerTransaction) > 0:
		return failed(ClientTimeout, "%s; above the %s that are approved in its place", unusable, f.Client.PerTransaction.Decimal())
	case plus(v.StoodIn, f.Billing).Cmp(f.Client.PerDay) > 0:
		return failed(ClientTimeout, "%s; above the %s a day that are approved in its place", unusable, f.Client.PerDay.Decimal())
	}
	return passed("%s; approved in its place", unusable)
}

// inputs are what the client said, or what was compared in its place.
func (v Verdict) inputs(f *Facts, row codeRow) []Input {
	in := []Input{textInput("heard", v.Hearing), amountInput("requested", f.Billing)}
	add := func(name string, a money.Amount) {
		if !a.Currency().IsZero() {
			in = append(in, amountInput(name, a))
		}
	}
	switch {
	case v.Hearing == Answered:
		in = append(in, textInput("responseCode", v.ResponseCode))
		if v.ApprovedAmount != nil {
			add("approved", *v.ApprovedAmount)
		}
	case f.Client.Mode == program.BalanceHybrid:
		add("shadowLeft", v.Spare)
	case f.Client.StandsIn && row.dir == debit:
		add("limit", f.Client.PerTransaction)
		add("usedToday", v.StoodIn)
		add("limitToday", f.Client.PerDay)
	}
	return in
}

// follow takes a usable answer.
func (d *Decision) follow(f *Facts, v Verdict) Check {
	if !v.Approved {
		d.ResponseCode = v.ResponseCode
		return failed(ClientDeclined, "the client declined")
	}
	if v.ApprovedAmount != nil && *v.ApprovedAmount != f.Billing {
		d.Approved, d.Outcome = *v.ApprovedAmount, OutcomeApprovedPartially
		return passed("the client approved %s", d.Approved.Decimal())
	}
	return passed("the client approved")
}

// flaw says what makes an answer unusable; empty when nothing does. A request
// may be approved in part when the terminal takes that, and something remains
// of it in the terminal's currency.
func (v Verdict) flaw(req *Request, f *Facts, row codeRow) string {
	part := v.ApprovedAmount
	switch {
	case v.Approved && v.ResponseCode != "" && v.ResponseCode != "00" && v.ResponseCode != "10":
		return "the answer approves with a response code that declines"
	case !v.Approved && networkApproved(v.ResponseCode) && v.ResponseCode != "":
		return "the answer declines with a response code that approves"
	case !v.Approved || part == nil:
		return ""
	case row.dir != debit || part.Currency() != f.Billing.Currency() || part.Sign() <= 0 || part.Cmp(f.Billing) > 0:
		return "the amount that the answer approves is not one that was asked for"
	case part.Cmp(f.Billing) < 0 && !req.MayApprovePartially:
		return "the answer approves a part, which the terminal does not take"
	}
	told, err := req.Amount.MulDiv(part.Minor(), f.Billing.Minor(), money.Down)
	if err != nil || told.Sign() <= 0 {
		return "nothing remains of the amount that the answer approves"
	}
	return ""
}

// tell says what the client is told of a message that it was not asked about:
// what has happened to its balance.
func (d *Decision) tell(req *Request, f *Facts) {
	if req.Flow.IsAdvice() {
		d.By = ByNetwork
	}
	if !f.Client.Owns() || d.asks || d.Reason != Approved || d.Approved.IsZero() {
		return
	}
	row := classify(req.ProcessingCode, req.MCC, req.Amount)
	switch {
	case req.Flow.IsReversal():
		d.Tell = ReversalMessage
	case req.Flow.IsAdvice() && row.dir != neither:
		d.Tell = AdviceMessage
	case req.Flow == FinancialRequest && row.code == RefundCode:
		d.Tell = RefundMessage
	case req.Flow == FinancialRequest && row.dir == credit:
		d.Tell = AdviceMessage
	}
}
