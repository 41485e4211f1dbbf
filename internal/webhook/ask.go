package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

var _ authorization.Client = (*Service)(nil)

const (
	// askMax is how many answers of one hook are waited for at the same time. What
	// comes on top is not asked: a client that stands still holds up nobody but
	// itself.
	askMax = 128
	// noteEvery is how often the health of a hook that is asked is written while
	// it stays as it is.
	noteEvery = 10 * time.Second
)

// asking is what goes on with the hooks that are asked.
type asking struct {
	mu    sync.Mutex
	hooks map[id.ID[Hook]]*askedHook
	notes sync.WaitGroup // that are being written
}

type askedHook struct {
	slots  chan struct{}
	noted  time.Time
	failed bool // at the last note
}

func (a *asking) of(hook id.ID[Hook]) *askedHook {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.hooks[hook]
	if k == nil {
		k = &askedHook{slots: make(chan struct{}, askMax)}
		if a.hooks == nil {
			a.hooks = map[id.ID[Hook]]*askedHook{}
		}
		a.hooks[hook] = k
	}
	return k
}

// Ask implements [authorization.Client]: it sends a question to the hook of the
// tenant that is asked about such transactions, once, and waits for its answer
// at most as long as the hook may take and ctx lasts. It asks nobody when there
// is no such hook, or when too many of its answers are waited for already.
func (s *Service) Ask(ctx context.Context, m *authorization.ClientMessage) authorization.Verdict {
	unasked := func(why string) authorization.Verdict {
		return authorization.Verdict{Hearing: authorization.Unasked, Detail: why}
	}
	to, found, err := s.whomToAsk(ctx, m)
	switch {
	case err != nil:
		s.Log.ErrorContext(ctx, "find whom to ask", "transaction", m.Transaction.ID.UUID(), "error", err)
		return unasked("the question could not be sent")
	case !found:
		return unasked("there is no authorization webhook to ask")
	case outbound.CheckURL(to.hook.URL, to.reach) != "":
		return unasked("the address of the webhook is not allowed")
	}
	k := s.asking.of(to.hook.ID)
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	default:
		return unasked("too many answers of the webhook are waited for")
	}
	v, err := s.question(ctx, to, m)
	if err != nil {
		s.Log.ErrorContext(ctx, "ask", "transaction", m.Transaction.ID.UUID(), "error", err)
		return unasked("the question could not be sent")
	}
	s.noteHealth(ctx, to.hook, v.Hearing != authorization.Answered)
	return v
}

// whomToAsk finds the hook for a question: a balance inquiry and a fee go to a
// hook of their own type, where there is one.
func (s *Service) whomToAsk(ctx context.Context, m *authorization.ClientMessage) (to recipient, found bool, err error) {
	types := []Type{TypeAuthorization}
	switch m.Type {
	case authorization.BalanceInquiryMessage:
		types = []Type{TypeBalanceInquiry, TypeAuthorization}
	case authorization.FeeDebitMessage:
		types = []Type{TypeFeeDebit, TypeAuthorization}
	}
	t := &m.Transaction
	err = s.DB.View(ctx, func(tx db.Tx) error {
		for _, kind := range types {
			if to.hook, found, err = s.hookFor(ctx, tx, t.Tenant, kind, m.Names.ProductCode, t.CardNetwork, string(t.Code)); err != nil || found {
				break
			}
		}
		if err != nil || !found {
			return err
		}
		tenant, _, err := access.ReadTenant(ctx, tx, t.Tenant)
		to.reach = s.reachFor(tenant.Environment == access.Sandbox)
		return err
	})
	if err != nil || !found {
		return to, false, err
	}
	to.keep, err = s.open(ctx, to.hook)
	return to, true, err
}

// question sends one question. An error is ours; whatever the receiver does is a
// verdict.
func (s *Service) question(ctx context.Context, to recipient, m *authorization.ClientMessage) (authorization.Verdict, error) {
	now := s.Clock.Now()
	event := id.New[outbox.Event](now)
	content, err := s.Dialogue.EncodeQuestion(event.UUID(), m)
	if err != nil {
		return authorization.Verdict{}, fmt.Errorf("encode question: %w", err)
	}
	body, err := json.Marshal(envelope{
		EventID: event.UUID(), EventType: authorization.EventClientMessage, EventVersion: 1, TenantID: m.Transaction.Tenant.UUID(),
		OccurredAt: now, CorrelationID: m.Transaction.ID.UUID(), CustomerNo: content.CustomerNo, IssuanceNo: content.IssuanceNo,
		CardToken: content.CardToken, Data: content.Data,
	})
	if err != nil {
		return authorization.Verdict{}, fmt.Errorf("encode question: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, to.hook.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.hook.URL, bytes.NewReader(body))
	if err != nil {
		return authorization.Verdict{}, fmt.Errorf("make request: %w", err)
	}
	to.isAsked = true
	answer, err := s.post(r, to, event.UUID(), body)
	if err != nil {
		return authorization.Verdict{Hearing: unsentOr(err), Detail: "the webhook: " + reasonOf(err)}, nil
	}
	defer answer.Body.Close()
	unanswered := authorization.Verdict{Hearing: authorization.Unanswered}
	text, err := io.ReadAll(io.LimitReader(answer.Body, bodyMax+1))
	switch {
	case err != nil || len(text) > bodyMax:
		unanswered.Detail = "the webhook gave no whole answer in time"
		return unanswered, nil
	case answer.StatusCode != http.StatusOK:
		unanswered.Detail = fmt.Sprintf("the webhook answered HTTP %d", answer.StatusCode)
		return unanswered, nil
	}
	v, err := s.Dialogue.DecodeVerdict(text, m.Transaction.Billing.Currency())
	if err != nil {
		unanswered.Detail = "the answer of the webhook is not valid: " + err.Error()
		return unanswered, nil
	}
	v.Message = outbound.Excerpt(v.Message)
	return v, nil
}

// unsentOr tells what was certainly not sent from what may have arrived.
func unsentOr(err error) authorization.Hearing {
	if isUnsent(err) {
		return authorization.Unasked
	}
	return authorization.Unanswered
}

// noteHealth writes how a hook does, beside the answer to the network: at once
// when that has changed, else now and then.
func (s *Service) noteHealth(ctx context.Context, h Hook, failed bool) {
	k := s.asking.of(h.ID)
	now := s.Clock.Now()
	s.asking.mu.Lock()
	due := failed != k.failed || now.Sub(k.noted) >= noteEvery
	if due {
		k.failed, k.noted = failed, now
	}
	s.asking.mu.Unlock()
	if !due {
		return
	}
	ctx = context.WithoutCancel(ctx)
	s.asking.notes.Go(func() {
		err := s.DB.InTx(ctx, func(tx db.Tx) error {
			if failed {
				_, err := noteFailure(ctx, tx, h, now)
				return err
			}
			return noteSuccess(ctx, tx, h, now)
		})
		if err != nil {
			s.Log.Error("note how a webhook does", "webhook", h.ID.String(), "error", err)
		}
	})
}

// Wait returns when nothing that was begun beside an answer is under way.
func (s *Service) Wait() { s.asking.notes.Wait() }
