package clearing_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/clearing"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/fee"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/pan"
)

// The scripts in testdata are clearing as the business reads it: commands,
// "----", and what came of them. They run on both engines and must answer
// alike.
//
//	card balance=100.00                     a new card, used from here on
//	card credit=1000.00                     one on a credit account with that limit
//	authorize amount=10.00 as=a             a payment by 0100; also mcc= code=
//	increase of=a amount=5.00               an incremental authorization
//	withdraw amount=10.00 as=a              cash by 0200
//	credit amount=10.00 as=a                a refund announced by 0100
//	reverse of=a [remains=5.00]
//	wait for=48h, expire, status to=Lost
//	present of=a amount=10.00 [as=p]        a record for tonight's file; also
//	    part=1/2 final=yes knowing=code|rrn|merchant|nothing mcc= billing= function=
//	refund [of=a] [named=p] amount=10.00    the record of a refund
//	take-back of=p [amount=]                the record of a reversal
//	repeat of=p                             the same record once more
//	stranger amount=10.00                   a record on a number nobody was issued
//	import                                  the night's file
//	import-again                            its content once more
//	import-broken                           the file with a trailer that disagrees
//	limit code=DAY period=Day max=50.00 …   a velocity control
//	limits                                  how the card stands
//	tax type=Bsmv rate=15, fee code=POS …   a tax and a fee on transactions
//	earned                                  what fees and taxes came to
//	show of=a, books
func TestScripts(t *testing.T) {
	authorizationtest.RunScripts(t, func(t *testing.T, d *db.DB) authorizationtest.Script {
		return &script{world: newWorld(t, d), payments: map[string]payment{}, records: map[string]clearing.Presentment{}}
	})
}

type script struct {
	*world
	card     *authorizationtest.Card
	payments map[string]payment
	records  map[string]clearing.Presentment
	tonight  []clearing.Presentment
	names    []string // of tonight's records
	last     *file
}

// Done implements authorizationtest.Script.
func (s *script) Done() { s.verify() }

// Run implements authorizationtest.Script.
func (s *script) Run(command string, args map[string]string) string {
	switch command {
	case "card":
		if limit := args["credit"]; limit != "" {
			s.card = s.NewCreditCard(limit)
			return ""
		}
		s.card = s.NewCard(args["balance"])
		return ""
	case "authorize", "increase", "withdraw", "credit", "advise":
		return s.pay(command, args)
	case "reverse":
		return s.reverse(args)
	case "wait":
		d, err := time.ParseDuration(args["for"])
		if err != nil {
			s.T.Fatal(err)
		}
		s.Clock.Advance(d)
		return ""
	case "limit":
		return s.NewLimit(args)
	case "limits":
		return s.Limits(s.card)
	case "tax":
		s.SetTax(fee.TaxType(args["type"]), args["rate"])
		return ""
	case "fee":
		if err := s.Fee(args); err != nil {
			return err.Error()
		}
		return ""
	case "markup":
		if err := s.Markup(args); err != nil {
			return err.Error()
		}
		return ""
	case "earned":
		return s.Earned()
	case "expire":
		n, err := s.Engine.Expire(s.T.Context())
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d released; %s", n, s.balance())
	case "listen":
		s.Listen(strings.Fields(strings.ReplaceAll(args["to"], ",", " "))...)
		return ""
	case "told":
		return authorizationtest.TellEvents(s.Told())
	case "status":
		_, err := s.Issuing.ChangeStatus(s.T.Context(), s.Caller, s.card.Token,
			issuing.NewStatus{Status: issuing.CardStatus(args["to"]), Reason: issuing.StatusReason(args["reason"])})
		if err != nil {
			return err.Error()
		}
		return ""
	case "present", "refund", "take-back", "repeat", "stranger":
		s.record(command, args)
		return ""
	case "import":
		s.last = s.deliver(s.tonight...)
		names := s.names
		s.tonight, s.names = nil, nil
		return s.take(s.last, names)
	case "import-again":
		again := *s.last
		again.Name += ".RENAMED"
		return s.take(&again, nil)
	case "import-broken":
		f := s.deliver(s.tonight...)
		f.broken = errBroken
		return s.take(f, nil)
	case "show":
		return s.show(args["of"])
	case "books":
		return s.books()
	}
	s.T.Fatalf("unknown command %q", command)
	return ""
}

func (s *script) amount(text string) money.Amount {
	code := "TRY"
	if number, unit, ok := strings.Cut(text, ":"); ok { // 10.00:EUR
		text, code = number, unit
	}
	a, err := money.Parse(text, money.MustCurrency(code))
	if err != nil {
		s.T.Fatalf("amount %q: %v", text, err)
	}
	return a
}

func (s *script) pay(kind string, args map[string]string) string {
	flow := authorization.AuthorizationRequest
	if kind == "withdraw" {
		flow = authorization.FinancialRequest
	}
	r := s.Request(s.card, flow, s.amount(args["amount"]))
	switch kind {
	case "withdraw":
		r.ProcessingCode, r.MCC = "010000", "6011"
		s.WithPIN(s.card, r, s.card.PIN)
	case "credit":
		r.ProcessingCode = "200000"
	case "advise": // the network's own answer, which comes late
		r.Flow, r.ResponseCode, r.AuthorizationCode = authorization.AuthorizationAdvice, "00", "NET001"
		r.RRN = s.payments[args["of"]].request.RRN
	case "increase":
		r.IsIncrement, r.RRN = true, s.payments[args["of"]].request.RRN
	}
	if mcc := args["mcc"]; mcc != "" {
		r.MCC = mcc
	}
	if v := args["billing"]; v != "" {
		a := s.amount(v)
		r.Billing = &a
	}
	a := s.Authorize(r)
	if name := args["as"]; name != "" {
		s.payments[name] = payment{r, a}
	}
	return s.answer(a)
}

func (s *script) answer(a authorization.Answer) string {
	text := "approved; "
	if a.Reason != "" {
		text = "declined " + string(a.Reason) + "; "
	}
	return text + s.balance()
}

func (s *script) reverse(args map[string]string) string {
	var remains *money.Amount
	if v := args["remains"]; v != "" {
		a := s.amount(v)
		remains = &a
	}
	return s.answer(s.Authorize(s.Reversal(s.card, s.payments[args["of"]].request, authorization.ReversalRequest, remains)))
}

// record puts a record into tonight's file.
func (s *script) record(kind string, args map[string]string) {
	var p clearing.Presentment
	switch kind {
	case "present", "refund":
		from, known := s.payments[args["of"]]
		if !known {
			from.request = s.Request(s.card, authorization.AuthorizationRequest, s.amount(args["amount"]))
		}
		p = s.present(from, s.amount(args["amount"]))
		if kind == "refund" {
			p.Kind = clearing.Refund
			p.OriginalARN = s.records[args["named"]].ARN
		}
	case "take-back":
		p = s.records[args["of"]]
		p.Reversal = true
		if v := args["amount"]; v != "" {
			p.Transaction = s.amount(v)
		}
	case "repeat":
		p = s.records[args["of"]]
	case "stranger":
		p = s.present(payment{request: s.Request(s.card, authorization.AuthorizationRequest, s.amount(args["amount"]))}, s.amount(args["amount"]))
		p.PAN = neverIssued(s.T.(*testing.T))
	}
	if v := args["part"]; v != "" {
		number, count, _ := strings.Cut(v, "/")
		p.Sequence, _ = strconv.Atoi(number)
		p.Count, _ = strconv.Atoi(count)
		p.Final = p.Sequence == p.Count
	}
	if v := args["final"]; v != "" {
		p.Final = v == "yes"
	}
	switch args["knowing"] {
	case "code":
		p.RRN, p.STAN, p.CardAcceptorID, p.TerminalID = "", "", "", ""
	case "rrn":
		p.AuthorizationCode = ""
	case "merchant":
		p.AuthorizationCode, p.RRN, p.STAN, p.TerminalID = "", "", "", ""
	case "nothing":
		p.AuthorizationCode, p.RRN, p.STAN, p.TerminalID, p.MerchantName = "", "", "", "", "SOMEWHERE"
	}
	if v := args["mcc"]; v != "" {
		p.MCC = v
	}
	if v := args["function"]; v != "" {
		p.Function = clearing.Function(v)
	}
	if v := args["billing"]; v != "" {
		p.Billing = s.amount(v)
	}
	if v := args["arn"]; v != "" {
		p.ARN = s.records[v].ARN
	}
	name := args["as"]
	if name == "" {
		name = kind + " of " + args["of"]
		if args["of"] == "" {
			name = kind
		}
	}
	s.records[name] = p
	s.tonight, s.names = append(s.tonight, p), append(s.names, name)
}

// neverIssued is a number of the world's BIN outside every range that cards
// are issued from.
func neverIssued(t *testing.T) pan.PAN {
	body := authorizationtest.BIN + "000000000"
	p, err := pan.Parse(body + string(pan.CheckDigit(body)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *script) take(f *file, names []string) string {
	before := s.everything()
	sum, err := s.clearing.Import(s.T.Context(), f, clearing.Options{})
	if err != nil {
		text := "refused: " + err.Error()
		if known, ok := fault.As(err); ok {
			text = "refused: " + string(known.Code)
		}
		if s.everything() != before {
			s.T.Error("a file that was refused changed something")
		}
		return text + "; " + s.balance()
	}
	var lines []string
	for i, x := range s.fates(sum.ID) {
		line := names[i] + ": " + x.status
		if x.rule != "" {
			line += " by " + x.rule
		}
		if len(x.causes) > 0 {
			line += "; to be looked at: " + strings.Join(x.causes, ", ")
		}
		lines = append(lines, line)
	}
	return strings.Join(append(lines, s.balance()), "\n")
}

func (s *script) balance() string {
	a := s.Balance(s.card)
	return fmt.Sprintf("posted %s, held %s", a.Posted.Decimal(), a.Held.Decimal())
}

func (s *script) show(name string) string {
	t := s.transaction(s.payments[name].answer.Transaction)
	return fmt.Sprintf("%s: %s, of %s reversed %s, cleared %s, refunded %s", name, t.Status, t.Billing.Decimal(), t.Reversed.Decimal(), t.Cleared.Decimal(), t.Refunded.Decimal())
}

func (s *script) books() string {
	rows, err := s.Ledger.TrialBalance(s.T.Context(), s.Caller.Tenant)
	if err != nil {
		s.T.Fatal(err)
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%s %s debit %s credit %s", r.Code, r.Debit.Currency(), r.Debit.Decimal(), r.Credit.Decimal()))
	}
	return strings.Join(lines, "\n")
}
