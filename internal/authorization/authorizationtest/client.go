package authorizationtest

import (
	"context"
	"slices"
	"sync"

	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbox"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Client is the system of a tenant that owns its balances: it answers as a test
// wants, and remembers what it was asked.
type Client struct {
	mu     sync.Mutex
	answer func(ctx context.Context, m *authorization.ClientMessage) authorization.Verdict
	asked  []*authorization.ClientMessage
}

// Answer sets how the client answers from now on.
func (c *Client) Answer(f func(ctx context.Context, m *authorization.ClientMessage) authorization.Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// Ask implements authorization.Client.
func (c *Client) Ask(ctx context.Context, m *authorization.ClientMessage) authorization.Verdict {
	c.mu.Lock()
	c.asked = append(c.asked, m)
	f := c.answer
	c.mu.Unlock()
	if f == nil {
		return Yes()
	}
	return f(ctx, m)
}

// Asked returns what the client was asked, in its order.
func (c *Client) Asked() []*authorization.ClientMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

// Yes is an approval.
func Yes() authorization.Verdict {
	return authorization.Verdict{Hearing: authorization.Answered, Approved: true}
}

// No is a decline with a response code, which may be empty.
func No(code string) authorization.Verdict {
	return authorization.Verdict{Hearing: authorization.Answered, ResponseCode: code}
}

// Silence is what becomes of a question that nobody answers.
func Silence() authorization.Verdict {
	return authorization.Verdict{Hearing: authorization.Unanswered, Detail: "no answer in time"}
}

// OwnBalances makes the tenant own its balances, and says what is approved in its
// place.
func (w *World) OwnBalances(mode program.BalanceMode, p program.StandInPolicy) {
	w.T.Helper()
	w.SetAttributes(func(a *program.Attributes) { a.BalanceMode, a.StandIn = mode, p })
}

// SetAttributes changes the tenant's issuing attributes.
func (w *World) SetAttributes(change func(a *program.Attributes)) {
	w.T.Helper()
	a, err := w.Programs.Attributes(w.T.Context(), w.Caller)
	must(w.T, err)
	stamp := a.ConcurrencyStamp
	change(&a)
	if stamp == "" {
		_, err = w.Programs.CreateAttributes(w.T.Context(), w.Caller, a)
	} else {
		_, err = w.Programs.UpdateAttributes(w.T.Context(), w.Caller, a, stamp)
	}
	must(w.T, err)
}

// UpTo is a policy that approves so much in the client's place, in TRY.
func UpTo(transaction, day int64, without ...string) program.StandInPolicy {
	one, all := money.Must(transaction, "TRY"), money.Must(day, "TRY")
	return program.StandInPolicy{
		Action: program.StandInApproveUpTo, AmountPerTransaction: &one, AmountPerDay: &all, MCCExclusions: without,
	}
}

// Heard returns what the client was told since the last call, oldest first.
func (w *World) Heard() []*authorization.ClientMessage {
	w.T.Helper()
	var all []*authorization.ClientMessage
	must(w.T, w.DB.View(w.T.Context(), func(tx db.Tx) error {
		waiting, err := outbox.WaitingEvents(w.T.Context(), tx, w.Caller.Tenant.String())
		if err != nil {
			return err
		}
		for _, e := range waiting {
			if e.Name != authorization.EventClientMessage {
				continue
			}
			m, err := authorization.ParseClientMessage(e.Payload)
			if err != nil {
				return err
			}
			all = append(all, m)
		}
		return nil
	}))
	fresh := all[w.heard:]
	w.heard = len(all)
	return fresh
}
