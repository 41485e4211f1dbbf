package authorization_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/control"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/customer"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/ledger"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

func TestScripts(t *testing.T) {
	authorizationtest.RunScripts(t, func(t *testing.T, d *db.DB) authorizationtest.Script {
		client := &authorizationtest.Client{}
		return &script{
			World: authorizationtest.NewWith(t, d, authorization.Config{Client: client}), client: client,
			sent: map[string]*authorization.Request{}, ids: map[string]authorization.TransactionID{},
		}
	})
}

type script struct {
	*authorizationtest.World
	client *authorizationtest.Client
	asked  int
	loads  int
	// balanceTold says that the client's answers tell a balance.
	balanceTold bool
	card        *authorizationtest.Card
	sent        map[string]*authorization.Request
	ids         map[string]authorization.TransactionID // of what was answered, by message key
	last        authorization.TransactionID
}

// control is "control code=NO_GAMES action=Decline group-of-mcc=GAMBLING
// for=Product/P1": an authorization control with one link.
func (s *script) control(args map[string]string) string {
	c := control.NewAuthorizationCheck(args["code"])
	c.Name, c.Action, c.ResponseCode = args["code"], control.Action(args["action"]), args["de39"]
	c.IsMandatory = args["mandatory"] == "yes"
	if args["mode"] == "monitor" {
		c.Mode = control.Monitor
	}
	list := func(name string) []string {
		return strings.FieldsFunc(args[name], func(r rune) bool { return r == ',' })
	}
	c.Criteria.MCCGroups, c.Criteria.Countries, c.Criteria.TransactionCodes = list("group-of-mcc"), list("in"), list("of")
	c.Criteria.MerchantIDs, c.Criteria.MinAmount = list("at"), args["from-amount"]
	if v := args["rule"]; v != "" {
		c.Rule = rule.Source(`"` + strings.ReplaceAll(v, "'", `\"`) + `"`)
	}
	if v := args["priority"]; v != "" {
		if _, err := fmt.Sscan(v, &c.Priority); err != nil {
			s.T.Fatal(err)
		}
	}
	for _, channel := range list("tell") {
		c.AlertChannels = append(c.AlertChannels, control.AlertChannel(channel))
	}
	if flows := list("flows"); len(flows) > 0 {
		c.Flows = flows
	}
	c.Schedule = s.schedule(list("days"), args["hours"])
	c.ReasonText = strings.ReplaceAll(args["because"], "_", " ")
	kind, code, _ := strings.Cut(args["for"], "/")
	switch {
	case kind == "":
		kind = string(control.LinkGlobal)
	case kind == string(control.LinkCard):
		code = s.card.Token
	case kind == string(control.LinkCustomer):
		code = s.Customer()
	}
	link := control.Link{Type: control.LinkType(kind), Code: code, Priority: control.LinkPriority, IsActive: true}
	if v := args["link-priority"]; v != "" {
		if _, err := fmt.Sscan(v, &link.Priority); err != nil {
			s.T.Fatal(err)
		}
	}
	if _, _, err := control.AuthorizationChecks.Create(s.T.Context(), s.Controls, s.Caller, c, []control.Link{link}); err != nil {
		return err.Error()
	}
	return "ok"
}

// schedule is days=Friday,Saturday hours=22:00-06:00.
func (s *script) schedule(days []string, hours string) (out control.Schedule) {
	for _, day := range days {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if d.String() == day {
				out.Days = append(out.Days, d)
			}
		}
	}
	from, to, found := strings.Cut(hours, "-")
	if !found {
		return out
	}
	for text, at := range map[string]**control.TimeOfDay{from: &out.From, to: &out.To} {
		t, err := control.ParseTimeOfDay(text)
		if err != nil {
			s.T.Fatal(err)
		}
		*at = &t
	}
	return out
}

// why shows what the authorization controls said of the last transaction.
func (s *script) why() string {
	x, err := s.Queries.Explain(s.T.Context(), s.Caller, s.last)
	if err != nil {
		return err.Error()
	}
	lines := []string{strings.TrimSpace("matched " + strings.Join(x.Transaction.MatchedControls, " "))}
	for _, c := range x.Trace {
		for _, p := range c.Parts {
			if c.Name == authorization.ControlCheck {
				lines = append(lines, strings.TrimSpace(string(p.Outcome)+" "+p.Detail))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// load puts money onto the card's account.
func (s *script) load(amount string) string {
	s.loads++
	in := ledger.Adjustment{AccountNo: s.card.AccountNo, Side: ledger.Credit, Amount: s.amount(amount), Reference: fmt.Sprint("load ", s.loads)}
	if _, err := s.Ledger.Adjust(s.T.Context(), s.Caller, in); err != nil {
		return err.Error()
	}
	return s.balance()
}

// costs shows what a transaction costs besides, as it was decided.
func (s *script) costs(name string) string {
	x, err := s.Queries.Explain(s.T.Context(), s.Caller, s.ids[s.sent[name].Key().String()])
	if err != nil {
		return err.Error()
	}
	return authorizationtest.TellAdditional(x.Transaction.Additional)
}

// policy is "policy type=… on=yes from=+2h to=+4h": a usage switch of the card.
func (s *script) policy(args map[string]string) string {
	p := program.Policy{Type: program.PolicyType(args["type"]), IsAllowed: args["on"] == "yes"}
	for name, at := range map[string]**time.Time{"from": &p.StartsAt, "to": &p.EndsAt} {
		if args[name] == "" {
			continue
		}
		d, err := time.ParseDuration(args[name])
		if err != nil {
			return err.Error()
		}
		moment := s.Clock.Now().Add(d)
		*at = &moment
	}
	if _, err := s.Issuing.ChangePolicies(s.T.Context(), s.Caller, s.card.Token, issuing.PolicyWish{Policies: []program.Policy{p}}); err != nil {
		return err.Error()
	}
	return "ok"
}

// Done implements authorizationtest.Script.
func (s *script) Done() { s.Verify() }

// Run implements authorizationtest.Script.
func (s *script) Run(command string, args map[string]string) string {
	switch command {
	case "card":
		s.card = s.NewCard(args["balance"])
		return "ok"
	case "slips":
		in := issuing.NewSlipType{Type: program.DigitalSlipType(args["to"]), Channel: "Mobile"}
		if _, err := s.Issuing.ChangeSlipType(s.T.Context(), s.Caller, s.card.Token, in); err != nil {
			return err.Error()
		}
		return "ok"
	case "sweep":
		n, err := s.Engine.SweepSlips(s.T.Context())
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d slips deleted", n)
	case "allow":
		if v := args["recurring"]; v != "" {
			s.SetAttributes(func(a *program.Attributes) { a.AllowRecurringWhenInactive = v == "yes" })
		}
		if v := args["shortfall"]; v != "" {
			s.SetAttributes(func(a *program.Attributes) { a.AllowFeeShortfall = v == "yes" })
		}
		if v := args["instalments"]; v != "" {
			s.AllowInstalments(v == "yes")
		}
		return "ok"
	case "limit":
		return s.NewLimit(args)
	case "limits":
		return s.Limits(s.card)
	case "control":
		return s.control(args)
	case "why":
		return s.why()
	case "tax":
		s.SetTax(fee.TaxType(args["type"]), args["rate"])
		return "ok"
	case "fee":
		if err := s.Fee(args); err != nil {
			return err.Error()
		}
		return "ok"
	case "markup":
		if err := s.Markup(args); err != nil {
			return err.Error()
		}
		return "ok"
	case "costs":
		return s.costs(args["of"])
	case "load":
		return s.load(args["amount"])
	case "collect":
		tenant, err := s.Access.Tenants(s.T.Context())
		if err != nil {
			return err.Error()
		}
		n, err := s.Dues.CollectDue(s.T.Context(), tenant[0])
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d charged; %s", n, s.balance())
	case "earned":
		return s.Earned()
	case "segments":
		if _, err := s.Customers.CreateSegment(s.T.Context(), s.Caller, customer.Segment{Code: args["code"], Name: args["code"], IsActive: true}); err != nil {
			return err.Error()
		}
		return "ok"
	case "segment":
		if _, err := s.Customers.SetSegment(s.T.Context(), s.Caller, s.Customer(), args["to"]); err != nil {
			return err.Error()
		}
		return "ok"
	case "policy":
		return s.policy(args)
	case "listen":
		s.Listen(strings.Fields(strings.ReplaceAll(args["to"], ",", " "))...)
		return ""
	case "told":
		return authorizationtest.TellEvents(s.Told())
	case "status":
		to := issuing.CardStatus(args["to"])
		reason := issuing.ClientRequest
		if r := args["reason"]; r != "" {
			reason = issuing.StatusReason(r)
		}
		if _, err := s.Issuing.ChangeStatus(s.T.Context(), s.Caller, s.card.Token, issuing.NewStatus{Status: to, Reason: reason}); err != nil {
			return err.Error()
		}
		return "ok"
	case "wait":
		d, err := time.ParseDuration(args["for"])
		if err != nil {
			s.T.Fatal(err)
		}
		s.Clock.Advance(d)
		return "ok"
	case "expire":
		n, err := s.Engine.Expire(s.T.Context())
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d released; %s", n, s.balance())
	case "authorize", "withdraw", "refund", "inquire", "advise", "complete":
		return s.answer(s.request(command, args))
	case "repeat":
		return s.answer(authorizationtest.Repeat(s.sent[args["of"]]))
	case "reverse":
		return s.reverse(args)
	case "send":
		return s.answer(s.sent[args["the"]])
	case "owner":
		return s.owner(args)
	case "client":
		return s.clientSays(args)
	case "heard":
		return s.heard()
	case "instead":
		return s.instead()
	}
	s.T.Fatalf("unknown command %q", command)
	return ""
}

// instead tells what would have approved what was sent last.
func (s *script) instead() string {
	x, err := s.Queries.Explain(s.T.Context(), s.Caller, s.last)
	switch {
	case err != nil:
		return err.Error()
	case !x.Recomputed:
		return "it does not recompute: " + x.Difference
	case x.Counterfactual == nil:
		return "nothing would have approved it"
	}
	return x.Counterfactual.String()
}

func (s *script) amount(text string) money.Amount {
	if text == "" {
		text = "0"
	}
	code := "TRY"
	if number, unit, ok := strings.Cut(text, ":"); ok { // 10.00:EUR
		text, code = number, unit
	}
	a, err := money.Parse(text, money.MustCurrency(code))
	if err != nil {
		s.T.Fatal(err)
	}
	return a
}

var flowOf = map[string]authorization.Flow{
	"authorize": authorization.AuthorizationRequest, "inquire": authorization.AuthorizationRequest,
	"withdraw": authorization.FinancialRequest, "refund": authorization.FinancialRequest,
	"advise": authorization.AuthorizationAdvice, "complete": authorization.FinancialAdvice,
}

func (s *script) request(kind string, args map[string]string) *authorization.Request {
	r := s.Request(s.card, flowOf[kind], s.amount(args["amount"]))
	if prior := s.sent[args["of"]]; prior != nil {
		r.RRN = prior.RRN
	}
	switch kind {
	case "withdraw":
		r.ProcessingCode, r.MCC = "010000", "6011"
	case "refund":
		r.ProcessingCode = "200000"
	case "inquire":
		r.ProcessingCode = "310000"
	}
	if code := args["code"]; code != "" {
		r.ProcessingCode = code + "0000"
	}
	switch args["entry"] {
	case "chip":
		s.Chip(s.card, r)
	case "tap":
		s.Chip(s.card, r)
		r.EntryMode = "071"
	case "stripe":
		s.WithStripe(s.card, r)
	case "chip-without-data":
		r.EntryMode = "051"
	}
	if prior := s.sent[args["same-tap"]]; prior != nil {
		r.Chip, r.EntryMode = prior.Chip, "071"
	}
	switch args["offline-pin"] { // by the terminal it was right; by the chip it was
	case "right":
		s.WithOfflinePIN(s.card, r, authorizationtest.ChipComparedPIN)
	case "wrong":
		s.WithOfflinePIN(s.card, r, authorizationtest.ChipComparedPIN|authorizationtest.ChipRefusedPIN)
	case "none":
		s.WithOfflinePIN(s.card, r, 0)
	}
	if args["arqc"] == "wrong" {
		r.Chip.ARQC[0] ^= 1
	}
	if args["pin"] != "" {
		digits := s.card.PIN
		if args["pin"] == "wrong" {
			digits = "9035"
		}
		s.WithPIN(s.card, r, digits)
	}
	if v := args["cvv2"]; v != "" {
		s.WithCVV2(s.card, r, v == "right")
	}
	if v := args["expiry"]; v != "" {
		r.Expiry = v
	}
	if v := args["billing"]; v != "" {
		a := s.amount(v)
		r.Billing = &a
	}
	if v := args["cashback"]; v != "" {
		a := s.amount(v)
		r.Cashback = &a
	}
	if v := args["stored"]; v != "" {
		r.EntryMode, r.ConditionCode, r.StoredCard = "100", "01", authorization.StoredCard(v)
	}
	if v := args["mcc"]; v != "" {
		if r.MCC = v; v == "none" {
			r.MCC = ""
		}
	}
	r.Wallet, r.ECI, r.HasCAVV = args["wallet"], args["eci"], args["eci"] != ""
	if args["entry"] == "net" {
		r.EntryMode, r.ConditionCode = "812", "59"
	}
	if v := args["parts"]; v != "" {
		if _, err := fmt.Sscan(v, &r.InstalmentCount); err != nil {
			s.T.Fatal(err)
		}
	}
	r.MayApprovePartially = args["partial"] == "yes"
	r.MustPrint = args["paper"] == "only"
	if v := args["in"]; v != "" {
		if r.MerchantCountry = v; v == "nowhere" {
			r.MerchantCountry, r.AcquirerCountry = "", ""
		}
	}
	r.IsIncrement = args["increment"] == "yes"
	r.Details.ResponseCode = args["de39"]
	if name := args["as"]; name != "" {
		s.sent[name] = r
	}
	if args["but"] == "keep" { // built, to be sent later
		r.ReceivedAt = time.Time{}
	}
	return r
}

func (s *script) reverse(args map[string]string) string {
	flow := authorization.ReversalRequest
	if args["advice"] == "yes" {
		flow = authorization.ReversalAdvice
	}
	var remains *money.Amount
	if v := args["remains"]; v != "" {
		a := s.amount(v)
		remains = &a
	}
	r := s.Reversal(s.card, s.sent[args["of"]], flow, remains)
	r.Details.ResponseCode = args["de39"]
	if name := args["as"]; name != "" {
		s.sent[name] = r
	}
	return s.answer(r)
}

func (s *script) answer(r *authorization.Request) string {
	if r.ReceivedAt.IsZero() {
		r.ReceivedAt = s.Clock.Now()
		return "kept"
	}
	a, err := s.Engine.Authorize(s.T.Context(), r)
	if err != nil {
		return "error: " + err.Error()
	}
	if s.last = a.Transaction; !a.Transaction.IsZero() {
		s.ids[r.Key().String()] = a.Transaction
	}
	text := "approved"
	switch {
	case a.Reason != "":
		text = "declined " + string(a.Reason)
	case a.Outcome == authorization.OutcomeApprovedPartially:
		text = "approved for " + a.Approved.String()
	}
	text += " (" + a.ResponseCode + ")"
	if a.IsRepeat {
		text += " as before"
	}
	if len(a.IssuerAuthentication) > 0 {
		text += " with ARPC"
	}
	if a.Slip == authorization.DigitalSlip {
		text += " without paper"
	}
	if s.balanceTold && a.HasBalance {
		text += ", " + a.Available.String() + " told"
	}
	return text + "; " + s.balance()
}

func (s *script) balance() string {
	a := s.Balance(s.card)
	return fmt.Sprintf("posted %s, held %s, available %s", a.Posted.Decimal(), a.Held.Decimal(), a.Available())
}

// owner says who has the balance, and what is approved in the client's place.
func (s *script) owner(args map[string]string) string {
	policy := program.StandInPolicy{Action: program.StandInDecline}
	if args["txn"] != "" {
		policy = authorizationtest.UpTo(s.amount(args["txn"]).Minor(), s.amount(args["day"]).Minor(), strings.Fields(args["without"])...)
	}
	s.OwnBalances(program.BalanceMode(args["mode"]), policy)
	return "ok"
}

// clientSays sets how the client answers.
func (s *script) clientSays(args map[string]string) string {
	s.balanceTold = args["balance"] != ""
	s.client.Answer(func(_ context.Context, _ *authorization.ClientMessage) authorization.Verdict {
		v := authorizationtest.Yes()
		switch args["says"] {
		case "no":
			v = authorizationtest.No(args["code"])
		case "nothing":
			v = authorizationtest.Silence()
		case "unreachable":
			v = authorization.Verdict{Hearing: authorization.Unasked, Detail: "nobody can be asked"}
		}
		if part := args["part"]; part != "" {
			a := s.amount(part)
			v.ApprovedAmount = &a
		}
		if rest := args["balance"]; rest != "" {
			a := s.amount(rest)
			v.Available = &a
		}
		v.Reference = args["reference"]
		return v
	})
	return "ok"
}

// heard lists what the client was asked and told since the last time.
func (s *script) heard() string {
	var lines []string
	name := func(t authorization.TransactionID) string {
		for name, r := range s.sent {
			if id := s.ids[r.Key().String()]; id == t && !t.IsZero() {
				return " " + name
			}
		}
		return ""
	}
	line := func(verb string, m *authorization.ClientMessage) {
		text := verb + " " + string(m.Type) + name(m.Transaction.ID) + " " + m.Transaction.Billing.String()
		if o := m.Transaction.Original; !o.IsZero() {
			text += ", original" + name(o)
		}
		if m.Transaction.Status != authorization.StatusPending {
			text += ", decided by " + string(m.Transaction.DecidedBy)
		}
		lines = append(lines, text)
	}
	asked := s.client.Asked()
	for _, m := range asked[s.asked:] {
		line("asked", m)
	}
	s.asked = len(asked)
	for _, m := range s.Heard() {
		line("told", m)
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}
