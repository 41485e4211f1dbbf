package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// factRetries is how often a fact is told again: time alone ends it.
const factRetries = 1 << 20

// fact makes of a fact the delivery to the hook that is asked about such
// transactions, or about such a product at least. While none of them is active,
// it waits for one that is switched off. A tenant without one is told nothing.
func (s *Service) fact(m outbox.Message, tenant access.TenantID, hooks []Hook) (d outbox.Message, found bool, err error) {
	fact, err := authorization.ParseClientMessage(m.Payload)
	if err != nil {
		return d, false, fmt.Errorf("read fact: %w", err)
	}
	t := &fact.Transaction
	h, found := listener(hooks, fact.Names.ProductCode, t.CardNetwork, string(t.Code))
	if !found {
		h, found = listener(switchedOn(hooks), fact.Names.ProductCode, t.CardNetwork, string(t.Code))
	}
	if !found {
		return d, false, nil
	}
	content, err := s.Dialogue.EncodeQuestion(m.EventID.UUID(), fact)
	if err != nil {
		return d, false, fmt.Errorf("encode fact: %w", err)
	}
	d = m
	if d.Payload, err = json.Marshal(newEnvelope(m, tenant, content)); err != nil {
		return d, false, fmt.Errorf("encode fact: %w", err)
	}
	d.Topic, d.Lane, d.RetriesMax = TopicDelivery, h.ID.String(), factRetries
	return d, true, nil
}

// listener is the active hook that is told of such a transaction.
func listener(hooks []Hook, product, network, code string) (h Hook, found bool) {
	if h, found = choose(hooks, TypeAuthorization, product, network, code); !found {
		h, found = choose(hooks, TypeAuthorization, product, "", "")
	}
	return h, found
}

// switchedOn returns hooks as if all were active, those changed last first: the
// one that was switched off last is the one that is likely to come back.
func switchedOn(hooks []Hook) []Hook {
	all := slices.Clone(hooks)
	for i := range all {
		all[i].IsActive, all[i].IsDisabled = true, false
	}
	slices.SortStableFunc(all, func(a, b Hook) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return all
}

// acknowledged is what became of a fact: a client that has taken it in answers
// HTTP 200 and that it approves.
func (s *Service) acknowledged(status int, body []byte) outbox.Outcome {
	o := outbox.Outcome{Code: status, Text: outbound.Excerpt(string(body))}
	if status != http.StatusOK {
		return o
	}
	v, err := s.Dialogue.DecodeVerdict(body, money.Currency{})
	o.Delivered = err == nil && v.Approved
	if !o.Delivered {
		o.Text = "not acknowledged: " + o.Text
	}
	return o
}
