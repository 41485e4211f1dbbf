package authorization_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/authorization/authorizationtest"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// clientBook is the book of a client that does what the document for integrators
// says: it takes what it is asked off the balance, and undoes or adds what it is
// told.
type clientBook struct {
	taken map[authorization.TransactionID]int64 // by question
	net   int64
}

func (b *clientBook) take(m *authorization.ClientMessage, minor int64) {
	b.taken[m.Transaction.ID] = minor
	b.net += minor
}

func (b *clientBook) hear(m *authorization.ClientMessage) {
	t := &m.Transaction
	asked, known := b.taken[t.ID]
	switch {
	case m.Type == authorization.ReversalMessage && t.Original == t.ID:
		b.net -= asked // nothing when the question never came
		delete(b.taken, t.ID)
	case m.Type == authorization.AdviceMessage && known:
		b.net += t.Billing.Minor() - asked
	case t.IsDebit:
		b.net += t.Billing.Minor()
	default:
		b.net -= t.Billing.Minor()
	}
}

// Whatever messages come, and whatever the client does with its questions – it
// approves, a part too, declines, says nothing though it has taken the money, or
// hears nothing; and processes that die in between – in the end the client's book
// and our shadow of it agree.
func TestAuthorize_theClientsBookAndOurShadowAgree(t *testing.T) {
	client := &authorizationtest.Client{}
	w := authorizationtest.NewWith(t, dbtest.SQLite(t), authorization.Config{Client: client})
	rapid.Check(t, func(t *rapid.T) {
		policy, mode := declineInPlace, program.BalanceExternal
		switch rapid.IntRange(0, 2).Draw(t, "policy") {
		case 1:
			policy = authorizationtest.UpTo(3000, 8000)
		case 2:
			mode = program.BalanceHybrid
		}
		w.OwnBalances(mode, policy)
		c := w.NewCard("100.00")
		book := &clientBook{taken: map[authorization.TransactionID]int64{}}
		client.Answer(func(_ context.Context, m *authorization.ClientMessage) authorization.Verdict {
			asked := m.Transaction.Billing.Minor()
			switch rapid.SampledFrom([]string{"yes", "yes", "no", "silent", "unheard", "unreachable", "part"}).Draw(t, "client") {
			case "no":
				return authorizationtest.No("")
			case "silent":
				book.take(m, asked)
				return authorizationtest.Silence()
			case "unheard":
				return authorizationtest.Silence()
			case "unreachable":
				return authorization.Verdict{Hearing: authorization.Unasked, Detail: "nobody can be asked"}
			case "part":
				part := money.Must(max(1, asked/2), "TRY")
				v := authorizationtest.Yes()
				v.ApprovedAmount = &part
				book.take(m, part.Minor()) // undone when the terminal does not take it
				return v
			}
			book.take(m, asked)
			return authorizationtest.Yes()
		})
		var sent []*authorization.Request
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			w.Clock.Advance(time.Second)
			amount := money.Must(rapid.Int64Range(1, 6000).Draw(t, "amount"), "TRY")
			var prior *authorization.Request
			if len(sent) > 0 {
				prior = sent[rapid.IntRange(0, len(sent)-1).Draw(t, "prior")]
			}
			op := rapid.SampledFrom([]string{"authorize", "authorize", "buy", "refund", "advise", "increment", "reverse", "reverse", "repeat", "die"}).Draw(t, "op")
			r := clientStep(t, w, c, op, amount, prior)
			if r == nil {
				continue
			}
			if op == "die" {
				if err := w.Engine.Reserve(w.T.Context(), r); err != nil {
					t.Fatal(err)
				}
				w.Clock.Advance(10 * time.Second)
				if n, err := w.Engine.FinishPending(w.T.Context()); n != 1 || err != nil {
					t.Fatalf("finished %d, %v", n, err)
				}
			} else if _, err := w.Engine.Authorize(w.T.Context(), r); err != nil {
				t.Fatal(err)
			}
			if op != "repeat" {
				sent = append(sent, r)
			}
			for _, m := range w.Heard() {
				book.hear(m)
			}
			ours := w.Balance(c)
			if shadow := ours.Held.Minor() - ours.Posted.Minor() + 10000; shadow != book.net {
				t.Fatalf("after %s: the client has taken %d, our shadow %d", op, book.net, shadow)
			}
		}
	})
	w.Verify()
}

// clientStep is the next message; nil when there is nothing it could refer to.
func clientStep(t *rapid.T, w *authorizationtest.World, c *authorizationtest.Card, op string, amount money.Amount, prior *authorization.Request) *authorization.Request {
	flow := authorization.AuthorizationRequest
	switch op {
	case "buy", "refund":
		flow = authorization.FinancialRequest
	case "advise":
		flow = authorization.AuthorizationAdvice
	case "increment", "reverse", "repeat":
		if prior == nil || op == "reverse" && prior.Flow.IsReversal() {
			return nil
		}
	}
	switch op {
	case "repeat":
		return authorizationtest.Repeat(prior)
	case "reverse":
		var remains *money.Amount
		if rapid.Bool().Draw(t, "partial reversal") {
			remains = &amount
		}
		return w.Reversal(c, prior, authorization.ReversalRequest, remains)
	}
	r := w.Request(c, flow, amount)
	switch op {
	case "refund":
		r.ProcessingCode = "200000"
	case "increment":
		r.RRN, r.IsIncrement = prior.RRN, true
	}
	r.MayApprovePartially = rapid.Bool().Draw(t, "partial")
	return r
}
