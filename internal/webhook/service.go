package webhook

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/outbound"
	"github.com/sarraf-platform/sarraf/internal/outbox"
)

// Service is what this package does. Its fields are set once, before use; it is
// safe for concurrent use.
type Service struct {
	DB      *db.DB
	Seal    Sealer
	Encoder Encoder
	// Dialogue puts questions and facts to clients that own their balances into
	// words. Without one nobody may be asked.
	Dialogue Dialogue
	// Completer finds what events tell besides. Without one they tell what they were
	// raised with.
	Completer Completer
	// Messages is told what becomes of messages. Without it no hook sends any.
	Messages Messages
	Clock    clock.Clock
	Log      *slog.Logger
	// Loopback lets sandbox tenants name this machine, for tests and
	// development.
	Loopback bool

	public, local       *http.Client
	askPublic, askLocal *http.Client // of hooks that are asked
	asking              asking
	certified           certified
	tokens              tokens
}

// New returns a service that talks to public addresses only. It needs an
// Encoder before it can publish.
func New(d *db.DB, seal Sealer, c clock.Clock, log *slog.Logger) *Service {
	return &Service{
		DB: d, Seal: seal, Clock: c, Log: log, public: outbound.NewClient(outbound.Public), local: outbound.NewClient(outbound.Loopback),
		askPublic: askingClient(outbound.Public), askLocal: askingClient(outbound.Loopback),
	}
}

// reachFor is how far requests of a tenant go.
func (s *Service) reachFor(sandbox bool) outbound.Reach {
	if s.Loopback && sandbox {
		return outbound.Loopback
	}
	return outbound.Public
}

func (s *Service) clientFor(r outbound.Reach) *http.Client {
	if r == outbound.Loopback {
		return s.local
	}
	return s.public
}

func (s *Service) askingClientFor(r outbound.Reach) *http.Client {
	if r == outbound.Loopback {
		return s.askLocal
	}
	return s.askPublic
}

// TopicDelivery is the topic of messages to hooks; the lane is the hook's id.
const TopicDelivery = "webhook"

// leaseLife is longer than any request may take.
const leaseLife = time.Minute

// Relay gives each event to the hooks that want it.
func (s *Service) Relay() *outbox.Relay {
	r := &outbox.Relay{DB: s.DB, Clock: s.Clock, Log: s.Log, Consume: s.publish}
	if s.Completer != nil {
		r.Complete = s.Completer.CompleteEvents
	}
	return r
}

// Worker sends what waits for hooks.
func (s *Service) Worker() *outbox.Worker {
	return &outbox.Worker{DB: s.DB, Clock: s.Clock, Log: s.Log, Topic: TopicDelivery, Lease: leaseLife, Send: s.deliver, Ended: s.ended}
}
