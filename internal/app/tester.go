package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/network"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// tester plays cards and terminals for the sandboxes. It is a peer as every
// acquirer: what it sends goes through the link's server, its framing and its
// dialect. But it connects inside the process, and what it sends for a tenant has
// a link name of that tenant: whatever a tester says his message is known by, it
// has the key of no other tenant's message and of no real peer's.
type tester struct {
	*Core
	acquirer  *sim.Acquirer
	forwarder string         // DE33, drawn: two processes play for one tenant
	presented atomic.Int64   // acquirer reference numbers given
	following [64]sync.Mutex // see follow

	mu      sync.Mutex
	server  *network.Server // nil before it listens
	framing iso8583.Framing
	cards   map[string]*playedCard
}

// playedCard is a card with its chip, which remembers. Its messages are sent one
// after the other, as a card is in one terminal at a time.
type playedCard struct {
	mu sync.Mutex
	*sim.Card
}

// How the tester behaves.
const (
	testerID      = "999000"
	testerTimeout = 15 * time.Second // longer than the core may ask a client
	testerCards   = 4096             // that are remembered
)

func newTester(k *Core) (*tester, error) {
	a, err := sim.NewAcquirer(testerID, k.Clock, rand.Reader)
	if err != nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if err != nil {
		return nil, fmt.Errorf("draw forwarder: %w", err)
	}
	t := &tester{Core: k, acquirer: a, forwarder: fmt.Sprintf("9%09d", n), cards: map[string]*playedCard{}}
	t.presented.Store(k.Clock.Now().UnixMicro() % 10_000_000_000)
	return t, nil
}

// reach tells the tester where the platform is.
func (t *tester) reach(server *network.Server, framing iso8583.Framing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server, t.framing = server, framing
}

// linkOf is the name of a tenant's own link in message keys.
func linkOf(tenant access.TenantID) string { return "sandbox/" + tenant.String() }

// connect opens a link for one message of a tenant. originals is the link of what
// it takes back, if it takes back something.
func (t *tester) connect(ctx context.Context, tenant access.TenantID, originals string) (*sim.Link, error) {
	t.mu.Lock()
	server, framing := t.server, t.framing
	t.mu.Unlock()
	if server == nil {
		return nil, platform.ErrLinkUnavailable
	}
	conn, err := server.Open(ctx, linkOf(tenant), originals)
	if err != nil {
		return nil, platform.ErrLinkUnavailable.Wrap(err)
	}
	return sim.NewLink(conn, sim.LinkOptions{Dialect: t.acquirer.Dialect, Framing: framing, Timeout: testerTimeout}), nil
}

// ask sends a message and waits for its answer.
func (t *tester) ask(ctx context.Context, tenant access.TenantID, m *iso8583.Message, originals string) (*iso8583.Message, time.Duration, error) {
	link, err := t.connect(ctx, tenant, originals)
	if err != nil {
		return nil, 0, err
	}
	answer, took, err := link.Ask(ctx, m)
	err = errors.Join(err, link.Close())
	if errors.Is(err, sim.ErrNoAnswer) {
		err = platform.ErrNoAnswer.Wrap(err)
	}
	return answer, took, err
}

// exchange sends a message of the caller's tenant and tells what became of it.
func (t *tester) exchange(ctx context.Context, c access.Caller, m *iso8583.Message) (platform.Simulated, *iso8583.Message, error) {
	return t.exchangeAbout(ctx, c, m, linkOf(c.Tenant))
}

// exchangeAbout does so with a message about another, which came over the link
// originals.
func (t *tester) exchangeAbout(ctx context.Context, c access.Caller, m *iso8583.Message, originals string) (platform.Simulated, *iso8583.Message, error) {
	answer, took, err := t.ask(ctx, c.Tenant, m, originals)
	if err != nil {
		return platform.Simulated{}, nil, err
	}
	out := platform.Simulated{
		Sent: t.describe(m), Answered: t.describe(answer), ResponseCode: answer.Text(iso8583.ResponseCode), Took: took,
	}
	key, err := t.keyOf(c.Tenant, m)
	if err != nil {
		return out, answer, err
	}
	found, code, decided, err := t.Queries.Answered(ctx, c, key)
	if decided && err == nil && code == out.ResponseCode { // else another message has the key
		out.Transaction = found
	}
	return out, answer, err
}

// keyOf is the key under which the platform knows a tenant's message.
func (t *tester) keyOf(tenant access.TenantID, m *iso8583.Message) (authorization.Key, error) {
	sent, err := iso8583.TransmissionTime(m.Bytes(iso8583.TransmissionDateTime), t.Clock.Now())
	if err != nil {
		return authorization.Key{}, fmt.Errorf("read time of transmission: %w", err)
	}
	return authorization.NewKey(authorization.Details{
		Link: linkOf(tenant), TransmittedAt: sent, STAN: m.Text(iso8583.STAN),
		AcquirerID:  iso8583.InstitutionID(m.Bytes(iso8583.AcquiringInstitutionID)),
		ForwarderID: iso8583.InstitutionID(m.Bytes(iso8583.ForwardingInstitutionID)),
	}, m.MTI.Class(), m.MTI.Function()), nil
}

// describe shows a message as it goes on the wire, where fixed fields are filled.
func (t *tester) describe(m *iso8583.Message) platform.SimulatedMessage {
	var read iso8583.Message
	defer read.Reset()
	body, err := t.acquirer.Dialect.Append(nil, m)
	defer clear(body)
	if err == nil && t.acquirer.Dialect.Parse(&read, body) == nil {
		m = &read
	}
	out := platform.SimulatedMessage{MTI: m.MTI.String()}
	for _, f := range t.acquirer.Dialect.Describe(m) {
		out.Fields = append(out.Fields, platform.SimulatedField{Number: f.Number, Name: f.Name, Value: f.Value})
	}
	return out
}

// hold returns the card as it is played, taken from its drawer: the caller puts
// it back by unlocking it.
func (t *tester) hold(k issuing.ClearCard) (*playedCard, error) {
	key := k.Card.ID.String()
	t.mu.Lock()
	played := t.cards[key]
	if played == nil {
		card, err := HeldCard(k)
		if err != nil {
			t.mu.Unlock()
			return nil, fmt.Errorf("make card: %w", err)
		}
		if len(t.cards) >= testerCards {
			clear(t.cards)
		}
		played = &playedCard{Card: card}
		t.cards[key] = played
	}
	t.mu.Unlock()
	played.mu.Lock()
	played.Advance(max(0, k.Card.LastATC))
	return played, nil
}

// Process implements [platform.Tester].
func (t *tester) Process(ctx context.Context, c access.Caller, in platform.Simulation) (platform.Simulated, error) {
	clear, err := t.Issuing.RevealNamed(ctx, c, in.Card)
	if fault.KindOf(err) == fault.NotFound && in.Card.Token == "" {
		return t.processStranger(ctx, c, in, err)
	}
	if err != nil {
		return platform.Simulated{}, err
	}
	played, err := t.hold(clear)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer played.mu.Unlock()
	r, err := t.compose(ctx, c, in, clear, played.Card)
	if err != nil {
		return platform.Simulated{}, err
	}
	key, err := t.keyOf(c.Tenant, r.Message)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer t.Engine.Force(key, forcedOf(in))()
	out, answer, err := t.exchange(ctx, c, r.Message)
	if err != nil {
		return out, err
	}
	if in.LosesAnswer {
		return t.lose(ctx, c, r, out)
	}
	if err := t.finish(in, r, answer, &out); err != nil {
		return out, err
	}
	if in.Repeats {
		again, _, err := t.exchange(ctx, c, sim.Repeat(r.Message))
		if err != nil {
			return out, err
		}
		out.Again = &again
	}
	return out, nil
}

// processStranger sends the typed use of a number of the caller's own BINs that no
// card has; unknown is the answer about every other number.
func (t *tester) processStranger(ctx context.Context, c access.Caller, in platform.Simulation, unknown error) (platform.Simulated, error) {
	number, err := pan.Parse(string(in.Card.Number.Clear.Reveal()))
	if err != nil {
		return platform.Simulated{}, unknown
	}
	cfg, _, found, err := t.Programs.Route(ctx, number)
	if err != nil {
		return platform.Simulated{}, fmt.Errorf("route: %w", err)
	}
	if !found || cfg.Tenant.ID != c.Tenant {
		return platform.Simulated{}, unknown
	}
	expires := issuing.Expiry{Year: c.Now(t.Clock).Year() + 3, Month: time.December}
	switch {
	case sim.Entry(in.EntryMode).Reads() != sim.ReadsNumber:
		return platform.Simulated{}, api.Invalid().OnField("posEntryMode", "no_card", "must be one in which the number is typed: no card has it")
	case !in.PIN.IsZero():
		return platform.Simulated{}, api.Invalid().OnField("pin", "no_card", "belongs to a card, and no card has the number")
	}
	r, err := t.compose(ctx, c, in, issuing.ClearCard{Number: number}, &sim.Card{PAN: number, Expiry: expires.YYMM()})
	if err != nil {
		return platform.Simulated{}, err
	}
	out, _, err := t.exchange(ctx, c, r.Message)
	return out, err
}

// finish lets the card see the answer: its cryptogram, and its scripts.
func (t *tester) finish(in platform.Simulation, r *sim.Request, answer *iso8583.Message, out *platform.Simulated) error {
	said, err := emv.ParseAnswer(answer.Bytes(iso8583.ICCData))
	if err != nil {
		return fmt.Errorf("read chip data of the answer: %w", err)
	}
	out.ARPC = said.Authentication
	if len(said.Authentication) == 0 || in.Chip.Data != nil {
		return nil
	}
	_, err = r.CheckIssuer(answer)
	if err != nil && !errors.Is(err, sim.ErrIssuerCryptogram) {
		return err
	}
	believed := err == nil
	if out.IsIssuer = &believed; believed {
		_, err = r.RunScripts(answer)
		return err
	}
	return nil
}

// tooLate is DE39 of a reversal whose original's answer came too late or not.
const tooLate = "68"

// lose drops an answer, as when a line breaks: the acquirer takes its message
// back by an advice.
func (t *tester) lose(ctx context.Context, c access.Caller, r *sim.Request, out platform.Simulated) (platform.Simulated, error) {
	m, err := t.acquirer.Reverse(r.Message, nil)
	if err != nil {
		return out, err
	}
	m.MTI = iso8583.ReversalAdvice
	m.SetText(iso8583.ResponseCode, tooLate)
	reversed, _, err := t.exchange(ctx, c, m)
	if err != nil {
		return out, err
	}
	out.Reversed = &reversed
	return out, nil
}
