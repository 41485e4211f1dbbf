package authorization

import (
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
)

// Answer is what the sender of a message is told. A repeat is told the same.
type Answer struct {
	Transaction TransactionID
	Outcome     Outcome
	Reason      Reason
	// ResponseCode is DE39, AuthorizationCode DE38 (empty unless approved).
	ResponseCode      string
	AuthorizationCode string
	// Approved is DE4 of the answer in transaction currency; less than the
	// request's only in a partial approval.
	Approved money.Amount
	// Posted and Available are the account's balances after the decision, in
	// the account's currency; HasBalance is false without an account.
	Posted, Available money.Amount
	HasBalance        bool
	// IssuerAuthentication is tag 91: response cryptogram and response code for the chip.
	// It is made anew for a repeat, not kept.
	IssuerAuthentication []byte
	// Script is what the chip is told, ScriptCommand how, under ScriptID (tags
	// 72, 86 and 9F18). They are made anew for a repeat, not kept.
	Script        issuing.ChipScript
	ScriptID      [4]byte
	ScriptCommand []byte
	// Slip is what the acquirer is told about the slip; a slip that is left out
	// is asked for by [SlipReference].
	Slip SlipNotice
	// IsRepeat says that the answer had been given before.
	IsRepeat bool
}

// IsApproved reports whether the request was approved.
func (a Answer) IsApproved() bool { return a.Reason == Approved }

// String is the stored form.
func (a Answer) String() string {
	c := codec{}
	a.visit(&c)
	return string(c.out)
}

func parseAnswer(text string) (Answer, error) {
	c, err := newReader(text)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	a.visit(c)
	return a, c.err
}

func (a *Answer) visit(c *codec) {
	visitID(c, "transaction", &a.Transaction)
	visitText(c, "outcome", &a.Outcome)
	visitText(c, "reason", &a.Reason)
	visitText(c, "response_code", &a.ResponseCode)
	visitText(c, "authorization_code", &a.AuthorizationCode)
	c.amount("approved", &a.Approved)
	c.bool("has_balance", &a.HasBalance)
	c.amount("posted", &a.Posted)
	c.amount("available", &a.Available)
	visitText(c, "slip", &a.Slip)
}
