package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/api"
	"github.com/sarraf-platform/sarraf/internal/api/platform"
	"github.com/sarraf-platform/sarraf/internal/authorization"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/issuing"
	"github.com/sarraf-platform/sarraf/internal/pan"
	"github.com/sarraf-platform/sarraf/internal/sim"
	"github.com/sarraf-platform/sarraf/internal/wire/emv"
	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

// tester plays cards and terminals for the sandboxes. It is a peer of the one
// link there is, as every acquirer: what it sends goes over TCP, through the
// listener and its dialect. Its own institution and a forwarder that is drawn for
// each process keep its message keys apart from those of other peers.
type tester struct {
	*core
	acquirer  *sim.Acquirer
	forwarder string         // DE33
	presented atomic.Int64   // acquirer reference numbers given
	following [64]sync.Mutex // see follow

	mu      sync.Mutex
	addr    string // where the listener is; empty before it is opened
	name    string // of the link, in message keys
	framing iso8583.Framing
	link    *sim.Link
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

func newTester(k *core) (*tester, error) {
	a, err := sim.NewAcquirer(testerID, k.clock, rand.Reader)
	if err != nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if err != nil {
		return nil, fmt.Errorf("draw forwarder: %w", err)
	}
	t := &tester{core: k, acquirer: a, forwarder: fmt.Sprintf("9%09d", n), cards: map[string]*playedCard{}}
	t.presented.Store(k.clock.Now().UnixMicro() % 10_000_000_000)
	return t, nil
}

// reach tells the tester where the listener is.
func (t *tester) reach(addr net.Addr, name string, framing iso8583.Framing) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addr, t.name, t.framing = net.JoinHostPort(host, port), name, framing
}

// close ends the link.
func (t *tester) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addr = ""
	if t.link == nil {
		return nil
	}
	return t.link.Close()
}

// connect returns the link, opened anew when it has ended.
func (t *tester) connect(ctx context.Context) (*sim.Link, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link != nil {
		select {
		case <-t.link.Done():
		default:
			return t.link, nil
		}
	}
	if t.addr == "" {
		return nil, platform.ErrLinkUnavailable
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	link, err := sim.Dial(ctx, t.addr, sim.LinkOptions{Dialect: t.acquirer.Dialect, Framing: t.framing, Timeout: testerTimeout})
	if err != nil {
		return nil, platform.ErrLinkUnavailable.Wrap(err)
	}
	t.link = link
	return link, nil
}

// ask sends a message and waits for its answer. When the link breaks meanwhile,
// it repeats the message once, as an acquirer does.
func (t *tester) ask(ctx context.Context, m *iso8583.Message) (*iso8583.Message, time.Duration, error) {
	for {
		link, err := t.connect(ctx)
		if err != nil {
			return nil, 0, err
		}
		answer, took, err := link.Ask(ctx, m)
		if err == nil {
			return answer, took, nil
		}
		select {
		case <-link.Done():
			if !m.MTI.IsRepeat() {
				m = sim.Repeat(m)
				continue
			}
		default:
		}
		if errors.Is(err, sim.ErrNoAnswer) {
			return nil, took, platform.ErrNoAnswer.Wrap(err)
		}
		return nil, took, err
	}
}

// exchange sends a message and tells what became of it.
func (t *tester) exchange(ctx context.Context, c access.Caller, m *iso8583.Message) (platform.Simulated, *iso8583.Message, error) {
	answer, took, err := t.ask(ctx, m)
	if err != nil {
		return platform.Simulated{}, nil, err
	}
	out := platform.Simulated{
		Sent: t.describe(m), Answered: t.describe(answer), ResponseCode: answer.Text(iso8583.ResponseCode), Took: took,
	}
	key, err := t.keyOf(m)
	if err != nil {
		return out, answer, err
	}
	found, code, decided, err := t.queries.Answered(ctx, c, key)
	if decided && err == nil && code == out.ResponseCode { // else another message has the key
		out.Transaction = found
	}
	return out, answer, err
}

// keyOf is the key under which the platform knows a message.
func (t *tester) keyOf(m *iso8583.Message) (authorization.Key, error) {
	sent, err := iso8583.TransmissionTime(m.Bytes(iso8583.TransmissionDateTime), t.clock.Now())
	if err != nil {
		return authorization.Key{}, fmt.Errorf("read time of transmission: %w", err)
	}
	t.mu.Lock()
	name := t.name
	t.mu.Unlock()
	return authorization.NewKey(authorization.Details{
		Link: name, TransmittedAt: sent, STAN: m.Text(iso8583.STAN),
		AcquirerID:  iso8583.InstitutionID(m.Bytes(iso8583.AcquiringInstitutionID)),
		ForwarderID: iso8583.InstitutionID(m.Bytes(iso8583.ForwardingInstitutionID)),
	}, m.MTI.Class(), m.MTI.Function()), nil
}

func (t *tester) describe(m *iso8583.Message) platform.SimulatedMessage {
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
		card, err := sim.NewCard(knownCard(k))
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

func knownCard(k issuing.ClearCard) sim.KnownCard {
	return sim.KnownCard{
		CardNo: k.Number.Reveal(), ExpireYear: k.Card.Expires.Year, ExpireMonth: int(k.Card.Expires.Month),
		CVV2: string(k.CVV2.Reveal()), CVV: string(k.CVV.Reveal()), ICVV: string(k.ICVV.Reveal()), ServiceCode: k.Card.ServiceCode,
		Track2: string(k.Track2.Reveal()), PSN: k.Card.PSN, CVN: fmt.Sprintf("%02X", k.CVN), DKI: fmt.Sprintf("%02X", k.DKI),
		LastATC: max(0, k.Card.LastATC), ICCMasterKey: issuing.HexKey(k.ICCMasterKey), ICCSMIKey: issuing.HexKey(k.ICCSMIKey),
		ICCSMCKey: issuing.HexKey(k.ICCSMCKey), ZPK: issuing.HexKey(k.ZPK),
	}
}

// Process implements [platform.Tester].
func (t *tester) Process(ctx context.Context, c access.Caller, in platform.Simulation) (platform.Simulated, error) {
	clear, err := t.issuing.RevealNamed(ctx, c, in.Card)
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
	key, err := t.keyOf(r.Message)
	if err != nil {
		return platform.Simulated{}, err
	}
	defer t.engine.Force(key, forcedOf(in))()
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
	cfg, _, found, err := t.programs.Route(ctx, number)
	if err != nil {
		return platform.Simulated{}, fmt.Errorf("route: %w", err)
	}
	if !found || cfg.Tenant.ID != c.Tenant {
		return platform.Simulated{}, unknown
	}
	expires := issuing.Expiry{Year: c.Now(t.clock).Year() + 3, Month: time.December}
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
